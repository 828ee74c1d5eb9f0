//! Who may decide, take away, and know of a request.

use jitbot::domain::decision::Decider;
use jitbot::domain::request::Request;
use jitbot::policy::Policy;
use jitbot::policy::evaluate;

use crate::house::{
    account, asked_by, compare, group, house, house_with, human, now, person, resource_name,
    source, subjects, told,
};

/// Alice's request in this house, received by this account.
fn alices(policy: &Policy, received_by: &str) -> Request {
    Request {
        beneficiary: policy.identify(&account(received_by)),
        ..asked_by(policy, "U1")
    }
}

fn decides(policy: &Policy, request: &Request, who: &str) -> String {
    match evaluate::may_decide(policy, request, &policy.identify(&account(who)), now()) {
        Err(refusal) => told(&refusal),
        Ok(standing) => {
            let group = standing.group.map_or("in person".into(), |g| g.to_string());
            let age = standing.as_of.map_or("listed".into(), |as_of| {
                format!("{}s old", (now() - as_of).num_seconds())
            });
            format!("{} {group} {age}", standing.rule)
        }
    }
}

#[test]
fn who_may_decide() {
    const RULE: &str = "resource.staging-ssh.approve[0]";
    // Who approves, who receives what alice asked for, who presses.
    let rows = [
        ("group:sre", "U1", "U2", &*format!("{RULE} sre 60s old")),
        ("group:sre", "U1", "U4", &format!("{RULE} sre 60s old")),
        ("group:guards", "U1", "U3", &format!("{RULE} guards listed")),
        (
            "person:bob",
            "U1",
            "U2",
            &format!("{RULE} in person listed"),
        ),
        ("U2", "U1", "U2", &format!("{RULE} in person listed")),
        ("U5", "U1", "U5", &format!("{RULE} in person listed")),
        ("group:sre", "U1", "U3", "not_an_approver sre"),
        (
            "group:sre group:guards",
            "U1",
            "U5",
            "not_an_approver sre guards",
        ),
        ("", "U1", "U2", "not_an_approver"),
        // Who asked never does, on no account, whatever names them.
        ("group:eng", "U1", "U1", "own_request"),
        ("group:eng", "U1", "D1", "own_request"),
        ("D1", "U1", "D1", "own_request"),
        ("person:alice U1 group:sre", "U2", "U1", "own_request"),
        // Nor does who would receive it.
        ("group:sre", "U2", "U2", "own_request"),
        ("group:sre", "U2", "U4", &format!("{RULE} sre 60s old")),
        ("D1", "D1", "U1", "own_request"),
        ("U5", "U5", "U5", "own_request"),
        // Facts hold ten minutes; past that nobody knows who is an approver.
        ("group:old", "U1", "U2", "facts_too_old old 601s"),
        ("group:old", "U1", "U5", "facts_too_old old 601s"),
        ("group:lost", "U1", "U2", "facts_too_old lost never"),
        (
            "group:old group:sre",
            "U1",
            "U2",
            &format!("{RULE} sre 60s old"),
        ),
        ("group:old", "U1", "D1", "own_request"),
    ];
    compare(rows.map(|(from, received_by, who, expected)| {
        let policy = house_with(|resource| resource.approve.from = subjects(from));
        let request = alices(&policy, received_by);
        (
            format!("{who} presses; [{from}] approve; {received_by} receives"),
            expected.to_owned(),
            decides(&policy, &request, who),
        )
    }));
}

#[test]
fn an_approver_through_a_linked_account_decides_on_either() {
    let mut policy = house();
    policy.people.insert(person("bob"), human("U2 D2", None));
    let request = alices(&policy, "U1");
    for who in ["U2", "D2"] {
        let expected = "resource.staging-ssh.approve[0] sre 60s old";
        assert_eq!(decides(&policy, &request, who), expected, "{who}");
    }
}

#[test]
fn nobody_approves_their_own_request_after_their_accounts_were_named_or_linked_anew() {
    let then = house_with(|resource| resource.approve.from = subjects("U1 D1 U6"));
    let request = alices(&then, "U1");
    let mut renamed = then.clone();
    let alice = renamed.people.remove(&person("alice")).unwrap();
    renamed.people.insert(person("alice-smith"), alice);
    let mut linked = then.clone();
    linked.people.remove(&person("alice"));
    linked.people.insert(person("al"), human("U1 D1 U6", None));
    let mut unlinked = then.clone();
    unlinked.people.insert(person("alice"), human("D1", None));
    let mut nobody = then.clone();
    nobody.people.clear();
    let rows = [
        ("renamed", &renamed, "U1"),
        ("renamed", &renamed, "D1"),
        ("linked to a third account", &linked, "U6"),
        ("linked to a third account", &linked, "D1"),
        // What was linked when it was asked counts as well.
        ("unlinked", &unlinked, "D1"),
        ("unlinked", &unlinked, "U1"),
        ("in no config", &nobody, "U1"),
    ];
    compare(rows.map(|(what, policy, who)| {
        let got = decides(policy, &request, who);
        (format!("{what}: {who}"), "own_request".to_owned(), got)
    }));
}

