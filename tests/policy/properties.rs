//! What must hold whatever a rule's author wrote, held against rules read a second time, by other
//! code: [`standing`] says of a list of subjects and a human being what is known.

use std::collections::BTreeSet;

use jitbot::domain::command::WantedEnd;
use jitbot::domain::directory::AccountStatus;
use jitbot::domain::ids::{AccountId, Place, RequestId};
use jitbot::domain::refusal::Refusal;
use jitbot::domain::request::{Request, RequestState};
use jitbot::domain::timing::Timestamp;
use jitbot::policy::Policy;
use jitbot::policy::evaluate;
use jitbot::policy::model::{Group, Resource, Subject};
use proptest::prelude::*;

use crate::any_policy::{any_account, any_end, any_policy, any_seconds, any_typed};
use crate::house::{now, resource_name};

/// All accounts of the human being behind this one.
fn human_behind(policy: &Policy, account: &AccountId) -> BTreeSet<AccountId> {
    let linked = policy
        .people
        .values()
        .find(|person| person.accounts.contains(account));
    let others = linked.map(|person| person.accounts.clone());
    others
        .into_iter()
        .flatten()
        .chain([account.clone()])
        .collect()
}

/// How old a fact may be, and whether one in doubt counts.
#[derive(Clone, Copy)]
enum Holds {
    FreshFor(i64),
    ForADay,
}

/// (is named by a fact that holds, some group is not known well enough).
fn standing(
    policy: &Policy,
    subjects: &[Subject],
    account: &AccountId,
    holds: Holds,
    now: Timestamp,
) -> (bool, bool) {
    let human = human_behind(policy, account);
    let (mut named, mut unsure) = (false, false);
    for subject in subjects {
        let members: BTreeSet<AccountId> = match subject {
            Subject::Account(account) => [account.clone()].into(),
            Subject::Person(name) => policy
                .people
                .get(name)
                .map(|person| person.accounts.iter().cloned().collect())
                .unwrap_or_default(),
            Subject::Group(name) => match policy.groups.get(name) {
                None => {
                    unsure = true;
                    continue;
                }
                Some(group) => match known_of(policy, group, holds, now) {
                    None => {
                        unsure |= group.listed.is_disjoint(&human);
                        group.listed.clone()
                    }
                    Some(known) => group.listed.union(&known).cloned().collect(),
                },
            },
        };
        named |= !members.is_disjoint(&human);
    }
    (named, unsure)
}

/// Who is in it beside those whom the config lists, if that is known well enough.
fn known_of(
    policy: &Policy,
    group: &Group,
    holds: Holds,
    now: Timestamp,
) -> Option<BTreeSet<AccountId>> {
    let Some(source) = &group.source else {
        return Some(BTreeSet::new());
    };
    let known = policy.known.groups.get(source)?;
    let age_ms = i128::from((now - known.as_of).num_milliseconds());
    let holds = match holds {
        Holds::FreshFor(s) => !known.in_doubt && age_ms <= i128::from(s) * 1000,
        Holds::ForADay => age_ms <= 86_400_000,
    };
    holds.then(|| known.members.clone())
}

/// What the platform says of an account: whether it may do something new, or just take away and read.
fn acts(policy: &Policy, account: &AccountId, holds: Holds, now: Timestamp) -> bool {
    if account.platform() != "slack" || policy.directories.platforms.is_empty() {
        return true;
    }
    let known = policy.known.accounts.get(account);
    let is_member = known.is_none_or(|known| known.status == AccountStatus::Member);
    match holds {
        Holds::FreshFor(s) => {
            is_member
                && known.is_some_and(|known| {
                    i128::from((now - known.as_of).num_milliseconds()) <= i128::from(s) * 1000
                })
        }
        Holds::ForADay => is_member,
    }
}

fn stands(policy: &Policy, resource: &Resource, rule: &[Subject], who: &AccountId) -> (bool, bool) {
    standing(
        policy,
        rule,
        who,
        Holds::FreshFor(resource.facts_fresh_for_s),
        now(),
    )
}

/// By what was last known.
fn stood(policy: &Policy, rule: &[Subject], who: &AccountId) -> (bool, bool) {
    standing(policy, rule, who, Holds::ForADay, now())
}

/// A request that was made under this policy, or, where it would not stand, one made up.
fn request(policy: &Policy, requester: &AccountId, beneficiary: &AccountId) -> Request {
    let mut request = crate::house::asked_by(&crate::house::house(), "U1");
    request.requester = policy.identify(requester);
    request.beneficiary = policy.identify(beneficiary);
    for resource in policy.resources.keys() {
        let wanted = evaluate::submission(
            policy,
            &request.requester,
            resource.as_str(),
            WantedEnd::Default,
            now(),
        );
        request.spec.resource = resource.clone();
        if let Ok(allowed) = wanted {
            request.spec_hash = allowed.spec.hash();
            request.spec = allowed.spec;
            break;
        }
    }
    request
}

