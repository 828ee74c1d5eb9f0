//! Requests that wait for facts, and what becomes of requests and accesses whose people left.

use super::requesting::{asked, close};
use super::{Change, Plan, ending, rank};
use crate::domain::audit::{AuditDraft, AuditKind};
use crate::domain::departure::Departure;
use crate::domain::grant::{EndingReason, Grant};
use crate::domain::ids::AccountId;
use crate::domain::job_order::JobOrder;
use crate::domain::refusal::Refusal;
use crate::domain::request::{IllegalTransition, Request, RequestEvent};
use crate::domain::spec::ContentHash;
use crate::domain::timing::Timestamp;

/// How long a request waits for the facts that decide it, in seconds.
pub const CHECKING_FOR_S: i64 = 120;

/// A request whose facts are too old stands until they come. `about` are the accounts that the
/// directory is asked of; `first_time` says that the person never asked for this before.
#[must_use]
pub fn wait_for_facts(
    request: Request,
    about: Vec<AccountId>,
    policy: &ContentHash,
    first_time: bool,
    now: Timestamp,
) -> Plan {
    let mut plan = Plan::default();
    let draft = asked(&request, policy, Vec::new(), first_time);
    plan.record(draft.fact("waits_for_facts", true));
    plan.job(JobOrder::decide_checked(&request.id, request.pending_until));
    ask_again(&mut plan, about, now);
    plan.changes
        .insert(0, Change::NewRequest(Box::new(request)));
    plan
}

/// Has the directory asked at once.
pub fn ask_again(plan: &mut Plan, about: Vec<AccountId>, now: Timestamp) {
    let mut platforms: Vec<String> = about.iter().map(|a| a.platform().to_owned()).collect();
    platforms.sort();
    platforms.dedup();
    plan.push(Change::Want(about));
    for platform in platforms {
        plan.job(JobOrder::refresh_facts(&platform, now));
    }
}

/// That the facts came, for the record: under which rule the person asks.
#[must_use]
pub fn checked(request: &Request, rule: String, policy: &ContentHash) -> AuditDraft {
    AuditDraft::new(AuditKind::Checked)
        .request(&request.id)
        .under(policy, vec![rule])
}

/// The facts came, and people decide: `next` is the request as it waits for them.
///
/// # Errors
/// [`IllegalTransition`] when the request is not being checked.
pub fn wait_for_people(
    request: &Request,
    mut next: Request,
    now: Timestamp,
) -> Result<Plan, IllegalTransition> {
    next.state = request.state.next(RequestEvent::NeedsPeople)?;
    let mut plan = Plan::default();
    plan.push(Change::Request(Box::new(next.clone()), request.state));
    plan.job(JobOrder::expire(&next.id, next.pending_until));
    plan.draw(&next, rank::NEW, now);
    plan.job(JobOrder::notify_decided(
        &next.id,
        &next.requester.account,
        now,
    ));
    Ok(plan)
}

/// The facts came and say no, or did not come in time.
///
/// # Errors
/// [`IllegalTransition`] when the request is not being checked.
pub fn refuse(
    request: &Request,
    refusal: Refusal,
    policy: &ContentHash,
    now: Timestamp,
) -> Result<Plan, IllegalTransition> {
    let mut plan = close(request, RequestEvent::Refuse, now)?;
    let access = (&request.spec.resource, &request.beneficiary.account);
    plan.record(
        AuditDraft::refused("request", &refusal, policy, Some(access))
            .by(&request.requester.account)
            .request(&request.id),
    );
    plan.job(JobOrder::notify_refused(
        &request.id,
        &request.requester.account,
        refusal,
        now,
    ));
    Ok(plan)
}

/// Who asked for it, or holds it, left: it ends now.
///
/// # Errors
/// [`IllegalTransition`] when it is over or already ending.
pub fn leave(
    request: &Request,
    grant: &Grant,
    why: Departure,
    policy: &ContentHash,
    now: Timestamp,
) -> Result<Plan, IllegalTransition> {
    let mut plan = ending::order(request, grant, EndingReason::Left, None, now)?;
    for change in &mut plan.changes {
        if let Change::Record(draft) = change
            && draft.kind == AuditKind::EndOrdered
        {
            *draft = draft
                .clone()
                .under(policy, Vec::new())
                .fact("left", why.code());
        }
    }
    Ok(plan)
}
