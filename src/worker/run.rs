//! The worker's loop, and its one-after-the-other form for tests and simulations.

use std::panic::AssertUnwindSafe;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::{Worker, lock};
use crate::clock::Stopwatch;
use crate::domain::job::{Job, JobKind};
use crate::domain::outcome::Outcome;
use crate::store::{StoreError, Urgency, write};

/// Jobs that [`Worker::run_until_idle`] runs at most before it says that there is no end.
const IDLE_MAX: usize = 100_000;

impl Worker {
    /// Works until `shutdown` says true (or its sender is gone), then waits for what is in flight.
    ///
    /// Must run alone on its store: it begins by making every claim of an earlier process free.
    pub async fn run(self: Arc<Self>, mut shutdown: watch::Receiver<bool>) {
        let wakeups = self.store.wakeups();
        let mut running: JoinSet<()> = JoinSet::new();
        let mut released = false;
        while !told_to_stop(&shutdown) {
            *lock(&self.turned) = Some(Stopwatch::start());
            // Registered before looking: what is enqueued from here on wakes the wait below.
            let mut woken = pin!(wakeups.notified());
            woken.as_mut().enable();
            while running.try_join_next().is_some() {}
            let pause = match self.look(&mut running, &mut released).await {
                Ok(None) => continue,
                Ok(Some(pause)) => pause,
                Err(error) => {
                    self.complain(&error);
                    // Woken or not: a store that fails is not asked again at once.
                    let pause = self.limits.after_failure;
                    let _ = tokio::time::timeout(pause, stopped(&mut shutdown)).await;
                    continue;
                }
            };
            let event = async {
                tokio::select! {
                    () = woken => {}
                    Some(_) = running.join_next() => {}
                    () = stopped(&mut shutdown) => {}
                }
            };
            // Running out is as good as being woken: it looks again.
            let _ = tokio::time::timeout(pause, event).await;
        }
        self.stop(running).await;
    }

    /// Claims what is due and spawns it. Returns how long to wait, or none to look again at once.
    async fn look(
        self: &Arc<Self>,
        running: &mut JoinSet<()>,
        released: &mut bool,
    ) -> Result<Option<Duration>, StoreError> {
        if !*released {
            let freed = self.release().await?;
            *released = true;
            if freed > 0 {
                tracing::info!(
                    jobs = freed,
                    "jobs that an earlier process was at are due again"
                );
            }
        }
        let room = self.limits.in_flight.saturating_sub(running.len());
        if room == 0 {
            return Ok(Some(self.limits.poll));
        }
        let jobs = self.claim(room).await?;
        *lock(&self.complained) = None;
        let full = jobs.len() == room;
        for job in jobs {
            let worker = Arc::clone(self);
            running.spawn(async move { worker.work_off(&job).await });
        }
        if full {
            return Ok(None);
        }
        Ok(Some(self.wait().await?))
    }

    /// Until the first job that waits is due, and never longer than the poll interval: the engine's
    /// clock may be faster than the machine's.
    async fn wait(&self) -> Result<Duration, StoreError> {
        let due = self.store.reader().await?.next_due().await?;
        let ahead = due.and_then(|due| (due - self.store.now()).to_std().ok());
        // What is due already and was not claimed waits for its lane.
        Ok(match ahead {
            Some(ahead) if !ahead.is_zero() => ahead.min(self.limits.poll),
            _ => self.limits.poll,
        })
    }

    async fn claim(&self, room: usize) -> Result<Vec<Job>, StoreError> {
        let paused = lock(&self.pauses).now(self.clock.now());
        let over = std::mem::take(&mut *lock(&self.over));
        let told = over.clone();
        let claimed = write(&*self.store, Urgency::Outcome, move |tx| {
            Box::pin(async move {
                for claim in told {
                    tx.let_go(claim).await?;
                }
                tx.claim_due(room, &paused).await
            })
        })
        .await;
        if claimed.is_err() {
            lock(&self.over).extend(over);
        }
        claimed
    }

    /// Runs a job and records what came of it, however long the store fails meanwhile: until the claim
    /// is about to run out, since others may then run it too.
    async fn work_off(&self, job: &Job) {
        let since_claim = Stopwatch::start();
        let outcome = self.handle(job).await;
        let mut stopping = self.stopping.subscribe();
        loop {
            let error = match self.record(job, outcome.clone()).await {
                Ok(()) => break,
                Err(error) => error,
            };
            let pause = self.limits.after_failure;
            let goes_on = since_claim.elapsed() + pause < self.limits.record_within;
            if !goes_on || *stopping.borrow() {
                tracing::error!(
                    job.id = job.id,
                    job.attempt = job.attempt,
                    error = %error,
                    "an outcome was not recorded; the job runs again"
                );
                break;
            }
            tracing::debug!(job.id = job.id, error = %error, "an outcome is not recorded yet");
            let _ = tokio::time::timeout(pause, stopped(&mut stopping)).await;
        }
        lock(&self.over).push(job.claim());
    }

