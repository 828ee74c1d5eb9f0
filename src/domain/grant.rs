//! A grant: the access that an approved request became, and the states that it goes through.

use serde::{Deserialize, Serialize};

use super::delivery::Delivery;
use super::ids::GrantId;
use super::person::Identity;
use super::request::IllegalTransition;
use super::spec::{ContentHash, Spec};
use super::timing::Timestamp;

/// Where a grant stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum GrantState {
    /// Approved; the target was not called yet.
    Scheduled,
    /// The target may have been called.
    Issuing,
    /// The target said that access is there.
    Active,
    /// Nobody knows whether access is there.
    Unknown,
    /// Access is to be taken away.
    Revoking,
    /// Taking it away keeps failing; people were told; it goes on being tried.
    Stuck,
    /// Access is gone, with evidence.
    Ended,
    /// Access was never there, as seen at the target.
    Failed,
    /// Ended before the target was ever called.
    Cancelled,
}

/// What can happen to a grant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum GrantEvent {
    /// The intent to issue is recorded.
    BeginIssue,
    /// The target said yes.
    Issued,
    /// The call's outcome is unknown.
    OutcomeUnknown,
    /// The target said no for good, and access was seen to be absent.
    AbsenceSeen,
    /// Deadline, done, revoke, lockdown, refusal at activation, partial issue.
    End,
    /// Too many failures to revoke.
    TooManyFailures,
    /// A stuck revocation is tried again and the target answers.
    TargetAnswers,
    /// There is evidence of the end.
    EvidenceOfEnd,
    /// The target shows this grant's mark again.
    SeenAgain,
}

impl GrantState {
    /// Every state, in the order of life.
    pub const ALL: [Self; 9] = [
        Self::Scheduled,
        Self::Issuing,
        Self::Active,
        Self::Unknown,
        Self::Revoking,
        Self::Stuck,
        Self::Ended,
        Self::Failed,
        Self::Cancelled,
    ];

    /// The word for it, in the database and for people.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Scheduled => "scheduled",
            Self::Issuing => "issuing",
            Self::Active => "active",
            Self::Unknown => "unknown",
            Self::Revoking => "revoking",
            Self::Stuck => "stuck",
            Self::Ended => "ended",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        }
    }

    /// The state with this word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == word)
    }

    /// Whether nothing of it is due any more.
    #[must_use]
    pub const fn is_over(self) -> bool {
        matches!(self, Self::Ended | Self::Failed | Self::Cancelled)
    }

    /// The state after an event.
    ///
    /// # Errors
    /// [`IllegalTransition`] naming both, when the event can't happen in this state.
    pub fn next(self, event: GrantEvent) -> Result<Self, IllegalTransition> {
        use GrantEvent as E;
        Ok(match (self, event) {
            // A retry of an issue whose outcome is unknown records its intent again.
            (Self::Scheduled | Self::Issuing | Self::Unknown, E::BeginIssue) => Self::Issuing,
            (Self::Issuing | Self::Unknown, E::Issued) => Self::Active,
            (Self::Issuing, E::OutcomeUnknown) => Self::Unknown,
            (Self::Issuing | Self::Unknown, E::AbsenceSeen) => Self::Failed,
            (Self::Scheduled, E::End) => Self::Cancelled,
            (Self::Issuing | Self::Unknown | Self::Active, E::End) => Self::Revoking,
            (Self::Revoking, E::TooManyFailures) => Self::Stuck,
            (Self::Stuck, E::TargetAnswers) => Self::Revoking,
            (Self::Revoking | Self::Stuck, E::EvidenceOfEnd) => Self::Ended,
            (Self::Ended | Self::Failed, E::SeenAgain) => Self::Revoking,
            (state, event) => {
                return Err(IllegalTransition {
                    state: state.as_str().into(),
                    event: format!("{event:?}"),
                });
            }
        })
    }
}

/// Why a grant ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EndingReason {
    /// Its deadline came.
    Deadline,
    /// The beneficiary needs it no longer.
    Done,
    /// An approver or security took it away.
    Revoked,
    /// Who asked for it or holds it left, or may no longer ask for it.
    Left,
    /// It could not be given within its activation allowance.
    NotActivated,
    /// When access was about to be given, it was no longer allowed, or no longer the same.
    RefusedAtActivation,
    /// The target refused for good while giving it; what may have been left is taken away.
    IssueFailed,
    /// The target showed it after its end.
    SeenAgain,
}

impl EndingReason {
    /// Every reason.
    pub const ALL: [Self; 8] = [
        Self::Deadline,
        Self::Done,
        Self::Revoked,
        Self::Left,
        Self::NotActivated,
        Self::RefusedAtActivation,
        Self::IssueFailed,
        Self::SeenAgain,
    ];

