//! Once: repeated events, double clicks, lost answers.

use super::judged;
use super::support::{APPROVALS, World, id_of};
use jitbot::sandbox::people::FaultKind;

#[tokio::test]
async fn the_same_wish_again_is_the_same_request() {
    let world = World::start().await;
    let id = world
        .asks("alice", "/jit request staging-ssh 1h please")
        .await;
    let again = world
        .asks("alice", "/jit request staging-ssh 1h please, again")
        .await;
    assert_eq!(id, again);
    assert_eq!(world.cards(&id).await.len(), 1);
    world.presses("bob", "Approve", &id).await;
    let again = world
        .asks("alice", "/jit request staging-ssh 1h please")
        .await;
    assert_eq!(id, again, "just approved");
    world.pass("3m").await;
    let other = world
        .asks("alice", "/jit request staging-ssh 1h please")
        .await;
    assert_ne!(id, other);
}

#[tokio::test]
async fn a_double_click_and_two_approvers_in_one_instant_make_one_grant() {
    let world = World::start().await;
    let id = world
        .asks("alice", "/jit request staging-ssh 1h please")
        .await;
    let card = world.card(&id).await;
    let action = &card
        .buttons
        .iter()
        .find(|b| b.text.contains("Approve"))
        .unwrap()
        .action_id;
    let press = |who: &'static str| {
        world
            .here
            .people
            .press(id_of(who), APPROVALS, &card.ts, action)
    };
    let (a, b, c, d) = tokio::join!(press("bob"), press("bob"), press("dana"), press("dana"));
    assert!([a, b, c, d].into_iter().all(|p| p.unwrap().acked));
    world.settle().await;
    let kinds = world.kinds(&id).await;
    assert_eq!(
        kinds.iter().filter(|k| *k == "approved").count(),
        1,
        "{kinds:?}"
    );
    assert_eq!(
        kinds.iter().filter(|k| *k == "issued").count(),
        1,
        "{kinds:?}"
    );
    assert_eq!(world.told("alice").await.len(), 1);
}

#[tokio::test]
async fn approve_and_deny_in_one_instant_make_one_decision() {
    let world = World::start().await;
    for round in 0..5 {
        let id = world
            .asks(
                "alice",
                &format!("/jit request staging-ssh {}m please", 20 + round),
            )
            .await;
        let card = world.card(&id).await;
        let action = |label: &str| {
            card.buttons
                .iter()
                .find(|b| b.text.contains(label))
                .unwrap()
                .action_id
                .clone()
        };
        let yes = action("Approve");
        world.presses("dana", "Deny", &id).await;
        world.form("dana", "Why not?").await;
        let (a, b) = tokio::join!(
            world.here.people.press("U0BOB", APPROVALS, &card.ts, &yes),
            world
                .here
                .people
                .submit_view("U0DANA", &[("jitbot_reason", "no")]),
        );
        assert!(a.unwrap().acked && b.unwrap().acked);
        world.settle().await;
        world.here.people.close_all_views("U0DANA").await.ok();
        let kinds = world.kinds(&id).await;
        let decided = kinds
            .iter()
            .filter(|k| *k == "approved" || *k == "denied")
            .count();
        assert_eq!(decided, 1, "{kinds:?}");
    }
}

#[tokio::test]
async fn a_card_whose_answer_was_lost_is_found_not_posted_again() {
    for fault in [
        FaultKind::StatusAfterEffect(503),
        FaultKind::DropAfterEffect,
    ] {
        let world = World::start().await;
        world
            .here
            .people
            .fault("chat.postMessage", 1, fault.clone())
            .await
            .unwrap();
        let id = world
            .asks("alice", "/jit request staging-ssh 1h please")
            .await;
        world.pass("5s").await;
        assert_eq!(world.cards(&id).await.len(), 1, "{fault:?}");
        world.presses("bob", "Approve", &id).await;
        assert!(
            world.card(&id).await.buttons.is_empty(),
            "the card that stands is the one that is drawn"
        );
    }
}

#[tokio::test]
async fn a_platform_that_fails_or_limits_loses_nothing() {
    let world = World::start().await;
    world
        .here
        .people
        .fault("chat.postMessage", 2, FaultKind::Status(503))
        .await
        .unwrap();
    let id = world
        .asks("alice", "/jit request staging-ssh 1h please")
        .await;
    for _ in 0..4 {
        world.pass("3s").await;
    }
    world.card(&id).await;
    world
        .here
        .people
        .fault(
            "chat.postMessage",
            1,
            FaultKind::RateLimited { retry_after_s: 30 },
        )
        .await
        .unwrap();
    world.presses("bob", "Approve", &id).await;
    assert!(world.told("alice").await.is_empty(), "the message waits");
    world.pass("29s").await;
    world.pass("5s").await;
    assert_eq!(world.told("alice").await.len(), 1);
}

#[tokio::test]
async fn a_press_on_another_copy_is_refused_and_the_copy_struck_out() {
    let world = World::start().await;
    let id = world
        .asks("alice", "/jit request staging-ssh 1h please")
        .await;
    let card = world.card(&id).await;
    // Somebody with the bot's token posted the same card again.
    let copy = world.here.post_as_bot(APPROVALS, &card).await;
    let action = &card
        .buttons
        .iter()
        .find(|b| b.text.contains("Approve"))
        .unwrap()
        .action_id;
    let press = world
        .here
        .people
        .press("U0BOB", APPROVALS, &copy, action)
        .await
        .unwrap();
    assert!(press.acked);
    world.settle().await;
    assert_eq!(world.kinds(&id).await, ["requested", "refused"]);
    let copies = world.cards(&id).await;
    let struck = copies.iter().find(|m| m.ts == copy).unwrap();
    assert!(struck.buttons.is_empty(), "{}", struck.visible_text);
    let real = copies.iter().find(|m| m.ts == card.ts).unwrap();
    assert_eq!(real.buttons.len(), 3, "the real one still works");
    judged(&world).await;
}

#[tokio::test]
async fn an_event_that_slack_sends_again_changes_nothing() {
    let world = World::start().await;
    let id = world
        .asks("alice", "/jit request prod-ssh 30m please")
        .await;
    world
        .here
        .people
        .redeliver_last("slash_commands")
        .await
        .unwrap();
    world.settle().await;
    assert_eq!(world.kinds(&id).await, ["requested"]);
    // What is refused is recorded, so a second time would show.
    world.presses("alice", "Approve", &id).await;
    let before = world.record().await.len();
    world
        .here
        .people
        .redeliver_last("interactive")
        .await
        .unwrap();
    world.settle().await;
    let record = world.record().await;
    assert_eq!(record.len(), before, "not even a refusal: {record:#?}");
}
