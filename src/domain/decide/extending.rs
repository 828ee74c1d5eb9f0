//! From an approved extension to a later end that the target holds.
//!
//! The old deadline holds until the intent is committed. From there on the later one is what we end
//! access by, and what was told to the target can be no later than it.

use super::giving::seen_again;
use super::requesting::{ONE_MESSAGE_S, decided, remind, yes};
use super::retrying::{cut, retry_at};
use super::{Change, Plan, ending, rank};
use crate::domain::audit::{AuditDraft, AuditKind};
use crate::domain::decision::Decider;
use crate::domain::delivery::Delivery;
use crate::domain::grant::{EndingReason, Grant, GrantState};
use crate::domain::job::{Job, Settle};
use crate::domain::job_order::JobOrder;
use crate::domain::refusal::Refusal;
use crate::domain::request::{
    Extension, ExtensionState, IllegalTransition, Request, RequestEvent, RequestState,
};
use crate::domain::spec::ContentHash;
use crate::domain::timing::{Timestamp, seconds};

/// The requests and the grant that an extension is about.
#[derive(Debug, Clone, Copy)]
pub struct Parties<'a> {
    /// The request that asks for more time.
    pub asking: &'a Request,
    /// The request that the grant came from, whose card shows it.
    pub base: &'a Request,
    /// The grant.
    pub grant: &'a Grant,
}

/// The end that an extension asks for.
fn wanted(asking: &Request, extension: &Extension) -> Timestamp {
    asking.spec.until.unwrap_or(extension.from)
}

/// An approval by a person or a rule that is enough: the later end may be told to the target.
///
/// # Errors
/// [`IllegalTransition`] when the request is not open, or extends nothing.
pub fn approve(
    of: Parties<'_>,
    decider: Decider,
    rule: String,
    policy: &ContentHash,
    now: Timestamp,
) -> Result<Plan, IllegalTransition> {
    let (asking, extension) = extends(of.asking)?;
    let was = asking.state;
    let mut approved = asking.clone();
    approved.state = was.next(RequestEvent::Approve)?;
    approved.decided_at = Some(now);
    let mut plan = Plan::default();
    plan.push(Change::Request(Box::new(approved.clone()), was));
    let until = wanted(asking, extension);
    plan.push(yes(
        asking,
        decider.clone(),
        vec![rule.clone()],
        policy,
        now,
    ));
    plan.record(
        decided(AuditKind::Approved, asking, &decider, policy, vec![rule])
            .grant(&of.grant.id)
            .request(&asking.id)
            .fact("end_by", until.timestamp_millis()),
    );
    plan.push(Change::NoJob(format!("expire:{}", asking.id)));
    // The latest moment that it can ever be is fixed with the approval, as for new access.
    if until > of.grant.end_by && !of.grant.state.is_over() {
        let mut grant = of.grant.clone();
        grant.end_by = until;
        plan.push(Change::Grant(Box::new(grant), of.grant.state));
    }
    plan.job(JobOrder::extend(&asking.id, &asking.spec, now));
    plan.job(JobOrder::notify_decided(
        &asking.id,
        &asking.requester.account,
        now + seconds(ONE_MESSAGE_S),
    ));
    plan.draw(&approved, rank::FINAL, now);
    Ok(plan)
}

/// What to do about an approved extension whose turn has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Turn {
    /// Record the intent (nothing more where it is recorded), then call the target about this grant and
    /// tell it this end, by the machine's clock.
    Call(Plan, Box<Grant>, Timestamp),
    /// It is not to be given: record that.
    NotGiven(Plan),
    /// Nothing is left to do.
    Nothing,
}

/// What is left to do where nothing is to be extended any more, whatever the rules say; none while there
/// is.
///
/// # Errors
/// [`IllegalTransition`] where a state was forgotten.
pub fn pointless(of: Parties<'_>, now: Timestamp) -> Result<Option<Turn>, IllegalTransition> {
    let (asking, extension) = extends(of.asking)?;
    if extension.state != ExtensionState::Waiting || asking.state != RequestState::Approved {
        return Ok(Some(Turn::Nothing));
    }
    let why = match of.grant.deadline {
        None => "it was never given",
        Some(deadline) if of.grant.state != GrantState::Active || now >= deadline => {
            "the access was over"
        }
        Some(_) => return Ok(None),
    };
    Ok(Some(Turn::NotGiven(not_given(of, why, now)?)))
}

