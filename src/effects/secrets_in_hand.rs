//! Secrets between the answer that brought them and the message that hands them over. In memory only:
//! what a restart loses is made anew when its beneficiary asks.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use crate::domain::delivery::IssuedSecret;
use crate::domain::ids::GrantId;

/// The latest secret of each grant that is still to be sent.
#[derive(Clone, Default)]
pub(super) struct SecretsInHand(Arc<Mutex<HashMap<GrantId, IssuedSecret>>>);

impl SecretsInHand {
    /// Keeps it in place of an older one.
    pub(super) fn keep(&self, grant: &GrantId, secret: IssuedSecret) {
        self.with(|held| held.insert(grant.clone(), secret));
    }

    /// Hands it over: nobody else gets it.
    pub(super) fn take(&self, grant: &GrantId) -> Option<IssuedSecret> {
        self.with(|held| held.remove(grant))
    }

    /// Gives back what surely was not sent, unless a newer one came meanwhile.
    pub(super) fn give_back(&self, grant: &GrantId, secret: IssuedSecret) {
        self.with(|held| {
            held.entry(grant.clone()).or_insert(secret);
        });
    }

    /// How many there are.
    pub(super) fn count(&self) -> usize {
        self.with(|held| held.len())
    }

    fn with<T>(&self, act: impl FnOnce(&mut HashMap<GrantId, IssuedSecret>) -> T) -> T {
        // A map is whole after any panic between its calls.
        act(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
