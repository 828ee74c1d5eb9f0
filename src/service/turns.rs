//! The intent before each call to a target: committed first, then the call.

use std::sync::atomic::{AtomicI64, Ordering};

use super::apply::{apply, conflict};
use super::verdict::knowing_both;
use super::{Service, ServiceError};
use crate::domain::decide::{Plan, checking, ending, giving};
use crate::domain::grant::Grant;
use crate::domain::ids::GrantId;
use crate::domain::job::Claim;
use crate::domain::job_order::JobOrder;
use crate::domain::refusal::Refusal;
use crate::domain::request::Request;
use crate::domain::timing::{Timestamp, seconds};
use crate::policy::{Policy, evaluate};
use crate::store::{StoreError, Tx, write_for};

/// How soon it is looked again whether the machine's clock can be trusted, in seconds.
const CLOCK_AGAIN_S: i64 = 30;

/// How soon it is looked again whether the facts came that access hangs on, in seconds.
const FACTS_AGAIN_S: i64 = 5;

/// Whether to give access now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum IssueTurn {
    /// The intent is committed: call the target about this grant.
    Call(Box<Grant>),
    /// Not now: the machine's clock can't be trusted, or facts are too old.
    NotBefore(Timestamp),
    /// Nothing is to be given.
    Nothing,
}

/// Whether to take access away now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RevokeTurn {
    /// The end is committed: call the target about this grant.
    Call(Box<Grant>),
    /// Its end was moved.
    NotBefore(Timestamp),
    /// Nothing is left to do.
    Nothing,
}

/// While the machine's clock can't be trusted: when to look again. A target would be told a wrong
/// deadline; ends go on. Security is told once.
pub(super) async fn held_by_clock(
    tx: &mut dyn Tx,
    policy: &Policy,
    told_of: &AtomicI64,
) -> Result<Option<Timestamp>, StoreError> {
    let Some(jump) = tx.jump() else {
        return Ok(None);
    };
    let (now, at) = (tx.now(), jump.at.timestamp_millis());
    if told_of.swap(at, Ordering::Relaxed) != at {
        for place in &policy.security.channels {
            tx.enqueue(&JobOrder::tell_clock(&jump, place, now)).await?;
        }
    }
    Ok(Some(now + seconds(CLOCK_AGAIN_S)))
}

/// Who left must not be given it; who is still there must not lose it for that: the directory is asked
/// at once. Says when to look again.
pub(super) async fn wait_for_facts(
    tx: &mut dyn Tx,
    request: &Request,
) -> Result<Timestamp, StoreError> {
    let mut plan = Plan::default();
    let about = [&request.requester, &request.beneficiary];
    let about = about.map(|one| one.account.clone()).to_vec();
    checking::ask_again(&mut plan, about, tx.now());
    apply(tx, plan).await?;
    Ok(tx.now() + seconds(FACTS_AGAIN_S))
}

impl Service {
    /// Commits the intent to give access, or its end where it may not be given any more.
    ///
    /// # Errors
    /// When the store failed; the target must not be called then.
    pub async fn begin_issue(&self, claim: Claim, id: &GrantId) -> Result<IssueTurn, ServiceError> {
        let in_force = self.in_force.clone();
        let told_of = self.told_of_jump.clone();
        let id = id.clone();
        Ok(write_for(&*self.store, claim, move |tx| {
            Box::pin(async move {
                let policy = in_force.load().policy.clone();
                if !tx.holds(claim).await? {
                    return Ok(IssueTurn::Nothing);
                }
                let Some((grant, request)) = tx.grant_and_request(&id).await? else {
                    return Ok(IssueTurn::Nothing);
                };
                let (now, machine_now) = (tx.now(), tx.machine_now());
                if let Some(later) = held_by_clock(tx, &policy, &told_of).await? {
                    return Ok(IssueTurn::NotBefore(later));
                }
                let allowed = {
                    let policy = knowing_both(tx, &policy, &request).await?;
                    evaluate::may_activate(&policy, &request, now)
                };
                let lacks_facts = allowed.as_ref().is_err_and(Refusal::lacks_facts);
                if lacks_facts && !giving::is_too_late(&grant, now) {
                    let later = wait_for_facts(tx, &request).await?;
                    return Ok(IssueTurn::NotBefore(later));
                }
                let remind_s = policy
                    .resources
                    .get(&grant.spec.resource)
                    .map(|resource| resource.remind_s.clone())
                    .unwrap_or_default();
                let hash = &policy.hash;
                let turn = giving::begin_issue(
                    &request,
                    &grant,
                    allowed,
                    hash,
                    &remind_s,
                    now,
                    machine_now,
                )
                .map_err(conflict)?;
                Ok(match turn {
                    giving::Turn::Call(plan, next) => {
                        apply(tx, plan).await?;
                        IssueTurn::Call(next)
                    }
                    giving::Turn::End(plan) => {
                        apply(tx, plan).await?;
                        IssueTurn::Nothing
                    }
                    giving::Turn::Nothing => IssueTurn::Nothing,
                })
            })
        })
        .await?)
    }

    /// Commits that access is being taken away.
    ///
    /// # Errors
    /// When the store failed; the job is tried again.
    pub async fn begin_revoke(
        &self,
        claim: Claim,
        id: &GrantId,
    ) -> Result<RevokeTurn, ServiceError> {
        let id = id.clone();
        Ok(write_for(&*self.store, claim, move |tx| {
            Box::pin(async move {
                if !tx.holds(claim).await? {
                    return Ok(RevokeTurn::Nothing);
                }
                let Some((grant, request)) = tx.grant_and_request(&id).await? else {
                    return Ok(RevokeTurn::Nothing);
                };
                let turn = ending::begin_revoke(&request, &grant, tx.now()).map_err(conflict)?;
                Ok(match turn {
                    ending::Turn::Call(plan, next) => {
                        apply(tx, plan).await?;
                        RevokeTurn::Call(next)
                    }
                    ending::Turn::Cancel(plan) => {
                        apply(tx, plan).await?;
                        RevokeTurn::Nothing
                    }
                    ending::Turn::NotBefore(at) => RevokeTurn::NotBefore(at),
                    ending::Turn::Nothing => RevokeTurn::Nothing,
                })
            })
        })
        .await?)
    }
}
