//! People who leave: what they hold ends, and what they asked for is cancelled.

use std::sync::Arc;

use super::apply::conflict;
use super::verdict::knowing_both;
use crate::domain::decide::cancelling::{self, Cancelled};
use crate::domain::decide::{Plan, checking};
use crate::domain::departure::Departure;
use crate::domain::grant::GrantState;
use crate::domain::ids::{AccountId, GrantId};
use crate::domain::job_order::JobOrder;
use crate::policy::Policy;
use crate::policy::staying::departure;
use crate::store::{StoreError, Tx};

/// Requests that are looked at in one transaction. Nobody has as many open and live at once.
const LOOKED_AT_MAX: i64 = 1_000;

/// Looks at everything that an account asked for or would receive.
pub(super) async fn check_holder(
    tx: &mut dyn Tx,
    policy: &Arc<Policy>,
    account: &AccountId,
) -> Result<Plan, StoreError> {
    let now = tx.now();
    let mut plan = Plan::default();
    let mut ended: Vec<GrantId> = Vec::new();
    let mut why: Option<Departure> = None;
    for request in tx
        .live_requests_of(std::slice::from_ref(account), LOOKED_AT_MAX)
        .await?
    {
        let known = knowing_both(tx, policy, &request).await?;
        let Some(left) = departure(&known, &request, now) else {
            continue;
        };
        if request.state.is_open() {
            let one = cancelling::cancel(&request, Cancelled::Left(left), &policy.hash, now)
                .map_err(conflict)?;
            plan.changes.extend(one.changes);
            continue;
        }
        let grant = tx.grant(&request.id.grant()).await?;
        let Some(grant) = grant.filter(|grant| {
            !grant.state.is_over()
                && !matches!(grant.state, GrantState::Revoking | GrantState::Stuck)
        }) else {
            continue;
        };
        let one = checking::leave(&request, &grant, left, &policy.hash, now).map_err(conflict)?;
        plan.changes.extend(one.changes);
        ended.push(grant.id);
        why = Some(left);
    }
    if let Some(why) = why {
        for place in &policy.security.channels {
            plan.job(JobOrder::tell_left(account, why, ended.clone(), place, now));
        }
    }
    Ok(plan)
}
