//! What stands in for a target that a config reaches by a program or a webhook: nothing of it may be
//! called by a rehearsal.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest as _, Sha256};
use toml::{Table, Value};

/// The shipped example: a file for each grant, in a folder of the demo.
const PROGRAM: &str = include_str!("../../../docs/examples/file-access");

/// What leads to the real target.
const REAL: [&str; 7] = [
    "program",
    "environment",
    "url",
    "secret",
    "former_secret",
    "allow_private",
    "ca_file",
];

/// Whether this issuer reaches its target by a program or a webhook.
pub(super) fn is_contracted(issuer: &Table) -> bool {
    matches!(
        issuer.get("kind").and_then(Value::as_str),
        Some("command" | "webhook")
    )
}

/// Puts the example in the place of the real target, with its grants in this folder. Returns the keys
/// that were replaced.
pub(super) fn put_in(issuer: &mut Table, folder: &str) -> Vec<&'static str> {
    let mut replaced: Vec<&str> = REAL
        .into_iter()
        .filter(|key| issuer.remove(*key).is_some())
        .collect();
    if issuer.insert("kind".to_owned(), "command".into()) != Some("command".into()) {
        replaced.push("kind");
    }
    let script = format!("mkdir -p \"$ACCESS_DIR\"\n{PROGRAM}");
    let program = ["/bin/sh", "-c", &script].map(Value::from).to_vec();
    issuer.insert("program".to_owned(), program.into());
    let environment = Table::from_iter([("ACCESS_DIR".to_owned(), folder.into())]);
    issuer.insert("environment".to_owned(), environment.into());
    replaced
}

/// A webhook's secret of the right form, another for each variable.
pub(super) fn webhook_secret(variable: &str) -> String {
    format!("whsec_{}", STANDARD.encode(Sha256::digest(variable)))
}

/// Variables that webhooks' secrets come from.
pub(super) fn webhook_variables(config: &Table) -> Vec<String> {
    let issuers = config.get("issuer").and_then(Value::as_table);
    let webhooks = issuers
        .into_iter()
        .flat_map(Table::values)
        .filter(|issuer| issuer.get("kind").and_then(Value::as_str) == Some("webhook"));
    webhooks
        .flat_map(|issuer| [issuer.get("secret"), issuer.get("former_secret")])
        .flatten()
        .filter_map(|secret| secret.get("env").and_then(Value::as_str))
        .map(str::to_owned)
        .collect()
}
