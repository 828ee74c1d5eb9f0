//! Issuers: the code that gives and takes away access on a target.
//!
//! An issuer is told everything in the [`GrantOrder`]: it reads no config of resources, no database
//! and no clock of its own but the [`Clock`](crate::clock::Clock) that it was built with.

pub mod child;
pub mod conformance;
pub mod contract;
mod redaction;
pub mod registry;
pub mod ssh_ca;
mod traced;

use std::collections::BTreeSet;

use async_trait::async_trait;
use futures_util::stream::BoxStream;
use serde::{Deserialize, Serialize};

use crate::domain::delivery::IssuedSecret;
use crate::domain::grant::Evidence;
use crate::domain::ids::{AccountId, GrantId, PersonName};
use crate::domain::public_key::PublicKey;
use crate::domain::spec::{Spec, TargetAccount};
use crate::domain::timing::Timestamp;

pub use registry::Registry;
pub use traced::Traced;

/// Whether a target ends access by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NativeExpiry {
    /// It can't hold a deadline.
    None,
    /// It holds one, but access can outlive it.
    Advisory,
    /// It holds one and enforces it.
    Enforced,
}

/// How surely an early end can be known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EarlyEnd {
    /// It can't be ended early at all.
    Impossible,
    /// The target is told, and can't be asked.
    ToldOnly,
    /// The target can be asked.
    Seen,
}

/// As in the config.
impl std::fmt::Display for NativeExpiry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::None => "none",
            Self::Advisory => "advisory",
            Self::Enforced => "enforced",
        })
    }
}

/// As in the config.
impl std::fmt::Display for EarlyEnd {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Impossible => "impossible",
            Self::ToldOnly => "told_only",
            Self::Seen => "seen",
        })
    }
}

/// What an issuer instance can do; shown on the card before anybody approves.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Capabilities {
    /// Whether the target ends it by itself.
    pub native_expiry: NativeExpiry,
    /// Whether it can be ended early.
    pub early_end: EarlyEnd,
    /// Whether sessions that are open go on after the end.
    pub sessions_outlive: bool,
    /// Seconds after which absence can be believed once an outcome was unknown.
    pub settles_within_s: i64,
    /// Whether giving access makes a secret, which its beneficiary is sent once.
    pub makes_secret: bool,
}

/// A person as an issuer needs to know them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PersonFacts {
    /// The config's name.
    pub name: PersonName,
    /// Accounts on chat platforms.
    pub accounts: Vec<AccountId>,
    /// Public SSH keys; the first one is used.
    pub ssh_keys: Vec<PublicKey>,
}

/// One grant, as an issuer is told of it: everything that it may depend on.
#[derive(Debug, Clone, PartialEq)]
pub struct GrantOrder {
    /// The grant's id: the idempotency key, the mark on the target, the key id of what is minted.
    pub grant: GrantId,
    /// Unique number of the grant in this installation, from 1.
    pub serial: u64,
    /// What was approved.
    pub spec: Spec,
    /// When it must have ended, by the machine's clock. To give or extend it: what the target is to
    /// hold. For everything else: the latest end that was ever intended for it, which the intent of an
    /// extension moves only later. The intent precedes every call, so whatever was minted, recorded or
    /// not, is valid until then at most. None where no intent was ever recorded, so nothing was minted.
    pub native_deadline: Option<Timestamp>,
    /// Set where access that is there is given once more so that its secret is made anew: another number
    /// each time. The secret before must not work any more.
    pub renewal: Option<i64>,
}

/// What giving access yielded.
#[derive(Debug, Clone, PartialEq)]
pub struct Issued {
    /// What finds it again; never secret.
    pub handle: serde_json::Value,
    /// Whether it works already.
    pub usable: bool,
    /// How the beneficiary uses it, for people: sentences, in which `` `…` `` is what is typed or
    /// named. A line that begins with `$ ` is a command and stands alone.
    pub how_to_use: String,
    /// A document for the beneficiary, e.g. a certificate; never secret.
    pub document: Option<String>,
    /// A secret that the target made for this grant; whoever has an older one can't use that any more.
    pub secret: Option<IssuedSecret>,
}

