//! From a deadline, or somebody's wish, to evidence that access is gone.

use super::retrying::{cut, retry_at};
use super::{Change, Plan, rank};
use crate::domain::audit::{AuditDraft, AuditKind};
use crate::domain::grant::{Ending, EndingReason, Evidence, Grant, GrantEvent, GrantState};
use crate::domain::ids::Place;
use crate::domain::job::{Job, STUCK_AFTER, Settle};
use crate::domain::job_order::JobOrder;
use crate::domain::person::Identity;
use crate::domain::request::{IllegalTransition, Request};
use crate::domain::timing::Timestamp;

/// Orders the end: what was never given is cancelled, everything else is taken away now.
///
/// # Errors
/// [`IllegalTransition`] when the grant is over or already ending.
pub fn order(
    request: &Request,
    grant: &Grant,
    reason: EndingReason,
    by: Option<&Identity>,
    now: Timestamp,
) -> Result<Plan, IllegalTransition> {
    let (mut plan, _) = ordered(request, grant, reason, by, now)?;
    if grant.state != GrantState::Scheduled {
        plan.job(JobOrder::revoke(&grant.id, &grant.spec, now));
    }
    Ok(plan)
}

/// What to do about a grant whose revocation has come due.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Turn {
    /// Record this (maybe nothing), then call the target about this grant.
    Call(Plan, Box<Grant>),
    /// It was never given: record its end.
    Cancel(Plan),
    /// Its end was moved.
    NotBefore(Timestamp),
    /// Nothing is left to do.
    Nothing,
}

/// Whether to call the target now to take access away.
///
/// # Errors
/// [`IllegalTransition`] where a state was forgotten.
pub fn begin_revoke(
    request: &Request,
    grant: &Grant,
    now: Timestamp,
) -> Result<Turn, IllegalTransition> {
    match grant.state {
        GrantState::Ended | GrantState::Failed | GrantState::Cancelled => Ok(Turn::Nothing),
        GrantState::Revoking | GrantState::Stuck => {
            Ok(Turn::Call(Plan::default(), Box::new(grant.clone())))
        }
        GrantState::Scheduled | GrantState::Issuing | GrantState::Active | GrantState::Unknown => {
            let due = grant.due_end();
            if now < due {
                return Ok(Turn::NotBefore(due));
            }
            if grant.state == GrantState::Scheduled {
                let (plan, _) = ordered(request, grant, EndingReason::NotActivated, None, now)?;
                return Ok(Turn::Cancel(plan));
            }
            let (plan, next) = ordered(request, grant, EndingReason::Deadline, None, now)?;
            Ok(Turn::Call(plan, next))
        }
    }
}

fn ordered(
    request: &Request,
    grant: &Grant,
    reason: EndingReason,
    by: Option<&Identity>,
    now: Timestamp,
) -> Result<(Plan, Box<Grant>), IllegalTransition> {
    let mut next = grant.clone();
    next.state = grant.state.next(GrantEvent::End)?;
    next.ending = Some(Ending {
        reason,
        by: by.cloned(),
        at: now,
        why: None,
    });
    let mut plan = Plan::default();
    let mut draft = AuditDraft::new(AuditKind::EndOrdered)
        .grant(&grant.id)
        .access(&grant.spec.resource, &grant.beneficiary.account)
        .fact("reason", reason.as_str());
    if let Some(by) = by {
        draft = draft.by(&by.account);
    }
    plan.record(draft);
    // The issue job stays: should its call be in flight, the revocation must wait for it, and what
    // came of it is recorded. Its next turn finds that there is nothing left to give.
    if next.state == GrantState::Cancelled {
        next.ended_at = Some(now);
        plan.record(
            AuditDraft::new(AuditKind::GrantCancelled)
                .grant(&grant.id)
                .fact("reason", reason.as_str()),
        );
        forget_jobs(&mut plan, grant);
        plan.job(JobOrder::notify_ended(
            &grant.id,
            &grant.beneficiary.account,
            now,
        ));
    }
    let next = Box::new(next);
    plan.changes
        .insert(0, Change::Grant(next.clone(), grant.state));
    plan.draw(request, rank::FINAL, now);
    Ok((plan, next))
}

/// The end that a grant which never gave anything needs no longer. Reminders and the issue job look
/// at the state and drop themselves.
pub fn forget_jobs(plan: &mut Plan, grant: &Grant) {
    plan.push(Change::NoJob(format!("revoke:{}", grant.id)));
}

/// Access is gone, with evidence.
///
/// # Errors
/// [`IllegalTransition`] when no end was ordered.
pub fn gone(
    request: &Request,
    grant: &Grant,
    evidence: Evidence,
    security: &[Place],
    now: Timestamp,
) -> Result<Plan, IllegalTransition> {
    let mut plan = Plan::default();
    let mut next = grant.clone();
    next.state = grant.state.next(GrantEvent::EvidenceOfEnd)?;
    next.ended_at = Some(now);
    next.evidence = Some(evidence);
    next.stuck_since = None;
    let lag_ms = (now - grant.due_end()).num_milliseconds().max(0);
    plan.push(Change::Grant(Box::new(next), grant.state));
    plan.record(
        AuditDraft::new(AuditKind::Ended)
            .grant(&grant.id)
            .access(&grant.spec.resource, &grant.beneficiary.account)
            .fact("evidence", evidence.as_str())
            .fact("lag_ms", lag_ms)
            .fact("failures", grant.revoke_failures)
            .fact(
                "reason",
                grant.ending.as_ref().map(|ending| ending.reason.as_str()),
            ),
    );
    if grant.state == GrantState::Stuck {
        for place in security {
            plan.job(JobOrder::tell_healed(&grant.id, place, now));
        }
    }
    plan.job(JobOrder::notify_ended(
        &grant.id,
        &grant.beneficiary.account,
        now,
    ));
    plan.draw(request, rank::FINAL, now);
    Ok(plan)
}

/// Taking access away failed. It is tried again, without limit; after [`STUCK_AFTER`] failures
/// security is told, once.
///
/// # Errors
/// [`IllegalTransition`] where a state was forgotten.
pub fn not_gone(
    request: &Request,
    grant: &Grant,
    job: &Job,
    said: &str,
    after_s: Option<i64>,
    security: &[Place],
    now: Timestamp,
) -> Result<(Plan, Settle), IllegalTransition> {
    let mut plan = Plan::default();
    let mut next = grant.clone();
    next.revoke_failures += 1;
    if grant.state == GrantState::Revoking && next.revoke_failures >= STUCK_AFTER {
        next.state = grant.state.next(GrantEvent::TooManyFailures)?;
        next.stuck_since = Some(now);
        plan.record(
            AuditDraft::new(AuditKind::Stuck)
                .grant(&grant.id)
                .access(&grant.spec.resource, &grant.beneficiary.account)
                .fact("failures", next.revoke_failures)
                .fact("said", cut(said)),
        );
        for place in security {
            plan.job(JobOrder::tell_stuck(&grant.id, place, now));
        }
        plan.draw(request, rank::FINAL, now);
    }
    plan.changes
        .insert(0, Change::Grant(Box::new(next), grant.state));
    Ok((
        plan,
        Settle::Again {
            at: retry_at(job, after_s, now),
            error: cut(said),
        },
    ))
}
