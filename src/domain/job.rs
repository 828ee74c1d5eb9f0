//! Durable work: what must still happen, and when. A job carries ids; its handler loads what is true.
//! How each kind is enqueued stands in `job_order`.

use serde::{Deserialize, Serialize};

use super::answer::Answer;
use super::command::MessageRef;
use super::departure::Departure;
use super::directory::GroupNews;
use super::ids::{AccountId, GrantId, IssuerName, Place, RequestId};
use super::policy_news::PolicyNews;
use super::refusal::Refusal;
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
    /// Tell the target the later end of an approved extension.
    Extend {
        /// The request that asked for it.
        request: RequestId,
    },
    /// Let a request that nobody decided run out.
    ExpireRequest {
        /// Which.
        request: RequestId,
    },
    /// Ask a platform for the facts about people and groups that are due.
    RefreshFacts {
        /// E.g. `slack`.
        platform: String,
    },
    /// Decide a request that waits for facts, or refuse it when they did not come in time.
    DecideChecked {
        /// Which.
        request: RequestId,
    },
    /// Look whether this account may still have what it asked for or would receive.
    CheckHolder {
        /// Whose.
        account: AccountId,
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
    /// Tell the requester why what they asked for was refused after all.
    NotifyRefused {
        /// Which.
        request: RequestId,
        /// Why.
        refusal: Box<Refusal>,
    },
    /// Tell the beneficiary that access works, and how.
    NotifyReady {
        /// Which.
        grant: GrantId,
    },
    /// Tell the beneficiary again how access is used, because they asked for it.
    SendAgain {
        /// Which.
        grant: GrantId,
        /// Which of the beneficiary's accounts asked.
        account: AccountId,
    },
    /// Draw a reminder as it is true now: its buttons go once they have nothing to do.
    SyncReminder {
        /// Which.
        grant: GrantId,
        /// The reminder.
        on: MessageRef,
    },
    /// Tell the beneficiary that access works for longer.
    NotifyExtended {
        /// The request that asked for it.
        request: RequestId,
    },
    /// Tell the beneficiary that an approved extension is not given.
    NotifyNotExtended {
        /// The request that asked for it.
        request: RequestId,
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
    /// Draw somebody's Home tab as it is true now.
    SyncHome {
        /// Whose.
        account: AccountId,
    },
    /// Write into a card's thread what happened since it was last written.
    History {
        /// Whose.
        request: RequestId,
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
    /// Tell a channel of security that the machine's clock was set anew.
    TellClock {
        /// Where.
        place: Place,
        /// By how much, in milliseconds; negative when it was set back.
        by_ms: i64,
    },
    /// Tell a channel of security whose access ends because they left.
    TellLeft {
        /// Where.
        place: Place,
        /// Who.
        account: AccountId,
        /// Why.
        why: Departure,
        /// What ends.
        grants: Vec<GrantId>,
    },
    /// Tell a channel of security that a group lost many people, or has them again.
    TellGroup {
        /// Where.
        place: Place,
        /// Its name in the config.
        group: String,
        /// What.
        news: GroupNews,
    },
    /// Tell a channel of security that a platform's directory can't be asked.
    TellDirectoryFails {
        /// Where.
        place: Place,
        /// E.g. `slack`.
        platform: String,
        /// What it said.
        said: String,
    },
    /// Tell a channel of security that it can be asked again.
    TellDirectoryAnswers {
        /// Where.
        place: Place,
        /// E.g. `slack`.
        platform: String,
    },
    /// Tell a channel of security that another channel can't be posted to.
    TellPlaceLost {
        /// Which.
        lost: Place,
        /// Where it is told.
        place: Place,
        /// What the platform said.
        said: String,
    },
    /// Tell a channel of security that a channel can be posted to again.
    TellPlaceBack {
        /// Which.
        back: Place,
        /// Where it is told.
        place: Place,
    },
    /// Tell a person of security privately what no channel of security can be told.
    Privately {
        /// Whom.
        account: AccountId,
        /// What: a message to a channel of security.
        message: Box<JobKind>,
    },
    /// Give a channel of security the message that it missed, once it can be posted to again.
    OnceBack {
        /// What: the message to that channel.
        message: Box<JobKind>,
    },
    /// A channel can't be posted to: look whether it can again. While this job waits, that is known
    /// and was told.
    WatchPlace {
        /// Which.
        place: Place,
        /// What the platform said.
        said: String,
        /// Whether looking at the channel shows it; otherwise only a post that succeeds does.
        shows: bool,
    },
    /// Look whether the channels can be posted to in which cards wait for a press.
    LookAtPlaces,
    /// Tell the requester where their request is seen now, if anywhere.
    NotifyWhere {
        /// Which.
        request: RequestId,
    },
    /// Tell a channel of security what became of a config.
    TellPolicy {
        /// Where.
        place: Place,
        /// What.
        news: PolicyNews,
    },
    /// Put onto a target what must stand there whatever grants there are; at each start.
    Publish {
        /// The issuer instance.
        issuer: IssuerName,
    },
    /// Make the digest of the scheduled moment that it runs at, and wait for the next. The moment is
    /// not in the kind: a job that is ordered anew while it runs keeps its kind.
    DigestDue,
    /// Tell a channel of security the day.
    Digest {
        /// Which digest.
        digest: i64,
        /// Where.
        place: Place,
    },
}

impl JobKind {
    /// The channel of security that this message is for. Security gets it, whatever becomes of the
    /// channel; none for everything else.
    #[must_use]
    pub fn security_place(&self) -> Option<&Place> {
        match self {
            Self::TellStuck { place, .. }
            | Self::TellHealed { place, .. }
            | Self::TellCardLost { place, .. }
            | Self::TellClock { place, .. }
            | Self::TellPlaceLost { place, .. }
            | Self::TellPlaceBack { place, .. }
            | Self::TellLeft { place, .. }
            | Self::TellGroup { place, .. }
            | Self::TellDirectoryFails { place, .. }
            | Self::TellDirectoryAnswers { place, .. }
            | Self::TellPolicy { place, .. }
            | Self::Digest { place, .. } => Some(place),
            Self::Issue { .. }
            | Self::Extend { .. }
            | Self::RefreshFacts { .. }
            | Self::DecideChecked { .. }
            | Self::CheckHolder { .. }
            | Self::NotifyRefused { .. }
            | Self::NotifyExtended { .. }
            | Self::NotifyNotExtended { .. }
            | Self::SendAgain { .. }
            | Self::SyncReminder { .. }
            | Self::SyncHome { .. }
            | Self::History { .. }
            | Self::Revoke { .. }
            | Self::ExpireRequest { .. }
            | Self::SyncCard { .. }
            | Self::StrikeCopy { .. }
            | Self::NotifyDecided { .. }
            | Self::NotifyReady { .. }
            | Self::Remind { .. }
            | Self::NotifyEnded { .. }
            | Self::AnswerPress { .. }
            | Self::Privately { .. }
            | Self::OnceBack { .. }
            | Self::WatchPlace { .. }
            | Self::LookAtPlaces
            | Self::NotifyWhere { .. }
            | Self::Publish { .. }
            | Self::DigestDue => None,
        }
    }

    /// The same message to another channel of security.
    #[must_use]
    pub fn to_place(&self, to: &Place) -> Self {
        let mut other = self.clone();
        match &mut other {
            Self::TellStuck { place, .. }
            | Self::TellHealed { place, .. }
            | Self::TellCardLost { place, .. }
            | Self::TellClock { place, .. }
            | Self::TellPlaceLost { place, .. }
            | Self::TellPlaceBack { place, .. }
            | Self::TellLeft { place, .. }
            | Self::TellGroup { place, .. }
            | Self::TellDirectoryFails { place, .. }
            | Self::TellDirectoryAnswers { place, .. }
            | Self::TellPolicy { place, .. }
            | Self::Digest { place, .. } => *place = to.clone(),
            _ => {}
        }
        other
    }
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

    /// Questions to the directory of one platform.
    #[must_use]
    pub fn directory(platform: &str) -> Self {
        Self(format!("directory:{platform}"))
    }

    /// Looks at one channel, or at all.
    #[must_use]
    pub fn look(what: &str) -> Self {
        Self(format!("look:{what}"))
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
    /// When it was due.
    pub run_at: Timestamp,
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