/// What the target says of a grant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Presence {
    /// Access is there.
    Present,
    /// Access is not there, and this is how it is known.
    Absent(Evidence),
    /// The target can't be asked.
    CannotTell,
}

/// Something on the target with our mark.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Observed {
    /// The grant that the mark names.
    pub grant: GrantId,
    /// The deadline that the mark names.
    pub deadline: Option<Timestamp>,
}

/// Why a call did not succeed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IssueError {
    /// It was not done; trying again may help.
    #[error("{said}")]
    Retry {
        /// What went wrong, without secrets.
        said: String,
        /// Seconds to wait at least.
        after_s: Option<i64>,
    },
    /// It was not done, and trying again will not help.
    #[error("{said}")]
    Permanent {
        /// What went wrong, without secrets.
        said: String,
    },
    /// Nobody knows whether it was done.
    #[error("{said}")]
    Unknown {
        /// What went wrong, without secrets.
        said: String,
    },
}

/// Gives and takes away access on a target.
#[async_trait]
pub trait Issuer: Send + Sync + 'static {
    /// What this instance can do.
    fn capabilities(&self) -> Capabilities;

    /// What this instance is bound to: each key that it signs with, each place where it ends access,
    /// and how an end is known there where the config alone says so. While it has grants that a target
    /// may accept, none of them may be taken away; a key may be exchanged for another.
    fn bound_to(&self) -> BTreeSet<String>;

    /// Who this person is on the target, before anybody approves.
    ///
    /// # Errors
    /// `Permanent`, in words for the person, when there is none or more than one.
    async fn resolve(&self, person: &PersonFacts) -> Result<TargetAccount, IssueError>;

    /// The entitlements that a resource's parameters mean, one holding each; checked at load.
    ///
    /// # Errors
    /// What is wrong with the parameters, in words for the operator.
    fn entitlements(
        &self,
        parameters: &serde_json::Map<String, serde_json::Value>,
    ) -> Result<Vec<String>, String>;

    /// Gives access until the native deadline. Idempotent by grant id.
    async fn issue(&self, order: &GrantOrder) -> Result<Issued, IssueError>;

    /// Gives access until a later native deadline than before. Idempotent by grant id and deadline.
    async fn extend(
        &self,
        order: &GrantOrder,
        handle: Option<&serde_json::Value>,
    ) -> Result<Issued, IssueError>;

    /// Takes access away. Idempotent, works without a handle, and for what was never given.
    async fn revoke(
        &self,
        order: &GrantOrder,
        handle: Option<&serde_json::Value>,
    ) -> Result<(), IssueError>;

    /// Asks the target.
    async fn inspect(&self, order: &GrantOrder) -> Result<Presence, IssueError>;

    /// What carries our mark on the target.
    fn list(&self) -> BoxStream<'_, Result<Observed, IssueError>>;

    /// Puts onto the target what must stand there whatever grants there are (at start).
    async fn publish(&self) -> Result<(), IssueError>;

    /// Whether this issuer can do its job there.
    async fn check(&self) -> Result<(), IssueError>;
}

/// What an issuer that writes whole lists needs to know of other grants. Read afresh at each call,
/// from the store, so that nothing that was ended is forgotten.
#[async_trait]
pub trait EndedGrants: Send + Sync + 'static {
    /// Grants of this issuer instance whose end was ordered and whose native deadline is later than
    /// the given moment of the machine's clock.
    ///
    /// # Errors
    /// `Retry` when the store can't be read.
    async fn ended_before_their_native_deadline(
        &self,
        machine_now: Timestamp,
    ) -> Result<Vec<GrantOrder>, IssueError>;
}
