//! Which user group each name of the config is.

use std::collections::BTreeMap;

use anyhow::{anyhow, bail};

use crate::chat::slack::send::SlackOutbox;
use crate::config::Config;
use crate::domain::ids::DirectoryGroupId;
use crate::store::Store;

/// The user groups that the config names, with every problem at once. One that was found at an earlier
/// start and is disabled or deleted now keeps its id: what it gave must still be ended, and it gives
/// nothing new. So do all where Slack does not list them at present.
pub(super) async fn resolve(
    outbox: &SlackOutbox,
    config: &Config,
    store: &dyn Store,
) -> anyhow::Result<BTreeMap<String, DirectoryGroupId>> {
    let names = config.usergroup_names();
    let pinned = store.reader().await?.pinned_groups("slack").await?;
    let resolved = match outbox.usergroups(&names).await {
        Ok(resolved) => resolved,
        Err(failure) if names.iter().all(|name| pinned.contains_key(name)) => {
            tracing::error!(
                "Slack did not list its user groups, which are held to be those of the last start: {failure}"
            );
            return Ok(pinned);
        }
        Err(failure) => return Err(anyhow!("Slack did not list its user groups: {failure}")),
    };
    let mut groups = BTreeMap::new();
    let mut problems = Vec::new();
    for (name, found) in resolved {
        let known = pinned.get(&name);
        match (found, known) {
            (Ok(id), _) => {
                if let Some(before) = known.filter(|before| **before != id) {
                    tracing::warn!(
                        group = %name, %before, now = %id,
                        "the name of a user group means another one than at the last start"
                    );
                }
                groups.insert(name, id);
            }
            (Err(problem), Some(id)) => {
                tracing::error!(group = %name, %id, "{problem} It is held to be the one that it was.");
                groups.insert(name, id.clone());
            }
            (Err(problem), None) => problems.push(problem.to_string()),
        }
    }
    if problems.is_empty() {
        Ok(groups)
    } else {
        bail!(
            "the config names user groups that can't be used:\n{}",
            problems.join("\n")
        )
    }
}
