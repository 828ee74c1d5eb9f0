//! What a person or a rule said of a request.

use serde::{Deserialize, Serialize};

use super::ids::{GroupName, RequestId};
use super::person::Identity;
use super::spec::ContentHash;
use super::timing::Timestamp;

/// Who decided.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Decider {
    /// A person, and why they may: the group that makes them an approver, and as of when its
    /// members were known (none where the config lists them).
    Person {
        /// Who.
        identity: Identity,
        /// Through which group; none when named in person.
        group: Option<GroupName>,
        /// As of when the group was known.
        group_as_of: Option<Timestamp>,
    },
    /// A rule.
    Rule,
}

/// One approve or deny.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// On which request.
    pub request: RequestId,
    /// Approve, or deny.
    pub approve: bool,
    /// Who.
    pub decider: Decider,
    /// Hash of the spec that was shown.
    pub spec_hash: ContentHash,
    /// Policy that held.
    pub policy_hash: ContentHash,
    /// Rules that allowed or made it.
    pub rules: Vec<String>,
    /// Why, in the person's words; erased on demand.
    pub why: Option<String>,
    /// When.
    pub at: Timestamp,
}