/// Whether to tell the target the later end now. `allowed` is what today's rules say of it.
///
/// # Errors
/// [`IllegalTransition`] where a state was forgotten.
pub fn begin_extend(
    of: Parties<'_>,
    allowed: Result<(), Refusal>,
    policy: &ContentHash,
    remind_s: &[i64],
    now: Timestamp,
    machine_now: Timestamp,
) -> Result<Turn, IllegalTransition> {
    if let Some(turn) = pointless(of, now)? {
        return Ok(turn);
    }
    let (asking, extension) = extends(of.asking)?;
    let grant = of.grant;
    let from = grant.deadline.unwrap_or(extension.from);
    // An earlier attempt may have recorded the intent, or another extension have gone further.
    let ends = from.max(wanted(asking, extension));
    let is_recorded = ends == from;
    // By the machine's clock as it is now: it may have been put right since the last end was told.
    let told = machine_now + (ends - now);
    let mut next = grant.clone();
    next.unsettled_since = Some(now);
    // What was told before may be valid for longer, and must be covered as long.
    next.native_deadline = grant.native_deadline.max(Some(told));
    if is_recorded {
        let mut plan = Plan::default();
        plan.push(Change::Grant(Box::new(next.clone()), grant.state));
        return Ok(Turn::Call(plan, Box::new(next), told));
    }
    if let Err(refusal) = allowed {
        let mut plan = not_given(of, refusal.code(), now)?;
        let access = (&grant.spec.resource, &grant.beneficiary.account);
        let draft = AuditDraft::refused("extend", &refusal, policy, Some(access));
        plan.record(draft.grant(&grant.id).request(&asking.id));
        return Ok(Turn::NotGiven(plan));
    }
    next.end_by = grant.end_by.max(ends);
    next.deadline = Some(ends);
    let mut plan = Plan::default();
    plan.push(Change::Grant(Box::new(next.clone()), grant.state));
    move_end(&mut plan, grant, ends, remind_s, now);
    plan.record(
        AuditDraft::new(AuditKind::ExtendIntended)
            .grant(&grant.id)
            .request(&asking.id)
            .under(policy, Vec::new())
            .fact("from", from.timestamp_millis())
            .fact("deadline", ends.timestamp_millis()),
    );
    Ok(Turn::Call(plan, Box::new(next), told))
}

/// The jobs that end it and remind of it, at another moment.
fn move_end(plan: &mut Plan, grant: &Grant, ends: Timestamp, remind_s: &[i64], now: Timestamp) {
    plan.job(JobOrder::revoke(&grant.id, &grant.spec, ends));
    // One that would lie in the past now is dropped from where it stood before.
    for before_s in remind_s {
        plan.push(Change::NoJob(format!("remind:{}:{before_s}", grant.id)));
    }
    remind(plan, grant, ends, remind_s, now);
}

/// The target holds the later end, and made another secret for it perhaps.
///
/// # Errors
/// [`IllegalTransition`] where a state was forgotten.
pub fn extended(
    of: Parties<'_>,
    handle: serde_json::Value,
    secret: bool,
    now: Timestamp,
) -> Result<Plan, IllegalTransition> {
    let (_, extension) = extends(of.asking)?;
    let mut plan = Plan::default();
    let over = matches!(of.grant.state, GrantState::Ended | GrantState::Failed);
    let waiting = extension.state == ExtensionState::Waiting;
    if !waiting && !over {
        return Ok(plan);
    }
    let mut next = of.grant.clone();
    next.handle = Some(handle);
    next.unsettled_since = None;
    if secret {
        next.delivery = Some(Delivery::Waiting);
    }
    if over {
        // The answer came later than a process may stall, after the end was seen.
        seen_again(&mut plan, of.base, &mut next, now)?;
    }
    if waiting {
        set(&mut plan, of.asking, ExtensionState::Given);
    }
    plan.push(Change::Grant(Box::new(next), of.grant.state));
    plan.record(
        AuditDraft::new(AuditKind::Extended)
            .grant(&of.grant.id)
            .request(&of.asking.id)
            .fact("deadline", of.grant.deadline.map(|t| t.timestamp_millis())),
    );
    if of.grant.state == GrantState::Active {
        plan.job(JobOrder::notify_extended(
            &of.asking.id,
            &of.grant.beneficiary.account,
            now,
        ));
    }
    plan.draw(of.asking, rank::FINAL, now);
    plan.draw(of.base, rank::LATER, now);
    Ok(plan)
}

