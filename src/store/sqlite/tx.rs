//! One body's part of a write transaction.

use std::collections::BTreeSet;

use async_trait::async_trait;
use sqlx::SqliteConnection;

use super::claims::{self, Look, Moment};
use super::{directory, grants, jobs, kept, keys, record, requests};
use crate::domain::audit::{AuditDraft, Head};
use crate::domain::command::MessageRef;
use crate::domain::decision::Decision;
use crate::domain::directory::{DirectoryGroup, DirectoryHealth, KeyRow, KnownAccount};
use crate::domain::grant::{Grant, GrantState};
use crate::domain::ids::{AccountId, IssuerName, RequestId};
use crate::domain::job::{Claim, Job, Lane, Settle};
use crate::domain::job_order::JobOrder;
use crate::domain::request::{Request, RequestState};
use crate::domain::spec::ContentHash;
use crate::domain::steady::Jump;
use crate::domain::timing::Timestamp;
use crate::store::taking::Wanted;
use crate::store::{StoreError, Tx};

/// What the writer lends to a body, and learns from it.
pub(super) struct SqliteTx<'c> {
    conn: &'c mut SqliteConnection,
    /// The lane that had the last turn.
    turn: &'c mut String,
    at: Moment,
    /// The end of the record within this transaction.
    pub(super) head: Head,
    /// Whether anything was changed.
    pub(super) changed: bool,
    /// Whether jobs were enqueued or settled.
    pub(super) wakes: bool,
    /// Whether it is to be looked for jobs, claims that ran out among them.
    pub(super) looks: bool,
    /// The database failed under this body. A full disk may have undone the whole transaction
    /// already, and what is written after that would be kept by itself: nothing more is.
    pub(super) broken: Option<StoreError>,
}

impl<'c> SqliteTx<'c> {
    pub(super) fn new(
        conn: &'c mut SqliteConnection,
        turn: &'c mut String,
        at: Moment,
        head: Head,
    ) -> Self {
        Self {
            conn,
            turn,
            at,
            head,
            changed: false,
            wakes: false,
            looks: false,
            broken: None,
        }
    }

    pub(super) fn conn(&mut self) -> &mut SqliteConnection {
        self.conn
    }

    pub(super) fn begin(&mut self) -> Result<&mut SqliteConnection, StoreError> {
        match &self.broken {
            Some(error) => Err(error.clone()),
            None => Ok(self.conn),
        }
    }

    pub(super) fn end<T>(&mut self, result: Result<T, StoreError>) -> Result<T, StoreError> {
        match &result {
            Ok(_) => self.changed = true,
            Err(error @ (StoreError::Database(_) | StoreError::Closed)) => {
                self.broken = Some(error.clone());
            }
            Err(_) => {}
        }
        result
    }
}

