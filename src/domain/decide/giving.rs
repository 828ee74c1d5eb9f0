//! From an approval to access that works, or to the certainty that there is none.

use super::requesting::remind;
use super::retrying::{cut, retry_at};
use super::{Change, Plan, rank};
use crate::domain::audit::{AuditDraft, AuditKind};
use crate::domain::decide::ending;
use crate::domain::delivery::Delivery;
use crate::domain::grant::{Ending, EndingReason, Grant, GrantEvent, GrantState};
use crate::domain::job::{Job, Settle};
use crate::domain::job_order::JobOrder;
use crate::domain::refusal::Refusal;
use crate::domain::request::{IllegalTransition, Request};
use crate::domain::spec::ContentHash;
use crate::domain::timing::{Timestamp, deadline};

/// What to do about a grant whose turn to be given has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Turn {
    /// Record the intent, then call the target.
    Call(Plan, Box<Grant>),
    /// It is not to be given any more; end it.
    End(Plan),
    /// Nothing is left to do.
    Nothing,
}

/// Whether it was not given within its allowance, or would be over by now.
#[must_use]
pub fn is_too_late(grant: &Grant, now: Timestamp) -> bool {
    now >= grant.deadline.unwrap_or(grant.end_by)
        || (grant.state == GrantState::Scheduled && now > grant.activate_by)
}

/// Whether to call the target now. `allowed` is what today's rules say of it.
///
/// The first intent fixes the deadline, by our clock and by the machine's, and moves the job that
/// ends it there; a retry never moves either.
///
/// # Errors
/// [`IllegalTransition`] where a state was forgotten.
pub fn begin_issue(
    request: &Request,
    grant: &Grant,
    allowed: Result<(), Refusal>,
    policy: &ContentHash,
    remind_s: &[i64],
    now: Timestamp,
    machine_now: Timestamp,
) -> Result<Turn, IllegalTransition> {
    match grant.state {
        GrantState::Scheduled | GrantState::Issuing | GrantState::Unknown => {}
        _ => return Ok(Turn::Nothing),
    }
    if let Err(refusal) = allowed {
        let mut plan = ending::order(request, grant, EndingReason::RefusedAtActivation, None, now)?;
        let access = (&grant.spec.resource, &grant.beneficiary.account);
        let draft = AuditDraft::refused("activate", &refusal, policy, Some(access));
        plan.record(draft.grant(&grant.id));
        return Ok(Turn::End(plan));
    }
    if is_too_late(grant, now) {
        let plan = ending::order(request, grant, EndingReason::NotActivated, None, now)?;
        return Ok(Turn::End(plan));
    }
    let mut next = grant.clone();
    next.state = grant.state.next(GrantEvent::BeginIssue)?;
    next.unsettled_since = Some(now);
    let mut plan = Plan::default();
    let ends = grant
        .deadline
        .unwrap_or_else(|| deadline(now, grant.spec.duration_s, grant.end_by));
    if grant.deadline.is_none() {
        next.deadline = Some(ends);
        next.native_deadline = Some(machine_now + (ends - now));
        plan.job(JobOrder::revoke(&grant.id, &grant.spec, ends));
        // One that would lie in the past now is dropped from where it stood before.
        for before_s in remind_s {
            plan.push(Change::NoJob(format!("remind:{}:{before_s}", grant.id)));
        }
        remind(&mut plan, grant, ends, remind_s, now);
    }
    plan.record(
        AuditDraft::new(AuditKind::IssueIntended)
            .grant(&grant.id)
            .under(policy, Vec::new())
            .fact("deadline", ends.timestamp_millis())
            .fact("spec", grant.spec_hash.0.as_str()),
    );
    plan.changes
        .insert(0, Change::Grant(Box::new(next.clone()), grant.state));
    Ok(Turn::Call(plan, Box::new(next)))
}

/// The target gives access, and with it a secret perhaps. If its end was ordered meanwhile, that stands; if it was already seen to
/// be over, for the answer came later than a process may stall, it is taken away again.
///
/// # Errors
/// [`IllegalTransition`] where a state was forgotten.
pub fn issued(
    request: &Request,
    grant: &Grant,
    handle: serde_json::Value,
    secret: bool,
    now: Timestamp,
) -> Result<Plan, IllegalTransition> {
    let mut plan = Plan::default();
    let mut next = grant.clone();
    next.handle = Some(handle);
    next.unsettled_since = None;
    if matches!(grant.state, GrantState::Issuing | GrantState::Unknown) {
        next.state = grant.state.next(GrantEvent::Issued)?;
        next.active_at = Some(now);
        next.delivery = secret.then_some(Delivery::Waiting);
        plan.job(JobOrder::notify_ready(
            &grant.id,
            &grant.beneficiary.account,
            now,
        ));
        plan.draw(request, rank::LATER, now);
    }
    if matches!(grant.state, GrantState::Ended | GrantState::Failed) {
        seen_again(&mut plan, request, &mut next, now)?;
    }
    // A grant that is being ended keeps its state: its revocation runs after this call, for calls
    // for one account never overlap.
    plan.changes
        .insert(0, Change::Grant(Box::new(next.clone()), grant.state));
    plan.record(
        AuditDraft::new(AuditKind::Issued)
            .grant(&grant.id)
            .fact("state", next.state.as_str())
            .fact("deadline", next.deadline.map(|t| t.timestamp_millis())),
    );
    Ok(plan)
}

