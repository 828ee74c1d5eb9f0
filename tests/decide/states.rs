//! The grant of the case in each of its states: approved at 0, the intent at 20, so that its
//! deadline is 3620 and 3625 by a machine whose clock is five seconds ahead.

use jitbot::domain::grant::{Ending, EndingReason, Evidence, Grant, GrantState};
use jitbot::domain::job::{Job, JobKind, Lane};
use jitbot::domain::request::RequestState;

use crate::case::{ACTIVATION_S, DURATION_S, at, identity, request};

pub fn grant(state: GrantState) -> Grant {
    use GrantState as S;
    let request = request(RequestState::Approved);
    let called = !matches!(state, S::Scheduled | S::Cancelled);
    let worked = matches!(state, S::Active | S::Revoking | S::Stuck | S::Ended);
    let ending = matches!(state, S::Revoking | S::Stuck | S::Ended | S::Cancelled);
    Grant {
        id: request.id.grant(),
        serial: 1,
        state,
        beneficiary: request.beneficiary.clone(),
        spec: request.spec.clone(),
        spec_hash: request.spec_hash.clone(),
        approved_at: at(0),
        activate_by: at(ACTIVATION_S),
        end_by: at(ACTIVATION_S + DURATION_S),
        deadline: called.then(|| at(20 + DURATION_S)),
        native_deadline: called.then(|| at(25 + DURATION_S)),
        delivery: None,
        unsettled_since: matches!(state, S::Issuing | S::Unknown).then(|| at(21)),
        active_at: worked.then(|| at(22)),
        handle: worked.then(|| "first".into()),
        ending: ending.then(|| Ending {
            reason: EndingReason::Revoked,
            by: Some(identity("U2", "bob")),
            at: at(90),
            why: None,
        }),
        revoke_failures: if state == S::Stuck { 5 } else { 0 },
        stuck_since: (state == S::Stuck).then(|| at(95)),
        ended_at: state.is_over().then(|| at(96)),
        evidence: (state == S::Ended).then_some(Evidence::SeenGone),
    }
}

/// The job of an attempt, after so many failures.
pub fn job(kind: JobKind, failures: i64) -> Job {
    Job {
        id: 41,
        kind,
        lane: Lane("issuer:ca".into()),
        attempt: failures + 1,
        failures,
        run_at: at(100),
        lease_until: at(160),
    }
}

pub fn issue_job(failures: i64) -> Job {
    let grant = request(RequestState::Approved).id.grant();
    job(JobKind::Issue { grant }, failures)
}

pub fn revoke_job(failures: i64) -> Job {
    let grant = request(RequestState::Approved).id.grant();
    job(JobKind::Revoke { grant }, failures)
}
