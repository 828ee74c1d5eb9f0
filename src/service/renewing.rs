//! Secrets that targets make: having one made anew, and what came of sending it.

use super::apply::{apply, conflict};
use super::turns::held_by_clock;
use super::{Service, ServiceError};
use crate::domain::decide::{Plan, delivering};
use crate::domain::grant::Grant;
use crate::domain::ids::{AccountId, GrantId};
use crate::domain::job::{Claim, Job, JobKind, Settle};
use crate::domain::outcome::Outcome;
use crate::domain::timing::Timestamp;
use crate::store::{StoreError, Tx, write_for};

/// Whether to have a secret made anew now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RenewTurn {
    /// The intent is committed: call the target about this grant and tell it this end, by the machine's
    /// clock.
    Call(Box<Grant>, Timestamp),
    /// Not now: the machine's clock can't be trusted.
    NotBefore(Timestamp),
    /// The access is over.
    Nothing,
}

impl Service {
    /// Commits the intent to have the secret of live access made anew.
    ///
    /// # Errors
    /// When the store failed; the target must not be called then.
    pub async fn begin_renew(&self, claim: Claim, id: &GrantId) -> Result<RenewTurn, ServiceError> {
        let in_force = self.in_force.clone();
        let told_of = self.told_of_jump.clone();
        let id = id.clone();
        Ok(write_for(&*self.store, claim, move |tx| {
            Box::pin(async move {
                let Some(grant) = tx.grant(&id).await? else {
                    return Ok(RenewTurn::Nothing);
                };
                if !tx.holds(claim).await? {
                    return Ok(RenewTurn::Nothing);
                }
                let policy = in_force.load().policy.clone();
                if let Some(later) = held_by_clock(tx, &policy, &told_of).await? {
                    return Ok(RenewTurn::NotBefore(later));
                }
                let turn = delivering::begin_renew(&grant, tx.now(), tx.machine_now());
                let Some((plan, next, until)) = turn else {
                    return Ok(RenewTurn::Nothing);
                };
                apply(tx, plan).await?;
                Ok(RenewTurn::Call(next, until))
            })
        })
        .await?)
    }
}

/// What came of having it made anew.
pub(super) async fn renewed(
    tx: &mut dyn Tx,
    id: &GrantId,
    to: &AccountId,
    job: &Job,
    outcome: Outcome,
) -> Result<(Plan, Settle), StoreError> {
    let now = tx.now();
    let (Some(grant), Some(request)) = (tx.grant(id).await?, tx.request(&id.request()).await?)
    else {
        return Ok((Plan::default(), Settle::Done));
    };
    Ok(match outcome {
        Outcome::Issued { handle, secret } => {
            let plan = delivering::renewed(&request, &grant, handle, secret, to, now);
            (plan.map_err(conflict)?, Settle::Done)
        }
        Outcome::NotIssued { said } | Outcome::Impossible { said } => (
            delivering::not_renewed(&grant, &said, to, now),
            Settle::Done,
        ),
        Outcome::Retry { said, after_s, .. } => {
            delivering::renew_troubled(&grant, job, &said, after_s, now)
        }
        Outcome::IssueUnknown { said } => delivering::renew_troubled(&grant, job, &said, None, now),
        Outcome::NotBefore(at) => (Plan::default(), Settle::Snooze(at)),
        _ => (Plan::default(), Settle::Done),
    })
}

/// What came of a message that held a secret; none where it held none.
pub(super) async fn handed_over(
    tx: &mut dyn Tx,
    kind: &JobKind,
    outcome: &Outcome,
) -> Result<Option<(Plan, Settle)>, StoreError> {
    let done = match outcome {
        Outcome::SecretSent { grant, to } => match tx.grant(grant).await? {
            Some(grant) => (delivering::sent(&grant, to), Settle::Done),
            None => (Plan::default(), Settle::Done),
        },
        Outcome::SecretMayBeLost { grant, said } => {
            tracing::warn!(%grant, job = ?kind, "a secret may not have arrived: {said}");
            match tx.grant(grant).await? {
                // The same message again, which now says how to get another.
                Some(grant) => (
                    delivering::may_be_lost(&grant, said),
                    Settle::Snooze(tx.now()),
                ),
                None => (Plan::default(), Settle::Done),
            }
        }
        _ => return Ok(None),
    };
    Ok(Some(done))
}
