//! Forms: submitted, closed; and the Home tab opened.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::State as AxumState;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::super::api::{checked_view, push_on, replace_view, view_json};
use super::super::check::Surface;
use super::super::delivery::{Delivery, Outgoing, deliver};
use super::super::payloads;
use super::super::reading;
use super::super::state::{State, View};
use super::super::wire::{Submission, SubmitAnswer};
use super::super::workspace::{Shared, text_of};
use super::super::world::User;
use super::{StageError, Staged, active, cannot, elements, emit, event_ts};

fn top<'s>(state: &'s mut State, user: &User) -> Result<&'s mut View, StageError> {
    match state
        .modals
        .get_mut(&user.id)
        .and_then(|stack| stack.last_mut())
    {
        Some(view) => Ok(view),
        None => cannot(format!("{} has no form open", user.name)),
    }
}

/// Enters the values; returns the errors that the person's own client shows.
fn fill(
    view: &mut View,
    values: &BTreeMap<String, Value>,
) -> Result<BTreeMap<String, String>, StageError> {
    let blocks = view.body["blocks"].as_array().cloned().unwrap_or_default();
    for (name, value) in values {
        let named = |(block_id, element): &(&str, &Value)| {
            block_id == name || text_of(element, "/action_id") == name
        };
        let Some((block_id, element)) = reading::elements(&blocks).find(named) else {
            return cannot(format!("the form has no input {name}"));
        };
        view.state[block_id][text_of(element, "/action_id")] = elements::entered(element, value)?;
    }
    let held = elements::values(&blocks, &view.state);
    let mut errors = BTreeMap::new();
    for block in blocks.iter().filter(|block| block["type"] == "input") {
        let block_id = text_of(block, "/block_id");
        let value = &held[block_id][text_of(block, "/element/action_id")];
        if let Some(error) = elements::incomplete(block, value) {
            errors.insert(block_id.to_owned(), error);
        }
    }
    Ok(errors)
}

fn with_values(state: &State, id: &str) -> Value {
    let Some(view) = state.modals.values().flatten().find(|view| view.id == id) else {
        return Value::Null;
    };
    let blocks = view.body["blocks"]
        .as_array()
        .map(Vec::as_slice)
        .unwrap_or_default();
    let mut json = view_json(state, view);
    json["state"] = json!({ "values": elements::values(blocks, &view.state) });
    json
}

pub(super) async fn submit(
    AxumState(workspace): AxumState<Shared>,
    Json(submission): Json<Submission>,
) -> Staged<SubmitAnswer> {
    let (user, id, trigger_id, payload) = {
        let mut state = workspace.lock();
        let state = &mut *state;
        let user = active(state, &submission.user)?;
        let view = top(state, &user)?;
        if view.body.get("submit").is_none() {
            return cannot("the view has no submit button");
        }
        let errors = fill(view, &submission.values)?;
        if !errors.is_empty() {
            return Ok(Json(SubmitAnswer {
                errors,
                failed: Some("incomplete".to_owned()),
                ..SubmitAnswer::default()
            }));
        }
        let id = view.id.clone();
        let trigger_id = state.new_trigger(&user.id, workspace.clock.now_ms());
        let view = with_values(state, &id);
        let payload = payloads::view_submission(state, &user, view, &trigger_id);
        (user, id, trigger_id, payload)
    };
    let mut answer = SubmitAnswer {
        trigger_id: Some(trigger_id),
        ..SubmitAnswer::default()
    };
    if let Some(acked) = interact(&workspace, payload, true, &mut answer).await {
        let mut state = workspace.lock();
        if let Err(failed) = react(
            &workspace,
            &mut state,
            &user,
            &id,
            acked.as_ref(),
            &mut answer,
        ) {
            answer.failed = Some(failed);
        }
        workspace.tell();
    }
    Ok(Json(answer))
}

/// Sends an interaction and notes what became of it; `Some`: the payload of its acknowledgement.
async fn interact(
    workspace: &Shared,
    payload: Value,
    accepts: bool,
    answer: &mut SubmitAnswer,
) -> Option<Option<Value>> {
    if !workspace.lock().manifest.settings.interactivity.is_enabled {
        answer.failed = Some("interactivity_off".to_owned());
        return None;
    }
    let outgoing = Outgoing {
        kind: "interactive",
        accepts_response_payload: accepts,
        payload,
        retry_attempt: None,
    };
    match deliver(workspace, outgoing, false).await {
        Delivery::NoSocket => answer.failed = Some("dispatch_failed".to_owned()),
        Delivery::Unacked => {
            answer.delivered = true;
            answer.failed = Some("operation_timeout".to_owned());
        }
        Delivery::Acked { after_us, payload } => {
            answer.delivered = true;
            answer.acked = true;
            answer.ack_ms = Some(after_us / 1000);
            return Some(payload);
        }
    }
    None
}

