//! What would be posted: keeps everything, and fails only when it is told to. What Slack makes of it is tested elsewhere.

use std::sync::{Mutex, PoisonError};

use async_trait::async_trait;
use jitbot::chat::card::{Card, Letter};
use jitbot::chat::port::{Outbox, PostError};
use jitbot::domain::answer::Home;
use jitbot::domain::command::MessageRef;
use jitbot::domain::ids::{AccountId, Place, RequestId};

#[derive(Debug, Default)]
struct Kept {
    cards: Vec<Card>,
    /// To whom or where, and what.
    letters: Vec<(String, Letter)>,
    /// Letters to people that are not taken yet.
    not_yet: usize,
}

#[derive(Debug, Default)]
pub struct Board {
    kept: Mutex<Kept>,
}

impl Board {
    fn kept<T>(&self, look: impl FnOnce(&mut Kept) -> T) -> T {
        look(&mut self.kept.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn keep(&self, whereto: &str, letter: &Letter) {
        self.kept(|kept| kept.letters.push((whereto.to_owned(), letter.clone())));
    }

    /// So many letters to people are not taken before a minute has passed.
    pub fn wants_peace(&self, letters: usize) {
        self.kept(|kept| kept.not_yet = letters);
    }

    /// A request's card as it was drawn, oldest first.
    pub fn cards(&self, id: &RequestId) -> Vec<Card> {
        self.kept(|kept| {
            let cards = kept.cards.iter().filter(|card| card.id == *id);
            cards.cloned().collect()
        })
    }

    /// What was written to this account or place, oldest first.
    pub fn letters(&self, whereto: &str) -> Vec<Letter> {
        self.kept(|kept| {
            let letters = kept.letters.iter().filter(|(to, _)| to == whereto);
            letters.map(|(_, letter)| letter.clone()).collect()
        })
    }
}

#[async_trait]
impl Outbox for Board {
    fn platform(&self) -> &'static str {
        "slack"
    }

    async fn post_card(&self, place: &Place, card: &Card) -> Result<MessageRef, PostError> {
        Ok(self.kept(|kept| {
            kept.cards.push(card.clone());
            MessageRef {
                place: place.clone(),
                message: kept.cards.len().to_string(),
            }
        }))
    }

    async fn update_card(&self, _on: &MessageRef, card: &Card) -> Result<(), PostError> {
        self.kept(|kept| kept.cards.push(card.clone()));
        Ok(())
    }

    async fn find_card(
        &self,
        _place: &Place,
        _request: &RequestId,
    ) -> Result<Option<MessageRef>, PostError> {
        Ok(None)
    }

    async fn strike_copy(
        &self,
        _copy: &MessageRef,
        _request: &RequestId,
        _real: Option<&MessageRef>,
    ) -> Result<(), PostError> {
        Ok(())
    }

    async fn tell(&self, account: &AccountId, letter: &Letter) -> Result<(), PostError> {
        let taken = self.kept(|kept| {
            let left = kept.not_yet.checked_sub(1);
            kept.not_yet = left.unwrap_or_default();
            left.is_none()
        });
        if !taken {
            return Err(PostError::RateLimited { after_s: 60 });
        }
        self.keep(account.as_str(), letter);
        Ok(())
    }

    async fn update_letter(&self, on: &MessageRef, letter: &Letter) -> Result<(), PostError> {
        self.keep(on.place.as_str(), letter);
        Ok(())
    }

    async fn reply(&self, card: &MessageRef, letter: &Letter) -> Result<(), PostError> {
        self.keep(&format!("{}#{}", card.place, card.message), letter);
        Ok(())
    }

    async fn show_home(&self, _account: &AccountId, _home: &Home) -> Result<(), PostError> {
        Ok(())
    }

    async fn answer(
        &self,
        _place: &Place,
        account: &AccountId,
        letter: &Letter,
    ) -> Result<(), PostError> {
        self.keep(account.as_str(), letter);
        Ok(())
    }

    async fn look_at(&self, _place: &Place) -> Result<(), PostError> {
        Ok(())
    }

    async fn lost_of(&self, _places: &[Place]) -> Result<Vec<(Place, String)>, PostError> {
        Ok(Vec::new())
    }

    async fn announce(&self, place: &Place, letter: &Letter) -> Result<(), PostError> {
        self.keep(place.as_str(), letter);
        Ok(())
    }
}
