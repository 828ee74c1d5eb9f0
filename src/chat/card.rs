//! What a card and a letter say, before any platform draws them.

use crate::domain::answer::Answer;
use crate::domain::delivery::IssuedSecret;
use crate::domain::departure::Departure;
use crate::domain::directory::GroupNews;
use crate::domain::grant::{EndingReason, Evidence, GrantState};
use crate::domain::happened::Happened;
use crate::domain::ids::{AccountId, GrantId, Place, RequestId, ResourceName};
use crate::domain::person::Subject;
use crate::domain::policy_news::PolicyNews;
use crate::domain::record_news::RecordNews;
use crate::domain::refusal::Refusal;
use crate::domain::request::{ExtensionState, RequestState};
use crate::domain::spec::Risk;
use crate::domain::tally::Tally;
use crate::domain::timing::Timestamp;

/// How an access ends, as the issuer instance can do it; shown before anybody approves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HowItEnds {
    /// The target itself enforces the end.
    pub enforced_by_target: bool,
    /// It can be ended early.
    pub can_end_early: bool,
    /// An end can be seen, not only told.
    pub can_be_seen: bool,
    /// Sessions that are open go on after the end.
    pub sessions_outlive: bool,
}

/// A request as approvers and readers see it: what is true now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Card {
    /// The request.
    pub id: RequestId,
    /// Version that buttons carry.
    pub version: i64,
    /// Who asked.
    pub requester: AccountId,
    /// Who would receive it, if somebody else.
    pub beneficiary: Option<AccountId>,
    /// Resource.
    pub resource: ResourceName,
    /// Its title.
    pub title: String,
    /// Project.
    pub project: String,
    /// Action.
    pub action: String,
    /// Target, in words.
    pub target: String,
    /// What there, e.g. `principal:deploy`.
    pub entitlements: Vec<String>,
    /// Risk.
    pub risk: Risk,
    /// Seconds.
    pub duration_s: i64,
    /// Why; none once erased.
    pub reason: Option<String>,
    /// How it ends.
    pub how_it_ends: HowItEnds,
    /// What is notable, without guessing.
    pub notable: Vec<Notable>,
    /// Where the request stands.
    pub state: RequestState,
    /// Approvals that are still needed.
    pub approvals_missing: i64,
    /// Who may give them.
    pub approvers: Vec<Subject>,
    /// When it was asked.
    pub submitted_at: Timestamp,
    /// When it expires undecided.
    pub pending_until: Timestamp,
    /// Decisions so far.
    pub decisions: Vec<CardDecision>,
    /// The grant, once there is one; for more time, the one that is held.
    pub grant: Option<CardGrant>,
    /// Set where more time is asked for.
    pub extends: Option<CardExtension>,
    /// An open request for more time of this card's access, and the end that it asks for.
    pub more_time_asked: Option<(RequestId, Timestamp)>,
    /// More time that this card's access was given: what asked for it, and until when.
    pub more_time: Vec<(RequestId, Timestamp)>,
}

/// What a letter says of the secret that a target made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SecretNews {
    /// This is it.
    Here(IssuedSecret),
    /// It was sent before and goes on working.
    SentBefore,
    /// Nobody knows whether it was sent.
    MayBeLost,
}

/// One decision on a card.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CardDecision {
    /// Who; none for a rule.
    pub by: Option<AccountId>,
    /// Yes or no.
    pub approved: bool,
    /// Why, in the person's words.
    pub why: Option<String>,
    /// When.
    pub at: Timestamp,
}

/// More time, as a card shows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CardExtension {
    /// The end that held when it was asked.
    pub from: Timestamp,
    /// The end that is asked for.
    pub until: Timestamp,
    /// What became of it.
    pub state: ExtensionState,
}

/// The grant's part of a card.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CardGrant {
    /// Its id.
    pub id: GrantId,
    /// Where it stands.
    pub state: GrantState,
    /// When it must have ended, once that is set.
    pub deadline: Option<Timestamp>,
    /// Why it ends.
    pub reason: Option<EndingReason>,
    /// Who ended it.
    pub by: Option<AccountId>,
    /// Why, in that person's words.
    pub why: Option<String>,
    /// When it was over.
    pub ended_at: Option<Timestamp>,
    /// How that is known.
    pub evidence: Option<Evidence>,
    /// Since when taking it away has been failing.
    pub stuck_since: Option<Timestamp>,
}

/// Something that an approver would want to notice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Notable {
    /// This person's first request for this resource.
    FirstTime,
    /// This person holds the same already, until then.
    HoldsSame(Timestamp),
    /// So many other accesses of this person are live.
    HoldsOthers(i64),
    /// The target makes a secret, which goes to the beneficiary.
    MakesSecret,
    /// The access is for a public key that was given in chat.
    KeyFromChat {
        /// Its fingerprint.
        fingerprint: String,
        /// When.
        given_at: Timestamp,
    },
}

/// Why somebody is told how access is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Occasion {
    /// It works from now on.
    Given,
    /// It works for longer.
    MoreTime,
    /// They asked to be told again.
    Again,
}

