//! What a resource gives: `[resource.NAME.grant]`, by the kind of its issuer.

use serde_json::{Map, Value};

use super::issuer::kind_of;
use super::reader::{Item, Table};
use super::ssh_grant::read_ssh_grant;

/// The most that a grant's parameters may take, in bytes of JSON: they are kept with every request.
const PARAMETERS_MAX_BYTES: usize = 4_096;

/// The `grant` of a resource; `root` tells the kind of its issuer, even if that has problems.
pub(super) fn read_grant(table: &Table<'_>, root: &Table<'_>) -> Option<Map<String, Value>> {
    let issuer = table.get("issuer").filter(Item::is_string);
    let kind = issuer.and_then(|item| kind_of(root, item.string()?));
    match kind {
        Some("command" | "webhook") => {
            let item = table.need(
                "grant",
                "Write what your target is told, like { group = \"admins\" }; {} where it needs nothing.",
            )?;
            read_parameters(&item)
        }
        _ => {
            let hint = "Write what it gives, like { principals = [\"deploy\"] }.";
            read_ssh_grant(&table.need("grant", hint)?)
        }
    }
}

fn read_parameters(item: &Item<'_>) -> Option<Map<String, Value>> {
    let mut grant = Map::new();
    let mut complete = true;
    for (key, item) in item.open()?.entries() {
        match read_value(&item) {
            Some(value) => {
                grant.insert(key.to_owned(), value);
            }
            None => complete = false,
        }
    }
    if Value::Object(grant.clone()).to_string().len() > PARAMETERS_MAX_BYTES {
        item.problem(
            format!("takes more than {PARAMETERS_MAX_BYTES} bytes"),
            "Name what is to be given, and keep the rest where it is given.",
        );
        return None;
    }
    complete.then_some(grant)
}

fn read_value(item: &Item<'_>) -> Option<Value> {
    if item.is_array() {
        let values: Vec<Option<Value>> = item.array()?.iter().map(read_single).collect();
        return values
            .into_iter()
            .collect::<Option<Vec<_>>>()
            .map(Value::from);
    }
    read_single(item)
}

fn read_single(item: &Item<'_>) -> Option<Value> {
    let value = item.plain_value();
    if value.is_none() {
        item.problem(
            "is neither text, whole number, true nor false",
            "Write such a value, or a list of them: each is told to the target and shown on the card.",
        );
    }
    value
}
