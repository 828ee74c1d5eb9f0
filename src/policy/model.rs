//! Rules as data, with every name resolved.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use crate::domain::ids::{AccountId, GroupName, IssuerName, PersonName, Place, ResourceName};
use crate::domain::person::Identity;
pub use crate::domain::person::Subject;
use crate::domain::spec::{ContentHash, Risk, TargetAccount};
use crate::domain::timing::Timestamp;

/// A group as it is known now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// Who is in it.
    pub members: BTreeSet<AccountId>,
    /// As of when that is known; none where the config itself lists the members, which can't be stale.
    pub as_of: Option<Timestamp>,
}

/// What chat can't tell about somebody.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    /// Accounts that are this person.
    pub accounts: Vec<AccountId>,
    /// Public SSH keys, one OpenSSH line each.
    pub ssh_keys: Vec<String>,
    /// IANA name of their time zone.
    pub time_zone: Option<chrono_tz::Tz>,
}

/// How many people out of which groups must approve.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Approval {
    /// Who may approve.
    pub from: Vec<Subject>,
    /// How many different people must.
    pub count: i64,
}

/// A rule that approves without people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AutoApproval {
    /// For whom.
    pub from: Vec<Subject>,
    /// Longest access on end, in seconds.
    pub max_s: i64,
    /// Access that begins sooner than this after the last end goes on from it, in seconds.
    pub cool_down_s: i64,
}

/// Something that can be asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resource {
    /// Its name.
    pub name: ResourceName,
    /// For people.
    pub title: String,
    /// Project.
    pub project: String,
    /// Action.
    pub action: String,
    /// Risk.
    pub risk: Risk,
    /// The issuer instance that gives it.
    pub issuer: IssuerName,
    /// Where, in words for people.
    pub target: String,
    /// The issuer's parameters.
    pub parameters: Map<String, Value>,
    /// What the parameters mean as entitlements, from the issuer.
    pub entitlements: Vec<String>,
    /// Duration when none is asked for, in seconds.
    pub default_s: i64,
    /// Longest duration, in seconds.
    pub max_s: i64,
    /// Who may ask.
    pub request: Vec<Subject>,
    /// Who never may, whatever else says so.
    pub never: Vec<Subject>,
    /// Who approves; exactly one stage today.
    pub approve: Approval,
    /// Rules that approve without people, first match first.
    pub auto_approve: Vec<AutoApproval>,
    /// Where the card goes; the first one.
    pub channels: Vec<Place>,
    /// Seconds that a request waits for people.
    pub pending_for_s: i64,
    /// Seconds after the approval within which access must have been given.
    pub activation_s: i64,
    /// Seconds before the end at which the beneficiary is reminded.
    pub remind_s: Vec<i64>,
    /// Seconds for which facts about groups hold.
    pub facts_fresh_for_s: i64,
    /// Zone in which `until 18:00` is read for people without one.
    pub time_zone: Option<chrono_tz::Tz>,
}

/// What the policy needs to know of an issuer instance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IssuerFacts {
    /// Only takes away any more.
    pub retired: bool,
    /// Whether it can end access early at all.
    pub can_end_early: bool,
    /// Who each person is there, or what is missing, in words for that person.
    pub accounts: BTreeMap<PersonName, Result<TargetAccount, String>>,
    /// What it is bound to: each key that it signs with, each place where it ends access.
    pub bound_to: BTreeSet<String>,
}

/// Security: who, and where they read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Security {
    /// Who is security.
    pub people: Vec<Subject>,
    /// Where they are told.
    pub channels: Vec<Place>,
}

/// Everything that decides, at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    /// Hash of the config text that says it, without secrets; on every decision.
    pub hash: ContentHash,
    /// That text, kept once per hash.
    pub text: String,
    /// Groups by name.
    pub groups: BTreeMap<GroupName, Group>,
    /// People by name.
    pub people: BTreeMap<PersonName, Person>,
    /// Resources by name.
    pub resources: BTreeMap<ResourceName, Resource>,
    /// Issuers by name.
    pub issuers: BTreeMap<IssuerName, IssuerFacts>,
    /// Security.
    pub security: Security,
    /// Where cards go whose own channels can't be posted to.
    pub fallback: Option<Place>,
    /// The workspaces and guilds that commands may come from, e.g. `slack:T1`.
    pub communities: BTreeSet<String>,
    /// Open requests that one person may have.
    pub max_open_per_person: i64,
}

impl Policy {
    /// Where the cards of a resource may stand: where it belongs first, the fallback last.
    #[must_use]
    pub fn card_places(&self, resource: &ResourceName) -> Vec<&Place> {
        let mut places: Vec<&Place> = Vec::new();
        let own = self.resources.get(resource).map(|one| &one.channels);
        for place in own.into_iter().flatten().chain(&self.fallback) {
            if !places.contains(&place) {
                places.push(place);
            }
        }
        places
    }

    /// Every channel that anything is posted to.
    #[must_use]
    pub fn places(&self) -> BTreeSet<&Place> {
        self.security
            .channels
            .iter()
            .chain(self.resources.values().flat_map(|one| &one.channels))
            .chain(&self.fallback)
            .collect()
    }

    /// One account of each person of security.
    #[must_use]
    pub fn security_accounts(&self) -> Vec<AccountId> {
        let mut people = BTreeSet::new();
        let mut accounts = Vec::new();
        for subject in &self.security.people {
            let named: Vec<&AccountId> = match subject {
                Subject::Account(account) => vec![account],
                Subject::Person(name) => {
                    let person = self.people.get(name);
                    person
                        .and_then(|one| one.accounts.first())
                        .into_iter()
                        .collect()
                }
                Subject::Group(name) => {
                    let group = self.groups.get(name);
                    group.into_iter().flat_map(|one| &one.members).collect()
                }
            };
            for account in named {
                let identity = self.identify(account);
                let who = identity
                    .person
                    .map_or_else(|| account.to_string(), |name| format!("person:{name}"));
                if people.insert(who) {
                    accounts.push(account.clone());
                }
            }
        }
        accounts
    }

    /// The account with the person that it belongs to.
    #[must_use]
    pub fn identify(&self, account: &AccountId) -> Identity {
        Identity {
            account: account.clone(),
            person: self
                .people
                .iter()
                .find(|(_, person)| person.accounts.contains(account))
                .map(|(name, _)| name.clone()),
        }
    }
}
