//! How much a rule may give on end.

use jitbot::policy::cap::ByRule;

use super::house::now;

/// Minutes from now, negative before: what was held, and how much more is asked for.
fn allows(held: &[(i64, i64)], asked: i64) -> bool {
    let by = ByRule {
        rule: "resource.staging-ssh.auto_approve[0]".into(),
        max_s: 3_600,
        cool_down_s: 3_600,
    };
    let at = |minutes: i64| now() + chrono::TimeDelta::minutes(minutes);
    let held = held.iter().map(|(from, to)| (at(*from), at(*to))).collect();
    by.allows(asked * 60, held, now())
}

#[test]
fn renewing_in_time_makes_no_standing_access() {
    assert!(allows(&[], 60), "the whole of it at once");
    assert!(!allows(&[], 61));
    assert!(
        allows(&[(-20, 40)], 40),
        "beside what goes on, up to the cap"
    );
    assert!(!allows(&[(-20, 40)], 41));
    assert!(!allows(&[(-50, 10)], 60), "renewed in the last minutes");
    assert!(
        !allows(&[(-90, -30)], 60),
        "again, half an hour after its end"
    );
    assert!(allows(&[(-121, -61)], 60), "again, after the cool-down");
    // Short ones that follow each other are one long one, in whatever order they are known.
    let chain = [(-70, -65), (-30, -25), (-50, -45), (-10, -5)];
    assert!(!allows(&chain, 5));
    assert!(allows(&chain[3..], 50));
}
