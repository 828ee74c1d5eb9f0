//! Why somebody is no longer among those who may have what they asked for.

use serde::{Deserialize, Serialize};

use super::directory::AccountStatus;

/// Why.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Departure {
    /// Their account is not a full member's any more.
    Account(AccountStatus),
    /// They are no longer in a group that may ask, or may never ask now.
    NotAmongThose,
    /// The config no longer names the person, or gave the account to somebody else.
    Unlinked,
}

impl Departure {
    /// The word for it in the record.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Account(status) => status.as_str(),
            Self::NotAmongThose => "not_among_those",
            Self::Unlinked => "unlinked",
        }
    }
}
