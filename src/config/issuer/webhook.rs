//! The kind `webhook`.

use std::path::PathBuf;

use serde_json::{Value, json};
use url::Url;

use super::contract::{self, ContractConfig};
use crate::config::reader::{Item, Table};
use crate::config::secret::{self, SecretSource, absolute_path};
use crate::issuer::contract::standard_webhooks;
use crate::web_call::address::{self, BadAddress};

pub(in crate::config) const WEBHOOK_KEYS: &[&str] =
    &["url", "secret", "former_secret", "allow_private", "ca_file"];

/// A receiver that we no longer listen to may still be at work.
const SETTLES_DEFAULT_S: i64 = 60;
const URL_HINT: &str = "Write it like https://access.example.org/jitbot.";

/// Settings of a `webhook` issuer.
#[derive(Debug, Clone)]
pub struct WebhookConfig {
    /// Where it is.
    pub url: Url,
    /// What calls are signed with.
    pub secret: SecretSource,
    /// What they are signed with too, while `secret` replaces it.
    pub former_secret: Option<SecretSource>,
    /// Whether it may be in a private network, or on this machine.
    pub allow_private: bool,
    /// Certificates to trust in place of the machine's own.
    pub ca_file: Option<PathBuf>,
    /// What it has in common with a command.
    pub contract: ContractConfig,
}

impl WebhookConfig {
    pub(super) fn leads_to(&self) -> Value {
        json!({
            "allow_private": self.allow_private,
            "ca_file": self.ca_file,
            "former_secret": self.former_secret.as_ref().map(SecretSource::place),
            "secret": self.secret.place(),
            "url": self.url.as_str(),
        })
    }

    pub(super) fn secrets(&self) -> Vec<(String, &SecretSource)> {
        let former = self.former_secret.iter();
        std::iter::once(("secret".to_owned(), &self.secret))
            .chain(former.map(|secret| ("former_secret".to_owned(), secret)))
            .collect()
    }
}

pub(super) fn read(table: &Table<'_>, name: &str) -> Option<WebhookConfig> {
    let allow_private = match table.get("allow_private") {
        Some(item) => item.boolean(),
        None => Some(false),
    };
    let url = table
        .need("url", URL_HINT)
        .and_then(|item| read_url(&item, allow_private.unwrap_or(true)));
    let secret = table
        .need("secret", secret::SECRET_HINT)
        .and_then(|item| read_secret(&item));
    let former_secret = match table.get("former_secret") {
        Some(item) => read_secret(&item).map(Some),
        None => Some(None),
    };
    if let (Some(secret), Some(Some(former)), Some(item)) =
        (&secret, &former_secret, table.get("former_secret"))
        && secret.is_same_as(former)
    {
        item.problem(
            "is the same as secret",
            "Leave it out once all receivers know the new one.",
        );
    }
    let ca_file = match table.get("ca_file") {
        Some(item) => absolute_path(&item).map(Some),
        None => Some(None),
    };
    let contract = contract::read(table, name, SETTLES_DEFAULT_S);
    Some(WebhookConfig {
        url: url?,
        secret: secret?,
        former_secret: former_secret?,
        allow_private: allow_private?,
        ca_file: ca_file?,
        contract: contract?,
    })
}

fn read_secret(item: &Item<'_>) -> Option<SecretSource> {
    let source = secret::read(item)?;
    if let SecretSource::Env { value, .. } = &source
        && let Err(why) = standard_webhooks::key(value)
    {
        item.problem(why, "");
        return None;
    }
    Some(source)
}

fn read_url(item: &Item<'_>, allow_private: bool) -> Option<Url> {
    let (what, hint) = match address::read(item.string()?, allow_private) {
        Ok(url) => return Some(url),
        Err(BadAddress::NotAnAddress) => ("is not an address", URL_HINT),
        Err(BadAddress::NoHost) => ("names no host", URL_HINT),
        Err(BadAddress::HoldsMore) => (
            "holds a user, a password or a fragment",
            "Calls are signed; what else is secret does not belong into an address.",
        ),
        Err(BadAddress::Private) => (
            "is an address of a private network, or of this machine",
            "Add allow_private = true if that is meant.",
        ),
        Err(BadAddress::PlainHere) => (
            "is plain http://",
            "Add allow_private = true if a receiver on this machine is meant.",
        ),
        Err(BadAddress::NotHttps) => (
            "is not https://",
            "What is asked for and answered would travel in the clear; http:// is for this machine alone.",
        ),
    };
    item.problem(what, hint);
    None
}
