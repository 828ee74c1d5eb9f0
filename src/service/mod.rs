//! What jitbot does: facts in the transaction, a pure decision, one commit.
//!
//! Opens every write transaction but those in which the worker claims, and calls nothing outside
//! while one is open. Knows neither chat nor issuers.

mod acting;
mod apply;
mod asking;
mod checking;
mod deciding;
mod digest;
mod ending;
mod extending;
mod leaving;
mod missed;
mod outcome;
mod places;
mod queries;
mod refreshing;
mod submitting;
mod turns;
mod verdict;

use std::collections::BTreeSet;
use std::sync::atomic::AtomicI64;
use std::sync::{Arc, RwLock};

use crate::domain::audit::{AuditDraft, AuditKind, Head};
use crate::domain::ids::AccountId;
use crate::domain::job_order::JobOrder;
use crate::domain::timing::Timestamp;
use crate::policy::Policy;
use crate::store::{Store, StoreError, Tx, Urgency, write};

pub use queries::CardFacts;
pub use refreshing::DueFacts;
pub use turns::{IssueTurn, RevokeTurn};

/// When the digest after a moment is due.
pub type DigestSchedule = Arc<dyn Fn(Timestamp) -> Option<Timestamp> + Send + Sync>;

/// Fresh chance: 64 bits.
pub type Chance = Arc<dyn Fn() -> u64 + Send + Sync>;

/// Our fault, or the database's: nothing was kept.
#[derive(Debug, thiserror::Error)]
pub enum ServiceError {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The engine's front.
pub struct Service {
    store: Arc<dyn Store>,
    policy: RwLock<Arc<Policy>>,
    schedule: DigestSchedule,
    chance: Chance,
    /// The last jump of the machine's clock that security was told of, by its moment in
    /// milliseconds. A jump is not remembered over a restart either.
    told_of_jump: Arc<AtomicI64>,
}

impl Service {
    /// Over this store, under this policy.
    #[must_use]
    pub fn new(
        store: Arc<dyn Store>,
        policy: Arc<Policy>,
        schedule: DigestSchedule,
        chance: Chance,
    ) -> Self {
        Self {
            store,
            policy: RwLock::new(policy),
            schedule,
            chance,
            told_of_jump: Arc::default(),
        }
    }

    /// The policy that holds now.
    #[must_use]
    pub fn policy(&self) -> Arc<Policy> {
        self.policy
            .read()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
            .clone()
    }

    /// The engine's time, as the next transaction would have it.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.store.now()
    }

    /// Records the start under this policy, and when the next digest is due.
    ///
    /// # Errors
    /// When the store fails; nothing was kept then.
    pub async fn start(&self) -> Result<Head, ServiceError> {
        let policy = self.policy();
        let schedule = self.schedule.clone();
        // Read outside: there may be many, and every answer waits for a transaction.
        let holders = self.store.reader().await?.holders().await?;
        let head = write(&*self.store, Urgency::Outcome, move |tx| {
            Box::pin(async move {
                tx.keep_policy(&policy.hash, &policy.text).await?;
                tx.audit(started(&policy)).await?;
                for (issuer, facts) in &policy.issuers {
                    tx.keep_issuer(issuer, &facts.bound_to).await?;
                    tx.enqueue(&JobOrder::publish(issuer, tx.now())).await?;
                }
                look_after_people(tx, &policy, holders).await?;
                // A digest that was missed while nobody ran is made now, once.
                let after = tx.last_digest().await?.map_or(tx.now(), |mark| mark.slot);
                if let Some(slot) = schedule(after) {
                    tx.enqueue(&JobOrder::digest_due(slot)).await?;
                }
                tx.head().await
            })
        })
        .await?;
        Ok(head)
    }
}

/// The start, with which group of a platform each name of the config was found to be: the hash of the
/// policy is of names.
fn started(policy: &Policy) -> AuditDraft {
    let draft = AuditDraft::new(AuditKind::Started).under(&policy.hash, Vec::new());
    let names = &policy.directories.names;
    if names.is_empty() {
        return draft;
    }
    let groups: serde_json::Map<String, serde_json::Value> = names
        .iter()
        .map(|(id, name)| (name.clone(), id.as_str().into()))
        .collect();
    draft.fact("groups", groups)
}

/// After a policy came into force: the directory is asked, and whoever it leaves out is looked for.
async fn look_after_people(
    tx: &mut dyn Tx,
    policy: &Policy,
    holders: BTreeSet<AccountId>,
) -> Result<(), StoreError> {
    let now = tx.now();
    for platform in &policy.directories.platforms {
        tx.enqueue(&JobOrder::refresh_facts(platform, now)).await?;
    }
    for holder in holders {
        tx.enqueue(&JobOrder::check_holder(&holder, now)).await?;
    }
    Ok(())
}