/// Does what the acknowledgement's `response_action` says.
fn react(
    workspace: &Shared,
    state: &mut State,
    user: &User,
    id: &str,
    payload: Option<&Value>,
    answer: &mut SubmitAnswer,
) -> Result<(), String> {
    let action = payload.map_or("", |payload| text_of(payload, "/response_action"));
    let view = payload.and_then(|payload| payload.get("view"));
    let new_body = |view: Option<&Value>| {
        let view = view.ok_or_else(|| "the response_action came without a view".to_owned())?;
        checked_view(view, Surface::Modal).map_err(|refusal| refusal.body().to_string())
    };
    match action {
        "" => {
            if let Some(stack) = state.modals.get_mut(&user.id) {
                stack.retain(|view| view.id != id);
            }
            answer.action = Some("closed".to_owned());
        }
        "clear" => {
            state.modals.remove(&user.id);
            answer.action = Some("clear".to_owned());
        }
        "update" => {
            let body = new_body(view)?;
            replace_view(workspace, state, &user.id, id, body);
            answer.action = Some("update".to_owned());
        }
        "push" => {
            let body = new_body(view)?;
            push_on(workspace, state, &user.id, body).map_err(|refusal| refusal.error)?;
            answer.action = Some("push".to_owned());
        }
        "errors" => {
            let errors = payload
                .and_then(|payload| payload.get("errors"))
                .and_then(Value::as_object);
            let view = top(state, user).map_err(|error| error.0)?;
            let blocks = view.body["blocks"].as_array().cloned().unwrap_or_default();
            let input = |id: &str| {
                blocks
                    .iter()
                    .any(|block| block["type"] == "input" && text_of(block, "/block_id") == id)
            };
            let mut shown = BTreeMap::new();
            for (block_id, text) in errors.into_iter().flatten() {
                match text.as_str() {
                    Some(text) if input(block_id) => {
                        shown.insert(block_id.clone(), text.to_owned())
                    }
                    _ => {
                        return Err(format!(
                            "errors name {block_id}, which is no input block of the view"
                        ));
                    }
                };
            }
            if shown.is_empty() {
                return Err("response_action errors came without errors".to_owned());
            }
            view.errors.clone_from(&shown);
            answer.errors = shown;
            answer.action = Some("errors".to_owned());
        }
        other => return Err(format!("unknown response_action {other}")),
    }
    Ok(())
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Closing {
    user: String,
    /// All views at once, as the cross at the top does for a view with `clear_on_close`.
    #[serde(default)]
    all: bool,
}

pub(super) async fn close(
    AxumState(workspace): AxumState<Shared>,
    Json(closing): Json<Closing>,
) -> Staged<SubmitAnswer> {
    let payload = {
        let mut state = workspace.lock();
        let state = &mut *state;
        let user = active(state, &closing.user)?;
        let view = top(state, &user)?;
        let clears = closing.all
            || view
                .body
                .get("clear_on_close")
                .and_then(Value::as_bool)
                .unwrap_or(false);
        let tells = view
            .body
            .get("notify_on_close")
            .and_then(Value::as_bool)
            .unwrap_or(false);
        let id = view.id.clone();
        let json = with_values(state, &id);
        if clears {
            state.modals.remove(&user.id);
        } else if let Some(stack) = state.modals.get_mut(&user.id) {
            stack.pop();
        }
        tells.then(|| payloads::view_closed(state, &user, json, clears))
    };
    workspace.tell();
    let mut answer = SubmitAnswer {
        action: Some("closed".to_owned()),
        ..SubmitAnswer::default()
    };
    if let Some(payload) = payload {
        // Nothing can be done about a missing acknowledgement: the view is gone already.
        interact(&workspace, payload, false, &mut answer).await;
    }
    Ok(Json(answer))
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Opening {
    user: String,
}

/// A person opens the app's Home tab. Answers whether the app hears of it.
pub(super) async fn open_home(
    AxumState(workspace): AxumState<Shared>,
    Json(opening): Json<Opening>,
) -> Staged<bool> {
    let mut state = workspace.lock();
    let state = &mut *state;
    let user = active(state, &opening.user)?;
    if !state.manifest.features.app_home.home_tab_enabled {
        return cannot("the app has no Home tab");
    }
    let channel = state.direct_id(&user.id);
    let ts = event_ts(&workspace, state);
    let mut event = json!({ "type": "app_home_opened", "user": user.id, "channel": channel, "tab": "home", "event_ts": ts });
    if let Some(view) = state.homes.get(&user.id) {
        event["view"] = view_json(state, view);
    }
    Ok(Json(emit(&workspace, state, "app_home_opened", event)))
}
