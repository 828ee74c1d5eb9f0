//! Programs that hang, flood, lie, die and leave children: unknown, never failed, and never for long.

use std::fs;
use std::path::Path;
use std::time::Duration;

use futures_util::StreamExt as _;
use jitbot::domain::grant::Evidence;
use jitbot::issuer::contract::program::Variable;
use jitbot::issuer::{EarlyEnd, IssueError, Issuer as _, NativeExpiry, Presence};
use secrecy::SecretString;
use serde_json::json;

use super::script::{issuer, script};
use super::subject::{order, passes, unknown};

#[tokio::test]
async fn what_is_no_answer_is_an_unknown_outcome() {
    let rows = [
        ("kill -9 $$", "the program was ended by signal 9"),
        (
            "echo no route >&2; exit 3",
            "the program ended with status 3: no route",
        ),
        ("exit 76", "the program ended with status 76"),
        (
            "sleep 600",
            "the program took longer than 2 s and was killed",
        ),
        (
            "yes",
            "the program wrote more than 65536 bytes and was killed",
        ),
        ("true", "the answer to issue is empty"),
        (
            "printf '{\"outcome\":\"o'",
            "breaks off: it is half a JSON document",
        ),
        ("printf '\\377\\376'", "is not UTF-8"),
        ("echo ok", "is not one JSON object"),
        ("echo '[1]'", "is JSON, but not an object"),
        (
            "echo '{\"outcome\":\"ok\"} {\"outcome\":\"ok\"}'",
            "is not one JSON object",
        ),
        (
            "echo '{\"outcome\":\"done\"}'",
            "has the outcome \"done\", which is none of ok, retry, permanent and unknown",
        ),
        ("echo '{\"outcome\":1}'", "names no outcome"),
        ("echo '{}'", "names no outcome"),
        (
            "echo '{\"outcome\":\"ok\",\"mesage\":\"hi\"}'",
            "holds \"mesage\", which the contract does not know",
        ),
        (
            "echo '{\"outcome\":\"ok\",\"presence\":\"present\"}'",
            "holds \"presence\"",
        ),
        (
            "echo '{\"outcome\":\"ok\",\"message\":1}'",
            "has a message that is no text",
        ),
        (
            "echo '{\"outcome\":\"retry\",\"after_s\":-1}'",
            "has an after_s that is no whole number of seconds",
        ),
        (
            "echo '{\"outcome\":\"unknown\",\"message\":\"the line broke\"}'",
            "the target does not know what came of it: the line broke",
        ),
        (
            "printf '{\"outcome\":\"ok\",\"handle\":\"%5000s\"}' x",
            "the handle is longer than 4096 bytes",
        ),
        (
            "printf '{\"outcome\":\"ok\",\"document\":\"%5000s\"}' x",
            "the document is longer than 2700 bytes",
        ),
    ];
    let each = rows.map(|(text, expected)| async move {
        let said = unknown(issuer(script(text)).issue(&order(1)).await);
        assert!(said.contains(expected), "{text}: {said}");
    });
    let all = futures_util::future::join_all(each);
    tokio::time::timeout(Duration::from_secs(20), all)
        .await
        .expect("each is bounded");
}

#[tokio::test]
async fn what_was_surely_not_done_is_tried_again() {
    let asks = |text: &'static str| async move {
        match issuer(script(text)).issue(&order(1)).await {
            Err(IssueError::Retry { said, after_s }) => (said, after_s),
            other => panic!("{text}: {other:?}"),
        }
    };
    assert_eq!(
        asks("echo busy >&2; exit 75").await,
        ("the program asks to be called again: busy".to_owned(), None)
    );
    assert_eq!(
        asks("echo '{\"outcome\":\"retry\",\"after_s\":30,\"message\":\"busy\"}'").await,
        (
            "the target asks to be called again: busy".to_owned(),
            Some(30)
        )
    );
    assert_eq!(
        asks("echo '{\"outcome\":\"retry\",\"after_s\":99999999}'")
            .await
            .1,
        Some(3_600)
    );
    let mut missing = script("");
    missing.argv = vec!["/nonexistent/program".to_owned()];
    let answer = issuer(missing).issue(&order(1)).await;
    assert!(
        matches!(answer, Err(IssueError::Retry { .. })),
        "{answer:?}"
    );
}

