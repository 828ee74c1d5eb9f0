//! Who may ask, and for what.

use crate::house::{account, compare, house, house_with, now, staging, subjects, told};
use jitbot::policy::evaluate;

#[test]
fn who_may_ask() {
    const YES: &str = "resource.staging-ssh.request";
    // Who may ask, who never may, who asks, the answer.
    let rows = [
        ("group:eng", "", "U1", YES),
        ("group:eng", "", "U5", YES),
        ("group:eng", "", "U4", "may_not_ask eng"),
        ("group:sre group:eng", "", "U9", "may_not_ask sre eng"),
        ("", "", "U1", "may_not_ask"),
        // In person, by account, and through an account that is the same person's.
        ("person:alice", "", "U1", YES),
        ("person:alice", "", "D1", YES),
        ("person:alice", "", "U2", "may_not_ask alice"),
        ("group:eng", "", "D1", YES),
        ("U1", "", "D1", YES),
        ("D1", "", "U1", YES),
        ("U5", "", "U5", YES),
        ("U5", "", "U1", "may_not_ask slack:T1/U5"),
        // `never` beats everything that says yes, on each account of the person.
        ("group:eng", "group:sre", "U2", "may_not_ask eng"),
        (
            "group:eng person:bob U2",
            "person:bob",
            "U2",
            "may_not_ask eng bob slack:T1/U2",
        ),
        ("group:eng", "U1", "D1", "may_not_ask eng"),
        ("group:eng", "D1", "U1", "may_not_ask eng"),
        ("group:eng", "group:sre person:dave", "U1", YES),
        // Facts hold for ten minutes; past that nobody knows, which is neither yes nor no.
        ("group:edge", "", "U1", YES),
        ("group:old", "", "U1", "facts_too_old old 601s"),
        ("group:old", "", "U5", "facts_too_old old 601s"),
        ("group:lost", "", "U1", "facts_too_old lost never"),
        ("group:old group:eng", "", "U1", YES),
        ("group:old person:bob", "", "U2", YES),
        ("group:sre group:old", "", "U5", "facts_too_old old 601s"),
        // Whether somebody is among those who never may is not known either.
        ("group:eng", "group:old", "U1", "facts_too_old old 601s"),
        ("group:eng", "group:old", "U3", "facts_too_old old 601s"),
        ("group:eng", "group:lost", "U3", "facts_too_old lost never"),
        ("group:eng", "group:old U3", "U3", "may_not_ask eng"),
    ];
    compare(rows.map(|(request, never, who, expected)| {
        let policy = house_with(|resource| {
            resource.request = subjects(request);
            resource.never = subjects(never);
        });
        let identity = policy.identify(&account(who));
        let got = evaluate::may_ask(&policy, staging(&policy), &identity, now())
            .unwrap_or_else(|refusal| told(&refusal));
        (
            format!("{who}: request [{request}] never [{never}]"),
            expected.to_owned(),
            got,
        )
    }));
}

#[test]
fn facts_age_with_the_clock() {
    let policy = house_with(|resource| resource.request = subjects("group:sre"));
    let bob = policy.identify(&account("U2"));
    // Fetched a minute before `now`, held for 600 s.
    for (after_s, fresh) in [(0, true), (540, true), (541, false)] {
        let at = now() + chrono::TimeDelta::seconds(after_s);
        let answer = evaluate::may_ask(&policy, staging(&policy), &bob, at);
        assert_eq!(answer.is_ok(), fresh, "after {after_s} s: {answer:?}");
    }
}

#[test]
fn a_config_that_lists_its_members_is_never_stale() {
    let policy = house();
    let alice = policy.identify(&account("U1"));
    let in_a_year = now() + chrono::TimeDelta::days(366);
    assert!(evaluate::may_ask(&policy, staging(&policy), &alice, in_a_year).is_ok());
}

#[test]
fn each_person_is_shown_what_they_may_ask_for() {
    let rows = [
        ("U1", "staging-ssh"),
        ("D1", "staging-ssh"),
        ("U3", "staging-db staging-ssh"),
        ("U4", ""),
        ("U9", ""),
    ];
    let policy = house();
    compare(rows.map(|(who, expected)| {
        let names = evaluate::askable(&policy, &policy.identify(&account(who)), now());
        let names: Vec<&str> = names.iter().map(|name| name.as_str()).collect();
        (who.to_owned(), expected.to_owned(), names.join(" "))
    }));
}
