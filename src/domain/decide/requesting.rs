//! From a wish to a decision.

use super::{Change, Plan, rank};
use crate::domain::audit::{AuditDraft, AuditKind};
use crate::domain::command::MessageRef;
use crate::domain::decision::{Decider, Decision};
use crate::domain::grant::{Grant, GrantState};
use crate::domain::ids::RequestId;
use crate::domain::job_order::JobOrder;
use crate::domain::person::Identity;
use crate::domain::refusal::Refusal;
use crate::domain::request::{IllegalTransition, Request, RequestEvent};
use crate::domain::spec::ContentHash;
use crate::domain::timing::{Timestamp, end_by, seconds};

/// For so long the news of an approval waits, in seconds: where access works by then, the message
/// that says so is enough.
pub const ONE_MESSAGE_S: i64 = 5;

/// A request that stands: it waits for people. `first_time` says that the person never asked for this
/// before.
#[must_use]
pub fn receive(
    request: Request,
    policy: &ContentHash,
    rule: String,
    first_time: bool,
    now: Timestamp,
) -> Plan {
    let mut plan = Plan::default();
    plan.record(asked(&request, policy, vec![rule], first_time));
    if request.state.is_open() {
        plan.job(JobOrder::expire(&request.id, request.pending_until));
        plan.draw(&request, rank::NEW, now);
    }
    plan.changes
        .insert(0, Change::NewRequest(Box::new(request)));
    plan
}

/// What the record keeps of a wish.
pub(super) fn asked(
    request: &Request,
    policy: &ContentHash,
    rules: Vec<String>,
    first_time: bool,
) -> AuditDraft {
    let draft = match &request.extends {
        Some(extension) => AuditDraft::new(AuditKind::Requested).grant(&extension.grant),
        None => AuditDraft::new(AuditKind::Requested),
    };
    draft
        .by(&request.requester.account)
        .request(&request.id)
        .under(policy, rules)
        .fact("resource", request.spec.resource.as_str())
        .fact("project", request.spec.project.as_str())
        .fact("action", request.spec.action.as_str())
        .fact("risk", request.spec.risk.as_str())
        .fact("duration_s", request.spec.duration_s)
        .fact("first_time", first_time)
        .fact("spec", request.spec_hash.0.as_str())
        .text(request.reason.as_deref().unwrap_or(""))
}

/// What a resource says about the time of its accesses.
#[derive(Debug, Clone, Copy)]
pub struct ActivationTiming<'a> {
    /// Seconds after the approval within which access must have been given.
    pub activation_s: i64,
    /// Seconds before the end at which the beneficiary is reminded.
    pub remind_s: &'a [i64],
}

/// An approval by a person or a rule that is enough: the request becomes a grant.
///
/// The latest possible end, the job that ends it and the job that gives it are part of the plan:
/// there is never an approval without its end.
///
/// # Errors
/// [`IllegalTransition`] when the request is not open.
pub fn approve(
    request: &Request,
    decider: Decider,
    rule: String,
    policy: &ContentHash,
    timing: ActivationTiming<'_>,
    now: Timestamp,
) -> Result<Plan, IllegalTransition> {
    let was = request.state;
    let mut approved = request.clone();
    approved.state = was.next(RequestEvent::Approve)?;
    approved.decided_at = Some(now);
    let grant = new_grant(&approved, timing.activation_s, now);

    let mut plan = Plan::default();
    plan.push(Change::Request(Box::new(approved.clone()), was));
    plan.push(yes(
        request,
        decider.clone(),
        vec![rule.clone()],
        policy,
        now,
    ));
    plan.push(Change::NewGrant(Box::new(grant.clone())));
    plan.record(
        decided(AuditKind::Approved, request, &decider, policy, vec![rule])
            .grant(&grant.id)
            .fact("end_by", grant.end_by.timestamp_millis()),
    );
    plan.push(Change::NoJob(format!("expire:{}", request.id)));
    plan.job(JobOrder::revoke(&grant.id, &grant.spec, grant.end_by));
    // Both move when the issue intent fixes the deadline.
    remind(&mut plan, &grant, grant.end_by, timing.remind_s, now);
    plan.job(JobOrder::issue(&grant.id, &grant.spec, now));
    plan.job(JobOrder::notify_decided(
        &request.id,
        &request.requester.account,
        now + seconds(ONE_MESSAGE_S),
    ));
    plan.draw(&approved, rank::FINAL, now);
    Ok(plan)
}

/// The reminders of a grant whose deadline is (or would at the latest be) this.
pub fn remind(
    plan: &mut Plan,
    grant: &Grant,
    deadline: Timestamp,
    before_s: &[i64],
    now: Timestamp,
) {
    for (before_s, at) in crate::domain::timing::reminders(now, deadline, before_s) {
        plan.job(JobOrder::remind(
            &grant.id,
            &grant.beneficiary.account,
            before_s,
            at,
        ));
    }
}

/// One approval of several that are needed.
#[must_use]
pub fn approve_partly(
    request: &Request,
    decider: Decider,
    rule: String,
    policy: &ContentHash,
    now: Timestamp,
) -> Plan {
    let mut plan = Plan::default();
    plan.push(yes(
        request,
        decider.clone(),
        vec![rule.clone()],
        policy,
        now,
    ));
    plan.record(
        decided(AuditKind::Approved, request, &decider, policy, vec![rule]).fact("enough", false),
    );
    plan.draw(request, rank::LATER, now);
    plan
}

