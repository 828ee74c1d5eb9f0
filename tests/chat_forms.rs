//! Whatever is typed or configured: a form, a list, a thread and a Home tab hold Slack's limits.

use std::collections::BTreeSet;

use chrono::DateTime;
use jitbot::chat::form::{Field, Form, field_of};
use jitbot::chat::slack::{form, render};
use jitbot::domain::answer::{Answer, ExtendForm, Home, List, Offer, RequestForm, Summary};
use jitbot::domain::command::{ListOf, MessageRef, Press, WantedEnd};
use jitbot::domain::grant::GrantState;
use jitbot::domain::ids::{AccountId, GroupName, Place, RequestId, ResourceName};
use jitbot::domain::person::Subject;
use jitbot::domain::refusal::Refusal;
use jitbot::domain::request::RequestState;
use jitbot::domain::spec::Risk;
use jitbot::domain::timing::Timestamp;
use proptest::prelude::*;
use serde_json::Value;

fn at(s: i64) -> Timestamp {
    DateTime::from_timestamp(1_800_000_000 + s, 0).unwrap()
}

fn place() -> Place {
    Place::new("slack:T1/C1").unwrap()
}

fn offer(n: usize, title: &str) -> Offer {
    Offer {
        resource: ResourceName::new(format!("r{n}-{}", "x".repeat(40))).unwrap(),
        title: title.to_owned(),
        project: title.to_owned(),
        action: title.to_owned(),
        risk: Risk::Critical,
        default_s: 93_784,
        max_s: 31_622_400,
        approvals: 9,
        approvers: vec![Subject::Group(GroupName::new("sre").unwrap()); 30],
        by_rule_up_to_s: n.is_multiple_of(2).then_some(3_600),
        account_missing: n.is_multiple_of(3),
    }
}

fn summary(n: u64, title: &str) -> Summary {
    Summary {
        id: RequestId::from_bits(n),
        resource: ResourceName::new("staging-ssh").unwrap(),
        title: title.to_owned(),
        state: RequestState::Approved,
        grant: Some(GrantState::Active),
        duration_s: 3_600,
        pending_until: at(60),
        deadline: Some(at(3_600)),
        card_place: Some(place()),
        approvers: vec![Subject::Group(GroupName::new("sre").unwrap())],
        requester: Some(AccountId::new("slack:T1/U1").unwrap()),
        extends: None,
    }
}

/// Slack's published limits of views and their inputs, written down here a second time.
fn assert_view_within_limits(view: &Value) {
    let units = |value: &Value| value.as_str().map_or(0, |text| text.encode_utf16().count());
    assert!(units(&view["title"]["text"]) <= 24);
    assert!(units(&view["submit"]["text"]) <= 24);
    assert!(units(&view["close"]["text"]) <= 24);
    assert!(units(&view["private_metadata"]) <= 3_000);
    let blocks = view["blocks"].as_array().unwrap();
    assert!(!blocks.is_empty() && blocks.len() <= 100);
    let mut ids = BTreeSet::new();
    for block in blocks {
        if let Some(id) = block["block_id"].as_str() {
            assert!(ids.insert(id) && id.len() <= 255, "twice: {id}");
        }
        if block["type"] != "input" {
            continue;
        }
        assert!((1..=2_000).contains(&units(&block["label"]["text"])));
        if block.get("hint").is_some() {
            assert!((1..=2_000).contains(&units(&block["hint"]["text"])));
        }
        let element = &block["element"];
        if let Some(initial) = element.get("initial_value") {
            let max = element["max_length"].as_u64().unwrap();
            assert!(max <= 3_000 && units(initial) as u64 <= max);
        }
        if let Some(options) = element.get("options").and_then(Value::as_array) {
            assert!((1..=100).contains(&options.len()));
            let mut values = BTreeSet::new();
            for option in options {
                assert!(
                    (1..=75).contains(&units(&option["text"]["text"])),
                    "{option}"
                );
                assert!((1..=75).contains(&units(&option["value"])), "{option}");
                assert!(units(&option["description"]["text"]) <= 75, "{option}");
                assert!(values.insert(option["value"].as_str().unwrap()));
            }
            if let Some(initial) = element.get("initial_option") {
                assert!(options.contains(initial), "Slack refuses any other");
            }
        }
    }
}

