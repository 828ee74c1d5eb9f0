//! What is said of secrets that targets make.

use super::super::button::{Button, Does, Look};
use super::super::card::{Card, Occasion, SecretNews};
use super::super::text::{Message, Part, Text};
use super::cards::in_short;

/// Adds the secret to a message about access that works, or what is known of it.
pub(super) fn told(
    message: Message,
    card: &Card,
    occasion: Occasion,
    news: &SecretNews,
) -> Message {
    match news {
        SecretNews::Here(secret) => {
            let first = match occasion {
                Occasion::Given => "Your secret. jitbot keeps no copy and can't show it again:",
                Occasion::MoreTime | Occasion::Again => {
                    "Your new secret, in place of the one before. jitbot keeps no copy:"
                }
            };
            message
                .with(Part::Line(Text::of(first)))
                .with(Part::Secret(secret.clone()))
                .with(Part::Buttons(vec![another(card, Look::Plain)]))
        }
        SecretNews::SentBefore => message.with(Part::Line(Text::of(
            "The secret that you were sent before goes on working.",
        ))),
        SecretNews::MayBeLost => message
            .with(Part::Line(Text::of(
                "⚠️ Nobody knows whether the message with your secret reached you. jitbot keeps no copy. If you have it, it works; if not, have another made. The one before stops working then.",
            )))
            .with(Part::Buttons(vec![another(card, Look::Primary)])),
    }
}

/// The target makes no other.
pub(super) fn not_renewed(card: &Card) -> Message {
    Message::titled("🚫 No new secret")
        .with(Part::Line(in_short(card).plain(
            ": the target refused to make another. What you were sent before works as it did.",
        )))
        .with(Part::Aside(Text::of(
            "Without it, give the access back and ask again.",
        )))
}

fn another(card: &Card, look: Look) -> Button {
    Button::about(&card.id, Does::SendAgain, "Make another", look)
}
