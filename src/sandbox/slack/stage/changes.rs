//! Trouble and change: faults, broken sockets, redelivery, time, and what administrators do.

use axum::Json;
use axum::extract::State as AxumState;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::super::api::user_json;
use super::super::delivery::{self, Delivery, Outgoing};
use super::super::payloads::channel_type;
use super::super::socket;
use super::super::state::{Conversation, Kind, State};
use super::super::wire::{Change, Disconnect, Fault, RawAnswer};
use super::super::workspace::Shared;
use super::{StageError, Staged, cannot, emit, event_ts, user_groups};

pub(super) async fn fault(
    AxumState(workspace): AxumState<Shared>,
    Json(fault): Json<Fault>,
) -> Staged<bool> {
    if fault.times == 0 {
        return cannot("a fault for no call at all");
    }
    workspace.lock().faults.push(fault);
    Ok(Json(true))
}

/// Takes back the faults that were not used up; answers how many calls they were for.
pub(super) async fn clear_faults(AxumState(workspace): AxumState<Shared>) -> Json<u32> {
    Json(
        workspace
            .lock()
            .faults
            .drain(..)
            .map(|fault| fault.times)
            .sum(),
    )
}

pub(super) async fn disconnect_sockets(
    AxumState(workspace): AxumState<Shared>,
    Json(how): Json<Disconnect>,
) -> Json<usize> {
    Json(socket::disconnect(&workspace, &how))
}

