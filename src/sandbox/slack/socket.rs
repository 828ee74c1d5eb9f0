//! Socket Mode: the sockets of the app, from the address to the end.

use axum::extract::ws::{CloseFrame, Message as Frame, WebSocket, WebSocketUpgrade};
use axum::extract::{ConnectInfo, Query, State as AxumState};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::sync::mpsc;

use super::api::TICKET_LIFE_MS;
use super::clock::{Ticker, real_wait};
use super::connection::Cutter;
use super::delivery::{ACK_LIMIT_MS, note_ack};
use super::state::{Socket, SocketOrder, State};
use super::wire::{Ack, Disconnect, Envelope};
use super::workspace::Shared;

/// Sockets that one app may hold open.
const SOCKETS_MAX: usize = 10;
/// Real time between pings.
const PING_EVERY_MS: u64 = 10_000;
/// Real time between a `disconnect` frame and the end of the socket.
const WARNING_MS: u64 = 10_000;
const REFRESH_MS: u64 = 5_000;
/// What Slack tells in `hello`: about how long a socket will last.
const CONNECTION_TIME_S: u64 = 18_060;

#[derive(Deserialize)]
pub(super) struct Link {
    #[serde(default)]
    ticket: String,
}

/// `GET /link/?ticket=…`: each address works once.
pub(super) async fn link(
    AxumState(workspace): AxumState<Shared>,
    ConnectInfo(cutter): ConnectInfo<Cutter>,
    Query(link): Query<Link>,
    upgrade: WebSocketUpgrade,
) -> Response {
    let ticket = workspace.lock().tickets.remove(&link.ticket);
    let now_ms = workspace.clock.now_ms();
    match ticket {
        Some(one) if now_ms.saturating_sub(one.made_ms) <= TICKET_LIFE_MS => {
            upgrade.on_upgrade(move |socket| serve(workspace, socket, cutter, one.app_id))
        }
        _ => (
            StatusCode::UNAUTHORIZED,
            "this socket address was used before, or is too old",
        )
            .into_response(),
    }
}

async fn serve(workspace: Shared, mut socket: WebSocket, cutter: Cutter, app_id: String) {
    let (orders, mut inbox) = mpsc::unbounded_channel();
    let (number, greeting) = {
        let mut state = workspace.lock();
        state.sockets_opened += 1;
        let number = state.sockets_opened;
        let refusal = if !state.manifest.settings.socket_mode_enabled {
            Some("link_disabled")
        } else if state.sockets.iter().filter(|one| one.delivering).count() >= SOCKETS_MAX {
            Some("too_many_websockets")
        } else {
            None
        };
        match refusal {
            Some(reason) => (number, Err(disconnect_frame(reason))),
            None => {
                let delivering = app_id == state.app.id;
                state.sockets.push(Socket {
                    number,
                    orders,
                    cutter,
                    delivering,
                });
                (number, Ok(hello(&state, &app_id)))
            }
        }
    };
    match greeting {
        Ok(hello) => {
            if socket.send(Frame::text(hello)).await.is_ok() {
                workspace.tell();
                talk(&workspace, &mut socket, &mut inbox, number).await;
            }
        }
        Err(refusal) => {
            // The peer may be gone already; then there is nobody to tell.
            if socket.send(Frame::text(refusal)).await.is_ok() {
                close(&mut socket).await;
            }
        }
    }
    workspace.lock().sockets.retain(|one| one.number != number);
    workspace.tell();
}

async fn close(socket: &mut WebSocket) {
    let frame = CloseFrame {
        code: 1000,
        reason: "".into(),
    };
    if socket.send(Frame::Close(Some(frame))).await.is_err() {
        tracing::trace!("the socket was closed by its peer first");
    }
}

