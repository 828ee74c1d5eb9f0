//! Erasing what is personal about an account. The record stays; texts beside it go.

use sqlx::{AssertSqlSafe, SqliteConnection};

use super::fault::{database, inconsistent};
use crate::domain::erasure::PersonalRows;
use crate::domain::ids::AccountId;
use crate::store::StoreError;

const TEXTS_OF: &str = "SELECT t.seq FROM audit_texts t JOIN audit a ON a.seq = t.seq
    LEFT JOIN requests r ON r.id = json_extract(a.body, '$.request')
    WHERE json_extract(a.body, '$.actor') = $1 OR json_extract(a.body, '$.facts.of') = $1
        OR r.requester_account = $1 OR r.beneficiary_account = $1
    ORDER BY t.seq";

const ERASE_TEXTS: &str = "DELETE FROM audit_texts WHERE seq IN (SELECT value FROM json_each($1))";

/// Its requests, as a part of a statement.
const ITS_REQUESTS: &str =
    "(SELECT id FROM requests WHERE requester_account = $1 OR beneficiary_account = $1)";

/// One kind of rows: how they are erased, in which table, and which.
struct Rows {
    erase: &'static str,
    table: &'static str,
    which: String,
}

impl Rows {
    fn new(erase: &'static str, table: &'static str, which: &str) -> Self {
        Self {
            erase,
            table,
            which: which.replace("ITS_REQUESTS", ITS_REQUESTS),
        }
    }
}

const DELETE: &str = "DELETE FROM";

// Answers don't say whom they were given, and are kept for a repetition within minutes: all go.
// Of messages those that hold words of the account, or are about it and were given up.
fn each() -> [(Field, Rows); 9] {
    [
        (
            |rows| &mut rows.reasons,
            Rows::new(
                "UPDATE requests SET reason = NULL",
                "requests",
                "reason IS NOT NULL AND (requester_account = $1 OR beneficiary_account = $1)",
            ),
        ),
        (
            |rows| &mut rows.whys,
            Rows::new(
                "UPDATE decisions SET why = NULL",
                "decisions",
                "why IS NOT NULL AND (account = $1 OR request IN ITS_REQUESTS)",
            ),
        ),
        (
            |rows| &mut rows.whys,
            Rows::new(
                "UPDATE grants SET ending_why = NULL",
                "grants",
                "ending_why IS NOT NULL AND (ending_account = $1 OR request IN ITS_REQUESTS)",
            ),
        ),
        (
            |rows| &mut rows.keys,
            Rows::new(DELETE, "public_keys", "account = $1"),
        ),
        (
            |rows| &mut rows.known,
            Rows::new(DELETE, "directory_accounts", "account = $1"),
        ),
        (
            |rows| &mut rows.known,
            Rows::new(DELETE, "directory_members", "account = $1"),
        ),
        (
            |rows| &mut rows.answers,
            Rows::new(DELETE, "answers", "$1 IS NOT NULL"),
        ),
        (
            |rows| &mut rows.messages,
            Rows::new(
                DELETE,
                "jobs",
                "state <> 'given_up' AND (
                    (json_extract(kind, '$.job') = 'answer_press'
                        AND json_extract(kind, '$.account') = $1)
                    OR (json_extract(kind, '$.job') = 'notify_refused'
                        AND json_extract(kind, '$.request') IN ITS_REQUESTS))",
            ),
        ),
        (
            |rows| &mut rows.messages,
            Rows::new(
                DELETE,
                "jobs",
                "state = 'given_up' AND EXISTS (SELECT 1 FROM json_tree(kind) part
                    WHERE part.atom = $1 OR part.atom IN ITS_REQUESTS
                    OR 'r' || substr(part.atom, 2) IN ITS_REQUESTS)",
            ),
        ),
    ]
}

type Field = fn(&mut PersonalRows) -> &mut i64;

pub(super) async fn texts_of(
    conn: &mut SqliteConnection,
    account: &AccountId,
) -> Result<Vec<i64>, StoreError> {
    sqlx::query_scalar(TEXTS_OF)
        .bind(account.as_str())
        .fetch_all(conn)
        .await
        .map_err(database)
}

pub(super) async fn personal_rows(
    conn: &mut SqliteConnection,
    account: &AccountId,
) -> Result<PersonalRows, StoreError> {
    let mut rows = PersonalRows::default();
    for (field, Rows { table, which, .. }) in each() {
        // Made of the constant texts above alone.
        let sql = AssertSqlSafe(format!("SELECT count(*) FROM {table} WHERE {which}"));
        let count: i64 = sqlx::query_scalar(sql)
            .bind(account.as_str())
            .fetch_one(&mut *conn)
            .await
            .map_err(database)?;
        *field(&mut rows) += count;
    }
    Ok(rows)
}

pub(super) async fn erase_rows(
    conn: &mut SqliteConnection,
    account: &AccountId,
) -> Result<PersonalRows, StoreError> {
    let mut rows = PersonalRows::default();
    for (field, of) in each() {
        let Rows {
            erase,
            table,
            which,
        } = of;
        let sql = match erase {
            DELETE => format!("{erase} {table} WHERE {which}"),
            update => format!("{update} WHERE {which}"),
        };
        let done = sqlx::query(AssertSqlSafe(sql))
            .bind(account.as_str())
            .execute(&mut *conn)
            .await
            .map_err(database)?;
        *field(&mut rows) += i64::try_from(done.rows_affected()).unwrap_or(i64::MAX);
    }
    Ok(rows)
}

pub(super) async fn erase_texts(
    conn: &mut SqliteConnection,
    entries: &[i64],
) -> Result<(), StoreError> {
    let done = sqlx::query(ERASE_TEXTS)
        .bind(serde_json::Value::from(entries).to_string())
        .execute(conn)
        .await
        .map_err(database)?;
    if usize::try_from(done.rows_affected()) == Ok(entries.len()) {
        return Ok(());
    }
    Err(inconsistent(
        "the record",
        "a text that was to be erased is not there",
    ))
}
