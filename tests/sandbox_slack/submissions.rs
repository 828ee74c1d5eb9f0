//! What people do in forms, and what the app may answer.

use jitbot::sandbox::people::{Press, Surface};
use serde_json::json;

use crate::forms::{modal, open, text_input, with_input};
use crate::support::{Stage, actions, long, text};

#[tokio::test]
async fn a_client_checks_before_it_sends() {
    let stage = Stage::start().await;
    let mut socket = stage.socket().await;
    open(
        &stage,
        &mut socket,
        with_input(text_input(json!({ "min_length": 3, "max_length": 5 }))),
    )
    .await;
    for (entered, error) in [("", "complete"), ("ab", "more"), ("abcdef", "shorten")] {
        let answer = stage
            .people
            .submit_view("alice", &[("why", entered)])
            .await
            .expect("she can try");
        assert_eq!(
            (answer.delivered, answer.failed.as_deref()),
            (false, Some("incomplete"))
        );
        assert!(answer.errors["b"].contains(error), "{answer:?}");
    }
    assert!(
        stage
            .people
            .submit_view("alice", &[("elsewhere", "x")])
            .await
            .is_err()
    );
    assert!(
        stage.people.submit_view("bob", &[]).await.is_err(),
        "he has no form open"
    );
    let (answer, envelope) = tokio::join!(
        stage.people.submit_view("alice", &[("why", "abcd")]),
        socket.take(None)
    );
    assert_eq!(answer.expect("sent").action.as_deref(), Some("closed"));
    assert_eq!(envelope["accepts_response_payload"], true);
    let sent = &envelope["payload"];
    assert_eq!(
        sent["view"]["state"]["values"]["b"]["why"],
        json!({ "type": "plain_text_input", "value": "abcd" })
    );
    assert!(
        ["trigger_id", "token", "api_app_id"]
            .iter()
            .all(|key| sent[key].is_string())
    );
    assert!(stage.people.views("alice").await.expect("hers").is_empty());
}

#[tokio::test]
async fn what_a_submission_may_be_answered_with() {
    let stage = Stage::start().await;
    let mut socket = stage.socket().await;
    let view = with_input(text_input(json!({ "initial_value": "x" })));
    let bad_view = modal(json!({ "title": text("plain_text", &long(25)) }));
    // (the acknowledgement's payload, the action, whether it failed, views left)
    let rows = [
        (
            json!({ "response_action": "errors", "errors": { "b": "no" } }),
            Some("errors"),
            false,
            1,
        ),
        (
            json!({ "response_action": "errors", "errors": { "other": "no" } }),
            None,
            true,
            1,
        ),
        (
            json!({ "response_action": "errors", "errors": {} }),
            None,
            true,
            1,
        ),
        (
            json!({ "response_action": "update", "view": modal(json!({})) }),
            Some("update"),
            false,
            1,
        ),
        (
            json!({ "response_action": "update", "view": bad_view }),
            None,
            true,
            1,
        ),
        (json!({ "response_action": "update" }), None, true, 1),
        (
            json!({ "response_action": "push", "view": modal(json!({})) }),
            Some("push"),
            false,
            2,
        ),
        (json!({ "response_action": "shrug" }), None, true, 1),
        (
            json!({ "response_action": "clear" }),
            Some("clear"),
            false,
            0,
        ),
        (json!({}), Some("closed"), false, 0),
    ];
    for (payload, action, failed, left) in rows {
        stage.people.close_all_views("alice").await.ok();
        open(&stage, &mut socket, view.clone()).await;
        let (answer, _) = tokio::join!(
            stage.people.submit_view("alice", &[]),
            socket.take(Some(payload.clone()))
        );
        let answer = answer.expect("sent");
        assert_eq!(
            (answer.action.as_deref(), answer.failed.is_some()),
            (action, failed),
            "{payload}: {answer:?}"
        );
        assert_eq!(
            stage.people.views("alice").await.expect("hers").len(),
            left,
            "{payload}"
        );
    }
}

#[tokio::test]
async fn a_closed_view_is_told_if_asked_for() {
    let stage = Stage::start().await;
    let mut socket = stage.socket().await;
    open(&stage, &mut socket, modal(json!({}))).await;
    assert!(
        !stage
            .people
            .close_view("alice")
            .await
            .expect("she can")
            .delivered
    );
    open(
        &stage,
        &mut socket,
        modal(json!({ "notify_on_close": true })),
    )
    .await;
    let (answer, envelope) = tokio::join!(stage.people.close_view("alice"), socket.take(None));
    assert!(answer.expect("told").acked);
    assert_eq!(
        (
            &envelope["payload"]["type"],
            &envelope["payload"]["is_cleared"]
        ),
        (&json!("view_closed"), &json!(false))
    );
}

#[tokio::test]
async fn choices_are_those_offered() {
    let stage = Stage::start().await;
    let mut socket = stage.socket().await;
    let option = |n: u32| json!({ "text": text("plain_text", &format!("option {n}")), "value": n.to_string() });
    let menu =
        json!({ "type": "static_select", "action_id": "menu", "options": [option(1), option(2)] });
    let blocks = json!([actions(json!([menu]))]);
    open(&stage, &mut socket, modal(json!({ "blocks": blocks }))).await;
    let choose = |option: Option<&str>| Press {
        user: "alice".into(),
        surface: Surface::Modal,
        action_id: "menu".into(),
        block_id: None,
        option: option.map(str::to_owned),
    };
    assert!(stage.people.press_on(choose(Some("3"))).await.is_err());
    assert!(stage.people.press_on(choose(None)).await.is_err());
    let (answer, envelope) =
        tokio::join!(stage.people.press_on(choose(Some("2"))), socket.take(None));
    assert!(answer.expect("chosen").acked);
    let sent = &envelope["payload"];
    assert_eq!(sent["actions"][0]["selected_option"]["value"], "2");
    assert_eq!(sent["container"]["type"], "view");
    let block_id = sent["actions"][0]["block_id"]
        .as_str()
        .expect("one was made");
    assert_eq!(
        sent["view"]["state"]["values"][block_id]["menu"]["selected_option"]["value"],
        "2"
    );
}
