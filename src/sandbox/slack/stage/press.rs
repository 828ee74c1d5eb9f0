//! Presses: on what stands there, and forged ones.

use axum::Json;
use axum::extract::State as AxumState;
use serde_json::{Value, json};

use super::super::api::view_json;
use super::super::delivery::{Delivery, Outgoing, deliver};
use super::super::payloads::{self, MessageAction};
use super::super::reading;
use super::super::response_url;
use super::super::state::State;
use super::super::wire::{ForgedPress, Place, Press, PressAnswer, Surface};
use super::super::workspace::{Shared, text_of};
use super::super::world::User;
use super::{StageError, Staged, active, cannot, elements, event_ts, visible_id};

struct Prepared {
    payload: Value,
    trigger_id: String,
    response_url: Option<String>,
}

pub(super) async fn press(
    AxumState(workspace): AxumState<Shared>,
    Json(press): Json<Press>,
) -> Staged<PressAnswer> {
    let prepared = {
        let mut state = workspace.lock();
        let state = &mut *state;
        let user = active(state, &press.user)?;
        match &press.surface {
            Surface::Message { place, ts } => {
                on_message(&workspace, state, &user, place, ts, &press)?
            }
            Surface::Modal | Surface::Home => on_view(&workspace, state, &user, &press)?,
        }
    };
    send(&workspace, prepared).await
}

async fn send(workspace: &Shared, prepared: Prepared) -> Staged<PressAnswer> {
    if !workspace.lock().manifest.settings.interactivity.is_enabled {
        return Ok(Json(PressAnswer {
            failed: Some("interactivity_off".to_owned()),
            ..PressAnswer::default()
        }));
    }
    let outgoing = Outgoing {
        kind: "interactive",
        accepts_response_payload: false,
        payload: prepared.payload,
        retry_attempt: None,
    };
    let mut answer = PressAnswer {
        delivered: true,
        trigger_id: Some(prepared.trigger_id),
        response_url: prepared.response_url,
        ..PressAnswer::default()
    };
    match deliver(workspace, outgoing, false).await {
        Delivery::NoSocket => {
            answer.delivered = false;
            answer.failed = Some("dispatch_failed".to_owned());
        }
        Delivery::Unacked => answer.failed = Some("operation_timeout".to_owned()),
        Delivery::Acked { after_us, .. } => {
            answer.acked = true;
            answer.ack_ms = Some(after_us / 1000);
            answer.ack_us = Some(after_us);
        }
    }
    Ok(Json(answer))
}

/// The element that is pressed.
fn find<'v>(blocks: &'v [Value], press: &Press) -> Result<(&'v str, &'v Value), StageError> {
    let meant = |(block_id, element): &(&str, &Value)| {
        text_of(element, "/action_id") == press.action_id
            && press
                .block_id
                .as_ref()
                .is_none_or(|wanted| wanted == block_id)
    };
    match reading::elements(blocks).find(meant) {
        Some(found) => Ok(found),
        None => cannot(format!(
            "nothing with the action {} stands there",
            press.action_id
        )),
    }
}

fn on_message(
    workspace: &Shared,
    state: &mut State,
    user: &User,
    place: &Place,
    ts: &str,
    press: &Press,
) -> Result<Prepared, StageError> {
    let channel = visible_id(state, user, place)?;
    let action_ts = event_ts(workspace, state);
    let (action, values) = {
        let Some(conversation) = state.conversations.get(&channel) else {
            return cannot("no such channel");
        };
        if conversation.archived {
            return cannot(format!(
                "{channel} is archived, nothing can be pressed there"
            ));
        }
        let message = conversation.messages.get(ts);
        let shown = message.filter(|message| {
            message
                .ephemeral_to
                .as_ref()
                .is_none_or(|to| *to == user.id)
        });
        let Some(message) = shown else {
            return cannot(format!("{} sees no message {ts} in {channel}", user.name));
        };
        let (block_id, element) = find(&message.content.blocks, press)?;
        let action = elements::action(block_id, element, press.option.as_deref(), &action_ts)?;
        let chosen = match press.option.as_deref() {
            Some(value) if text_of(element, "/type") != "overflow" => {
                json!({ block_id: { press.action_id.as_str(): elements::entered(element, &json!(value))? } })
            }
            _ => json!({}),
        };
        (action, elements::values(&message.content.blocks, &chosen))
    };
    Ok(message_payload(
        workspace, state, user, &channel, ts, action, values,
    ))
}

