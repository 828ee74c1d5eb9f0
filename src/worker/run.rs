//! The worker's loop, and its one-after-the-other form for tests and simulations.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tracing::Instrument as _;

use super::desk::{Desk, Given};
use super::{Worker, lock};
use crate::clock::Stopwatch;
use crate::domain::job::{Claim, Job, JobKind};
use crate::domain::outcome::Outcome;
use crate::domain::timing::Timestamp;
use crate::store::taking::{JobTaker as _, Wanted};
use crate::store::{StoreError, Urgency, write};
use crate::traces;

/// Jobs that [`Worker::run_until_idle`] runs at most before it says that there is no end.
const IDLE_MAX: usize = 100_000;

/// The shortest pause between two looks.
const PAUSE_MIN: Duration = Duration::from_millis(2);

/// A job that somebody is at, until this is dropped: however its run ends, its place is free again.
struct AtWork {
    desk: Arc<Desk>,
    claim: Claim,
}

impl Drop for AtWork {
    fn drop(&mut self) {
        self.desk.run_is_over(self.claim);
    }
}

/// What the loop waits for.
enum Event {
    Given(Given),
    Over,
    Stop,
}

impl Worker {
    /// Works until `shutdown` says true (or its sender is gone), then waits for what is in flight.
    ///
    /// Must run alone on its store, and once: it begins by making every claim of an earlier process free.
    pub async fn run(self: Arc<Self>, mut shutdown: watch::Receiver<bool>) {
        let Some(mut given) = lock(&self.given).take() else {
            tracing::error!("a worker runs once; this one has run already");
            return;
        };
        let mut running: JoinSet<()> = JoinSet::new();
        let mut released = false;
        let mut next_due = None;
        let mut looks = true;
        let mut looked = Stopwatch::start();
        // A store that fails is not asked again at once. What it gave before is taken all the same.
        let mut failed: Option<Stopwatch> = None;
        while !told_to_stop(&shutdown) {
            *lock(&self.turned) = Some(Stopwatch::start());
            let rest = failed.as_ref().map_or(Duration::ZERO, |failed| {
                self.limits.after_failure.saturating_sub(failed.elapsed())
            });
            if rest.is_zero() && (looks || looked.elapsed() >= self.limits.poll) {
                looked = Stopwatch::start();
                let done = self.look(&mut released).await;
                looks = done.is_err();
                failed = done.is_err().then(Stopwatch::start);
                if let Err(error) = done {
                    self.complain(&error);
                }
            }
            let pause = match failed {
                Some(_) => self.limits.after_failure,
                None => self.pause(next_due),
            };
            let event = async {
                tokio::select! {
                    Some(given) = given.recv() => Event::Given(given),
                    Some(_) = running.join_next() => Event::Over,
                    () = stopped(&mut shutdown) => Event::Stop,
                }
            };
            match tokio::time::timeout(pause, event).await {
                Ok(Event::Given(Given::Jobs(jobs, due))) => {
                    next_due = due;
                    *lock(&self.complained) = None;
                    for job in jobs {
                        let at_work = AtWork {
                            desk: Arc::clone(&self.desk),
                            claim: job.claim(),
                        };
                        let worker = Arc::clone(&self);
                        running.spawn(async move {
                            worker.work_off(&job).await;
                            drop(at_work);
                        });
                    }
                }
                Ok(Event::Given(Given::Failed(error))) => self.complain(&error),
                Ok(Event::Over) => looks |= self.desk.was_full(),
                Ok(Event::Stop) => {}
                Err(_elapsed) => looks = true,
            }
        }
        self.desk.close();
        self.store.hand_jobs_to(None);
        self.stop(running).await;
    }

    /// Has what is due claimed: it is given like everything that is claimed later on.
    async fn look(&self, released: &mut bool) -> Result<(), StoreError> {
        if !*released {
            let freed = self.release().await?;
            *released = true;
            if freed > 0 {
                tracing::info!(
                    jobs = freed,
                    "jobs that an earlier process was at are due again"
                );
            }
            self.store.hand_jobs_to(Some(self.desk.clone()));
        }
        write(&*self.store, Urgency::Outcome, |tx| {
            tx.look_for_jobs();
            Box::pin(async { Ok(()) })
        })
        .await
    }

    /// Until the first job that waits is due, and never longer than the poll interval: the engine's
    /// clock may be faster than the machine's.
    fn pause(&self, next_due: Option<Timestamp>) -> Duration {
        let Some(due) = next_due else {
            return self.limits.poll;
        };
        // One that is past is looked for at once, but not in a circle where it can't be claimed.
        let ahead = (due - self.store.now()).to_std().unwrap_or(Duration::ZERO);
        ahead.clamp(PAUSE_MIN.min(self.limits.poll), self.limits.poll)
    }

    /// Claims one job.
    async fn claim_one(&self) -> Result<Option<Job>, StoreError> {
        let Wanted { paused, over, .. } = self.desk.wanted();
        let told = over.clone();
        let claimed = write(&*self.store, Urgency::Outcome, move |tx| {
            Box::pin(async move {
                for claim in told {
                    tx.let_go(claim).await?;
                }
                tx.claim_due(1, &paused).await
            })
        })
        .await;
        match claimed {
            Ok(mut jobs) => {
                self.desk.took(jobs.len());
                Ok(jobs.pop())
            }
            Err(error) => {
                self.desk.not_kept(over, &error);
                Err(error)
            }
        }
    }

    /// Runs a job and records what came of it, however long the store fails meanwhile: until the claim
    /// is about to run out, since others may then run it too.
    async fn work_off(&self, job: &Job) {
        let since_claim = Stopwatch::start();
        if !self.has_time(job, self.limits.handler) {
            tracing::warn!(
                job.id = job.id,
                job.attempt = job.attempt,
                "a job was given too late to be run within its claim; it runs once that is over"
            );
            return;
        }
        let outcome = self.handle(job).await;
        let mut stopping = self.stopping.subscribe();
        loop {
            let error = match self.record(job, outcome.clone()).await {
                Ok(()) => break,
                Err(error) => error,
            };
            let pause = self.limits.after_failure;
            let goes_on = since_claim.elapsed() + pause < self.limits.record_within
                && self.has_time(job, pause);
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
    }

    /// Whether this much time is left until others may run it too.
    fn has_time(&self, job: &Job, needed: Duration) -> bool {
        let left = job.lease_until - self.clock.machine_now();
        left.to_std().is_ok_and(|left| needed < left)
    }

    /// Runs a job and records what came of it, if that goes at once.
    async fn attempt(&self, job: &Job) -> Result<(), String> {
        let outcome = self.handle(job).await;
        let recorded = self.record(job, outcome).await;
        self.desk.run_is_over(job.claim());
        recorded
    }

    async fn handle(&self, job: &Job) -> Outcome {
        let span = traces::attempt(job);
        let run = async { self.handler.run(job).await }.instrument(span.clone());
        let run = AssertUnwindSafe(run).catch_unwind();
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
        traces::came_of(&span, &outcome);
        if let Outcome::Retry {
            after_s,
            pause_lane: true,
            ..
        } = &outcome
        {
            self.desk.pause(&job.lane, *after_s);
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
            let claimed = self.claim_one().await.map_err(|error| error.to_string())?;
            let Some(job) = claimed else {
                return Ok(ran);
            };
            self.attempt(&job).await?;
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

#[cfg(test)]
mod tests;
