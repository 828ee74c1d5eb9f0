//! Whatever is typed or configured: what Slack is sent holds Slack's limits, and stays text.

mod sample;

use jitbot::chat::card::{Letter, Notable, Occasion, SecretNews};
use jitbot::chat::slack::render::{self, Names};
use jitbot::domain::answer::{Answer, KeyAnswer};
use jitbot::domain::delivery::IssuedSecret;
use jitbot::domain::departure::Departure;
use jitbot::domain::directory::{AccountStatus, GroupNews};
use jitbot::domain::grant::{EndingReason, Evidence, GrantState};
use jitbot::domain::ids::DirectoryGroupId;
use jitbot::domain::public_key::BadKey;
use jitbot::domain::record_news::RecordNews;
use jitbot::domain::refusal::Refusal;
use jitbot::domain::request::RequestState;
use proptest::prelude::*;
use serde_json::Value;

use sample::{account, at, card, live, lost_place, names, yes};

/// All literal text of the blocks, in order.
fn read(blocks: &[Value]) -> String {
    fn walk(value: &Value, out: &mut String) {
        match value {
            Value::Array(list) => list.iter().for_each(|one| walk(one, out)),
            Value::Object(object) => {
                if let Some(words) = object.get("text").and_then(Value::as_str) {
                    out.push_str(words);
                }
                if let Some(user) = object.get("user_id").and_then(Value::as_str) {
                    out.push_str(&format!("@{user}"));
                }
                if let Some(fallback) = object.get("fallback").and_then(Value::as_str) {
                    out.push_str(fallback);
                }
                for (key, inner) in object {
                    if key != "fallback" && (inner.is_object() || inner.is_array()) {
                        walk(inner, out);
                    }
                }
            }
            _ => {}
        }
    }
    let mut out = String::new();
    for block in blocks {
        walk(block, &mut out);
        out.push('\n');
    }
    out
}

/// Slack's published limits, written down here a second time.
fn assert_within_limits(drawn: &render::Drawn) {
    fn units(value: &Value) -> usize {
        value.as_str().map_or(0, |text| text.encode_utf16().count())
    }
    fn walk(value: &Value) -> usize {
        let mut sum = 0;
        match value {
            Value::Array(list) => sum += list.iter().map(walk).sum::<usize>(),
            Value::Object(object) => {
                if let Some(text) = object.get("text").filter(|text| text.is_string()) {
                    let n = units(text);
                    assert!(n > 0, "an empty text object: {value}");
                    let max = if object["type"] == "text" {
                        8_000
                    } else {
                        3_000
                    };
                    assert!(n <= max, "{n} characters in one text");
                    sum += n;
                }
                sum += object.values().map(walk).sum::<usize>();
            }
            _ => {}
        }
        sum
    }
    assert!(drawn.text.encode_utf16().count() <= 4_000);
    assert!(!drawn.text.is_empty());
    assert!((1..=50).contains(&drawn.blocks.len()));
    let mut total = 0;
    for block in &drawn.blocks {
        total += walk(block);
        match block["type"].as_str().unwrap() {
            "header" => assert!((1..=150).contains(&units(&block["text"]["text"]))),
            "context" => assert!(block["elements"].as_array().unwrap().len() <= 10),
            "actions" => {
                for button in block["elements"].as_array().unwrap() {
                    assert!(units(&button["text"]["text"]) <= 75);
                    assert!(units(&button["value"]) <= 2_000);
                    assert!(units(&button["action_id"]) <= 255);
                }
            }
            "rich_text" => assert!(!block["elements"].as_array().unwrap().is_empty()),
            "divider" => {}
            other => panic!("an unexpected block: {other}"),
        }
    }
    assert!(total < 11_341, "{total} characters in all");
}

/// Everything that Slack parses: `mrkdwn` texts and the fallback.
fn parsed_texts(drawn: &render::Drawn) -> Vec<String> {
    fn walk(value: &Value, out: &mut Vec<String>) {
        match value {
            Value::Array(list) => list.iter().for_each(|one| walk(one, out)),
            Value::Object(object) => {
                if object.get("type").is_some_and(|kind| kind == "mrkdwn") {
                    out.push(object["text"].as_str().unwrap().to_owned());
                }
                object.values().for_each(|inner| walk(inner, out));
            }
            _ => {}
        }
    }
    let mut out = vec![drawn.text.clone()];
    drawn.blocks.iter().for_each(|block| walk(block, &mut out));
    out
}

