//! More time against a target that misbehaves: the old end holds until the intent is on record, and no
//! access outlives what was approved.

use jitbot::domain::answer::Answer;
use jitbot::domain::command::{Command, WantedEnd};
use jitbot::domain::grant::GrantState;
use jitbot::domain::ids::RequestId;
use jitbot::domain::request::ExtensionState;

use crate::house::{self, LASTS_S};
use crate::target::{Does, What};
use crate::world::World;

impl World {
    /// Alice asks for half an hour more and bob approves; nobody works yet.
    async fn extended(&self, id: &RequestId) -> RequestId {
        let command = Command::Extend {
            request: id.clone(),
            end: WantedEnd::After(1_800),
            reason: None,
        };
        let answer = self.act("alice", command).await;
        let Answer::ExtensionReceived(told) = answer else {
            panic!("{answer:?}");
        };
        self.settle().await;
        self.approves(&told.id).await;
        told.id
    }

    async fn extension(&self, id: &RequestId) -> ExtensionState {
        let request = self.reader().await.request(id).await.unwrap().unwrap();
        request.extends.unwrap().state
    }
}

#[tokio::test]
async fn the_target_is_told_the_later_end_and_ends_it_there() {
    let world = World::start().await;
    let id = world.gives("alice", "orders").await;
    let first = world.grant(&id).await;
    world.pass(600).await;
    let more = world.extended(&id).await;
    // Approved, not yet told to the target: the old deadline holds.
    assert_eq!(world.grant(&id).await.deadline, first.deadline);
    world.settle().await;
    let later = world.grant(&id).await;
    let by = chrono::TimeDelta::seconds(1_800);
    assert_eq!(later.deadline, first.deadline.map(|end| end + by));
    assert_eq!(
        later.native_deadline,
        first.native_deadline.map(|end| end + by)
    );
    assert_eq!(
        world.target.calls(What::Extend)[0].native_deadline,
        later.native_deadline
    );
    assert_eq!(world.extension(&more).await, ExtensionState::Given);
    world.pass(LASTS_S - 600 + 60).await;
    assert_eq!(world.state(&id).await, GrantState::Active);
    world.pass(1_800).await;
    assert_eq!(world.state(&id).await, GrantState::Ended);
    world.is_over_for_good().await;
}

#[tokio::test]
async fn a_target_that_refuses_gets_the_old_end_back() {
    let world = World::start().await;
    let id = world.gives("alice", "orders").await;
    let first = world.grant(&id).await;
    world.target.extends(&[Does::Refuses]);
    let more = world.extended(&id).await;
    world.settle().await;
    let after = world.grant(&id).await;
    assert_eq!(after.deadline, first.deadline);
    assert!(
        after.native_deadline > first.native_deadline,
        "what may have been minted is remembered for as long as it could be valid"
    );
    assert_eq!(world.extension(&more).await, ExtensionState::NotGiven);
    world.pass(LASTS_S + 1).await;
    assert_eq!(world.state(&id).await, GrantState::Ended);
    world.is_over_for_good().await;
}

#[tokio::test]
async fn a_refusal_after_the_old_end_ends_it_at_once() {
    let world = World::start().await;
    let id = world.gives("alice", "orders").await;
    world
        .target
        .extends(&[Does::RetriesAfter(3_600), Does::Refuses]);
    world.pass(LASTS_S - 60).await;
    world.extended(&id).await;
    world.settle().await;
    assert_eq!(world.state(&id).await, GrantState::Active);
    world.pass(300).await;
    assert_eq!(
        world.state(&id).await,
        GrantState::Ended,
        "{:?}",
        world.record(&id).await
    );
    world.is_over_for_good().await;
}

