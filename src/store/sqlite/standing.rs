//! Sums over what goes on, for who watches over the process.

use sqlx::{Row, SqliteConnection};

use super::fault::database;
use super::rows::instant;
use super::{grants, requests};
use crate::domain::grant::GrantState;
use crate::domain::request::RequestState;
use crate::domain::standing::{FactSource, FactsOf, Standing, WaitingJobs};
use crate::domain::timing::Timestamp;
use crate::store::StoreError;

// Both values of `ripe`, so that the index on (ripe, run_at) finds what is due among all that waits.
const WAITING: &str = "SELECT substr(lane, 1, instr(lane || ':', ':') - 1) AS lane_kind,
    count(*) AS jobs, min(run_at) AS oldest FROM jobs
    WHERE state = 'waiting' AND ripe IN (0, 1) AND run_at <= $1 GROUP BY lane_kind ORDER BY lane_kind";

const ACCOUNTS: &str = "SELECT substr(account, 1, instr(account, ':') - 1) AS source,
    max(fetched_at) AS last FROM directory_accounts WHERE fetched_at IS NOT NULL
    GROUP BY source ORDER BY source";

const GROUPS: &str = "SELECT source, max(fetched_at) AS last FROM directory_groups
    GROUP BY source ORDER BY source";

pub(super) async fn standing(
    conn: &mut SqliteConnection,
    now: Timestamp,
) -> Result<Standing, StoreError> {
    let going_on: Vec<GrantState> = GrantState::ALL
        .into_iter()
        .filter(|state| !state.is_over())
        .collect();
    let mut standing = Standing {
        live: grants::count_in(conn, &going_on).await?,
        stuck: grants::count_in(conn, &[GrantState::Stuck]).await?,
        pending: requests::count_in(conn, RequestState::Pending).await?,
        ..Standing::default()
    };
    let waiting = sqlx::query(WAITING)
        .bind(now.timestamp_millis())
        .fetch_all(&mut *conn)
        .await
        .map_err(database)?;
    for row in waiting {
        let oldest: i64 = row.try_get("oldest").map_err(database)?;
        standing.waiting.push(WaitingJobs {
            lane_kind: row.try_get("lane_kind").map_err(database)?,
            count: row.try_get("jobs").map_err(database)?,
            oldest_due: instant(oldest, "a job")?,
        });
    }
    for (sql, of) in [(ACCOUNTS, FactsOf::Accounts), (GROUPS, FactsOf::Groups)] {
        let rows = sqlx::query(sql)
            .fetch_all(&mut *conn)
            .await
            .map_err(database)?;
        for row in rows {
            let last: i64 = row.try_get("last").map_err(database)?;
            standing.facts.push(FactSource {
                source: row.try_get("source").map_err(database)?,
                of,
                last: instant(last, "the directory")?,
            });
        }
    }
    Ok(standing)
}
