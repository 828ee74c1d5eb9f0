//! Views through the Web API: triggers, limits, stacks, updates, the Home tab.

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::{MANIFEST, Socket, Stage, button, long, section, text, world};

pub fn modal(more: Value) -> Value {
    let mut view =
        json!({ "type": "modal", "title": text("plain_text", "Form"), "blocks": [section("hi")] });
    view.as_object_mut()
        .expect("an object")
        .extend(more.as_object().expect("an object").clone());
    view
}

pub fn with_input(element: Value) -> Value {
    let input = json!({ "type": "input", "block_id": "b", "label": text("plain_text", "Why"), "element": element });
    modal(json!({ "submit": text("plain_text", "Send"), "blocks": [input] }))
}

pub fn text_input(more: Value) -> Value {
    let mut element = json!({ "type": "plain_text_input", "action_id": "why" });
    element
        .as_object_mut()
        .expect("an object")
        .extend(more.as_object().expect("an object").clone());
    element
}

/// A fresh trigger, by a command.
pub async fn trigger(stage: &Stage, socket: &mut Socket) -> String {
    let (answer, _) = tokio::join!(
        stage.people.command("alice", "approvals", "/jit form"),
        socket.take(None)
    );
    answer
        .expect("typed")
        .trigger_id
        .expect("each command brings one")
}

pub async fn open(stage: &Stage, socket: &mut Socket, view: Value) -> Value {
    let trigger_id = trigger(stage, socket).await;
    stage
        .api(
            "views.open",
            json!({ "trigger_id": trigger_id, "view": view }),
        )
        .await
        .body
}

#[tokio::test]
async fn a_trigger_opens_one_view_within_three_seconds() {
    let stage = Stage::start().await;
    let mut socket = stage.socket().await;
    let id = trigger(&stage, &mut socket).await;
    let args = json!({ "trigger_id": id, "view": modal(json!({})) });
    assert_eq!(stage.api("views.open", args.clone()).await.error(), None);
    assert_eq!(
        stage.api("views.open", args).await.error(),
        Some("exchanged_trigger_id")
    );
    let id = trigger(&stage, &mut socket).await;
    stage
        .people
        .advance_clock(Duration::from_millis(3_100))
        .await
        .expect("time goes on");
    for method in ["views.open", "views.push"] {
        let heard = stage
            .api(
                method,
                json!({ "trigger_id": id, "view": modal(json!({})) }),
            )
            .await;
        assert_eq!(heard.error(), Some("expired_trigger_id"), "{method}");
        let heard = stage
            .api(
                method,
                json!({ "trigger_id": "made.up", "view": modal(json!({})) }),
            )
            .await;
        assert_eq!(heard.error(), Some("invalid_trigger_id"), "{method}");
    }
}

#[tokio::test]
async fn views_have_limits() {
    let stage = Stage::start().await;
    let mut socket = stage.socket().await;
    let bad = Some("invalid_arguments");
    let title = |key: &str, chars: usize| modal(json!({ key: text("plain_text", &long(chars)) }));
    let list = |count: usize| modal(json!({ "blocks": vec![json!({ "type": "divider" }); count] }));
    let rows = [
        ("plain", modal(json!({})), None),
        ("title 24", title("title", 24), None),
        ("title 25", title("title", 25), bad),
        ("submit 25", title("submit", 25), bad),
        ("close 25", title("close", 25), bad),
        (
            "title in mrkdwn",
            modal(json!({ "title": text("mrkdwn", "x") })),
            bad,
        ),
        (
            "metadata 3000",
            modal(json!({ "private_metadata": long(3000) })),
            None,
        ),
        (
            "metadata 3001",
            modal(json!({ "private_metadata": long(3001) })),
            bad,
        ),
        (
            "callback_id 255",
            modal(json!({ "callback_id": long(255) })),
            None,
        ),
        (
            "callback_id 256",
            modal(json!({ "callback_id": long(256) })),
            bad,
        ),
        (
            "external_id 256",
            modal(json!({ "external_id": long(256) })),
            bad,
        ),
        ("100 blocks", list(100), None),
        ("101 blocks", list(101), bad),
        ("no title", json!({ "type": "modal", "blocks": [] }), bad),
        (
            "a foreign key",
            modal(json!({ "submit_disabled": true })),
            bad,
        ),
        ("a home", json!({ "type": "home", "blocks": [] }), bad),
        (
            "markdown",
            modal(json!({ "blocks": [{ "type": "markdown", "text": "x" }] })),
            bad,
        ),
        (
            "an input with submit",
            with_input(text_input(json!({}))),
            None,
        ),
        (
            "an input without submit",
            modal(json!({ "blocks": with_input(text_input(json!({})))["blocks"] })),
            bad,
        ),
        ("a button as input", with_input(button("a", "x", "v")), bad),
        (
            "max_length 3000",
            with_input(text_input(json!({ "max_length": 3000 }))),
            None,
        ),
        (
            "max_length 3001",
            with_input(text_input(json!({ "max_length": 3001 }))),
            bad,
        ),
        (
            "min over max",
            with_input(text_input(json!({ "min_length": 9, "max_length": 8 }))),
            bad,
        ),
        (
            "too long at the start",
            with_input(text_input(
                json!({ "max_length": 2, "initial_value": "abc" }),
            )),
            bad,
        ),
        (
            "placeholder 151",
            with_input(text_input(
                json!({ "placeholder": text("plain_text", &long(151)) }),
            )),
            bad,
        ),
        (
            "too large",
            modal(json!({ "blocks": vec![section(&long(2_900)); 50] })),
            Some("view_too_large"),
        ),
    ];
    for (what, view, error) in rows {
        let body = open(&stage, &mut socket, view).await;
        assert_eq!(body["error"].as_str(), error, "{what}: {body}");
    }
}

