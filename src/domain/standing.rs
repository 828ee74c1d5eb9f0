//! How much there is of what goes on now, for who watches over the process.

use super::timing::Timestamp;

/// The first word of each lane: what kind of lane it is.
pub const LANE_KINDS: [&str; 5] = ["issuer", "chat", "directory", "look", "engine"];

/// What goes on now.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Standing {
    /// Grants that are not over.
    pub live: i64,
    /// Of those, whose revocation keeps failing.
    pub stuck: i64,
    /// Requests that wait for people.
    pub pending: i64,
    /// Jobs that are due and that nobody is at, by kind of lane; a kind without any is left out.
    pub waiting: Vec<WaitingJobs>,
    /// When each source of facts last told any.
    pub facts: Vec<FactSource>,
}

/// Jobs that are due and that nobody is at, in one kind of lane.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WaitingJobs {
    /// One of [`LANE_KINDS`].
    pub lane_kind: String,
    /// How many.
    pub count: i64,
    /// Since when the one that waits the longest is due.
    pub oldest_due: Timestamp,
}

/// A source of facts about people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FactSource {
    /// The platform, e.g. `slack`.
    pub source: String,
    /// What it tells of.
    pub of: FactsOf,
    /// When it last told any.
    pub last: Timestamp,
}

/// What facts are about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FactsOf {
    /// Single accounts.
    Accounts,
    /// Groups.
    Groups,
}

impl FactsOf {
    /// The word for it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Accounts => "accounts",
            Self::Groups => "groups",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::ids::IssuerName;
    use crate::domain::job::Lane;

    #[test]
    fn every_lane_is_of_a_kind_that_is_counted() {
        let issuer = IssuerName::new("ca").expect("a name");
        let lanes = [
            Lane::issuer(&issuer),
            Lane::chat("slack:T1/C1"),
            Lane::directory("slack"),
            Lane::look("all"),
            Lane::engine(),
        ];
        for lane in lanes {
            let kind = lane.0.split(':').next().unwrap_or_default();
            assert!(LANE_KINDS.contains(&kind), "{kind}");
        }
    }
}
