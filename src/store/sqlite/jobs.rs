//! Jobs: enqueued, dropped, settled. How they are claimed stands in `claims`.

use sqlx::sqlite::SqliteRow;
use sqlx::{Row, SqliteConnection};

use super::changes::{Change, make};
use super::fault::{database, inconsistent};
use super::rows::instant;
use crate::domain::job::{Claim, JobKind, Settle};
use crate::domain::job_order::{JobOrder, OnDuplicate};
use crate::domain::timing::Timestamp;
use crate::store::StoreError;

// What stands under the key already is kept, moved, or moved to an earlier moment; one that is running is
// told to run again. The last parameter says which.
pub(super) const ENQUEUE: &str =
    "INSERT INTO jobs (kind, key, lane, serial_key, rank, run_at, state, ripe, attempt, failures, ordered_at)
    VALUES ($1, $2, $3, $4, $5, $6, 'waiting', $7, 0, 0, $8)
    ON CONFLICT (key) WHERE state IN ('waiting', 'running') DO UPDATE SET
        kind = CASE state WHEN 'waiting' THEN excluded.kind ELSE kind END,
        lane = CASE state WHEN 'waiting' THEN excluded.lane ELSE lane END,
        serial_key = CASE state WHEN 'waiting' THEN excluded.serial_key ELSE serial_key END,
        rank = CASE state WHEN 'waiting' THEN excluded.rank ELSE rank END,
        run_at = CASE state WHEN 'waiting' THEN excluded.run_at ELSE run_at END,
        ripe = CASE state WHEN 'waiting' THEN excluded.ripe ELSE ripe END,
        failures = CASE state WHEN 'waiting' THEN 0 ELSE failures END,
        again_at = CASE state WHEN 'running' THEN excluded.run_at ELSE again_at END
    WHERE $9 = 'move' OR ($9 = 'move_earlier' AND CASE state
        WHEN 'running' THEN again_at IS NULL OR excluded.run_at < again_at
        ELSE excluded.run_at < run_at END)";

pub(super) const CANCEL: [&str; 2] = [
    "DELETE FROM jobs WHERE key = $1 AND state IN ('waiting', 'running') AND state = 'waiting'",
    "UPDATE jobs SET state = 'cancelled', again_at = NULL
    WHERE key = $1 AND state IN ('waiting', 'running') AND state = 'running'",
];

pub(super) const CLAIMED: &str = "SELECT state, again_at FROM jobs
    WHERE id = $1 AND attempt = $2 AND state IN ('running', 'cancelled')";

// One that nobody asked for again meanwhile.
pub(super) const DONE: &str = "DELETE FROM jobs
    WHERE id = $1 AND attempt = $2 AND state = 'running' AND again_at IS NULL";

pub(super) const WAIT: &str =
    "UPDATE jobs SET state = 'waiting', lease_until = NULL, again_at = NULL,
    run_at = $1, ripe = $2, failures = $3 * (failures + $4), last_error = coalesce($5, last_error)
    WHERE id = $6 AND attempt = $7";

pub(super) const GIVE_UP: &str = "UPDATE jobs SET state = 'given_up', lease_until = NULL,
    failures = failures + 1, last_error = $1 WHERE id = $2 AND attempt = $3";

pub(super) const LET_GO: &str =
    "DELETE FROM jobs WHERE id = $1 AND attempt = $2 AND state = 'cancelled'";

// Two seeks rather than one search, so that each is answered by the index on (ripe, run_at).
pub(super) const NEXT_DUE: &str = "SELECT min(due) FROM (
    SELECT min(run_at) AS due FROM jobs WHERE state = 'waiting' AND ripe = 1
    UNION ALL SELECT min(run_at) FROM jobs WHERE state = 'waiting' AND ripe = 0) AS first";

pub(super) const OPEN_KIND: &str = "SELECT kind FROM jobs
    WHERE key = $1 AND state IN ('waiting', 'running')";

pub(super) const OPEN_ERROR: &str = "SELECT last_error FROM jobs
    WHERE key = $1 AND state IN ('waiting', 'running')";

