//! What a person reads of texts and blocks: mentions by name, links by label, times in their own zone.
//! Markup characters (`*`, `_`, `` ` ``) stay, so that nothing typed by a person can vanish.

use std::fmt::Write as _;

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use serde_json::Value;

/// Every interactive element of these blocks with its block_id, in order.
pub(super) fn elements(blocks: &[Value]) -> impl Iterator<Item = (&str, &Value)> {
    blocks.iter().flat_map(|block| {
        let block_id = block
            .get("block_id")
            .and_then(Value::as_str)
            .unwrap_or_default();
        let many = (block.get("type").and_then(Value::as_str) == Some("actions"))
            .then(|| block.get("elements").and_then(Value::as_array))
            .flatten()
            .into_iter()
            .flatten();
        let one = block
            .get("accessory")
            .into_iter()
            .chain(block.get("element"));
        many.chain(one)
            .filter(|element| element.get("action_id").is_some())
            .map(move |element| (block_id, element))
    })
}

/// One person's eyes: names for ids, and their zone.
pub(super) struct Reader<'a> {
    /// Name of a user, channel or group id.
    pub(super) name_of: &'a dyn Fn(&str) -> Option<String>,
    /// The reader's zone.
    pub(super) zone: Tz,
}

impl Reader<'_> {
    /// A message: blocks where there are some, else the text; then attachments.
    pub(super) fn message(&self, text: &str, blocks: &[Value], attachments: &[Value]) -> String {
        let mut lines = Vec::new();
        if blocks.is_empty() {
            lines.push(self.mrkdwn(text));
        } else {
            self.blocks(blocks, &mut lines);
        }
        for attachment in attachments {
            for key in ["pretext", "author_name", "title", "text", "footer"] {
                if let Some(text) = attachment.get(key).and_then(Value::as_str) {
                    lines.push(self.mrkdwn(text));
                }
            }
            if let Some(blocks) = attachment.get("blocks").and_then(Value::as_array) {
                self.blocks(blocks, &mut lines);
            }
        }
        lines.retain(|line| !line.is_empty());
        lines.join("\n")
    }

    pub(super) fn blocks(&self, blocks: &[Value], lines: &mut Vec<String>) {
        for block in blocks {
            match block
                .get("type")
                .and_then(Value::as_str)
                .unwrap_or_default()
            {
                "rich_text" => lines.push(self.rich_text(block)),
                "markdown" => lines.extend(
                    block
                        .get("text")
                        .and_then(Value::as_str)
                        .map(|text| self.mrkdwn(text)),
                ),
                _ => self.parts(block, lines),
            }
        }
    }

    fn parts(&self, block: &Value, lines: &mut Vec<String>) {
        for key in ["label", "title", "text", "alt_text"] {
            lines.extend(block.get(key).and_then(|text| self.text(text)));
        }
        for key in ["fields", "elements"] {
            for part in block
                .get(key)
                .and_then(Value::as_array)
                .into_iter()
                .flatten()
            {
                lines.extend(self.text(part).or_else(|| self.element(part)));
            }
        }
        for key in ["accessory", "element"] {
            lines.extend(block.get(key).and_then(|part| self.element(part)));
        }
        lines.extend(block.get("hint").and_then(|text| self.text(text)));
    }

    /// A text object, or a bare string (alt texts).
    fn text(&self, text: &Value) -> Option<String> {
        if let Some(bare) = text.as_str() {
            return Some(bare.to_owned());
        }
        let words = text.get("text").and_then(Value::as_str)?;
        match text.get("type").and_then(Value::as_str)? {
            "mrkdwn" => Some(self.mrkdwn(words)),
            "plain_text" => Some(words.to_owned()),
            _ => None,
        }
    }

    fn element(&self, element: &Value) -> Option<String> {
        let mut lines: Vec<String> = ["text", "placeholder", "alt_text", "initial_value"]
            .iter()
            .filter_map(|key| element.get(*key))
            .filter_map(|text| self.text(text))
            .collect();
        for key in ["initial_option", "initial_options"] {
            let chosen = element.get(key);
            let list = chosen.and_then(Value::as_array);
            for option in list
                .into_iter()
                .flatten()
                .chain(chosen.filter(|_| list.is_none()))
            {
                lines.extend(option.get("text").and_then(|text| self.text(text)));
            }
        }
        // Radio buttons and checkboxes stand open; menus are closed until pressed.
        if matches!(
            element.get("type").and_then(Value::as_str),
            Some("radio_buttons" | "checkboxes")
        ) {
            for option in element
                .get("options")
                .and_then(Value::as_array)
                .into_iter()
                .flatten()
            {
                lines.extend(option.get("text").and_then(|text| self.text(text)));
                lines.extend(option.get("description").and_then(|text| self.text(text)));
            }
        }
        (!lines.is_empty()).then(|| lines.join("\n"))
    }

    fn rich_text(&self, element: &Value) -> String {
        let string = |key: &str| element.get(key).and_then(Value::as_str);
        let named = |sign: &str, id: &str| {
            format!(
                "{sign}{}",
                (self.name_of)(id).unwrap_or_else(|| id.to_owned())
            )
        };
        match string("type").unwrap_or_default() {
            "text" => string("text").unwrap_or_default().to_owned(),
            "link" => string("text")
                .or(string("url"))
                .unwrap_or_default()
                .to_owned(),
            "user" => named("@", string("user_id").unwrap_or_default()),
            "usergroup" => named("@", string("usergroup_id").unwrap_or_default()),
            "channel" => named("#", string("channel_id").unwrap_or_default()),
            "broadcast" => format!("@{}", string("range").unwrap_or_default()),
            "date" => {
                let at = element.get("timestamp").and_then(Value::as_i64);
                at.zip(string("format"))
                    .and_then(|(at, format)| self.date(&format!("{at}^{format}")))
                    .or_else(|| string("fallback").map(str::to_owned))
                    .unwrap_or_default()
            }
            "emoji" => format!(":{}:", string("name").unwrap_or_default()),
            kind => {
                let between = if matches!(kind, "rich_text" | "rich_text_list") {
                    "\n"
                } else {
                    ""
                };
                let inner = element.get("elements").and_then(Value::as_array);
                inner
                    .into_iter()
                    .flatten()
                    .map(|part| self.rich_text(part))
                    .collect::<Vec<_>>()
                    .join(between)
            }
        }
    }

    /// Slack's control sequences resolved and its three entities taken back.
    pub(super) fn mrkdwn(&self, text: &str) -> String {
        let mut out = String::with_capacity(text.len());
        let mut rest = text;
        while let Some(start) = rest.find('<') {
            out.push_str(&unescaped(&rest[..start]));
            let after = &rest[start + 1..];
            let Some(end) = after.find('>') else {
                out.push_str(&unescaped(&rest[start..]));
                return out;
            };
            out.push_str(&self.sequence(&after[..end]));
            rest = &after[end + 1..];
        }
        out.push_str(&unescaped(rest));
        out
    }

    fn sequence(&self, inside: &str) -> String {
        let (head, label) = inside
            .split_once('|')
            .map_or((inside, None), |(head, label)| (head, Some(label)));
        let named = |sign: &str, id: &str| {
            let name = (self.name_of)(id)
                .or_else(|| label.map(str::to_owned))
                .unwrap_or_else(|| id.to_owned());
            format!("{sign}{name}")
        };
        if let Some(id) = head.strip_prefix('@') {
            named("@", id)
        } else if let Some(id) = head.strip_prefix('#') {
            named("#", id)
        } else if let Some(id) = head.strip_prefix("!subteam^") {
            named("@", id)
        } else if let Some(date) = head.strip_prefix("!date^") {
            self.date(date)
                .unwrap_or_else(|| unescaped(label.unwrap_or_default()))
        } else if let Some(word) = head.strip_prefix('!') {
            format!("@{word}")
        } else {
            unescaped(label.unwrap_or(head))
        }
    }

    /// `UNIX^FORMAT[^LINK]`
    fn date(&self, spec: &str) -> Option<String> {
        let mut parts = spec.split('^');
        let seconds: i64 = parts.next()?.parse().ok()?;
        let format = parts.next()?;
        let at = DateTime::<Utc>::from_timestamp(seconds, 0)?.with_timezone(&self.zone);
        let mut out = String::new();
        let mut rest = format;
        while let Some(start) = rest.find('{') {
            out.push_str(&rest[..start]);
            let end = rest[start..].find('}')? + start;
            let pattern = match &rest[start + 1..end] {
                "date_num" => "%Y-%m-%d",
                "date" | "date_pretty" => "%B %-d, %Y",
                "date_short" | "date_short_pretty" => "%b %-d, %Y",
                "date_long" | "date_long_pretty" => "%A, %B %-d, %Y",
                "date_long_full" => "%A, %B %-d, %Y at %-I:%M %p",
                "day_divider_pretty" => "%A, %B %-d",
                "time" => "%-I:%M %p",
                "time_secs" => "%-I:%M:%S %p",
                // An unknown token makes Slack show the fallback.
                _ => return None,
            };
            write!(out, "{}", at.format(pattern)).ok()?;
            rest = &rest[end + 1..];
        }
        out.push_str(rest);
        Some(unescaped(&out))
    }
}

