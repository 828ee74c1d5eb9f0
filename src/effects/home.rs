//! Draws somebody's Home tab as it is true now.

use super::{Effects, ours, post_failed};
use crate::domain::ids::AccountId;
use crate::domain::outcome::Outcome;

impl Effects {
    pub(super) async fn sync_home(&self, account: &AccountId) -> Result<Outcome, Outcome> {
        let home = self
            .service
            .home(account)
            .await
            .map_err(|error| ours(&error))?;
        if let Some(home) = home {
            self.outbox(account.platform())?
                .show_home(account, &home)
                .await
                .map_err(post_failed)?;
        }
        Ok(Outcome::Done)
    }
}
