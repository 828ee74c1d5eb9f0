//! Jobs that are claimed where they come up, and changes that wait.

use std::sync::Mutex;

use super::*;
use crate::domain::ids::IssuerName;
use crate::domain::job::{Claim, Job, Settle};
use crate::domain::job_order::JobOrder;
use crate::domain::timing::seconds;
use crate::store::taking::{JobTaker, Wanted};
use crate::store::write_for;

/// Takes so many jobs, and keeps what it was given and told.
#[derive(Default)]
struct Hands {
    room: usize,
    over: Mutex<Vec<Claim>>,
    taken: Mutex<Vec<Job>>,
    next_due: Mutex<Option<Timestamp>>,
    told: Mutex<Vec<String>>,
}

impl Hands {
    fn of(open: &Open, room: usize) -> Arc<Self> {
        let hands = Arc::new(Self {
            room,
            ..Self::default()
        });
        open.store.hand_jobs_to(Some(hands.clone()));
        hands
    }

    fn taken(&self) -> Vec<Job> {
        std::mem::take(&mut *self.taken.lock().unwrap())
    }
}

impl JobTaker for Hands {
    fn wanted(&self) -> Wanted {
        Wanted {
            room: self.room,
            paused: Vec::new(),
            over: std::mem::take(&mut *self.over.lock().unwrap()),
        }
    }

    fn take(&self, jobs: Vec<Job>, next_due: Option<Timestamp>) {
        self.taken.lock().unwrap().extend(jobs);
        *self.next_due.lock().unwrap() = next_due;
    }

    fn not_kept(&self, over: Vec<Claim>, error: &StoreError) {
        self.over.lock().unwrap().extend(over);
        self.told.lock().unwrap().push(error.to_string());
    }
}

fn publish(name: &str, in_s: i64) -> JobOrder {
    let issuer = IssuerName::new(name.to_owned()).unwrap();
    JobOrder::publish(&issuer, clock().now() + seconds(in_s))
}

async fn enqueue(open: &Open, orders: Vec<JobOrder>) -> Result<(), StoreError> {
    write(&open.store, Urgency::Outcome, move |tx| {
        Box::pin(async move {
            for order in &orders {
                tx.enqueue(order).await?;
            }
            Ok(())
        })
    })
    .await
}

async fn look(open: &Open) {
    write(&open.store, Urgency::Outcome, |tx| {
        tx.look_for_jobs();
        Box::pin(async { Ok(()) })
    })
    .await
    .unwrap();
}

#[tokio::test]
async fn what_is_enqueued_is_claimed_in_the_same_transaction_up_to_what_is_wanted() {
    let open = fresh().await;
    let hands = Hands::of(&open, 2);
    let orders = ["a", "b", "c"].map(|name| publish(name, 0)).to_vec();
    enqueue(&open, [orders, vec![publish("later", 60)]].concat())
        .await
        .unwrap();
    let taken = hands.taken();
    assert_eq!(taken.len(), 2, "{taken:?}");
    let due = hands.next_due.lock().unwrap().unwrap();
    assert_eq!((due - clock().now()).num_seconds(), 60);
    // What settles one makes room for the next.
    let claim = taken[0].claim();
    let settled = write_for(&open.store, claim, move |tx| {
        Box::pin(async move {
            assert!(tx.holds(claim).await?);
            tx.settle(claim, &Settle::Done).await
        })
    })
    .await;
    assert_eq!(settled, Ok(true));
    assert_eq!(hands.taken().len(), 1);
    // Nobody takes any more.
    open.store.hand_jobs_to(None);
    enqueue(&open, vec![publish("d", 0)]).await.unwrap();
    assert_eq!(hands.taken(), []);
}

#[tokio::test]
async fn jobs_whose_claim_was_not_committed_are_given_to_nobody() {
    let open = fresh().await;
    let hands = Hands::of(&open, 5);
    hands
        .over
        .lock()
        .unwrap()
        .push(Claim { job: 7, attempt: 1 });
    beside(&open.path)
        .await
        .execute(failing::FAILS_LATE)
        .await
        .unwrap();
    let late = write(&open.store, Urgency::Outcome, |tx| {
        Box::pin(async move {
            tx.enqueue(&publish("a", 0)).await?;
            tx.keep_policy(&ContentHash::of(b"late"), "late").await
        })
    })
    .await;
    assert!(late.is_err());
    assert_eq!(hands.taken(), []);
    assert_eq!(hands.over.lock().unwrap().len(), 1, "it is told again");
    enqueue(&open, vec![publish("a", 0)]).await.unwrap();
    assert_eq!(hands.taken().len(), 1);
    assert_eq!(hands.over.lock().unwrap().len(), 0);
}

