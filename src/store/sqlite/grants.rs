//! Grants and their holdings.

use std::collections::{BTreeMap, BTreeSet};

use sqlx::{QueryBuilder, SqliteConnection};

use super::changes::Change;
use super::fault::{database, inconsistent, or_taken};
use super::requests::{push_in, spec_text};
use super::rows;
use crate::domain::delivery::Delivery;
use crate::domain::grant::{Grant, GrantState};
use crate::domain::ids::{AccountId, GrantId, IssuerName, ResourceName};
use crate::domain::spec::Spec;
use crate::domain::timing::Timestamp;
use crate::store::StoreError;
use crate::store::in_use::InUse;

pub(super) const BY_ID: &str = "SELECT * FROM grants WHERE id = $1";

const INSERT: &str = "INSERT INTO grants (id, request, state, beneficiary_account,
    beneficiary_person, resource, issuer, spec, spec_hash, approved_at, activate_by, end_by,
    deadline, native_deadline, active_at, handle, ending_reason, ending_account, ending_person,
    ending_at, revoke_failures, stuck_since, ended_at, evidence, unsettled_since, ending_why, delivery)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19,
    $20, $21, $22, $23, $24, $25, $26, $27) RETURNING serial";

// What was approved and for whom never changes, and its latest end only by another approval; naming
// the hash makes a changed spec a conflict.
const SAVE: &str = "UPDATE grants SET state = $1, deadline = $2, native_deadline = $3,
    active_at = $4, handle = $5, ending_reason = $6, ending_account = $7, ending_person = $8,
    ending_at = $9, revoke_failures = $10, stuck_since = $11, ended_at = $12, evidence = $13,
    unsettled_since = $17, ending_why = $18, end_by = $19, delivery = $20 WHERE id = $14 AND state = $15 AND spec_hash = $16";

const INSERT_HOLDING: &str = "INSERT INTO holdings (issuer, account, entitlement)
    VALUES ($1, $2, $3) ON CONFLICT (issuer, account, entitlement) DO NOTHING";

const LINK_HOLDING: &str = "INSERT INTO grant_holdings (grant_id, holding)
    SELECT $1, id FROM holdings WHERE issuer = $2 AND account = $3 AND entitlement = $4
    ON CONFLICT (grant_id, holding) DO NOTHING";

// One state at a time, so that the index on (state, serial) gives the order by itself.
const IN_STATE: &str = "SELECT * FROM grants WHERE state = $1 ORDER BY serial LIMIT $2";

const LIVE_FOR: &str = "SELECT * FROM grants WHERE resource = $1
    AND state NOT IN ('ended', 'failed', 'cancelled')
    ORDER BY coalesce(deadline, end_by), serial LIMIT $2";

const ENDED_EARLY: &str = "SELECT * FROM grants WHERE issuer = $1 AND ending_reason IS NOT NULL
    AND native_deadline IS NOT NULL AND native_deadline > $2 ORDER BY serial";

pub(super) const ON_HOLDING: &str = "SELECT g.* FROM grants g
    JOIN grant_holdings link ON link.grant_id = g.id
    JOIN holdings h ON h.id = link.holding
    WHERE h.issuer = $1 AND h.account = $2 AND h.entitlement = $3
    AND g.state NOT IN ('failed', 'cancelled') AND (g.ended_at IS NULL OR g.ended_at > $4)
    ORDER BY g.serial";

const ISSUERS_IN_USE: &str = "SELECT g.issuer AS issuer, i.bound_to AS bound_to,
    MAX(g.native_deadline) AS accepted_until
    FROM grants g LEFT JOIN issuers i ON i.name = g.issuer
    WHERE g.state NOT IN ('ended', 'failed', 'cancelled') OR g.native_deadline > $1
    GROUP BY g.issuer, i.bound_to";

const IN_USE: &str = "SELECT id FROM grants
    WHERE issuer = $1 AND (state NOT IN ('ended', 'failed', 'cancelled') OR native_deadline > $2)
    ORDER BY serial LIMIT $3";

const BOUND_TO: &str = "SELECT bound_to FROM issuers WHERE name = $1";

const KEEP_ISSUER: &str = "INSERT INTO issuers (name, bound_to) VALUES ($1, $2)
    ON CONFLICT (name) DO UPDATE SET bound_to = excluded.bound_to";

/// The columns that change in the life of a grant, as they are bound.
struct Changing<'g> {
    handle: Option<String>,
    reason: Option<&'static str>,
    by_account: Option<&'g str>,
    by_person: Option<&'g str>,
    ordered_at: Option<i64>,
    why: Option<&'g str>,
}

impl<'g> Changing<'g> {
    fn of(grant: &'g Grant) -> Result<Self, StoreError> {
        let ending = grant.ending.as_ref();
        let by = ending.and_then(|ending| ending.by.as_ref());
        let handle = match &grant.handle {
            Some(handle) => Some(
                serde_json::to_string(handle)
                    .map_err(|why| inconsistent(format!("grant {}", grant.id), why))?,
            ),
            None => None,
        };
        Ok(Self {
            handle,
            reason: ending.map(|ending| ending.reason.as_str()),
            by_account: by.map(|by| by.account.as_str()),
            by_person: by.and_then(|by| by.person.as_ref()).map(|it| it.as_str()),
            ordered_at: ms(ending.map(|ending| ending.at)),
            why: ending.and_then(|ending| ending.why.as_deref()),
        })
    }
}

