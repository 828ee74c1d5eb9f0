//! What a card says: what is true of a request now.

use super::super::button::{Button, Does, Look};
use super::super::card::{Card, CardExtension, CardGrant, Notable};
use super::super::text::{Message, Part, Text};
use super::super::verb::Verb;
use super::{because, command, evidence, how_it_ends, in_their_words, risk, whom};
use crate::domain::duration;
use crate::domain::grant::{EndingReason, GrantState};
use crate::domain::ids::RequestId;
use crate::domain::request::{ExtensionState, RequestState};

/// The parts of a card, in the order in which they are shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CardWords {
    /// Where it stands, in a few words, before the resource's title.
    pub headline: String,
    /// Who wants what.
    pub lead: Text,
    /// Facts: a label and what it says.
    pub facts: Vec<(&'static str, Text)>,
    /// Why, in the requester's words.
    pub reason: Option<String>,
    /// What happened and what comes next.
    pub standing: Vec<Text>,
    /// The reference and where to read more.
    pub foot: Text,
    /// What can still be done.
    pub buttons: Vec<Button>,
}

/// The words of a card. The requester is notified only while people must decide: nobody is for what a
/// rule decided, and a drawing anew after the decision is for readers.
#[must_use]
pub fn card(card: &Card) -> CardWords {
    let open = card.state == RequestState::Pending;
    let by_rule = card
        .decisions
        .iter()
        .any(|decision| decision.approved && decision.by.is_none());
    let requester = |text: Text| {
        if by_rule {
            text.quietly(&card.requester)
        } else {
            text.person(&card.requester)
        }
    };
    let lead = requester(Text::default()).plain(if open { " asks for " } else { " asked for " });
    let lead = match &card.extends {
        Some(more) => lead
            .strong(format!("{} more", duration::format(more_s(more))))
            .plain(" of ")
            .strong(card.resource.as_str()),
        None => lead
            .strong(card.resource.as_str())
            .plain(" for ")
            .strong(duration::format(card.duration_s)),
    };
    let lead = match &card.beneficiary {
        Some(other) if *other != card.requester => lead.plain(", to be given to ").quietly(other),
        _ => lead,
    };
    CardWords {
        headline: match card.extends {
            Some(_) => format!("{} · more time · {}", headline(card), card.title),
            None => format!("{} · {}", headline(card), card.title),
        },
        lead: lead.plain("."),
        facts: facts(card),
        reason: card.reason.clone(),
        standing: standing(card),
        foot: Text::default()
            .code(card.id.as_str())
            .plain(" · asked ")
            .moment(card.submitted_at)
            .plain(" · ")
            .code(command(Verb::Status, &card.id)),
        buttons: if open { decide(card) } else { Vec::new() },
    }
}

/// Seconds that are asked for beyond the end that held.
fn more_s(more: &CardExtension) -> i64 {
    (more.until - more.from).num_seconds()
}

fn decide(card: &Card) -> Vec<Button> {
    [
        (Does::Approve, "Approve", Look::Primary),
        (Does::Deny, "Deny…", Look::Danger),
        (Does::Withdraw, "Withdraw", Look::Plain),
    ]
    .into_iter()
    .map(|(does, label, look)| Button::about(&card.id, does, label, look).of_version(card.version))
    .collect()
}

/// What a copy of a card says in its place.
#[must_use]
pub fn copy_of(request: &RequestId) -> Message {
    Message::line(
        Text::of("This was a second copy of the card for ")
            .code(request.as_str())
            .plain(". It has no buttons; the other one counts."),
    )
}

/// Where a card stands, as a sign and words.
fn headline(card: &Card) -> &'static str {
    if let (RequestState::Approved, Some(more)) = (card.state, card.extends) {
        return match more.state {
            ExtensionState::Waiting | ExtensionState::Given => "✅ Approved",
            ExtensionState::NotGiven => "🚫 Not given",
        };
    }
    match card.state {
        RequestState::Checking => "⏳ Being checked",
        RequestState::Pending => "🔑 Access request",
        RequestState::Denied => "❌ Denied",
        RequestState::Refused => "🚫 Refused",
        RequestState::Withdrawn => "↩️ Withdrawn",
        RequestState::Expired => "⌛ Ran out",
        RequestState::Cancelled => "🚫 Cancelled",
        RequestState::Approved => match card.grant.as_ref().map(|grant| grant.state) {
            None | Some(GrantState::Scheduled | GrantState::Issuing) => "✅ Approved",
            Some(GrantState::Active) => "✅ Active",
            Some(GrantState::Unknown) => "❓ Being found out",
            Some(GrantState::Revoking) => "⏳ Ending",
            Some(GrantState::Stuck) => "⚠️ Can't be taken away",
            Some(GrantState::Ended) => "🏁 Ended",
            Some(GrantState::Failed) => "🚫 Not given",
            Some(GrantState::Cancelled) => "🚫 Cancelled",
        },
    }
}

