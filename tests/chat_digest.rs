//! A digest of any size: one message that Slack takes, with its head, in which nobody is pinged.

use std::collections::BTreeMap;

use chrono::DateTime;
use jitbot::chat::card::{Digest, Letter, Waiting};
use jitbot::chat::slack::render::{self, Names};
use jitbot::domain::audit_verify::RemovedEntries;
use jitbot::domain::grant::EndingReason;
use jitbot::domain::ids::{AccountId, RequestId, ResourceName};
use jitbot::domain::tally::{Access, ApprovedBy, EarlyEnd, Overrun, Tally, Try};
use jitbot::sandbox::people::People;
use jitbot::sandbox::slack::{Manifest, Server, World};
use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::TestRunner;
use serde_json::{Value, json};

const CHANNEL: &str = "C0SECURITY";
const HASH: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

fn account(n: usize) -> AccountId {
    AccountId::new(format!("slack:T1/U{n}")).unwrap()
}

/// As long as a name may be.
fn resource(n: usize) -> ResourceName {
    ResourceName::new(format!("{n:0>64}")).unwrap()
}

fn access(n: usize) -> Access {
    Access {
        resource: Some(resource(n)),
        of: Some(account(n + 1)),
    }
}

fn at(s: i64) -> jitbot::domain::timing::Timestamp {
    DateTime::from_timestamp(1_800_000_000 + s, 0).unwrap()
}

/// A day with so many different deeds of each kind, each done so often.
fn day(deeds: usize, times: i64, why: &str) -> Digest {
    let all = i64::try_from(deeds).unwrap() * times;
    fn counted<K: Ord>(deeds: usize, times: i64, key: impl Fn(usize) -> K) -> BTreeMap<K, i64> {
        (0..deeds).map(|n| (key(n), times)).collect()
    }
    let rule = |n| {
        ApprovedBy::Rule(format!(
            "resource.{}.auto_approve[{n}]",
            resource(n).as_str()
        ))
    };
    let mut approvals = counted(deeds, times, |n| {
        (ApprovedBy::Person(account(n)), access(n))
    });
    approvals.extend(counted(deeds, times, |n| (rule(n), access(n))));
    let tally = Tally {
        requested: all,
        approved_by_people: all,
        approved_by_rule: all,
        denied: all,
        refused: all,
        expired: all,
        withdrawn: all,
        issued: all,
        failed: all,
        cancelled: all,
        ended: all,
        told_only: all,
        overruns: all,
        seen_late: all,
        longest_overrun: (deeds > 0).then(|| Overrun {
            late_s: all,
            grant: RequestId::from_bits(9).grant(),
            about: access(1),
        }),
        given_back: all,
        revoked: all,
        left: all,
        cancelled_requests: all,
        pointless: all,
        extended: all,
        not_extended: all,
        asked: counted(deeds, times, |n| (account(n), resource(n))),
        first_time: counted(deeds, 1, |n| (account(n), resource(n))),
        approvals,
        denials: counted(deeds, times, |n| (Some(account(n)), access(n))),
        undecided: counted(deeds, times, access),
        tries: counted(deeds, times, |n| Try {
            by: Some(account(n)),
            tried: "request".into(),
            refusal: "unknown_resource".into(),
            about: access(n),
        }),
        early: (0..deeds.min(100))
            .map(|n| EarlyEnd {
                by: Some(account(n)),
                reason: EndingReason::Revoked,
                about: access(n),
                why: Some(why.to_owned()),
            })
            .collect(),
        removed: (deeds > 0).then(|| RemovedEntries {
            count: all,
            first_at: at(0),
            last_at: at(86_400),
        }),
        erased: (0..deeds).map(|n| (account(n), all)).collect(),
    };
    Digest {
        from: at(0),
        to: at(86_400),
        tally,
        active_now: all,
        pending_now: all,
        longest_waiting: (deeds > 0).then(|| Waiting {
            request: RequestId::from_bits(3),
            resource: resource(0),
            of: account(0),
            for_s: 3_600,
        }),
        stuck_count: all,
        stuck_now: (0..deeds.min(20))
            .map(|n| {
                let grant = RequestId::from_bits(n as u64).grant();
                (grant, resource(n), account(n), at(60))
            })
            .collect(),
        head: (all, HASH.into()),
    }
}

fn drawn(day: Digest, name: &str) -> render::Drawn {
    // Of whoever stands first in a list; the others are shown by their ids.
    let names: Names = (0..120)
        .chain(1_000..1_010)
        .map(|n| (account(n), format!("{name}{n}")))
        .collect();
    render::letter(&Letter::Digest(Box::new(day)), &names)
}

/// Every literal text in the blocks.
fn texts(value: &Value) -> Vec<&str> {
    match value {
        Value::Array(list) => list.iter().flat_map(texts).collect(),
        Value::Object(object) => {
            let own = object.get("text").and_then(Value::as_str);
            own.into_iter()
                .chain(object.values().flat_map(texts))
                .collect()
        }
        _ => Vec::new(),
    }
}

/// Every text in the blocks that Slack looks through for what it may notify.
fn parsed(value: &Value) -> Vec<&str> {
    match value {
        Value::Array(list) => list.iter().flat_map(parsed).collect(),
        Value::Object(object) => {
            let own = object.get("text").and_then(Value::as_str);
            own.filter(|_| object.get("type") == Some(&Value::from("mrkdwn")))
                .into_iter()
                .chain(object.values().flat_map(parsed))
                .collect()
        }
        _ => Vec::new(),
    }
}

