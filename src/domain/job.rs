//! Durable work: what must still happen, and when. A job carries ids; its handler loads what is true.

use serde::{Deserialize, Serialize};

use super::answer::Answer;
use super::command::MessageRef;
use super::ids::{AccountId, GrantId, IssuerName, Place, RequestId};
use super::spec::Spec;
use super::timing::Timestamp;

/// What must happen. The serialised form is stored: a variant's name is never changed, and a field
/// that is added has a default, so that jobs of an older version still run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "job", rename_all = "snake_case")]
pub enum JobKind {
    /// Give the access.
    Issue {
        /// Whose.
        grant: GrantId,
    },
    /// Take the access away; due at the deadline.
    Revoke {
        /// Whose.
        grant: GrantId,
    },
    /// Let a request that nobody decided run out.
    ExpireRequest {
        /// Which.
        request: RequestId,
    },
    /// Draw the card as it is true now.
    SyncCard {
        /// Whose.
        request: RequestId,
    },
    /// Make another copy of a card say that it is one.
    StrikeCopy {
        /// Whose.
        request: RequestId,
        /// The copy.
        copy: MessageRef,
    },
    /// Tell the requester that it was decided.
    NotifyDecided {
        /// Which.
        request: RequestId,
    },
    /// Tell the beneficiary that access works, and how.
    NotifyReady {
        /// Which.
        grant: GrantId,
    },
    /// Tell the beneficiary that it ends soon.
    Remind {
        /// Which.
        grant: GrantId,
        /// Seconds before the deadline, one reminder each.
        before_s: i64,
    },
    /// Tell the beneficiary that it is over.
    NotifyEnded {
        /// Which.
        grant: GrantId,
    },
    /// Tell somebody privately what came of their press.
    AnswerPress {
        /// Where they pressed.
        place: Place,
        /// Who.
        account: AccountId,
        /// What.
        answer: Box<Answer>,
    },
    /// Tell a channel of security about a revocation that keeps failing.
    TellStuck {
        /// Which.
        grant: GrantId,
        /// Where.
        place: Place,
    },
    /// Tell a channel of security that a stuck revocation succeeded.
    TellHealed {
        /// Which.
        grant: GrantId,
        /// Where.
        place: Place,
    },
    /// Tell a channel of security that a card could not be posted.
    TellCardLost {
        /// Which.
        request: RequestId,
        /// Where.
        place: Place,
        /// What the platform said.
        said: String,
    },
    /// Make the digest of a scheduled moment, and wait for the next.
    DigestDue {
        /// The moment, in milliseconds since 1970.
        slot_ms: i64,
    },
    /// Tell a channel of security the day.
    Digest {
        /// Which digest.
        digest: i64,
        /// Where.
        place: Place,
    },
}

/// The queue that a job waits in: lanes take turns, and one that is sick holds up no other.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Lane(pub String);

impl Lane {
    /// Calls to one issuer instance.
    #[must_use]
    pub fn issuer(name: &IssuerName) -> Self {
        Self(format!("issuer:{name}"))
    }

    /// Messages to one channel or person.
    #[must_use]
    pub fn chat(whereto: &str) -> Self {
        Self(format!("chat:{whereto}"))
    }

    /// What needs nobody outside.
    #[must_use]
    pub fn engine() -> Self {
        Self("engine".into())
    }

    /// Jobs of this lane that may be in flight together. A chat lane keeps its order.
    #[must_use]
    pub fn in_flight_max(&self) -> usize {
        if self.0.starts_with("issuer:") { 4 } else { 1 }
    }
}

/// What to do when a job with the same key is waiting already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnDuplicate {
    /// Leave it; drop the new one.
    Keep,
    /// Move it to the new moment. If it is running, it runs again afterwards.
    Move,
    /// Move it to the new moment if that is earlier. If it is running, it runs again afterwards.
    MoveEarlier,
}

/// A job to be enqueued with the change that makes it necessary.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobOrder {
    /// What.
    pub kind: JobKind,
    /// Unique among jobs that are not finished.
    pub key: String,
    /// Where it waits.
    pub lane: Lane,
    /// Jobs with the same value never run at the same time; for issuers, the account on the target.
    pub serial_key: Option<String>,
    /// Lower first within a lane: private answers, new cards, final cards, history.
    pub rank: i64,
    /// Not before.
    pub run_at: Timestamp,
    /// When its key is taken.
    pub on_duplicate: OnDuplicate,
}

