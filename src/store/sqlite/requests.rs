//! Requests and the decisions on them.

use sqlx::sqlite::SqliteRow;
use sqlx::{QueryBuilder, Sqlite, SqliteConnection};

use super::changes::Change;
use super::fault::{database, inconsistent};
use super::rows;
use crate::domain::decision::{Decider, Decision};
use crate::domain::ids::{AccountId, Place, RequestId, ResourceName};
use crate::domain::request::{Request, RequestState};
use crate::domain::spec::{ContentHash, Spec};
use crate::domain::timing::Timestamp;
use crate::store::StoreError;

pub(super) const BY_ID: &str = "SELECT * FROM requests WHERE id = $1";

const INSERT: &str = "INSERT INTO requests (id, state, requester_account, requester_person,
    beneficiary_account, beneficiary_person, resource, spec, spec_hash, reason, origin, card_place,
    approvals_needed, version, submitted_at, pending_until, decided_at, extends, extends_from,
    extension_state)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20)";

// Who asked for what never changes; naming the hash here makes a changed spec a conflict.
const SAVE: &str = "UPDATE requests SET state = $1, reason = $2, card_place = $3,
    approvals_needed = $4, version = $5, pending_until = $6, decided_at = $7, extension_state = $11
    WHERE id = $8 AND state = $9 AND spec_hash = $10";

// The condition of the index on open requests, word for word, and the narrower one.
const LONGEST_WAITING: &str = "SELECT * FROM requests
    WHERE state IN ('checking', 'pending') AND state = 'pending'
    ORDER BY submitted_at, id LIMIT 1";

const WAITING_AT: &str = "SELECT * FROM requests
    WHERE state IN ('checking', 'pending') AND state = 'pending' AND card_place IS $1
    ORDER BY submitted_at, id LIMIT $2";

pub(super) const DECISIONS: &str = "SELECT * FROM decisions WHERE request = $1 ORDER BY id";

const INSERT_DECISION: &str = "INSERT INTO decisions (request, approve, account, person, via_group,
    group_as_of, spec_hash, policy_hash, rules, at, why)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)";

// By the moment at which each runs out, so that what is most urgent comes first.
const PENDING: &str = "SELECT * FROM requests WHERE state = 'pending'
    ORDER BY pending_until LIMIT $1";

/// The spec as it is kept; the hash must be its own, or nobody could read the row again.
pub(super) fn spec_text(what: &str, spec: &Spec, hash: &ContentHash) -> Result<String, StoreError> {
    let text = spec.canonical();
    if ContentHash::of(text.as_bytes()) == *hash {
        Ok(text)
    } else {
        Err(inconsistent(
            what,
            "its spec is not the one that its hash names",
        ))
    }
}

pub(super) async fn by_id(
    conn: &mut SqliteConnection,
    id: &RequestId,
) -> Result<Option<Request>, StoreError> {
    let row = sqlx::query(BY_ID)
        .bind(id.as_str())
        .fetch_optional(conn)
        .await
        .map_err(database)?;
    row.as_ref().map(rows::request).transpose()
}

pub(super) fn insert(request: &Request) -> Result<Change, StoreError> {
    let what = format!("request {}", request.id);
    let spec = spec_text(&what, &request.spec, &request.spec_hash)?;
    Ok(Change::new(INSERT)
        .bind(request.id.as_str())
        .bind(request.state.as_str())
        .bind(request.requester.account.as_str())
        .bind(request.requester.person.as_ref().map(|it| it.as_str()))
        .bind(request.beneficiary.account.as_str())
        .bind(request.beneficiary.person.as_ref().map(|it| it.as_str()))
        .bind(request.spec.resource.as_str())
        .bind(spec)
        .bind(request.spec_hash.0.as_str())
        .bind(request.reason.as_deref())
        .bind(request.origin.as_str())
        .bind(request.card_place.as_ref().map(|it| it.as_str()))
        .bind(request.approvals_needed)
        .bind(request.version)
        .bind(request.submitted_at.timestamp_millis())
        .bind(request.pending_until.timestamp_millis())
        .bind(request.decided_at.map(|at| at.timestamp_millis()))
        .bind(request.extends.as_ref().map(|it| it.grant.as_str()))
        .bind(
            request
                .extends
                .as_ref()
                .map(|it| it.from.timestamp_millis()),
        )
        .bind(request.extends.as_ref().map(|it| it.state.as_str()))
        .or_taken(what))
}

