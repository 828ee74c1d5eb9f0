//! The one value that every handler shares: the state under its lock, the clock, and the news that something changed.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde_json::Value;
use tokio::sync::watch;

use super::clock::Clock;
use super::mentions;
use super::message::{Content, Message};
use super::state::State;
use super::wire::{Mention, MentionTarget};

pub(super) struct Workspace {
    state: Mutex<State>,
    pub(super) clock: Clock,
    pub(super) changed: watch::Sender<u64>,
    /// `127.0.0.1:PORT`
    pub(super) host: String,
    /// Where the console of whoever started the sandbox answers, if there is one.
    pub(super) console: Option<SocketAddr>,
}

pub(super) type Shared = Arc<Workspace>;

impl Workspace {
    pub(super) fn new(
        state: State,
        clock: Clock,
        host: String,
        console: Option<SocketAddr>,
    ) -> Workspace {
        Workspace {
            changed: state.changed.clone(),
            state: Mutex::new(state),
            clock,
            host,
            console,
        }
    }

    /// The state. Every writer leaves it whole, so a panic elsewhere does not spoil it.
    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Wakes those who wait for views, sockets or anything else to look at.
    pub(super) fn tell(&self) {
        self.changed.send_modify(|version| *version += 1);
    }

    pub(super) fn new_ts(&self, state: &mut State) -> String {
        state.new_ts(self.clock.now_us())
    }

    /// Puts a message of the app's into a conversation and records whom it mentions.
    pub(super) fn post(&self, state: &mut State, channel: &str, post: Post) -> String {
        let ts = self.new_ts(state);
        let author = post.author.unwrap_or_else(|| state.app.bot_user_id.clone());
        let by_app = author == state.app.bot_user_id;
        record_mentions(
            state,
            channel,
            &ts,
            post.method,
            &post.content,
            post.link_names,
            post.ephemeral_to.is_none(),
        );
        if let Some(conversation) = state.conversations.get_mut(channel) {
            let message = Message {
                ts: ts.clone(),
                thread_ts: post.thread_ts,
                author,
                by_app,
                content: post.content,
                edited_ts: None,
                updates: 0,
                ephemeral_to: post.ephemeral_to,
                reply_broadcast: post.reply_broadcast,
            };
            conversation.messages.insert(ts.clone(), message);
            conversation.tell();
        }
        ts
    }
}

/// A message to be posted.
#[derive(Default)]
pub(super) struct Post {
    pub(super) method: &'static str,
    pub(super) content: Content,
    /// A person's id; none: the app's bot.
    pub(super) author: Option<String>,
    pub(super) thread_ts: Option<String>,
    pub(super) ephemeral_to: Option<String>,
    pub(super) reply_broadcast: bool,
    pub(super) link_names: bool,
}

pub(super) fn record_mentions(
    state: &mut State,
    channel: &str,
    ts: &str,
    method: &str,
    content: &Content,
    link_names: bool,
    notified: bool,
) {
    let mut targets = mentions::in_message(&content.text, &content.blocks, &content.attachments);
    if link_names {
        let id = |name: &str| state.user(name).map(|user| user.id.clone());
        for target in mentions::bare_names(&content.text, &id) {
            if !targets.contains(&target) {
                targets.push(target);
            }
        }
    }
    let mention = |target: MentionTarget| Mention {
        channel: channel.to_owned(),
        ts: ts.to_owned(),
        method: method.to_owned(),
        target,
        notified,
    };
    state.mentions.extend(targets.into_iter().map(mention));
}

/// A string of a JSON object, or the empty string.
pub(super) fn text_of<'v>(value: &'v Value, pointer: &str) -> &'v str {
    value
        .pointer(pointer)
        .and_then(Value::as_str)
        .unwrap_or_default()
}
