//! What people see, and what the sandbox noted.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::State as AxumState;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::super::clock::{Stopwatch, real_wait};
use super::super::message::{Message, button};
use super::super::reading::{self, Reader};
use super::super::state::{State, View};
use super::super::wire::{Log, Mention, Place, SeenMessage, SeenView};
use super::super::workspace::{Shared, text_of};
use super::super::world::User;
use super::{StageError, Staged, active, elements, visible_id};

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Looking {
    pub(super) user: String,
    pub(super) place: Place,
}

fn zone(user: &User) -> chrono_tz::Tz {
    user.tz.parse().unwrap_or(chrono_tz::Tz::UTC)
}

/// One message through one person's eyes.
pub(super) fn seen(state: &State, user: &User, channel: &str, ts: &str) -> Option<SeenMessage> {
    let conversation = state.conversations.get(channel)?;
    let message = conversation.messages.get(ts)?;
    let reader = Reader {
        name_of: &|id| state.name_of(id),
        zone: zone(user),
    };
    Some(message.seen(channel, &reader, &[]))
}

pub(super) fn all_seen(
    state: &mut State,
    looking: &Looking,
) -> Result<Vec<SeenMessage>, StageError> {
    let user = active(state, &looking.user)?;
    let channel = visible_id(state, &user, &looking.place)?;
    let state = &*state;
    let Some(conversation) = state.conversations.get(&channel) else {
        return Ok(Vec::new());
    };
    let reader = Reader {
        name_of: &|id| state.name_of(id),
        zone: zone(&user),
    };
    let visible = |message: &&Message| {
        message
            .ephemeral_to
            .as_ref()
            .is_none_or(|to| *to == user.id)
    };
    let mut seen = Vec::new();
    for message in conversation
        .messages
        .values()
        .filter(visible)
        .filter(|message| message.thread_ts.is_none())
    {
        let replies: Vec<&Message> = conversation
            .messages
            .values()
            .filter(visible)
            .filter(|reply| reply.thread_ts.as_deref() == Some(message.ts.as_str()))
            .collect();
        seen.push(message.seen(&channel, &reader, &replies));
    }
    Ok(seen)
}

