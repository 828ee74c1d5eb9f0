//! People: `[person.NAME]`.

use std::collections::BTreeMap;

use ssh_key::public::KeyData;
use ssh_key::{EcdsaCurve, PublicKey};

use super::problem::quoted;
use super::reader::{Item, Table};
use super::subject;
use crate::domain::ids::{AccountId, PersonName};
use crate::policy::model::Person;

pub(super) const PERSON_KEYS: &[&str] = &["accounts", "ssh_keys", "time_zone"];

/// Keys below this can be broken (NIST SP 800-57 part 1), and OpenSSH's own floor is near.
const RSA_BITS: std::ops::RangeInclusive<usize> = 2_048..=4_096;

/// What chat can't tell about people.
pub(super) fn people(root: &Table<'_>) -> BTreeMap<PersonName, Person> {
    let mut people = BTreeMap::new();
    let mut account_owner: BTreeMap<AccountId, &str> = BTreeMap::new();
    let mut key_owner: BTreeMap<KeyData, &str> = BTreeMap::new();
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
    owners: &mut BTreeMap<KeyData, &'a str>,
) -> Option<Vec<String>> {
    let mut lines = Some(Vec::new());
    for item in item.array()? {
        let Some(key) = item.string().and_then(|line| read_key(&item, line)) else {
            lines = None;
            continue;
        };
        if let Some(owner) = owners.insert(key.key_data().clone(), person) {
            item.problem(
                format!("this key belongs to {} already", quoted(owner)),
                "Each person has keys of their own: a target knows people by them.",
            );
            lines = None;
        } else if let (Some(lines), Ok(line)) = (&mut lines, key.to_openssh()) {
            lines.push(line);
        }
    }
    lines
}

/// Reads one public key of a kind that a certificate can be made for. The text is never repeated:
/// it may be a private key in the wrong place.
fn read_key(item: &Item<'_>, line: &str) -> Option<PublicKey> {
    if line.contains("PRIVATE KEY") {
        item.problem(
            "is a private key",
            "Write the line of the .pub file, and make a new key: this one was seen.",
        );
        return None;
    }
    let one_line = !line.trim().chars().any(char::is_control);
    let Some(key) = PublicKey::from_openssh(line.trim())
        .ok()
        .filter(|_| one_line)
    else {
        item.problem(
            "is not a public key in OpenSSH's form",
            "Write the line of the .pub file, like \"ssh-ed25519 AAAA… alice@laptop\".",
        );
        return None;
    };
    let refused = match key.key_data() {
        KeyData::Ed25519(_) | KeyData::SkEd25519(_) | KeyData::SkEcdsaSha2NistP256(_) => None,
        KeyData::Ecdsa(key) => match key.curve() {
            EcdsaCurve::NistP256 | EcdsaCurve::NistP384 | EcdsaCurve::NistP521 => None,
        },
        KeyData::Rsa(key) => {
            let bits = key.n.as_positive_bytes().map_or(0, |bytes| {
                let first = bytes
                    .first()
                    .map_or(0, |byte| byte.leading_zeros() as usize);
                bytes.len() * 8 - first
            });
            (!RSA_BITS.contains(&bits)).then(|| format!("is an RSA key of {bits} bits"))
        }
        other => Some(format!(
            "is a key of the kind {}",
            other.algorithm().as_str()
        )),
    };
    if let Some(what) = refused {
        item.problem(
            what,
            "Use Ed25519, ECDSA, RSA of 2048 to 4096 bits, or a key on a security key (sk-…).",
        );
        return None;
    }
    Some(key)
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
