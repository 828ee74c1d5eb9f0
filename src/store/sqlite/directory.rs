//! The directory: groups and accounts of a platform, each with the time at which it was asked for.

use std::collections::{BTreeMap, BTreeSet};

use sqlx::sqlite::SqliteRow;
use sqlx::{AssertSqlSafe, Row, SqliteConnection};

use super::changes::Change;
use super::fault::{database, inconsistent};
use super::rows::instant;
use super::several::{numbered, rows_of_each};
use crate::domain::directory::{
    AccountStatus, DirectoryGroup, DirectoryHealth, GroupTrouble, Known, KnownAccount, KnownGroup,
};
use crate::domain::ids::{AccountId, DirectoryGroupId};
use crate::domain::timing::Timestamp;
use crate::store::StoreError;

const GROUPS: &str = "SELECT id, fetched_at, trouble FROM directory_groups";

const MEMBER_OF: &str = "SELECT group_id AS id, account FROM directory_members WHERE account IN";

const KNOWN_ACCOUNTS: &str = "SELECT account, status, time_zone, fetched_at FROM directory_accounts
    WHERE status IS NOT NULL AND account IN";

const GROUP: &str = "SELECT * FROM directory_groups WHERE source = $1 AND id = $2";

const MEMBERS: &str = "SELECT account FROM directory_members WHERE source = $1 AND group_id = $2";

const PINNED: &str =
    "SELECT name, id FROM directory_groups WHERE source = $1 ORDER BY fetched_at, id";

const KEEP_GROUP: &str = "INSERT INTO directory_groups (source, id, name, fetched_at, trouble, trouble_since)
    VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (source, id) DO UPDATE SET name = excluded.name,
    fetched_at = excluded.fetched_at, trouble = excluded.trouble, trouble_since = excluded.trouble_since";

const ADD_MEMBER: &str = "INSERT INTO directory_members (source, group_id, account, fetched_at)
    VALUES ($1, $2, $3, $4)";

const DROP_MEMBER: &str = "DELETE FROM directory_members
    WHERE source = $1 AND group_id = $2 AND account = $3";

const KEEP_ACCOUNT: &str = "INSERT INTO directory_accounts (account, status, time_zone, fetched_at,
    wanted_at) VALUES ($1, $2, $3, $4, $4) ON CONFLICT (account) DO UPDATE SET status = excluded.status,
    time_zone = excluded.time_zone, fetched_at = excluded.fetched_at";

const WANT_ACCOUNT: &str = "INSERT INTO directory_accounts (account, wanted_at) VALUES ($1, $2)
    ON CONFLICT (account) DO UPDATE SET wanted_at = excluded.wanted_at";

const ACCOUNTS: &str = "SELECT account, fetched_at, wanted_at FROM directory_accounts";

// Each half is answered by its own index.
const HOLDERS: &str =
    "SELECT requester_account AS account FROM requests WHERE state IN ('checking', 'pending')
    UNION SELECT beneficiary_account FROM requests WHERE state IN ('checking', 'pending')
    UNION SELECT beneficiary_account FROM grants WHERE state NOT IN ('ended', 'failed', 'cancelled')
    UNION SELECT r.requester_account FROM grants g JOIN requests r ON r.id = g.request
        WHERE g.state NOT IN ('ended', 'failed', 'cancelled')";

const HEALTH: &str =
    "SELECT failing_since, told, wait_until FROM directory_sources WHERE source = $1";

const KEEP_HEALTH: &str = "INSERT INTO directory_sources (source, failing_since, told, wait_until)
    VALUES ($1, $2, $3, $4) ON CONFLICT (source) DO UPDATE SET failing_since = excluded.failing_since,
    told = excluded.told, wait_until = excluded.wait_until";

fn account_in(row: &SqliteRow) -> Result<AccountId, StoreError> {
    let text: String = row.try_get("account").map_err(database)?;
    AccountId::new(text).map_err(|why| inconsistent("an account of the directory", why))
}

fn group_in(row: &SqliteRow) -> Result<DirectoryGroupId, StoreError> {
    let text: String = row.try_get("id").map_err(database)?;
    DirectoryGroupId::new(text).map_err(|why| inconsistent("a group of the directory", why))
}

