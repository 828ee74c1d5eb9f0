//! Numbers counted from the record.

use serde_json::Value;

use super::audit::AuditEntry;

/// What the entries of a time say, in numbers.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tally {
    /// Requests that were made.
    pub requested: i64,
    /// Approved by people.
    pub approved_by_people: i64,
    /// Approved by a rule.
    pub approved_by_rule: i64,
    /// Denied.
    pub denied: i64,
    /// Refused.
    pub refused: i64,
    /// Ran out undecided.
    pub expired: i64,
    /// Withdrawn.
    pub withdrawn: i64,
    /// Accesses that began.
    pub issued: i64,
    /// Accesses that ended.
    pub ended: i64,
    /// Of these, ended early by somebody.
    pub ended_early: i64,
    /// Of these, only told.
    pub told_only: i64,
    /// Could not be given.
    pub failed: i64,
    /// Longest time between due end and evidence, in milliseconds.
    pub longest_lag_ms: i64,
}

impl Tally {
    /// Counts an entry.
    pub fn count(&mut self, entry: &AuditEntry) {
        let t = self;
        let Ok(body) = serde_json::from_str::<Value>(&entry.body) else {
            return;
        };
        let fact = |key: &str| body["facts"][key].as_str().unwrap_or_default();
        match body["kind"].as_str().unwrap_or_default() {
            "requested" => t.requested += 1,
            // One approval of several is not yet an approved request.
            "approved" if body["facts"]["enough"] == false => {}
            "approved" if fact("decider") == "rule" => t.approved_by_rule += 1,
            "approved" => t.approved_by_people += 1,
            "denied" => t.denied += 1,
            "refused" => t.refused += 1,
            "expired" => t.expired += 1,
            "withdrawn" => t.withdrawn += 1,
            "issued" => t.issued += 1,
            "issue_failed" => t.failed += 1,
            "ended" => {
                t.ended += 1;
                t.ended_early += i64::from(matches!(fact("reason"), "done" | "revoked" | "left"));
                t.told_only += i64::from(fact("evidence") == "told_only");
                let lag = body["facts"]["lag_ms"].as_i64().unwrap_or(0);
                t.longest_lag_ms = t.longest_lag_ms.max(lag);
            }
            _ => {}
        }
    }
}
