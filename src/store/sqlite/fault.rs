//! What SQLite and sqlx report, in the store's words.

use crate::store::StoreError;

/// A failure of the database. Its text names constraints and files, never values.
pub(super) fn database(error: sqlx::Error) -> StoreError {
    match error {
        sqlx::Error::PoolClosed | sqlx::Error::WorkerCrashed => StoreError::Closed,
        sqlx::Error::Database(cause) => {
            let Some(code) = cause.code() else {
                return StoreError::Database(cause.message().to_owned());
            };
            let what_to_do = code.parse().ok().and_then(what_to_do);
            let hint = what_to_do.map(|it| format!(": {it}")).unwrap_or_default();
            StoreError::Database(format!("{} (code {code}){hint}", cause.message()))
        }
        other => StoreError::Database(other.to_string()),
    }
}

/// What somebody on the host can do about a result code of SQLite's (its page "Result and Error Codes").
const fn what_to_do(code: i32) -> Option<&'static str> {
    // The first byte is the kind; what is above it says more of the place.
    Some(match code & 0xff {
        5 | 6 => "another program holds the database for writing; end what it does there",
        8 => {
            "the database, its folder or its file system is read-only for this user; see to their rights, and how it is mounted"
        }
        10 => "the file system fails; look at the system's log, quotas and limits",
        11 | 26 => {
            "the file is damaged; stop jitbot, keep the file, and go back to the last backup that is whole"
        }
        13 => "make room on its disk, or raise the quota",
        14 => {
            "the file, one beside it or their folder is gone or can't be opened; see to their rights, or put it back"
        }
        _ => return None,
    })
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
