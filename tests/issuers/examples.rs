//! The two shipped examples keep every rule of the kit.

use std::os::unix::fs::PermissionsExt as _;
use std::sync::Arc;

use jitbot::issuer::conformance::{Bench, RULES};
use jitbot::issuer::contract::Program;
use jitbot::issuer::contract::program::Variable;
use jitbot::issuer::{Issuer as _, PersonFacts};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::receiver::{Canned, Example, http, issuer as webhook, webhook_at};
use super::script::{Directory, example, issuer as command};
use super::subject::{clock, judged, order, subject};

/// Neither example makes secrets, so nothing is said of them.
#[tokio::test]
async fn the_script_of_twenty_lines_keeps_every_rule() {
    let directory = Arc::new(Directory::new());
    let issuer = Arc::new(command(directory.program()));
    let bench = Bench::new(issuer, subject("alice"), clock()).with_hand(directory.clone());
    let judged = judged(&bench).await;
    assert_eq!(
        (judged.held, &judged.broken),
        (RULES.len() - 1, &vec![]),
        "{judged:?}"
    );
    assert_eq!(bench.left_there(), Vec::<String>::new());
    let left = directory.files();
    assert!(left.iter().all(|name| !name.starts_with('g')), "{left:?}");
}

#[tokio::test]
async fn the_receiver_keeps_every_rule() {
    let example = Arc::new(Example::start().await);
    let issuer = Arc::new(webhook(webhook_at(&format!("http://{}/", example.address))));
    let bench = Bench::new(issuer, subject("alice"), clock()).with_hand(example);
    let judged = judged(&bench).await;
    assert_eq!(
        (judged.held, &judged.broken),
        (RULES.len() - 1, &vec![]),
        "{judged:?}"
    );
    assert_eq!(bench.left_there(), Vec::<String>::new());
}

/// What it does not know is not ours.
#[tokio::test]
async fn the_receiver_takes_nothing_that_is_not_signed_with_its_secret() {
    let example = Example::start().await;
    let mut settings = webhook_at(&format!("http://{}/", example.address));
    settings.secrets = vec![super::receiver::FORMER.into()];
    let answer = webhook(settings).issue(&order(1)).await;
    let said = super::subject::unknown(answer);
    assert_eq!(said, "the receiver answers 401");
    // While one secret replaces the other, both sign.
    let mut settings = webhook_at(&format!("http://{}/", example.address));
    settings.secrets.insert(0, super::receiver::FORMER.into());
    webhook(settings).issue(&order(1)).await.unwrap();
}

/// The example says what is wrong where it is not set up.
#[tokio::test]
async fn the_script_asks_to_be_called_again_where_its_directory_is_missing() {
    let program = Program {
        argv: vec![example("file-access")],
        environment: vec![(
            "ACCESS_DIR".to_owned(),
            Variable::Plain("/nonexistent/access".to_owned()),
        )],
        time_limit: std::time::Duration::from_secs(5),
    };
    let error = command(program).check().await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "the program asks to be called again: there is no directory /nonexistent/access"
    );
}

#[tokio::test]
async fn people_are_who_the_config_says() {
    let issuer = command(super::script::script("exit 1"));
    let alice = PersonFacts {
        name: jitbot::domain::ids::PersonName::new("alice").unwrap(),
        accounts: vec![],
        ssh_keys: vec![],
    };
    let account = issuer.resolve(&alice).await.unwrap();
    assert_eq!(account.id, "alice");
    assert_eq!(account.parameters["person"], "alice");
}

/// Only its own user's processes can be ended.
#[tokio::test]
async fn a_program_that_becomes_somebody_else_is_refused() {
    let room = tempfile::tempdir().unwrap();
    let path = room.path().join("program");
    std::fs::write(&path, "#!/bin/sh\necho '{\"outcome\":\"ok\"}'\n").unwrap();
    for (mode, is_fine) in [(0o755, true), (0o4755, false), (0o2755, false)] {
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
        let mut program = super::script::script("");
        program.argv = vec![path.display().to_string()];
        let checked = command(program).check().await;
        assert_eq!(checked.is_ok(), is_fine, "{mode:o}: {checked:?}");
        if let Err(error) = checked {
            assert!(
                error.to_string().contains("is set-uid or set-gid"),
                "{error}"
            );
        }
    }
}

/// What somebody caught on the way is not taken a second time.
#[tokio::test]
async fn the_receiver_takes_no_call_twice_and_no_length_that_is_none() {
    let example = Example::start().await;
    let canned = Canned::start(http("200 OK", "", r#"{"outcome":"ok"}"#)).await;
    canned.issuer().issue(&order(1)).await.unwrap();
    let caught = canned.requests.lock().unwrap()[0].clone();
    let answer = |request: String| say(example.behind, request);
    assert!(answer(caught.clone()).await.starts_with("HTTP/1.0 200"));
    let again = answer(caught.clone()).await;
    assert!(
        again.starts_with("HTTP/1.0 401") && again.contains("this call was here before"),
        "{again}"
    );
    for length in ["-1", "65537", "x", "\u{b2}"] {
        let (_, body) = caught.split_once("\r\n\r\n").unwrap();
        let request = format!("POST / HTTP/1.1\r\ncontent-length: {length}\r\n\r\n{body}");
        let said = answer(request).await;
        assert!(said.starts_with("HTTP/1.0 400"), "{length}: {said}");
    }
}

/// The answer to these bytes, while the line stays open.
async fn say(address: std::net::SocketAddr, request: String) -> String {
    let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    let read = stream.read_to_end(&mut answer);
    tokio::time::timeout(std::time::Duration::from_secs(5), read)
        .await
        .expect("it answers")
        .unwrap();
    String::from_utf8_lossy(&answer).into_owned()
}
