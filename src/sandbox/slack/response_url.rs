//! Response addresses: five uses in thirty minutes, for the channel and person of one command or press.

use axum::Json;
use axum::body::Bytes;
use axum::extract::{ConnectInfo, Path, State as AxumState};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use super::api::{Args, ContentRules, Refusal, read_content};
use super::clock::real_wait;
use super::connection::Cutter;
use super::state::{KEPT_MAX, KEPT_MS, ResponseUrl, State};
use super::wire::{Call, FaultKind};
use super::workspace::{Post, Shared, Workspace};

const USES_MAX: u32 = 5;
const LIFE_MS: u64 = 30 * 60 * 1000;

/// Makes an address. `kind` is `commands` or `actions`, as in Slack's own addresses.
pub(super) fn make(
    workspace: &Workspace,
    state: &mut State,
    kind: &str,
    channel: &str,
    user: &str,
    original: Option<String>,
) -> String {
    let key = super::world::random_hex();
    let url = ResponseUrl {
        channel: channel.to_owned(),
        user: user.to_owned(),
        at_ms: workspace.clock.now_ms(),
        uses: 0,
        original,
    };
    if state.response_urls.len() >= KEPT_MAX {
        let now_ms = workspace.clock.now_ms();
        state
            .response_urls
            .retain(|_, url| now_ms.saturating_sub(url.at_ms) <= KEPT_MS);
    }
    state.response_urls.insert(key.clone(), url);
    format!("http://{}/{kind}/{}/{key}", workspace.host, state.team.id)
}

/// `POST /commands/TEAM/KEY` and `POST /actions/TEAM/KEY`.
pub(super) async fn respond(
    AxumState(workspace): AxumState<Shared>,
    ConnectInfo(cutter): ConnectInfo<Cutter>,
    Path((_team, key)): Path<(String, String)>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let fault = workspace.lock().take_fault("response_url");
    if let Some(FaultKind::Delay(wait_ms)) = fault {
        real_wait(wait_ms).await;
    }
    let args = Args::read(&headers, None, &body);
    let request = args.as_ref().map_or(Value::Null, Args::to_value);
    let run = || {
        args.as_ref()
            .map_err(Clone::clone)
            .and_then(|args| answer(&workspace, &key, args))
    };
    let bare =
        |status: u16| StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut cut = false;
    let (status, refusal) = match &fault {
        None | Some(FaultKind::Delay(_)) => outcome(run()),
        Some(FaultKind::Status(status)) => (bare(*status), None),
        Some(FaultKind::StatusAfterEffect(status)) => {
            outcome(run());
            (bare(*status), None)
        }
        Some(FaultKind::DropAfterEffect) => {
            cut = true;
            outcome(run())
        }
        Some(FaultKind::Drop) => {
            cut = true;
            (StatusCode::INTERNAL_SERVER_ERROR, None)
        }
        Some(FaultKind::RateLimited { .. }) => (StatusCode::TOO_MANY_REQUESTS, None),
        Some(FaultKind::SlackError(error)) => (StatusCode::BAD_REQUEST, Some(Refusal::new(error))),
    };
    let body = refusal.as_ref().map_or_else(
        || {
            if status.is_success() {
                json!("ok")
            } else {
                Value::Null
            }
        },
        Refusal::body,
    );
    workspace.lock().log_call(Call {
        seq: 0,
        at_ms: workspace.clock.now_ms(),
        method: "response_url".to_owned(),
        token: "none".to_owned(),
        request,
        status: status.as_u16(),
        response: body.clone(),
        refused: refusal.map(|refusal| refusal.error),
        fault: fault.clone(),
    });
    if cut {
        cutter.cut();
    }
    let mut response = match body {
        // Slack answers a bare `ok`, which is no JSON.
        Value::String(ok) => (status, ok).into_response(),
        Value::Null => status.into_response(),
        body => (status, Json(body)).into_response(),
    };
    if let Some(FaultKind::RateLimited { retry_after_s }) = fault {
        response
            .headers_mut()
            .insert(axum::http::header::RETRY_AFTER, retry_after_s.into());
    }
    response
}

/// Not seen on real Slack: with which status and words a used-up or old address, or bad content, is refused.
fn outcome(result: Result<(), Refusal>) -> (StatusCode, Option<Refusal>) {
    match result {
        Ok(()) => (StatusCode::OK, None),
        Err(refusal) if matches!(refusal.error.as_str(), "used_url" | "expired_url") => {
            (StatusCode::NOT_FOUND, Some(refusal))
        }
        Err(refusal) => (StatusCode::BAD_REQUEST, Some(refusal)),
    }
}

fn answer(workspace: &Workspace, key: &str, args: &Args) -> Result<(), Refusal> {
    let mut state = workspace.lock();
    let state = &mut *state;
    let now_ms = workspace.clock.now_ms();
    let Some(url) = state.response_urls.get_mut(key) else {
        return Err(Refusal::new("expired_url"));
    };
    if now_ms.saturating_sub(url.at_ms) > LIFE_MS {
        return Err(Refusal::new("expired_url"));
    }
    if url.uses >= USES_MAX {
        return Err(Refusal::new("used_url"));
    }
    let (channel, user, original) = (url.channel.clone(), url.user.clone(), url.original.clone());
    let replaces = args.flag("replace_original") && original.is_some();
    let deletes = args.flag("delete_original") && original.is_some();
    let given = if deletes {
        None
    } else {
        Some(read_content(args, ContentRules::Response)?)
    };
    if let Some(url) = state.response_urls.get_mut(key) {
        url.uses += 1;
    }
    let messages = state
        .conversations
        .get_mut(&channel)
        .map(|conversation| &mut conversation.messages);
    match (given, original, messages) {
        (None, Some(original), Some(messages)) => {
            messages.remove(&original);
        }
        (Some(given), Some(original), Some(messages)) if replaces => {
            let Some(message) = messages.get_mut(&original) else {
                return Err(Refusal::new("message_not_found"));
            };
            message.content = given.into_content();
            message.updates += 1;
        }
        (Some(given), _, _) => {
            let in_channel = args.text("response_type").as_deref() == Some("in_channel");
            let post = Post {
                method: "response_url",
                content: given.into_content(),
                thread_ts: args.text("thread_ts").filter(|ts| !ts.is_empty()),
                ephemeral_to: (!in_channel).then_some(user),
                ..Post::default()
            };
            workspace.post(state, &channel, post);
        }
        (None, _, _) => {}
    }
    if let Some(conversation) = state.conversations.get(&channel) {
        conversation.tell();
    }
    Ok(())
}
