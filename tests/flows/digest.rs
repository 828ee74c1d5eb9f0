//! The digest, counted again from the exported record by other code.

use std::collections::BTreeMap;

use super::judged;
use super::support::{PEOPLE, World};
use serde_json::Value;

#[tokio::test]
async fn the_digests_numbers_are_those_of_the_record() {
    let world = World::start().await;
    let a = world.asks("alice", "/jit request staging-ssh 1h one").await;
    world.presses("bob", "Approve", &a).await;
    let b = world.asks("alice", "/jit request staging-ssh 2h two").await;
    world.denies("dana", &b, "too long").await;
    let c = world
        .asks("alice", "/jit request staging-ssh 3h three")
        .await;
    world.types("alice", &format!("/jit withdraw {c}")).await;
    world
        .asks("alice", "/jit request staging-ssh 4h four")
        .await;
    let e = world
        .asks("olga", "/jit request staging-ssh 30m five")
        .await;
    world.types("olga", &format!("/jit done {e}")).await;
    world.types("erin", "/jit request staging-ssh 1h six").await;
    world.types("erin", "/jit request hunter2 1h six").await;
    let f = world.asks("bob", "/jit request staging-ssh 1h seven").await;
    world.presses("bob", "Approve", &f).await;
    world.presses("dana", "Approve", &f).await;
    let revoke = format!("/jit revoke {f} the wrong hosts");
    world.types("carol", &revoke).await;
    world.pass("2h").await;

    let before = world.security_reads().await.len();
    let entries = world.record().await;
    let wait = world.next_digest();
    world.pass(&wait).await;
    let digests = world.security_reads().await;
    assert_eq!(digests.len(), before + 1, "one digest");
    let digest = digests.last().unwrap();

    // Nothing but words and numbers of the record, counted with other code than the bot's.
    let count = |kind: &str| entries.iter().filter(|e| e["kind"] == kind).count();
    let rule = entries
        .iter()
        .filter(|e| e["kind"] == "approved" && e["actor"].is_null())
        .count();
    let ordered = |reason: &str| {
        let order = |e: &&Value| e["kind"] == "end_ordered" && e["facts"]["reason"] == reason;
        entries.iter().filter(order).count()
    };
    let expected = [
        ("made", count("requested")),
        ("tries refused", count("refused")),
        ("approved by people", count("approved") - rule),
        ("approved by a rule", rule),
        ("denied", count("denied")),
        ("ran out", count("expired")),
        ("withdrawn", count("withdrawn")),
        ("given", count("issued")),
        ("ended", count("ended")),
        ("given back early", ordered("done")),
        ("revoked", ordered("revoked")),
    ];
    let words: Vec<&str> = digest.split([',', ':', '.', '\n']).map(str::trim).collect();
    for (label, number) in expected {
        assert!(number > 0, "the story has one of each: {label}");
        let line = format!("{number} {label}");
        assert!(words.contains(&line.as_str()), "{line} in {words:?}");
    }
    let head = format!("{}:", entries.len());
    assert_eq!(
        digest.matches(&head).count(),
        1,
        "the head, which counts the entries, once: {digest}"
    );
    for (list, lines) in who_did_what(&entries) {
        assert!(!lines.is_empty(), "the story has one of each: {list}");
        for (line, times) in lines {
            let line = match times {
                1 => format!("{line}\n"),
                n => format!("{line} × {n}\n"),
            };
            let section = digest.split(&format!("{list}\n")).nth(1);
            let section = section.unwrap_or_else(|| panic!("no {list} in {digest}"));
            assert!(section.contains(&line), "{list}: {line} in {digest}");
        }
    }
    assert!(!digest.contains("hunter2"), "what was typed: {digest}");

    assert!(
        digest.contains("carol revoked staging-ssh of bob (“the wrong hosts”)"),
        "{digest}"
    );
    assert!(digest.contains("olga gave back staging-ssh\n"), "{digest}");
    let late: Vec<i64> = entries
        .iter()
        .filter_map(|e| e["facts"]["lag_ms"].as_i64())
        .filter(|ms| *ms >= 1_000)
        .collect();
    let (overruns, longest_s) = (late.len(), late.iter().max().unwrap() / 1_000);
    let overrun = format!("{overruns} seen to be over later than due, by {longest_s} s at most");
    assert!(digest.contains(&overrun), "{overrun}: {digest}");

    world.pass("24h").await;
    let digests = world.security_reads().await;
    assert_eq!(digests.len(), before + 2, "also when nothing happened");
    let quiet = digests.last().unwrap();
    assert!(quiet.contains("nothing happened"), "{quiet}");
    assert_eq!(quiet.trim().lines().count(), 4, "{quiet}");
    let pinged = world.here.people.mentions().await.unwrap();
    let by_digest = |m: &&jitbot::sandbox::people::Mention| m.channel == "C0SECURITY";
    assert_eq!(pinged.iter().filter(by_digest).count(), 0, "{pinged:?}");
    judged(&world).await;
}

