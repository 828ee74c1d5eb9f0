//! Requests that wait for facts: decided once these came, refused when they did not come in time.

use std::sync::Arc;

use super::apply::conflict;
use super::submitting::by_rule;
use super::verdict::knowing_both;
use crate::domain::decide::requesting::{self, ActivationTiming};
use crate::domain::decide::{Plan, checking};
use crate::domain::decision::Decider;
use crate::domain::ids::RequestId;
use crate::domain::job::Settle;
use crate::domain::refusal::Refusal;
use crate::domain::request::{Request, RequestState};
use crate::domain::timing::seconds;
use crate::policy::Policy;
use crate::policy::evaluate;
use crate::store::{StoreError, Tx};

/// Decides it in this transaction, if the facts are there now.
pub(super) async fn decide(
    tx: &mut dyn Tx,
    policy: &Arc<Policy>,
    id: &RequestId,
) -> Result<(Plan, Settle), StoreError> {
    let now = tx.now();
    let Some(request) = tx
        .request(id)
        .await?
        .filter(|request| request.state == RequestState::Checking)
    else {
        // Taken back, or decided by another turn.
        return Ok((Plan::default(), Settle::Done));
    };
    let policy = knowing_both(tx, policy, &request).await?;
    let refused = |refusal| -> Result<(Plan, Settle), StoreError> {
        let plan = checking::refuse(&request, refusal, &policy.hash, now).map_err(conflict)?;
        Ok((plan, Settle::Done))
    };
    let allowed = match evaluate::checked(&policy, &request, now) {
        Ok(allowed) => allowed,
        Err(refusal) if refusal.lacks_facts() => {
            // The directory is being asked; what it tells moves this here.
            return if now < request.pending_until {
                Ok((Plan::default(), Settle::Snooze(request.pending_until)))
            } else {
                refused(Refusal::DirectoryUnreachable)
            };
        }
        Err(refusal) => return refused(refusal),
    };
    let Some(resource) = policy.resources.get(&request.spec.resource) else {
        return refused(Refusal::NoLongerAllowed);
    };
    let mut plan = Plan::default();
    let rule = allowed.asked_under.clone();
    plan.record(checking::checked(&request, rule, &policy.hash));
    let what_follows = match by_rule(tx, &allowed, allowed.spec.duration_s).await? {
        Some(rule) => {
            let timing = ActivationTiming {
                activation_s: resource.activation_s,
                remind_s: &resource.remind_s,
            };
            requesting::approve(&request, Decider::Rule, rule, &policy.hash, timing, now)
        }
        None => {
            let latest = now + seconds(resource.pending_for_s);
            let next = Request {
                approvals_needed: allowed.approvals_needed,
                card_place: super::places::card_place(tx, &policy, &resource.name).await?,
                pending_until: request.spec.until.map_or(latest, |until| until.min(latest)),
                ..request.clone()
            };
            checking::wait_for_people(&request, next, now)
        }
    };
    plan.changes.extend(what_follows.map_err(conflict)?.changes);
    Ok((plan, Settle::Done))
}