fn message_payload(
    workspace: &Shared,
    state: &mut State,
    user: &User,
    channel: &str,
    ts: &str,
    action: Value,
    values: Value,
) -> Prepared {
    let trigger_id = state.new_trigger(&user.id, workspace.clock.now_ms());
    let response_url = response_url::make(
        workspace,
        state,
        "actions",
        channel,
        &user.id,
        Some(ts.to_owned()),
    );
    let payload = payloads::message_action(
        state,
        &MessageAction {
            user,
            channel_id: channel,
            channel: state.conversations.get(channel),
            ts,
            action,
            values,
            trigger_id: &trigger_id,
            response_url: &response_url,
        },
    );
    Prepared {
        payload,
        trigger_id,
        response_url: Some(response_url),
    }
}

fn on_view(
    workspace: &Shared,
    state: &mut State,
    user: &User,
    press: &Press,
) -> Result<Prepared, StageError> {
    let action_ts = event_ts(workspace, state);
    let view = if press.surface == Surface::Modal {
        state
            .modals
            .get_mut(&user.id)
            .and_then(|stack| stack.last_mut())
    } else {
        state.homes.get_mut(&user.id)
    };
    let Some(view) = view else {
        return cannot(format!("{} has no such view open", user.name));
    };
    let blocks = view.body["blocks"].as_array().cloned().unwrap_or_default();
    let (block_id, element) = find(&blocks, press)?;
    let action = elements::action(block_id, element, press.option.as_deref(), &action_ts)?;
    if let (Some(value), false) = (
        press.option.as_deref(),
        text_of(element, "/type") == "overflow",
    ) {
        view.state[block_id][press.action_id.as_str()] = elements::entered(element, &json!(value))?;
    }
    let values = elements::values(&blocks, &view.state);
    let id = view.id.clone();
    let view = state
        .modals
        .values()
        .flatten()
        .chain(state.homes.values())
        .find(|view| view.id == id);
    let mut view = view.map_or(Value::Null, |view| view_json(state, view));
    view["state"] = json!({ "values": values });
    let trigger_id = state.new_trigger(&user.id, workspace.clock.now_ms());
    let payload = payloads::view_action(state, user, view, action, &trigger_id);
    Ok(Prepared {
        payload,
        trigger_id,
        response_url: None,
    })
}

/// Sends a press that no client would send.
pub(super) async fn forge(
    AxumState(workspace): AxumState<Shared>,
    Json(forged): Json<ForgedPress>,
) -> Staged<PressAnswer> {
    let prepared = {
        let mut state = workspace.lock();
        let state = &mut *state;
        let user = state
            .user(&forged.user)
            .cloned()
            .unwrap_or_else(|| stranger(&forged.user));
        let action_ts = event_ts(&workspace, state);
        let mut action = json!({
            "type": "button",
            "action_id": forged.action_id,
            "block_id": forged.block_id,
            "text": { "type": "plain_text", "text": "forged", "emoji": true },
            "action_ts": action_ts,
        });
        if let Some(value) = &forged.value {
            action["value"] = json!(value);
        }
        let channel = state.channel_id(&forged.channel).unwrap_or(forged.channel);
        message_payload(
            &workspace,
            state,
            &user,
            &channel,
            &forged.ts,
            action,
            json!({}),
        )
    };
    send(&workspace, prepared).await
}

fn stranger(id: &str) -> User {
    User {
        id: id.to_owned(),
        name: id.to_lowercase(),
        real_name: String::new(),
        title: String::new(),
        tz: "Etc/UTC".to_owned(),
        email: None,
        deleted: false,
        is_bot: false,
        is_restricted: false,
        is_ultra_restricted: false,
        is_stranger: true,
    }
}
