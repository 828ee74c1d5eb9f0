//! Builds issuers from the config, and carries over what a new config leaves as it is.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use anyhow::bail;

use crate::clock::{Clock, SystemClock};
use crate::config::Config;
use crate::config::issuer::{HostsWay, IssuerConfig};
use crate::domain::ids::IssuerName;
use crate::effects::ended_grants::EndedGrantsOf;
use crate::http::routes::Desks;
use crate::issuer::registry::Instances;
use crate::issuer::ssh_ca::push::Push;
use crate::issuer::ssh_ca::{self, SshCa};
use crate::issuer::{EarlyEnd, IssueError, Issuer};
use crate::policy::model::IssuerFacts;
use crate::service::Service;

/// An instance, and what it was built from.
#[derive(Clone)]
struct Built {
    settings: ssh_ca::Settings,
    ca: Arc<SshCa>,
    ended: Arc<EndedGrantsOf>,
}

/// All issuers of a config.
#[derive(Clone, Default)]
pub(super) struct BuiltIssuers(BTreeMap<IssuerName, Built>);

impl BuiltIssuers {
    /// Builds them. One that a config before had with the same settings stays the instance that it
    /// is; one with other settings takes over what the one before knows.
    ///
    /// # Errors
    /// All that can't be built, one line each.
    pub(super) fn build(
        config: &Config,
        before: &Self,
        clock: &Arc<dyn Clock>,
    ) -> anyhow::Result<Self> {
        let (built, unbuilt) = Self::build_each(config, before, clock);
        if unbuilt.is_empty() {
            return Ok(built);
        }
        let lines: Vec<String> = unbuilt.into_values().collect();
        bail!(lines.join("\n"))
    }

    /// Like [`BuiltIssuers::build`], with what can't be built beside those that can.
    pub(super) fn build_each(
        config: &Config,
        before: &Self,
        clock: &Arc<dyn Clock>,
    ) -> (Self, BTreeMap<IssuerName, String>) {
        let mut built = BTreeMap::new();
        let mut unbuilt = BTreeMap::new();
        for (name, settings) in &config.issuers {
            match build_one(name, settings, before.0.get(name), clock) {
                Ok(one) => {
                    built.insert(name.clone(), one);
                }
                Err(error) => {
                    unbuilt.insert(name.clone(), format!("{error:#}"));
                }
            }
        }
        (Self(built), unbuilt)
    }

    /// For the registry.
    pub(super) fn instances(&self) -> Instances {
        let instance = |(name, one): (&IssuerName, &Built)| -> (IssuerName, Arc<dyn Issuer>) {
            (name.clone(), one.ca.clone())
        };
        self.0.iter().map(instance).collect()
    }

    /// For the HTTP server.
    pub(super) fn desks(&self) -> Desks {
        self.0
            .iter()
            .filter_map(|(name, one)| Some((name.clone(), one.ca.desk()?)))
            .collect()
    }

    /// From here on they read of other grants through this service.
    pub(super) fn read_through(&self, service: &Arc<Service>) {
        for one in self.0.values() {
            one.ended.read_through(service.clone());
        }
    }

    /// What an issuer makes of a resource's parameters.
    pub(super) fn entitlements(
        &self,
        issuer: &IssuerName,
        parameters: &serde_json::Map<String, serde_json::Value>,
    ) -> Result<Vec<String>, String> {
        match self.0.get(issuer) {
            Some(one) => one.ca.entitlements(parameters),
            None => Err(format!("there is no issuer `{issuer}`")),
        }
    }

    /// Who everybody is on each target, asked before anybody can ask for anything.
    pub(super) async fn facts(
        &self,
        config: &Config,
    ) -> anyhow::Result<BTreeMap<IssuerName, IssuerFacts>> {
        let mut facts = BTreeMap::new();
        for (name, settings) in &config.issuers {
            let Some(issuer) = self.0.get(name).map(|one| &one.ca) else {
                continue;
            };
            // It may be well again when it is needed, so that is no reason to stay down.
            if let Err(error) = issuer.check().await {
                tracing::warn!(issuer = %name, "it can't do its job now: {error}");
            }
            let mut accounts = BTreeMap::new();
            for person in config.persons() {
                let account = match issuer.resolve(&person).await {
                    Ok(account) => Ok(account),
                    Err(IssueError::Permanent { said }) => Err(said),
                    Err(error) => {
                        bail!("issuer `{name}` can't say who {} is: {error}", person.name)
                    }
                };
                accounts.insert(person.name, account);
            }
            facts.insert(
                name.clone(),
                IssuerFacts {
                    retired: settings.is_retired(),
                    can_end_early: issuer.capabilities().early_end != EarlyEnd::Impossible,
                    accounts,
                    keys_in_chat: settings.keys_in_chat(),
                    bound_to: issuer.bound_to(),
                },
            );
        }
        Ok(facts)
    }
}

fn build_one(
    name: &IssuerName,
    settings: &IssuerConfig,
    before: Option<&Built>,
    clock: &Arc<dyn Clock>,
) -> anyhow::Result<Built> {
    let IssuerConfig::SshCa(config) = settings;
    let settings = ssh_ca::Settings {
        name: name.clone(),
        ca_key: config.ca_key.read()?,
        hosts: hosts(&config.hosts)?,
        target: config.target.clone(),
    };
    if let Some(same) = before.filter(|before| before.settings == settings) {
        return Ok(same.clone());
    }
    let ended = Arc::new(EndedGrantsOf::new(name.clone()));
    let mut ca = SshCa::new(settings.clone(), ended.clone(), clock.clone())?;
    if let Some(before) = before {
        ca.take_over(&before.ca);
    }
    Ok(Built {
        settings,
        ca: Arc::new(ca),
        ended,
    })
}

fn hosts(way: &HostsWay) -> anyhow::Result<ssh_ca::Hosts> {
    Ok(match way {
        HostsWay::None => ssh_ca::Hosts::None,
        HostsWay::Path(path) => ssh_ca::Hosts::Path(path.clone()),
        HostsWay::Push {
            program,
            hosts,
            read_back,
            timeout_s,
        } => ssh_ca::Hosts::Push(Push {
            program: program.clone(),
            hosts: hosts.clone(),
            read_back: *read_back,
            timeout: Duration::from_secs(u64::try_from(*timeout_s).unwrap_or(10)),
        }),
        HostsWay::Fetch { hosts } => {
            let mut tokens = BTreeMap::new();
            for (host, token) in hosts {
                tokens.insert(host.clone(), token.read()?);
            }
            ssh_ca::Hosts::Fetch { hosts: tokens }
        }
    })
}

/// What would keep a bot with this config from starting, as far as this machine alone can tell. A
/// secret that can't be read here is no problem: it may be readable where the bot runs.
#[must_use]
pub fn offline_problems(config: &Config) -> Vec<String> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
    let mut problems = Vec::new();
    let mut bound = BTreeMap::new();
    for (name, settings) in &config.issuers {
        let IssuerConfig::SshCa(ca) = settings;
        if ca.ca_key.read().is_err() {
            continue;
        }
        match build_one(name, settings, None, &clock) {
            Ok(one) => {
                bound.insert(name, one.ca.bound_to());
            }
            Err(error) => problems.push(format!("{error:#}")),
        }
    }
    let bound = bound.iter().map(|(name, bound_to)| (*name, bound_to));
    if let Err(error) = super::guard::refuse_shared(bound) {
        problems.push(error.to_string());
    }
    problems
}
