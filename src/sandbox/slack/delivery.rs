//! Envelopes to one socket each, and their acknowledgements.

use serde_json::{Value, json};
use tokio::sync::oneshot;

use super::clock::{Stopwatch, real_wait};
use super::state::{SocketOrder, State};
use super::wire::{Ack, Envelope};
use super::workspace::Shared;

/// How long an acknowledgement may take.
pub(super) const ACK_LIMIT_MS: u64 = 3_000;
/// When an event is sent again (Events API page): at once, after a minute, after five.
const EVENT_RETRIES_AFTER_MS: [u64; 3] = [0, 60_000, 300_000];

pub(super) fn note_ack(state: &mut State, envelope_id: &str, ack: Ack) {
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
        after_us: u64,
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
            let after_us = watch.elapsed_us();
            note_ack(
                &mut state,
                &envelope_id,
                Ack {
                    after_ms: after_us / 1000,
                    payload: payload.clone(),
                    late: false,
                },
            );
            Delivery::Acked { after_us, payload }
        }
    }
}

/// Sends a text frame as it is. Acknowledged: if it has an `envelope_id` and the app answers it in time.
pub(super) async fn deliver_raw(workspace: &Shared, text: String) -> Delivery {
    let frame: Option<Value> = serde_json::from_str(&text).ok();
    let id = frame.as_ref().and_then(|frame| frame.get("envelope_id"));
    let id = id.and_then(Value::as_str).map(str::to_owned);
    let (reply, answer) = oneshot::channel();
    let watch = Stopwatch::start();
    let id = {
        let mut state = workspace.lock();
        if send_to_one(&mut state, &text).is_none() {
            return Delivery::NoSocket;
        }
        state.raw_frames.push(text);
        let Some(id) = id else {
            return Delivery::Unacked;
        };
        state.pending.insert(id.clone(), reply);
        id
    };
    let answered = tokio::select! {
        biased;
        payload = answer => payload.ok(),
        () = real_wait(ACK_LIMIT_MS) => None,
    };
    workspace.lock().pending.remove(&id);
    match answered {
        None => Delivery::Unacked,
        Some(payload) => Delivery::Acked {
            after_us: watch.elapsed_us(),
            payload,
        },
    }
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
