//! The workspace as it is now. One lock holds all of it; nothing waits while it is held.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};

use serde_json::Value;
use tokio::sync::{mpsc, oneshot, watch};

use super::connection::Cutter;
use super::manifest::Manifest;
use super::message::{Author, Message};
use super::wire::{Call, Envelope, Fault, FaultKind, Mention};
use super::world::{App, Pace, Team, User, UserGroup, World};

/// Entries that the log keeps of each kind; the oldest go first.
const LOG_ENTRIES_MAX: usize = 20_000;

/// How many triggers and response addresses are kept before those that ended long ago are forgotten.
pub(super) const KEPT_MAX: usize = 10_000;
/// What ended so long ago is answered as if it had never been.
pub(super) const KEPT_MS: u64 = 60 * 60 * 1000;

pub(super) struct State {
    pub(super) team: Team,
    pub(super) app: App,
    /// Tokens for Socket Mode that are taken beside the app's last one.
    pub(super) former_app_tokens: BTreeSet<String>,
    /// Tokens for Socket Mode of other apps, and the ids of these.
    pub(super) other_app_tokens: BTreeMap<String, String>,
    pub(super) manifest: Manifest,
    pub(super) pace: Pace,
    pub(super) started_s: u64,
    pub(super) users: BTreeMap<String, User>,
    pub(super) groups: BTreeMap<String, UserGroup>,
    pub(super) conversations: BTreeMap<String, Conversation>,
    pub(super) modals: HashMap<String, Vec<View>>,
    pub(super) homes: HashMap<String, View>,
    pub(super) triggers: HashMap<String, Trigger>,
    pub(super) response_urls: HashMap<String, ResponseUrl>,
    /// Addresses of sockets that wait for their use.
    pub(super) tickets: HashMap<String, Ticket>,
    pub(super) sockets: Vec<Socket>,
    pub(super) next_socket: usize,
    pub(super) sockets_opened: u64,
    pub(super) pending: HashMap<String, oneshot::Sender<Option<Value>>>,
    pub(super) faults: Vec<Fault>,
    pub(super) mentions: Vec<Mention>,
    pub(super) calls: VecDeque<Call>,
    pub(super) envelopes: VecDeque<Envelope>,
    pub(super) raw_frames: Vec<String>,
    pub(super) strange_frames: Vec<String>,
    pub(super) dropped: u64,
    pub(super) seq: u64,
    pub(super) last_ts_us: u64,
    /// Up to which message each person has read each conversation on the page.
    pub(super) read: HashMap<(String, String), String>,
    /// Raised with every change that somebody could see.
    pub(super) changed: watch::Sender<u64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Public,
    Private,
    Direct,
    GroupDirect,
}

pub(super) struct Conversation {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) kind: Kind,
    pub(super) archived: bool,
    pub(super) members: BTreeSet<String>,
    pub(super) bot_in: bool,
    pub(super) created_s: u64,
    pub(super) messages: BTreeMap<String, Message>,
    pub(super) bucket: Bucket,
    /// Wakes those who wait for something to appear here.
    pub(super) news: watch::Sender<()>,
    /// The workspace's, raised with `news`.
    pub(super) changed: watch::Sender<u64>,
}

/// Tokens for `chat.postMessage`.
pub(super) struct Bucket {
    pub(super) tokens: f64,
    pub(super) at_ms: u64,
}

impl Bucket {
    /// Takes a token, or tells after how many seconds there is one again.
    pub(super) fn take(&mut self, pace: Pace, now_ms: u64) -> Result<(), u64> {
        let passed_s = now_ms.saturating_sub(self.at_ms) as f64 / 1000.0;
        self.tokens = (self.tokens + passed_s * pace.per_second).min(f64::from(pace.burst));
        self.at_ms = now_ms;
        if self.tokens >= 1.0 {
            self.tokens -= 1.0;
            return Ok(());
        }
        Err((((1.0 - self.tokens) / pace.per_second).ceil() as u64).max(1))
    }
}

pub(super) struct View {
    pub(super) id: String,
    pub(super) user: String,
    /// As the app sent it, blocks completed.
    pub(super) body: Value,
    pub(super) hash: String,
    pub(super) errors: BTreeMap<String, String>,
    /// What the person has chosen so far, by block_id and action_id.
    pub(super) state: Value,
}

