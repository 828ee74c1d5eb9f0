//! Slack as a source of facts: what an account is, asked for one by one and out of the list of all.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Deserialize;
use serde_json::json;

use super::failure::{Failure, Kind};
use super::send::SlackOutbox;
use super::usergroups::trouble;
use crate::domain::directory::{AccountStatus, FetchTrouble, SeenAccount};
use crate::domain::ids::AccountId;

/// People who are asked for one by one in each attempt; more are looked for in the list of all.
const ONE_BY_ONE_MAX: usize = 20;
/// How long an attempt asks for people one by one, and how long it reads the list of all. Both together
/// are shorter than a job may take, and what was asked for before them is kept.
pub(super) const PATIENCE: Duration = Duration::from_secs(15);
/// People of one page; Slack allows fewer than 1,000 and recommends 200.
const PAGE: u32 = 200;
/// Pages that are read at most in one attempt: 20,000 people.
const PAGES_MAX: usize = 100;

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
    /// With another limit for each part of a look at many people.
    #[must_use]
    pub fn patient_for(mut self, patience: Duration) -> Self {
        self.patience = patience;
        self
    }

    /// As many as one attempt allows, and what went wrong after those.
    pub(super) async fn look_at_people(
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

#[cfg(test)]
mod tests {
    use super::*;

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
