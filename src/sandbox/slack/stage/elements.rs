//! What interactive elements hold and what a press on one sends.

use serde_json::{Map, Value, json};

use super::super::reading;
use super::super::workspace::text_of;
use super::{StageError, cannot};

/// How the state of an element is written: its key, and whether it holds several.
fn state_key(kind: &str) -> Option<(&'static str, bool)> {
    Some(match kind {
        "plain_text_input" | "number_input" | "email_text_input" | "url_text_input" => {
            ("value", false)
        }
        "static_select" | "external_select" | "radio_buttons" => ("selected_option", false),
        "multi_static_select" | "multi_external_select" | "checkboxes" => {
            ("selected_options", true)
        }
        "users_select" => ("selected_user", false),
        "multi_users_select" => ("selected_users", true),
        "channels_select" => ("selected_channel", false),
        "multi_channels_select" => ("selected_channels", true),
        "conversations_select" => ("selected_conversation", false),
        "multi_conversations_select" => ("selected_conversations", true),
        "datepicker" => ("selected_date", false),
        "timepicker" => ("selected_time", false),
        "datetimepicker" => ("selected_date_time", false),
        _ => return None,
    })
}

/// What an element holds before anybody touched it.
fn initial(element: &Value, key: &str, many: bool) -> Value {
    let name = key
        .replacen("selected", "initial", 1)
        .replace("value", "initial_value");
    element
        .get(&name)
        .cloned()
        .unwrap_or(if many { json!([]) } else { Value::Null })
}

/// `state.values` of these blocks, with what the person chose so far.
pub(super) fn values(blocks: &[Value], chosen: &Value) -> Value {
    let mut values: Map<String, Value> = Map::new();
    for (block_id, element) in reading::elements(blocks) {
        let Some((key, many)) = state_key(text_of(element, "/type")) else {
            continue;
        };
        let action_id = text_of(element, "/action_id");
        let held = chosen
            .get(block_id)
            .and_then(|block| block.get(action_id))
            .cloned();
        let mut held = held.unwrap_or_else(
            || json!({ "type": element["type"], key: initial(element, key, many) }),
        );
        // A state names a choice by text and value alone, as the published `ViewStateSelectedOption`
        // has it.
        for option in chosen_options(&mut held) {
            option.retain(|key, _| key == "text" || key == "value");
        }
        let block = values
            .entry(block_id.to_owned())
            .or_insert_with(|| json!({}));
        block[action_id] = held;
    }
    Value::Object(values)
}

fn chosen_options(held: &mut Value) -> Vec<&mut Map<String, Value>> {
    let Some(held) = held.as_object_mut() else {
        return Vec::new();
    };
    held.iter_mut()
        .filter(|(key, _)| key.starts_with("selected_option"))
        .flat_map(|(_, chosen)| match chosen {
            Value::Array(list) => list.iter_mut().collect(),
            one => vec![one],
        })
        .filter_map(Value::as_object_mut)
        .collect()
}

/// All options of a menu.
fn options(element: &Value) -> Vec<&Value> {
    let grouped = element
        .get("option_groups")
        .and_then(Value::as_array)
        .into_iter()
        .flatten();
    let lists = element
        .get("options")
        .into_iter()
        .chain(grouped.filter_map(|group| group.get("options")));
    lists.filter_map(Value::as_array).flatten().collect()
}

fn option<'v>(element: &'v Value, value: &str) -> Result<&'v Value, StageError> {
    match options(element)
        .into_iter()
        .find(|option| text_of(option, "/value") == value)
    {
        Some(option) => Ok(option),
        None => cannot(format!(
            "{} has no option {value:?}",
            text_of(element, "/action_id")
        )),
    }
}

/// What an element holds after a person entered `entered` (a string, or a list of strings).
pub(super) fn entered(element: &Value, entered: &Value) -> Result<Value, StageError> {
    let kind = text_of(element, "/type");
    let Some((key, many)) = state_key(kind) else {
        return cannot(format!("nothing can be entered in a {kind}"));
    };
    let one = |value: &Value| -> Result<Value, StageError> {
        let has_options = matches!(key, "selected_option" | "selected_options")
            && element.get("min_query_length").is_none();
        match value.as_str() {
            Some(text) if has_options && !kind.contains("external") => {
                option(element, text).cloned()
            }
            _ => Ok(value.clone()),
        }
    };
    let held = if many {
        let list = entered
            .as_array()
            .cloned()
            .unwrap_or_else(|| vec![entered.clone()]);
        Value::Array(list.iter().map(one).collect::<Result<_, _>>()?)
    } else {
        one(entered)?
    };
    Ok(json!({ "type": kind, key: held }))
}

/// Why a person's client would not send this element's value; `None`: it would.
pub(super) fn incomplete(block: &Value, held: &Value) -> Option<String> {
    let element = block.get("element")?;
    let (key, many) = state_key(text_of(element, "/type"))?;
    let value = held.get(key).unwrap_or(&Value::Null);
    let empty = match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Array(list) => many && list.is_empty(),
        _ => false,
    };
    if empty {
        let optional = block
            .get("optional")
            .and_then(Value::as_bool)
            .unwrap_or(false);
        return (!optional).then(|| "Please complete this required field.".to_owned());
    }
    let chars = u64::try_from(value.as_str()?.chars().count()).unwrap_or(u64::MAX);
    let bound = |key: &str| element.get(key).and_then(Value::as_u64);
    // An input without its own bound takes 3000 characters.
    let max = bound("max_length").unwrap_or(3000);
    if key == "value" && chars > max {
        return Some(format!("Please shorten this to {max} characters."));
    }
    if key == "value" && bound("min_length").is_some_and(|min| chars < min) {
        return Some("Please write more.".to_owned());
    }
    None
}

/// The `actions` entry of a press or choice.
pub(super) fn action(
    block_id: &str,
    element: &Value,
    chosen: Option<&str>,
    action_ts: &str,
) -> Result<Value, StageError> {
    let kind = text_of(element, "/type");
    let mut action = Map::new();
    action.insert("type".to_owned(), json!(kind));
    action.insert("block_id".to_owned(), json!(block_id));
    action.insert("action_ts".to_owned(), json!(action_ts));
    let copied = [
        "action_id",
        "text",
        "value",
        "style",
        "url",
        "confirm",
        "placeholder",
    ];
    let copied = copied
        .iter()
        .filter_map(|key| Some(((*key).to_owned(), element.get(*key)?.clone())));
    action.extend(copied);
    match (kind, chosen) {
        ("button", None) => {}
        ("button", Some(_)) => return cannot("a button offers no choice"),
        ("overflow", Some(value)) => {
            action.insert(
                "selected_option".to_owned(),
                option(element, value)?.clone(),
            );
        }
        (_, Some(value)) => {
            let held = entered(element, &json!(value))?;
            action.extend(held.as_object().cloned().unwrap_or_default());
        }
        (_, None) => return cannot(format!("a {kind} wants a choice")),
    }
    Ok(Value::Object(action))
}
