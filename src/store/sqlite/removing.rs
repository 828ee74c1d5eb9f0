//! Removing the oldest segment of the record, with what hangs on it.
//!
//! Statements that take a list take it as one JSON text.

use chrono::TimeDelta;
use sqlx::sqlite::SqliteRow;
use sqlx::{Row, SqliteConnection};

use super::fault::{database, inconsistent};
use super::rows::instant;
use crate::domain::audit::Head;
use crate::domain::ids::RequestId;
use crate::domain::segment::{NeededBy, OldSegment, Segment};
use crate::domain::spec::ContentHash;
use crate::domain::timing::Timestamp;
use crate::store::StoreError;

/// How long after its end a native deadline still counts: lists of what is revoked keep an entry a while
/// longer, since clocks of hosts differ.
const AFTER_NATIVE_END: TimeDelta = TimeDelta::hours(1);

const SEGMENTS: &str = "SELECT * FROM audit_segments ORDER BY from_seq";

const COVERED: &str = "SELECT d.to_count, d.to_hash IS a.hash FROM digests d
    LEFT JOIN audit a ON a.seq = d.to_count WHERE d.to_count > $1 AND d.at <= $2
    ORDER BY d.number LIMIT 1";

const ENDS: &str = "SELECT first.prev AS prev, last.hash AS hash,
    json_extract(first.body, '$.at') AS first_at, json_extract(last.body, '$.at') AS last_at
    FROM audit first, audit last WHERE first.seq = $1 AND last.seq = $2";

// What the entries tell of; of more time also what it is more time of.
pub(super) const TOLD_OF: &str =
    "WITH told (id) AS (SELECT DISTINCT json_extract(body, '$.request') FROM audit
        WHERE seq BETWEEN $1 AND $2 AND json_extract(body, '$.request') IS NOT NULL)
    SELECT id FROM told
    UNION SELECT 'r' || substr(q.extends, 2) FROM told JOIN requests q ON q.id = told.id
        WHERE q.extends IS NOT NULL";

pub(super) const NOT_OVER: &str = "SELECT r.id FROM json_each($1) named
    JOIN requests r ON r.id = named.value LEFT JOIN grants g ON g.request = r.id
    WHERE r.state IN ('checking', 'pending') OR r.decided_at > $2
        OR g.state NOT IN ('ended', 'failed', 'cancelled') OR g.ended_at > $2
        OR g.native_deadline > $3
    ORDER BY r.id LIMIT 1";

// A job names what it is about in its kind: a request, its grant, or a digest.
const WAITS: &str = "SELECT j.key FROM jobs j, json_tree(j.kind) part
    WHERE j.state <> 'given_up' AND (
        part.atom IN (SELECT value FROM json_each($1)
            UNION ALL SELECT 'g' || substr(value, 2) FROM json_each($1))
        OR (part.key = 'digest' AND part.atom IN (
            SELECT number FROM digests WHERE from_seq < $3 AND to_count >= $2)))
    ORDER BY j.key LIMIT 1";

const KEEP: &str = "INSERT INTO audit_segments
    (from_seq, to_seq, prev, hash, first_at, last_at, entry, seal)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";

// Of those that the segment told of, the requests of which nothing tells any more, neither of
// themselves nor of the more time that was asked for them; and that more time. The expressions are
// those of the index `audit_by_request`; the plus takes the type from the column, without which SQLite
// does not use it.
pub(super) const TOLD_NO_MORE: &str = "WITH base (id) AS (
        SELECT DISTINCT coalesce('r' || substr(q.extends, 2), q.id)
        FROM json_each($1) named JOIN requests q ON q.id = named.value),
    silent (id) AS (SELECT b.id FROM base b
        WHERE NOT EXISTS (SELECT 1 FROM audit WHERE json_extract(body, '$.request') = b.id)
        AND NOT EXISTS (SELECT 1 FROM requests q JOIN audit
            WHERE q.extends = 'g' || substr(b.id, 2) AND json_extract(body, '$.request') = +q.id))
    SELECT id FROM silent
    UNION SELECT q.id FROM silent s JOIN requests q ON q.extends = 'g' || substr(s.id, 2)";

