//! The engine with everything around it that is not Slack: people act on the service, the worker is
//! stepped, and time passes from one due job to the next.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use chrono::{DateTime, TimeDelta};
use jitbot::clock::{Clock, ManualClock, Timestamp};
use jitbot::domain::answer::Answer;
use jitbot::domain::command::{Act, Command, Inbound, Press, Via, WantedEnd};
use jitbot::domain::grant::{Grant, GrantState};
use jitbot::domain::ids::RequestId;
use jitbot::domain::job::{Job, Lane};
use jitbot::domain::outcome::Outcome;
use jitbot::effects::Effects;
use jitbot::issuer::{Capabilities, EarlyEnd, Issuer, NativeExpiry, Registry};
use jitbot::service::{InForce, Service};
use jitbot::store::sqlite::SqliteStore;
use jitbot::store::{Reads, Store, Urgency, write};
use jitbot::worker::{Handler, Limits, Recorder, Worker};
use serde_json::Value;
use tempfile::TempDir;

use super::board::Board;
use super::house::{self, LASTS_S};
use super::target::Target;

/// A target that can be asked and ends nothing by itself.
pub const PLAIN: Capabilities = Capabilities {
    native_expiry: NativeExpiry::None,
    early_end: EarlyEnd::Seen,
    sessions_outlive: false,
    settles_within_s: 0,
    makes_secret: false,
};

/// The engine's time and the machine's. Leases run by the machine's.
struct Clocks {
    engine: ManualClock,
    machine: ManualClock,
}

impl Clock for Clocks {
    fn now(&self) -> Timestamp {
        self.engine.now()
    }

    fn machine_now(&self) -> Timestamp {
        self.machine.now()
    }
}

pub struct World {
    pub service: Arc<Service>,
    pub effects: Arc<Effects>,
    pub target: Arc<Target>,
    pub board: Arc<Board>,
    clock: Arc<Clocks>,
    pub store: Arc<dyn Store>,
    worker: Worker,
    events: AtomicU64,
    pub dir: TempDir,
}

impl World {
    pub async fn start() -> Self {
        Self::over(PLAIN).await
    }

    /// Over a target that can do this.
    pub async fn over(can: Capabilities) -> Self {
        Self::with(can, Limits::default()).await
    }

    /// Whose worker waits for a handler no longer than a test can.
    pub async fn impatient() -> Self {
        let limits = Limits {
            handler: Duration::from_millis(750),
            ..Limits::default()
        };
        Self::with(PLAIN, limits).await
    }

    async fn with(can: Capabilities, limits: Limits) -> Self {
        // 2027-01-15 08:00:00 UTC; the machine's clock is five seconds ahead.
        let start = DateTime::from_timestamp(1_800_000_000, 0).unwrap();
        let clock = Arc::new(Clocks {
            engine: ManualClock::at(start),
            machine: ManualClock::at(start + TimeDelta::seconds(5)),
        });
        let dir = tempfile::tempdir().unwrap();
        let url = format!("sqlite://{}", dir.path().join("jitbot.db").display());
        let store: Arc<dyn Store> = Arc::new(SqliteStore::open(&url, clock.clone()).await.unwrap());
        let target = Arc::new(Target::new(can.clone(), clock.clone()));
        let board = Arc::new(Board::default());
        let chance = AtomicU64::new(1);
        let service = Arc::new(Service::new(
            store.clone(),
            InForce {
                policy: Arc::new(house::policy(&can)),
                schedule: Arc::new(|_| None),
                keep: None,
            },
            Arc::new(move || chance.fetch_add(1, Ordering::SeqCst)),
        ));
        let issuer: Arc<dyn Issuer> = target.clone();
        let effects = Arc::new(Effects::new(
            service.clone(),
            vec![board.clone()],
            Arc::new(Registry::new(BTreeMap::from([(house::issuer(), issuer)]))),
        ));
        let worker = Worker::new(
            store.clone(),
            effects.clone(),
            service.clone(),
            clock.clone(),
        );
        service.start().await.unwrap();
        let world = Self {
            service,
            effects,
            target,
            board,
            clock,
            store,
            worker: worker.with_limits(limits),
            events: AtomicU64::new(0),
            dir,
        };
        world.settle().await;
        world
    }

    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Everything that is due is done.
    pub async fn settle(&self) {
        self.worker.run_until_idle().await.unwrap();
    }

    /// Time passes and nobody works.
    pub fn stand_still(&self, s: i64) {
        self.advance(TimeDelta::seconds(s));
    }

    fn advance(&self, by: TimeDelta) {
        self.clock.engine.advance(by);
        self.clock.machine.advance(by);
    }

    /// The machine's clock is set, and the engine's goes on as it went.
    pub fn machine_is_set_by(&self, s: i64) {
        self.clock.machine.advance(TimeDelta::seconds(s));
    }

    /// Time passes, and each job runs at the moment that it is due.
    pub async fn pass(&self, s: i64) {
        let until = self.now() + TimeDelta::seconds(s);
        self.settle().await;
        loop {
            let due = self.reader().await.next_due().await.unwrap();
            let Some(due) = due.filter(|due| *due <= until) else {
                break;
            };
            // What is due and was not claimed waits for another claim.
            let ahead = due - self.now();
            let blocked = ahead <= TimeDelta::zero();
            self.advance(if blocked {
                TimeDelta::seconds(1)
            } else {
                ahead
            });
            self.settle().await;
        }
        self.advance((until - self.now()).max(TimeDelta::zero()));
        self.settle().await;
    }

