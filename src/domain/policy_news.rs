//! What security is told when a config was read: how the policy differs, or why it was not taken up.

use serde::{Deserialize, Serialize};

use super::binding::KeyExchange;
use super::spec::ContentHash;

/// Lines that a message shows at most; the log has them all.
const LINES_MAX: usize = 12;

/// Characters of one line.
const LINE_MAX_CHARS: usize = 300;

/// How one thing of the policy differs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Difference {
    /// It was not there.
    Added,
    /// It is no longer there.
    Removed,
    /// It says something else in these keys; none where it has no keys.
    Changed(Vec<String>),
}

/// One thing of the policy that differs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PolicyChange {
    /// What, as in the config: `resource.staging-ssh`.
    pub what: String,
    /// How.
    pub how: Difference,
}

/// What became of a config that was read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PolicyNews {
    /// Another policy holds from here on.
    Changed {
        /// The one before.
        from: ContentHash,
        /// The one now.
        to: ContentHash,
        /// What differs: the first of it.
        changes: Vec<PolicyChange>,
        /// How much more differs.
        more: usize,
    },
    /// An issuer signs with another key from here on.
    KeyExchanged(KeyExchange),
    /// It can't be used, and nothing changed.
    Refused {
        /// Why: the first problems.
        problems: Vec<String>,
        /// How many more there are.
        more: usize,
    },
}

impl PolicyNews {
    /// Another policy holds.
    #[must_use]
    pub fn changed(from: &ContentHash, to: &ContentHash, mut changes: Vec<PolicyChange>) -> Self {
        let more = changes.len().saturating_sub(LINES_MAX);
        changes.truncate(LINES_MAX);
        Self::Changed {
            from: from.clone(),
            to: to.clone(),
            changes,
            more,
        }
    }

    /// A config was refused.
    #[must_use]
    pub fn refused(problems: &[String]) -> Self {
        let cut = |problem: &String| problem.chars().take(LINE_MAX_CHARS).collect();
        Self::Refused {
            problems: problems.iter().take(LINES_MAX).map(cut).collect(),
            more: problems.len().saturating_sub(LINES_MAX),
        }
    }
}
