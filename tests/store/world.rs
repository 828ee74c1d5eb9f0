//! A store on a clock that a test moves, and samples of everything that it keeps.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use chrono::DateTime;
use futures_util::future::BoxFuture;
use jitbot::clock::{Clock, Timestamp};
use jitbot::domain::grant::{Grant, GrantState};
use jitbot::domain::ids::{AccountId, GrantId, PersonName, Place, RequestId};
use jitbot::domain::job::{Claim, Job, JobKind, Lane};
use jitbot::domain::job_order::{JobOrder, OnDuplicate};
use jitbot::domain::person::Identity;
use jitbot::domain::request::{Request, RequestState};
use jitbot::domain::spec::Spec;
use jitbot::store::sqlite::SqliteStore;
use jitbot::store::{Reads, Store, StoreError, Tx, Urgency, write};

/// 2027-01-15 08:00:00 UTC.
pub const START_MS: i64 = 1_800_000_000_000;

/// The start and so many seconds.
pub fn at(s: i64) -> Timestamp {
    DateTime::from_timestamp_millis(START_MS + s * 1000).unwrap()
}

/// Two clocks that stand still until they are moved.
#[derive(Debug)]
pub struct TestClock {
    now_ms: AtomicI64,
    machine_ms: AtomicI64,
}

impl Default for TestClock {
    fn default() -> Self {
        Self {
            now_ms: AtomicI64::new(START_MS),
            machine_ms: AtomicI64::new(START_MS),
        }
    }
}

impl TestClock {
    pub fn advance(&self, s: i64) {
        self.now_ms.fetch_add(s * 1000, Ordering::SeqCst);
        self.machine_ms.fetch_add(s * 1000, Ordering::SeqCst);
    }

    /// The engine's alone, as in a rehearsal.
    pub fn advance_engine(&self, s: i64) {
        self.now_ms.fetch_add(s * 1000, Ordering::SeqCst);
    }
}

impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        DateTime::from_timestamp_millis(self.now_ms.load(Ordering::SeqCst)).unwrap()
    }

    fn machine_now(&self) -> Timestamp {
        DateTime::from_timestamp_millis(self.machine_ms.load(Ordering::SeqCst)).unwrap()
    }
}

/// A database of its own, as long as the test runs.
pub struct World {
    pub backend: &'static str,
    pub store: Arc<dyn Store>,
    pub clock: Arc<TestClock>,
    /// Names the database to `open` once more.
    address: String,
    _dir: tempfile::TempDir,
}

/// Every backend that there is.
const BACKENDS: &[&str] = &["sqlite"];

async fn open(
    backend: &str,
    address: &str,
    clock: Arc<TestClock>,
) -> Result<Arc<dyn Store>, StoreError> {
    match backend {
        "sqlite" => Ok(Arc::new(SqliteStore::open(address, clock).await?)),
        other => panic!("no backend is called {other}"),
    }
}

/// One fresh world per backend.
pub async fn worlds() -> Vec<World> {
    let mut worlds = Vec::new();
    for backend in BACKENDS {
        let dir = tempfile::tempdir().unwrap();
        let address = format!("sqlite://{}", dir.path().join("jitbot.db").display());
        let clock = Arc::new(TestClock::default());
        let store = open(backend, &address, clock.clone()).await.unwrap();
        worlds.push(World {
            backend,
            store,
            clock,
            address,
            _dir: dir,
        });
    }
    worlds
}

impl World {
    /// A second opener of the same database.
    pub async fn open_again(&self) -> Result<Arc<dyn Store>, StoreError> {
        open(self.backend, &self.address, self.clock.clone()).await
    }

    /// Closes it and opens it again, as a restart does.
    pub async fn restart(&mut self) {
        self.store.close().await;
        self.store = self.open_again().await.unwrap();
    }

    pub async fn write<T, F>(&self, body: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: for<'t> FnOnce(&'t mut dyn Tx) -> BoxFuture<'t, Result<T, StoreError>> + Send + 'static,
    {
        write(&*self.store, Urgency::Answer, body).await
    }

