//! Every sentence that a person reads, for every platform.
//!
//! Facts come in as data, sentences go out as [`Message`](super::text::Message)s. What is matched here is matched without a
//! wildcard: a new refusal, answer, letter or state does not compile before it has its words.

mod answers;
mod cards;
mod digests;
mod directory;
mod forms;
mod history;
mod home;
mod keys;
mod letters;
mod lists;
mod places;
mod policies;
mod record;
mod refusals;
mod secrets;
mod summaries;

pub use answers::{answer, unanswered};
pub use cards::{CardWords, card, copy_of};
pub use forms::{FieldWords, FormWords, Suggestion, form};
pub use home::home;
pub use letters::letter;
pub use refusals::{beside_field, refusal};

use super::card::HowItEnds;
use super::text::Text;
use crate::domain::grant::{EndingReason, Evidence};
use crate::domain::ids::RequestId;
use crate::domain::person::Subject;
use crate::domain::spec::Risk;

/// A risk as a sign and a word; the sign's shape differs as well as its colour.
#[must_use]
pub const fn risk(risk: Risk) -> &'static str {
    match risk {
        Risk::Low => "🟢 low",
        Risk::Medium => "🔷 medium",
        Risk::High => "🔶 high",
        Risk::Critical => "🛑 critical",
    }
}

/// How an access ends, as its target can do it.
#[must_use]
pub const fn how_it_ends(how: HowItEnds) -> (&'static str, &'static str) {
    let end = match (how.enforced_by_target, how.can_end_early, how.can_be_seen) {
        (true, true, true) => "By itself, enforced by the target. It can be ended early.",
        (true, true, false) => {
            "By itself, enforced by the target. It can be ended early, but the target can't be asked whether it did."
        }
        (true, false, _) => "By itself, enforced by the target. It can't be ended early.",
        (false, true, true) => {
            "jitbot takes it away and checks that it is gone. It can be ended early."
        }
        (false, true, false) => {
            "jitbot tells the target to take it away; the target can't be asked whether it did. It can be ended early."
        }
        (false, false, true) => {
            "jitbot takes it away at the end and checks that it is gone. It can't be ended early."
        }
        (false, false, false) => {
            "jitbot tells the target to take it away at the end; the target can't be asked whether it did. It can't be ended early."
        }
    };
    let sessions = if how.sessions_outlive {
        "Sessions that are open then go on until they are closed."
    } else {
        "Open sessions end with it."
    };
    (end, sessions)
}

/// Why an access ends, to follow "because".
const fn because(reason: EndingReason) -> &'static str {
    match reason {
        EndingReason::Deadline => "its time was over",
        EndingReason::Done => "it was given back",
        EndingReason::Revoked => "it was revoked",
        EndingReason::Left => "its holder left, or may no longer ask for it",
        EndingReason::NotActivated => "it could not be given in time",
        EndingReason::RefusedAtActivation => {
            "it was no longer allowed, or no longer the same, when it was about to be given"
        }
        EndingReason::IssueFailed => "the target refused to give it",
        EndingReason::SeenAgain => "the target showed it after its end",
    }
}

/// How an end is known.
const fn evidence(evidence: Evidence) -> &'static str {
    match evidence {
        Evidence::SeenGone => "The target was asked and shows it gone.",
        Evidence::ExpiredAtTarget => {
            "The target itself enforced the end, and that moment has passed."
        }
        Evidence::ToldOnly => {
            "The target was told and accepted; it can't be asked whether it is gone."
        }
        Evidence::Settled => "A person settled it by hand.",
    }
}

/// Who can do something: `one` says what a person of a group is, like "a member of ".
fn whom(text: Text, one: &str, who: &[Subject]) -> Text {
    let groups: Vec<&str> = who
        .iter()
        .filter_map(|subject| match subject {
            Subject::Group(name) => Some(name.as_str()),
            Subject::Person(_) | Subject::Account(_) => None,
        })
        .collect();
    let mut text = if groups.is_empty() {
        text
    } else {
        text.plain(one).names(&groups, " or ")
    };
    let mut first = groups.is_empty();
    for subject in who {
        if matches!(subject, Subject::Group(_)) {
            continue;
        }
        if !first {
            text = text.plain(" or ");
        }
        first = false;
        text = match subject {
            Subject::Account(account) => text.quietly(account),
            Subject::Person(name) => text.code(name.as_str()),
            Subject::Group(name) => text.code(name.as_str()),
        };
    }
    if first {
        text.plain("nobody at present")
    } else {
        text
    }
}

/// What a person said of an end, as part of a sentence.
fn in_their_words(text: Text, why: Option<&String>) -> Text {
    const SHOWN: usize = 200;
    let Some(why) = why else { return text };
    let mut shown: String = why.chars().take(SHOWN).collect();
    if shown.len() < why.len() {
        shown.push('…');
    }
    text.plain(" (“").plain(shown).plain("”)")
}

/// A command with a reference, to be copied.
fn command(verb: super::verb::Verb, id: &RequestId) -> String {
    verb.usage().replace("<id>", id.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_way_to_end_has_its_own_words() {
        let mut seen = std::collections::BTreeSet::new();
        for bits in 0..16_u8 {
            let how = HowItEnds {
                enforced_by_target: bits & 1 > 0,
                can_end_early: bits & 2 > 0,
                can_be_seen: bits & 4 > 0,
                sessions_outlive: bits & 8 > 0,
            };
            let (end, sessions) = how_it_ends(how);
            assert_eq!(end.contains("can't be ended early"), !how.can_end_early);
            assert_eq!(
                end.contains("enforced by the target"),
                how.enforced_by_target
            );
            assert_eq!(sessions.contains("go on"), how.sessions_outlive);
            seen.insert((end, sessions));
        }
        // What ends by itself and can't be ended early reads the same whether it can be seen or not.
        assert_eq!(seen.len(), 14);
    }

    #[test]
    fn risks_differ_without_colour() {
        let words: std::collections::BTreeSet<_> =
            [Risk::Low, Risk::Medium, Risk::High, Risk::Critical]
                .map(|r| risk(r).split_once(' ').unwrap().1)
                .into();
        assert_eq!(words.len(), 4);
    }
}
