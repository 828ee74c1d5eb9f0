//! A target that refuses for good: `failed` needs absence seen, and what may be there is taken away.

use jitbot::chat::card::Letter;
use jitbot::domain::grant::{EndingReason, Evidence, GrantState};
use jitbot::domain::ids::RequestId;
use jitbot::issuer::Capabilities;

use super::house;
use super::target::{Does, Sees, What};
use super::world::{PLAIN, World};

/// Where the grant stood when its beneficiary was told that it was over.
fn told_over(world: &World) -> Vec<GrantState> {
    let letters = world.board.letters(house::account("alice").as_str());
    let ended = letters.iter().filter_map(|letter| match letter {
        Letter::Ended(card) => Some(card.grant.as_ref().unwrap().state),
        _ => None,
    });
    ended.collect()
}

async fn was_taken_away(world: &World, id: &RequestId, calls: usize) {
    let grant = world.grant(id).await;
    assert_eq!(grant.state, GrantState::Ended);
    assert_eq!(grant.evidence, Some(Evidence::SeenGone));
    assert_eq!(grant.ending.unwrap().reason, EndingReason::IssueFailed);
    assert_eq!(world.target.calls(What::Revoke).len(), calls);
    assert_eq!(told_over(world), [GrantState::Ended]);
    let record = world.record(id).await;
    assert!(!record.contains(&"issue_failed".to_owned()), "{record:?}");
    world.is_over_for_good().await;
}

#[tokio::test]
async fn a_refusal_that_left_nothing_is_told_and_leaves_no_end_to_come() {
    let world = World::start().await;
    world.target.issues(&[Does::Refuses]);
    let id = world.gives("alice", "orders").await;
    assert_eq!(world.state(&id).await, GrantState::Failed);
    assert_eq!(told_over(&world), [GrantState::Failed]);
    assert_eq!(
        world.target.calls(What::Inspect).len(),
        1,
        "absence was not seen"
    );
    world.is_over_for_good().await;

    world.pass(3 * house::LASTS_S).await;
    assert_eq!(world.state(&id).await, GrantState::Failed);
    assert_eq!(world.target.calls(What::Issue).len(), 1);
    assert_eq!(world.target.calls(What::Revoke), []);
    assert_eq!(told_over(&world).len(), 1);
}

#[tokio::test]
async fn a_refusal_that_left_something_is_taken_away_at_once() {
    let world = World::start().await;
    world.target.issues(&[Does::RefusesAfter]);
    let id = world.gives("alice", "orders").await;
    was_taken_away(&world, &id, 1).await;
}

#[tokio::test]
async fn a_refusal_of_a_target_that_could_not_be_asked_is_taken_away_once_it_can_be() {
    for sees in [Sees::CannotTell, Sees::Fails] {
        let world = World::start().await;
        world.target.issues(&[Does::RefusesAfter]);
        world.target.sees(sees);
        let id = world.gives("alice", "orders").await;
        assert_eq!(world.state(&id).await, GrantState::Revoking, "{sees:?}");
        world.target.sees(Sees::Truth);
        world.target.revokes(&[Does::Lies]);
        world.pass(300).await;
        assert_eq!(world.state(&id).await, GrantState::Ended, "{sees:?}");
        world.is_over_for_good().await;
    }
}

#[tokio::test]
async fn a_refusal_of_a_target_that_needs_time_to_settle_is_not_believed() {
    let world = World::over(Capabilities {
        settles_within_s: 30,
        makes_secret: false,
        ..PLAIN
    })
    .await;
    world.target.issues(&[Does::Refuses]);
    let id = world.gives("alice", "orders").await;
    assert_eq!(world.state(&id).await, GrantState::Revoking);
    world.pass(74).await;
    assert_eq!(world.state(&id).await, GrantState::Revoking);
    world.pass(1).await;
    was_taken_away(&world, &id, 2).await;
}

#[tokio::test]
async fn what_failed_for_now_is_tried_again_and_keeps_its_end() {
    let world = World::start().await;
    world
        .target
        .issues(&[Does::Retries, Does::RetriesAfter(86_400)]);
    let id = world.gives("alice", "orders").await;
    let first = world.grant(&id).await;
    assert_eq!(first.state, GrantState::Issuing);
    // However long a target wants to be left alone, nothing waits for it without bound.
    world.pass(310).await;
    let given = world.grant(&id).await;
    assert_eq!(given.state, GrantState::Active);
    assert_eq!(given.deadline, first.deadline);
    assert_eq!(world.target.calls(What::Issue).len(), 3);
    world.pass(house::LASTS_S).await;
    assert_eq!(world.state(&id).await, GrantState::Ended);
    world.is_over_for_good().await;
}
