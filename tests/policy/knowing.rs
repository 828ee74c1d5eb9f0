//! What a directory says of accounts and groups, and what each thing that somebody does makes of it.

use chrono::TimeDelta;
use jitbot::domain::departure::Departure;
use jitbot::domain::directory::{AccountStatus, Known, KnownAccount};
use jitbot::domain::request::Request;
use jitbot::policy::Policy;
use jitbot::policy::evaluate;
use jitbot::policy::membership::LAST_KNOWN_FOR_S;
use jitbot::policy::staying::departure;

use crate::house::{
    FRESH_S, account, asked_by, compare, group, house, house_with, human, now, person,
    resource_name, seen, source, staging, subjects, told,
};

/// The house, where Slack is asked of accounts, and said this of `who` so many seconds ago.
fn asked_of(who: &str, said: Option<(AccountStatus, i64)>) -> Policy {
    let mut policy = house_with(|resource| resource.request = subjects("group:eng group:sre"));
    policy.directories.platforms.insert("slack".into());
    for name in ["U1", "U2", "U3", "U4", "U5"] {
        let known = KnownAccount {
            status: AccountStatus::Member,
            time_zone: None,
            as_of: now(),
        };
        policy.known.accounts.insert(account(name), known);
    }
    match said {
        None => {
            policy.known.accounts.remove(&account(who));
        }
        Some((status, age_s)) => {
            let as_of = now() - TimeDelta::seconds(age_s);
            let known = KnownAccount {
                status,
                time_zone: None,
                as_of,
            };
            policy.known.accounts.insert(account(who), known);
        }
    }
    policy
}

#[test]
fn what_an_account_may_do_by_what_is_known_of_it() {
    use AccountStatus as S;
    let a_day = LAST_KNOWN_FOR_S;
    // What is known of it: may it ask, approve, deny, revoke, and read of it.
    let rows = [
        (Some((S::Member, 0)), "yes yes yes yes yes"),
        (Some((S::Member, FRESH_S)), "yes yes yes yes yes"),
        (
            Some((S::Member, FRESH_S + 1)),
            "account_not_known account_not_known yes yes yes",
        ),
        // Nothing is known against it.
        (
            Some((S::Member, a_day + 1)),
            "account_not_known account_not_known yes yes yes",
        ),
        (None, "account_not_known account_not_known yes yes yes"),
        (
            Some((S::Guest, 0)),
            "may_not_act may_not_act may_not_act may_not_revoke no",
        ),
        (
            Some((S::External, 0)),
            "may_not_act may_not_act may_not_act may_not_revoke no",
        ),
        (
            Some((S::Bot, 0)),
            "may_not_act may_not_act may_not_act may_not_revoke no",
        ),
        (
            Some((S::NotFound, 0)),
            "may_not_act may_not_act may_not_act may_not_revoke no",
        ),
        // Too old to say no by as well, for they may be back; never too old to keep somebody out.
        (
            Some((S::Deactivated, a_day * 9)),
            "account_not_known account_not_known may_not_act may_not_revoke no",
        ),
    ];
    compare(rows.map(|(said, expected)| {
        let policy = asked_of("U2", said);
        let request = asked_by(&policy, "U1");
        let bob = policy.identify(&account("U2"));
        let word = |answer: Result<(), jitbot::domain::refusal::Refusal>| match answer {
            Ok(()) => "yes".to_owned(),
            Err(refusal) => refusal.code().to_owned(),
        };
        let got = [
            word(evaluate::may_ask(&policy, staging(&policy), &bob, now()).map(|_| ())),
            word(evaluate::may_decide(&policy, &request, &bob, now()).map(|_| ())),
            word(evaluate::may_deny(&policy, &request, &bob, now()).map(|_| ())),
            word(evaluate::may_revoke(&policy, &request, &bob, now()).map(|_| ())),
            if evaluate::may_see(&policy, &request, &bob, now()) {
                "yes".into()
            } else {
                "no".into()
            },
        ];
        (format!("{said:?}"), expected.to_owned(), got.join(" "))
    }));
}

#[test]
fn who_is_certainly_not_among_those_is_told_so_whatever_is_not_known_of_their_account() {
    let policy = asked_of("U9", None);
    let stranger = policy.identify(&account("U9"));
    let answer = evaluate::may_ask(&policy, staging(&policy), &stranger, now());
    assert_eq!(told(&answer.unwrap_err()), "may_not_ask eng sre");
    let request = asked_by(&policy, "U1");
    let answer = evaluate::may_decide(&policy, &request, &stranger, now());
    assert_eq!(told(&answer.unwrap_err()), "not_an_approver sre");
}

#[test]
fn a_group_in_doubt_gives_nothing_and_keeps_who_was_in_it() {
    let mut policy = house_with(|resource| resource.request = subjects("group:sre"));
    let request = asked_by(&policy, "U2");
    policy
        .known
        .groups
        .get_mut(&source("sre"))
        .unwrap()
        .in_doubt = true;
    let dave = policy.identify(&account("U4"));
    let answer = evaluate::may_ask(&policy, staging(&policy), &dave, now());
    assert_eq!(told(&answer.unwrap_err()), "facts_too_old sre 60s");
    assert!(evaluate::may_decide(&policy, &request, &dave, now()).is_err());
    assert!(evaluate::may_deny(&policy, &request, &dave, now()).is_ok());
    assert_eq!(departure(&policy, &request, now()), None);
}

