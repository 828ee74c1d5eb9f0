//! Removing what of the record is older than it is kept.

use chrono::TimeDelta;

use crate::domain::audit::AuditEntry;
use crate::domain::audit_verify::{Broken, Verifier};
use crate::domain::job::Settle;
use crate::domain::segment::{ENTRIES_MAX, OldSegment, Segment};
use crate::store::{StoreError, Tx};

/// How often it is looked whether a segment is old enough.
const LOOK_AGAIN: TimeDelta = TimeDelta::days(1);

/// How long after a start it is looked first: a machine that boots with a wrong clock has the right
/// one by then.
pub(super) const FIRST_LOOK: TimeDelta = TimeDelta::hours(1);

/// Removes the oldest segment if it is old enough and nothing needs it, and looks at once whether
/// there is another; otherwise again in a day.
pub(super) async fn remove(tx: &mut dyn Tx, keep: Option<TimeDelta>) -> Result<Settle, StoreError> {
    let Some(keep) = keep else {
        return Ok(Settle::Done);
    };
    let (now, machine_now) = (tx.now(), tx.machine_now());
    let in_a_day = Settle::Snooze(now + LOOK_AGAIN);
    if tx.jump().is_some() {
        tracing::warn!("the machine's clock was set anew: nothing of the record is removed today");
        return Ok(in_a_day);
    }
    // Where the two parted for good, what is old by one of them only stays.
    let until = now.min(machine_now) - keep;
    let Some(oldest) = tx.oldest_segment(until, machine_now, ENTRIES_MAX).await? else {
        return Ok(in_a_day);
    };
    if let Some(needed_by) = &oldest.needed_by {
        tracing::info!(
            from = oldest.from,
            to = oldest.to.count,
            "old entries of the record stay for now: {needed_by}"
        );
        return Ok(in_a_day);
    }
    let removed = tx.removed_segments().await?;
    if let Err(broken) = fits(tx, &removed, &oldest).await? {
        tracing::error!(
            "nothing of the record is removed, for that would hide what is wrong: {broken}"
        );
        return Ok(in_a_day);
    }
    let segment = oldest.removed(removed.last(), tx.head().await?.count + 1);
    let moved = handed_on(tx.last_taken_up().await?, &segment);
    tx.remove_segment(&segment, until).await?;
    tx.audit(segment.told(moved)).await?;
    Ok(Settle::Snooze(now))
}

/// Whether each entry of the segment fits the ones before.
async fn fits(
    tx: &mut dyn Tx,
    removed: &[Segment],
    oldest: &OldSegment,
) -> Result<Result<(), Broken>, StoreError> {
    let mut verifier = match Verifier::after(removed, None) {
        Ok(verifier) => verifier,
        Err(broken) => return Ok(Err(broken)),
    };
    let count = oldest.to.count - oldest.from + 1;
    for entry in tx.audit_after(oldest.from - 1, count).await? {
        if let Err(broken) = verifier.take(&entry) {
            return Ok(Err(broken));
        }
    }
    Ok(Ok(()))
}

/// What the entry about the config that was taken up last says of names of groups, where it goes with
/// this segment: the next start would tell security of them again.
fn handed_on(last: Option<AuditEntry>, segment: &Segment) -> Option<serde_json::Value> {
    let last = last.filter(|entry| entry.seq <= segment.to.count)?;
    let mut body: serde_json::Value = serde_json::from_str(&last.body).ok()?;
    Some(body["facts"]["moved"].take()).filter(|moved| !moved.is_null())
}
