//! Staged trouble.

use jitbot::sandbox::people::FaultKind;
use serde_json::json;

use crate::support::Stage;

#[tokio::test]
async fn each_fault_does_what_it_says_and_no_more_often() {
    let stage = Stage::start().await;
    let url = format!("{}/chat.postMessage", stage.running.api_url());
    // (the fault, status of the answer or none, whether the message stands there)
    let rows = [
        (FaultKind::Status(503), Some(503), false),
        (FaultKind::StatusAfterEffect(503), Some(503), true),
        (FaultKind::DropAfterEffect, None, true),
        (FaultKind::Drop, None, false),
        (
            FaultKind::RateLimited { retry_after_s: 7 },
            Some(429),
            false,
        ),
        (
            FaultKind::SlackError("fatal_error".into()),
            Some(200),
            false,
        ),
        (FaultKind::Delay(50), Some(200), true),
    ];
    for (fault, status, effect) in rows {
        let text = format!("during {fault:?}");
        stage
            .people
            .fault("chat.postMessage", 1, fault.clone())
            .await
            .expect("staged");
        let body = json!({ "channel": "C0APPROVE", "text": text }).to_string();
        let heard = stage
            .send(&url, Some(&stage.bot_token), "application/json", body)
            .await;
        assert_eq!(
            heard.as_ref().map(|heard| heard.status),
            status,
            "{fault:?}"
        );
        if let FaultKind::RateLimited { .. } = fault {
            assert_eq!(heard.expect("an answer").headers["retry-after"], "7");
        }
        let seen = stage
            .people
            .messages("alice", "approvals")
            .await
            .expect("she can see it");
        let times = seen.iter().filter(|message| message.text == text).count();
        assert_eq!(times, usize::from(effect), "{fault:?}");
        let last = stage
            .people
            .calls()
            .await
            .expect("the log")
            .pop()
            .expect("a call");
        assert_eq!(last.fault, Some(fault));
        stage.post("C0APPROVE", "afterwards all is well").await;
    }
}

#[tokio::test]
async fn faults_count_calls_and_name_methods() {
    let stage = Stage::start().await;
    stage
        .people
        .fault("users.info", 2, FaultKind::Status(500))
        .await
        .expect("staged");
    stage
        .people
        .fault("*", 1, FaultKind::SlackError("internal_error".into()))
        .await
        .expect("staged");
    let post = stage
        .api(
            "chat.postMessage",
            json!({ "channel": "C0APPROVE", "text": "hi" }),
        )
        .await;
    assert_eq!(
        post.error(),
        Some("internal_error"),
        "any method takes the star"
    );
    assert_eq!(
        stage
            .api("users.info", json!({ "user": "U0ALICE" }))
            .await
            .status,
        500
    );
    assert_eq!(stage.people.clear_faults().await.expect("cleared"), 1);
    assert_eq!(
        stage
            .api("users.info", json!({ "user": "U0ALICE" }))
            .await
            .status,
        200
    );
}