#[test]
fn of_whom_nobody_looked_nothing_is_known() {
    let mut policy = house_with(|resource| {
        resource.request = subjects("group:eng");
        resource.never = subjects("group:sre");
    });
    policy.known.about.remove(&account("U1"));
    let alice = policy.identify(&account("U1"));
    let answer = evaluate::may_ask(&policy, staging(&policy), &alice, now());
    assert_eq!(told(&answer.unwrap_err()), "facts_too_old sre 60s");
    let nobody = policy.knowing(Known::default());
    let carol = nobody.identify(&account("U3"));
    let answer = evaluate::may_ask(&nobody, staging(&nobody), &carol, now());
    assert_eq!(told(&answer.unwrap_err()), "facts_too_old sre never");
}

#[test]
fn who_has_left_and_who_has_not() {
    use AccountStatus as S;
    type Change = fn(&mut Policy);
    let status = |status| -> Option<Departure> { Some(Departure::Account(status)) };
    let says = |policy: &mut Policy, status| {
        let known = KnownAccount {
            status,
            time_zone: None,
            as_of: now() - TimeDelta::days(30),
        };
        policy.known.accounts.insert(account("U1"), known);
    };
    let rows: [(&str, Change, Option<Departure>); 12] = [
        ("nothing changed", |_| {}, None),
        (
            "out of the list",
            |p| {
                p.groups
                    .get_mut(&group("eng"))
                    .unwrap()
                    .listed
                    .remove(&account("U1"));
            },
            Some(Departure::NotAmongThose),
        ),
        (
            "never may",
            |p| {
                let resource = p.resources.get_mut(&resource_name("staging-ssh")).unwrap();
                resource.never = subjects("person:alice");
            },
            Some(Departure::NotAmongThose),
        ),
        (
            "a user group, known for ages",
            |p| {
                let resource = p.resources.get_mut(&resource_name("staging-ssh")).unwrap();
                resource.request = subjects("group:ancient");
            },
            None,
        ),
        (
            "a user group without them, known for ages",
            |p| {
                let resource = p.resources.get_mut(&resource_name("staging-ssh")).unwrap();
                resource.request = subjects("group:ancient");
                let (id, without) = seen("ancient", "U2", 9_000_000);
                p.known.groups.insert(id, without);
            },
            Some(Departure::NotAmongThose),
        ),
        (
            "a user group of which nothing is known",
            |p| {
                let resource = p.resources.get_mut(&resource_name("staging-ssh")).unwrap();
                resource.request = subjects("group:sre");
                p.known.groups.clear();
            },
            None,
        ),
        (
            "the resource is gone",
            |p| {
                p.resources.clear();
            },
            None,
        ),
        (
            "taken out of the config",
            |p| {
                p.people.remove(&person("alice"));
            },
            Some(Departure::Unlinked),
        ),
        (
            "given to somebody else",
            |p| {
                p.people.insert(person("alice"), human("D1", None));
                p.people.insert(person("bob"), human("U1 U2", None));
            },
            Some(Departure::Unlinked),
        ),
        (
            "another name for the same",
            |p| {
                let alice = p.people.remove(&person("alice")).unwrap();
                p.people.insert(person("alice-smith"), alice);
            },
            None,
        ),
        (
            "no longer approved by a rule",
            |p| {
                let resource = p.resources.get_mut(&resource_name("staging-ssh")).unwrap();
                resource.auto_approve.clear();
            },
            None,
        ),
        (
            "nobody approves it any more",
            |p| {
                let resource = p.resources.get_mut(&resource_name("staging-ssh")).unwrap();
                resource.approve.from.clear();
            },
            None,
        ),
    ];
    let then = house();
    let request = asked_by(&then, "U1");
    let word = |left: Option<Departure>| format!("{left:?}");
    compare(rows.map(|(what, change, expected)| {
        let mut today = then.clone();
        change(&mut today);
        let got = departure(&today, &request, now());
        (what.to_owned(), word(expected), word(got))
    }));
    compare(S::ALL.map(|one| {
        let mut today = then.clone();
        says(&mut today, one);
        let expected = if one.has_left() { status(one) } else { None };
        let got = departure(&today, &request, now());
        (format!("{one:?}"), word(expected), word(got))
    }));
    // Who would receive it counts as well as who asked.
    let for_another = Request {
        beneficiary: then.identify(&account("U5")),
        ..request
    };
    let mut today = then.clone();
    let guest = KnownAccount {
        status: S::Guest,
        time_zone: None,
        as_of: now(),
    };
    today.known.accounts.insert(account("U5"), guest);
    assert_eq!(departure(&today, &for_another, now()), status(S::Guest));
}
