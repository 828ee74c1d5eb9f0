//! Channels that can't be posted to, and what that means for whoever waits.

use super::super::card::{Card, LostPlace};
use super::super::text::{Message, Part, Text};
use super::super::verb::Verb;
use super::cards::in_short;
use super::command;
use crate::domain::ids::Place;

/// To security: told once, when it is noticed.
pub(super) fn place_lost(lost: &LostPlace) -> Message {
    let LostPlace {
        place,
        said,
        is_securitys,
        resources,
        more_resources,
        fallback,
    } = lost;
    let mut message = Message::titled("⚠️ A channel can't be posted to")
        .with(Part::Line(
            Text::of("jitbot can't post to ")
                .place(place)
                .plain(" (")
                .code(place.member())
                .plain("). The chat said:"),
        ))
        .with(Part::Quote(said.clone()));
    if *is_securitys {
        message = message.with(Part::Line(Text::of(
            "Security is told there. Until it is back, what must be told goes to the other channels of security, or privately to each of its people where there is none; the channel gets it once it is back.",
        )));
    }
    if !resources.is_empty() {
        let names: Vec<&str> = resources.iter().map(|name| name.as_str()).collect();
        let line = Text::of("Cards for ").names(&names, " and ");
        let line = if *more_resources == 0 {
            line
        } else {
            line.plain(format!(" and {more_resources} more resources"))
        };
        message = message.with(Part::Line(match fallback {
            Some(fallback) => line
                .plain(" go to ")
                .place(fallback)
                .plain(" meanwhile, and can be decided there."),
            None => line.plain(
                " are shown to nobody where a resource has no other channel; whoever asks is told. A fallback_channel in the config would take them.",
            ),
        }));
    }
    message.with(Part::Aside(
        Text::of("Unarchive it or type ")
            .code("/invite @jitbot")
            .plain(" there, and let it post; if it is gone, name another in the config. You'll hear when it works again, and nothing before."),
    ))
}

/// To security: told once, when it works again.
pub(super) fn place_back(place: &Place) -> Message {
    Message::titled("✅ A channel can be posted to again").with(Part::Line(
        Text::of("jitbot posts to ")
            .place(place)
            .plain(" again. What waited for it follows within a few minutes."),
    ))
}

/// To the requester: where the card stands that could not stand where it belongs.
pub(super) fn seen_in(card: &Card, place: &Place) -> Message {
    Message::titled("↪️ Your request is shown elsewhere")
        .with(Part::Line(
            in_short(card)
                .plain(" stands in ")
                .place(place)
                .plain(" now: its usual channel can't be posted to. It can be decided there."),
        ))
        .with(status(card))
}

/// To the requester: nobody who could decide is shown the request.
pub(super) fn unseen(card: &Card) -> Message {
    Message::titled("⚠️ No approver is shown your request")
        .with(Part::Line(
            in_short(card)
                .plain(" stands, but the channel for it can't be posted to. Security is told. If it can't wait, speak to an approver. It runs out ")
                .moment(card.pending_until)
                .plain("; you'll hear if it is shown before."),
        ))
        .with(status(card))
}

fn status(card: &Card) -> Part {
    Part::Aside(Text::of("Where it stands: ").code(command(Verb::Status, &card.id)))
}
