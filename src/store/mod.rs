//! Everything that is remembered. The only place with SQL.
//!
//! [`Store`] is what the rest knows; `sqlite` is behind it. One writer takes whole transactions,
//! commits those that wait together with one fsync, and answers only afterwards.

mod error;
pub mod in_use;
pub mod removal;
pub mod sqlite;
pub mod surroundings;
pub mod taking;
pub mod verify;
pub mod watched;
mod writing;

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use futures_util::future::BoxFuture;

pub use self::error::StoreError;
use self::in_use::InUse;
use self::taking::JobTaker;
pub use self::writing::{write, write_for};
use crate::domain::audit::{AuditDraft, AuditEntry, AuditKind, Head};
use crate::domain::command::MessageRef;
use crate::domain::decision::Decision;
use crate::domain::directory::{DirectoryGroup, DirectoryHealth, KeyRow, Known, KnownAccount};
use crate::domain::grant::{Grant, GrantState};
use crate::domain::ids::{
    AccountId, DirectoryGroupId, GrantId, IssuerName, Place, RequestId, ResourceName,
};
use crate::domain::job::{Claim, Job, JobKind, Lane, Settle};
use crate::domain::job_order::JobOrder;
use crate::domain::public_key::PublicKey;
use crate::domain::request::{Request, RequestState};
use crate::domain::spec::{ContentHash, Spec};
use crate::domain::steady::Jump;
use crate::domain::timing::Timestamp;

/// Who waits for a write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Urgency {
    /// A person waits for the answer.
    Answer,
    /// The worker records what came of something.
    Outcome,
}

/// The body of a write transaction. It runs once. It reads and writes its transaction and waits for
/// nothing else: every other write waits for it.
pub type WriteBody<T> =
    Box<dyn for<'t> FnOnce(&'t mut dyn Tx) -> BoxFuture<'t, Result<T, StoreError>> + Send>;

