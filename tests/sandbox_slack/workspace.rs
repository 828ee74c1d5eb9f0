//! What is kept and who sees it: updates, threads, history, metadata, mentions, and change by other hands.

#![expect(
    clippy::disallowed_methods,
    reason = "what appears while somebody waits has to appear later"
)]

use std::time::Duration;

use jitbot::sandbox::people::{Change, MentionTarget, PeopleError, Place};
use serde_json::{Value, json};

use crate::support::{Stage, actions, button, section, text};

#[tokio::test]
async fn what_an_update_keeps_and_takes_away() {
    let stage = Stage::start().await;
    let metadata = json!({ "event_type": "card", "event_payload": { "id": "r1" } });
    let blocks = json!([
        section("asks"),
        actions(json!([button("yes", "Approve", "r1")]))
    ]);
    let args =
        json!({ "channel": "C0APPROVE", "text": "asks", "blocks": blocks, "metadata": metadata });
    let ts = stage.api("chat.postMessage", args).await.body["ts"].clone();
    let update = |more: Value| {
        let mut args = json!({ "channel": "C0APPROVE", "ts": ts });
        args.as_object_mut()
            .expect("an object")
            .extend(more.as_object().expect("an object").clone());
        stage.api("chat.update", args)
    };
    let card = async || {
        stage
            .people
            .messages("alice", "approvals")
            .await
            .expect("she sees")
            .remove(0)
    };

    update(json!({ "blocks": [section("asked")] })).await;
    let seen = card().await;
    assert_eq!(
        (seen.visible_text.as_str(), seen.text.as_str()),
        ("asked", "asks"),
        "blocks alone keep the text"
    );
    assert_eq!(
        (seen.edited, seen.updates, &seen.metadata),
        (false, 1, &Some(metadata))
    );

    update(json!({ "text": "approved" })).await;
    let seen = card().await;
    assert_eq!(
        (seen.visible_text.as_str(), seen.blocks.len()),
        ("approved", 0),
        "text alone takes the blocks away"
    );
    assert!(seen.edited && seen.metadata.is_some());

    update(json!({ "text": "ended", "blocks": [section("over")], "metadata": {} })).await;
    let seen = card().await;
    assert_eq!(
        (
            seen.visible_text.as_str(),
            seen.text.as_str(),
            seen.metadata
        ),
        ("over", "ended", None)
    );
}

