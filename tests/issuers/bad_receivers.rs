//! Receivers that hang, flood, lie, redirect and break off, and addresses that may not be called.

use std::net::TcpListener;
use std::time::Duration;

use jitbot::issuer::contract::Webhook;
use jitbot::issuer::{IssueError, Issuer as _};
use jitbot::web_call::trust::CaFile;

use super::receiver::{Canned, Does, http, issuer, webhook_at};
use super::subject::{clock, order, unknown};

const OK: &str = r#"{"outcome":"ok"}"#;

#[tokio::test]
async fn what_is_no_answer_is_an_unknown_outcome() {
    let permanent = r#"{"outcome":"permanent","message":"no"}"#;
    let head = |status: &str, length: usize| {
        format!("HTTP/1.1 {status}\r\ncontent-length: {length}\r\n\r\n")
    };
    let rows = [
        (
            http("302 Found", "location: http://127.0.0.1:1/\r\n", OK),
            "answers 302, a redirect; none is followed",
        ),
        (
            http("404 Not Found", "", "gone"),
            "the receiver answers 404",
        ),
        (
            http("400 Bad", "", OK),
            "answers 400 and ok; nobody knows which it means",
        ),
        (http("500 Oops", "", permanent), "the receiver answers 500"),
        (http("503 Busy", "", ""), "the receiver answers 503"),
        (
            http("204 No Content", "", ""),
            "the answer to issue is empty",
        ),
        (http("200 OK", "", "<html>"), "is not one JSON object"),
        (http("200 OK", "", "{\"outcome\":"), "breaks off"),
        (
            Does::Says(head("200 OK", 500).into_bytes()),
            "the answer broke off",
        ),
        (
            Does::Floods(b"HTTP/1.1 200 OK\r\n\r\n".to_vec()),
            "longer than 65536 bytes",
        ),
        (
            Does::Floods(b"HTTP/1.1 200 OK\r\nx: ".to_vec()),
            "before an answer came",
        ),
        (
            Does::Says(b"SSH-2.0-other\r\n".to_vec()),
            "before an answer came",
        ),
        (Does::HangsUp, "before an answer came"),
        (Does::Hangs, "no answer within 1.5 s"),
    ];
    let each = rows.map(|(does, expected)| async move {
        let shown = format!("{does:?}");
        let canned = Canned::start(does).await;
        let said = unknown(canned.issuer().issue(&order(1)).await);
        assert!(said.contains(expected), "{shown}: {said}");
        // Never more than once by itself: trying again is the engine's.
        assert_eq!(canned.requests.lock().unwrap().len(), 1, "{shown}");
    });
    futures_util::future::join_all(each).await;
}

#[tokio::test]
async fn a_refusal_for_good_needs_the_contract_s_own_words() {
    let canned = Canned::start(http(
        "422 Unprocessable",
        "",
        r#"{"outcome":"permanent","message":"no such group"}"#,
    ))
    .await;
    assert_eq!(
        canned.issuer().issue(&order(1)).await,
        Err(IssueError::Permanent {
            said: "the target refuses for good: no such group".to_owned()
        })
    );
}

#[tokio::test]
async fn a_receiver_that_asks_to_wait_is_called_again() {
    for status in ["429 Too Many", "503 Busy"] {
        let canned = Canned::start(http(status, "Retry-After: 17\r\n", "")).await;
        let answer = canned.issuer().issue(&order(1)).await;
        assert!(
            matches!(
                answer,
                Err(IssueError::Retry {
                    after_s: Some(17),
                    ..
                })
            ),
            "{answer:?}"
        );
    }
}

#[tokio::test]
async fn nothing_was_sent_where_nobody_listens() {
    let free = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let answer = issuer(webhook_at(&format!("http://{free}/")))
        .issue(&order(1))
        .await;
    assert!(
        matches!(answer, Err(IssueError::Retry { .. })),
        "{answer:?}"
    );
}

/// The address that is connected to is judged, not the name.
#[tokio::test]
async fn private_addresses_are_called_only_where_that_is_allowed() {
    let canned = Canned::start(http("200 OK", "", OK)).await;
    let port = canned.address.port();
    for host in ["127.0.0.1", "localhost", "[::ffff:127.0.0.1]"] {
        let mut settings = webhook_at(&format!("https://{host}:{port}/"));
        settings.allow_private = false;
        let Err(IssueError::Retry { said, .. }) = issuer(settings).issue(&order(1)).await else {
            panic!("{host} was called");
        };
        assert!(said.contains("an address of a private network"), "{said}");
    }
    // Plain HTTP goes to this machine alone, whatever is allowed.
    let mut settings = webhook_at("http://192.0.2.1/");
    settings.time_limit = Duration::from_secs(3);
    let Err(IssueError::Retry { said, .. }) = issuer(settings).issue(&order(1)).await else {
        panic!("it was called");
    };
    assert!(said.contains("is another machine"), "{said}");
    assert_eq!(canned.requests.lock().unwrap().len(), 0);
}

#[test]
fn what_can_t_be_used_is_said_before_anything_is_called() {
    let refused = |settings| match Webhook::new(settings, clock()) {
        Ok(_) => panic!("it was taken"),
        Err(why) => why,
    };
    let mut settings = webhook_at("https://access.example.org/");
    settings.secrets = vec!["whsec_short".into()];
    let why = refused(settings);
    assert!(
        why.starts_with("a secret is no secret of a Standard Webhook"),
        "{why}"
    );
    assert!(!why.contains("whsec_short"), "{why}");
    let missing = CaFile::read("/nonexistent/ca.pem".as_ref()).unwrap_err();
    assert!(missing.contains("/nonexistent/ca.pem can't be read"));
    let file = tempfile::NamedTempFile::new().unwrap();
    let mut settings = webhook_at("https://access.example.org/");
    settings.ca_file = Some(CaFile::read(file.path()).unwrap());
    assert!(refused(settings).ends_with("holds no certificate"));
}
