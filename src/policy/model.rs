//! Rules as data, with every name resolved.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::{Deref, DerefMut};
use std::sync::Arc;

use serde_json::{Map, Value};

use crate::domain::directory::Known;
use crate::domain::ids::{
    AccountId, DirectoryGroupId, GroupName, IssuerName, PersonName, Place, ResourceName,
};
use crate::domain::person::Identity;
pub use crate::domain::person::Subject;
use crate::domain::public_key::PublicKey;
use crate::domain::spec::{ContentHash, Risk, TargetAccount};

/// A group: whom the config lists, and whoever is in a platform's group.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Group {
    /// Whom the config lists; that can't be stale.
    pub listed: BTreeSet<AccountId>,
    /// The platform's group whose members belong to it too.
    pub source: Option<DirectoryGroupId>,
}

/// What chat can't tell about somebody.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    /// Accounts that are this person.
    pub accounts: Vec<AccountId>,
    /// Public SSH keys; the first one is used.
    pub ssh_keys: Vec<PublicKey>,
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
    /// Whether people whom it does not know otherwise may name their public key in chat.
    pub keys_in_chat: bool,
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

/// Which directories are asked, and how often.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Directories {
    /// Platforms that say whether an account may act at all, e.g. `slack`. An account of another one
    /// is taken for what the config says of it.
    pub platforms: BTreeSet<String>,
    /// Seconds for which facts hold where no resource says otherwise.
    pub fresh_for_s: i64,
    /// Under which name the config found each group.
    pub names: BTreeMap<DirectoryGroupId, String>,
    /// Which other group a name has come to mean since, for those names; the one above counts. None where
    /// that is not known.
    pub moved: Option<BTreeMap<String, DirectoryGroupId>>,
}

/// The shortest time between two looks at the same fact, in seconds.
const REFRESH_MIN_S: i64 = 15;

/// What the config says, with every name resolved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rules {
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
    /// Directories.
    pub directories: Directories,
}

/// Everything that decides, at one moment: the rules, and what is known of the people whom it is
/// about. Reads like the rules; cheap to clone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    rules: Arc<Rules>,
    /// What is known. A policy that was not told knows nobody, and so lets nobody do what needs a
    /// directory.
    pub known: Known,
}

impl From<Rules> for Policy {
    fn from(rules: Rules) -> Self {
        Self {
            rules: Arc::new(rules),
            known: Known::default(),
        }
    }
}

impl Deref for Policy {
    type Target = Rules;

    fn deref(&self) -> &Rules {
        &self.rules
    }
}

impl DerefMut for Policy {
    fn deref_mut(&mut self) -> &mut Rules {
        Arc::make_mut(&mut self.rules)
    }
}

impl Policy {
    /// These rules, with what is known now.
    #[must_use]
    pub fn knowing(&self, known: Known) -> Self {
        Self {
            rules: self.rules.clone(),
            known,
        }
    }
}

impl Rules {
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

    /// Every account of security. `members` says who is in the groups that are named.
    #[must_use]
    pub fn security_accounts(
        &self,
        members: &BTreeMap<GroupName, BTreeSet<AccountId>>,
    ) -> Vec<AccountId> {
        let mut accounts: Vec<AccountId> = Vec::new();
        for subject in &self.security.people {
            let named: Vec<&AccountId> = match subject {
                Subject::Account(account) => vec![account],
                Subject::Person(name) => {
                    let person = self.people.get(name);
                    person
                        .map(|one| one.accounts.iter().collect())
                        .unwrap_or_default()
                }
                Subject::Group(name) => members.get(name).into_iter().flatten().collect(),
            };
            for account in named {
                if !accounts.contains(account) {
                    accounts.push(account.clone());
                }
            }
        }
        accounts
    }

    /// Of several accounts of one person only the first.
    #[must_use]
    pub fn one_of_each_person(&self, accounts: Vec<AccountId>) -> Vec<AccountId> {
        let mut people = BTreeSet::new();
        let mut is_first = |account: &AccountId| {
            let who = self.identify(account).person;
            people.insert(who.map_or_else(|| account.to_string(), |name| format!("person:{name}")))
        };
        accounts.into_iter().filter(|one| is_first(one)).collect()
    }

    /// What each issuer is bound to.
    #[must_use]
    pub fn bound_to(&self) -> BTreeMap<IssuerName, BTreeSet<String>> {
        self.issuers
            .iter()
            .map(|(name, facts)| (name.clone(), facts.bound_to.clone()))
            .collect()
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

    /// All accounts of whoever acts here, the acting one first.
    #[must_use]
    pub fn accounts_of(&self, identity: &Identity) -> Vec<AccountId> {
        let linked = identity
            .person
            .as_ref()
            .and_then(|name| self.people.get(name))
            .map(|person| person.accounts.as_slice())
            .unwrap_or_default();
        let mut accounts = vec![identity.account.clone()];
        accounts.extend(linked.iter().filter(|a| **a != identity.account).cloned());
        accounts
    }

    /// The platform's groups that any group of the config takes its people from.
    #[must_use]
    pub fn sources(&self, platform: &str) -> BTreeSet<DirectoryGroupId> {
        self.groups
            .values()
            .filter_map(|group| group.source.clone())
            .filter(|source| source.platform() == platform)
            .collect()
    }

    /// Every account that the config names, of this platform.
    #[must_use]
    pub fn named_accounts(&self, platform: &str) -> BTreeSet<AccountId> {
        let rules = self.resources.values().flat_map(|resource| {
            resource
                .request
                .iter()
                .chain(&resource.approve.from)
                .chain(resource.auto_approve.iter().flat_map(|rule| &rule.from))
        });
        rules
            .chain(&self.security.people)
            .filter_map(|subject| match subject {
                Subject::Account(account) => Some(account),
                Subject::Group(_) | Subject::Person(_) => None,
            })
            .chain(self.groups.values().flat_map(|group| &group.listed))
            .chain(self.people.values().flat_map(|person| &person.accounts))
            .filter(|account| account.platform() == platform)
            .cloned()
            .collect()
    }

    /// How often each fact is asked for anew, in seconds: before it is too old for anybody.
    #[must_use]
    pub fn refresh_every_s(&self) -> i64 {
        let shortest = self
            .resources
            .values()
            .map(|resource| resource.facts_fresh_for_s)
            .chain([self.directories.fresh_for_s])
            .min()
            .unwrap_or_default();
        (shortest / 2).max(REFRESH_MIN_S)
    }
}
