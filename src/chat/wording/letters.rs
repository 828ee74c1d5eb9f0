//! Messages to people and channels.

use super::super::button::{Button, Does, Look};
use super::super::card::{Card, Letter, Occasion, SecretNews};
use super::super::text::{Message, Part, Text};
use super::super::verb::Verb;
use super::cards::{access, extension, in_short, what_became};
use super::digests::digest;
use super::history::history;
use super::places::{place_back, place_lost, seen_in, unseen};
use super::policies::policy_news;
use super::record::record_news;
use super::{answer, command, directory, how_it_ends, keys, secrets};
use crate::domain::grant::GrantState;
use crate::domain::request::RequestState;

/// The words of a letter.
#[must_use]
pub fn letter(letter: &Letter) -> Message {
    match letter {
        Letter::Answer(told) => answer(told),
        Letter::Decided(card) => decided(card),
        Letter::Ready {
            occasion,
            card,
            how_to_use,
            document,
            secret,
        } => {
            let message = ready(*occasion, card, how_to_use, document.as_deref(), secret.as_ref());
            foot(message, card)
        }
        Letter::NotRenewed(card) => secrets::not_renewed(card),
        Letter::NotExtended(card) => not_extended(card),
        Letter::Reminder(card) => reminder(card),
        Letter::Ended(card) => ended(card),
        Letter::History(happened) => history(happened),
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
        Letter::Refused { card, refusal } => directory::refused(card, refusal),
        Letter::Left {
            account,
            why,
            cards,
        } => directory::left(account, *why, cards),
        Letter::Group { group, news } => directory::group(group, news),
        Letter::DirectoryFails { platform, said } => directory::fails(platform, said),
        Letter::DirectoryAnswers { platform } => directory::answers(platform),
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
        Letter::Policy(news) => policy_news(news),
        Letter::Record(news) => record_news(news),
        Letter::KeyChanged {
            of,
            by,
            fingerprint,
        } => keys::news(of, by.as_ref(), fingerprint.as_deref()),
        Letter::YourKeyChanged { by, fingerprint } => keys::yours(by, fingerprint.as_deref()),
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
        RequestState::Approved if card.extends.is_some() => (
            "✅ Approved",
            " is approved. You'll get another message as soon as the later end holds.",
        ),
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

fn ready(
    occasion: Occasion,
    card: &Card,
    how_to_use: &str,
    document: Option<&str>,
    secret: Option<&SecretNews>,
) -> Message {
    let (title, works) = match occasion {
        Occasion::Given => ("🔓 Ready", " works now"),
        Occasion::MoreTime => ("🔓 More time", " goes on working"),
        Occasion::Again => ("🔓 How to use it", " works now"),
    };
    let line = match occasion {
        // Its length is not the one that was asked for first.
        Occasion::MoreTime => Text::default()
            .strong(card.resource.as_str())
            .plain(" (")
            .code(card.id.as_str())
            .plain(")"),
        Occasion::Given | Occasion::Again => in_short(card),
    };
    let line = line.plain(works);
    let line = match card.grant.as_ref().and_then(|grant| grant.deadline) {
        Some(deadline) => line.plain(", until ").moment(deadline).plain("."),
        None => line.plain("."),
    };
    let mut message = Message::titled(title).with(Part::Line(line));
    if occasion == Occasion::MoreTime && document.is_some() {
        message = message.with(Part::Line(Text::of(
            "What you were sent before ends as it said. Save this one in its place:",
        )));
    }
    let approved: Vec<Text> = card
        .decisions
        .iter()
        .filter(|_| occasion == Occasion::Given)
        .filter_map(|decision| decision.by.as_ref())
        .map(|by| Text::of("Approved by ").quietly(by).plain("."))
        .collect();
    for line in approved {
        message = message.with(Part::Line(line));
    }
    for line in how_to_use.lines().filter(|line| !line.trim().is_empty()) {
        message = message.with(match line.strip_prefix("$ ") {
            Some(command) => Part::Verbatim(command.to_owned()),
            None => Part::Line(marked(line)),
        });
    }
    if let Some(document) = document {
        message = message.with(Part::Verbatim(document.to_owned()));
    }
    match secret {
        Some(news) => secrets::told(message, card, occasion, news),
        None => message,
    }
}

/// How it ends, and how it is given back.
fn foot(message: Message, card: &Card) -> Message {
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

/// An issuer's sentence, with what stands in backticks as what is typed or named.
fn marked(line: &str) -> Text {
    let mut text = Text::default();
    for (i, part) in line.split('`').enumerate() {
        // What could be taken for a link is shown like everything else.
        text = if i % 2 == 1 && !part.contains("://") {
            text.code(part)
        } else {
            text.plain(part)
        };
    }
    text
}

fn not_extended(card: &Card) -> Message {
    let message = Message::titled("🚫 No more time").with(Part::Line(
        in_short(card).plain(" was approved, but is not given."),
    ));
    match (&card.extends, &card.grant) {
        (Some(more), Some(grant)) => message.with(Part::Line(extension(more, grant))),
        _ => message,
    }
}

fn give_back(card: &Card) -> Text {
    if card.how_it_ends.can_end_early {
        Text::of("Done earlier? Give it back: ").code(command(Verb::Done, &card.id))
    } else {
        Text::of("It can't be given back early. Where it stands: ")
            .code(command(Verb::Status, &card.id))
    }
}

/// As long as it can be acted on, with buttons; afterwards with what became of it.
fn reminder(card: &Card) -> Message {
    let grant = card.grant.as_ref();
    if let Some(grant) = grant.filter(|grant| grant.state != GrantState::Active) {
        let text = in_short(card).plain(" needs no reminder any more.");
        return Message::titled("⏰ Ends soon")
            .with(Part::Line(text))
            .with(Part::List(access(card, grant)));
    }
    let line = match grant.and_then(|grant| grant.deadline) {
        Some(deadline) => in_short(card).plain(" ends ").moment(deadline).plain("."),
        None => in_short(card).plain(" ends soon."),
    };
    let message = Message::titled("⏰ Ends soon").with(Part::Line(line));
    let mut buttons = vec![Button::about(
        &card.id,
        Does::Extend,
        "Extend…",
        Look::Primary,
    )];
    if card.how_it_ends.can_end_early {
        buttons.push(Button::about(&card.id, Does::Done, "I'm done", Look::Plain));
    }
    let message = match &card.more_time_asked {
        Some((asked, until)) => message.with(Part::Line(
            Text::of("⏳ More time is asked for, until ")
                .moment(*until)
                .plain(" (")
                .code(asked.as_str())
                .plain(")."),
        )),
        None => message,
    };
    message.with(Part::Buttons(buttons)).with(Part::Aside(
        Text::of("Or type ")
            .code(command(Verb::Extend, &card.id).replace("<duration>", "30m"))
            .plain(if card.how_it_ends.can_end_early {
                " or "
            } else {
                ". It can't be given back early."
            })
            .then(if card.how_it_ends.can_end_early {
                Text::default().code(command(Verb::Done, &card.id))
            } else {
                Text::default()
            }),
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