#[async_trait]
impl Tx for SqliteTx<'_> {
    fn now(&self) -> Timestamp {
        self.at.now
    }

    fn machine_now(&self) -> Timestamp {
        self.at.machine_now
    }

    fn jump(&self) -> Option<Jump> {
        self.at.jump
    }

    async fn insert_request(&mut self, request: &Request) -> Result<(), StoreError> {
        let result = requests::insert(self.begin()?, request).await;
        self.end(result)
    }

    async fn save_request(
        &mut self,
        request: &Request,
        was: RequestState,
    ) -> Result<(), StoreError> {
        let result = requests::save(self.begin()?, request, was).await;
        self.end(result)
    }

    async fn insert_decision(&mut self, decision: &Decision) -> Result<(), StoreError> {
        let result = requests::insert_decision(self.begin()?, decision).await;
        self.end(result)
    }

    async fn insert_grant(&mut self, grant: &Grant) -> Result<i64, StoreError> {
        let result = grants::insert(self.begin()?, grant).await;
        self.end(result)
    }

    async fn save_grant(&mut self, grant: &Grant, was: GrantState) -> Result<(), StoreError> {
        let result = grants::save(self.begin()?, grant, was).await;
        self.end(result)
    }

    async fn record_history(&mut self, id: &RequestId, upto: i64) -> Result<(), StoreError> {
        let result = kept::record_history(self.begin()?, id, upto).await;
        self.end(result)
    }

    async fn record_card(&mut self, id: &RequestId, on: &MessageRef) -> Result<(), StoreError> {
        let now = self.at.now;
        let result = kept::record_card(self.begin()?, id, on, now).await;
        self.end(result)
    }

    async fn forget_card(&mut self, id: &RequestId) -> Result<(), StoreError> {
        let result = kept::forget_card(self.begin()?, id).await;
        self.end(result)
    }

    async fn keep_answer(&mut self, once: &str, answer: &str) -> Result<(), StoreError> {
        let now = self.at.now;
        let result = kept::keep_answer(self.begin()?, once, answer, now).await;
        self.end(result)
    }

    async fn forget_answers(&mut self, before: Timestamp) -> Result<(), StoreError> {
        let result = kept::forget_answers(self.begin()?, before).await;
        self.end(result)
    }

    async fn audit(&mut self, draft: AuditDraft) -> Result<(), StoreError> {
        let (now, head) = (self.at.now, self.head.clone());
        let result = record::append_after(self.begin()?, &head, draft, now).await;
        self.head = self.end(result)?;
        Ok(())
    }

    async fn keep_issuer(
        &mut self,
        name: &IssuerName,
        bound_to: &BTreeSet<String>,
    ) -> Result<BTreeSet<String>, StoreError> {
        let result = grants::keep_issuer(self.begin()?, name, bound_to).await;
        self.end(result)
    }

    async fn keep_group(&mut self, group: &DirectoryGroup) -> Result<(), StoreError> {
        let result = directory::keep_group(self.begin()?, group).await;
        self.end(result)
    }

    async fn keep_account(
        &mut self,
        account: &AccountId,
        known: KnownAccount,
    ) -> Result<(), StoreError> {
        let result = directory::keep_account(self.begin()?, account, known).await;
        self.end(result)
    }

    async fn keep_key(&mut self, account: &AccountId, row: &KeyRow) -> Result<(), StoreError> {
        let result = keys::keep(self.begin()?, account, row).await;
        self.end(result)
    }

    async fn want_accounts(&mut self, accounts: &[AccountId]) -> Result<(), StoreError> {
        let now = self.at.now;
        let result = directory::want_accounts(self.begin()?, accounts, now).await;
        self.end(result)
    }

    async fn keep_directory_health(
        &mut self,
        platform: &str,
        health: &DirectoryHealth,
    ) -> Result<(), StoreError> {
        let result = directory::keep_health(self.begin()?, platform, health).await;
        self.end(result)
    }

    async fn keep_policy(&mut self, hash: &ContentHash, text: &str) -> Result<(), StoreError> {
        let now = self.at.now;
        let result = kept::keep_policy(self.begin()?, hash, text, now).await;
        self.end(result)
    }

    async fn enqueue(&mut self, order: &JobOrder) -> Result<(), StoreError> {
        let now = self.at.now;
        let result = jobs::enqueue(self.begin()?, order, now).await;
        self.wakes = true;
        self.end(result)
    }

    async fn cancel_job(&mut self, key: &str) -> Result<(), StoreError> {
        let result = jobs::cancel(self.begin()?, key).await;
        self.end(result)
    }

    async fn holds(&mut self, claim: Claim) -> Result<bool, StoreError> {
        jobs::holds(self.begin()?, claim).await
    }

    async fn settle(&mut self, claim: Claim, settle: &Settle) -> Result<bool, StoreError> {
        let now = self.at.now;
        let result = jobs::settle(self.begin()?, claim, settle, now).await;
        self.wakes = true;
        self.end(result)
    }

    async fn let_go(&mut self, claim: Claim) -> Result<(), StoreError> {
        let changed = self.changed;
        let result = jobs::let_go(self.begin()?, claim).await;
        let freed = self.end(result)?;
        self.changed = changed || freed;
        self.wakes |= freed;
        Ok(())
    }

    async fn insert_digest(
        &mut self,
        slot: Timestamp,
        from_seq: i64,
        to: &Head,
    ) -> Result<Option<i64>, StoreError> {
        let now = self.at.now;
        let result = kept::insert_digest(self.begin()?, slot, from_seq, to, now).await;
        self.end(result)
    }

    async fn claim_due(&mut self, limit: usize, paused: &[Lane]) -> Result<Vec<Job>, StoreError> {
        if let Some(error) = &self.broken {
            return Err(error.clone());
        }
        let changed = self.changed;
        let wanted = Wanted {
            room: limit,
            paused: paused.to_vec(),
            over: Vec::new(),
        };
        let look = Look {
            wanted: &wanted,
            expired: true,
            at: self.at,
        };
        let result = claims::claim_due(self.conn, look, self.turn).await;
        let claimed = self.end(result)?;
        // An idle look must not cost a commit.
        self.changed = changed || claimed.changed;
        Ok(claimed.jobs)
    }

    fn look_for_jobs(&mut self) {
        self.looks = true;
    }

    async fn release_claims(&mut self) -> Result<i64, StoreError> {
        let now = self.at.now;
        let result = claims::release(self.begin()?, now).await;
        self.wakes = true;
        self.end(result)
    }
}
