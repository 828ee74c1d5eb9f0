//! Secrets that targets make: that one was made anew, that it was sent, that nobody knows whether it was.

use super::giving::seen_again;
use super::retrying::{cut, retry_at};
use super::{Change, Plan};
use crate::domain::audit::{AuditDraft, AuditKind};
use crate::domain::delivery::Delivery;
use crate::domain::grant::{Grant, GrantState};
use crate::domain::ids::AccountId;
use crate::domain::job::{Job, Settle};
use crate::domain::job_order::JobOrder;
use crate::domain::request::{IllegalTransition, Request};
use crate::domain::timing::Timestamp;

/// The intent to have the secret of live access made anew, and the end that the target is to hold, by the
/// machine's clock; none where there is nothing to make one for.
#[must_use]
pub fn begin_renew(
    grant: &Grant,
    now: Timestamp,
    machine_now: Timestamp,
) -> Option<(Plan, Box<Grant>, Timestamp)> {
    let deadline = grant.deadline.filter(|deadline| now < *deadline)?;
    if grant.state != GrantState::Active {
        return None;
    }
    let told = machine_now + (deadline - now);
    let mut next = grant.clone();
    next.unsettled_since = Some(now);
    // What was told before may be valid for longer, and must be covered as long.
    next.native_deadline = grant.native_deadline.max(Some(told));
    let mut plan = Plan::default();
    plan.push(Change::Grant(Box::new(next.clone()), grant.state));
    plan.record(
        AuditDraft::new(AuditKind::RenewIntended)
            .grant(&grant.id)
            .fact("deadline", deadline.timestamp_millis()),
    );
    Some((plan, Box::new(next), told))
}

/// The target made another secret; `to` asked for it. If the end was ordered meanwhile, that stands; if it
/// was already seen to be over, it is taken away again.
///
/// # Errors
/// [`IllegalTransition`] where a state was forgotten.
pub fn renewed(
    request: &Request,
    grant: &Grant,
    handle: serde_json::Value,
    secret: bool,
    to: &AccountId,
    now: Timestamp,
) -> Result<Plan, IllegalTransition> {
    let mut plan = Plan::default();
    let mut next = grant.clone();
    next.handle = Some(handle);
    next.unsettled_since = None;
    match grant.state {
        GrantState::Active => {
            if secret {
                next.delivery = Some(Delivery::Waiting);
            }
            plan.job(JobOrder::send_again(&grant.id, to, now));
        }
        GrantState::Ended | GrantState::Failed => seen_again(&mut plan, request, &mut next, now)?,
        _ => {}
    }
    plan.changes
        .insert(0, Change::Grant(Box::new(next), grant.state));
    plan.record(AuditDraft::new(AuditKind::Renewed).grant(&grant.id));
    Ok(plan)
}

/// An attempt to have it made anew that failed, or whose outcome nobody knows; it is tried again while the
/// access lives.
#[must_use]
pub fn renew_troubled(
    grant: &Grant,
    job: &Job,
    said: &str,
    after_s: Option<i64>,
    now: Timestamp,
) -> (Plan, Settle) {
    let mut plan = Plan::default();
    if grant.state != GrantState::Active {
        return (plan, Settle::Done);
    }
    if job.failures == 0 {
        plan.record(troubled(grant, said));
    }
    let settle = Settle::Again {
        at: retry_at(job, after_s, now),
        error: cut(said),
    };
    (plan, settle)
}

/// The target will not make another; who asked is told.
#[must_use]
pub fn not_renewed(grant: &Grant, said: &str, to: &AccountId, now: Timestamp) -> Plan {
    let mut plan = Plan::default();
    if grant.state != GrantState::Active {
        return plan;
    }
    plan.record(troubled(grant, said));
    plan.job(JobOrder::notify_not_renewed(&grant.id, to, now));
    plan
}

fn troubled(grant: &Grant, said: &str) -> AuditDraft {
    AuditDraft::new(AuditKind::RenewTroubled)
        .grant(&grant.id)
        .fact("said", cut(said))
}

/// The platform took the message that holds it.
#[must_use]
pub fn sent(grant: &Grant, to: &AccountId) -> Plan {
    delivered(
        grant,
        Delivery::Sent,
        AuditDraft::new(AuditKind::SecretSent).fact("to", to.as_str()),
    )
}

/// Nobody knows whether it did, or the secret was lost before: it is not sent again.
#[must_use]
pub fn may_be_lost(grant: &Grant, said: &str) -> Plan {
    delivered(
        grant,
        Delivery::Unknown,
        AuditDraft::new(AuditKind::SecretMayBeLost).fact("said", cut(said)),
    )
}

fn delivered(grant: &Grant, delivery: Delivery, draft: AuditDraft) -> Plan {
    let mut plan = Plan::default();
    let mut next = grant.clone();
    next.delivery = Some(delivery);
    plan.push(Change::Grant(Box::new(next), grant.state));
    plan.record(draft.grant(&grant.id));
    plan
}
