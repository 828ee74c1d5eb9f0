//! Socket Mode: the sockets of the app, envelopes to one of them, and their acknowledgements.

use axum::extract::ws::{CloseFrame, Message as Frame, WebSocket, WebSocketUpgrade};
use axum::extract::{ConnectInfo, Query, State as AxumState};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::sync::{mpsc, oneshot};

use super::api::TICKET_LIFE_MS;
use super::clock::{Stopwatch, real_wait};
use super::connection::Cutter;
use super::state::{Socket, SocketOrder, State};
use super::wire::{Ack, Disconnect, Envelope};
use super::workspace::Shared;

/// Sockets that one app may hold open.
const SOCKETS_MAX: usize = 10;
/// How long an acknowledgement may take.
pub(super) const ACK_LIMIT_MS: u64 = 3_000;
/// Real time between pings.
const PING_EVERY_MS: u64 = 10_000;
/// Real time between a `disconnect` frame and the end of the socket.
const WARNING_MS: u64 = 10_000;
const REFRESH_MS: u64 = 5_000;
/// When an event is sent again (Events API page): at once, after a minute, after five.
const EVENT_RETRIES_AFTER_MS: [u64; 3] = [0, 60_000, 300_000];
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
    let made_ms = workspace.lock().tickets.remove(&link.ticket);
    let now_ms = workspace.clock.now_ms();
    if made_ms.is_none_or(|made_ms| now_ms.saturating_sub(made_ms) > TICKET_LIFE_MS) {
        return (
            StatusCode::UNAUTHORIZED,
            "this socket address was used before, or is too old",
        )
            .into_response();
    }
    upgrade.on_upgrade(move |socket| serve(workspace, socket, cutter))
}