pub(super) struct Trigger {
    pub(super) user: String,
    pub(super) at_ms: u64,
    pub(super) used: bool,
}

pub(super) struct ResponseUrl {
    pub(super) channel: String,
    pub(super) user: String,
    pub(super) at_ms: u64,
    pub(super) uses: u32,
    /// The message that was pressed, for `replace_original`.
    pub(super) original: Option<String>,
}

pub(super) struct Ticket {
    pub(super) made_ms: u64,
    /// Whose socket it opens.
    pub(super) app_id: String,
}

pub(super) enum SocketOrder {
    Frame(String),
    Close,
}

pub(super) struct Socket {
    pub(super) number: u64,
    pub(super) orders: mpsc::UnboundedSender<SocketOrder>,
    pub(super) cutter: Cutter,
    /// Whether envelopes still go there; to another app's they never do.
    pub(super) delivering: bool,
}

impl State {
    pub(super) fn new(mut world: World, manifest: Manifest, started_s: u64) -> State {
        if let Some(bot) = &manifest.features.bot_user {
            world.app.name.clone_from(&bot.display_name);
        }
        let changed = watch::Sender::new(0);
        let conversations = world.channels.into_iter().map(|channel| {
            let conversation = Conversation {
                id: channel.id.clone(),
                name: channel.name,
                kind: if channel.private {
                    Kind::Private
                } else {
                    Kind::Public
                },
                archived: channel.archived,
                members: channel.members,
                bot_in: channel.bot_in,
                created_s: started_s,
                messages: BTreeMap::new(),
                bucket: Bucket {
                    tokens: f64::from(world.pace.burst),
                    at_ms: 0,
                },
                news: watch::Sender::new(()),
                changed: changed.clone(),
            };
            (channel.id, conversation)
        });
        State {
            team: world.team,
            app: world.app,
            former_app_tokens: BTreeSet::new(),
            other_app_tokens: BTreeMap::new(),
            manifest,
            pace: world.pace,
            started_s,
            users: world
                .users
                .into_iter()
                .map(|user| (user.id.clone(), user))
                .collect(),
            groups: world
                .usergroups
                .into_iter()
                .map(|group| (group.id.clone(), group))
                .collect(),
            conversations: conversations.collect(),
            modals: HashMap::new(),
            homes: HashMap::new(),
            triggers: HashMap::new(),
            response_urls: HashMap::new(),
            tickets: HashMap::new(),
            sockets: Vec::new(),
            next_socket: 0,
            sockets_opened: 0,
            pending: HashMap::new(),
            faults: Vec::new(),
            mentions: Vec::new(),
            calls: VecDeque::new(),
            envelopes: VecDeque::new(),
            raw_frames: Vec::new(),
            strange_frames: Vec::new(),
            dropped: 0,
            seq: 0,
            last_ts_us: 0,
            read: HashMap::new(),
            changed,
        }
    }

    /// A timestamp that no other message has, never going back.
    pub(super) fn new_ts(&mut self, now_us: u64) -> String {
        self.last_ts_us = now_us.max(self.last_ts_us + 1);
        format!(
            "{}.{:06}",
            self.last_ts_us / 1_000_000,
            self.last_ts_us % 1_000_000
        )
    }