#[tokio::test]
async fn history_and_threads() {
    let stage = Stage::start().await;
    let metadata = json!({ "event_type": "card", "event_payload": { "id": "r1" } });
    let args = json!({ "channel": "C0APPROVE", "text": "card", "metadata": metadata });
    let card = stage.api("chat.postMessage", args).await.body["ts"].clone();
    let reply = |text: &str| json!({ "channel": "C0APPROVE", "text": text, "thread_ts": card });
    let first = stage.api("chat.postMessage", reply("first")).await.body["ts"].clone();
    let mut second = reply("second");
    second["thread_ts"] = first;
    second["reply_broadcast"] = json!(true);
    stage.api("chat.postMessage", second).await;
    stage
        .api(
            "chat.postEphemeral",
            json!({ "channel": "C0APPROVE", "user": "U0ALICE", "text": "psst" }),
        )
        .await;
    stage
        .people
        .say("bob", "approvals", "thanks")
        .await
        .expect("said");

    let history = async |more: Value| {
        let mut args = json!({ "channel": "C0APPROVE" });
        args.as_object_mut()
            .expect("an object")
            .extend(more.as_object().expect("an object").clone());
        stage.api("conversations.history", args).await.body
    };
    let texts = |body: &Value| -> Vec<String> {
        let list = body["messages"].as_array().expect("a list");
        list.iter()
            .map(|message| message["text"].as_str().unwrap_or_default().to_owned())
            .collect()
    };
    let all = history(json!({})).await;
    assert_eq!(
        texts(&all),
        ["thanks", "second", "card"],
        "newest first, replies only if sent to the channel"
    );
    assert!(all["messages"][2].get("metadata").is_none());
    assert_eq!(
        (
            &all["messages"][2]["reply_count"],
            &all["messages"][0]["user"]
        ),
        (&json!(2), &json!("U0BOB"))
    );
    let with = history(json!({ "include_all_metadata": true })).await;
    assert_eq!(with["messages"][2]["metadata"]["event_payload"]["id"], "r1");
    assert_eq!(
        texts(&history(json!({ "oldest": card })).await),
        ["thanks", "second"]
    );
    assert_eq!(
        texts(&history(json!({ "oldest": card, "latest": card, "inclusive": true })).await),
        ["card"]
    );
    let page = history(json!({ "limit": 2 })).await;
    assert_eq!((texts(&page).len(), &page["has_more"]), (2, &json!(true)));
    let rest = history(json!({ "cursor": page["response_metadata"]["next_cursor"] })).await;
    assert_eq!(
        (texts(&rest), &rest["has_more"]),
        (vec!["card".to_owned()], &json!(false))
    );
    let replies = stage
        .api(
            "conversations.replies",
            json!({ "channel": "C0APPROVE", "ts": card }),
        )
        .await
        .body;
    assert_eq!(texts(&replies), ["card", "first", "second"]);

    let seen = stage
        .people
        .messages("alice", "approvals")
        .await
        .expect("she sees");
    assert_eq!(
        seen.iter()
            .map(|one| one.visible_text.as_str())
            .collect::<Vec<_>>(),
        ["card", "psst", "thanks"]
    );
    assert_eq!(seen[0].replies.len(), 2);
    let found = stage
        .people
        .wait_for("alice", "approvals", "first", Duration::ZERO)
        .await
        .expect("a reply");
    assert_eq!(found.thread_ts.as_deref(), card.as_str());
}

#[tokio::test]
async fn who_is_pinged() {
    let stage = Stage::start().await;
    let post = |text: &str, more: Value| {
        let mut args = json!({ "channel": "C0APPROVE", "text": text });
        args.as_object_mut()
            .expect("an object")
            .extend(more.as_object().expect("an object").clone());
        stage.api("chat.postMessage", args)
    };
    post(
        "&lt;!channel&gt; @here @alice <https://example.com|@channel>",
        json!({}),
    )
    .await;
    let plain = json!({ "type": "section", "text": text("plain_text", "<!channel> <@U0BOB>") });
    post(
        "quiet",
        json!({ "blocks": [plain, { "type": "header", "text": text("plain_text", "<!here>") }] }),
    )
    .await;
    assert!(
        stage.people.pinged().await.expect("pings").is_empty(),
        "typed text and plain text ping nobody"
    );

    let ts = post(
        "<@U0ALICE>",
        json!({ "blocks": [section("<!here> <!subteam^S0SRE>")] }),
    )
    .await
    .body["ts"]
        .clone();
    post("@bob", json!({ "link_names": true })).await;
    stage
        .api(
            "chat.update",
            json!({ "channel": "C0APPROVE", "ts": ts, "text": "<!everyone>" }),
        )
        .await;
    let pinged: Vec<MentionTarget> = stage
        .people
        .pinged()
        .await
        .expect("pings")
        .into_iter()
        .map(|mention| mention.target)
        .collect();
    let user = |id: &str| MentionTarget::User(id.into());
    assert_eq!(
        pinged,
        [
            user("U0ALICE"),
            MentionTarget::Here,
            MentionTarget::Group("S0SRE".into()),
            user("U0BOB")
        ]
    );
    let all = stage.people.mentions().await.expect("mentions");
    assert!(all.iter().any(|one| one.target == MentionTarget::Everyone
        && !one.notified
        && one.method == "chat.update"));
}

