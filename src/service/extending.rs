//! More time for access that is held: a request of its own, and the turn to tell the target.

use super::apply::{apply, conflict};
use super::queries::{accounts_of, summary_of};
use super::submitting::{by_rule, same_request, too_much};
use super::verdict::{Acting, Verdict, knowing_both, visible};
use super::{Service, ServiceError};
use crate::domain::answer::Answer;
use crate::domain::command::WantedEnd;
use crate::domain::decide::extending::{self, Parties};
use crate::domain::decide::{Plan, cancelling, requesting};
use crate::domain::decision::Decider;
use crate::domain::grant::{Grant, GrantState};
use crate::domain::ids::RequestId;
use crate::domain::job::Claim;
use crate::domain::refusal::Refusal;
use crate::domain::request::{Extension, ExtensionState, Request, RequestState};
use crate::domain::spec::ContentHash;
use crate::domain::timing::{Timestamp, seconds};
use crate::policy::{evaluate, more_time};
use crate::store::{StoreError, Tx, write_for};

/// Whether to tell a target a later end now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ExtendTurn {
    /// The intent is committed: tell the target of this grant this end, by the machine's clock.
    Call(Box<Grant>, Timestamp),
    /// Not now: the machine's clock can't be trusted, or facts are too old.
    NotBefore(Timestamp),
    /// Nothing is to be told.
    Nothing,
}

/// Keeps what a turn came to.
async fn taken(tx: &mut dyn Tx, turn: extending::Turn) -> Result<ExtendTurn, StoreError> {
    Ok(match turn {
        extending::Turn::Call(plan, grant, until) => {
            apply(tx, plan).await?;
            ExtendTurn::Call(grant, until)
        }
        extending::Turn::NotGiven(plan) => {
            apply(tx, plan).await?;
            ExtendTurn::Nothing
        }
        extending::Turn::Nothing => ExtendTurn::Nothing,
    })
}

/// The live grant that its beneficiary may ask more time for, with the request that it came from.
async fn held(
    tx: &mut dyn Tx,
    acting: &Acting,
    id: &RequestId,
) -> Result<Result<(Request, Grant), Verdict>, StoreError> {
    let request = match visible(tx, acting, id).await? {
        Ok(request) => request,
        Err(refused) => return Ok(Err(refused)),
    };
    if !acting.identity.is_same_as(&request.beneficiary) {
        return Ok(Err(Verdict::refused(Refusal::NotYours, Some(id))));
    }
    let grant = tx.grant(&request.about_grant()).await?;
    let state = grant.as_ref().map(|grant| grant.state);
    let live = grant.filter(|grant| grant.state == GrantState::Active);
    // The id of an extension stands for the access that it extends.
    let base = match &request.extends {
        Some(extension) => tx.request(&extension.grant.request()).await?,
        None => Some(request),
    };
    Ok(match (base, live) {
        (Some(base), Some(grant)) => Ok((base, grant)),
        _ => {
            let refusal = Refusal::NothingToExtend {
                reference: id.clone(),
                state,
            };
            Err(Verdict::refused(refusal, Some(id)))
        }
    })
}

/// A request for more time, approved at once where a rule says so.
pub(super) async fn extend(
    tx: &mut dyn Tx,
    acting: &Acting,
    id: &RequestId,
    end: WantedEnd,
    reason: Option<String>,
) -> Result<Verdict, StoreError> {
    let now = tx.now();
    let policy = &acting.policy;
    let (base, grant) = match held(tx, acting, id).await? {
        Ok(held) => held,
        Err(refused) => return Ok(refused),
    };
    let allowed = match more_time::extension(policy, &acting.identity, &grant, end, now) {
        Ok(allowed) => allowed,
        Err(refusal) => return Ok(Verdict::refused(refusal, Some(id))),
    };
    let from = grant.due_end();
    let accounts = accounts_of(policy, &acting.identity);
    if let Some(same) = same_request(tx, &accounts, &allowed.spec, Some(&grant.id), now).await? {
        let told = summary_of(policy, &same, Some(&grant));
        return Ok(Verdict::Done(Plan::default(), Answer::AlreadyThere(told)));
    }
    if let Some(refusal) = too_much(tx, acting, &accounts).await? {
        return Ok(Verdict::refused(refusal, Some(id)));
    }
    let Some(resource) = policy.resources.get(&allowed.spec.resource) else {
        return Ok(Verdict::refused(Refusal::NoLongerAllowed, Some(id)));
    };
    let more_s = allowed
        .spec
        .until
        .map_or(0, |until| (until - now).num_seconds());
    let by_rule = by_rule(tx, &allowed, more_s).await?;
    let request = Request {
        id: RequestId::from_bits(acting.bits),
        state: RequestState::Pending,
        requester: acting.identity.clone(),
        beneficiary: base.beneficiary.clone(),
        spec_hash: allowed.spec.hash(),
        spec: allowed.spec,
        reason: reason.or_else(|| base.reason.clone()),
        origin: acting.inbound.place.clone(),
        card_place: match by_rule {
            Some(_) => None,
            None => super::places::card_place(tx, policy, &resource.name).await?,
        },
        approvals_needed: allowed.approvals_needed,
        version: 1,
        submitted_at: now,
        // After the old end there is nothing left to extend.
        pending_until: (now + seconds(resource.pending_for_s)).min(from),
        decided_at: None,
        extends: Some(Extension {
            grant: grant.id.clone(),
            from,
            state: ExtensionState::Waiting,
        }),
    };
    let mut plan = requesting::receive(
        request.clone(),
        &policy.hash,
        allowed.asked_under,
        false,
        now,
    );
    let mut told = summary_of(policy, &request, Some(&grant));
    let Some(rule) = by_rule else {
        return Ok(Verdict::Done(plan, Answer::ExtensionReceived(told)));
    };
    let of = Parties {
        asking: &request,
        base: &base,
        grant: &grant,
    };
    let approval =
        extending::approve(of, Decider::Rule, rule, &policy.hash, now).map_err(conflict)?;
    plan.changes.extend(approval.changes);
    told.state = RequestState::Approved;
    Ok(Verdict::Done(plan, Answer::ExtensionByRule(told)))
}

