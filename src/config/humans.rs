//! Who is who: people, as far as a config can tell them apart.

use std::collections::BTreeSet;

use super::Config;
use super::groups::accounts_of;
use crate::domain::ids::{AccountId, PersonName};
use crate::policy::model::Subject;

/// A human being, as far as the config can tell people apart.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Human {
    Person(PersonName),
    Account(AccountId),
}

impl Config {
    pub(super) fn human(&self, account: &AccountId) -> Human {
        let owner = self
            .people
            .iter()
            .find(|(_, person)| person.accounts.contains(account));
        match owner {
            Some((name, _)) => Human::Person(name.clone()),
            None => Human::Account(account.clone()),
        }
    }

    pub(super) fn accounts<'a>(
        &self,
        subjects: impl IntoIterator<Item = &'a Subject>,
    ) -> BTreeSet<AccountId> {
        // Hundreds of resources may name one group: each is spelled out once.
        let subjects: BTreeSet<&Subject> = subjects.into_iter().collect();
        subjects
            .into_iter()
            .flat_map(|subject| accounts_of(subject, &self.groups, &self.people))
            .collect()
    }

    pub(super) fn humans<'a>(
        &self,
        subjects: impl IntoIterator<Item = &'a Subject>,
    ) -> BTreeSet<Human> {
        let accounts = self.accounts(subjects);
        accounts.iter().map(|account| self.human(account)).collect()
    }

    /// Whether a user group belongs to these: then only Slack knows who they are.
    pub(super) fn are_known_elsewhere<'a>(
        &self,
        subjects: impl IntoIterator<Item = &'a Subject>,
    ) -> bool {
        subjects.into_iter().any(|subject| match subject {
            Subject::Group(name) => self
                .groups
                .get(name)
                .is_some_and(|group| group.slack_usergroup.is_some()),
            Subject::Person(_) | Subject::Account(_) => false,
        })
    }

    /// Every account that the config names.
    pub(super) fn all_accounts(&self) -> BTreeSet<AccountId> {
        let rules = self.resources.values().flat_map(|resource| {
            resource
                .request
                .iter()
                .chain(&resource.never)
                .chain(&resource.approve.from)
                .chain(resource.auto_approve.iter().flat_map(|rule| &rule.from))
        });
        let named = self
            .groups
            .values()
            .flat_map(|group| &group.members)
            .chain(&self.security.people)
            .chain(rules);
        let mut accounts = self.accounts(named);
        accounts.extend(
            self.people
                .values()
                .flat_map(|p| p.accounts.iter().cloned()),
        );
        accounts
    }
}

pub(super) fn said(human: &Human) -> String {
    match human {
        Human::Person(name) => format!("person:{name}"),
        Human::Account(account) => account.to_string(),
    }
}
