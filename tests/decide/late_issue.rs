//! A target that gives access after its end: what it shows is taken away again.
//!
//! A process that stalls between a call and its record outlives its lease; the end is then seen
//! before the call's answer is recorded.

use jitbot::domain::decide::{Change, giving};
use jitbot::domain::grant::{Grant, GrantState};
use jitbot::domain::job::JobKind;
use jitbot::domain::request::RequestState;

use crate::case::{at, request};
use crate::states::grant;

#[test]
fn access_that_was_given_after_its_end_is_taken_away() {
    let request = request(RequestState::Approved);
    for state in [GrantState::Ended, GrantState::Failed] {
        let over = grant(state);
        let plan = giving::issued(&request, &over, "late".into(), false, at(200)).unwrap();
        let after: Vec<&Grant> = plan
            .changes
            .iter()
            .filter_map(|change| match change {
                Change::Grant(after, _) => Some(&**after),
                _ => None,
            })
            .collect();
        let [after] = after[..] else {
            panic!("{state:?}: {plan:?}");
        };
        assert_eq!(after.state, GrantState::Revoking, "it was {state:?}");
        assert_eq!(after.handle, Some("late".into()), "what finds it is lost");
        assert_eq!((after.ended_at, after.evidence), (None, None));
        let ended = plan.changes.iter().any(|change| match change {
            Change::Job(order) => {
                matches!(order.kind, JobKind::Revoke { .. }) && order.run_at == at(200)
            }
            _ => false,
        });
        assert!(ended, "nothing takes it away");
    }
}
