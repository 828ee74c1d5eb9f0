//! Who is one of the subjects that a rule names, and whether they may act at all.

use super::model::{Policy, Subject};
use crate::domain::ids::{AccountId, GroupName};
use crate::domain::person::Identity;
use crate::domain::refusal::Refusal;
use crate::domain::timing::{Timestamp, seconds};

/// For so long what was last known is enough to take access away or to read of it, in seconds.
pub const LAST_KNOWN_FOR_S: i64 = 86_400;

/// How sure one must be of a fact.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Trust {
    /// Known within so many seconds, and in no doubt: whatever gives something.
    Fresh(i64),
    /// Known within [`LAST_KNOWN_FOR_S`]: what takes access away, or tells of it.
    LastKnown,
    /// Whatever was last known: whether somebody has left. Nobody has because nobody could be asked.
    WhateverIsKnown,
}

impl Trust {
    fn is_enough(self, as_of: Timestamp, in_doubt: bool, now: Timestamp) -> bool {
        match self {
            Self::Fresh(s) => !in_doubt && now - as_of <= seconds(s),
            Self::LastKnown => now - as_of <= seconds(LAST_KNOWN_FOR_S),
            Self::WhateverIsKnown => true,
        }
    }
}

/// Whether somebody is one of the subjects of a rule, and through which group, known as of when.
pub(super) enum Membership {
    Yes(Option<GroupName>, Option<Timestamp>),
    No,
    NotKnownFreshly(GroupName, Option<Timestamp>),
}

/// Whether somebody is one of these. A group that is not known well enough counts neither way.
pub(super) fn membership(
    policy: &Policy,
    subjects: &[Subject],
    identity: &Identity,
    trust: Trust,
    now: Timestamp,
) -> Membership {
    let accounts = policy.accounts_of(identity);
    let mut unknown = None;
    for subject in subjects {
        match subject {
            Subject::Account(account) => {
                if accounts.contains(account) {
                    return Membership::Yes(None, None);
                }
            }
            Subject::Person(name) => {
                if identity.person.as_ref() == Some(name) {
                    return Membership::Yes(None, None);
                }
            }
            Subject::Group(name) => match in_group(policy, name, &accounts, trust, now) {
                Membership::No => {}
                Membership::NotKnownFreshly(group, as_of) => unknown = Some((group, as_of)),
                yes @ Membership::Yes(..) => return yes,
            },
        }
    }
    match unknown {
        Some((group, as_of)) => Membership::NotKnownFreshly(group, as_of),
        None => Membership::No,
    }
}

fn in_group(
    policy: &Policy,
    name: &GroupName,
    accounts: &[AccountId],
    trust: Trust,
    now: Timestamp,
) -> Membership {
    let Some(group) = policy.groups.get(name) else {
        return Membership::NotKnownFreshly(name.clone(), None);
    };
    if accounts.iter().any(|a| group.listed.contains(a)) {
        return Membership::Yes(Some(name.clone()), None);
    }
    let Some(source) = &group.source else {
        return Membership::No;
    };
    let known = policy.known.groups.get(source);
    let as_of = known.map(|known| known.as_of);
    let looked_up = accounts.iter().all(|a| policy.known.about.contains(a));
    match known {
        Some(known) if looked_up && trust.is_enough(known.as_of, known.in_doubt, now) => {
            if accounts.iter().any(|a| known.members.contains(a)) {
                Membership::Yes(Some(name.clone()), as_of)
            } else {
                Membership::No
            }
        }
        _ => Membership::NotKnownFreshly(name.clone(), as_of),
    }
}

/// Whether this account may act at all: guests, external people, bots and deactivated accounts may
/// not. For what gives something it must be known freshly; to take away, it is enough that nothing is
/// known against it.
///
/// # Errors
/// `MayNotAct`, or `AccountNotKnown` where that can't be known.
pub(super) fn may_act(
    policy: &Policy,
    identity: &Identity,
    trust: Trust,
    now: Timestamp,
) -> Result<(), Refusal> {
    let account = &identity.account;
    if !policy.directories.platforms.contains(account.platform()) {
        return Ok(());
    }
    let known = policy.known.accounts.get(account);
    let enough = known.is_some_and(|known| trust.is_enough(known.as_of, false, now));
    let gives = matches!(trust, Trust::Fresh(_));
    match known {
        Some(known) if !known.status.may_act() && (enough || !gives) => Err(Refusal::MayNotAct {
            status: known.status,
        }),
        _ if enough || !gives => Ok(()),
        _ => Err(Refusal::AccountNotKnown {
            as_of: known.map(|known| known.as_of),
        }),
    }
}