/// Reads, outside or inside a write transaction.
#[async_trait]
pub trait Reads: watched::Watched + surroundings::Surrounded + removal::RemovalReads {
    /// One request.
    async fn request(&mut self, id: &RequestId) -> Result<Option<Request>, StoreError>;
    /// One grant.
    async fn grant(&mut self, id: &GrantId) -> Result<Option<Grant>, StoreError>;
    /// A grant with the request that it is for.
    async fn grant_and_request(
        &mut self,
        id: &GrantId,
    ) -> Result<Option<(Grant, Request)>, StoreError>;
    /// Decisions on a request, oldest first.
    async fn decisions(&mut self, id: &RequestId) -> Result<Vec<Decision>, StoreError>;
    /// Entries about a request after this one that the thread of its card does not tell yet, oldest
    /// first, at most `limit`.
    async fn unwritten_entries(
        &mut self,
        request: &RequestId,
        after: i64,
        limit: i64,
    ) -> Result<Vec<AuditEntry>, StoreError>;
    /// The entry about the config that was taken up last, at a start or while jitbot ran.
    async fn last_taken_up(&mut self) -> Result<Option<AuditEntry>, StoreError>;
    /// When the last entry of this kind about a request was made.
    async fn last_entry(
        &mut self,
        request: &RequestId,
        kind: AuditKind,
    ) -> Result<Option<Timestamp>, StoreError>;
    /// Where the card of a request stands, once it was posted.
    async fn card(&mut self, id: &RequestId) -> Result<Option<MessageRef>, StoreError>;
    /// Requests of these accounts (as requester or beneficiary), newest first, at most `limit`:
    /// open ones, and those whose grant is not over.
    async fn live_requests_of(
        &mut self,
        accounts: &[AccountId],
        limit: i64,
    ) -> Result<Vec<Request>, StoreError>;
    /// Requests of these accounts for this resource that are open, or approved at or after `since`.
    async fn similar_requests(
        &mut self,
        accounts: &[AccountId],
        resource: &ResourceName,
        since: Timestamp,
    ) -> Result<Vec<Request>, StoreError>;
    /// Open requests of these accounts.
    async fn count_open(&mut self, accounts: &[AccountId]) -> Result<i64, StoreError>;
    /// How many requests of these accounts were submitted since then.
    async fn count_submitted(
        &mut self,
        accounts: &[AccountId],
        since: Timestamp,
    ) -> Result<i64, StoreError>;
    /// Grants that share a holding with this spec, and go on or ended after the moment; those that
    /// never gave anything are left out. Oldest first.
    async fn grants_on_holdings(
        &mut self,
        spec: &Spec,
        ended_after: Timestamp,
    ) -> Result<Vec<Grant>, StoreError>;
    /// Requests that these accounts ever made for this resource, except the one named.
    async fn count_earlier(
        &mut self,
        accounts: &[AccountId],
        resource: &ResourceName,
        except: &RequestId,
    ) -> Result<i64, StoreError>;
    /// Grants of these accounts that are not over, except the one named.
    async fn count_live_grants(
        &mut self,
        accounts: &[AccountId],
        except: &GrantId,
    ) -> Result<i64, StoreError>;
    /// Grants in any of these states, oldest first, at most `limit`.
    async fn grants_in(
        &mut self,
        states: &[GrantState],
        limit: i64,
    ) -> Result<Vec<Grant>, StoreError>;
    /// Grants for this resource that are not over, the next to end first, at most `limit`.
    async fn live_grants_for(
        &mut self,
        resource: &ResourceName,
        limit: i64,
    ) -> Result<Vec<Grant>, StoreError>;
    /// Requests that wait for people, the next to run out first, at most `limit`.
    async fn pending_requests(&mut self, limit: i64) -> Result<Vec<Request>, StoreError>;
    /// Open requests to extend this grant, oldest first.
    async fn open_extensions(&mut self, grant: &GrantId) -> Result<Vec<Request>, StoreError>;
    /// Requests for more time of a grant that were given, oldest first.
    async fn given_extensions(&mut self, grant: &GrantId) -> Result<Vec<Request>, StoreError>;
    /// How many grants are in any of these states.
    async fn count_grants_in(&mut self, states: &[GrantState]) -> Result<i64, StoreError>;
    /// The request that has been waiting for people the longest.
    async fn longest_waiting(&mut self) -> Result<Option<Request>, StoreError>;
    /// Requests that wait for people and whose card belongs to this place (none: to none that can be
    /// posted to), oldest first, at most `limit`.
    async fn waiting_at(
        &mut self,
        place: Option<&Place>,
        limit: i64,
    ) -> Result<Vec<Request>, StoreError>;
    /// How many requests are in this state.
    async fn count_requests_in(&mut self, state: RequestState) -> Result<i64, StoreError>;
    /// Grants of this issuer whose end was ordered and whose native deadline is after `machine_now`.
    async fn ended_before_native_deadline(
        &mut self,
        issuer: &IssuerName,
        machine_now: Timestamp,
    ) -> Result<Vec<Grant>, StoreError>;
    /// Issuers that have grants that are not over, or that a target may still accept.
    async fn issuers_in_use(
        &mut self,
        machine_now: Timestamp,
    ) -> Result<BTreeMap<IssuerName, InUse>, StoreError>;
    /// Who gave this key in chat.
    async fn key_owners(&mut self, key: &PublicKey) -> Result<Vec<AccountId>, StoreError>;
    /// What the directory knows of these accounts, and of the groups that they may be in.
    async fn known(&mut self, accounts: &[AccountId]) -> Result<Known, StoreError>;
    /// A group of the directory with everybody in it.
    async fn directory_group(
        &mut self,
        id: &DirectoryGroupId,
    ) -> Result<Option<DirectoryGroup>, StoreError>;
    /// Which group each name of the config was last found to be, on this platform.
    async fn pinned_groups(
        &mut self,
        platform: &str,
    ) -> Result<BTreeMap<String, DirectoryGroupId>, StoreError>;
    /// Accounts that somebody needed to know of: when each was asked for, if it was, and when it was
    /// last needed.
    async fn directory_accounts(
        &mut self,
    ) -> Result<BTreeMap<AccountId, (Option<Timestamp>, Timestamp)>, StoreError>;
    /// Accounts that asked for or would receive something that is open or live.
    async fn holders(&mut self) -> Result<BTreeSet<AccountId>, StoreError>;
    /// How asking a platform goes.
    async fn directory_health(&mut self, platform: &str) -> Result<DirectoryHealth, StoreError>;
    /// Requests in this state, in the order of their submission, at most `limit`.
    async fn requests_in(
        &mut self,
        state: RequestState,
        limit: i64,
    ) -> Result<Vec<Request>, StoreError>;
    /// Grants of this issuer that are not over, or that a target may still accept, oldest first, at
    /// most `limit`.
    async fn grants_in_use(
        &mut self,
        issuer: &IssuerName,
        machine_now: Timestamp,
        limit: i64,
    ) -> Result<Vec<GrantId>, StoreError>;
    /// The policy that came into force last, with its text.
    async fn last_policy(&mut self) -> Result<Option<(ContentHash, String)>, StoreError>;
    /// The answer that was given under this key, as JSON text.
    async fn answered(&mut self, once: &str) -> Result<Option<String>, StoreError>;
    /// The end of the record.
    async fn head(&mut self) -> Result<Head, StoreError>;
    /// Entries with a number above `after`, in order, at most `limit`.
    async fn audit_after(&mut self, after: i64, limit: i64) -> Result<Vec<AuditEntry>, StoreError>;
    /// The latest digest.
    async fn last_digest(&mut self) -> Result<Option<DigestMark>, StoreError>;
    /// A digest by its number.
    async fn digest(&mut self, number: i64) -> Result<Option<DigestMark>, StoreError>;
    /// When the first job that waits is due.
    async fn next_due(&mut self) -> Result<Option<Timestamp>, StoreError>;
    /// What a job that is waiting or running is to do, by its key.
    async fn open_job(&mut self, key: &str) -> Result<Option<JobKind>, StoreError>;
    /// A job's last error, by its key.
    async fn job_error(&mut self, key: &str) -> Result<Option<String>, StoreError>;
    /// What waits, and when it is due; for the demo.
    async fn waiting_jobs(&mut self) -> Result<Vec<(JobKind, Timestamp)>, StoreError>;
    /// Keys and states of jobs that are waiting, running or given up; for tests and the demo.
    async fn open_jobs(&mut self) -> Result<Vec<(String, String)>, StoreError>;
}

