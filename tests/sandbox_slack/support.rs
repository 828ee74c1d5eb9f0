//! A running sandbox, a plain HTTP client for its Web API, and a plain socket.

use std::net::SocketAddr;
use std::time::Duration;

use axum::http::{HeaderMap, Request, header};
use bytes::Bytes;
use futures_util::{SinkExt as _, StreamExt as _};
use http_body_util::{BodyExt as _, Full};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use jitbot::sandbox::people::People;
use jitbot::sandbox::slack::{Manifest, Running, Server, World};
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message as Frame;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream};

pub const MANIFEST: &str = r#"
display_information: { name: testbot }
features:
  app_home: { home_tab_enabled: true, messages_tab_enabled: true }
  bot_user: { display_name: testbot }
  slash_commands:
    - { command: /jit, description: access, should_escape: true }
    - { command: /plain, description: not escaped }
oauth_config:
  scopes:
    bot: [ chat:write, commands, im:write, channels:history, groups:history, im:history, channels:read,
           groups:read, im:read, users:read, usergroups:read ]
settings:
  socket_mode_enabled: true
  interactivity: { is_enabled: true }
  event_subscriptions: { bot_events: [ app_home_opened, member_joined_channel, channel_archive, message.im ] }
"#;

/// Long enough for a busy machine; nothing waits for it when all is well.
pub const PATIENCE: Duration = Duration::from_secs(10);

pub fn world() -> World {
    World::new("T0SHOP")
        .user("U0ALICE", "alice")
        .user_with("U0BOB", "bob", |bob| bob.tz = "Europe/Berlin".into())
        .user("U0CAROL", "carol")
        .user_with("U0GONE", "gone", |gone| gone.deleted = true)
        .user_with("U0ROBOT", "robot", |robot| robot.is_bot = true)
        .channel("C0APPROVE", "approvals", &["U0ALICE", "U0BOB"])
        .channel_with("C0OUT", "outside", &["U0ALICE"], |channel| {
            channel.bot_in = false
        })
        .channel_with("C0OLD", "old", &["U0ALICE"], |channel| {
            channel.archived = true
        })
        .channel_with("C0SECRET", "secret", &["U0ALICE"], |channel| {
            channel.private = true
        })
        .channel_with("C0HIDDEN", "hidden", &["U0ALICE"], |channel| {
            channel.private = true;
            channel.bot_in = false;
        })
        .user_group("S0SRE", "sre", &["U0BOB"])
        .pace(1000, 1000.0)
}

pub struct Stage {
    pub running: Running,
    pub people: People,
    pub bot_token: String,
    pub app_token: String,
    http: Client<HttpConnector, Full<Bytes>>,
}

/// What an HTTP call brought.
#[derive(Debug)]
pub struct Heard {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: Value,
}

impl Heard {
    pub fn error(&self) -> Option<&str> {
        self.body["error"].as_str()
    }
}

impl Stage {
    pub async fn start() -> Stage {
        Stage::with(world(), MANIFEST).await
    }

    pub async fn with(world: World, manifest: &str) -> Stage {
        let manifest = Manifest::from_yaml(manifest).expect("the test's manifest is good");
        let (bot_token, app_token) = (world.app.bot_token.clone(), world.app.app_token.clone());
        let address = SocketAddr::from(([127, 0, 0, 1], 0));
        let running = Server::start(world, manifest, address)
            .await
            .expect("loopback is there");
        let people = People::new(&running.base_url());
        let http = Client::builder(TokioExecutor::new()).build(HttpConnector::new());
        Stage {
            running,
            people,
            bot_token,
            app_token,
            http,
        }
    }

    /// A call with the bot's token and a JSON body.
    pub async fn api(&self, method: &str, args: Value) -> Heard {
        self.api_as(Some(&self.bot_token), method, args).await
    }

    pub async fn api_as(&self, token: Option<&str>, method: &str, args: Value) -> Heard {
        let url = format!("{}/{method}", self.running.api_url());
        self.send(
            &url,
            token,
            "application/json; charset=utf-8",
            args.to_string(),
        )
        .await
        .expect("an answer")
    }

