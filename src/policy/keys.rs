//! Who may name their public key in chat.

use super::evaluate::may_ask;
use super::model::Policy;
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
    let in_config = policy.people.iter().any(|(name, person)| {
        Some(name) != identity.person.as_ref() && person.ssh_keys.contains(key)
    });
    // A target knows people by their keys: with one key two would be one there.
    if in_config || owners.iter().any(|owner| !owner.is_same_as(identity)) {
        return Err(Refusal::KeyOfAnother);
    }
    let last = policy.known.keys.get(&identity.account);
    match last.map(|given| given.given_at + seconds(CHANGE_EVERY_S)) {
        Some(again_at) if again_at > now => Err(Refusal::KeyTooSoon { again_at }),
        _ => Ok(()),
    }
}
