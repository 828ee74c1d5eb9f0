//! From the config to the policy: everything that decides, with every name resolved.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use super::Config;
use super::people::accounts_of;
use super::problem::{Problem, Problems};
use super::reader::line_in;
use super::resource::ResourceConfig;
use super::subject;
use crate::domain::ids::{IssuerName, Place, ResourceName};
use crate::domain::spec::ContentHash;
use crate::policy::model::{Group, IssuerFacts, Policy, Resource, Security, Subject};

/// Version of the canonical text: a change of its form changes every hash.
const TEXT_FORMAT: i64 = 1;

/// What an issuer makes of a resource's parameters, or what is wrong with them.
pub type Entitlements<'a> =
    &'a dyn Fn(&IssuerName, &Map<String, Value>) -> Result<Vec<String>, String>;

impl Config {
    /// The policy that this config says.
    ///
    /// `places` holds what [`Config::place_names`] were resolved to, `issuers` what each issuer
    /// instance says of itself and of people.
    ///
    /// # Errors
    /// [`Problems`] where a place or an issuer is missing or an issuer refuses a resource's `grant`.
    pub fn policy(
        &self,
        places: &BTreeMap<String, Place>,
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
        let communities = self.communities();
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
                    resources.insert(name.clone(), resource(name, config, channels, given));
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
        Ok(Policy {
            hash: ContentHash::of(text.as_bytes()),
            text,
            groups: self
                .groups
                .iter()
                .map(|(name, members)| {
                    let members = members
                        .iter()
                        .flat_map(|member| accounts_of(member, &self.groups, &self.people))
                        .collect();
                    (
                        name.clone(),
                        Group {
                            members,
                            as_of: None,
                        },
                    )
                })
                .collect(),
            people: self.people.clone(),
            resources,
            issuers: issuers.clone(),
            security,
            fallback,
            communities,
            max_open_per_person: self.limits.max_open_per_person,
        })
    }

    /// The canonical text of everything that decides: no secrets, no order and no comment of the
    /// file. Channels stand in it as they are written, so that it is the same before and after
    /// they were looked up.
    #[must_use]
    pub fn policy_text(&self) -> String {
        let groups: Map<String, Value> = self
            .groups
            .iter()
            .map(|(name, members)| (name.to_string(), sorted(members)))
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
                let keys: Vec<&str> = person.ssh_keys.iter().map(|k| without_comment(k)).collect();
                let zone = person.time_zone.map(|zone| zone.name());
                let value = json!({"accounts": accounts, "ssh_keys": keys, "time_zone": zone});
                (name.to_string(), value)
            })
            .collect();
        let issuers: Map<String, Value> = self
            .issuers
            .iter()
            .map(|(name, issuer)| {
                let value = json!({
                    "kind": issuer.kind(),
                    "retired": issuer.is_retired(),
                    "target": issuer.target(),
                });
                (name.to_string(), value)
            })
            .collect();
        let resources: Map<String, Value> = self
            .resources
            .iter()
            .map(|(name, resource)| (name.to_string(), resource_text(resource)))
            .collect();
        let mut text = json!({
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

    fn problem(&self, key: &str, what: impl Into<String>, hint: &str) -> Problem {
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

/// Type and key of an OpenSSH line.
fn without_comment(line: &str) -> &str {
    let end = line.match_indices(' ').nth(1).map(|(at, _)| at);
    end.map_or(line, |end| &line[..end])
}

fn sorted(subjects: &[Subject]) -> Value {
    let texts: BTreeSet<String> = subjects.iter().map(subject::text).collect();
    json!(texts)
}

fn resource_text(resource: &ResourceConfig) -> Value {
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
        "facts_fresh_for_s": resource.facts_fresh_for_s,
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
        facts_fresh_for_s: config.facts_fresh_for_s,
        time_zone: config.time_zone,
    }
}