pub(super) async fn messages(
    AxumState(workspace): AxumState<Shared>,
    Json(looking): Json<Looking>,
) -> Staged<Vec<SeenMessage>> {
    all_seen(&mut workspace.lock(), &looking).map(Json)
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Waiting {
    user: String,
    place: Place,
    needle: String,
    timeout_ms: u64,
}

/// What was seen in the end: the message, or everything else that stood there.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Waited {
    found: Option<SeenMessage>,
    instead: Vec<String>,
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct WaitedForView {
    found: Option<SeenView>,
    instead: Vec<String>,
}

/// Waits (in real time) until a message or reply holds the needle.
pub(super) async fn wait(
    AxumState(workspace): AxumState<Shared>,
    Json(waiting): Json<Waiting>,
) -> Staged<Waited> {
    let watch = Stopwatch::start();
    let looking = Looking {
        user: waiting.user,
        place: waiting.place,
    };
    loop {
        let (seen, news) = {
            let mut state = workspace.lock();
            let seen = all_seen(&mut state, &looking)?;
            let user = active(&state, &looking.user)?;
            let channel = visible_id(&mut state, &user, &looking.place)?;
            let news = state
                .conversations
                .get(&channel)
                .map(|one| one.news.subscribe());
            (seen, news)
        };
        let left_ms = waiting.timeout_ms.saturating_sub(watch.elapsed_ms());
        let waited = look_for(&waiting.needle, seen);
        let (Some(mut news), true, false) = (news, left_ms > 0, waited.found.is_some()) else {
            return Ok(Json(waited));
        };
        tokio::select! {
            // An error would mean that the conversation is gone; then the next look says so.
            _ = news.changed() => {}
            () = real_wait(left_ms) => {}
        }
    }
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct WaitingForView {
    user: String,
    needle: String,
    timeout_ms: u64,
}

/// Waits (in real time) until the person's top form or Home tab holds the needle.
pub(super) async fn wait_view(
    AxumState(workspace): AxumState<Shared>,
    Json(waiting): Json<WaitingForView>,
) -> Staged<WaitedForView> {
    let watch = Stopwatch::start();
    let mut changed = workspace.changed.subscribe();
    loop {
        changed.mark_unchanged();
        let views = all_views(&workspace.lock(), &waiting.user)?;
        let instead = views.iter().map(|view| view.visible_text.clone()).collect();
        let found = views
            .into_iter()
            .rfind(|view| view.visible_text.contains(&waiting.needle));
        let left_ms = waiting.timeout_ms.saturating_sub(watch.elapsed_ms());
        if found.is_some() || left_ms == 0 {
            return Ok(Json(WaitedForView { found, instead }));
        }
        tokio::select! {
            // An error would mean that the workspace is gone, and it is borrowed here.
            _ = changed.changed() => {}
            () = real_wait(left_ms) => {}
        }
    }
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct WaitingForSockets {
    count: usize,
    timeout_ms: u64,
}

/// Waits (in real time) until so many sockets take envelopes; answers how many do.
pub(super) async fn wait_sockets(
    AxumState(workspace): AxumState<Shared>,
    Json(waiting): Json<WaitingForSockets>,
) -> Json<usize> {
    let watch = Stopwatch::start();
    let mut changed = workspace.changed.subscribe();
    loop {
        changed.mark_unchanged();
        let count = delivering(&workspace);
        let left_ms = waiting.timeout_ms.saturating_sub(watch.elapsed_ms());
        if count == waiting.count || left_ms == 0 {
            return Json(count);
        }
        tokio::select! {
            // An error would mean that the workspace is gone, and it is borrowed here.
            _ = changed.changed() => {}
            () = real_wait(left_ms) => {}
        }
    }
}

fn delivering(workspace: &Shared) -> usize {
    let state = workspace.lock();
    state
        .sockets
        .iter()
        .filter(|socket| socket.delivering)
        .count()
}

fn look_for(needle: &str, seen: Vec<SeenMessage>) -> Waited {
    let all: Vec<SeenMessage> = seen
        .into_iter()
        .flat_map(|message| {
            let replies = message.replies.clone();
            std::iter::once(message).chain(replies)
        })
        .collect();
    let instead = all
        .iter()
        .map(|message| message.visible_text.clone())
        .collect();
    // The newest is what somebody who waits is looking for.
    let found = all
        .into_iter()
        .filter(|message| message.visible_text.contains(needle))
        .max_by(|one, other| one.ts.cmp(&other.ts));
    Waited { found, instead }
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Person {
    user: String,
}

/// A person's open modals, the top one last, then the Home tab if there is one.
pub(super) fn all_views(state: &State, user: &str) -> Result<Vec<SeenView>, StageError> {
    let user = active(state, user)?;
    let modals = state.modals.get(&user.id).into_iter().flatten();
    let all = modals.chain(state.homes.get(&user.id));
    Ok(all.map(|view| seen_view(state, &user, view)).collect())
}

pub(super) async fn views(
    AxumState(workspace): AxumState<Shared>,
    Json(person): Json<Person>,
) -> Staged<Vec<SeenView>> {
    all_views(&workspace.lock(), &person.user).map(Json)
}

fn seen_view(state: &State, user: &User, view: &View) -> SeenView {
    let blocks = view.body["blocks"].as_array().cloned().unwrap_or_default();
    let reader = Reader {
        name_of: &|id| state.name_of(id),
        zone: zone(user),
    };
    let string = |pointer: &str| text_of(&view.body, pointer).to_owned();
    let label = |pointer: &str| {
        let text = view.body.pointer(pointer).and_then(Value::as_str);
        text.map(str::to_owned)
    };
    let mut lines = vec![string("/title/text")];
    reader.blocks(&blocks, &mut lines);
    lines.extend(view.errors.values().cloned());
    lines.extend(
        ["/submit/text", "/close/text"]
            .iter()
            .map(|pointer| string(pointer)),
    );
    lines.retain(|line| !line.is_empty());
    SeenView {
        id: view.id.clone(),
        kind: string("/type"),
        title: string("/title/text"),
        submit: label("/submit/text"),
        close: label("/close/text"),
        callback_id: string("/callback_id"),
        private_metadata: string("/private_metadata"),
        external_id: string("/external_id"),
        visible_text: lines.join("\n"),
        buttons: reading::elements(&blocks)
            .map(|(block_id, element)| button(block_id, element))
            .collect(),
        state: elements::values(&blocks, &view.state),
        errors: BTreeMap::clone(&view.errors),
        hash: view.hash.clone(),
        blocks,
    }
}

/// `GET /sandbox/log`
pub(super) async fn log(AxumState(workspace): AxumState<Shared>) -> Json<Log> {
    let state = workspace.lock();
    Json(Log {
        calls: state.calls.iter().cloned().collect(),
        envelopes: state.envelopes.iter().cloned().collect(),
        raw_frames: state.raw_frames.clone(),
        strange_frames: state.strange_frames.clone(),
        dropped: state.dropped,
    })
}

/// `GET /sandbox/mentions`
pub(super) async fn mentions(AxumState(workspace): AxumState<Shared>) -> Json<Vec<Mention>> {
    Json(workspace.lock().mentions.clone())
}

/// `GET /sandbox/sockets`: how many sockets take envelopes.
pub(super) async fn sockets(AxumState(workspace): AxumState<Shared>) -> Json<usize> {
    Json(delivering(&workspace))
}
