//! No access without authority.

use super::judged;
use super::support::{APPROVALS, World, id_of};

#[tokio::test]
async fn one_persons_second_approval_is_told_that_it_is_one() {
    let world = World::start().await;
    let id = world
        .asks("alice", "/jit request prod-ssh 30m please")
        .await;
    world.presses("bob", "Approve", &id).await;
    world.presses("bob", "Approve", &id).await;
    let told = world.whispers("bob").await.join("\n");
    assert!(told.contains("You approved it already"), "{told}");
    assert_eq!(world.kinds(&id).await, ["requested", "approved"]);
}

#[tokio::test]
async fn who_decides_sees_that_the_same_is_held_already() {
    let world = World::start().await;
    let first = world
        .asks("alice", "/jit request staging-ssh 1h please")
        .await;
    world.presses("bob", "Approve", &first).await;
    let card = world.card(&first).await.visible_text;
    assert!(
        !card.contains("holds the same"),
        "it is not beside itself: {card}"
    );
    let second = world
        .asks("alice", "/jit request staging-ssh 2h more")
        .await;
    let card = world.card(&second).await.visible_text;
    assert!(card.contains("holds the same already, until"), "{card}");
    assert!(!card.contains("other access"), "{card}");
}

#[tokio::test]
async fn nobody_approves_what_they_asked_for() {
    let world = World::start().await;
    // Bob may ask and may approve, but not both.
    let id = world
        .asks("bob", "/jit request staging-ssh 1h my own")
        .await;
    world.presses("bob", "Approve", &id).await;
    let whispers = world.whispers("bob").await;
    assert!(
        whispers.last().unwrap().contains("Nobody approves"),
        "{whispers:?}"
    );
    assert_eq!(world.kinds(&id).await, ["requested", "refused"]);
    assert_eq!(
        world.card(&id).await.buttons.len(),
        3,
        "others can still decide"
    );

    world.presses("dana", "Approve", &id).await;
    assert_eq!(world.told("bob").await.len(), 1);
    judged(&world).await;
}

#[tokio::test]
async fn only_approvers_decide() {
    let world = World::start().await;
    let id = world
        .asks("alice", "/jit request staging-ssh 1h please")
        .await;
    for stranger in ["carol", "erin", "olga", "alice"] {
        for label in ["Approve", "Deny"] {
            world.presses(stranger, label, &id).await;
        }
        assert!(
            !world.whispers(stranger).await.is_empty(),
            "{stranger} was answered"
        );
    }
    assert_eq!(world.card(&id).await.buttons.len(), 3);
    let refused = world
        .kinds(&id)
        .await
        .iter()
        .filter(|k| *k == "refused")
        .count();
    assert_eq!(refused, 8);
    judged(&world).await;
}

#[tokio::test]
async fn only_the_groups_that_a_resource_names_may_ask() {
    let world = World::start().await;
    for stranger in ["erin", "carol"] {
        let answer = world
            .types(stranger, "/jit request staging-ssh 1h let me in")
            .await;
        assert!(answer.contains("engineering"), "says who may: {answer}");
    }
    assert!(
        world
            .record()
            .await
            .iter()
            .all(|e| e["kind"] != "requested")
    );
}

#[tokio::test]
async fn a_denial_ends_it_and_the_requester_is_told() {
    let world = World::start().await;
    let id = world
        .asks("alice", "/jit request staging-ssh 1h please")
        .await;
    world.denies("dana", &id, "not during the freeze").await;
    let told = world.told("alice").await;
    assert_eq!(told.len(), 1);
    assert!(
        told[0].contains("denied") && told[0].contains("not during the freeze"),
        "{told:?}"
    );
    assert!(world.card(&id).await.buttons.is_empty());
    assert_eq!(world.kinds(&id).await, ["requested", "denied"]);
}

#[tokio::test]
async fn who_may_not_know_of_a_request_learns_nothing() {
    let world = World::start().await;
    let id = world
        .asks("alice", "/jit request staging-ssh 1h secret plan")
        .await;
    let hers = world.types("alice", &format!("/jit status {id}")).await;
    assert!(hers.contains("secret plan"), "{hers}");
    let approver = world.types("bob", &format!("/jit status {id}")).await;
    assert!(approver.contains("secret plan"), "{approver}");
    let stranger = world.types("erin", &format!("/jit status {id}")).await;
    let nothing = world.types("erin", "/jit status r0000000000").await;
    assert!(!stranger.contains("secret plan"));
    assert_eq!(
        stranger.replace(&id, "X"),
        nothing.replace("r0000000000", "X"),
        "the same words as for one that does not exist"
    );
}

#[tokio::test]
async fn a_list_shows_what_is_mine() {
    let world = World::start().await;
    let first = world.asks("alice", "/jit request staging-ssh 1h one").await;
    let second = world.asks("alice", "/jit request staging-ssh 2h two").await;
    let hers = world.types("alice", "/jit list").await;
    assert!(hers.contains(&first) && hers.contains(&second), "{hers}");
    let his = world.types("bob", "/jit list").await;
    assert!(!his.contains(&first), "{his}");
}

#[tokio::test]
async fn an_approval_is_judged_again_when_access_is_given() {
    let mut world = World::start().await;
    let id = world
        .asks("alice", "/jit request staging-ssh 1h please")
        .await;
    // Approved, but before the access could be given, alice left the group that may ask.
    let card = world.card(&id).await;
    let button = card
        .buttons
        .iter()
        .find(|b| b.text.contains("Approve"))
        .unwrap();
    world
        .here
        .people
        .press(id_of("bob"), APPROVALS, &card.ts, &button.action_id)
        .await
        .unwrap();
    world.here.config = world.here.config.replace(
        r#"members = ["person:alice", "person:bob", "person:olga"]"#,
        r#"members = ["person:bob", "person:olga"]"#,
    );
    let world = world.restart().await;
    assert_eq!(
        world.kinds(&id).await,
        ["requested", "approved", "end_ordered", "grant_cancelled"]
    );
    let told = world.told("alice").await.join("\n");
    assert!(!told.contains("-cert-v01@openssh.com"), "{told}");
}

#[tokio::test]
async fn what_was_approved_is_what_is_given_or_nothing() {
    let mut world = World::start().await;
    let id = world
        .asks("alice", "/jit request staging-ssh 1h please")
        .await;
    let card = world.card(&id).await;
    let button = card
        .buttons
        .iter()
        .find(|b| b.text.contains("Approve"))
        .unwrap();
    world
        .here
        .people
        .press(id_of("bob"), APPROVALS, &card.ts, &button.action_id)
        .await
        .unwrap();
    world.here.config = world.here.config.replace(
        r#"principals = ["deploy"]"#,
        r#"principals = ["deploy", "root"]"#,
    );
    let world = world.restart().await;
    let refused = world
        .record()
        .await
        .into_iter()
        .find(|entry| entry["kind"] == "refused")
        .unwrap();
    assert_eq!(refused["facts"]["refusal"], "spec_changed");
    assert!(!world.told("alice").await.join("").contains("-cert-v01"));
}
