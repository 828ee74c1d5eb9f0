//! Claiming jobs that are due.
//!
//! PostgreSQL lets several processes claim at once, with `FOR UPDATE SKIP LOCKED` beside the unique
//! index on serial keys. Here the one writer claims alone, so a claim is one UPDATE after the other.

use sqlx::sqlite::SqliteRow;
use sqlx::{AssertSqlSafe, Row, SqliteConnection};

use super::fault::{database, inconsistent};
use super::lanes::{InFlight, Open};
use super::rows::{self, instant};
use super::several::{renumbered, told_of_each};
use crate::domain::job::{Job, LEASE_S};
use crate::domain::steady::Jump;
use crate::domain::timing::{Timestamp, seconds};
use crate::store::StoreError;
use crate::store::taking::Wanted;

/// Rows that are marked as due in one transaction at most: more follow in the next.
const RIPEN_MAX: i64 = 1_000;

/// Lanes of which jobs are claimed in one question.
const TOGETHER_MAX: usize = 8;

/// How long a row whose kind can't be read is put aside, in seconds: another version may know it.
const UNREADABLE_WAIT_S: i64 = 600;

pub(super) const RIPEN: &str = "UPDATE jobs SET ripe = 1 WHERE id IN (
    SELECT id FROM jobs WHERE state = 'waiting' AND ripe = 0 AND run_at <= $1
    ORDER BY run_at, id LIMIT $2)";

// What was cancelled in flight, by the claims ([job, attempt]) whose runs are over.
pub(super) const LET_GO: &str =
    "DELETE FROM jobs WHERE state IN ('running', 'cancelled') AND state = 'cancelled'
    AND id || '/' || attempt IN (SELECT value FROM json_each($3))";

// SQLite takes a partial index only where its condition stands in the query word for word: hence the
// `IN` beside each narrower condition.
//
// A lease that ran out is a failure: its worker died, or could not record what came of it. The state
// that its handler loads is fresh, so it also serves whoever asked for another run meanwhile.
pub(super) const EXPIRE: &str = "UPDATE jobs SET state = 'waiting', ripe = 1, lease_until = NULL,
    again_at = NULL, failures = failures + 1, last_error = 'its claim ran out',
    run_at = CASE WHEN run_at < $1 THEN run_at ELSE $1 END
    WHERE state IN ('running', 'cancelled') AND state = 'running' AND lease_until <= $4";

pub(super) const EXPIRE_UNWANTED: &str = "DELETE FROM jobs
    WHERE state IN ('running', 'cancelled') AND state = 'cancelled' AND lease_until <= $4";

pub(super) const RELEASE: &str = "UPDATE jobs SET state = 'waiting', ripe = 1, lease_until = NULL,
    again_at = NULL, run_at = CASE WHEN run_at < $1 THEN run_at ELSE $1 END
    WHERE state IN ('running', 'cancelled') AND state = 'running'";

pub(super) const RELEASE_UNWANTED: &str = "DELETE FROM jobs
    WHERE state IN ('running', 'cancelled') AND state = 'cancelled'";

pub(super) const IN_FLIGHT: &str = "SELECT lane, count(*) AS n, sum(rank > 0) AS behind FROM jobs
    WHERE state IN ('running', 'cancelled') GROUP BY lane";

// Lanes with due jobs: those after one, then those from the beginning up to it. Each is found by a seek:
// what it costs depends on how many lanes are wanted, not on how many jobs wait in them. Left alone, SQLite
// takes the index on what is due, and looks through all of that for each lane.
pub(super) const LANES: &str = "WITH RECURSIVE due (lane, wrapped) AS (
        SELECT min(lane), 0 FROM jobs INDEXED BY jobs_ripe
        WHERE state = 'waiting' AND ripe = 1 AND lane > $5
        UNION ALL
        SELECT (SELECT min(lane) FROM jobs INDEXED BY jobs_ripe
            WHERE state = 'waiting' AND ripe = 1
                AND lane > coalesce(due.lane, '')
                AND (lane <= $5 OR due.wrapped = 0 AND due.lane IS NOT NULL)),
            due.wrapped + (due.lane IS NULL)
        FROM due WHERE due.lane IS NOT NULL OR due.wrapped = 0)
    SELECT lane FROM due WHERE lane IS NOT NULL
    LIMIT $6 + (SELECT count(*) FROM jobs WHERE state IN ('running', 'cancelled'))";

