//! What a card or a letter shows beside its request, in one question.

use std::collections::BTreeMap;

use sqlx::{AssertSqlSafe, Row, SqliteConnection};

use super::fault::{database, inconsistent};
use super::several::{numbered, renumbered, rows_of_each, told_of_each};
use super::{extensions, grants, jobs, kept, requests, rows};
use crate::domain::grant::Grant;
use crate::domain::ids::{AccountId, GrantId};
use crate::domain::place_orders::WATCH;
use crate::domain::request::Request;
use crate::domain::timing::Timestamp;
use crate::store::StoreError;
use crate::store::surroundings::Surroundings;

pub(super) async fn grant_and_request(
    conn: &mut SqliteConnection,
    id: &GrantId,
) -> Result<Option<(Grant, Request)>, StoreError> {
    let both = [grants::BY_ID.to_owned(), renumbered(requests::BY_ID, |_| 2)];
    let query = sqlx::query(AssertSqlSafe(both.join("; ")))
        .bind(id.as_str())
        .bind(id.request().as_str().to_owned());
    let [grant, request] = rows_of_each(conn, query).await?;
    let (Some(grant), Some(request)) = (grant.first(), request.first()) else {
        return Ok(None);
    };
    Ok(Some((rows::grant(grant)?, rows::request(request)?)))
}

// The job that watches the channel of the card.
const WATCHED: &str = "SELECT kind FROM jobs
    WHERE key = $7 || (SELECT place FROM cards WHERE request = $2) AND state IN ('waiting', 'running')";

pub(super) async fn of(
    conn: &mut SqliteConnection,
    request: &Request,
    accounts: &[AccountId],
    ended_after: Timestamp,
) -> Result<Surroundings, StoreError> {
    let grant = request.about_grant();
    let entitlements = &request.spec.entitlements;
    let theirs = numbered(8, accounts.len());
    let mut statements = vec![
        grants::BY_ID.to_owned(),
        extensions::OPEN.to_owned(),
        extensions::GIVEN.to_owned(),
        renumbered(requests::DECISIONS, |_| 2),
        renumbered(kept::CARD, |_| 2),
        WATCHED.to_owned(),
        format!(
            "SELECT count(*) AS n FROM requests r WHERE r.requester_account IN ({theirs})
            AND r.resource = $3 AND r.id <> $2"
        ),
        format!(
            "SELECT count(*) AS n FROM grants WHERE beneficiary_account IN ({theirs})
            AND state NOT IN ('ended', 'failed', 'cancelled') AND id <> $1"
        ),
    ];
    let asked = statements.len();
    for n in 0..entitlements.len() {
        let on_holding = renumbered(grants::ON_HOLDING, |number| match number {
            1 => 4,
            2 => 5,
            3 => 8 + accounts.len() + n,
            _ => 6,
        });
        statements.push(on_holding);
    }
    let mut query = sqlx::query(AssertSqlSafe(statements.join("; ")))
        .bind(grant.as_str())
        .bind(request.id.as_str())
        .bind(request.spec.resource.as_str())
        .bind(request.spec.issuer.as_str())
        .bind(request.spec.account.id.as_str())
        .bind(ended_after.timestamp_millis())
        .bind(WATCH);
    for account in accounts {
        query = query.bind(account.as_str());
    }
    for entitlement in entitlements {
        query = query.bind(entitlement.as_str());
    }
    let told = told_of_each(conn, query).await?;
    let [grant, open, given, decisions, card, watch, earlier, live] =
        told.get(..asked).unwrap_or(&[])
    else {
        return Err(inconsistent(
            format!("what stands around request {}", request.id),
            "it was not told in full",
        ));
    };
    let mut on_holdings = BTreeMap::new();
    for row in told.iter().skip(asked).flat_map(|one| &one.rows) {
        let grant = rows::grant(row)?;
        on_holdings.insert(grant.serial, grant);
    }
    let count = |told: &super::several::Told| match told.rows.first() {
        Some(row) => row.try_get::<i64, _>("n").map_err(database),
        None => Ok(0),
    };
    Ok(Surroundings {
        grant: grant.rows.first().map(rows::grant).transpose()?,
        decisions: decisions
            .rows
            .iter()
            .map(rows::decision)
            .collect::<Result<_, _>>()?,
        card: card.rows.first().map(rows::card).transpose()?,
        card_watch: watch.rows.first().map(jobs::kind).transpose()?,
        earlier: count(earlier)?,
        other_live: count(live)?,
        on_holdings: on_holdings.into_values().collect(),
        open_extensions: requests::all(&open.rows)?,
        given_extensions: requests::all(&given.rows)?,
    })
}
