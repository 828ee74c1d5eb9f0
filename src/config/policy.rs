//! From the config to the policy: everything that decides, with every name resolved.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use super::Config;
use super::groups::{GroupConfig, accounts_of};
use super::problem::{Problem, Problems};
use super::reader::line_in;
use super::resource::ResourceConfig;
use super::subject;
use crate::domain::ids::{DirectoryGroupId, IssuerName, Place, ResourceName};
use crate::domain::public_key::PublicKey;
use crate::domain::spec::ContentHash;
use crate::policy::model::{
    Directories, Group, IssuerFacts, Policy, Resource, Rules, Security, Subject,
};

/// Version of the canonical text: a change of its form changes every hash.
const TEXT_FORMAT: i64 = 1;

/// What an issuer makes of a resource's parameters, or what is wrong with them.
pub type Entitlements<'a> =
    &'a dyn Fn(&IssuerName, &Map<String, Value>) -> Result<Vec<String>, String>;

impl Config {
    /// The policy that this config says.
    ///
    /// `places` holds what [`Config::place_names`] were resolved to, `usergroups` what
    /// [`Config::usergroup_names`] were, `issuers` what each issuer instance says of itself and of
    /// people.
    ///
    /// # Errors
    /// [`Problems`] where a place, a user group or an issuer is missing or an issuer refuses a
    /// resource's `grant`.
    pub fn policy(
        &self,
        places: &BTreeMap<String, Place>,
        usergroups: &BTreeMap<String, DirectoryGroupId>,
        issuers: &BTreeMap<IssuerName, IssuerFacts>,
        entitlements: Entitlements<'_>,
    ) -> Result<Policy, Problems> {
        let mut problems = Vec::new();
        for name in self
            .issuers
            .keys()
            .filter(|name| !issuers.contains_key(*name))
        {
            problems.push(self.problem(
                &format!("issuer.{name}"),
                "this issuer was not started",
                "The messages before this one say why.",
            ));
        }
        let mut groups = BTreeMap::new();
        for (name, config) in &self.groups {
            let source = config.slack_usergroup.as_ref();
            let pinned = source.and_then(|handle| usergroups.get(handle)).cloned();
            if let (Some(handle), None) = (source, &pinned) {
                problems.push(self.problem(
                    &format!("group.{name}.slack_usergroup"),
                    format!("the user group {handle} was not found"),
                    "Check its handle in Slack.",
                ));
            }
            let listed = config
                .members
                .iter()
                .flat_map(|member| accounts_of(member, &self.groups, &self.people))
                .collect();
            let group = Group {
                listed,
                source: pinned,
            };
            groups.insert(name.clone(), group);
        }
        let mut communities = self.communities();
        communities.extend(
            groups
                .values()
                .filter_map(|group| group.source.as_ref())
                .map(|id| format!("{}:{}", id.platform(), id.community())),
        );
        let resolve_one = |key: &str, name: &String, problems: &mut Vec<Problem>| {
            let (what, hint) = match places.get(name) {
                None => (
                    format!("the channel {name} was not found"),
                    "Check its name, and invite the bot into it.",
                ),
                Some(place) if !is_in(&communities, place) => (
                    format!("the channel {name} is in another workspace than the people"),
                    "Correct the team in slack:TEAM/USER, or use that workspace's tokens.",
                ),
                Some(place) => return Some(place.clone()),
            };
            problems.push(self.problem(key, what, hint));
            None
        };
        let resolve = |key: &str, names: &[String], problems: &mut Vec<Problem>| {
            let found = names.iter().enumerate();
            found
                .filter_map(|(i, name)| resolve_one(&format!("{key}[{i}]"), name, problems))
                .collect()
        };
        let security = Security {
            people: self.security.people.clone(),
            channels: resolve("security.channels", &self.security.channels, &mut problems),
        };
        let fallback = self.slack.fallback_channel.as_ref();
        let fallback =
            fallback.and_then(|name| resolve_one("slack.fallback_channel", name, &mut problems));
        let mut resources = BTreeMap::new();
        for (name, config) in &self.resources {
            let channels = resolve(
                &format!("resource.{name}.channels"),
                &config.channels,
                &mut problems,
            );
            let given = match entitlements(&config.issuer, &config.grant) {
                Ok(given) if given.is_empty() => Err("gives nothing".to_owned()),
                other => other,
            };
            match given {
                Ok(given) => {
                    let fresh_for_s = self.facts_fresh_for_s(config);
                    let resource = resource(name, config, channels, given, fresh_for_s);
                    resources.insert(name.clone(), resource);
                }
                Err(what) => problems.push(self.problem(
                    &format!("resource.{name}.grant"),
                    what.trim_end_matches('.'),
                    "",
                )),
            }
        }
        if !problems.is_empty() {
            problems.sort_by_key(|problem| problem.line);
            return Err(Problems(problems));
        }
        let text = self.policy_text();
        Ok(Policy::from(Rules {
            hash: ContentHash::of(text.as_bytes()),
            text,
            groups,
            people: self.people.clone(),
            resources,
            issuers: issuers.clone(),
            security,
            fallback,
            communities,
            max_open_per_person: self.limits.max_open_per_person,
            directories: Directories {
                platforms: BTreeSet::from(["slack".to_owned()]),
                fresh_for_s: self.directory.fresh_for_s,
                moved: None,
                names: usergroups
                    .iter()
                    .map(|(handle, id)| (id.clone(), handle.clone()))
                    .collect(),
            },
        }))
    }

    fn facts_fresh_for_s(&self, resource: &ResourceConfig) -> i64 {
        resource
            .facts_fresh_for_s
            .unwrap_or(self.directory.fresh_for_s)
    }

