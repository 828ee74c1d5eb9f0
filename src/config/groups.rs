//! Groups: `[group.NAME]`, and how fresh what a directory says must be: `[directory]`.

use std::collections::{BTreeMap, BTreeSet};

use super::people::named;
use super::problem::quoted;
use super::reader::{Item, Table};
use super::subject::{self, Names};
use crate::domain::ids::{AccountId, GroupName, PersonName};
use crate::policy::model::{Person, Subject};

pub(super) const DIRECTORY_KEYS: &[&str] = &["fresh_for"];
pub(super) const GROUP_KEYS: &[&str] = &["members", "slack_usergroup"];
const GROUP_KEYS_LATER: &[(&str, &str)] = &[(
    "discord_role",
    "It comes later; list the people as members = [\"person:NAME\", \"slack:TEAM/USER\"].",
)];

const FRESH_FOR_DEFAULT_S: i64 = 600;
const USERGROUP_HINT: &str = "Write its handle, like \"sre\", or its id, like \"S0123456\".";

/// Who is in a group, as written.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct GroupConfig {
    /// People and accounts.
    pub members: Vec<Subject>,
    /// Handle or id of the Slack user group whose members belong to it too.
    pub slack_usergroup: Option<String>,
}

/// `[directory]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DirectoryConfig {
    /// Seconds for which what is known of people and groups may be used.
    pub fresh_for_s: i64,
}

/// How fresh facts must be.
pub(super) fn directory(root: &Table<'_>) -> Option<DirectoryConfig> {
    let item = match root.get("directory") {
        Some(item) => item.table(DIRECTORY_KEYS, &[])?.get("fresh_for"),
        None => None,
    };
    Some(DirectoryConfig {
        fresh_for_s: match item {
            Some(item) => item.duration()?,
            None => FRESH_FOR_DEFAULT_S,
        },
    })
}

/// Who is in which group.
pub(super) fn groups(root: &Table<'_>, names: &Names) -> BTreeMap<GroupName, GroupConfig> {
    let mut groups = BTreeMap::new();
    for (name, item) in named(root, "group") {
        let name = match GroupName::new(name) {
            Ok(name) => Some(name),
            Err(e) => {
                item.problem(e.to_string(), "");
                None
            }
        };
        let Some(table) = item.table(GROUP_KEYS, GROUP_KEYS_LATER) else {
            continue;
        };
        if let (Some(name), Some(group)) = (name, read_group(&table, names)) {
            groups.insert(name, group);
        }
    }
    groups
}

fn read_group(table: &Table<'_>, names: &Names) -> Option<GroupConfig> {
    let later = GROUP_KEYS_LATER
        .iter()
        .any(|(key, _)| table.get(key).is_some());
    let elsewhere = later || table.get("slack_usergroup").is_some();
    let members = if elsewhere {
        table.get("members")
    } else {
        table.need(
            "members",
            "List them like members = [\"person:alice\"], or name a slack_usergroup.",
        )
    };
    let members = match members {
        Some(item) => read_members(&item, names),
        // Where a source is named that comes later, that problem is said already.
        None if elsewhere && !later => Some(Vec::new()),
        None => None,
    };
    let slack_usergroup = match table.get("slack_usergroup") {
        Some(item) => read_usergroup(&item).map(Some),
        None => Some(None),
    };
    Some(GroupConfig {
        members: members?,
        slack_usergroup: slack_usergroup?,
    })
}

fn read_members(item: &Item<'_>, names: &Names) -> Option<Vec<Subject>> {
    let members = subject::read_all(item, names)?;
    if members.iter().any(|m| matches!(m, Subject::Group(_))) {
        item.problem(
            "names a group inside a group",
            "List the people of that group, or name both groups where the rule stands.",
        );
        return None;
    }
    if members.is_empty() {
        item.warning("is empty", "Whatever names this group means nobody.");
    }
    Some(members)
}

fn read_usergroup(item: &Item<'_>) -> Option<String> {
    let text = item.string()?;
    // People copy it with the sign by which it is mentioned.
    let name = text.strip_prefix('@').unwrap_or(text);
    let right = !name.is_empty()
        && name.chars().count() <= 80
        && name
            .chars()
            .all(|c| c.is_alphanumeric() || matches!(c, '-' | '_' | '.'));
    if !right {
        item.problem(
            format!("{} is not a user group's handle", quoted(text)),
            USERGROUP_HINT,
        );
        return None;
    }
    Some(name.to_owned())
}

/// The accounts that a subject stands for, as far as the config lists them.
pub(super) fn accounts_of(
    subject: &Subject,
    groups: &BTreeMap<GroupName, GroupConfig>,
    people: &BTreeMap<PersonName, Person>,
) -> BTreeSet<AccountId> {
    match subject {
        Subject::Account(account) => BTreeSet::from([account.clone()]),
        Subject::Person(name) => people
            .get(name)
            .map(|person| person.accounts.iter().cloned().collect())
            .unwrap_or_default(),
        Subject::Group(name) => groups
            .get(name)
            .into_iter()
            .flat_map(|group| &group.members)
            .filter(|member| !matches!(member, Subject::Group(_)))
            .flat_map(|member| accounts_of(member, groups, people))
            .collect(),
    }
}