fn name(account: &Value) -> &'static str {
    let account = account.as_str().unwrap();
    let found = PEOPLE.iter().find(|(_, id)| account.ends_with(id));
    found.map(|(name, _)| *name).unwrap()
}

/// The lists, with how often each line is due, from the record's entries alone.
fn who_did_what(entries: &[Value]) -> Vec<(&'static str, BTreeMap<String, usize>)> {
    let counted = |kind: &str, line: &dyn Fn(&Value) -> Option<String>| {
        let mut lines = BTreeMap::new();
        for entry in entries.iter().filter(|e| e["kind"] == kind) {
            if let Some(line) = line(entry) {
                *lines.entry(line).or_default() += 1;
            }
        }
        lines
    };
    // What a request was about is read from its own entry, as an auditor would.
    let access = |entry: &Value| {
        let asked = entries
            .iter()
            .find(|e| e["kind"] == "requested" && e["request"] == entry["request"])
            .unwrap();
        let resource = asked["facts"]["resource"].as_str().unwrap();
        format!("{resource} of {}", name(&asked["actor"]))
    };
    let asked = |entry: &Value| {
        let resource = entry["facts"]["resource"].as_str().unwrap();
        Some(format!("{}: {resource}", name(&entry["actor"])))
    };
    let first = |entry: &Value| {
        let earlier = entries.iter().any(|e| {
            e["kind"] == "requested"
                && e["seq"].as_i64() < entry["seq"].as_i64()
                && e["actor"] == entry["actor"]
                && e["facts"]["resource"] == entry["facts"]["resource"]
        });
        (!earlier).then(|| asked(entry)).flatten()
    };
    let slip = |entry: &Value| entry["facts"]["refusal"] == "unknown_resource";
    let refused = |entry: &Value| {
        let who = name(&entry["actor"]);
        Some(match entry["facts"]["refusal"].as_str().unwrap() {
            "may_not_ask" => format!("{who}: asked for staging-ssh (may not ask for it)"),
            "unknown_resource" => format!("{who}: asked for something (there is no such resource)"),
            "own_request" => {
                let what = access(entry);
                format!("{who}: tried to approve {what} (it was their own request)")
            }
            other => panic!("nothing else was refused: {other}"),
        })
    };
    vec![
        (
            "Approved by",
            counted("approved", &|entry| {
                let by = match entry["rules"][0].as_str() {
                    Some(rule) if entry["actor"].is_null() => format!("Rule {rule}"),
                    _ => name(&entry["actor"]).to_owned(),
                };
                Some(format!("{by}: {}", access(entry)))
            }),
        ),
        (
            "Denied by",
            counted("denied", &|entry| {
                Some(format!("{}: {}", name(&entry["actor"]), access(entry)))
            }),
        ),
        (
            "Nobody decided",
            counted("expired", &|entry| Some(access(entry))),
        ),
        (
            "Tried what they may not",
            counted("refused", &|entry| {
                (!slip(entry)).then(|| refused(entry)).flatten()
            }),
        ),
        (
            "Mistyped, or came too late",
            counted("refused", &|entry| {
                slip(entry).then(|| refused(entry)).flatten()
            }),
        ),
        ("Asked", counted("requested", &asked)),
        ("Asked for the first time", counted("requested", &first)),
    ]
}
