//! What the sandbox notes.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::FaultKind;

/// Whom a message mentions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MentionTarget {
    /// One person, by id.
    User(String),
    /// A user group, by id.
    Group(String),
    /// `@channel`
    Channel,
    /// `@here`
    Here,
    /// `@everyone`
    Everyone,
}

/// A mention in something the app sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mention {
    /// Channel id.
    pub channel: String,
    /// The message.
    pub ts: String,
    /// The method that brought it (`chat.postMessage`, `response_url`, …).
    pub method: String,
    /// Who.
    pub target: MentionTarget,
    /// Whether they are notified: a new message does that, an update or an ephemeral message does not.
    pub notified: bool,
}

/// One Web API call (or use of a response address), as the sandbox took it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Call {
    /// Order over calls and envelopes.
    pub seq: u64,
    /// Sandbox clock, milliseconds since 1970.
    pub at_ms: u64,
    /// Method name, or `response_url`.
    pub method: String,
    /// `bot`, `app`, `none` or `unknown`; never the token itself.
    pub token: String,
    /// Arguments, without a token.
    pub request: Value,
    /// HTTP status of the answer.
    pub status: u16,
    /// The answer.
    pub response: Value,
    /// Slack's error, if the call was refused.
    pub refused: Option<String>,
    /// The fault that was staged for this call.
    pub fault: Option<FaultKind>,
}

/// One envelope sent over a socket.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Envelope {
    /// Order over calls and envelopes.
    pub seq: u64,
    /// Sandbox clock, milliseconds since 1970.
    pub at_ms: u64,
    /// `slash_commands`, `interactive` or `events_api`.
    pub kind: String,
    /// As sent.
    pub envelope_id: String,
    /// As sent.
    pub accepts_response_payload: bool,
    /// As sent.
    pub payload: Value,
    /// As sent (events only).
    pub retry_attempt: Option<u32>,
    /// Number of the socket that it went to.
    pub socket: u64,
    /// The acknowledgement, in time or late.
    pub ack: Option<Ack>,
}

/// An acknowledgement.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Ack {
    /// Real milliseconds after the envelope was sent.
    pub after_ms: u64,
    /// Its payload.
    pub payload: Option<Value>,
    /// It came after the sandbox had given up.
    pub late: bool,
}

/// Everything that passed between the app and the sandbox.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Log {
    /// Web API calls and uses of response addresses.
    pub calls: Vec<Call>,
    /// Envelopes sent.
    pub envelopes: Vec<Envelope>,
    /// Frames that were sent by hand, as text.
    pub raw_frames: Vec<String>,
    /// Frames from the app that were no acknowledgement of an envelope.
    pub strange_frames: Vec<String>,
    /// Entries let go because the log was full.
    pub dropped: u64,
}
