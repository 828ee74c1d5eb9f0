//! What `command` and `webhook` have in common: who people are there, and what the target can do.

use std::collections::BTreeMap;

use super::{Capabilities, EarlyEnd, NativeExpiry, PersonName, label_of_target, read_yes};
use crate::config::problem::{nearest, quoted};
use crate::config::reader::{Item, Table};
use crate::issuer::contract::Accounts;

pub(in crate::config) const CONTRACT_KEYS: &[&str] = &[
    "kind",
    "time_limit",
    "account",
    "accounts",
    "native_expiry",
    "early_end",
    "sessions_outlive",
    "settles_within",
    "makes_secret",
    "retired",
    "target",
];

const ACCOUNT_MAX_CHARS: usize = 200;
const TIME_LIMIT_DEFAULT_S: i64 = 10;
/// Two calls have to end within a job's time.
const TIME_LIMIT_MAX_S: i64 = 20;
const SETTLES_MAX_S: i64 = 24 * 3600;

/// Settings that both kinds have.
#[derive(Debug, Clone)]
pub struct ContractConfig {
    /// Who people are there.
    pub accounts: Accounts,
    /// What it can do, as its writer declares.
    pub capabilities: Capabilities,
    /// Seconds that one call may take.
    pub time_limit_s: i64,
    /// Where, in words for people; the issuer's name where none is given.
    pub target: String,
    /// Only takes away any more.
    pub retired: bool,
}

/// `settles_s` is what holds where nothing is said of it.
pub(super) fn read(table: &Table<'_>, name: &str, settles_s: i64) -> Option<ContractConfig> {
    let time_limit_s = bounded(
        table,
        "time_limit",
        TIME_LIMIT_DEFAULT_S,
        TIME_LIMIT_MAX_S,
        "a call that takes longer is given up, and its outcome is unknown",
    );
    let settles_within_s = match table.get("settles_within") {
        // Elsewhere no duration is nothing; here it says that nothing goes on after a call.
        Some(item) if item.is_string() && item.string() == Some("0s") => Some(0),
        _ => bounded(
            table,
            "settles_within",
            settles_s,
            SETTLES_MAX_S,
            "that long an end waits to be believed once an outcome was unknown",
        ),
    };
    let accounts = read_accounts(table);
    let native_expiry = word(
        table,
        "native_expiry",
        NativeExpiry::None,
        &[
            ("none", NativeExpiry::None),
            ("advisory", NativeExpiry::Advisory),
            ("enforced", NativeExpiry::Enforced),
        ],
    );
    let early_end = word(
        table,
        "early_end",
        EarlyEnd::Seen,
        &[
            ("seen", EarlyEnd::Seen),
            ("told_only", EarlyEnd::ToldOnly),
            ("impossible", EarlyEnd::Impossible),
        ],
    );
    let sessions_outlive = match table.get("sessions_outlive") {
        Some(item) => item.boolean(),
        None => Some(true),
    };
    let retired = read_yes(table, "retired");
    let makes_secret = read_yes(table, "makes_secret");
    let target = label_of_target(table, name);
    let (native_expiry, early_end) = (native_expiry?, early_end?);
    if early_end == EarlyEnd::Impossible
        && native_expiry != NativeExpiry::Enforced
        && let Some(item) = table.get("early_end")
    {
        item.problem(
            "leaves access that neither the target nor jitbot would end",
            "Write native_expiry = \"enforced\" if the target ends it at the deadline by itself; otherwise let it be taken away.",
        );
        return None;
    }
    Some(ContractConfig {
        accounts: accounts?,
        capabilities: Capabilities {
            native_expiry,
            early_end,
            sessions_outlive: sessions_outlive?,
            settles_within_s: settles_within_s?,
            makes_secret: makes_secret?,
        },
        time_limit_s: time_limit_s?,
        target: target?,
        retired: retired?,
    })
}

fn bounded(table: &Table<'_>, key: &str, default: i64, max: i64, why: &str) -> Option<i64> {
    let Some(item) = table.get(key) else {
        return Some(default);
    };
    let seconds = item.duration()?;
    if seconds > max {
        item.problem("is too long", format!("The most is {max}s: {why}."));
        return None;
    }
    Some(seconds)
}

fn word<T: Copy>(table: &Table<'_>, key: &str, default: T, words: &[(&str, T)]) -> Option<T> {
    let Some(item) = table.get(key) else {
        return Some(default);
    };
    let text = item.string()?;
    let found = words.iter().find(|(word, _)| *word == text);
    if found.is_none() {
        item.problem(
            format!("{} is not one of them", quoted(text)),
            nearest(text, words.iter().map(|(word, _)| *word)),
        );
    }
    found.map(|(_, value)| *value)
}

fn read_accounts(table: &Table<'_>) -> Option<Accounts> {
    let by_name = word(table, "account", true, &[("name", true), ("listed", false)]);
    let mut listed = Some(BTreeMap::new());
    if let Some(item) = table.get("accounts") {
        for (person, item) in item.open()?.entries() {
            match (read_person(&item, person), read_account(&item), &mut listed) {
                (Some(person), Some(account), Some(listed)) => {
                    listed.insert(person, account);
                }
                _ => listed = None,
            }
        }
    }
    let (by_name, listed) = (by_name?, listed?);
    if !by_name
        && listed.is_empty()
        && let Some(item) = table.get("account")
    {
        item.problem(
            "names accounts that are listed, and none is",
            "Write accounts = { alice = \"a.smith\" }.",
        );
        return None;
    }
    Some(Accounts { by_name, listed })
}

fn read_person(item: &Item<'_>, person: &str) -> Option<PersonName> {
    let name = PersonName::new(person);
    if name.is_err() {
        item.problem(
            format!("{} can't be the name of a person", quoted(person)),
            "Write the NAME of a [person.NAME].",
        );
    }
    name.ok()
}

/// Programs get it as a variable and in lists of their own.
fn read_account(item: &Item<'_>) -> Option<String> {
    item.label(ACCOUNT_MAX_CHARS)
}
