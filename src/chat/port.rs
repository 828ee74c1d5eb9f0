//! The port between jitbot and a chat platform.

use std::time::Duration;

use async_trait::async_trait;

use super::card::{Card, Letter};
use crate::domain::answer::{Answer, Home};
use crate::domain::command::{Inbound, MessageRef};
use crate::domain::ids::{AccountId, Place, RequestId};

/// Takes what people do. Implemented by the application over `service`.
#[async_trait]
pub trait Inbox: Send + Sync + 'static {
    /// Commits what follows from the act, then answers.
    ///
    /// # Errors
    /// [`Unanswered`] when nothing may be acknowledged: the platform shows its own error, and the
    /// person can try again without harm.
    async fn handle(&self, inbound: Inbound) -> Result<Answer, Unanswered>;

    /// Told how long an event of a platform took until its answer was handed over, or that it got none.
    fn answered(&self, _platform: &'static str, _took: Duration, _well: bool) {}
}

/// Our fault; the details are logged, not shown.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not answered: {0}")]
pub struct Unanswered(pub String);

/// Why something was not posted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PostError {
    /// Not posted; the platform wants us to wait, for the whole place where `pause_place` says so.
    #[error("rate limited for {after_s} s")]
    RateLimited {
        /// Seconds to wait.
        after_s: i64,
    },
    /// Not posted; trying again may help.
    #[error("{said}")]
    Retry {
        /// What went wrong.
        said: String,
    },
    /// Nobody knows whether it was posted.
    #[error("{said}")]
    Unknown {
        /// What went wrong.
        said: String,
    },
    /// Nothing can be posted to that channel: it is gone or archived, or we are not in it or may not
    /// post there.
    #[error("{said}")]
    NoPlace {
        /// What went wrong; the platform's error code first.
        said: String,
        /// Whether [`Outbox::look_at`] shows it.
        shows: bool,
    },
    /// Can never be posted: a person gone, a message gone, a payload refused.
    #[error("{said}")]
    Permanent {
        /// What went wrong; the platform's error code first.
        said: String,
    },
}

/// Posts to a platform. Called only by `effects`.
#[async_trait]
pub trait Outbox: Send + Sync + 'static {
    /// The platform's name, as in an account: `slack`.
    fn platform(&self) -> &'static str;

    /// Posts a card and says where it stands.
    async fn post_card(&self, place: &Place, card: &Card) -> Result<MessageRef, PostError>;

    /// Draws a card anew.
    async fn update_card(&self, on: &MessageRef, card: &Card) -> Result<(), PostError>;

    /// Looks for a card that we posted for this request and whose answer was lost. The newest one.
    async fn find_card(
        &self,
        place: &Place,
        request: &RequestId,
    ) -> Result<Option<MessageRef>, PostError>;

    /// Makes another copy of a card say that it is one, without buttons.
    async fn strike_copy(
        &self,
        copy: &MessageRef,
        request: &RequestId,
        real: Option<&MessageRef>,
    ) -> Result<(), PostError>;

    /// A private message to a person.
    async fn tell(&self, account: &AccountId, letter: &Letter) -> Result<(), PostError>;

    /// Draws a letter anew that was told before.
    async fn update_letter(&self, on: &MessageRef, letter: &Letter) -> Result<(), PostError>;

    /// A message into the thread of a card.
    async fn reply(&self, card: &MessageRef, letter: &Letter) -> Result<(), PostError>;

    /// Draws somebody's Home tab; nothing where the platform has none.
    async fn show_home(&self, account: &AccountId, home: &Home) -> Result<(), PostError>;

    /// A message that only this person sees, where they are; a private message where that can't be.
    async fn answer(
        &self,
        place: &Place,
        account: &AccountId,
        letter: &Letter,
    ) -> Result<(), PostError>;

    /// Looks whether we could post to a channel, without posting.
    async fn look_at(&self, place: &Place) -> Result<(), PostError>;

    /// Those of these channels that we could not post to, each with why.
    async fn lost_of(&self, places: &[Place]) -> Result<Vec<(Place, String)>, PostError>;

    /// A message to a channel.
    async fn announce(&self, place: &Place, letter: &Letter) -> Result<(), PostError>;
}
