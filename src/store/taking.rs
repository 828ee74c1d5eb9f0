//! Who takes jobs as they come due.
//!
//! While jitbot works, jobs are claimed in the transaction that enqueued or settled some, and handed over
//! when it is committed: a transaction for each look would cost more than most jobs.

use crate::domain::job::{Claim, Job, Lane};
use crate::domain::timing::Timestamp;
use crate::store::StoreError;

/// What somebody takes at this moment.
#[derive(Debug, Clone, Default)]
pub struct Wanted {
    /// So many jobs.
    pub room: usize,
    /// None of these lanes.
    pub paused: Vec<Lane>,
    /// Claims whose runs are over, whatever was recorded of them: what they still occupy is freed.
    pub over: Vec<Claim>,
}

/// Takes jobs. Called by the writer between two transactions, so it answers at once.
pub trait JobTaker: Send + Sync {
    /// What it takes now. Claims that are over are told once, unless they come back.
    fn wanted(&self) -> Wanted;
    /// These are claimed, and that is committed. The first job that is not due yet is due at this moment.
    fn take(&self, jobs: Vec<Job>, next_due: Option<Timestamp>);
    /// Nothing was committed: these claims are told again.
    fn not_kept(&self, over: Vec<Claim>, error: &StoreError);
}
