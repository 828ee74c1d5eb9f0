//! A policy that is exchanged while others wait for the writer, and one whose record fails.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use jitbot::domain::grant::GrantState;
use jitbot::domain::ids::ResourceName;
use jitbot::domain::spec::ContentHash;
use jitbot::policy::Policy;
use jitbot::service::{InForce, NotTakenUp};
use jitbot::store::{Urgency, write};
use sqlx::{ConnectOptions as _, Executor as _};

use super::house;
use super::world::{PLAIN, World};

fn in_force(policy: Policy) -> InForce {
    InForce {
        policy: Arc::new(policy),
        schedule: Arc::new(|_| None),
        keep: None,
    }
}

/// A policy under which nobody may have `orders`.
fn without_orders() -> Policy {
    let mut policy = house::policy(&PLAIN);
    policy
        .resources
        .remove(&ResourceName::new("orders").unwrap());
    policy.text = "another".into();
    policy.hash = ContentHash::of(policy.text.as_bytes());
    policy
}

#[tokio::test]
async fn what_is_committed_after_a_change_is_decided_by_it_also_when_it_was_begun_before() {
    let world = World::start().await;
    let id = world.asks("alice", "orders").await;
    world.approves(&id).await;
    let job = world.claims().await.expect("the call that gives it");

    // The writer is busy; the change and then the intent to give wait for it.
    let (let_go, held) = tokio::sync::oneshot::channel::<()>();
    let mut busy = std::pin::pin!(write(&*world.store, Urgency::Outcome, move |_tx| {
        Box::pin(async move {
            let _ = held.await;
            Ok(())
        })
    }));
    assert!(futures_util::poll!(&mut busy).is_pending());
    let mut change = std::pin::pin!(
        world
            .service
            .reload(in_force(without_orders()), Box::new(|| {}))
    );
    // It reads something first; then it waits for the writer, and is ahead of the intent.
    let waits = tokio::time::timeout(Duration::from_millis(500), &mut change).await;
    assert!(waits.is_err(), "the writer is busy");
    let (busy, change, outcome, ()) = tokio::join!(busy, change, world.runs(&job), async {
        tokio::task::yield_now().await;
        let _ = let_go.send(());
    });
    busy.unwrap();
    change.unwrap();
    world.records(&job, outcome).await;
    assert_eq!(world.state(&id).await, GrantState::Cancelled);
    assert!(world.target.live().is_empty());
}

#[tokio::test]
async fn a_change_that_can_not_be_recorded_is_none() {
    let world = World::start().await;
    let mut beside = sqlx::sqlite::SqliteConnectOptions::new()
        .filename(world.dir.path().join("jitbot.db"))
        .connect()
        .await
        .unwrap();
    // A check that only the commit makes, after everything else of the transaction went well.
    beside
        .execute(
            "CREATE TABLE owner (id INTEGER PRIMARY KEY) STRICT;
            CREATE TABLE owned (id INTEGER REFERENCES owner (id) DEFERRABLE INITIALLY DEFERRED) STRICT;
            CREATE TRIGGER fails_late AFTER INSERT ON policies WHEN NEW.text = 'another'
            BEGIN INSERT INTO owned VALUES (1); END;",
        )
        .await
        .unwrap();
    let before = world.recorded().await;
    let exchanged = Arc::new(AtomicI64::new(0));
    let count = exchanged.clone();
    let also = Box::new(move || {
        count.fetch_add(1, Ordering::SeqCst);
    });
    let failed = world.service.reload(in_force(without_orders()), also).await;
    assert!(matches!(failed, Err(NotTakenUp::Store(_))), "{failed:?}");
    assert_eq!(exchanged.load(Ordering::SeqCst), 2, "there and back");
    assert_eq!(world.service.policy().text, "engine");
    assert_eq!(world.recorded().await, before);
    world.gives("alice", "orders").await;
}
