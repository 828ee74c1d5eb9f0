//! What the rules say of a wish.

use jitbot::domain::command::WantedEnd;
use jitbot::domain::refusal::Refusal;
use jitbot::policy::Policy;
use jitbot::policy::evaluate::{self, Allowed};

use crate::house::{
    account, auto, compare, house, house_with, issuer_name, now, person, resource_name, subjects,
    told,
};

fn ask(policy: &Policy, who: &str, typed: &str, end: WantedEnd) -> Result<Allowed, Refusal> {
    evaluate::submission(policy, &policy.identify(&account(who)), typed, end, now())
}

fn line(answer: Result<Allowed, Refusal>) -> String {
    match answer {
        Err(refusal) => told(&refusal),
        Ok(allowed) => {
            let by = allowed
                .approved_under
                .map(|by| by.rule)
                .unwrap_or(format!("{} people", allowed.approvals_needed));
            format!("{} s by {by}", allowed.spec.duration_s)
        }
    }
}

#[test]
fn what_is_asked_for_and_how_long() {
    use WantedEnd::{After, Default};
    let rows = [
        ("U1", "staging-ssh", Default, "3600 s by 1 people"),
        ("U1", "staging-ssh", After(1), "1 s by 1 people"),
        ("U1", "staging-ssh", After(28_800), "28800 s by 1 people"),
        ("U1", "staging-ssh", After(28_801), "too_long 28801 > 28800"),
        (
            "U1",
            "staging-ssh",
            After(i64::MAX),
            "too_long 9223372036854775807 > 28800",
        ),
        ("U1", "staging-ssh", After(0), "too_short < 1"),
        ("U1", "staging-ssh", After(-3_600), "too_short < 1"),
        ("U1", "staging-ssh", After(i64::MIN), "too_short < 1"),
        ("U4", "staging-ssh", Default, "may_not_ask eng"),
        ("U4", "staging-ssh", After(i64::MAX), "may_not_ask eng"),
        ("U1", "prod-ssh", Default, "may_not_ask"),
        // A typo is answered with the nearest name among those that this person may ask for.
        (
            "U1",
            "stagin-ssh",
            Default,
            "unknown_resource try staging-ssh",
        ),
        (
            "U1",
            "Staging-SSH",
            Default,
            "unknown_resource try staging-ssh",
        ),
        (
            "U1",
            "staging-bd",
            Default,
            "unknown_resource try staging-ssh",
        ),
        (
            "U3",
            "staging-bd",
            Default,
            "unknown_resource try staging-db",
        ),
        ("U1", "prod-sh", Default, "unknown_resource nothing like it"),
        (
            "U4",
            "stagin-ssh",
            Default,
            "unknown_resource nothing like it",
        ),
        ("U1", "", Default, "unknown_resource nothing like it"),
        (
            "U1",
            "<!channel>",
            Default,
            "unknown_resource nothing like it",
        ),
    ];
    let policy = house();
    compare(rows.map(|(who, typed, end, expected)| {
        (
            format!("{who} {typed:?} {end:?}"),
            expected.to_owned(),
            line(ask(&policy, who, typed, end)),
        )
    }));
}

