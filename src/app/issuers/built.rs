//! Builds an issuer from the config, or takes up the one that is there with the same settings.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use anyhow::anyhow;

use crate::clock::Clock;
use crate::config::issuer::{
    CommandConfig, ContractConfig, HostsWay, IssuerConfig, SshCaConfig, Variable, WebhookConfig,
};
use crate::domain::ids::IssuerName;
use crate::effects::ended_grants::EndedGrantsOf;
use crate::issuer::contract::webhook::WebhookSettings;
use crate::issuer::contract::{Contracted, Program, Settings, Webhook, program};
use crate::issuer::ssh_ca::desk::Desk;
use crate::issuer::ssh_ca::push::Push;
use crate::issuer::ssh_ca::{self, SshCa};
use crate::issuer::{EndedGrants, Issuer};
use crate::service::Service;
use crate::web_call::trust::CaFile;

/// An instance, and what it was built from.
#[derive(Clone)]
pub(super) enum Built {
    /// It signs SSH certificates.
    SshCa {
        /// What it was built from.
        settings: ssh_ca::Settings,
        /// It.
        ca: Arc<SshCa>,
        /// What it reads of other grants.
        ended: Arc<EndedGrantsOf>,
    },
    /// It asks somebody else.
    Contracted {
        /// What it was built from.
        settings: Box<(Settings, Leads)>,
        /// It.
        issuer: Arc<dyn Issuer>,
    },
}

/// Where a contracted issuer leads.
#[derive(Clone, PartialEq)]
pub(super) enum Leads {
    /// To a program.
    To(Program),
    /// To a receiver.
    Over(WebhookSettings),
}

impl Built {
    pub(super) fn issuer(&self) -> Arc<dyn Issuer> {
        match self {
            Self::SshCa { ca, .. } => ca.clone(),
            Self::Contracted { issuer, .. } => issuer.clone(),
        }
    }

    pub(super) fn desk(&self) -> Option<Arc<Desk>> {
        match self {
            Self::SshCa { ca, .. } => ca.desk(),
            Self::Contracted { .. } => None,
        }
    }

    /// From here on it reads of other grants through this service.
    pub(super) fn read_through(&self, service: &Arc<Service>) {
        if let Self::SshCa { ended, .. } = self {
            ended.read_through(service.clone());
        }
    }
}

/// Builds one. One that a config before had with the same settings stays what it is.
///
/// # Errors
/// What is wrong, in words for the operator.
pub(super) fn build_one(
    name: &IssuerName,
    settings: &IssuerConfig,
    before: Option<&Built>,
    clock: &Arc<dyn Clock>,
) -> anyhow::Result<Built> {
    match settings {
        IssuerConfig::SshCa(config) => ssh_ca(name, config, before, clock),
        IssuerConfig::Command(config) => {
            let leads = Leads::To(program_of(config)?);
            contracted(name, &config.contract, leads, before, clock)
        }
        IssuerConfig::Webhook(config) => {
            let leads = Leads::Over(webhook_of(name, config)?);
            contracted(name, &config.contract, leads, before, clock)
        }
    }
}

fn ssh_ca(
    name: &IssuerName,
    config: &SshCaConfig,
    before: Option<&Built>,
    clock: &Arc<dyn Clock>,
) -> anyhow::Result<Built> {
    let settings = ssh_ca_settings(name, config)?;
    let before = match before {
        Some(same @ Built::SshCa { settings: was, .. }) if *was == settings => {
            return Ok(same.clone());
        }
        Some(Built::SshCa { ca, .. }) => Some(ca),
        Some(Built::Contracted { .. }) | None => None,
    };
    let ended = Arc::new(EndedGrantsOf::new(name.clone()));
    let mut ca = SshCa::new(settings.clone(), ended.clone(), clock.clone())?;
    if let Some(before) = before {
        ca.take_over(before);
    }
    Ok(Built::SshCa {
        settings,
        ca: Arc::new(ca),
        ended,
    })
}

/// Builds one by itself, for a bench.
///
/// # Errors
/// What is wrong, in words for the operator.
pub(in crate::app) fn build_alone(
    name: &IssuerName,
    settings: &IssuerConfig,
    clock: &Arc<dyn Clock>,
) -> anyhow::Result<Arc<dyn Issuer>> {
    Ok(build_one(name, settings, None, clock)?.issuer())
}

/// Builds one that signs SSH certificates and reads of other grants in these books.
///
/// # Errors
/// What is wrong, in words for the operator.
pub(in crate::app) fn build_ssh_ca(
    name: &IssuerName,
    config: &SshCaConfig,
    ended: Arc<dyn EndedGrants>,
    clock: &Arc<dyn Clock>,
) -> anyhow::Result<Arc<dyn Issuer>> {
    let settings = ssh_ca_settings(name, config)?;
    Ok(Arc::new(SshCa::new(settings, ended, clock.clone())?))
}

