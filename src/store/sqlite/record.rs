//! The audit record: appended to, read in order.

use sqlx::SqliteConnection;

use super::changes::Change;
use super::fault::database;
use super::rows;
use super::several::rows_of_each;
use crate::domain::audit::{AuditDraft, AuditEntry, AuditKind, Head, append};
use crate::domain::ids::RequestId;
use crate::domain::timing::Timestamp;
use crate::store::StoreError;

const HEAD: &str = "SELECT seq, hash FROM audit ORDER BY seq DESC LIMIT 1";

const INSERT: &str = "INSERT INTO audit (seq, body, prev, hash) VALUES ($1, $2, $3, $4)";

const INSERT_TEXT: &str = "INSERT INTO audit_texts (seq, salt, text) VALUES ($1, $2, $3)";

const AFTER: &str = "SELECT a.seq, a.body, a.prev, a.hash, t.salt, t.text
    FROM audit a LEFT JOIN audit_texts t ON t.seq = a.seq
    WHERE a.seq > $1 ORDER BY a.seq LIMIT $2";

// The expressions are those of the indexes `audit_by_request` and `audit_extended_by_grant`.
const UNWRITTEN: &str = "SELECT a.seq, a.body, a.prev, a.hash, t.salt, t.text
    FROM audit a LEFT JOIN audit_texts t ON t.seq = a.seq
    WHERE json_extract(a.body, '$.request') = $1
    AND a.seq > max((SELECT told_upto FROM cards WHERE request = $1), $2) ORDER BY a.seq LIMIT $3;
    SELECT a.seq, a.body, a.prev, a.hash, t.salt, t.text
    FROM audit a LEFT JOIN audit_texts t ON t.seq = a.seq
    WHERE json_extract(a.body, '$.grant') = 'g' || substr($1, 2)
    AND json_extract(a.body, '$.kind') = 'extended' AND json_extract(a.body, '$.request') IS NOT $1
    AND a.seq > max((SELECT told_upto FROM cards WHERE request = $1), $2) ORDER BY a.seq LIMIT $3";

const LAST_OF: &str = "SELECT a.seq, a.body, a.prev, a.hash, NULL AS salt, NULL AS text
    FROM audit a WHERE json_extract(a.body, '$.request') = $1
    AND json_extract(a.body, '$.kind') = $2 ORDER BY a.seq DESC LIMIT 1";

// A removed segment hands on what it said beside its policy. The first condition is the one of the index
// `audit_taken_up`.
const LAST_TAKEN_UP: &str =
    "SELECT a.seq, a.body, a.prev, a.hash, NULL AS salt, NULL AS text FROM audit a
    WHERE json_extract(body, '$.kind') IN ('started', 'reloaded', 'segment_removed')
    AND (json_extract(body, '$.kind') <> 'segment_removed'
        OR json_type(body, '$.facts.keep_days') IS NOT NULL)
    ORDER BY a.seq DESC LIMIT 1";

pub(super) async fn last_taken_up(
    conn: &mut SqliteConnection,
) -> Result<Option<AuditEntry>, StoreError> {
    let found = sqlx::query(LAST_TAKEN_UP)
        .fetch_optional(conn)
        .await
        .map_err(database)?;
    found.as_ref().map(rows::audit_entry).transpose()
}

pub(super) async fn last_of(
    conn: &mut SqliteConnection,
    request: &RequestId,
    kind: AuditKind,
) -> Result<Option<Timestamp>, StoreError> {
    let found = sqlx::query(LAST_OF)
        .bind(request.as_str())
        .bind(kind.as_str())
        .fetch_optional(conn)
        .await
        .map_err(database)?;
    let entry = found.as_ref().map(rows::audit_entry).transpose()?;
    Ok(entry.and_then(|entry| entry.at()))
}

pub(super) async fn unwritten(
    conn: &mut SqliteConnection,
    request: &RequestId,
    after: i64,
    limit: i64,
) -> Result<Vec<AuditEntry>, StoreError> {
    let query = sqlx::query(UNWRITTEN)
        .bind(request.as_str())
        .bind(after)
        .bind(limit);
    let [own, more_time] = rows_of_each(conn, query).await?;
    let mut entries: Vec<AuditEntry> = own
        .iter()
        .chain(&more_time)
        .map(rows::audit_entry)
        .collect::<Result<_, _>>()?;
    entries.sort_by_key(|entry| entry.seq);
    entries.truncate(usize::try_from(limit).unwrap_or(0));
    Ok(entries)
}

pub(super) async fn head(conn: &mut SqliteConnection) -> Result<Head, StoreError> {
    let row = sqlx::query(HEAD)
        .fetch_optional(conn)
        .await
        .map_err(database)?;
    row.as_ref().map_or_else(|| Ok(Head::empty()), rows::head)
}

/// Appends after `head`, which is the end of the record within this transaction; returns the new end.
pub(super) fn append_after(head: &Head, draft: AuditDraft, now: Timestamp) -> (Head, Vec<Change>) {
    let entry = append(head, draft, rand::random(), now);
    let mut changes = vec![
        Change::new(INSERT)
            .bind(entry.seq)
            .bind(entry.body)
            .bind(entry.prev.0)
            .bind(entry.hash.0.as_str()),
    ];
    if let Some(beside) = entry.text {
        let text = Change::new(INSERT_TEXT)
            .bind(entry.seq)
            .bind(beside.salt)
            .bind(beside.text);
        changes.push(text);
    }
    let head = Head {
        count: entry.seq,
        hash: entry.hash,
    };
    (head, changes)
}

pub(super) async fn after(
    conn: &mut SqliteConnection,
    after: i64,
    limit: i64,
) -> Result<Vec<AuditEntry>, StoreError> {
    let found = sqlx::query(AFTER)
        .bind(after)
        .bind(limit)
        .fetch_all(conn)
        .await
        .map_err(database)?;
    found.iter().map(rows::audit_entry).collect()
}
