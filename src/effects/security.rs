//! What security is told when something is wrong.

use super::{Effects, ours, post_failed_at};
use crate::chat::card::Letter;
use crate::domain::departure::Departure;
use crate::domain::directory::GroupNews;
use crate::domain::grant::GrantState;
use crate::domain::ids::{AccountId, GrantId, Place, RequestId};
use crate::domain::outcome::Outcome;
use crate::domain::policy_news::PolicyNews;
use crate::domain::record_news::RecordNews;

impl Effects {
    /// Tells a channel of security; or one of its people, where no channel could be told.
    pub(super) async fn announce(
        &self,
        place: &Place,
        letter: &Letter,
    ) -> Result<Outcome, Outcome> {
        if let Some(account) = &self.privately {
            return self.tell(account, letter).await;
        }
        self.outbox(place.platform())?
            .announce(place, letter)
            .await
            .map_err(post_failed_at(place))?;
        Ok(Outcome::PostedTo(place.clone()))
    }

    pub(super) async fn tell_stuck(&self, id: &GrantId, place: &Place) -> Result<Outcome, Outcome> {
        let (facts, card) = self.card(&id.request()).await?;
        let Some(grant) = facts.grant.filter(|g| g.state == GrantState::Stuck) else {
            // It ended before anybody could be told.
            return Ok(Outcome::Done);
        };
        let said = self
            .service
            .last_revoke_error(id)
            .await
            .map_err(|error| ours(&error))?
            .unwrap_or_default();
        let letter = Letter::Stuck {
            card: Box::new(card),
            failures: grant.revoke_failures,
            said,
        };
        self.announce(place, &letter).await
    }

    pub(super) async fn tell_healed(
        &self,
        id: &GrantId,
        place: &Place,
    ) -> Result<Outcome, Outcome> {
        let (_, card) = self.card(&id.request()).await?;
        self.announce(place, &Letter::Healed(Box::new(card))).await
    }

    pub(super) async fn tell_clock(&self, place: &Place, by_ms: i64) -> Result<Outcome, Outcome> {
        self.announce(place, &Letter::ClockSet { by_ms }).await
    }

    pub(super) async fn tell_policy(
        &self,
        place: &Place,
        news: &PolicyNews,
    ) -> Result<Outcome, Outcome> {
        self.announce(place, &Letter::Policy(news.clone())).await
    }

    pub(super) async fn tell_record(
        &self,
        place: &Place,
        news: &RecordNews,
    ) -> Result<Outcome, Outcome> {
        self.announce(place, &Letter::Record(news.clone())).await
    }

    pub(super) async fn tell_key(
        &self,
        place: &Place,
        of: &AccountId,
        by: Option<&AccountId>,
        fingerprint: Option<&String>,
    ) -> Result<Outcome, Outcome> {
        let letter = Letter::KeyChanged {
            of: of.clone(),
            by: by.cloned(),
            fingerprint: fingerprint.cloned(),
        };
        self.announce(place, &letter).await
    }

    pub(super) async fn tell_card_lost(
        &self,
        id: &RequestId,
        place: &Place,
        said: &str,
    ) -> Result<Outcome, Outcome> {
        let (facts, card) = self.card(id).await?;
        if !facts.request.state.is_open() {
            return Ok(Outcome::Done);
        }
        let letter = Letter::CardLost {
            card: Box::new(card),
            said: said.to_owned(),
        };
        self.announce(place, &letter).await
    }

    pub(super) async fn tell_left(
        &self,
        place: &Place,
        account: &AccountId,
        why: Departure,
        grants: &[GrantId],
    ) -> Result<Outcome, Outcome> {
        let mut cards = Vec::new();
        for grant in grants {
            let (_, card) = self.card(&grant.request()).await?;
            cards.push(card);
        }
        let letter = Letter::Left {
            account: account.clone(),
            why,
            cards,
        };
        self.announce(place, &letter).await
    }

    pub(super) async fn tell_group(
        &self,
        place: &Place,
        group: &str,
        news: &GroupNews,
    ) -> Result<Outcome, Outcome> {
        let letter = Letter::Group {
            group: group.to_owned(),
            news: news.clone(),
        };
        self.announce(place, &letter).await
    }

    pub(super) async fn tell_directory_fails(
        &self,
        place: &Place,
        platform: &str,
        said: &str,
    ) -> Result<Outcome, Outcome> {
        let letter = Letter::DirectoryFails {
            platform: platform.to_owned(),
            said: said.to_owned(),
        };
        self.announce(place, &letter).await
    }

    pub(super) async fn tell_directory_answers(
        &self,
        place: &Place,
        platform: &str,
    ) -> Result<Outcome, Outcome> {
        let platform = platform.to_owned();
        self.announce(place, &Letter::DirectoryAnswers { platform })
            .await
    }
}
