//! Everything that the page shows of one person's chat, in one answer.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::State as AxumState;
use serde::{Deserialize, Serialize};

use super::super::message::Message;
use super::super::state::{Conversation, Kind, State};
use super::super::wire::{MentionTarget, Place, SeenMessage, SeenView};
use super::super::workspace::Shared;
use super::super::world::User;
use super::look::{Looking, all_seen, all_views};
use super::{Staged, active, cannot, visible_id};

/// What is asked for: one person's chat, and one place in it.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Asked {
    /// None: whoever comes first.
    user: Option<String>,
    /// None: no messages are wanted.
    place: Option<Place>,
}

/// One person's chat.
#[derive(Debug, Serialize)]
pub(super) struct Sight {
    version: u64,
    now_ms: u64,
    team: String,
    app: AppSight,
    user: String,
    people: Vec<PersonSight>,
    places: Vec<PlaceSight>,
    /// Names of everybody and everything that can be mentioned, by id.
    names: BTreeMap<String, String>,
    messages: Vec<SeenMessage>,
    /// Open forms, the top one last, then the Home tab.
    views: Vec<SeenView>,
    /// Whether there is a console under `/console/`.
    console: bool,
}

#[derive(Debug, Serialize)]
struct AppSight {
    name: String,
    user: String,
    description: String,
    home: bool,
    messages: bool,
    read_only: bool,
    commands: Vec<CommandSight>,
    /// Sockets that take envelopes: none means that the app is not there.
    sockets: usize,
}

#[derive(Debug, Serialize)]
struct CommandSight {
    command: String,
    description: String,
    usage_hint: String,
}

#[derive(Debug, Serialize)]
struct PersonSight {
    id: String,
    name: String,
    real_name: String,
    title: String,
    groups: Vec<String>,
    tz: String,
    guest: bool,
    unread: u32,
    called: u32,
}

#[derive(Debug, Serialize)]
struct PlaceSight {
    id: String,
    name: String,
    kind: &'static str,
    archived: bool,
    member: bool,
    members: usize,
    bot_in: bool,
    /// Messages that the person has not read.
    unread: u32,
    /// Those of them that call the person: direct messages, mentions.
    called: u32,
}

fn is_shown(user: &&User) -> bool {
    !user.deleted && !user.is_bot
}

fn is_guest(user: &User) -> bool {
    user.is_restricted || user.is_ultra_restricted || user.is_stranger
}

/// Unread messages of a person in a conversation, and those of them that call the person.
fn unread(state: &State, user: &User, conversation: &Conversation) -> (u32, u32) {
    let read = state
        .read
        .get(&(user.id.clone(), conversation.id.clone()))
        .map_or("", String::as_str);
    let is_new = |message: &&Message| {
        message.ts.as_str() > read
            && message.author != user.id
            && message
                .ephemeral_to
                .as_ref()
                .is_none_or(|to| *to == user.id)
    };
    let calls = |message: &Message| {
        conversation.kind == Kind::Direct
            || state.mentions.iter().any(|mention| {
                mention.notified
                    && mention.channel == conversation.id
                    && mention.ts == message.ts
                    && match &mention.target {
                        MentionTarget::User(id) => *id == user.id,
                        MentionTarget::Group(id) => state
                            .groups
                            .get(id)
                            .is_some_and(|group| group.users.contains(&user.id)),
                        MentionTarget::Channel | MentionTarget::Here | MentionTarget::Everyone => {
                            true
                        }
                    }
            })
    };
    let (mut all, mut called) = (0, 0);
    for message in conversation.messages.values().filter(is_new) {
        let calls = calls(message);
        // A reply stays in its thread: it makes its channel new only for whom it calls.
        let is_reply = message.thread_ts.is_some() && !message.reply_broadcast;
        all += u32::from(calls || !is_reply);
        called += u32::from(calls);
    }
    (all, called)
}

fn place(state: &State, user: &User, one: &Conversation) -> PlaceSight {
    let (unread, called) = unread(state, user, one);
    PlaceSight {
        id: one.id.clone(),
        name: one.name.clone(),
        kind: match one.kind {
            Kind::Public => "public",
            Kind::Private => "private",
            Kind::Direct => "direct",
            Kind::GroupDirect => "group_direct",
        },
        archived: one.archived,
        member: one.members.contains(&user.id),
        members: one.members.len() + usize::from(one.bot_in),
        bot_in: one.bot_in,
        unread,
        called,
    }
}