/// A digest: what it covers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DigestMark {
    /// Its number, from 1.
    pub number: i64,
    /// The scheduled moment that it belongs to; unique.
    pub slot: Timestamp,
    /// When it was made.
    pub at: Timestamp,
    /// The record's entries up to the one before it: it covers those above.
    pub from_seq: i64,
    /// The record's entries that it covers, up to this one.
    pub to: Head,
}

/// One write transaction.
#[async_trait]
pub trait Tx: Reads + removal::Removing {
    /// The time of this transaction: read once, after its lock is held, and never before the time
    /// of the last transaction that was committed.
    fn now(&self) -> Timestamp;
    /// The machine's time, read at the same moment.
    fn machine_now(&self) -> Timestamp;
    /// The machine's clock was set anew a short while ago.
    fn jump(&self) -> Option<Jump>;

    /// A new request.
    async fn insert_request(&mut self, request: &Request) -> Result<(), StoreError>;
    /// Saves a request that was in state `was`.
    async fn save_request(
        &mut self,
        request: &Request,
        was: RequestState,
    ) -> Result<(), StoreError>;
    /// A decision; one person decides once on a request.
    async fn insert_decision(&mut self, decision: &Decision) -> Result<(), StoreError>;
    /// A new grant with its holdings; the store sets and returns its serial.
    async fn insert_grant(&mut self, grant: &Grant) -> Result<i64, StoreError>;
    /// Saves a grant that was in state `was`.
    async fn save_grant(&mut self, grant: &Grant, was: GrantState) -> Result<(), StoreError>;
    /// The thread of a card tells everything up to this entry.
    async fn record_history(&mut self, request: &RequestId, upto: i64) -> Result<(), StoreError>;
    /// Where the card stands; the first one that is recorded stays.
    async fn record_card(&mut self, id: &RequestId, on: &MessageRef) -> Result<(), StoreError>;
    /// Forgets where the card stood: it is posted anew.
    async fn forget_card(&mut self, id: &RequestId) -> Result<(), StoreError>;
    /// Keeps the answer to what came under this key.
    async fn keep_answer(&mut self, once: &str, answer: &str) -> Result<(), StoreError>;
    /// Forgets answers that were given before.
    async fn forget_answers(&mut self, before: Timestamp) -> Result<(), StoreError>;
    /// Appends to the record.
    async fn audit(&mut self, draft: AuditDraft) -> Result<(), StoreError>;
    /// What an issuer is bound to from now on; what it was bound to until now.
    async fn keep_issuer(
        &mut self,
        name: &IssuerName,
        bound_to: &BTreeSet<String>,
    ) -> Result<BTreeSet<String>, StoreError>;
    /// A group of the directory as it is known from now on.
    async fn keep_group(&mut self, group: &DirectoryGroup) -> Result<(), StoreError>;
    /// An account as it is known from now on.
    async fn keep_account(
        &mut self,
        account: &AccountId,
        known: KnownAccount,
    ) -> Result<(), StoreError>;
    /// What is known of the key that an account gave in chat, from now on.
    async fn keep_key(&mut self, account: &AccountId, row: &KeyRow) -> Result<(), StoreError>;
    /// These accounts are needed now.
    async fn want_accounts(&mut self, accounts: &[AccountId]) -> Result<(), StoreError>;
    /// How asking a platform goes from now on.
    async fn keep_directory_health(
        &mut self,
        platform: &str,
        health: &DirectoryHealth,
    ) -> Result<(), StoreError>;
    /// A policy that comes into force now: its text, once per hash.
    async fn keep_policy(&mut self, hash: &ContentHash, text: &str) -> Result<(), StoreError>;
    /// Enqueues a job.
    async fn enqueue(&mut self, order: &JobOrder) -> Result<(), StoreError>;
    /// Drops a job that is waiting or running, by its key. A run in flight then settles nothing, but
    /// keeps its place in its lane and its serial key until it is over, its call being in flight still.
    async fn cancel_job(&mut self, key: &str) -> Result<(), StoreError>;
    /// Whether this claim still holds (same attempt, running).
    async fn holds(&mut self, claim: Claim) -> Result<bool, StoreError>;
    /// Settles a claim. False, and nothing changes, when it no longer holds.
    async fn settle(&mut self, claim: Claim, settle: &Settle) -> Result<bool, StoreError>;
    /// The run of a claim is over, whatever was recorded of it: frees what it still occupied if its
    /// job was cancelled meanwhile. Changes nothing otherwise. Called by the worker.
    async fn let_go(&mut self, claim: Claim) -> Result<(), StoreError>;
    /// A digest for a slot; none if the slot has one already.
    async fn insert_digest(
        &mut self,
        slot: Timestamp,
        from_seq: i64,
        to: &Head,
    ) -> Result<Option<i64>, StoreError>;
    /// Claims jobs that are due: of each lane at most [`Lane::in_flight_max`] minus what runs, oldest due
    /// first by (rank, due), lanes in turn, at most `limit`; the last place of a lane with several is for what
    /// stands behind ends of access, if anything does and none of it runs; never two with the same serial key, and
    /// none whose serial key is running. A claim whose lease is over can be claimed again; leases run
    /// by the machine's time, for so do calls.
    async fn claim_due(&mut self, limit: usize, paused: &[Lane]) -> Result<Vec<Job>, StoreError>;
    /// Whoever takes jobs gets what is due when this is committed, claims that ran out among it.
    fn look_for_jobs(&mut self);
    /// Makes every running job claimable at once: at start, when nobody else can be running them.
    async fn release_claims(&mut self) -> Result<i64, StoreError>;
}

