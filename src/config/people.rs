//! People: `[person.NAME]`.

use std::collections::BTreeMap;

use super::problem::quoted;
use super::reader::{Item, Table};
use super::subject;
use crate::domain::ids::{AccountId, PersonName};
use crate::domain::public_key::{BadKey, PublicKey};
use crate::policy::model::Person;

pub(super) const PERSON_KEYS: &[&str] = &["accounts", "ssh_keys", "time_zone"];

/// What chat can't tell about people.
pub(super) fn people(root: &Table<'_>) -> BTreeMap<PersonName, Person> {
    let mut people = BTreeMap::new();
    let mut account_owner: BTreeMap<AccountId, &str> = BTreeMap::new();
    let mut key_owner: BTreeMap<PublicKey, &str> = BTreeMap::new();
    for (text, item) in named(root, "person") {
        let name = match PersonName::new(text) {
            Ok(name) => Some(name),
            Err(e) => {
                item.problem(e.to_string(), "");
                None
            }
        };
        let Some(table) = item.table(PERSON_KEYS, &[]) else {
            continue;
        };
        let accounts = table
            .need(
                "accounts",
                "List them like accounts = [\"slack:T0123456/U0456789\"].",
            )
            .and_then(|item| read_accounts(&item, text, &mut account_owner));
        let ssh_keys = match table.get("ssh_keys") {
            Some(item) => read_keys(&item, text, &mut key_owner),
            None => Some(Vec::new()),
        };
        let time_zone = match table.get("time_zone") {
            Some(item) => item.time_zone().map(Some),
            None => Some(None),
        };
        if let (Some(name), Some(accounts), Some(ssh_keys), Some(time_zone)) =
            (name, accounts, ssh_keys, time_zone)
        {
            people.insert(
                name,
                Person {
                    accounts,
                    ssh_keys,
                    time_zone,
                },
            );
        }
    }
    people
}

fn read_accounts<'a>(
    item: &Item<'a>,
    person: &'a str,
    owners: &mut BTreeMap<AccountId, &'a str>,
) -> Option<Vec<AccountId>> {
    let items = item.array()?;
    if items.is_empty() {
        item.problem(
            "is empty",
            "Name at least one account, like slack:T0123456/U0456789.",
        );
        return None;
    }
    let mut accounts = Some(Vec::new());
    for item in items {
        let Some(account) = subject::account(&item) else {
            accounts = None;
            continue;
        };
        if let Some(owner) = owners.insert(account.clone(), person) {
            item.problem(
                format!("{account} belongs to {} already", quoted(owner)),
                "An account belongs to one person, or somebody could approve what they asked for.",
            );
            accounts = None;
        } else if let Some(accounts) = &mut accounts {
            accounts.push(account);
        }
    }
    accounts
}

fn read_keys<'a>(
    item: &Item<'a>,
    person: &'a str,
    owners: &mut BTreeMap<PublicKey, &'a str>,
) -> Option<Vec<PublicKey>> {
    let mut keys = Some(Vec::new());
    for item in item.array()? {
        let Some(key) = item.string().and_then(|line| read_key(&item, line)) else {
            keys = None;
            continue;
        };
        if let Some(owner) = owners.insert(key.clone(), person) {
            item.problem(
                format!("this key belongs to {} already", quoted(owner)),
                "Each person has keys of their own: a target knows people by them.",
            );
            keys = None;
        } else if let Some(keys) = &mut keys {
            keys.push(key);
        }
    }
    keys
}

/// Reads one public key. The text is never repeated: it may be a private key in the wrong place.
fn read_key(item: &Item<'_>, line: &str) -> Option<PublicKey> {
    let bad = match PublicKey::parse(line) {
        Ok(key) => return Some(key),
        Err(bad) => bad,
    };
    let hint = match bad {
        BadKey::Private => {
            "Write the line of the .pub file, and make a new key: this one was seen."
        }
        BadKey::Unreadable => {
            "Write the line of the .pub file, like \"ssh-ed25519 AAAA… alice@laptop\"."
        }
        BadKey::RsaBits(_) | BadKey::Kind(_) => {
            "Use Ed25519, ECDSA, RSA of 2048 to 4096 bits, or a key on a security key (sk-…)."
        }
    };
    item.problem(bad.to_string(), hint);
    None
}

/// The named tables of a kind: `[group.NAME]`.
pub(super) fn named<'a>(root: &Table<'a>, kind: &str) -> Vec<(&'a str, Item<'a>)> {
    root.get(kind)
        .and_then(|item| item.open())
        .map(|table| table.entries())
        .unwrap_or_default()
}

/// The names alone; what is wrong with the tables is said when they are read.
pub(super) fn names<'a>(root: &Table<'a>, kind: &str) -> Vec<&'a str> {
    root.get(kind)
        .filter(Item::is_table)
        .and_then(|item| item.open())
        .map(|table| table.entries())
        .unwrap_or_default()
        .into_iter()
        .map(|(name, _)| name)
        .collect()
}
