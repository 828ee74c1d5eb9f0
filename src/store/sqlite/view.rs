//! Reads: the same queries beside the writer and inside its transactions.

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use sqlx::SqliteConnection;

use super::readers::Lent;
use super::tx::SqliteTx;
use super::{
    directory, extensions, grants, jobs, kept, keys, record, requests, standing, surroundings,
};
use crate::domain::audit::{AuditEntry, AuditKind, Head};
use crate::domain::command::MessageRef;
use crate::domain::decision::Decision;
use crate::domain::directory::{DirectoryGroup, DirectoryHealth, Known};
use crate::domain::grant::{Grant, GrantState};
use crate::domain::ids::{
    AccountId, DirectoryGroupId, GrantId, IssuerName, Place, RequestId, ResourceName,
};
use crate::domain::job::JobKind;
use crate::domain::public_key::PublicKey;
use crate::domain::request::{Request, RequestState};
use crate::domain::spec::{ContentHash, Spec};
use crate::domain::standing::Standing;
use crate::domain::timing::Timestamp;
use crate::store::in_use::InUse;
use crate::store::surroundings::{Surrounded, Surroundings};
use crate::store::watched::Watched;
use crate::store::{DigestMark, Reads, StoreError};

/// One moment of the database: what it reads first, it goes on seeing.
pub(super) struct View {
    pub(super) at: Lent,
}

impl View {
    #[expect(clippy::unused_async, reason = "a transaction makes what waits first")]
    pub(super) async fn conn(&mut self) -> Result<&mut SqliteConnection, StoreError> {
        self.at.conn()
    }
}