pub(super) fn save(request: &Request, was: RequestState) -> Change {
    Change::new(SAVE)
        .bind(request.state.as_str())
        .bind(request.reason.as_deref())
        .bind(request.card_place.as_ref().map(|it| it.as_str()))
        .bind(request.approvals_needed)
        .bind(request.version)
        .bind(request.pending_until.timestamp_millis())
        .bind(request.decided_at.map(|at| at.timestamp_millis()))
        .bind(request.id.as_str())
        .bind(was.as_str())
        .bind(request.spec_hash.0.as_str())
        .bind(request.extends.as_ref().map(|it| it.state.as_str()))
        .of_one(format!("request {}", request.id))
}

pub(super) async fn decisions(
    conn: &mut SqliteConnection,
    id: &RequestId,
) -> Result<Vec<Decision>, StoreError> {
    let found = sqlx::query(DECISIONS)
        .bind(id.as_str())
        .fetch_all(conn)
        .await
        .map_err(database)?;
    found.iter().map(rows::decision).collect()
}

pub(super) fn insert_decision(decision: &Decision) -> Result<Change, StoreError> {
    let (identity, group, as_of) = match &decision.decider {
        Decider::Rule => (None, None, None),
        Decider::Person {
            identity,
            group,
            group_as_of,
        } => (Some(identity), group.as_ref(), *group_as_of),
    };
    let rules = serde_json::to_string(&decision.rules)
        .map_err(|why| inconsistent(format!("a decision on {}", decision.request), why))?;
    Ok(Change::new(INSERT_DECISION)
        .bind(decision.request.as_str())
        .bind(i64::from(decision.approve))
        .bind(identity.map(|it| it.account.as_str()))
        .bind(
            identity
                .and_then(|it| it.person.as_ref())
                .map(|it| it.as_str()),
        )
        .bind(group.map(|it| it.as_str()))
        .bind(as_of.map(|at| at.timestamp_millis()))
        .bind(decision.spec_hash.0.as_str())
        .bind(decision.policy_hash.0.as_str())
        .bind(rules)
        .bind(decision.at.timestamp_millis())
        .bind(decision.why.as_deref())
        .or_taken(format!(
            "the decision of one person on request {}",
            decision.request
        )))
}

/// `column IN (accounts…)`. Each value is bound.
pub(super) fn push_in<'a>(
    query: &mut QueryBuilder<Sqlite>,
    column: &str,
    values: impl IntoIterator<Item = &'a str>,
) {
    query.push(column).push(" IN (");
    let mut list = query.separated(", ");
    for value in values {
        list.push_bind(value.to_owned());
    }
    query.push(")");
}

fn push_of(query: &mut QueryBuilder<Sqlite>, accounts: &[AccountId]) {
    query.push("(");
    push_in(
        query,
        "r.requester_account",
        accounts.iter().map(AccountId::as_str),
    );
    query.push(" OR ");
    push_in(
        query,
        "r.beneficiary_account",
        accounts.iter().map(AccountId::as_str),
    );
    query.push(")");
}

pub(super) fn all(found: &[SqliteRow]) -> Result<Vec<Request>, StoreError> {
    found.iter().map(rows::request).collect()
}

pub(super) async fn live_of(
    conn: &mut SqliteConnection,
    accounts: &[AccountId],
    limit: i64,
) -> Result<Vec<Request>, StoreError> {
    let mut query = QueryBuilder::new(
        "SELECT r.* FROM requests r LEFT JOIN grants g ON g.request = r.id WHERE ",
    );
    push_of(&mut query, accounts);
    query.push(
        " AND (r.state IN ('checking', 'pending')
            OR g.state NOT IN ('ended', 'failed', 'cancelled'))
        ORDER BY r.submitted_at DESC, r.id LIMIT ",
    );
    query.push_bind(limit);
    all(&query.build().fetch_all(conn).await.map_err(database)?)
}

