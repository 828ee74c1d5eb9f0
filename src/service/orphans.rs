//! Grants that a config would leave without the issuer that can take them away.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use chrono::SecondsFormat;

use crate::domain::binding::{self, AcceptedKey};
use crate::domain::ids::{GrantId, IssuerName};
use crate::domain::timing::Timestamp;
use crate::store::in_use::InUse;
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
    /// That a key is its alone of which targets may accept something that it signed: another issuer
    /// signs with that key, and access that the one ended would come back through the other.
    Key {
        /// The key.
        key: AcceptedKey,
        /// Who would sign with it.
        to: IssuerName,
    },
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
            Lost::Key { key, to } => write!(
                f,
                "issuer `{issuer}` signed with the CA key {}, and targets may accept that until {} ({grants}{more}), but the config now gives this key to issuer `{to}`: give `{to}` a key of its own, or access that one of them ended comes back through the other",
                key.fingerprint,
                key.until.to_rfc3339_opts(SecondsFormat::Secs, true)
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
        let lost = lost(&issuer, &in_use, bound, machine_now);
        if lost.is_empty() {
            continue;
        }
        let one_more = i64::try_from(NAMED_MAX + 1).unwrap_or(i64::MAX);
        let mut grants = reads.grants_in_use(&issuer, machine_now, one_more).await?;
        let more = grants.len() > NAMED_MAX;
        grants.truncate(NAMED_MAX);
        orphans.extend(lost.into_iter().map(|lost| Orphan {
            issuer: issuer.clone(),
            lost,
            grants: grants.clone(),
            more,
        }));
    }
    Ok(orphans)
}

fn lost(
    issuer: &IssuerName,
    in_use: &InUse,
    bound: &BTreeMap<IssuerName, BTreeSet<String>>,
    machine_now: Timestamp,
) -> Vec<Lost> {
    let Some(now) = bound.get(issuer) else {
        return vec![Lost::Issuer];
    };
    let mut all = Vec::new();
    let left_out = binding::lost(&in_use.bound_to, now);
    if !left_out.is_empty() {
        all.push(Lost::Bound(left_out));
    }
    for key in binding::accepted_keys(&in_use.bound_to, in_use.accepted_until, machine_now) {
        let others = bound.iter().filter(|(other, _)| *other != issuer);
        for (to, _) in others.filter(|(_, others)| binding::signs_with(others, &key)) {
            all.push(Lost::Key {
                key: key.clone(),
                to: to.clone(),
            });
        }
    }
    all
}
