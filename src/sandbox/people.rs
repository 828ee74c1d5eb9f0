//! Everybody but the bot, as a typed client of the sandbox: what people type, press and see, and what goes wrong.

use std::collections::BTreeMap;
use std::time::Duration;

use axum::http::{Method, Request, StatusCode, header};
use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

pub use super::slack::wire::{
    Ack, Call, Change, CommandAnswer, Disconnect, Envelope, Fault, FaultKind, ForgedPress, Log,
    Mention, MentionTarget, Place, Press, PressAnswer, RawAnswer, SeenButton, SeenMessage,
    SeenView, Submission, SubmitAnswer, Surface, TypedCommand,
};

/// What went wrong between a test and the sandbox.
#[derive(Debug, thiserror::Error)]
pub enum PeopleError {
    /// No person could do this here (a button that is not there, a channel that they cannot see).
    #[error("the sandbox says that nobody could do this: {0}; nothing was sent to the app")]
    Impossible(String),
    /// The awaited message did not appear.
    #[error(
        "{user} did not see {needle:?} within {waited_ms} ms; what stood there instead: {instead:?}"
    )]
    NotSeen {
        /// Who was looking.
        user: String,
        /// What for.
        needle: String,
        /// How long, in real time.
        waited_ms: u128,
        /// The visible text of every message there.
        instead: Vec<String>,
    },
    /// The sandbox could not be reached, or answered something else than agreed.
    #[error("the sandbox at {base_url} did not answer as agreed: {reason}; is it still running?")]
    Unreachable {
        /// Where it should be.
        base_url: String,
        /// What happened.
        reason: String,
    },
}

type Result<T> = std::result::Result<T, PeopleError>;

/// Plays everyone. Cheap to clone.
#[derive(Debug, Clone)]
pub struct People {
    base_url: String,
    client: Client<HttpConnector, Full<Bytes>>,
}

#[derive(Deserialize)]
struct Waited<T> {
    found: Option<T>,
    instead: Vec<String>,
}

