//! The commands: their words, their arguments, and the acts that they stand for.

use crate::domain::command::{Act, Command, ListOf, Query};
use crate::domain::refusal::Refusal;

/// The first word after `/jit`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verb {
    /// Ask for access.
    Request,
    /// My open requests and accesses.
    List,
    /// What I can decide.
    ListWaiting,
    /// Everybody's, for security.
    ListAll,
    /// What I may ask for.
    Resources,
    /// One request.
    Status,
    /// Ask for more time.
    Extend,
    /// Give access back early.
    Done,
    /// Take a request back.
    Withdraw,
    /// Take access away.
    Revoke,
    /// Who may ask, who decides, who holds it.
    Who,
    /// What would happen if I asked.
    Explain,
    /// Which public key of mine is known, and which it shall be.
    Key,
    /// How the commands work.
    Help,
}

impl Verb {
    /// Every command, in the order in which help shows them.
    pub const ALL: [Self; 14] = [
        Self::Request,
        Self::Resources,
        Self::List,
        Self::ListWaiting,
        Self::ListAll,
        Self::Status,
        Self::Extend,
        Self::Done,
        Self::Withdraw,
        Self::Revoke,
        Self::Who,
        Self::Explain,
        Self::Key,
        Self::Help,
    ];

    /// The word that is typed. `list` has three forms, told apart by what follows.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Request => "request",
            Self::Resources => "resources",
            Self::List | Self::ListWaiting | Self::ListAll => "list",
            Self::Status => "status",
            Self::Extend => "extend",
            Self::Done => "done",
            Self::Withdraw => "withdraw",
            Self::Revoke => "revoke",
            Self::Who => "who",
            Self::Explain => "explain",
            Self::Key => "key",
            Self::Help => "help",
        }
    }

    /// The whole command with its arguments.
    #[must_use]
    pub const fn usage(self) -> &'static str {
        match self {
            Self::Request => "/jit request <resource> <duration> <reason>",
            Self::Resources => "/jit resources",
            Self::List => "/jit list",
            Self::ListWaiting => "/jit list waiting",
            Self::ListAll => "/jit list all",
            Self::Status => "/jit status <id>",
            Self::Extend => "/jit extend <id> <duration>",
            Self::Done => "/jit done <id>",
            Self::Withdraw => "/jit withdraw <id>",
            Self::Revoke => "/jit revoke <id> <why>",
            Self::Who => "/jit who <resource>",
            Self::Explain => "/jit explain <resource> <duration>",
            Self::Key => "/jit key <public key>",
            Self::Help => "/jit help",
        }
    }

    /// The command that an act comes from; none for what only buttons do. Exhaustive, so that an act
    /// without a command is noticed when it is added.
    #[must_use]
    pub const fn of(act: &Act) -> Option<Self> {
        Some(match act {
            Act::Command(Command::Submit { .. }) | Act::Query(Query::RequestForm(_)) => {
                Self::Request
            }
            Act::Command(Command::Approve(_) | Command::Deny { .. } | Command::SendAgain(_))
            | Act::Query(Query::Home) => {
                return None;
            }
            Act::Command(Command::Withdraw(_)) => Self::Withdraw,
            Act::Command(Command::Extend { .. }) | Act::Query(Query::ExtendForm(_)) => Self::Extend,
            Act::Command(Command::Done(_)) => Self::Done,
            Act::Command(Command::Revoke { .. }) => Self::Revoke,
            Act::Query(Query::List(ListOf::Mine)) => Self::List,
            Act::Query(Query::List(ListOf::Waiting)) => Self::ListWaiting,
            Act::Query(Query::List(ListOf::All)) => Self::ListAll,
            Act::Query(Query::Status(_)) => Self::Status,
            Act::Query(Query::Resources) => Self::Resources,
            Act::Query(Query::Who(_)) => Self::Who,
            Act::Query(Query::Explain { .. }) => Self::Explain,
            Act::Query(Query::Key) | Act::Command(Command::GiveKey(_) | Command::ForgetKey(_)) => {
                Self::Key
            }
            Act::Query(Query::Help) => Self::Help,
        })
    }

    /// The refusal of a command that lacks something, or has too much.
    pub(super) fn missing(self) -> Refusal {
        Refusal::Missing {
            usage: self.usage().to_owned(),
        }
    }
}
