//! The digest's numbers, counted a second time: not from the record, but from what changed in
//! requests and grants while they were walked through at random.

#[path = "decide/case.rs"]
mod case;
#[path = "decide/checks.rs"]
mod checks;
#[path = "tally/gone.rs"]
mod gone;
#[path = "tally/leaving.rs"]
mod leaving;
#[path = "decide/states.rs"]
#[expect(dead_code, reason = "no job is counted")]
mod states;
#[path = "decide/steps.rs"]
mod steps;
#[path = "decide/walk.rs"]
mod walk;

use chrono::TimeDelta;
use jitbot::domain::audit::{AuditDraft, AuditEntry, AuditKind, Head, append};
use jitbot::domain::decide::{Change, Plan};
use jitbot::domain::decision::{Decider, Decision};
use jitbot::domain::grant::{EndingReason, Evidence, Grant, GrantState};
use jitbot::domain::ids::{AccountId, ResourceName};
use jitbot::domain::request::RequestState;
use jitbot::domain::tally::{Access, ApprovedBy, EarlyEnd, Overrun, Tally, Try};
use proptest::collection::vec;
use proptest::prelude::*;

use crate::steps::{Step, any_step};
use crate::walk::World;

/// Counts what one request's life changed.
fn count(world: &World, t: &mut Tally) {
    for (_, step, plan) in &world.history {
        count_tries(*step, plan, t);
        for change in &plan.changes {
            match change {
                Change::NewRequest(request) => {
                    t.requested += 1;
                    let asked = (request.requester.account.clone(), resource());
                    *t.asked.entry(asked).or_default() += 1;
                }
                Change::Decision(decision) => count_decision(decision, t),
                Change::Request(after, _) => match after.state {
                    RequestState::Denied => t.denied += 1,
                    RequestState::Expired => {
                        t.expired += 1;
                        *t.undecided.entry(access()).or_default() += 1;
                    }
                    RequestState::Withdrawn => t.withdrawn += 1,
                    RequestState::Approved if by_rule(plan) => t.approved_by_rule += 1,
                    RequestState::Approved => t.approved_by_people += 1,
                    state => panic!("no walk leads to {state:?}"),
                },
                Change::Grant(after, was) => {
                    count_order(after, *was, t);
                    match (was, after.state) {
                        // Its call may be answered after its end was ordered: it began all the same.
                        _ if matches!(step, Step::Issued) => t.issued += 1,
                        (_, GrantState::Failed) => t.failed += 1,
                        (_, GrantState::Cancelled) => t.cancelled += 1,
                        (_, GrantState::Ended) => count_end(after, t),
                        _ => {}
                    }
                }
                _ => {}
            }
        }
    }
}

fn resource() -> ResourceName {
    ResourceName::new("staging-ssh").unwrap()
}

/// The one access that every walk is about.
fn access() -> Access {
    Access {
        resource: Some(resource()),
        of: Some(AccountId::new("slack:T1/U1").unwrap()),
    }
}

fn count_tries(step: Step, plan: &Plan, t: &mut Tally) {
    let tried = if matches!(step, Step::Refuse) {
        Try {
            by: Some(AccountId::new("slack:T1/U9").unwrap()),
            tried: "approve".into(),
            refusal: "own_request".into(),
            about: Access::default(),
        }
    } else if is_refusal_at_activation(step, plan) {
        Try {
            by: None,
            tried: "activate".into(),
            refusal: "spec_changed".into(),
            about: access(),
        }
    } else {
        return;
    };
    t.refused += 1;
    *t.tries.entry(tried).or_default() += 1;
}

fn count_decision(decision: &Decision, t: &mut Tally) {
    let by = match &decision.decider {
        Decider::Person { identity, .. } => ApprovedBy::Person(identity.account.clone()),
        Decider::Rule => ApprovedBy::Rule("rule".into()),
    };
    if decision.approve {
        *t.approvals.entry((by, access())).or_default() += 1;
    } else {
        let ApprovedBy::Person(who) = by else {
            panic!("a rule denied");
        };
        *t.denials.entry((Some(who), access())).or_default() += 1;
    }
}

