//! A platform that hands the same event in again: the same answer, and nothing twice.

use jitbot::domain::answer::Answer;
use jitbot::domain::command::Command;
use jitbot::domain::grant::GrantState;

use super::target::What;
use super::world::{World, wish};

#[tokio::test]
async fn a_request_that_is_delivered_twice_is_one_request() {
    let world = World::start().await;
    let first = world.act_once("wish", "alice", wish("orders")).await;
    let Answer::Received(told) = &first else {
        panic!("{first:?}");
    };
    let entries = world.recorded().await;
    for _ in 0..2 {
        let again = world.act_once("wish", "alice", wish("orders")).await;
        assert_eq!(again, first);
        world.stand_still(600);
        world.settle().await;
    }
    assert_eq!(world.recorded().await, entries);
    assert_eq!(world.record(&told.id).await, ["requested"]);
    // The key alone says that it is the same event.
    let other = world.act_once("wish", "alice", wish("stock")).await;
    assert_eq!(other, first);
    let another = world.act_once("another", "alice", wish("stock")).await;
    assert!(matches!(another, Answer::Received(_)), "{another:?}");
}

#[tokio::test]
async fn an_approval_that_is_delivered_twice_is_one_decision_and_one_grant() {
    let world = World::start().await;
    let id = world.asks("alice", "orders").await;
    let press = Command::Approve(world.press(&id).await);
    let first = world.act_once("press", "bob", press.clone()).await;
    assert!(matches!(first, Answer::Approved(_)), "{first:?}");
    assert_eq!(world.act_once("press", "bob", press.clone()).await, first);
    world.settle().await;
    assert_eq!(world.act_once("press", "bob", press).await, first);
    world.settle().await;
    let decisions = world.reader().await.decisions(&id).await.unwrap();
    assert_eq!(decisions.len(), 1);
    assert_eq!(world.target.calls(What::Issue).len(), 1);
    assert_eq!(
        world.record(&id).await,
        ["requested", "approved", "issue_intended", "issued"]
    );
}

#[tokio::test]
async fn a_refusal_that_is_delivered_twice_is_recorded_once() {
    let world = World::start().await;
    let id = world.asks("alice", "orders").await;
    // Nobody approves what they asked for.
    let press = Command::Approve(world.press(&id).await);
    let first = world.act_once("press", "alice", press.clone()).await;
    assert!(matches!(first, Answer::Refused(_)), "{first:?}");
    assert_eq!(world.act_once("press", "alice", press).await, first);
    assert_eq!(world.record(&id).await, ["requested", "refused"]);
}

#[tokio::test]
async fn an_end_that_is_delivered_twice_is_one_end() {
    let world = World::start().await;
    let id = world.gives("alice", "orders").await;
    let first = world
        .act_once("end", "alice", Command::Done(id.clone()))
        .await;
    world.settle().await;
    assert_eq!(world.state(&id).await, GrantState::Ended);
    let entries = world.recorded().await;
    let again = world
        .act_once("end", "alice", Command::Done(id.clone()))
        .await;
    assert_eq!(again, first);
    assert_eq!(world.recorded().await, entries);
    world.is_over_for_good().await;
}
