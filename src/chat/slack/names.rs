//! Names of people who are shown without being notified.

use serde::Deserialize;
use serde_json::json;

use super::failure::Failure;
use super::render::Names;
use super::send::{REMEMBERED_MAX, SlackOutbox};
use crate::domain::ids::AccountId;

impl SlackOutbox {
    /// The names of people who are shown without being notified. A name that can't be had is left out:
    /// the id is shown then.
    pub(super) async fn names_of(&self, people: Vec<AccountId>) -> Names {
        let mut names = Names::new();
        for account in people {
            if names.contains_key(&account) {
                continue;
            }
            let known = self.names.lock().await.get(&account).cloned();
            let name = match known {
                Some(name) => name,
                None => match self.name_of(&account).await {
                    Ok(name) => {
                        let mut remembered = self.names.lock().await;
                        if remembered.len() >= REMEMBERED_MAX {
                            remembered.clear();
                        }
                        remembered.insert(account.clone(), name.clone());
                        name
                    }
                    Err(failure) => {
                        tracing::debug!(account = %account, %failure, "no name for an account; its id is shown");
                        continue;
                    }
                },
            };
            names.insert(account, name);
        }
        names
    }

    async fn name_of(&self, account: &AccountId) -> Result<String, Failure> {
        #[derive(Deserialize)]
        struct Info {
            user: User,
        }
        #[derive(Deserialize)]
        struct User {
            name: Option<String>,
            profile: Option<Profile>,
        }
        #[derive(Deserialize)]
        struct Profile {
            display_name: Option<String>,
            real_name: Option<String>,
        }
        let info: Info = self
            .api
            .call("users.info", &json!({"user": account.member()}))
            .await?;
        let (display, real) = info
            .user
            .profile
            .map_or((None, None), |one| (one.display_name, one.real_name));
        [display, real, info.user.name]
            .into_iter()
            .flatten()
            .find(|name| crate::chat::text::is_visible(name))
            .ok_or_else(|| Failure::never("users.info: the person has no name"))
    }
}
