//! Composition objects: texts, options, confirmations.

use serde_json::Value;

use super::{Checker, kind};

const TEXT_CHARS_MAX: usize = 3000;
const OPTION_TEXT_CHARS_MAX: usize = 75;
// Slack's published types say 75, its Python SDK says 150; what holds on both is 75.
const OPTION_VALUE_CHARS_MAX: usize = 75;
const OPTION_URL_CHARS_MAX: usize = 3000;
const CONFIRM_TITLE_CHARS_MAX: usize = 100;
const CONFIRM_TEXT_CHARS_MAX: usize = 300;
const CONFIRM_BUTTON_CHARS_MAX: usize = 30;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TextKind {
    Plain,
    Any,
}

impl Checker {
    pub(super) fn text(
        &mut self,
        value: Option<&Value>,
        path: &str,
        allowed: TextKind,
        max: usize,
    ) {
        let Some(value) = value else { return };
        let before = self.errors.len();
        match (kind(value), allowed) {
            ("plain_text", _) => {
                self.object(value, path, &["text"], &["emoji"]);
                self.boolean(value.get("emoji"), &format!("{path}/emoji"));
            }
            ("mrkdwn", TextKind::Any) => {
                self.object(value, path, &["text"], &["verbatim"]);
                self.boolean(value.get("verbatim"), &format!("{path}/verbatim"));
            }
            (_, _) if !value.is_object() => self.refuse("must provide an object", path),
            ("", _) => self.refuse("missing required field: type", path),
            (other, _) => self.refuse(
                format!("unsupported type: {other}"),
                &format!("{path}/type"),
            ),
        }
        self.string(
            value.get("text"),
            &format!("{path}/text"),
            1,
            max.min(TEXT_CHARS_MAX),
        );
        if self.errors.len() > before {
            // Slack names the enclosing schema first.
            self.errors.insert(
                before,
                format!("failed to match all allowed schemas [json-pointer:{path}]"),
            );
        }
    }

    pub(super) fn option(&mut self, option: &Value, path: &str, text: TextKind) {
        self.object(option, path, &["text", "value"], &["description", "url"]);
        self.text(
            option.get("text"),
            &format!("{path}/text"),
            text,
            OPTION_TEXT_CHARS_MAX,
        );
        self.string(
            option.get("value"),
            &format!("{path}/value"),
            1,
            OPTION_VALUE_CHARS_MAX,
        );
        self.text(
            option.get("description"),
            &format!("{path}/description"),
            text,
            OPTION_TEXT_CHARS_MAX,
        );
        self.string(
            option.get("url"),
            &format!("{path}/url"),
            0,
            OPTION_URL_CHARS_MAX,
        );
    }

    pub(super) fn confirm(&mut self, confirm: &Value, path: &str) {
        self.object(
            confirm,
            path,
            &["text"],
            &["title", "confirm", "deny", "style"],
        );
        self.text(
            confirm.get("title"),
            &format!("{path}/title"),
            TextKind::Plain,
            CONFIRM_TITLE_CHARS_MAX,
        );
        self.text(
            confirm.get("text"),
            &format!("{path}/text"),
            TextKind::Any,
            CONFIRM_TEXT_CHARS_MAX,
        );
        self.text(
            confirm.get("confirm"),
            &format!("{path}/confirm"),
            TextKind::Plain,
            CONFIRM_BUTTON_CHARS_MAX,
        );
        self.text(
            confirm.get("deny"),
            &format!("{path}/deny"),
            TextKind::Plain,
            CONFIRM_BUTTON_CHARS_MAX,
        );
        self.one_of(
            confirm.get("style"),
            &format!("{path}/style"),
            &["primary", "danger"],
        );
    }
}