/// Takes back the three characters that Slack wants escaped.
pub(super) fn unescaped(text: &str) -> String {
    text.replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&amp;", "&")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn name_of(id: &str) -> Option<String> {
        (id == "U0ALICE").then(|| "alice".to_owned())
    }

    fn reader() -> Reader<'static> {
        Reader {
            name_of: &name_of,
            zone: chrono_tz::Europe::Berlin,
        }
    }

    #[test]
    fn control_sequences_become_what_people_read() {
        let cases = [
            ("hi <@U0ALICE>", "hi @alice"),
            ("<@U0GONE|gone>", "@gone"),
            ("<!channel> <!here|here>", "@channel @here"),
            ("<https://a.example|the page>", "the page"),
            (
                "<https://a.example/?a=1&amp;b=2>",
                "https://a.example/?a=1&b=2",
            ),
            ("1 &lt; 2 &amp;&amp; 3 &gt; 2", "1 < 2 && 3 > 2"),
            ("&amp;lt;", "&lt;"),
            ("a < b", "a < b"),
            (
                "until <!date^1767225600^{date_num} {time}|later>",
                "until 2026-01-01 1:00 AM",
            ),
            ("until <!date^1767225600^{nonsense}|later>", "until later"),
        ];
        for (text, read) in cases {
            assert_eq!(reader().mrkdwn(text), read, "{text}");
        }
    }

    #[test]
    fn blocks_are_read_from_top_to_bottom() {
        let blocks = [
            json!({"type":"header","text":{"type":"plain_text","text":"<!channel> asks"}}),
            json!({"type":"section","text":{"type":"mrkdwn","text":"for <@U0ALICE>"},
                   "fields":[{"type":"mrkdwn","text":"*Risk* low"}],
                   "accessory":{"type":"button","action_id":"a","text":{"type":"plain_text","text":"More"}}}),
            json!({"type":"actions","elements":[{"type":"button","action_id":"b","text":{"type":"plain_text","text":"Go"}}]}),
            json!({"type":"rich_text","elements":[{"type":"rich_text_section","elements":[
                {"type":"text","text":"by "},{"type":"user","user_id":"U0ALICE"}]}]}),
        ];
        let read = reader().message("fallback", &blocks, &[]);
        assert_eq!(
            read,
            "<!channel> asks\nfor @alice\n*Risk* low\nMore\nGo\nby @alice"
        );
    }
}