fn holding_key(spec: &Spec) -> String {
    format!("{}|{}", spec.issuer, spec.account.id)
}

impl JobOrder {
    fn engine(kind: JobKind, key: String, run_at: Timestamp) -> Self {
        Self {
            kind,
            key,
            lane: Lane::engine(),
            serial_key: None,
            rank: 0,
            run_at,
            on_duplicate: OnDuplicate::Keep,
        }
    }

    fn chat(kind: JobKind, key: String, whereto: &str, rank: i64, run_at: Timestamp) -> Self {
        Self {
            kind,
            key,
            lane: Lane::chat(whereto),
            serial_key: None,
            rank,
            run_at,
            on_duplicate: OnDuplicate::Keep,
        }
    }

    /// Give access now.
    #[must_use]
    pub fn issue(grant: &GrantId, spec: &Spec, now: Timestamp) -> Self {
        Self {
            kind: JobKind::Issue {
                grant: grant.clone(),
            },
            key: format!("issue:{grant}"),
            lane: Lane::issuer(&spec.issuer),
            serial_key: Some(holding_key(spec)),
            rank: 1,
            run_at: now,
            on_duplicate: OnDuplicate::Keep,
        }
    }

    /// Take access away at the given moment; moves the job that is there.
    #[must_use]
    pub fn revoke(grant: &GrantId, spec: &Spec, at: Timestamp) -> Self {
        Self {
            kind: JobKind::Revoke {
                grant: grant.clone(),
            },
            key: format!("revoke:{grant}"),
            lane: Lane::issuer(&spec.issuer),
            serial_key: Some(holding_key(spec)),
            rank: 0,
            run_at: at,
            on_duplicate: OnDuplicate::Move,
        }
    }

    /// Let a request run out.
    #[must_use]
    pub fn expire(request: &RequestId, at: Timestamp) -> Self {
        Self::engine(
            JobKind::ExpireRequest {
                request: request.clone(),
            },
            format!("expire:{request}"),
            at,
        )
    }

    /// Draw the card at this place.
    #[must_use]
    pub fn sync_card(request: &RequestId, place: &Place, rank: i64, now: Timestamp) -> Self {
        Self {
            on_duplicate: OnDuplicate::MoveEarlier,
            ..Self::chat(
                JobKind::SyncCard {
                    request: request.clone(),
                },
                format!("card:{request}"),
                place.as_str(),
                rank,
                now,
            )
        }
    }

    /// Strike out a copy of a card.
    #[must_use]
    pub fn strike_copy(request: &RequestId, copy: &MessageRef, now: Timestamp) -> Self {
        Self::chat(
            JobKind::StrikeCopy {
                request: request.clone(),
                copy: copy.clone(),
            },
            format!("strike:{}:{}", copy.place, copy.message),
            copy.place.as_str(),
            2,
            now,
        )
    }

    /// Tell the requester of the decision.
    #[must_use]
    pub fn notify_decided(request: &RequestId, to: &AccountId, now: Timestamp) -> Self {
        Self::chat(
            JobKind::NotifyDecided {
                request: request.clone(),
            },
            format!("decided:{request}"),
            to.as_str(),
            0,
            now,
        )
    }

    /// Tell the beneficiary that it works.
    #[must_use]
    pub fn notify_ready(grant: &GrantId, to: &AccountId, now: Timestamp) -> Self {
        Self::chat(
            JobKind::NotifyReady {
                grant: grant.clone(),
            },
            format!("ready:{grant}"),
            to.as_str(),
            1,
            now,
        )
    }

    /// Remind the beneficiary; moves with the deadline.
    #[must_use]
    pub fn remind(grant: &GrantId, to: &AccountId, before_s: i64, at: Timestamp) -> Self {
        Self {
            on_duplicate: OnDuplicate::Move,
            ..Self::chat(
                JobKind::Remind {
                    grant: grant.clone(),
                    before_s,
                },
                format!("remind:{grant}:{before_s}"),
                to.as_str(),
                2,
                at,
            )
        }
    }

    /// Tell the beneficiary that it is over.
    #[must_use]
    pub fn notify_ended(grant: &GrantId, to: &AccountId, now: Timestamp) -> Self {
        Self::chat(
            JobKind::NotifyEnded {
                grant: grant.clone(),
            },
            format!("ended:{grant}:{}", now.timestamp_millis()),
            to.as_str(),
            3,
            now,
        )
    }

