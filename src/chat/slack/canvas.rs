//! From lines to blocks: where text becomes Slack's, and where every limit is held.
//!
//! Whatever was typed goes into literal text only: `plain_text` objects and the `text` elements of
//! rich text, which Slack shows as they are, without mentions, links or formatting. Context lines are
//! `mrkdwn` (Slack allows nothing richer there) and go through [`mrkdwn`].

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::button;
use crate::chat::button::Button;
use crate::chat::text::{Message, NAME_MAX, Part, Segment, Text, cut, shown, utc};
use crate::domain::ids::AccountId;
use crate::domain::timing::Timestamp;

/// Characters of a header (reference/block-kit/blocks/header-block).
const HEADER_MAX: usize = 150;
/// Blocks of a message (reference/block-kit/blocks).
const BLOCKS_MAX: usize = 50;
/// Characters of one text object (reference/block-kit/blocks/section-block), held in rich text as
/// well, for which Slack names no limit.
const TEXT_MAX: usize = 3_000;
/// Characters of one line: a fact, a list item.
const LINE_MAX: usize = 900;
/// Characters of somebody's own words.
const QUOTE_MAX: usize = 1_200;
/// Items of one list.
const ITEMS_MAX: usize = 40;
/// Characters of a text that must not be cut, as a certificate.
const VERBATIM_MAX: usize = 8_000;
/// Characters of a whole message in blocks. Slack names no limit but refuses what is too long as
/// `msg_blocks_too_long`; people have met that refusal at 11,341 characters.
const MESSAGE_MAX: usize = 11_000;
/// Characters of the fallback text: Slack advises 4,000 at most, counted after escaping.
const FALLBACK_MAX: usize = 3_800;

/// Names of accounts, for people who must not be notified.
pub type Names = BTreeMap<AccountId, String>;

/// Who will see what is drawn.
#[derive(Debug, Clone, Copy)]
pub enum Readers<'a> {
    /// Only the person who acts. A mention of anybody else notifies nobody, so it is used: the client
    /// shows the name.
    One,
    /// Possibly others. People who must not be notified are shown by these names.
    Many(&'a Names),
}

fn verbatim(text: &str) -> &str {
    if text.encode_utf16().count() <= VERBATIM_MAX {
        text
    } else {
        "(This is too long for a message here. Ask whoever keeps jitbot's config for it.)"
    }
}

/// Blocks in the making. Neighbouring lines share one rich text block.
pub(super) struct Canvas<'a> {
    readers: Readers<'a>,
    blocks: Vec<Value>,
    rich: Vec<Value>,
    lines: Vec<Value>,
    left: usize,
}

impl<'a> Canvas<'a> {
    pub(super) fn new(readers: Readers<'a>) -> Self {
        Self {
            readers,
            blocks: Vec::new(),
            rich: Vec::new(),
            lines: Vec::new(),
            left: MESSAGE_MAX,
        }
    }

    /// At most `max` characters of a text, and no more than the message has room for.
    fn take(&mut self, text: &str, max: usize) -> String {
        let taken = cut(text, max.min(self.left));
        self.left -= taken.encode_utf16().count();
        taken
    }

    /// Keeps room for a text that can't be cut, so that what stands before it leaves enough.
    pub(super) fn reserve(&mut self, text: &str) {
        let needed = verbatim(text).encode_utf16().count();
        self.left -= needed.min(self.left);
    }

    /// What was drawn.
    pub(super) fn into_blocks(mut self) -> Vec<Value> {
        self.flush();
        self.blocks
    }

    pub(super) fn push(&mut self, block: Value) {
        if self.blocks.len() < BLOCKS_MAX {
            self.blocks.push(block);
        }
    }

    pub(super) fn header(&mut self, title: &str) {
        let title = shown(title).replace('\n', " ");
        let text = self.take(&title, HEADER_MAX);
        if !text.is_empty() {
            self.push(json!({
                "type": "header",
                "text": {"type": "plain_text", "text": text, "emoji": false},
            }));
        }
    }

    pub(super) fn line(&mut self, text: &Text) {
        let elements = self.elements(text, TEXT_MAX);
        self.add_line(elements);
    }

