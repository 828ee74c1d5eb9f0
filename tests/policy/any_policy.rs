//! Policies that nobody wrote: few names, so that rules meet people often, and every mixture of
//! them, with facts of any age and numbers of any size.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{NaiveTime, TimeDelta};
use jitbot::domain::command::WantedEnd;
use jitbot::domain::directory::{AccountStatus, Known, KnownAccount, KnownGroup};
use jitbot::domain::ids::AccountId;
use jitbot::domain::spec::{ContentHash, Risk, TargetAccount};
use jitbot::policy::model::{
    Approval, AutoApproval, Directories, Group, IssuerFacts, Person, Policy, Resource, Rules,
    Security, Subject,
};
use proptest::collection::{btree_set, vec};
use proptest::option;
use proptest::prelude::*;

use crate::house::{account, group, issuer_name, now, person, resource_name, source};

const ACCOUNTS: [&str; 6] = ["U1", "U2", "U3", "D1", "D2", "D3"];
const PEOPLE: [&str; 3] = ["alice", "bob", "carol"];
const GROUPS: [&str; 4] = ["eng", "sre", "oncall", "guards"];
const RESOURCES: [&str; 3] = ["staging-ssh", "staging-db", "prod-ssh"];
const ISSUERS: [&str; 2] = ["ca", "other-ca"];

pub fn any_account() -> impl Strategy<Value = AccountId> {
    prop::sample::select(&ACCOUNTS[..]).prop_map(account)
}

fn any_subject() -> impl Strategy<Value = Subject> {
    prop_oneof![
        3 => prop::sample::select(&GROUPS[..]).prop_map(|name| Subject::Group(group(name))),
        1 => prop::sample::select(&PEOPLE[..]).prop_map(|name| Subject::Person(person(name))),
        1 => any_account().prop_map(Subject::Account),
    ]
}

pub fn any_seconds() -> impl Strategy<Value = i64> {
    prop_oneof![6 => 0..20_000_i64, 1 => -100..100_i64, 1 => any::<i64>()]
}

pub fn any_end() -> impl Strategy<Value = WantedEnd> {
    prop_oneof![
        1 => Just(WantedEnd::Default),
        4 => any_seconds().prop_map(WantedEnd::After),
        2 => (0..86_400_u32).prop_map(|s| {
            WantedEnd::Until(NaiveTime::from_num_seconds_from_midnight_opt(s, 0).unwrap())
        }),
    ]
}

fn any_zone() -> impl Strategy<Value = Option<chrono_tz::Tz>> {
    option::of(prop::sample::select(&chrono_tz::TZ_VARIANTS[..]))
}

/// Each account belongs to one person at most, as the config guarantees.
fn any_people() -> impl Strategy<Value = BTreeMap<&'static str, Vec<AccountId>>> {
    vec(option::of(0..PEOPLE.len()), ACCOUNTS.len()).prop_map(|owners| {
        let mut people: BTreeMap<&str, Vec<AccountId>> = BTreeMap::new();
        for (short, owner) in ACCOUNTS.iter().zip(owners) {
            if let Some(owner) = owner {
                people
                    .entry(PEOPLE[owner])
                    .or_default()
                    .push(account(short));
            }
        }
        people
    })
}

/// Whom the config lists, and perhaps a platform's group, of which perhaps something is known.
type AnyGroup = (BTreeSet<AccountId>, Option<Option<KnownGroup>>);

fn any_group() -> impl Strategy<Value = AnyGroup> {
    let age = prop_oneof![4 => -700..1_300_i64, 1 => 80_000..100_000_i64];
    let known = (
        btree_set(any_account(), 0..4),
        age,
        prop::bool::weighted(0.1),
    )
        .prop_map(|(members, age_s, in_doubt)| KnownGroup {
            as_of: now() - TimeDelta::seconds(age_s),
            in_doubt,
            members,
        });
    (
        btree_set(any_account(), 0..3),
        option::of(option::weighted(0.9, known)),
    )
}

fn any_status() -> impl Strategy<Value = KnownAccount> {
    let status = prop_oneof![
        6 => Just(AccountStatus::Member),
        1 => prop::sample::select(&AccountStatus::ALL[..]),
    ];
    (status, -700..1_300_i64).prop_map(|(status, age_s)| KnownAccount {
        status,
        time_zone: None,
        as_of: now() - TimeDelta::seconds(age_s),
    })
}

fn some_subjects() -> impl Strategy<Value = Vec<Subject>> {
    vec(any_subject(), 0..4)
}

