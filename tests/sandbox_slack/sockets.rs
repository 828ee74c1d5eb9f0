//! Socket Mode's own rules: addresses, turns, endings, strange frames, redelivery.

use std::time::Duration;

use jitbot::sandbox::people::{Change, Disconnect, Place};
use serde_json::{Value, json};

use crate::support::{MANIFEST, Socket, Stage, world};

#[tokio::test]
async fn an_address_works_once_and_not_for_long() {
    let stage = Stage::start().await;
    let url = stage.socket_url().await;
    let first = tokio_tungstenite::connect_async(&url).await;
    assert!(first.is_ok());
    assert!(
        tokio_tungstenite::connect_async(&url).await.is_err(),
        "a second use"
    );
    let old = stage.socket_url().await;
    stage
        .people
        .advance_clock(Duration::from_secs(31))
        .await
        .expect("time goes on");
    assert!(
        tokio_tungstenite::connect_async(&old).await.is_err(),
        "too late"
    );
}

#[tokio::test]
async fn the_eleventh_socket_is_turned_away() {
    let stage = Stage::start().await;
    let mut open = Vec::new();
    for _ in 0..10 {
        open.push(stage.socket().await);
    }
    let (stream, _) = tokio_tungstenite::connect_async(stage.socket_url().await)
        .await
        .expect("it connects");
    let mut eleventh = Socket::raw(stream);
    let frame = eleventh.next().await.expect("a word first");
    assert_eq!(
        (&frame["type"], &frame["reason"]),
        (&json!("disconnect"), &json!("too_many_websockets"))
    );
    assert_eq!(eleventh.next().await, None);
    assert_eq!(stage.people.sockets().await.expect("a count"), 10);
}

#[tokio::test]
async fn socket_mode_can_be_off() {
    let off = MANIFEST.replace("socket_mode_enabled: true", "socket_mode_enabled: false");
    let stage = Stage::with(world(), &off).await;
    let (stream, _) = tokio_tungstenite::connect_async(stage.socket_url().await)
        .await
        .expect("it connects");
    let mut socket = Socket::raw(stream);
    assert_eq!(
        socket.next().await.expect("a word")["reason"],
        "link_disabled"
    );
}

#[tokio::test]
async fn each_envelope_goes_to_one_socket_in_turn() {
    let stage = Stage::start().await;
    let (mut left, mut right) = (stage.socket().await, stage.socket().await);
    for (round, turn) in [true, false, true, false].into_iter().enumerate() {
        let typed = format!("/jit {round}");
        let command = stage.people.command("alice", "approvals", &typed);
        let (now, other) = if turn {
            (&mut left, &mut right)
        } else {
            (&mut right, &mut left)
        };
        let (answer, envelope) = tokio::join!(command, now.take(None));
        assert_eq!(envelope["payload"]["text"], round.to_string());
        assert!(answer.expect("typed").acked);
        assert_eq!(
            other.hears_within(Duration::from_millis(20)).await,
            None,
            "round {round}"
        );
    }
}

#[tokio::test]
async fn events_come_again_until_they_are_acknowledged() {
    let stage = Stage::start().await;
    let mut socket = stage.socket().await;
    let join = Change::Join {
        channel: "approvals".into(),
        user: "carol".into(),
    };
    stage.people.change(join).await.expect("she joins");
    let first = socket.next().await.expect("the event");
    assert_eq!(
        (&first["type"], &first["retry_attempt"]),
        (&json!("events_api"), &json!(0))
    );
    let event = &first["payload"]["event"];
    assert_eq!(
        (&event["type"], &event["user"]),
        (&json!("member_joined_channel"), &json!("U0CAROL"))
    );
    for attempt in 1..=3 {
        let wait = Duration::from_millis(30);
        assert_eq!(socket.hears_within(wait).await, None, "attempt {attempt}");
        let again = as_time_goes_on(&stage, &mut socket).await;
        assert_eq!(again["retry_attempt"], attempt);
        assert_eq!(again["retry_reason"], "timeout");
        assert_eq!(again["payload"]["event_id"], first["payload"]["event_id"]);
        assert_ne!(again["envelope_id"], first["envelope_id"]);
    }
    stage
        .people
        .advance_clock(Duration::from_secs(3600))
        .await
        .expect("time goes on");
    let wait = Duration::from_millis(50);
    assert_eq!(
        socket.hears_within(wait).await,
        None,
        "three retries are all"
    );

    // At once, after a minute, after five: each after the three seconds of the acknowledgement.
    let sent: Vec<u64> = stage
        .people
        .log()
        .await
        .expect("the log")
        .envelopes
        .iter()
        .map(|one| one.at_ms)
        .collect();
    assert_eq!(sent.len(), 4);
    for (pair, least_ms) in sent.windows(2).zip([3_000, 63_000, 303_000]) {
        assert!(pair[1] - pair[0] >= least_ms, "{sent:?}");
    }
}

/// Lets the sandbox's clock run in steps until a frame comes, as the waits follow one another.
async fn as_time_goes_on(stage: &Stage, socket: &mut Socket) -> Value {
    for _ in 0..3_000 {
        stage
            .people
            .advance_clock(Duration::from_secs(1))
            .await
            .expect("time goes on");
        if let Some(frame) = socket.hears_within(Duration::from_millis(2)).await {
            return frame;
        }
    }
    panic!("no frame came in fifty minutes of the sandbox's time");
}

