//! Slash commands over bare sockets: what is sent, what is shown, what fails.

use std::time::Duration;

use jitbot::sandbox::people::Place;
use serde_json::json;

use crate::support::Stage;

#[tokio::test]
async fn a_command_has_slacks_fields_and_its_answer_is_shown() {
    let stage = Stage::start().await;
    let mut socket = stage.socket().await;
    let command = stage.people.command(
        "bob",
        "approvals",
        "/jit request db 1h @alice says a<b & #approvals",
    );
    let payload = json!({ "text": "on it, <@U0BOB>", "response_type": "ephemeral" });
    let (answer, envelope) = tokio::join!(command, socket.take(Some(payload)));
    assert_eq!(
        (&envelope["type"], &envelope["accepts_response_payload"]),
        (&json!("slash_commands"), &json!(true))
    );
    let sent = &envelope["payload"];
    for (key, value) in [
        ("command", "/jit"),
        (
            "text",
            "request db 1h <@U0ALICE|alice> says a&lt;b &amp; <#C0APPROVE|approvals>",
        ),
        ("team_id", "T0SHOP"),
        ("team_domain", "shop"),
        ("channel_id", "C0APPROVE"),
        ("channel_name", "approvals"),
        ("user_id", "U0BOB"),
        ("user_name", "bob"),
        ("api_app_id", "A0SANDBOX"),
        ("is_enterprise_install", "false"),
    ] {
        assert_eq!(sent[key], value, "{key}");
    }
    assert!(
        ["token", "response_url", "trigger_id"]
            .iter()
            .all(|key| sent[key].is_string())
    );
    let answer = answer.expect("typed");
    assert!(answer.delivered && answer.acked && answer.failed.is_none());
    assert_eq!(answer.visible_text, "on it, @bob");
    assert_eq!(answer.response_type.as_deref(), Some("ephemeral"));
    let bobs = stage
        .people
        .messages("bob", "approvals")
        .await
        .expect("he sees");
    assert!(
        bobs.iter()
            .any(|message| message.ephemeral && message.visible_text == "on it, @bob")
    );
    assert!(
        stage
            .people
            .messages("alice", "approvals")
            .await
            .expect("she sees")
            .is_empty()
    );
    assert!(
        stage.people.pinged().await.expect("pings").is_empty(),
        "an ephemeral message notifies nobody"
    );
}

#[tokio::test]
async fn answers_that_cannot_be_shown() {
    let stage = Stage::start().await;
    let mut socket = stage.socket().await;
    let rows = [
        (json!({}), None, ""),
        (json!({ "text": "" }), None, ""),
        (
            json!({ "text": "all see it", "response_type": "in_channel" }),
            None,
            "all see it",
        ),
        (
            json!({ "blocks": [{ "type": "divider", "x": 1 }] }),
            Some("invalid_blocks"),
            "/jit failed with the error \"invalid_blocks\"",
        ),
        (
            json!("text"),
            Some("invalid_command_response"),
            "/jit failed with the error \"invalid_command_response\"",
        ),
    ];
    for (payload, failed, visible) in rows {
        let (answer, _) = tokio::join!(
            stage.people.command("alice", "approvals", "/jit"),
            socket.take(Some(payload.clone()))
        );
        let answer = answer.expect("typed");
        assert_eq!(
            (answer.failed.as_deref(), answer.visible_text.as_str()),
            (failed, visible),
            "{payload}"
        );
    }
    let seen = stage
        .people
        .messages("bob", "approvals")
        .await
        .expect("he sees");
    assert_eq!(
        seen.iter()
            .map(|message| message.visible_text.as_str())
            .collect::<Vec<_>>(),
        ["all see it"]
    );
}

#[tokio::test]
async fn commands_that_never_arrive() {
    let stage = Stage::start().await;
    let command = |typed: &'static str| stage.people.command("alice", "approvals", typed);
    let unknown = command("/other x").await.expect("typed");
    assert_eq!(
        (unknown.delivered, unknown.failed.as_deref()),
        (false, Some("not_a_command"))
    );
    let alone = command("/jit x").await.expect("typed");
    assert_eq!(
        (alone.delivered, alone.failed.as_deref()),
        (false, Some("dispatch_failed"))
    );
    for (user, place) in [
        ("carol", "approvals"),
        ("gone", "approvals"),
        ("alice", "old"),
        ("bob", "hidden"),
    ] {
        assert!(
            stage.people.command(user, place, "/jit x").await.is_err(),
            "{user} in {place}"
        );
    }
    let mut socket = stage.socket().await;
    let (direct, envelope) = tokio::join!(
        stage.people.command("carol", Place::Direct, "/jit x"),
        socket.take(None)
    );
    assert!(direct.expect("typed").acked);
    assert_eq!(envelope["payload"]["channel_name"], "directmessage");
}

#[tokio::test]
async fn a_late_acknowledgement_is_no_acknowledgement() {
    let stage = Stage::start().await;
    let mut socket = stage.socket().await;
    let (answer, envelope) = tokio::join!(
        stage.people.command("alice", "approvals", "/jit x"),
        socket.next()
    );
    let answer = answer.expect("typed");
    assert!(answer.delivered && !answer.acked);
    assert_eq!(answer.failed.as_deref(), Some("operation_timeout"));
    socket
        .ack(
            &envelope.expect("an envelope"),
            Some(json!({ "text": "too late" })),
        )
        .await;
    assert_eq!(
        socket.hears_within(Duration::from_millis(100)).await,
        None,
        "commands are not sent again"
    );
    let log = stage.people.log().await.expect("the log");
    assert!(log.envelopes[0].ack.as_ref().is_some_and(|ack| ack.late));
    assert!(
        stage
            .people
            .messages("alice", "approvals")
            .await
            .expect("she sees")
            .is_empty()
    );
}
