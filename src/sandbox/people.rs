//! Everybody but the bot, as a typed client of the sandbox: what people type, press and see, and what goes wrong.

mod trouble;

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
            block_id: None,
            option: None,
        })
        .await
    }

    /// Presses the button with this label on a message that somebody saw; it must still be there.
    pub async fn press_button(
        &self,
        user: &str,
        message: &SeenMessage,
        label: &str,
    ) -> Result<PressAnswer> {
        let Some(button) = message.button(label) else {
            return Err(PeopleError::Impossible(format!(
                "the message {} has no button {label:?}",
                message.ts
            )));
        };
        self.press_on(Press {
            user: user.to_owned(),
            surface: Surface::Message {
                place: Place::Channel(message.channel.clone()),
                ts: message.ts.clone(),
            },
            action_id: button.action_id.clone(),
            block_id: Some(button.block_id.clone()),
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
}