/// What goes with requests, in an order in which nothing refers to what is gone.
pub(super) const WITH_REQUESTS: [&str; 6] = [
    "DELETE FROM decisions WHERE request IN (SELECT value FROM json_each($1))",
    "DELETE FROM cards WHERE request IN (SELECT value FROM json_each($1))",
    "DELETE FROM grant_holdings
        WHERE grant_id IN (SELECT 'g' || substr(value, 2) FROM json_each($1))",
    "DELETE FROM requests WHERE extends IS NOT NULL AND id IN (SELECT value FROM json_each($1))",
    "DELETE FROM grants WHERE request IN (SELECT value FROM json_each($1))",
    "DELETE FROM requests WHERE id IN (SELECT value FROM json_each($1))",
];

pub(super) const HOLDINGS_OF: &str = "SELECT DISTINCT holding FROM grant_holdings
    WHERE grant_id IN (SELECT 'g' || substr(value, 2) FROM json_each($1))";

pub(super) const FREE_HOLDINGS: &str =
    "DELETE FROM holdings WHERE id IN (SELECT value FROM json_each($1))
    AND NOT EXISTS (SELECT 1 FROM grant_holdings WHERE holding = id)";

// The last one stays: the next is numbered and begins after it.
const DIGESTS: &str = "DELETE FROM digests WHERE to_count <= $1
    AND number < (SELECT max(number) FROM digests)";

// A policy was in force until the next one came; what is still told was decided after `$1`.
const POLICIES: &str = "DELETE FROM policies WHERE EXISTS (
        SELECT 1 FROM policies next WHERE next.at > policies.at AND next.at < $1)
    AND NOT EXISTS (SELECT 1 FROM decisions WHERE policy_hash = policies.hash)";

const GIVEN_UP: &str = "DELETE FROM jobs WHERE state = 'given_up' AND ordered_at <= $1";

pub(super) async fn segments(conn: &mut SqliteConnection) -> Result<Vec<Segment>, StoreError> {
    let found = sqlx::query(SEGMENTS)
        .fetch_all(conn)
        .await
        .map_err(database)?;
    found.iter().map(segment).collect()
}

fn segment(row: &SqliteRow) -> Result<Segment, StoreError> {
    let number = |column| row.try_get::<i64, _>(column).map_err(database);
    let hash = |column| row.try_get(column).map(ContentHash).map_err(database);
    let time = |column| instant(number(column)?, "a removed segment");
    Ok(Segment {
        from: number("from_seq")?,
        to: Head {
            count: number("to_seq")?,
            hash: hash("hash")?,
        },
        prev: hash("prev")?,
        first_at: time("first_at")?,
        last_at: time("last_at")?,
        entry: number("entry")?,
        seal: hash("seal")?,
    })
}

pub(super) async fn oldest(
    conn: &mut SqliteConnection,
    until: Timestamp,
    machine_now: Timestamp,
    entries_max: i64,
) -> Result<Option<OldSegment>, StoreError> {
    let removed: i64 = sqlx::query_scalar("SELECT coalesce(max(to_seq), 0) FROM audit_segments")
        .fetch_one(&mut *conn)
        .await
        .map_err(database)?;
    let covered: Option<(i64, bool)> = sqlx::query_as(COVERED)
        .bind(removed)
        .bind(until.timestamp_millis())
        .fetch_optional(&mut *conn)
        .await
        .map_err(database)?;
    let covered = match covered {
        Some((covered, true)) => covered,
        // It was changed, or cut off. To remove it would hide that.
        Some((covered, false)) => {
            return Err(inconsistent(
                format!("entry {covered}"),
                "a digest told another head of the record",
            ));
        }
        None => return Ok(None),
    };
    let (from, to) = (removed + 1, covered.min(removed + entries_max));
    let ends = sqlx::query(ENDS)
        .bind(from)
        .bind(to)
        .fetch_optional(&mut *conn)
        .await
        .map_err(database)?
        .ok_or_else(|| inconsistent("the record", format!("entry {from} is not there")))?;
    let hash = |column| ends.try_get(column).map(ContentHash).map_err(database);
    let time = |column| instant(ends.try_get(column).map_err(database)?, "the record");
    Ok(Some(OldSegment {
        from,
        to: Head {
            count: to,
            hash: hash("hash")?,
        },
        prev: hash("prev")?,
        first_at: time("first_at")?,
        last_at: time("last_at")?,
        needed_by: needed_by(conn, (from, to), until, machine_now).await?,
    }))
}