pub(super) const NEXT_UNRIPE: &str =
    "SELECT min(run_at) AS due FROM jobs WHERE state = 'waiting' AND ripe = 0";

pub(super) const CLAIM: &str = "UPDATE jobs SET state = 'running', ripe = 0, attempt = attempt + 1,
    lease_until = $1
    WHERE id = (SELECT j.id FROM jobs j
        WHERE j.lane = $2 AND j.state = 'waiting' AND j.ripe = 1
        AND NOT EXISTS (SELECT 1 FROM jobs other
            WHERE other.state IN ('running', 'cancelled') AND other.serial_key = j.serial_key)
        ORDER BY j.rank, j.run_at, j.id LIMIT 1)
    RETURNING *";

// The same for those that stand behind what ends access.
pub(super) const CLAIM_BEHIND: &str =
    "UPDATE jobs SET state = 'running', ripe = 0, attempt = attempt + 1,
    lease_until = $1
    WHERE id = (SELECT j.id FROM jobs j
        WHERE j.lane = $2 AND j.state = 'waiting' AND j.ripe = 1 AND j.rank > 0
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

/// What is looked for.
pub(super) struct Look<'w> {
    pub(super) wanted: &'w Wanted,
    /// Marks what is due first. Where nothing can have come due since the last look, that is left out.
    pub(super) ripens: bool,
    /// Claims whose lease is over too. They are rare: not every look asks for them.
    pub(super) expired: bool,
    /// What is done first, in the same question.
    pub(super) before: Option<&'static str>,
    pub(super) at: Moment,
}

/// What stands before anything is claimed.
struct Standing {
    changed: bool,
    in_flight: Vec<InFlight>,
    /// Those after the last turn first, then from the beginning.
    lanes: Vec<String>,
    next_due: Option<Timestamp>,
}

/// Claims; `turn` is the lane that had the last turn, and is moved on.
pub(super) async fn claim_due(
    conn: &mut SqliteConnection,
    look: Look<'_>,
    turn: &mut String,
) -> Result<Claimed, StoreError> {
    let Wanted { room, paused, .. } = look.wanted;
    let standing = standing(conn, &look, turn).await?;
    let mut claimed = Claimed {
        jobs: Vec::new(),
        changed: standing.changed,
        next_due: standing.next_due,
    };
    let mut open: Vec<Open> = standing
        .lanes
        .into_iter()
        .filter(|lane| !paused.iter().any(|paused| paused.0 == *lane))
        .map(|lane| Open::new(lane, &standing.in_flight))
        .filter(|open| open.room > 0)
        .collect();

    let lease_until = (look.at.machine_now + seconds(LEASE_S)).timestamp_millis();
    let mut first_round = true;
    while claimed.jobs.len() < *room && !open.is_empty() {
        let mut next_round = Vec::with_capacity(open.len());
        let mut lanes = open.into_iter();
        loop {
            let left = room - claimed.jobs.len();
            let some: Vec<Open> = lanes.by_ref().take(left.min(TOGETHER_MAX)).collect();
            if some.is_empty() {
                break;
            }
            if first_round && let Some(last) = some.last() {
                turn.clone_from(&last.lane);
            }
            let found = claim_of_each(conn, &some, lease_until, look.at.now).await?;
            for (open, one) in some.into_iter().zip(found) {
                match one {
                    One::Claimed(job) => {
                        claimed.jobs.push(*job);
                        claimed.changed = true;
                        if open.room > 1 {
                            next_round.push(open.smaller());
                        }
                    }
                    One::PutAside => {
                        claimed.changed = true;
                        next_round.push(open);
                    }
                    One::Nothing if open.behind_first => next_round.push(Open {
                        behind_first: false,
                        ..open
                    }),
                    One::Nothing => {}
                }
            }
        }
        open = next_round;
        first_round = false;
    }
    Ok(claimed)
}

