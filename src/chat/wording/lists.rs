//! What somebody sees who asks: lists, one request, resources, who, what would happen, help.

use super::super::button::Button;
use super::super::text::{Message, Part, Text};
use super::super::verb::Verb;
use super::summaries::{standing, what};
use super::{because, evidence, in_their_words, risk, whom};
use crate::domain::answer::{Explained, List, Offer, Status, Summary, Who};
use crate::domain::command::ListOf;
use crate::domain::duration;
use crate::domain::ids::ResourceName;

/// Lines of a list that one message shows.
const LIST_MAX: usize = 20;

/// Requests and grants.
pub(super) fn list(list: &List) -> Message {
    let (title, nothing) = match list.of {
        ListOf::Mine => (
            "Your requests and accesses",
            Text::of("You have no open requests and hold no access. To ask: ")
                .code(Verb::Request.usage()),
        ),
        ListOf::Waiting => (
            "What waits for you",
            Text::of("Nothing waits for your decision."),
        ),
        ListOf::All => (
            "Everybody's requests and accesses",
            Text::of("Nobody holds access, and nothing waits."),
        ),
    };
    if list.live.is_empty() && list.open.is_empty() {
        return Message::line(nothing);
    }
    let named = list.of != ListOf::Mine;
    let lines = |of: &[Summary]| of.iter().map(|one| line(one, named)).collect();
    let mut message = Message::titled(title);
    if !list.live.is_empty() {
        if !list.open.is_empty() {
            message = message.with(Part::Line(Text::default().strong("Held now")));
        }
        message = message.with(Part::List(lines(&list.live)));
    }
    if !list.open.is_empty() {
        if list.of != ListOf::Waiting {
            message = message.with(Part::Line(Text::default().strong("Waiting for a decision")));
        }
        message = message.with(Part::List(lines(&list.open)));
    }
    if list.of == ListOf::Waiting {
        message = message.with(Part::Aside(Text::of(
            "Decide with the buttons on the card, in the channel that is named.",
        )));
    }
    if list.more {
        message = message.with(Part::Aside(
            Text::of("There is more than this; each can be seen with ").code(Verb::Status.usage()),
        ));
    }
    message
}

fn line(one: &Summary, named: bool) -> Text {
    let text = what(Text::default(), one);
    let text = match &one.requester {
        Some(who) if named => text.plain(", ").quietly(who),
        _ => text,
    };
    let text = text.plain(": ").then(standing(one));
    match &one.card_place {
        Some(place) if named && one.state.is_open() => text.plain(" ").place(place),
        _ => text,
    }
}

/// Everything about one request.
pub(super) fn status(status: &Status) -> Message {
    let summary = &status.summary;
    let mut facts = vec![
        Text::of("Asked by ")
            .quietly(&status.requester)
            .plain(", ")
            .moment(status.submitted_at),
        Text::of(format!(
            "{} on {}, risk {}",
            status.action,
            status.project,
            risk(status.risk)
        )),
    ];
    for decision in &status.decisions {
        let text = match &decision.by {
            Some(account) => Text::of(if decision.approved {
                "✅ Approved by "
            } else {
                "❌ Denied by "
            })
            .quietly(account),
            None => Text::of(if decision.approved {
                "✅ Approved by a rule"
            } else {
                "❌ Refused by a rule"
            }),
        };
        let text = text.plain(", ").moment(decision.at);
        let rules: Vec<&str> = decision.rules.iter().map(String::as_str).collect();
        let text = if rules.is_empty() {
            text
        } else {
            text.plain(" under ").names(&rules, " and ")
        };
        facts.push(in_their_words(text, decision.why.as_ref()));
    }
    for (asked, until) in &status.more_time {
        let text = Text::of("🔓 More time until ").moment(*until);
        facts.push(text.plain(": ").code(asked.as_str()));
    }
    if let Some(end) = &status.end {
        if let Some(reason) = end.reason {
            let word = if end.ended_at.is_some() {
                "It ended"
            } else {
                "It is to end"
            };
            let text = Text::of(format!("{word} because {}", because(reason)));
            let text = match &end.by {
                Some(who) => text.plain(" by ").quietly(who),
                None => text,
            };
            facts.push(in_their_words(text, end.why.as_ref()));
        }
        if let Some(since) = end.stuck_since {
            facts.push(Text::of("⚠️ Taking it away has been failing since ").moment(since));
        }
        if let Some(at) = end.ended_at {
            facts.push(Text::of("Over ").moment(at));
        }
        if let Some(known) = end.evidence {
            facts.push(Text::of(evidence(known)));
        }
    }
    let message = Message::titled(summary.title.clone())
        .with(Part::Line(
            what(Text::default(), summary)
                .plain(". ")
                .then(standing(summary)),
        ))
        .with(Part::List(facts));
    match &status.reason {
        Some(reason) => message.with(Part::Quote(reason.clone())),
        None => message,
    }
}

/// What may be asked for.
pub(super) fn resources(offers: &[Offer]) -> Message {
    if offers.is_empty() {
        return Message::line(Text::of(
            "There is nothing that you may ask for at present.",
        ));
    }
    let lines = offers.iter().take(LIST_MAX).map(offered).collect();
    let message = Message::titled("What you may ask for").with(Part::List(lines));
    let message = match offers.len().saturating_sub(LIST_MAX) {
        0 => message,
        more => message.with(Part::Aside(Text::of(format!(
            "and {more} more; the form shows them all."
        )))),
    };
    message.with(Part::Buttons(vec![Button::ask(None, "Ask for access")]))
}