    pub async fn reader(&self) -> Box<dyn Reads + '_> {
        self.store.reader().await.unwrap()
    }

    pub async fn enqueue(&self, orders: Vec<JobOrder>) {
        self.write(move |tx| {
            Box::pin(async move {
                for order in &orders {
                    tx.enqueue(order).await?;
                }
                Ok(())
            })
        })
        .await
        .unwrap();
    }

    pub async fn claim(&self, limit: usize) -> Vec<Job> {
        self.claim_beside(limit, Vec::new()).await
    }

    pub async fn claim_beside(&self, limit: usize, paused: Vec<Lane>) -> Vec<Job> {
        self.write(move |tx| Box::pin(async move { tx.claim_due(limit, &paused).await }))
            .await
            .unwrap()
    }

    pub async fn settle(&self, claim: Claim, settle: jitbot::domain::job::Settle) -> bool {
        self.write(move |tx| Box::pin(async move { tx.settle(claim, &settle).await }))
            .await
            .unwrap()
    }

    /// (key, state) of jobs that are not over, by key.
    pub async fn jobs(&self) -> Vec<(String, String)> {
        let mut jobs = self.reader().await.open_jobs().await.unwrap();
        jobs.sort();
        jobs
    }

    pub async fn next_due(&self) -> Option<Timestamp> {
        self.reader().await.next_due().await.unwrap()
    }
}

pub fn account(n: u32) -> AccountId {
    AccountId::new(format!("slack:T1/U{n}")).unwrap()
}

pub fn place() -> Place {
    Place::new("slack:T1/C1").unwrap()
}

pub fn person(n: u32) -> Identity {
    Identity {
        account: account(n),
        person: Some(PersonName::new(format!("person-{n}")).unwrap()),
    }
}

pub fn spec(issuer: &str, account: &str) -> Spec {
    serde_json::from_value(serde_json::json!({
        "resource": "staging-ssh",
        "title": "Shell — on the staging hosts",
        "project": "shop-staging",
        "action": "shell",
        "risk": "low",
        "issuer": issuer,
        "target": "staging",
        "account": { "id": account, "parameters": { "key": "ssh-ed25519 AAAA" } },
        "entitlements": ["principal:deploy", "principal:logs"],
        "parameters": { "principals": ["deploy", "logs"] },
        "duration_s": 3600,
    }))
    .unwrap()
}

/// A request of person 1 that waits for people.
pub fn request(n: u64) -> Request {
    let spec = spec("staging-ca", "SHA256:abc");
    Request {
        id: RequestId::from_bits(n),
        state: RequestState::Pending,
        requester: person(1),
        beneficiary: person(1),
        spec_hash: spec.hash(),
        spec,
        reason: Some("deploy is stuck; \u{202e} ' \" 日本".into()),
        origin: place(),
        card_place: Some(place()),
        approvals_needed: 1,
        version: 1,
        submitted_at: at(0),
        pending_until: at(3600),
        decided_at: None,
        extends: None,
    }
}

/// The grant of a request, not given yet.
pub fn grant(request: &Request) -> Grant {
    Grant {
        id: request.id.grant(),
        serial: 0,
        state: GrantState::Scheduled,
        beneficiary: request.beneficiary.clone(),
        spec: request.spec.clone(),
        spec_hash: request.spec_hash.clone(),
        approved_at: at(10),
        activate_by: at(610),
        end_by: at(4210),
        deadline: None,
        native_deadline: None,
        delivery: None,
        unsettled_since: None,
        active_at: None,
        handle: None,
        ending: None,
        revoke_failures: 0,
        stuck_since: None,
        ended_at: None,
        evidence: None,
    }
}

/// As it is once the target gave it.
pub fn active(mut grant: Grant) -> Grant {
    grant.state = GrantState::Active;
    grant.deadline = Some(at(3620));
    grant.native_deadline = Some(at(3621));
    grant.unsettled_since = Some(at(20));
    grant.active_at = Some(at(21));
    grant.handle = Some(serde_json::json!({ "key_id": grant.id.as_str(), "tell": "ssh …" }));
    grant
}

pub fn grant_id(n: u64) -> GrantId {
    RequestId::from_bits(n).grant()
}

/// A job with this key in this lane, due at the start.
pub fn order(key: &str, lane: &str) -> JobOrder {
    JobOrder {
        kind: JobKind::ExpireRequest {
            request: RequestId::from_bits(1),
        },
        key: key.into(),
        lane: Lane(lane.into()),
        serial_key: None,
        rank: 0,
        run_at: at(0),
        on_duplicate: OnDuplicate::Keep,
    }
}