fn visible<'s>(state: &'s State, user: &'s User) -> impl Iterator<Item = &'s Conversation> {
    let mine = |one: &&Conversation| match one.kind {
        Kind::Direct | Kind::GroupDirect => one.members.contains(&user.id),
        Kind::Public | Kind::Private => one.visible_to(user),
    };
    state.conversations.values().filter(mine)
}

fn person(state: &State, user: &User) -> PersonSight {
    // A channel that somebody has not joined does not call for them.
    let (mut all, mut calls) = (0, 0);
    for one in visible(state, user).filter(|one| one.members.contains(&user.id)) {
        let (unread, called) = unread(state, user, one);
        all += unread;
        calls += called;
    }
    PersonSight {
        id: user.id.clone(),
        name: user.name.clone(),
        real_name: user.real_name.clone(),
        title: user.title.clone(),
        groups: state
            .groups
            .values()
            .filter(|group| !group.disabled && group.users.contains(&user.id))
            .map(|group| group.handle.clone())
            .collect(),
        tz: user.tz.clone(),
        guest: is_guest(user),
        unread: all,
        called: calls,
    }
}

fn names(state: &State, user: &User) -> BTreeMap<String, String> {
    let people = state
        .users
        .values()
        .map(|one| (one.id.clone(), one.name.clone()));
    let groups = state
        .groups
        .values()
        .map(|one| (one.id.clone(), one.handle.clone()));
    let places = visible(state, user).map(|one| (one.id.clone(), one.name.clone()));
    let bot = (state.app.bot_user_id.clone(), state.app.name.clone());
    people.chain(groups).chain(places).chain([bot]).collect()
}

fn app(state: &State) -> AppSight {
    let home = &state.manifest.features.app_home;
    let commands = state.manifest.features.slash_commands.iter();
    AppSight {
        name: state.app.name.clone(),
        user: state.app.bot_user_id.clone(),
        description: (state.manifest.display_information.description.clone()).unwrap_or_default(),
        home: home.home_tab_enabled,
        messages: home.messages_tab_enabled,
        read_only: home.messages_tab_read_only_enabled,
        commands: commands
            .map(|one| CommandSight {
                command: one.command.clone(),
                description: one.description.clone(),
                usage_hint: one.usage_hint.clone().unwrap_or_default(),
            })
            .collect(),
        sockets: state.sockets.iter().filter(|one| one.delivering).count(),
    }
}

pub(super) async fn sight(
    AxumState(workspace): AxumState<Shared>,
    Json(asked): Json<Asked>,
) -> Staged<Sight> {
    let mut state = workspace.lock();
    // Taken under the lock: whatever changes afterwards raises it again.
    let version = *workspace.changed.borrow();
    let state = &mut *state;
    let user = match asked.user {
        Some(user) => active(state, &user)?,
        None => match state.users.values().find(is_shown) {
            Some(user) => user.clone(),
            None => return cannot("nobody is in this workspace"),
        },
    };
    // It is there for everybody to write to, whether the app has written or not.
    state.direct_id(&user.id);
    let messages = match asked.place {
        Some(place) => {
            let user = user.id.clone();
            all_seen(state, &Looking { user, place })?
        }
        None => Vec::new(),
    };
    Ok(Json(Sight {
        version,
        now_ms: workspace.clock.now_ms(),
        team: state.team.name.clone(),
        app: app(state),
        people: state
            .users
            .values()
            .filter(is_shown)
            .map(|one| person(state, one))
            .collect(),
        places: visible(state, &user)
            .map(|one| place(state, &user, one))
            .collect(),
        names: names(state, &user),
        messages,
        views: all_views(state, &user.id)?,
        console: workspace.console.is_some(),
        user: user.id,
    }))
}

/// A person has read everything that stands in a place now. Answers whether some of it was new.
pub(super) async fn read(
    AxumState(workspace): AxumState<Shared>,
    Json(looking): Json<Looking>,
) -> Staged<bool> {
    let mut state = workspace.lock();
    let state = &mut *state;
    let user = active(state, &looking.user)?;
    let channel = visible_id(state, &user, &looking.place)?;
    let Some(one) = state.conversations.get(&channel) else {
        return Ok(Json(false));
    };
    let was_new = unread(state, &user, one).0 > 0;
    if let (true, Some(last)) = (was_new, one.messages.keys().next_back().cloned()) {
        state.read.insert((user.id, channel), last);
        workspace.tell();
    }
    Ok(Json(was_new))
}
