//! What `[traces]` refuses.

use crate::*;

/// The problems of a section, with the line in it.
fn refused(section: &str, expected: &[&str]) {
    let text = format!("{section}\n{BASE}");
    let expected: Vec<String> = expected
        .iter()
        .map(|line| format!("jitbot.toml:{line}"))
        .collect();
    assert_eq!(problems(&text), expected, "{section}");
}

const HINT: &str = "Write it like \"https://collector.example:4318\".";

#[test]
fn the_address_follows_the_rule_for_all_that_the_bot_calls_by_itself() {
    refused(
        "[traces]",
        &[&format!("1: traces.endpoint: is missing. {HINT}")],
    );
    let plain = "is not https:// (http:// is for this machine alone, with allow_private = true)";
    let private = "is an address of a private network, or of this machine: allow_private = true would let it be asked";
    let more = "holds a user, a password or a fragment, which are not sent";
    for (endpoint, allow_private, what) in [
        ("http://collector.example:4318", true, plain),
        ("http://collector.example:4318", false, plain),
        ("http://10.0.0.1:4318", true, plain),
        ("http://127.0.0.1:4318", false, private),
        ("https://10.0.0.1", false, private),
        ("grpc://collector.example:4317", true, plain),
        ("https://user:secret@collector.example", true, more),
    ] {
        let section =
            format!("[traces]\nendpoint = \"{endpoint}\"\nallow_private = {allow_private}");
        refused(&section, &[&format!("2: traces.endpoint: {what}. {HINT}")]);
    }
    let section = "[traces]\nendpoint = \"collector\"";
    let what = "is not an address like https://collector.example:4318";
    refused(section, &[&format!("2: traces.endpoint: {what}. {HINT}")]);
    for (endpoint, goes_to) in [
        ("https://c.example", "https://c.example/v1/traces"),
        ("https://c.example/", "https://c.example/v1/traces"),
        ("https://c.example/otlp", "https://c.example/otlp"),
        ("http://localhost:4318", "http://localhost:4318/v1/traces"),
    ] {
        let section = format!("[traces]\nendpoint = \"{endpoint}\"\nallow_private = true");
        let traces = ok(&format!("{section}\n{BASE}")).traces.unwrap();
        assert_eq!(traces.endpoint.as_str(), goes_to);
    }
}

#[test]
fn headers_hold_secrets_and_numbers_have_limits() {
    let section = "[traces]\nendpoint = \"https://c.example\"\n";
    let with = |more: &str| format!("{section}{more}");
    let secret = "Write { env = \"NAME\" } or { file = \"/path\" }: what stands in the file ends up in copies, backups and version control.";
    refused(
        &with("headers = { x-key = \"secret\" }"),
        &[&format!(
            "3: traces.headers.x-key: is a secret in the file itself. {secret}"
        )],
    );
    refused(
        &with("headers = { Content-Type = { env = \"SHORT\" } }"),
        &["3: traces.headers.Content-Type: is a header that jitbot sets itself. Leave it out."],
    );
    refused(
        &with("headers = { X-Key = { env = \"SHORT\" }, x-key = { env = \"SHORT\" } }"),
        &["3: traces.headers.x-key: is named twice. Leave one out."],
    );
    refused(
        &with("headers = { \"a b\" = { env = \"SHORT\" } }"),
        &["3: traces.headers.\"a b\": is not the name of a header. Write it like x-api-key."],
    );
    refused(
        &with("sample_ratio = 1.5"),
        &["3: traces.sample_ratio: 1.5 is out of range. It may be 0.0 to 1.0."],
    );
    refused(
        &with("sample_ratio = nan"),
        &["3: traces.sample_ratio: nan is out of range. It may be 0.0 to 1.0."],
    );
    refused(
        &with("sample_ratio = \"all\""),
        &["3: traces.sample_ratio: is a string, not a number."],
    );
    refused(
        &with("timeout = \"1m\""),
        &["3: traces.timeout: is too short or too long. From 1s to 30s."],
    );
    refused(
        &with("sample = 1"),
        &["3: traces.sample: is no key that is known here. Did you mean `sample_ratio`?"],
    );

    let more = "headers = { X-Key = { env = \"SHORT\" } }\nsample_ratio = 0.25\ntimeout = \"3s\"";
    let traces = ok(&format!("{}\n{BASE}", with(more))).traces.unwrap();
    assert_eq!(traces.sample_ratio, 0.25);
    assert_eq!(traces.timeout_s, 3);
    assert_eq!(traces.headers.keys().collect::<Vec<_>>(), ["x-key"]);
    let whole = ok(&format!("{}\n{BASE}", with("sample_ratio = 1")));
    assert_eq!(whole.traces.unwrap().sample_ratio, 1.0);
    assert!(ok(BASE).traces.is_none());
}
