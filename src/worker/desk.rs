//! Where the store hands jobs over: what the worker takes now, and what it was given.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use tokio::sync::mpsc;

use super::lock;
use super::pauses::Pauses;
use crate::clock::Clock;
use crate::domain::job::{Claim, Job, Lane};
use crate::domain::timing::Timestamp;
use crate::store::StoreError;
use crate::store::taking::{JobTaker, Wanted};

/// What came from the store.
pub(super) enum Given {
    /// These are claimed; the first that is not due yet is due then.
    Jobs(Vec<Job>, Option<Timestamp>),
    /// Nothing could be claimed.
    Failed(StoreError),
}

/// Shared by the worker and the store's writer.
pub(super) struct Desk {
    clock: Arc<dyn Clock>,
    in_flight_max: usize,
    /// Jobs that were given and whose runs are not over.
    in_flight: AtomicUsize,
    /// Whether more might have been given if there had been room.
    full: AtomicBool,
    /// Nothing more is taken.
    closed: AtomicBool,
    pauses: Mutex<Pauses>,
    /// Claims whose runs are over, to be told to the store with the next claim.
    over: Mutex<Vec<Claim>>,
    /// What was said last of when the next job is due.
    next_due: Mutex<Option<Timestamp>>,
    given: mpsc::UnboundedSender<Given>,
}

impl Desk {
    pub(super) fn new(
        clock: Arc<dyn Clock>,
        in_flight_max: usize,
        given: mpsc::UnboundedSender<Given>,
    ) -> Self {
        Self {
            clock,
            in_flight_max,
            in_flight: AtomicUsize::new(0),
            full: AtomicBool::new(false),
            closed: AtomicBool::new(false),
            pauses: Mutex::default(),
            over: Mutex::default(),
            next_due: Mutex::default(),
            given,
        }
    }

    /// This lane waits so long.
    pub(super) fn pause(&self, lane: &Lane, after_s: Option<i64>) {
        lock(&self.pauses).pause(lane, after_s, self.clock.now());
    }

    /// So many are given.
    pub(super) fn took(&self, jobs: usize) {
        self.in_flight.fetch_add(jobs, Ordering::AcqRel);
    }

    /// The run of a claim is over.
    pub(super) fn run_is_over(&self, claim: Claim) {
        lock(&self.over).push(claim);
        self.in_flight.fetch_sub(1, Ordering::AcqRel);
    }

    /// Whether more might have been given before if there had been room. Says so once.
    pub(super) fn was_full(&self) -> bool {
        self.full.swap(false, Ordering::AcqRel)
    }

    /// From now on nothing is taken.
    pub(super) fn close(&self) {
        self.closed.store(true, Ordering::Release);
    }

    fn room(&self) -> usize {
        if self.closed.load(Ordering::Acquire) {
            return 0;
        }
        self.in_flight_max
            .saturating_sub(self.in_flight.load(Ordering::Acquire))
    }
}

impl JobTaker for Desk {
    fn wanted(&self) -> Wanted {
        Wanted {
            room: self.room(),
            paused: lock(&self.pauses).now(self.clock.now()),
            over: std::mem::take(&mut *lock(&self.over)),
        }
    }

    fn take(&self, jobs: Vec<Job>, next_due: Option<Timestamp>) {
        self.took(jobs.len());
        if self.room() == 0 {
            self.full.store(true, Ordering::Release);
        }
        let known = std::mem::replace(&mut *lock(&self.next_due), next_due);
        if jobs.is_empty() && known == next_due {
            return;
        }
        // Nobody receives any more once the worker has stopped; its claims are handed back then.
        let _ = self.given.send(Given::Jobs(jobs, next_due));
    }

    fn not_kept(&self, over: Vec<Claim>, error: &StoreError) {
        lock(&self.over).extend(over);
        let _ = self.given.send(Given::Failed(error.clone()));
    }
}
