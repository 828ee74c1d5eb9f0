//! Asks a platform for the facts about people and groups that are due.

use super::{Effects, ours};
use crate::domain::directory::Fetched;
use crate::domain::outcome::Outcome;
use crate::service::DueFacts;

impl Effects {
    pub(super) async fn refresh_facts(&self, platform: &str) -> Result<Outcome, Outcome> {
        let Some(source) = self.directories.get(platform) else {
            return Err(Outcome::Impossible {
                said: format!("the config has no directory of {platform}"),
            });
        };
        let due = self
            .service
            .facts_due(platform)
            .await
            .map_err(|error| ours(&error))?;
        let (groups, accounts, next) = match due {
            DueFacts::NotBefore(at) => return Ok(Outcome::NotBefore(at)),
            DueFacts::Ask {
                groups,
                accounts,
                next,
            } => (groups, accounts, next),
        };
        let asked = groups.len() + accounts.len();
        let mut fetched = Vec::new();
        let mut trouble = None;
        if !groups.is_empty() {
            // Known as of before it was asked: what changed while it answered counts as later.
            let as_of = self.service.now();
            match source.groups(&groups).await {
                Ok(seen) => fetched.extend(
                    seen.into_iter()
                        .map(|(id, seen)| (Fetched::Group(id, seen), as_of)),
                ),
                Err(error) => trouble = Some(error),
            }
        }
        if trouble.is_none() && !accounts.is_empty() {
            let as_of = self.service.now();
            let (seen, error) = source.accounts(&accounts).await;
            fetched.extend(
                seen.into_iter()
                    .map(|(account, shown)| (Fetched::Account(account, shown), as_of)),
            );
            trouble = error;
        }
        // A platform may tell of fewer at once than are due.
        let again_at = if fetched.len() < asked {
            self.service.now()
        } else {
            next
        };
        Ok(Outcome::Facts {
            fetched,
            trouble,
            again_at,
        })
    }
}