#[tokio::test]
async fn a_claim_that_fails_does_not_take_back_what_was_enqueued() {
    let open = fresh().await;
    let hands = Hands::of(&open, 5);
    let mut shell = beside(&open.path).await;
    shell
        .execute(
            "CREATE TRIGGER no_claims BEFORE UPDATE ON jobs WHEN NEW.state = 'running'
            BEGIN SELECT RAISE(ABORT, 'no claims today'); END",
        )
        .await
        .unwrap();
    enqueue(&open, vec![publish("a", 0)]).await.unwrap();
    assert_eq!(hands.taken(), []);
    let told = hands.told.lock().unwrap().pop().unwrap();
    assert!(told.contains("no claims today"), "{told}");
    shell.execute("DROP TRIGGER no_claims").await.unwrap();
    look(&open).await;
    assert_eq!(hands.taken().len(), 1, "it was kept");
}

#[tokio::test]
async fn a_body_whose_change_failed_is_undone_whatever_it_makes_of_that() {
    let open = fresh().await;
    let answer = |name: &'static str| {
        write(&open.store, Urgency::Answer, move |tx| {
            Box::pin(async move {
                tx.keep_answer("once", name).await?;
                // The change is made before this; a careless body goes on.
                let _ = tx.answered("once").await;
                let _ = tx.audit(started(name)).await;
                Ok(())
            })
        })
    };
    answer("first").await.unwrap();
    let again = answer("second").await;
    assert!(
        matches!(again, Err(StoreError::Conflict { .. })),
        "{again:?}"
    );
    assert_eq!(count(&open.store).await, 1, "nothing of it was kept");
    let mut reader = open.store.reader().await.unwrap();
    assert_eq!(reader.answered("once").await, Ok(Some("first".to_owned())));
}

#[tokio::test]
async fn an_idle_look_is_not_committed_whatever_was_changed_before_it() {
    let clock = clock();
    let open = fresh_at(clock.clone()).await;
    let hands = Hands::of(&open, 5);
    enqueue(&open, vec![publish("later", 60)]).await.unwrap();
    let mut conn = beside(&open.path).await;
    let before = commits_seen(&mut conn).await;
    for _ in 0..3 {
        // Else the time of the last transaction would be the same, and nothing would be written.
        clock.advance(seconds(1));
        look(&open).await;
    }
    assert_eq!(
        commits_seen(&mut conn).await,
        before,
        "a look was committed"
    );
    assert_eq!(hands.taken(), []);
}

#[tokio::test]
async fn many_changes_are_made_in_parts_and_in_their_order() {
    let open = fresh().await;
    let orders: Vec<JobOrder> = (0..100).map(|n| publish(&format!("i{n}"), 60)).collect();
    enqueue(&open, orders).await.unwrap();
    let mut reader = open.store.reader().await.unwrap();
    let jobs = reader.open_jobs().await.unwrap();
    let keys: Vec<String> = (0..100).map(|n| format!("publish:i{n}")).collect();
    assert_eq!(jobs.into_iter().map(|job| job.0).collect::<Vec<_>>(), keys);
}

#[tokio::test]
async fn a_claim_whose_lease_ran_out_is_given_again_by_the_next_look() {
    let clock = clock();
    let open = fresh_at(clock.clone()).await;
    let hands = Hands::of(&open, 5);
    enqueue(&open, vec![publish("a", 0)]).await.unwrap();
    let first = hands.taken().remove(0);
    clock.advance_both(seconds(59));
    look(&open).await;
    assert_eq!(hands.taken(), [], "somebody may be at it");
    clock.advance_both(seconds(2));
    look(&open).await;
    let again = hands.taken().remove(0);
    assert_eq!((again.id, again.attempt), (first.id, first.attempt + 1));
}
