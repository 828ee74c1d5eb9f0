//! What security is told of configs that were read.

use super::super::text::{Message, Part, Text};
use crate::domain::binding::KeyExchange;
use crate::domain::policy_news::{Difference, PolicyChange, PolicyNews};

/// The words of the news.
pub(super) fn policy_news(news: &PolicyNews) -> Message {
    match news {
        PolicyNews::Changed {
            from,
            to,
            changes,
            more,
        } => {
            let mut message = Message::titled("📜 The policy changed").with(Part::Line(
                Text::of("From here on policy ")
                    .code(to.short())
                    .plain(" decides; it was ")
                    .code(from.short())
                    .plain(". What differs:"),
            ));
            message = message.with(Part::List(changes.iter().map(differs).collect()));
            if *more > 0 {
                message = message.with(Part::Line(Text::of(format!("… and {more} more."))));
            }
            message.with(Part::Aside(Text::of(
                "Access that was given goes on as it was approved. What waits for a decision, or is about to be given, is judged anew.",
            )))
        }
        PolicyNews::KeyExchanged(exchange) => key_exchanged(exchange),
        PolicyNews::Refused { problems, more } => {
            let mut message = Message::titled("⚠️ A new config was not taken up").with(Part::Line(
                Text::of(
                    "jitbot was told to read its config again, and can't use it. Nothing changed; the one from before decides.",
                ),
            ));
            message = message.with(Part::List(problems.iter().map(Text::of).collect()));
            if *more > 0 {
                message = message.with(Part::Line(Text::of(format!(
                    "… and {more} more, in the log."
                ))));
            }
            message.with(Part::Aside(Text::of(
                "Whoever runs jitbot corrects the file, and has it read again.",
            )))
        }
    }
}

fn key_exchanged(exchange: &KeyExchange) -> Message {
    let signs = Text::of("From here on issuer ")
        .code(exchange.issuer.as_str())
        .plain(" signs with the CA key ")
        .code(&exchange.to)
        .plain("; it was ")
        .code(&exchange.from)
        .plain(".");
    let hosts = match exchange.until {
        Some(until) => Text::of("Certificates of the one before are valid until ")
            .moment(until)
            .plain(
                " at the latest, and can be ended early until then. Hosts have to trust both keys \
                 that long; afterwards, take the one before out of them.",
            ),
        None => Text::of(
            "No certificate of the one before is valid any more: take it out of the hosts.",
        ),
    };
    Message::titled("🔑 A CA key was exchanged")
        .with(Part::Line(signs))
        .with(Part::Line(hosts))
        .with(Part::Aside(Text::of(
            "If none of you exchanged it, look into it now: whoever has a CA key can log in wherever it is trusted.",
        )))
}

fn differs(change: &PolicyChange) -> Text {
    let text = Text::default().code(&change.what);
    match &change.how {
        Difference::Added => text.plain(" is new."),
        Difference::Removed => text.plain(" is gone."),
        Difference::Changed(keys) if keys.is_empty() => text.plain(" is different."),
        Difference::Changed(keys) => {
            let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
            text.plain(" is different: ").names(&keys, ", ").plain(".")
        }
    }
}
