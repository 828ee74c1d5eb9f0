//! Bad input gets one private sentence that says what is allowed, and changes nothing.

use super::judged;
use super::support::{APPROVALS, World};
use jitbot::sandbox::people::ForgedPress;
use serde_json::json;

#[tokio::test]
async fn what_cannot_be_is_answered_and_changes_nothing() {
    let world = World::start().await;
    let long = "x".repeat(3000);
    let cases: Vec<(String, &str)> = vec![
        ("/jit request stagin-ssh 1h why".into(), "staging-ssh"),
        (
            "/jit request nothing-like-it 1h why".into(),
            "nothing-like-it",
        ),
        ("/jit request staging-ssh 0 why".into(), "45m"),
        ("/jit request staging-ssh -1h why".into(), "45m"),
        ("/jit request staging-ssh abc why".into(), "45m"),
        ("/jit request staging-ssh 999d why".into(), "45m"),
        ("/jit request staging-ssh 9h why".into(), "8h"),
        (format!("/jit request staging-ssh 1h {long}"), "1000"),
        ("/jit request staging-ssh 1h nul\0nul".into(), "character"),
        ("/jit reqest staging-ssh 1h why".into(), "request"),
        ("/jit status nonsense".into(), "nonsense"),
        ("/jit revoke".into(), "/jit revoke"),
    ];
    for (typed, says) in &cases {
        let answer = world.types("alice", typed).await;
        assert!(answer.contains(says), "{typed:.80}: {says:?} in {answer}");
        assert!(answer.chars().count() < 600, "one sentence: {answer}");
    }
    assert!(
        world
            .record()
            .await
            .iter()
            .all(|e| e["kind"] != "requested")
    );
    assert!(
        world
            .here
            .people
            .messages("U0BOB", APPROVALS)
            .await
            .unwrap()
            .is_empty()
    );
}

#[tokio::test]
async fn what_people_type_stays_text() {
    let world = World::start().await;
    let reasons = [
        "<!channel> <!here> <@U0CAROL> <#C0SECURITY>",
        "*bold* _it_ `code` ```block``` <https://evil.example|click>",
        "\u{202e}reversed\u{202c} \u{2066}isolated\u{2069} مرحبا",
        "'); DROP TABLE grants; --",
        "👩‍👩‍👧‍👦🏳️‍🌈 e\u{301}\u{301}\u{301} 漢字",
        "&lt;!channel&gt; &amp;amp;",
    ];
    for (i, reason) in reasons.iter().enumerate() {
        let id = world
            .asks(
                "alice",
                &format!("/jit request staging-ssh {}m {reason}", 10 + i),
            )
            .await;
        world.presses("bob", "Approve", &id).await;
        let status = world.types("alice", &format!("/jit status {id}")).await;
        let shown: String = reason
            .chars()
            .filter(|c| !matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}'))
            .collect();
        assert!(
            status.contains(&shown),
            "{shown} is shown as typed: {status}"
        );
        assert!(
            !world
                .card(&id)
                .await
                .buttons
                .iter()
                .any(|b| b.text == "click")
        );
    }
    let pinged = world.here.people.pinged().await.unwrap();
    let others: Vec<_> = pinged
        .iter()
        .filter(|mention| !format!("{mention:?}").contains("U0ALICE"))
        .collect();
    assert!(
        others.is_empty(),
        "only the requester is named on her card: {others:?}"
    );
    judged(&world).await;
}

#[tokio::test]
async fn a_forged_button_gives_nothing() {
    let world = World::start().await;
    let id = world
        .asks("alice", "/jit request staging-ssh 1h please")
        .await;
    let card = world.card(&id).await;
    let action = card
        .buttons
        .iter()
        .find(|b| b.text.contains("Approve"))
        .unwrap();
    let values = [
        "".to_owned(),
        "{}".into(),
        "null".into(),
        "{\"r\":\"r0000000000\",\"v\":1}".into(),
        format!("{{\"r\":\"{id}\",\"v\":99}}"),
        format!("{{\"r\":\"{id}' OR 1=1\",\"v\":1}}"),
        "x".repeat(2000),
    ];
    for value in values {
        let forged = ForgedPress {
            user: "U0BOB".into(),
            channel: APPROVALS.into(),
            ts: card.ts.clone(),
            action_id: action.action_id.clone(),
            value: Some(value.clone()),
            block_id: "jitbot_decide".into(),
        };
        let before = world.whispers("bob").await.len();
        world.here.people.forge(&forged).await.unwrap();
        world.settle().await;
        assert_eq!(
            world.whispers("bob").await.len(),
            before + 1,
            "one private sentence for {value:.80}"
        );
    }
    // A true value on a message in another channel.
    let forged = ForgedPress {
        user: "U0CAROL".into(),
        channel: "C0SECURITY".into(),
        ts: "1.1".into(),
        action_id: action.action_id.clone(),
        block_id: "jitbot_decide".into(),
        value: action.value.clone(),
    };
    world.here.people.forge(&forged).await.unwrap();
    world.settle().await;
    let kinds = world.kinds(&id).await;
    assert!(
        kinds.iter().all(|k| k == "requested" || k == "refused"),
        "{kinds:?}"
    );
    // Nobody's right was touched: the true press still works.
    world.presses("bob", "Approve", &id).await;
    assert_eq!(world.told("alice").await.len(), 1);
}

#[tokio::test]
async fn malformed_events_never_end_the_bot() {
    let world = World::start().await;
    for frame in [
        "",
        "{",
        "[]",
        "null",
        "{\"type\":\"nonsense\"}",
        "{\"type\":\"slash_commands\"}",
    ] {
        world.here.people.send_raw_frame(frame).await.unwrap();
    }
    for payload in [
        json!(null),
        json!({}),
        json!({"command": 7}),
        json!({"type": "block_actions"}),
    ] {
        for kind in ["slash_commands", "interactive", "events_api", "unheard_of"] {
            let envelope = json!({
                "type": kind, "envelope_id": format!("{kind}-{payload}"),
                "payload": payload, "accepts_response_payload": true,
            });
            world
                .here
                .people
                .send_raw_envelope(&envelope)
                .await
                .unwrap();
        }
    }
    let id = world
        .asks("alice", "/jit request staging-ssh 1h still there?")
        .await;
    world.card(&id).await;
}

#[tokio::test]
async fn nobody_has_anothers_access_sent_to_them() {
    let world = World::start().await;
    let id = world
        .asks("alice", "/jit request staging-ssh 1h please")
        .await;
    let card = world.card(&id).await;
    let value = card.buttons[0].value.clone();
    world.presses("bob", "Approve", &id).await;
    // Bob decides on it, so he may see it; Send again is a button of Alice's own Home.
    let forged = ForgedPress {
        user: "U0BOB".into(),
        channel: APPROVALS.into(),
        ts: card.ts.clone(),
        action_id: "jitbot_again".into(),
        value,
        block_id: "jitbot_act_0".into(),
    };
    world.here.people.forge(&forged).await.unwrap();
    world.settle().await;
    let told = world.told("bob").await.join("\n") + &world.whispers("bob").await.join("\n");
    assert!(!told.contains("-cert-v01"), "{told}");
    assert!(
        told.contains("Only who asked for it or receives it"),
        "{told}"
    );
    assert!(!world.kinds(&id).await.contains(&"sent_again".to_owned()));
}
