//! Slack as a source of facts: user groups by the names that a config gives them, who is in them, and
//! who people are.

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use serde::Deserialize;
use serde_json::json;

use super::client::Api;
use super::failure::{Failure, Kind};
use super::send::SlackOutbox;
use crate::directory::DirectorySource;
use crate::domain::directory::{FetchTrouble, SeenAccount, SeenGroup};
use crate::domain::ids::{AccountId, DirectoryGroupId};

/// Why a configured user group can't be used, in a sentence that says what to do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct BadUserGroup(pub String);

/// A user group as Slack lists it.
#[derive(Debug, Clone, Deserialize)]
pub struct UserGroup {
    /// `S…`
    pub id: String,
    #[serde(default)]
    handle: String,
    /// When it was disabled; 0 while it is not.
    #[serde(default)]
    date_delete: i64,
    /// Who is in it, where the list says so.
    pub users: Option<Vec<String>>,
}

impl UserGroup {
    const fn is_disabled(&self) -> bool {
        self.date_delete > 0
    }
}

#[derive(Deserialize)]
struct UserGroups {
    #[serde(default)]
    usergroups: Vec<UserGroup>,
}

#[derive(Deserialize)]
struct Members {
    #[serde(default)]
    users: Vec<String>,
}

impl SlackOutbox {
    /// The user groups that a config means with a handle or an id: exactly one each, not disabled.
    /// Every name has an entry in the result.
    ///
    /// # Errors
    /// [`Failure`] when Slack does not list its user groups.
    pub async fn usergroups(
        &self,
        names: &[String],
    ) -> Result<BTreeMap<String, Result<DirectoryGroupId, BadUserGroup>>, Failure> {
        if names.is_empty() {
            return Ok(BTreeMap::new());
        }
        let team = self.whoami().await?.team_id.clone();
        let groups = self.all_usergroups(false).await?;
        Ok(names
            .iter()
            .map(|name| (name.clone(), resolve(name, &team, &groups)))
            .collect())
    }

    async fn all_usergroups(&self, with_users: bool) -> Result<Vec<UserGroup>, Failure> {
        all(&self.api, with_users).await
    }

    async fn members_of(
        &self,
        id: &DirectoryGroupId,
        listed: &[UserGroup],
    ) -> Result<SeenGroup, Failure> {
        let found = listed.iter().find(|group| group.id == id.member());
        let users = match found {
            None => return Ok(SeenGroup::Gone),
            Some(group) if group.is_disabled() => return Ok(SeenGroup::Gone),
            Some(UserGroup {
                users: Some(users), ..
            }) => users.clone(),
            // Slack's page does not promise that the list of all has everybody in it.
            Some(_) => {
                let arguments = json!({ "usergroup": id.member() });
                match self
                    .api
                    .call::<Members>("usergroups.users.list", &arguments)
                    .await
                {
                    Ok(members) => members.users,
                    Err(failure) if failure.is_one_of(&["no_such_subteam"]) => {
                        return Ok(SeenGroup::Gone);
                    }
                    Err(failure) => return Err(failure),
                }
            }
        };
        let account = |user: &String| {
            AccountId::new(format!("slack:{}/{user}", id.community()))
                .map_err(|error| Failure::never(format!("usergroups.list: {error}")))
        };
        let members: BTreeSet<AccountId> = users.iter().map(account).collect::<Result<_, _>>()?;
        Ok(SeenGroup::Members(members))
    }
}

/// All user groups, disabled ones too.
pub(super) async fn all(api: &Api, with_users: bool) -> Result<Vec<UserGroup>, Failure> {
    let arguments = json!({ "include_disabled": true, "include_users": with_users });
    let listed: UserGroups = api.call("usergroups.list", &arguments).await?;
    Ok(listed.usergroups)
}

#[async_trait]
impl DirectorySource for SlackOutbox {
    fn platform(&self) -> &'static str {
        "slack"
    }

    async fn groups(
        &self,
        ids: &[DirectoryGroupId],
    ) -> Result<Vec<(DirectoryGroupId, SeenGroup)>, FetchTrouble> {
        let listed = self.all_usergroups(true).await.map_err(trouble)?;
        let mut seen = Vec::new();
        for id in ids {
            let members = self.members_of(id, &listed).await.map_err(trouble)?;
            seen.push((id.clone(), members));
        }
        Ok(seen)
    }

    async fn accounts(
        &self,
        accounts: &[AccountId],
    ) -> (Vec<(AccountId, SeenAccount)>, Option<FetchTrouble>) {
        self.look_at_people(accounts).await
    }
}

pub(super) fn trouble(failure: Failure) -> FetchTrouble {
    FetchTrouble {
        after_s: match failure.kind {
            Kind::RateLimited(after_s) => Some(after_s),
            Kind::NotDone | Kind::Unknown | Kind::NoPlace { .. } | Kind::Never => None,
        },
        said: failure.said,
    }
}

/// The one user group that a config means with a handle or an id.
///
/// # Errors
/// [`BadUserGroup`] where there is none, or it can't be used.
pub fn resolve(
    configured: &str,
    team: &str,
    groups: &[UserGroup],
) -> Result<DirectoryGroupId, BadUserGroup> {
    let bad = |what: String| BadUserGroup(format!("`{configured}` {what}"));
    let found: Vec<&UserGroup> = groups
        .iter()
        .filter(|one| one.handle == configured || one.id == configured)
        .collect();
    let live: Vec<&&UserGroup> = found.iter().filter(|one| !one.is_disabled()).collect();
    match (live.as_slice(), found.as_slice()) {
        ([one], _) => DirectoryGroupId::new(format!("slack:{team}/{}", one.id))
            .map_err(|e| bad(format!("has an id that can't be used: {e}."))),
        ([], []) => Err(bad(
            "matches no user group. Check its handle in Slack, without the `@`.".into(),
        )),
        ([], _) => Err(bad(
            "is disabled. Enable the user group in Slack or name another.".into(),
        )),
        (several, _) => {
            let ids: Vec<&str> = several.iter().map(|one| one.id.as_str()).collect();
            Err(bad(format!(
                "matches several user groups ({}). Write one's id instead, e.g. `{}`.",
                ids.join(", "),
                ids[0]
            )))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn group(id: &str, handle: &str, date_delete: i64) -> UserGroup {
        UserGroup {
            id: id.into(),
            handle: handle.into(),
            date_delete,
            users: None,
        }
    }

    #[test]
    fn a_name_means_exactly_one_user_group_that_is_enabled() {
        let groups = [
            group("S1", "sre", 0),
            group("S2", "old", 1_700_000_000),
            group("S3", "twice", 0),
            group("S4", "twice", 0),
            group("S5", "again", 1_700_000_000),
            group("S6", "again", 0),
        ];
        let one = |name: &str| resolve(name, "T1", &groups).map_err(|e| e.0);
        for (good, id) in [("sre", "S1"), ("S1", "S1"), ("again", "S6")] {
            let id = DirectoryGroupId::new(format!("slack:T1/{id}")).unwrap();
            assert_eq!(one(good), Ok(id), "{good}");
        }
        for (bad, why) in [
            ("sr", "matches no user group"),
            ("", "matches no user group"),
            ("old", "is disabled"),
            ("twice", "matches several user groups (S3, S4)"),
        ] {
            let said = one(bad).unwrap_err();
            assert!(said.contains(why) && said.ends_with('.'), "{bad}: {said}");
        }
    }
}
