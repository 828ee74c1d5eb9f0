//! Rewriting the database, so that its files hold what its tables hold and nothing older.

use sqlx::{ConnectOptions, Connection, Row, SqliteConnection};

use super::fault::database;
use super::{SqliteStore, lock, there, writing};
use crate::domain::timing::Timestamp;
use crate::store::StoreError;

impl SqliteStore {
    /// Writes a database that is there anew: pages that were freed, and rests of rows that were
    /// changed before deleted bytes were overwritten, are gone from its files then. Nobody may run on
    /// it; `who` is the command that does this. It needs as much room again as the database has.
    ///
    /// # Errors
    /// [`StoreError::Held`] when a bot runs on it; [`StoreError::Database`] when there is none, when
    /// there is no room, or when another program reads it.
    pub async fn rewrite(path_or_url: &str, who: &str, since: Timestamp) -> Result<(), StoreError> {
        let path = there(path_or_url)?;
        let held = lock::take(&path, who, since)?;
        let mut conn = writing(&path).connect().await.map_err(database)?;
        let done = rewrite(&mut conn).await;
        conn.close().await.map_err(database)?;
        drop(held);
        done
    }
}

async fn rewrite(conn: &mut SqliteConnection) -> Result<(), StoreError> {
    sqlx::query("VACUUM")
        .execute(&mut *conn)
        .await
        .map_err(database)?;
    // What was written last is in the log beside the database until then, and so is what it replaces.
    let said = sqlx::query("PRAGMA wal_checkpoint(TRUNCATE)")
        .fetch_one(conn)
        .await
        .map_err(database)?;
    let busy: i64 = said.try_get(0).map_err(database)?;
    if busy == 0 {
        return Ok(());
    }
    Err(StoreError::Database(
        "another program reads it, so its log could not be emptied".into(),
    ))
}
