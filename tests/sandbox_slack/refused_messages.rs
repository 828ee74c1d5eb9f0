//! What Slack refuses of `chat.*`, one table a method; and what it must still take.

use serde_json::{Value, json};

use crate::rows::{blocks, check, many, to_channel};
use crate::support::{Stage, long, section};

#[tokio::test]
async fn post_message_places_and_content() {
    let stage = Stage::start().await;
    let to = |channel: &str| json!({ "channel": channel, "text": "hi" });
    let metadata = |value: Value| to_channel(json!({ "text": "hi", "metadata": value }));
    let good =
        json!({ "event_type": "card", "event_payload": { "id": "r1", "n": 3, "yes": true } });
    check(
        &stage,
        "chat.postMessage",
        vec![
            ("by id", to("C0APPROVE"), None),
            ("by name", to("#approvals"), None),
            ("to a person", to("U0ALICE"), None),
            ("into a private channel with the bot", to("C0SECRET"), None),
            ("nowhere", to("C0NOWHERE"), Some("channel_not_found")),
            (
                "without a channel",
                json!({ "text": "hi" }),
                Some("channel_not_found"),
            ),
            (
                "into a public channel without the bot",
                to("C0OUT"),
                Some("not_in_channel"),
            ),
            (
                "into a private channel without the bot",
                to("C0HIDDEN"),
                Some("channel_not_found"),
            ),
            ("into the archive", to("C0OLD"), Some("is_archived")),
            (
                "to somebody deactivated",
                to("U0GONE"),
                Some("channel_not_found"),
            ),
            ("nothing", to_channel(json!({})), Some("no_text")),
            (
                "spaces",
                to_channel(json!({ "text": " \n" })),
                Some("no_text"),
            ),
            (
                "no blocks",
                to_channel(json!({ "blocks": [] })),
                Some("no_text"),
            ),
            (
                "blocks alone",
                to_channel(json!({ "blocks": [section("hi")] })),
                None,
            ),
            (
                "blocks that are no list",
                to_channel(json!({ "blocks": {} })),
                Some("invalid_blocks_format"),
            ),
            (
                "markdown",
                to_channel(json!({ "markdown_text": "**hi**" })),
                None,
            ),
            (
                "markdown and text",
                to_channel(json!({ "markdown_text": "hi", "text": "hi" })),
                Some("markdown_text_conflict"),
            ),
            (
                "a thread",
                to_channel(json!({ "text": "hi", "thread_ts": "1.000001" })),
                Some("thread_not_found"),
            ),
            ("metadata", metadata(good), None),
            (
                "metadata that is a list",
                metadata(json!([])),
                Some("invalid_metadata_format"),
            ),
            (
                "metadata without a type",
                metadata(json!({ "event_payload": {} })),
                Some("invalid_metadata_schema"),
            ),
            (
                "metadata that nests",
                metadata(json!({ "event_type": "x", "event_payload": { "a": { "b": 1 } } })),
                Some("invalid_metadata_schema"),
            ),
            (
                "too much text in blocks",
                blocks(many(5, |_| section(&long(2_500)))),
                Some("msg_blocks_too_long"),
            ),
        ],
    )
    .await;
    let heard = stage
        .api(
            "chat.postMessage",
            to_channel(json!({ "text": long(40_001) })),
        )
        .await;
    assert_eq!(
        heard.body["message"]["text"]
            .as_str()
            .map(|text| text.chars().count()),
        Some(40_000)
    );
    assert_eq!(
        heard.body["response_metadata"]["warnings"],
        json!(["message_truncated"])
    );
}