#[test]
fn what_was_typed_is_repeated_cut() {
    let typed = "ä".repeat(3_000);
    match ask(&house(), "U1", &typed, WantedEnd::Default) {
        Err(Refusal::UnknownResource { typed, .. }) => assert_eq!(typed.chars().count(), 80),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_typo_gives_nothing_away_that_was_not_known_for_a_day() {
    for (group, expected) in [
        ("group:old", "unknown_resource try staging-ssh"),
        ("group:ancient", "unknown_resource nothing like it"),
        ("group:lost", "unknown_resource nothing like it"),
    ] {
        let policy = house_with(|resource| resource.request = subjects(group));
        let answer = ask(&policy, "U1", "stagin-ssh", WantedEnd::Default);
        assert_eq!(line(answer), expected, "{group}");
    }
}

#[test]
fn who_has_no_account_there_is_told_what_is_missing() {
    let everybody = house_with(|resource| resource.request = subjects("group:eng U4 U9"));
    let mut nobody_known = everybody.clone();
    let ca = nobody_known.issuers.get_mut(&issuer_name("ca")).unwrap();
    ca.accounts.remove(&person("alice"));
    let mut retired = everybody.clone();
    retired.issuers.get_mut(&issuer_name("ca")).unwrap().retired = true;
    let mut gone = everybody.clone();
    gone.issuers.remove(&issuer_name("ca"));
    let rows = [
        (&everybody, "U4", "no_account ca: an SSH key of yours"),
        (
            &everybody,
            "U5",
            "no_account ca: the config has no entry for you",
        ),
        (
            &nobody_known,
            "U1",
            "no_account ca: your account there is not known",
        ),
        (&retired, "U1", "no_longer_allowed"),
        (&gone, "U1", "no_longer_allowed"),
    ];
    compare(rows.map(|(policy, who, expected)| {
        let got = line(ask(policy, who, "staging-ssh", WantedEnd::Default));
        (who.to_owned(), expected.to_owned(), got)
    }));
}

#[test]
fn a_rule_approves_its_own_people_up_to_its_own_maximum() {
    const PEOPLE: &str = "1 people";
    const OLD: &str = "facts_too_old old 601s";
    let rule = |i: usize| format!("resource.staging-ssh.auto_approve[{i}]");
    // The rules as (from, max), who asks, for how long, who approves.
    type Row = (&'static [(&'static str, i64)], &'static str, i64, String);
    let rows: [Row; 15] = [
        (&[], "U1", 60, PEOPLE.into()),
        (&[("group:guards", 3_600)], "U3", 3_600, rule(0)),
        (&[("group:guards", 3_600)], "U3", 3_601, PEOPLE.into()),
        (&[("group:guards", 3_600)], "U1", 60, PEOPLE.into()),
        (&[("person:alice", 3_600)], "D1", 60, rule(0)),
        (&[("U1", 3_600)], "D1", 60, rule(0)),
        (&[("", 3_600)], "U1", 60, PEOPLE.into()),
        // The first that applies.
        (&[("U1", 60), ("group:eng", 3_600)], "U1", 60, rule(0)),
        (&[("U1", 60), ("group:eng", 3_600)], "U1", 61, rule(1)),
        (&[("U2", 60), ("group:eng", 3_600)], "U1", 60, rule(1)),
        // A rule that may apply is not passed over because nobody knows: what it is about waits.
        (&[("group:old", 3_600)], "U1", 60, OLD.into()),
        (
            &[("group:lost", 3_600)],
            "U1",
            60,
            "facts_too_old lost never".into(),
        ),
        (&[("group:old", 3_600), ("U1", 3_600)], "U1", 60, OLD.into()),
        (&[("U1", 3_600), ("group:old", 3_600)], "U1", 60, rule(0)),
        (&[("group:old", 60)], "U1", 61, PEOPLE.into()),
    ];
    compare(rows.map(|(rules, who, duration_s, by)| {
        let policy = house_with(|resource| {
            resource.auto_approve = rules.iter().map(|&(from, max)| auto(from, max)).collect();
        });
        (
            format!("{who} {duration_s} s under {rules:?}"),
            if by.starts_with("facts") {
                by
            } else {
                format!("{duration_s} s by {by}")
            },
            line(ask(
                &policy,
                who,
                "staging-ssh",
                WantedEnd::After(duration_s),
            )),
        )
    }));
}

#[test]
fn a_rule_that_approves_opens_nothing_for_who_may_not_ask() {
    let rows = [("group:sre", "may_not_ask eng"), ("U4", "may_not_ask eng")];
    compare(rows.map(|(from, expected)| {
        let policy = house_with(|resource| resource.auto_approve = vec![auto(from, 3_600)]);
        let got = line(ask(&policy, "U4", "staging-ssh", WantedEnd::Default));
        (from.to_owned(), expected.to_owned(), got)
    }));
}

#[test]
fn the_spec_is_the_resource_as_it_stands_with_the_account() {
    let policy = house_with(|resource| resource.approve.count = 2);
    let allowed = ask(&policy, "D1", "staging-ssh", WantedEnd::After(90)).unwrap();
    assert_eq!(
        serde_json::to_value(&allowed.spec).unwrap(),
        serde_json::json!({
            "resource": "staging-ssh",
            "title": "Shell on the staging hosts",
            "project": "shop",
            "action": "shell",
            "risk": "low",
            "issuer": "ca",
            "target": "staging",
            "account": {"id": "SHA256:alice", "parameters": {"key": "ssh-ed25519 AAAA"}},
            "entitlements": ["principal:deploy"],
            "parameters": {"principals": ["deploy"]},
            "duration_s": 90,
            "until": null,
        })
    );
    assert_eq!(allowed.approvals_needed, 2);
    assert_eq!(allowed.asked_under, "resource.staging-ssh.request");
    assert_eq!(allowed.spec.resource, resource_name("staging-ssh"));
}
