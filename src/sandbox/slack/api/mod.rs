//! The Web API: authentication, scopes, staged faults and the log around each method.

pub(super) mod args;
mod chat;
mod content;
mod conversations;
mod messages;
mod people;
mod scopes;
mod views;

use axum::Json;
use axum::body::Bytes;
use axum::extract::{ConnectInfo, Path, RawQuery, State as AxumState};
use axum::http::header::RETRY_AFTER;
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value, json};

pub(super) use args::Args;
pub(super) use content::{ContentRules, read_content};
pub(super) use people::user_json;
pub(super) use views::{checked_view, push_on, replace as replace_view, view_json};

use super::clock::real_wait;
use super::connection::Cutter;
use super::state::{State, Ticket};
use super::wire::{Call, FaultKind};
use super::workspace::{Shared, Workspace};
use scopes::Need;

/// How long the address of a socket may wait for its use.
pub(super) const TICKET_LIFE_MS: u64 = 30_000;

/// A call that Slack refuses.
#[derive(Debug, Clone)]
pub(super) struct Refusal {
    pub(super) error: String,
    details: Map<String, Value>,
    retry_after_s: Option<u64>,
}

impl Refusal {
    pub(super) fn new(error: &str) -> Refusal {
        Refusal {
            error: error.to_owned(),
            details: Map::new(),
            retry_after_s: None,
        }
    }

    fn with(mut self, key: &str, value: impl Into<Value>) -> Refusal {
        self.details.insert(key.to_owned(), value.into());
        self
    }

    /// A schema error: `errors` bare and `response_metadata.messages` with their level.
    pub(super) fn schema(error: &str, problems: &[String]) -> Refusal {
        let messages: Vec<String> = problems
            .iter()
            .map(|problem| format!("[ERROR] {problem}"))
            .collect();
        Refusal::new(error)
            .with("errors", json!(problems))
            .with("response_metadata", json!({ "messages": messages }))
    }

    fn rate_limited(retry_after_s: u64) -> Refusal {
        Refusal {
            retry_after_s: Some(retry_after_s),
            ..Refusal::new("ratelimited")
        }
    }

    pub(super) fn body(&self) -> Value {
        let mut body = Map::from_iter([
            ("ok".to_owned(), json!(false)),
            ("error".to_owned(), json!(self.error)),
        ]);
        body.extend(self.details.clone());
        Value::Object(body)
    }
}

/// What goes back over HTTP.
struct Answer {
    status: StatusCode,
    body: Value,
    retry_after_s: Option<u64>,
}

impl From<Result<Value, Refusal>> for Answer {
    fn from(result: Result<Value, Refusal>) -> Answer {
        match result {
            Ok(mut body) => {
                if let Some(object) = body.as_object_mut() {
                    object.insert("ok".to_owned(), Value::Bool(true));
                }
                Answer {
                    status: StatusCode::OK,
                    body,
                    retry_after_s: None,
                }
            }
            Err(refusal) => Answer {
                status: if refusal.retry_after_s.is_some() {
                    StatusCode::TOO_MANY_REQUESTS
                } else {
                    StatusCode::OK
                },
                body: refusal.body(),
                retry_after_s: refusal.retry_after_s,
            },
        }
    }
}

impl Answer {
    fn bare(status: u16) -> Answer {
        let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        Answer {
            status,
            body: Value::Null,
            retry_after_s: None,
        }
    }
}

/// `POST` or `GET /api/METHOD`.
pub(super) async fn call(
    AxumState(workspace): AxumState<Shared>,
    ConnectInfo(cutter): ConnectInfo<Cutter>,
    Path(method): Path<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let fault = workspace.lock().take_fault(&method);
    if let Some(FaultKind::Delay(wait_ms)) = fault {
        real_wait(wait_ms).await;
    }
    let args = Args::read(&headers, query.as_deref(), &body);
    let (request, token) = match &args {
        Ok(args) => (args.to_value(), args.token.clone()),
        Err(_) => (Value::Null, None),
    };
    let run = || {
        let args = args.as_ref().map_err(Clone::clone);
        Answer::from(args.and_then(|args| dispatch(&workspace, &method, args)))
    };
    let mut cut = false;
    let answer = match &fault {
        None | Some(FaultKind::Delay(_)) => run(),
        Some(FaultKind::Status(status)) => Answer::bare(*status),
        Some(FaultKind::StatusAfterEffect(status)) => {
            run();
            Answer::bare(*status)
        }
        Some(FaultKind::DropAfterEffect) => {
            cut = true;
            run()
        }
        Some(FaultKind::Drop) => {
            cut = true;
            Answer::bare(500)
        }
        Some(FaultKind::RateLimited { retry_after_s }) => {
            Err(Refusal::rate_limited(*retry_after_s)).into()
        }
        Some(FaultKind::SlackError(error)) => Err(Refusal::new(error)).into(),
    };
    let mut state = workspace.lock();
    let call = Call {
        seq: 0,
        at_ms: workspace.clock.now_ms(),
        method,
        token: token_kind(&state, token.as_deref()).to_owned(),
        request,
        status: answer.status.as_u16(),
        refused: answer
            .body
            .get("error")
            .and_then(Value::as_str)
            .map(str::to_owned),
        response: answer.body.clone(),
        fault,
    };
    let scopes: Vec<&str> = state
        .manifest
        .oauth_config
        .scopes
        .bot
        .iter()
        .map(String::as_str)
        .collect();
    let scopes = HeaderValue::from_str(&scopes.join(",")).ok();
    state.log_call(call);
    drop(state);
    if cut {
        cutter.cut();
    }
    let mut response = if answer.body.is_null() {
        answer.status.into_response()
    } else {
        (answer.status, Json(answer.body)).into_response()
    };
    if let Some(seconds) = answer.retry_after_s {
        response
            .headers_mut()
            .insert(RETRY_AFTER, HeaderValue::from(seconds));
    }
    if let Some(scopes) = scopes {
        response.headers_mut().insert("x-oauth-scopes", scopes);
    }
    response
}

