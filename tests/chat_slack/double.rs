//! A server of a few methods and one kind of socket.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::ws::{Message, WebSocket, WebSocketUpgrade};
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{any, post};
use jitbot::chat::slack::client::SlackSettings;
use jitbot::chat::slack::send::SlackOutbox;
use secrecy::SecretString;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::mpsc;

/// Longer than any step needs on a slow machine; nothing waits for all of it unless it fails.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// In the place of a status: no answer ever comes.
pub const HANGS: u16 = 0;

/// What the double answers to the next calls of the Web API: (method, status, headers, body).
type Staged = VecDeque<(&'static str, u16, Option<&'static str>, Value)>;

#[derive(Clone)]
pub struct Double {
    pub base: String,
    staged: Arc<Mutex<Staged>>,
    calls: Arc<Mutex<Vec<(String, Value)>>>,
    pub sockets: Arc<Mutex<Vec<mpsc::UnboundedSender<Option<Value>>>>>,
    acks: Arc<Mutex<Vec<Value>>>,
}

impl Double {
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("127.0.0.1:{}", listener.local_addr().unwrap().port());
        let double = Self {
            base,
            staged: Arc::default(),
            calls: Arc::default(),
            sockets: Arc::default(),
            acks: Arc::default(),
        };
        let router = Router::new()
            .route("/api/{method}", post(Self::method))
            .route("/ws", any(Self::socket))
            .with_state(double.clone());
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        double
    }

    pub fn settings(&self) -> SlackSettings {
        SlackSettings {
            api_url: Some(format!("http://{}/api/", self.base)),
            bot_token: SecretString::from("xoxb-test").into(),
        }
    }

    pub fn outbox(&self) -> SlackOutbox {
        SlackOutbox::connect(&self.settings()).unwrap()
    }

    pub fn stage(
        &self,
        method: &'static str,
        status: u16,
        retry_after: Option<&'static str>,
        body: Value,
    ) {
        self.staged
            .lock()
            .unwrap()
            .push_back((method, status, retry_after, body));
    }

    pub fn calls(&self, method: &str) -> Vec<Value> {
        self.calls
            .lock()
            .unwrap()
            .iter()
            .filter(|(name, _)| name == method)
            .map(|(_, body)| body.clone())
            .collect()
    }

    async fn method(
        State(double): State<Self>,
        Path(method): Path<String>,
        body: axum::body::Bytes,
    ) -> Response {
        let body: Value = serde_json::from_slice(&body).unwrap_or(Value::Null);
        double
            .calls
            .lock()
            .unwrap()
            .push((method.clone(), body.clone()));
        let staged = {
            let mut staged = double.staged.lock().unwrap();
            let at = staged.iter().position(|(name, ..)| *name == method);
            at.and_then(|at| staged.remove(at))
        };
        if let Some((_, status, retry_after, body)) = staged {
            if status == HANGS {
                std::future::pending::<()>().await;
            }
            let mut answer = axum::Json(body).into_response();
            *answer.status_mut() = StatusCode::from_u16(status).unwrap();
            if let Some(after) = retry_after {
                answer
                    .headers_mut()
                    .insert("retry-after", after.parse().unwrap());
            }
            return answer;
        }
        axum::Json(match method.as_str() {
            "apps.connections.open" => {
                json!({"ok": true, "url": format!("ws://{}/ws", double.base)})
            }
            "auth.test" => {
                json!({"ok": true, "team_id": "T1", "user_id": "UBOT", "bot_id": "BBOT"})
            }
            "chat.postMessage" => json!({"ok": true, "channel": body["channel"], "ts": "100.1"}),
            "chat.update" | "chat.postEphemeral" => json!({"ok": true}),
            "conversations.open" => json!({"ok": true, "channel": {"id": "D1"}}),
            "users.info" => {
                json!({"ok": true, "user": {"name": "bob", "profile": {"display_name": "Bob"}}})
            }
            _ => json!({"ok": false, "error": "unknown_method"}),
        })
        .into_response()
    }

    async fn socket(State(double): State<Self>, upgrade: WebSocketUpgrade) -> Response {
        upgrade.on_upgrade(move |socket| double.serve(socket))
    }

    async fn serve(self, mut socket: WebSocket) {
        let (tx, mut rx) = mpsc::unbounded_channel();
        let hello = json!({"type": "hello", "num_connections": 1, "connection_info": {"app_id": "A1"},
            "debug_info": {"host": "double"}});
        if socket
            .send(Message::Text(hello.to_string().into()))
            .await
            .is_err()
        {
            return;
        }
        self.sockets.lock().unwrap().push(tx);
        loop {
            tokio::select! {
                send = rx.recv() => match send {
                    Some(Some(envelope)) => {
                        let text = match envelope {
                            Value::String(raw) => raw,
                            other => other.to_string(),
                        };
                        if socket.send(Message::Text(text.into())).await.is_err() {
                            return;
                        }
                    }
                    // Dropped without a word, as a broken network does.
                    Some(None) | None => return,
                },
                got = socket.recv() => match got {
                    Some(Ok(Message::Text(text))) => {
                        self.acks.lock().unwrap().push(serde_json::from_str(&text).unwrap());
                    }
                    Some(Ok(_)) => {}
                    Some(Err(_)) | None => return,
                },
            }
        }
    }

    /// The newest socket that is open.
    pub async fn open_sockets(&self, at_least: usize) -> usize {
        until(|| {
            let mut sockets = self.sockets.lock().unwrap();
            sockets.retain(|socket| !socket.is_closed());
            (sockets.len() >= at_least).then_some(sockets.len())
        })
        .await
    }

    pub fn send(&self, envelope: Value) {
        let sockets = self.sockets.lock().unwrap();
        let open = sockets.iter().find(|socket| !socket.is_closed()).unwrap();
        open.send(Some(envelope)).unwrap();
    }

    pub fn ack(&self, envelope_id: &str) -> Option<Value> {
        let acks = self.acks.lock().unwrap();
        acks.iter()
            .find(|ack| ack["envelope_id"] == envelope_id)
            .cloned()
    }

    pub async fn acknowledged(&self, envelope_id: &str) -> Value {
        until(|| self.ack(envelope_id)).await
    }
}

pub async fn until<T>(mut look: impl FnMut() -> Option<T>) -> T {
    let began = Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(began.elapsed() < PATIENCE, "waited in vain");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}
