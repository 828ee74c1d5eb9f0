//! Durable work: what must still happen, and when. A job carries ids; its handler loads what is true.
//! The kinds stand in `job_kind`; how each is enqueued in `job_order`.

use serde::{Deserialize, Serialize};

use super::ids::IssuerName;
pub use super::job_kind::JobKind;
use super::timing::Timestamp;

/// The queue that a job waits in: lanes take turns, and one that is sick holds up no other.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Lane(pub String);

impl Lane {
    /// Calls to one issuer instance.
    #[must_use]
    pub fn issuer(name: &IssuerName) -> Self {
        Self(format!("issuer:{name}"))
    }

    /// Messages to one channel or person.
    #[must_use]
    pub fn chat(whereto: &str) -> Self {
        Self(format!("chat:{whereto}"))
    }

    /// Questions to the directory of one platform.
    #[must_use]
    pub fn directory(platform: &str) -> Self {
        Self(format!("directory:{platform}"))
    }

    /// Looks at one channel, or at all.
    #[must_use]
    pub fn look(what: &str) -> Self {
        Self(format!("look:{what}"))
    }

    /// What needs nobody outside.
    #[must_use]
    pub fn engine() -> Self {
        Self("engine".into())
    }

    /// Jobs of this lane that may be in flight together. A chat lane keeps its order.
    #[must_use]
    pub fn in_flight_max(&self) -> usize {
        if self.0.starts_with("issuer:") { 4 } else { 1 }
    }
}

/// A job that was claimed: nobody else runs it until the lease is over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Job {
    /// Row.
    pub id: i64,
    /// What.
    pub kind: JobKind,
    /// Its lane.
    pub lane: Lane,
    /// From 1, raised by each claim. Settling names it, so that a stale worker changes nothing.
    pub attempt: i64,
    /// Attempts that failed since it last succeeded or was moved; waiting for a reason is no failure.
    pub failures: i64,
    /// When it was due.
    pub run_at: Timestamp,
    /// When the claim ends.
    pub lease_until: Timestamp,
}

/// Names one claim of one job; every settling is guarded by it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Claim {
    /// The job.
    pub job: i64,
    /// The attempt.
    pub attempt: i64,
}

impl Job {
    /// This claim.
    #[must_use]
    pub const fn claim(&self) -> Claim {
        Claim {
            job: self.id,
            attempt: self.attempt,
        }
    }
}

/// What becomes of a job after an attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Settle {
    /// Nothing is left to do.
    Done,
    /// It failed; again at this moment.
    Again {
        /// When.
        at: Timestamp,
        /// Why, without secrets.
        error: String,
    },
    /// It waits for this moment; no failure.
    Snooze(
        /// When.
        Timestamp,
    ),
    /// It can never succeed; kept and shown. Never for what ends access.
    GiveUp {
        /// Why, without secrets.
        error: String,
    },
}

/// How long a claim holds, in seconds. Every call that a handler makes is bounded well below it.
pub const LEASE_S: i64 = 60;

/// The longest that a handler may take for all of its calls, in seconds: shorter than the lease.
pub const HANDLER_MAX_S: u64 = 45;

/// Failures after which a revocation is called stuck.
pub const STUCK_AFTER: i64 = 5;

/// First wait and longest wait after a failed call to a target, in milliseconds.
pub const ISSUER_BACKOFF_MS: (i64, i64) = (2_000, 60_000);

/// First wait and longest wait after a failed call to a chat platform, in milliseconds.
pub const CHAT_BACKOFF_MS: (i64, i64) = (1_000, 120_000);

/// Failures after which a message (never a revocation) is given up.
pub const CHAT_ATTEMPTS_MAX: i64 = 40;
