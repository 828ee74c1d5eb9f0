//! What people want, as the adapters translate it.

use chrono::NaiveTime;
use serde::{Deserialize, Serialize};

use super::ids::{AccountId, Place, RequestId};

/// How the end of an access was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum WantedEnd {
    /// The resource's default duration.
    Default,
    /// So many seconds from its start.
    After(i64),
    /// The next time that the clock shows this, in the person's zone.
    Until(NaiveTime),
}

/// The message that a button was pressed on.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct MessageRef {
    /// Where it stands.
    pub place: Place,
    /// The platform's id of it there (Slack: `ts`).
    pub message: String,
}

/// What was pressed, and on what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Press {
    /// The request that the button names.
    pub request: RequestId,
    /// The card's version that the button names.
    pub version: i64,
    /// The message that carries the button.
    pub on: MessageRef,
}

/// A change that somebody wants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// Ask for access.
    Submit {
        /// The resource as typed.
        resource: String,
        /// Until when.
        end: WantedEnd,
        /// Why.
        reason: String,
    },
    /// Approve on the card.
    Approve(Press),
    /// Deny on the card.
    Deny(Press),
    /// Take a request back.
    Withdraw(RequestId),
    /// Give access back early.
    Done(RequestId),
    /// Take access away early.
    Revoke {
        /// Whose grant.
        request: RequestId,
        /// Why.
        reason: String,
    },
}

/// Something that somebody wants to know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Query {
    /// My open requests and grants.
    ListMine,
    /// One request.
    Status(RequestId),
    /// How the commands work.
    Help,
}

/// What an adapter hands in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Act {
    /// A change.
    Command(Command),
    /// A question.
    Query(Query),
}

/// An act with who, where, and the key under which it counts once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Inbound {
    /// The platform's own id of this event, e.g. `slack:trigger:…`; a second one with the same key is
    /// answered as the first was, and changes nothing.
    pub once: String,
    /// Who acts.
    pub actor: AccountId,
    /// Where.
    pub place: Place,
    /// What.
    pub act: Act,
}
