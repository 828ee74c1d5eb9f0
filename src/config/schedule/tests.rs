//! Days, changes of the clocks, and what is no schedule.

use super::*;

fn at(text: &str) -> Timestamp {
    text.parse::<DateTime<chrono::FixedOffset>>()
        .unwrap()
        .with_timezone(&Utc)
}

fn times(expression: &str, after: &str, count: usize) -> Vec<String> {
    let schedule = Schedule::parse(expression, chrono_tz::Europe::Berlin).unwrap();
    let mut now = at(after);
    let mut times = Vec::new();
    for _ in 0..count {
        now = schedule.next_after(now).unwrap();
        let local = now.with_timezone(&chrono_tz::Europe::Berlin);
        times.push(local.format("%a %d %b %H:%M%:z").to_string());
    }
    times
}

#[test]
fn ordinary_days_in_berlin() {
    // Tuesday, 24 November 2026.
    let now = "2026-11-24T08:59:59.999+01:00";
    let table: [(&str, &[&str]); 13] = [
        (
            "0 9 * * *",
            &["Tue 24 Nov 09:00+01:00", "Wed 25 Nov 09:00+01:00"],
        ),
        (
            "0 9 * * 1-5",
            &[
                "Tue 24 Nov 09:00+01:00",
                "Wed 25 Nov 09:00+01:00",
                "Thu 26 Nov 09:00+01:00",
                "Fri 27 Nov 09:00+01:00",
                "Mon 30 Nov 09:00+01:00",
            ],
        ),
        ("0 9 * * mon-FRI", &["Tue 24 Nov 09:00+01:00"]),
        ("0 9 * * 0", &["Sun 29 Nov 09:00+01:00"]),
        ("0 9 * * 7", &["Sun 29 Nov 09:00+01:00"]),
        ("0 9 * * sun", &["Sun 29 Nov 09:00+01:00"]),
        (
            "0 9 * * 5-7",
            &[
                "Fri 27 Nov 09:00+01:00",
                "Sat 28 Nov 09:00+01:00",
                "Sun 29 Nov 09:00+01:00",
                "Fri 04 Dec 09:00+01:00",
            ],
        ),
        (
            "0 9 * * */3",
            &[
                "Wed 25 Nov 09:00+01:00",
                "Sat 28 Nov 09:00+01:00",
                "Sun 29 Nov 09:00+01:00",
            ],
        ),
        (
            "*/20 9-10 * * *",
            &[
                "Tue 24 Nov 09:00+01:00",
                "Tue 24 Nov 09:20+01:00",
                "Tue 24 Nov 09:40+01:00",
                "Tue 24 Nov 10:00+01:00",
            ],
        ),
        (
            "5,10 9 * * *",
            &[
                "Tue 24 Nov 09:05+01:00",
                "Tue 24 Nov 09:10+01:00",
                "Wed 25 Nov 09:05+01:00",
            ],
        ),
        (
            "0 0 31 * *",
            &[
                "Thu 31 Dec 00:00+01:00",
                "Sun 31 Jan 00:00+01:00",
                "Wed 31 Mar 00:00+02:00",
            ],
        ),
        (
            "0  0 1 jan,JUL  *",
            &["Fri 01 Jan 00:00+01:00", "Thu 01 Jul 00:00+02:00"],
        ),
        ("30 8 29 2 *", &["Tue 29 Feb 08:30+01:00"]),
    ];
    for (expression, expected) in table {
        assert_eq!(
            times(expression, now, expected.len()),
            expected,
            "{expression}"
        );
    }
}

#[test]
fn a_time_that_is_due_now_is_not_later_than_now() {
    assert_eq!(
        times("0 9 * * *", "2026-11-24T09:00:00+01:00", 1),
        ["Wed 25 Nov 09:00+01:00"]
    );
    assert_eq!(
        times("0 9 * * *", "2026-11-24T09:00:00.001+01:00", 1),
        ["Wed 25 Nov 09:00+01:00"]
    );
}

