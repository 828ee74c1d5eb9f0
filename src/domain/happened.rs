//! What happened to a request, read back from the record for people.

use serde_json::Value;

use super::audit::AuditEntry;
use super::grant::{EndingReason, Evidence};
use super::ids::{AccountId, RequestId};
use super::timing::Timestamp;

/// One thing that happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Happened {
    /// When.
    pub at: Timestamp,
    /// Who did it; none for a rule or jitbot itself.
    pub by: Option<AccountId>,
    /// What.
    pub what: What,
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum What {
    /// Approved; not yet by enough people where `enough` is false.
    Approved {
        /// Whether that was enough.
        enough: bool,
    },
    /// Denied.
    Denied,
    /// Taken back.
    Withdrawn,
    /// Ran out undecided.
    Expired,
    /// Ended by us before anybody decided: somebody left, or what it was about was over.
    Cancelled {
        /// Whether somebody left.
        left: bool,
    },
    /// Access works, until then.
    Given(Option<Timestamp>),
    /// The later end holds that this request asked for.
    Extended(Option<Timestamp>, Option<RequestId>),
    /// The later end is not given.
    NotExtended,
    /// It could not be given.
    NotGiven,
    /// Its end was ordered.
    EndOrdered(EndingReason),
    /// Taking it away keeps failing.
    Stuck,
    /// It is over, and this is how that is known.
    Ended(Evidence),
}

impl Happened {
    /// What an entry says, where people would want to read it in the thread of a card.
    #[must_use]
    pub fn read(entry: &AuditEntry) -> Option<Self> {
        let body: Value = serde_json::from_str(&entry.body).ok()?;
        let facts = &body["facts"];
        let moment = |key: &str| {
            facts[key]
                .as_i64()
                .and_then(chrono::DateTime::from_timestamp_millis)
        };
        let what = match body["kind"].as_str()? {
            "approved" => What::Approved {
                enough: facts["enough"] != false,
            },
            "denied" => What::Denied,
            "withdrawn" => What::Withdrawn,
            "expired" => What::Expired,
            "cancelled" => What::Cancelled {
                left: facts["left"].is_string(),
            },
            "issued" => What::Given(moment("deadline")),
            "extended" => {
                let asking = body["request"].as_str();
                let asking = asking.and_then(|id| RequestId::new(id).ok());
                What::Extended(moment("deadline"), asking)
            }
            "not_extended" => What::NotExtended,
            "issue_failed" => What::NotGiven,
            "end_ordered" => What::EndOrdered(EndingReason::parse(facts["reason"].as_str()?)?),
            "stuck" => What::Stuck,
            "ended" => What::Ended(Evidence::parse(facts["evidence"].as_str()?)?),
            _ => return None,
        };
        Some(Self {
            at: entry.at()?,
            by: body["actor"]
                .as_str()
                .and_then(|account| AccountId::new(account).ok()),
            what,
        })
    }
}
