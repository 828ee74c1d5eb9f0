//! Secrets: when one may be made anew, and what a late answer means.

use jitbot::domain::audit::AuditKind;
use jitbot::domain::decide::{Change, Plan, delivering};
use jitbot::domain::delivery::Delivery;
use jitbot::domain::grant::{Grant, GrantState};
use jitbot::domain::ids::AccountId;
use jitbot::domain::job::{JobKind, Settle};
use jitbot::domain::request::RequestState;

use crate::case::{at, request};
use crate::states::{grant, job};

fn alice() -> AccountId {
    AccountId::new("slack:T1/U1").unwrap()
}

fn after(plan: &Plan) -> &Grant {
    let mut grants = plan.changes.iter().filter_map(|change| match change {
        Change::Grant(after, _) => Some(&**after),
        _ => None,
    });
    grants.next().expect("the grant changes")
}

fn jobs(plan: &Plan) -> Vec<&JobKind> {
    let jobs = plan.changes.iter().filter_map(|change| match change {
        Change::Job(order) => Some(&order.kind),
        _ => None,
    });
    jobs.collect()
}

fn kinds(plan: &Plan) -> Vec<AuditKind> {
    let kinds = plan.changes.iter().filter_map(|change| match change {
        Change::Record(draft) => Some(draft.kind),
        _ => None,
    });
    kinds.collect()
}

/// Until the end that holds, not until the latest that any target may have been told; and until the
/// answer is known it may still take effect.
#[test]
fn a_secret_is_made_anew_for_access_that_lives_and_for_no_other() {
    for state in GrantState::ALL {
        let mut of = grant(state);
        of.native_deadline = of.native_deadline.map(|_| at(9_000));
        let turn = delivering::begin_renew(&of, at(200), at(205));
        let lives = state == GrantState::Active;
        assert_eq!(turn.is_some(), lives, "{state:?}");
        let Some((plan, next, told)) = turn else {
            continue;
        };
        assert_eq!(told, at(3_625));
        assert_eq!(next.native_deadline, Some(at(9_000)));
        assert_eq!(next.unsettled_since, Some(at(200)));
        assert_eq!(after(&plan), &*next);
        assert_eq!(kinds(&plan), [AuditKind::RenewIntended]);
    }
    let active = grant(GrantState::Active);
    assert!(delivering::begin_renew(&active, at(3_620), at(3_625)).is_none());
}

#[test]
fn what_is_made_anew_after_the_end_is_taken_away_and_handed_to_nobody() {
    let request = request(RequestState::Approved);
    for state in GrantState::ALL {
        let mut of = grant(state);
        of.delivery = Some(Delivery::Sent);
        let plan = delivering::renewed(&request, &of, "new".into(), true, &alice(), at(200));
        let plan = plan.unwrap();
        let next = after(&plan);
        assert_eq!(next.handle, Some("new".into()), "{state:?}");
        let handed = jobs(&plan)
            .iter()
            .any(|job| matches!(job, JobKind::SendAgain { .. }));
        let taken = jobs(&plan)
            .iter()
            .any(|job| matches!(job, JobKind::Revoke { .. }));
        let lives = state == GrantState::Active;
        let over = matches!(state, GrantState::Ended | GrantState::Failed);
        assert_eq!((handed, taken), (lives, over), "{state:?}");
        let waits = next.delivery == Some(Delivery::Waiting);
        assert_eq!(waits, lives, "{state:?}");
        assert_eq!(
            next.state == GrantState::Revoking,
            over || state == GrantState::Revoking
        );
    }
}

/// It is tried again while the access lives, and said once.
#[test]
fn trouble_is_said_once_and_ends_with_the_access() {
    let kind = |state| JobKind::RenewSecret {
        grant: grant(state).id,
        account: alice(),
    };
    for (state, failures, recorded) in [
        (GrantState::Active, 0, 1),
        (GrantState::Active, 3, 0),
        (GrantState::Revoking, 0, 0),
        (GrantState::Ended, 0, 0),
    ] {
        let of = grant(state);
        let job = job(kind(state), failures);
        let (plan, settle) = delivering::renew_troubled(&of, &job, "no", None, at(200));
        assert_eq!(kinds(&plan).len(), recorded, "{state:?} {failures}");
        let again = matches!(settle, Settle::Again { .. });
        assert_eq!(again, state == GrantState::Active, "{state:?}");
        let refused = delivering::not_renewed(&of, "never", &alice(), at(200));
        assert_eq!(jobs(&refused).len(), usize::from(again), "{state:?}");
    }
}