fn assert_stays_text(drawn: &render::Drawn) {
    for text in parsed_texts(drawn) {
        for piece in text.split('<').skip(1) {
            let ours = ["@UALICE>", "!date^", "#C1>", "#C2>"]
                .iter()
                .any(|ok| piece.starts_with(ok));
            assert!(ours, "a sequence that nobody of us wrote: <{piece}");
        }
        for bad in ["http://", "https://", "mailto:"] {
            assert!(!text.contains(bad), "a link: {text}");
        }
    }
    let json = Value::from(drawn.blocks.clone()).to_string();
    for bad in [
        "\"broadcast\"",
        "\"usergroup\"",
        "\"link\"",
        "\"emoji\":true",
    ] {
        assert!(!json.contains(bad), "{bad}");
    }
    for control in ['\u{202e}', '\u{202a}', '\u{2066}', '\u{200f}', '\u{200b}'] {
        assert!(!json.contains(control), "{control:?}");
    }
}

fn any_text() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        Just("<!channel>".to_owned()),
        Just("<@U9|x>".to_owned()),
        Just("<https://evil.example|bank>".to_owned()),
        Just("https://evil.example".to_owned()),
        Just("```*_~`".to_owned()),
        Just(":tada:".to_owned()),
        Just("👩‍👩‍👧‍👦🏳️‍🌈👍🏽".to_owned()),
        Just("漢字かな交じり文".to_owned()),
        Just("e\u{301}\u{301}\u{301}z\u{335}\u{336}".to_owned()),
        Just("שלום \u{202e}abc\u{202c} مرحبا".to_owned()),
        Just("\u{200b}\u{200d}\u{feff}\u{2060}".to_owned()),
        Just("\0\u{1b}[31m\n\r\t".to_owned()),
        Just("&lt;&amp;<>".to_owned()),
        any::<String>(),
        "[a-z ]{0,40}",
    ];
    (prop::collection::vec(piece, 0..8), 0_usize..400).prop_map(|(pieces, times)| {
        let text = pieces.concat();
        text.repeat(times % 7 * times / 40 + 1)
    })
}

fn user_group(id: &str) -> DirectoryGroupId {
    DirectoryGroupId::new(format!("slack:T1/{id}")).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(120))]

    #[test]
    fn any_card_holds_the_limits_and_stays_text(
        title in any_text(), project in any_text(), action in any_text(), target in any_text(),
        reason in any_text(), name in any_text(), gives in prop::collection::vec(any_text(), 0..60),
        state in prop::sample::select(RequestState::ALL.to_vec()),
        grant in prop::sample::select(GrantState::ALL.to_vec()),
        votes in 0_usize..60,
    ) {
        let mut one = live(card(), Some(account("UBOB")), grant);
        one.state = state;
        one.title = title;
        one.project = project;
        one.action = action;
        one.target = target;
        one.reason = Some(reason);
        one.notable = vec![
            Notable::FirstTime,
            Notable::HoldsSame(at(60)),
            Notable::HoldsOthers(3),
            Notable::KeyFromChat { fingerprint: "SHA256:abc".into(), given_at: at(0) },
        ];
        one.entitlements = gives;
        one.decisions = vec![yes(Some(account("UBOB")), 1); votes];
        let drawn = render::card(&one, &Names::from([(account("UBOB"), name)]));
        assert_within_limits(&drawn);
        assert_stays_text(&drawn);
        let pressable = drawn.blocks.iter().any(|block| block["type"] == "actions");
        prop_assert_eq!(pressable, state == RequestState::Pending);
    }

    #[test]
    fn any_letter_holds_the_limits_and_stays_text(said in any_text(), how in any_text(), document in any_text()) {
        let card = Box::new(live(card(), None, GrantState::Active));
        for letter in [
            Letter::Stuck { card: card.clone(), failures: 9, said: said.clone() },
            Letter::CardLost { card: card.clone(), said: said.clone() },
            Letter::PlaceLost(Box::new(lost_place(&said))),
            Letter::Record(RecordNews::DoesNotFit { said: said.clone() }),
            Letter::Refused { card: card.clone(), refusal: Refusal::DirectoryUnreachable },
            Letter::Left {
                account: account("UALICE"),
                why: Departure::Account(AccountStatus::Deactivated),
                cards: vec![*card.clone(); said.len() % 200],
            },
            Letter::Group { group: said.clone(), news: GroupNews::Healed { members: 3 } },
            Letter::Group { group: said.clone(), news: GroupNews::NameMoved { held: user_group("S0OLD"), now: user_group("S0NEW") } },
            Letter::KeyChanged { of: account("UALICE"), by: Some(account("UBOB")), fingerprint: Some("SHA256:abc".into()) },
            Letter::YourKeyChanged { by: account("UALICE"), fingerprint: None },
            Letter::Answer(Answer::Key(KeyAnswer { done: None, of: None, fingerprint: Some("SHA256:abc".into()), given_at: None, taken_in_chat: true })),
            Letter::Answer(Answer::Refused(Refusal::BadKey { why: BadKey::Kind(said.clone()) })),
            Letter::DirectoryFails { platform: "slack".into(), said: said.clone() },
            Letter::Ready { occasion: Occasion::MoreTime, card, how_to_use: how, document: Some("k".repeat(document.len().min(9_000))), secret: Some(SecretNews::Here(IssuedSecret::new("s".repeat(2_700)))) },
            Letter::Answer(Answer::Refused(Refusal::BadDuration { typed: said.clone() })),
            Letter::Answer(Answer::Refused(Refusal::UnknownResource { typed: said, suggestion: None })),
        ] {
            let drawn = render::letter(&letter, &names());
            assert_within_limits(&drawn);
            assert_stays_text(&drawn);
        }
    }
}

