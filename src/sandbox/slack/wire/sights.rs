//! What people see.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

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
    /// Label of the button that closes it, if the app names one.
    #[serde(default)]
    pub close: Option<String>,
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
