//! Cards, letters and answers as Slack's blocks. Pure; holds Slack's limits for any input.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::canvas::{Canvas, fallback};
pub use super::canvas::{Names, Readers};
use crate::chat::card::{Card, Letter};
use crate::chat::text::{Message, Part, Text};
use crate::chat::wording;
use crate::domain::answer::Answer;
use crate::domain::ids::RequestId;

/// `action_id` of the button that approves.
pub const APPROVE: &str = "jitbot_approve";
/// `action_id` of the button that denies.
pub const DENY: &str = "jitbot_deny";
/// `event_type` of a card's metadata.
pub const CARD_EVENT: &str = "jitbot_card";
/// `event_type` of a struck copy's metadata, so that it is not found as a card again.
pub const COPY_EVENT: &str = "jitbot_copy";

/// Lines that say where a request stands.
const STANDING_MAX: usize = 40;

/// What Slack is sent.
#[derive(Debug, Clone, PartialEq)]
pub struct Drawn {
    /// For notifications and readers without blocks; escaped `mrkdwn`.
    pub text: String,
    /// What people see.
    pub blocks: Vec<Value>,
}

/// What a button carries.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct ButtonValue {
    r: RequestId,
    v: i64,
}

/// The value of a card's buttons.
#[must_use]
pub fn button_value(request: &RequestId, version: i64) -> String {
    json!({"r": request, "v": version}).to_string()
}

/// What a button's value names; none if it is none of ours.
#[must_use]
pub fn read_button_value(value: &str) -> Option<(RequestId, i64)> {
    let ButtonValue { r, v } = serde_json::from_str(value).ok()?;
    (v >= 0).then_some((r, v))
}

/// The metadata of a card. The version is text: slack-morphism drops a press on a message whose
/// metadata holds anything else.
#[must_use]
pub fn metadata(event_type: &str, request: &RequestId, version: i64) -> Value {
    json!({
        "event_type": event_type,
        "event_payload": {"request": request, "version": version.to_string()},
    })
}

/// A card.
#[must_use]
pub fn card(card: &Card, names: &Names) -> Drawn {
    let words = wording::card(card);
    let readers = Readers::Many(names);
    let mut canvas = Canvas::new(readers);
    canvas.header(&words.headline);
    canvas.line(&words.lead);
    for (label, fact) in &words.facts {
        canvas.fact(label, fact);
    }
    if let Some(reason) = &words.reason {
        canvas.line(&Text::default().strong("Why"));
        canvas.quote(reason);
    }
    canvas.flush();
    if !words.standing.is_empty() {
        canvas.push(json!({"type": "divider"}));
        for line in words.standing.iter().take(STANDING_MAX) {
            canvas.line(line);
        }
        canvas.flush();
    }
    if words.can_be_decided {
        canvas.push(buttons(card));
    }
    canvas.aside(&words.foot);
    let lead = Message::titled(words.headline).with(Part::Line(words.lead));
    Drawn {
        text: fallback(&lead, readers),
        blocks: canvas.into_blocks(),
    }
}

fn buttons(card: &Card) -> Value {
    let value = button_value(&card.id, card.version);
    let button = |text: &str, action: &str, style: &str| {
        json!({
            "type": "button",
            "action_id": action,
            "style": style,
            "value": value,
            "text": {"type": "plain_text", "text": text, "emoji": false},
        })
    };
    json!({
        "type": "actions",
        "block_id": "jitbot_decide",
        "elements": [button("Approve", APPROVE, "primary"), button("Deny", DENY, "danger")],
    })
}

/// A letter.
#[must_use]
pub fn letter(letter: &Letter, names: &Names) -> Drawn {
    message(&wording::letter(letter), Readers::Many(names))
}

/// An answer that only the person who acted sees.
#[must_use]
pub fn answer(answer: &Answer) -> Drawn {
    message(&wording::answer(answer), Readers::One)
}

/// What stands in place of a copy of a card.
#[must_use]
pub fn copy_of(request: &RequestId) -> Drawn {
    message(&wording::copy_of(request), Readers::One)
}

/// Any message.
#[must_use]
pub fn message(message: &Message, readers: Readers<'_>) -> Drawn {
    let mut canvas = Canvas::new(readers);
    for part in &message.parts {
        if let Part::Verbatim(text) = part {
            canvas.reserve(text);
        }
    }
    if let Some(title) = &message.title {
        canvas.header(title);
    }
    for part in &message.parts {
        match part {
            Part::Line(text) => canvas.line(text),
            Part::List(lines) => canvas.list(lines),
            Part::Quote(words) => canvas.quote(words),
            Part::Verbatim(text) => canvas.verbatim(text),
            Part::Aside(text) => canvas.aside(text),
        }
    }
    canvas.flush();
    Drawn {
        text: fallback(message, readers),
        blocks: canvas.into_blocks(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chat::text::Text;
    use crate::domain::ids::AccountId;

    #[test]
    fn only_our_own_button_values_are_read() {
        let id = RequestId::from_bits(12);
        let value = button_value(&id, 3);
        assert_eq!(read_button_value(&value), Some((id.clone(), 3)));
        for forged in [
            "",
            "x",
            "{}",
            "null",
            &format!("{{\"r\":\"{id}\"}}"),
            &format!("{{\"r\":\"{id}\",\"v\":-1}}"),
            &format!("{{\"r\":\"{id}\",\"v\":\"1\"}}"),
            &format!("{{\"r\":\"{id}\",\"v\":1,\"x\":2}}"),
            "{\"r\":\"r1\",\"v\":1}",
            "{\"r\":\"'; DROP TABLE requests; --\",\"v\":1}",
        ] {
            assert_eq!(read_button_value(forged), None, "{forged}");
        }
    }

    #[test]
    fn a_quiet_person_is_mentioned_only_where_one_person_reads() {
        let account = AccountId::new("slack:T1/U2").unwrap();
        let message = Message::line(Text::of("by ").quietly(&account));
        let names = Names::from([(account, "bob <!here>".to_owned())]);
        let said = message_json(&message, Readers::Many(&names));
        assert!(!said.contains("\"user\"") && !said.contains("<@"), "{said}");
        assert!(
            said.contains("bob <!here>") && said.contains("bob &lt;!here&gt;"),
            "{said}"
        );
        assert!(message_json(&message, Readers::One).contains("\"user_id\":\"U2\""));
    }

    #[test]
    fn a_certificate_comes_out_as_it_is_or_not_at_all() {
        let long = Message::titled("x".repeat(500))
            .with(Part::List(vec![Text::of("y".repeat(800)); 50]))
            .with(Part::Verbatim("k".repeat(8_000)));
        let said = message_json(&long, Readers::One);
        assert!(said.contains(&"k".repeat(8_000)));
        let over = Message::default().with(Part::Verbatim("k".repeat(8_001)));
        assert!(message_json(&over, Readers::One).contains("too long for a message"));
    }

    fn message_json(what: &Message, readers: Readers<'_>) -> String {
        let drawn = message(what, readers);
        format!("{} {}", drawn.text, Value::from(drawn.blocks))
    }
}
