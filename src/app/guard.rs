//! What keeps a bot from starting, though its config is right by itself.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::bail;

use crate::domain::ids::IssuerName;
use crate::domain::timing::Timestamp;
use crate::issuer::contract::ENDS;
use crate::policy::Policy;
use crate::service::orphans;
use crate::store::Store;

/// The token's workspace is not the one that the config's accounts are of.
pub(super) fn refuse_other_team(policy: &Policy, team: &str) -> anyhow::Result<()> {
    let ours = format!("slack:{team}");
    if policy.communities.contains(&ours) {
        return Ok(());
    }
    let named: Vec<&str> = policy.communities.iter().map(String::as_str).collect();
    bail!(
        "the bot token belongs to workspace {ours}, but the config's accounts are of {}: use that workspace's token, or correct the accounts",
        named.join(", ")
    )
}

/// Two issuers with one key or one list would undo each other's ends.
pub(super) fn refuse_shared<'b>(
    issuers: impl Iterator<Item = (&'b IssuerName, &'b BTreeSet<String>)>,
) -> anyhow::Result<()> {
    let mut owners: BTreeMap<&str, &IssuerName> = BTreeMap::new();
    for (name, bound_to) in issuers {
        // Several lists can go to one host, and access can end in the same way in several places.
        let is_own = |bound: &&String| !bound.starts_with("host ") && !bound.starts_with(ENDS);
        for bound in bound_to.iter().filter(is_own) {
            if let Some(other) = owners.insert(bound, name) {
                bail!(
                    "issuers `{other}` and `{name}` share {bound}: give each its own, or access that one of them ended comes back through the other"
                );
            }
        }
    }
    Ok(())
}

/// A grant that is not over, or whose access a target may still accept, needs the issuer that gave it,
/// where it was.
pub(super) async fn refuse_orphans(
    store: &dyn Store,
    policy: &Policy,
    machine_now: Timestamp,
) -> anyhow::Result<()> {
    let mut reader = store.reader().await?;
    let left = orphans(&mut *reader, &policy.bound_to(), machine_now).await?;
    if left.is_empty() {
        return Ok(());
    }
    let lines: Vec<String> = left.iter().map(ToString::to_string).collect();
    bail!(lines.join("\n"))
}