/// Every action_id is unique within its block, every block_id within the view; 25 elements at most.
fn assert_home_within_limits(view: &Value) {
    let blocks = view["blocks"].as_array().unwrap();
    assert!(!blocks.is_empty() && blocks.len() <= 100);
    let mut ids = BTreeSet::new();
    for block in blocks.iter().filter(|block| block["type"] == "actions") {
        assert!(ids.insert(block["block_id"].as_str().unwrap()));
        let elements = block["elements"].as_array().unwrap();
        assert!((1..=25).contains(&elements.len()));
        for element in elements {
            assert!(element["value"].as_str().unwrap().len() <= 2_000);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(80))]

    #[test]
    fn any_form_holds_the_limits(
        title in any::<String>(), typed in any::<String>(), reason in any::<String>(),
        offers in 0_usize..130, seconds in 1_i64..31_622_400,
    ) {
        let offers: Vec<Offer> = (0..offers).map(|n| offer(n, &title)).collect();
        let forms = [
            Form::Request(Box::new(RequestForm {
                resource: offers.last().map(|offer| offer.resource.clone()),
                offers,
                end: Some(WantedEnd::After(seconds)),
                reason: Some(reason.repeat(40)),
            })),
            Form::Extend(Box::new(ExtendForm {
                summary: summary(1, &title),
                propose_s: seconds,
                latest: at(seconds),
            })),
            Form::Deny(
                Box::new(summary(2, &typed)),
                Press {
                    request: RequestId::from_bits(2),
                    version: 1,
                    on: MessageRef { place: place(), message: "17.5".into() },
                },
            ),
        ];
        for one in &forms {
            assert_view_within_limits(&form::view(one, &place()));
        }
    }

    #[test]
    fn any_error_stands_beside_a_field_that_is_there(typed in any::<String>()) {
        let refusals = [
            Refusal::BadDuration { typed: typed.clone() },
            Refusal::UnknownResource { typed: typed.clone(), suggestion: None },
            Refusal::ReasonMissing,
            Refusal::NoLongerOpen { reference: RequestId::from_bits(1), state: RequestState::Denied },
        ];
        for fields in [
            &[Field::Resource, Field::Duration, Field::Reason][..],
            &[Field::Duration, Field::Reason][..],
            &[Field::Reason][..],
        ] {
            for refusal in &refusals {
                let beside = field_of(refusal, fields).unwrap();
                prop_assert!(fields.contains(&beside));
                for said in form::errors(&form::beside(refusal, fields)).values() {
                    prop_assert!(!said.is_empty() && said.encode_utf16().count() <= 300);
                }
            }
        }
    }

    #[test]
    fn any_home_and_any_list_hold_the_limits(
        title in any::<String>(), live in 0_u64..21, open in 0_u64..21, offers in 0_usize..200,
    ) {
        let list = |of| List {
            of,
            live: (0..live).map(|n| summary(n, &title)).collect(),
            open: (100..100 + open).map(|n| summary(n, &title)).collect(),
            more: true,
        };
        let offers: Vec<Offer> = (0..offers).map(|n| offer(n, &title)).collect();
        let home = Home {
            mine: list(ListOf::Mine),
            waiting: list(ListOf::Waiting),
            offers: offers.clone(),
            at: at(0),
        };
        assert_home_within_limits(&render::home(&home));
        for answer in [
            Answer::List(list(ListOf::All)),
            Answer::Resources(offers),
        ] {
            let drawn = render::answer(&answer);
            prop_assert!(drawn.blocks.len() <= 50);
            prop_assert!(!drawn.text.is_empty());
        }
    }
}
