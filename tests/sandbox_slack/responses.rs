//! Presses and response addresses.

use std::time::Duration;

use jitbot::sandbox::people::{FaultKind, ForgedPress};
use serde_json::{Value, json};

use crate::support::{Heard, MANIFEST, Socket, Stage, actions, button, section, world};

async fn respond(stage: &Stage, url: &str, body: Value) -> Option<Heard> {
    stage
        .send(url, None, "application/json", body.to_string())
        .await
}

async fn command_url(stage: &Stage, socket: &mut Socket) -> String {
    let (answer, _) = tokio::join!(
        stage.people.command("alice", "approvals", "/jit x"),
        socket.take(None)
    );
    answer
        .expect("typed")
        .response_url
        .expect("each command brings one")
}

async fn card(stage: &Stage) -> String {
    let blocks = json!([
        section("asks"),
        actions(json!([button("yes", "Approve", "r1 v1")]))
    ]);
    let heard = stage
        .api(
            "chat.postMessage",
            json!({ "channel": "C0APPROVE", "text": "asks", "blocks": blocks }),
        )
        .await;
    heard.body["ts"].as_str().expect("posted").to_owned()
}

#[tokio::test]
async fn five_uses_in_thirty_minutes() {
    let stage = Stage::start().await;
    let mut socket = stage.socket().await;
    let url = command_url(&stage, &mut socket).await;
    let refused = respond(&stage, &url, json!({ "text": "" }))
        .await
        .expect("an answer");
    assert_eq!((refused.status, refused.error()), (400, Some("no_text")));
    for n in 1..=5 {
        let heard = respond(&stage, &url, json!({ "text": format!("answer {n}") }))
            .await
            .expect("an answer");
        assert_eq!(
            (heard.status, &heard.body),
            (200, &json!("ok")),
            "use {n}; a refused one did not count"
        );
    }
    let sixth = respond(&stage, &url, json!({ "text": "answer 6" }))
        .await
        .expect("an answer");
    assert_eq!((sixth.status, sixth.error()), (404, Some("used_url")));
    let late = command_url(&stage, &mut socket).await;
    stage
        .people
        .advance_clock(Duration::from_secs(30 * 60 + 1))
        .await
        .expect("time goes on");
    let heard = respond(&stage, &late, json!({ "text": "late" }))
        .await
        .expect("an answer");
    assert_eq!((heard.status, heard.error()), (404, Some("expired_url")));
    let seen = stage
        .people
        .messages("alice", "approvals")
        .await
        .expect("she sees");
    assert_eq!(seen.len(), 5);
    assert!(seen.iter().all(|message| message.ephemeral));
    assert!(
        stage
            .people
            .messages("bob", "approvals")
            .await
            .expect("he sees")
            .is_empty()
    );
}

#[tokio::test]
async fn responses_work_where_the_bot_is_not() {
    let stage = Stage::start().await;
    let mut socket = stage.socket().await;
    let (answer, _) = tokio::join!(
        stage.people.command("alice", "hidden", "/jit x"),
        socket.take(None)
    );
    let url = answer.expect("typed").response_url.expect("an address");
    let body = json!({ "text": "for all", "response_type": "in_channel" });
    assert_eq!(
        respond(&stage, &url, body).await.expect("an answer").status,
        200
    );
    assert_eq!(
        stage
            .people
            .messages("alice", "hidden")
            .await
            .expect("she sees")[0]
            .visible_text,
        "for all"
    );
}

