//! What the people's side of the sandbox speaks over `/sandbox/…`: the same types on both ends.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Where a person is looking or typing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Place {
    /// A channel, by id or name.
    Channel(String),
    /// That person's direct messages with the bot.
    Direct,
}

impl From<&str> for Place {
    fn from(channel: &str) -> Place {
        Place::Channel(channel.to_owned())
    }
}

impl From<&String> for Place {
    fn from(channel: &String) -> Place {
        Place::Channel(channel.clone())
    }
}

/// A slash command as typed.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct TypedCommand {
    /// User id or name.
    pub user: String,
    /// Where it is typed.
    pub place: Place,
    /// With the slash and everything after it, before Slack's escaping.
    pub typed: String,
}

/// What a person got for a slash command.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct CommandAnswer {
    /// Whether it left for the app at all.
    pub delivered: bool,
    /// Whether the app acknowledged in time.
    pub acked: bool,
    /// Real milliseconds until the acknowledgement.
    pub ack_ms: Option<u64>,
    /// Text of the acknowledgement's payload.
    pub text: Option<String>,
    /// Blocks of the acknowledgement's payload.
    pub blocks: Option<Vec<Value>>,
    /// What the person reads.
    pub visible_text: String,
    /// `ephemeral` or `in_channel`, if the payload was shown.
    pub response_type: Option<String>,
    /// Timestamp of the message that the payload became.
    pub ts: Option<String>,
    /// Handed to the app with the command.
    pub trigger_id: Option<String>,
    /// Handed to the app with the command.
    pub response_url: Option<String>,
    /// What Slack tells the person when it went wrong: `not_a_command`, `dispatch_failed` (no socket),
    /// `operation_timeout`, or the reason why the answer could not be shown.
    pub failed: Option<String>,
}

/// A press of a button, or a choice in a menu.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Press {
    /// User id or name.
    pub user: String,
    /// On which message or view.
    pub surface: Surface,
    /// Which element; it must be there.
    pub action_id: String,
    /// For menus: the value of the chosen option, or the chosen user or channel.
    pub option: Option<String>,
}

/// Where an element can be pressed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Surface {
    /// A message that the person can see.
    Message {
        /// Where it stands.
        place: Place,
        /// Its timestamp.
        ts: String,
    },
    /// The top of the person's open modals.
    Modal,
    /// The person's Home tab.
    Home,
}

/// A press that no client would send: any value, on any message, shown or not.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ForgedPress {
    /// User id; need not exist.
    pub user: String,
    /// Channel id; need not exist.
    pub channel: String,
    /// Timestamp; need not exist.
    pub ts: String,
    /// Any.
    pub action_id: String,
    /// Any.
    pub block_id: String,
    /// Any.
    pub value: Option<String>,
}

/// What came of a press.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct PressAnswer {
    /// Whether it left for the app at all.
    pub delivered: bool,
    /// Whether the app acknowledged in time.
    pub acked: bool,
    /// Real milliseconds until the acknowledgement.
    pub ack_ms: Option<u64>,
    /// Handed to the app with the press.
    pub trigger_id: Option<String>,
    /// Handed to the app with the press (messages only).
    pub response_url: Option<String>,
    /// `interactivity_off`, `dispatch_failed` (no socket) or `operation_timeout`.
    pub failed: Option<String>,
}

/// A submitted form.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Submission {
    /// User id or name.
    pub user: String,
    /// By block_id or action_id; a string, or a list of strings for several choices.
    pub values: BTreeMap<String, Value>,
}

/// What came of a submission or a closed view.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct SubmitAnswer {
    /// Whether it left for the app at all.
    pub delivered: bool,
    /// Whether the app acknowledged in time.
    pub acked: bool,
    /// Real milliseconds until the acknowledgement.
    pub ack_ms: Option<u64>,
    /// `closed`, `errors`, `update`, `push` or `clear`; none when it failed.
    pub action: Option<String>,
    /// Shown beside the inputs, by block_id.
    pub errors: BTreeMap<String, String>,
    /// Handed to the app with the submission.
    pub trigger_id: Option<String>,
    /// Why the form still stands there, in Slack's terms.
    pub failed: Option<String>,
}

/// A message as one person sees it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SeenMessage {
    /// Channel id.
    pub channel: String,
    /// Its timestamp.
    pub ts: String,
    /// The thread's first message, if it is a reply.
    pub thread_ts: Option<String>,
    /// User id of the author.
    pub author: String,
    /// Top-level text, as sent.
    pub text: String,
    /// Blocks, as kept.
    pub blocks: Vec<Value>,
    /// Attachments, as kept.
    pub attachments: Vec<Value>,
    /// Metadata, as kept.
    pub metadata: Option<Value>,
    /// Everything that this person reads, with mentions and times resolved; markup such as `*` stays.
    pub visible_text: String,
    /// Everything that can be pressed.
    pub buttons: Vec<SeenButton>,
    /// Whether Slack shows "(edited)": after an update by text, not by blocks.
    pub edited: bool,
    /// How often it was updated.
    pub updates: u32,
    /// Only this person sees it.
    pub ephemeral: bool,
    /// Its thread.
    pub replies: Vec<SeenMessage>,
}

impl SeenMessage {
    /// The button with this label.
    pub fn button(&self, label: &str) -> Option<&SeenButton> {
        self.buttons.iter().find(|button| button.text == label)
    }
}

/// Something that can be pressed or chosen.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SeenButton {
    /// Element type.
    pub kind: String,
    /// Its block.
    pub block_id: String,
    /// Its action.
    pub action_id: String,
    /// Label, or placeholder of a menu.
    pub text: String,
    /// Value of a button.
    pub value: Option<String>,
    /// `primary`, `danger` or none.
    pub style: Option<String>,
    /// Link of a button.
    pub url: Option<String>,
    /// Values of a menu's options.
    pub options: Vec<String>,
}

/// A modal or Home tab as its person sees it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SeenView {
    /// `V…`
    pub id: String,
    /// `modal` or `home`.
    pub kind: String,
    /// Title of a modal.
    pub title: String,
    /// Label of the submit button.
    pub submit: Option<String>,
    /// As sent.
    pub callback_id: String,
    /// As sent.
    pub private_metadata: String,
    /// As sent.
    pub external_id: String,
    /// As kept.
    pub blocks: Vec<Value>,
    /// Everything that the person reads.
    pub visible_text: String,
    /// Everything that can be pressed.
    pub buttons: Vec<SeenButton>,
    /// What the inputs hold now, by block_id and action_id.
    pub state: Value,
    /// Shown beside the inputs, by block_id.
    pub errors: BTreeMap<String, String>,
    /// For `views.update`.
    pub hash: String,
}

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
    /// Frames from the app that were no acknowledgement of an envelope.
    pub strange_frames: Vec<String>,
    /// Entries let go because the log was full.
    pub dropped: u64,
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
    /// Replaces the members of a user group.
    GroupMembers {
        /// Id or handle.
        group: String,
        /// User ids or names.
        users: Vec<String>,
    },
}
