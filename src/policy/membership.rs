//! Who is one of the subjects that a rule names.

use super::model::{Policy, Subject};
use crate::domain::ids::{AccountId, GroupName};
use crate::domain::person::Identity;
use crate::domain::timing::{Timestamp, seconds};

/// Whether somebody is one of the subjects of a rule, and through which group, known as of when.
pub(super) enum Membership {
    Yes(Option<GroupName>, Option<Timestamp>),
    No,
    NotKnownFreshly(GroupName, Option<Timestamp>),
}

/// All accounts of whoever acts here.
fn accounts_of<'a>(policy: &'a Policy, identity: &'a Identity) -> Vec<&'a AccountId> {
    let mut accounts = vec![&identity.account];
    if let Some(person) = identity.person.as_ref().and_then(|p| policy.people.get(p)) {
        accounts.extend(person.accounts.iter().filter(|a| **a != identity.account));
    }
    accounts
}

/// Whether somebody is one of these. A group that is too old to be believed counts neither way.
pub(super) fn membership(
    policy: &Policy,
    subjects: &[Subject],
    identity: &Identity,
    fresh_for_s: i64,
    now: Timestamp,
) -> Membership {
    let accounts = accounts_of(policy, identity);
    let mut unknown = None;
    for subject in subjects {
        match subject {
            Subject::Account(account) => {
                if accounts.contains(&account) {
                    return Membership::Yes(None, None);
                }
            }
            Subject::Person(name) => {
                if identity.person.as_ref() == Some(name) {
                    return Membership::Yes(None, None);
                }
            }
            Subject::Group(name) => {
                let Some(group) = policy.groups.get(name) else {
                    unknown = Some((name.clone(), None));
                    continue;
                };
                if group
                    .as_of
                    .is_some_and(|as_of| now - as_of > seconds(fresh_for_s))
                {
                    unknown = Some((name.clone(), group.as_of));
                } else if accounts.iter().any(|a| group.members.contains(*a)) {
                    return Membership::Yes(Some(name.clone()), group.as_of);
                }
            }
        }
    }
    match unknown {
        Some((group, as_of)) => Membership::NotKnownFreshly(group, as_of),
        None => Membership::No,
    }
}
