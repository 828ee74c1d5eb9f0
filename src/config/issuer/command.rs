//! The kind `command`.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::contract::{self, ContractConfig};
use super::read_program;
use crate::config::reader::{Item, Table};
use crate::config::secret::{self, SecretSource};

pub(in crate::config) const COMMAND_KEYS: &[&str] = &["program", "environment"];

/// A program that was killed may have asked somebody else who is still at work, and one that runs as
/// another user can't be killed.
const SETTLES_DEFAULT_S: i64 = 60;
const VARIABLE_MAX_BYTES: usize = 4_096;

/// Settings of a `command` issuer.
#[derive(Debug, Clone)]
pub struct CommandConfig {
    /// The program's absolute path and its arguments.
    pub program: Vec<String>,
    /// Variables of its environment.
    pub environment: Vec<(String, Variable)>,
    /// What it has in common with a webhook.
    pub contract: ContractConfig,
}

/// What a variable holds.
#[derive(Debug, Clone)]
pub enum Variable {
    /// A text.
    Plain(String),
    /// A secret.
    Secret(SecretSource),
}

impl CommandConfig {
    pub(super) fn leads_to(&self) -> Value {
        let environment: BTreeMap<&str, Value> = self
            .environment
            .iter()
            .map(|(name, variable)| {
                let value = match variable {
                    Variable::Plain(text) => json!(text),
                    Variable::Secret(secret) => secret.place(),
                };
                (name.as_str(), value)
            })
            .collect();
        json!({"program": self.program, "environment": environment})
    }

    pub(super) fn secrets(&self) -> Vec<(String, &SecretSource)> {
        self.environment
            .iter()
            .filter_map(|(name, variable)| match variable {
                Variable::Secret(secret) => Some((format!("environment.{name}"), secret)),
                Variable::Plain(_) => None,
            })
            .collect()
    }
}

pub(super) fn read(table: &Table<'_>, name: &str) -> Option<CommandConfig> {
    let example = "/usr/local/bin/give-access";
    let program = table
        .need("program", &format!("Write it like [\"{example}\"]."))
        .and_then(|item| read_program(&item, example));
    let environment = match table.get("environment") {
        Some(item) => read_environment(&item),
        None => Some(Vec::new()),
    };
    let contract = contract::read(table, name, SETTLES_DEFAULT_S);
    Some(CommandConfig {
        program: program?,
        environment: environment?,
        contract: contract?,
    })
}

fn read_environment(item: &Item<'_>) -> Option<Vec<(String, Variable)>> {
    let mut environment = Some(Vec::new());
    for (name, item) in item.open()?.entries() {
        match (is_free(&item, name), read_variable(&item), &mut environment) {
            (true, Some(variable), Some(environment)) => {
                environment.push((name.to_owned(), variable));
            }
            _ => environment = None,
        }
    }
    environment
}

fn is_free(item: &Item<'_>, name: &str) -> bool {
    let is_name = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    if !is_name {
        item.problem(
            "is not the name of a variable",
            "Use letters, digits and `_`, and begin with no digit.",
        );
    } else if name.starts_with("JITBOT_") {
        item.problem(
            "is a variable that the program is given with each question",
            "Choose a name that does not begin with JITBOT_.",
        );
        return false;
    }
    is_name
}

fn read_variable(item: &Item<'_>) -> Option<Variable> {
    if !item.is_string() {
        return secret::read(item).map(Variable::Secret);
    }
    let text = item.string()?;
    if text.contains('\0') || text.len() > VARIABLE_MAX_BYTES {
        item.problem(
            "can't be the value of a variable",
            format!("At most {VARIABLE_MAX_BYTES} bytes, without a zero byte."),
        );
        return None;
    }
    Some(Variable::Plain(text.to_owned()))
}