#[tokio::test]
async fn an_unknown_outcome_is_asked_again_and_told_once() {
    let world = World::start().await;
    let id = world.gives("alice", "orders").await;
    world
        .target
        .extends(&[Does::UnknownAfter, Does::UnknownBefore]);
    let more = world.extended(&id).await;
    world.settle().await;
    let intended = world.grant(&id).await.deadline;
    world.pass(120).await;
    assert_eq!(world.target.calls(What::Extend).len(), 3);
    assert_eq!(
        world.grant(&id).await.deadline,
        intended,
        "a retry moves nothing"
    );
    assert_eq!(world.extension(&more).await, ExtensionState::Given);
    let told = world
        .board
        .letters(house::account("alice").as_str())
        .iter()
        .filter(|letter| format!("{letter:?}").contains("MoreTime"))
        .count();
    assert_eq!(told, 1);
    assert_eq!(
        world.record(&more).await,
        [
            "requested",
            "approved",
            "extend_intended",
            "extend_troubled",
            "extended"
        ]
    );
}

#[tokio::test]
async fn access_that_was_given_back_meanwhile_is_not_extended() {
    let world = World::start().await;
    let id = world.gives("alice", "orders").await;
    let more = world.extended(&id).await;
    world.done("alice", &id).await;
    world.settle().await;
    assert_eq!(world.state(&id).await, GrantState::Ended);
    assert_eq!(world.extension(&more).await, ExtensionState::NotGiven);
    assert!(world.target.calls(What::Extend).is_empty());
    world.is_over_for_good().await;
}

#[tokio::test]
async fn an_extension_that_lands_after_the_end_was_seen_is_taken_away_again() {
    let world = World::start().await;
    let id = world.gives("alice", "orders").await;
    let more = world.extended(&id).await;
    let job = world.claims().await.expect("the extension is due");
    let outcome = world.runs(&job).await;
    // Its worker stalls; meanwhile the access is given back and seen gone.
    world.stand_still(120);
    world.done("alice", &id).await;
    world.settle().await;
    world.pass(120).await;
    assert_eq!(
        world.state(&id).await,
        GrantState::Ended,
        "{:?}",
        world.record(&id).await
    );
    world.target.lands(&id.grant());
    world.records(&job, outcome).await;
    world.settle().await;
    assert_eq!(world.state(&id).await, GrantState::Ended);
    world.is_over_for_good().await;
    assert!(
        world
            .record(&more)
            .await
            .contains(&"not_extended".to_owned())
    );
}

#[tokio::test]
async fn what_a_target_refused_is_no_part_of_the_next_end_that_it_is_told() {
    let world = World::start().await;
    let id = world.gives("alice", "orders").await;
    let first = world.grant(&id).await;
    world.target.extends(&[Does::Refuses]);
    world.extended(&id).await;
    world.settle().await;
    // Later than the same wish counts as the same request.
    world.pass(180).await;
    world.extended(&id).await;
    world.settle().await;
    let by = chrono::TimeDelta::seconds(1_800);
    let told = world.target.calls(What::Extend);
    for call in &told {
        assert_eq!(
            call.native_deadline,
            first.native_deadline.map(|end| end + by)
        );
    }
    assert_eq!(told.len(), 2);
    let after = world.grant(&id).await;
    assert_eq!(after.deadline, first.deadline.map(|end| end + by));
}

#[tokio::test]
async fn the_later_end_is_told_by_the_machine_as_it_is_now_and_the_latest_is_remembered() {
    let world = World::start().await;
    let id = world.gives("alice", "orders").await;
    let first = world.grant(&id).await;
    // The machine was five seconds ahead, and was put right.
    world.machine_is_set_by(-5);
    world.pass(60).await;
    world.extended(&id).await;
    world.settle().await;
    let later = world.grant(&id).await;
    let told = world.target.calls(What::Extend)[0].native_deadline;
    assert_eq!(told, later.deadline, "both clocks are the same now");
    assert_eq!(later.native_deadline, told);

    // Far ahead of what the first one was told it is again the later one that is kept.
    world.machine_is_set_by(-7_200);
    world.pass(180).await;
    world.extended(&id).await;
    world.settle().await;
    let again = world.grant(&id).await;
    let calls = world.target.calls(What::Extend);
    let ours = chrono::TimeDelta::seconds(7_200);
    assert_eq!(
        calls[1].native_deadline,
        again.deadline.map(|end| end - ours)
    );
    assert_eq!(
        again.native_deadline, told,
        "what was minted first is valid for longer"
    );
    assert!(again.native_deadline > first.native_deadline);
}