#[tokio::test]
async fn a_press_has_slacks_fields() {
    let stage = Stage::start().await;
    let mut socket = stage.socket().await;
    let ts = card(&stage).await;
    let (answer, envelope) = tokio::join!(
        stage.people.press("bob", "approvals", &ts, "yes"),
        socket.take(None)
    );
    let answer = answer.expect("it is there");
    assert!(answer.delivered && answer.acked && answer.failed.is_none());
    assert_eq!(
        (&envelope["type"], &envelope["accepts_response_payload"]),
        (&json!("interactive"), &json!(false))
    );
    let sent = &envelope["payload"];
    assert_eq!(sent["type"], "block_actions");
    assert_eq!(
        sent["container"],
        json!({ "type": "message", "message_ts": ts, "channel_id": "C0APPROVE", "is_ephemeral": false })
    );
    assert_eq!(
        sent["channel"],
        json!({ "id": "C0APPROVE", "name": "approvals" })
    );
    assert_eq!(
        (&sent["user"]["id"], &sent["user"]["username"]),
        (&json!("U0BOB"), &json!("bob"))
    );
    let action = &sent["actions"][0];
    for (key, value) in [("type", "button"), ("action_id", "yes"), ("value", "r1 v1")] {
        assert_eq!(action[key], value, "{key}");
    }
    assert_eq!(action["text"]["text"], "Approve");
    assert_eq!(sent["message"]["blocks"].as_array().map(Vec::len), Some(2));
    assert_eq!(sent["state"], json!({ "values": {} }));
}

#[tokio::test]
async fn a_button_is_pressed_by_its_label_in_its_block() {
    let stage = Stage::start().await;
    let mut socket = stage.socket().await;
    let blocks = json!([
        actions(json!([button("go", "First", "1")])),
        actions(json!([button("go", "Second", "2")])),
    ]);
    let args = json!({ "channel": "U0ALICE", "text": "two", "blocks": blocks });
    assert_eq!(stage.api("chat.postMessage", args).await.error(), None);
    let message = stage
        .people
        .direct_messages("alice")
        .await
        .expect("hers")
        .remove(0);
    let press = stage.people.press_button("alice", &message, "Second");
    let (answer, envelope) = tokio::join!(press, socket.take(None));
    assert!(answer.expect("it is there").acked);
    assert_eq!(envelope["payload"]["actions"][0]["value"], "2");
    assert!(
        stage
            .people
            .press_button("alice", &message, "Third")
            .await
            .is_err()
    );
    assert!(
        stage
            .people
            .press_button("bob", &message, "First")
            .await
            .is_err(),
        "not his"
    );
}

#[tokio::test]
async fn nobody_presses_what_is_not_there() {
    let stage = Stage::start().await;
    let ts = card(&stage).await;
    let press = |user: &'static str, action: &'static str| {
        stage.people.press(user, "approvals", &ts, action)
    };
    assert!(press("bob", "no").await.is_err(), "no such button");
    assert!(press("gone", "yes").await.is_err(), "deactivated");
    assert!(
        stage
            .people
            .press("bob", "approvals", "1.000001", "yes")
            .await
            .is_err(),
        "no such message"
    );
    assert!(
        stage
            .people
            .press("bob", "secret", &ts, "yes")
            .await
            .is_err(),
        "he cannot see it"
    );
    let alone = press("bob", "yes").await.expect("it is there");
    assert_eq!(
        (alone.delivered, alone.failed.as_deref()),
        (false, Some("dispatch_failed"))
    );
    stage
        .api(
            "chat.update",
            json!({ "channel": "C0APPROVE", "ts": ts, "text": "approved" }),
        )
        .await;
    assert!(press("bob", "yes").await.is_err(), "the button is gone");
    stage.people.archive("approvals").await.expect("archived");
    assert!(press("bob", "yes").await.is_err(), "archived");
}

#[tokio::test]
async fn presses_need_interactivity() {
    let off = MANIFEST.replace(
        "interactivity: { is_enabled: true }",
        "interactivity: { is_enabled: false }",
    );
    let stage = Stage::with(world(), &off).await;
    let mut socket = stage.socket().await;
    let ts = card(&stage).await;
    let answer = stage
        .people
        .press("bob", "approvals", &ts, "yes")
        .await
        .expect("it is there");
    assert_eq!(
        (answer.delivered, answer.failed.as_deref()),
        (false, Some("interactivity_off"))
    );
    assert_eq!(socket.hears_within(Duration::from_millis(30)).await, None);
}