    /// Tell somebody what came of their press; `once` is the key of the press.
    #[must_use]
    pub fn answer_press(
        once: &str,
        place: &Place,
        account: &AccountId,
        answer: Answer,
        now: Timestamp,
    ) -> Self {
        Self::chat(
            JobKind::AnswerPress {
                place: place.clone(),
                account: account.clone(),
                answer: Box::new(answer),
            },
            format!("answer:{once}"),
            account.as_str(),
            0,
            now,
        )
    }

    /// Tell a channel of security of a stuck revocation.
    #[must_use]
    pub fn tell_stuck(grant: &GrantId, place: &Place, now: Timestamp) -> Self {
        Self::chat(
            JobKind::TellStuck {
                grant: grant.clone(),
                place: place.clone(),
            },
            format!("stuck:{grant}:{place}"),
            place.as_str(),
            0,
            now,
        )
    }

    /// Tell a channel of security that it is no longer stuck.
    #[must_use]
    pub fn tell_healed(grant: &GrantId, place: &Place, now: Timestamp) -> Self {
        Self::chat(
            JobKind::TellHealed {
                grant: grant.clone(),
                place: place.clone(),
            },
            format!("healed:{grant}:{place}"),
            place.as_str(),
            1,
            now,
        )
    }

    /// Tell a channel of security of a card that could not be posted.
    #[must_use]
    pub fn tell_card_lost(request: &RequestId, place: &Place, said: &str, now: Timestamp) -> Self {
        Self::chat(
            JobKind::TellCardLost {
                request: request.clone(),
                place: place.clone(),
                said: said.chars().take(300).collect(),
            },
            format!("cardlost:{request}:{place}"),
            place.as_str(),
            1,
            now,
        )
    }

    /// Make the digest of this scheduled moment; there is one such job at a time.
    #[must_use]
    pub fn digest_due(slot: Timestamp) -> Self {
        Self {
            on_duplicate: OnDuplicate::Move,
            ..Self::engine(
                JobKind::DigestDue {
                    slot_ms: slot.timestamp_millis(),
                },
                "digest-due".into(),
                slot,
            )
        }
    }

    /// Tell a channel of security the day.
    #[must_use]
    pub fn digest(digest: i64, place: &Place, now: Timestamp) -> Self {
        Self::chat(
            JobKind::Digest {
                digest,
                place: place.clone(),
            },
            format!("digest:{digest}:{place}"),
            place.as_str(),
            3,
            now,
        )
    }
}

/// A job that was claimed: nobody else runs it until the lease is over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Job {
    /// Row.
    pub id: i64,
    /// What.
    pub kind: JobKind,
    /// Its lane.
    pub lane: Lane,
    /// From 1, raised by each claim. Settling names it, so that a stale worker changes nothing.
    pub attempt: i64,
    /// Attempts that failed since it last succeeded or was moved; waiting for a reason is no failure.
    pub failures: i64,
    /// When the claim ends.
    pub lease_until: Timestamp,
}

/// Names one claim of one job; every settling is guarded by it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Claim {
    /// The job.
    pub job: i64,
    /// The attempt.
    pub attempt: i64,
}

impl Job {
    /// This claim.
    #[must_use]
    pub const fn claim(&self) -> Claim {
        Claim {
            job: self.id,
            attempt: self.attempt,
        }
    }
}

/// What becomes of a job after an attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Settle {
    /// Nothing is left to do.
    Done,
    /// It failed; again at this moment.
    Again {
        /// When.
        at: Timestamp,
        /// Why, without secrets.
        error: String,
    },
    /// It waits for this moment; no failure.
    Snooze(
        /// When.
        Timestamp,
    ),
    /// It can never succeed; kept and shown. Never for what ends access.
    GiveUp {
        /// Why, without secrets.
        error: String,
    },
}

/// How long a claim holds, in seconds. Every call that a handler makes is bounded well below it.
pub const LEASE_S: i64 = 60;

/// The longest that a handler may take for all of its calls, in seconds: shorter than the lease.
pub const HANDLER_MAX_S: u64 = 45;

/// Failures after which a revocation is called stuck.
pub const STUCK_AFTER: i64 = 5;

/// First wait and longest wait after a failed call to a target, in milliseconds.
pub const ISSUER_BACKOFF_MS: (i64, i64) = (2_000, 60_000);

/// First wait and longest wait after a failed call to a chat platform, in milliseconds.
pub const CHAT_BACKOFF_MS: (i64, i64) = (1_000, 120_000);

/// Failures after which a message (never a revocation) is given up.
pub const CHAT_ATTEMPTS_MAX: i64 = 40;