fn ssh_ca_settings(name: &IssuerName, config: &SshCaConfig) -> anyhow::Result<ssh_ca::Settings> {
    Ok(ssh_ca::Settings {
        name: name.clone(),
        ca_key: config.ca_key.read()?,
        hosts: hosts(&config.hosts)?,
        target: config.target.clone(),
    })
}

fn contracted(
    name: &IssuerName,
    contract: &ContractConfig,
    leads: Leads,
    before: Option<&Built>,
    clock: &Arc<dyn Clock>,
) -> anyhow::Result<Built> {
    let common = Settings {
        name: name.clone(),
        accounts: contract.accounts.clone(),
        capabilities: contract.capabilities.clone(),
    };
    let settings = Box::new((common.clone(), leads.clone()));
    if let Some(same @ Built::Contracted { settings: was, .. }) = before
        && *was == settings
    {
        return Ok(same.clone());
    }
    let issuer: Arc<dyn Issuer> = match leads {
        Leads::To(program) => Arc::new(Contracted::new(common, program, clock.clone())),
        Leads::Over(webhook) => {
            let webhook = Webhook::new(webhook, clock.clone())
                .map_err(|why| anyhow!("issuer {name}: {why}"))?;
            Arc::new(Contracted::new(common, webhook, clock.clone()))
        }
    };
    Ok(Built::Contracted { settings, issuer })
}

fn program_of(config: &CommandConfig) -> anyhow::Result<Program> {
    let mut environment = Vec::with_capacity(config.environment.len());
    for (name, variable) in &config.environment {
        let variable = match variable {
            Variable::Plain(text) => program::Variable::Plain(text.clone()),
            Variable::Secret(secret) => program::Variable::Secret(secret.read()?),
        };
        environment.push((name.clone(), variable));
    }
    Ok(Program {
        argv: config.program.clone(),
        environment,
        time_limit: time_limit(&config.contract),
    })
}

fn webhook_of(name: &IssuerName, config: &WebhookConfig) -> anyhow::Result<WebhookSettings> {
    let mut secrets = vec![config.secret.read()?];
    if let Some(former) = &config.former_secret {
        secrets.push(former.read()?);
    }
    let ca_file = match &config.ca_file {
        Some(path) => Some(CaFile::read(path).map_err(|why| anyhow!("issuer {name}: {why}"))?),
        None => None,
    };
    Ok(WebhookSettings {
        url: config.url.clone(),
        secrets,
        allow_private: config.allow_private,
        ca_file,
        time_limit: time_limit(&config.contract),
    })
}

fn time_limit(contract: &ContractConfig) -> Duration {
    Duration::from_secs(u64::try_from(contract.time_limit_s).unwrap_or(10))
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
            let (mut tokens, mut former) = (BTreeMap::new(), BTreeMap::new());
            for (host, of_host) in hosts {
                tokens.insert(host.clone(), of_host.token.read()?);
                if let Some(one) = &of_host.former {
                    former.insert(host.clone(), one.read()?);
                }
            }
            ssh_ca::Hosts::Fetch {
                hosts: tokens,
                former,
            }
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::SystemClock;
    use crate::config::secret::SecretSource;
    use crate::domain::ids::IssuerName;
    use crate::issuer::contract::Accounts;
    use crate::issuer::{Capabilities, EarlyEnd, NativeExpiry};

    fn certificate() -> String {
        let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]);
        made.expect("a certificate").cert.pem()
    }

    /// Renewed under its old name, a file means another authority.
    #[test]
    fn a_file_of_certificates_with_another_content_is_taken_up() {
        let room = tempfile::tempdir().expect("a folder");
        let path = room.path().join("ca.pem");
        std::fs::write(&path, certificate()).expect("a file");
        let secret = format!("whsec_{}", "a".repeat(32));
        let config = IssuerConfig::Webhook(WebhookConfig {
            url: "https://a.example/".parse().expect("an address"),
            secret: SecretSource::Env {
                name: "S".to_owned(),
                value: secret.into(),
            },
            former_secret: None,
            allow_private: false,
            ca_file: Some(path.clone()),
            contract: ContractConfig {
                accounts: Accounts {
                    by_name: true,
                    listed: BTreeMap::new(),
                },
                capabilities: Capabilities {
                    native_expiry: NativeExpiry::None,
                    early_end: EarlyEnd::Seen,
                    sessions_outlive: true,
                    settles_within_s: 60,
                    makes_secret: false,
                },
                time_limit_s: 10,
                target: "there".to_owned(),
                retired: false,
            },
        });
        let name = IssuerName::new("box").expect("a name");
        let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
        let build = |before: Option<&Built>| {
            build_one(&name, &config, before, &clock).expect("it can be built")
        };
        let first = build(None);
        let same = build(Some(&first));
        assert!(Arc::ptr_eq(&first.issuer(), &same.issuer()));
        std::fs::write(&path, certificate()).expect("a file");
        let other = build(Some(&first));
        assert!(!Arc::ptr_eq(&first.issuer(), &other.issuer()));
    }
}
