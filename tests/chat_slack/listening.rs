//! In: acknowledgements, panics, malformed events, lost sockets.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use jitbot::chat::port::{Inbox, Unanswered};
use jitbot::chat::slack::me::Me;
use jitbot::chat::slack::socket_mode::{Listener, listen};
use jitbot::chat::slack::{button, render};
use jitbot::domain::answer::Answer;
use jitbot::domain::command::{Act, Command, Inbound, ListOf, Query};
use jitbot::domain::ids::ResourceName;
use secrecy::SecretString;
use serde_json::{Value, json};

use crate::double::{Double, until};
use crate::things::{card, place, request};

/// Answers by what it is asked: `done` is too slow, `extend` takes a second, `withdraw` panics, `revoke` fails, all else works.
#[derive(Default)]
pub struct Scripted {
    pub seen: Mutex<Vec<Inbound>>,
}

#[async_trait]
impl Inbox for Scripted {
    async fn handle(&self, inbound: Inbound) -> Result<Answer, Unanswered> {
        let act = inbound.act.clone();
        self.seen.lock().unwrap().push(inbound);
        match act {
            Act::Command(Command::Done(_)) => {
                tokio::time::sleep(Duration::from_secs(4)).await;
                Ok(Answer::Resources(Vec::new()))
            }
            Act::Command(Command::Extend { .. }) => {
                tokio::time::sleep(Duration::from_secs(1)).await;
                Ok(Answer::Resources(Vec::new()))
            }
            Act::Command(Command::Withdraw(_)) => panic!("on purpose"),
            Act::Command(Command::Revoke { .. }) => Err(Unanswered("the disk is full".into())),
            Act::Command(_) | Act::Query(_) => Ok(Answer::Help(vec![
                ResourceName::new("staging-ssh").unwrap(),
            ])),
        }
    }
}

pub async fn listening(double: &Double) -> (Listener, Arc<Scripted>) {
    let inbox = Arc::new(Scripted::default());
    let me = Me {
        team_id: "T1".into(),
        bot_user_id: "UBOT".into(),
        bot_id: Some("BBOT".into()),
        app_id: Some("A1".into()),
    };
    let token = SecretString::from("xapp-test");
    let listener = listen(&double.settings(), &token, inbox.clone(), me)
        .await
        .unwrap();
    double.open_sockets(1).await;
    (listener, inbox)
}

pub fn command(envelope_id: &str, team: &str, text: &str) -> Value {
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

#[tokio::test]
async fn a_command_is_acknowledged_with_its_private_answer() {
    let double = Double::start().await;
    let (listener, inbox) = listening(&double).await;
    double.send(command("e1", "T1", "status &lt;x&gt;"));
    let ack = double.acknowledged("e1").await;
    assert_eq!(ack["payload"]["response_type"], "ephemeral");
    let said = ack["payload"].to_string();
    assert!(
        said.contains("<x>") && said.contains("isn't a request's id"),
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
    assert_eq!(seen[0].act, Act::Query(Query::List(ListOf::Mine)));
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
    let value = button::button_value(&request(), 1);
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
