//! Promises about the end that span several events.

use jitbot::domain::audit::{AuditDraft, AuditKind};
use jitbot::domain::decide::{Change, Plan, ending, giving, retrying};
use jitbot::domain::grant::{EndingReason, Evidence, Grant, GrantState};
use jitbot::domain::job::{JobKind, STUCK_AFTER, Settle};
use jitbot::domain::job_order::JobOrder;
use jitbot::domain::request::RequestState;

use crate::approving::jobs;
use crate::case::{at, identity, policy, request, security};
use crate::states::{grant, issue_job, revoke_job};

fn saved(plan: &Plan) -> Grant {
    plan.changes
        .iter()
        .find_map(|change| match change {
            Change::Grant(grant, _) => Some((**grant).clone()),
            _ => None,
        })
        .expect("the grant is saved")
}

fn records(plan: &Plan) -> Vec<&AuditDraft> {
    let changes = plan.changes.iter();
    changes
        .filter_map(|change| match change {
            Change::Record(draft) => Some(draft),
            _ => None,
        })
        .collect()
}

#[test]
fn an_end_waits_for_the_call_in_flight_and_what_came_of_it_is_kept() {
    let request = request(RequestState::Approved);
    for state in [GrantState::Issuing, GrantState::Unknown] {
        let grant = grant(state);
        let bob = identity("U2", "bob");
        let reason = EndingReason::Revoked;
        let plan = ending::order(&request, &grant, reason, Some(&bob), at(100)).unwrap();
        let dropped = plan
            .changes
            .iter()
            .any(|change| matches!(change, Change::NoJob(_)));
        assert!(
            !dropped,
            "the issue job is gone, and with it what came of its call"
        );
        // The same serial key keeps the two calls apart; the rank lets the end go first.
        let issue = JobOrder::issue(&grant.id, &grant.spec, at(0));
        let [revoke] = jobs(&plan)
            .into_iter()
            .filter(|job| matches!(job.kind, JobKind::Revoke { .. }))
            .collect::<Vec<_>>()[..]
        else {
            panic!("{plan:?}");
        };
        assert_eq!(revoke.run_at, at(100));
        assert_eq!(revoke.lane, issue.lane);
        assert!(revoke.serial_key.is_some());
        assert_eq!(revoke.serial_key, issue.serial_key);
        assert!(revoke.rank < issue.rank);

        let ending = saved(&plan);
        let plan = giving::issued(&request, &ending, "late".into(), false, at(110)).unwrap();
        let kept = saved(&plan);
        assert_eq!(kept.state, GrantState::Revoking);
        assert_eq!((kept.handle, kept.active_at), (Some("late".into()), None));
        assert_eq!(
            jobs(&plan),
            Vec::<&JobOrder>::new(),
            "nobody is told that it works"
        );
        // A retry of the call finds that there is nothing left to give.
        let turn = giving::begin_issue(&request, &ending, Ok(()), &policy(), &[], at(110), at(110));
        assert_eq!(turn, Ok(giving::Turn::Nothing));
        let turn = ending::begin_revoke(&request, &ending, at(110)).unwrap();
        assert!(matches!(turn, ending::Turn::Call(..)));
    }
}

#[test]
fn two_accounts_are_ended_side_by_side_and_one_account_in_turn() {
    let mine = grant(GrantState::Active);
    let mut others = mine.spec.clone();
    others.account.id = "SHA256:bob".into();
    let elsewhere = {
        let mut spec = mine.spec.clone();
        spec.issuer = jitbot::domain::ids::IssuerName::new("other-ca").unwrap();
        spec
    };
    let key = |spec| JobOrder::revoke(&mine.id, spec, at(0)).serial_key;
    let another_grant = JobOrder::issue(&mine.id, &mine.spec, at(9)).serial_key;
    assert_eq!(key(&mine.spec), another_grant);
    assert_ne!(key(&mine.spec), key(&others));
    assert_ne!(key(&mine.spec), key(&elsewhere));
}

#[test]
fn stuck_is_told_once_and_it_goes_on_for_ever() {
    let request = request(RequestState::Approved);
    let mut grant = grant(GrantState::Revoking);
    let (mut told, mut recorded) = (Vec::new(), 0);
    for failure in 1..=200 {
        let job = revoke_job(failure - 1);
        let now = at(100 + failure * 60);
        let (plan, settle) =
            ending::not_gone(&request, &grant, &job, "refused", None, &security(), now).unwrap();
        let stuck = jobs(&plan)
            .into_iter()
            .filter(|job| matches!(job.kind, JobKind::TellStuck { .. }))
            .count();
        told.extend(vec![failure; stuck]);
        recorded += records(&plan)
            .iter()
            .filter(|draft| draft.kind == AuditKind::Stuck)
            .count();
        let Settle::Again { at: again, .. } = settle else {
            panic!("given up after {failure}: {settle:?}");
        };
        assert!(again > now && again <= now + chrono::TimeDelta::seconds(60));
        grant = saved(&plan);
        let turn = ending::begin_revoke(&request, &grant, again).unwrap();
        assert!(
            matches!(turn, ending::Turn::Call(..)),
            "after {failure}: {turn:?}"
        );
    }
    assert_eq!((told, recorded), (vec![STUCK_AFTER], 1));
    assert_eq!(grant.stuck_since, Some(at(100 + STUCK_AFTER * 60)));
    let plan = ending::gone(
        &request,
        &grant,
        Evidence::ToldOnly,
        &security(),
        at(99_999),
    )
    .unwrap();
    let healed = jobs(&plan)
        .into_iter()
        .filter(|job| matches!(job.kind, JobKind::TellHealed { .. }))
        .count();
    assert_eq!((healed, saved(&plan).stuck_since), (1, None));
}

