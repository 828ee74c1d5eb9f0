//! Modals and Home tabs.

use serde_json::Value;

use super::objects::TextKind;
use super::{Checker, Surface, kind};

/// Size of a view as JSON (`view_too_large`; the methods' pages say 250 KB).
pub(in super::super) const VIEW_BYTES_MAX: usize = 250_000;
/// Modals on one another (`push_limit_reached`).
pub(in super::super) const VIEW_STACK_MAX: usize = 3;
const TITLE_CHARS_MAX: usize = 24;
const PRIVATE_METADATA_CHARS_MAX: usize = 3000;
const CALLBACK_ID_CHARS_MAX: usize = 255;
const EXTERNAL_ID_CHARS_MAX: usize = 255;

impl Checker {
    pub(super) fn view(&mut self, view: &Value, path: &str) {
        let shared = ["private_metadata", "callback_id", "external_id"];
        let modal = ["close", "submit", "clear_on_close", "notify_on_close"];
        match (kind(view), self.surface) {
            ("modal", Surface::Modal) => {
                let optional: Vec<&str> = shared.into_iter().chain(modal).collect();
                self.object(view, path, &["title", "blocks"], &optional);
            }
            ("home", Surface::Home) => {
                self.object(view, path, &["blocks"], &shared);
            }
            _ if !view.is_object() => {
                self.refuse("must provide an object", path);
                return;
            }
            ("", _) => self.refuse("missing required field: type", path),
            (other, _) => self.refuse(
                format!("unsupported type: {other}"),
                &format!("{path}/type"),
            ),
        }
        for key in ["title", "submit", "close"] {
            self.text(
                view.get(key),
                &format!("{path}/{key}"),
                TextKind::Plain,
                TITLE_CHARS_MAX,
            );
        }
        for (key, max) in [
            ("private_metadata", PRIVATE_METADATA_CHARS_MAX),
            ("callback_id", CALLBACK_ID_CHARS_MAX),
            ("external_id", EXTERNAL_ID_CHARS_MAX),
        ] {
            self.string(view.get(key), &format!("{path}/{key}"), 0, max);
        }
        self.boolean(
            view.get("clear_on_close"),
            &format!("{path}/clear_on_close"),
        );
        self.boolean(
            view.get("notify_on_close"),
            &format!("{path}/notify_on_close"),
        );
        let blocks_path = format!("{path}/blocks");
        let blocks = self.list(view.get("blocks"), &blocks_path, 0, usize::MAX);
        self.block_list(blocks, &blocks_path);
        if self.surface == Surface::Modal
            && view.get("submit").is_none()
            && blocks.iter().any(|block| kind(block) == "input")
        {
            self.refuse("missing required field: submit", path);
        }
    }
}
