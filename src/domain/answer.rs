//! What the person who acted is told, as data. Sentences stand in `chat::wording`.

use serde::{Deserialize, Serialize};

use super::command::{ListOf, WantedEnd};
use super::grant::{EndingReason, Evidence, GrantState};
use super::ids::{AccountId, GrantId, Place, RequestId, ResourceName};
use super::person::Subject;
use super::refusal::Refusal;
use super::request::RequestState;
use super::spec::Risk;
use super::timing::Timestamp;

/// The answer to an act. What it says is committed before it is given.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "answer", rename_all = "snake_case")]
pub enum Answer {
    /// Not done, and why.
    Refused(Refusal),
    /// A request stands and waits for people.
    Received(Summary),
    /// A rule approved it at once.
    ApprovedByRule(Summary),
    /// An equal request is open, or was just approved; this is it.
    AlreadyThere(Summary),
    /// The approval counts.
    Approved(Summary),
    /// This person's approval counts already; others are needed.
    ApprovedAlready(Summary),
    /// The denial counts.
    Denied(Summary),
    /// The denial needs a reason; a form asks for it.
    WhyDeny(Summary),
    /// A request for more time stands and waits for people.
    ExtensionReceived(Summary),
    /// A rule approved more time at once.
    ExtensionByRule(Summary),
    /// How it is used is being told again.
    SendingAgain(Summary),
    /// The target makes another secret, which is then told.
    MakingAnew(Summary),
    /// Taken back.
    Withdrawn(Summary),
    /// The access is being taken away.
    Ending(Summary),
    /// Requests and grants.
    List(List),
    /// One request in full.
    Status(Box<Status>),
    /// What this person may ask for.
    Resources(Vec<Offer>),
    /// Who may ask for a resource, who decides, who holds it.
    Who(Box<Who>),
    /// What would happen.
    Explained(Box<Explained>),
    /// A form to ask with.
    RequestForm(Box<RequestForm>),
    /// A form to ask for more time with.
    ExtendForm(Box<ExtendForm>),
    /// Which public key is known.
    Key(KeyAnswer),
    /// Everything that is this person's.
    Home(Box<Home>),
    /// How the commands work; resources that this person may ask for.
    Help(Vec<ResourceName>),
}

/// A request and its grant in one line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Summary {
    /// Its reference.
    pub id: RequestId,
    /// The resource.
    pub resource: ResourceName,
    /// Its title.
    pub title: String,
    /// Where the request stands.
    pub state: RequestState,
    /// Where the grant stands.
    pub grant: Option<GrantState>,
    /// Seconds that were asked for.
    pub duration_s: i64,
    /// When it expires undecided.
    pub pending_until: Timestamp,
    /// When the access ends, once that is set.
    pub deadline: Option<Timestamp>,
    /// Where the card stands.
    pub card_place: Option<Place>,
    /// Groups that can approve it.
    pub approvers: Vec<Subject>,
    /// Who asked.
    #[serde(default)]
    pub requester: Option<AccountId>,
    /// For more time: the end that held when it was asked, and the end that is asked for.
    #[serde(default)]
    pub extends: Option<(Timestamp, Timestamp)>,
}

/// Which public key of somebody is known.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyAnswer {
    /// What became of it, where something did.
    pub done: Option<KeyChange>,
    /// Whose it is; none for who asks.
    #[serde(default)]
    pub of: Option<AccountId>,
    /// Its fingerprint; none where no key is known.
    pub fingerprint: Option<String>,
    /// When it was given in chat; none where the config names it.
    pub given_at: Option<Timestamp>,
    /// Whether one can be given in chat.
    pub taken_in_chat: bool,
}

/// What became of somebody's public key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KeyChange {
    /// It is theirs from now on.
    Given,
    /// It was theirs already.
    Unchanged,
    /// It is forgotten.
    Forgotten,
}

/// Requests and grants, at most as many as one message shows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct List {
    /// Which.
    pub of: ListOf,
    /// What is held, the next to end first.
    pub live: Vec<Summary>,
    /// What waits, the next to run out first.
    pub open: Vec<Summary>,
    /// There is more than these.
    pub more: bool,
}

/// Everything that is one person's, at one moment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Home {
    /// What they hold, and what they asked for.
    pub mine: List,
    /// What they can decide.
    pub waiting: List,
    /// What they may ask for.
    pub offers: Vec<Offer>,
    /// When this was true.
    pub at: Timestamp,
}

/// A resource as somebody who may ask for it sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Offer {
    /// Its name.
    pub resource: ResourceName,
    /// Its title.
    pub title: String,
    /// Project.
    pub project: String,
    /// Action.
    pub action: String,
    /// Risk.
    pub risk: Risk,
    /// Seconds when none are asked for.
    pub default_s: i64,
    /// The most seconds.
    pub max_s: i64,
    /// How many people must approve.
    pub approvals: i64,
    /// Who may approve.
    pub approvers: Vec<Subject>,
    /// For so many seconds at most a rule approves it for this person.
    pub by_rule_up_to_s: Option<i64>,
    /// Nobody knows yet who this person is on its target, so asking is refused.
    #[serde(default)]
    pub account_missing: bool,
}

/// Who may ask for a resource, who decides, who holds it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Who {
    /// The resource.
    pub offer: Offer,
    /// Who may ask.
    pub requesters: Vec<Subject>,
    /// Who holds it and until when, the next to end first; none where that is not for this person.
    pub holders: Option<Vec<(AccountId, Option<Timestamp>)>>,
}

/// What would happen to a request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Explained {
    /// The resource.
    pub offer: Offer,
    /// Seconds.
    pub duration_s: i64,
    /// The rule that lets the person ask.
    pub asked_under: String,
    /// The rule that would approve it at once.
    pub approved_under: Option<String>,
}

/// A form to ask with: what may be asked for, and what is known already.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RequestForm {
    /// What this person may ask for.
    pub offers: Vec<Offer>,
    /// The resource, if it was named and may be asked for.
    pub resource: Option<ResourceName>,
    /// The duration as typed.
    pub end: Option<WantedEnd>,
    /// Why.
    pub reason: Option<String>,
}

/// A form to ask for more time with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExtendForm {
    /// What is held.
    pub summary: Summary,
    /// Seconds to propose.
    pub propose_s: i64,
    /// The latest end that may be asked for.
    pub latest: Timestamp,
}

/// Everything about one request that its people may know.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Status {
    /// The line.
    pub summary: Summary,
    /// Who asked.
    pub requester: AccountId,
    /// Project.
    pub project: String,
    /// Action.
    pub action: String,
    /// Risk.
    pub risk: Risk,
    /// Why.
    pub reason: Option<String>,
    /// When it was asked.
    pub submitted_at: Timestamp,
    /// Who or what decided, in order.
    pub decisions: Vec<DecisionLine>,
    /// More time that was given: what asked for it, and until when.
    #[serde(default)]
    pub more_time: Vec<(RequestId, Timestamp)>,
    /// How the access ends or ended.
    pub end: Option<EndLine>,
}

/// One decision.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DecisionLine {
    /// Approve (or deny).
    pub approved: bool,
    /// Who; none for a rule.
    pub by: Option<AccountId>,
    /// Rules that made or allowed it.
    pub rules: Vec<String>,
    /// Why, in the person's words.
    #[serde(default)]
    pub why: Option<String>,
    /// When.
    pub at: Timestamp,
}

/// How an access ends.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EndLine {
    /// The grant.
    pub grant: GrantId,
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
