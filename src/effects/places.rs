//! Looks at channels, and gives security what a lost channel could not be given.

use super::{Effects, ours, post_failed, post_failed_at};
use crate::chat::card::{Letter, LostPlace};
use crate::domain::ids::{AccountId, Place, RequestId};
use crate::domain::job::{Job, JobKind};
use crate::domain::outcome::{Outcome, PlaceTrouble};
use crate::domain::place_orders::card_key;
use crate::domain::timing::seconds;
use crate::worker::Handler as _;

/// How soon it is looked again where a card stands that is being posted, in seconds.
const BEING_POSTED_S: i64 = 20;

/// Names of resources that one message shows.
const NAMED_MAX: usize = 10;

impl Effects {
    /// None where this message may be tried now; what becomes of it otherwise.
    pub(super) fn not_for_there(&self, kind: &JobKind) -> Option<Outcome> {
        let place = kind.security_place()?;
        // Who read there until now is told that the policy names another channel.
        if matches!(kind, JobKind::TellPolicy { .. }) {
            return None;
        }
        let channels = &self.service.policy().security.channels;
        // Others may read a channel that the config no longer names.
        (self.privately.is_none() && !channels.contains(&place)).then_some(Outcome::Due)
    }

    pub(super) async fn watch_place(&self, place: &Place, shows: bool) -> Result<Outcome, Outcome> {
        if !shows || !self.service.policy().places().contains(place) {
            return Ok(Outcome::Due);
        }
        self.outbox(place.platform())?
            .look_at(place)
            .await
            .map_err(post_failed_at(place))?;
        Ok(Outcome::PlaceThere)
    }

    pub(super) async fn look_at_places(&self) -> Result<Outcome, Outcome> {
        let policy = self.service.policy();
        let mut lost = Vec::new();
        for outbox in self.outboxes.values() {
            let mut places = Vec::new();
            for place in policy.places() {
                let here = place.platform() == outbox.platform();
                if here && !self.is_lost(place).await? {
                    places.push(place.clone());
                }
            }
            let found = outbox.lost_of(&places).await.map_err(post_failed)?;
            lost.extend(found.into_iter().map(|(place, said)| PlaceTrouble {
                place,
                said,
                shows: true,
            }));
        }
        Ok(Outcome::PlacesLost(lost))
    }

    async fn is_lost(&self, place: &Place) -> Result<bool, Outcome> {
        let lost = self.service.place_lost(place).await;
        Ok(lost.map_err(|error| ours(&error))?.is_some())
    }

    /// The moment until which something waits that is for a lost channel, if looking at it shows when
    /// it is back.
    pub(super) async fn waits_for(&self, place: &Place) -> Result<Option<Outcome>, Outcome> {
        let lost = self.service.place_lost(place).await;
        let lost = lost.map_err(|error| ours(&error))?;
        Ok((lost == Some(true)).then(|| Outcome::NotBefore(self.service.lost_again_at())))
    }

    pub(super) async fn once_back(&self, job: &Job, message: &JobKind) -> Result<Outcome, Outcome> {
        if let Some(place) = message.security_place()
            && self.not_for_there(message).is_none()
            && let Some(waits) = self.waits_for(&place).await?
        {
            return Ok(waits);
        }
        Ok(self.run(&as_message(job, message)).await)
    }

    pub(super) async fn privately(
        &self,
        job: &Job,
        account: &AccountId,
        message: &JobKind,
    ) -> Result<Outcome, Outcome> {
        // Who was security when the message was ordered need not be any more.
        let may = self.service.is_security(account).await;
        if !may.map_err(|error| ours(&error))? {
            return Ok(Outcome::Impossible {
                said: format!("{account} is not known to be one of security's people now"),
            });
        }
        let mut to_person = self.clone();
        to_person.privately = Some(account.clone());
        Ok(to_person.run(&as_message(job, message)).await)
    }

    pub(super) async fn tell_place_lost(
        &self,
        lost: &Place,
        place: &Place,
        said: &str,
    ) -> Result<Outcome, Outcome> {
        if !self.is_lost(lost).await? {
            return Ok(Outcome::Done);
        }
        let policy = self.service.policy();
        let all: Vec<_> = policy
            .resources
            .values()
            .filter(|resource| resource.channels.first() == Some(lost))
            .map(|resource| resource.name.clone())
            .collect();
        let letter = Letter::PlaceLost(Box::new(LostPlace {
            place: lost.clone(),
            said: said.to_owned(),
            is_securitys: policy.security.channels.contains(lost),
            more_resources: all.len().saturating_sub(NAMED_MAX),
            resources: all.into_iter().take(NAMED_MAX).collect(),
            fallback: policy.fallback.clone().filter(|place| place != lost),
        }));
        self.announce(place, &letter).await
    }

    pub(super) async fn tell_place_back(
        &self,
        back: &Place,
        place: &Place,
    ) -> Result<Outcome, Outcome> {
        if self.is_lost(back).await? {
            return Ok(Outcome::Done);
        }
        self.announce(place, &Letter::PlaceBack(back.clone())).await
    }

    pub(super) async fn notify_where(&self, id: &RequestId) -> Result<Outcome, Outcome> {
        let (facts, card) = self.card(id).await?;
        let request = &facts.request;
        if !request.state.is_open() {
            return Ok(Outcome::Done);
        }
        let card = Box::new(card);
        let there = facts
            .card
            .map(|on| on.place)
            .filter(|place| request.card_place.as_ref() == Some(place));
        let letter = match there {
            Some(place) => Letter::SeenIn { card, place },
            None if request.card_place.is_some() => {
                let due = self.service.is_due(&card_key(id)).await;
                if due.map_err(|error| ours(&error))? {
                    let at = self.service.now() + seconds(BEING_POSTED_S);
                    return Ok(Outcome::NotBefore(at));
                }
                Letter::Unseen(card)
            }
            None => Letter::Unseen(card),
        };
        self.tell(&request.requester.account, &letter).await
    }
}

fn as_message(job: &Job, message: &JobKind) -> Job {
    Job {
        kind: message.clone(),
        ..job.clone()
    }
}
