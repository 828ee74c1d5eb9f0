//! The Slack adapter against a small double: when it acknowledges, what it survives, and what it makes
//! of Slack's failures.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use axum::Router;
use axum::extract::ws::{Message, WebSocket, WebSocketUpgrade};
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{any, post};
use chrono::DateTime;
use jitbot::chat::card::{Card, HowItEnds, Letter};
use jitbot::chat::port::{Inbox, Outbox, PostError, Unanswered};
use jitbot::chat::slack::client::SlackSettings;
use jitbot::chat::slack::listen::{Listener, listen};
use jitbot::chat::slack::render;
use jitbot::chat::slack::send::{Me, SlackOutbox};
use jitbot::domain::answer::Answer;
use jitbot::domain::command::{Act, Command, Inbound, MessageRef, Query};
use jitbot::domain::ids::{AccountId, Place, RequestId, ResourceName};
use jitbot::domain::request::RequestState;
use jitbot::domain::spec::Risk;
use secrecy::SecretString;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::mpsc;

/// Longer than any step needs on a slow machine; nothing waits for all of it unless it fails.
const PATIENCE: Duration = Duration::from_secs(20);

/// What the double answers to the next calls of the Web API: (method, status, headers, body).
type Staged = VecDeque<(&'static str, u16, Option<&'static str>, Value)>;

#[derive(Clone)]
struct Double {
    base: String,
    staged: Arc<Mutex<Staged>>,
    calls: Arc<Mutex<Vec<(String, Value)>>>,
    sockets: Arc<Mutex<Vec<mpsc::UnboundedSender<Option<Value>>>>>,
    acks: Arc<Mutex<Vec<Value>>>,
}

