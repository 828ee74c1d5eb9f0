//! Fills a database with live grants, as if each had been asked for, approved and given: request, decision,
//! grant with its holding, card, record, and the job that ends it. The store's own code writes the rows.

use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use anyhow::Context as _;
use chrono::TimeDelta;
use jitbot::clock::{ManualClock, Timestamp, machine_now};
use jitbot::domain::audit::{AuditDraft, AuditKind};
use jitbot::domain::command::MessageRef;
use jitbot::domain::decision::{Decider, Decision};
use jitbot::domain::grant::{Grant, GrantState};
use jitbot::domain::ids::{
    AccountId, GrantId, GroupName, IssuerName, PersonName, Place, RequestId, ResourceName,
};
use jitbot::domain::job_order::JobOrder;
use jitbot::domain::person::Identity;
use jitbot::domain::request::{Request, RequestState};
use jitbot::domain::spec::{ContentHash, Risk, Spec, TargetAccount};
use jitbot::store::sqlite::SqliteStore;
use jitbot::store::{Store as _, StoreError, Tx, Urgency, write};
use serde_json::{Map, json};

use super::target::held_account;
use super::workspace::{APPROVERS, MANY, TEAM, approver, person, resource};

/// What gives every access here.
pub const ISSUER: &str = "target";

/// Grants in one transaction.
const TOGETHER: usize = 2_000;

/// How long before it was filled in, or before its end, a grant was given.
const HELD_FOR: TimeDelta = TimeDelta::hours(1);

/// One grant to be filled in.
#[derive(Debug, Clone)]
pub struct Wanted {
    /// Its number: who holds what follows from it, and its account on the target.
    pub number: usize,
    /// When it ends.
    pub deadline: Timestamp,
    /// The timestamp of its card.
    pub card: String,
}

impl Wanted {
    /// Where its card stands.
    #[must_use]
    pub fn channel(number: usize) -> String {
        resource(resource_of(number)).1
    }
}

/// The grant with this number.
#[must_use]
pub fn grant(number: usize) -> GrantId {
    reference(number).grant()
}

/// No two neighbours share a person or a channel, and a person holds many resources.
const fn resource_of(number: usize) -> usize {
    (number + number / MANY) % MANY
}

/// Fills in the grants with these numbers. No bot may be running on the database, and one must have run:
/// the policy that it took up is the one that these were decided under.
///
/// # Errors
/// What the store said; whole batches before it were kept.
pub async fn fill(
    database: &Path,
    numbers: Range<usize>,
    wanted: impl Fn(usize) -> Wanted,
) -> anyhow::Result<()> {
    let clock = Arc::new(ManualClock::at(machine_now()));
    let path = database.display().to_string();
    let store = SqliteStore::open_as("bench", &path, clock).await?;
    let policy = store.reader().await?.last_policy().await?;
    let (policy, _) = policy.context("no bot has run on this database")?;
    let total = numbers.len();
    let mut from = numbers.start;
    while from < numbers.end {
        let to = numbers.end.min(from + TOGETHER);
        let batch: Vec<Wanted> = (from..to).map(&wanted).collect();
        let policy = policy.clone();
        write(&store, Urgency::Outcome, |tx| {
            Box::pin(async move {
                let mut entries = tx.head().await?.count;
                for one in batch {
                    entries = put(tx, &one, &policy, entries).await?;
                }
                Ok(())
            })
        })
        .await?;
        if (to - numbers.start) / 100_000 > (from - numbers.start) / 100_000 {
            eprintln!("{} of {total} grants are filled in", to - numbers.start);
        }
        from = to;
    }
    store.close().await;
    Ok(())
}

/// What is written of one grant.
struct Story {
    request: Request,
    decision: Decision,
    grant: Grant,
    card: MessageRef,
}

/// Writes one; the number of the last entry of the record afterwards.
async fn put(
    tx: &mut dyn Tx,
    wanted: &Wanted,
    policy: &ContentHash,
    entries: i64,
) -> Result<i64, StoreError> {
    let Story {
        request,
        decision,
        grant,
        card,
    } = story(wanted, policy, tx.now()).map_err(|error| StoreError::Database(error.to_string()))?;
    let record = record(&request, &grant, policy, &decision.rules);
    let upto = entries + i64::try_from(record.len()).unwrap_or(i64::MAX);
    tx.insert_request(&request).await?;
    tx.insert_grant(&grant).await?;
    tx.insert_decision(&decision).await?;
    for entry in record {
        tx.audit(entry).await?;
    }
    tx.record_card(&request.id, &card).await?;
    tx.record_history(&request.id, upto).await?;
    let ends = grant.deadline.unwrap_or(grant.end_by);
    tx.enqueue(&JobOrder::revoke(&grant.id, &grant.spec, ends))
        .await?;
    Ok(upto)
}

