//! Requests that end while they are open, because of what happened to somebody or something else.

use super::Plan;
use super::requesting::close;
use crate::domain::audit::{AuditDraft, AuditKind};
use crate::domain::departure::Departure;
use crate::domain::job_order::JobOrder;
use crate::domain::request::{IllegalTransition, Request, RequestEvent};
use crate::domain::spec::ContentHash;
use crate::domain::timing::Timestamp;

/// Why a request is ended by us while it is open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cancelled {
    /// Who asked, or would receive it, left.
    Left(Departure),
    /// The access that it asks more time for is being ended.
    AccessEnded,
}

/// Ended by us while it was open.
///
/// # Errors
/// [`IllegalTransition`] when the request is not open.
pub fn cancel(
    request: &Request,
    why: Cancelled,
    policy: &ContentHash,
    now: Timestamp,
) -> Result<Plan, IllegalTransition> {
    let mut plan = close(request, RequestEvent::Cancel, now)?;
    let draft = AuditDraft::new(AuditKind::Cancelled)
        .request(&request.id)
        .under(policy, Vec::new())
        .access(&request.spec.resource, &request.beneficiary.account);
    match why {
        Cancelled::Left(why) => {
            plan.record(draft.fact("left", why.code()));
            plan.job(JobOrder::notify_decided(
                &request.id,
                &request.requester.account,
                now,
            ));
        }
        // Whose access it was is told that it is over.
        Cancelled::AccessEnded => {
            plan.record(draft.fact("why", "access_ended"));
        }
    }
    Ok(plan)
}