#[tokio::test]
async fn update_and_delete() {
    let stage = Stage::start().await;
    let own = stage.post("C0APPROVE", "mine").await;
    let foreign = stage
        .people
        .say("alice", "approvals", "hers")
        .await
        .expect("she is a member");
    let ephemeral = stage
        .api(
            "chat.postEphemeral",
            to_channel(json!({ "user": "U0ALICE", "text": "psst" })),
        )
        .await;
    let ephemeral = ephemeral.body["message_ts"].clone();
    let at = |channel: &str, ts: &Value, text: &str| json!({ "channel": channel, "ts": ts, "text": text });
    check(
        &stage,
        "chat.update",
        vec![
            ("own", at("C0APPROVE", &json!(own), "new"), None),
            (
                "4000 characters",
                at("C0APPROVE", &json!(own), &long(4000)),
                None,
            ),
            (
                "4001 characters",
                at("C0APPROVE", &json!(own), &long(4001)),
                Some("msg_too_long"),
            ),
            (
                "hers",
                at("C0APPROVE", &json!(foreign), "new"),
                Some("cant_update_message"),
            ),
            (
                "none",
                at("C0APPROVE", &json!("1.000001"), "new"),
                Some("message_not_found"),
            ),
            (
                "an ephemeral one",
                at("C0APPROVE", &ephemeral, "new"),
                Some("message_not_found"),
            ),
            (
                "by the channel's name",
                at("approvals", &json!(own), "new"),
                Some("channel_not_found"),
            ),
            (
                "in a channel without the bot",
                at("C0OUT", &json!(own), "new"),
                Some("not_in_channel"),
            ),
            (
                "nothing",
                json!({ "channel": "C0APPROVE", "ts": own }),
                Some("no_text"),
            ),
            (
                "bad blocks",
                json!({ "channel": "C0APPROVE", "ts": own, "blocks": [section("")] }),
                Some("invalid_blocks"),
            ),
        ],
    )
    .await;
    check(
        &stage,
        "chat.delete",
        vec![
            (
                "hers",
                json!({ "channel": "C0APPROVE", "ts": foreign }),
                Some("cant_delete_message"),
            ),
            (
                "none",
                json!({ "channel": "C0APPROVE", "ts": "1.000001" }),
                Some("message_not_found"),
            ),
            (
                "nowhere",
                json!({ "channel": "C0NOWHERE", "ts": own }),
                Some("channel_not_found"),
            ),
            ("own", json!({ "channel": "C0APPROVE", "ts": own }), None),
            (
                "twice",
                json!({ "channel": "C0APPROVE", "ts": own }),
                Some("message_not_found"),
            ),
        ],
    )
    .await;
    let last = stage.post("C0APPROVE", "last").await;
    stage.people.archive("approvals").await.expect("archived");
    check(
        &stage,
        "chat.update",
        vec![(
            "in the archive",
            at("C0APPROVE", &json!(last), "new"),
            Some("is_inactive"),
        )],
    )
    .await;
}

#[tokio::test]
async fn ephemeral_and_permalink() {
    let stage = Stage::start().await;
    let to =
        |channel: &str, user: &str| json!({ "channel": channel, "user": user, "text": "psst" });
    check(
        &stage,
        "chat.postEphemeral",
        vec![
            ("to a member", to("C0APPROVE", "U0ALICE"), None),
            (
                "to somebody outside",
                to("C0APPROVE", "U0CAROL"),
                Some("user_not_in_channel"),
            ),
            (
                "to nobody",
                to("C0APPROVE", "U0NOBODY"),
                Some("user_not_found"),
            ),
            (
                "nowhere",
                to("C0NOWHERE", "U0ALICE"),
                Some("channel_not_found"),
            ),
            (
                "without the bot",
                to("C0OUT", "U0ALICE"),
                Some("not_in_channel"),
            ),
            (
                "in the archive",
                to("C0OLD", "U0ALICE"),
                Some("is_archived"),
            ),
            (
                "nothing",
                to_channel(json!({ "user": "U0ALICE" })),
                Some("no_text"),
            ),
            (
                "bad blocks",
                to_channel(json!({ "user": "U0ALICE", "blocks": [section("")] })),
                Some("invalid_blocks"),
            ),
        ],
    )
    .await;
    let ts = stage.post("C0APPROVE", "hi").await;
    check(
        &stage,
        "chat.getPermalink",
        vec![
            (
                "a message",
                json!({ "channel": "C0APPROVE", "message_ts": ts }),
                None,
            ),
            (
                "none",
                json!({ "channel": "C0APPROVE", "message_ts": "1.000001" }),
                Some("message_not_found"),
            ),
            (
                "nowhere",
                json!({ "channel": "C0NOWHERE", "message_ts": ts }),
                Some("channel_not_found"),
            ),
            (
                "hidden",
                json!({ "channel": "C0HIDDEN", "message_ts": ts }),
                Some("channel_not_found"),
            ),
        ],
    )
    .await;
}
