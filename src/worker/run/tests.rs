//! Jobs that come when it is late, and runs that end oddly.

use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use chrono::DateTime;

use super::*;
use crate::clock::{Clock as _, ManualClock};
use crate::domain::ids::IssuerName;
use crate::domain::job::Lane;
use crate::domain::timing::seconds;
use crate::store::sqlite::SqliteStore;
use crate::worker::{Handler, Limits, Recorder};

/// Counts the attempts, and what of them was recorded.
#[derive(Default)]
struct Counts {
    ran: AtomicUsize,
    recorded: AtomicUsize,
    panics: bool,
}

#[async_trait]
impl Handler for Counts {
    async fn run(&self, _job: &Job) -> Outcome {
        self.ran.fetch_add(1, Ordering::SeqCst);
        assert!(!self.panics, "as asked");
        Outcome::Done
    }
}

#[async_trait]
impl Recorder for Counts {
    async fn record(&self, _job: &Job, _outcome: Outcome) -> Result<(), String> {
        self.recorded.fetch_add(1, Ordering::SeqCst);
        Ok(())
    }
}

struct Works {
    worker: Arc<Worker>,
    counts: Arc<Counts>,
    clock: Arc<ManualClock>,
    stop: watch::Sender<bool>,
    task: tokio::task::JoinHandle<()>,
    _folder: tempfile::TempDir,
}

async fn works(counts: Counts) -> Works {
    let folder = tempfile::tempdir().unwrap();
    let clock = Arc::new(ManualClock::at(
        DateTime::from_timestamp(1_800_000_000, 0).unwrap(),
    ));
    let path = folder.path().join("jitbot.db");
    let store = SqliteStore::open(path.to_str().unwrap(), clock.clone())
        .await
        .unwrap();
    let counts = Arc::new(counts);
    let worker = Worker::new(
        Arc::new(store),
        counts.clone(),
        counts.clone(),
        clock.clone(),
    );
    let worker = Arc::new(worker.with_limits(Limits {
        in_flight: 2,
        ..Limits::default()
    }));
    let (stop, stopped) = watch::channel(false);
    let task = tokio::spawn(Arc::clone(&worker).run(stopped));
    Works {
        worker,
        counts,
        clock,
        stop,
        task,
        _folder: folder,
    }
}

impl Works {
    /// As the store would, with so much of the claim left.
    fn give(&self, id: i64, left_s: i64) {
        let now = self.clock.now();
        let job = Job {
            id,
            kind: JobKind::Publish {
                issuer: IssuerName::new("ca".to_owned()).unwrap(),
            },
            lane: Lane::engine(),
            attempt: 1,
            failures: 0,
            run_at: now,
            lease_until: self.clock.machine_now() + seconds(left_s),
        };
        self.worker.desk.take(vec![job], None);
    }

    async fn until(&self, what: impl Fn(&Self) -> bool) {
        let seen = async {
            while !what(self) {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(Duration::from_secs(10), seen)
            .await
            .unwrap();
    }

    fn room(&self) -> usize {
        self.worker.desk.wanted().room
    }

    async fn end(self) {
        self.stop.send(true).unwrap();
        self.task.await.unwrap();
    }
}

#[tokio::test]
async fn a_job_whose_claim_would_run_out_under_it_is_not_run() {
    let works = works(Counts::default()).await;
    works.give(1, 60);
    works
        .until(|it| it.counts.recorded.load(Ordering::SeqCst) == 1)
        .await;
    // A call may take 45 s: others could run it too before that is over.
    works.give(2, 40);
    assert_eq!(works.room(), 1);
    works.until(|it| it.room() == 2).await;
    assert_eq!(works.counts.ran.load(Ordering::SeqCst), 1);
    works.end().await;
}

#[tokio::test]
async fn the_place_of_a_run_that_panics_is_free_again() {
    let works = works(Counts {
        panics: true,
        ..Counts::default()
    })
    .await;
    for id in 0..5 {
        works.give(id, 60);
        works.until(|it| it.room() == 2).await;
    }
    works.end().await;
}
