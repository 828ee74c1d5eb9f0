//! How SQLite carries the statements out that run with each job.

use sqlx::{AssertSqlSafe, Connection as _, SqliteConnection};

use super::super::{MIGRATIONS, claims, jobs, removing};

/// Everything that runs when jobs are claimed and settled, thousands of times an hour.
const STATEMENTS: [&str; 24] = [
    claims::RIPEN,
    claims::EXPIRE,
    claims::EXPIRE_UNWANTED,
    claims::RELEASE,
    claims::RELEASE_UNWANTED,
    claims::IN_FLIGHT,
    claims::LET_GO,
    claims::LANES,
    claims::NEXT_UNRIPE,
    claims::CLAIM,
    claims::CLAIM_BEHIND,
    claims::PUT_ASIDE,
    jobs::ENQUEUE,
    jobs::CANCEL[0],
    jobs::CANCEL[1],
    jobs::CLAIMED,
    jobs::DONE,
    jobs::WAIT,
    jobs::GIVE_UP,
    jobs::LET_GO,
    jobs::NEXT_DUE,
    jobs::OPEN_KIND,
    jobs::OPEN_ERROR,
    jobs::GIVEN_UP_ERROR,
];

/// However many jobs there are, a claim seeks: a scan of the table would cost more with each.
#[tokio::test]
async fn claims_are_served_by_indexes_alone() {
    let mut conn = SqliteConnection::connect("sqlite::memory:").await.unwrap();
    MIGRATIONS.run(&mut conn).await.unwrap();
    for sql in STATEMENTS {
        let plan: Vec<(i64, i64, i64, String)> =
            sqlx::query_as(AssertSqlSafe(format!("EXPLAIN QUERY PLAN {sql}")))
                .fetch_all(&mut conn)
                .await
                .unwrap();
        for (_, _, _, step) in plan {
            let scans_claimed = step == "SCAN jobs USING INDEX jobs_claimed"
                || step == "SCAN jobs USING COVERING INDEX jobs_claimed"
                || step == "SCAN jobs USING INDEX job_serial_once"
                || step == "SCAN jobs USING COVERING INDEX job_serial_once";
            assert!(
                !step.starts_with("SCAN jobs") && !step.contains("TEMP B-TREE") || scans_claimed,
                "{step}: {sql}"
            );
        }
    }
}

/// While a segment is removed every answer waits: what it costs depends on its entries alone, not on how
/// long the record is.
#[tokio::test]
async fn removing_a_segment_reads_no_table_from_end_to_end() {
    let mut conn = SqliteConnection::connect("sqlite::memory:").await.unwrap();
    MIGRATIONS.run(&mut conn).await.unwrap();
    let statements = [
        removing::TOLD_OF,
        removing::NOT_OVER,
        removing::TOLD_NO_MORE,
        removing::HOLDINGS_OF,
        removing::FREE_HOLDINGS,
    ];
    for sql in statements.into_iter().chain(removing::WITH_REQUESTS) {
        let plan: Vec<(i64, i64, i64, String)> =
            sqlx::query_as(AssertSqlSafe(format!("EXPLAIN QUERY PLAN {sql}")))
                .fetch_all(&mut conn)
                .await
                .unwrap();
        for (_, _, _, step) in plan {
            let whole = ["audit", "audit_texts", "requests", "r", "q", "grants", "g"]
                .into_iter()
                .chain(["decisions", "cards", "holdings", "grant_holdings"])
                .any(|table| step.split(' ').take(2).eq(["SCAN", table]));
            assert!(!whole, "{step}: {sql}");
        }
    }
}