fn ms(at: Option<Timestamp>) -> Option<i64> {
    at.map(|at| at.timestamp_millis())
}

pub(super) async fn by_id(
    conn: &mut SqliteConnection,
    id: &GrantId,
) -> Result<Option<Grant>, StoreError> {
    let row = sqlx::query(BY_ID)
        .bind(id.as_str())
        .fetch_optional(conn)
        .await
        .map_err(database)?;
    row.as_ref().map(rows::grant).transpose()
}

pub(super) async fn insert(conn: &mut SqliteConnection, grant: &Grant) -> Result<i64, StoreError> {
    let what = format!("grant {}", grant.id);
    let spec = spec_text(&what, &grant.spec, &grant.spec_hash)?;
    let changing = Changing::of(grant)?;
    let serial: i64 = sqlx::query_scalar(INSERT)
        .bind(grant.id.as_str())
        .bind(grant.id.request().as_str().to_owned())
        .bind(grant.state.as_str())
        .bind(grant.beneficiary.account.as_str())
        .bind(grant.beneficiary.person.as_ref().map(|it| it.as_str()))
        .bind(grant.spec.resource.as_str())
        .bind(grant.spec.issuer.as_str())
        .bind(spec)
        .bind(grant.spec_hash.0.as_str())
        .bind(grant.approved_at.timestamp_millis())
        .bind(grant.activate_by.timestamp_millis())
        .bind(grant.end_by.timestamp_millis())
        .bind(ms(grant.deadline))
        .bind(ms(grant.native_deadline))
        .bind(ms(grant.active_at))
        .bind(changing.handle)
        .bind(changing.reason)
        .bind(changing.by_account)
        .bind(changing.by_person)
        .bind(changing.ordered_at)
        .bind(grant.revoke_failures)
        .bind(ms(grant.stuck_since))
        .bind(ms(grant.ended_at))
        .bind(grant.evidence.map(|it| it.as_str()))
        .bind(ms(grant.unsettled_since))
        .bind(changing.why)
        .bind(grant.delivery.map(Delivery::as_str))
        .fetch_one(&mut *conn)
        .await
        .map_err(or_taken(|| what))?;
    Ok(serial)
}

/// What a grant that is new holds.
pub(super) fn insert_holdings(grant: &Grant) -> Vec<Change> {
    let mut changes = Vec::new();
    for entitlement in &grant.spec.entitlements {
        let holding = Change::new(INSERT_HOLDING)
            .bind(grant.spec.issuer.as_str())
            .bind(grant.spec.account.id.as_str())
            .bind(entitlement.as_str());
        let link = Change::new(LINK_HOLDING)
            .bind(grant.id.as_str())
            .bind(grant.spec.issuer.as_str())
            .bind(grant.spec.account.id.as_str())
            .bind(entitlement.as_str());
        changes.extend([holding, link]);
    }
    changes
}

pub(super) fn save(grant: &Grant, was: GrantState) -> Result<Change, StoreError> {
    let changing = Changing::of(grant)?;
    Ok(Change::new(SAVE)
        .bind(grant.state.as_str())
        .bind(ms(grant.deadline))
        .bind(ms(grant.native_deadline))
        .bind(ms(grant.active_at))
        .bind(changing.handle)
        .bind(changing.reason)
        .bind(changing.by_account)
        .bind(changing.by_person)
        .bind(changing.ordered_at)
        .bind(grant.revoke_failures)
        .bind(ms(grant.stuck_since))
        .bind(ms(grant.ended_at))
        .bind(grant.evidence.map(|it| it.as_str()))
        .bind(grant.id.as_str())
        .bind(was.as_str())
        .bind(grant.spec_hash.0.as_str())
        .bind(ms(grant.unsettled_since))
        .bind(changing.why)
        .bind(grant.end_by.timestamp_millis())
        .bind(grant.delivery.map(Delivery::as_str))
        .of_one(format!("grant {}", grant.id)))
}

pub(super) async fn count_live(
    conn: &mut SqliteConnection,
    accounts: &[AccountId],
    except: &GrantId,
) -> Result<i64, StoreError> {
    let mut query = QueryBuilder::new("SELECT count(*) FROM grants WHERE ");
    push_in(
        &mut query,
        "beneficiary_account",
        accounts.iter().map(AccountId::as_str),
    );
    query.push(" AND state NOT IN ('ended', 'failed', 'cancelled') AND id <> ");
    query.push_bind(except.as_str().to_owned());
    query
        .build_query_scalar()
        .fetch_one(conn)
        .await
        .map_err(database)
}

