//! How the last transaction left the database, and whether that is as this process left it.

use sqlx::SqliteConnection;

use super::fault::database;
use super::record;
use super::rows::instant;
use crate::domain::audit::Head;
use crate::domain::timing::Timestamp;
use crate::store::StoreError;

/// Whether an entry was refused because the record does not end where memory says: somebody else wrote to
/// it, and what is in memory is of no use any more. The words are those of the table's trigger.
pub(super) fn is_out_of_step(error: &StoreError) -> bool {
    matches!(error, StoreError::Database(said) if said.contains("the record is only appended to"))
}

/// Whether the record was written by somebody else: it ends neither where the last commit left it, nor
/// where the one did of which nobody knows whether it came through.
pub(super) fn is_foreign(found: &Head, told: &Head, unsure: Option<&Head>) -> bool {
    found != told && Some(found) != unsure
}

/// What the database says of its last transaction: its time, and the end of the record.
pub(super) async fn remembered(
    conn: &mut SqliteConnection,
) -> Result<(Timestamp, Head), StoreError> {
    let ms: i64 = sqlx::query_scalar("SELECT last_now FROM meta")
        .fetch_one(&mut *conn)
        .await
        .map_err(database)?;
    Ok((
        instant(ms, "the last transaction")?,
        record::head(conn).await?,
    ))
}
