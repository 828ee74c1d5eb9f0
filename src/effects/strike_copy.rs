//! Makes another copy of a card say that it is one.

use super::{Effects, post_failed_at};
use crate::domain::command::MessageRef;
use crate::domain::ids::RequestId;
use crate::domain::outcome::Outcome;

impl Effects {
    pub(super) async fn strike_copy(
        &self,
        id: &RequestId,
        copy: &MessageRef,
    ) -> Result<Outcome, Outcome> {
        let (facts, _) = self.card(id).await?;
        if facts.card.as_ref() == Some(copy) {
            return Ok(Outcome::Done);
        }
        if let Some(waits) = self.waits_for(&copy.place).await? {
            return Ok(waits);
        }
        self.outbox(copy.place.platform())?
            .strike_copy(copy, id, facts.card.as_ref())
            .await
            .map_err(post_failed_at(&copy.place))?;
        Ok(Outcome::Done)
    }
}
