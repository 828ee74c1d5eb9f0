//! Buttons, before any platform draws them.

use crate::domain::ids::{RequestId, ResourceName};

/// What a button does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Does {
    /// Approves, on the card.
    Approve,
    /// Asks why, then denies; on the card.
    Deny,
    /// Takes the request back.
    Withdraw,
    /// Asks for more time.
    Extend,
    /// Gives access back.
    Done,
    /// Tells again how access is used.
    SendAgain,
    /// Opens the form, for this resource where one is named.
    Ask(Option<ResourceName>),
}

/// How a button stands out. Never the only sign of what it does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Look {
    /// Like any other.
    Plain,
    /// What is wanted most often.
    Primary,
    /// What can't be undone.
    Danger,
}

/// One button.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Button {
    /// What it does.
    pub does: Does,
    /// What stands on it.
    pub label: &'static str,
    /// How it looks.
    pub look: Look,
    /// The request that it is about, and the version that it was drawn from; none for [`Does::Ask`].
    pub about: Option<(RequestId, i64)>,
}

impl Button {
    /// A button about a request.
    #[must_use]
    pub fn about(request: &RequestId, does: Does, label: &'static str, look: Look) -> Self {
        Self {
            does,
            label,
            look,
            about: Some((request.clone(), 0)),
        }
    }

    /// The same, drawn from this version of the request.
    #[must_use]
    pub fn of_version(mut self, version: i64) -> Self {
        if let Some((_, drawn_from)) = &mut self.about {
            *drawn_from = version;
        }
        self
    }

    /// A button that opens the form.
    #[must_use]
    pub const fn ask(resource: Option<ResourceName>, label: &'static str) -> Self {
        Self {
            does: Does::Ask(resource),
            label,
            look: Look::Plain,
            about: None,
        }
    }
}