fn story(wanted: &Wanted, policy: &ContentHash, now: Timestamp) -> anyhow::Result<Story> {
    let Wanted {
        number, deadline, ..
    } = *wanted;
    let begun = now.min(deadline) - HELD_FOR;
    let (user, name) = person(number % MANY);
    let beneficiary = identity(&user, &name)?;
    let place = Place::new(format!("slack:{TEAM}/{}", Wanted::channel(number)))?;
    let spec = spec(number, &name, (deadline - begun).num_seconds())?;
    let spec_hash = spec.hash();
    let request = Request {
        id: reference(number),
        state: RequestState::Approved,
        requester: beneficiary.clone(),
        beneficiary: beneficiary.clone(),
        spec: spec.clone(),
        spec_hash: spec_hash.clone(),
        reason: Some(format!("held from before, number {number}")),
        origin: place.clone(),
        card_place: Some(place.clone()),
        approvals_needed: 1,
        version: 1,
        submitted_at: begun,
        pending_until: begun + TimeDelta::hours(1),
        decided_at: Some(begun),
        extends: None,
    };
    let by = number % APPROVERS;
    let decision = Decision {
        request: request.id.clone(),
        approve: true,
        decider: Decider::Person {
            identity: identity(&approver(by), &format!("a{by:03}"))?,
            group: Some(GroupName::new("approvers")?),
            group_as_of: None,
        },
        spec_hash: spec_hash.clone(),
        policy_hash: policy.clone(),
        rules: vec![format!("resource.{}.approve[0]", spec.resource)],
        why: None,
        at: begun,
    };
    let grant = Grant {
        id: request.id.grant(),
        serial: 0,
        state: GrantState::Active,
        beneficiary,
        spec,
        spec_hash,
        approved_at: begun,
        activate_by: begun + TimeDelta::minutes(5),
        end_by: deadline + TimeDelta::minutes(5),
        deadline: Some(deadline),
        native_deadline: Some(deadline),
        unsettled_since: None,
        active_at: Some(begun),
        handle: Some(json!({ "handle": null, "how_to_use": null, "document": null })),
        delivery: None,
        ending: None,
        revoke_failures: 0,
        stuck_since: None,
        ended_at: None,
        evidence: None,
    };
    let card = MessageRef {
        place,
        message: wanted.card.clone(),
    };
    Ok(Story {
        request,
        decision,
        grant,
        card,
    })
}

fn identity(user: &str, name: &str) -> anyhow::Result<Identity> {
    Ok(Identity {
        account: AccountId::new(format!("slack:{TEAM}/{user}"))?,
        person: Some(PersonName::new(name)?),
    })
}

/// Each has an account of its own on the target, so that no two grants share a holding.
fn spec(number: usize, person: &str, duration_s: i64) -> anyhow::Result<Spec> {
    let nth = resource_of(number);
    let (resource, _) = resource(nth);
    let mut parameters = Map::new();
    parameters.insert("role".to_owned(), json!(resource));
    let mut of_account = Map::new();
    of_account.insert("person".to_owned(), json!(person));
    Ok(Spec {
        title: format!("Resource {nth}"),
        project: "shop".to_owned(),
        action: "login".to_owned(),
        risk: Risk::Medium,
        issuer: IssuerName::new(ISSUER)?,
        target: "target".to_owned(),
        account: TargetAccount {
            id: held_account(number),
            parameters: of_account,
            given_at: None,
        },
        entitlements: vec![format!("role:{resource}")],
        parameters,
        duration_s,
        until: None,
        resource: ResourceName::new(resource)?,
    })
}

/// References look as random as real ones, so indexes are as wide as they would be; an odd factor gives no
/// two numbers the same.
fn reference(number: usize) -> RequestId {
    let number = u64::try_from(number).unwrap_or(u64::MAX);
    RequestId::from_bits(number.wrapping_mul(0x9E37_79B9_7F4A_7C15) & ((1 << 50) - 1))
}

/// What the record says of a grant that was asked for, approved and given.
fn record(
    request: &Request,
    grant: &Grant,
    policy: &ContentHash,
    rules: &[String],
) -> Vec<AuditDraft> {
    let (account, spec) = (&request.requester.account, &request.spec);
    let deadline = grant.deadline.map(|at| at.timestamp_millis());
    vec![
        AuditDraft::new(AuditKind::Requested)
            .by(account)
            .request(&request.id)
            .under(policy, rules.to_vec())
            .fact("resource", spec.resource.as_str())
            .fact("duration_s", spec.duration_s)
            .fact("spec", request.spec_hash.0.as_str())
            .text(request.reason.as_deref().unwrap_or("")),
        AuditDraft::new(AuditKind::Approved)
            .grant(&grant.id)
            .under(policy, rules.to_vec())
            .access(&spec.resource, account)
            .fact("end_by", grant.end_by.timestamp_millis()),
        AuditDraft::new(AuditKind::IssueIntended)
            .grant(&grant.id)
            .under(policy, Vec::new())
            .fact("deadline", deadline)
            .fact("spec", grant.spec_hash.0.as_str()),
        AuditDraft::new(AuditKind::Issued)
            .grant(&grant.id)
            .fact("state", grant.state.as_str())
            .fact("deadline", deadline),
    ]
}