/// The store.
#[async_trait]
pub trait Store: Send + Sync + 'static {
    /// Everything committed before its first read. The next view sees more: none is held for long.
    async fn reader(&self) -> Result<Box<dyn Reads + '_>, StoreError>;
    /// Runs a transaction, commits it (fsync) and then returns what it yielded. Use [`write()`], or
    /// [`write_for`] where it begins by asking whether this claim holds.
    async fn write_boxed(
        &self,
        urgency: Urgency,
        claim: Option<Claim>,
        body: WriteBody<Box<dyn std::any::Any + Send>>,
    ) -> Result<Box<dyn std::any::Any + Send>, StoreError>;
    /// The time that a reader judges by: the clock's, never before the last transaction's.
    fn now(&self) -> Timestamp;
    /// Told whenever jobs were enqueued or settled: a wake-up of those that wait then, nothing more.
    /// Register (`Notified::enable`) before looking for work.
    fn wakeups(&self) -> std::sync::Arc<tokio::sync::Notify>;
    /// From now on jobs are claimed for this one within the transactions that enqueue or settle some, and
    /// handed over when they are committed; with none, only [`Tx::claim_due`] claims.
    fn hand_jobs_to(&self, taker: Option<std::sync::Arc<dyn JobTaker>>);
    /// Finishes what waits, then closes and lets the lock go.
    async fn close(&self);
}
