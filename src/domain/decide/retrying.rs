//! When a target is called again, and what is kept of what it said.

use crate::domain::job::{ISSUER_BACKOFF_MS, Job};
use crate::domain::timing::{Timestamp, backoff, seconds};

/// When to call a target again.
#[must_use]
pub fn retry_at(job: &Job, after_s: Option<i64>, now: Timestamp) -> Timestamp {
    let attempt = u32::try_from(job.failures + 1).unwrap_or(u32::MAX);
    let seed = job.id.unsigned_abs();
    let wait = backoff(attempt, ISSUER_BACKOFF_MS.0, ISSUER_BACKOFF_MS.1, seed);
    // A target may ask for a longer wait than ours, but not push an end beyond any bound.
    now + wait.max(seconds(after_s.unwrap_or(0).clamp(0, 300)))
}

/// What a target said, short enough for the record.
#[must_use]
pub fn cut(said: &str) -> String {
    said.chars().filter(|c| !c.is_control()).take(300).collect()
}
