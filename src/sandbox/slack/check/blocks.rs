//! Block kinds and their limits.

use std::collections::BTreeSet;

use serde_json::Value;

use super::objects::TextKind;
use super::{Checker, Surface, kind};

const MESSAGE_BLOCKS_MAX: usize = 50;
const VIEW_BLOCKS_MAX: usize = 100;
const BLOCK_ID_CHARS_MAX: usize = 255;
const SECTION_TEXT_CHARS_MAX: usize = 3000;
const FIELDS_MAX: usize = 10;
const FIELD_CHARS_MAX: usize = 2000;
const HEADER_CHARS_MAX: usize = 150;
const CONTEXT_ELEMENTS_MAX: usize = 10;
const ACTIONS_ELEMENTS_MAX: usize = 25;
const LABEL_CHARS_MAX: usize = 2000;
const IMAGE_URL_CHARS_MAX: usize = 3000;
const ALT_TEXT_CHARS_MAX: usize = 2000;
const MARKDOWN_CHARS_MAX: usize = 12_000;

impl Checker {
    pub(super) fn block_list(&mut self, blocks: &[Value], path: &str) {
        let max = if self.surface == Surface::Message {
            MESSAGE_BLOCKS_MAX
        } else {
            VIEW_BLOCKS_MAX
        };
        if blocks.len() > max {
            self.refuse(format!("no more than {max} items allowed"), path);
        }
        let mut markdown_chars = 0;
        for (index, block) in blocks.iter().enumerate() {
            self.block(block, &format!("{path}/{index}"));
            if kind(block) == "markdown" {
                markdown_chars += block
                    .get("text")
                    .and_then(Value::as_str)
                    .map_or(0, |text| text.chars().count());
            }
        }
        if markdown_chars > MARKDOWN_CHARS_MAX {
            self.refuse(
                format!(
                    "markdown blocks must be less than {} characters together",
                    MARKDOWN_CHARS_MAX + 1
                ),
                path,
            );
        }
    }

    fn block(&mut self, block: &Value, path: &str) {
        if !block.is_object() {
            self.refuse("must provide an object", path);
            return;
        }
        self.block_id(block, path);
        match (kind(block), self.surface) {
            ("section", _) => self.section(block, path),
            ("divider", _) => {
                self.object(block, path, &[], &["block_id"]);
            }
            ("header", _) => {
                self.object(block, path, &["text"], &["block_id"]);
                self.text(
                    block.get("text"),
                    &format!("{path}/text"),
                    TextKind::Plain,
                    HEADER_CHARS_MAX,
                );
            }
            ("context", _) => self.context(block, path),
            ("actions", _) => self.actions(block, path),
            ("input", _) => self.input(block, path),
            ("image", _) => self.image(block, path),
            ("rich_text", _) => {
                self.object(block, path, &["elements"], &["block_id"]);
                self.list(
                    block.get("elements"),
                    &format!("{path}/elements"),
                    0,
                    usize::MAX,
                );
            }
            ("markdown", Surface::Message) => {
                self.object(block, path, &["text"], &["block_id"]);
                self.string(
                    block.get("text"),
                    &format!("{path}/text"),
                    1,
                    MARKDOWN_CHARS_MAX,
                );
            }
            ("", _) => self.refuse("missing required field: type", path),
            // Kinds that Slack knows and the sandbox cannot judge are refused as well, rather than waved through.
            (other, _) => self.refuse(
                format!("unsupported type: {other}"),
                &format!("{path}/type"),
            ),
        }
    }

    fn block_id(&mut self, block: &Value, path: &str) {
        let path = format!("{path}/block_id");
        let Some(id) = self.string(block.get("block_id"), &path, 0, BLOCK_ID_CHARS_MAX) else {
            return;
        };
        if !id.is_empty() && !self.block_ids.insert(id.to_owned()) {
            self.refuse(format!("`block_id`: \"{id}\" already exists"), &path);
        }
    }

    fn section(&mut self, block: &Value, path: &str) {
        self.object(
            block,
            path,
            &[],
            &["block_id", "text", "fields", "accessory", "expand"],
        );
        if block.get("text").is_none() && block.get("fields").is_none() {
            self.refuse("missing required field: text or fields", path);
        }
        self.text(
            block.get("text"),
            &format!("{path}/text"),
            TextKind::Any,
            SECTION_TEXT_CHARS_MAX,
        );
        let fields = self.list(
            block.get("fields"),
            &format!("{path}/fields"),
            1,
            FIELDS_MAX,
        );
        for (index, field) in fields.iter().enumerate() {
            self.text(
                Some(field),
                &format!("{path}/fields/{index}"),
                TextKind::Any,
                FIELD_CHARS_MAX,
            );
        }
        if let Some(accessory) = block.get("accessory") {
            let path = format!("{path}/accessory");
            if matches!(
                kind(accessory),
                "plain_text_input" | "number_input" | "email_text_input" | "url_text_input"
            ) {
                self.refuse(
                    format!("unsupported type: {}", kind(accessory)),
                    &format!("{path}/type"),
                );
            } else {
                self.element(accessory, &path);
            }
        }
        self.boolean(block.get("expand"), &format!("{path}/expand"));
    }

