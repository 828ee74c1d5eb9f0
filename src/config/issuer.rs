//! Issuers: `[issuer.NAME]`.

pub(super) mod ssh_ca;

mod command;
mod contract;
mod webhook;

use std::collections::BTreeMap;

use serde_json::Value;

use super::people::named;
use super::problem::{nearest, quoted};
use super::reader::{Item, Table};
use super::secret::SecretSource;
use crate::domain::ids::{IssuerName, PersonName};
use crate::issuer::{Capabilities, EarlyEnd, NativeExpiry};

pub(super) use command::COMMAND_KEYS;
pub use command::{CommandConfig, Variable};
pub(super) use contract::CONTRACT_KEYS;
pub use contract::ContractConfig;
use ssh_ca::SSH_CA_KEYS;
pub use ssh_ca::{HostsWay, SshCaConfig};
pub(super) use webhook::WEBHOOK_KEYS;
pub use webhook::WebhookConfig;

/// Kinds of issuers that exist.
pub(super) const KINDS: &[&str] = &["ssh-ca", "command", "webhook"];

const TARGET_MAX_CHARS: usize = 80;

/// An issuer instance.
#[derive(Debug, Clone)]
pub enum IssuerConfig {
    /// Signs SSH certificates.
    SshCa(SshCaConfig),
    /// Runs a program that speaks the contract.
    Command(CommandConfig),
    /// Calls a receiver that speaks the contract.
    Webhook(WebhookConfig),
}

impl IssuerConfig {
    /// Whether it only takes away any more.
    #[must_use]
    pub fn is_retired(&self) -> bool {
        match self {
            Self::SshCa(ssh_ca) => ssh_ca.retired,
            Self::Command(CommandConfig { contract, .. })
            | Self::Webhook(WebhookConfig { contract, .. }) => contract.retired,
        }
    }

    /// Whether people without a key in the config may give theirs in chat.
    #[must_use]
    pub const fn keys_in_chat(&self) -> bool {
        match self {
            Self::SshCa(ssh_ca) => ssh_ca.keys_in_chat,
            Self::Command(_) | Self::Webhook(_) => false,
        }
    }

    /// Where, in words for people.
    #[must_use]
    pub fn target(&self) -> &str {
        match self {
            Self::SshCa(ssh_ca) => &ssh_ca.target,
            Self::Command(CommandConfig { contract, .. })
            | Self::Webhook(WebhookConfig { contract, .. }) => &contract.target,
        }
    }

    /// The word for its kind in the config.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::SshCa(_) => "ssh-ca",
            Self::Command(_) => "command",
            Self::Webhook(_) => "webhook",
        }
    }

    /// The key to name where it can't be built, and where it can't do its job.
    #[must_use]
    pub const fn keys_to_blame(&self) -> (&'static str, &'static str) {
        match self {
            Self::SshCa(_) => ("ca_key", "krl"),
            Self::Command(_) => ("environment", "program"),
            Self::Webhook(_) => ("secret", "url"),
        }
    }

    /// Whether hosts fetch from the bot's own HTTP server.
    #[must_use]
    pub const fn needs_http(&self) -> bool {
        match self {
            Self::SshCa(ssh_ca) => matches!(ssh_ca.hosts, HostsWay::Fetch { .. }),
            Self::Command(_) | Self::Webhook(_) => false,
        }
    }

    /// What is said of it where it does what its writer declares; none where the kind says it.
    #[must_use]
    pub(super) const fn declared(&self) -> Option<&ContractConfig> {
        match self {
            Self::SshCa(_) => None,
            Self::Command(CommandConfig { contract, .. })
            | Self::Webhook(WebhookConfig { contract, .. }) => Some(contract),
        }
    }

    /// Where it leads where the config alone says so; of secrets, where they come from.
    pub(super) fn leads_to(&self) -> Option<Value> {
        match self {
            Self::SshCa(_) => None,
            Self::Command(command) => Some(command.leads_to()),
            Self::Webhook(webhook) => Some(webhook.leads_to()),
        }
    }

    /// Everything secret that it reads, by its key.
    pub(crate) fn secrets(&self) -> Vec<(String, &SecretSource)> {
        match self {
            Self::SshCa(ssh_ca) => ssh_ca.secrets(),
            Self::Command(command) => command.secrets(),
            Self::Webhook(webhook) => webhook.secrets(),
        }
    }
}

/// Reads all issuers.
pub(super) fn issuers(root: &Table<'_>) -> BTreeMap<IssuerName, IssuerConfig> {
    let mut issuers = BTreeMap::new();
    for (text, item) in named(root, "issuer") {
        let name = match IssuerName::new(text) {
            Ok(name) => Some(name),
            Err(e) => {
                item.problem(e.to_string(), "");
                None
            }
        };
        let issuer = read(&item, text);
        if let (Some(name), Some(issuer)) = (name, issuer) {
            issuers.insert(name, issuer);
        }
    }
    issuers
}

/// The kind of an issuer as it is written, whatever else is wrong with it.
pub(super) fn kind_of<'a>(root: &Table<'a>, name: &str) -> Option<&'a str> {
    let issuers = root.get("issuer").filter(Item::is_table)?.open()?;
    let one = issuers.get(name).filter(Item::is_table)?.open()?;
    one.get("kind").filter(Item::is_string)?.string()
}

fn read(item: &Item<'_>, name: &str) -> Option<IssuerConfig> {
    let hint = format!("There is: {}.", KINDS.join(", "));
    let table = item.open()?;
    let kind = table.need("kind", &hint)?;
    let text = kind.string()?;
    match text {
        "ssh-ca" => {
            table.only(SSH_CA_KEYS, &[]);
            ssh_ca::read(&table, name).map(IssuerConfig::SshCa)
        }
        "command" => {
            table.only(&[COMMAND_KEYS, CONTRACT_KEYS].concat(), &[]);
            command::read(&table, name).map(IssuerConfig::Command)
        }
        "webhook" => {
            table.only(&[WEBHOOK_KEYS, CONTRACT_KEYS].concat(), &[]);
            webhook::read(&table, name).map(IssuerConfig::Webhook)
        }
        _ => {
            kind.problem(
                format!("there is no kind of issuer {}", quoted(text)),
                nearest(text, KINDS.iter().copied()),
            );
            None
        }
    }
}

/// True or false; false where it is left out.
fn read_yes(table: &Table<'_>, key: &str) -> Option<bool> {
    match table.get(key) {
        Some(item) => item.boolean(),
        None => Some(false),
    }
}

fn label_of_target(table: &Table<'_>, name: &str) -> Option<String> {
    match table.get("target") {
        Some(item) => item.label(TARGET_MAX_CHARS),
        None => Some(name.to_owned()),
    }
}

fn read_program(item: &Item<'_>, example: &str) -> Option<Vec<String>> {
    let words: Vec<Option<&str>> = item.array()?.iter().map(Item::string).collect();
    let words: Vec<&str> = words.into_iter().collect::<Option<_>>()?;
    let absolute = words.first().is_some_and(|first| first.starts_with('/'));
    if !absolute || words.iter().any(|word| word.contains('\0')) {
        item.problem(
            "does not begin with the absolute path of a program",
            format!("Write it like [\"{example}\"]; no shell stands between."),
        );
        return None;
    }
    Some(words.into_iter().map(str::to_owned).collect())
}
