//! What the person who acted is told.

use super::super::text::{Message, Part, Text};
use super::super::verb::Verb;
use super::{because, command, evidence, in_their_words, refusal, risk, whom};
use crate::domain::answer::{Answer, Status, Summary};
use crate::domain::duration;
use crate::domain::grant::GrantState;
use crate::domain::ids::ResourceName;
use crate::domain::request::RequestState;

/// Lines of a list that one message shows.
const LIST_MAX: usize = 20;

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
            what(Text::of("This was asked for already: "), summary)
                .plain(" ")
                .then(standing(summary))
                .plain(" Nothing new was made."),
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
        Answer::List(summaries) => list(summaries),
        Answer::Status(status) => full(status),
        Answer::Help(resources) => help(resources),
    }
}

/// `staging-ssh for 1h (r…)`
fn what(text: Text, summary: &Summary) -> Text {
    text.strong(summary.resource.as_str())
        .plain(format!(" for {} (", duration::format(summary.duration_s)))
        .code(summary.id.as_str())
        .plain(")")
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
    Message::line(
        line.plain(", and runs out ")
            .moment(summary.pending_until)
            .plain(". You'll hear privately."),
    )
    .with(Part::Aside(
        Text::of("To take it back: ").code(command(Verb::Withdraw, &summary.id)),
    ))
}

fn follow(summary: &Summary) -> Part {
    Part::Aside(Text::of("Where it stands: ").code(command(Verb::Status, &summary.id)))
}

/// Where something stands, as a sentence.
fn standing(summary: &Summary) -> Text {
    match (summary.state, summary.grant) {
        (RequestState::Approved, Some(grant)) => match (grant, summary.deadline) {
            (GrantState::Active, Some(deadline)) => {
                Text::of("Live until ").moment(deadline).plain(".")
            }
            (GrantState::Active, None) => Text::of("Live."),
            (GrantState::Scheduled | GrantState::Issuing, _) => {
                Text::of("Approved; it is being given.")
            }
            (GrantState::Unknown, _) => {
                Text::of("Approved; whether the target gave it is being found out.")
            }
            (GrantState::Revoking, _) => Text::of("Being taken away."),
            (GrantState::Stuck, _) => Text::of(
                "⚠️ Taking it away keeps failing; it goes on being tried, and security was told.",
            ),
            (GrantState::Ended, _) => Text::of("Ended."),
            (GrantState::Failed, _) => Text::of("Approved, but it could not be given."),
            (GrantState::Cancelled, _) => Text::of("Cancelled before it was given."),
        },
        (RequestState::Approved, None) => Text::of("Approved."),
        (RequestState::Checking, _) => {
            Text::of("Whether it may be asked for is being checked with the workspace.")
        }
        (RequestState::Pending, _) => Text::of("Waits for a decision until ")
            .moment(summary.pending_until)
            .plain("."),
        (RequestState::Denied, _) => Text::of("Denied."),
        (RequestState::Refused, _) => Text::of("Refused."),
        (RequestState::Withdrawn, _) => Text::of("Withdrawn."),
        (RequestState::Expired, _) => Text::of("Ran out undecided."),
        (RequestState::Cancelled, _) => Text::of("Cancelled."),
    }
}

fn list(summaries: &[Summary]) -> Message {
    if summaries.is_empty() {
        return Message::line(
            Text::of("You have no open requests and hold no access. To ask: ")
                .code(Verb::Request.usage()),
        );
    }
    let lines = summaries
        .iter()
        .take(LIST_MAX)
        .map(|one| what(Text::default(), one).plain(": ").then(standing(one)))
        .collect();
    let message = Message::titled("Your requests and accesses").with(Part::List(lines));
    match summaries.len().saturating_sub(LIST_MAX) {
        0 => message,
        more => message.with(Part::Aside(
            Text::of(format!("and {more} more; each can be seen with ")).code(Verb::Status.usage()),
        )),
    }
}

fn full(status: &Status) -> Message {
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
        facts.push(if rules.is_empty() {
            text
        } else {
            text.plain(" under ").names(&rules, " and ")
        });
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

fn help(resources: &[ResourceName]) -> Message {
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
        Verb::Request => "asks for access",
        Verb::List => "shows your open requests and what you hold",
        Verb::Status => "shows everything about one of them",
        Verb::Done => "gives access back before its end",
        Verb::Withdraw => "takes a request back",
        Verb::Revoke => "takes somebody's access away (its approvers and security)",
        Verb::Help => "shows this",
    }
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;

    use super::*;
    use crate::domain::ids::{GroupName, RequestId};
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
        }
    }

    #[test]
    fn help_names_every_command_and_what_may_be_asked_for() {
        let said = answer(&Answer::Help(vec![
            ResourceName::new("staging-ssh").unwrap(),
        ]))
        .flat();
        for verb in Verb::ALL {
            assert!(said.contains(verb.usage()), "{said}");
        }
        assert!(said.contains("You may ask for staging-ssh."), "{said}");
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

    #[test]
    fn a_long_list_is_cut_and_says_so() {
        let said = answer(&Answer::List(vec![summary(); 23])).flat();
        assert!(said.contains("and 3 more"), "{said}");
        assert_eq!(said.matches("staging-ssh").count(), LIST_MAX);
    }
}
