//! Requests for more time of a grant.

use sqlx::SqliteConnection;

use super::fault::database;
use super::requests::all;
use crate::domain::ids::GrantId;
use crate::domain::request::Request;
use crate::store::StoreError;

pub(super) const OPEN: &str = "SELECT * FROM requests WHERE extends = $1
    AND state IN ('checking', 'pending') ORDER BY submitted_at";

pub(super) const GIVEN: &str = "SELECT * FROM requests WHERE extends = $1
    AND extension_state = 'given' ORDER BY submitted_at, id";

pub(super) async fn open(
    conn: &mut SqliteConnection,
    grant: &GrantId,
) -> Result<Vec<Request>, StoreError> {
    let found = sqlx::query(OPEN)
        .bind(grant.as_str())
        .fetch_all(conn)
        .await
        .map_err(database)?;
    all(&found)
}

pub(super) async fn given(
    conn: &mut SqliteConnection,
    grant: &GrantId,
) -> Result<Vec<Request>, StoreError> {
    let found = sqlx::query(GIVEN)
        .bind(grant.as_str())
        .fetch_all(conn)
        .await
        .map_err(database)?;
    all(&found)
}
