//! `text`, `blocks`, `attachments` and `metadata`, wherever a message comes in.

use serde_json::Value;

use super::super::check;
use super::super::message::Content;
use super::{Args, Refusal};

/// Longer texts are cut when posted (changelog "Truncating really long messages").
const TEXT_CHARS_MAX: usize = 40_000;
/// Longer texts are refused by `chat.update` (its page: `msg_too_long`).
const UPDATE_TEXT_CHARS_MAX: usize = 4_000;
/// `msg_blocks_too_long` has no documented size. A public report (slackapi/bolt-js issue 2867) saw 9,597
/// characters taken and 11,341 refused, through `chat.postMessage` only.
const BLOCKS_TEXT_CHARS_MAX: usize = 11_000;
const ATTACHMENTS_MAX: usize = 100;

/// What differs between the ways in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) enum ContentRules {
    /// A new message by a method.
    Post,
    /// `chat.update`: what is missing stays.
    Update,
    /// An acknowledgement's payload or a response address.
    Response,
}

/// What a call brings; `None` fields were not given.
#[derive(Debug, Default)]
pub(in super::super) struct Given {
    pub(in super::super) text: Option<String>,
    pub(in super::super) truncated: bool,
    pub(in super::super) blocks: Option<Vec<Value>>,
    pub(in super::super) attachments: Option<Vec<Value>>,
    pub(in super::super) metadata: Option<Value>,
}

impl Given {
    pub(in super::super) fn into_content(self) -> Content {
        Content {
            text: self.text.unwrap_or_default(),
            blocks: self.blocks.unwrap_or_default(),
            attachments: self.attachments.unwrap_or_default(),
            metadata: self.metadata.filter(|metadata| {
                metadata
                    .as_object()
                    .is_some_and(|object| !object.is_empty())
            }),
        }
    }
}

/// Reads and judges the content of a message.
pub(in super::super) fn read_content(args: &Args, rules: ContentRules) -> Result<Given, Refusal> {
    let mut text = args.text("text");
    let mut blocks = list(args, "blocks", "invalid_blocks_format")?;
    let attachments = list(args, "attachments", "invalid_attachments")?;
    if let Some(markdown) = args.text("markdown_text").filter(|text| !text.is_empty()) {
        if text.is_some() || blocks.is_some() {
            return Err(Refusal::new("markdown_text_conflict"));
        }
        blocks = Some(vec![
            serde_json::json!({ "type": "markdown", "text": markdown }),
        ]);
    }
    if attachments
        .as_ref()
        .is_some_and(|list| list.len() > ATTACHMENTS_MAX)
    {
        return Err(Refusal::new("too_many_attachments"));
    }
    let empty_text = text.as_deref().is_none_or(|text| text.trim().is_empty());
    let empty_blocks = blocks.as_ref().is_none_or(Vec::is_empty);
    if empty_text && empty_blocks && attachments.as_ref().is_none_or(Vec::is_empty) {
        return Err(Refusal::new("no_text"));
    }
    let mut truncated = false;
    if let Some(text) = &mut text {
        let chars = text.chars().count();
        if rules == ContentRules::Update && chars > UPDATE_TEXT_CHARS_MAX {
            return Err(Refusal::new("msg_too_long"));
        }
        if chars > TEXT_CHARS_MAX {
            *text = text.chars().take(TEXT_CHARS_MAX).collect();
            truncated = true;
        }
    }
    let nested = attachments
        .iter()
        .flatten()
        .filter_map(|one| one.get("blocks").and_then(Value::as_array));
    for list in blocks.iter().chain(nested) {
        let problems = check::message_blocks(list);
        if !problems.is_empty() {
            return Err(Refusal::schema("invalid_blocks", &problems));
        }
    }
    if let (Some(list), true) = (&blocks, rules != ContentRules::Response)
        && check::text_chars(list) > BLOCKS_TEXT_CHARS_MAX
    {
        return Err(Refusal::new("msg_blocks_too_long"));
    }
    let metadata = args
        .json("metadata")
        .map_err(|_| Refusal::new("invalid_metadata_format"))?;
    if let Some(metadata) = &metadata {
        check_metadata(metadata, rules)?;
    }
    let blocks = blocks.map(|list| check::kept(&list));
    Ok(Given {
        text,
        truncated,
        blocks,
        attachments,
        metadata,
    })
}

fn list(args: &Args, key: &str, error: &str) -> Result<Option<Vec<Value>>, Refusal> {
    match args.json(key) {
        Ok(None) => Ok(None),
        Ok(Some(Value::Array(list))) => Ok(Some(list)),
        Ok(Some(_)) | Err(_) => Err(Refusal::new(error)),
    }
}

/// `event_type` and `event_payload`, an object of plain values or lists of them.
fn check_metadata(metadata: &Value, rules: ContentRules) -> Result<(), Refusal> {
    let Some(object) = metadata.as_object() else {
        return Err(Refusal::new("invalid_metadata_format"));
    };
    if object.is_empty() && rules == ContentRules::Update {
        return Ok(());
    }
    let typed = object
        .get("event_type")
        .and_then(Value::as_str)
        .is_some_and(|kind| !kind.is_empty());
    let plain = |value: &Value| value.is_string() || value.is_number() || value.is_boolean();
    let flat =
        |value: &Value| plain(value) || value.as_array().is_some_and(|list| list.iter().all(plain));
    let payload = object.get("event_payload").and_then(Value::as_object);
    let known = object
        .keys()
        .all(|key| matches!(key.as_str(), "event_type" | "event_payload" | "entities"));
    if typed && known && payload.is_some_and(|payload| payload.values().all(flat)) {
        Ok(())
    } else {
        Err(Refusal::new("invalid_metadata_schema"))
    }
}
