//! A small house to judge in, and short words for its people, rules and answers.
//!
//! | account | person | groups |
//! |---|---|---|
//! | U1, and D1 on Discord | alice, in Berlin | eng, old, ancient, edge (U1 only) |
//! | U2 | bob | eng, sre, old, ancient |
//! | U3 | carol | eng, guards |
//! | U4 | dave | sre |
//! | U5 | nobody's | eng |
//!
//! `eng` and `guards` are listed by the config; `sre` was fetched a minute ago, `edge` exactly as
//! long ago as facts hold, `old` a second longer, `ancient` longer ago than anything is believed of;
//! `lost` is named by rules and known to nobody. No platform is asked of accounts.

use std::collections::{BTreeMap, BTreeSet};

use chrono::TimeDelta;
use jitbot::domain::command::WantedEnd;
use jitbot::domain::directory::{Known, KnownGroup};
use jitbot::domain::ids::{
    AccountId, DirectoryGroupId, GroupName, IssuerName, PersonName, Place, RequestId, ResourceName,
};
use jitbot::domain::refusal::Refusal;
use jitbot::domain::request::{Request, RequestState};
use jitbot::domain::spec::{ContentHash, Risk, TargetAccount};
use jitbot::domain::timing::Timestamp;
use jitbot::policy::evaluate;
use jitbot::policy::membership::LAST_KNOWN_FOR_S;
use jitbot::policy::model::{
    Approval, AutoApproval, Directories, Group, IssuerFacts, Person, Policy, Resource, Rules,
    Security, Subject,
};

/// For how long facts about groups hold in this house, in seconds.
pub const FRESH_S: i64 = 600;

/// The moment at which everything is judged unless a row says otherwise.
pub fn now() -> Timestamp {
    instant("2026-03-10T12:00:00Z")
}

/// An instant as RFC 3339 writes it.
pub fn instant(text: &str) -> Timestamp {
    chrono::DateTime::parse_from_rfc3339(text).unwrap().to_utc()
}

/// `U1` is on Slack, `D1` on Discord.
pub fn account(short: &str) -> AccountId {
    let platform = if short.starts_with('D') {
        "discord:9"
    } else {
        "slack:T1"
    };
    AccountId::new(format!("{platform}/{short}")).unwrap()
}

pub fn group(name: &str) -> GroupName {
    GroupName::new(name).unwrap()
}

pub fn person(name: &str) -> PersonName {
    PersonName::new(name).unwrap()
}

pub fn resource_name(name: &str) -> ResourceName {
    ResourceName::new(name).unwrap()
}

pub fn issuer_name(name: &str) -> IssuerName {
    IssuerName::new(name).unwrap()
}

/// `group:eng person:alice U5`.
pub fn subjects(words: &str) -> Vec<Subject> {
    words
        .split_whitespace()
        .map(|word| match word.split_once(':') {
            Some(("group", name)) => Subject::Group(group(name)),
            Some(("person", name)) => Subject::Person(person(name)),
            _ => Subject::Account(account(word)),
        })
        .collect()
}

fn listed(words: &str) -> Group {
    Group {
        listed: words.split_whitespace().map(account).collect(),
        source: None,
    }
}

/// The platform's group of this name.
pub fn source(name: &str) -> DirectoryGroupId {
    DirectoryGroupId::new(format!("slack:T1/S{name}")).unwrap()
}

fn fetched(name: &str) -> Group {
    Group {
        listed: BTreeSet::new(),
        source: Some(source(name)),
    }
}

/// That these are in the platform's group, as of so many seconds ago.
pub fn seen(name: &str, words: &str, age_s: i64) -> (DirectoryGroupId, KnownGroup) {
    let group = KnownGroup {
        as_of: now() - TimeDelta::seconds(age_s),
        in_doubt: false,
        members: words.split_whitespace().map(account).collect(),
    };
    (source(name), group)
}

/// Everybody was looked up.
pub const EVERYBODY: &str = "U1 U2 U3 U4 U5 U6 U9 D1 D2 D3";

pub fn human(accounts: &str, time_zone: Option<chrono_tz::Tz>) -> Person {
    Person {
        accounts: accounts.split_whitespace().map(account).collect(),
        ssh_keys: Vec::new(),
        time_zone,
    }
}

