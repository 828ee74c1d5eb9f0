//! A receiver that answers over HTTPS: `kind = "webhook"`.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use secrecy::{ExposeSecret as _, SecretString};
use url::Url;

use super::answer::{self, Answer};
use super::question::Question;
use super::said::one_line;
use super::standard_webhooks::{key, signatures};
use super::{Wire, unknown};
use crate::clock::Clock;
use crate::issuer::IssueError;
use crate::web_call::trust::{CaFile, tls};
use crate::web_call::{Destination, NoReply, Reply, call};

/// What a webhook is made of.
#[derive(Debug, Clone)]
pub struct WebhookSettings {
    /// Where it is.
    pub url: Url,
    /// What calls are signed with; two while one replaces the other.
    pub secrets: Vec<SecretString>,
    /// Whether it may be in a private network.
    pub allow_private: bool,
    /// Certificates to trust in place of the machine's own.
    pub ca_file: Option<CaFile>,
    /// How long one call may take.
    pub time_limit: Duration,
}

impl PartialEq for WebhookSettings {
    fn eq(&self, other: &Self) -> bool {
        let exposed = |settings: &Self| -> Vec<String> {
            let secrets = settings.secrets.iter();
            secrets.map(|s| s.expose_secret().to_owned()).collect()
        };
        self.url == other.url
            && self.allow_private == other.allow_private
            && self.ca_file == other.ca_file
            && self.time_limit == other.time_limit
            && exposed(self) == exposed(other)
    }
}

/// A receiver of signed calls.
pub struct Webhook {
    settings: WebhookSettings,
    to: Destination,
    clock: Arc<dyn Clock>,
    /// When a wish was last signed, of those that were just now.
    signed: Mutex<BTreeMap<String, i64>>,
}

impl Webhook {
    /// Makes it. Calls nobody yet.
    ///
    /// # Errors
    /// What is wrong with a secret or a certificate, without the secret.
    pub fn new(settings: WebhookSettings, clock: Arc<dyn Clock>) -> Result<Self, String> {
        for secret in &settings.secrets {
            key(secret).map_err(|why| format!("a secret {why}"))?;
        }
        let tls = match settings.url.scheme() {
            "https" => Some(Arc::new(tls(settings.ca_file.as_ref())?)),
            _ => None,
        };
        let to = Destination {
            url: settings.url.clone(),
            allow_private: settings.allow_private,
            tls,
        };
        Ok(Self {
            settings,
            to,
            clock,
            signed: Mutex::default(),
        })
    }

    /// The time to sign this wish with: another each time, so that a receiver can refuse what it has
    /// seen before. What is asked twice within a second is a second ahead.
    fn time_to_sign(&self, key: &str) -> i64 {
        let now = self.clock.machine_now().timestamp();
        let mut signed = self.signed.lock().unwrap_or_else(PoisonError::into_inner);
        signed.retain(|_, last| *last >= now);
        let time = signed.get(key).map_or(now, |last| last + 1);
        signed.insert(key.to_owned(), time);
        time
    }

    async fn call(&self, question: &Question) -> Result<Reply, NoReply> {
        let body = question.to_line();
        let timestamp = self.time_to_sign(&question.key);
        let signature = signatures(&self.settings.secrets, &question.key, timestamp, &body)
            .map_err(|why| NoReply::NotSent(format!("a secret {why}")))?;
        let headers = [
            ("content-type", "application/json".to_owned()),
            (
                "user-agent",
                concat!("jitbot/", env!("CARGO_PKG_VERSION")).to_owned(),
            ),
            ("idempotency-key", question.key.clone()),
            ("webhook-id", question.key.clone()),
            ("webhook-timestamp", timestamp.to_string()),
            ("webhook-signature", signature),
        ];
        let call = call(&self.to, &headers, body, answer::max_bytes(question.op));
        match tokio::time::timeout(self.settings.time_limit, call).await {
            Ok(reply) => reply,
            Err(_) => Err(NoReply::Lost(format!(
                "no answer within {} s",
                self.settings.time_limit.as_secs_f32()
            ))),
        }
    }

    fn judge(&self, question: &Question, reply: &Reply) -> Result<Answer, IssueError> {
        let secrets: Vec<&SecretString> = self.settings.secrets.iter().collect();
        let status = reply.status;
        match (status, reply.retry_after_s) {
            (200..=299, _) => answer::read(question.op, &reply.body, &secrets),
            (429 | 503, Some(after_s)) => Err(IssueError::Retry {
                said: format!("the receiver answers {status} and asks to wait {after_s} s"),
                after_s: Some(after_s.clamp(0, answer::AFTER_MAX_S)),
            }),
            (300..=399, _) => Err(unknown(format!(
                "the receiver answers {status}, a redirect; none is followed"
            ))),
            // A refusal counts as one only in the contract's own words: anything between us and the
            // receiver can make up a status.
            (400..=499, _) => match answer::read(question.op, &reply.body, &secrets) {
                Err(told @ (IssueError::Permanent { .. } | IssueError::Retry { .. })) => Err(told),
                Ok(_) => Err(unknown(format!(
                    "the receiver answers {status} and ok; nobody knows which it means"
                ))),
                Err(IssueError::Unknown { .. }) => {
                    Err(unknown(format!("the receiver answers {status}")))
                }
            },
            _ => Err(unknown(format!("the receiver answers {status}"))),
        }
    }
}

#[async_trait]
impl Wire for Webhook {
    fn leads_to(&self) -> String {
        format!("url {}", self.settings.url)
    }

    async fn ask(&self, question: &Question) -> Result<Answer, IssueError> {
        match self.call(question).await {
            Ok(reply) => self.judge(question, &reply),
            Err(NoReply::NotSent(said)) => Err(IssueError::Retry {
                said: one_line(&said, 300),
                after_s: None,
            }),
            Err(NoReply::Lost(said)) => Err(unknown(one_line(&said, 300))),
        }
    }

    fn check(&self) -> Result<(), String> {
        Ok(())
    }
}