#[tokio::test]
async fn a_press_that_is_not_acknowledged_fails() {
    let stage = Stage::start().await;
    let mut socket = stage.socket().await;
    let ts = card(&stage).await;
    let (answer, envelope) = tokio::join!(
        stage.people.press("bob", "approvals", &ts, "yes"),
        socket.next()
    );
    let answer = answer.expect("it is there");
    assert!(envelope.is_some() && answer.delivered && !answer.acked);
    assert_eq!(answer.failed.as_deref(), Some("operation_timeout"));
    assert_eq!(
        socket.hears_within(Duration::from_millis(50)).await,
        None,
        "presses are not sent again"
    );
}

#[tokio::test]
async fn anything_can_be_forged() {
    let stage = Stage::start().await;
    let mut socket = stage.socket().await;
    let ts = card(&stage).await;
    for (user, channel, ts) in [
        ("U0BOB", "C0APPROVE", ts.as_str()),
        ("U0MADEUP", "C0MADEUP", "1.000001"),
    ] {
        let forged = ForgedPress {
            user: user.into(),
            channel: channel.into(),
            ts: ts.into(),
            action_id: "yes".into(),
            block_id: "b".into(),
            value: Some("r999'; --".into()),
        };
        let (answer, envelope) = tokio::join!(stage.people.forge(&forged), socket.take(None));
        assert!(answer.expect("sent").acked);
        let sent = &envelope["payload"];
        assert_eq!(
            (&sent["user"]["id"], &sent["actions"][0]["value"]),
            (&json!(user), &json!("r999'; --"))
        );
        assert_eq!(sent["container"]["message_ts"], ts);
    }
}

#[tokio::test]
async fn an_ephemeral_message_is_pressed_replaced_and_deleted() {
    let stage = Stage::start().await;
    let mut socket = stage.socket().await;
    let blocks = json!([actions(json!([button("again", "Send again", "g1")]))]);
    let args =
        json!({ "channel": "C0APPROVE", "user": "U0ALICE", "text": "yours", "blocks": blocks });
    let ts = stage.api("chat.postEphemeral", args).await.body["message_ts"]
        .as_str()
        .expect("posted")
        .to_owned();
    assert!(
        stage
            .people
            .press("bob", "approvals", &ts, "again")
            .await
            .is_err(),
        "he does not see it"
    );
    let (answer, envelope) = tokio::join!(
        stage.people.press("alice", "approvals", &ts, "again"),
        socket.take(None)
    );
    assert_eq!(envelope["payload"]["container"]["is_ephemeral"], true);
    assert!(
        envelope["payload"].get("message").is_none(),
        "Slack keeps no copy"
    );
    let url = answer.expect("hers").response_url.expect("an address");
    let replace = json!({ "text": "sent again", "replace_original": true });
    assert_eq!(
        respond(&stage, &url, replace)
            .await
            .expect("an answer")
            .status,
        200
    );
    assert_eq!(
        stage
            .people
            .messages("alice", "approvals")
            .await
            .expect("hers")[0]
            .visible_text,
        "sent again"
    );
    assert_eq!(
        respond(&stage, &url, json!({ "delete_original": true }))
            .await
            .expect("an answer")
            .status,
        200
    );
    assert!(
        stage
            .people
            .messages("alice", "approvals")
            .await
            .expect("hers")
            .is_empty()
    );
}

#[tokio::test]
async fn response_addresses_can_fail_too() {
    let stage = Stage::start().await;
    let mut socket = stage.socket().await;
    let url = command_url(&stage, &mut socket).await;
    for (fault, status, messages) in [
        (FaultKind::Status(503), Some(503), 0),
        (FaultKind::DropAfterEffect, None, 1),
        (FaultKind::StatusAfterEffect(500), Some(500), 2),
    ] {
        stage
            .people
            .fault("response_url", 1, fault.clone())
            .await
            .expect("staged");
        let heard = respond(&stage, &url, json!({ "text": "hi" })).await;
        assert_eq!(heard.map(|heard| heard.status), status, "{fault:?}");
        assert_eq!(
            stage
                .people
                .messages("alice", "approvals")
                .await
                .expect("hers")
                .len(),
            messages,
            "{fault:?}"
        );
    }
}
