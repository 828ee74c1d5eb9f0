//! What somebody's Home tab says.

use super::super::button::{Button, Does, Look};
use super::super::text::{Message, Part, Text};
use super::super::verb::Verb;
use super::lists::offered;
use super::summaries::{standing, what};
use crate::domain::answer::{Home, Summary};

/// Resources with a button of their own; beyond, the form lists them all.
const OFFERS_MAX: usize = 8;

/// Everything that is one person's.
#[must_use]
pub fn home(home: &Home) -> Message {
    let mut message = Message::titled("Your access");
    if !home.offers.is_empty() {
        message = message.with(Part::Buttons(vec![Button::ask(None, "Ask for access…")]));
    }
    message = message.with(Part::Section("What you hold"));
    if home.mine.live.is_empty() {
        message = message.with(Part::Line(Text::of("You hold no access.")));
    }
    for held in &home.mine.live {
        message = message.with(Part::Line(line(held)));
        if held.deadline.is_some() {
            message = message.with(Part::Buttons(vec![
                Button::about(&held.id, Does::Extend, "Extend…", Look::Plain),
                Button::about(&held.id, Does::Done, "I'm done", Look::Plain),
                Button::about(&held.id, Does::SendAgain, "Send again", Look::Plain),
            ]));
        }
    }
    if !home.mine.open.is_empty() {
        message = message.with(Part::Section("What you asked for"));
        for open in &home.mine.open {
            message = message
                .with(Part::Line(line(open)))
                .with(Part::Buttons(vec![Button::about(
                    &open.id,
                    Does::Withdraw,
                    "Withdraw",
                    Look::Plain,
                )]));
        }
    }
    if !home.waiting.open.is_empty() {
        message = message.with(Part::Section("What waits for you"));
        let lines = home
            .waiting
            .open
            .iter()
            .map(|one| {
                let text = line(one);
                let text = match &one.requester {
                    Some(who) => text.plain(" Asked by ").quietly(who),
                    None => text,
                };
                match &one.card_place {
                    Some(place) => text.plain(", in ").place(place).plain("."),
                    None => text.plain("."),
                }
            })
            .collect();
        message = message.with(Part::List(lines)).with(Part::Aside(Text::of(
            "Decide with the buttons on the card in that channel.",
        )));
    }
    message = message.with(Part::Section("What you may ask for"));
    if home.offers.is_empty() {
        message = message.with(Part::Line(Text::of("Nothing at present.")));
    }
    for offer in home.offers.iter().take(OFFERS_MAX) {
        message = message
            .with(Part::Line(offered(offer)))
            .with(Part::Buttons(vec![Button::ask(
                Some(offer.resource.clone()),
                "Ask…",
            )]));
    }
    if home.offers.len() > OFFERS_MAX {
        message = message.with(Part::Aside(Text::of(format!(
            "and {} more; the form shows them all.",
            home.offers.len() - OFFERS_MAX
        ))));
    }
    message.with(Part::Aside(
        Text::of("As of ")
            .moment(home.at)
            .plain("; opening this tab again shows it anew. Commands: ")
            .code(Verb::Help.usage()),
    ))
}

fn line(one: &Summary) -> Text {
    what(Text::default(), one).plain(": ").then(standing(one))
}