fn time_in(row: &SqliteRow, column: &str) -> Result<Option<Timestamp>, StoreError> {
    let ms: Option<i64> = row.try_get(column).map_err(database)?;
    ms.map(|ms| instant(ms, "the directory")).transpose()
}

fn fetched_in(row: &SqliteRow) -> Result<Timestamp, StoreError> {
    time_in(row, "fetched_at")?
        .ok_or_else(|| inconsistent("the directory", "a fact without the time of its asking"))
}

pub(super) async fn known(
    conn: &mut SqliteConnection,
    accounts: &[AccountId],
) -> Result<Known, StoreError> {
    let mut known = Known {
        about: accounts.iter().cloned().collect(),
        ..Known::default()
    };
    let about = numbered(1, accounts.len());
    let keys = super::keys::OF;
    let sql =
        format!("{GROUPS}; {MEMBER_OF} ({about}); {KNOWN_ACCOUNTS} ({about}); {keys} ({about})");
    let mut query = sqlx::query(AssertSqlSafe(sql));
    for account in accounts {
        query = query.bind(account.as_str());
    }
    let [groups, members, known_accounts, keys] = rows_of_each(conn, query).await?;
    for row in groups {
        let trouble: Option<String> = row.try_get("trouble").map_err(database)?;
        let group = KnownGroup {
            as_of: fetched_in(&row)?,
            in_doubt: trouble.as_deref() == Some("doubted"),
            members: BTreeSet::new(),
        };
        known.groups.insert(group_in(&row)?, group);
    }
    for row in members {
        if let Some(group) = known.groups.get_mut(&group_in(&row)?) {
            group.members.insert(account_in(&row)?);
        }
    }
    for row in known_accounts {
        let word: String = row.try_get("status").map_err(database)?;
        let status = AccountStatus::parse(&word)
            .ok_or_else(|| inconsistent("an account's status", format!("it is `{word}`")))?;
        // A name that this version does not know any more is as good as none.
        let zone: Option<String> = row.try_get("time_zone").map_err(database)?;
        let account = KnownAccount {
            status,
            time_zone: zone.and_then(|name| name.parse().ok()),
            as_of: fetched_in(&row)?,
        };
        known.accounts.insert(account_in(&row)?, account);
    }
    known.keys = super::keys::read(&keys)?;
    Ok(known)
}

pub(super) async fn group(
    conn: &mut SqliteConnection,
    id: &DirectoryGroupId,
) -> Result<Option<DirectoryGroup>, StoreError> {
    let row = sqlx::query(GROUP)
        .bind(id.platform())
        .bind(id.as_str())
        .fetch_optional(&mut *conn)
        .await
        .map_err(database)?;
    let Some(row) = row else { return Ok(None) };
    let trouble: Option<String> = row.try_get("trouble").map_err(database)?;
    let trouble = match (trouble.as_deref(), time_in(&row, "trouble_since")?) {
        (None, None) => None,
        (Some("doubted"), Some(since)) => Some(GroupTrouble::Doubted(since)),
        (Some("emptied"), Some(since)) => Some(GroupTrouble::Emptied(since)),
        other => {
            return Err(inconsistent(
                format!("group {id}"),
                format!("its trouble is {other:?}"),
            ));
        }
    };
    let members = sqlx::query(MEMBERS)
        .bind(id.platform())
        .bind(id.as_str())
        .fetch_all(conn)
        .await
        .map_err(database)?;
    Ok(Some(DirectoryGroup {
        id: id.clone(),
        name: row.try_get("name").map_err(database)?,
        as_of: fetched_in(&row)?,
        trouble,
        members: members.iter().map(account_in).collect::<Result<_, _>>()?,
    }))
}

pub(super) async fn pinned(
    conn: &mut SqliteConnection,
    source: &str,
) -> Result<BTreeMap<String, DirectoryGroupId>, StoreError> {
    // The last look at a name wins.
    let rows = sqlx::query(PINNED)
        .bind(source)
        .fetch_all(conn)
        .await
        .map_err(database)?;
    rows.iter()
        .map(|row| Ok((row.try_get("name").map_err(database)?, group_in(row)?)))
        .collect()
}

