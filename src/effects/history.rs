//! Writes into a card's thread what happened since it was last written there, out of the record.

use super::{Effects, ours, post_failed_at};
use crate::chat::card::Letter;
use crate::domain::ids::RequestId;
use crate::domain::outcome::Outcome;
use crate::service::Unwritten;

impl Effects {
    pub(super) async fn history(&self, id: &RequestId) -> Result<Outcome, Outcome> {
        let unwritten = self
            .service
            .unwritten_history(id)
            .await
            .map_err(|error| ours(&error))?;
        let Some(Unwritten {
            card,
            happened,
            upto,
            waits,
        }) = unwritten
        else {
            return Ok(Outcome::Done);
        };
        if happened.is_empty() {
            return Ok(Outcome::HistoryWritten { upto });
        }
        if waits {
            return Ok(Outcome::NotBefore(self.service.lost_again_at()));
        }
        self.outbox(card.place.platform())?
            .reply(&card, &Letter::History(happened))
            .await
            .map_err(post_failed_at(&card.place))?;
        Ok(Outcome::HistoryWritten { upto })
    }
}
