//! Who is reached by a rule, with what only the outside knows: who can't act, and who is in user groups.

use std::collections::{BTreeMap, BTreeSet};

use super::Config;
use super::humans::{Human, said};
use crate::domain::ids::{AccountId, GroupName, ResourceName};
use crate::policy::model::Subject;

/// What is known beyond the file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Beyond {
    /// Accounts that can't act.
    pub away: BTreeSet<AccountId>,
    /// Who is in the user group that belongs to a group of the config.
    pub members: BTreeMap<GroupName, BTreeSet<AccountId>>,
}

/// How far the approvers of a resource reach.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Approvers {
    /// How many people must approve.
    pub needed: usize,
    /// How many people can.
    pub there: usize,
    /// Who asks, and leaves too few others.
    pub alone: Vec<String>,
}

impl Config {
    /// How far the approvers of a resource reach; none where a user group of theirs is not known.
    #[must_use]
    pub fn approvers(&self, resource: &ResourceName, beyond: &Beyond) -> Option<Approvers> {
        let resource = self.resources.get(resource)?;
        let approvers = self.people_of(&self.reached(&resource.approve.from, beyond)?);
        let needed = usize::try_from(resource.approve.count).unwrap_or(usize::MAX);
        let never = self.humans(&resource.never);
        // Those of a user group that is not known may be approvers too; nothing is said of them.
        let requesters = match self.reached(&resource.request, beyond) {
            Some(known) => self.people_of(&known),
            None => self.humans(&resource.request),
        };
        // Nobody approves what they asked for.
        let alone = requesters
            .difference(&never)
            .filter(|human| approvers.len() - usize::from(approvers.contains(*human)) < needed)
            .map(said)
            .collect();
        Some(Approvers {
            needed,
            there: approvers.len(),
            alone,
        })
    }

    /// Whether anybody of security can act, as far as that is known.
    #[must_use]
    pub fn has_security(&self, beyond: &Beyond) -> bool {
        self.reached(&self.security.people, beyond)
            .is_none_or(|reached| !reached.is_empty())
    }

    /// The accounts that are named and can act; none where a user group is not known.
    fn reached(&self, subjects: &[Subject], beyond: &Beyond) -> Option<BTreeSet<AccountId>> {
        let mut reached = self.accounts(subjects);
        for subject in subjects {
            if let Subject::Group(name) = subject
                && self.groups.get(name)?.slack_usergroup.is_some()
            {
                reached.extend(beyond.members.get(name)?.iter().cloned());
            }
        }
        reached.retain(|account| !beyond.away.contains(account));
        Some(reached)
    }

    fn people_of(&self, accounts: &BTreeSet<AccountId>) -> BTreeSet<Human> {
        accounts.iter().map(|one| self.human(one)).collect()
    }
}