pub(super) async fn keep_group(
    conn: &mut SqliteConnection,
    kept: &DirectoryGroup,
) -> Result<(), StoreError> {
    let before = group(conn, &kept.id).await?;
    let before = before.map(|group| group.members).unwrap_or_default();
    let (trouble, since) = match kept.trouble {
        None => (None, None),
        Some(GroupTrouble::Doubted(since)) => (Some("doubted"), Some(since)),
        Some(GroupTrouble::Emptied(since)) => (Some("emptied"), Some(since)),
    };
    let fetched_at = kept.as_of.timestamp_millis();
    sqlx::query(KEEP_GROUP)
        .bind(kept.id.platform())
        .bind(kept.id.as_str())
        .bind(kept.name.as_str())
        .bind(fetched_at)
        .bind(trouble)
        .bind(since.map(|at| at.timestamp_millis()))
        .execute(&mut *conn)
        .await
        .map_err(database)?;
    for gone in before.difference(&kept.members) {
        sqlx::query(DROP_MEMBER)
            .bind(kept.id.platform())
            .bind(kept.id.as_str())
            .bind(gone.as_str())
            .execute(&mut *conn)
            .await
            .map_err(database)?;
    }
    for new in kept.members.difference(&before) {
        sqlx::query(ADD_MEMBER)
            .bind(kept.id.platform())
            .bind(kept.id.as_str())
            .bind(new.as_str())
            .bind(fetched_at)
            .execute(&mut *conn)
            .await
            .map_err(database)?;
    }
    Ok(())
}

pub(super) async fn keep_account(
    conn: &mut SqliteConnection,
    account: &AccountId,
    known: KnownAccount,
) -> Result<(), StoreError> {
    sqlx::query(KEEP_ACCOUNT)
        .bind(account.as_str())
        .bind(known.status.as_str())
        .bind(known.time_zone.map(chrono_tz::Tz::name))
        .bind(known.as_of.timestamp_millis())
        .execute(conn)
        .await
        .map_err(database)?;
    Ok(())
}

pub(super) fn want_account(account: &AccountId, now: Timestamp) -> Change {
    Change::new(WANT_ACCOUNT)
        .bind(account.as_str())
        .bind(now.timestamp_millis())
}

pub(super) async fn accounts(
    conn: &mut SqliteConnection,
) -> Result<BTreeMap<AccountId, (Option<Timestamp>, Timestamp)>, StoreError> {
    let rows = sqlx::query(ACCOUNTS)
        .fetch_all(conn)
        .await
        .map_err(database)?;
    rows.iter()
        .map(|row| {
            let wanted = time_in(row, "wanted_at")?
                .ok_or_else(|| inconsistent("the directory", "an account that nobody wanted"))?;
            Ok((account_in(row)?, (time_in(row, "fetched_at")?, wanted)))
        })
        .collect()
}

pub(super) async fn holders(
    conn: &mut SqliteConnection,
) -> Result<BTreeSet<AccountId>, StoreError> {
    let rows = sqlx::query(HOLDERS)
        .fetch_all(conn)
        .await
        .map_err(database)?;
    rows.iter().map(account_in).collect()
}

pub(super) async fn health(
    conn: &mut SqliteConnection,
    source: &str,
) -> Result<DirectoryHealth, StoreError> {
    let row = sqlx::query(HEALTH)
        .bind(source)
        .fetch_optional(conn)
        .await
        .map_err(database)?;
    let Some(row) = row else {
        return Ok(DirectoryHealth::default());
    };
    let told: i64 = row.try_get("told").map_err(database)?;
    Ok(DirectoryHealth {
        failing_since: time_in(&row, "failing_since")?,
        told: told == 1,
        wait_until: time_in(&row, "wait_until")?,
    })
}

pub(super) async fn keep_health(
    conn: &mut SqliteConnection,
    source: &str,
    health: &DirectoryHealth,
) -> Result<(), StoreError> {
    sqlx::query(KEEP_HEALTH)
        .bind(source)
        .bind(health.failing_since.map(|at| at.timestamp_millis()))
        .bind(i64::from(health.told))
        .bind(health.wait_until.map(|at| at.timestamp_millis()))
        .execute(conn)
        .await
        .map_err(database)?;
    Ok(())
}