#[test]
fn a_time_that_spring_skips_runs_at_the_next_minute_once() {
    // On 29 March 2026 the clocks go from 02:00 to 03:00.
    let now = "2026-03-28T12:00:00+01:00";
    let table: [(&str, &[&str]); 4] = [
        (
            "30 2 * * *",
            &["Sun 29 Mar 03:00+02:00", "Mon 30 Mar 02:30+02:00"],
        ),
        (
            "*/20 2 * * *",
            &["Sun 29 Mar 03:00+02:00", "Mon 30 Mar 02:00+02:00"],
        ),
        (
            "0 2,3 * * *",
            &[
                "Sun 29 Mar 03:00+02:00",
                "Mon 30 Mar 02:00+02:00",
                "Mon 30 Mar 03:00+02:00",
            ],
        ),
        (
            "0 1,4 * * 0",
            &[
                "Sun 29 Mar 01:00+01:00",
                "Sun 29 Mar 04:00+02:00",
                "Sun 05 Apr 01:00+02:00",
            ],
        ),
    ];
    for (expression, expected) in table {
        assert_eq!(
            times(expression, now, expected.len()),
            expected,
            "{expression}"
        );
    }
    assert_eq!(
        times("15 * * * *", "2026-03-29T01:20:00+01:00", 3),
        [
            "Sun 29 Mar 03:00+02:00",
            "Sun 29 Mar 03:15+02:00",
            "Sun 29 Mar 04:15+02:00"
        ]
    );
}

#[test]
fn a_time_that_autumn_doubles_runs_the_first_time_only() {
    // On 25 October 2026 the clocks go from 03:00 back to 02:00.
    let now = "2026-10-24T12:00:00+02:00";
    assert_eq!(
        times("30 2 * * *", now, 2),
        ["Sun 25 Oct 02:30+02:00", "Mon 26 Oct 02:30+01:00"]
    );
    assert_eq!(
        times("0 * * * *", "2026-10-25T01:30:00+02:00", 2),
        ["Sun 25 Oct 02:00+02:00", "Sun 25 Oct 03:00+01:00"]
    );
    // Started between the two: the first has passed, the second does not count.
    assert_eq!(
        times("30 2 * * *", "2026-10-25T02:10:00+01:00", 1),
        ["Mon 26 Oct 02:30+01:00"]
    );
    assert_eq!(
        times("* * * * *", "2026-10-25T02:10:00+01:00", 1),
        ["Sun 25 Oct 03:00+01:00"]
    );
}

#[test]
fn everything_else_is_refused_with_a_hint() {
    for (expression, what) in [
        ("", "it has 0 fields instead of 5"),
        ("0 9 * *", "it has 4 fields instead of 5"),
        ("0 0 9 * * *", "it has 6 fields instead of 5"),
        ("@daily", "it has 1 fields instead of 5"),
        ("60 9 * * *", "`60` is no minute"),
        ("0 24 * * *", "`24` is no hour"),
        ("0 9 0 * *", "`0` is no day of month"),
        ("0 9 32 * *", "`32` is no day of month"),
        ("0 9 * 0 *", "`0` is no month"),
        ("0 9 * 13 *", "`13` is no month"),
        ("0 9 * * 8", "`8` is no day of week"),
        ("0 9 * * funday", "`funday` is no day of week"),
        ("0 9 * * 6-1", "`6-1` is no day of week"),
        ("0 9 L * *", "`L` is no day of month"),
        ("0 9 ? * *", "`?` is no day of month"),
        ("mon 9 * * *", "`mon` is no minute"),
        ("*/0 9 * * *", "`*/0` is no minute"),
        ("*/+5 9 * * *", "`*/+5` is no minute"),
        ("5/10 9 * * *", "`5/10` is no minute"),
        ("1,,2 9 * * *", "`` is no minute"),
        ("-1 9 * * *", "`-1` is no minute"),
        ("+1 9 * * *", "`+1` is no minute"),
        ("0 9 30 2 *", "no such day ever comes"),
        (
            "0 9 1 * 1",
            "it limits both the day of month and the day of week, which crons read in different ways",
        ),
        (
            "0 9 */2 * */2",
            "it limits both the day of month and the day of week, which crons read in different ways",
        ),
    ] {
        let bad = Schedule::parse(expression, chrono_tz::UTC).unwrap_err();
        assert_eq!(bad.what, what, "{expression}");
        assert!(!bad.hint.is_empty(), "{expression}");
    }
}
