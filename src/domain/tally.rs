//! What the record says of a time: numbers, and who did what. Pure, so that anybody can count again.

use std::collections::BTreeMap;

use serde_json::Value;

use super::audit::{AuditEntry, Head};
use super::audit_verify::RemovedEntries;
use super::grant::EndingReason;
use super::ids::{AccountId, GrantId, ResourceName};

/// From how many milliseconds on evidence that comes after the due end is an overrun: below, it is the
/// time that asking takes.
const OVERRUN_FROM_MS: i64 = 1_000;

/// Early ends that are kept one by one; all of them are counted.
const EARLY_KEPT: usize = 100;

/// An access that something was done about, as its entry names it. Entries of earlier versions name
/// neither.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Access {
    /// What.
    pub resource: Option<ResourceName>,
    /// Whose.
    pub of: Option<AccountId>,
}

/// Who or what approved.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum ApprovedBy {
    /// A person.
    Person(AccountId),
    /// The rule with this id.
    Rule(String),
}

/// Something that was tried and refused. What was typed stays out: it may hold a secret.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Try {
    /// Who; none where nobody acted, as when access was about to be given.
    pub by: Option<AccountId>,
    /// What, e.g. `approve`.
    pub tried: String,
    /// Why not: the refusal's code.
    pub refusal: String,
    /// About which access, as far as there is one.
    pub about: Access,
}

/// An end that somebody ordered before the deadline.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EarlyEnd {
    /// Who.
    pub by: Option<AccountId>,
    /// Given back or revoked.
    pub reason: EndingReason,
    /// Of which access.
    pub about: Access,
    /// Why, in that person's words, unless erased.
    pub why: Option<String>,
}

/// An end that was seen later than it was due.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Overrun {
    /// By how many seconds.
    pub late_s: i64,
    /// Which.
    pub grant: GrantId,
    /// Of which access.
    pub about: Access,
}

/// What the entries of a time say.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tally {
    /// Requests that were made.
    pub requested: i64,
    /// Requests that people approved.
    pub approved_by_people: i64,
    /// Requests that a rule approved.
    pub approved_by_rule: i64,
    /// Denied.
    pub denied: i64,
    /// Tried and refused.
    pub refused: i64,
    /// Ran out undecided.
    pub expired: i64,
    /// Withdrawn.
    pub withdrawn: i64,
    /// Accesses that began.
    pub issued: i64,
    /// Could not be given.
    pub failed: i64,
    /// Ended before the target was ever called.
    pub cancelled: i64,
    /// Accesses that ended.
    pub ended: i64,
    /// Of these, only told.
    pub told_only: i64,
    /// Of these, seen to be over later than due.
    pub overruns: i64,
    /// Of these, ended in time by the target itself, so that only the evidence was late.
    pub seen_late: i64,
    /// The longest overrun.
    pub longest_overrun: Option<Overrun>,
    /// Given back before the deadline.
    pub given_back: i64,
    /// Revoked before the deadline.
    pub revoked: i64,
    /// Ended because their holder left.
    pub left: i64,
    /// Requests that were cancelled because who asked left.
    pub cancelled_requests: i64,
    /// Requests for more time that were cancelled because the access had ended.
    pub pointless: i64,
    /// Later ends that the target holds.
    pub extended: i64,
    /// Later ends that were approved and could not be given.
    pub not_extended: i64,
    /// Who asked for what, and how often.
    pub asked: BTreeMap<(AccountId, ResourceName), i64>,
    /// Who asked for what for the first time ever.
    pub first_time: BTreeMap<(AccountId, ResourceName), i64>,
    /// Who or what approved whose access; also each approval of several that were needed.
    pub approvals: BTreeMap<(ApprovedBy, Access), i64>,
    /// Who denied whose request.
    pub denials: BTreeMap<(Option<AccountId>, Access), i64>,
    /// What nobody decided.
    pub undecided: BTreeMap<Access, i64>,
    /// Who tried what.
    pub tries: BTreeMap<Try, i64>,
    /// The first early ends.
    pub early: Vec<EarlyEnd>,
    /// Old entries of the record that were removed.
    pub removed: Option<RemovedEntries>,
    /// About whom texts beside the record were erased, and how many.
    pub erased: BTreeMap<AccountId, i64>,
}