pub(super) const GIVEN_UP_ERROR: &str = "SELECT last_error FROM jobs
    WHERE key = $1 AND state = 'given_up' ORDER BY id DESC LIMIT 1";

const OPEN: &str = "SELECT key, state FROM jobs WHERE state <> 'cancelled' ORDER BY id";

fn ripe(run_at: Timestamp, now: Timestamp) -> i64 {
    i64::from(run_at <= now)
}

pub(super) fn enqueue(order: &JobOrder, now: Timestamp) -> Result<Change, StoreError> {
    let kind = serde_json::to_string(&order.kind)
        .map_err(|why| inconsistent(format!("job {}", order.key), why))?;
    let on_duplicate = match order.on_duplicate {
        OnDuplicate::Keep => "keep",
        OnDuplicate::Move => "move",
        OnDuplicate::MoveEarlier => "move_earlier",
    };
    Ok(Change::new(ENQUEUE)
        .bind(kind)
        .bind(order.key.as_str())
        .bind(order.lane.0.as_str())
        .bind(order.serial_key.as_deref())
        .bind(order.rank)
        .bind(order.run_at.timestamp_millis())
        .bind(ripe(order.run_at, now))
        .bind(now.timestamp_millis())
        .bind(on_duplicate))
}

/// A waiting row goes. A running one frees its key and settles nothing any more, but keeps its place
/// until its run is over: the call that it may be making still is one call in flight.
pub(super) fn cancel(key: &str) -> Vec<Change> {
    CANCEL.map(|sql| Change::new(sql).bind(key)).to_vec()
}

/// Whether this row, as [`CLAIMED`] finds it, is a claim that holds.
pub(super) fn is_held(row: &SqliteRow) -> Result<bool, StoreError> {
    let state: String = row.try_get("state").map_err(database)?;
    Ok(state == "running")
}

/// The row of a claim that was not overtaken: (no longer wanted, when it is to run again).
async fn claimed(
    conn: &mut SqliteConnection,
    claim: Claim,
) -> Result<Option<(bool, Option<i64>)>, StoreError> {
    let row = sqlx::query(CLAIMED)
        .bind(claim.job)
        .bind(claim.attempt)
        .fetch_optional(conn)
        .await
        .map_err(database)?;
    row.map(|row| {
        let state: String = row.try_get("state").map_err(database)?;
        let again_at = row.try_get("again_at").map_err(database)?;
        Ok((state == "cancelled", again_at))
    })
    .transpose()
}

pub(super) async fn holds(conn: &mut SqliteConnection, claim: Claim) -> Result<bool, StoreError> {
    Ok(claimed(conn, claim)
        .await?
        .is_some_and(|(unwanted, _)| !unwanted))
}

pub(super) async fn let_go(conn: &mut SqliteConnection, claim: Claim) -> Result<bool, StoreError> {
    let gone = sqlx::query(LET_GO)
        .bind(claim.job)
        .bind(claim.attempt)
        .execute(conn)
        .await
        .map_err(database)?;
    Ok(gone.rows_affected() > 0)
}

/// How a row waits after an attempt.
struct Wait<'e> {
    at: Timestamp,
    /// Whether earlier failures still count.
    keeps_failures: bool,
    /// One more.
    failed: bool,
    error: Option<&'e str>,
}

async fn wait(
    conn: &mut SqliteConnection,
    claim: Claim,
    wait: Wait<'_>,
    now: Timestamp,
) -> Result<(), StoreError> {
    sqlx::query(WAIT)
        .bind(wait.at.timestamp_millis())
        .bind(ripe(wait.at, now))
        .bind(i64::from(wait.keeps_failures))
        .bind(i64::from(wait.failed))
        .bind(wait.error)
        .bind(claim.job)
        .bind(claim.attempt)
        .execute(conn)
        .await
        .map_err(database)?;
    Ok(())
}

/// Settles a claim as done, which most are: one row goes, unless it was overtaken or is wanted again.
pub(super) fn done(claim: Claim) -> Change {
    Change::new(DONE).bind(claim.job).bind(claim.attempt)
}

