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
pub mod erasing;
mod extending;
mod keys;
mod leaving;
mod missed;
mod orphans;
mod outcome;
mod places;
mod queries;
mod refreshing;
mod reloading;
mod renewing;
mod retention;
mod submitting;
mod turns;
mod verdict;
mod watching;

use std::sync::Arc;
use std::sync::atomic::AtomicI64;

use arc_swap::ArcSwap;
use chrono::TimeDelta;

use crate::domain::timing::Timestamp;
use crate::policy::Policy;
use crate::store::{Store, StoreError};

pub use extending::ExtendTurn;
pub use orphans::{Lost, Orphan, orphans};
pub use queries::{CardFacts, Unwritten};
pub use refreshing::DueFacts;
pub use reloading::NotTakenUp;
pub use renewing::RenewTurn;
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

/// What holds until another config is taken up.
#[derive(Clone)]
pub struct InForce {
    /// Everything that decides.
    pub policy: Arc<Policy>,
    /// When digests are due.
    pub schedule: DigestSchedule,
    /// How long the record is kept; for ever where none is set.
    pub keep: Option<TimeDelta>,
}

/// The engine's front.
pub struct Service {
    store: Arc<dyn Store>,
    /// Read within each transaction, never before it: what is committed after a change is decided by
    /// what the change brought.
    in_force: Arc<ArcSwap<InForce>>,
    chance: Chance,
    /// The last jump of the machine's clock that security was told of, by its moment in
    /// milliseconds. A jump is not remembered over a restart either.
    told_of_jump: Arc<AtomicI64>,
    /// The last refusal of a config that security was told of, so that the same one is told once.
    told_of_refusal: reloading::LastRefusal,
}

impl Service {
    /// Over this store, under this policy.
    #[must_use]
    pub fn new(store: Arc<dyn Store>, in_force: InForce, chance: Chance) -> Self {
        Self {
            store,
            in_force: Arc::new(ArcSwap::from_pointee(in_force)),
            chance,
            told_of_jump: Arc::default(),
            told_of_refusal: reloading::LastRefusal::default(),
        }
    }

    /// The policy that holds now.
    #[must_use]
    pub fn policy(&self) -> Arc<Policy> {
        self.in_force.load().policy.clone()
    }

    /// The engine's time, as the next transaction would have it.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.store.now()
    }
}
