//! Private messages to the requester and the beneficiary. Each looks at what is true now and drops
//! itself when that has made it pointless.

use super::{Effects, post_failed};
use crate::chat::card::{Letter, Occasion, SecretNews};
use crate::chat::port::PostError;
use crate::domain::command::MessageRef;
use crate::domain::delivery::{Delivery, IssuedSecret};
use crate::domain::grant::GrantState;
use crate::domain::ids::{AccountId, GrantId, RequestId};
use crate::domain::outcome::Outcome;
use crate::domain::refusal::Refusal;
use crate::domain::request::{ExtensionState, RequestState};

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

    pub(super) async fn notify_key(
        &self,
        account: &AccountId,
        by: &AccountId,
        fingerprint: Option<&String>,
    ) -> Result<Outcome, Outcome> {
        let letter = Letter::YourKeyChanged {
            by: by.clone(),
            fingerprint: fingerprint.cloned(),
        };
        self.tell(account, &letter).await
    }

    pub(super) async fn notify_decided(&self, id: &RequestId) -> Result<Outcome, Outcome> {
        let (facts, card) = self.card(id).await?;
        // What came of the approval is told already, by its own message.
        let told = facts.request.state == RequestState::Approved
            && match &facts.request.extends {
                Some(extension) => extension.state != ExtensionState::Waiting,
                None => facts
                    .grant
                    .is_some_and(|grant| grant.active_at.is_some() || grant.state.is_over()),
            };
        if told {
            return Ok(Outcome::Done);
        }
        let letter = Letter::Decided(Box::new(card));
        self.tell(&facts.request.requester.account, &letter).await
    }

    pub(super) async fn notify_refused(
        &self,
        id: &RequestId,
        refusal: &Refusal,
    ) -> Result<Outcome, Outcome> {
        let (facts, card) = self.card(id).await?;
        let letter = Letter::Refused {
            card: Box::new(card),
            refusal: refusal.clone(),
        };
        self.tell(&facts.request.requester.account, &letter).await
    }

    pub(super) async fn notify_ready(&self, id: &GrantId) -> Result<Outcome, Outcome> {
        self.tell_how_to_use(id, None, Occasion::Given).await
    }

    pub(super) async fn send_again(
        &self,
        id: &GrantId,
        account: &AccountId,
    ) -> Result<Outcome, Outcome> {
        self.tell_how_to_use(id, Some(account), Occasion::Again)
            .await
    }

    pub(super) async fn notify_extended(&self, id: &RequestId) -> Result<Outcome, Outcome> {
        let (facts, _) = self.card(id).await?;
        let grant = facts.request.about_grant();
        self.tell_how_to_use(&grant, None, Occasion::MoreTime).await
    }

    pub(super) async fn notify_not_extended(&self, id: &RequestId) -> Result<Outcome, Outcome> {
        let (facts, card) = self.card(id).await?;
        let letter = Letter::NotExtended(Box::new(card));
        self.tell(&facts.request.beneficiary.account, &letter).await
    }

    async fn tell_how_to_use(
        &self,
        id: &GrantId,
        account: Option<&AccountId>,
        occasion: Occasion,
    ) -> Result<Outcome, Outcome> {
        let (facts, card) = self.card(&id.request()).await?;
        let Some(grant) = facts.grant.filter(|g| g.state == GrantState::Active) else {
            self.secrets.take(id);
            return Ok(Outcome::Done);
        };
        let secret = match grant.delivery {
            None => None,
            Some(Delivery::Sent) => Some(SecretNews::SentBefore),
            Some(Delivery::Unknown) => Some(SecretNews::MayBeLost),
            Some(Delivery::Waiting) => match self.secrets.take(id) {
                Some(secret) => Some(SecretNews::Here(secret)),
                None => {
                    return Ok(Outcome::SecretMayBeLost {
                        grant: id.clone(),
                        said: "jitbot was restarted, or a call broke off, before it was known that the \
                               secret had been sent"
                            .to_owned(),
                    });
                }
            },
        };
        let told = grant.handle.unwrap_or_default();
        let letter = Letter::Ready {
            occasion,
            card: Box::new(card),
            how_to_use: told["how_to_use"].as_str().unwrap_or_default().to_owned(),
            document: told["document"].as_str().map(str::to_owned),
            secret: secret.clone(),
        };
        let account = account.unwrap_or(&grant.beneficiary.account);
        match secret {
            Some(SecretNews::Here(secret)) => self.hand_over(id, account, &letter, secret).await,
            _ => self.tell(account, &letter).await,
        }
    }

    /// Sends a letter that holds this secret: once, unless it surely did not arrive.
    async fn hand_over(
        &self,
        grant: &GrantId,
        to: &AccountId,
        letter: &Letter,
        secret: IssuedSecret,
    ) -> Result<Outcome, Outcome> {
        let failed = match self.outbox(to.platform())?.tell(to, letter).await {
            Ok(()) => {
                return Ok(Outcome::SecretSent {
                    grant: grant.clone(),
                    to: to.clone(),
                });
            }
            Err(failed) => failed,
        };
        match failed {
            PostError::RateLimited { .. } | PostError::Retry { .. } => {
                self.secrets.give_back(grant, secret);
                Err(post_failed(failed))
            }
            PostError::Unknown { said }
            | PostError::NoPlace { said, .. }
            | PostError::Permanent { said } => Ok(Outcome::SecretMayBeLost {
                grant: grant.clone(),
                said,
            }),
        }
    }

    pub(super) async fn notify_not_renewed(
        &self,
        id: &GrantId,
        account: &AccountId,
    ) -> Result<Outcome, Outcome> {
        let (facts, card) = self.card(&id.request()).await?;
        if facts.grant.is_none_or(|g| g.state != GrantState::Active) {
            return Ok(Outcome::Done);
        }
        self.tell(account, &Letter::NotRenewed(Box::new(card)))
            .await
    }

    pub(super) async fn sync_reminder(
        &self,
        id: &GrantId,
        on: &MessageRef,
    ) -> Result<Outcome, Outcome> {
        let (_, card) = self.card(&id.request()).await?;
        self.outbox(on.place.platform())?
            .update_letter(on, &Letter::Reminder(Box::new(card)))
            .await
            .map_err(post_failed)?;
        Ok(Outcome::Done)
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