/// An end that is ordered with this change, by somebody.
fn count_order(after: &Grant, was: GrantState, t: &mut Tally) {
    let had_none = matches!(
        was,
        GrantState::Scheduled | GrantState::Issuing | GrantState::Unknown | GrantState::Active
    );
    let Some(ending) = after.ending.as_ref().filter(|_| had_none) else {
        return;
    };
    match ending.reason {
        EndingReason::Done => t.given_back += 1,
        EndingReason::Revoked => t.revoked += 1,
        _ => return,
    }
    t.early.push(EarlyEnd {
        by: ending.by.as_ref().map(|by| by.account.clone()),
        reason: ending.reason,
        about: access(),
        why: None,
    });
}

fn count_end(after: &Grant, t: &mut Tally) {
    let ending = after.ending.as_ref().unwrap();
    t.ended += 1;
    t.told_only += i64::from(after.evidence == Some(Evidence::ToldOnly));
    let due = ending.at.min(after.deadline.unwrap());
    let late = after.ended_at.unwrap() - due;
    if late < TimeDelta::seconds(1) {
        return;
    }
    t.overruns += 1;
    let in_time = after.evidence == Some(Evidence::ExpiredAtTarget)
        && ending.reason == EndingReason::Deadline;
    t.seen_late += i64::from(in_time);
    let late_s = late.num_seconds();
    if late_s > t.longest_overrun.as_ref().map_or(0, |o| o.late_s) {
        t.longest_overrun = Some(Overrun {
            late_s,
            grant: after.id.clone(),
            about: access(),
        });
    }
}

fn is_refusal_at_activation(step: Step, plan: &Plan) -> bool {
    matches!(step, Step::Issue { allowed: false }) && !plan.changes.is_empty()
}

fn by_rule(plan: &Plan) -> bool {
    plan.changes.iter().any(|change| {
        matches!(change, Change::Decision(decision) if matches!(decision.decider, Decider::Rule))
    })
}

/// The record that these lives leave, in one chain.
fn record(worlds: &[World]) -> Vec<AuditEntry> {
    let mut entries: Vec<AuditEntry> = Vec::new();
    for (at, _, plan) in worlds.iter().flat_map(|world| &world.history) {
        for change in &plan.changes {
            if let Change::Record(draft) = change {
                let head = entries.last().map_or_else(Head::empty, |last| Head {
                    count: last.seq,
                    hash: last.hash.clone(),
                });
                entries.push(append(&head, draft.clone(), [7; 16], *at));
            }
        }
    }
    entries
}

/// Lives that stop where they happen to stand, and lives that are brought to an end.
fn lives() -> impl Strategy<Value = Vec<World>> {
    let evidence = prop::sample::select(Evidence::ALL.to_vec());
    let life = (vec(any_step(), 0..60), prop::option::of(evidence));
    vec(life, 0..6).prop_map(|lives| {
        let walked = |(mut steps, brought_to_end): (Vec<Step>, Option<Evidence>)| {
            if let Some(evidence) = brought_to_end {
                let end = [
                    Step::Crash,
                    Step::UntilDue,
                    Step::Revoke,
                    Step::Gone(evidence),
                ];
                steps.extend(end.into_iter().cycle().take(24));
            }
            let mut world = World::new(None);
            steps.into_iter().for_each(|step| world.take(step));
            world
        };
        lives.into_iter().map(walked).collect()
    })
}

fn often() -> ProptestConfig {
    ProptestConfig {
        failure_persistence: None,
        ..ProptestConfig::default()
    }
}

fn tally(entries: &[AuditEntry]) -> Tally {
    let mut counted = Tally::default();
    for entry in entries {
        counted.count(entry);
    }
    counted
}