    /// A rule across the message, and what comes below it.
    pub(super) fn section(&mut self, words: &str) {
        self.flush();
        self.push(json!({"type": "divider"}));
        self.line(&Text::default().strong(words));
    }

    pub(super) fn fact(&mut self, label: &str, text: &Text) {
        let label = self.elements(&Text::default().strong(label).plain("  "), LINE_MAX);
        let value = self.elements(text, LINE_MAX);
        self.add_line(label.into_iter().chain(value).collect());
    }

    /// Lines of one section are parted by line feeds: how Slack parts neighbouring sections is left
    /// to its clients.
    fn add_line(&mut self, elements: Vec<Value>) {
        if elements.is_empty() {
            return;
        }
        if !self.lines.is_empty() {
            self.lines.push(json!({"type": "text", "text": "\n"}));
        }
        self.lines.extend(elements);
    }

    pub(super) fn list(&mut self, lines: &[Text]) {
        self.end_lines();
        let mut items = Vec::new();
        for line in lines.iter().take(ITEMS_MAX) {
            let elements = self.elements(line, LINE_MAX);
            if !elements.is_empty() {
                items.push(json!({"type": "rich_text_section", "elements": elements}));
            }
        }
        if !items.is_empty() {
            self.rich
                .push(json!({"type": "rich_text_list", "style": "bullet", "elements": items}));
        }
    }

    pub(super) fn quote(&mut self, words: &str) {
        self.end_lines();
        let text = self.take(&shown(words), QUOTE_MAX);
        if !text.trim().is_empty() {
            self.rich.push(json!({
                "type": "rich_text_quote",
                "elements": [{"type": "text", "text": text}],
            }));
        }
    }

    pub(super) fn verbatim(&mut self, text: &str) {
        self.end_lines();
        let text = verbatim(text);
        if !text.is_empty() {
            self.rich.push(json!({
                "type": "rich_text_preformatted",
                "elements": [{"type": "text", "text": text}],
            }));
        }
    }

    pub(super) fn aside(&mut self, text: &Text) {
        self.flush();
        let text = mrkdwn(text, self.readers, LINE_MAX.min(self.left));
        self.left -= text.encode_utf16().count().min(self.left);
        if !text.trim().is_empty() {
            self.push(json!({
                "type": "context",
                "elements": [{"type": "mrkdwn", "text": text, "verbatim": true}],
            }));
        }
    }

    pub(super) fn buttons(&mut self, buttons: &[Button]) {
        self.flush();
        if !buttons.is_empty() {
            let elements: Vec<Value> = buttons.iter().map(button::element).collect();
            self.push(json!({
                "type": "actions",
                "block_id": format!("jitbot_act_{}", self.blocks.len()),
                "elements": elements,
            }));
        }
    }

    fn end_lines(&mut self) {
        if !self.lines.is_empty() {
            let elements = std::mem::take(&mut self.lines);
            self.rich
                .push(json!({"type": "rich_text_section", "elements": elements}));
        }
    }

    pub(super) fn flush(&mut self) {
        self.end_lines();
        if !self.rich.is_empty() {
            let elements = std::mem::take(&mut self.rich);
            self.push(json!({"type": "rich_text", "elements": elements}));
        }
    }

    /// A line as rich text, at most `max` characters.
    fn elements(&mut self, text: &Text, max: usize) -> Vec<Value> {
        let mut out = Vec::new();
        let before = self.left;
        for segment in text.segments() {
            let max = max.saturating_sub(before - self.left);
            let mut literal = |canvas: &mut Self, words: &str, style: Option<&str>| {
                let words = canvas.take(words, max);
                if words.is_empty() {
                    return;
                }
                out.push(match style {
                    Some(style) => json!({"type": "text", "text": words, "style": {style: true}}),
                    None => json!({"type": "text", "text": words}),
                });
            };
            match segment {
                Segment::Plain(words) => literal(self, words, None),
                Segment::Strong(words) => literal(self, words, Some("bold")),
                Segment::Code(words) => literal(self, words, Some("code")),
                Segment::PersonQuiet(account) => match self.readers {
                    Readers::One => out.push(user(account)),
                    Readers::Many(names) => {
                        literal(self, &quiet_name(account, names), Some("bold"));
                    }
                },
                Segment::Person(account) => out.push(user(account)),
                Segment::Place(place) => {
                    out.push(json!({"type": "channel", "channel_id": place.member()}));
                }
                Segment::Moment(at) => out.push(json!({
                    "type": "date",
                    "timestamp": at.timestamp(),
                    "format": date_format(*at),
                    "fallback": utc(*at),
                })),
            }
        }
        out
    }
}