#[tokio::test]
async fn events_that_nobody_subscribed_to_do_not_come() {
    let stage = Stage::start().await;
    let mut socket = stage.socket().await;
    stage
        .people
        .rename_channel("approvals", "yes-and-no")
        .await
        .expect("renamed");
    stage
        .people
        .say("alice", "yes-and-no", "hello")
        .await
        .expect("said");
    assert_eq!(socket.hears_within(Duration::from_millis(50)).await, None);
    stage
        .people
        .say("alice", Place::Direct, "hello bot")
        .await
        .expect("said");
    let envelope = socket.take(None).await;
    assert_eq!(envelope["payload"]["event"]["channel_type"], "im");
    stage.people.archive("yes-and-no").await.expect("archived");
    assert_eq!(
        socket.take(None).await["payload"]["event"]["type"],
        "channel_archive"
    );
}

#[tokio::test]
async fn sockets_end_with_a_word_or_without() {
    let stage = Stage::start().await;
    let mut warned = stage.socket().await;
    assert_eq!(
        stage
            .people
            .disconnect_sockets(Disconnect::Warning)
            .await
            .expect("warned"),
        1
    );
    assert_eq!(warned.next().await.expect("a word")["reason"], "warning");
    let (answer, _) = tokio::join!(
        stage.people.command("alice", "approvals", "/jit x"),
        warned.take(None)
    );
    assert!(
        answer.expect("typed").acked,
        "a warned socket still takes envelopes"
    );

    let mut refreshed = stage.socket().await;
    assert_eq!(
        stage
            .people
            .disconnect_sockets(Disconnect::RefreshRequested)
            .await
            .expect("asked"),
        2
    );
    assert_eq!(
        refreshed.next().await.expect("a word")["reason"],
        "refresh_requested"
    );
    assert_eq!(stage.people.sockets().await.expect("a count"), 0);

    let mut cut = stage.socket().await;
    assert_eq!(
        stage
            .people
            .disconnect_sockets(Disconnect::Abrupt)
            .await
            .expect("cut"),
        1
    );
    assert_eq!(cut.next().await, None);
    let lost = stage
        .people
        .command("alice", "approvals", "/jit x")
        .await
        .expect("typed");
    assert_eq!(lost.failed.as_deref(), Some("dispatch_failed"));
}

#[tokio::test]
async fn strange_frames_are_noted() {
    let stage = Stage::start().await;
    let mut socket = stage.socket().await;
    for frame in ["not json", "{\"envelope_id\":\"made-up\"}", "{}"] {
        socket.send(frame).await;
    }
    let (answer, _) = tokio::join!(
        stage.people.command("alice", "approvals", "/jit x"),
        socket.take(None)
    );
    assert!(answer.expect("typed").acked);
    assert_eq!(
        stage
            .people
            .log()
            .await
            .expect("the log")
            .strange_frames
            .len(),
        3
    );
}

#[tokio::test]
async fn anything_can_be_sent_and_sent_again() {
    let stage = Stage::start().await;
    let mut socket = stage.socket().await;
    let odd = json!({ "envelope_id": "e1", "type": "events_api", "payload": { "event": 3 } });
    let (answer, heard) = tokio::join!(stage.people.send_raw_envelope(&odd), socket.take(None));
    assert_eq!(heard, odd);
    assert!(answer.expect("sent").acked);
    let answer = stage
        .people
        .send_raw_frame("{\"type\":")
        .await
        .expect("sent");
    assert!(answer.delivered && !answer.acked);
    assert_eq!(socket.next().await, Some(json!("{\"type\":")));

    let (_, first) = tokio::join!(
        stage.people.command("alice", "approvals", "/jit x"),
        socket.take(None)
    );
    let (again, second) = tokio::join!(
        stage.people.redeliver_last("slash_commands"),
        socket.take(Some(json!({ "text": "?" })))
    );
    assert_eq!(first["payload"], second["payload"]);
    assert_eq!(again.expect("sent").payload, Some(json!({ "text": "?" })));
    assert!(
        stage.people.redeliver_last("interactive").await.is_err(),
        "none was sent yet"
    );
}

#[tokio::test]
async fn a_socket_of_another_app_greets_with_its_id_and_hears_nothing() {
    let stage = Stage::start().await;
    let token = format!("xapp-{:x}", rand::random::<u64>());
    let other = Change::IssueTokenOfOtherApp {
        token: token.clone(),
        app_id: "A0OTHER".to_owned(),
    };
    stage.people.change(other).await.expect("it is made");
    let opened = stage
        .api_as(Some(&token), "apps.connections.open", json!({}))
        .await;
    let url = opened.body["url"].as_str().expect("an address");
    let (stream, _) = tokio_tungstenite::connect_async(url)
        .await
        .expect("it connects");
    let mut socket = Socket::raw(stream);
    let hello = socket.next().await.expect("a greeting");
    assert_eq!(hello["connection_info"]["app_id"], "A0OTHER");
    assert_eq!(stage.people.sockets().await.expect("a count"), 0);

    let bot = json!({"bot": world().app.bot_id});
    let info = stage.api("bots.info", bot).await;
    assert_eq!(info.body["bot"]["app_id"], "A0SANDBOX");
    let none = stage.api("bots.info", json!({"bot": "B0NOBODY"})).await;
    assert_eq!(none.body["error"], "bot_not_found");
}
