//! What is kept beside requests and grants: cards, answers, policies, digests.

use sqlx::SqliteConnection;

use super::changes::Change;
use super::fault::database;
use super::rows;
use crate::domain::audit::Head;
use crate::domain::command::MessageRef;
use crate::domain::ids::RequestId;
use crate::domain::spec::ContentHash;
use crate::domain::timing::Timestamp;
use crate::store::{DigestMark, StoreError};

pub(super) const CARD: &str = "SELECT * FROM cards WHERE request = $1";

// The first card that is recorded stays: a press on any other copy is refused.
const RECORD_CARD: &str = "INSERT INTO cards (request, place, message, at)
    VALUES ($1, $2, $3, $4) ON CONFLICT (request) DO NOTHING";

// `at` is when it came into force last.
const KEEP_POLICY: &str = "INSERT INTO policies (hash, text, at)
    VALUES ($1, $2, $3) ON CONFLICT (hash) DO UPDATE SET at = excluded.at";

const LAST_POLICY: &str = "SELECT hash, text FROM policies ORDER BY at DESC, rowid DESC LIMIT 1";

// Numbered without gaps: a generated number would be used up by a slot that has its digest already.
// One writer, so the highest number stands still; `WHERE true` keeps SQLite's parser from reading ON
// CONFLICT as a join's.
const INSERT_DIGEST: &str = "INSERT INTO digests (number, slot, at, from_seq, to_count, to_hash)
    SELECT coalesce(max(number), 0) + 1, $1, $2, $3, $4, $5 FROM digests WHERE true
    ON CONFLICT (slot) DO NOTHING RETURNING number";

pub(super) async fn card(
    conn: &mut SqliteConnection,
    id: &RequestId,
) -> Result<Option<MessageRef>, StoreError> {
    let row = sqlx::query(CARD)
        .bind(id.as_str())
        .fetch_optional(conn)
        .await
        .map_err(database)?;
    row.as_ref().map(rows::card).transpose()
}

pub(super) fn record_card(id: &RequestId, on: &MessageRef, now: Timestamp) -> Change {
    Change::new(RECORD_CARD)
        .bind(id.as_str())
        .bind(on.place.as_str())
        .bind(on.message.as_str())
        .bind(now.timestamp_millis())
}

pub(super) fn record_history(id: &RequestId, upto: i64) -> Change {
    Change::new("UPDATE cards SET told_upto = max(told_upto, $1) WHERE request = $2")
        .bind(upto)
        .bind(id.as_str())
}

pub(super) async fn forget_card(
    conn: &mut SqliteConnection,
    id: &RequestId,
) -> Result<(), StoreError> {
    sqlx::query("DELETE FROM cards WHERE request = $1")
        .bind(id.as_str())
        .execute(conn)
        .await
        .map_err(database)?;
    Ok(())
}

pub(super) async fn answer(
    conn: &mut SqliteConnection,
    once: &str,
) -> Result<Option<String>, StoreError> {
    sqlx::query_scalar("SELECT answer FROM answers WHERE once = $1")
        .bind(once)
        .fetch_optional(conn)
        .await
        .map_err(database)
}

pub(super) async fn forget_answers(
    conn: &mut SqliteConnection,
    before: Timestamp,
) -> Result<(), StoreError> {
    sqlx::query("DELETE FROM answers WHERE at < $1")
        .bind(before.timestamp_millis())
        .execute(conn)
        .await
        .map_err(database)?;
    Ok(())
}

pub(super) fn keep_answer(once: &str, answer: &str, now: Timestamp) -> Change {
    Change::new("INSERT INTO answers (once, answer, at) VALUES ($1, $2, $3)")
        .bind(once)
        .bind(answer)
        .bind(now.timestamp_millis())
        .or_taken(format!("the answer to {once}"))
}

pub(super) async fn keep_policy(
    conn: &mut SqliteConnection,
    hash: &ContentHash,
    text: &str,
    now: Timestamp,
) -> Result<(), StoreError> {
    sqlx::query(KEEP_POLICY)
        .bind(hash.0.as_str())
        .bind(text)
        .bind(now.timestamp_millis())
        .execute(conn)
        .await
        .map_err(database)?;
    Ok(())
}

pub(super) async fn last_policy(
    conn: &mut SqliteConnection,
) -> Result<Option<(ContentHash, String)>, StoreError> {
    let found: Option<(String, String)> = sqlx::query_as(LAST_POLICY)
        .fetch_optional(conn)
        .await
        .map_err(database)?;
    Ok(found.map(|(hash, text)| (ContentHash(hash), text)))
}

pub(super) async fn last_digest(
    conn: &mut SqliteConnection,
) -> Result<Option<DigestMark>, StoreError> {
    let row = sqlx::query("SELECT * FROM digests ORDER BY number DESC LIMIT 1")
        .fetch_optional(conn)
        .await
        .map_err(database)?;
    row.as_ref().map(rows::digest).transpose()
}

pub(super) async fn digest(
    conn: &mut SqliteConnection,
    number: i64,
) -> Result<Option<DigestMark>, StoreError> {
    let row = sqlx::query("SELECT * FROM digests WHERE number = $1")
        .bind(number)
        .fetch_optional(conn)
        .await
        .map_err(database)?;
    row.as_ref().map(rows::digest).transpose()
}

pub(super) async fn insert_digest(
    conn: &mut SqliteConnection,
    slot: Timestamp,
    from_seq: i64,
    to: &Head,
    now: Timestamp,
) -> Result<Option<i64>, StoreError> {
    sqlx::query_scalar(INSERT_DIGEST)
        .bind(slot.timestamp_millis())
        .bind(now.timestamp_millis())
        .bind(from_seq)
        .bind(to.count)
        .bind(to.hash.0.as_str())
        .fetch_optional(conn)
        .await
        .map_err(database)
}