/// A message to a person or a channel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Letter {
    /// The answer to a press, given privately.
    Answer(Answer),
    /// To the requester: decided by people or a rule, run out, or cancelled.
    Decided(Box<Card>),
    /// To the requester: what waited for facts was refused.
    Refused {
        /// What was asked for.
        card: Box<Card>,
        /// Why.
        refusal: Refusal,
    },
    /// To the beneficiary: access works.
    Ready {
        /// Why it is told.
        occasion: Occasion,
        /// What and until when.
        card: Box<Card>,
        /// How it is used.
        how_to_use: String,
        /// E.g. the certificate.
        document: Option<String>,
        /// Where the target makes secrets: what is to be said of it.
        secret: Option<SecretNews>,
    },
    /// To the beneficiary: the target makes no other secret.
    NotRenewed(Box<Card>),
    /// To the beneficiary: it ends soon.
    Reminder(Box<Card>),
    /// To the beneficiary: the more time that was approved is not given.
    NotExtended(Box<Card>),
    /// To the beneficiary: it is over, or could not be given.
    Ended(Box<Card>),
    /// Into a card's thread: what happened.
    History(Vec<Happened>),
    /// To security: taking access away keeps failing.
    Stuck {
        /// Which.
        card: Box<Card>,
        /// Failures so far.
        failures: i64,
        /// What the target said last.
        said: String,
    },
    /// To security: a stuck revocation succeeded.
    Healed(Box<Card>),
    /// To security: somebody left, and their accesses end.
    Left {
        /// Who.
        account: AccountId,
        /// Why.
        why: Departure,
        /// What ends.
        cards: Vec<Card>,
    },
    /// To security: a group lost many people, or has them again.
    Group {
        /// Its name in the config.
        group: String,
        /// What.
        news: GroupNews,
    },
    /// To security: a directory can't be asked.
    DirectoryFails {
        /// E.g. `slack`.
        platform: String,
        /// What it said.
        said: String,
    },
    /// To security: it can be asked again.
    DirectoryAnswers {
        /// E.g. `slack`.
        platform: String,
    },
    /// To security: the machine's clock was set anew.
    ClockSet {
        /// By how much, in milliseconds; negative when it was set back.
        by_ms: i64,
    },
    /// To security: a card could not be posted.
    CardLost {
        /// Which.
        card: Box<Card>,
        /// What the platform said.
        said: String,
    },
    /// To security: a channel can't be posted to.
    PlaceLost(Box<LostPlace>),
    /// To security: a channel can be posted to again.
    PlaceBack(
        /// Which.
        Place,
    ),
    /// To the requester: their card stands here now.
    SeenIn {
        /// Which.
        card: Box<Card>,
        /// Where.
        place: Place,
    },
    /// To the requester: no approver sees their request.
    Unseen(Box<Card>),
    /// To security: what became of a config that was read.
    Policy(PolicyNews),
    /// To security: something about the record itself.
    Record(RecordNews),
    /// To security: somebody's public key changed in chat.
    KeyChanged {
        /// Whose.
        of: AccountId,
        /// Who changed it; none where that is the same account.
        by: Option<AccountId>,
        /// The new one's fingerprint; none where it is forgotten.
        fingerprint: Option<String>,
    },
    /// To the person: their public key changed in chat.
    YourKeyChanged {
        /// Which of their accounts changed it.
        by: AccountId,
        /// The new one's fingerprint; none where it is forgotten.
        fingerprint: Option<String>,
    },
    /// To security: the day.
    Digest(Box<Digest>),
}

/// A channel that can't be posted to, and what becomes of what is for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LostPlace {
    /// Which.
    pub place: Place,
    /// What the platform said.
    pub said: String,
    /// Whether security reads there.
    pub is_securitys: bool,
    /// The first resources whose cards belong there.
    pub resources: Vec<ResourceName>,
    /// How many more there are.
    pub more_resources: usize,
    /// Where their cards go meanwhile.
    pub fallback: Option<Place>,
}

/// One day: what happened can be counted again from the record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Digest {
    /// From, exclusive of what an earlier digest told.
    pub from: Timestamp,
    /// To.
    pub to: Timestamp,
    /// What the entries of that time say.
    pub tally: Tally,
    /// Live now.
    pub active_now: i64,
    /// Waiting for a decision now.
    pub pending_now: i64,
    /// Which of them has been waiting the longest.
    pub longest_waiting: Option<Waiting>,
    /// How many are stuck now.
    pub stuck_count: i64,
    /// The first of them: what, whose, since when.
    pub stuck_now: Vec<(GrantId, ResourceName, AccountId, Timestamp)>,
    /// Entries in the record, and the hash of the last.
    pub head: (i64, String),
}

/// A request that waits for a decision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waiting {
    /// Which.
    pub request: RequestId,
    /// For what.
    pub resource: ResourceName,
    /// Whose.
    pub of: AccountId,
    /// For how long, in seconds.
    pub for_s: i64,
}