#[test]
fn a_card_says_what_an_approver_must_know() {
    let drawn = render::card(&card(), &names());
    let said = read(&drawn.blocks);
    for needed in [
        "Access request · Shell on the staging hosts",
        "@UALICE asks for staging-ssh for 1h",
        "shell on the staging hosts, as principal deploy",
        "shop-staging",
        "low",
        "deploy is stuck",
        "enforced by the target. It can be ended early.",
        "Sessions that are open then go on",
        "first request of this person",
        "1 approval needed, from a member of sre",
        "Runs out 2027-01-15 09:00 UTC",
        "ra100000000",
    ] {
        assert!(said.contains(needed), "{needed:?} is missing in:\n{said}");
    }
    let buttons = drawn
        .blocks
        .iter()
        .find(|block| block["type"] == "actions")
        .unwrap();
    assert_eq!(buttons["elements"][0]["action_id"], "jitbot_approve");
    assert_eq!(buttons["elements"][0]["style"], "primary");
    assert_eq!(buttons["elements"][1]["action_id"], "jitbot_deny");
    assert_eq!(buttons["elements"][1]["style"], "danger");
    assert_eq!(
        buttons["elements"][0]["value"],
        "{\"r\":\"ra100000000\",\"v\":1}"
    );
    assert_within_limits(&drawn);
    assert_stays_text(&drawn);
}

#[test]
fn after_the_decision_there_are_no_buttons_but_who_decided_and_how_it_ended() {
    let mut one = live(card(), Some(account("UBOB")), GrantState::Ended);
    let grant = one.grant.as_mut().unwrap();
    grant.reason = Some(EndingReason::Revoked);
    grant.by = Some(account("UBOB"));
    grant.ended_at = Some(at(1_000));
    grant.evidence = Some(Evidence::ToldOnly);
    let drawn = render::card(&one, &names());
    let said = read(&drawn.blocks);
    assert!(said.contains("Ended · Shell"), "{said}");
    assert!(
        said.contains("Approved by bob, 2027-01-15 08:01 UTC"),
        "{said}"
    );
    assert!(said.contains("Over: it was revoked by bob"), "{said}");
    assert!(
        said.contains("it can't be asked whether it is gone"),
        "{said}"
    );
    assert!(!drawn.blocks.iter().any(|block| block["type"] == "actions"));
}

#[test]
fn nobody_is_notified_of_what_a_rule_decided() {
    let drawn = render::card(&live(card(), None, GrantState::Active), &names());
    let all = format!("{} {}", drawn.text, Value::from(drawn.blocks));
    assert!(!all.contains("UALICE") && all.contains("alice"), "{all}");
    assert!(all.contains("Approved by a rule"), "{all}");
}

#[test]
fn only_the_requester_is_notified_by_a_card() {
    let drawn = render::card(
        &live(card(), Some(account("UBOB")), GrantState::Active),
        &Names::new(),
    );
    let json = Value::from(drawn.blocks).to_string();
    assert_eq!(json.matches("\"user_id\"").count(), 1);
    assert!(json.contains("\"user_id\":\"UALICE\""));
}

#[test]
fn letters_name_the_reference_and_what_can_be_done() {
    let one = Box::new(live(card(), Some(account("UBOB")), GrantState::Active));
    let ready = render::letter(
        &Letter::Ready {
            occasion: Occasion::Given,
            card: one.clone(),
            how_to_use: "Save it as id-cert.pub and log in.".into(),
            document: Some("ssh-ed25519-cert-v01@openssh.com AAAA== *key*".into()),
            secret: Some(SecretNews::Here(IssuedSecret::new(
                "once *only* <!here>".into(),
            ))),
        },
        &names(),
    );
    let json = Value::from(ready.blocks.clone()).to_string();
    assert!(
        json.contains(r#"{"elements":[{"text":"ssh-ed25519-cert-v01@openssh.com AAAA== *key*","type":"text"}],"type":"rich_text_preformatted"}"#),
        "{json}"
    );
    assert!(
        json.contains(r#"{"text":"once *only* <!here>","type":"text"}"#),
        "{json}"
    );
    // What a locked phone shows.
    assert!(!ready.text.contains("AAAA"), "{}", ready.text);
    assert!(!ready.text.contains("once"), "{}", ready.text);
    let reminder = render::letter(&Letter::Reminder(one), &names());
    let said = read(&reminder.blocks);
    assert!(said.contains("/jit done ra100000000"), "{said}");
    assert!(said.contains("ends 2027-01-15 09:01 UTC"), "{said}");
}