    /// A POST; `None`: the connection ended without an answer.
    pub async fn send(
        &self,
        url: &str,
        token: Option<&str>,
        kind: &str,
        body: String,
    ) -> Option<Heard> {
        let mut request = Request::post(url).header(header::CONTENT_TYPE, kind);
        if let Some(token) = token {
            request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
        }
        let request = request
            .body(Full::new(Bytes::from(body)))
            .expect("a request");
        let answer = self.http.request(request).await.ok()?;
        let (parts, body) = answer.into_parts();
        let bytes = body.collect().await.ok()?.to_bytes();
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let body = serde_json::from_str(&text).unwrap_or(Value::String(text));
        Some(Heard {
            status: parts.status.as_u16(),
            headers: parts.headers,
            body,
        })
    }

    /// Posts a message and answers its timestamp.
    pub async fn post(&self, channel: &str, text: &str) -> String {
        let heard = self
            .api(
                "chat.postMessage",
                json!({ "channel": channel, "text": text }),
            )
            .await;
        heard.body["ts"]
            .as_str()
            .unwrap_or_else(|| panic!("not posted: {heard:?}"))
            .to_owned()
    }

    /// The address of a socket.
    pub async fn socket_url(&self) -> String {
        let heard = self
            .api_as(Some(&self.app_token), "apps.connections.open", json!({}))
            .await;
        heard.body["url"]
            .as_str()
            .unwrap_or_else(|| panic!("no address: {heard:?}"))
            .to_owned()
    }

    pub async fn socket(&self) -> Socket {
        let url = self.socket_url().await;
        let (stream, _) = tokio_tungstenite::connect_async(url)
            .await
            .expect("the address works once");
        let mut socket = Socket(stream);
        let hello = socket.next().await.expect("a greeting");
        assert_eq!(hello["type"], "hello");
        socket
    }
}

/// A bare Socket Mode connection.
pub struct Socket(WebSocketStream<MaybeTlsStream<tokio::net::TcpStream>>);

impl Socket {
    pub fn raw(stream: WebSocketStream<MaybeTlsStream<tokio::net::TcpStream>>) -> Socket {
        Socket(stream)
    }

    /// The next text frame as JSON; `None`: the socket ended.
    pub async fn next(&mut self) -> Option<Value> {
        let next = async {
            loop {
                match self.0.next().await? {
                    Ok(Frame::Text(text)) => {
                        return Some(
                            serde_json::from_str(&text).unwrap_or(Value::String(text.to_string())),
                        );
                    }
                    Ok(Frame::Ping(_) | Frame::Pong(_)) => {}
                    Ok(_) | Err(_) => return None,
                }
            }
        };
        tokio::time::timeout(PATIENCE, next)
            .await
            .expect("a frame or the end within patience")
    }

    /// Whether something arrives within this time.
    pub async fn hears_within(&mut self, wait: Duration) -> Option<Value> {
        tokio::time::timeout(wait, self.next()).await.ok().flatten()
    }

    pub async fn send(&mut self, text: &str) {
        self.0
            .send(Frame::text(text))
            .await
            .expect("the socket takes a frame");
    }

    pub async fn ack(&mut self, envelope: &Value, payload: Option<Value>) {
        let mut ack = json!({ "envelope_id": envelope["envelope_id"] });
        if let Some(payload) = payload {
            ack["payload"] = payload;
        }
        self.send(&ack.to_string()).await;
    }

    /// Acknowledges the next envelope and answers it.
    pub async fn take(&mut self, payload: Option<Value>) -> Value {
        let envelope = self.next().await.expect("an envelope");
        self.ack(&envelope, payload).await;
        envelope
    }
}

pub fn text(kind: &str, text: &str) -> Value {
    json!({ "type": kind, "text": text })
}

pub fn section(words: &str) -> Value {
    json!({ "type": "section", "text": text("mrkdwn", words) })
}

pub fn button(action_id: &str, label: &str, value: &str) -> Value {
    json!({ "type": "button", "action_id": action_id, "text": text("plain_text", label), "value": value })
}

pub fn actions(elements: Value) -> Value {
    json!({ "type": "actions", "elements": elements })
}

pub fn long(chars: usize) -> String {
    "ä".repeat(chars)
}