pub(super) async fn settle(
    conn: &mut SqliteConnection,
    claim: Claim,
    settle: &Settle,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let Some((unwanted, again_at)) = claimed(conn, claim).await? else {
        return Ok(false);
    };
    if unwanted {
        let_go(conn, claim).await?;
        return Ok(false);
    }
    let again_at = again_at
        .map(|ms| instant(ms, &format!("job {}", claim.job)))
        .transpose()?;
    let anew = |at: Timestamp| Wait {
        at,
        keeps_failures: false,
        failed: false,
        error: None,
    };
    match (settle, again_at) {
        (Settle::Done, None) => {
            make(conn, vec![done(claim)]).await?;
        }
        // It was asked for again while it ran: that wish is a new one, whatever became of this.
        (Settle::Done, Some(at)) => wait(conn, claim, anew(at), now).await?,
        (Settle::GiveUp { error }, Some(at)) => {
            let after = Wait {
                error: Some(error),
                ..anew(at)
            };
            wait(conn, claim, after, now).await?;
        }
        (Settle::GiveUp { error }, None) => {
            sqlx::query(GIVE_UP)
                .bind(error.as_str())
                .bind(claim.job)
                .bind(claim.attempt)
                .execute(conn)
                .await
                .map_err(database)?;
        }
        (Settle::Again { at, error }, _) => {
            let after = Wait {
                at: *at,
                keeps_failures: true,
                failed: true,
                error: Some(error),
            };
            wait(conn, claim, after, now).await?;
        }
        (Settle::Snooze(at), again_at) => {
            let after = Wait {
                at: again_at.map_or(*at, |again| again.min(*at)),
                keeps_failures: true,
                failed: false,
                error: None,
            };
            wait(conn, claim, after, now).await?;
        }
    }
    Ok(true)
}

pub(super) async fn next_due(conn: &mut SqliteConnection) -> Result<Option<Timestamp>, StoreError> {
    let due: Option<i64> = sqlx::query_scalar(NEXT_DUE)
        .fetch_one(conn)
        .await
        .map_err(database)?;
    due.map(|ms| instant(ms, "the next job")).transpose()
}

pub(super) async fn waiting(
    conn: &mut SqliteConnection,
) -> Result<Vec<(JobKind, Timestamp)>, StoreError> {
    let rows = sqlx::query("SELECT key, kind, run_at FROM jobs WHERE state = 'waiting'")
        .fetch_all(conn)
        .await
        .map_err(database)?;
    rows.iter()
        .map(|row| {
            let key: String = row.try_get("key").map_err(database)?;
            let kind: String = row.try_get("kind").map_err(database)?;
            let run_at: i64 = row.try_get("run_at").map_err(database)?;
            let what = || format!("job {key}");
            let kind = serde_json::from_str(&kind).map_err(|why| inconsistent(what(), why))?;
            Ok((kind, instant(run_at, &what())?))
        })
        .collect()
}

pub(super) async fn open_kind(
    conn: &mut SqliteConnection,
    key: &str,
) -> Result<Option<JobKind>, StoreError> {
    let found = sqlx::query(OPEN_KIND)
        .bind(key)
        .fetch_optional(conn)
        .await
        .map_err(database)?;
    found.as_ref().map(kind).transpose()
}

/// What a job is to do.
pub(super) fn kind(row: &SqliteRow) -> Result<JobKind, StoreError> {
    let kind: String = row.try_get("kind").map_err(database)?;
    serde_json::from_str(&kind).map_err(|why| inconsistent("a job", why))
}

pub(super) async fn last_error(
    conn: &mut SqliteConnection,
    key: &str,
) -> Result<Option<String>, StoreError> {
    for sql in [OPEN_ERROR, GIVEN_UP_ERROR] {
        let found: Option<Option<String>> = sqlx::query_scalar(sql)
            .bind(key)
            .fetch_optional(&mut *conn)
            .await
            .map_err(database)?;
        if let Some(error) = found {
            return Ok(error);
        }
    }
    Ok(None)
}

pub(super) async fn open(conn: &mut SqliteConnection) -> Result<Vec<(String, String)>, StoreError> {
    sqlx::query_as(OPEN).fetch_all(conn).await.map_err(database)
}
