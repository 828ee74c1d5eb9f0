//! Durable jobs: claims what is due, runs its handler, hands the outcome over.

use async_trait::async_trait;

use crate::domain::job::Job;
use crate::domain::outcome::Outcome;

/// Does what a job says, outside any transaction. Implemented by `effects`.
#[async_trait]
pub trait Handler: Send + Sync + 'static {
    /// One attempt.
    async fn run(&self, job: &Job) -> Outcome;
}

/// Records what came of it, in one transaction with the settling of the job. Implemented by `service`.
#[async_trait]
pub trait Recorder: Send + Sync + 'static {
    /// Records an attempt's outcome.
    ///
    /// # Errors
    /// Why nothing was recorded; the claim's lease then runs out and the job is tried again.
    async fn record(&self, job: &Job, outcome: Outcome) -> Result<(), String>;
}
