//! Who may name their public key in chat.

use super::evaluate::may_ask;
use super::model::Policy;
use crate::domain::ids::AccountId;
use crate::domain::person::Identity;
use crate::domain::public_key::PublicKey;
use crate::domain::refusal::Refusal;
use crate::domain::timing::{Timestamp, seconds};

/// Between two changes of a key at least so much time passes, in seconds: each is told to security.
const CHANGE_EVERY_S: i64 = 300;

/// The key that the config names for this person.
#[must_use]
pub fn configured<'p>(policy: &'p Policy, identity: &Identity) -> Option<&'p PublicKey> {
    let person = policy.people.get(identity.person.as_ref()?)?;
    person.ssh_keys.first()
}

/// The key that this person gave in chat last, on which account, and when.
#[must_use]
pub fn given<'p>(
    policy: &'p Policy,
    identity: &Identity,
) -> Option<(&'p AccountId, &'p PublicKey, Timestamp)> {
    policy
        .accounts_of(identity)
        .iter()
        .filter_map(|account| policy.known.keys.get_key_value(account))
        .filter_map(|(account, row)| Some((account, row.key.as_ref()?, row.changed_at)))
        .max_by_key(|(_, _, at)| *at)
}

/// Whether the config names this key for somebody else.
pub(super) fn is_anothers(policy: &Policy, identity: &Identity, key: &PublicKey) -> bool {
    policy.people.iter().any(|(name, person)| {
        Some(name) != identity.person.as_ref() && person.ssh_keys.contains(key)
    })
}

/// Whether this person may name a key, or have it forgotten: those whom the config names none for, and
/// who may ask for something whose issuer takes keys from chat.
///
/// # Errors
/// `KeyInConfig`, `KeysNotTaken`, or what says that it can't be known ([`Refusal::lacks_facts`]).
pub fn may_give(policy: &Policy, identity: &Identity, now: Timestamp) -> Result<(), Refusal> {
    if configured(policy, identity).is_some() {
        return Err(Refusal::KeyInConfig);
    }
    let takes = |issuer| {
        let facts = policy.issuers.get(issuer);
        facts.is_some_and(|facts| facts.keys_in_chat && !facts.retired)
    };
    let mut refused = Refusal::KeysNotTaken;
    for resource in policy.resources.values().filter(|one| takes(&one.issuer)) {
        match may_ask(policy, resource, identity, now) {
            Ok(_) => return Ok(()),
            Err(refusal) if refusal.lacks_facts() => refused = refusal,
            Err(_) => {}
        }
    }
    Err(refused)
}

/// Whether this person may name this key now; `owners` gave the same.
///
/// # Errors
/// What [`may_give`] says, `KeyOfAnother` or `KeyTooSoon`.
pub fn may_give_this(
    policy: &Policy,
    identity: &Identity,
    key: &PublicKey,
    owners: &[Identity],
    now: Timestamp,
) -> Result<(), Refusal> {
    may_give(policy, identity, now)?;
    // A target knows people by their keys: with one key two would be one there.
    if is_anothers(policy, identity, key) || owners.iter().any(|owner| !owner.is_same_as(identity))
    {
        return Err(Refusal::KeyOfAnother);
    }
    let last = policy
        .accounts_of(identity)
        .iter()
        .filter_map(|account| policy.known.keys.get(account))
        .map(|row| row.changed_at)
        .max();
    match last.map(|at| at + seconds(CHANGE_EVERY_S)) {
        Some(again_at) if again_at > now => Err(Refusal::KeyTooSoon { again_at }),
        _ => Ok(()),
    }
}