async fn needed_by(
    conn: &mut SqliteConnection,
    (from, to): (i64, i64),
    until: Timestamp,
    machine_now: Timestamp,
) -> Result<Option<NeededBy>, StoreError> {
    let named = told_of(conn, from, to).await?;
    let not_over: Option<String> = sqlx::query_scalar(NOT_OVER)
        .bind(&named)
        .bind(until.timestamp_millis())
        .bind((machine_now - AFTER_NATIVE_END).timestamp_millis())
        .fetch_optional(&mut *conn)
        .await
        .map_err(database)?;
    if let Some(id) = not_over {
        let id = RequestId::new(id).map_err(|why| inconsistent("a request's id", why))?;
        return Ok(Some(NeededBy::Request(id)));
    }
    let waits: Option<String> = sqlx::query_scalar(WAITS)
        .bind(&named)
        .bind(from)
        .bind(to)
        .fetch_optional(&mut *conn)
        .await
        .map_err(database)?;
    Ok(waits.map(NeededBy::Job))
}

/// Ids of requests that these entries tell of, as a JSON list.
async fn told_of(conn: &mut SqliteConnection, from: i64, to: i64) -> Result<String, StoreError> {
    let ids: Vec<String> = sqlx::query_scalar(TOLD_OF)
        .bind(from)
        .bind(to)
        .fetch_all(conn)
        .await
        .map_err(database)?;
    Ok(serde_json::Value::from(ids).to_string())
}

pub(super) async fn remove(
    conn: &mut SqliteConnection,
    segment: &Segment,
    until: Timestamp,
) -> Result<(), StoreError> {
    let (from, to) = (segment.from, segment.to.count);
    let named = told_of(conn, from, to).await?;
    sqlx::query(KEEP)
        .bind(from)
        .bind(to)
        .bind(segment.prev.0.as_str())
        .bind(segment.to.hash.0.as_str())
        .bind(segment.first_at.timestamp_millis())
        .bind(segment.last_at.timestamp_millis())
        .bind(segment.entry)
        .bind(segment.seal.0.as_str())
        .execute(&mut *conn)
        .await
        .map_err(database)?;
    for sql in [
        "DELETE FROM audit_texts WHERE seq BETWEEN $1 AND $2",
        "DELETE FROM audit WHERE seq BETWEEN $1 AND $2",
    ] {
        sqlx::query(sql)
            .bind(from)
            .bind(to)
            .execute(&mut *conn)
            .await
            .map_err(database)?;
    }
    remove_requests(conn, &named).await?;
    for (sql, bound) in [
        (DIGESTS, to),
        (POLICIES, segment.last_at.timestamp_millis()),
        (GIVEN_UP, until.timestamp_millis()),
    ] {
        sqlx::query(sql)
            .bind(bound)
            .execute(&mut *conn)
            .await
            .map_err(database)?;
    }
    Ok(())
}

async fn remove_requests(conn: &mut SqliteConnection, named: &str) -> Result<(), StoreError> {
    let silent: Vec<String> = sqlx::query_scalar(TOLD_NO_MORE)
        .bind(named)
        .fetch_all(&mut *conn)
        .await
        .map_err(database)?;
    let silent = serde_json::Value::from(silent).to_string();
    let holdings: Vec<i64> = sqlx::query_scalar(HOLDINGS_OF)
        .bind(&silent)
        .fetch_all(&mut *conn)
        .await
        .map_err(database)?;
    for sql in WITH_REQUESTS {
        sqlx::query(sql)
            .bind(&silent)
            .execute(&mut *conn)
            .await
            .map_err(database)?;
    }
    sqlx::query(FREE_HOLDINGS)
        .bind(serde_json::Value::from(holdings).to_string())
        .execute(conn)
        .await
        .map_err(database)?;
    Ok(())
}
