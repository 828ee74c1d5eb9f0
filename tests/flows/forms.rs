//! Forms: asking with one, saying why not, and what stands beside a field.

use super::judged;
use super::support::World;

#[tokio::test]
async fn a_half_typed_request_becomes_a_form_and_then_a_request() {
    let world = World::start().await;
    let form = world
        .opens("alice", "/jit request staging-ssh 2h", "Ask for access")
        .await;
    assert_eq!(form.submit.as_deref(), Some("Ask"));
    assert_eq!(
        form.state["jitbot_resource"]["value"]["selected_option"]["value"],
        "staging-ssh"
    );
    assert_eq!(form.state["jitbot_duration"]["value"]["value"], "2h");
    world
        .sends("alice", &[("jitbot_reason", "deploy is stuck")])
        .await;
    let told = world.whispers("alice").await;
    let id = super::support::reference(told.last().unwrap()).unwrap();
    assert!(told.last().unwrap().contains("It waits for"), "{told:?}");
    let card = world.card(&id).await;
    for part in ["staging-ssh", "2h", "deploy is stuck"] {
        assert!(card.visible_text.contains(part), "{}", card.visible_text);
    }
    judged(&world).await;
}

#[tokio::test]
async fn what_is_wrong_stands_beside_its_field_and_the_form_stays_open() {
    let world = World::start().await;
    let form = world.opens("alice", "/jit request", "Ask for access").await;
    let offered = serde_json::to_string(&form.blocks).unwrap();
    assert!(
        offered.contains("\"prod-ssh\"") && offered.contains("\"staging-ssh\""),
        "what she may ask for: {offered}"
    );
    let wrong = world
        .refused_at(
            "alice",
            &[
                ("jitbot_resource", "staging-ssh"),
                ("jitbot_duration", "soon"),
                ("jitbot_reason", "\u{200b}"),
            ],
        )
        .await;
    assert!(
        wrong["jitbot_duration"].contains("isn't a duration"),
        "{wrong:?}"
    );
    assert!(
        wrong["jitbot_reason"].contains("reason is needed"),
        "both at once: {wrong:?}"
    );
    let wrong = world
        .refused_at(
            "alice",
            &[("jitbot_duration", "9h"), ("jitbot_reason", "deploy")],
        )
        .await;
    assert!(wrong["jitbot_duration"].contains("at most 8h"), "{wrong:?}");
    // The same form, mended.
    world.sends("alice", &[("jitbot_duration", "")]).await;
    let told = world.whispers("alice").await;
    assert!(
        told.last().unwrap().contains("staging-ssh for 1h"),
        "left empty it is the usual time: {told:?}"
    );
    judged(&world).await;
}

#[tokio::test]
async fn a_form_that_is_sent_twice_makes_one_request() {
    let world = World::start().await;
    world
        .opens("alice", "/jit request staging-ssh", "Ask")
        .await;
    world.sends("alice", &[("jitbot_reason", "once")]).await;
    world
        .here
        .people
        .redeliver_last("interactive")
        .await
        .unwrap();
    world.settle().await;
    let made = world
        .record()
        .await
        .into_iter()
        .filter(|entry| entry["kind"] == "requested")
        .count();
    assert_eq!(made, 1);
    let told = world.whispers("alice").await;
    assert_eq!(told.len(), 1, "{told:?}");
}

#[tokio::test]
async fn nobody_is_shown_a_form_for_what_they_may_not_ask() {
    let world = World::start().await;
    let answer = world.types("erin", "/jit request staging-ssh").await;
    assert!(answer.contains("can be asked for by"), "{answer}");
    let answer = world.types("alice", "/jit request stagign-ssh").await;
    assert!(answer.contains("Did you mean staging-ssh"), "{answer}");
    let answer = world.types("erin", "/jit request").await;
    assert!(answer.contains("nothing that you may ask for"), "{answer}");
}

#[tokio::test]
async fn a_denial_needs_a_reason_and_both_sides_read_it() {
    let world = World::start().await;
    let id = world
        .asks("alice", "/jit request staging-ssh 1h please")
        .await;
    world.presses("dana", "Deny", &id).await;
    let form = world.form("dana", "Why not?").await;
    assert!(form.visible_text.contains(&id), "{}", form.visible_text);
    // Nothing is decided yet, and somebody else can still approve.
    assert_eq!(world.kinds(&id).await, ["requested"]);
    let wrong = world
        .refused_at("dana", &[("jitbot_reason", "\u{200b}")])
        .await;
    assert!(wrong["jitbot_reason"].contains("reason"), "{wrong:?}");
    world
        .sends(
            "dana",
            &[("jitbot_reason", "freeze until Monday <!channel>")],
        )
        .await;
    assert_eq!(world.kinds(&id).await, ["requested", "denied"]);
    for said in [
        world.last_told("alice").await,
        world.card(&id).await.visible_text,
        world.types("alice", &format!("/jit status {id}")).await,
    ] {
        assert!(said.contains("freeze until Monday"), "{said}");
    }
    let pinged = world.here.people.pinged().await.unwrap();
    assert!(
        pinged
            .iter()
            .all(|ping| format!("{:?}", ping.target) != "Channel"),
        "{pinged:?}"
    );
    judged(&world).await;
}

#[tokio::test]
async fn a_form_that_comes_too_late_says_what_happened_meanwhile() {
    let world = World::start().await;
    let id = world
        .asks("alice", "/jit request staging-ssh 1h please")
        .await;
    world.presses("dana", "Deny", &id).await;
    world.form("dana", "Why not?").await;
    world.presses("bob", "Approve", &id).await;
    let wrong = world.refused_at("dana", &[("jitbot_reason", "no")]).await;
    assert!(wrong["jitbot_reason"].contains("was approved"), "{wrong:?}");
    assert!(!world.kinds(&id).await.contains(&"denied".to_owned()));
}

#[tokio::test]
async fn a_form_that_cannot_be_opened_is_answered_with_the_command() {
    use jitbot::sandbox::people::FaultKind;
    let world = World::start().await;
    world
        .here
        .people
        .fault("views.open", 1, FaultKind::Status(503))
        .await
        .unwrap();
    world.types("alice", "/jit request staging-ssh").await;
    let said = world
        .here
        .people
        .wait_for(
            "U0ALICE",
            super::support::APPROVALS,
            "could not be opened",
            std::time::Duration::from_secs(5),
        )
        .await
        .unwrap();
    assert!(said.ephemeral);
    assert!(
        said.visible_text.contains("/jit request <resource>"),
        "{}",
        said.visible_text
    );
}
