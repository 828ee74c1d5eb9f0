//! Grants that a config would leave without the issuer that can take them away.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use crate::domain::binding;
use crate::domain::ids::{GrantId, IssuerName};
use crate::domain::timing::Timestamp;
use crate::store::{Reads, StoreError};

/// Grants that are named at most.
const NAMED_MAX: usize = 10;

/// What a config takes away from an issuer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Lost {
    /// All of it: there is no such issuer any more.
    Issuer,
    /// These keys it signs with, or places where it ends access.
    Bound(Vec<String>),
}

/// An issuer with grants that are not over, or whose access a target may still accept, and that would
/// lose what takes them away.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Orphan {
    /// The issuer.
    pub issuer: IssuerName,
    /// What it would lose.
    pub lost: Lost,
    /// The grants, oldest first.
    pub grants: Vec<GrantId>,
    /// Whether there are more.
    pub more: bool,
}

impl fmt::Display for Orphan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let issuer = &self.issuer;
        let grants: Vec<&str> = self.grants.iter().map(GrantId::as_str).collect();
        let grants = grants.join(", ");
        let more = if self.more { " and more" } else { "" };
        match &self.lost {
            Lost::Issuer => write!(
                f,
                "issuer `{issuer}` has grants that are not over ({grants}{more}), and the config no longer has it: put it back, with `retired = true` if it shall give nothing more"
            ),
            Lost::Bound(lost) => write!(
                f,
                "issuer `{issuer}` has grants that targets may still accept ({grants}{more}), and the config now leaves out {}: put it back until they are over, or give the new place an issuer of its own name and mark this one `retired = true`",
                lost.join(", ")
            ),
        }
    }
}

/// Everything that issuers bound to this would leave behind.
///
/// # Errors
/// When the store can't be read.
pub async fn orphans<R: Reads + ?Sized>(
    reads: &mut R,
    bound: &BTreeMap<IssuerName, BTreeSet<String>>,
    machine_now: Timestamp,
) -> Result<Vec<Orphan>, StoreError> {
    let mut orphans = Vec::new();
    for (issuer, in_use) in reads.issuers_in_use(machine_now).await? {
        let lost = match bound.get(&issuer) {
            None => Lost::Issuer,
            Some(now) => {
                let lost = binding::lost(&in_use.bound_to, now);
                if lost.is_empty() {
                    continue;
                }
                Lost::Bound(lost)
            }
        };
        let one_more = i64::try_from(NAMED_MAX + 1).unwrap_or(i64::MAX);
        let mut grants = reads.grants_in_use(&issuer, machine_now, one_more).await?;
        let more = grants.len() > NAMED_MAX;
        grants.truncate(NAMED_MAX);
        orphans.push(Orphan {
            issuer,
            lost,
            grants,
            more,
        });
    }
    Ok(orphans)
}