pub(super) async fn similar(
    conn: &mut SqliteConnection,
    accounts: &[AccountId],
    resource: &ResourceName,
    since: Timestamp,
) -> Result<Vec<Request>, StoreError> {
    let mut query = QueryBuilder::new("SELECT r.* FROM requests r WHERE ");
    push_of(&mut query, accounts);
    query.push(" AND r.resource = ");
    query.push_bind(resource.as_str().to_owned());
    query.push(
        " AND (r.state IN ('checking', 'pending') OR (r.state = 'approved' AND r.decided_at >= ",
    );
    query.push_bind(since.timestamp_millis());
    query.push(")) ORDER BY r.submitted_at DESC, r.id");
    all(&query.build().fetch_all(conn).await.map_err(database)?)
}

pub(super) async fn count_open(
    conn: &mut SqliteConnection,
    accounts: &[AccountId],
) -> Result<i64, StoreError> {
    let mut query = QueryBuilder::new("SELECT count(*) FROM requests r WHERE ");
    push_of(&mut query, accounts);
    query.push(" AND r.state IN ('checking', 'pending')");
    query
        .build_query_scalar()
        .fetch_one(conn)
        .await
        .map_err(database)
}

pub(super) async fn count_submitted(
    conn: &mut SqliteConnection,
    accounts: &[AccountId],
    since: Timestamp,
) -> Result<i64, StoreError> {
    let mut query = QueryBuilder::new("SELECT count(*) FROM requests r WHERE ");
    push_of(&mut query, accounts);
    query
        .push(" AND r.submitted_at > ")
        .push_bind(since.timestamp_millis());
    query
        .build_query_scalar()
        .fetch_one(conn)
        .await
        .map_err(database)
}

pub(super) async fn count_earlier(
    conn: &mut SqliteConnection,
    accounts: &[AccountId],
    resource: &ResourceName,
    except: &RequestId,
) -> Result<i64, StoreError> {
    let mut query = QueryBuilder::new("SELECT count(*) FROM requests r WHERE ");
    push_in(
        &mut query,
        "r.requester_account",
        accounts.iter().map(AccountId::as_str),
    );
    query.push(" AND r.resource = ");
    query.push_bind(resource.as_str().to_owned());
    query.push(" AND r.id <> ");
    query.push_bind(except.as_str().to_owned());
    query
        .build_query_scalar()
        .fetch_one(conn)
        .await
        .map_err(database)
}

pub(super) async fn pending(
    conn: &mut SqliteConnection,
    limit: i64,
) -> Result<Vec<Request>, StoreError> {
    let found = sqlx::query(PENDING)
        .bind(limit)
        .fetch_all(conn)
        .await
        .map_err(database)?;
    all(&found)
}

pub(super) async fn longest_waiting(
    conn: &mut SqliteConnection,
) -> Result<Option<Request>, StoreError> {
    let row = sqlx::query(LONGEST_WAITING)
        .fetch_optional(conn)
        .await
        .map_err(database)?;
    row.as_ref().map(rows::request).transpose()
}

pub(super) async fn waiting_at(
    conn: &mut SqliteConnection,
    place: Option<&Place>,
    limit: i64,
) -> Result<Vec<Request>, StoreError> {
    let found = sqlx::query(WAITING_AT)
        .bind(place.map(Place::as_str))
        .bind(limit)
        .fetch_all(conn)
        .await
        .map_err(database)?;
    all(&found)
}

pub(super) async fn count_in(
    conn: &mut SqliteConnection,
    state: RequestState,
) -> Result<i64, StoreError> {
    sqlx::query_scalar("SELECT count(*) FROM requests WHERE state = $1")
        .bind(state.as_str())
        .fetch_one(conn)
        .await
        .map_err(database)
}

pub(super) async fn in_state(
    conn: &mut SqliteConnection,
    state: RequestState,
    limit: i64,
) -> Result<Vec<Request>, StoreError> {
    let found =
        sqlx::query("SELECT * FROM requests WHERE state = $1 ORDER BY submitted_at, id LIMIT $2")
            .bind(state.as_str())
            .bind(limit)
            .fetch_all(conn)
            .await
            .map_err(database)?;
    all(&found)
}
