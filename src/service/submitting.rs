//! Asking for access.

use super::apply::conflict;
use super::queries::{accounts_of, summary};
use super::verdict::{Acting, Verdict};
use crate::domain::answer::Answer;
use crate::domain::audit::AuditKind;
use crate::domain::command::WantedEnd;
use crate::domain::decide::requesting::{self, ActivationTiming};
use crate::domain::decision::Decider;
use crate::domain::ids::RequestId;
use crate::domain::refusal::Refusal;
use crate::domain::request::{Request, RequestState};
use crate::domain::timing::{Timestamp, seconds};
use crate::policy::cap;
use crate::policy::evaluate::{self, Allowed};
use crate::store::{StoreError, Tx};

/// For so long after an approval the same wish is the same request, in seconds.
const SAME_REQUEST_FOR_S: i64 = 120;

/// Requests that one person may make within an hour: a person never needs as many, and a script
/// would fill everybody's channel with cards.
const SUBMITTED_MAX_PER_HOUR: i64 = 60;

/// Accesses that one person may hold at once.
const LIVE_MAX: i64 = 100;

/// A request, approved at once where a rule says so.
pub(super) async fn submit(
    tx: &mut dyn Tx,
    acting: &Acting,
    typed: &str,
    end: WantedEnd,
    reason: String,
) -> Result<Verdict, StoreError> {
    let now = tx.now();
    let policy = &acting.policy;
    let allowed = match evaluate::submission(policy, &acting.identity, typed, end, now) {
        Ok(allowed) => allowed,
        Err(refusal) => return Ok(Verdict::refused(refusal, None)),
    };
    let accounts = accounts_of(policy, &acting.identity);
    if let Some(same) = same_request(tx, &accounts, &allowed, now).await? {
        let answer = Answer::AlreadyThere(summary(tx, policy, &same).await?);
        return Ok(Verdict::Done(Default::default(), answer));
    }
    if tx.count_open(&accounts).await? >= policy.max_open_per_person {
        let max = policy.max_open_per_person;
        return Ok(Verdict::refused(Refusal::TooManyOpen { max }, None));
    }
    if tx.count_submitted(&accounts, now - seconds(3_600)).await? >= SUBMITTED_MAX_PER_HOUR {
        let max = SUBMITTED_MAX_PER_HOUR;
        return Ok(Verdict::refused(Refusal::TooOften { max }, None));
    }
    let live = tx
        .count_live_grants(&accounts, &RequestId::from_bits(acting.bits).grant())
        .await?;
    if live >= LIVE_MAX {
        return Ok(Verdict::refused(
            Refusal::TooManyLive { max: LIVE_MAX },
            None,
        ));
    }
    let Some(resource) = policy.resources.get(&allowed.spec.resource) else {
        return Ok(Verdict::refused(Refusal::NoLongerAllowed, None));
    };
    let by_rule = match allowed.approved_under.clone() {
        Some(by) => {
            let earlier = tx
                .grants_on_holdings(&allowed.spec, by.looks_back_to(now))
                .await?;
            let earlier = earlier.iter().map(cap::stretch).collect();
            by.allows(allowed.spec.duration_s, earlier, now)
                .then_some(by.rule)
        }
        None => None,
    };
    let request = new_request(acting, allowed.clone(), reason, resource.pending_for_s, now);
    let request = Request {
        card_place: match by_rule {
            // Nobody is shown, or pinged for, what a rule decided.
            Some(_) => None,
            None => super::places::card_place(tx, policy, &resource.name).await?,
        },
        ..request
    };
    let mut plan = requesting::receive(request.clone(), &policy.hash, allowed.asked_under, now);
    let earlier = tx
        .count_earlier(&accounts, &request.spec.resource, &request.id)
        .await?;
    plan.note(AuditKind::Requested, "first_time", earlier == 0);
    if let Some(rule) = by_rule {
        let timing = ActivationTiming {
            activation_s: resource.activation_s,
            remind_s: &resource.remind_s,
        };
        let approval =
            requesting::approve(&request, Decider::Rule, rule, &policy.hash, timing, now)
                .map_err(conflict)?;
        plan.changes.extend(approval.changes);
        let mut told = super::queries::summary_of(policy, &request, None);
        told.state = RequestState::Approved;
        return Ok(Verdict::Done(plan, Answer::ApprovedByRule(told)));
    }
    let told = super::queries::summary_of(policy, &request, None);
    Ok(Verdict::Done(plan, Answer::Received(told)))
}

async fn same_request(
    tx: &mut dyn Tx,
    accounts: &[crate::domain::ids::AccountId],
    allowed: &Allowed,
    now: Timestamp,
) -> Result<Option<Request>, StoreError> {
    let since = now - seconds(SAME_REQUEST_FOR_S);
    let similar = tx
        .similar_requests(accounts, &allowed.spec.resource, since)
        .await?;
    for request in similar {
        // `until 18:00` typed twice names one moment and two durations.
        let mut spec = allowed.spec.clone();
        if spec.until.is_some() && spec.until == request.spec.until {
            spec.duration_s = request.spec.duration_s;
        }
        if spec.hash() != request.spec_hash {
            continue;
        }
        let over = tx
            .grant(&request.id.grant())
            .await?
            .is_some_and(|grant| grant.state.is_over() || grant.ending.is_some());
        if !over {
            return Ok(Some(request));
        }
    }
    Ok(None)
}

fn new_request(
    acting: &Acting,
    allowed: Allowed,
    reason: String,
    pending_for_s: i64,
    now: Timestamp,
) -> Request {
    let latest = now + seconds(pending_for_s);
    Request {
        id: RequestId::from_bits(acting.bits),
        state: RequestState::Pending,
        requester: acting.identity.clone(),
        beneficiary: acting.identity.clone(),
        spec_hash: allowed.spec.hash(),
        pending_until: allowed.spec.until.map_or(latest, |until| until.min(latest)),
        spec: allowed.spec,
        reason: Some(reason),
        origin: acting.inbound.place.clone(),
        card_place: None,
        approvals_needed: allowed.approvals_needed,
        version: 1,
        submitted_at: now,
        decided_at: None,
    }
}
