//! Out: cards, letters, answers, and what their failures mean.

use jitbot::chat::card::Letter;
use jitbot::chat::port::{Outbox, PostError};
use jitbot::chat::slack::client::SlackSettings;
use jitbot::chat::slack::render;
use jitbot::chat::slack::send::SlackOutbox;
use jitbot::domain::answer::Answer;
use jitbot::domain::command::MessageRef;
use jitbot::domain::ids::{AccountId, RequestId};
use secrecy::SecretString;
use serde_json::json;
use tokio::net::TcpListener;

use crate::double::Double;
use crate::things::{card, place, request};

#[tokio::test]
async fn a_card_is_posted_with_its_metadata_and_nothing_parsed() {
    let double = Double::start().await;
    let outbox = double.outbox();
    let on = outbox.post_card(&place(), &card()).await.unwrap();
    assert_eq!(
        on,
        MessageRef {
            place: place(),
            message: "100.1".into()
        }
    );
    outbox.update_card(&on, &card()).await.unwrap();
    let posted = double.calls("chat.postMessage").remove(0);
    assert_eq!(posted["channel"], "C1");
    assert_eq!(posted["parse"], "none");
    assert_eq!(posted["link_names"], false);
    assert_eq!(posted["unfurl_links"], false);
    assert_eq!(posted["metadata"]["event_type"], "jitbot_card");
    assert_eq!(
        posted["metadata"]["event_payload"]["request"],
        request().as_str()
    );
    assert!(posted["blocks"].to_string().contains("\"Bob\""), "{posted}");
    let updated = double.calls("chat.update").remove(0);
    assert_eq!(updated["ts"], "100.1");
    assert!(updated["blocks"].is_array());
    assert_eq!(
        double.calls("users.info").len(),
        2,
        "each name is asked for once"
    );
}

#[tokio::test]
async fn failures_say_whether_something_was_posted() {
    let double = Double::start().await;
    let outbox = double.outbox();
    let failed = json!({"ok": false, "error": "is_archived"});
    double.stage(
        "chat.postMessage",
        429,
        Some("7"),
        json!({"ok": false, "error": "ratelimited"}),
    );
    double.stage("chat.postMessage", 503, None, json!({"ok": false}));
    double.stage("chat.postMessage", 200, None, failed);
    double.stage(
        "chat.postMessage",
        200,
        None,
        json!({"ok": false, "error": "invalid_auth"}),
    );
    double.stage("chat.update", 503, None, json!({"ok": false}));
    let mut post = Vec::new();
    for _ in 0..4 {
        post.push(outbox.post_card(&place(), &card()).await.unwrap_err());
    }
    assert_eq!(post[0], PostError::RateLimited { after_s: 7 });
    assert!(
        matches!(post[1], PostError::Unknown { .. }),
        "{:?}",
        post[1]
    );
    assert!(
        matches!(&post[2], PostError::NoPlace { said, shows: true } if said.starts_with("is_archived"))
    );
    assert!(matches!(post[3], PostError::Retry { .. }));
    let on = MessageRef {
        place: place(),
        message: "1.1".into(),
    };
    // Drawing anew may be done twice.
    assert!(matches!(
        outbox.update_card(&on, &card()).await,
        Err(PostError::Retry { .. })
    ));
    // Nothing listens on a port that was just given back: the request never left.
    let port = {
        let gone = TcpListener::bind("127.0.0.1:0").await.unwrap();
        gone.local_addr().unwrap().port()
    };
    let away = SlackOutbox::connect(&SlackSettings {
        api_url: Some(format!("http://127.0.0.1:{port}/api")),
        bot_token: SecretString::from("xoxb-test").into(),
    })
    .unwrap();
    assert!(matches!(
        away.post_card(&place(), &card()).await,
        Err(PostError::Retry { .. })
    ));
}

#[tokio::test]
async fn a_lost_card_is_found_by_its_metadata_and_only_if_it_is_ours() {
    let double = Double::start().await;
    let outbox = double.outbox();
    let ours = render::metadata(render::CARD_EVENT, &request(), 1);
    let other = render::metadata(render::CARD_EVENT, &RequestId::from_bits(1), 1);
    let copy = render::metadata(render::COPY_EVENT, &request(), 0);
    double.stage(
        "conversations.history",
        200,
        None,
        json!({"ok": true, "messages": [
            {"ts": "9.0", "text": "no metadata", "user": "U1"},
            {"ts": "8.0", "bot_id": "BOTHER", "user": "UX", "metadata": ours},
            {"ts": "7.0", "bot_id": "BBOT", "metadata": other},
            {"ts": "6.0", "bot_id": "BBOT", "metadata": copy},
            {"ts": "5.0", "bot_id": "BBOT", "metadata": ours},
            {"ts": "4.0", "bot_id": "BBOT", "metadata": ours},
        ]}),
    );
    let found = outbox.find_card(&place(), &request()).await.unwrap();
    assert_eq!(found.map(|on| on.message).as_deref(), Some("5.0"));
    assert_eq!(
        double.calls("conversations.history")[0]["include_all_metadata"],
        true
    );
    double.stage(
        "conversations.history",
        200,
        None,
        json!({"ok": false, "error": "missing_scope"}),
    );
    assert_eq!(outbox.find_card(&place(), &request()).await, Ok(None));
    double.stage("conversations.history", 503, None, json!({}));
    assert!(matches!(
        outbox.find_card(&place(), &request()).await,
        Err(PostError::Retry { .. })
    ));
}

#[tokio::test]
async fn a_private_answer_falls_back_to_a_private_message() {
    let double = Double::start().await;
    let outbox = double.outbox();
    let account = AccountId::new("slack:T1/U2").unwrap();
    let letter = Letter::Answer(Answer::Resources(Vec::new()));
    outbox.answer(&place(), &account, &letter).await.unwrap();
    assert_eq!(double.calls("chat.postEphemeral")[0]["user"], "U2");
    assert!(double.calls("chat.postMessage").is_empty());
    for _ in 0..2 {
        double.stage(
            "chat.postEphemeral",
            200,
            None,
            json!({"ok": false, "error": "user_not_in_channel"}),
        );
        outbox.answer(&place(), &account, &letter).await.unwrap();
    }
    assert_eq!(double.calls("chat.postMessage").len(), 2);
    assert_eq!(double.calls("chat.postMessage")[1]["channel"], "D1");
    assert_eq!(
        double.calls("conversations.open").len(),
        1,
        "the conversation is remembered"
    );
}
