//! A request becomes access, and ends by itself.

use super::judged;
use super::support::World;

#[tokio::test]
async fn asked_approved_reminded_ended() {
    let world = World::start().await;

    let received = world
        .types("alice", "/jit request staging-ssh 1h deploy is stuck")
        .await;
    let id = super::support::reference(&received).unwrap();
    assert!(received.contains("sre"), "who can approve: {received}");

    let card = world.card(&id).await;
    for part in [
        "Shell on the staging hosts",
        "shop-staging",
        "shell",
        "deploy is stuck",
        "low",
        "1h",
    ] {
        assert!(
            card.visible_text.contains(part),
            "{part} in {}",
            card.visible_text
        );
    }
    let labels: Vec<&str> = card.buttons.iter().map(|b| b.text.as_str()).collect();
    assert_eq!(labels, ["Approve", "Deny…", "Withdraw"]);

    world.presses("bob", "Approve", &id).await;
    let told = world.told("alice").await;
    assert_eq!(
        told.len(),
        1,
        "it works at once, so one message says both: {told:#?}"
    );
    assert!(told[0].contains("Approved by"), "{}", told[0]);
    assert!(
        told[0].contains("ssh-ed25519-cert-v01@openssh.com"),
        "{}",
        told[0]
    );
    let card = world.card(&id).await;
    assert!(card.buttons.is_empty(), "decided, so no buttons");

    world.pass("49m").await;
    assert_eq!(world.told("alice").await.len(), 1, "no reminder yet");
    world.pass("2m").await;
    let reminder = world.last_told("alice").await;
    assert!(
        reminder.contains("Ends soon") && reminder.contains(&id),
        "{reminder}"
    );

    world.pass("10m").await;
    let told = world.told("alice").await;
    assert_eq!(told.len(), 3, "{told:#?}");
    assert!(told[2].contains("is over"), "{}", told[2]);
    assert_eq!(
        world.kinds(&id).await,
        [
            "requested",
            "approved",
            "issue_intended",
            "issued",
            "end_ordered",
            "ended"
        ]
    );
    assert!(
        world
            .app
            .store()
            .reader()
            .await
            .unwrap()
            .open_jobs()
            .await
            .unwrap()
            .iter()
            .all(
                |(key, _)| ["digest-due", "publish:staging-ca", "refresh:slack"]
                    .contains(&key.as_str())
            ),
        "nothing is left to do"
    );

    judged(&world).await;
}

#[tokio::test]
async fn a_rule_approves_what_is_low_risk_and_pings_nobody() {
    let world = World::start().await;
    let answer = world
        .types("olga", "/jit request staging-ssh 30m pager went off")
        .await;
    let id = super::support::reference(&answer).unwrap();
    assert!(answer.contains("rule"), "{answer}");
    assert!(world.cards(&id).await.is_empty(), "no approver is shown it");
    let pinged = world.here.people.pinged().await.unwrap();
    assert!(pinged.is_empty(), "{pinged:?}");
    let approval = world
        .record()
        .await
        .into_iter()
        .find(|entry| entry["kind"] == "approved")
        .unwrap();
    assert_eq!(approval["rules"][0], "resource.staging-ssh.auto_approve[0]");
    assert!(approval["policy"].as_str().unwrap().len() == 64);

    // Renewed before its end it would be standing access that no person ever decided.
    world.pass("25m").await;
    let answer = world
        .types("olga", "/jit request staging-ssh 40m still at it")
        .await;
    let renewed = super::support::reference(&answer).unwrap();
    assert_eq!(world.card(&renewed).await.buttons.len(), 3);
    world.pass("5m").await;
    world.pass("61m").await;
    let answer = world
        .types("olga", "/jit request staging-ssh 40m once more")
        .await;
    assert!(answer.contains("rule"), "after the cool-down: {answer}");

    // Over the rule's maximum, people decide.
    let answer = world
        .types("olga", "/jit request staging-ssh 2h long work")
        .await;
    let id = super::support::reference(&answer).unwrap();
    assert_eq!(world.card(&id).await.buttons.len(), 3);
}

#[tokio::test]
async fn two_different_people_must_approve_where_the_resource_says_so() {
    let world = World::start().await;
    let id = world
        .asks("alice", "/jit request prod-ssh 30m hotfix")
        .await;
    world.presses("bob", "Approve", &id).await;
    assert!(world.told("alice").await.is_empty(), "one is not enough");
    world.presses("bob", "Approve", &id).await;
    assert!(
        world.told("alice").await.is_empty(),
        "the same person twice is one"
    );
    world.presses("dana", "Approve", &id).await;
    assert_eq!(world.told("alice").await.len(), 1);
}