    /// Runs a job and records what came of it, if that goes at once.
    async fn attempt(&self, job: &Job) -> Result<(), String> {
        let outcome = self.handle(job).await;
        let recorded = self.record(job, outcome).await;
        lock(&self.over).push(job.claim());
        recorded
    }

    async fn handle(&self, job: &Job) -> Outcome {
        let run = AssertUnwindSafe(async { self.handler.run(job).await }).catch_unwind();
        let outcome = match tokio::time::timeout(self.limits.handler, run).await {
            Ok(Ok(outcome)) => outcome,
            Ok(Err(_panic)) => {
                tracing::error!(job.id = job.id, lane = %job.lane.0, "a handler panicked");
                lost(job, "the handler panicked".into())
            }
            Err(_elapsed) => lost(
                job,
                format!("no end after {} s", self.limits.handler.as_secs_f32()),
            ),
        };
        if let Outcome::Retry {
            after_s,
            pause_lane: true,
            ..
        } = &outcome
        {
            lock(&self.pauses).pause(&job.lane, *after_s, self.clock.now());
        }
        outcome
    }

    async fn record(&self, job: &Job, outcome: Outcome) -> Result<(), String> {
        let record = AssertUnwindSafe(async { self.recorder.record(job, outcome).await });
        match record.catch_unwind().await {
            Ok(recorded) => recorded,
            Err(_panic) => Err("the recorder panicked".into()),
        }
    }

    /// Claims and runs what is due now, one after the other, until nothing is. Returns how many ran.
    /// For tests and simulations, which move the clock themselves.
    ///
    /// # Errors
    /// The first failure to claim or to record, or that there was no end of jobs.
    pub async fn run_until_idle(&self) -> Result<usize, String> {
        for ran in 0..IDLE_MAX {
            let claimed = self.claim(1).await.map_err(|error| error.to_string())?;
            let Some(job) = claimed.first() else {
                return Ok(ran);
            };
            self.attempt(job).await?;
        }
        Err(format!("there was no end after {IDLE_MAX} jobs"))
    }

    /// Lets what is in flight finish, then makes what did not, or could not be recorded, free at once.
    async fn stop(&self, mut running: JoinSet<()>) {
        self.stopping.send_replace(true);
        let ended = tokio::time::timeout(self.limits.stop, async {
            while running.join_next().await.is_some() {}
        })
        .await;
        if ended.is_err() {
            tracing::warn!(
                jobs = running.len(),
                "stopped with jobs in flight; they run again at the next start"
            );
            running.shutdown().await;
        }
        // Nobody is at any job now.
        match self.release().await {
            Ok(0) => {}
            Ok(jobs) => tracing::info!(jobs, "jobs that were not finished were handed back"),
            Err(error) => {
                tracing::warn!(error = %error, "jobs were not handed back; the next start takes them");
            }
        }
    }

    async fn release(&self) -> Result<i64, StoreError> {
        write(&*self.store, Urgency::Outcome, |tx| {
            Box::pin(async move { tx.release_claims().await })
        })
        .await
    }

    fn complain(&self, error: &StoreError) {
        let text = error.to_string();
        let mut last = lock(&self.complained);
        if last.as_ref() != Some(&text) {
            tracing::error!(error = %text, "no jobs can be claimed; it is tried again until they can");
            *last = Some(text);
        }
    }
}

/// What is known of an attempt that did not come back: of giving access, that nobody knows.
fn lost(job: &Job, said: String) -> Outcome {
    match job.kind {
        JobKind::Issue { .. } => Outcome::IssueUnknown { said },
        _ => Outcome::Retry {
            said,
            after_s: None,
            pause_lane: false,
        },
    }
}

fn told_to_stop(shutdown: &watch::Receiver<bool>) -> bool {
    *shutdown.borrow() || shutdown.has_changed().is_err()
}

/// Returns when the worker is to stop.
async fn stopped(shutdown: &mut watch::Receiver<bool>) {
    // An error means that nobody can say stop any more: then this is it.
    let _ = shutdown.wait_for(|stop| *stop).await;
}