/// Only the contract's own word is a refusal for good.
#[tokio::test]
async fn a_refusal_is_told_in_its_words() {
    let answer = issuer(script(
        "printf '%s' '{\"outcome\":\"permanent\",\"message\":\"no\\n such   user\"}'",
    ))
    .issue(&order(1))
    .await;
    assert_eq!(
        answer,
        Err(IssueError::Permanent {
            said: "the target refuses for good: no such user".to_owned()
        })
    );
}

#[tokio::test]
async fn a_program_is_asked_without_a_shell_and_told_everything() {
    let room = tempfile::tempdir().unwrap();
    let text = format!(
        "cat > {0}/stdin; env | sort > {0}/env; echo '{{\"outcome\":\"ok\",\"handle\":{{\"row\":7}},\"message\":\"Log in.\"}}'",
        room.path().display()
    );
    let mut program = script(&text);
    program
        .argv
        .extend(["sh", "$(touch /tmp/x)", "a b"].map(str::to_owned));
    program.environment = vec![
        (
            "API_TOKEN".to_owned(),
            Variable::Secret(SecretString::from("token-of-a-test")),
        ),
        ("REGION".to_owned(), Variable::Plain("north".to_owned())),
    ];
    let order = order(7);
    let given = issuer(program).issue(&order).await.unwrap();
    assert_eq!(
        (given.handle, given.how_to_use.as_str()),
        (json!({"row": 7}), "Log in.")
    );
    let stdin = fs::read_to_string(room.path().join("stdin")).unwrap();
    let asked: serde_json::Value = serde_json::from_str(&stdin).unwrap();
    let deadline = order.native_deadline.unwrap();
    assert_eq!(
        asked,
        json!({
            "v": 1, "op": "issue", "key": format!("issue:{}", order.grant), "issuer": "box",
            "grant": order.grant, "account": "alice", "person": "alice", "resource": "box-admin",
            "entitlements": ["group:admins"], "parameters": {"group": "admins"},
            "deadline": deadline.format("%Y-%m-%dT%H:%M:%SZ").to_string(),
            "deadline_unix": deadline.timestamp(), "handle": null,
        })
    );
    let env = fs::read_to_string(room.path().join("env")).unwrap();
    let names: Vec<&str> = env
        .lines()
        .filter_map(|line| line.split_once('='))
        .map(|(name, _)| name)
        .filter(|name| !["PWD", "_", "SHLVL", "OLDPWD"].contains(name))
        .collect();
    assert_eq!(
        names,
        [
            "API_TOKEN",
            "JITBOT_ACCOUNT",
            "JITBOT_DEADLINE",
            "JITBOT_GRANT",
            "JITBOT_KEY",
            "JITBOT_OP",
            "JITBOT_RESOURCE",
            "LANG",
            "PATH",
            "REGION"
        ]
    );
}

#[tokio::test]
async fn a_child_in_the_background_ends_with_the_call() {
    let pids = tempfile::NamedTempFile::new().unwrap();
    let text = format!(
        "sleep 600 </dev/null >/dev/null 2>&1 & echo $! > {}; echo '{{\"outcome\":\"ok\"}}'",
        pids.path().display()
    );
    issuer(script(&text)).issue(&order(1)).await.unwrap();
    let pid = fs::read_to_string(pids.path()).unwrap();
    let stat = Path::new("/proc").join(pid.trim()).join("stat");
    for _ in 0..200 {
        let state = fs::read_to_string(&stat).unwrap_or_default();
        if state.is_empty() || state.contains(") Z ") {
            return;
        }
        passes(Duration::from_millis(20)).await;
    }
    panic!("{pid} lives on");
}