    fn context(&mut self, block: &Value, path: &str) {
        self.object(block, path, &["elements"], &["block_id"]);
        let elements = self.list(
            block.get("elements"),
            &format!("{path}/elements"),
            1,
            CONTEXT_ELEMENTS_MAX,
        );
        for (index, element) in elements.iter().enumerate() {
            let path = format!("{path}/elements/{index}");
            if kind(element) == "image" {
                self.element(element, &path);
            } else {
                self.text(Some(element), &path, TextKind::Any, SECTION_TEXT_CHARS_MAX);
            }
        }
    }

    fn actions(&mut self, block: &Value, path: &str) {
        self.object(block, path, &["elements"], &["block_id"]);
        let elements = self.list(
            block.get("elements"),
            &format!("{path}/elements"),
            1,
            ACTIONS_ELEMENTS_MAX,
        );
        let mut ids = BTreeSet::new();
        for (index, element) in elements.iter().enumerate() {
            let path = format!("{path}/elements/{index}");
            match kind(element) {
                other @ ("image" | "plain_text_input" | "number_input" | "email_text_input"
                | "url_text_input") => {
                    self.refuse(
                        format!("unsupported type: {other}"),
                        &format!("{path}/type"),
                    );
                }
                _ => self.element(element, &path),
            }
            if let Some(id) = element.get("action_id").and_then(Value::as_str)
                && !ids.insert(id)
            {
                self.refuse(
                    format!("`action_id`: \"{id}\" already exists"),
                    &format!("{path}/action_id"),
                );
            }
        }
    }

    fn input(&mut self, block: &Value, path: &str) {
        self.object(
            block,
            path,
            &["label", "element"],
            &["block_id", "hint", "optional", "dispatch_action"],
        );
        self.text(
            block.get("label"),
            &format!("{path}/label"),
            TextKind::Plain,
            LABEL_CHARS_MAX,
        );
        self.text(
            block.get("hint"),
            &format!("{path}/hint"),
            TextKind::Plain,
            LABEL_CHARS_MAX,
        );
        self.boolean(block.get("optional"), &format!("{path}/optional"));
        self.boolean(
            block.get("dispatch_action"),
            &format!("{path}/dispatch_action"),
        );
        if let Some(element) = block.get("element") {
            let path = format!("{path}/element");
            if matches!(kind(element), "button" | "overflow" | "image") {
                self.refuse(
                    format!("unsupported type: {}", kind(element)),
                    &format!("{path}/type"),
                );
            } else {
                self.element(element, &path);
            }
        }
    }

    fn image(&mut self, block: &Value, path: &str) {
        self.object(
            block,
            path,
            &["alt_text"],
            &["block_id", "image_url", "slack_file", "title"],
        );
        if block.get("image_url").is_none() && block.get("slack_file").is_none() {
            self.refuse("missing required field: image_url", path);
        }
        self.string(
            block.get("image_url"),
            &format!("{path}/image_url"),
            1,
            IMAGE_URL_CHARS_MAX,
        );
        self.string(
            block.get("alt_text"),
            &format!("{path}/alt_text"),
            1,
            ALT_TEXT_CHARS_MAX,
        );
        self.text(
            block.get("title"),
            &format!("{path}/title"),
            TextKind::Plain,
            ALT_TEXT_CHARS_MAX,
        );
    }
}

/// Characters of all texts in the blocks, without markdown blocks (they have a limit of their own).
pub(in super::super) fn text_chars(blocks: &[Value]) -> usize {
    fn of(value: &Value) -> usize {
        match value {
            Value::Array(list) => list.iter().map(of).sum(),
            Value::Object(object) => object
                .iter()
                .map(|(key, part)| match part {
                    Value::String(text) if key == "text" => text.chars().count(),
                    Value::String(_) => 0,
                    part => of(part),
                })
                .sum(),
            _ => 0,
        }
    }
    blocks
        .iter()
        .filter(|block| kind(block) != "markdown")
        .map(of)
        .sum()
}
