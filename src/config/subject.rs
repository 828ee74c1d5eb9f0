//! Whom a rule names, and the names that it may use.

use std::collections::BTreeSet;

use super::problem::{nearest, quoted};
use super::reader::Item;
use crate::domain::ids::{AccountId, GroupName, PersonName};
use crate::policy::model::Subject;

const SUBJECT_HINT: &str = "Write group:NAME, person:NAME or slack:TEAM/USER.";

/// Names that stand in the file, whether or not what stands under them is right.
pub(super) struct Names {
    pub(super) groups: BTreeSet<String>,
    pub(super) people: BTreeSet<String>,
    pub(super) issuers: BTreeSet<String>,
}

/// Reads a list of subjects.
pub(super) fn read_all(item: &Item<'_>, names: &Names) -> Option<Vec<Subject>> {
    let items = item.array()?;
    let subjects: Vec<Option<Subject>> = items.iter().map(|item| read(item, names)).collect();
    let subjects: Vec<Subject> = subjects.into_iter().collect::<Option<_>>()?;
    for (i, subject) in subjects.iter().enumerate() {
        if subjects[..i].contains(subject) {
            items[i].problem("is named twice", "Leave one out.");
            return None;
        }
    }
    Some(subjects)
}

/// Reads `group:NAME`, `person:NAME` or an account.
pub(super) fn read(item: &Item<'_>, names: &Names) -> Option<Subject> {
    let text = item.string()?;
    match text.split_once(':') {
        Some(("group", name)) => {
            known(item, "group", name, &names.groups)?;
            GroupName::new(name).ok().map(Subject::Group)
        }
        Some(("person", name)) => {
            known(item, "person", name, &names.people)?;
            PersonName::new(name).ok().map(Subject::Person)
        }
        Some(("slack" | "discord", _)) => account(item).map(Subject::Account),
        _ => {
            let hint = if names.groups.contains(text) {
                format!("Write group:{text}.")
            } else if names.people.contains(text) {
                format!("Write person:{text}.")
            } else {
                SUBJECT_HINT.to_owned()
            };
            item.problem(format!("{} names nobody", quoted(text)), hint);
            None
        }
    }
}

fn known(item: &Item<'_>, kind: &str, name: &str, names: &BTreeSet<String>) -> Option<()> {
    if names.contains(name) {
        return Some(());
    }
    item.problem(
        format!("there is no {kind} {}", quoted(name)),
        nearest(name, names.iter().map(String::as_str)),
    );
    None
}

/// Reads an account on a platform that is served.
pub(super) fn account(item: &Item<'_>) -> Option<AccountId> {
    let text = item.string()?;
    let Ok(account) = AccountId::new(text) else {
        item.problem(
            format!("{} is not an account", quoted(text)),
            "Write slack:TEAM/USER with the ids that Slack shows, like slack:T0123456/U0456789.",
        );
        return None;
    };
    if account.platform() != "slack" {
        item.problem(
            format!("{} is on a platform that is not served yet", quoted(text)),
            "Discord comes later; name accounts on Slack.",
        );
        return None;
    }
    let team = account.community().starts_with(['T', 'E']);
    let user = account.member().starts_with(['U', 'W']);
    if !team || !user {
        item.problem(
            format!("{} is not a Slack user's account", quoted(text)),
            "A team's id begins with T or E, a user's with U or W.",
        );
        return None;
    }
    Some(account)
}

/// A subject as it is written in a config.
#[must_use]
pub(super) fn text(subject: &Subject) -> String {
    match subject {
        Subject::Group(name) => format!("group:{name}"),
        Subject::Person(name) => format!("person:{name}"),
        Subject::Account(account) => account.to_string(),
    }
}