fn known_as(id: &str) -> Result<TargetAccount, String> {
    Ok(TargetAccount {
        id: id.to_owned(),
        parameters: serde_json::from_str(r#"{"key": "ssh-ed25519 AAAA"}"#).unwrap(),
        given_at: None,
    })
}

fn resource(name: &str, request: &str) -> Resource {
    Resource {
        name: resource_name(name),
        title: "Shell on the staging hosts".into(),
        project: "shop".into(),
        action: "shell".into(),
        risk: Risk::Low,
        issuer: issuer_name("ca"),
        target: "staging".into(),
        parameters: serde_json::from_str(r#"{"principals": ["deploy"]}"#).unwrap(),
        entitlements: vec!["principal:deploy".into()],
        default_s: 3_600,
        max_s: 8 * 3_600,
        request: subjects(request),
        never: Vec::new(),
        approve: Approval {
            from: subjects("group:sre"),
            count: 1,
        },
        auto_approve: Vec::new(),
        channels: vec![Place::new("slack:T1/C1").unwrap()],
        pending_for_s: 3_600,
        activation_s: 600,
        remind_s: vec![600],
        facts_fresh_for_s: FRESH_S,
        time_zone: None,
    }
}

/// The house: `staging-ssh` for eng, `staging-db` for carol alone, `prod-ssh` for nobody.
pub fn house() -> Policy {
    let accounts = BTreeMap::from([
        (person("alice"), known_as("SHA256:alice")),
        (person("bob"), known_as("SHA256:bob")),
        (person("carol"), known_as("SHA256:carol")),
        (person("dave"), Err("an SSH key of yours".to_owned())),
    ]);
    let issuer = IssuerFacts {
        retired: false,
        can_end_early: true,
        keys_in_chat: false,
        bound_to: BTreeSet::new(),
        accounts,
    };
    let rules = Rules {
        hash: ContentHash::of(b"house"),
        text: "house".into(),
        groups: BTreeMap::from([
            (group("eng"), listed("U1 U2 U3 U5")),
            (group("sre"), fetched("sre")),
            (group("guards"), listed("U3")),
            (group("edge"), fetched("edge")),
            (group("old"), fetched("old")),
            (group("ancient"), fetched("ancient")),
        ]),
        people: BTreeMap::from([
            (
                person("alice"),
                human("U1 D1", Some(chrono_tz::Europe::Berlin)),
            ),
            (person("bob"), human("U2", None)),
            (person("carol"), human("U3", None)),
            (person("dave"), human("U4", None)),
        ]),
        resources: [
            resource("staging-ssh", "group:eng"),
            resource("staging-db", "person:carol"),
            resource("prod-ssh", ""),
        ]
        .into_iter()
        .map(|resource| (resource.name.clone(), resource))
        .collect(),
        issuers: BTreeMap::from([
            (issuer_name("ca"), issuer.clone()),
            (issuer_name("other-ca"), issuer),
        ]),
        security: Security {
            people: subjects("group:guards"),
            channels: Vec::new(),
        },
        fallback: None,
        communities: BTreeSet::from(["slack:T1".to_owned()]),
        max_open_per_person: 5,
        directories: Directories {
            fresh_for_s: FRESH_S,
            ..Directories::default()
        },
    };
    Policy::from(rules).knowing(Known {
        keys: Default::default(),
        about: EVERYBODY.split_whitespace().map(account).collect(),
        accounts: BTreeMap::new(),
        groups: BTreeMap::from([
            seen("sre", "U2 U4", 60),
            seen("edge", "U1", FRESH_S),
            seen("old", "U1 U2", FRESH_S + 1),
            seen("ancient", "U1 U2", LAST_KNOWN_FOR_S + 1),
        ]),
    })
}

/// The house with another `staging-ssh`.
pub fn house_with(change: impl FnOnce(&mut Resource)) -> Policy {
    let mut house = house();
    change(
        house
            .resources
            .get_mut(&resource_name("staging-ssh"))
            .unwrap(),
    );
    house
}

/// The resource that most rows are about.
pub fn staging(policy: &Policy) -> &Resource {
    &policy.resources[&resource_name("staging-ssh")]
}

/// `group:oncall 3600`: who is approved without people, for how long at most.
pub fn auto(from: &str, max_s: i64) -> AutoApproval {
    AutoApproval {
        from: subjects(from),
        max_s,
        cool_down_s: 3_600,
    }
}

/// What stands after this account asked for an hour of `staging-ssh` in this house.
pub fn asked_by(policy: &Policy, who: &str) -> Request {
    let requester = policy.identify(&account(who));
    let wanted = WantedEnd::After(3_600);
    let allowed = evaluate::submission(policy, &requester, "staging-ssh", wanted, now()).unwrap();
    Request {
        id: RequestId::from_bits(7),
        state: RequestState::Pending,
        beneficiary: requester.clone(),
        requester,
        spec_hash: allowed.spec.hash(),
        spec: allowed.spec,
        reason: Some("the deploy is stuck".into()),
        origin: Place::new("slack:T1/C1").unwrap(),
        card_place: None,
        approvals_needed: allowed.approvals_needed,
        version: 1,
        submitted_at: now(),
        pending_until: now() + TimeDelta::seconds(3_600),
        decided_at: None,
        extends: None,
    }
}

/// A refusal in one line: its name, then what it says beside.
pub fn told(refusal: &Refusal) -> String {
    let names = |who: &[Subject]| {
        let names: Vec<String> = who
            .iter()
            .map(|subject| match subject {
                Subject::Group(name) => name.to_string(),
                Subject::Person(name) => name.to_string(),
                Subject::Account(account) => account.to_string(),
            })
            .collect();
        names.join(" ")
    };
    let beside = match refusal {
        Refusal::MayNotAsk { who, .. } | Refusal::NotAnApprover { who } => names(who),
        Refusal::FactsTooOld { group, as_of } => match as_of {
            Some(as_of) => format!("{group} {}s", (now() - as_of).num_seconds()),
            None => format!("{group} never"),
        },
        Refusal::UnknownResource { suggestion, .. } => suggestion
            .as_ref()
            .map_or("nothing like it".into(), |name| format!("try {name}")),
        Refusal::TooLong { asked_s, max_s } => format!("{asked_s} > {max_s}"),
        Refusal::TooShort { min_s } => format!("< {min_s}"),
        Refusal::NoAccount { issuer, missing } => format!("{issuer}: {missing}"),
        _ => String::new(),
    };
    format!("{} {beside}", refusal.code()).trim().to_owned()
}

/// Compares a table's answers with what was expected, all rows at once.
pub fn compare(rows: impl IntoIterator<Item = (String, String, String)>) {
    let wrong: Vec<String> = rows
        .into_iter()
        .filter(|(_, expected, got)| expected != got)
        .map(|(row, expected, got)| format!("{row}\n    expected: {expected}\n    got:      {got}"))
        .collect();
    assert!(wrong.is_empty(), "\n{}\n", wrong.join("\n"));
}