impl Tally {
    /// Counts an entry.
    pub fn count(&mut self, entry: &AuditEntry) {
        let t = self;
        let Ok(body) = serde_json::from_str::<Value>(&entry.body) else {
            return;
        };
        let facts = &body["facts"];
        let fact = |key: &str| facts[key].as_str().unwrap_or_default();
        let actor = account(&body["actor"]);
        let about = Access {
            resource: resource(&facts["resource"]),
            of: account(&facts["of"]),
        };
        match body["kind"].as_str().unwrap_or_default() {
            "requested" => {
                t.requested += 1;
                if let (Some(who), Some(what)) = (actor, about.resource) {
                    if facts["first_time"] == true {
                        once_more(&mut t.first_time, (who.clone(), what.clone()));
                    }
                    once_more(&mut t.asked, (who, what));
                }
            }
            "approved" => {
                // One approval of several is not yet an approved request.
                let enough = facts["enough"] != false;
                let by = if fact("decider") == "rule" {
                    t.approved_by_rule += i64::from(enough);
                    let rule = body["rules"][0].as_str().unwrap_or_default();
                    Some(ApprovedBy::Rule(rule.to_owned()))
                } else {
                    t.approved_by_people += i64::from(enough);
                    actor.map(ApprovedBy::Person)
                };
                if let Some(by) = by {
                    once_more(&mut t.approvals, (by, about));
                }
            }
            "denied" => {
                t.denied += 1;
                once_more(&mut t.denials, (actor, about));
            }
            "refused" => {
                t.refused += 1;
                let tried = Try {
                    by: actor,
                    tried: fact("tried").to_owned(),
                    refusal: fact("refusal").to_owned(),
                    about,
                };
                once_more(&mut t.tries, tried);
            }
            "expired" => {
                t.expired += 1;
                once_more(&mut t.undecided, about);
            }
            "withdrawn" => t.withdrawn += 1,
            "issued" => t.issued += 1,
            "issue_failed" => t.failed += 1,
            "grant_cancelled" => t.cancelled += 1,
            "cancelled" if facts["left"].is_string() => t.cancelled_requests += 1,
            "cancelled" => t.pointless += 1,
            "extended" => t.extended += 1,
            "not_extended" => t.not_extended += 1,
            "end_ordered" => t.early_end(fact("reason"), actor, about, entry),
            "ended" => t.end(&body, about),
            "segment_removed" => t.removal(facts),
            "erased" => {
                if let Some(of) = about.of {
                    *t.erased.entry(of).or_default() += facts["texts"].as_i64().unwrap_or(0);
                }
            }
            _ => {}
        }
    }

    fn early_end(
        &mut self,
        reason: &str,
        by: Option<AccountId>,
        about: Access,
        entry: &AuditEntry,
    ) {
        let reason = match EndingReason::parse(reason) {
            Some(reason @ EndingReason::Done) => {
                self.given_back += 1;
                reason
            }
            Some(reason @ EndingReason::Revoked) => {
                self.revoked += 1;
                reason
            }
            Some(EndingReason::Left) => {
                self.left += 1;
                return;
            }
            _ => return,
        };
        if self.early.len() < EARLY_KEPT {
            self.early.push(EarlyEnd {
                by,
                reason,
                about,
                why: entry.text.as_ref().map(|beside| beside.text.clone()),
            });
        }
    }

    fn end(&mut self, body: &Value, about: Access) {
        let facts = &body["facts"];
        self.ended += 1;
        self.told_only += i64::from(facts["evidence"] == "told_only");
        let late_ms = facts["lag_ms"].as_i64().unwrap_or(0);
        if late_ms < OVERRUN_FROM_MS {
            return;
        }
        self.overruns += 1;
        let by_itself = facts["evidence"] == "expired_at_target" && facts["reason"] == "deadline";
        self.seen_late += i64::from(by_itself);
        let late_s = late_ms / 1_000;
        let longest = self.longest_overrun.as_ref();
        if longest.is_none_or(|longest| longest.late_s < late_s)
            && let Some(grant) = body["grant"].as_str().and_then(|id| GrantId::new(id).ok())
        {
            self.longest_overrun = Some(Overrun {
                late_s,
                grant,
                about,
            });
        }
    }

    fn removal(&mut self, facts: &Value) {
        let moment = |key: &str| {
            let ms = facts[key].as_i64()?;
            chrono::DateTime::from_timestamp_millis(ms)
        };
        let head = facts["head"]
            .as_str()
            .and_then(|head| head.parse::<Head>().ok());
        let (Some(from), Some(to), Some(first_at), Some(last_at)) = (
            facts["from"].as_i64(),
            head,
            moment("first_at"),
            moment("last_at"),
        ) else {
            return;
        };
        let before = self.removed.unwrap_or(RemovedEntries {
            count: 0,
            first_at,
            last_at,
        });
        self.removed = Some(RemovedEntries {
            count: before.count + to.count - from + 1,
            first_at: before.first_at,
            last_at,
        });
    }

    /// Whether nothing at all happened.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

fn once_more<K: Ord>(counted: &mut BTreeMap<K, i64>, key: K) {
    *counted.entry(key).or_default() += 1;
}

fn account(value: &Value) -> Option<AccountId> {
    AccountId::new(value.as_str()?).ok()
}

fn resource(value: &Value) -> Option<ResourceName> {
    ResourceName::new(value.as_str()?).ok()
}