impl<T> Waited<T> {
    fn seen(self, user: &str, needle: &str, timeout: Duration) -> Result<T> {
        self.found.ok_or_else(|| PeopleError::NotSeen {
            user: user.to_owned(),
            needle: needle.to_owned(),
            waited_ms: timeout.as_millis(),
            instead: self.instead,
        })
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

impl People {
    /// `base_url` as the sandbox prints it: `http://127.0.0.1:PORT`.
    pub fn new(base_url: &str) -> People {
        People {
            base_url: base_url.trim_end_matches('/').to_owned(),
            client: Client::builder(TokioExecutor::new()).build(HttpConnector::new()),
        }
    }

    async fn call<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        body: &impl Serialize,
    ) -> Result<T> {
        let failed = |reason: String| PeopleError::Unreachable {
            base_url: self.base_url.clone(),
            reason,
        };
        let body = serde_json::to_vec(body).map_err(|error| failed(error.to_string()))?;
        let request = Request::builder()
            .method(method)
            .uri(format!("{}/sandbox/{path}", self.base_url))
            .header(header::CONTENT_TYPE, "application/json")
            .body(Full::new(Bytes::from(body)))
            .map_err(|error| failed(error.to_string()))?;
        let answer = self
            .client
            .request(request)
            .await
            .map_err(|error| failed(error.to_string()))?;
        let status = answer.status();
        let bytes = answer
            .into_body()
            .collect()
            .await
            .map_err(|error| failed(error.to_string()))?
            .to_bytes();
        if status == StatusCode::CONFLICT {
            let error: Value =
                serde_json::from_slice(&bytes).map_err(|error| failed(error.to_string()))?;
            return Err(PeopleError::Impossible(
                error["error"].as_str().unwrap_or_default().to_owned(),
            ));
        }
        if !status.is_success() {
            return Err(failed(format!(
                "{path}: {status}: {}",
                String::from_utf8_lossy(&bytes)
            )));
        }
        serde_json::from_slice(&bytes).map_err(|error| failed(format!("{path}: {error}")))
    }

    async fn post<T: DeserializeOwned>(&self, path: &str, body: &impl Serialize) -> Result<T> {
        self.call(Method::POST, path, body).await
    }

    async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T> {
        self.call(Method::GET, path, &Value::Null).await
    }

    /// Types a slash command and waits for its acknowledgement (three seconds at most).
    pub async fn command(
        &self,
        user: &str,
        place: impl Into<Place>,
        typed: &str,
    ) -> Result<CommandAnswer> {
        let typed = TypedCommand {
            user: user.to_owned(),
            place: place.into(),
            typed: typed.to_owned(),
        };
        self.post("command", &typed).await
    }

    /// Posts a message of the person's own; answers its timestamp.
    pub async fn say(&self, user: &str, place: impl Into<Place>, text: &str) -> Result<String> {
        self.post(
            "say",
            &json!({ "user": user, "place": place.into(), "text": text }),
        )
        .await
    }

    /// Presses a button of a message; its value comes from the message.
    pub async fn press(
        &self,
        user: &str,
        place: impl Into<Place>,
        ts: &str,
        action_id: &str,
    ) -> Result<PressAnswer> {
        let surface = Surface::Message {
            place: place.into(),
            ts: ts.to_owned(),
        };
        self.press_on(Press {
            user: user.to_owned(),
            surface,
            action_id: action_id.to_owned(),
            option: None,
        })
        .await
    }

    /// Presses or chooses anything on a message, a modal or the Home tab.
    pub async fn press_on(&self, press: Press) -> Result<PressAnswer> {
        self.post("press", &press).await
    }

    /// Sends a press that no client would send.
    pub async fn forge(&self, forged: &ForgedPress) -> Result<PressAnswer> {
        self.post("forge", forged).await
    }

    /// Fills in and submits the top form, by block_id or action_id.
    pub async fn submit_view(&self, user: &str, values: &[(&str, &str)]) -> Result<SubmitAnswer> {
        let values = values
            .iter()
            .map(|(key, value)| ((*key).to_owned(), json!(value)))
            .collect();
        self.submit(&Submission {
            user: user.to_owned(),
            values,
        })
        .await
    }

    /// Fills in and submits the top form, several choices included.
    pub async fn submit(&self, submission: &Submission) -> Result<SubmitAnswer> {
        self.post("submit", submission).await
    }

    /// Closes the top form.
    pub async fn close_view(&self, user: &str) -> Result<SubmitAnswer> {
        self.post("close", &json!({ "user": user, "all": false }))
            .await
    }

    /// Closes all forms at once.
    pub async fn close_all_views(&self, user: &str) -> Result<SubmitAnswer> {
        self.post("close", &json!({ "user": user, "all": true }))
            .await
    }

    /// Opens the app's Home tab; answers whether the app hears of it.
    pub async fn open_home(&self, user: &str) -> Result<bool> {
        self.post("home", &json!({ "user": user })).await
    }

    /// What this person sees there now, oldest first.
    pub async fn messages(&self, user: &str, place: impl Into<Place>) -> Result<Vec<SeenMessage>> {
        self.post("messages", &json!({ "user": user, "place": place.into() }))
            .await
    }

    /// This person's direct messages with the bot.
    pub async fn direct_messages(&self, user: &str) -> Result<Vec<SeenMessage>> {
        self.messages(user, Place::Direct).await
    }

    /// The person's open forms, the top one last, then the Home tab if the app published one.
    pub async fn views(&self, user: &str) -> Result<Vec<SeenView>> {
        self.post("views", &json!({ "user": user })).await
    }

    /// Waits in real time for a message (or reply) whose visible text holds the needle; the newest such.
    pub async fn wait_for(
        &self,
        user: &str,
        place: impl Into<Place>,
        needle: &str,
        timeout: Duration,
    ) -> Result<SeenMessage> {
        let body = json!({
            "user": user, "place": place.into(), "needle": needle, "timeout_ms": millis(timeout),
        });
        let waited: Waited<SeenMessage> = self.post("wait", &body).await?;
        waited.seen(user, needle, timeout)
    }

    /// Waits in real time for a form or Home tab whose visible text holds the needle; the newest such.
    pub async fn wait_for_view(
        &self,
        user: &str,
        needle: &str,
        timeout: Duration,
    ) -> Result<SeenView> {
        let body = json!({ "user": user, "needle": needle, "timeout_ms": millis(timeout) });
        let waited: Waited<SeenView> = self.post("wait/view", &body).await?;
        waited.seen(user, needle, timeout)
    }

    /// Waits in real time until so many sockets take envelopes; answers how many do in the end.
    pub async fn wait_for_sockets(&self, count: usize, timeout: Duration) -> Result<usize> {
        let body = json!({ "count": count, "timeout_ms": millis(timeout) });
        self.post("wait/sockets", &body).await
    }

    /// Stages trouble for the next calls of a method.
    pub async fn fault(&self, method: &str, times: u32, kind: FaultKind) -> Result<()> {
        let _: bool = self
            .post(
                "fault",
                &Fault {
                    method: method.to_owned(),
                    times,
                    kind,
                },
            )
            .await?;
        Ok(())
    }

    /// Takes back what is left of staged trouble; answers for how many calls.
    pub async fn clear_faults(&self) -> Result<u32> {
        self.post("faults/clear", &Value::Null).await
    }

    /// Ends the sockets that are open; answers how many.
    pub async fn disconnect_sockets(&self, how: Disconnect) -> Result<usize> {
        self.post("disconnect", &how).await
    }

    /// How many sockets take envelopes now.
    pub async fn sockets(&self) -> Result<usize> {
        self.get("sockets").await
    }

    /// Sends the last envelope of a kind (`slash_commands`, `interactive`, `events_api`) once more.
    pub async fn redeliver_last(&self, kind: &str) -> Result<RawAnswer> {
        self.post("redeliver", &json!({ "kind": kind })).await
    }

    /// Sends JSON over a socket as it is.
    pub async fn send_raw_envelope(&self, envelope: &Value) -> Result<RawAnswer> {
        self.send_raw_frame(&envelope.to_string()).await
    }

    /// Sends text over a socket as it is.
    pub async fn send_raw_frame(&self, text: &str) -> Result<RawAnswer> {
        self.post("raw", &json!({ "text": text })).await
    }

    /// Sets the sandbox's own clock forward; answers its milliseconds since 1970.
    pub async fn advance_clock(&self, by: Duration) -> Result<u64> {
        self.post("clock", &json!({ "by_ms": millis(by) })).await
    }

    /// Changes the workspace.
    pub async fn change(&self, change: Change) -> Result<()> {
        let _: bool = self.post("change", &change).await?;
        Ok(())
    }

    /// Archives a channel.
    pub async fn archive(&self, channel: &str) -> Result<()> {
        self.change(Change::Archive(channel.to_owned())).await
    }

    /// Deactivates a person.
    pub async fn deactivate(&self, user: &str) -> Result<()> {
        self.change(Change::Deactivate(user.to_owned())).await
    }

    /// Takes the bot out of a channel.
    pub async fn remove_bot(&self, channel: &str) -> Result<()> {
        self.change(Change::RemoveBot(channel.to_owned())).await
    }

    /// Gives a channel another name.
    pub async fn rename_channel(&self, channel: &str, name: &str) -> Result<()> {
        self.change(Change::RenameChannel {
            channel: channel.to_owned(),
            name: name.to_owned(),
        })
        .await
    }

    /// Everything that passed between the app and the sandbox.
    pub async fn log(&self) -> Result<Log> {
        self.get("log").await
    }

    /// Every Web API call so far.
    pub async fn calls(&self) -> Result<Vec<Call>> {
        Ok(self.log().await?.calls)
    }

    /// Every mention in what the app sent, also where nobody is notified.
    pub async fn mentions(&self) -> Result<Vec<Mention>> {
        self.get("mentions").await
    }

    /// Who was notified by a mention in a new message.
    pub async fn pinged(&self) -> Result<Vec<Mention>> {
        Ok(self
            .mentions()
            .await?
            .into_iter()
            .filter(|mention| mention.notified)
            .collect())
    }

    /// Which calls Slack would have refused, with the error, by method.
    pub async fn refused(&self) -> Result<BTreeMap<String, Vec<String>>> {
        let mut refused: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for call in self.calls().await? {
            if let Some(error) = call.refused {
                refused.entry(call.method).or_default().push(error);
            }
        }
        Ok(refused)
    }
}
