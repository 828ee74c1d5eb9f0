//! Claiming jobs that are due.
//!
//! PostgreSQL lets several processes claim at once, with `FOR UPDATE SKIP LOCKED` beside the unique
//! index on serial keys. Here the one writer claims alone, so a claim is one UPDATE after the other.

use sqlx::{Row, SqliteConnection};

use super::fault::database;
use super::rows;
use crate::domain::job::{Job, LEASE_S, Lane};
use crate::domain::steady::Jump;
use crate::domain::timing::{Timestamp, seconds};
use crate::store::StoreError;

/// Rows that are marked as due in one transaction at most: more follow in the next.
const RIPEN_MAX: i64 = 1_000;

/// How long a row whose kind can't be read is put aside, in seconds: another version may know it.
const UNREADABLE_WAIT_S: i64 = 600;

pub(super) const RIPEN: &str = "UPDATE jobs SET ripe = 1 WHERE id IN (
    SELECT id FROM jobs WHERE state = 'waiting' AND ripe = 0 AND run_at <= $1
    ORDER BY run_at, id LIMIT $2)";

// SQLite takes a partial index only where its condition stands in the query word for word: hence the
// `IN` beside each narrower condition.
//
// A lease that ran out is a failure: its worker died, or could not record what came of it. The state
// that its handler loads is fresh, so it also serves whoever asked for another run meanwhile.
pub(super) const EXPIRE: &str = "UPDATE jobs SET state = 'waiting', ripe = 1, lease_until = NULL,
    again_at = NULL, failures = failures + 1, last_error = 'its claim ran out',
    run_at = CASE WHEN run_at < $1 THEN run_at ELSE $1 END
    WHERE state IN ('running', 'cancelled') AND state = 'running' AND lease_until <= $2";

pub(super) const EXPIRE_UNWANTED: &str = "DELETE FROM jobs
    WHERE state IN ('running', 'cancelled') AND state = 'cancelled' AND lease_until <= $1";

pub(super) const RELEASE: &str = "UPDATE jobs SET state = 'waiting', ripe = 1, lease_until = NULL,
    again_at = NULL, run_at = CASE WHEN run_at < $1 THEN run_at ELSE $1 END
    WHERE state IN ('running', 'cancelled') AND state = 'running'";

pub(super) const RELEASE_UNWANTED: &str = "DELETE FROM jobs
    WHERE state IN ('running', 'cancelled') AND state = 'cancelled'";

pub(super) const IN_FLIGHT: &str = "SELECT lane, count(*) AS n FROM jobs
    WHERE state IN ('running', 'cancelled') GROUP BY lane";

// Lanes with due jobs, from one on, each found by a seek: what it costs depends on how many lanes
// are wanted, not on how many jobs wait in them.
pub(super) const LANES: &str = "WITH RECURSIVE due (lane) AS (
        SELECT min(lane) FROM jobs WHERE state = 'waiting' AND ripe = 1 AND lane > $1
        UNION ALL
        SELECT (SELECT min(lane) FROM jobs
            WHERE state = 'waiting' AND ripe = 1 AND lane > due.lane)
        FROM due WHERE due.lane IS NOT NULL)
    SELECT lane FROM due WHERE lane IS NOT NULL LIMIT $2";

pub(super) const CLAIM: &str = "UPDATE jobs SET state = 'running', ripe = 0, attempt = attempt + 1,
    lease_until = $1
    WHERE id = (SELECT j.id FROM jobs j
        WHERE j.lane = $2 AND j.state = 'waiting' AND j.ripe = 1
        AND NOT EXISTS (SELECT 1 FROM jobs other
            WHERE other.state IN ('running', 'cancelled') AND other.serial_key = j.serial_key)
        ORDER BY j.rank, j.run_at, j.id LIMIT 1)
    RETURNING *";

pub(super) const PUT_ASIDE: &str =
    "UPDATE jobs SET state = 'waiting', ripe = 0, lease_until = NULL,
    failures = failures + 1, last_error = $1, run_at = $2 WHERE id = $3";

/// When a claim is made, and by which clocks.
#[derive(Debug, Clone, Copy)]
pub(super) struct Moment {
    /// By which jobs are due.
    pub(super) now: Timestamp,
    /// By which leases run: a call takes as long as it takes, however fast the engine's clock is.
    pub(super) machine_now: Timestamp,
    /// Whether the machine's clock can't be trusted.
    pub(super) jump: Option<Jump>,
}