    /// The word for it in the database.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Deadline => "deadline",
            Self::Done => "done",
            Self::Revoked => "revoked",
            Self::Left => "left",
            Self::NotActivated => "not_activated",
            Self::RefusedAtActivation => "refused_at_activation",
            Self::IssueFailed => "issue_failed",
            Self::SeenAgain => "seen_again",
        }
    }

    /// The reason with this word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.as_str() == word)
    }
}

/// How it is known that access is gone. Never taken from our own books.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Evidence {
    /// The target was asked and showed no access.
    SeenGone,
    /// An end that the target itself enforces has passed.
    ExpiredAtTarget,
    /// The target accepted the end and can't be asked.
    ToldOnly,
    /// A person said so, with a reason.
    Settled,
}

impl Evidence {
    /// Every kind.
    pub const ALL: [Self; 4] = [
        Self::SeenGone,
        Self::ExpiredAtTarget,
        Self::ToldOnly,
        Self::Settled,
    ];

    /// The word for it in the database and the record.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::SeenGone => "seen_gone",
            Self::ExpiredAtTarget => "expired_at_target",
            Self::ToldOnly => "told_only",
            Self::Settled => "settled",
        }
    }

    /// The kind with this word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == word)
    }
}

/// Why and by whom an end was ordered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ending {
    /// Why.
    pub reason: EndingReason,
    /// Who, if a person did.
    pub by: Option<Identity>,
    /// When it was ordered.
    pub at: Timestamp,
    /// Why, in that person's words.
    pub why: Option<String>,
}

/// The access that an approved request became.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grant {
    /// Its reference; the same ten characters as its request's.
    pub id: GrantId,
    /// Number of its own within this database, from 1. Set by the store when it is inserted.
    pub serial: i64,
    /// Where it stands.
    pub state: GrantState,
    /// Who holds the access.
    pub beneficiary: Identity,
    /// What was approved.
    pub spec: Spec,
    /// Hash of `spec`.
    pub spec_hash: ContentHash,
    /// When it was approved.
    pub approved_at: Timestamp,
    /// Not given after this.
    pub activate_by: Timestamp,
    /// The latest moment that it can ever be.
    pub end_by: Timestamp,
    /// When it must have ended; set by the first intent to issue and never moved by a retry.
    pub deadline: Option<Timestamp>,
    /// The latest end that a target may have been told, by the machine's clock, by which targets judge.
    /// The same moment as the deadline, but where a target refused a later one, or that clock was set.
    pub native_deadline: Option<Timestamp>,
    /// When the last call to give access began whose outcome is not known: it may still take effect.
    /// None where the target answered for good.
    pub unsettled_since: Option<Timestamp>,
    /// When the target first said that access is there.
    pub active_at: Option<Timestamp>,
    /// The issuer's handle; never secret.
    pub handle: Option<serde_json::Value>,
    /// Whether its latest secret reached the beneficiary; none where the target made none.
    pub delivery: Option<Delivery>,
    /// Why it ends, once it does.
    pub ending: Option<Ending>,
    /// Failed attempts to take it away.
    pub revoke_failures: i64,
    /// When it became stuck, while it is.
    pub stuck_since: Option<Timestamp>,
    /// When it was over.
    pub ended_at: Option<Timestamp>,
    /// How that is known.
    pub evidence: Option<Evidence>,
}

impl Grant {
    /// When the access must be over: an early end's order, the deadline, or the latest possible end.
    #[must_use]
    pub fn due_end(&self) -> Timestamp {
        let deadline = self.deadline.unwrap_or(self.end_by);
        match &self.ending {
            Some(ending) => ending.at.min(deadline),
            None => deadline,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exactly_the_agreed_transitions_are_legal() {
        use GrantEvent as E;
        let events = [
            E::BeginIssue,
            E::Issued,
            E::OutcomeUnknown,
            E::AbsenceSeen,
            E::End,
            E::TooManyFailures,
            E::TargetAnswers,
            E::EvidenceOfEnd,
            E::SeenAgain,
        ];
        let mut legal: Vec<String> = Vec::new();
        for state in GrantState::ALL {
            for event in events {
                if let Ok(next) = state.next(event) {
                    legal.push(format!("{} {event:?} {}", state.as_str(), next.as_str()));
                }
            }
        }
        assert_eq!(
            legal,
            [
                "scheduled BeginIssue issuing",
                "scheduled End cancelled",
                "issuing BeginIssue issuing",
                "issuing Issued active",
                "issuing OutcomeUnknown unknown",
                "issuing AbsenceSeen failed",
                "issuing End revoking",
                "active End revoking",
                "unknown BeginIssue issuing",
                "unknown Issued active",
                "unknown AbsenceSeen failed",
                "unknown End revoking",
                "revoking TooManyFailures stuck",
                "revoking EvidenceOfEnd ended",
                "stuck TargetAnswers revoking",
                "stuck EvidenceOfEnd ended",
                "ended SeenAgain revoking",
                "failed SeenAgain revoking",
            ]
        );
    }
}
