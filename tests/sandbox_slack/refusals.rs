//! Tokens, bodies, scopes, pace: what is refused before a method is reached.

use serde_json::json;

use crate::rows::to_channel;
use crate::support::{MANIFEST, Stage, section, world};

#[tokio::test]
async fn tokens_and_methods() {
    let stage = Stage::start().await;
    let (bot, app) = (stage.bot_token.clone(), stage.app_token.clone());
    let rows: [(Option<&str>, &str, Option<&str>); 9] = [
        (Some(&bot), "auth.test", None),
        (None, "auth.test", Some("not_authed")),
        (Some("xoxb-made-up"), "auth.test", Some("invalid_auth")),
        (Some(&app), "auth.test", Some("not_allowed_token_type")),
        (Some(&app), "apps.connections.open", None),
        (
            Some(&bot),
            "apps.connections.open",
            Some("not_allowed_token_type"),
        ),
        (None, "apps.connections.open", Some("not_authed")),
        (
            Some("xapp-made-up"),
            "apps.connections.open",
            Some("invalid_auth"),
        ),
        (Some(&bot), "chat.shout", Some("unknown_method")),
    ];
    for (token, method, error) in rows {
        let heard = stage.api_as(token, method, json!({})).await;
        assert_eq!(heard.error(), error, "{method}");
    }
    let log = stage.people.calls().await.expect("the log");
    assert_eq!(log.len(), rows.len());
    let text = serde_json::to_string(&log).expect("plain data");
    assert!(
        !text.contains(&bot) && !text.contains(&app),
        "no token in the log"
    );
}

#[tokio::test]
async fn bodies_may_be_json_or_forms_and_nothing_else() {
    let stage = Stage::start().await;
    let url = format!("{}/chat.postMessage", stage.running.api_url());
    let token = Some(stage.bot_token.as_str());
    let form = "application/x-www-form-urlencoded";
    let blocks =
        url::form_urlencoded::byte_serialize(json!([section("hi")]).to_string().as_bytes())
            .collect::<String>();
    let rows = [
        (
            "application/json",
            "{\"channel\":".to_owned(),
            Some("invalid_json"),
        ),
        ("application/json", "[]".to_owned(), Some("json_not_object")),
        ("text/plain", "hi".to_owned(), Some("invalid_post_type")),
        (
            form,
            format!("channel=C0APPROVE&text=hi&blocks={blocks}"),
            None,
        ),
        (
            form,
            "channel=C0APPROVE&text=hi&blocks=%5B".to_owned(),
            Some("invalid_blocks_format"),
        ),
    ];
    for (kind, body, error) in rows {
        let heard = stage
            .send(&url, token, kind, body.clone())
            .await
            .expect("an answer");
        assert_eq!(heard.error(), error, "{kind} {body}");
    }
    let by_form = format!("token={}", stage.bot_token);
    let url = format!("{}/auth.test", stage.running.api_url());
    let heard = stage
        .send(&url, None, form, by_form)
        .await
        .expect("an answer");
    assert_eq!(heard.body["bot_id"], "B0BOT");
}

#[tokio::test]
async fn every_scope_is_missed() {
    let bare = MANIFEST
        .replace("chat:write, commands, im:write, channels:history, groups:history, im:history, channels:read,", "commands, channels:history,")
        .replace("groups:read, im:read, users:read, usergroups:read", "groups:read")
        .replace(
            "app_home_opened, member_joined_channel, channel_archive, message.im",
            "app_home_opened",
        );
    let stage = Stage::with(world(), &bare).await;
    let rows = [
        (
            "chat.postMessage",
            to_channel(json!({ "text": "hi" })),
            "chat:write",
        ),
        (
            "chat.update",
            to_channel(json!({ "text": "hi", "ts": "1" })),
            "chat:write",
        ),
        (
            "chat.delete",
            to_channel(json!({ "ts": "1" })),
            "chat:write",
        ),
        (
            "chat.postEphemeral",
            to_channel(json!({ "text": "hi", "user": "U0ALICE" })),
            "chat:write",
        ),
        (
            "conversations.open",
            json!({ "users": "U0ALICE" }),
            "channels:write,groups:write,mpim:write,im:write",
        ),
        (
            "conversations.info",
            json!({ "channel": "C0APPROVE" }),
            "channels:read",
        ),
        (
            "conversations.members",
            json!({ "channel": "C0APPROVE" }),
            "channels:read",
        ),
        ("conversations.list", json!({}), "channels:read"),
        ("users.conversations", json!({}), "channels:read"),
        (
            "conversations.history",
            json!({ "channel": "C0SECRET" }),
            "groups:history",
        ),
        (
            "conversations.replies",
            json!({ "channel": "C0SECRET", "ts": "1" }),
            "groups:history",
        ),
        ("users.info", json!({ "user": "U0ALICE" }), "users:read"),
        ("users.list", json!({}), "users:read"),
        ("usergroups.list", json!({}), "usergroups:read"),
        (
            "usergroups.users.list",
            json!({ "usergroup": "S0SRE" }),
            "usergroups:read",
        ),
    ];
    for (method, args, needed) in rows {
        let heard = stage.api(method, args).await;
        assert_eq!(heard.error(), Some("missing_scope"), "{method}");
        assert_eq!(heard.body["needed"], needed, "{method}");
        assert_eq!(
            heard.body["provided"], "channels:history,commands,groups:read",
            "{method}"
        );
        assert_eq!(
            heard.headers["x-oauth-scopes"],
            "channels:history,commands,groups:read"
        );
    }
    let heard = stage
        .api("conversations.info", json!({ "channel": "C0SECRET" }))
        .await;
    assert_eq!(
        heard.error(),
        None,
        "groups:read is enough for a private channel"
    );
}

#[tokio::test]
async fn direct_messages_need_the_messages_tab() {
    let off = MANIFEST.replace("messages_tab_enabled: true", "messages_tab_enabled: false");
    let stage = Stage::with(world(), &off).await;
    let heard = stage
        .api(
            "chat.postMessage",
            json!({ "channel": "U0ALICE", "text": "hi" }),
        )
        .await;
    assert_eq!(heard.error(), Some("messages_tab_disabled"));
}

#[tokio::test]
async fn a_channel_takes_a_burst_and_then_one_a_second() {
    let stage = Stage::with(world().pace(3, 1.0), MANIFEST).await;
    for _ in 0..3 {
        stage.post("C0APPROVE", "hi").await;
    }
    let post = |channel: &'static str| {
        stage.api(
            "chat.postMessage",
            json!({ "channel": channel, "text": "hi" }),
        )
    };
    let heard = post("C0APPROVE").await;
    assert_eq!((heard.status, heard.error()), (429, Some("ratelimited")));
    assert_eq!(heard.headers["retry-after"], "1");
    assert_eq!(
        post("C0SECRET").await.error(),
        None,
        "another channel has its own pace"
    );
    stage
        .people
        .advance_clock(std::time::Duration::from_secs(1))
        .await
        .expect("time goes on");
    assert_eq!(post("C0APPROVE").await.error(), None);
}
