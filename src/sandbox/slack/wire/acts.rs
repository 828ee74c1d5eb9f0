//! What people do, and what comes of it.

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
    /// The same in microseconds.
    #[serde(default)]
    pub ack_us: Option<u64>,
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
    /// In which block; needed only where two blocks use one action_id.
    #[serde(default)]
    pub block_id: Option<String>,
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
    /// The same in microseconds.
    #[serde(default)]
    pub ack_us: Option<u64>,
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
