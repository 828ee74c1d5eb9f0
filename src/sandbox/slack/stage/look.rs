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
    user: String,
    place: Place,
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

fn all_seen(state: &mut State, looking: &Looking) -> Result<Vec<SeenMessage>, StageError> {
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
pub(in super::super::super) struct Waited {
    pub(in super::super::super) found: Option<SeenMessage>,
    pub(in super::super::super) instead: Vec<String>,
}

/// Waits (in real time) until a message or reply holds the needle.
pub(super) async fn wait(
    AxumState(workspace): AxumState<Shared>,
    Json(waiting): Json<Waiting>,
) -> Staged<Waited> {
    let watch = Stopwatch::start();
    let mut changed = workspace.changed.subscribe();
    let looking = Looking {
        user: waiting.user,
        place: waiting.place,
    };
    loop {
        changed.mark_unchanged();
        let seen = all_seen(&mut workspace.lock(), &looking)?;
        let left_ms = waiting.timeout_ms.saturating_sub(watch.elapsed_ms());
        let waited = look_for(&waiting.needle, seen);
        if waited.found.is_some() || left_ms == 0 {
            return Ok(Json(waited));
        }
        tokio::select! {
            // An error would mean that the workspace is gone, and it is borrowed here.
            _ = changed.changed() => {}
            () = real_wait(left_ms) => {}
        }
    }
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
pub(super) async fn views(
    AxumState(workspace): AxumState<Shared>,
    Json(person): Json<Person>,
) -> Staged<Vec<SeenView>> {
    let state = workspace.lock();
    let user = active(&state, &person.user)?;
    let modals = state.modals.get(&user.id).into_iter().flatten();
    Ok(Json(
        modals
            .chain(state.homes.get(&user.id))
            .map(|view| seen_view(&state, &user, view))
            .collect(),
    ))
}

fn seen_view(state: &State, user: &User, view: &View) -> SeenView {
    let blocks = view.body["blocks"].as_array().cloned().unwrap_or_default();
    let reader = Reader {
        name_of: &|id| state.name_of(id),
        zone: zone(user),
    };
    let string = |pointer: &str| text_of(&view.body, pointer).to_owned();
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
        submit: view
            .body
            .pointer("/submit/text")
            .and_then(Value::as_str)
            .map(str::to_owned),
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
    Json(
        workspace
            .lock()
            .sockets
            .iter()
            .filter(|socket| socket.delivering)
            .count(),
    )
}
