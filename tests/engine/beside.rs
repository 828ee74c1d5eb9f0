//! Grants beside each other on one target: the end of one is the end of no other.

use jitbot::domain::grant::GrantState;
use jitbot::domain::ids::RequestId;

use super::house::LASTS_S;
use super::target::{Does, What};
use super::world::World;

/// The first ends early; the second stays until its own deadline.
async fn only_the_first_ends_early(world: &World, first: &RequestId, second: &RequestId) {
    let before = world.grant(second).await;
    assert_eq!(before.state, GrantState::Active);
    world.done("alice", first).await;
    world.settle().await;
    assert_eq!(world.state(first).await, GrantState::Ended);
    assert_eq!(world.target.live(), [second.grant()]);
    assert_eq!(world.grant(second).await, before);

    let left = before.deadline.unwrap() - world.now();
    world.pass(left.num_seconds() - 1).await;
    assert_eq!(world.target.live(), [second.grant()], "cut");
    world.pass(1).await;
    let ended = world.grant(second).await;
    assert_eq!(ended.state, GrantState::Ended, "forgotten");
    assert_eq!(ended.ended_at, before.deadline);
    let told = world.target.calls(What::Revoke);
    let told: Vec<_> = told.into_iter().map(|order| order.grant).collect();
    assert_eq!(told, [first.grant(), second.grant()]);
    world.is_over_for_good().await;
}

#[tokio::test]
async fn what_one_person_gives_back_another_keeps() {
    let world = World::start().await;
    let first = world.gives("alice", "orders").await;
    world.pass(300).await;
    let second = world.gives("erin", "orders").await;
    only_the_first_ends_early(&world, &first, &second).await;
}

#[tokio::test]
async fn what_one_person_gives_back_is_not_what_they_hold_beside_it() {
    let world = World::start().await;
    let first = world.gives("alice", "orders").await;
    let second = world.gives("alice", "stock").await;
    only_the_first_ends_early(&world, &first, &second).await;
}

#[tokio::test]
async fn an_end_that_keeps_failing_holds_up_no_other_end() {
    let world = World::start().await;
    let stuck = world.gives("alice", "orders").await;
    let other = world.gives("erin", "orders").await;
    world.target.revokes_always(Does::Refuses);
    world.done("alice", &stuck).await;
    world.pass(600).await;
    assert_eq!(world.state(&stuck).await, GrantState::Stuck);
    // Its next try is not due yet: the next call is erin's.
    world.target.revokes(&[Does::Succeeds]);
    world.done("erin", &other).await;
    world.settle().await;
    assert_eq!(world.state(&other).await, GrantState::Ended);
    assert_eq!(world.target.live(), [stuck.grant()]);
    world.target.revokes_always(Does::Succeeds);
    world.pass(LASTS_S).await;
    assert_eq!(world.state(&stuck).await, GrantState::Ended);
    world.is_over_for_good().await;
}
