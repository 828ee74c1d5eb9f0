//! A tiny app of the test's own on a sandbox of its own: it answers as the test says, so that whatever
//! Slack can show can be shown.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::http::Request;
use bytes::Bytes;
use futures_util::future::BoxFuture;
use futures_util::{FutureExt as _, SinkExt as _, StreamExt as _};
use http_body_util::{BodyExt as _, Full};
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use jitbot::sandbox::people::People;
use jitbot::sandbox::slack::{Manifest, Running, Server, World};
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message;

const MANIFEST: &str = "
display_information: { name: Tiny, description: An app of the tests. }
features:
  app_home: { home_tab_enabled: true, messages_tab_enabled: true }
  bot_user: { display_name: tiny }
  slash_commands:
    - { command: /tiny, description: Does what the test says, usage_hint: '[anything]' }
oauth_config: { scopes: { bot: [commands, 'chat:write', 'im:write'] } }
settings:
  event_subscriptions: { bot_events: [app_home_opened] }
  interactivity: { is_enabled: true }
  socket_mode_enabled: true
";

/// How an envelope is acknowledged.
pub enum Ack {
    Empty,
    With(Value),
    Never,
}

/// A sandbox and the app's side of it.
pub struct Chat {
    running: Running,
    pub api: Api,
    pub people: People,
}

/// The Web API with the app's tokens.
#[derive(Clone)]
pub struct Api {
    base: String,
    bot_token: String,
    app_token: String,
}

impl Chat {
    /// Alice (Berlin), Bob (New York) and the guest Gwen; a public and a private channel.
    pub async fn start() -> Self {
        let world = World::new("T0SHOP")
            .user_with("U0ALICE", "alice", |user| user.tz = "Europe/Berlin".into())
            .user_with("U0BOB", "bob", |user| user.tz = "America/New_York".into())
            .user_with("U0GWEN", "gwen", |user| user.is_restricted = true)
            .user_group("S0SRE", "sre", &["U0BOB"])
            .channel("C0GENERAL", "general", &["U0ALICE", "U0BOB"])
            .channel_with("C0SECRET", "secret", &["U0BOB"], |channel| {
                channel.private = true
            })
            .channel_with("C0OLD", "old", &["U0ALICE"], |channel| {
                channel.archived = true
            })
            .pace(50, 50.0);
        let (bot_token, app_token) = (world.app.bot_token.clone(), world.app.app_token.clone());
        let manifest = Manifest::from_yaml(MANIFEST).unwrap();
        let running = Server::start(world, manifest, SocketAddr::from(([127, 0, 0, 1], 0)))
            .await
            .unwrap();
        Self {
            api: Api {
                base: running.api_url(),
                bot_token,
                app_token,
            },
            people: People::new(&running.base_url()),
            running,
        }
    }

    /// The page's address.
    pub fn page(&self) -> String {
        format!("{}/", self.running.base_url())
    }

    /// Connects the app; it acknowledges what `answer` says, for as long as the test runs.
    pub async fn connect<F>(&self, answer: F)
    where
        F: Fn(Api, Value) -> BoxFuture<'static, Ack> + Send + Sync + 'static,
    {
        let opened = self
            .api
            .send("apps.connections.open", &self.api.app_token, json!({}))
            .await;
        let (mut socket, _) = tokio_tungstenite::connect_async(opened["url"].as_str().unwrap())
            .await
            .unwrap();
        let hello = socket.next().await.unwrap().unwrap();
        assert!(hello.to_text().unwrap().contains("hello"), "{hello}");
        let (api, answer) = (self.api.clone(), Arc::new(answer));
        tokio::spawn(async move {
            while let Some(Ok(frame)) = socket.next().await {
                let Message::Text(text) = frame else { continue };
                let envelope: Value = serde_json::from_str(&text).unwrap();
                let Some(id) = envelope["envelope_id"].as_str() else {
                    continue;
                };
                let ack = match answer(api.clone(), envelope.clone()).await {
                    Ack::Empty => json!({ "envelope_id": id }),
                    Ack::With(payload) => json!({ "envelope_id": id, "payload": payload }),
                    Ack::Never => continue,
                };
                socket.send(Message::text(ack.to_string())).await.unwrap();
            }
        });
    }

    /// Connects an app that says yes to everything.
    pub async fn connect_silently(&self) {
        self.connect(|_, _| async { Ack::Empty }.boxed()).await;
    }
}

impl Api {
    async fn send(&self, method: &str, token: &str, body: Value) -> Value {
        let request = Request::post(format!("{}/{method}", self.base))
            .header("content-type", "application/json; charset=utf-8")
            .header("authorization", format!("Bearer {token}"))
            .body(Full::new(Bytes::from(body.to_string())))
            .unwrap();
        let client: Client<_, Full<Bytes>> = Client::builder(TokioExecutor::new()).build_http();
        let bytes = client
            .request(request)
            .await
            .unwrap()
            .into_body()
            .collect()
            .await
            .unwrap()
            .to_bytes();
        let answer: Value = serde_json::from_slice(&bytes).unwrap();
        assert_eq!(answer["ok"], true, "{method}: {answer}");
        answer
    }

    /// A call that must succeed.
    pub async fn call(&self, method: &str, body: Value) -> Value {
        self.send(method, &self.bot_token, body).await
    }

    /// Posts blocks; answers the timestamp.
    pub async fn post(&self, channel: &str, text: &str, blocks: Value) -> String {
        let posted = self
            .call(
                "chat.postMessage",
                json!({ "channel": channel, "text": text, "blocks": blocks }),
            )
            .await;
        posted["ts"].as_str().unwrap().to_owned()
    }
}

/// A `plain_text` object.
pub fn plain(text: &str) -> Value {
    json!({ "type": "plain_text", "text": text })
}

/// An input block with a line of text.
pub fn line_input(block: &str, label: &str, initial: &str) -> Value {
    json!({
        "type": "input", "block_id": block, "label": plain(label), "hint": plain("A hint for it"),
        "element": { "type": "plain_text_input", "action_id": format!("{block}_typed"), "initial_value": initial, "max_length": 40 },
    })
}

/// A modal view.
pub fn modal(title: &str, blocks: Value) -> Value {
    json!({ "type": "modal", "title": plain(title), "submit": plain("Send it"), "close": plain("Leave"), "blocks": blocks })
}
