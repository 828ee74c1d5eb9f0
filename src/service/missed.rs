//! Messages to security that did not reach their channel: to its people, and to the channel once it is
//! back. None is given up.

use std::collections::BTreeMap;

use crate::domain::decide::Plan;
use crate::domain::ids::{AccountId, Place};
use crate::domain::job::{JobKind, Settle};
use crate::domain::job_order::JobOrder;
use crate::domain::person::Subject;
use crate::domain::place_orders::{once_back_key, watch_key};
use crate::domain::timing::seconds;
use crate::policy::Policy;
use crate::store::{StoreError, Tx};

/// How often a lost channel is looked at, and what waits for it comes to see, in seconds.
pub(super) const LOST_AGAIN_S: i64 = 300;

/// How often a person is told anew who can't be told, while nobody else could be, in seconds.
const PERSON_AGAIN_S: i64 = 3_600;

/// A message to security did not reach this channel: it waits for it, and goes to security's people if
/// it reached no other channel either.
pub(super) async fn miss(
    tx: &mut dyn Tx,
    policy: &Policy,
    message: &JobKind,
    place: &Place,
) -> Result<Plan, StoreError> {
    let now = tx.now();
    let mut plan = Plan::default();
    // Each channel has its own copy; the last one that misses its channel knows it of all others.
    let mut reached = false;
    for other in policy.security.channels.iter().filter(|c| *c != place) {
        let key = once_back_key(&message.to_place(other));
        reached |= tx.open_job(&key).await?.is_none();
    }
    if !reached {
        for account in security_accounts(tx, policy).await? {
            plan.job(JobOrder::privately(message, &account, now));
        }
    }
    let again = now + seconds(LOST_AGAIN_S);
    plan.job(JobOrder::once_back(message, place, again));
    Ok(plan)
}

/// One account of each person of security, by what was last known of their groups.
async fn security_accounts(tx: &mut dyn Tx, policy: &Policy) -> Result<Vec<AccountId>, StoreError> {
    let mut members = BTreeMap::new();
    for subject in &policy.security.people {
        let Subject::Group(name) = subject else {
            continue;
        };
        let Some(group) = policy.groups.get(name) else {
            continue;
        };
        let mut everybody = group.listed.clone();
        if let Some(source) = &group.source
            && let Some(known) = tx.directory_group(source).await?
        {
            everybody.extend(known.members);
        }
        members.insert(name.clone(), everybody);
    }
    Ok(policy.security_accounts(&members))
}

/// A message for a channel of security that the config no longer names goes to those that it names.
pub(super) fn reroute(tx: &mut dyn Tx, policy: &Policy, message: &JobKind) -> (Plan, Settle) {
    let mut plan = Plan::default();
    for channel in &policy.security.channels {
        plan.job(JobOrder::rerouted(message, channel, tx.now()));
    }
    (plan, Settle::Done)
}

/// A person of security can't be told privately. It is tried again for as long as the message has not
/// reached its channel, unless they are no longer security.
pub(super) async fn person(
    tx: &mut dyn Tx,
    policy: &Policy,
    account: &AccountId,
    message: &JobKind,
    said: &str,
) -> Result<Settle, StoreError> {
    let error = said.to_owned();
    let missed = match message.security_place() {
        Some(place) => tx.open_job(&watch_key(place)).await?.is_some(),
        None => false,
    };
    Ok(
        if missed && security_accounts(tx, policy).await?.contains(account) {
            Settle::Again {
                at: tx.now() + seconds(PERSON_AGAIN_S),
                error,
            }
        } else {
            Settle::GiveUp { error }
        },
    )
}
