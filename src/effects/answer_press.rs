//! Tells somebody privately what came of their press.

use super::{Effects, post_failed};
use crate::chat::card::Letter;
use crate::domain::answer::Answer;
use crate::domain::ids::{AccountId, Place};
use crate::domain::outcome::Outcome;

impl Effects {
    pub(super) async fn answer_press(
        &self,
        place: &Place,
        account: &AccountId,
        answer: &Answer,
    ) -> Result<Outcome, Outcome> {
        self.outbox(account.platform())?
            .answer(place, account, &Letter::Answer(answer.clone()))
            .await
            .map_err(post_failed)?;
        Ok(Outcome::Done)
    }
}