fn facts(card: &Card) -> Vec<(&'static str, Text)> {
    let mut what = Text::of(format!("{} on {}", card.action, card.target));
    for (i, gives) in card.entitlements.iter().enumerate() {
        what = what.plain(if i == 0 { ", as " } else { " and " });
        // An entitlement is a kind and a name: `principal:deploy`.
        what = match gives.split_once(':') {
            Some((kind, name)) => what.plain(format!("{kind} ")).code(name),
            None => what.code(gives),
        };
    }
    let (end, sessions) = how_it_ends(card.how_it_ends);
    let mut facts = vec![
        ("What", what),
        ("Project", Text::of(&card.project)),
        ("How long", how_long(card)),
        ("Risk", Text::of(risk(card.risk))),
    ];
    if let Some((asked, until)) = card.more_time.last() {
        let text = Text::of("until ").moment(*until).plain(" (");
        let text = text.code(asked.as_str()).plain(")");
        facts.push((
            "More time",
            match card.more_time.len() - 1 {
                0 => text,
                earlier => text.plain(format!(", after {earlier} times before")),
            },
        ));
    }
    // Of what is over only what it was is left to tell.
    if is_over(card) {
        return facts;
    }
    facts.push(("How it ends", Text::of(end).plain(" ").plain(sessions)));
    if !card.notable.is_empty() {
        let mut text = Text::default();
        for (i, notable) in card.notable.iter().enumerate() {
            text = text.plain(if i > 0 { " · " } else { "" });
            text = match notable {
                Notable::FirstTime => text.plain("first request of this person for this resource"),
                Notable::HoldsSame(until) => {
                    text.plain("holds the same already, until ").moment(*until)
                }
                Notable::MakesSecret => {
                    text.plain("the target makes a secret, sent privately and once")
                }
                Notable::HoldsOthers(1) => text.plain("holds 1 other access now"),
                Notable::HoldsOthers(n) => text.plain(format!("holds {n} other accesses now")),
                Notable::KeyFromChat {
                    fingerprint,
                    given_at,
                } => text
                    .plain("for the key ")
                    .code(fingerprint)
                    .plain(", given in chat ")
                    .moment(*given_at),
            };
        }
        facts.push(("Notable", text));
    }
    facts
}

fn is_over(card: &Card) -> bool {
    if card.extends.is_some() {
        return card.state != RequestState::Pending && card.state != RequestState::Checking;
    }
    match &card.grant {
        Some(grant) => grant.state.is_over(),
        None => !card.state.is_open() && card.state != RequestState::Approved,
    }
}

fn how_long(card: &Card) -> Text {
    if let Some(more) = &card.extends {
        return Text::of(format!("{} more, from ", duration::format(more_s(more))))
            .moment(more.from)
            .plain(" until ")
            .moment(more.until)
            .plain(format!("; {} in all", duration::format(card.duration_s)));
    }
    let text = Text::of(duration::format(card.duration_s));
    match card.grant.as_ref().and_then(|grant| grant.deadline) {
        Some(deadline) => text.plain(", until ").moment(deadline),
        // Counted from its start, so the moment is not known before.
        None => text.plain(" from the moment that it is given"),
    }
}

fn standing(card: &Card) -> Vec<Text> {
    let mut lines: Vec<Text> = card
        .decisions
        .iter()
        .map(|decision| {
            let text = match (&decision.by, decision.approved) {
                (Some(who), true) => Text::of("✅ Approved by ").quietly(who),
                (Some(who), false) => Text::of("❌ Denied by ").quietly(who),
                (None, true) => Text::of("✅ Approved by a rule"),
                (None, false) => Text::of("🚫 Refused by a rule"),
            };
            let text = text.plain(", ").moment(decision.at);
            in_their_words(text, decision.why.as_ref()).plain(".")
        })
        .collect();
    match card.state {
        RequestState::Pending => {
            let (needed, one) = match card.approvals_missing {
                1 => ("⏳ 1 approval needed, from ".to_owned(), "a member of "),
                n => (format!("⏳ {n} approvals needed, from "), "members of "),
            };
            lines.push(
                whom(Text::of(needed), one, &card.approvers)
                    .plain(". Runs out ")
                    .moment(card.pending_until)
                    .plain("."),
            );
        }
        RequestState::Checking => {
            lines.push(Text::of("⏳ Facts that decide it are being fetched."));
        }
        RequestState::Withdrawn => lines.push(Text::of("↩️ Taken back; nothing is given.")),
        RequestState::Expired => lines.push(
            Text::of("⌛ Nobody decided before ")
                .moment(card.pending_until)
                .plain("; nothing is given."),
        ),
        RequestState::Cancelled => lines.push(Text::of("🚫 Cancelled; nothing is given.")),
        RequestState::Approved | RequestState::Denied | RequestState::Refused => {}
    }
    match (&card.extends, &card.grant) {
        (Some(more), Some(grant)) if card.state == RequestState::Approved => {
            lines.push(extension(more, grant));
        }
        (None, Some(grant)) => lines.extend(access(card, grant)),
        _ => {}
    }
    lines
}

