//! The commands: their words, their arguments, and the acts that they stand for.

use crate::domain::command::{Act, Command, Query};
use crate::domain::refusal::Refusal;

/// The first word after `/jit`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verb {
    /// Ask for access.
    Request,
    /// My open requests and accesses.
    List,
    /// One request.
    Status,
    /// Give access back early.
    Done,
    /// Take a request back.
    Withdraw,
    /// Take access away.
    Revoke,
    /// How the commands work.
    Help,
}

impl Verb {
    /// Every command, in the order in which help shows them.
    pub const ALL: [Self; 7] = [
        Self::Request,
        Self::List,
        Self::Status,
        Self::Done,
        Self::Withdraw,
        Self::Revoke,
        Self::Help,
    ];

    /// The word that is typed.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Request => "request",
            Self::List => "list",
            Self::Status => "status",
            Self::Done => "done",
            Self::Withdraw => "withdraw",
            Self::Revoke => "revoke",
            Self::Help => "help",
        }
    }

    /// The whole command with its arguments.
    #[must_use]
    pub const fn usage(self) -> &'static str {
        match self {
            Self::Request => "/jit request <resource> <duration> <reason>",
            Self::List => "/jit list",
            Self::Status => "/jit status <id>",
            Self::Done => "/jit done <id>",
            Self::Withdraw => "/jit withdraw <id>",
            Self::Revoke => "/jit revoke <id> <why>",
            Self::Help => "/jit help",
        }
    }

    /// The command that an act comes from; none for what only buttons do. Exhaustive, so that an act
    /// without a command is noticed when it is added.
    #[must_use]
    pub const fn of(act: &Act) -> Option<Self> {
        Some(match act {
            Act::Command(Command::Submit { .. }) => Self::Request,
            Act::Command(Command::Approve(_) | Command::Deny(_)) => return None,
            Act::Command(Command::Withdraw(_)) => Self::Withdraw,
            Act::Command(Command::Done(_)) => Self::Done,
            Act::Command(Command::Revoke { .. }) => Self::Revoke,
            Act::Query(Query::ListMine) => Self::List,
            Act::Query(Query::Status(_)) => Self::Status,
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
