//! Asking for access.

use super::apply::conflict;
use super::queries::{accounts_of, summary};
use super::verdict::{Acting, Verdict};
use crate::domain::answer::Answer;
use crate::domain::command::WantedEnd;
use crate::domain::decide::requesting::{self, ActivationTiming};
use crate::domain::decide::{Plan, checking};
use crate::domain::decision::Decider;
use crate::domain::ids::{AccountId, GrantId, RequestId};
use crate::domain::refusal::Refusal;
use crate::domain::request::{Request, RequestState};
use crate::domain::spec::Spec;
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
        Err(refusal) if refusal.lacks_facts() => {
            return wait_for_facts(tx, acting, typed, end, reason).await;
        }
        Err(refusal) => return Ok(Verdict::refused(refusal, None)),
    };
    if let Some(verdict) = not_another(tx, acting, &allowed.spec).await? {
        return Ok(verdict);
    }
    let Some(resource) = policy.resources.get(&allowed.spec.resource) else {
        return Ok(Verdict::refused(Refusal::NoLongerAllowed, None));
    };
    let by_rule = by_rule(tx, &allowed, allowed.spec.duration_s).await?;
    let request = new_request(
        acting,
        allowed.spec.clone(),
        allowed.approvals_needed,
        reason,
        resource.pending_for_s,
        now,
    );
    let request = Request {
        card_place: match by_rule {
            // Nobody is shown, or pinged for, what a rule decided.
            Some(_) => None,
            None => super::places::card_place(tx, policy, &resource.name).await?,
        },
        ..request
    };
    let first_time = is_first_time(tx, acting, &request).await?;
    let rule = allowed.asked_under;
    let mut plan = requesting::receive(request.clone(), &policy.hash, rule, first_time, now);
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

/// The facts that decide it are too old: it stands, and the directory is asked at once.
async fn wait_for_facts(
    tx: &mut dyn Tx,
    acting: &Acting,
    typed: &str,
    end: WantedEnd,
    reason: String,
) -> Result<Verdict, StoreError> {
    let now = tx.now();
    let policy = &acting.policy;
    let (spec, approvals_needed) = match evaluate::wish(policy, &acting.identity, typed, end, now) {
        Ok(wish) => wish,
        Err(refusal) => {
            // What else they do next may need the same facts.
            let mut also = Plan::default();
            checking::ask_again(&mut also, accounts_of(policy, &acting.identity), now);
            return Ok(Verdict::Refused {
                refusal,
                about: None,
                also,
            });
        }
    };
    if let Some(verdict) = not_another(tx, acting, &spec).await? {
        return Ok(verdict);
    }
    let request = Request {
        state: RequestState::Checking,
        ..new_request(
            acting,
            spec,
            approvals_needed,
            reason,
            checking::CHECKING_FOR_S,
            now,
        )
    };
    let told = super::queries::summary_of(policy, &request, None);
    let about = accounts_of(policy, &acting.identity);
    let first_time = is_first_time(tx, acting, &request).await?;
    let plan = checking::wait_for_facts(request, about, &policy.hash, first_time, now);
    Ok(Verdict::Done(plan, Answer::Received(told)))
}

/// Whether this person never asked for this before, on any account.
async fn is_first_time(
    tx: &mut dyn Tx,
    acting: &Acting,
    request: &Request,
) -> Result<bool, StoreError> {
    let accounts = accounts_of(&acting.policy, &acting.identity);
    let resource = &request.spec.resource;
    let earlier = tx.count_earlier(&accounts, resource, &request.id).await?;
    Ok(earlier == 0)
}

/// The rule that approves it without people, if with so many seconds from now on it has not given too
/// much.
pub(super) async fn by_rule(
    tx: &mut dyn Tx,
    allowed: &Allowed,
    from_now_s: i64,
) -> Result<Option<String>, StoreError> {
    let now = tx.now();
    let Some(by) = allowed.approved_under.clone() else {
        return Ok(None);
    };
    let earlier = tx
        .grants_on_holdings(&allowed.spec, by.looks_back_to(now))
        .await?;
    let earlier = earlier.iter().map(cap::stretch).collect();
    Ok(by.allows(from_now_s, earlier, now).then_some(by.rule))
}

/// The same wish is answered with the request that it is already; too many are refused.
async fn not_another(
    tx: &mut dyn Tx,
    acting: &Acting,
    spec: &Spec,
) -> Result<Option<Verdict>, StoreError> {
    let now = tx.now();
    let policy = &acting.policy;
    let accounts = accounts_of(policy, &acting.identity);
    if let Some(same) = same_request(tx, &accounts, spec, None, now).await? {
        let answer = Answer::AlreadyThere(summary(tx, policy, &same).await?);
        return Ok(Some(Verdict::Done(Default::default(), answer)));
    }
    let refused = |refusal| Ok(Some(Verdict::refused(refusal, None)));
    if let Some(refusal) = too_much(tx, acting, &accounts).await? {
        return refused(refusal);
    }
    let live = tx
        .count_live_grants(&accounts, &RequestId::from_bits(acting.bits).grant())
        .await?;
    if live >= LIVE_MAX {
        return refused(Refusal::TooManyLive { max: LIVE_MAX });
    }
    Ok(None)
}

/// Whether this person has, or asks for, more than anybody needs.
pub(super) async fn too_much(
    tx: &mut dyn Tx,
    acting: &Acting,
    accounts: &[AccountId],
) -> Result<Option<Refusal>, StoreError> {
    let max = acting.policy.max_open_per_person;
    if tx.count_open(accounts).await? >= max {
        return Ok(Some(Refusal::TooManyOpen { max }));
    }
    let since = tx.now() - seconds(3_600);
    if tx.count_submitted(accounts, since).await? >= SUBMITTED_MAX_PER_HOUR {
        let max = SUBMITTED_MAX_PER_HOUR;
        return Ok(Some(Refusal::TooOften { max }));
    }
    Ok(None)
}

/// The request that is this one already: for new access, or for more time of the grant named.
pub(super) async fn same_request(
    tx: &mut dyn Tx,
    accounts: &[AccountId],
    wanted: &Spec,
    extends: Option<&GrantId>,
    now: Timestamp,
) -> Result<Option<Request>, StoreError> {
    let since = now - seconds(SAME_REQUEST_FOR_S);
    let similar = tx
        .similar_requests(accounts, &wanted.resource, since)
        .await?;
    for request in similar {
        // `until 18:00` typed twice names one moment and two durations.
        let mut spec = wanted.clone();
        if spec.until.is_some() && spec.until == request.spec.until {
            spec.duration_s = request.spec.duration_s;
        }
        if spec.hash() != request.spec_hash
            || request.extends.as_ref().map(|it| &it.grant) != extends
        {
            continue;
        }
        let over = tx
            .grant(&request.about_grant())
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
    spec: Spec,
    approvals_needed: i64,
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
        spec_hash: spec.hash(),
        pending_until: spec.until.map_or(latest, |until| until.min(latest)),
        spec,
        reason: Some(reason),
        origin: acting.inbound.place.clone(),
        card_place: None,
        approvals_needed,
        version: 1,
        submitted_at: now,
        decided_at: None,
        extends: None,
    }
}