/// Access that is over shows on the target again: it is taken away again.
pub(super) fn seen_again(
    plan: &mut Plan,
    request: &Request,
    grant: &mut Grant,
    now: Timestamp,
) -> Result<(), IllegalTransition> {
    grant.state = grant.state.next(GrantEvent::SeenAgain)?;
    grant.ending = Some(Ending {
        reason: EndingReason::SeenAgain,
        by: None,
        at: now,
        why: None,
    });
    grant.ended_at = None;
    grant.evidence = None;
    grant.revoke_failures = 0;
    plan.record(
        AuditDraft::new(AuditKind::EndOrdered)
            .grant(&grant.id)
            .fact("reason", EndingReason::SeenAgain.as_str()),
    );
    plan.job(JobOrder::revoke(&grant.id, &grant.spec, now));
    plan.draw(request, rank::FINAL, now);
    Ok(())
}

/// The target did not give access, for good, and showed none.
///
/// # Errors
/// [`IllegalTransition`] where a state was forgotten.
pub fn not_issued(
    request: &Request,
    grant: &Grant,
    said: &str,
    now: Timestamp,
) -> Result<Plan, IllegalTransition> {
    let mut plan = Plan::default();
    if !matches!(grant.state, GrantState::Issuing | GrantState::Unknown) {
        return Ok(plan);
    }
    let mut next = grant.clone();
    next.state = grant.state.next(GrantEvent::AbsenceSeen)?;
    next.unsettled_since = None;
    next.ended_at = Some(now);
    plan.push(Change::Grant(Box::new(next), grant.state));
    plan.record(
        AuditDraft::new(AuditKind::IssueFailed)
            .grant(&grant.id)
            .access(&grant.spec.resource, &grant.beneficiary.account)
            .fact("said", cut(said)),
    );
    ending::forget_jobs(&mut plan, grant);
    plan.job(JobOrder::notify_ended(
        &grant.id,
        &grant.beneficiary.account,
        now,
    ));
    plan.draw(request, rank::FINAL, now);
    Ok(plan)
}

/// The target did not give access for good, but may have left something: that is taken away.
///
/// # Errors
/// [`IllegalTransition`] where a state was forgotten.
pub fn partly_issued(
    request: &Request,
    grant: &Grant,
    said: &str,
    now: Timestamp,
) -> Result<Plan, IllegalTransition> {
    if !matches!(grant.state, GrantState::Issuing | GrantState::Unknown) {
        return Ok(Plan::default());
    }
    let mut plan = ending::order(request, grant, EndingReason::IssueFailed, None, now)?;
    plan.record(
        AuditDraft::new(AuditKind::IssueTroubled)
            .grant(&grant.id)
            .fact("outcome", "refused")
            .fact("said", cut(said)),
    );
    Ok(plan)
}

/// An attempt that failed, or whose outcome nobody knows; it is tried again.
///
/// # Errors
/// [`IllegalTransition`] where a state was forgotten.
pub fn issue_troubled(
    grant: &Grant,
    job: &Job,
    said: &str,
    unknown: bool,
    after_s: Option<i64>,
    now: Timestamp,
) -> Result<(Plan, Settle), IllegalTransition> {
    let mut plan = Plan::default();
    let now_unknown = unknown && grant.state == GrantState::Issuing;
    if now_unknown {
        let mut next = grant.clone();
        next.state = grant.state.next(GrantEvent::OutcomeUnknown)?;
        plan.push(Change::Grant(Box::new(next), grant.state));
    }
    // Repeated failures are said once; a state that changes, always.
    if job.failures == 0 || now_unknown {
        plan.record(
            AuditDraft::new(AuditKind::IssueTroubled)
                .grant(&grant.id)
                .fact("outcome", if unknown { "unknown" } else { "failed" })
                .fact("said", cut(said)),
        );
    }
    Ok((
        plan,
        Settle::Again {
            at: retry_at(job, after_s, now),
            error: cut(said),
        },
    ))
}
