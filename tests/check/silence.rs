//! A Slack that says nothing, or too late; and what programs read.

use std::time::Instant;

use jitbot::sandbox::people::{Change, FaultKind};
use serde_json::Value;

use super::support::office::Office;

#[expect(
    clippy::disallowed_methods,
    reason = "it measures how long a person waits for another process"
)]
#[tokio::test]
async fn a_slow_slack_is_told_within_ten_seconds_by_a_code_of_its_own() {
    let mut office = Office::open().await;
    // More people than are asked for at once.
    let many: Vec<String> = (10..40)
        .map(|n| format!("\"slack:T0SHOP/U0X{n}\""))
        .collect();
    let oncall = "[group.oncall]\nmembers = [";
    office.replace(oncall, &format!("{oncall}{}, ", many.join(", ")));
    for (method, says) in [
        (
            "auth.test",
            "auth.test: no answer from Slack within 4 s at http://127.0.0.1",
        ),
        (
            "users.info",
            "users.info: no answer from Slack within 4 s. What depends on it was not checked.",
        ),
    ] {
        let slow = FaultKind::Delay(20_000);
        office.people.fault(method, 50, slow).await.unwrap();
        let started = Instant::now();
        let said = office.check(&[]).await;
        assert!(started.elapsed().as_secs() < 10, "{:?}", started.elapsed());
        assert_eq!(said.code, 3, "{}", said.text);
        said.has(&format!("  not asked: {says}"));
        said.has("0 problems, 0 warnings; not everything could be asked");
        office.people.clear_faults().await.unwrap();
    }
}

#[tokio::test]
async fn a_slack_that_is_not_there_or_wants_to_be_left_alone() {
    let mut office = Office::open().await;
    let wait = FaultKind::RateLimited { retry_after_s: 30 };
    office
        .people
        .fault("conversations.list", 2, wait)
        .await
        .unwrap();
    let said = office.check(&[]).await;
    assert_eq!(said.code, 3, "{}", said.text);
    said.has("not asked: conversations.list: Slack asks to wait 30 s.");
    // Which channels there are is not known, so none is said to be missing.
    assert!(!said.text.contains("matches no channel"), "{}", said.text);

    let base = office.config.clone();
    let url = base.lines().find(|line| line.contains("api_url")).unwrap();
    office.replace(url, "api_url = \"http://127.0.0.1:9/api\"");
    let said = office.check(&[]).await;
    assert_eq!(said.code, 3, "{}", said.text);
    said.has("not asked: auth.test: Slack can't be reached at http://127.0.0.1:9/api/. Nothing that needs Slack was checked. Try again, or check the rest with --offline.");
    // What else is wrong is said beside it, and counts more.
    office.replace("target/jitbot.krl", "nowhere/jitbot.krl");
    let said = office.check(&[]).await;
    assert_eq!(said.code, 1, "{}", said.text);
    said.has("not asked: ");
    said.has("issuer.staging-ca.krl: ");

    // Offline nobody is asked.
    let said = office.check(&["--offline"]).await;
    assert_eq!(said.code, 0, "{}", said.text);
}

#[tokio::test]
async fn programs_read_the_same() {
    let mut office = Office::open().await;
    office.people.deactivate("U0OLGA").await.unwrap();
    office.replace("slack:#security", "slack:#securty");
    let said = office.check(&["--format", "json"]).await;
    assert_eq!(said.code, 1);
    let json: Value = serde_json::from_str(&said.text).unwrap();
    assert_eq!(json["exit"], 1);
    assert_eq!(json["offline"], false);
    assert_eq!(json["policy"].as_str().unwrap().len(), 64);
    let line = office.line("slack:#securty");
    let findings = json["findings"].as_array().unwrap();
    assert_eq!(
        findings[0],
        serde_json::json!({
            "area": "slack", "severity": "problem", "file": "jitbot.toml", "line": line,
            "key": "security.channels[0]",
            "what": "the channel `slack:#securty` matches no channel that the bot can see",
            "hint": "Check its spelling; into a private channel the bot must be invited first.",
        })
    );
    assert_eq!(findings[1]["severity"], "warning");
    assert_eq!(json["not_asked"], serde_json::json!([]));

    office.config.clear();
    let said = office.check(&["--format", "json", "--offline"]).await;
    let json: Value = serde_json::from_str(&said.text).unwrap();
    assert_eq!((said.code, json["policy"].clone()), (1, Value::Null));
}

/// Made at run time, so that nobody takes it for a token that was given away.
fn token_of(app: &str) -> String {
    format!("xapp-1-{app}-{:x}", rand::random::<u64>())
}

#[tokio::test]
async fn an_app_token_of_another_app_is_found_without_opening_a_socket() {
    let mut office = Office::open().await;
    let (token, app_id) = (token_of("A0OTHERAPP"), "A0OTHERAPP".to_owned());
    let other = Change::IssueTokenOfOtherApp {
        token: token.clone(),
        app_id,
    };
    office.people.change(other).await.unwrap();
    office.tokens.1 = token;
    let said = office.check(&[]).await;
    assert_eq!(said.code, 1, "{}", said.text);
    said.has("slack.app_token: this token is of Slack app A0OTHERAPP, and the bot token of A0SANDBOX. Take both from the page of one app.");
    assert_eq!(office.people.sockets().await.unwrap(), 0);
    let slow = FaultKind::Delay(20_000);
    office.people.fault("bots.info", 1, slow).await.unwrap();
    let said = office.check(&[]).await;
    assert_eq!(said.code, 3, "{}", said.text);
    said.has("not asked: bots.info: no answer from Slack");
}
