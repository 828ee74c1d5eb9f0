//! What the person who acted is told, as data. Sentences stand in `chat::wording`.

use serde::{Deserialize, Serialize};

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
    /// The denial counts.
    Denied(Summary),
    /// Taken back.
    Withdrawn(Summary),
    /// The access is being taken away.
    Ending(Summary),
    /// My requests and grants.
    List(Vec<Summary>),
    /// One request in full.
    Status(Box<Status>),
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