fn any_resource(name: &'static str) -> impl Strategy<Value = Resource> {
    let rules = (
        some_subjects(),
        vec(any_subject(), 0..2),
        some_subjects(),
        vec((some_subjects(), any_seconds()), 0..3),
    );
    let numbers = (
        any_seconds(),
        any_seconds(),
        prop_oneof![3 => Just(600), 1 => any_seconds()],
    );
    (rules, numbers, 0..ISSUERS.len(), any_zone()).prop_map(
        move |((request, never, from, auto), (default_s, max_s, fresh_s), issuer, time_zone)| {
            Resource {
                name: resource_name(name),
                title: name.into(),
                project: "shop".into(),
                action: "shell".into(),
                risk: Risk::Low,
                issuer: issuer_name(ISSUERS[issuer]),
                target: "staging".into(),
                parameters: serde_json::Map::new(),
                entitlements: vec!["principal:deploy".into()],
                default_s,
                max_s,
                request,
                never,
                approve: Approval { from, count: 1 },
                auto_approve: auto
                    .into_iter()
                    .map(|(from, max_s)| AutoApproval {
                        from,
                        max_s,
                        cool_down_s: 3_600,
                    })
                    .collect(),
                channels: Vec::new(),
                pending_for_s: 3_600,
                activation_s: 600,
                remind_s: Vec::new(),
                facts_fresh_for_s: fresh_s,
                time_zone,
            }
        },
    )
}

fn any_issuer() -> impl Strategy<Value = IssuerFacts> {
    (prop::bool::weighted(0.1), vec(0..10_u8, PEOPLE.len())).prop_map(|(retired, known)| {
        let accounts = PEOPLE.iter().zip(known).filter(|(_, n)| *n > 0);
        IssuerFacts {
            retired,
            can_end_early: true,
            keys_in_chat: false,
            bound_to: BTreeSet::new(),
            accounts: accounts
                .map(|(name, n)| {
                    let account = TargetAccount {
                        id: format!("SHA256:{name}"),
                        parameters: serde_json::Map::new(),
                        given_at: None,
                    };
                    let known = if n > 1 {
                        Ok(account)
                    } else {
                        Err("a key".into())
                    };
                    (person(name), known)
                })
                .collect(),
        }
    })
}

pub fn any_policy() -> impl Strategy<Value = Policy> {
    let resources = RESOURCES.map(any_resource);
    (
        (any_people(), vec(any_zone(), PEOPLE.len())),
        vec(option::weighted(0.9, any_group()), GROUPS.len()),
        (resources, btree_set(0..RESOURCES.len(), 1..=3)),
        vec(option::weighted(0.9, any_issuer()), ISSUERS.len()),
        (
            some_subjects(),
            any::<bool>(),
            vec(option::weighted(0.9, any_status()), ACCOUNTS.len()),
        ),
    )
        .prop_map(
            |((people, zones), groups, (resources, kept), issuers, (security, asked, statuses))| {
                let named = |names: &'static [&'static str]| names.iter();
                let mut known = Known {
                    about: ACCOUNTS.into_iter().map(account).collect(),
                    accounts: ACCOUNTS
                        .into_iter()
                        .zip(statuses)
                        .filter_map(|(name, status)| Some((account(name), status?)))
                        .collect(),
                    ..Known::default()
                };
                let mut told = BTreeMap::new();
                for (name, one) in GROUPS.into_iter().zip(groups) {
                    let Some((listed, source_of)) = one else {
                        continue;
                    };
                    let id = source_of.as_ref().map(|_| source(name));
                    if let (Some(id), Some(Some(seen))) = (&id, source_of) {
                        known.groups.insert(id.clone(), seen);
                    }
                    told.insert(group(name), Group { listed, source: id });
                }
                let rules = Rules {
                    hash: ContentHash::of(b"any"),
                    text: "any".into(),
                    groups: told,
                    people: people
                        .into_iter()
                        .zip(zones)
                        .map(|((name, accounts), time_zone)| {
                            let ssh_keys = Vec::new();
                            (
                                person(name),
                                Person {
                                    accounts,
                                    ssh_keys,
                                    time_zone,
                                },
                            )
                        })
                        .collect(),
                    resources: resources
                        .into_iter()
                        .enumerate()
                        .filter(|(i, _)| kept.contains(i))
                        .map(|(_, resource)| (resource.name.clone(), resource))
                        .collect(),
                    issuers: named(&ISSUERS)
                        .zip(issuers)
                        .filter_map(|(name, known)| Some((issuer_name(name), known?)))
                        .collect(),
                    security: Security {
                        people: security,
                        channels: Vec::new(),
                    },
                    fallback: None,
                    communities: BTreeSet::new(),
                    max_open_per_person: 5,
                    directories: Directories {
                        // Whether Slack says who may act at all; Discord never does here.
                        platforms: asked.then(|| "slack".to_owned()).into_iter().collect(),
                        fresh_for_s: 600,
                        ..Directories::default()
                    },
                };
                Policy::from(rules).knowing(known)
            },
        )
}

/// What is typed: names of the house, near misses, anything at all.
pub fn any_typed() -> impl Strategy<Value = String> {
    prop_oneof![
        6 => prop::sample::select(&RESOURCES[..]).prop_map(str::to_owned),
        2 => "(staging|prod|stagin)-?(ssh|db|sh)",
        1 => any::<String>(),
    ]
}
