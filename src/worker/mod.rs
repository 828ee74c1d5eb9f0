//! Durable jobs: claims what is due, runs its handler, hands the outcome over.

mod desk;
mod pauses;
mod run;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use tokio::sync::{mpsc, watch};

use self::desk::{Desk, Given};
use crate::clock::{Clock, Stopwatch};
use crate::domain::job::{HANDLER_MAX_S, Job};
use crate::domain::outcome::Outcome;
use crate::store::Store;

/// Does what a job says, outside any transaction. Implemented by `effects`.
#[async_trait]
pub trait Handler: Send + Sync + 'static {
    /// One attempt.
    async fn run(&self, job: &Job) -> Outcome;
}

/// Records what came of it, in one transaction with the settling of the job. Implemented by `service`.
#[async_trait]
pub trait Recorder: Send + Sync + 'static {
    /// Records an attempt's outcome.
    ///
    /// # Errors
    /// Why nothing was recorded; the claim's lease then runs out and the job is tried again.
    async fn record(&self, job: &Job, outcome: Outcome) -> Result<(), String>;
}

/// What recording an outcome may take beside the longest handler: both together are shorter than a
/// lease.
const RECORDING_MAX_S: u64 = 8;

/// What bounds a worker.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// The longest that a handler may take.
    pub handler: Duration,
    /// The longest that it waits before it looks for work again, whoever wakes it.
    pub poll: Duration,
    /// How long it waits after the store failed.
    pub after_failure: Duration,
    /// How long after a claim its outcome is tried to be recorded: less than the lease, as others may
    /// run the job after it.
    pub record_within: Duration,
    /// How long a stop waits for what is in flight: longer than a handler may take, so that what
    /// came of each call is recorded.
    pub stop: Duration,
    /// Jobs in flight, over all lanes.
    pub in_flight: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            handler: Duration::from_secs(HANDLER_MAX_S),
            poll: Duration::from_millis(250),
            after_failure: Duration::from_secs(1),
            record_within: Duration::from_secs(HANDLER_MAX_S + RECORDING_MAX_S),
            stop: Duration::from_secs(HANDLER_MAX_S + RECORDING_MAX_S),
            in_flight: 64,
        }
    }
}

/// Claims jobs and has them run and recorded. One per process.
pub struct Worker {
    store: Arc<dyn Store>,
    handler: Arc<dyn Handler>,
    recorder: Arc<dyn Recorder>,
    clock: Arc<dyn Clock>,
    limits: Limits,
    desk: Arc<Desk>,
    /// What was given; whoever runs the loop takes this.
    given: Mutex<Option<mpsc::UnboundedReceiver<Given>>>,
    /// The last failure that was logged, so that one that repeats is logged once.
    complained: Mutex<Option<String>>,
    /// When the loop began its last turn.
    turned: Mutex<Option<Stopwatch>>,
    /// Whether the loop is over: recording is not tried again then.
    stopping: watch::Sender<bool>,
}

impl Worker {
    /// A worker with the usual limits.
    #[must_use]
    pub fn new(
        store: Arc<dyn Store>,
        handler: Arc<dyn Handler>,
        recorder: Arc<dyn Recorder>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        let limits = Limits::default();
        let (given, received) = mpsc::unbounded_channel();
        Self {
            store,
            handler,
            recorder,
            desk: Arc::new(Desk::new(clock.clone(), limits.in_flight, given)),
            given: Mutex::new(Some(received)),
            clock,
            limits,
            complained: Mutex::new(None),
            turned: Mutex::new(None),
            stopping: watch::Sender::new(false),
        }
    }

    /// How long ago the loop last turned; none before it begins.
    #[must_use]
    pub fn since_last_turn(&self) -> Option<Duration> {
        lock(&self.turned).map(|turned| turned.elapsed())
    }

    /// With other limits.
    #[must_use]
    pub fn with_limits(mut self, limits: Limits) -> Self {
        let (given, received) = mpsc::unbounded_channel();
        self.desk = Arc::new(Desk::new(self.clock.clone(), limits.in_flight, given));
        self.given = Mutex::new(Some(received));
        self.limits = limits;
        self
    }
}

/// Locks what is whole after each statement, so that a panic elsewhere spoils nothing.
fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