impl Double {
    async fn start() -> Self {
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

    fn settings(&self) -> SlackSettings {
        SlackSettings {
            api_url: Some(format!("http://{}/api/", self.base)),
            bot_token: SecretString::from("xoxb-test"),
        }
    }

    fn outbox(&self) -> SlackOutbox {
        SlackOutbox::connect(&self.settings()).unwrap()
    }

    fn stage(
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

    fn calls(&self, method: &str) -> Vec<Value> {
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
    async fn open_sockets(&self, at_least: usize) -> usize {
        until(|| {
            let mut sockets = self.sockets.lock().unwrap();
            sockets.retain(|socket| !socket.is_closed());
            (sockets.len() >= at_least).then_some(sockets.len())
        })
        .await
    }

    fn send(&self, envelope: Value) {
        let sockets = self.sockets.lock().unwrap();
        let open = sockets.iter().find(|socket| !socket.is_closed()).unwrap();
        open.send(Some(envelope)).unwrap();
    }

    fn ack(&self, envelope_id: &str) -> Option<Value> {
        let acks = self.acks.lock().unwrap();
        acks.iter()
            .find(|ack| ack["envelope_id"] == envelope_id)
            .cloned()
    }

    async fn acknowledged(&self, envelope_id: &str) -> Value {
        until(|| self.ack(envelope_id)).await
    }
}

async fn until<T>(mut look: impl FnMut() -> Option<T>) -> T {
    let began = Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(began.elapsed() < PATIENCE, "waited in vain");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// Answers by what it is asked: `done` is slow, `withdraw` panics, `revoke` fails, all else works.
#[derive(Default)]
struct Scripted {
    seen: Mutex<Vec<Inbound>>,
}

#[async_trait]
impl Inbox for Scripted {
    async fn handle(&self, inbound: Inbound) -> Result<Answer, Unanswered> {
        let act = inbound.act.clone();
        self.seen.lock().unwrap().push(inbound);
        match act {
            Act::Command(Command::Done(_)) => {
                tokio::time::sleep(Duration::from_secs(4)).await;
                Ok(Answer::List(Vec::new()))
            }
            Act::Command(Command::Withdraw(_)) => panic!("on purpose"),
            Act::Command(Command::Revoke { .. }) => Err(Unanswered("the disk is full".into())),
            Act::Command(_) | Act::Query(_) => Ok(Answer::Help(vec![
                ResourceName::new("staging-ssh").unwrap(),
            ])),
        }
    }
}

async fn listening(double: &Double) -> (Listener, Arc<Scripted>) {
    let inbox = Arc::new(Scripted::default());
    let me = Me {
        team_id: "T1".into(),
        bot_user_id: "UBOT".into(),
        bot_id: Some("BBOT".into()),
    };
    let token = SecretString::from("xapp-test");
    let listener = listen(&double.settings(), &token, inbox.clone(), me)
        .await
        .unwrap();
    double.open_sockets(1).await;
    (listener, inbox)
}

fn command(envelope_id: &str, team: &str, text: &str) -> Value {
    json!({"type": "slash_commands", "envelope_id": envelope_id, "accepts_response_payload": true,
        "payload": {"team_id": team, "team_domain": "shop", "channel_id": "C1", "channel_name": "general",
            "user_id": "U1", "user_name": "alice", "command": "/jit", "text": text,
            "response_url": "http://127.0.0.1:9/none", "trigger_id": format!("t.{envelope_id}")}})
}

fn press(envelope_id: &str, value: &str, base: &str) -> Value {
    json!({"type": "interactive", "envelope_id": envelope_id, "accepts_response_payload": false,
        "payload": {"type": "block_actions", "team": {"id": "T1"}, "user": {"id": "U2", "team_id": "T1"},
            "api_app_id": "A1", "container": {"type": "message", "message_ts": "100.1", "channel_id": "C1"},
            "trigger_id": "t.9", "channel": {"id": "C1"},
            "message": {"type": "message", "ts": "100.1", "text": "card", "bot_id": "BBOT", "user": "UBOT",
                "blocks": render::card(&card(), &render::Names::new()).blocks,
                "metadata": render::metadata(render::CARD_EVENT, &request(), 1)},
            "response_url": format!("http://{base}/api/response"),
            "actions": [{"type": "button", "action_id": "jitbot_approve", "block_id": "jitbot_decide",
                "value": value, "action_ts": "101.5", "text": {"type": "plain_text", "text": "Approve"}}]}})
}

fn request() -> RequestId {
    RequestId::from_bits(42)
}

fn card() -> Card {
    let at = |s: i64| DateTime::from_timestamp(1_800_000_000 + s, 0).unwrap();
    Card {
        id: request(),
        version: 1,
        requester: AccountId::new("slack:T1/U1").unwrap(),
        beneficiary: None,
        resource: ResourceName::new("staging-ssh").unwrap(),
        title: "Shell".into(),
        project: "shop".into(),
        action: "shell".into(),
        target: "hosts".into(),
        entitlements: Vec::new(),
        risk: Risk::Low,
        duration_s: 3_600,
        reason: Some("<!channel> why".into()),
        how_it_ends: HowItEnds {
            enforced_by_target: true,
            can_end_early: true,
            can_be_seen: true,
            sessions_outlive: false,
        },
        notable: Vec::new(),
        state: RequestState::Pending,
        approvals_missing: 1,
        approvers: Vec::new(),
        submitted_at: at(0),
        pending_until: at(60),
        decisions: vec![(Some(AccountId::new("slack:T1/U2").unwrap()), true, at(1))],
        grant: None,
    }
}

fn place() -> Place {
    Place::new("slack:T1/C1").unwrap()
}

#[tokio::test]
async fn a_command_is_acknowledged_with_its_private_answer() {
    let double = Double::start().await;
    let (listener, inbox) = listening(&double).await;
    double.send(command("e1", "T1", "status &lt;x&gt;"));
    let ack = double.acknowledged("e1").await;
    assert_eq!(ack["payload"]["response_type"], "ephemeral");
    let said = ack["payload"].to_string();
    assert!(
        said.contains("<x>") && said.contains("is no reference"),
        "{said}"
    );
    double.send(command("e2", "T1", "list"));
    let ack = double.acknowledged("e2").await;
    assert!(
        ack["payload"]["blocks"]
            .to_string()
            .contains("/jit request")
    );
    double.send(command("e3", "T9", "list"));
    let ack = double.acknowledged("e3").await;
    assert!(
        ack.to_string().contains("not set up for your workspace"),
        "{ack}"
    );
    let seen = inbox.seen.lock().unwrap().clone();
    assert_eq!(seen.len(), 1, "a refused command reaches nobody");
    assert_eq!(seen[0].act, Act::Query(Query::ListMine));
    assert_eq!(seen[0].once, "slack:trigger:t.e2");
    assert_eq!(seen[0].actor.as_str(), "slack:T1/U1");
    assert_eq!(seen[0].place, place());
    listener.shutdown().await;
}

#[tokio::test]
async fn what_is_slow_fails_or_panics_is_not_acknowledged_and_the_connection_goes_on() {
    let double = Double::start().await;
    let (listener, inbox) = listening(&double).await;
    let id = request();
    let began = Instant::now();
    double.send(command("panics", "T1", &format!("withdraw {id}")));
    double.send(command("fails", "T1", &format!("revoke {id} why")));
    double.send(command("slow", "T1", &format!("done {id}")));
    double.send(command("after", "T1", "help"));
    double.acknowledged("after").await;
    // All went over one socket, one after the other: the slow one held it for its 2 s, not for 4.
    let took = began.elapsed();
    assert!((1_900..3_900).contains(&took.as_millis()), "{took:?}");
    for envelope in ["panics", "fails", "slow"] {
        assert_eq!(double.ack(envelope), None, "{envelope}");
    }
    tokio::time::sleep(Duration::from_millis(2_300)).await;
    assert_eq!(double.ack("slow"), None, "not even once it is done");
    assert_eq!(inbox.seen.lock().unwrap().len(), 4);
    listener.shutdown().await;
}

#[tokio::test]
async fn a_press_is_acknowledged_bare_and_a_forged_one_reaches_nobody() {
    let double = Double::start().await;
    let (listener, inbox) = listening(&double).await;
    double.send(press(
        "forged",
        "{\"r\":\"nonsense\",\"v\":1}",
        &double.base,
    ));
    assert_eq!(
        double.acknowledged("forged").await,
        json!({"envelope_id": "forged"})
    );
    let told = until(|| double.calls("response").pop()).await;
    assert!(
        told["text"]
            .as_str()
            .unwrap()
            .contains("not made by jitbot"),
        "{told}"
    );
    assert_eq!(told["replace_original"], false);
    assert!(inbox.seen.lock().unwrap().is_empty());
    let value = render::button_value(&request(), 1);
    double.send(press("ours", &value, &double.base));
    assert_eq!(
        double.acknowledged("ours").await,
        json!({"envelope_id": "ours"})
    );
    let seen = inbox.seen.lock().unwrap().clone();
    assert!(
        matches!(&seen[0].act, Act::Command(Command::Approve(press)) if press.request == request())
    );
    assert_eq!(seen[0].once, "slack:press:C1:100.1:U2:101.5");
    listener.shutdown().await;
}

#[tokio::test]
async fn malformed_events_and_dropped_sockets_end_nothing() {
    let double = Double::start().await;
    let (listener, _) = listening(&double).await;
    for raw in [
        "",
        "{",
        "[]",
        "{\"type\":\"hello\"}",
        "{\"type\":\"nonsense\",\"envelope_id\":\"odd\"}",
    ] {
        double.send(Value::String(raw.into()));
    }
    double.send(
        json!({"type": "interactive", "envelope_id": "half", "payload": {"type": "block_actions"}}),
    );
    let mut nameless = command("nameless", "T1", "list");
    nameless["payload"]["user_id"] = json!("not an id!");
    double.send(nameless);
    double.send(command("e1", "T1", "list"));
    double.acknowledged("e1").await;
    assert_eq!(double.ack("nameless"), None);
    // Both sockets are torn off, and Slack can't be reached at once: it comes back by itself.
    double.open_sockets(2).await;
    double.stage("apps.connections.open", 503, None, json!({"ok": false}));
    for socket in double.sockets.lock().unwrap().drain(..) {
        socket.send(None).unwrap();
    }
    double.open_sockets(1).await;
    double.send(command("e2", "T1", "list"));
    double.acknowledged("e2").await;
    // Slack takes a socket back.
    double.open_sockets(2).await;
    double.send(json!({"type": "disconnect", "reason": "refresh_requested", "debug_info": {"host": "double"}}));
    let opened = || double.calls("apps.connections.open").len();
    let before = opened();
    until(|| (opened() > before || opened() >= 6).then_some(())).await;
    double.open_sockets(2).await;
    double.send(command("e3", "T1", "list"));
    double.acknowledged("e3").await;
    listener.shutdown().await;
    until(|| {
        let mut sockets = double.sockets.lock().unwrap();
        sockets.retain(|socket| !socket.is_closed());
        sockets.is_empty().then_some(())
    })
    .await;
}

#[tokio::test]
async fn stopping_lets_what_is_in_flight_be_answered() {
    let double = Double::start().await;
    let (listener, inbox) = listening(&double).await;
    double.send(command("e1", "T1", "list"));
    until(|| (!inbox.seen.lock().unwrap().is_empty()).then_some(())).await;
    listener.shutdown().await;
    double.acknowledged("e1").await;
}

#[tokio::test]
async fn a_card_is_posted_with_its_metadata_and_nothing_parsed() {
    let double = Double::start().await;
    let outbox = double.outbox();
    let on = outbox.post_card(&place(), &card()).await.unwrap();
    assert_eq!(
        on,
        MessageRef {
            place: place(),
            message: "100.1".into()
        }
    );
    outbox.update_card(&on, &card()).await.unwrap();
    let posted = double.calls("chat.postMessage").remove(0);
    assert_eq!(posted["channel"], "C1");
    assert_eq!(posted["parse"], "none");
    assert_eq!(posted["link_names"], false);
    assert_eq!(posted["unfurl_links"], false);
    assert_eq!(posted["metadata"]["event_type"], "jitbot_card");
    assert_eq!(
        posted["metadata"]["event_payload"]["request"],
        request().as_str()
    );
    assert!(posted["blocks"].to_string().contains("\"Bob\""), "{posted}");
    let updated = double.calls("chat.update").remove(0);
    assert_eq!(updated["ts"], "100.1");
    assert!(updated["blocks"].is_array());
    assert_eq!(
        double.calls("users.info").len(),
        2,
        "each name is asked for once"
    );
}

#[tokio::test]
async fn failures_say_whether_something_was_posted() {
    let double = Double::start().await;
    let outbox = double.outbox();
    let failed = json!({"ok": false, "error": "is_archived"});
    double.stage(
        "chat.postMessage",
        429,
        Some("7"),
        json!({"ok": false, "error": "ratelimited"}),
    );
    double.stage("chat.postMessage", 503, None, json!({"ok": false}));
    double.stage("chat.postMessage", 200, None, failed);
    double.stage(
        "chat.postMessage",
        200,
        None,
        json!({"ok": false, "error": "invalid_auth"}),
    );
    double.stage("chat.update", 503, None, json!({"ok": false}));
    let mut post = Vec::new();
    for _ in 0..4 {
        post.push(outbox.post_card(&place(), &card()).await.unwrap_err());
    }
    assert_eq!(post[0], PostError::RateLimited { after_s: 7 });
    assert!(
        matches!(post[1], PostError::Unknown { .. }),
        "{:?}",
        post[1]
    );
    assert!(matches!(&post[2], PostError::Permanent { said } if said.starts_with("is_archived")));
    assert!(matches!(post[3], PostError::Retry { .. }));
    let on = MessageRef {
        place: place(),
        message: "1.1".into(),
    };
    // Drawing anew may be done twice.
    assert!(matches!(
        outbox.update_card(&on, &card()).await,
        Err(PostError::Retry { .. })
    ));
    // Nothing listens on a port that was just given back: the request never left.
    let port = {
        let gone = TcpListener::bind("127.0.0.1:0").await.unwrap();
        gone.local_addr().unwrap().port()
    };
    let away = SlackOutbox::connect(&SlackSettings {
        api_url: Some(format!("http://127.0.0.1:{port}/api")),
        bot_token: SecretString::from("xoxb-test"),
    })
    .unwrap();
    assert!(matches!(
        away.post_card(&place(), &card()).await,
        Err(PostError::Retry { .. })
    ));
}

#[tokio::test]
async fn a_lost_card_is_found_by_its_metadata_and_only_if_it_is_ours() {
    let double = Double::start().await;
    let outbox = double.outbox();
    let ours = render::metadata(render::CARD_EVENT, &request(), 1);
    let other = render::metadata(render::CARD_EVENT, &RequestId::from_bits(1), 1);
    let copy = render::metadata(render::COPY_EVENT, &request(), 0);
    double.stage(
        "conversations.history",
        200,
        None,
        json!({"ok": true, "messages": [
            {"ts": "9.0", "text": "no metadata", "user": "U1"},
            {"ts": "8.0", "bot_id": "BOTHER", "user": "UX", "metadata": ours},
            {"ts": "7.0", "bot_id": "BBOT", "metadata": other},
            {"ts": "6.0", "bot_id": "BBOT", "metadata": copy},
            {"ts": "5.0", "bot_id": "BBOT", "metadata": ours},
            {"ts": "4.0", "bot_id": "BBOT", "metadata": ours},
        ]}),
    );
    let found = outbox.find_card(&place(), &request()).await.unwrap();
    assert_eq!(found.map(|on| on.message).as_deref(), Some("5.0"));
    assert_eq!(
        double.calls("conversations.history")[0]["include_all_metadata"],
        true
    );
    double.stage(
        "conversations.history",
        200,
        None,
        json!({"ok": false, "error": "missing_scope"}),
    );
    assert_eq!(outbox.find_card(&place(), &request()).await, Ok(None));
    double.stage("conversations.history", 503, None, json!({}));
    assert!(matches!(
        outbox.find_card(&place(), &request()).await,
        Err(PostError::Retry { .. })
    ));
}

#[tokio::test]
async fn a_private_answer_falls_back_to_a_private_message() {
    let double = Double::start().await;
    let outbox = double.outbox();
    let account = AccountId::new("slack:T1/U2").unwrap();
    let letter = Letter::Answer(Answer::List(Vec::new()));
    outbox.answer(&place(), &account, &letter).await.unwrap();
    assert_eq!(double.calls("chat.postEphemeral")[0]["user"], "U2");
    assert!(double.calls("chat.postMessage").is_empty());
    for _ in 0..2 {
        double.stage(
            "chat.postEphemeral",
            200,
            None,
            json!({"ok": false, "error": "user_not_in_channel"}),
        );
        outbox.answer(&place(), &account, &letter).await.unwrap();
    }
    assert_eq!(double.calls("chat.postMessage").len(), 2);
    assert_eq!(double.calls("chat.postMessage")[1]["channel"], "D1");
    assert_eq!(
        double.calls("conversations.open").len(),
        1,
        "the conversation is remembered"
    );
}
