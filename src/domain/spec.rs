//! What was approved, frozen.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::ids::{IssuerName, ResourceName};
use super::public_key::PublicKey;
use super::timing::{Timestamp, seconds};

/// How bad it is if the access is misused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Risk {
    /// Little harm.
    Low,
    /// Some harm.
    Medium,
    /// Serious harm.
    High,
    /// Harm to everything.
    Critical,
}

impl Risk {
    /// The word for it in config, cards and records.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Critical => "critical",
        }
    }
}

/// Who somebody is on a target, as its issuer resolved it before the approval.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TargetAccount {
    /// Stable id on the target, e.g. the fingerprint of an SSH key. With the issuer and an
    /// entitlement it makes a holding.
    pub id: String,
    /// What only this account needs, e.g. the public key to certify. Never secret.
    pub parameters: serde_json::Map<String, serde_json::Value>,
    /// When its person named it in chat; none where the config does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub given_at: Option<Timestamp>,
}

/// A key that was given in chat is new for so long, in seconds: no rule approves access for it, so
/// that whoever got hold of an account for an hour can't bring a key of their own and be let in
/// without a person's look.
pub const NEW_KEY_S: i64 = 86_400;

impl TargetAccount {
    /// An account that a target knows by its public key.
    #[must_use]
    pub fn of_key(key: &PublicKey, given_at: Option<Timestamp>) -> Self {
        let mut parameters = serde_json::Map::new();
        parameters.insert("public_key".to_owned(), key.line().into());
        Self {
            id: key.fingerprint().to_owned(),
            parameters,
            given_at,
        }
    }

    /// Whether it was named in chat so lately that only people approve access for it.
    #[must_use]
    pub fn is_new(&self, now: Timestamp) -> bool {
        self.given_at
            .is_some_and(|at| now - at < seconds(NEW_KEY_S))
    }
}

/// What a decision is about: frozen at submission, hashed into every vote, and the only thing that
/// an issuer is told. Today's config is never consulted for what was approved yesterday.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Spec {
    /// The resource's name in the config.
    pub resource: ResourceName,
    /// Its title when it was asked for.
    pub title: String,
    /// Its project.
    pub project: String,
    /// Its action.
    pub action: String,
    /// Its risk.
    pub risk: Risk,
    /// The issuer instance that gives it.
    pub issuer: IssuerName,
    /// Where, in words for people.
    pub target: String,
    /// Who the beneficiary is there.
    pub account: TargetAccount,
    /// What each account gets there, one holding each; e.g. `principal:deploy`.
    pub entitlements: Vec<String>,
    /// The issuer's own parameters for this resource.
    pub parameters: serde_json::Map<String, serde_json::Value>,
    /// Seconds from the start to the end.
    pub duration_s: i64,
    /// The moment past which it must not last, where one was named (`until 18:00`).
    pub until: Option<Timestamp>,
}

/// SHA-256 over the canonical text of something, in hexadecimal.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ContentHash(pub String);

impl ContentHash {
    /// The hash of these bytes.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        Self(hex::encode(Sha256::digest(bytes)))
    }

    /// The first 12 digits, enough for people to compare.
    #[must_use]
    pub fn short(&self) -> &str {
        self.0.get(..12).unwrap_or(&self.0)
    }
}

impl std::fmt::Display for ContentHash {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl Spec {
    /// The canonical text: fields in the order above, maps sorted by key.
    #[must_use]
    pub fn canonical(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }

    /// What votes are bound to.
    #[must_use]
    pub fn hash(&self) -> ContentHash {
        ContentHash::of(self.canonical().as_bytes())
    }
}
