//! Private messages to the requester and the beneficiary. Each looks at what is true now and drops
//! itself when that has made it pointless.

use super::{Effects, post_failed};
use crate::chat::card::Letter;
use crate::domain::grant::GrantState;
use crate::domain::ids::{AccountId, GrantId, RequestId};
use crate::domain::outcome::Outcome;

impl Effects {
    pub(super) async fn tell(
        &self,
        account: &AccountId,
        letter: &Letter,
    ) -> Result<Outcome, Outcome> {
        self.outbox(account.platform())?
            .tell(account, letter)
            .await
            .map_err(post_failed)?;
        Ok(Outcome::Done)
    }

    pub(super) async fn notify_decided(&self, id: &RequestId) -> Result<Outcome, Outcome> {
        let (facts, card) = self.card(id).await?;
        let letter = Letter::Decided(Box::new(card));
        self.tell(&facts.request.requester.account, &letter).await
    }

    pub(super) async fn notify_ready(&self, id: &GrantId) -> Result<Outcome, Outcome> {
        let (facts, card) = self.card(&id.request()).await?;
        let Some(grant) = facts.grant.filter(|g| g.state == GrantState::Active) else {
            return Ok(Outcome::Done);
        };
        let told = grant.handle.unwrap_or_default();
        let letter = Letter::Ready {
            card: Box::new(card),
            how_to_use: told["how_to_use"].as_str().unwrap_or_default().to_owned(),
            document: told["document"].as_str().map(str::to_owned),
        };
        self.tell(&grant.beneficiary.account, &letter).await
    }

    pub(super) async fn remind(&self, id: &GrantId) -> Result<Outcome, Outcome> {
        let (facts, card) = self.card(&id.request()).await?;
        let Some(grant) = facts.grant.filter(|g| g.state == GrantState::Active) else {
            return Ok(Outcome::Done);
        };
        let letter = Letter::Reminder(Box::new(card));
        self.tell(&grant.beneficiary.account, &letter).await
    }

    pub(super) async fn notify_ended(&self, id: &GrantId) -> Result<Outcome, Outcome> {
        let (facts, card) = self.card(&id.request()).await?;
        let Some(grant) = facts.grant.filter(|g| g.state.is_over()) else {
            return Ok(Outcome::Done);
        };
        let letter = Letter::Ended(Box::new(card));
        self.tell(&grant.beneficiary.account, &letter).await
    }
}