#[tokio::test]
async fn people_see_what_is_theirs_in_their_own_time() {
    let stage = Stage::start().await;
    stage
        .api(
            "chat.postMessage",
            json!({ "channel": "U0ALICE", "text": "for you" }),
        )
        .await;
    assert_eq!(
        stage.people.direct_messages("alice").await.expect("hers")[0].visible_text,
        "for you"
    );
    assert!(
        stage
            .people
            .direct_messages("bob")
            .await
            .expect("his")
            .is_empty()
    );
    stage
        .post(
            "C0APPROVE",
            "until <!date^1767225600^{date_num} {time}|midnight>",
        )
        .await;
    for (user, read) in [
        ("alice", "until 2026-01-01 12:00 AM"),
        ("bob", "until 2026-01-01 1:00 AM"),
    ] {
        let seen = stage
            .people
            .wait_for(user, "approvals", "until", Duration::ZERO)
            .await
            .expect("there");
        assert_eq!(seen.visible_text, read);
    }
    assert!(
        stage.people.messages("bob", "secret").await.is_err(),
        "private"
    );
    assert!(
        stage.people.messages("carol", "approvals").await.is_ok(),
        "public"
    );
}

#[tokio::test]
async fn waiting_ends_with_the_message_or_with_what_stood_there() {
    let stage = Stage::start().await;
    stage.post("C0APPROVE", "something else").await;
    let waited = stage
        .people
        .wait_for("alice", "approvals", "the card", Duration::from_millis(30))
        .await;
    match waited {
        Err(PeopleError::NotSeen { instead, .. }) => assert_eq!(instead, ["something else"]),
        other => panic!("nothing was there: {other:?}"),
    }
    let people = stage.people.clone();
    let waiting = tokio::spawn(async move {
        people
            .wait_for("alice", "approvals", "the card", Duration::from_secs(10))
            .await
    });
    tokio::time::sleep(Duration::from_millis(20)).await;
    let ts = stage.post("C0APPROVE", "the card").await;
    assert_eq!(waiting.await.expect("no panic").expect("seen").ts, ts);
}

#[tokio::test]
async fn the_workspace_changes_under_the_bot() {
    let stage = Stage::start().await;
    let post = |channel: &'static str| {
        stage.api(
            "chat.postMessage",
            json!({ "channel": channel, "text": "hi" }),
        )
    };
    stage.people.remove_bot("approvals").await.expect("out");
    assert_eq!(post("C0APPROVE").await.error(), Some("not_in_channel"));
    stage
        .people
        .change(Change::AddBot("approvals".into()))
        .await
        .expect("in");
    assert_eq!(post("C0APPROVE").await.error(), None);
    stage
        .people
        .rename_channel("approvals", "yes-and-no")
        .await
        .expect("renamed");
    assert_eq!(post("#approvals").await.error(), Some("channel_not_found"));
    assert_eq!(post("#yes-and-no").await.error(), None);
    stage.people.archive("yes-and-no").await.expect("archived");
    assert_eq!(post("C0APPROVE").await.error(), Some("is_archived"));
    stage
        .people
        .change(Change::Unarchive("yes-and-no".into()))
        .await
        .expect("back");
    assert_eq!(post("C0APPROVE").await.error(), None);

    stage.people.deactivate("bob").await.expect("gone");
    let bob = stage
        .api("users.info", json!({ "user": "U0BOB" }))
        .await
        .body;
    assert_eq!(bob["user"]["deleted"], true);
    let sre = stage
        .api("usergroups.users.list", json!({ "usergroup": "S0SRE" }))
        .await
        .body;
    assert_eq!(sre["users"], json!([]));
    let members = stage
        .api("conversations.members", json!({ "channel": "C0APPROVE" }))
        .await
        .body;
    assert_eq!(members["members"], json!(["U0ALICE", "U0BOTUSER"]));
    let group = Change::GroupMembers {
        group: "sre".into(),
        users: vec!["carol".into()],
    };
    stage.people.change(group).await.expect("changed");
    let sre = stage
        .api("usergroups.users.list", json!({ "usergroup": "S0SRE" }))
        .await
        .body;
    assert_eq!(sre["users"], json!(["U0CAROL"]));
    assert!(stage.people.archive("nowhere").await.is_err());
    assert!(
        stage
            .people
            .say("bob", Place::Direct, "still here?")
            .await
            .is_err()
    );
}
