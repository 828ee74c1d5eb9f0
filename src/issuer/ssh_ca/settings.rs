//! What an instance is made of.

use std::collections::BTreeMap;
use std::path::PathBuf;

use secrecy::{ExposeSecret as _, SecretString};

use super::certificate::CaKeyError;
use super::push::Push;
use crate::domain::ids::IssuerName;

/// How hosts learn of what ended early.
#[derive(Debug, Clone)]
pub enum Hosts {
    /// A file that sshd on this machine reads.
    Path(PathBuf),
    /// A program that hands it to each host.
    Push(Push),
    /// Hosts fetch it from us, each with its own token.
    Fetch {
        /// Names of hosts and their tokens.
        hosts: BTreeMap<String, SecretString>,
        /// Tokens that count as well, while others replace them.
        former: BTreeMap<String, SecretString>,
    },
    /// There is no way to the hosts: nothing can be ended early.
    None,
}

/// What an issuer instance is made of.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Its name in the config.
    pub name: IssuerName,
    /// The CA's private key as OpenSSH writes it.
    pub ca_key: SecretString,
    /// How hosts learn of what ended early.
    pub hosts: Hosts,
    /// Where certificates work, in words for people.
    pub target: String,
}

impl PartialEq for Settings {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
            && self.target == other.target
            && self.hosts == other.hosts
            && is_same(&self.ca_key, &other.ca_key)
    }
}

impl PartialEq for Hosts {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Path(path), Self::Path(other)) => path == other,
            (Self::Push(push), Self::Push(other)) => push == other,
            (
                Self::Fetch { hosts, former },
                Self::Fetch {
                    hosts: other_hosts,
                    former: other_former,
                },
            ) => are_same(hosts, other_hosts) && are_same(former, other_former),
            (Self::None, Self::None) => true,
            _ => false,
        }
    }
}

fn are_same(
    tokens: &BTreeMap<String, SecretString>,
    others: &BTreeMap<String, SecretString>,
) -> bool {
    tokens.len() == others.len()
        && tokens.iter().all(|(host, token)| {
            let other = others.get(host);
            other.is_some_and(|other| is_same(token, other))
        })
}

fn is_same(secret: &SecretString, other: &SecretString) -> bool {
    secret.expose_secret() == other.expose_secret()
}

/// Why an issuer instance can't be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SetupError {
    /// The CA's key.
    #[error("issuer {issuer}: {why}")]
    CaKey {
        /// The instance.
        issuer: IssuerName,
        /// Why.
        why: CaKeyError,
    },
    /// The way to the hosts.
    #[error("issuer {issuer}: {what}")]
    Hosts {
        /// The instance.
        issuer: IssuerName,
        /// What is wrong.
        what: String,
    },
}
