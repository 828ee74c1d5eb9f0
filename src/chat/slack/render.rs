//! Cards, letters and answers as Slack's blocks. Pure; holds Slack's limits for any input.

use serde_json::{Value, json};

use super::canvas::{Canvas, fallback};
pub use super::canvas::{Names, Readers};
use crate::chat::card::{Card, Letter};
use crate::chat::text::{Message, Part};
use crate::chat::wording;
use crate::domain::answer::{Answer, Home};
use crate::domain::ids::RequestId;

/// `callback_id` of the Home tab.
pub const HOME: &str = "jitbot_home";
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
    if let Some(reason) = &words.reason {
        canvas.quote(reason);
    }
    for (label, fact) in &words.facts {
        canvas.fact(label, fact);
    }
    canvas.flush();
    if !words.standing.is_empty() {
        canvas.push(json!({"type": "divider"}));
        for line in words.standing.iter().take(STANDING_MAX) {
            canvas.line(line);
        }
        canvas.flush();
    }
    canvas.buttons(&words.buttons);
    canvas.aside(&words.foot);
    let lead = Message::titled(words.headline).with(Part::Line(words.lead));
    Drawn {
        text: fallback(&lead, readers),
        blocks: canvas.into_blocks(),
    }
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

/// What only the person sees whose act was not acknowledged.
#[must_use]
pub fn unanswered(nothing_was_kept: bool) -> Drawn {
    message(&wording::unanswered(nothing_was_kept), Readers::One)
}

/// Somebody's Home tab (reference/views/home-tab-views).
#[must_use]
pub fn home(home: &Home) -> Value {
    let drawn = message(&wording::home(home), Readers::One);
    json!({"type": "home", "callback_id": HOME, "blocks": drawn.blocks})
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
        match part {
            Part::Verbatim(text) => canvas.reserve(text),
            Part::Secret(secret) => canvas.reserve(secret.reveal()),
            _ => {}
        }
    }
    if let Some(title) = &message.title {
        canvas.header(title);
    }
    for part in &message.parts {
        match part {
            Part::Section(words) => canvas.section(words),
            Part::Line(text) => canvas.line(text),
            Part::List(lines) => canvas.list(lines),
            Part::Quote(words) => canvas.quote(words),
            Part::Verbatim(text) => canvas.verbatim(text),
            Part::Secret(secret) => canvas.verbatim(secret.reveal()),
            Part::Aside(text) => canvas.aside(text),
            Part::Buttons(buttons) => canvas.buttons(buttons),
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
