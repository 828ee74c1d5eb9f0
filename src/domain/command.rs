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

/// A request that is not complete yet, as far as it was typed.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Draft {
    /// The resource as typed.
    pub resource: Option<String>,
    /// Until when.
    pub end: Option<WantedEnd>,
    /// Why.
    pub reason: Option<String>,
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
    /// Deny on the card. Without a reason nothing is denied yet: the answer asks for one.
    Deny {
        /// The button.
        press: Press,
        /// Why, in the approver's words.
        why: Option<String>,
    },
    /// Take a request back.
    Withdraw(RequestId),
    /// Ask for more time for what is held.
    Extend {
        /// Whose grant.
        request: RequestId,
        /// For how much longer than it lasts now, or until when.
        end: WantedEnd,
        /// Why, where it was said.
        reason: Option<String>,
    },
    /// Give access back early.
    Done(RequestId),
    /// Take access away early.
    Revoke {
        /// Whose grant.
        request: RequestId,
        /// Why.
        reason: String,
    },
    /// Tell the beneficiary again how access is used.
    SendAgain(RequestId),
    /// From now on this is my public key, as it was typed.
    GiveKey(String),
    /// Forget the key that I gave; or, for security, that somebody else gave, as typed.
    ForgetKey(Option<String>),
}

/// Which requests and grants a list shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ListOf {
    /// My open requests and what I hold.
    Mine,
    /// What I can decide.
    Waiting,
    /// Everybody's, for security.
    All,
}

/// Something that somebody wants to know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Query {
    /// Requests and grants.
    List(ListOf),
    /// One request.
    Status(RequestId),
    /// What I may ask for.
    Resources,
    /// Who may ask for a resource, who decides, who holds it now.
    Who(String),
    /// What would happen if I asked.
    Explain {
        /// The resource as typed.
        resource: String,
        /// Until when.
        end: WantedEnd,
    },
    /// A form to ask with, filled with what is known already.
    RequestForm(Draft),
    /// A form to ask for more time with.
    ExtendForm(RequestId),
    /// What I hold, what I asked for, what waits for me, what I may ask for.
    Home,
    /// Which public key of mine is known.
    Key,
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

/// How somebody acted, which decides how they are answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Via {
    /// A command that was typed: answered in its place.
    Typed,
    /// A button, on this message if it stood on one: acknowledged without words; what is refused is
    /// told by a message.
    Button(Option<MessageRef>),
    /// A form: what is refused is shown beside its fields, what is done is told by a message.
    Form,
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
    /// How.
    pub via: Via,
    /// What.
    pub act: Act,
}
