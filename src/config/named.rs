//! Where in the file something is named that lives elsewhere: for who asks whether it exists there.

use std::collections::BTreeMap;

use super::{Config, GroupConfig};
use crate::domain::ids::{AccountId, GroupName};
use crate::policy::model::Subject;

impl Config {
    /// Every account that is named, with the first key that names it.
    #[must_use]
    pub fn accounts_named(&self) -> BTreeMap<AccountId, String> {
        let mut named = BTreeMap::new();
        for (name, person) in &self.people {
            for (i, account) in person.accounts.iter().enumerate() {
                named
                    .entry(account.clone())
                    .or_insert_with(|| format!("person.{name}.accounts[{i}]"));
            }
        }
        for (key, subjects) in self.subjects() {
            for (i, subject) in subjects.iter().enumerate() {
                if let Subject::Account(account) = subject {
                    named
                        .entry(account.clone())
                        .or_insert_with(|| format!("{key}[{i}]"));
                }
            }
        }
        named
    }

    /// Every list of subjects, with its key.
    fn subjects(&self) -> Vec<(String, &Vec<Subject>)> {
        let mut lists = Vec::new();
        for (name, group) in &self.groups {
            lists.push((format!("group.{name}.members"), &group.members));
        }
        lists.push(("security.people".to_owned(), &self.security.people));
        for (name, resource) in &self.resources {
            lists.push((format!("resource.{name}.request"), &resource.request));
            lists.push((format!("resource.{name}.never"), &resource.never));
            let from = format!("resource.{name}.approve[0].from");
            lists.push((from, &resource.approve.from));
            for (i, rule) in resource.auto_approve.iter().enumerate() {
                let from = format!("resource.{name}.auto_approve[{i}].from");
                lists.push((from, &rule.from));
            }
        }
        lists
    }

    /// Every channel that is named, with its key; as often as it is named.
    #[must_use]
    pub fn places_named(&self) -> Vec<(String, String)> {
        let fallback = self.slack.fallback_channel.iter();
        let fallback = fallback.map(|name| ("slack.fallback_channel".to_owned(), name.clone()));
        let security = [("security.channels".to_owned(), &self.security.channels)];
        let resources = self
            .resources
            .iter()
            .map(|(name, resource)| (format!("resource.{name}.channels"), &resource.channels));
        security
            .into_iter()
            .chain(resources)
            .flat_map(|(key, names)| {
                let one = move |(i, name): (usize, &String)| (format!("{key}[{i}]"), name.clone());
                names.iter().enumerate().map(one).collect::<Vec<_>>()
            })
            .chain(fallback)
            .collect()
    }

    /// Every Slack user group that is named: the group of the config, and the handle or id.
    #[must_use]
    pub fn usergroups_named(&self) -> Vec<(GroupName, String)> {
        let named = |(name, group): (&GroupName, &GroupConfig)| {
            Some((name.clone(), group.slack_usergroup.clone()?))
        };
        self.groups.iter().filter_map(named).collect()
    }
}
