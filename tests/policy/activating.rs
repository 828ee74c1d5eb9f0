//! Whether what was approved may be given now.

use jitbot::domain::spec::{Risk, Spec};
use jitbot::domain::timing::seconds;
use jitbot::policy::Policy;
use jitbot::policy::evaluate;
use jitbot::policy::model::Resource;

use crate::house::{
    account, asked_by, compare, group, house, house_with, human, instant, issuer_name, now, person,
    resource_name, subjects, told,
};

/// What is said when alice's request, made in the house as it was, is to be given in today's.
fn activate(today: &Policy) -> String {
    let request = asked_by(&house(), "U1");
    match evaluate::may_activate(today, &request, now()) {
        Ok(()) => "yes".into(),
        Err(refusal) => told(&refusal),
    }
}

#[test]
fn what_was_approved_is_given_where_nothing_changed() {
    assert_eq!(activate(&house()), "yes");
}

#[test]
fn a_resource_that_changed_in_anything_that_was_shown_is_asked_for_anew() {
    type Change = fn(&mut Resource);
    let rows: [(&str, Change, &str); 12] = [
        ("title", |r| r.title.push('!'), "spec_changed"),
        ("project", |r| r.project.push('x'), "spec_changed"),
        ("action", |r| r.action.push('x'), "spec_changed"),
        ("risk", |r| r.risk = Risk::High, "spec_changed"),
        (
            "issuer",
            |r| r.issuer = issuer_name("other-ca"),
            "spec_changed",
        ),
        ("target", |r| r.target.push('x'), "spec_changed"),
        (
            "entitlements",
            |r| r.entitlements.push("principal:root".into()),
            "spec_changed",
        ),
        ("no entitlement", |r| r.entitlements.clear(), "spec_changed"),
        (
            "parameters",
            |r| {
                r.parameters.insert("principals".into(), "root".into());
            },
            "spec_changed",
        ),
        // What only says how a request is judged changes nothing of what was approved.
        ("default", |r| r.default_s = 60, "yes"),
        ("approvers", |r| r.approve.count = 9, "yes"),
        ("reminders", |r| r.remind_s = vec![1], "yes"),
    ];
    compare(rows.map(|(what, change, expected)| {
        let got = activate(&house_with(change));
        (what.to_owned(), expected.to_owned(), got)
    }));
}

#[test]
fn who_may_no_longer_ask_is_given_nothing() {
    let mut left = house();
    left.groups
        .get_mut(&group("eng"))
        .unwrap()
        .listed
        .remove(&account("U1"));
    let mut unlinked = house_with(|resource| resource.request = subjects("person:alice"));
    unlinked.people.remove(&person("alice"));
    let mut relinked = house();
    relinked.people.insert(person("alice"), human("D1", None));
    relinked.people.insert(person("bob"), human("U1 U2", None));
    let mut gone = house();
    gone.resources.remove(&resource_name("staging-ssh"));
    let mut retired = house();
    let ca = retired.issuers.get_mut(&issuer_name("ca")).unwrap();
    ca.retired = true;
    let mut no_issuer = house();
    no_issuer.issuers.clear();
    let mut other_key = house();
    let ca = other_key.issuers.get_mut(&issuer_name("ca")).unwrap();
    let known = ca.accounts.get_mut(&person("alice")).unwrap();
    known.as_mut().unwrap().id = "SHA256:new".into();
    let mut other_parameter = house();
    let ca = other_parameter.issuers.get_mut(&issuer_name("ca")).unwrap();
    let known = ca.accounts.get_mut(&person("alice")).unwrap();
    known.as_mut().unwrap().parameters.clear();
    let mut no_key = house();
    let ca = no_key.issuers.get_mut(&issuer_name("ca")).unwrap();
    ca.accounts
        .insert(person("alice"), Err("an SSH key of yours".into()));
    let named_never = house_with(|resource| resource.never = subjects("D1"));
    let rows = [
        ("left the group", &left, "may_not_ask eng"),
        ("unlinked", &unlinked, "may_not_ask alice"),
        ("linked to somebody else", &relinked, "spec_changed"),
        ("named in never", &named_never, "may_not_ask eng"),
        (
            "never, by facts that are too old",
            &house_with(|resource| resource.never = subjects("group:old")),
            "facts_too_old old 601s",
        ),
        (
            "asks by facts that are too old",
            &house_with(|resource| resource.request = subjects("group:old")),
            "facts_too_old old 601s",
        ),
        ("the resource is gone", &gone, "no_longer_allowed"),
        ("the issuer is retired", &retired, "no_longer_allowed"),
        ("the issuer is gone", &no_issuer, "no_longer_allowed"),
        ("another key", &other_key, "spec_changed"),
        (
            "the key's parameters changed",
            &other_parameter,
            "spec_changed",
        ),
        (
            "no key any more",
            &no_key,
            "no_account ca: an SSH key of yours",
        ),
    ];
    compare(
        rows.map(|(what, today, expected)| (what.to_owned(), expected.to_owned(), activate(today))),
    );
}

#[test]
fn a_maximum_that_was_lowered_below_what_was_approved_gives_nothing() {
    let rows = [(3_600, "yes"), (3_599, "too_long 3600 > 3599")];
    compare(rows.map(|(max_s, expected)| {
        let got = activate(&house_with(|resource| resource.max_s = max_s));
        (format!("max {max_s} s"), expected.to_owned(), got)
    }));
}

#[test]
fn votes_are_bound_to_every_field_of_the_spec() {
    type Change = fn(&mut Spec);
    let changes: [(&str, Change); 13] = [
        ("resource", |s| s.resource = resource_name("prod-ssh")),
        ("title", |s| s.title.push('x')),
        ("project", |s| s.project.push('x')),
        ("action", |s| s.action.push('x')),
        ("risk", |s| s.risk = Risk::Critical),
        ("issuer", |s| s.issuer = issuer_name("other-ca")),
        ("target", |s| s.target.push('x')),
        ("account", |s| s.account.id.push('x')),
        ("account's parameters", |s| s.account.parameters.clear()),
        ("entitlements", |s| s.entitlements.push("x".into())),
        ("parameters", |s| s.parameters.clear()),
        ("duration", |s| s.duration_s += 1),
        ("until", |s| s.until = Some(now() + seconds(60))),
    ];
    let spec = asked_by(&house(), "U1").spec;
    let mut hashes = vec![spec.hash()];
    for (what, change) in changes {
        let mut changed = spec.clone();
        change(&mut changed);
        let hash = changed.hash();
        assert!(!hashes.contains(&hash), "{what} is not in the hash");
        hashes.push(hash);
    }
}

#[test]
fn the_order_in_which_parameters_are_written_changes_no_hash() {
    let with = |text: &str| {
        let mut spec = asked_by(&house(), "U1").spec;
        spec.parameters = serde_json::from_str(text).unwrap();
        spec.hash()
    };
    let one = r#"{"a": 1, "b": {"x": [1, 2], "y": null}}"#;
    assert_eq!(
        with(one),
        with(r#"{"b": {"y": null, "x": [1, 2]}, "a": 1}"#)
    );
    assert_ne!(
        with(one),
        with(r#"{"a": 1, "b": {"x": [2, 1], "y": null}}"#)
    );
}

#[test]
fn a_spec_that_was_kept_is_read_back_with_its_hash() {
    let mut spec = asked_by(&house(), "U1").spec;
    spec.until = Some(instant("2026-03-10T18:00:00.250Z"));
    let kept: Spec = serde_json::from_str(&spec.canonical()).unwrap();
    assert_eq!((kept.hash(), kept), (spec.hash(), spec));
}