#[test]
fn every_channel_of_security_is_told() {
    let request = request(RequestState::Approved);
    let mut channels = security();
    channels.push(jitbot::domain::ids::Place::new("slack:T1/OPS").unwrap());
    let mut revoking = grant(GrantState::Revoking);
    revoking.revoke_failures = STUCK_AFTER - 1;
    let job = revoke_job(4);
    let (plan, _) =
        ending::not_gone(&request, &revoking, &job, "no", None, &channels, at(200)).unwrap();
    let stuck = grant(GrantState::Stuck);
    let healed = ending::gone(&request, &stuck, Evidence::SeenGone, &channels, at(200)).unwrap();
    for (plan, word) in [(plan, "stuck:"), (healed, "healed:")] {
        let keys: Vec<&str> = jobs(&plan)
            .into_iter()
            .map(|job| job.key.as_str())
            .filter(|key| key.starts_with(word))
            .collect();
        assert_eq!(keys.len(), 2, "{keys:?}");
        assert_ne!(keys[0], keys[1]);
    }
}

#[test]
fn the_end_is_recorded_with_its_lag_its_reason_and_its_evidence() {
    let request = request(RequestState::Approved);
    let early = grant(GrantState::Revoking);
    let mut late = grant(GrantState::Revoking);
    late.ending.as_mut().unwrap().reason = EndingReason::Deadline;
    late.ending.as_mut().unwrap().at = at(3_700);
    late.revoke_failures = 2;
    let rows = [
        // Ordered at 90, before its deadline: due then.
        (
            early.clone(),
            Evidence::SeenGone,
            200,
            ("revoked", 110_000, 0),
        ),
        (early.clone(), Evidence::ToldOnly, 90, ("revoked", 0, 0)),
        // A clock that went back makes no negative lag.
        (early, Evidence::Settled, 80, ("revoked", 0, 0)),
        // Seen late at 3700: due at its deadline, 3620.
        (
            late,
            Evidence::ExpiredAtTarget,
            3_710,
            ("deadline", 90_000, 2),
        ),
    ];
    for (grant, evidence, s, (reason, lag_ms, failures)) in rows {
        let plan = ending::gone(&request, &grant, evidence, &[], at(s)).unwrap();
        let [draft] = records(&plan)[..] else {
            panic!("{plan:?}");
        };
        assert_eq!(
            serde_json::Value::from(draft.facts.clone()),
            serde_json::json!({
                "evidence": evidence.as_str(),
                "lag_ms": lag_ms,
                "failures": failures,
                "reason": reason,
                "resource": "staging-ssh",
                "of": "slack:T1/U1",
            })
        );
    }
}

#[test]
fn who_took_it_away_and_why_stands_on_the_order() {
    let request = request(RequestState::Approved);
    let active = grant(GrantState::Active);
    let bob = identity("U2", "bob");
    let reason = EndingReason::Revoked;
    let mut plan = ending::order(&request, &active, reason, Some(&bob), at(100)).unwrap();
    plan.annotate(&policy(), "security.people".into(), "laptop stolen");
    let [draft] = records(&plan)[..] else {
        panic!("{plan:?}");
    };
    assert_eq!(draft.kind, AuditKind::EndOrdered);
    assert_eq!(draft.actor.as_ref(), Some(&bob.account));
    assert_eq!(draft.grant.as_ref(), Some(&active.id));
    assert_eq!(draft.request.as_ref(), Some(&request.id));
    assert_eq!(
        (&draft.policy, &draft.rules[..]),
        (&Some(policy()), &["security.people".to_owned()][..])
    );
    assert_eq!(draft.text.as_deref(), Some("laptop stolen"));
    assert!(
        !serde_json::to_string(&draft.facts)
            .unwrap()
            .contains("stolen")
    );
}

#[test]
fn a_target_may_ask_for_a_longer_wait_but_not_for_any() {
    // Failures so far, what the target asks for; between which seconds it is tried again.
    let rows = [
        (0, None, 1.5, 2.0),
        (1, None, 3.0, 4.0),
        (4, None, 24.0, 32.0),
        (5, None, 45.0, 60.0),
        (1_000_000, None, 45.0, 60.0),
        (0, Some(30), 30.0, 30.0),
        (5, Some(10), 45.0, 60.0),
        (0, Some(i64::MAX), 300.0, 300.0),
        (0, Some(-5), 1.5, 2.0),
        (0, Some(i64::MIN), 1.5, 2.0),
    ];
    for (failures, after_s, least, most) in rows {
        for job in [issue_job(failures), revoke_job(failures)] {
            let wait = retrying::retry_at(&job, after_s, at(0)) - at(0);
            #[expect(clippy::cast_precision_loss, reason = "a few minutes in milliseconds")]
            let wait = wait.num_milliseconds() as f64 / 1000.0;
            assert!(
                wait >= least && wait <= most,
                "{failures} failures, {after_s:?}: {wait}"
            );
        }
    }
}

#[test]
fn what_a_target_said_is_kept_short_and_in_one_line() {
    let said = format!("\u{1b}[31m{}\r\n", "ä".repeat(1_000));
    let kept = retrying::cut(&said);
    assert_eq!(kept.chars().count(), 300);
    assert!(kept.starts_with("[31mä") && !kept.chars().any(char::is_control));
}
