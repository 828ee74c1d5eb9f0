//! What no single key shows: whether rules have people, and people what they need.

use std::collections::{BTreeMap, BTreeSet};

use super::Config;
use super::humans::{Human, said};
use super::issuer::IssuerConfig;
use super::problem::nearest;
use super::reach::{Approvers, Beyond};
use super::reader::Source;
use super::resource::ResourceConfig;
use crate::domain::ids::{IssuerName, ResourceName};
use crate::issuer::contract::Accounts;
use crate::policy::model::Subject;

/// Says what is wrong between the parts of a config that was read without a problem.
pub(super) fn check(config: &Config, source: &Source<'_>) {
    one_team(config, source);
    if config.humans(&config.security.people).is_empty()
        && !config.are_known_elsewhere(&config.security.people)
    {
        source.problem_at(
            "security.people",
            "nobody is security",
            "Name somebody, or put people into the group: they are told when an access can't be taken away.",
        );
    }
    for (name, issuer) in &config.issuers {
        if issuer.needs_http() && config.http.is_none() {
            source.problem_at(
                &format!("issuer.{name}.krl.fetch"),
                "hosts are to fetch from the bot, which serves no HTTP",
                "Add [http] with listen = \"127.0.0.1:8910\".",
            );
        }
    }
    if config.resources.is_empty() && !source.has_problem_under("resource") {
        source.problem(
            0,
            "resource",
            "there is nothing to ask for",
            "Define at least one [resource.NAME].",
        );
    }
    for (name, issuer) in &config.issuers {
        let listed = issuer.declared().map(|contract| &contract.accounts.listed);
        for person in listed.into_iter().flat_map(|listed| listed.keys()) {
            if !config.people.contains_key(person) {
                source.problem_at(
                    &format!("issuer.{name}.accounts.{person}"),
                    format!("there is no person `{person}`"),
                    nearest(person.as_str(), config.people.keys().map(|p| p.as_str())),
                );
            }
        }
        if let Some(contract) = issuer.declared() {
            everybody_is_somebody_else(config, source, name, &contract.accounts);
        }
    }
    let mut found: BTreeMap<Rules<'_>, Vec<Finding>> = BTreeMap::new();
    for (name, resource) in &config.resources {
        let findings = found
            .entry(Rules::of(resource))
            .or_insert_with(|| rules_have_people(config, name, resource));
        for finding in findings.iter() {
            finding.say(source, name);
        }
    }
}

/// Two people with one account would have each other's access, and approve it for themselves.
fn everybody_is_somebody_else(
    config: &Config,
    source: &Source<'_>,
    issuer: &IssuerName,
    accounts: &Accounts,
) {
    for (person, account) in &accounts.listed {
        let same = config.people.keys().find(|other| {
            let counted = accounts.listed.contains_key(*other) && *other > person;
            *other != person && !counted && accounts.of(other).as_ref() == Some(account)
        });
        if let Some(other) = same {
            source.problem_at(
                &format!("issuer.{issuer}.accounts.{person}"),
                format!("`{account}` is the account of `{other}` there too"),
                "Write an account of its own for each person.",
            );
        }
    }
}

fn one_team(config: &Config, source: &Source<'_>) {
    let teams: BTreeSet<String> = config.communities();
    if teams.len() > 1 {
        let teams: Vec<String> = teams.into_iter().collect();
        source.problem(
            0,
            "",
            format!(
                "accounts of {} workspaces are named: {}",
                teams.len(),
                teams.join(", ")
            ),
            "One bot serves one Slack workspace; correct the team in slack:TEAM/USER.",
        );
    }
}

/// What decides whether rules have people: resources often share all of it.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Rules<'c> {
    request: &'c [Subject],
    never: &'c [Subject],
    approve: (&'c [Subject], i64),
    issuer: &'c IssuerName,
}