/// A denial: one is enough. `why` is told to the requester.
///
/// # Errors
/// [`IllegalTransition`] when the request is not open.
pub fn deny(
    request: &Request,
    decider: Decider,
    rule: String,
    why: Option<String>,
    policy: &ContentHash,
    now: Timestamp,
) -> Result<Plan, IllegalTransition> {
    let mut plan = close(request, RequestEvent::Deny, now)?;
    plan.push(Change::Decision(Box::new(Decision {
        request: request.id.clone(),
        approve: false,
        decider: decider.clone(),
        spec_hash: request.spec_hash.clone(),
        policy_hash: policy.clone(),
        rules: vec![rule.clone()],
        why: why.clone(),
        at: now,
    })));
    let draft = decided(AuditKind::Denied, request, &decider, policy, vec![rule]);
    plan.record(match &why {
        Some(why) => draft.text(why),
        None => draft,
    });
    plan.job(JobOrder::notify_decided(
        &request.id,
        &request.requester.account,
        now,
    ));
    Ok(plan)
}

/// Taken back by who asked.
///
/// # Errors
/// [`IllegalTransition`] when the request is not open.
pub fn withdraw(
    request: &Request,
    by: &Identity,
    now: Timestamp,
) -> Result<Plan, IllegalTransition> {
    let mut plan = close(request, RequestEvent::Withdraw, now)?;
    plan.record(
        AuditDraft::new(AuditKind::Withdrawn)
            .by(&by.account)
            .request(&request.id)
            .access(&request.spec.resource, &request.beneficiary.account),
    );
    Ok(plan)
}

/// Ran out undecided.
///
/// # Errors
/// [`IllegalTransition`] when the request is not open.
pub fn expire(request: &Request, now: Timestamp) -> Result<Plan, IllegalTransition> {
    let mut plan = close(request, RequestEvent::Expire, now)?;
    plan.record(
        AuditDraft::new(AuditKind::Expired)
            .request(&request.id)
            .access(&request.spec.resource, &request.beneficiary.account)
            .fact("pending_until", request.pending_until.timestamp_millis()),
    );
    plan.job(JobOrder::notify_decided(
        &request.id,
        &request.requester.account,
        now,
    ));
    Ok(plan)
}

/// Something that was tried and refused: only the record changes.
#[must_use]
pub fn refuse(
    refusal: &Refusal,
    actor: &Identity,
    about: Option<&RequestId>,
    policy: &ContentHash,
    tried: &'static str,
    typed: Option<&str>,
) -> Plan {
    let mut draft = AuditDraft::refused(tried, refusal, policy, None).by(&actor.account);
    if let Some(request) = about {
        draft = draft.request(request);
    }
    if let Some(typed) = typed {
        draft = draft.text(&typed.chars().take(1000).collect::<String>());
    }
    let mut plan = Plan::default();
    plan.record(draft);
    plan
}

/// A press that showed where the card stands before our own post was recorded, or another copy.
pub fn card_seen(
    plan: &mut Plan,
    request: &RequestId,
    known: Option<&MessageRef>,
    on: &MessageRef,
    now: Timestamp,
) {
    match known {
        None => {
            plan.push(Change::Card(request.clone(), on.clone()));
        }
        Some(card) if card != on => {
            plan.job(JobOrder::strike_copy(request, on, now));
        }
        Some(_) => {}
    }
}

pub(super) fn close(
    request: &Request,
    event: RequestEvent,
    now: Timestamp,
) -> Result<Plan, IllegalTransition> {
    let was = request.state;
    let mut closed = request.clone();
    closed.state = was.next(event)?;
    closed.decided_at = Some(now);
    let mut plan = Plan::default();
    plan.push(Change::Request(Box::new(closed.clone()), was));
    if event != RequestEvent::Expire {
        plan.push(Change::NoJob(format!("expire:{}", request.id)));
    }
    plan.draw(&closed, rank::FINAL, now);
    Ok(plan)
}

fn new_grant(request: &Request, activation_s: i64, now: Timestamp) -> Grant {
    let latest = end_by(now, activation_s, request.spec.duration_s);
    Grant {
        id: request.id.grant(),
        serial: 0,
        state: GrantState::Scheduled,
        beneficiary: request.beneficiary.clone(),
        spec: request.spec.clone(),
        spec_hash: request.spec_hash.clone(),
        approved_at: now,
        activate_by: now + seconds(activation_s),
        end_by: request.spec.until.map_or(latest, |until| until.min(latest)),
        deadline: None,
        native_deadline: None,
        unsettled_since: None,
        delivery: None,
        active_at: None,
        handle: None,
        ending: None,
        revoke_failures: 0,
        stuck_since: None,
        ended_at: None,
        evidence: None,
    }
}

/// One approval, as a decision that is kept.
pub(super) fn yes(
    request: &Request,
    decider: Decider,
    rules: Vec<String>,
    policy: &ContentHash,
    now: Timestamp,
) -> Change {
    Change::Decision(Box::new(Decision {
        request: request.id.clone(),
        approve: true,
        decider,
        spec_hash: request.spec_hash.clone(),
        policy_hash: policy.clone(),
        rules,
        why: None,
        at: now,
    }))
}

/// The entry for it in the record.
pub(super) fn decided(
    kind: AuditKind,
    request: &Request,
    decider: &Decider,
    policy: &ContentHash,
    rules: Vec<String>,
) -> AuditDraft {
    let draft = AuditDraft::new(kind)
        .request(&request.id)
        .under(policy, rules)
        .access(&request.spec.resource, &request.beneficiary.account)
        .fact("spec", request.spec_hash.0.as_str());
    match decider {
        Decider::Rule => draft.fact("decider", "rule"),
        Decider::Person {
            identity,
            group,
            group_as_of,
        } => draft
            .by(&identity.account)
            .fact("decider", "person")
            .fact("group", group.as_ref().map(|g| g.as_str().to_owned()))
            .fact("group_as_of", group_as_of.map(|t| t.timestamp_millis())),
    }
}