#[tokio::test]
async fn presence_and_lists_are_read_strictly() {
    let inspect = |text: &'static str| async move { issuer(script(text)).inspect(&order(1)).await };
    let says =
        |presence: &str| format!("echo '{{\"outcome\":\"ok\",\"presence\":\"{presence}\"}}'");
    for (word, presence) in [
        ("present", Presence::Present),
        ("absent", Presence::Absent(Evidence::SeenGone)),
        ("cannot_tell", Presence::CannotTell),
    ] {
        assert_eq!(
            issuer(script(&says(word))).inspect(&order(1)).await,
            Ok(presence)
        );
    }
    let said = unknown(inspect("echo '{\"outcome\":\"ok\",\"presence\":\"gone\"}'").await);
    assert!(
        said.contains("none of present, absent and cannot_tell"),
        "{said}"
    );
    let said = unknown(inspect("echo '{\"outcome\":\"ok\"}'").await);
    assert!(said.contains("names no presence"), "{said}");

    // Two pages, then one that would go on for ever.
    let paged = r#"read -r q
case $q in
  *'"cursor":"2"'*) echo '{"outcome":"ok","items":[{"grant":"g0000000002","deadline":"2026-11-26T05:00:00Z"}]}' ;;
  *) echo '{"outcome":"ok","items":[{"grant":"g0000000001"}],"next":"2"}' ;;
esac"#;
    let list = |text: &'static str| async move {
        let issuer = issuer(script(text));
        let listed: Vec<_> = issuer.list().collect().await;
        listed
    };
    let listed = list(paged).await;
    let grants: Vec<String> = listed
        .iter()
        .map(|it| it.as_ref().unwrap().grant.to_string())
        .collect();
    assert_eq!(grants, ["g0000000001", "g0000000002"]);
    assert_eq!(
        listed[1].as_ref().unwrap().deadline.unwrap().timestamp(),
        1_795_669_200
    );
    for (text, expected) in [
        (
            "echo '{\"outcome\":\"ok\",\"items\":[{\"grant\":\"x\"}]}'",
            "items[0] of the list names no grant",
        ),
        (
            "echo '{\"outcome\":\"ok\",\"items\":[{\"grant\":\"g0000000001\",\"deadline\":\"soon\"}]}'",
            "has a deadline that is no time",
        ),
        ("echo '{\"outcome\":\"ok\"}'", "holds no items"),
        (
            "read -r q; case $q in *'\"cursor\":\"2\"'*) ;; esac; echo '{\"outcome\":\"ok\",\"items\":[],\"next\":\"2\"}'",
            "it would never end",
        ),
    ] {
        let listed = list(text).await;
        let said = unknown(listed.into_iter().next_back().unwrap());
        assert!(said.contains(expected), "{text}: {said}");
    }
}

/// What the config declares decides what is asked at all.
#[tokio::test]
async fn ends_are_believed_as_far_as_is_declared() {
    let declared = |native_expiry, early_end| {
        let mut settings = super::subject::settings();
        settings.capabilities.native_expiry = native_expiry;
        settings.capabilities.early_end = early_end;
        jitbot::issuer::contract::Contracted::new(
            settings,
            script("exit 9"),
            super::subject::clock(),
        )
    };
    let (now, mut over) = (order(1), order(1));
    over.native_deadline = over
        .native_deadline
        .map(|at| at - chrono::TimeDelta::hours(2));
    let expired = Ok(Presence::Absent(Evidence::ExpiredAtTarget));
    let impossible = declared(NativeExpiry::Enforced, EarlyEnd::Impossible);
    assert_eq!(impossible.inspect(&now).await, Ok(Presence::Present));
    assert_eq!(impossible.inspect(&over).await, expired);
    assert!(matches!(
        impossible.revoke(&now, None).await,
        Err(IssueError::Permanent { .. })
    ));
    assert_eq!(impossible.revoke(&over, None).await, Ok(()));
    let told = declared(NativeExpiry::None, EarlyEnd::ToldOnly);
    assert_eq!(told.inspect(&now).await, Ok(Presence::CannotTell));
    // An end that nothing enforces is none, however long ago.
    assert_eq!(told.inspect(&over).await, Ok(Presence::CannotTell));
    let told = declared(NativeExpiry::Enforced, EarlyEnd::ToldOnly);
    assert_eq!(told.inspect(&over).await, expired);
    let seen = declared(NativeExpiry::Enforced, EarlyEnd::Seen);
    unknown(seen.inspect(&over).await);
}
