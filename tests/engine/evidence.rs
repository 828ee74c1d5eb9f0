//! What an end is believed on: what the target can do decides, never our own books.

use jitbot::domain::answer::Answer;
use jitbot::domain::command::Command;
use jitbot::domain::grant::{EndingReason, Evidence, GrantState};
use jitbot::domain::refusal::Refusal;
use jitbot::issuer::{Capabilities, EarlyEnd, NativeExpiry};

use super::house::LASTS_S;
use super::target::{Sees, What};
use super::world::{PLAIN, World};

#[tokio::test]
async fn a_target_that_can_only_be_told_ends_it_on_being_told() {
    let world = World::over(Capabilities {
        early_end: EarlyEnd::ToldOnly,
        ..PLAIN
    })
    .await;
    let id = world.gives("alice", "orders").await;
    world.done("alice", &id).await;
    world.settle().await;
    let grant = world.grant(&id).await;
    assert_eq!(grant.state, GrantState::Ended);
    assert_eq!(grant.evidence, Some(Evidence::ToldOnly));
    assert_eq!(world.target.calls(What::Revoke).len(), 1);
    world.is_over_for_good().await;
}

#[tokio::test]
async fn a_target_that_can_be_asked_ends_nothing_until_it_was() {
    let world = World::start().await;
    let id = world.gives("alice", "orders").await;
    world.target.sees(Sees::CannotTell);
    world.done("alice", &id).await;
    world.pass(LASTS_S).await;
    let grant = world.grant(&id).await;
    assert_eq!(
        grant.state,
        GrantState::Stuck,
        "our books are taken for evidence"
    );
    assert_eq!((grant.ended_at, grant.evidence), (None, None));
    world.target.sees(Sees::Truth);
    world.pass(60).await;
    let grant = world.grant(&id).await;
    assert_eq!(grant.state, GrantState::Ended);
    assert_eq!(grant.evidence, Some(Evidence::SeenGone));
    world.is_over_for_good().await;
}

#[tokio::test]
async fn an_end_that_the_target_enforced_is_evidence_of_its_own() {
    for early_end in [EarlyEnd::Seen, EarlyEnd::ToldOnly, EarlyEnd::Impossible] {
        let world = World::over(Capabilities {
            native_expiry: NativeExpiry::Enforced,
            early_end,
            ..PLAIN
        })
        .await;
        let id = world.gives("alice", "orders").await;
        let deadline = world.grant(&id).await.deadline;
        world.pass(LASTS_S).await;
        let grant = world.grant(&id).await;
        assert_eq!(grant.state, GrantState::Ended, "{early_end:?}");
        assert_eq!(grant.evidence, Some(Evidence::ExpiredAtTarget));
        assert_eq!(grant.ended_at, deadline);
        world.is_over_for_good().await;
    }
}

#[tokio::test]
async fn an_early_end_is_not_taken_for_the_one_that_the_target_enforces() {
    for (early_end, evidence) in [
        (EarlyEnd::Seen, Evidence::SeenGone),
        (EarlyEnd::ToldOnly, Evidence::ToldOnly),
    ] {
        let world = World::over(Capabilities {
            native_expiry: NativeExpiry::Enforced,
            early_end,
            ..PLAIN
        })
        .await;
        let id = world.gives("alice", "orders").await;
        world.done("alice", &id).await;
        world.settle().await;
        let grant = world.grant(&id).await;
        assert_eq!(grant.evidence, Some(evidence), "{early_end:?}");
        world.is_over_for_good().await;
    }
}

#[tokio::test]
async fn what_cannot_be_ended_early_is_not_and_says_until_when_it_lasts() {
    let world = World::over(Capabilities {
        native_expiry: NativeExpiry::Enforced,
        early_end: EarlyEnd::Impossible,
        ..PLAIN
    })
    .await;
    let id = world.gives("alice", "orders").await;
    let ends_at = world.grant(&id).await.deadline.unwrap();
    let answer = world.act("alice", Command::Done(id.clone())).await;
    assert_eq!(answer, Answer::Refused(Refusal::CannotEndEarly { ends_at }));
    world.settle().await;
    assert_eq!(world.state(&id).await, GrantState::Active);
    assert_eq!(world.target.calls(What::Revoke), []);
    world.pass(LASTS_S).await;
    let ending = world.grant(&id).await.ending.unwrap();
    assert_eq!(ending.reason, EndingReason::Deadline);
    world.is_over_for_good().await;
}
