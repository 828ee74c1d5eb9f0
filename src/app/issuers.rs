//! The issuers of a config, built, and what they say of themselves.

mod built;

use std::collections::BTreeMap;
use std::sync::Arc;

use anyhow::bail;

use self::built::{Built, build_one};
pub(super) use self::built::{build_alone, build_ssh_ca};

use crate::clock::{Clock, SystemClock};
use crate::config::Config;
use crate::domain::ids::IssuerName;
use crate::http::routes::Desks;
use crate::issuer::registry::Instances;
use crate::issuer::{EarlyEnd, IssueError, Issuer, Traced};
use crate::policy::model::IssuerFacts;
use crate::service::Service;

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
            let traced = Traced::of(name.clone(), one.issuer());
            (name.clone(), Arc::new(traced))
        };
        self.0.iter().map(instance).collect()
    }

    /// For the HTTP server.
    pub(super) fn desks(&self) -> Desks {
        self.0
            .iter()
            .filter_map(|(name, one)| Some((name.clone(), one.desk()?)))
            .collect()
    }

    /// From here on they read of other grants through this service.
    pub(super) fn read_through(&self, service: &Arc<Service>) {
        for one in self.0.values() {
            one.read_through(service);
        }
    }

    /// What an issuer makes of a resource's parameters.
    pub(super) fn entitlements(
        &self,
        issuer: &IssuerName,
        parameters: &serde_json::Map<String, serde_json::Value>,
    ) -> Result<Vec<String>, String> {
        match self.0.get(issuer) {
            Some(one) => one.issuer().entitlements(parameters),
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
            let Some(issuer) = self.0.get(name).map(Built::issuer) else {
                continue;
            };
            // It may be well again when it is needed, so that is no reason to stay
            // down; nor is it waited for, for a target that hangs must not keep the others from being served.
            tokio::spawn({
                let (issuer, name) = (issuer.clone(), name.clone());
                async move {
                    if let Err(error) = issuer.check().await {
                        tracing::warn!(issuer = %name, "it can't do its job now: {error}");
                    }
                }
            });
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

/// What would keep a bot with this config from starting, as far as this machine alone can tell. A
/// secret that can't be read here is no problem: it may be readable where the bot runs.
#[must_use]
pub fn offline_problems(config: &Config) -> Vec<String> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
    let mut problems = Vec::new();
    let mut bound = BTreeMap::new();
    for (name, settings) in &config.issuers {
        if settings
            .secrets()
            .iter()
            .any(|(_, secret)| secret.read().is_err())
        {
            continue;
        }
        match build_one(name, settings, None, &clock) {
            Ok(one) => {
                bound.insert(name, one.issuer().bound_to());
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