fn raw_answer(delivery: Delivery) -> Json<RawAnswer> {
    Json(match delivery {
        Delivery::NoSocket => RawAnswer::default(),
        Delivery::Unacked => RawAnswer {
            delivered: true,
            ..RawAnswer::default()
        },
        Delivery::Acked { payload, .. } => RawAnswer {
            delivered: true,
            acked: true,
            payload,
        },
    })
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Redelivery {
    kind: String,
}

/// Sends the last envelope of a kind once more, in an envelope of its own.
pub(super) async fn redeliver(
    AxumState(workspace): AxumState<Shared>,
    Json(again): Json<Redelivery>,
) -> Staged<RawAnswer> {
    let kind = match again.kind.as_str() {
        "slash_commands" => "slash_commands",
        "interactive" => "interactive",
        "events_api" => "events_api",
        other => return cannot(format!("there are no envelopes of the kind {other}")),
    };
    let outgoing = {
        let state = workspace.lock();
        let Some(last) = state
            .envelopes
            .iter()
            .rev()
            .find(|envelope| envelope.kind == kind)
        else {
            return cannot(format!("no envelope of the kind {kind} was sent yet"));
        };
        Outgoing {
            kind,
            accepts_response_payload: last.accepts_response_payload,
            payload: last.payload.clone(),
            retry_attempt: last.retry_attempt.map(|attempt| attempt + 1),
        }
    };
    Ok(raw_answer(
        delivery::deliver(&workspace, outgoing, false).await,
    ))
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct RawFrame {
    text: String,
}

pub(super) async fn raw(
    AxumState(workspace): AxumState<Shared>,
    Json(frame): Json<RawFrame>,
) -> Json<RawAnswer> {
    raw_answer(delivery::deliver_raw(&workspace, frame.text).await)
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Advance {
    by_ms: u64,
}

/// Sets the sandbox's clock forward; answers what it shows.
pub(super) async fn advance(
    AxumState(workspace): AxumState<Shared>,
    Json(advance): Json<Advance>,
) -> Json<u64> {
    workspace.clock.advance(advance.by_ms);
    Json(workspace.clock.now_ms())
}

pub(super) async fn change(
    AxumState(workspace): AxumState<Shared>,
    Json(change): Json<Change>,
) -> Staged<bool> {
    let mut state = workspace.lock();
    apply(&workspace, &mut state, change)?;
    // Who may see what has changed, so everybody looks again.
    state.conversations.values().for_each(Conversation::tell);
    drop(state);
    workspace.tell();
    Ok(Json(true))
}

fn channel(state: &State, name: &str) -> Result<String, StageError> {
    match state.channel_id(name) {
        Some(id) => Ok(id),
        None => cannot(format!("there is no channel {name}")),
    }
}

pub(super) fn user(state: &State, name: &str) -> Result<String, StageError> {
    match state.user(name) {
        Some(user) => Ok(user.id.clone()),
        None => cannot(format!("nobody is called {name}")),
    }
}

fn apply(workspace: &Shared, state: &mut State, change: Change) -> Result<(), StageError> {
    match change {
        Change::Archive(name) => archive(workspace, state, &name, true),
        Change::Unarchive(name) => archive(workspace, state, &name, false),
        Change::Deactivate(name) => deactivate(workspace, state, &name, true),
        Change::Reactivate(name) => deactivate(workspace, state, &name, false),
        Change::RemoveBot(name) => bot_membership(workspace, state, &name, false),
        Change::AddBot(name) => bot_membership(workspace, state, &name, true),
        Change::RenameChannel { channel, name } => rename_channel(workspace, state, &channel, name),
        Change::RenameUser { user: who, name } => {
            let id = user(state, &who)?;
            if let Some(user) = state.users.get_mut(&id) {
                user.name = name;
            }
            user_changed(workspace, state, &id);
            Ok(())
        }
        Change::Join { channel, user } => membership(workspace, state, &channel, &user, true),
        Change::Leave { channel, user } => membership(workspace, state, &channel, &user, false),
        Change::Guest { user: who, guest } => {
            let id = user(state, &who)?;
            if let Some(user) = state.users.get_mut(&id) {
                user.is_restricted = guest;
            }
            user_changed(workspace, state, &id);
            Ok(())
        }
        Change::Zone { user: who, zone } => {
            if zone.parse::<chrono_tz::Tz>().is_err() {
                return cannot(format!("there is no time zone {zone}"));
            }
            let id = user(state, &who)?;
            if let Some(user) = state.users.get_mut(&id) {
                user.tz = zone;
            }
            user_changed(workspace, state, &id);
            Ok(())
        }
        Change::DisableGroup(name) => user_groups::disable(workspace, state, &name, true),
        Change::EnableGroup(name) => user_groups::disable(workspace, state, &name, false),
        Change::RenameGroup { group, handle } => {
            user_groups::rename(workspace, state, &group, &handle)
        }
        Change::IssueToken(token) if token.starts_with("xapp-") => {
            let former = std::mem::replace(&mut state.app.app_token, token);
            state.former_app_tokens.insert(former);
            Ok(())
        }
        Change::IssueToken(token) => {
            state.app.bot_token = token;
            Ok(())
        }
        Change::IssueTokenOfOtherApp { token, app_id } => {
            state.other_app_tokens.insert(token, app_id);
            Ok(())
        }
        Change::RevokeFormerTokens => {
            state.former_app_tokens.clear();
            Ok(())
        }
        Change::GroupMembers { group, users } => {
            user_groups::replace_members(workspace, state, &group, &users)
        }
    }
}

/// The event name for a channel, or the one for a private channel.
fn of_kind(state: &State, id: &str, public: &'static str, private: &'static str) -> &'static str {
    let is_private = state
        .conversations
        .get(id)
        .is_some_and(|one| one.kind != Kind::Public);
    if is_private { private } else { public }
}

fn archive(
    workspace: &Shared,
    state: &mut State,
    name: &str,
    archived: bool,
) -> Result<(), StageError> {
    let id = channel(state, name)?;
    if let Some(one) = state.conversations.get_mut(&id) {
        one.archived = archived;
    }
    let kind = if archived {
        of_kind(state, &id, "channel_archive", "group_archive")
    } else {
        of_kind(state, &id, "channel_unarchive", "group_unarchive")
    };
    let ts = event_ts(workspace, state);
    let event =
        json!({ "type": kind, "channel": id, "user": "USLACKBOT", "is_moved": 0, "event_ts": ts });
    emit(workspace, state, kind, event);
    Ok(())
}

fn user_changed(workspace: &Shared, state: &mut State, id: &str) {
    let ts = event_ts(workspace, state);
    let Some(user) = state.users.get(id) else {
        return;
    };
    let event = json!({
        "type": "user_change", "user": user_json(state, user), "cache_ts": workspace.clock.now_s(), "event_ts": ts,
    });
    emit(workspace, state, "user_change", event);
}

fn deactivate(
    workspace: &Shared,
    state: &mut State,
    name: &str,
    deleted: bool,
) -> Result<(), StageError> {
    let id = user(state, name)?;
    if let Some(user) = state.users.get_mut(&id) {
        user.deleted = deleted;
    }
    if deleted {
        state.modals.remove(&id);
        // Slack takes them out of channels and groups; direct messages stay, unreadable to them.
        let channels = state
            .conversations
            .values_mut()
            .filter(|one| one.kind != Kind::Direct);
        channels.for_each(|one| {
            one.members.remove(&id);
        });
        state.groups.values_mut().for_each(|group| {
            group.users.remove(&id);
        });
    }
    user_changed(workspace, state, &id);
    Ok(())
}

fn bot_membership(
    workspace: &Shared,
    state: &mut State,
    name: &str,
    inside: bool,
) -> Result<(), StageError> {
    let id = channel(state, name)?;
    if let Some(one) = state.conversations.get_mut(&id) {
        one.bot_in = inside;
    }
    let ts = event_ts(workspace, state);
    if inside {
        let bot = state.app.bot_user_id.clone();
        member_event(workspace, state, &id, &bot, "member_joined_channel");
    } else {
        let kind = of_kind(state, &id, "channel_left", "group_left");
        emit(
            workspace,
            state,
            kind,
            json!({ "type": kind, "channel": id, "actor_id": "USLACKBOT", "event_ts": ts }),
        );
    }
    Ok(())
}

fn member_event(workspace: &Shared, state: &mut State, channel: &str, user: &str, kind: &str) {
    let ts = event_ts(workspace, state);
    let of = state
        .conversations
        .get(channel)
        .map_or("C", |one| channel_type(one.kind));
    let event = json!({
        "type": kind, "user": user, "channel": channel, "channel_type": of, "team": state.team.id, "event_ts": ts,
    });
    emit(workspace, state, kind, event);
}

fn membership(
    workspace: &Shared,
    state: &mut State,
    channel_name: &str,
    who: &str,
    inside: bool,
) -> Result<(), StageError> {
    let (id, user) = (channel(state, channel_name)?, user(state, who)?);
    let bot_in = state.conversations.get_mut(&id).is_some_and(|one| {
        if inside {
            one.members.insert(user.clone());
        } else {
            one.members.remove(&user);
        }
        one.bot_in
    });
    // The app hears only of channels that it is in.
    if bot_in {
        let kind = if inside {
            "member_joined_channel"
        } else {
            "member_left_channel"
        };
        member_event(workspace, state, &id, &user, kind);
    }
    Ok(())
}

fn rename_channel(
    workspace: &Shared,
    state: &mut State,
    old: &str,
    name: String,
) -> Result<(), StageError> {
    let id = channel(state, old)?;
    let mut created_s = 0;
    if let Some(one) = state.conversations.get_mut(&id) {
        one.name.clone_from(&name);
        created_s = one.created_s;
    }
    let kind = of_kind(state, &id, "channel_rename", "group_rename");
    let ts = event_ts(workspace, state);
    let event = json!({
        "type": kind,
        "channel": { "id": id, "name": name, "name_normalized": name, "created": created_s, "is_channel": true, "is_mpim": false },
        "event_ts": ts,
    });
    emit(workspace, state, kind, event);
    Ok(())
}