macro_rules! reads {
    ($reader:ty) => {
        #[async_trait]
        impl Watched for $reader {
            async fn standing(&mut self, now: Timestamp) -> Result<Standing, StoreError> {
                standing::standing(self.conn().await?, now).await
            }
        }

        #[async_trait]
        impl Surrounded for $reader {
            async fn surroundings(
                &mut self,
                request: &Request,
                accounts: &[AccountId],
                ended_after: Timestamp,
            ) -> Result<Surroundings, StoreError> {
                surroundings::of(self.conn().await?, request, accounts, ended_after).await
            }
        }

        #[async_trait]
        impl Reads for $reader {
            async fn request(&mut self, id: &RequestId) -> Result<Option<Request>, StoreError> {
                requests::by_id(self.conn().await?, id).await
            }

            async fn grant(&mut self, id: &GrantId) -> Result<Option<Grant>, StoreError> {
                grants::by_id(self.conn().await?, id).await
            }

            async fn grant_and_request(
                &mut self,
                id: &GrantId,
            ) -> Result<Option<(Grant, Request)>, StoreError> {
                surroundings::grant_and_request(self.conn().await?, id).await
            }

            async fn decisions(&mut self, id: &RequestId) -> Result<Vec<Decision>, StoreError> {
                requests::decisions(self.conn().await?, id).await
            }

            async fn unwritten_entries(
                &mut self,
                request: &RequestId,
                after: i64,
                limit: i64,
            ) -> Result<Vec<AuditEntry>, StoreError> {
                record::unwritten(self.conn().await?, request, after, limit).await
            }

            async fn last_taken_up(&mut self) -> Result<Option<AuditEntry>, StoreError> {
                record::last_taken_up(self.conn().await?).await
            }

            async fn last_entry(
                &mut self,
                request: &RequestId,
                kind: AuditKind,
            ) -> Result<Option<Timestamp>, StoreError> {
                record::last_of(self.conn().await?, request, kind).await
            }

            async fn card(&mut self, id: &RequestId) -> Result<Option<MessageRef>, StoreError> {
                kept::card(self.conn().await?, id).await
            }

            async fn live_requests_of(
                &mut self,
                accounts: &[AccountId],
                limit: i64,
            ) -> Result<Vec<Request>, StoreError> {
                requests::live_of(self.conn().await?, accounts, limit).await
            }

            async fn similar_requests(
                &mut self,
                accounts: &[AccountId],
                resource: &ResourceName,
                since: Timestamp,
            ) -> Result<Vec<Request>, StoreError> {
                requests::similar(self.conn().await?, accounts, resource, since).await
            }

            async fn count_open(&mut self, accounts: &[AccountId]) -> Result<i64, StoreError> {
                requests::count_open(self.conn().await?, accounts).await
            }

            async fn count_submitted(
                &mut self,
                accounts: &[AccountId],
                since: Timestamp,
            ) -> Result<i64, StoreError> {
                requests::count_submitted(self.conn().await?, accounts, since).await
            }

            async fn grants_on_holdings(
                &mut self,
                spec: &Spec,
                ended_after: Timestamp,
            ) -> Result<Vec<Grant>, StoreError> {
                grants::on_holdings(self.conn().await?, spec, ended_after).await
            }

            async fn count_earlier(
                &mut self,
                accounts: &[AccountId],
                resource: &ResourceName,
                except: &RequestId,
            ) -> Result<i64, StoreError> {
                requests::count_earlier(self.conn().await?, accounts, resource, except).await
            }

            async fn count_live_grants(
                &mut self,
                accounts: &[AccountId],
                except: &GrantId,
            ) -> Result<i64, StoreError> {
                grants::count_live(self.conn().await?, accounts, except).await
            }

            async fn grants_in(
                &mut self,
                states: &[GrantState],
                limit: i64,
            ) -> Result<Vec<Grant>, StoreError> {
                grants::in_states(self.conn().await?, states, limit).await
            }

            async fn live_grants_for(
                &mut self,
                resource: &ResourceName,
                limit: i64,
            ) -> Result<Vec<Grant>, StoreError> {
                grants::live_for(self.conn().await?, resource, limit).await
            }

            async fn pending_requests(&mut self, limit: i64) -> Result<Vec<Request>, StoreError> {
                requests::pending(self.conn().await?, limit).await
            }

            async fn open_extensions(
                &mut self,
                grant: &GrantId,
            ) -> Result<Vec<Request>, StoreError> {
                extensions::open(self.conn().await?, grant).await
            }

            async fn given_extensions(
                &mut self,
                grant: &GrantId,
            ) -> Result<Vec<Request>, StoreError> {
                extensions::given(self.conn().await?, grant).await
            }

            async fn count_grants_in(&mut self, states: &[GrantState]) -> Result<i64, StoreError> {
                grants::count_in(self.conn().await?, states).await
            }

            async fn longest_waiting(&mut self) -> Result<Option<Request>, StoreError> {
                requests::longest_waiting(self.conn().await?).await
            }

            async fn waiting_at(
                &mut self,
                place: Option<&Place>,
                limit: i64,
            ) -> Result<Vec<Request>, StoreError> {
                requests::waiting_at(self.conn().await?, place, limit).await
            }

            async fn count_requests_in(&mut self, state: RequestState) -> Result<i64, StoreError> {
                requests::count_in(self.conn().await?, state).await
            }

            async fn ended_before_native_deadline(
                &mut self,
                issuer: &IssuerName,
                machine_now: Timestamp,
            ) -> Result<Vec<Grant>, StoreError> {
                grants::ended_before_native_deadline(self.conn().await?, issuer, machine_now).await
            }

            async fn issuers_in_use(
                &mut self,
                machine_now: Timestamp,
            ) -> Result<BTreeMap<IssuerName, InUse>, StoreError> {
                grants::issuers_in_use(self.conn().await?, machine_now).await
            }

            async fn known(&mut self, accounts: &[AccountId]) -> Result<Known, StoreError> {
                directory::known(self.conn().await?, accounts).await
            }

            async fn key_owners(&mut self, key: &PublicKey) -> Result<Vec<AccountId>, StoreError> {
                keys::owners(self.conn().await?, key).await
            }

            async fn directory_group(
                &mut self,
                id: &DirectoryGroupId,
            ) -> Result<Option<DirectoryGroup>, StoreError> {
                directory::group(self.conn().await?, id).await
            }

            async fn pinned_groups(
                &mut self,
                platform: &str,
            ) -> Result<BTreeMap<String, DirectoryGroupId>, StoreError> {
                directory::pinned(self.conn().await?, platform).await
            }

            async fn directory_accounts(
                &mut self,
            ) -> Result<BTreeMap<AccountId, (Option<Timestamp>, Timestamp)>, StoreError> {
                directory::accounts(self.conn().await?).await
            }

            async fn holders(&mut self) -> Result<BTreeSet<AccountId>, StoreError> {
                directory::holders(self.conn().await?).await
            }

            async fn directory_health(
                &mut self,
                platform: &str,
            ) -> Result<DirectoryHealth, StoreError> {
                directory::health(self.conn().await?, platform).await
            }

            async fn requests_in(
                &mut self,
                state: RequestState,
                limit: i64,
            ) -> Result<Vec<Request>, StoreError> {
                requests::in_state(self.conn().await?, state, limit).await
            }

            async fn grants_in_use(
                &mut self,
                issuer: &IssuerName,
                machine_now: Timestamp,
                limit: i64,
            ) -> Result<Vec<GrantId>, StoreError> {
                grants::in_use(self.conn().await?, issuer, machine_now, limit).await
            }

            async fn last_policy(&mut self) -> Result<Option<(ContentHash, String)>, StoreError> {
                kept::last_policy(self.conn().await?).await
            }

            async fn answered(&mut self, once: &str) -> Result<Option<String>, StoreError> {
                kept::answer(self.conn().await?, once).await
            }

            async fn head(&mut self) -> Result<Head, StoreError> {
                record::head(self.conn().await?).await
            }

            async fn audit_after(
                &mut self,
                after: i64,
                limit: i64,
            ) -> Result<Vec<AuditEntry>, StoreError> {
                record::after(self.conn().await?, after, limit).await
            }

            async fn last_digest(&mut self) -> Result<Option<DigestMark>, StoreError> {
                kept::last_digest(self.conn().await?).await
            }

            async fn digest(&mut self, number: i64) -> Result<Option<DigestMark>, StoreError> {
                kept::digest(self.conn().await?, number).await
            }

            async fn next_due(&mut self) -> Result<Option<Timestamp>, StoreError> {
                jobs::next_due(self.conn().await?).await
            }

            async fn open_job(&mut self, key: &str) -> Result<Option<JobKind>, StoreError> {
                jobs::open_kind(self.conn().await?, key).await
            }

            async fn job_error(&mut self, key: &str) -> Result<Option<String>, StoreError> {
                jobs::last_error(self.conn().await?, key).await
            }

            async fn waiting_jobs(&mut self) -> Result<Vec<(JobKind, Timestamp)>, StoreError> {
                jobs::waiting(self.conn().await?).await
            }

            async fn open_jobs(&mut self) -> Result<Vec<(String, String)>, StoreError> {
                jobs::open(self.conn().await?).await
            }
        }
    };
}

reads!(View);
reads!(SqliteTx<'_>);