fn token_kind(state: &State, token: Option<&str>) -> &'static str {
    match token {
        None => "none",
        Some(token) if token == state.app.bot_token => "bot",
        Some(token) if token == state.app.app_token => "app",
        Some(token) if state.former_app_tokens.contains(token) => "app",
        Some(token) if state.other_app_tokens.contains_key(token) => "app",
        Some(_) => "unknown",
    }
}

fn dispatch(workspace: &Workspace, method: &str, args: &Args) -> Result<Value, Refusal> {
    let mut state = workspace.lock();
    let state = &mut *state;
    let Some(need) = scopes::need(method) else {
        return Err(Refusal::new("unknown_method").with("req_method", method));
    };
    match (token_kind(state, args.token.as_deref()), need) {
        ("none", _) => return Err(Refusal::new("not_authed")),
        ("app", Need::AppToken) => {}
        ("bot", Need::AppToken) | ("app", _) => return Err(Refusal::new("not_allowed_token_type")),
        ("bot", _) => scopes::check(&state.manifest, need)?,
        _ => return Err(Refusal::new("invalid_auth")),
    }
    match method {
        "auth.test" => Ok(auth_test(state)),
        "apps.connections.open" => Ok(connections_open(workspace, state, args)),
        "bots.info" => people::bot_info(state, args),
        "chat.postMessage" => chat::post_message(workspace, state, args),
        "chat.postEphemeral" => chat::post_ephemeral(workspace, state, args),
        "chat.update" => chat::update(workspace, state, args),
        "chat.delete" => chat::delete(state, args),
        "chat.getPermalink" => chat::get_permalink(state, args),
        "conversations.open" => conversations::open(state, args),
        "conversations.info" => conversations::info(state, args),
        "conversations.list" => conversations::list(state, args),
        "conversations.members" => conversations::members(state, args),
        "conversations.history" => messages::history(state, args),
        "conversations.replies" => messages::replies(state, args),
        "users.conversations" => conversations::of_user(state, args),
        "users.info" => people::info(state, args),
        "users.list" => people::list(state, args),
        "usergroups.list" => Ok(people::groups(state, args)),
        "usergroups.users.list" => people::group_users(state, args),
        "views.open" => views::open(workspace, state, args),
        "views.push" => views::push(workspace, state, args),
        "views.update" => views::update(workspace, state, args),
        "views.publish" => views::publish(workspace, state, args),
        _ => Err(Refusal::new("unknown_method").with("req_method", method)),
    }
}

fn auth_test(state: &State) -> Value {
    json!({
        "url": format!("https://{}.slack.com/", state.team.domain),
        "team": state.team.name,
        "user": state.app.name,
        "team_id": state.team.id,
        "user_id": state.app.bot_user_id,
        "bot_id": state.app.bot_id,
        "is_enterprise_install": false,
    })
}

fn connections_open(workspace: &Workspace, state: &mut State, args: &Args) -> Value {
    let others = (args.token.as_ref()).and_then(|token| state.other_app_tokens.get(token));
    let app_id = others.unwrap_or(&state.app.id).clone();
    let ticket = super::world::random_hex();
    let now_ms = workspace.clock.now_ms();
    state
        .tickets
        .retain(|_, one| now_ms.saturating_sub(one.made_ms) <= TICKET_LIFE_MS);
    let url = format!(
        "ws://{}/link/?ticket={ticket}&app_id={app_id}",
        workspace.host
    );
    let made_ms = now_ms;
    state.tickets.insert(ticket, Ticket { made_ms, app_id });
    json!({ "url": url })
}
