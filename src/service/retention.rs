//! Removing what of the record is older than it is kept.

use std::collections::BTreeSet;

use chrono::TimeDelta;
use serde_json::{Map, Value};

use crate::domain::audit::AuditEntry;
use crate::domain::audit_verify::{Broken, Verifier};
use crate::domain::ids::Place;
use crate::domain::job::Settle;
use crate::domain::job_order::JobOrder;
use crate::domain::record_news::RecordNews;
use crate::domain::segment::{ENTRIES_MAX, OldSegment, Segment};
use crate::domain::timing::Timestamp;
use crate::policy::Policy;
use crate::store::{StoreError, Tx};

/// How often it is looked whether a segment is old enough.
const LOOK_AGAIN: TimeDelta = TimeDelta::days(1);

/// How long after the record is kept for less time it is looked first: whoever reads that less is kept
/// has time to say no. So long after a start too, where the last one is so long ago: a machine that boots
/// with a wrong clock has the right one by then. After a start within that time the look stays where it
/// was, so that it comes also where the bot never runs for that long; a clock is not wrong by more than
/// the time that went by.
const FIRST_LOOK: TimeDelta = TimeDelta::days(1);

/// So many days of the record go in a day at most: enough to catch up with whatever comes in, and little
/// enough that a clock that is wrong, or a config that nobody wanted, is seen before all is gone.
const DAYS_A_DAY: i32 = 7;

/// What the entry about a config says of how long the record is kept, in days; not there where for ever.
pub(super) const KEEP_FACT: &str = "keep_days";

/// The config that was taken up before.
pub(super) struct Former {
    /// The facts of its entry.
    pub(super) facts: Value,
    /// When it was taken up; none where its entry does not say.
    pub(super) at: Option<Timestamp>,
}

/// Orders the first look. Where the config before kept the record for longer, security is told, and
/// nothing goes before they can have read it. None of a record that begins with this config.
pub(super) async fn take_up(
    tx: &mut dyn Tx,
    keep: Option<TimeDelta>,
    before: Option<&Former>,
    is_start: bool,
    places: &BTreeSet<&Place>,
) -> Result<(), StoreError> {
    let Some(kept) = keep else {
        return tx.cancel_job(JobOrder::REMOVE_OLD_KEY).await;
    };
    let now = tx.now();
    let first_look = now + FIRST_LOOK;
    let news = before.and_then(|before| {
        let was = before.facts[KEEP_FACT].as_i64();
        RecordNews::if_shorter(was, Some(kept.num_days()), first_look)
    });
    let ran_lately = before
        .and_then(|before| before.at)
        .is_some_and(|at| now - at < FIRST_LOOK);
    let anew = (is_start && !ran_lately) || news.is_some();
    tx.enqueue(&JobOrder::remove_old(first_look, anew)).await?;
    if let Some(news) = news {
        for place in places {
            tx.enqueue(&JobOrder::tell_record(&news, place, now))
                .await?;
        }
    }
    Ok(())
}

/// Removes the oldest segment if it is old enough and nothing needs it; says when to look again.
pub(super) async fn remove(
    tx: &mut dyn Tx,
    policy: &Policy,
    keep: Option<TimeDelta>,
) -> Result<Settle, StoreError> {
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
    let oldest = match tx.oldest_segment(until, machine_now, ENTRIES_MAX).await {
        Ok(Some(oldest)) => oldest,
        Ok(None) => return Ok(in_a_day),
        Err(wrong @ StoreError::Inconsistent { .. }) => {
            does_not_fit(tx, policy, wrong.to_string()).await?;
            return Ok(in_a_day);
        }
        Err(error) => return Err(error),
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
        does_not_fit(tx, policy, broken.to_string()).await?;
        return Ok(in_a_day);
    }
    let segment = oldest.removed(removed.last(), tx.head().await?.count + 1);
    let handed_on = handed_on(tx.last_taken_up().await?, &segment, keep);
    tx.remove_segment(&segment, until).await?;
    tx.audit(segment.told(handed_on)).await?;
    let before = removed.last().map_or(segment.first_at, |last| last.last_at);
    let pause = (segment.last_at - before) / DAYS_A_DAY;
    Ok(Settle::Snooze(now + pause.min(LOOK_AGAIN)))
}

/// It is looked once a day, so security is told of it once a day.
async fn does_not_fit(tx: &mut dyn Tx, policy: &Policy, said: String) -> Result<(), StoreError> {
    tracing::error!("nothing of the record is removed, for that would hide what is wrong: {said}");
    let news = RecordNews::DoesNotFit { said };
    for place in &policy.security.channels {
        tx.enqueue(&JobOrder::tell_record(&news, place, tx.now()))
            .await?;
    }
    Ok(())
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

/// What the next config that is taken up is compared with, where the entry about the last one goes with
/// this segment: names of groups, of which security would be told again, and how long the record is kept.
fn handed_on(last: Option<AuditEntry>, segment: &Segment, keep: TimeDelta) -> Map<String, Value> {
    let mut facts = Map::new();
    let Some(last) = last.filter(|entry| entry.seq <= segment.to.count) else {
        return facts;
    };
    facts.insert(KEEP_FACT.to_owned(), keep.num_days().into());
    let body: Value = serde_json::from_str(&last.body).unwrap_or_default();
    if let Some(moved) = body["facts"].get("moved") {
        facts.insert("moved".to_owned(), moved.clone());
    }
    facts
}
