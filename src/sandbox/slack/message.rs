//! Messages as the workspace keeps them, as the Web API gives them out, and as people read them.

use serde_json::{Map, Value, json};

use super::reading::{self, Reader};
use super::wire::{SeenButton, SeenMessage};

#[derive(Debug, Clone)]
pub(super) struct Message {
    pub(super) ts: String,
    pub(super) thread_ts: Option<String>,
    pub(super) author: String,
    pub(super) by_app: bool,
    pub(super) content: Content,
    /// When text replaced text: Slack shows "(edited)" then, and not when blocks were updated.
    pub(super) edited_ts: Option<String>,
    pub(super) updates: u32,
    pub(super) ephemeral_to: Option<String>,
    pub(super) reply_broadcast: bool,
}

/// What a message says.
#[derive(Debug, Clone, Default)]
pub(super) struct Content {
    pub(super) text: String,
    pub(super) blocks: Vec<Value>,
    pub(super) attachments: Vec<Value>,
    pub(super) metadata: Option<Value>,
}

/// The app's identity in message objects.
pub(super) struct Author<'a> {
    pub(super) team_id: &'a str,
    pub(super) app_id: &'a str,
    pub(super) bot_id: &'a str,
    pub(super) bot_user_id: &'a str,
    pub(super) bot_name: &'a str,
    pub(super) installed_s: u64,
}

impl Author<'_> {
    fn bot_profile(&self) -> Value {
        json!({
            "id": self.bot_id,
            "app_id": self.app_id,
            "user_id": self.bot_user_id,
            "name": self.bot_name,
            "icons": {},
            "deleted": false,
            "updated": self.installed_s,
            "team_id": self.team_id,
        })
    }
}

impl Message {
    /// The message object of the Web API. `thread` are the replies to it, oldest first.
    pub(super) fn to_json(
        &self,
        author: &Author<'_>,
        thread: &[&Message],
        with_metadata: bool,
    ) -> Value {
        let mut object = Map::new();
        let mut put = |key: &str, value: Value| object.insert(key.to_owned(), value);
        put("type", json!("message"));
        put("user", json!(self.author));
        put("ts", json!(self.ts));
        put("text", json!(self.content.text));
        put("team", json!(author.team_id));
        if self.by_app {
            put("bot_id", json!(author.bot_id));
            put("app_id", json!(author.app_id));
            put("bot_profile", author.bot_profile());
        }
        if !self.content.blocks.is_empty() {
            put("blocks", json!(self.content.blocks));
        }
        if !self.content.attachments.is_empty() {
            put("attachments", json!(self.content.attachments));
        }
        if let (true, Some(metadata)) = (with_metadata, &self.content.metadata) {
            put("metadata", metadata.clone());
        }
        if let Some(ts) = &self.edited_ts {
            put("edited", json!({ "user": self.author, "ts": ts }));
        }
        if let Some(thread_ts) = &self.thread_ts {
            put("thread_ts", json!(thread_ts));
        }
        if self.reply_broadcast {
            put("subtype", json!("thread_broadcast"));
        }
        if let Some(latest) = thread.last() {
            let mut users: Vec<&str> = thread.iter().map(|reply| reply.author.as_str()).collect();
            users.sort_unstable();
            users.dedup();
            put("thread_ts", json!(self.ts));
            put("reply_count", json!(thread.len()));
            put("reply_users_count", json!(users.len()));
            put("reply_users", json!(users));
            put("latest_reply", json!(latest.ts));
            put("subscribed", json!(false));
        }
        Value::Object(object)
    }

    /// What one person sees of it.
    pub(super) fn seen(
        &self,
        channel: &str,
        reader: &Reader<'_>,
        thread: &[&Message],
    ) -> SeenMessage {
        let content = &self.content;
        let visible_text = reader.message(&content.text, &content.blocks, &content.attachments);
        SeenMessage {
            channel: channel.to_owned(),
            ts: self.ts.clone(),
            thread_ts: self.thread_ts.clone(),
            author: self.author.clone(),
            text: content.text.clone(),
            blocks: content.blocks.clone(),
            attachments: content.attachments.clone(),
            metadata: content.metadata.clone(),
            visible_text,
            buttons: self.buttons(),
            edited: self.edited_ts.is_some(),
            updates: self.updates,
            ephemeral: self.ephemeral_to.is_some(),
            replies: thread
                .iter()
                .map(|reply| reply.seen(channel, reader, &[]))
                .collect(),
        }
    }

    pub(super) fn buttons(&self) -> Vec<SeenButton> {
        reading::elements(&self.content.blocks)
            .map(|(block_id, element)| button(block_id, element))
            .collect()
    }
}

pub(super) fn button(block_id: &str, element: &Value) -> SeenButton {
    let string = |pointer: &str| {
        element
            .pointer(pointer)
            .and_then(Value::as_str)
            .map(str::to_owned)
    };
    let options = (element.get("options").into_iter())
        .chain(
            element
                .get("option_groups")
                .and_then(Value::as_array)
                .into_iter()
                .flatten()
                .filter_map(|group| group.get("options")),
        )
        .filter_map(Value::as_array)
        .flatten()
        .filter_map(|option| option.get("value").and_then(Value::as_str))
        .map(str::to_owned)
        .collect();
    SeenButton {
        kind: string("/type").unwrap_or_default(),
        block_id: block_id.to_owned(),
        action_id: string("/action_id").unwrap_or_default(),
        text: string("/text/text")
            .or_else(|| string("/placeholder/text"))
            .unwrap_or_default(),
        value: string("/value"),
        style: string("/style"),
        url: string("/url"),
        options,
    }
}