fn user(account: &AccountId) -> Value {
    json!({"type": "user", "user_id": account.member()})
}

fn quiet_name(account: &AccountId, names: &Names) -> String {
    match names.get(account) {
        Some(name) => cut(&shown(name), NAME_MAX).replace('\n', " "),
        None => account.member().to_owned(),
    }
}

/// Seconds are shown where they say something.
fn date_format(at: Timestamp) -> &'static str {
    if at.timestamp() % 60 == 0 {
        "{date_short_pretty} {time}"
    } else {
        "{date_short_pretty} {time_secs}"
    }
}

/// The title and the first lines, for notifications.
pub(super) fn fallback(message: &Message, readers: Readers<'_>) -> String {
    let mut text = message
        .title
        .as_deref()
        .map(|title| literal(&cut(&shown(title), HEADER_MAX)))
        .unwrap_or_default();
    for part in &message.parts {
        let line = match part {
            Part::Line(line) | Part::Aside(line) => mrkdwn(
                line,
                readers,
                FALLBACK_MAX.saturating_sub(text.encode_utf16().count() + 1),
            ),
            // A message that is a list alone still needs words for a notification.
            Part::List(lines) if text.is_empty() => match lines.last() {
                Some(last) => mrkdwn(last, readers, FALLBACK_MAX),
                None => continue,
            },
            Part::Section(_)
            | Part::List(_)
            | Part::Quote(_)
            | Part::Verbatim(_)
            | Part::Secret(_)
            | Part::Buttons(_) => continue,
        };
        if !line.is_empty() {
            if !text.is_empty() {
                text.push('\n');
            }
            text.push_str(&line);
        }
    }
    text
}

/// A line as escaped `mrkdwn` of at most `max` characters, escapes counted. Segments that would not
/// fit whole are left out, so that no escape is cut in two.
fn mrkdwn(text: &Text, readers: Readers<'_>, max: usize) -> String {
    let mut out = String::new();
    for segment in text.segments() {
        let piece = match segment {
            Segment::Plain(words) => literal(&cut(words, max / 5)),
            Segment::Strong(words) => format!("*{}*", literal(&cut(words, max / 5)).trim()),
            Segment::Code(words) => {
                format!(
                    "`{}`",
                    escape(
                        &cut(words, max / 5)
                            .replace('`', "\u{2cb}")
                            .replace('\n', " ")
                    )
                )
            }
            Segment::Person(account) => format!("<@{}>", account.member()),
            Segment::PersonQuiet(account) => match readers {
                Readers::One => format!("<@{}>", account.member()),
                Readers::Many(names) => literal(&quiet_name(account, names)),
            },
            Segment::Place(place) => format!("<#{}>", place.member()),
            Segment::Moment(at) => {
                format!(
                    "<!date^{}^{}|{}>",
                    at.timestamp(),
                    date_format(*at),
                    utc(*at)
                )
            }
        };
        if out.encode_utf16().count() + piece.encode_utf16().count() > max {
            break;
        }
        out.push_str(&piece);
    }
    out
}

/// Literal text in `mrkdwn`: Slack's three escapes, and look-alikes for what would format it or begin
/// an emoji's name.
fn literal(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        out.push(match c {
            '*' => '\u{2217}',
            '_' => '\u{2cd}',
            '~' => '\u{223c}',
            '`' => '\u{2cb}',
            ':' if rest.peek().is_some_and(|next| !next.is_whitespace()) => '\u{2236}',
            c => c,
        });
    }
    escape(&out)
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn typed_text_in_mrkdwn_neither_pings_nor_formats() {
        let text = Text::of("<!channel> *b* _i_ `c` :tada: a & b");
        let drawn = mrkdwn(&text, Readers::One, 3_000);
        assert_eq!(drawn, "&lt;!channel&gt; ∗b∗ ˍiˍ ˋcˋ ∶tada: a &amp; b");
    }
}
