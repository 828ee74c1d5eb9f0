//! Whether somebody who asked for something may still have it.

use super::membership::{Membership, Trust, membership};
use super::model::Policy;
use crate::domain::departure::Departure;
use crate::domain::person::Identity;
use crate::domain::request::Request;
use crate::domain::timing::Timestamp;

/// Why what was asked for is not to be had any more, if that is so. Only what is known counts, however
/// long ago: nobody has left because nobody could be asked.
#[must_use]
pub fn departure(policy: &Policy, request: &Request, now: Timestamp) -> Option<Departure> {
    let both = [&request.requester, &request.beneficiary];
    for identity in both {
        if let Some(known) = policy.known.accounts.get(&identity.account)
            && known.status.has_left()
        {
            return Some(Departure::Account(known.status));
        }
        if was_unlinked(policy, identity) {
            return Some(Departure::Unlinked);
        }
    }
    // One that the config no longer has names nobody to ask.
    let resource = policy.resources.get(&request.spec.resource)?;
    let requester = policy.identify(&request.requester.account);
    let known = Trust::WhateverIsKnown;
    match membership(policy, &resource.never, &requester, known, now) {
        Membership::Yes(..) => return Some(Departure::NotAmongThose),
        Membership::No | Membership::NotKnownFreshly(..) => {}
    }
    match membership(policy, &resource.request, &requester, known, now) {
        Membership::No => Some(Departure::NotAmongThose),
        Membership::Yes(..) | Membership::NotKnownFreshly(..) => None,
    }
}

/// The config took the person out, or gave the account to somebody else. Another name for the same
/// accounts is the same person.
fn was_unlinked(policy: &Policy, then: &Identity) -> bool {
    let Some(person) = &then.person else {
        return false;
    };
    let today = policy.identify(&then.account).person;
    match today {
        None => true,
        Some(today) => today != *person && policy.people.contains_key(person),
    }
}
