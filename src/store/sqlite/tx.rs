//! One body's part of a write transaction.

use std::collections::BTreeSet;

use async_trait::async_trait;
use sqlx::SqliteConnection;

use super::changes::{self, Change};
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
    /// A claim, and whether it held when this body began.
    held: Option<(Claim, bool)>,
    /// What is to be changed before it is read again.
    pending: Vec<Change>,
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
        held: Option<(Claim, bool)>,
    ) -> Self {
        Self {
            conn,
            turn,
            at,
            head,
            changed: false,
            wakes: false,
            looks: false,
            held,
            pending: Vec::new(),
            broken: None,
        }
    }

    /// For reads: what was changed before is there.
    pub(super) async fn conn(&mut self) -> Result<&mut SqliteConnection, StoreError> {
        self.flush().await?;
        Ok(self.conn)
    }

    /// For changes whose outcome is asked for.
    pub(super) async fn begin(&mut self) -> Result<&mut SqliteConnection, StoreError> {
        match &self.broken {
            Some(error) => Err(error.clone()),
            None => self.conn().await,
        }
    }

    /// A change that is made before the next read, or at the end. That it fails is told then, and the
    /// body is undone, whatever it makes of that.
    fn put(&mut self, change: Change) -> Result<(), StoreError> {
        if let Some(error) = &self.broken {
            return Err(error.clone());
        }
        self.pending.push(change);
        self.changed = true;
        Ok(())
    }

    /// Makes what waits; says how many rows each changed.
    pub(super) async fn flush(&mut self) -> Result<Vec<u64>, StoreError> {
        if self.pending.is_empty() {
            return Ok(Vec::new());
        }
        let pending = std::mem::take(&mut self.pending);
        let made = changes::make(self.conn, pending).await;
        if let Err(error) = &made {
            self.broken = Some(error.clone());
        }
        made
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
        self.put(requests::insert(request)?)
    }

    async fn save_request(
        &mut self,
        request: &Request,
        was: RequestState,
    ) -> Result<(), StoreError> {
        self.put(requests::save(request, was))
    }

    async fn insert_decision(&mut self, decision: &Decision) -> Result<(), StoreError> {
        self.put(requests::insert_decision(decision)?)
    }

    async fn insert_grant(&mut self, grant: &Grant) -> Result<i64, StoreError> {
        let result = grants::insert(self.begin().await?, grant).await;
        let serial = self.end(result)?;
        for change in grants::insert_holdings(grant) {
            self.put(change)?;
        }
        Ok(serial)
    }

    async fn save_grant(&mut self, grant: &Grant, was: GrantState) -> Result<(), StoreError> {
        self.put(grants::save(grant, was)?)
    }

    async fn record_history(&mut self, id: &RequestId, upto: i64) -> Result<(), StoreError> {
        self.put(kept::record_history(id, upto))
    }

    async fn record_card(&mut self, id: &RequestId, on: &MessageRef) -> Result<(), StoreError> {
        self.put(kept::record_card(id, on, self.at.now))
    }

    async fn forget_card(&mut self, id: &RequestId) -> Result<(), StoreError> {
        let result = kept::forget_card(self.begin().await?, id).await;
        self.end(result)
    }

    async fn keep_answer(&mut self, once: &str, answer: &str) -> Result<(), StoreError> {
        self.put(kept::keep_answer(once, answer, self.at.now))
    }

    async fn forget_answers(&mut self, before: Timestamp) -> Result<(), StoreError> {
        let result = kept::forget_answers(self.begin().await?, before).await;
        self.end(result)
    }

    async fn audit(&mut self, draft: AuditDraft) -> Result<(), StoreError> {
        let (head, changes) = record::append_after(&self.head, draft, self.at.now);
        for change in changes {
            self.put(change)?;
        }
        self.head = head;
        Ok(())
    }

    async fn keep_issuer(
        &mut self,
        name: &IssuerName,
        bound_to: &BTreeSet<String>,
    ) -> Result<BTreeSet<String>, StoreError> {
        let result = grants::keep_issuer(self.begin().await?, name, bound_to).await;
        self.end(result)
    }

    async fn keep_group(&mut self, group: &DirectoryGroup) -> Result<(), StoreError> {
        let result = directory::keep_group(self.begin().await?, group).await;
        self.end(result)
    }

    async fn keep_account(
        &mut self,
        account: &AccountId,
        known: KnownAccount,
    ) -> Result<(), StoreError> {
        let result = directory::keep_account(self.begin().await?, account, known).await;
        self.end(result)
    }

    async fn keep_key(&mut self, account: &AccountId, row: &KeyRow) -> Result<(), StoreError> {
        let result = keys::keep(self.begin().await?, account, row).await;
        self.end(result)
    }

    async fn want_accounts(&mut self, accounts: &[AccountId]) -> Result<(), StoreError> {
        for account in accounts {
            self.put(directory::want_account(account, self.at.now))?;
        }
        Ok(())
    }

    async fn keep_directory_health(
        &mut self,
        platform: &str,
        health: &DirectoryHealth,
    ) -> Result<(), StoreError> {
        let result = directory::keep_health(self.begin().await?, platform, health).await;
        self.end(result)
    }

    async fn keep_policy(&mut self, hash: &ContentHash, text: &str) -> Result<(), StoreError> {
        let now = self.at.now;
        let result = kept::keep_policy(self.begin().await?, hash, text, now).await;
        self.end(result)
    }

    async fn enqueue(&mut self, order: &JobOrder) -> Result<(), StoreError> {
        self.wakes = true;
        self.put(jobs::enqueue(order, self.at.now)?)
    }

    async fn cancel_job(&mut self, key: &str) -> Result<(), StoreError> {
        for change in jobs::cancel(key) {
            self.put(change)?;
        }
        Ok(())
    }

    async fn holds(&mut self, claim: Claim) -> Result<bool, StoreError> {
        match self.held {
            Some((asked, holds)) if asked == claim && !self.changed => Ok(holds),
            _ => jobs::holds(self.begin().await?, claim).await,
        }
    }

    async fn settle(&mut self, claim: Claim, settle: &Settle) -> Result<bool, StoreError> {
        self.wakes = true;
        if *settle == Settle::Done {
            self.put(jobs::done(claim))?;
            if self.flush().await?.last() == Some(&1) {
                return Ok(true);
            }
        }
        let now = self.at.now;
        let result = jobs::settle(self.begin().await?, claim, settle, now).await;
        self.end(result)
    }

    async fn let_go(&mut self, claim: Claim) -> Result<(), StoreError> {
        let changed = self.changed;
        let result = jobs::let_go(self.begin().await?, claim).await;
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
        let result = kept::insert_digest(self.begin().await?, slot, from_seq, to, now).await;
        self.end(result)
    }

    async fn claim_due(&mut self, limit: usize, paused: &[Lane]) -> Result<Vec<Job>, StoreError> {
        self.begin().await?;
        let changed = self.changed;
        let wanted = Wanted {
            room: limit,
            paused: paused.to_vec(),
            over: Vec::new(),
        };
        let look = Look {
            wanted: &wanted,
            ripens: true,
            expired: true,
            before: None,
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
        let result = claims::release(self.begin().await?, now).await;
        self.wakes = true;
        self.end(result)
    }
}