#[tokio::test]
async fn views_stand_on_one_another() {
    let stage = Stage::start().await;
    let mut socket = stage.socket().await;
    let id = trigger(&stage, &mut socket).await;
    let push = |id: String, n: u32| {
        let view = modal(json!({ "external_id": format!("view {n}") }));
        stage.api("views.push", json!({ "trigger_id": id, "view": view }))
    };
    assert_eq!(
        push(id, 0).await.error(),
        Some("not_found"),
        "there is nothing to push on"
    );
    let first = open(
        &stage,
        &mut socket,
        modal(json!({ "external_id": "view 1" })),
    )
    .await;
    for n in 2..=3 {
        let id = trigger(&stage, &mut socket).await;
        let heard = push(id, n).await;
        assert_eq!(
            heard.body["view"]["root_view_id"], first["view"]["id"],
            "{:?}",
            heard.body
        );
        assert!(heard.body["view"]["previous_view_id"].is_string());
    }
    let id = trigger(&stage, &mut socket).await;
    assert_eq!(push(id, 4).await.error(), Some("push_limit_reached"));
    let id = trigger(&stage, &mut socket).await;
    assert_eq!(push(id, 3).await.error(), Some("duplicate_external_id"));
    assert_eq!(stage.people.views("alice").await.expect("hers").len(), 3);
    stage.people.close_view("alice").await.expect("she can");
    assert_eq!(stage.people.views("alice").await.expect("hers").len(), 2);
}

#[tokio::test]
async fn views_are_updated_by_id_external_id_and_hash() {
    let stage = Stage::start().await;
    let mut socket = stage.socket().await;
    let body = open(&stage, &mut socket, modal(json!({ "external_id": "mine" }))).await;
    let (id, hash) = (body["view"]["id"].clone(), body["view"]["hash"].clone());
    let new = modal(json!({ "blocks": [section("new")], "external_id": "mine" }));
    let rows = [
        ("by id", json!({ "view_id": id, "view": new }), None),
        (
            "by external id",
            json!({ "external_id": "mine", "view": new }),
            None,
        ),
        (
            "old hash",
            json!({ "view_id": id, "hash": hash, "view": new }),
            Some("hash_conflict"),
        ),
        (
            "unknown",
            json!({ "view_id": "V0", "view": new }),
            Some("not_found"),
        ),
        ("no id", json!({ "view": new }), Some("invalid_arguments")),
        (
            "no view",
            json!({ "view_id": id }),
            Some("invalid_arguments"),
        ),
        (
            "bad view",
            json!({ "view_id": id, "view": {} }),
            Some("invalid_arguments"),
        ),
    ];
    for (what, args, error) in rows {
        let heard = stage.api("views.update", args).await;
        assert_eq!(heard.error(), error, "{what}: {:?}", heard.body);
    }
    assert!(
        stage.people.views("alice").await.expect("hers")[0]
            .visible_text
            .contains("new")
    );
}

#[tokio::test]
async fn the_home_tab_is_published_where_there_is_one() {
    let home = json!({ "type": "home", "blocks": [section("hi")] });
    let stage = Stage::start().await;
    let rows = [
        (json!({ "user_id": "U0ALICE", "view": home }), None),
        (
            json!({ "user_id": "U0NOBODY", "view": home }),
            Some("user_not_found"),
        ),
        (
            json!({ "user_id": "U0GONE", "view": home }),
            Some("user_not_found"),
        ),
        (
            json!({ "user_id": "U0ALICE", "hash": "1.1", "view": home }),
            Some("hash_conflict"),
        ),
        (
            json!({ "user_id": "U0ALICE", "view": modal(json!({})) }),
            Some("invalid_arguments"),
        ),
    ];
    for (args, error) in rows {
        assert_eq!(
            stage.api("views.publish", args.clone()).await.error(),
            error,
            "{args}"
        );
    }
    let without = MANIFEST.replace("home_tab_enabled: true", "home_tab_enabled: false");
    let stage = Stage::with(world(), &without).await;
    let heard = stage
        .api(
            "views.publish",
            json!({ "user_id": "U0ALICE", "view": home }),
        )
        .await;
    assert_eq!(heard.error(), Some("not_enabled"));
    assert!(stage.people.open_home("alice").await.is_err());
}