#[test]
fn a_resource_that_is_gone_is_decided_by_nobody() {
    let then = house();
    let request = alices(&then, "U1");
    let mut today = then.clone();
    today.resources.remove(&resource_name("staging-ssh"));
    assert_eq!(decides(&today, &request, "U2"), "no_longer_allowed");
    assert_eq!(decides(&today, &request, "U1"), "own_request");
}

#[test]
fn who_may_take_away_and_who_may_know() {
    const SECURITY: &str = "security.people";
    const APPROVER: &str = "resource.staging-ssh.approve[0]";
    let no = "may_not_revoke";
    // Security, approvers, who wants it; may they take it away, may they know of it.
    let rows = [
        ("group:guards", "group:sre", "U3", SECURITY, true),
        ("person:carol", "group:sre", "U3", SECURITY, true),
        ("U3", "group:sre", "U3", SECURITY, true),
        ("group:guards", "group:sre", "U2", APPROVER, true),
        ("group:guards", "group:sre", "U4", APPROVER, true),
        ("group:sre", "group:sre", "U2", SECURITY, true),
        // Who asked knows of it and gives it back with `done`.
        ("group:guards", "group:sre", "U1", no, true),
        ("group:guards", "group:eng", "U1", no, true),
        ("group:guards", "group:eng", "D1", no, true),
        // Security may end its own.
        ("D1", "group:sre", "U1", SECURITY, true),
        // Being in a channel, or able to ask for the same, gives no right.
        ("group:guards", "group:sre", "U5", no, false),
        ("", "", "U3", no, false),
        // To take away, and to read, what was known within a day is enough.
        ("group:old", "group:sre", "U3", no, false),
        ("group:old", "", "U2", SECURITY, true),
        ("", "group:old", "U2", APPROVER, true),
        ("group:ancient", "", "U2", no, false),
        ("", "group:ancient", "U2", no, false),
        ("group:lost", "group:lost", "U2", no, false),
        ("group:ancient", "group:sre", "U2", APPROVER, true),
    ];
    compare(rows.map(|(security, from, who, revokes, sees)| {
        let mut policy = house_with(|resource| resource.approve.from = subjects(from));
        policy.security.people = subjects(security);
        let (request, who) = (alices(&policy, "U1"), account(who));
        let identity = policy.identify(&who);
        let revoke = evaluate::may_revoke(&policy, &request, &identity, now())
            .unwrap_or_else(|refusal| told(&refusal));
        let see = evaluate::may_see(&policy, &request, &identity, now());
        (
            format!("{who}: security [{security}], approvers [{from}]"),
            format!("{revokes}, sees {sees}"),
            format!("{revoke}, sees {see}"),
        )
    }));
}

#[test]
fn who_receives_may_know_and_who_approves_a_resource_that_is_gone_may_not() {
    let policy = house();
    let request = alices(&policy, "U5");
    let mut gone = policy.clone();
    gone.resources.clear();
    let rows = [
        (&policy, "U5", true),
        (&policy, "U2", true),
        (&gone, "U5", true),
        (&gone, "D1", true),
        (&gone, "U3", true),
        (&gone, "U2", false),
    ];
    for (policy, who, sees) in rows {
        let identity = policy.identify(&account(who));
        let got = evaluate::may_see(policy, &request, &identity, now());
        assert_eq!(got, sees, "{who}");
    }
}

#[test]
fn the_standing_that_a_vote_keeps_names_the_group_and_its_age() {
    let policy = house();
    let request = alices(&policy, "U1");
    let bob = policy.identify(&account("U2"));
    let standing = evaluate::may_decide(&policy, &request, &bob, now()).unwrap();
    let decider = Decider::Person {
        identity: bob,
        group: standing.group,
        group_as_of: standing.as_of,
    };
    let kept: Decider = serde_json::from_value(serde_json::to_value(&decider).unwrap()).unwrap();
    assert_eq!(kept, decider);
    let as_of = Some(policy.known.groups[&source("sre")].as_of);
    assert!(
        matches!(&kept, Decider::Person { group: Some(sre), group_as_of, .. }
            if *sre == group("sre") && *group_as_of == as_of && as_of.is_some())
    );
}