fn judge(drawn: &render::Drawn, head: &str) {
    let blocks = Value::from(drawn.blocks.clone());
    let all = texts(&blocks);
    let chars: usize = all.iter().map(|text| text.encode_utf16().count()).sum();
    assert!(chars < 11_000, "{chars} characters");
    let said = all.concat();
    assert_eq!(said.matches(head).count(), 1, "the head once: {said}");
    assert!(said.contains("audit verify"), "{said}");
    assert!(!blocks.to_string().contains("\"user_id\""), "a ping");
    // Elsewhere a text is shown as it is.
    for text in parsed(&blocks) {
        assert!(!text.contains("<@"), "a ping: {text}");
    }
    assert!(!drawn.text.contains("<@"), "a ping: {}", drawn.text);
}

fn any_why() -> impl Strategy<Value = String> {
    prop_oneof![
        Just("<!channel> `x` *y* https://evil.example".to_owned()),
        Just("👩‍👩‍👧‍👦".repeat(40)),
        Just("שלום \u{202e}abc ".repeat(30)),
        any::<String>(),
        "\\PC{0,400}",
    ]
}

fn any_day() -> impl Strategy<Value = (Digest, String)> {
    let deeds = prop_oneof![0..3_usize, 3..30_usize, Just(1_500)];
    let times = prop_oneof![Just(1_i64), Just(1_000_000)];
    let name = prop_oneof![Just("n".repeat(200)), "\\PC{0,100}"];
    (deeds, times, any_why(), name)
        .prop_map(|(deeds, times, why, name)| (day(deeds, times, &why), name))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_day_makes_one_message_with_its_head((day, name) in any_day()) {
        let head = format!("{}:{HASH}", day.head.0);
        judge(&drawn(day, &name), &head);
    }
}

#[test]
fn ten_thousand_deeds_are_cut_with_how_many_more() {
    let drawn = drawn(day(10_000, 1, "why"), "n");
    let blocks = Value::from(drawn.blocks);
    let said = texts(&blocks).concat();
    let mut cut = 0;
    for list in lists(&blocks) {
        let lines: Vec<String> = list.iter().map(|line| texts(line).concat()).collect();
        let Some(more) = lines.last().and_then(|line| line.strip_prefix("and ")) else {
            continue;
        };
        let more: usize = more.strip_suffix(" more").unwrap().parse().unwrap();
        // Two made approvals, and there are two kinds of early ends.
        let in_all = more + lines.len() - 1;
        assert!([10_000, 20_000].contains(&in_all), "{in_all}: {said}");
        assert!(lines.len() <= 9, "{said}");
        cut += 1;
    }
    assert_eq!(cut, 8, "lists that were cut: {said}");
}

/// The items of each list.
fn lists(value: &Value) -> Vec<&Vec<Value>> {
    match value {
        Value::Array(all) => all.iter().flat_map(lists).collect(),
        Value::Object(object) if object.get("type").is_some_and(|t| t == "rich_text_list") => {
            object["elements"].as_array().into_iter().collect()
        }
        Value::Object(object) => object.values().flat_map(lists).collect(),
        _ => Vec::new(),
    }
}

/// The sandbox judges by Slack's rules, written without ours.
#[tokio::test]
async fn slack_takes_days_of_any_size() {
    let manifest = Manifest::from_yaml(jitbot::config::SLACK_MANIFEST).unwrap();
    let world = World::new("T1")
        .user("U0CAROL", "carol")
        .channel(CHANNEL, "security", &["U0CAROL"])
        .pace(1_000, 1_000.0);
    let token = world.app.bot_token.clone();
    let server = Server::start(world, manifest, ([127, 0, 0, 1], 0).into())
        .await
        .unwrap();
    let base = format!("http://{}", server.addr);
    let people = People::new(&base);
    let mut runner = TestRunner::deterministic();
    for posted in 1..=30_usize {
        let (day, name) = any_day().new_tree(&mut runner).unwrap().current();
        let drawn = drawn(day, &name);
        let body = json!({"channel": CHANNEL, "text": drawn.text, "blocks": drawn.blocks});
        let answer = post(&base, &token, &body).await;
        assert_eq!(answer["ok"], true, "{answer}\n{body}");
        let there = people.messages("U0CAROL", CHANNEL).await.unwrap();
        assert_eq!(there.len(), posted);
    }
}

async fn post(base: &str, token: &str, body: &Value) -> Value {
    use http_body_util::{BodyExt as _, Full};
    let client = hyper_util::client::legacy::Client::builder(hyper_util::rt::TokioExecutor::new())
        .build_http::<Full<bytes::Bytes>>();
    let request = axum::http::Request::post(format!("{base}/api/chat.postMessage"))
        .header("content-type", "application/json; charset=utf-8")
        .header("authorization", format!("Bearer {token}"))
        .body(Full::new(bytes::Bytes::from(body.to_string())))
        .unwrap();
    let answer = client.request(request).await.unwrap();
    let bytes = answer.into_body().collect().await.unwrap().to_bytes();
    serde_json::from_slice(&bytes).unwrap()
}
