//! Messages to people and channels.

use super::super::card::{Card, Letter};
use super::super::text::{Message, Part, Text};
use super::super::verb::Verb;
use super::cards::{access, in_short, what_became};
use super::digests::digest;
use super::places::{place_back, place_lost, seen_in, unseen};
use super::{answer, command, how_it_ends};
use crate::domain::grant::GrantState;
use crate::domain::request::RequestState;

/// The words of a letter.
#[must_use]
pub fn letter(letter: &Letter) -> Message {
    match letter {
        Letter::Answer(told) => answer(told),
        Letter::Decided(card) => decided(card),
        Letter::Ready {
            card,
            how_to_use,
            document,
        } => ready(card, how_to_use, document.as_deref()),
        Letter::Reminder(card) => reminder(card),
        Letter::Ended(card) => ended(card),
        Letter::Stuck {
            card,
            failures,
            said,
        } => about(
            "⚠️ Access can't be taken away",
            card,
            Text::of(format!(
                " should be gone, but the target refused {failures} times. It goes on being tried without limit."
            )),
        )
        .with(Part::Line(Text::of("The target said last:")))
        .with(Part::Quote(said.clone()))
        .with(Part::Aside(
            Text::of("If it can't wait, take it away on the target by hand; jitbot notices. More: ")
                .code(command(Verb::Status, &card.id)),
        )),
        Letter::Healed(card) => {
            let message = about(
                "✅ Access is gone after all",
                card,
                Text::of(" could not be taken away for a while. Now it is."),
            );
            with_access(message, card)
        }
        Letter::ClockSet { by_ms } => {
            let by = crate::domain::duration::format((by_ms / 1_000).abs());
            let how = if *by_ms < 0 { "back" } else { "ahead" };
            Message::titled("⚠️ The clock of jitbot's machine was set anew")
                .with(Part::Line(Text::of(format!(
                    "It was set {how} by {by}. For ten minutes, or until it stands still, nothing new is given: targets would be told wrong deadlines. What was given ends as planned."
                ))))
                .with(Part::Aside(Text::of(
                    "A machine that slept does this too. Otherwise check its time service.",
                )))
        }
        Letter::CardLost { card, said } => about(
            "⚠️ A card could not be posted",
            card,
            Text::of(" was asked for, but no approver is shown its card. The chat said:"),
        )
        .with(Part::Quote(said.clone()))
        .with(Part::Aside(Text::of(
            "The request stands, and runs out by itself if nobody decides. The requester is told. As soon as one of its channels can be posted to again, its card goes there.",
        ))),
        Letter::PlaceLost(lost) => place_lost(lost),
        Letter::PlaceBack(place) => place_back(place),
        Letter::SeenIn { card, place } => seen_in(card, place),
        Letter::Unseen(card) => unseen(card),
        Letter::Digest(numbers) => digest(numbers),
    }
}

/// A message to security: a title, what it is about, whose it is, and what happened.
fn about(title: &str, card: &Card, text: Text) -> Message {
    let holder = card.beneficiary.as_ref().unwrap_or(&card.requester);
    Message::titled(title).with(Part::Line(
        in_short(card).plain(" of ").quietly(holder).then(text),
    ))
}

fn with_access(message: Message, card: &Card) -> Message {
    match &card.grant {
        Some(grant) => message.with(Part::List(access(card, grant))),
        None => message,
    }
}

fn decided(card: &Card) -> Message {
    let (title, text) = match card.state {
        RequestState::Approved => (
            "✅ Approved",
            " is approved. You'll get another message as soon as it works.",
        ),
        RequestState::Denied => ("❌ Denied", " was denied. Nothing is given."),
        RequestState::Refused => ("🚫 Refused", " was refused. Nothing is given."),
        RequestState::Expired => (
            "⌛ Nobody decided",
            " ran out undecided. Nothing is given; you can ask again.",
        ),
        RequestState::Withdrawn => ("↩️ Withdrawn", " was taken back. Nothing is given."),
        RequestState::Cancelled => ("🚫 Cancelled", " was cancelled. Nothing is given."),
        RequestState::Checking => ("⏳ Being checked", " is still being checked."),
        RequestState::Pending => ("⏳ Waiting", " still waits for a decision."),
    };
    let mut message = Message::titled(title).with(Part::Line(in_short(card).plain(text)));
    message.parts.extend(what_became(card));
    message
}

fn ready(card: &Card, how_to_use: &str, document: Option<&str>) -> Message {
    let line = in_short(card);
    let line = match card.grant.as_ref().and_then(|grant| grant.deadline) {
        Some(deadline) => line.plain(" works now, until ").moment(deadline).plain("."),
        None => line.plain(" works now."),
    };
    let mut message = Message::titled("🔓 Ready").with(Part::Line(line));
    if !how_to_use.trim().is_empty() {
        message = message.with(Part::Line(Text::of(how_to_use)));
    }
    if let Some(document) = document {
        message = message.with(Part::Verbatim(document.to_owned()));
    }
    let (end, sessions) = how_it_ends(card.how_it_ends);
    message
        .with(Part::Aside(
            Text::of("How it ends: ")
                .plain(end)
                .plain(" ")
                .plain(sessions),
        ))
        .with(Part::Aside(give_back(card)))
}

fn give_back(card: &Card) -> Text {
    if card.how_it_ends.can_end_early {
        Text::of("Done earlier? Give it back: ").code(command(Verb::Done, &card.id))
    } else {
        Text::of("It can't be given back early. Where it stands: ")
            .code(command(Verb::Status, &card.id))
    }
}

fn reminder(card: &Card) -> Message {
    let line = in_short(card);
    let line = match card.grant.as_ref().and_then(|grant| grant.deadline) {
        Some(deadline) => line.plain(" ends ").moment(deadline).plain("."),
        None => line.plain(" ends soon."),
    };
    Message::titled("⏰ Ends soon")
        .with(Part::Line(line))
        .with(Part::Line(give_back(card)))
        .with(Part::Aside(
            Text::of("Needed for longer? Ask again: ").code(format!(
                "/jit request {} <duration> <reason>",
                card.resource
            )),
        ))
}

fn ended(card: &Card) -> Message {
    let title = match card.grant.as_ref().map(|grant| grant.state) {
        Some(GrantState::Failed) => "🚫 Not given",
        Some(GrantState::Cancelled) => "🚫 Cancelled",
        Some(
            GrantState::Scheduled
            | GrantState::Issuing
            | GrantState::Active
            | GrantState::Unknown
            | GrantState::Revoking
            | GrantState::Stuck
            | GrantState::Ended,
        )
        | None => "🏁 Ended",
    };
    with_access(
        Message::titled(title).with(Part::Line(in_short(card).plain(" is over."))),
        card,
    )
}
