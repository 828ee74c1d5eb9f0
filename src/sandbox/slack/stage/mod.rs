//! The people's side, over `/sandbox/…`: everything that people, administrators and bad networks do.

mod changes;
mod commands;
mod elements;
mod forms;
mod live;
mod look;
mod press;
mod sight;
mod user_groups;

use axum::Json;
use axum::Router;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use serde_json::{Value, json};

use super::delivery::send_event;
use super::payloads;
use super::state::State;
use super::wire::Place;
use super::workspace::{Shared, Workspace};
use super::world::User;

/// Something that no person could do here.
#[derive(Debug)]
pub(super) struct StageError(String);

type Staged<T> = Result<Json<T>, StageError>;

impl IntoResponse for StageError {
    fn into_response(self) -> Response {
        (StatusCode::CONFLICT, Json(json!({ "error": self.0 }))).into_response()
    }
}

fn cannot<T>(why: impl Into<String>) -> Result<T, StageError> {
    Err(StageError(why.into()))
}

pub(super) fn routes() -> Router<Shared> {
    Router::new()
        .route("/sandbox/command", post(commands::command))
        .route("/sandbox/say", post(commands::say))
        .route("/sandbox/press", post(press::press))
        .route("/sandbox/forge", post(press::forge))
        .route("/sandbox/submit", post(forms::submit))
        .route("/sandbox/close", post(forms::close))
        .route("/sandbox/home", post(forms::open_home))
        .route("/sandbox/messages", post(look::messages))
        .route("/sandbox/views", post(look::views))
        .route("/sandbox/wait", post(look::wait))
        .route("/sandbox/wait/view", post(look::wait_view))
        .route("/sandbox/wait/sockets", post(look::wait_sockets))
        .route("/sandbox/sight", post(sight::sight))
        .route("/sandbox/read", post(sight::read))
        .route("/sandbox/live", get(live::live))
        .route("/sandbox/log", get(look::log))
        .route("/sandbox/mentions", get(look::mentions))
        .route("/sandbox/sockets", get(look::sockets))
        .route("/sandbox/fault", post(changes::fault))
        .route("/sandbox/faults/clear", post(changes::clear_faults))
        .route("/sandbox/disconnect", post(changes::disconnect_sockets))
        .route("/sandbox/redeliver", post(changes::redeliver))
        .route("/sandbox/raw", post(changes::raw))
        .route("/sandbox/clock", post(changes::advance))
        .route("/sandbox/change", post(changes::change))
}

/// A person who is still there.
fn active(state: &State, id_or_name: &str) -> Result<User, StageError> {
    match state.user(id_or_name) {
        None => cannot(format!("nobody is called {id_or_name} in this workspace")),
        Some(user) if user.deleted => {
            cannot(format!("{} is deactivated and can do nothing", user.name))
        }
        Some(user) => Ok(user.clone()),
    }
}

/// The conversation that a place means for this person.
fn place_id(state: &mut State, user: &User, place: &Place) -> Result<String, StageError> {
    match place {
        Place::Direct => Ok(state.direct_id(&user.id)),
        Place::Channel(channel) => match state.channel_id(channel) {
            Some(id) => Ok(id),
            None => cannot(format!("there is no channel {channel}")),
        },
    }
}

/// A conversation that this person can see.
fn visible_id(state: &mut State, user: &User, place: &Place) -> Result<String, StageError> {
    let id = place_id(state, user, place)?;
    if state
        .conversations
        .get(&id)
        .is_some_and(|one| one.visible_to(user))
    {
        Ok(id)
    } else {
        cannot(format!("{} cannot see {id}", user.name))
    }
}

/// A conversation in which this person can type.
fn writable_id(state: &mut State, user: &User, place: &Place) -> Result<String, StageError> {
    let id = place_id(state, user, place)?;
    match state.conversations.get(&id) {
        Some(one) if one.archived => cannot(format!("{id} is archived, nobody can type there")),
        Some(one) if one.members.contains(&user.id) => Ok(id),
        _ => cannot(format!(
            "{} is not a member of {id} and cannot type there",
            user.name
        )),
    }
}

/// Sends an event, if the manifest subscribes to it. Tells whether it does.
fn emit(workspace: &Shared, state: &mut State, subscription: &str, event: Value) -> bool {
    if !state.manifest.subscribes(subscription) {
        return false;
    }
    let payload = payloads::event(state, event, workspace.clock.now_s());
    send_event(workspace, payload);
    true
}

/// A timestamp for an event or action.
fn event_ts(workspace: &Workspace, state: &mut State) -> String {
    workspace.new_ts(state)
}
