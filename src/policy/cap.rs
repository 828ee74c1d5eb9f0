//! How much access a rule may give on end without people.

use super::model::AutoApproval;
use crate::domain::grant::Grant;
use crate::domain::timing::{Timestamp, seconds};

/// A rule that would approve, if it has not given enough already.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ByRule {
    /// Its name, e.g. `resource.staging-ssh.auto_approve[0]`.
    pub rule: String,
    /// Longest access on end, in seconds.
    pub max_s: i64,
    /// Access that begins sooner than this after the last end goes on from it, in seconds.
    pub cool_down_s: i64,
}

impl ByRule {
    pub(super) fn of(rule: String, with: &AutoApproval) -> Self {
        Self {
            rule,
            max_s: with.max_s,
            cool_down_s: with.cool_down_s,
        }
    }

    /// What ended before this has no part in what goes on now.
    #[must_use]
    pub fn looks_back_to(&self, now: Timestamp) -> Timestamp {
        now - seconds(self.max_s) - seconds(self.cool_down_s)
    }

    /// Whether so much more access, from now on, stays within the cap. `earlier` is what [`stretch`]
    /// says of the grants on the same holdings, whoever approved them, that go on or ended after
    /// [`Self::looks_back_to`]: renewing in time would otherwise make standing access that no person
    /// ever decided.
    #[must_use]
    pub fn allows(
        &self,
        duration_s: i64,
        mut earlier: Vec<(Timestamp, Timestamp)>,
        now: Timestamp,
    ) -> bool {
        earlier.sort_by_key(|(_, to)| std::cmp::Reverse(*to));
        let mut began = now;
        for (from, to) in earlier {
            if to + seconds(self.cool_down_s) < began {
                break;
            }
            began = began.min(from);
        }
        now + seconds(duration_s) - began <= seconds(self.max_s)
    }
}

/// From when to when a grant gives access; one that goes on, until it is due to end.
#[must_use]
pub fn stretch(grant: &Grant) -> (Timestamp, Timestamp) {
    (
        grant.active_at.unwrap_or(grant.approved_at),
        grant.ended_at.unwrap_or_else(|| grant.due_end()),
    )
}