/// Enough approvals for more time.
pub(super) async fn approve(
    tx: &mut dyn Tx,
    acting: &Acting,
    request: &Request,
    extension: &Extension,
    decider: Decider,
    rule: String,
) -> Result<Plan, StoreError> {
    let missing = || StoreError::Inconsistent {
        what: format!("request {}", request.id),
        why: format!("it extends {}, which is not there", extension.grant),
    };
    let grant = tx.grant(&extension.grant).await?.ok_or_else(missing)?;
    let base = tx
        .request(&extension.grant.request())
        .await?
        .ok_or_else(missing)?;
    let of = Parties {
        asking: request,
        base: &base,
        grant: &grant,
    };
    extending::approve(of, decider, rule, &acting.policy.hash, tx.now()).map_err(conflict)
}

/// Requests for more time for access that is being ended have become pointless.
pub(super) async fn cancel_open(
    tx: &mut dyn Tx,
    grant: &Grant,
    policy: &ContentHash,
    now: Timestamp,
) -> Result<Plan, StoreError> {
    let mut plan = Plan::default();
    for open in tx.open_extensions(&grant.id).await? {
        let why = cancelling::Cancelled::AccessEnded;
        let cancelled = cancelling::cancel(&open, why, policy, now).map_err(conflict)?;
        plan.changes.extend(cancelled.changes);
    }
    Ok(plan)
}

impl Service {
    /// Commits the intent to tell the target a later end, or that it is not given.
    ///
    /// # Errors
    /// When the store failed; the target must not be called then.
    pub async fn begin_extend(
        &self,
        claim: Claim,
        id: &RequestId,
    ) -> Result<ExtendTurn, ServiceError> {
        let in_force = self.in_force.clone();
        let told_of = self.told_of_jump.clone();
        let id = id.clone();
        Ok(write_for(&*self.store, claim, move |tx| {
            Box::pin(async move {
                let policy = in_force.load().policy.clone();
                let Some((asking, base, grant)) = parties(tx, &id).await? else {
                    return Ok(ExtendTurn::Nothing);
                };
                if !tx.holds(claim).await? {
                    return Ok(ExtendTurn::Nothing);
                }
                let of = Parties {
                    asking: &asking,
                    base: &base,
                    grant: &grant,
                };
                // What is over waits for nothing.
                if let Some(turn) = extending::pointless(of, tx.now()).map_err(conflict)? {
                    return taken(tx, turn).await;
                }
                if let Some(later) = super::turns::held_by_clock(tx, &policy, &told_of).await? {
                    return Ok(ExtendTurn::NotBefore(later));
                }
                let allowed = {
                    let policy = knowing_both(tx, &policy, &asking).await?;
                    evaluate::may_activate(&policy, &asking, tx.now())
                };
                if allowed.as_ref().is_err_and(Refusal::lacks_facts) {
                    let later = super::turns::wait_for_facts(tx, &asking).await?;
                    return Ok(ExtendTurn::NotBefore(later));
                }
                let remind_s = policy
                    .resources
                    .get(&grant.spec.resource)
                    .map(|resource| resource.remind_s.clone())
                    .unwrap_or_default();
                let (now, machine_now) = (tx.now(), tx.machine_now());
                let turn =
                    extending::begin_extend(of, allowed, &policy.hash, &remind_s, now, machine_now)
                        .map_err(conflict)?;
                taken(tx, turn).await
            })
        })
        .await?)
    }
}

/// The request for more time, the one that the grant came from, and the grant.
pub(super) async fn parties(
    tx: &mut dyn Tx,
    id: &RequestId,
) -> Result<Option<(Request, Request, Grant)>, StoreError> {
    let Some(asking) = tx.request(id).await? else {
        return Ok(None);
    };
    let about = asking.about_grant();
    let base = tx.request(&about.request()).await?;
    let grant = tx.grant(&about).await?;
    Ok(base.zip(grant).map(|(base, grant)| (asking, base, grant)))
}