    pub async fn reader(&self) -> Box<dyn Reads + '_> {
        self.store.reader().await.unwrap()
    }

    pub async fn act_once(&self, once: &str, who: &str, command: Command) -> Answer {
        let inbound = Inbound {
            once: format!("slack:test:{once}"),
            actor: house::account(who),
            place: house::approvals(),
            via: match &command {
                Command::Approve(press) | Command::Deny { press, .. } => {
                    Via::Button(Some(press.on.clone()))
                }
                _ => Via::Typed,
            },
            act: Act::Command(command),
        };
        self.service.handle(inbound).await.unwrap()
    }

    pub async fn act(&self, who: &str, command: Command) -> Answer {
        let event = self.events.fetch_add(1, Ordering::SeqCst);
        self.act_once(&format!("event-{event}"), who, command).await
    }

    /// Asks for an hour; its card is posted.
    pub async fn asks(&self, who: &str, resource: &str) -> RequestId {
        let command = wish(resource);
        let answer = self.act(who, command).await;
        let Answer::Received(told) = answer else {
            panic!("{answer:?}");
        };
        self.settle().await;
        told.id
    }

    /// The press on the card's button.
    pub async fn press(&self, id: &RequestId) -> Press {
        let mut reader = self.reader().await;
        let request = reader.request(id).await.unwrap().unwrap();
        let on = reader.card(id).await.unwrap().expect("a card stands");
        Press {
            request: id.clone(),
            version: request.version,
            on,
        }
    }

    /// Bob approves; nobody works yet.
    pub async fn approves(&self, id: &RequestId) {
        let press = self.press(id).await;
        let answer = self.act("bob", Command::Approve(press)).await;
        assert!(matches!(answer, Answer::Approved(_)), "{answer:?}");
    }

    /// Asked for, approved, and worked on once.
    pub async fn gives(&self, who: &str, resource: &str) -> RequestId {
        let id = self.asks(who, resource).await;
        self.approves(&id).await;
        self.settle().await;
        id
    }

    pub async fn done(&self, who: &str, id: &RequestId) {
        let answer = self.act(who, Command::Done(id.clone())).await;
        assert!(matches!(answer, Answer::Ending(_)), "{answer:?}");
    }

    pub async fn grant(&self, id: &RequestId) -> Grant {
        let grant = self.reader().await.grant(&id.grant()).await.unwrap();
        grant.expect("a grant")
    }

    pub async fn state(&self, id: &RequestId) -> GrantState {
        self.grant(id).await.state
    }

    /// What is on record about a request and its grant, in words, oldest first.
    pub async fn record(&self, id: &RequestId) -> Vec<String> {
        let mut reader = self.reader().await;
        let entries = reader.audit_after(0, 100_000).await.unwrap();
        entries
            .iter()
            .map(|entry| serde_json::from_str::<Value>(&entry.body).unwrap())
            .filter(|body| body["request"] == id.as_str() || body["grant"] == id.grant().as_str())
            .map(|body| body["kind"].as_str().unwrap().to_owned())
            .collect()
    }

    /// How many entries are on record.
    pub async fn recorded(&self) -> i64 {
        self.reader().await.head().await.unwrap().count
    }

    /// Keys of jobs that are not over, given up ones among them.
    pub async fn jobs(&self) -> Vec<String> {
        let jobs = self.reader().await.open_jobs().await.unwrap();
        jobs.into_iter().map(|(key, _)| key).collect()
    }

    /// Nothing more will ever happen, and the target is empty.
    pub async fn is_over_for_good(&self) {
        assert!(self.target.live().is_empty(), "access is left");
        let jobs = self.jobs().await;
        let left: Vec<_> = jobs
            .iter()
            // Looking after what makes the target refuse goes on until the target ends it by itself.
            .filter(|j| !j.starts_with("remind:") && !j.starts_with("publish:"))
            // What waited whether access would work soon drops itself.
            .filter(|j| !j.starts_with("decided:"))
            // So does the look at the channels, once more after the last card was decided.
            .filter(|j| *j != "look-at-places")
            .collect();
        assert!(left.is_empty(), "{left:?}");
    }

    /// Another worker claims the call to the target that is due now.
    pub async fn claims(&self) -> Option<Job> {
        let chat: Vec<Lane> = [house::approvals(), house::security()]
            .iter()
            .map(|place| Lane::chat(place.as_str()))
            .chain(["alice", "erin"].map(|who| Lane::chat(house::account(who).as_str())))
            .chain([Lane::look("all")])
            .collect();
        let claimed = write(&*self.store, Urgency::Outcome, move |tx| {
            Box::pin(async move { tx.claim_due(1, &chat).await })
        });
        claimed.await.unwrap().pop()
    }

    /// That worker's handler runs.
    pub async fn runs(&self, job: &Job) -> Outcome {
        self.effects.run(job).await
    }

    /// What came of it is recorded.
    pub async fn records(&self, job: &Job, outcome: Outcome) {
        self.service.record(job, outcome).await.unwrap();
    }
}

/// An hour of a resource.
pub fn wish(resource: &str) -> Command {
    Command::Submit {
        resource: resource.into(),
        end: WantedEnd::After(LASTS_S),
        reason: "a customer waits".into(),
    }
}
