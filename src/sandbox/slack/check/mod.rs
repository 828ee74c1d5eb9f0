//! What Slack refuses in blocks and views, in the words of its own schema errors.
//!
//! Sources: the Block Kit reference pages and the limits in the published types (npm `@slack/types`).
//! Length is counted in Unicode code points; Slack does not say how it counts.

mod blocks;
mod elements;
mod objects;
mod views;

use std::collections::BTreeSet;

use serde_json::{Map, Value};

pub(super) use blocks::text_chars;
pub(super) use views::{VIEW_BYTES_MAX, VIEW_STACK_MAX};

/// Where blocks stand; it decides which kinds are allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Surface {
    Message,
    Modal,
    Home,
}

/// Collects every violation in one pass.
struct Checker {
    surface: Surface,
    errors: Vec<String>,
    block_ids: BTreeSet<String>,
    focused: bool,
}

/// Violations in the blocks of a message, worded as Slack words them; empty: all is well.
pub(super) fn message_blocks(blocks: &[Value]) -> Vec<String> {
    let mut checker = Checker::new(Surface::Message);
    checker.block_list(blocks, "/blocks");
    checker.errors
}

/// Violations in a view (`modal` or `home`).
pub(super) fn view(view: &Value, wanted: Surface) -> Vec<String> {
    let mut checker = Checker::new(wanted);
    checker.view(view, "/view");
    checker.errors
}

impl Checker {
    fn new(surface: Surface) -> Checker {
        Checker {
            surface,
            errors: Vec::new(),
            block_ids: BTreeSet::new(),
            focused: false,
        }
    }

    fn refuse(&mut self, what: impl AsRef<str>, path: &str) {
        self.errors
            .push(format!("{} [json-pointer:{path}]", what.as_ref()));
    }

    /// An object with only these keys, and at least the required ones.
    fn object<'v>(
        &mut self,
        value: &'v Value,
        path: &str,
        required: &[&str],
        optional: &[&str],
    ) -> Option<&'v Map<String, Value>> {
        let Some(object) = value.as_object() else {
            self.refuse("must provide an object", path);
            return None;
        };
        for key in required {
            if object.get(*key).is_none_or(Value::is_null) {
                self.refuse(format!("missing required field: {key}"), path);
            }
        }
        for key in object.keys() {
            if key != "type"
                && !required.contains(&key.as_str())
                && !optional.contains(&key.as_str())
            {
                self.refuse(format!("invalid additional property: {key}"), path);
            }
        }
        Some(object)
    }

    fn string<'v>(
        &mut self,
        value: Option<&'v Value>,
        path: &str,
        min: usize,
        max: usize,
    ) -> Option<&'v str> {
        let value = value?;
        let Some(text) = value.as_str() else {
            self.refuse("must provide a string", path);
            return None;
        };
        self.length(text, path, min, max);
        Some(text)
    }

    fn length(&mut self, text: &str, path: &str, min: usize, max: usize) {
        let chars = text.chars().count();
        if chars > max {
            self.refuse(format!("must be less than {} characters", max + 1), path);
        }
        if chars < min {
            self.refuse(format!("must be more than {} characters", min - 1), path);
        }
    }

    fn boolean(&mut self, value: Option<&Value>, path: &str) {
        if value.is_some_and(|value| !value.is_boolean()) {
            self.refuse("must be a valid boolean", path);
        }
    }

    fn one_of(&mut self, value: Option<&Value>, path: &str, allowed: &[&str]) {
        if let Some(value) = value
            && !value.as_str().is_some_and(|text| allowed.contains(&text))
        {
            self.refuse(
                format!("value must be one of: {}", allowed.join(", ")),
                path,
            );
        }
    }

    fn list<'v>(
        &mut self,
        value: Option<&'v Value>,
        path: &str,
        min: usize,
        max: usize,
    ) -> &'v [Value] {
        let Some(value) = value else { return &[] };
        let Some(list) = value.as_array() else {
            self.refuse("must provide an array", path);
            return &[];
        };
        if list.len() > max {
            self.refuse(format!("no more than {max} items allowed"), path);
        }
        if list.len() < min {
            self.refuse(format!("no less than {min} items allowed"), path);
        }
        list
    }
}

fn kind(value: &Value) -> &str {
    value
        .get("type")
        .and_then(Value::as_str)
        .unwrap_or_default()
}

/// Fills in what Slack fills in when it keeps blocks: block ids, action ids and the flags of text objects.
pub(super) fn kept(blocks: &[Value]) -> Vec<Value> {
    let mut blocks = blocks.to_vec();
    for block in &mut blocks {
        if let Some(object) = block.as_object_mut() {
            let missing = object
                .get("block_id")
                .and_then(Value::as_str)
                .is_none_or(str::is_empty);
            if missing {
                let id = super::world::random_hex();
                object.insert("block_id".to_owned(), Value::String(id[..5].to_owned()));
            }
            for (key, part) in object.iter_mut() {
                match (key.as_str(), part) {
                    ("block_id", _) => {}
                    ("accessory" | "element", part) => {
                        name_action(part);
                        flag_texts(part);
                    }
                    ("elements", part) => {
                        part.as_array_mut()
                            .into_iter()
                            .flatten()
                            .for_each(name_action);
                        flag_texts(part);
                    }
                    (_, part) => flag_texts(part),
                }
            }
        }
    }
    blocks
}

/// Slack names an action that the app did not name.
fn name_action(element: &mut Value) {
    let passive = matches!(kind(element), "image" | "plain_text" | "mrkdwn")
        || kind(element).starts_with("rich_text");
    if let (false, Some(object)) = (passive, element.as_object_mut()) {
        let made = || Value::String(super::world::random_hex()[..5].to_owned());
        object.entry("action_id").or_insert_with(made);
    }
}

fn flag_texts(value: &mut Value) {
    match value {
        Value::Array(list) => list.iter_mut().for_each(flag_texts),
        Value::Object(object) => {
            if object.get("text").is_some_and(Value::is_string) {
                match object.get("type").and_then(Value::as_str) {
                    Some("plain_text") => {
                        object.entry("emoji").or_insert(Value::Bool(true));
                    }
                    Some("mrkdwn") => {
                        object.entry("verbatim").or_insert(Value::Bool(false));
                    }
                    _ => {}
                }
            }
            object.values_mut().for_each(flag_texts);
        }
        _ => {}
    }
}
