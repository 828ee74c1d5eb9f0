//! Messages to security that did not reach their channel: to its people, and to the channel once it is
//! back. None is given up.

use std::collections::BTreeMap;

use super::{Service, ServiceError};
use crate::domain::decide::Plan;
use crate::domain::ids::{AccountId, Place};
use crate::domain::job::{JobKind, Settle};
use crate::domain::job_order::JobOrder;
use crate::domain::person::Subject;
use crate::domain::place_orders::{once_back_key, watch_key};
use crate::domain::timing::{Timestamp, seconds};
use crate::policy::{Policy, evaluate};
use crate::store::{Reads, StoreError, Tx};

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
        for account in told_privately(tx, policy).await? {
            plan.job(JobOrder::privately(message, &account, now));
        }
    }
    let again = now + seconds(LOST_AGAIN_S);
    plan.job(JobOrder::once_back(message, place, again));
    Ok(plan)
}

/// Whether this account belongs to security, by what is known now: it may read what is for security.
async fn may_be_told(
    reads: &mut dyn Reads,
    policy: &Policy,
    account: &AccountId,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let identity = policy.identify(account);
    let about = policy.accounts_of(&identity);
    let known = policy.knowing(reads.known(&about).await?);
    Ok(evaluate::is_security(&known, &identity, now))
}

/// One account of each person of security that may be told; where there is none at all, of each whom
/// the rules name, who may be told once more is known of them.
async fn told_privately(tx: &mut dyn Tx, policy: &Policy) -> Result<Vec<AccountId>, StoreError> {
    let now = tx.now();
    let named = named_accounts(tx, policy).await?;
    let mut may = Vec::new();
    for account in &named {
        if may_be_told(tx, policy, account, now).await? {
            may.push(account.clone());
        }
    }
    let to = if may.is_empty() { named } else { may };
    Ok(policy.one_of_each_person(to))
}

/// Every account that the rules name as security's, by what was last known of their groups.
async fn named_accounts(tx: &mut dyn Tx, policy: &Policy) -> Result<Vec<AccountId>, StoreError> {
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

impl Service {
    /// Whether this account may read now what is for security.
    ///
    /// # Errors
    /// When the store can't be read.
    pub async fn is_security(&self, account: &AccountId) -> Result<bool, ServiceError> {
        let policy = self.policy();
        let mut reader = self.store.reader().await?;
        Ok(may_be_told(&mut *reader, &policy, account, self.now()).await?)
    }
}

/// A message for a channel of security that the config no longer names goes to those that it names.
pub(super) fn reroute(tx: &mut dyn Tx, policy: &Policy, message: &JobKind) -> (Plan, Settle) {
    let mut plan = Plan::default();
    for channel in &policy.security.channels {
        plan.job(JobOrder::rerouted(message, channel, tx.now()));
    }
    (plan, Settle::Done)
}

/// A person of security can't be told privately, or may not be told at present. It is tried again for as
/// long as the message has not reached its channel, unless the rules no longer name them.
pub(super) async fn person(
    tx: &mut dyn Tx,
    policy: &Policy,
    account: &AccountId,
    message: &JobKind,
    said: &str,
) -> Result<Settle, StoreError> {
    let error = said.to_owned();
    let missed = match message.security_place() {
        Some(place) => tx.open_job(&watch_key(&place)).await?.is_some(),
        None => false,
    };
    Ok(
        if missed && named_accounts(tx, policy).await?.contains(account) {
            Settle::Again {
                at: tx.now() + seconds(PERSON_AGAIN_S),
                error,
            }
        } else {
            Settle::GiveUp { error }
        },
    )
}
