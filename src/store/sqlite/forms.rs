//! Of which form a database is: which migrations it has had.

use std::path::Path;

use sqlx::{ConnectOptions as _, SqliteConnection};

use super::{MIGRATIONS, SqliteStore, opening, reading, there};
use crate::store::StoreError;

impl SqliteStore {
    /// Whether a database that is there is of a form that the next start brings to ours.
    ///
    /// # Errors
    /// [`StoreError::Database`] when there is none, or it is not jitbot's.
    pub async fn is_of_an_older_form(path_or_url: &str) -> Result<bool, StoreError> {
        let path = there(path_or_url)?;
        let mut conn = reading(&path)
            .connect()
            .await
            .map_err(|error| opening(&path, error))?;
        let (version, ours) = versions(&mut conn, &path).await?;
        Ok(version < ours)
    }
}

/// The version of a database's form, and the one that this program reads.
pub(super) async fn versions(
    conn: &mut SqliteConnection,
    path: &Path,
) -> Result<(i64, i64), StoreError> {
    let version: Option<i64> =
        sqlx::query_scalar("SELECT max(version) FROM _sqlx_migrations WHERE success")
            .fetch_one(conn)
            .await
            .map_err(|_| {
                StoreError::Database(format!("{} is no database of jitbot", path.display()))
            })?;
    let ours = MIGRATIONS.iter().map(|it| it.version).max();
    Ok((version.unwrap_or(0), ours.unwrap_or(0)))
}