async fn talk(
    workspace: &Shared,
    socket: &mut WebSocket,
    inbox: &mut mpsc::UnboundedReceiver<SocketOrder>,
    number: u64,
) {
    let mut ping = Ticker::every(PING_EVERY_MS);
    loop {
        tokio::select! {
            order = inbox.recv() => match order {
                Some(SocketOrder::Frame(text)) => {
                    if socket.send(Frame::text(text)).await.is_err() {
                        return;
                    }
                }
                Some(SocketOrder::Close) | None => return close(socket).await,
            },
            frame = socket.recv() => match frame {
                Some(Ok(Frame::Text(text))) => heard(workspace, &text),
                Some(Ok(Frame::Ping(_) | Frame::Pong(_))) => {}
                Some(Ok(Frame::Binary(_))) => workspace.lock().strange_frames.push("binary frame".to_owned()),
                Some(Ok(Frame::Close(_)) | Err(_)) | None => return,
            },
            () = ping.tick() => {
                let body = format!("Ping from sandbox socket {number}");
                if socket.send(Frame::Ping(body.into_bytes().into())).await.is_err() {
                    return;
                }
            }
        }
    }
}

fn hello(state: &State, app_id: &str) -> String {
    json!({
        "type": "hello",
        "num_connections": state.sockets.len(),
        "debug_info": { "host": "applink-sandbox", "build_number": 1, "approximate_connection_time": CONNECTION_TIME_S },
        "connection_info": { "app_id": app_id },
    })
    .to_string()
}

fn disconnect_frame(reason: &str) -> String {
    json!({ "type": "disconnect", "reason": reason, "debug_info": { "host": "applink-sandbox" } })
        .to_string()
}

/// A frame from the app: an acknowledgement, or something to be wondered at.
fn heard(workspace: &Shared, text: &str) {
    let frame: Option<Value> = serde_json::from_str(text).ok();
    let id = frame
        .as_ref()
        .and_then(|frame| frame.get("envelope_id"))
        .and_then(Value::as_str);
    let mut state = workspace.lock();
    let sent = |id: &&str| {
        let logged = |envelope: &Envelope| envelope.envelope_id == *id;
        state.pending.contains_key(*id) || state.envelopes.iter().rev().any(logged)
    };
    let Some(id) = id.filter(sent) else {
        state
            .strange_frames
            .push(text.chars().take(1_000).collect());
        return;
    };
    let payload = frame
        .as_ref()
        .and_then(|frame| frame.get("payload"))
        .cloned();
    if let Some(waiting) = state.pending.remove(id) {
        // The waiter may have given up in this instant; then the acknowledgement was late.
        if waiting.send(payload.clone()).is_ok() {
            return;
        }
    }
    note_ack(
        &mut state,
        id,
        Ack {
            after_ms: ACK_LIMIT_MS,
            payload,
            late: true,
        },
    );
}

/// Ends every socket that is open now; tells how many there were.
pub(super) fn disconnect(workspace: &Shared, how: &Disconnect) -> usize {
    let mut state = workspace.lock();
    let mut ended = 0;
    for socket in state.sockets.iter_mut().filter(|socket| socket.delivering) {
        ended += 1;
        let (reason, close_after_ms) = match how {
            Disconnect::Abrupt => {
                socket.delivering = false;
                socket.cutter.cut();
                continue;
            }
            Disconnect::Warning => ("warning", WARNING_MS),
            Disconnect::RefreshRequested => ("refresh_requested", REFRESH_MS),
            Disconnect::LinkDisabled => ("link_disabled", 0),
        };
        socket.delivering = *how == Disconnect::Warning;
        let orders = socket.orders.clone();
        if orders
            .send(SocketOrder::Frame(disconnect_frame(reason)))
            .is_ok()
        {
            let (workspace, number) = (workspace.clone(), socket.number);
            tokio::spawn(async move {
                real_wait(close_after_ms).await;
                let mut state = workspace.lock();
                if let Some(socket) = state
                    .sockets
                    .iter_mut()
                    .find(|socket| socket.number == number)
                {
                    socket.delivering = false;
                }
                drop(state);
                // The app may have closed it long ago, which is what it should do.
                if orders.send(SocketOrder::Close).is_err() {
                    tracing::trace!("the app closed the socket first");
                }
            });
        }
    }
    ended
}