/// What became of more time that was approved.
pub(super) fn extension(more: &CardExtension, grant: &CardGrant) -> Text {
    match more.state {
        ExtensionState::Waiting => {
            Text::of("⏳ The later end is on its way to the target; until then ")
                .moment(more.from)
                .plain(" holds.")
        }
        ExtensionState::Given if grant.state.is_over() => Text::of("🏁 The access is over."),
        ExtensionState::Given => Text::of("🔓 The access lasts until ")
            .moment(more.until)
            .plain("."),
        ExtensionState::NotGiven if grant.state.is_over() => {
            Text::of("🚫 The later end was not given: the access was over.")
        }
        ExtensionState::NotGiven => {
            Text::of("🚫 The later end could not be given; the access ends ")
                .moment(more.from)
                .plain(".")
        }
    }
}

/// What became of the access.
pub(super) fn access(card: &Card, grant: &CardGrant) -> Vec<Text> {
    let mut lines = Vec::new();
    match grant.state {
        GrantState::Scheduled | GrantState::Issuing => {
            lines.push(Text::of("⏳ It is being given."))
        }
        GrantState::Active => {
            let text = match grant.deadline {
                Some(deadline) => Text::of("🔓 Live until ").moment(deadline).plain("."),
                None => Text::of("🔓 Live."),
            };
            lines.push(if card.how_it_ends.can_end_early {
                text.plain(" To take it away: ")
                    .code(command(Verb::Revoke, &card.id))
            } else {
                text
            });
        }
        GrantState::Unknown => lines.push(Text::of(
            "❓ The target gave no clear answer; whether the access is there is being found out.",
        )),
        GrantState::Revoking => {
            lines.push(why_and_who(Text::of("⏳ Being taken away"), grant).plain("."))
        }
        GrantState::Stuck => {
            let text = why_and_who(Text::of("⚠️ To be taken away"), grant);
            let text = match grant.stuck_since {
                Some(since) => text
                    .plain(", but that has been failing since ")
                    .moment(since),
                None => text.plain(", but that keeps failing"),
            };
            lines.push(text.plain(". It goes on being tried; security was told."));
        }
        GrantState::Ended => {
            let text = why_and_who(Text::of("🏁 Over"), grant);
            let text = match grant.ended_at {
                Some(at) => text.plain(", ").moment(at),
                None => text,
            };
            lines.push(text.plain("."));
        }
        GrantState::Failed => {
            lines.push(why_and_who(Text::of("🚫 It was not given"), grant).plain("."));
        }
        GrantState::Cancelled => {
            lines.push(why_and_who(Text::of("🚫 Cancelled before it was given"), grant).plain("."))
        }
    }
    if grant.state == GrantState::Ended {
        if let Some(known) = grant.evidence {
            lines.push(Text::of("Evidence: ").plain(evidence(known)));
        }
        if card.how_it_ends.sessions_outlive {
            lines.push(Text::of(
                "Sessions that were open may go on until they are closed.",
            ));
        }
    }
    lines
}

fn why_and_who(text: Text, grant: &CardGrant) -> Text {
    let Some(reason) = grant.reason else {
        return text;
    };
    let text = text.plain(": ").plain(because(reason));
    match (&grant.by, reason) {
        (Some(who), EndingReason::Done | EndingReason::Revoked) => {
            in_their_words(text.plain(" by ").quietly(who), grant.why.as_ref())
        }
        _ => text,
    }
}

/// The message that a card would be in a place without cards.
pub(super) fn in_short(card: &Card) -> Text {
    let text = Text::default().strong(card.resource.as_str());
    match &card.extends {
        Some(more) => text.plain(format!(" for {} more (", duration::format(more_s(more)))),
        None => text.plain(format!(" for {} (", duration::format(card.duration_s))),
    }
    .code(card.id.as_str())
    .plain(")")
}

/// What a card says of its facts, as parts of a letter.
pub(super) fn what_became(card: &Card) -> Vec<Part> {
    match standing(card) {
        lines if lines.is_empty() => Vec::new(),
        lines => vec![Part::List(lines)],
    }
}