/// Claims; `turn` is the lane that had the last turn, and is moved on.
pub(super) async fn claim_due(
    conn: &mut SqliteConnection,
    limit: usize,
    paused: &[Lane],
    turn: &mut String,
    at: Moment,
) -> Result<Claimed, StoreError> {
    let mut claimed = Claimed {
        jobs: Vec::new(),
        changed: false,
    };
    let now = at.now.timestamp_millis();
    let machine_now = at.machine_now.timestamp_millis();
    let mut moved = 0;
    for (sql, second) in [(RIPEN, RIPEN_MAX), (EXPIRE, machine_now)] {
        moved += sqlx::query(sql)
            .bind(now)
            .bind(second)
            .execute(&mut *conn)
            .await
            .map_err(database)?
            .rows_affected();
    }
    moved += sqlx::query(EXPIRE_UNWANTED)
        .bind(machine_now)
        .execute(&mut *conn)
        .await
        .map_err(database)?
        .rows_affected();
    claimed.changed = moved > 0;

    let in_flight = in_flight(conn).await?;
    let mut open: Vec<(String, usize)> =
        lanes_from(conn, turn, limit + in_flight.len() + paused.len())
            .await?
            .into_iter()
            .filter(|lane| !paused.iter().any(|paused| paused.0 == *lane))
            .map(|lane| {
                let runs = in_flight
                    .iter()
                    .find(|(other, _)| *other == lane)
                    .map_or(0, |(_, runs)| *runs);
                let room = Lane(lane.clone()).in_flight_max().saturating_sub(runs);
                (lane, room)
            })
            .filter(|(_, room)| *room > 0)
            .collect();

    let lease_until = (at.machine_now + seconds(LEASE_S)).timestamp_millis();
    let mut first_round = true;
    while claimed.jobs.len() < limit && !open.is_empty() {
        let mut next_round = Vec::with_capacity(open.len());
        for (lane, room) in open {
            if claimed.jobs.len() >= limit {
                break;
            }
            if first_round {
                turn.clone_from(&lane);
            }
            match claim_one(conn, &lane, lease_until, at.now).await? {
                One::Claimed(job) => {
                    claimed.jobs.push(*job);
                    claimed.changed = true;
                    if room > 1 {
                        next_round.push((lane, room - 1));
                    }
                }
                One::PutAside => {
                    claimed.changed = true;
                    next_round.push((lane, room));
                }
                One::Nothing => {}
            }
        }
        open = next_round;
        first_round = false;
    }
    Ok(claimed)
}

/// What a claim yielded.
#[derive(Debug)]
pub(super) struct Claimed {
    pub(super) jobs: Vec<Job>,
    /// Whether any row changed.
    pub(super) changed: bool,
}

enum One {
    Claimed(Box<Job>),
    /// Its kind can't be read.
    PutAside,
    Nothing,
}

async fn claim_one(
    conn: &mut SqliteConnection,
    lane: &str,
    lease_until: i64,
    now: Timestamp,
) -> Result<One, StoreError> {
    let row = sqlx::query(CLAIM)
        .bind(lease_until)
        .bind(lane)
        .fetch_optional(&mut *conn)
        .await
        .map_err(database)?;
    let Some(row) = row else {
        return Ok(One::Nothing);
    };
    match rows::job(&row) {
        Ok(job) => Ok(One::Claimed(Box::new(job))),
        // One row that this version can't read must not hold up its lane, nor be forgotten.
        Err(why) => {
            let id: i64 = row.try_get("id").map_err(database)?;
            tracing::error!(job.id = id, error = %why, "a job can't be read; it is put aside and tried again");
            sqlx::query(PUT_ASIDE)
                .bind(why.to_string())
                .bind((now + seconds(UNREADABLE_WAIT_S)).timestamp_millis())
                .bind(id)
                .execute(conn)
                .await
                .map_err(database)?;
            Ok(One::PutAside)
        }
    }
}

async fn in_flight(conn: &mut SqliteConnection) -> Result<Vec<(String, usize)>, StoreError> {
    let lanes: Vec<(String, i64)> = sqlx::query_as(IN_FLIGHT)
        .fetch_all(conn)
        .await
        .map_err(database)?;
    Ok(lanes
        .into_iter()
        .map(|(lane, runs)| (lane, usize::try_from(runs).unwrap_or(usize::MAX)))
        .collect())
}

/// At most `wanted` lanes with due jobs: those after the last turn first, then from the beginning.
async fn lanes_from(
    conn: &mut SqliteConnection,
    turn: &str,
    wanted: usize,
) -> Result<Vec<String>, StoreError> {
    let wanted = i64::try_from(wanted).unwrap_or(i64::MAX);
    let mut lanes: Vec<String> = Vec::new();
    for (from, wraps) in [(turn, false), ("", true)] {
        let found: Vec<String> = sqlx::query_scalar(LANES)
            .bind(from)
            .bind(wanted)
            .fetch_all(&mut *conn)
            .await
            .map_err(database)?;
        lanes.extend(
            found
                .into_iter()
                .filter(|lane| !wraps || lane.as_str() <= turn),
        );
    }
    lanes.truncate(usize::try_from(wanted).unwrap_or(usize::MAX));
    Ok(lanes)
}

/// Makes every running job claimable at once; what was cancelled in flight goes.
pub(super) async fn release(
    conn: &mut SqliteConnection,
    now: Timestamp,
) -> Result<i64, StoreError> {
    sqlx::query(RELEASE_UNWANTED)
        .execute(&mut *conn)
        .await
        .map_err(database)?;
    let released = sqlx::query(RELEASE)
        .bind(now.timestamp_millis())
        .execute(conn)
        .await
        .map_err(database)?
        .rows_affected();
    Ok(i64::try_from(released).unwrap_or(i64::MAX))
}
