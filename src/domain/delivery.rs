//! A secret that a target makes for a grant, and whether it reached its beneficiary.

use secrecy::{ExposeSecret as _, SecretString};

/// A secret that a target made for one grant. It is in no record, no job, no log and no database: from
/// the target's answer it goes into one private message, once.
#[derive(Clone)]
pub struct IssuedSecret(SecretString);

impl IssuedSecret {
    /// Takes it as it is.
    #[must_use]
    pub fn new(secret: String) -> Self {
        Self(SecretString::from(secret))
    }

    /// For the message that hands it over, and for nothing else.
    #[must_use]
    pub fn reveal(&self) -> &str {
        self.0.expose_secret()
    }

    /// For comparisons with what was said beside it.
    #[must_use]
    pub const fn as_secret(&self) -> &SecretString {
        &self.0
    }
}

impl std::fmt::Debug for IssuedSecret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("IssuedSecret")
    }
}

impl PartialEq for IssuedSecret {
    fn eq(&self, other: &Self) -> bool {
        self.reveal() == other.reveal()
    }
}

impl Eq for IssuedSecret {}

/// Whether the latest secret of a grant reached its beneficiary.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Delivery {
    /// It was made, and is to be sent. Only the process that was told it can do so.
    Waiting,
    /// The platform took the message.
    Sent,
    /// Nobody knows whether it did, or the secret was lost before. It is never sent again by itself:
    /// the beneficiary has another made.
    Unknown,
}

impl Delivery {
    /// Every state.
    pub const ALL: [Self; 3] = [Self::Waiting, Self::Sent, Self::Unknown];

    /// The word for it in the database.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Sent => "sent",
            Self::Unknown => "unknown",
        }
    }

    /// The state with this word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == word)
    }
}