fn often() -> ProptestConfig {
    ProptestConfig {
        failure_persistence: None,
        ..ProptestConfig::default()
    }
}

proptest! {
    #![proptest_config(often())]

    #[test]
    fn nobody_approves_what_they_asked_for_or_would_receive(
        then in any_policy(),
        today in any_policy(),
        changed in any::<bool>(),
        requester in any_account(),
        beneficiary in any_account(),
        presser in any_account(),
    ) {
        let request = request(&then, &requester, &beneficiary);
        // The config may have been changed between the wish and the press.
        let today = if changed { &today } else { &then };
        let own = [&then, today].iter().any(|policy| {
            let human = human_behind(policy, &presser);
            human.contains(&requester) || human.contains(&beneficiary)
        });
        let answer = evaluate::may_decide(today, &request, &today.identify(&presser), now());
        if own && then.identify(&presser) == today.identify(&presser) {
            prop_assert_eq!(answer, Err(Refusal::OwnRequest));
        } else if human_behind(today, &presser).contains(&requester)
            || human_behind(today, &presser).contains(&beneficiary)
        {
            prop_assert_eq!(answer, Err(Refusal::OwnRequest));
        } else if let Ok(standing) = answer {
            let resource = &today.resources[&request.spec.resource];
            prop_assert!(stands(today, resource, &resource.approve.from, &presser).0);
            let expected = format!("resource.{}.approve[0]", resource.name);
            prop_assert_eq!(standing.rule, expected);
        }
    }

    #[test]
    fn only_who_is_named_and_never_who_is_excluded_may_ask(
        policy in any_policy(),
        who in any_account(),
        end in any_end(),
    ) {
        let identity = policy.identify(&who);
        let askable = evaluate::askable(&policy, &identity, now());
        for resource in policy.resources.values() {
            let (excluded, exclusion_unsure) = stands(&policy, resource, &resource.never, &who);
            let (named, _) = stands(&policy, resource, &resource.request, &who);
            let fresh = Holds::FreshFor(resource.facts_fresh_for_s);
            let may = named
                && !excluded
                && !exclusion_unsure
                && acts(&policy, &who, fresh, now());
            let answer = evaluate::may_ask(&policy, resource, &identity, now());
            prop_assert_eq!(answer.is_ok(), may, "{:?}", answer);
            let shown = stood(&policy, &resource.request, &who).0
                && stood(&policy, &resource.never, &who) == (false, false)
                && acts(&policy, &who, Holds::ForADay, now());
            prop_assert_eq!(askable.contains(&resource.name), shown);
            let asked = evaluate::submission(&policy, &identity, resource.name.as_str(), end, now());
            prop_assert!(may || asked.is_err());
            if let Ok(allowed) = asked {
                // Named in `never` after the approval: nothing is given.
                let mut today = policy.clone();
                let rule = &mut today.resources.get_mut(&resource.name).unwrap().never;
                rule.push(Subject::Account(who.clone()));
                let mut request = request(&policy, &who, &who);
                (request.spec_hash, request.spec) = (allowed.spec.hash(), allowed.spec);
                prop_assert_eq!(evaluate::may_activate(&policy, &request, now()), Ok(()));
                prop_assert!(evaluate::may_activate(&today, &request, now()).is_err());
            }
        }
    }

    #[test]
    fn facts_that_are_too_old_have_their_own_name(
        policy in any_policy(),
        who in any_account(),
        other in any_account(),
    ) {
        let identity = policy.identify(&who);
        let request = request(&policy, &other, &other);
        for resource in policy.resources.values() {
            if let Err(Refusal::FactsTooOld { group, as_of }) =
                evaluate::may_ask(&policy, resource, &identity, now())
            {
                let source = policy.groups.get(&group).and_then(|g| g.source.as_ref());
                let known = source.and_then(|source| policy.known.groups.get(source));
                prop_assert_eq!(known.map(|known| known.as_of), as_of);
                let unsure = [&resource.never, &resource.request]
                    .iter()
                    .any(|rule| stands(&policy, resource, rule, &who).1);
                prop_assert!(unsure);
            }
            let (named, unsure) = stands(&policy, resource, &resource.request, &who);
            let fresh = Holds::FreshFor(resource.facts_fresh_for_s);
            if unsure
                && !named
                && stands(&policy, resource, &resource.never, &who) == (false, false)
                && acts(&policy, &who, fresh, now())
            {
                let answer = evaluate::may_ask(&policy, resource, &identity, now());
                let too_old = matches!(answer, Err(Refusal::FactsTooOld { .. }));
                prop_assert!(too_old, "{:?}", answer);
            }
        }
        let resource = policy.resources.get(&request.spec.resource).unwrap();
        if let Err(Refusal::NotAnApprover { .. }) =
            evaluate::may_decide(&policy, &request, &identity, now())
        {
            let known = stands(&policy, resource, &resource.approve.from, &who);
            prop_assert_eq!(known, (false, false));
        }
    }

    #[test]
    fn no_wish_is_longer_than_its_maximum_and_no_rule_approves_past_its_own(
        policy in any_policy(),
        who in any_account(),
        typed in any_typed(),
        end in any_end(),
        later_ms in 0..200_000_000_000_i64,
    ) {
        // Any day of six years, and so every night on which clocks change.
        let now = now() + chrono::TimeDelta::milliseconds(later_ms);
        let identity = policy.identify(&who);
        match evaluate::submission(&policy, &identity, &typed, end, now) {
            Ok(allowed) => {
                let resource = &policy.resources[&resource_name(&typed)];
                let duration_s = allowed.spec.duration_s;
                prop_assert!(duration_s >= 1 && duration_s <= resource.max_s);
                if let Some(until) = allowed.spec.until {
                    let left_ms = (until - now).num_milliseconds();
                    prop_assert!(left_ms >= duration_s * 1000 && left_ms < duration_s * 1000 + 1000);
                }
                let fresh = Holds::FreshFor(resource.facts_fresh_for_s);
                let says = |from: &[Subject]| standing(&policy, from, &who, fresh, now);
                let fits = |max_s: i64| duration_s <= max_s;
                let applies = resource
                    .auto_approve
                    .iter()
                    .position(|rule| fits(rule.max_s) && says(&rule.from).0);
                // None that might have applied was passed over.
                let before = applies.unwrap_or(resource.auto_approve.len());
                for rule in &resource.auto_approve[..before] {
                    prop_assert!(!fits(rule.max_s) || says(&rule.from) == (false, false));
                }
                let expected = applies.map(|i| format!("resource.{typed}.auto_approve[{i}]"));
                prop_assert_eq!(allowed.approved_under.map(|by| by.rule), expected);
            }
            Err(Refusal::UnknownResource { suggestion: Some(name), .. }) => {
                prop_assert!(evaluate::askable(&policy, &identity, now).contains(&name));
            }
            Err(_) => {}
        }
    }

    #[test]
    fn who_takes_away_or_knows_is_security_an_approver_or_its_own(
        policy in any_policy(),
        who in any_account(),
        requester in any_account(),
        beneficiary in any_account(),
    ) {
        let request = request(&policy, &requester, &beneficiary);
        let identity = policy.identify(&who);
        let human = human_behind(&policy, &who);
        let own = human.contains(&requester) || human.contains(&beneficiary);
        // By what was last known: nothing is given by any of it.
        let acts = acts(&policy, &who, Holds::ForADay, now());
        let guard = acts && stood(&policy, &policy.security.people, &who).0;
        let resource = &policy.resources[&request.spec.resource];
        let approver = !own && acts && stood(&policy, &resource.approve.from, &who).0;
        prop_assert_eq!(evaluate::is_security(&policy, &identity, now()), guard);
        let revoked = evaluate::may_revoke(&policy, &request, &identity, now());
        prop_assert_eq!(revoked.is_ok(), guard || approver);
        let seen = evaluate::may_see(&policy, &request, &identity, now());
        prop_assert_eq!(seen, own || guard || approver);
    }

    #[test]
    fn nothing_that_can_be_written_or_typed_panics(
        policy in any_policy(),
        today in any_policy(),
        who in any_account(),
        other in any_account(),
        typed in any::<String>(),
        end in any_end(),
        s in any_seconds(),
    ) {
        let now = now() + jitbot::domain::timing::seconds(s);
        let identity = policy.identify(&who);
        let request = Request {
            id: RequestId::from_bits(s.unsigned_abs()),
            state: RequestState::Pending,
            origin: Place::new("slack:T1/C1").unwrap(),
            ..request(&policy, &who, &other)
        };
        for today in [&policy, &today] {
            for typed in [typed.as_str(), "staging-ssh"] {
                if let Err(refusal) = evaluate::submission(today, &identity, typed, end, now) {
                    prop_assert!(!refusal.to_string().is_empty());
                }
            }
            let _ = evaluate::may_decide(today, &request, &identity, now);
            let _ = evaluate::may_revoke(today, &request, &identity, now);
            let _ = evaluate::may_see(today, &request, &identity, now);
            let _ = evaluate::may_activate(today, &request, now);
        }
    }
}