/// Marks what is due, frees what is over, and says what is there to claim.
async fn standing(
    conn: &mut SqliteConnection,
    look: &Look<'_>,
    turn: &str,
) -> Result<Standing, StoreError> {
    let over: Vec<String> = look
        .wanted
        .over
        .iter()
        .map(|claim| format!("{}/{}", claim.job, claim.attempt))
        .collect();
    let over =
        serde_json::to_string(&over).map_err(|why| inconsistent("claims that are over", why))?;
    let lanes_max = look.wanted.room + look.wanted.paused.len();
    let mut statements: Vec<&str> = look
        .before
        .into_iter()
        .flat_map(|it| it.split("; "))
        .collect();
    let before = statements.len();
    if look.ripens {
        statements.push(RIPEN);
    }
    if !look.wanted.over.is_empty() {
        statements.push(LET_GO);
    }
    if look.expired {
        statements.extend([EXPIRE, EXPIRE_UNWANTED]);
    }
    let asks_from = statements.len();
    statements.extend([IN_FLIGHT, LANES, NEXT_UNRIPE]);
    let query = sqlx::query(AssertSqlSafe(statements.join("; ")))
        .bind(look.at.now.timestamp_millis())
        .bind(RIPEN_MAX)
        .bind(over)
        .bind(look.at.machine_now.timestamp_millis())
        .bind(turn)
        .bind(i64::try_from(lanes_max).unwrap_or(i64::MAX));
    let told = told_of_each(conn, query).await?;
    let (done, asked) = told.split_at(asks_from.min(told.len()));
    let [in_flight, lanes, due] = asked else {
        return Err(inconsistent(
            "a look for jobs",
            "it was not told everything",
        ));
    };
    let lane = |row: &SqliteRow| row.try_get::<String, _>("lane").map_err(database);
    Ok(Standing {
        // What only opens and ends repeats the number of the change before it.
        changed: done.iter().skip(before).any(|one| one.changed > 0),
        in_flight: in_flight
            .rows
            .iter()
            .map(|row| {
                let count = |column| {
                    let count: i64 = row.try_get(column).map_err(database)?;
                    Ok(usize::try_from(count).unwrap_or(usize::MAX))
                };
                Ok(InFlight {
                    lane: lane(row)?,
                    runs: count("n")?,
                    behind: count("behind")?,
                })
            })
            .collect::<Result<_, StoreError>>()?,
        lanes: lanes.rows.iter().map(lane).collect::<Result<_, _>>()?,
        next_due: match due.rows.first() {
            Some(row) => row
                .try_get::<Option<i64>, _>("due")
                .map_err(database)?
                .map(|ms| instant(ms, "the next job"))
                .transpose()?,
            None => None,
        },
    })
}

/// What a claim yielded.
#[derive(Debug)]
pub(super) struct Claimed {
    pub(super) jobs: Vec<Job>,
    /// Whether any row changed.
    pub(super) changed: bool,
    /// When the first job is due that is not due yet.
    pub(super) next_due: Option<Timestamp>,
}

enum One {
    Claimed(Box<Job>),
    /// Its kind can't be read.
    PutAside,
    Nothing,
}

/// The next job of each of these lanes.
async fn claim_of_each(
    conn: &mut SqliteConnection,
    lanes: &[Open],
    lease_until: i64,
    now: Timestamp,
) -> Result<Vec<One>, StoreError> {
    let claims: Vec<String> = (2..)
        .zip(lanes)
        .map(|(place, open)| {
            let claim = if open.behind_first {
                CLAIM_BEHIND
            } else {
                CLAIM
            };
            renumbered(claim, |number| if number == 2 { place } else { number })
        })
        .collect();
    let mut query = sqlx::query(AssertSqlSafe(claims.join("; "))).bind(lease_until);
    for open in lanes {
        query = query.bind(&open.lane);
    }
    let mut found = Vec::with_capacity(lanes.len());
    for told in told_of_each(conn, query).await? {
        let Some(row) = told.rows.first() else {
            found.push(One::Nothing);
            continue;
        };
        found.push(match rows::job(row) {
            Ok(job) => One::Claimed(Box::new(job)),
            // One row that this version can't read must not hold up its lane, nor be forgotten.
            Err(why) => {
                let id: i64 = row.try_get("id").map_err(database)?;
                tracing::error!(job.id = id, error = %why, "a job can't be read; it is put aside and tried again");
                sqlx::query(PUT_ASIDE)
                    .bind(why.to_string())
                    .bind((now + seconds(UNREADABLE_WAIT_S)).timestamp_millis())
                    .bind(id)
                    .execute(&mut *conn)
                    .await
                    .map_err(database)?;
                One::PutAside
            }
        });
    }
    Ok(found)
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
