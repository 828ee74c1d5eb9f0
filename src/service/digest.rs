//! Making the digest of a scheduled moment.

use super::DigestSchedule;
use crate::domain::audit::{AuditDraft, AuditKind};
use crate::domain::decide::Plan;
use crate::domain::job::Settle;
use crate::domain::job_order::JobOrder;
use crate::domain::timing::{Timestamp, seconds};
use crate::policy::Policy;
use crate::store::{StoreError, Tx};

/// How long the answer to an event is kept, in seconds.
const ANSWERS_KEPT_S: i64 = 7 * 86_400;

/// Marks what the digest covers, tells every channel of security, and waits for the next moment.
pub(super) async fn make(
    tx: &mut dyn Tx,
    policy: &Policy,
    schedule: &DigestSchedule,
    slot: Timestamp,
) -> Result<(Plan, Settle), StoreError> {
    let now = tx.now();
    let mut plan = Plan::default();
    let from_seq = tx.last_digest().await?.map_or(0, |mark| mark.to.count);
    let head = tx.head().await?;
    if let Some(number) = tx.insert_digest(slot, from_seq, &head).await? {
        plan.record(
            AuditDraft::new(AuditKind::DigestMade)
                .fact("digest", number)
                .fact("from", from_seq)
                .fact("to", head.to_string()),
        );
        for place in &policy.security.channels {
            plan.job(JobOrder::digest(number, place, now));
        }
    }
    // No platform sends an event again after so long.
    tx.forget_answers(now - seconds(ANSWERS_KEPT_S)).await?;
    // Moments that passed while nobody ran are covered by this one digest.
    if let Some(next) = schedule(now.max(slot)) {
        plan.job(JobOrder::digest_due(next));
    }
    Ok((plan, Settle::Done))
}
