//! Decisions: from what is known and what happened to everything that changes with it.
//!
//! Each function returns a [`Plan`]: rows to save, entries for the record, jobs. `service` carries a
//! plan out in one transaction and adds nothing of its own.

pub mod cancelling;
pub mod checking;
pub mod delivering;
pub mod ending;
pub mod extending;
pub mod giving;
pub mod keys;
pub mod requesting;
pub mod retrying;

use super::audit::AuditDraft;
use super::command::MessageRef;
use super::decision::Decision;
use super::directory::KeyRow;
use super::grant::{Grant, GrantState};
use super::ids::{AccountId, RequestId};
use super::job_order::JobOrder;
use super::request::{Request, RequestState};

/// One thing that changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// A new request.
    NewRequest(Box<Request>),
    /// A request that was in this state.
    Request(Box<Request>, RequestState),
    /// A decision.
    Decision(Box<Decision>),
    /// A new grant.
    NewGrant(Box<Grant>),
    /// A grant that was in this state.
    Grant(Box<Grant>, GrantState),
    /// Where a card stands.
    Card(RequestId, MessageRef),
    /// What is known of the key that an account gave in chat.
    Key(AccountId, KeyRow),
    /// Accounts of which the directory must be asked.
    Want(Vec<AccountId>),
    /// An entry for the record.
    Record(AuditDraft),
    /// A job.
    Job(JobOrder),
    /// A job that is no longer wanted, by its key.
    NoJob(String),
}

/// Everything that changes together.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Plan {
    /// In this order.
    pub changes: Vec<Change>,
}

impl Plan {
    fn push(&mut self, change: Change) -> &mut Self {
        self.changes.push(change);
        self
    }

    /// One more job.
    pub fn job(&mut self, order: JobOrder) -> &mut Self {
        self.push(Change::Job(order))
    }

    /// One more entry for the record.
    pub fn record(&mut self, draft: AuditDraft) -> &mut Self {
        self.push(Change::Record(draft))
    }

    /// Adds to an end that is ordered: under which rule, and why in the person's words.
    pub fn annotate(&mut self, policy: &super::spec::ContentHash, rule: String, why: &str) {
        for change in &mut self.changes {
            match change {
                Change::Record(draft) if draft.kind == super::audit::AuditKind::EndOrdered => {
                    *draft = draft.clone().under(policy, vec![rule.clone()]).text(why);
                }
                Change::Grant(grant, _) => {
                    if let Some(ending) = &mut grant.ending {
                        ending.why = Some(why.to_owned());
                    }
                }
                _ => {}
            }
        }
    }

    /// Adds a fact to the plan's entries of this kind.
    pub fn note(
        &mut self,
        kind: super::audit::AuditKind,
        key: &str,
        value: impl Into<serde_json::Value>,
    ) {
        let value = value.into();
        for change in &mut self.changes {
            if let Change::Record(draft) = change
                && draft.kind == kind
            {
                draft.facts.insert(key.to_owned(), value.clone());
            }
        }
    }

    fn draw(&mut self, request: &Request, rank: i64, now: super::timing::Timestamp) -> &mut Self {
        if let Some(place) = &request.card_place {
            self.job(JobOrder::sync_card(&request.id, place, rank, now));
        }
        self
    }
}

/// Ranks of a card's drawings within its channel: new ones before final ones before the rest.
pub(super) mod rank {
    pub const NEW: i64 = 1;
    pub const FINAL: i64 = 2;
    pub const LATER: i64 = 3;
}