/// `staging-ssh: Shell on the staging hosts. Up to 8h, 🟢 low. One approval, from a member of sre.`
pub(super) fn offered(offer: &Offer) -> Text {
    Text::default()
        .code(offer.resource.as_str())
        .plain(format!(
            " {}. Up to {}, risk {}. ",
            offer.title.trim_end_matches('.'),
            duration::format(offer.max_s),
            risk(offer.risk)
        ))
        .then(decided_by(offer))
        .plain(if offer.account_missing {
            " ⚠️ jitbot does not know yet who you are there; asking says what is missing."
        } else {
            ""
        })
}

/// Who decides on it.
fn decided_by(offer: &Offer) -> Text {
    let text = match offer.by_rule_up_to_s {
        Some(up_to_s) => Text::of(format!(
            "For you a rule approves up to {}; more needs ",
            duration::format(up_to_s)
        )),
        None => Text::of("It needs "),
    };
    let (many, one) = match offer.approvals {
        1 => ("1 approval, from ".to_owned(), "a member of "),
        n => (format!("{n} approvals, from "), "members of "),
    };
    whom(text.plain(many), one, &offer.approvers).plain(".")
}

/// Who may ask for a resource, who decides, who holds it.
pub(super) fn who(who: &Who) -> Message {
    let offer = &who.offer;
    let mut lines = vec![
        whom(
            Text::of("Can be asked for by "),
            "members of ",
            &who.requesters,
        )
        .plain("."),
        decided_by(offer),
    ];
    if who.holders.is_none() {
        lines.push(Text::of(
            "Who holds it now is for its approvers and security.",
        ));
    }
    let title = format!("{} · {}", offer.resource, offer.title);
    let message = Message::titled(title).with(Part::List(lines));
    let Some(holders) = &who.holders else {
        return message;
    };
    if holders.is_empty() {
        return message.with(Part::Line(Text::of("Nobody holds it now.")));
    }
    let held = holders
        .iter()
        .map(|(account, deadline)| {
            let text = Text::default().quietly(account);
            match deadline {
                Some(at) => text.plain(", until ").moment(*at),
                None => text.plain(", about to be given"),
            }
        })
        .collect();
    message
        .with(Part::Line(Text::default().strong("Held now")))
        .with(Part::List(held))
}

/// What would happen to a request.
pub(super) fn explained(explained: &Explained) -> Message {
    let offer = &explained.offer;
    let asked = Text::default()
        .strong(offer.resource.as_str())
        .plain(format!(" for {}: ", duration::format(explained.duration_s)));
    let line = match &explained.approved_under {
        Some(rule) => asked
            .plain("a rule would approve it at once, ")
            .code(rule)
            .plain(
                ", unless you held it for too long of late without anybody deciding; then people decide.",
            ),
        None => {
            let (many, one) = match offer.approvals {
                1 => ("1 approval would be needed, from ".to_owned(), "a member of "),
                n => (format!("{n} approvals would be needed, from "), "members of "),
            };
            whom(asked.plain(many), one, &offer.approvers).plain(".")
        }
    };
    Message::line(line).with(Part::Aside(
        Text::of("You may ask under ")
            .code(&explained.asked_under)
            .plain(format!(
                ". The longest is {}. This only explains: nothing was sent.",
                duration::format(offer.max_s)
            )),
    ))
}

/// How the commands work.
pub(super) fn help(resources: &[ResourceName]) -> Message {
    let lines = Verb::ALL
        .into_iter()
        .map(|verb| {
            Text::default()
                .code(verb.usage())
                .plain(" ")
                .plain(purpose(verb))
        })
        .collect();
    let message = Message::titled("Access for a while")
        .with(Part::List(lines))
        .with(Part::Aside(
            Text::of("Durations: ")
                .names(&["45m", "1h", "1h30m", "2d", "until 18:00"], " or ")
                .plain(". Access ends by itself; everything goes on record."),
        ));
    let names: Vec<&str> = resources.iter().map(ResourceName::as_str).collect();
    message.with(Part::Line(if names.is_empty() {
        Text::of("There is nothing that you may ask for at present.")
    } else {
        let shown = &names[..names.len().min(LIST_MAX)];
        let text = Text::of("You may ask for ").names(
            shown,
            if shown.len() == names.len() {
                " and "
            } else {
                ", "
            },
        );
        match names.len() - shown.len() {
            0 => text.plain("."),
            more => text.plain(format!(" and {more} more.")),
        }
    }))
}

const fn purpose(verb: Verb) -> &'static str {
    match verb {
        Verb::Request => "asks for access; what you leave out is asked for in a form",
        Verb::Resources => "shows what you may ask for",
        Verb::List => "shows your open requests and what you hold",
        Verb::ListWaiting => "shows what you can decide",
        Verb::ListAll => "shows everybody's (security)",
        Verb::Status => "shows everything about one of them",
        Verb::Extend => "asks for more time",
        Verb::Done => "gives access back before its end",
        Verb::Withdraw => "takes a request back",
        Verb::Revoke => "takes somebody's access away (its approvers and security)",
        Verb::Who => "shows who decides on it, and to them who holds it",
        Verb::Explain => "shows what would happen if you asked",
        Verb::Key => {
            "shows your public key; with the line of a .pub file, gives it (\"forget\" forgets it)"
        }
        Verb::Help => "shows this",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn help_names_every_command_and_what_may_be_asked_for() {
        let said = help(&[ResourceName::new("staging-ssh").unwrap()]).flat();
        for verb in Verb::ALL {
            assert!(said.contains(verb.usage()), "{said}");
        }
        assert!(said.contains("You may ask for staging-ssh."), "{said}");
    }
}