pub(super) async fn in_states(
    conn: &mut SqliteConnection,
    states: &[GrantState],
    limit: i64,
) -> Result<Vec<Grant>, StoreError> {
    let mut grants = Vec::new();
    for (place, state) in states.iter().enumerate() {
        if states[..place].contains(state) {
            continue;
        }
        let found = sqlx::query(IN_STATE)
            .bind(state.as_str())
            .bind(limit)
            .fetch_all(&mut *conn)
            .await
            .map_err(database)?;
        for row in &found {
            grants.push(rows::grant(row)?);
        }
    }
    grants.sort_by_key(|grant| grant.serial);
    grants.truncate(usize::try_from(limit).unwrap_or(0));
    Ok(grants)
}

pub(super) async fn live_for(
    conn: &mut SqliteConnection,
    resource: &ResourceName,
    limit: i64,
) -> Result<Vec<Grant>, StoreError> {
    let found = sqlx::query(LIVE_FOR)
        .bind(resource.as_str())
        .bind(limit)
        .fetch_all(conn)
        .await
        .map_err(database)?;
    found.iter().map(rows::grant).collect()
}

pub(super) async fn count_in(
    conn: &mut SqliteConnection,
    states: &[GrantState],
) -> Result<i64, StoreError> {
    let mut query = QueryBuilder::new("SELECT count(*) FROM grants WHERE ");
    push_in(&mut query, "state", states.iter().map(|it| it.as_str()));
    query
        .build_query_scalar()
        .fetch_one(conn)
        .await
        .map_err(database)
}

pub(super) async fn ended_before_native_deadline(
    conn: &mut SqliteConnection,
    issuer: &IssuerName,
    machine_now: Timestamp,
) -> Result<Vec<Grant>, StoreError> {
    let found = sqlx::query(ENDED_EARLY)
        .bind(issuer.as_str())
        .bind(machine_now.timestamp_millis())
        .fetch_all(conn)
        .await
        .map_err(database)?;
    found.iter().map(rows::grant).collect()
}

pub(super) async fn on_holdings(
    conn: &mut SqliteConnection,
    spec: &Spec,
    ended_after: Timestamp,
) -> Result<Vec<Grant>, StoreError> {
    let mut found: BTreeMap<i64, Grant> = BTreeMap::new();
    for entitlement in &spec.entitlements {
        let read = sqlx::query(ON_HOLDING)
            .bind(spec.issuer.as_str())
            .bind(spec.account.id.as_str())
            .bind(entitlement.as_str())
            .bind(ended_after.timestamp_millis())
            .fetch_all(&mut *conn)
            .await
            .map_err(database)?;
        for row in &read {
            let grant = rows::grant(row)?;
            found.insert(grant.serial, grant);
        }
    }
    Ok(found.into_values().collect())
}

pub(super) async fn issuers_in_use(
    conn: &mut SqliteConnection,
    machine_now: Timestamp,
) -> Result<BTreeMap<IssuerName, InUse>, StoreError> {
    let found: Vec<(String, Option<String>, Option<i64>)> = sqlx::query_as(ISSUERS_IN_USE)
        .bind(machine_now.timestamp_millis())
        .fetch_all(conn)
        .await
        .map_err(database)?;
    found
        .into_iter()
        .map(|(name, bound_to, accepted_until)| {
            let name =
                IssuerName::new(name).map_err(|why| inconsistent("a grant's issuer", why))?;
            let in_use = InUse {
                bound_to: read_bound(bound_to)?,
                accepted_until: accepted_until
                    .map(|ms| rows::instant(ms, "a grant's native deadline"))
                    .transpose()?,
            };
            Ok((name, in_use))
        })
        .collect()
}

pub(super) async fn in_use(
    conn: &mut SqliteConnection,
    issuer: &IssuerName,
    machine_now: Timestamp,
    limit: i64,
) -> Result<Vec<GrantId>, StoreError> {
    let found: Vec<String> = sqlx::query_scalar(IN_USE)
        .bind(issuer.as_str())
        .bind(machine_now.timestamp_millis())
        .bind(limit)
        .fetch_all(conn)
        .await
        .map_err(database)?;
    let read = |id| GrantId::new(id).map_err(|why| inconsistent("a grant's id", why));
    found.into_iter().map(read).collect()
}

pub(super) async fn keep_issuer(
    conn: &mut SqliteConnection,
    name: &IssuerName,
    bound_to: &BTreeSet<String>,
) -> Result<BTreeSet<String>, StoreError> {
    let was: Option<String> = sqlx::query_scalar(BOUND_TO)
        .bind(name.as_str())
        .fetch_optional(&mut *conn)
        .await
        .map_err(database)?;
    let text = serde_json::to_string(bound_to)
        .map_err(|why| inconsistent("what an issuer is bound to", why))?;
    sqlx::query(KEEP_ISSUER)
        .bind(name.as_str())
        .bind(text)
        .execute(conn)
        .await
        .map_err(database)?;
    read_bound(was)
}

fn read_bound(text: Option<String>) -> Result<BTreeSet<String>, StoreError> {
    let Some(text) = text else {
        return Ok(BTreeSet::new());
    };
    serde_json::from_str(&text).map_err(|why| inconsistent("what an issuer is bound to", why))
}
