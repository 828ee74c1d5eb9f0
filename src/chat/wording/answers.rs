//! What the person who acted is told.

use super::super::text::{Message, Part, Text};
use super::super::verb::Verb;
use super::summaries::{standing, what};
use super::{command, keys, lists, refusal, whom};
use crate::domain::answer::{Answer, Summary};
use crate::domain::request::RequestState;

/// What somebody is told besides the platform's own error when what they did was not acknowledged.
#[must_use]
pub fn unanswered(nothing_was_kept: bool) -> Message {
    Message::line(Text::of(if nothing_was_kept {
        "⚠️ That was not recorded, so nothing was done: jitbot can't keep anything just now. Please try again in a minute."
    } else {
        "⚠️ It could not be confirmed in time that this was recorded. Please try again in a minute: if it was, nothing happens twice."
    }))
}

/// The sentences for an answer.
#[must_use]
pub fn answer(answer: &Answer) -> Message {
    match answer {
        Answer::Refused(why) => Message::line(Text::of("🚫 ").then(refusal(why))),
        Answer::Received(summary) => received(summary),
        Answer::ApprovedByRule(summary) => Message::line(
            what(Text::of("✅ Approved by a rule: "), summary)
                .plain(". You'll get a private message as soon as it works."),
        )
        .with(follow(summary)),
        Answer::AlreadyThere(summary) => Message::line(
            what(Text::of("Asked for already: "), summary)
                .plain(". ")
                .then(standing(summary))
                .plain(" Nothing new was made, and its reason stays."),
        )
        .with(follow(summary)),
        Answer::Approved(summary) => match summary.state {
            RequestState::Pending => Message::line(
                what(Text::of("✅ Your approval counts: "), summary)
                    .plain(" still needs others before it is given."),
            ),
            RequestState::Checking
            | RequestState::Approved
            | RequestState::Denied
            | RequestState::Refused
            | RequestState::Withdrawn
            | RequestState::Expired
            | RequestState::Cancelled => Message::line(
                what(Text::of("✅ You approved "), summary)
                    .plain(". To take the access away again, use ")
                    .code(command(Verb::Revoke, &summary.id))
                    .plain("."),
            ),
        },
        Answer::ApprovedAlready(summary) => Message::line(
            what(Text::of("You approved it already: "), summary)
                .plain(". It still needs somebody else."),
        ),
        Answer::Denied(summary) => {
            Message::line(what(Text::of("❌ You denied "), summary).plain(". Nothing is given."))
        }
        Answer::Withdrawn(summary) => Message::line(
            what(Text::of("Taken back: "), summary).plain(". Nobody can approve it any more."),
        ),
        Answer::Ending(summary) => Message::line(
            what(Text::of("Access is being taken away: "), summary)
                .plain(". Its holder gets a private message when it is gone."),
        ),
        Answer::WhyDeny(summary) => Message::line(
            what(Text::of("Please say why you deny "), summary)
                .plain(" in the form that opens. Until then nothing is decided."),
        ),
        Answer::ExtensionReceived(summary) => received(summary),
        Answer::ExtensionByRule(summary) => Message::line(
            what(Text::of("✅ More time approved by a rule: "), summary)
                .plain(". You'll get a private message as soon as the later end holds."),
        )
        .with(follow(summary)),
        Answer::SendingAgain(summary) => Message::line(
            what(
                Text::of("📨 Sent again, in a private message: how to use "),
                summary,
            )
            .plain("."),
        ),
        Answer::MakingAnew(summary) => Message::line(
            what(
                Text::of("🔁 A new secret is being made, and comes in a private message. The one before stops working: "),
                summary,
            )
            .plain("."),
        ),
        Answer::List(list) => lists::list(list),
        Answer::Status(status) => lists::status(status),
        Answer::Resources(offers) => lists::resources(offers),
        Answer::Who(who) => lists::who(who),
        Answer::Explained(explained) => lists::explained(explained),
        Answer::RequestForm(_) | Answer::ExtendForm(_) => {
            Message::line(Text::of("A form opens to fill in."))
        }
        Answer::Key(answer) => keys::key(answer),
        Answer::Home(home) => super::home(home),
        Answer::Help(resources) => lists::help(resources),
    }
}

fn received(summary: &Summary) -> Message {
    let line = what(Text::of("📨 Asked: "), summary);
    if summary.state == RequestState::Checking {
        return Message::line(
            line.plain(". Whether you may is being checked with the workspace; you'll hear privately within two minutes."),
        )
        .with(follow(summary));
    }
    let line = whom(
        line.plain(". It waits for "),
        "a member of ",
        &summary.approvers,
    );
    let line = match &summary.card_place {
        Some(place) => line.plain(", in ").place(place),
        None => line,
    };
    let line = line
        .plain(", and runs out ")
        .moment(summary.pending_until)
        .plain(". You'll hear privately.");
    let line = match summary.extends {
        Some((from, _)) => line
            .plain(" Until it is approved the access ends ")
            .moment(from)
            .plain("."),
        None => line,
    };
    Message::line(line).with(Part::Aside(
        Text::of("To take it back: ").code(command(Verb::Withdraw, &summary.id)),
    ))
}

fn follow(summary: &Summary) -> Part {
    Part::Aside(Text::of("Where it stands: ").code(command(Verb::Status, &summary.id)))
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;

    use super::*;
    use crate::domain::ids::{GroupName, RequestId, ResourceName};
    use crate::domain::person::Subject;

    fn summary() -> Summary {
        Summary {
            id: RequestId::from_bits(5),
            resource: ResourceName::new("staging-ssh").unwrap(),
            title: "Shell".into(),
            state: RequestState::Pending,
            grant: None,
            duration_s: 3_600,
            pending_until: DateTime::from_timestamp(1_800_000_000, 0).unwrap(),
            deadline: None,
            card_place: None,
            approvers: vec![Subject::Group(GroupName::new("sre").unwrap())],
            requester: None,
            extends: None,
        }
    }

    #[test]
    fn a_received_request_says_who_decides_and_until_when() {
        let said = answer(&Answer::Received(summary())).flat();
        assert_eq!(
            said,
            "📨 Asked: staging-ssh for 1h (r5000000000). It waits for a member of sre, and runs out \
             2027-01-15 08:00 UTC. You'll hear privately.\nTo take it back: /jit withdraw r5000000000"
        );
    }
}