    /// The canonical text of everything that decides: no secrets, no order and no comment of the
    /// file. Channels stand in it as they are written, so that it is the same before and after
    /// they were looked up.
    #[must_use]
    pub fn policy_text(&self) -> String {
        let groups: Map<String, Value> = self
            .groups
            .iter()
            .map(|(name, group)| (name.to_string(), group_text(group)))
            .collect();
        let people: Map<String, Value> = self
            .people
            .iter()
            .map(|(name, person)| {
                let accounts: BTreeSet<&str> = person
                    .accounts
                    .iter()
                    .map(|account| account.as_str())
                    .collect();
                // The order of keys stays: the first one is used.
                let keys: Vec<&str> = person.ssh_keys.iter().map(PublicKey::line).collect();
                let zone = person.time_zone.map(|zone| zone.name());
                let value = json!({"accounts": accounts, "ssh_keys": keys, "time_zone": zone});
                (name.to_string(), value)
            })
            .collect();
        let issuers: Map<String, Value> = self
            .issuers
            .iter()
            .map(|(name, issuer)| {
                let mut value = json!({
                    "kind": issuer.kind(),
                    "retired": issuer.is_retired(),
                    "target": issuer.target(),
                });
                // Told only where it is so: the hashes of older configs stay.
                if issuer.keys_in_chat() {
                    value["keys_in_chat"] = true.into();
                }
                // Who people are there and how access ends is said by the config alone.
                if let Some(contract) = issuer.declared() {
                    value["accounts"] = json!(contract.accounts.listed);
                    value["by_name"] = json!(contract.accounts.by_name);
                    value["can"] = json!(contract.capabilities);
                }
                if let Some(leads_to) = issuer.leads_to() {
                    value["leads_to"] = leads_to;
                }
                (name.to_string(), value)
            })
            .collect();
        let resources: Map<String, Value> = self
            .resources
            .iter()
            .map(|(name, resource)| {
                let fresh_for_s = self.facts_fresh_for_s(resource);
                (name.to_string(), resource_text(resource, fresh_for_s))
            })
            .collect();
        let mut text = json!({
            "directory_fresh_for_s": self.directory.fresh_for_s,
            "format": TEXT_FORMAT,
            "groups": groups,
            "issuers": issuers,
            "max_open_per_person": self.limits.max_open_per_person,
            "people": people,
            "resources": resources,
            "security": {
                "channels": self.security.channels,
                "people": sorted(&self.security.people),
            },
        });
        if let Some(fallback) = &self.slack.fallback_channel {
            text["fallback_channel"] = json!(fallback);
        }
        format!("{text:#}\n")
    }

    /// Hash of [`Config::policy_text`]; the one of every [`Policy`] that is built from this config.
    #[must_use]
    pub fn policy_hash(&self) -> ContentHash {
        ContentHash::of(self.policy_text().as_bytes())
    }

    /// Something that is wrong with what stands under this key.
    pub(crate) fn problem(&self, key: &str, what: impl Into<String>, hint: &str) -> Problem {
        Problem {
            file: self.file.clone(),
            line: line_in(&self.lines, key),
            key: key.to_owned(),
            what: what.into(),
            hint: hint.to_owned(),
        }
    }
}

fn is_in(communities: &BTreeSet<String>, place: &Place) -> bool {
    communities.contains(&format!("{}:{}", place.platform(), place.community()))
}

fn sorted(subjects: &[Subject]) -> Value {
    let texts: BTreeSet<String> = subjects.iter().map(subject::text).collect();
    json!(texts)
}

/// A user group stands in it as it is written, like a channel.
fn group_text(group: &GroupConfig) -> Value {
    match &group.slack_usergroup {
        None => sorted(&group.members),
        Some(handle) => json!({"members": sorted(&group.members), "slack_usergroup": handle}),
    }
}

fn resource_text(resource: &ResourceConfig, facts_fresh_for_s: i64) -> Value {
    let auto_approve: Vec<Value> = resource
        .auto_approve
        .iter()
        .map(|rule| json!({"cool_down_s": rule.cool_down_s, "from": sorted(&rule.from), "max_s": rule.max_s}))
        .collect();
    json!({
        "action": resource.action,
        "activation_s": resource.activation_s,
        "approve": [{"count": resource.approve.count, "from": sorted(&resource.approve.from)}],
        "auto_approve": auto_approve,
        "channels": resource.channels,
        "default_s": resource.default_s,
        "facts_fresh_for_s": facts_fresh_for_s,
        "grant": resource.grant,
        "issuer": resource.issuer,
        "max_s": resource.max_s,
        "never": sorted(&resource.never),
        "pending_for_s": resource.pending_for_s,
        "project": resource.project,
        "remind_s": resource.remind_s,
        "request": sorted(&resource.request),
        "risk": resource.risk,
        "target": resource.target,
        "time_zone": resource.time_zone.map(|zone| zone.name()),
        "title": resource.title,
    })
}

fn resource(
    name: &ResourceName,
    config: &ResourceConfig,
    channels: Vec<Place>,
    entitlements: Vec<String>,
    facts_fresh_for_s: i64,
) -> Resource {
    Resource {
        name: name.clone(),
        title: config.title.clone(),
        project: config.project.clone(),
        action: config.action.clone(),
        risk: config.risk,
        issuer: config.issuer.clone(),
        target: config.target.clone(),
        parameters: config.grant.clone(),
        entitlements,
        default_s: config.default_s,
        max_s: config.max_s,
        request: config.request.clone(),
        never: config.never.clone(),
        approve: config.approve.clone(),
        auto_approve: config.auto_approve.clone(),
        channels,
        pending_for_s: config.pending_for_s,
        activation_s: config.activation_s,
        remind_s: config.remind_s.clone(),
        facts_fresh_for_s,
        time_zone: config.time_zone,
    }
}
