//! Which user group each name of the config is, and who people are before the first of them acts.

use std::collections::BTreeMap;
use std::pin::pin;
use std::time::Duration;

use anyhow::{anyhow, bail};

use crate::chat::slack::send::SlackOutbox;
use crate::config::Config;
use crate::domain::ids::DirectoryGroupId;
use crate::service::{DueFacts, Service};
use crate::store::Store;

/// How long a start waits for the directory. Whoever asks earlier waits for facts themselves.
const KNOWN_WITHIN: Duration = Duration::from_secs(3);

/// The user groups that a config names.
pub(super) struct UserGroups {
    /// Which group each name stands for.
    pub(super) ids: BTreeMap<String, DirectoryGroupId>,
    /// Which other group a name has come to mean in chat, for those names; none where Slack did not say.
    pub(super) moved: Option<BTreeMap<String, DirectoryGroupId>>,
}

/// The user groups that the config names, with every problem at once. A name that was found before
/// keeps the id that it had: where its group is disabled or deleted, what that gave must still be ended;
/// where another group took its name, nobody of this company's security decided that those people count.
/// So do all where Slack does not list its groups at present.
pub(super) async fn resolve(
    outbox: &SlackOutbox,
    config: &Config,
    store: &dyn Store,
) -> anyhow::Result<UserGroups> {
    let names = config.usergroup_names();
    let pinned = store.reader().await?.pinned_groups("slack").await?;
    let resolved = match outbox.usergroups(&names).await {
        Ok(resolved) => resolved,
        Err(failure) if names.iter().all(|name| pinned.contains_key(name)) => {
            tracing::error!(
                "Slack did not list its user groups, which are held to be those of the last start: {failure}"
            );
            return Ok(UserGroups {
                ids: pinned,
                moved: None,
            });
        }
        Err(failure) => return Err(anyhow!("Slack did not list its user groups: {failure}")),
    };
    let mut groups = BTreeMap::new();
    let mut moved = BTreeMap::new();
    let mut problems = Vec::new();
    for (name, found) in resolved {
        match (found, pinned.get(&name)) {
            (Ok(now), Some(held)) if now != *held => {
                tracing::warn!(
                    group = %name, %held, %now,
                    "the name of a user group has come to mean another one; the one that it was goes on counting"
                );
                groups.insert(name.clone(), held.clone());
                moved.insert(name, now);
            }
            (Ok(id), _) => {
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
        Ok(UserGroups {
            ids: groups,
            moved: Some(moved),
        })
    } else {
        bail!(
            "the config names user groups that can't be used:\n{}",
            problems.join("\n")
        )
    }
}

/// Waits until the directory was asked of everybody, if it answers soon.
pub(super) async fn wait_for_people(service: &Service, store: &dyn Store) {
    let wakeups = store.wakeups();
    let known = async {
        loop {
            // Registered before looking: what is recorded from here on wakes the wait below.
            let mut woken = pin!(wakeups.notified());
            woken.as_mut().enable();
            if is_known(service).await {
                return;
            }
            woken.await;
        }
    };
    if tokio::time::timeout(KNOWN_WITHIN, known).await.is_err() {
        tracing::warn!(
            "the directory was not asked in full yet; requests wait until it was, or two minutes"
        );
    }
}

async fn is_known(service: &Service) -> bool {
    for platform in &service.policy().directories.platforms {
        let due = service.facts_due(platform).await;
        let nothing = matches!(
            due,
            Ok(DueFacts::Ask { groups, accounts, .. }) if groups.is_empty() && accounts.is_empty()
        );
        if !nothing {
            return false;
        }
    }
    true
}
