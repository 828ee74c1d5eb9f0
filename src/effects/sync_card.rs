//! Draws a card as it is true now: posts it the first time, edits it afterwards.

use super::{Effects, post_failed_at};
use crate::domain::ids::RequestId;
use crate::domain::job::Job;
use crate::domain::outcome::Outcome;

impl Effects {
    pub(super) async fn sync_card(&self, job: &Job, id: &RequestId) -> Result<Outcome, Outcome> {
        let (facts, card) = self.card(id).await?;
        let open = facts.request.state.is_open();
        if let Some(on) = &facts.card {
            // One that nobody can press, or that can stand nowhere else, waits for its channel.
            let waits = !open || facts.request.card_place.is_none();
            if waits && facts.card_waits {
                return Ok(Outcome::NotBefore(self.service.lost_again_at()));
            }
            self.outbox(on.place.platform())?
                .update_card(on, &card)
                .await
                .map_err(post_failed_at(&on.place))?;
            return Ok(Outcome::Done);
        }
        let Some(place) = &facts.request.card_place else {
            return Ok(Outcome::Done);
        };
        // A request that is over without ever having been shown needs no card.
        if facts.grant.is_none() && !open {
            return Ok(Outcome::Done);
        }
        let failed = post_failed_at(place);
        let outbox = self.outbox(place.platform())?;
        // An earlier attempt may have posted it and lost the answer.
        if job.attempt > 1
            && let Some(found) = outbox.find_card(place, id).await.map_err(&failed)?
        {
            outbox.update_card(&found, &card).await.map_err(&failed)?;
            return Ok(Outcome::CardPosted(found));
        }
        let posted = outbox.post_card(place, &card).await.map_err(&failed)?;
        Ok(Outcome::CardPosted(posted))
    }
}