async fn serve(workspace: Shared, mut socket: WebSocket, cutter: Cutter) {
    let (orders, mut inbox) = mpsc::unbounded_channel();
    let (number, greeting) = {
        let mut state = workspace.lock();
        state.sockets_opened += 1;
        let number = state.sockets_opened;
        let refusal = if !state.manifest.settings.socket_mode_enabled {
            Some("link_disabled")
        } else if state.sockets.len() >= SOCKETS_MAX {
            Some("too_many_websockets")
        } else {
            None
        };
        match refusal {
            Some(reason) => (number, Err(disconnect_frame(reason))),
            None => {
                state.sockets.push(Socket {
                    number,
                    orders,
                    cutter,
                    delivering: true,
                });
                (number, Ok(hello(&state)))
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
            () = real_wait(PING_EVERY_MS) => {
                let body = format!("Ping from sandbox socket {number}");
                if socket.send(Frame::Ping(body.into_bytes().into())).await.is_err() {
                    return;
                }
            }
        }
    }
}

fn hello(state: &State) -> String {
    json!({
        "type": "hello",
        "num_connections": state.sockets.len(),
        "debug_info": { "host": "applink-sandbox", "build_number": 1, "approximate_connection_time": CONNECTION_TIME_S },
        "connection_info": { "app_id": state.app.id },
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
    let Some(id) = id.filter(|id| {
        state
            .envelopes
            .iter()
            .rev()
            .any(|envelope| envelope.envelope_id == *id)
    }) else {
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

fn note_ack(state: &mut State, envelope_id: &str, ack: Ack) {
    let found = state
        .envelopes
        .iter_mut()
        .rev()
        .find(|envelope| envelope.envelope_id == envelope_id);
    if let Some(envelope) = found.filter(|envelope| envelope.ack.is_none()) {
        envelope.ack = Some(ack);
    }
}

/// What became of an envelope.
pub(super) enum Delivery {
    NoSocket,
    Unacked,
    Acked {
        after_ms: u64,
        payload: Option<Value>,
    },
}

/// One envelope to be sent.
pub(super) struct Outgoing {
    pub(super) kind: &'static str,
    pub(super) accepts_response_payload: bool,
    pub(super) payload: Value,
    /// Events only.
    pub(super) retry_attempt: Option<u32>,
}

/// The next socket in turn; `None`: none is open.
fn send_to_one(state: &mut State, text: &str) -> Option<u64> {
    let open: Vec<usize> = (0..state.sockets.len())
        .filter(|index| state.sockets[*index].delivering)
        .collect();
    for _ in 0..open.len() {
        let index = open[state.next_socket % open.len()];
        state.next_socket = state.next_socket.wrapping_add(1);
        let socket = &state.sockets[index];
        if socket
            .orders
            .send(SocketOrder::Frame(text.to_owned()))
            .is_ok()
        {
            return Some(socket.number);
        }
    }
    None
}

/// Sends an envelope to one socket and waits for its acknowledgement; `by_sandbox_clock` decides whose three seconds.
pub(super) async fn deliver(
    workspace: &Shared,
    outgoing: Outgoing,
    by_sandbox_clock: bool,
) -> Delivery {
    let envelope_id = uuid();
    let (reply, answer) = oneshot::channel();
    let watch = Stopwatch::start();
    {
        let mut state = workspace.lock();
        let mut frame = json!({
            "envelope_id": envelope_id,
            "type": outgoing.kind,
            "accepts_response_payload": outgoing.accepts_response_payload,
            "payload": outgoing.payload,
        });
        if let (Some(attempt), Some(object)) = (outgoing.retry_attempt, frame.as_object_mut()) {
            object.insert("retry_attempt".to_owned(), json!(attempt));
            object.insert(
                "retry_reason".to_owned(),
                json!(if attempt == 0 { "" } else { "timeout" }),
            );
        }
        state.pending.insert(envelope_id.clone(), reply);
        let Some(socket) = send_to_one(&mut state, &frame.to_string()) else {
            state.pending.remove(&envelope_id);
            return Delivery::NoSocket;
        };
        state.log_envelope(Envelope {
            seq: 0,
            at_ms: workspace.clock.now_ms(),
            kind: outgoing.kind.to_owned(),
            envelope_id: envelope_id.clone(),
            accepts_response_payload: outgoing.accepts_response_payload,
            payload: outgoing.payload,
            retry_attempt: outgoing.retry_attempt,
            socket,
            ack: None,
        });
    }
    let limit = async {
        if by_sandbox_clock {
            workspace.clock.wait(ACK_LIMIT_MS).await;
        } else {
            real_wait(ACK_LIMIT_MS).await;
        }
    };
    let answered = tokio::select! {
        biased;
        payload = answer => payload.ok(),
        () = limit => None,
    };
    let mut state = workspace.lock();
    state.pending.remove(&envelope_id);
    match answered {
        None => Delivery::Unacked,
        Some(payload) => {
            let after_ms = watch.elapsed_ms();
            note_ack(
                &mut state,
                &envelope_id,
                Ack {
                    after_ms,
                    payload: payload.clone(),
                    late: false,
                },
            );
            Delivery::Acked { after_ms, payload }
        }
    }
}

/// Sends a text frame as it is. Acknowledged: if it has an `envelope_id` and the app answers it in time.
pub(super) async fn deliver_raw(workspace: &Shared, text: String) -> Delivery {
    let frame: Option<Value> = serde_json::from_str(&text).ok();
    let id = frame
        .as_ref()
        .and_then(|frame| frame.get("envelope_id"))
        .and_then(Value::as_str)
        .map(str::to_owned);
    let (reply, answer) = oneshot::channel();
    let watch = Stopwatch::start();
    {
        let mut state = workspace.lock();
        let Some(socket) = send_to_one(&mut state, &text) else {
            return Delivery::NoSocket;
        };
        let Some(id) = &id else {
            return Delivery::Unacked;
        };
        state.pending.insert(id.clone(), reply);
        let kind = frame
            .as_ref()
            .and_then(|frame| frame.get("type"))
            .and_then(Value::as_str)
            .unwrap_or("raw");
        let payload = frame
            .as_ref()
            .and_then(|frame| frame.get("payload"))
            .cloned()
            .unwrap_or(Value::Null);
        state.log_envelope(Envelope {
            seq: 0,
            at_ms: workspace.clock.now_ms(),
            kind: format!("raw {kind}"),
            envelope_id: id.clone(),
            accepts_response_payload: false,
            payload,
            retry_attempt: None,
            socket,
            ack: None,
        });
    }
    let answered = tokio::select! {
        biased;
        payload = answer => payload.ok(),
        () = real_wait(ACK_LIMIT_MS) => None,
    };
    let mut state = workspace.lock();
    let id = id.unwrap_or_default();
    state.pending.remove(&id);
    let Some(payload) = answered else {
        return Delivery::Unacked;
    };
    let after_ms = watch.elapsed_ms();
    note_ack(
        &mut state,
        &id,
        Ack {
            after_ms,
            payload: payload.clone(),
            late: false,
        },
    );
    Delivery::Acked { after_ms, payload }
}

/// Sends an event until it is acknowledged or the retries are used up.
pub(super) fn send_event(workspace: &Shared, payload: Value) {
    let workspace = workspace.clone();
    tokio::spawn(async move {
        let mut attempt = 0;
        loop {
            let outgoing = Outgoing {
                kind: "events_api",
                accepts_response_payload: false,
                payload: payload.clone(),
                retry_attempt: Some(attempt),
            };
            if let Delivery::Acked { .. } = deliver(&workspace, outgoing, true).await {
                return;
            }
            let Some(wait_ms) = EVENT_RETRIES_AFTER_MS.get(attempt as usize) else {
                return;
            };
            workspace.clock.wait(*wait_ms).await;
            attempt += 1;
        }
    });
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

/// A random UUID (version 4).
fn uuid() -> String {
    let mut bytes = rand::random::<[u8; 16]>();
    bytes[6] = (bytes[6] & 0x0f) | 0x40;
    bytes[8] = (bytes[8] & 0x3f) | 0x80;
    let hex = hex::encode(bytes);
    [
        &hex[..8],
        &hex[8..12],
        &hex[12..16],
        &hex[16..20],
        &hex[20..],
    ]
    .join("-")
}