    pub(super) fn author(&self) -> Author<'_> {
        Author {
            team_id: &self.team.id,
            app_id: &self.app.id,
            bot_id: &self.app.bot_id,
            bot_user_id: &self.app.bot_user_id,
            bot_name: &self.app.name,
            installed_s: self.started_s,
        }
    }

    /// The person with this id or name, and not the app's own bot.
    pub(super) fn user(&self, id_or_name: &str) -> Option<&User> {
        let name = id_or_name.trim_start_matches('@');
        self.users
            .get(id_or_name)
            .or_else(|| self.users.values().find(|user| user.name == name))
    }

    /// The channel with this id or name.
    pub(super) fn channel_id(&self, id_or_name: &str) -> Option<String> {
        if self.conversations.contains_key(id_or_name) {
            return Some(id_or_name.to_owned());
        }
        let name = id_or_name.trim_start_matches('#');
        let named = |one: &&Conversation| {
            matches!(one.kind, Kind::Public | Kind::Private) && one.name == name
        };
        self.conversations
            .values()
            .find(named)
            .map(|one| one.id.clone())
    }

    /// The bot's direct messages with a person; made when first needed.
    pub(super) fn direct_id(&mut self, user: &str) -> String {
        let id = format!("D{}", user.get(1..).unwrap_or_default());
        self.open_conversation(id, Kind::Direct, BTreeSet::from([user.to_owned()]))
    }

    pub(super) fn open_conversation(
        &mut self,
        id: String,
        kind: Kind,
        members: BTreeSet<String>,
    ) -> String {
        let created_s = self.started_s;
        let tokens = f64::from(self.pace.burst);
        let changed = self.changed.clone();
        self.conversations
            .entry(id.clone())
            .or_insert_with(|| Conversation {
                id: id.clone(),
                name: id.to_lowercase(),
                kind,
                archived: false,
                members,
                bot_in: true,
                created_s,
                messages: BTreeMap::new(),
                bucket: Bucket { tokens, at_ms: 0 },
                news: watch::Sender::new(()),
                changed,
            });
        id
    }

    /// Name of a user, channel or user group.
    pub(super) fn name_of(&self, id: &str) -> Option<String> {
        if id == self.app.bot_user_id {
            return Some(self.app.name.clone());
        }
        (self.users.get(id).map(|user| user.name.clone()))
            .or_else(|| self.groups.get(id).map(|group| group.handle.clone()))
            .or_else(|| self.conversations.get(id).map(|one| one.name.clone()))
    }

    /// The first staged fault for this method, used up by one.
    pub(super) fn take_fault(&mut self, method: &str) -> Option<FaultKind> {
        let found = self
            .faults
            .iter()
            .position(|fault| fault.method == method || fault.method == "*")?;
        let kind = self.faults[found].kind.clone();
        self.faults[found].times = self.faults[found].times.saturating_sub(1);
        if self.faults[found].times == 0 {
            self.faults.remove(found);
        }
        Some(kind)
    }

    pub(super) fn next_seq(&mut self) -> u64 {
        self.seq += 1;
        self.seq
    }

    pub(super) fn log_call(&mut self, mut call: Call) {
        call.seq = self.next_seq();
        self.calls.push_back(call);
        if self.calls.len() > LOG_ENTRIES_MAX {
            self.calls.pop_front();
            self.dropped += 1;
        }
    }

    pub(super) fn log_envelope(&mut self, mut envelope: Envelope) {
        envelope.seq = self.next_seq();
        self.envelopes.push_back(envelope);
        if self.envelopes.len() > LOG_ENTRIES_MAX {
            self.envelopes.pop_front();
            self.dropped += 1;
        }
    }

    pub(super) fn new_trigger(&mut self, user: &str, now_ms: u64) -> String {
        if self.triggers.len() >= KEPT_MAX {
            self.triggers
                .retain(|_, trigger| now_ms.saturating_sub(trigger.at_ms) <= KEPT_MS);
        }
        let id = format!(
            "{}.{}.{}",
            now_ms,
            self.next_seq(),
            super::world::random_hex()
        );
        self.triggers.insert(
            id.clone(),
            Trigger {
                user: user.to_owned(),
                at_ms: now_ms,
                used: false,
            },
        );
        id
    }
}

impl Conversation {
    /// Says that something here changed.
    pub(super) fn tell(&self) {
        self.news.send_replace(());
        self.changed.send_modify(|version| *version += 1);
    }

    /// Replies to a message, oldest first.
    pub(super) fn thread(&self, parent: &str) -> Vec<&Message> {
        self.messages
            .values()
            .filter(|message| {
                message.thread_ts.as_deref() == Some(parent) && message.ephemeral_to.is_none()
            })
            .collect()
    }

    /// Whether this person can see what is said here. Public channels are open to all but guests.
    pub(super) fn visible_to(&self, user: &User) -> bool {
        let guest = user.is_restricted || user.is_ultra_restricted || user.is_stranger;
        self.members.contains(&user.id) || (self.kind == Kind::Public && !guest)
    }
}
