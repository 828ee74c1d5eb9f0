//! What Slack refuses in blocks and their elements, at each limit and one over it.

use serde_json::{Value, json};

use crate::rows::{block, blocks, check, element, many, option, to_channel};
use crate::support::{Stage, actions, button, long, section, text};

#[tokio::test]
async fn blocks_of_messages() {
    let stage = Stage::start().await;
    let bad = Some("invalid_blocks");
    let header =
        |chars: usize| json!({ "type": "header", "text": text("plain_text", &long(chars)) });
    let fields = |count: usize, chars: usize| json!({ "type": "section", "fields": many(count, |_| text("mrkdwn", &long(chars))) });
    let context = |count: usize| json!({ "type": "context", "elements": many(count, |_| text("mrkdwn", "x")) });
    let buttons = |count: usize| actions(many(count, |n| button(&format!("a{n}"), "x", "v")));
    let with_id = |id: &str| json!({ "type": "divider", "block_id": id });
    check(&stage, "chat.postMessage", vec![
        ("50 blocks", blocks(many(50, |_| json!({ "type": "divider" }))), None),
        ("51 blocks", blocks(many(51, |_| json!({ "type": "divider" }))), bad),
        ("section 3000", block(section(&long(3000))), None),
        ("section 3001", block(section(&long(3001))), bad),
        ("section empty", block(section("")), bad),
        ("section without anything", block(json!({ "type": "section" })), bad),
        ("10 fields", block(fields(10, 10)), None),
        ("11 fields", block(fields(11, 10)), bad),
        ("field 2000", block(fields(1, 2000)), None),
        ("field 2001", block(fields(1, 2001)), bad),
        ("header 150", block(header(150)), None),
        ("header 151", block(header(151)), bad),
        ("header in mrkdwn", block(json!({ "type": "header", "text": text("mrkdwn", "x") })), bad),
        ("10 in a context", block(context(10)), None),
        ("11 in a context", block(context(11)), bad),
        ("empty context", block(context(0)), bad),
        ("25 actions", block(buttons(25)), None),
        ("26 actions", block(buttons(26)), bad),
        ("no actions", block(buttons(0)), bad),
        ("the same action twice", block(actions(json!([button("a", "x", "1"), button("a", "y", "2")]))), bad),
        ("block_id 255", block(with_id(&"b".repeat(255))), None),
        ("block_id 256", block(with_id(&"b".repeat(256))), bad),
        ("the same block_id twice", blocks(json!([with_id("b"), with_id("b")])), bad),
        ("an unknown kind", block(json!({ "type": "marquee" })), bad),
        ("no kind", block(json!({ "text": "x" })), bad),
        ("a foreign key", block(json!({ "type": "divider", "colour": "red" })), bad),
        ("a string as block", blocks(json!(["x"])), bad),
        ("markdown 12000", block(json!({ "type": "markdown", "text": long(12_000) })), None),
        ("markdown 12001 together", blocks(json!([{ "type": "markdown", "text": long(6_000) }, { "type": "markdown", "text": long(6_001) }])), bad),
        ("blocks in an attachment", to_channel(json!({ "attachments": [{ "blocks": [header(151)] }] })), bad),
    ])
    .await;
    let heard = stage
        .api("chat.postMessage", block(section(&long(3001))))
        .await;
    let problem = "must be less than 3001 characters [json-pointer:/blocks/0/text/text]";
    assert!(
        heard.body["errors"]
            .as_array()
            .is_some_and(|errors| errors.contains(&json!(problem))),
        "{:?}",
        heard.body
    );
    let messages = &heard.body["response_metadata"]["messages"];
    assert!(
        messages
            .as_array()
            .is_some_and(|list| list.contains(&json!(format!("[ERROR] {problem}")))),
        "{messages}"
    );
}

#[tokio::test]
async fn elements_of_messages() {
    let stage = Stage::start().await;
    let bad = Some("invalid_blocks");
    let with = |key: &str, value: Value| {
        let mut one = button("a", "x", "v");
        one[key] = value;
        element(one)
    };
    let confirm = |title: usize, words: usize, yes: usize| {
        with(
            "confirm",
            json!({ "title": text("plain_text", &long(title)), "text": text("mrkdwn", &long(words)),
            "confirm": text("plain_text", &long(yes)), "deny": text("plain_text", "no") }),
        )
    };
    let select = |count: usize, label: usize, value: usize| {
        element(
            json!({ "type": "static_select", "action_id": "s", "placeholder": text("plain_text", "pick"),
            "options": many(count, |_| option(&long(label), &"v".repeat(value))) }),
        )
    };
    let list = |kind: &str, count: usize| {
        element(
            json!({ "type": kind, "action_id": "s", "options": many(count, |n| option("x", &n.to_string())) }),
        )
    };
    check(&stage, "chat.postMessage", vec![
        ("button text 75", element(button("a", &long(75), "v")), None),
        ("button text 76", element(button("a", &long(76), "v")), bad),
        ("button value 2000", element(button("a", "x", &long(2000))), None),
        ("button value 2001", element(button("a", "x", &long(2001))), bad),
        ("button url 3001", with("url", json!("u".repeat(3001))), bad),
        ("action_id 255", element(button(&"a".repeat(255), "x", "v")), None),
        ("action_id 256", element(button(&"a".repeat(256), "x", "v")), bad),
        ("style danger", with("style", json!("danger")), None),
        ("style red", with("style", json!("red")), bad),
        ("button in mrkdwn", with("text", text("mrkdwn", "x")), bad),
        ("a foreign key", with("disabled", json!(true)), bad),
        ("confirm at its limits", confirm(100, 300, 30), None),
        ("confirm title 101", confirm(101, 300, 30), bad),
        ("confirm text 301", confirm(100, 301, 30), bad),
        ("confirm button 31", confirm(100, 300, 31), bad),
        ("100 options", select(100, 10, 10), None),
        ("101 options", select(101, 10, 10), bad),
        ("no options", select(0, 10, 10), bad),
        ("option text 75 and value 75", select(1, 75, 75), None),
        ("option text 76", select(1, 76, 75), bad),
        ("option value 76", select(1, 75, 76), bad),
        ("overflow 5", list("overflow", 5), None),
        ("overflow 6", list("overflow", 6), bad),
        ("checkboxes 10", list("checkboxes", 10), None),
        ("checkboxes 11", list("checkboxes", 11), bad),
        ("radio buttons 11", list("radio_buttons", 11), bad),
        ("placeholder 151", element(json!({ "type": "users_select", "action_id": "u", "placeholder": text("plain_text", &long(151)) })), bad),
        ("initial option that is none", element(json!({ "type": "static_select", "action_id": "s", "options": [option("x", "1")], "initial_option": option("y", "2") })), bad),
        ("text input among actions", element(json!({ "type": "plain_text_input", "action_id": "t" })), bad),
        ("unknown element", element(json!({ "type": "slider", "action_id": "t" })), bad),
        ("accessory 76", block(json!({ "type": "section", "text": text("mrkdwn", "x"), "accessory": button("a", &long(76), "v") })), bad),
    ])
    .await;
}