proptest! {
    #![proptest_config(often())]

    #[test]
    fn the_record_counts_what_happened(worlds in lives()) {
        let mut counted = Tally::default();
        worlds.iter().for_each(|world| count(world, &mut counted));
        prop_assert_eq!(tally(&record(&worlds)), counted);
    }

    #[test]
    fn two_times_together_count_what_each_counts(worlds in lives(), cut in 0..100_usize) {
        let entries = record(&worlds);
        let (before, after) = entries.split_at(cut.min(entries.len()));
        let (all, a, b) = (tally(&entries), tally(before), tally(after));
        prop_assert_eq!(all.requested, a.requested + b.requested);
        prop_assert_eq!(all.ended, a.ended + b.ended);
        prop_assert_eq!(all.refused, a.refused + b.refused);
        let late_s = |t: &Tally| t.longest_overrun.as_ref().map_or(0, |o| o.late_s);
        prop_assert_eq!(late_s(&all), late_s(&a).max(late_s(&b)));
        for (tries, n) in &all.tries {
            let parts = [&a, &b].map(|t| t.tries.get(tries).copied().unwrap_or(0));
            prop_assert_eq!(*n, parts[0] + parts[1]);
        }
    }
}

/// Every number is met: an empty digest would be counted right by any code.
#[test]
fn every_number_is_counted_somewhere() {
    use proptest::strategy::ValueTree;
    use proptest::test_runner::TestRunner;

    let mut runner = TestRunner::deterministic();
    let mut counted = Tally::default();
    for _ in 0..150 {
        let worlds = lives().new_tree(&mut runner).unwrap().current();
        worlds.iter().for_each(|world| count(world, &mut counted));
    }
    // Named one by one, so that a new number does not compile before it is counted here.
    let Tally {
        requested,
        approved_by_people,
        approved_by_rule,
        denied,
        refused,
        expired,
        withdrawn,
        issued,
        failed,
        cancelled,
        ended,
        told_only,
        overruns,
        seen_late,
        longest_overrun,
        given_back,
        revoked,
        // No walk leads there; counted below.
        left: _,
        cancelled_requests: _,
        pointless: _,
        extended: _,
        not_extended: _,
        asked,
        first_time: _,
        approvals,
        denials,
        undecided,
        tries,
        early,
        // No walk leads there; counted below.
        removed: _,
        erased: _,
    } = &counted;
    let numbers = [
        requested,
        approved_by_people,
        approved_by_rule,
        denied,
        refused,
        expired,
        withdrawn,
        issued,
        failed,
        cancelled,
        ended,
        told_only,
        overruns,
        seen_late,
        given_back,
        revoked,
    ];
    assert!(longest_overrun.is_some(), "{counted:?}");
    let lists = [asked.len(), denials.len(), undecided.len(), early.len()];
    assert!(lists.iter().all(|length| *length > 0), "{counted:?}");
    assert_eq!((approvals.len(), tries.len()), (2, 2), "{counted:?}");
    assert!(numbers.iter().all(|number| **number > 0), "{counted:?}");
}

#[test]
fn a_record_of_nothing_counts_nothing() {
    assert_eq!(tally(&[]), Tally::default());
}

fn entry(draft: AuditDraft) -> AuditEntry {
    append(&Head::empty(), draft, [7; 16], case::at(0))
}

#[test]
fn a_first_time_is_what_the_entry_says_it_is() {
    let who = AccountId::new("slack:T1/U1").unwrap();
    let asked = |first: bool| {
        let draft = AuditDraft::new(AuditKind::Requested).by(&who);
        entry(draft.access(&resource(), &who).fact("first_time", first))
    };
    let counted = tally(&[asked(true), asked(false), asked(false)]);
    let key = (who, resource());
    assert_eq!(counted.first_time.get(&key), Some(&1));
    assert_eq!(counted.asked.get(&key), Some(&3));
}

#[test]
fn an_early_end_says_why_until_that_is_erased_and_a_hundred_are_kept() {
    let who = AccountId::new("slack:T1/U3").unwrap();
    let draft = AuditDraft::new(AuditKind::EndOrdered).by(&who);
    let mut revoked = entry(draft.fact("reason", "revoked").text("too long"));
    let kept = tally(&[revoked.clone()]).early.remove(0);
    assert_eq!(kept.why.as_deref(), Some("too long"));
    assert_eq!(
        (kept.by, kept.about),
        (Some(who), Access::default()),
        "an entry of an earlier version names no access"
    );
    revoked.text = None;
    let counted = tally(&vec![revoked; 10_000]);
    assert_eq!((counted.revoked, counted.early.len()), (10_000, 100));
    assert_eq!(counted.early[0].why, None);
}