impl<'c> Rules<'c> {
    fn of(resource: &'c ResourceConfig) -> Self {
        Self {
            request: &resource.request,
            never: &resource.never,
            approve: (&resource.approve.from, resource.approve.count),
            issuer: &resource.issuer,
        }
    }
}

/// What is found of the rules of a resource.
struct Finding {
    /// Below the resource.
    key: &'static str,
    is_problem: bool,
    what: String,
    hint: &'static str,
}

impl Finding {
    fn say(&self, source: &Source<'_>, name: &ResourceName) {
        let key = format!("resource.{name}.{}", self.key);
        if self.is_problem {
            source.problem_at(&key, self.what.as_str(), self.hint);
        } else {
            source.warning_at(&key, self.what.as_str(), self.hint);
        }
    }
}

fn problem(key: &'static str, what: impl Into<String>, hint: &'static str) -> Finding {
    Finding {
        key,
        is_problem: true,
        what: what.into(),
        hint,
    }
}

fn warning(key: &'static str, what: String, hint: &'static str) -> Finding {
    Finding {
        key,
        is_problem: false,
        what,
        hint,
    }
}

fn rules_have_people(
    config: &Config,
    name: &ResourceName,
    resource: &ResourceConfig,
) -> Vec<Finding> {
    let mut findings = Vec::new();
    let never = config.humans(&resource.never);
    let requesters: BTreeSet<Human> = config
        .humans(&resource.request)
        .difference(&never)
        .cloned()
        .collect();
    if requesters.is_empty() && !config.are_known_elsewhere(&resource.request) {
        findings.push(problem(
            "request",
            "nobody may ask for this",
            "Name somebody who is not in never, or put people into the group.",
        ));
    }
    // Of a user group, whether they are enough is seen where Slack is asked.
    if let Some(approvers) = config.approvers(name, &Beyond::default()) {
        findings.extend(approvers_are_enough(&approvers));
    }
    let known_there = |human: &Human| -> bool {
        let Human::Person(person) = human else {
            return false;
        };
        match config
            .issuers
            .get(&resource.issuer)
            .and_then(IssuerConfig::declared)
        {
            Some(contract) => contract.accounts.of(person).is_some(),
            None => config
                .people
                .get(person)
                .is_some_and(|person| !person.ssh_keys.is_empty()),
        }
    };
    let unknown_there: Vec<String> = requesters
        .iter()
        .filter(|human| !known_there(human))
        .map(said)
        .collect();
    let in_chat = config
        .issuers
        .get(&resource.issuer)
        .is_some_and(IssuerConfig::keys_in_chat);
    if !unknown_there.is_empty() && !in_chat {
        let by_key = config
            .issuers
            .get(&resource.issuer)
            .is_none_or(|issuer| issuer.declared().is_none());
        let (what, hint) = if by_key {
            (
                "SSH key",
                "Add ssh_keys to [person.NAME] for each, or set keys_in_chat on the issuer.",
            )
        } else {
            (
                "account there",
                "Add a [person.NAME] for each, and name them in the issuer's accounts where they are called otherwise.",
            )
        };
        findings.push(warning(
            "request",
            format!(
                "no {what} is known of {}, who will be refused",
                unknown_there.join(", ")
            ),
            hint,
        ));
    }
    findings
}

fn approvers_are_enough(approvers: &Approvers) -> Option<Finding> {
    let (needed, there) = (approvers.needed, approvers.there);
    if there == 0 {
        Some(problem(
            "approve[0].from",
            "nobody can approve this",
            "Name somebody, or put people into the group.",
        ))
    } else if there < needed {
        Some(problem(
            "approve[0].count",
            format!("{needed} people must approve, and there are only {there}"),
            "Lower count, or name more people.",
        ))
    } else if !approvers.alone.is_empty() {
        Some(warning(
            "approve[0].from",
            format!(
                "too few others can approve what is asked for by {}",
                approvers.alone.join(", ")
            ),
            "Nobody approves what they asked for: name more people.",
        ))
    } else {
        None
    }
}