/// The target refused the later end for good. The end that held before holds again; what the target
/// may keep of the later one ends by our revocation.
///
/// # Errors
/// [`IllegalTransition`] where a state was forgotten.
pub fn refused(
    of: Parties<'_>,
    said: &str,
    remind_s: &[i64],
    now: Timestamp,
) -> Result<Plan, IllegalTransition> {
    let (asking, extension) = extends(of.asking)?;
    if extension.state != ExtensionState::Waiting {
        return Ok(Plan::default());
    }
    let mut plan = not_given(of, said, now)?;
    let grant = of.grant;
    // Another extension may have gone further meanwhile; that one's end stays.
    if grant.state != GrantState::Active || grant.deadline != Some(wanted(asking, extension)) {
        return Ok(plan);
    }
    if extension.from <= now {
        let over = ending::order(of.base, grant, EndingReason::Deadline, None, now)?;
        plan.changes.extend(over.changes);
        return Ok(plan);
    }
    let mut next = grant.clone();
    next.deadline = Some(extension.from);
    next.unsettled_since = None;
    // `native_deadline` stays: whatever was minted is remembered for as long as it could be valid.
    plan.push(Change::Grant(Box::new(next), grant.state));
    move_end(&mut plan, grant, extension.from, remind_s, now);
    plan.draw(of.base, rank::LATER, now);
    Ok(plan)
}

/// An attempt that failed, or whose outcome nobody knows; it is tried again.
#[must_use]
pub fn troubled(
    of: Parties<'_>,
    job: &Job,
    said: &str,
    after_s: Option<i64>,
    now: Timestamp,
) -> (Plan, Settle) {
    let mut plan = Plan::default();
    if job.failures == 0 {
        plan.record(
            AuditDraft::new(AuditKind::ExtendTroubled)
                .grant(&of.grant.id)
                .request(&of.asking.id)
                .fact("said", cut(said)),
        );
    }
    let again = Settle::Again {
        at: retry_at(job, after_s, now),
        error: cut(said),
    };
    (plan, again)
}

fn not_given(of: Parties<'_>, why: &str, now: Timestamp) -> Result<Plan, IllegalTransition> {
    let mut plan = Plan::default();
    set(&mut plan, of.asking, ExtensionState::NotGiven);
    plan.record(
        AuditDraft::new(AuditKind::NotExtended)
            .grant(&of.grant.id)
            .request(&of.asking.id)
            .fact("said", cut(why)),
    );
    plan.job(JobOrder::notify_not_extended(
        &of.asking.id,
        &of.asking.beneficiary.account,
        now,
    ));
    plan.draw(of.asking, rank::FINAL, now);
    Ok(plan)
}

fn set(plan: &mut Plan, asking: &Request, state: ExtensionState) {
    let mut next = asking.clone();
    if let Some(extension) = &mut next.extends {
        extension.state = state;
    }
    plan.push(Change::Request(Box::new(next), asking.state));
}

fn extends(request: &Request) -> Result<(&Request, &Extension), IllegalTransition> {
    match &request.extends {
        Some(extension) => Ok((request, extension)),
        None => Err(IllegalTransition {
            state: request.state.as_str().into(),
            event: "Extend".into(),
        }),
    }
}
