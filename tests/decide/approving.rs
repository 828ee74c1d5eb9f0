//! There is never an approval without its end, whatever a resource says about time.

use chrono::TimeDelta;
use jitbot::domain::decide::requesting::{self, ActivationTiming};
use jitbot::domain::decide::{Change, Plan, giving};
use jitbot::domain::decision::Decider;
use jitbot::domain::grant::{Grant, GrantState};
use jitbot::domain::job::JobKind;
use jitbot::domain::job_order::{JobOrder, OnDuplicate};
use jitbot::domain::request::{Request, RequestState};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

use crate::case::{at, policy, request};

pub fn jobs(plan: &Plan) -> Vec<&JobOrder> {
    let changes = plan.changes.iter();
    changes
        .filter_map(|change| match change {
            Change::Job(order) => Some(order),
            _ => None,
        })
        .collect()
}

fn approved(request: &Request, activation_s: i64, remind_s: &[i64], now_s: i64) -> (Plan, Grant) {
    let timing = ActivationTiming {
        activation_s,
        remind_s,
    };
    let now = at(now_s);
    let plan = requesting::approve(
        request,
        Decider::Rule,
        "rule".into(),
        &policy(),
        timing,
        now,
    )
    .unwrap();
    let grants: Vec<&Grant> = plan
        .changes
        .iter()
        .filter_map(|change| match change {
            Change::NewGrant(grant) => Some(&**grant),
            _ => None,
        })
        .collect();
    assert_eq!(grants.len(), 1);
    let grant = grants[0].clone();
    (plan, grant)
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
    fn an_approval_holds_its_end_its_reminders_and_its_beginning(
        duration_s in 1..1_000_000_i64,
        activation_s in 0..100_000_i64,
        until_s in option::of(-100..1_000_000_i64),
        remind_s in vec(1..100_000_i64, 0..4),
        now_s in 0..10_000_i64,
    ) {
        let mut request = request(RequestState::Pending);
        request.spec.duration_s = duration_s;
        request.spec.until = until_s.map(at);
        let (plan, grant) = approved(&request, activation_s, &remind_s, now_s);
        let latest = at(now_s + activation_s + duration_s);
        let end_by = request.spec.until.map_or(latest, |until| if until < latest { until } else { latest });
        prop_assert_eq!(grant.end_by, end_by);
        prop_assert_eq!(grant.activate_by, at(now_s + activation_s));
        prop_assert_eq!((grant.state, grant.deadline), (GrantState::Scheduled, None));
        prop_assert_eq!((&grant.spec, &grant.spec_hash), (&request.spec, &request.spec_hash));
        prop_assert_eq!(&grant.beneficiary, &request.beneficiary);

        let jobs = jobs(&plan);
        let of = |kind: &JobKind| -> Vec<JobOrder> {
            jobs.iter().filter(|job| job.kind == *kind).map(|job| (*job).clone()).collect()
        };
        let end = of(&JobKind::Revoke { grant: grant.id.clone() });
        prop_assert_eq!(end.len(), 1);
        prop_assert_eq!((end[0].run_at, end[0].on_duplicate), (end_by, OnDuplicate::Move));
        let give = of(&JobKind::Issue { grant: grant.id.clone() });
        prop_assert_eq!(give.len(), 1);
        prop_assert_eq!(give[0].run_at, at(now_s));
        for before_s in remind_s {
            let reminders = of(&JobKind::Remind { grant: grant.id.clone(), before_s });
            let moment = end_by - TimeDelta::seconds(before_s);
            prop_assert_eq!(!reminders.is_empty(), moment > at(now_s));
            prop_assert!(reminders.iter().all(|reminder| reminder.run_at == moment));
        }
    }

    #[test]
    fn the_first_intent_fixes_both_deadlines_and_a_retry_moves_neither(
        duration_s in 1..100_000_i64,
        activation_s in 0..10_000_i64,
        until_s in option::of(1..120_000_i64),
        remind_s in vec(prop::sample::select(vec![60_i64, 600, 3_600, 50_000]), 0..3),
        first_s in 0..10_000_i64,
        retry_s in 0..120_000_i64,
        drift_s in -100_000..100_000_i64,
    ) {
        let mut request = request(RequestState::Pending);
        request.spec.duration_s = duration_s;
        request.spec.until = until_s.map(at);
        let (approval, grant) = approved(&request, activation_s, &remind_s, 0);
        let begin = |grant: &Grant, s: i64| {
            let machine = at(s + drift_s);
            giving::begin_issue(&request, grant, Ok(()), &policy(), &remind_s, at(s), machine).unwrap()
        };
        let giving::Turn::Call(plan, begun) = begin(&grant, first_s) else {
            // Too late for a first intent: past its allowance, or past its end.
            prop_assert!(first_s > activation_s || at(first_s) >= grant.end_by);
            return Ok(());
        };
        let deadline = begun.deadline.unwrap();
        prop_assert_eq!(deadline, at(first_s + duration_s).min(grant.end_by));
        prop_assert!(request.spec.until.is_none_or(|until| deadline <= until));
        prop_assert!(deadline > at(first_s));
        // As far from the machine's now as from ours.
        let native = begun.native_deadline.unwrap();
        prop_assert_eq!(native - at(first_s + drift_s), deadline - at(first_s));

        let ends: Vec<&JobOrder> = jobs(&plan)
            .into_iter()
            .filter(|job| matches!(job.kind, JobKind::Revoke { .. }))
            .collect();
        prop_assert_eq!(ends.len(), 1);
        prop_assert_eq!((ends[0].run_at, ends[0].on_duplicate), (deadline, OnDuplicate::Move));
        // Each reminder stands so long before the deadline, or nowhere: none is left where it stood
        // before the deadline was known.
        let mut waiting: std::collections::BTreeMap<&str, &JobOrder> = Default::default();
        for change in approval.changes.iter().chain(&plan.changes) {
            match change {
                Change::Job(order) => {
                    waiting.insert(&order.key, order);
                }
                Change::NoJob(key) => {
                    waiting.remove(key.as_str());
                }
                _ => {}
            }
        }
        for order in waiting.values() {
            if let JobKind::Remind { before_s, .. } = order.kind {
                prop_assert_eq!(order.run_at, deadline - TimeDelta::seconds(before_s));
            }
        }

        for state in [GrantState::Issuing, GrantState::Unknown] {
            let mut again = (*begun).clone();
            again.state = state;
            let later_s = first_s + retry_s;
            match begin(&again, later_s) {
                giving::Turn::Call(plan, retried) => {
                    prop_assert!(at(later_s) < deadline);
                    prop_assert_eq!(retried.deadline, begun.deadline);
                    prop_assert_eq!(retried.native_deadline, begun.native_deadline);
                    prop_assert_eq!(jobs(&plan), Vec::<&JobOrder>::new());
                }
                giving::Turn::End(_) => prop_assert!(at(later_s) >= deadline),
                giving::Turn::Nothing => prop_assert!(false, "it was forgotten"),
            }
        }
    }
}
