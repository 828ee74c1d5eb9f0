//! Who is who, and what can be asked for: alice and erin ask, bob approves, carol is security.

use std::collections::{BTreeMap, BTreeSet};

use jitbot::domain::ids::{AccountId, GroupName, IssuerName, PersonName, Place, ResourceName};
use jitbot::domain::spec::{ContentHash, Risk, TargetAccount};
use jitbot::issuer::{Capabilities, EarlyEnd};
use jitbot::policy::model::{
    Approval, Directories, Group, IssuerFacts, Person, Policy, Resource, Rules, Security, Subject,
};

/// How long an access lasts here, in seconds.
pub const LASTS_S: i64 = 3_600;

/// How long after its approval an access may begin, in seconds.
pub const ACTIVATION_S: i64 = 600;

const PEOPLE: [&str; 4] = ["alice", "erin", "bob", "carol"];

pub fn account(who: &str) -> AccountId {
    assert!(PEOPLE.contains(&who), "nobody is called {who}");
    AccountId::new(format!("slack:T0SHOP/U0{}", who.to_uppercase())).unwrap()
}

pub fn approvals() -> Place {
    Place::new("slack:T0SHOP/C0APPROVALS").unwrap()
}

pub fn security() -> Place {
    Place::new("slack:T0SHOP/C0SECURITY").unwrap()
}

pub fn issuer() -> IssuerName {
    IssuerName::new("target").unwrap()
}

fn person(who: &str) -> PersonName {
    PersonName::new(who).unwrap()
}

fn group(name: &str) -> GroupName {
    GroupName::new(name).unwrap()
}

fn of(name: &str) -> Vec<Subject> {
    vec![Subject::Group(group(name))]
}

fn resource(name: &str) -> Resource {
    Resource {
        name: ResourceName::new(name).unwrap(),
        title: format!("Reading {name}"),
        project: "shop".into(),
        action: "read".into(),
        risk: Risk::Low,
        issuer: issuer(),
        target: "the test's target".into(),
        parameters: serde_json::Map::new(),
        entitlements: vec![format!("read:{name}")],
        default_s: LASTS_S,
        max_s: 8 * LASTS_S,
        request: of("engineering"),
        never: Vec::new(),
        approve: Approval {
            from: of("sre"),
            count: 1,
        },
        auto_approve: Vec::new(),
        channels: vec![approvals()],
        pending_for_s: LASTS_S,
        activation_s: ACTIVATION_S,
        remind_s: vec![600],
        facts_fresh_for_s: 600,
        time_zone: None,
    }
}

/// The rules over a target that can do this: `orders` and `stock` for alice and erin.
pub fn policy(can: &Capabilities) -> Policy {
    let members = |who: &[&str]| Group {
        listed: who.iter().map(|who| account(who)).collect(),
        source: None,
    };
    let known = |who: &str| TargetAccount {
        id: format!("{who}@target"),
        parameters: serde_json::Map::new(),
        given_at: None,
    };
    Policy::from(Rules {
        hash: ContentHash::of(b"engine"),
        text: "engine".into(),
        groups: BTreeMap::from([
            (group("engineering"), members(&["alice", "erin"])),
            (group("sre"), members(&["bob"])),
            (group("security"), members(&["carol"])),
        ]),
        people: PEOPLE
            .iter()
            .map(|who| {
                let one = Person {
                    accounts: vec![account(who)],
                    ssh_keys: Vec::new(),
                    time_zone: None,
                };
                (person(who), one)
            })
            .collect(),
        resources: ["orders", "stock"]
            .into_iter()
            .map(|name| (ResourceName::new(name).unwrap(), resource(name)))
            .collect(),
        issuers: BTreeMap::from([(
            issuer(),
            IssuerFacts {
                retired: false,
                can_end_early: can.early_end != EarlyEnd::Impossible,
                accounts: PEOPLE
                    .iter()
                    .map(|who| (person(who), Ok(known(who))))
                    .collect(),
                keys_in_chat: false,
                bound_to: BTreeSet::new(),
            },
        )]),
        security: Security {
            people: of("security"),
            channels: vec![security()],
        },
        fallback: None,
        communities: BTreeSet::from(["slack:T0SHOP".to_owned()]),
        max_open_per_person: 5,
        directories: Directories {
            moved: Some(BTreeMap::new()),
            ..Directories::default()
        },
    })
}
