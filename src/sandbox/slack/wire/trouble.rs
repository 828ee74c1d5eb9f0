//! What goes wrong, and what others change.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Trouble for the next calls of a method.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Fault {
    /// A Web API method, `response_url`, or `*` for any.
    pub method: String,
    /// For how many calls.
    pub times: u32,
    /// What happens.
    pub kind: FaultKind,
}

/// What a fault does.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FaultKind {
    /// This HTTP status, and nothing happens.
    Status(u16),
    /// It happens, and then this HTTP status.
    StatusAfterEffect(u16),
    /// It happens, and the connection ends without an answer.
    DropAfterEffect,
    /// The connection ends without an answer, and nothing happens.
    Drop,
    /// HTTP 429, and nothing happens.
    RateLimited {
        /// Seconds in `Retry-After`.
        retry_after_s: u64,
    },
    /// `{"ok":false,"error":…}`, and nothing happens.
    SlackError(String),
    /// It happens, this many real milliseconds later.
    Delay(u64),
}

/// How a socket ends.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Disconnect {
    /// A `disconnect` frame with the reason `warning`; the socket closes about ten seconds later.
    Warning,
    /// A `disconnect` frame with the reason `refresh_requested`; nothing more is delivered there.
    RefreshRequested,
    /// A `disconnect` frame with the reason `link_disabled`.
    LinkDisabled,
    /// The TCP connection ends without a closing frame.
    Abrupt,
}

/// What became of an envelope that was sent by hand.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct RawAnswer {
    /// Whether there was a socket to send it on.
    pub delivered: bool,
    /// Whether it was acknowledged within three seconds (false also if it had no envelope_id).
    pub acked: bool,
    /// The acknowledgement's payload.
    pub payload: Option<Value>,
}

/// A change that somebody other than the app makes in the workspace.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Change {
    /// Archives a channel.
    Archive(String),
    /// Takes it out of the archive.
    Unarchive(String),
    /// Deactivates a person.
    Deactivate(String),
    /// Lets them back in.
    Reactivate(String),
    /// Takes the bot out of a channel.
    RemoveBot(String),
    /// Puts the bot into a channel.
    AddBot(String),
    /// Renames a channel.
    RenameChannel {
        /// Id or name.
        channel: String,
        /// New name.
        name: String,
    },
    /// Renames a person.
    RenameUser {
        /// Id or name.
        user: String,
        /// New handle.
        name: String,
    },
    /// Adds a person to a channel.
    Join {
        /// Id or name.
        channel: String,
        /// Id or name.
        user: String,
    },
    /// Takes a person out of a channel.
    Leave {
        /// Id or name.
        channel: String,
        /// Id or name.
        user: String,
    },
    /// Makes a person a guest, or a full member again.
    Guest {
        /// Id or name.
        user: String,
        /// Whether they are a guest from now on.
        guest: bool,
    },
    /// Disables a user group; its members stay kept.
    DisableGroup(String),
    /// Enables it again.
    EnableGroup(String),
    /// Sets a person's time zone.
    Zone {
        /// Id or name.
        user: String,
        /// IANA name.
        zone: String,
    },
    /// Gives a user group another handle.
    RenameGroup {
        /// Id or handle.
        group: String,
        /// New handle.
        handle: String,
    },
    /// Replaces the members of a user group.
    GroupMembers {
        /// Id or handle.
        group: String,
        /// User ids or names.
        users: Vec<String>,
    },
    /// Gives the app another token. One for the Web API (`xoxb-…`) takes the place of the one before;
    /// one for Socket Mode (`xapp-…`) is taken beside it.
    IssueToken(String),
    /// A token for Socket Mode (`xapp-…`) of another app in this workspace: its sockets greet with that
    /// app's id, and nothing that people do with ours comes over them.
    IssueTokenOfOtherApp {
        /// The token.
        token: String,
        /// The other app's id.
        app_id: String,
    },
    /// Of the tokens for Socket Mode only the last one is taken from here on.
    RevokeFormerTokens,
}
