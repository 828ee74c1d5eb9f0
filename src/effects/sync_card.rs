//! Draws a card as it is true now: posts it the first time, edits it afterwards.

use super::{Effects, post_failed};
use crate::domain::ids::RequestId;
use crate::domain::job::Job;
use crate::domain::outcome::Outcome;

impl Effects {
    pub(super) async fn sync_card(&self, job: &Job, id: &RequestId) -> Result<Outcome, Outcome> {
        let (facts, card) = self.card(id).await?;
        let Some(place) = &facts.request.card_place else {
            return Ok(Outcome::Done);
        };
        let outbox = self.outbox(place.platform())?;
        let on = match &facts.card {
            Some(on) => on.clone(),
            // A request that is over without ever having been shown needs no card.
            None if facts.grant.is_none() && !facts.request.state.is_open() => {
                return Ok(Outcome::Done);
            }
            None => {
                // An earlier attempt may have posted it and lost the answer.
                if job.attempt > 1
                    && let Some(found) = outbox.find_card(place, id).await.map_err(post_failed)?
                {
                    outbox
                        .update_card(&found, &card)
                        .await
                        .map_err(post_failed)?;
                    return Ok(Outcome::CardPosted(found));
                }
                let posted = outbox.post_card(place, &card).await.map_err(post_failed)?;
                return Ok(Outcome::CardPosted(posted));
            }
        };
        outbox.update_card(&on, &card).await.map_err(post_failed)?;
        Ok(Outcome::Done)
    }
}
