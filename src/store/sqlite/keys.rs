//! Public keys that were given in chat.

use std::collections::BTreeMap;

use sqlx::sqlite::SqliteRow;
use sqlx::{Row, SqliteConnection};

use super::fault::{database, inconsistent};
use super::rows::instant;
use crate::domain::directory::KeyRow;
use crate::domain::ids::AccountId;
use crate::domain::public_key::PublicKey;
use crate::store::StoreError;

pub(super) const OF: &str = "SELECT account, key, changed_at FROM public_keys WHERE account IN";

const KEEP: &str = "INSERT INTO public_keys (account, key, changed_at) VALUES ($1, $2, $3)
    ON CONFLICT (account) DO UPDATE SET key = excluded.key, changed_at = excluded.changed_at";

const OWNERS: &str = "SELECT account FROM public_keys WHERE key = $1 ORDER BY account";

/// What is known of the keys of accounts, as [`OF`] finds them.
pub(super) fn read(rows: &[SqliteRow]) -> Result<BTreeMap<AccountId, KeyRow>, StoreError> {
    let mut keys = BTreeMap::new();
    for row in rows {
        let account = account_in(row)?;
        let line: Option<String> = row.try_get("key").map_err(database)?;
        let key = line
            .map(|line| PublicKey::parse(&line))
            .transpose()
            .map_err(|why| inconsistent(format!("the key of {account}"), format!("it {why}")))?;
        let changed_at: i64 = row.try_get("changed_at").map_err(database)?;
        let changed_at = instant(changed_at, "a public key")?;
        keys.insert(account, KeyRow { key, changed_at });
    }
    Ok(keys)
}

/// Who gave this key.
pub(super) async fn owners(
    conn: &mut SqliteConnection,
    key: &PublicKey,
) -> Result<Vec<AccountId>, StoreError> {
    let rows = sqlx::query(OWNERS)
        .bind(key.line())
        .fetch_all(conn)
        .await
        .map_err(database)?;
    rows.iter().map(account_in).collect()
}

/// What is known of the account's key from now on.
pub(super) async fn keep(
    conn: &mut SqliteConnection,
    account: &AccountId,
    row: &KeyRow,
) -> Result<(), StoreError> {
    sqlx::query(KEEP)
        .bind(account.as_str())
        .bind(row.key.as_ref().map(PublicKey::line))
        .bind(row.changed_at.timestamp_millis())
        .execute(conn)
        .await
        .map_err(database)?;
    Ok(())
}

fn account_in(row: &sqlx::sqlite::SqliteRow) -> Result<AccountId, StoreError> {
    let text: String = row.try_get("account").map_err(database)?;
    AccountId::new(text).map_err(|why| inconsistent("an account with a public key", why))
}
