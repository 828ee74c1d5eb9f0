//! Entries of the record, as they are counted.

use serde_json::Value;

use super::numbers::Numbers;
use crate::domain::audit::AuditEntry;
use crate::domain::ids::RequestId;
use crate::domain::timing::Timestamp;

/// An entry of the record that counts for something.
#[derive(Debug, Clone, PartialEq)]
pub enum Counted {
    /// A request stands.
    Requested,
    /// Something was refused.
    Refused(
        /// Why, as a code.
        String,
    ),
    /// A decision.
    Decided {
        /// Whether it was a rule's.
        by_rule: bool,
        /// Whether it was an approval.
        approved: bool,
        /// On which request, at what moment, where it settled it.
        settled: Option<(RequestId, Timestamp)>,
        /// How long the request waited for it, once that was looked up.
        after_s: Option<f64>,
    },
    /// A target says that access is there.
    Given,
    /// Access could not be given.
    NotGiven,
    /// A grant is over.
    Ended {
        /// How that is known.
        evidence: String,
        /// How long after it had to.
        lag_s: f64,
    },
}

impl Counted {
    /// What an entry counts for, if anything.
    #[must_use]
    pub fn read(entry: &AuditEntry) -> Option<Self> {
        let body: Value = serde_json::from_str(&entry.body).ok()?;
        let facts = &body["facts"];
        let word = |key: &str| facts[key].as_str().unwrap_or("other").to_owned();
        Some(match body["kind"].as_str()? {
            "requested" => Self::Requested,
            "refused" => Self::Refused(word("refusal")),
            kind @ ("approved" | "denied") => {
                let request = body["request"].as_str();
                let request = request.and_then(|id| RequestId::new(id).ok());
                Self::Decided {
                    by_rule: facts["decider"] == "rule",
                    approved: kind == "approved",
                    settled: request.zip(entry.at()).filter(|_| facts["enough"] != false),
                    after_s: None,
                }
            }
            "issued" => Self::Given,
            "issue_failed" => Self::NotGiven,
            "ended" => Self::Ended {
                evidence: word("evidence"),
                lag_s: facts["lag_ms"].as_f64()? / 1_000.0,
            },
            _ => return None,
        })
    }
}

impl Numbers {
    pub(super) fn count(&self, entry: &Counted) {
        match entry {
            Counted::Requested => {
                self.requests.inc();
            }
            Counted::Refused(why) => {
                self.refusals.get_or_create(&[("why", why.clone())]).inc();
            }
            Counted::Decided {
                by_rule,
                approved,
                after_s,
                ..
            } => {
                let by = ("by", if *by_rule { "rule" } else { "person" });
                let decision = if *approved { "approved" } else { "denied" };
                let of = [by, ("decision", decision)];
                self.decisions.get_or_create(&of).inc();
                if let Some(after_s) = after_s {
                    self.decision_times.get_or_create(&[by]).observe(*after_s);
                }
            }
            Counted::Given => {
                self.given.inc();
            }
            Counted::NotGiven => {
                self.not_given.inc();
            }
            Counted::Ended { evidence, lag_s } => {
                let of = [("evidence", evidence.clone())];
                self.ended.get_or_create(&of).inc();
                self.revocation_lag.observe(*lag_s);
            }
        }
    }
}
