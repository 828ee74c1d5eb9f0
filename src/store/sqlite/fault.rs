//! What SQLite and sqlx report, in the store's words.

use crate::store::StoreError;

/// A failure of the database. Its text names constraints and files, never values.
pub(super) fn database(error: sqlx::Error) -> StoreError {
    match error {
        sqlx::Error::PoolClosed | sqlx::Error::WorkerCrashed => StoreError::Closed,
        sqlx::Error::Database(cause) => match cause.code() {
            Some(code) => StoreError::Database(format!("{} (code {code})", cause.message())),
            None => StoreError::Database(cause.message().to_owned()),
        },
        other => StoreError::Database(other.to_string()),
    }
}

/// As [`database`], except that a key which is taken is a conflict about `what`.
pub(super) fn or_taken(what: impl FnOnce() -> String) -> impl FnOnce(sqlx::Error) -> StoreError {
    move |error| {
        let taken = error
            .as_database_error()
            .is_some_and(sqlx::error::DatabaseError::is_unique_violation);
        if taken {
            StoreError::Conflict { what: what() }
        } else {
            database(error)
        }
    }
}

/// A row that says what can't be.
pub(super) fn inconsistent(what: impl Into<String>, why: impl ToString) -> StoreError {
    StoreError::Inconsistent {
        what: what.into(),
        why: why.to_string(),
    }
}
