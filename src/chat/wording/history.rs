//! What happened, line by line, for the thread of a card.

use super::super::text::{Message, Part, Text};
use super::{because, evidence};
use crate::domain::grant::EndingReason;
use crate::domain::happened::{Happened, What};

/// Everything that happened, oldest first. Nobody is notified by name.
pub(super) fn history(happened: &[Happened]) -> Message {
    let lines: Vec<Text> = happened
        .iter()
        // Said by the line that follows it at once.
        .filter(|one| one.what != What::EndOrdered(EndingReason::Deadline))
        .map(line)
        .collect();
    match <[Text; 1]>::try_from(lines) {
        Ok([only]) => Message::line(only),
        Err(lines) => Message::default().with(Part::List(lines)),
    }
}

fn line(one: &Happened) -> Text {
    let by = |text: Text| match &one.by {
        Some(who) => text.plain(" by ").quietly(who),
        None => text.plain(" by a rule"),
    };
    let until = |text: &str, end: Option<crate::domain::timing::Timestamp>| match end {
        Some(end) => Text::of(text).plain(", until ").moment(end),
        None => Text::of(text),
    };
    let text = match &one.what {
        What::Approved { enough: true } => by(Text::of("✅ Approved")),
        What::Approved { enough: false } => by(Text::of("✅ Approved")).plain("; more are needed"),
        What::Denied => by(Text::of("❌ Denied")),
        What::Withdrawn => Text::of("↩️ Taken back"),
        What::Expired => Text::of("⌛ Ran out undecided"),
        What::Cancelled { left: true } => Text::of("🚫 Cancelled: who asked may no longer"),
        What::Cancelled { left: false } => Text::of("🚫 Cancelled: the access was over"),
        What::Given(end) => until("🔓 Given", *end),
        What::Extended(end, asking) => {
            let text = Text::of("🔓 More time");
            let text = match asking {
                Some(asking) => text.plain(" (").code(asking.as_str()).plain(")"),
                None => text,
            };
            match end {
                Some(end) => text.plain(", until ").moment(*end),
                None => text,
            }
        }
        What::NotExtended => Text::of("🚫 The later end is not given"),
        What::NotGiven => Text::of("🚫 It could not be given"),
        What::EndOrdered(reason) => {
            let text = Text::of(format!("⏳ To be taken away: {}", because(*reason)));
            match &one.by {
                Some(who) => text.plain(" by ").quietly(who),
                None => text,
            }
        }
        What::Stuck => Text::of("⚠️ Taking it away keeps failing; it goes on being tried"),
        What::Ended(known) => {
            let known = evidence(*known).trim_end_matches('.');
            Text::of(format!("🏁 Over. {known}"))
        }
    };
    text.plain(" · ").moment(one.at)
}
