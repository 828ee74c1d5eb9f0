//! What is said of the directory, and of people who leave.

use super::super::card::Card;
use super::super::text::{Message, Part, Text};
use super::super::verb::Verb;
use super::cards::in_short;
use super::{command, refusal};
use crate::domain::departure::Departure;
use crate::domain::directory::{AccountStatus, GroupNews};
use crate::domain::ids::AccountId;
use crate::domain::refusal::Refusal;

/// Lines that one message shows.
const LIST_MAX: usize = 20;

/// What an account is, to follow "is" or "belongs to".
pub(super) const fn status(status: AccountStatus) -> &'static str {
    match status {
        AccountStatus::Member => "a full member",
        AccountStatus::Guest => "a guest",
        AccountStatus::External => "of another workspace",
        AccountStatus::Bot => "a bot",
        AccountStatus::Deactivated => "deactivated",
        AccountStatus::NotFound => "not known to the workspace",
    }
}

/// To the requester: what waited for facts was refused.
pub(super) fn refused(card: &Card, why: &Refusal) -> Message {
    Message::titled("🚫 Refused")
        .with(Part::Line(in_short(card).plain(" is not given.")))
        .with(Part::Line(refusal(why)))
}

/// To security: somebody left.
pub(super) fn left(account: &AccountId, why: Departure, cards: &[Card]) -> Message {
    let line = Text::default().quietly(account);
    let line = match why {
        Departure::Account(is) => line.plain(format!("'s account is now {}", status(is))),
        Departure::NotAmongThose => line.plain(" is no longer among those who may ask for it"),
        Departure::Unlinked => line.plain(" is no longer the person whom the config named"),
    };
    let mut lines = Vec::new();
    for card in cards.iter().take(LIST_MAX) {
        let text = in_short(card);
        lines.push(if card.how_it_ends.can_end_early {
            text.plain(", where it stands: ")
                .code(command(Verb::Status, &card.id))
        } else {
            match card.grant.as_ref().and_then(|grant| grant.deadline) {
                Some(deadline) => text
                    .plain(" can't be ended early: it goes on until ")
                    .moment(deadline),
                None => text.plain(" can't be ended early"),
            }
        });
    }
    let message = Message::titled("👋 Access ends because somebody left")
        .with(Part::Line(
            line.plain(", so what they hold is being taken away:"),
        ))
        .with(Part::List(lines));
    match cards.len().saturating_sub(LIST_MAX) {
        0 => message,
        more => message.with(Part::Aside(Text::of(format!("and {more} more.")))),
    }
}

/// To security: of a group.
pub(super) fn group(name: &str, news: &GroupNews) -> Message {
    match news {
        GroupNews::Doubted {
            missing,
            of,
            confirmed_at,
        } => Message::titled("⚠️ A user group lost its people")
            .with(Part::Line(
                Text::of(format!("{missing} of {of} people are gone from "))
                    .strong(name)
                    .plain(", or the group was emptied, disabled or deleted. Until it is clear what happened, nothing new is given by it, and nothing is taken away."),
            ))
            .with(Part::Line(
                Text::of("If it still looks like that ")
                    .moment(*confirmed_at)
                    .plain(", it is believed, and what those people hold through it ends. If it is a mistake, put the group right in chat before then."),
            )),
        GroupNews::Confirmed { left } => Message::titled("👋 A user group has lost its people")
            .with(Part::Line(
                Text::of("It is still so: ")
                    .strong(name)
                    .plain(format!(" has lost {left} people. What they hold through it is being taken away.")),
            )),
        GroupNews::NameMoved { held, now } => {
            Message::titled("⚠️ A name in the config means another user group now")
                .with(Part::Line(
                    Text::default()
                        .strong(name)
                        .plain(" in the config was ")
                        .code(held.member())
                        .plain(" when jitbot first looked. In chat it is the name of ")
                        .code(now.member())
                        .plain(" now. Nothing changed: ")
                        .code(held.member())
                        .plain(" goes on counting, with its own members, and nobody is let in by the other one."),
                ))
                .with(Part::Line(
                    Text::of("If the other one is meant, write its id into the config in place of the name: ")
                        .code(format!("slack_usergroup = \"{}\"", now.member()))
                        .plain(". If not, write ")
                        .code(format!("slack_usergroup = \"{}\"", held.member()))
                        .plain("."),
                ))
        }
        GroupNews::Healed { members } => Message::titled("✅ A user group has its people again")
            .with(Part::Line(
                Text::default()
                    .strong(name)
                    .plain(format!(" has {members} members now; it counts again as it is.")),
            )),
    }
}

/// To security: a directory can't be asked.
pub(super) fn fails(platform: &str, said: &str) -> Message {
    Message::titled("⚠️ Nobody can say who belongs to which group")
        .with(Part::Line(Text::of(format!(
            "jitbot can't ask {platform} about people and groups. What is live ends when it should, but nothing new is approved or given until it can. It said:"
        ))))
        .with(Part::Quote(said.to_owned()))
        .with(Part::Aside(Text::of(
            "It is asked again and again. If it says missing_scope, add the scope to the app and install it again.",
        )))
}

/// To security: it can be asked again.
pub(super) fn answers(platform: &str) -> Message {
    Message::titled("✅ People and groups are known again").with(Part::Line(Text::of(format!(
        "jitbot can ask {platform} again. Requests are decided as usual."
    ))))
}
