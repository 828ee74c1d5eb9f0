//! Slack as a source of facts: user groups by the names that a config gives them, who is in them, and
//! who people are.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use async_trait::async_trait;
use serde::Deserialize;
use serde_json::json;

use super::client::Api;
use super::failure::{Failure, Kind};
use super::send::SlackOutbox;
use crate::directory::DirectorySource;
use crate::domain::directory::{AccountStatus, FetchTrouble, SeenAccount, SeenGroup};
use crate::domain::ids::{AccountId, DirectoryGroupId};

/// People who are asked for one by one in each attempt; more are looked for in the list of all.
const ONE_BY_ONE_MAX: usize = 20;
/// How long an attempt asks for people one by one, and how long it reads the list of all. Both together
/// are shorter than a job may take, and what was asked for before them is kept.
pub(super) const PATIENCE: Duration = Duration::from_secs(15);
/// People of one page; Slack allows fewer than 1,000 and recommends 200.
const PAGE: u32 = 200;
/// Pages that are read at most in one attempt: 20,000 people.
const PAGES_MAX: usize = 100;

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

#[derive(Deserialize)]
pub(super) struct User {
    pub(super) id: String,
    pub(super) name: Option<String>,
    #[serde(default)]
    team_id: String,
    #[serde(default)]
    deleted: bool,
    #[serde(default)]
    is_bot: bool,
    #[serde(default)]
    is_restricted: bool,
    #[serde(default)]
    is_ultra_restricted: bool,
    #[serde(default)]
    is_stranger: bool,
    /// IANA name of the zone that the person set.
    tz: Option<String>,
}

impl User {
    pub(super) fn seen(&self, team: &str) -> SeenAccount {
        SeenAccount {
            status: self.status(team),
            // One that we don't know is as good as none.
            time_zone: self.tz.as_deref().and_then(|name| name.parse().ok()),
        }
    }

    pub(super) fn status(&self, team: &str) -> AccountStatus {
        if self.deleted {
            AccountStatus::Deactivated
        } else if self.is_bot || self.id == "USLACKBOT" {
            AccountStatus::Bot
        } else if self.is_stranger || !(self.team_id.is_empty() || self.team_id == team) {
            AccountStatus::External
        } else if self.is_restricted || self.is_ultra_restricted {
            AccountStatus::Guest
        } else {
            AccountStatus::Member
        }
    }
}

#[derive(Deserialize)]
pub(super) struct Info {
    pub(super) user: User,
}

#[derive(Deserialize)]
struct Page {
    #[serde(default)]
    members: Vec<User>,
    response_metadata: Option<Cursor>,
}

#[derive(Deserialize)]
struct Cursor {
    #[serde(default)]
    next_cursor: String,
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

    /// Asks for each alone, the first ones first, until Slack has had enough.
    async fn one_by_one(
        &self,
        team: &str,
        accounts: &[AccountId],
        seen: &mut Vec<(AccountId, SeenAccount)>,
    ) -> Result<(), Failure> {
        for account in accounts {
            let arguments = json!({ "user": account.member() });
            let shown = match self.api.call::<Info>("users.info", &arguments).await {
                Ok(info) => info.user.seen(team),
                Err(failure)
                    if failure.is_one_of(&[
                        "user_not_found",
                        "users_not_found",
                        "user_not_visible",
                    ]) =>
                {
                    SeenAccount {
                        status: AccountStatus::NotFound,
                        time_zone: None,
                    }
                }
                Err(failure) => return Err(failure),
            };
            seen.push((account.clone(), shown));
        }
        Ok(())
    }

    /// Looks for them in the list of all, page by page. Whom it does not show is not thereby gone.
    async fn out_of_all(
        &self,
        team: &str,
        accounts: &[AccountId],
        seen: &mut Vec<(AccountId, SeenAccount)>,
    ) -> Result<(), Failure> {
        let mut wanted: BTreeMap<&str, &AccountId> =
            accounts.iter().map(|one| (one.member(), one)).collect();
        let mut cursor = String::new();
        for _ in 0..PAGES_MAX {
            let arguments = json!({ "limit": PAGE, "cursor": cursor });
            let page: Page = self.api.call("users.list", &arguments).await?;
            for user in page.members {
                if let Some(account) = wanted.remove(user.id.as_str()) {
                    seen.push((account.clone(), user.seen(team)));
                }
            }
            cursor = page
                .response_metadata
                .map(|metadata| metadata.next_cursor)
                .unwrap_or_default();
            if cursor.is_empty() || wanted.is_empty() {
                break;
            }
        }
        Ok(())
    }
}

/// A part of an attempt that may take so long; what it has seen by then is kept.
async fn within(
    limit: Duration,
    method: &'static str,
    part: impl Future<Output = Result<(), Failure>>,
) -> Result<(), Failure> {
    let timed_out = |_| Err(Failure::timed_out(method, limit));
    tokio::time::timeout(limit, part)
        .await
        .unwrap_or_else(timed_out)
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
        let team = match self.whoami().await {
            Ok(me) => me.team_id.clone(),
            Err(failure) => return (Vec::new(), Some(trouble(failure))),
        };
        // Whatever becomes of the list, each attempt gets on by those who are asked for alone: who was
        // due the longest, or whom somebody waits for.
        let (first, rest) = accounts.split_at(accounts.len().min(ONE_BY_ONE_MAX));
        let mut seen = Vec::new();
        let asked = self.one_by_one(&team, first, &mut seen);
        if let Err(failure) = within(self.patience, "users.info", asked).await {
            return (seen, Some(trouble(failure)));
        }
        if rest.is_empty() {
            return (seen, None);
        }
        let listed = self.out_of_all(&team, rest, &mut seen);
        match within(self.patience, "users.list", listed).await {
            Ok(()) => (seen, None),
            Err(failure) if matches!(failure.kind, Kind::RateLimited(_)) => {
                (seen, Some(trouble(failure)))
            }
            Err(failure) => {
                tracing::warn!(
                    "people are asked for {ONE_BY_ONE_MAX} at a time, for there is no list of all: {failure}"
                );
                (seen, None)
            }
        }
    }
}

fn trouble(failure: Failure) -> FetchTrouble {
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

    #[test]
    fn only_a_full_member_of_the_workspace_is_one() {
        for (said, status) in [
            (json!({}), AccountStatus::Member),
            (json!({"team_id": "T1"}), AccountStatus::Member),
            (json!({"team_id": "T2"}), AccountStatus::External),
            (json!({"is_stranger": true}), AccountStatus::External),
            (json!({"is_restricted": true}), AccountStatus::Guest),
            (json!({"is_ultra_restricted": true}), AccountStatus::Guest),
            (json!({"is_bot": true}), AccountStatus::Bot),
            (json!({"id": "USLACKBOT"}), AccountStatus::Bot),
            (
                json!({"deleted": true, "is_bot": true, "is_restricted": true}),
                AccountStatus::Deactivated,
            ),
        ] {
            let mut user = json!({"id": "U1"});
            for (key, value) in said.as_object().unwrap() {
                user[key] = value.clone();
            }
            let user: User = serde_json::from_value(user).unwrap();
            assert_eq!(user.status("T1"), status, "{said}");
        }
    }
}
