//! The digest's numbers, counted a second time: not from the record, but from what changed in
//! requests and grants while they were walked through at random.

#[path = "decide/case.rs"]
mod case;
#[path = "decide/checks.rs"]
mod checks;
#[path = "decide/steps.rs"]
mod steps;
#[path = "decide/walk.rs"]
mod walk;

use jitbot::domain::audit::{AuditEntry, Head, append};
use jitbot::domain::decide::{Change, Plan};
use jitbot::domain::decision::Decider;
use jitbot::domain::grant::{EndingReason, Evidence, GrantState};
use jitbot::domain::request::RequestState;
use jitbot::domain::tally::Tally;
use proptest::collection::vec;
use proptest::prelude::*;

use crate::steps::{Step, any_step};
use crate::walk::World;

/// Counts what one request's life changed.
fn count(world: &World, t: &mut Tally) {
    for (_, step, plan) in &world.history {
        if matches!(step, Step::Refuse) || is_refusal_at_activation(*step, plan) {
            t.refused += 1;
        }
        for change in &plan.changes {
            match change {
                Change::NewRequest(_) => t.requested += 1,
                Change::Request(after, _) => match after.state {
                    RequestState::Denied => t.denied += 1,
                    RequestState::Expired => t.expired += 1,
                    RequestState::Withdrawn => t.withdrawn += 1,
                    RequestState::Approved if by_rule(plan) => t.approved_by_rule += 1,
                    RequestState::Approved => t.approved_by_people += 1,
                    state => panic!("no walk leads to {state:?}"),
                },
                Change::Grant(after, was) => match (was, after.state) {
                    // Its call may be answered after its end was ordered: it began all the same.
                    _ if matches!(step, Step::Issued) => t.issued += 1,
                    (_, GrantState::Failed) => t.failed += 1,
                    (_, GrantState::Ended) => {
                        let ending = after.ending.as_ref().unwrap();
                        let early = [EndingReason::Done, EndingReason::Revoked];
                        t.ended += 1;
                        t.ended_early += i64::from(early.contains(&ending.reason));
                        t.told_only += i64::from(after.evidence == Some(Evidence::ToldOnly));
                        let due = ending.at.min(after.deadline.unwrap());
                        let lag_ms = (after.ended_at.unwrap() - due).num_milliseconds();
                        t.longest_lag_ms = t.longest_lag_ms.max(lag_ms);
                    }
                    _ => {}
                },
                _ => {}
            }
        }
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
        prop_assert_eq!(all.longest_lag_ms, a.longest_lag_ms.max(b.longest_lag_ms));
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
    let numbers = [
        counted.requested,
        counted.approved_by_people,
        counted.approved_by_rule,
        counted.denied,
        counted.refused,
        counted.expired,
        counted.withdrawn,
        counted.issued,
        counted.ended,
        counted.ended_early,
        counted.told_only,
        counted.failed,
        counted.longest_lag_ms,
    ];
    assert!(numbers.iter().all(|number| *number > 0), "{counted:?}");
}

#[test]
fn a_record_of_nothing_counts_nothing() {
    assert_eq!(tally(&[]), Tally::default());
}
