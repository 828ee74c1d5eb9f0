//! The check of Slack payloads by Slack's published types is itself checked here: on traffic that
//! must pass, on samples that must be refused, and on how its refusal reaches a Rust test.

#[path = "slack_types/checker.rs"]
mod checker;

use std::process::Command;

#[test]
fn the_checker_passes_its_own_tests() {
    let said = checker::run(Command::new("node").args(["--test", "check.test.mjs"]), "")
        .unwrap_or_else(|said| panic!("{said}"));
    let passed = said
        .lines()
        .find_map(|line| line.split_once("pass "))
        .map(|(_, n)| n.trim().to_owned());
    assert!(
        passed
            .as_deref()
            .and_then(|n| n.parse().ok())
            .is_some_and(|n: u32| n >= 82),
        "fewer of the checker's tests ran than there are: {said}",
    );
}

#[test]
fn good_traffic_passes_and_is_counted() {
    let log = std::fs::read_to_string(checker::folder().join("good.json"))
        .expect("the sample is in the repository");
    let said = checker::judge(&log).unwrap_or_else(|said| panic!("{said}"));
    assert!(
        said.trim_end().ends_with("payloads judged, 0 problems"),
        "{said}"
    );
}

#[test]
fn a_bad_payload_is_a_failure_that_names_method_place_and_payload() {
    let log = r#"{"calls": [{"method": "chat.postMessage", "response": {"ok": true},
        "request": {"channel": "C1", "text": "x", "blocks": [{"type": "header", "text": "no object"}]}}]}"#;
    let said =
        checker::judge(log).expect_err("a header whose text is a string is not what Slack takes");
    assert!(
        said.contains("calls[0] chat.postMessage at $.request.blocks[0].text"),
        "{said}"
    );
    assert!(said.contains("no object"), "{said}");
}

#[test]
fn an_empty_log_is_a_failure() {
    let said = checker::judge(r#"{"calls": [], "envelopes": []}"#).expect_err("nothing was judged");
    assert!(said.contains("nothing to judge"), "{said}");
}
