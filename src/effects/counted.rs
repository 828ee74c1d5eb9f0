//! A platform whose failures are counted.

use std::sync::Arc;

use async_trait::async_trait;

use crate::chat::card::{Card, Letter};
use crate::chat::port::{Outbox, PostError};
use crate::domain::answer::Home;
use crate::domain::command::MessageRef;
use crate::domain::ids::{AccountId, Place, RequestId};
use crate::metrics::{ChatError, Metrics};

/// A platform whose failures are counted.
pub(super) struct Counted {
    pub(super) outbox: Arc<dyn Outbox>,
    pub(super) metrics: Arc<Metrics>,
}

impl Counted {
    fn seen<T>(&self, result: Result<T, PostError>) -> Result<T, PostError> {
        if let Err(error) = &result {
            let kind = match error {
                PostError::RateLimited { .. } => ChatError::RateLimited,
                PostError::Retry { .. } => ChatError::Retry,
                PostError::Unknown { .. } => ChatError::Unknown,
                PostError::NoPlace { .. } => ChatError::NoPlace,
                PostError::Permanent { .. } => ChatError::Permanent,
            };
            self.metrics.chat_failed(self.outbox.platform(), kind);
        }
        result
    }
}

#[async_trait]
impl Outbox for Counted {
    fn platform(&self) -> &'static str {
        self.outbox.platform()
    }

    async fn post_card(&self, place: &Place, card: &Card) -> Result<MessageRef, PostError> {
        self.seen(self.outbox.post_card(place, card).await)
    }

    async fn update_card(&self, on: &MessageRef, card: &Card) -> Result<(), PostError> {
        self.seen(self.outbox.update_card(on, card).await)
    }

    async fn find_card(
        &self,
        place: &Place,
        request: &RequestId,
    ) -> Result<Option<MessageRef>, PostError> {
        self.seen(self.outbox.find_card(place, request).await)
    }

    async fn strike_copy(
        &self,
        copy: &MessageRef,
        request: &RequestId,
        real: Option<&MessageRef>,
    ) -> Result<(), PostError> {
        self.seen(self.outbox.strike_copy(copy, request, real).await)
    }

    async fn tell(&self, account: &AccountId, letter: &Letter) -> Result<(), PostError> {
        self.seen(self.outbox.tell(account, letter).await)
    }

    async fn update_letter(&self, on: &MessageRef, letter: &Letter) -> Result<(), PostError> {
        self.seen(self.outbox.update_letter(on, letter).await)
    }

    async fn reply(&self, card: &MessageRef, letter: &Letter) -> Result<(), PostError> {
        self.seen(self.outbox.reply(card, letter).await)
    }

    async fn show_home(&self, account: &AccountId, home: &Home) -> Result<(), PostError> {
        self.seen(self.outbox.show_home(account, home).await)
    }

    async fn answer(
        &self,
        place: &Place,
        account: &AccountId,
        letter: &Letter,
    ) -> Result<(), PostError> {
        self.seen(self.outbox.answer(place, account, letter).await)
    }

    async fn look_at(&self, place: &Place) -> Result<(), PostError> {
        self.seen(self.outbox.look_at(place).await)
    }

    async fn lost_of(&self, places: &[Place]) -> Result<Vec<(Place, String)>, PostError> {
        self.seen(self.outbox.lost_of(places).await)
    }

    async fn announce(&self, place: &Place, letter: &Letter) -> Result<(), PostError> {
        self.seen(self.outbox.announce(place, letter).await)
    }
}
