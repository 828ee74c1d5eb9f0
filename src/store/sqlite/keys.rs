//! Public keys that were given in chat.

use std::collections::BTreeMap;

use sqlx::{QueryBuilder, Row, SqliteConnection};

use super::fault::{database, inconsistent};
use super::requests::push_in;
use super::rows::instant;
use crate::domain::directory::GivenKey;
use crate::domain::ids::AccountId;
use crate::domain::public_key::PublicKey;
use crate::store::StoreError;

const KEEP: &str = "INSERT INTO public_keys (account, key, given_at) VALUES ($1, $2, $3)
    ON CONFLICT (account) DO UPDATE SET key = excluded.key, given_at = excluded.given_at";

const FORGET: &str = "DELETE FROM public_keys WHERE account = $1";

const OWNERS: &str = "SELECT account FROM public_keys WHERE key = $1 ORDER BY account";

/// Those of these accounts.
pub(super) async fn of(
    conn: &mut SqliteConnection,
    accounts: &[AccountId],
) -> Result<BTreeMap<AccountId, GivenKey>, StoreError> {
    let mut query = QueryBuilder::new("SELECT account, key, given_at FROM public_keys WHERE ");
    push_in(
        &mut query,
        "account",
        accounts.iter().map(AccountId::as_str),
    );
    let rows = query.build().fetch_all(conn).await.map_err(database)?;
    let mut keys = BTreeMap::new();
    for row in rows {
        let account = account_in(&row)?;
        let line: String = row.try_get("key").map_err(database)?;
        let key = PublicKey::parse(&line)
            .map_err(|why| inconsistent(format!("the key of {account}"), format!("it {why}")))?;
        let given_at: i64 = row.try_get("given_at").map_err(database)?;
        let given_at = instant(given_at, "a public key")?;
        keys.insert(account, GivenKey { key, given_at });
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

/// The account's key from now on; none forgets it.
pub(super) async fn keep(
    conn: &mut SqliteConnection,
    account: &AccountId,
    given: Option<&GivenKey>,
) -> Result<(), StoreError> {
    let query = match given {
        Some(given) => sqlx::query(KEEP)
            .bind(account.as_str())
            .bind(given.key.line())
            .bind(given.given_at.timestamp_millis()),
        None => sqlx::query(FORGET).bind(account.as_str()),
    };
    query.execute(conn).await.map_err(database)?;
    Ok(())
}

fn account_in(row: &sqlx::sqlite::SqliteRow) -> Result<AccountId, StoreError> {
    let text: String = row.try_get("account").map_err(database)?;
    AccountId::new(text).map_err(|why| inconsistent("an account with a public key", why))
}
