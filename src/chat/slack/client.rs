//! The connection to Slack's Web API: one client, one token, one time limit for each call.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use axum::http::Request;
use axum::http::header::AUTHORIZATION;
use bytes::Bytes;
use http_body_util::Full;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use secrecy::{ExposeSecret, SecretString};
use serde::Serialize;
use serde::de::DeserializeOwned;
use slack_morphism::api::SlackApiPostWebhookMessageRequest;
use slack_morphism::hyper_tokio::{SlackClientHyperConnector, SlackHyperClient};
use slack_morphism::{SlackApiToken, SlackApiTokenValue, SlackMessageContent, SlackResponseUrl};
use tracing::Instrument as _;
use url::{Host, Url};

use super::failure::Failure;
use crate::traces;

/// Time limit of one call.
pub const CALL_MAX: Duration = Duration::from_secs(10);
/// Slack's own Web API.
const SLACK_API_URL: &str = "https://slack.com/api";
/// Time limit of making a connection.
const CONNECT_MAX: Duration = Duration::from_secs(5);
/// After how much silence a connection is probed, so that a dead one is noticed.
const KEEPALIVE: Duration = Duration::from_secs(30);

/// Where Slack is, and as whom we speak to it.
#[derive(Debug, Clone)]
pub struct SlackSettings {
    /// Base address of the Web API in place of Slack's own, e.g. a sandbox's `http://127.0.0.1:8911/api/`.
    pub api_url: Option<String>,
    /// The bot's token, `xoxb-…`.
    pub bot_token: BotToken,
}

/// The bot's token. It can be exchanged for another of the same bot: whatever was made with a clone of
/// this speaks with the other from then on.
#[derive(Clone)]
pub struct BotToken(Arc<ArcSwap<SlackApiToken>>);

impl BotToken {
    /// This one, until it is exchanged.
    #[must_use]
    pub fn of(secret: &SecretString) -> Self {
        Self(Arc::new(ArcSwap::from_pointee(token(secret))))
    }

    /// The other one, for every call that begins from here on.
    pub fn exchange(&self, secret: &SecretString) {
        self.0.store(Arc::new(token(secret)));
    }

    fn now(&self) -> Arc<SlackApiToken> {
        self.0.load_full()
    }
}

impl From<SecretString> for BotToken {
    fn from(secret: SecretString) -> Self {
        Self::of(&secret)
    }
}

impl fmt::Debug for BotToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BotToken").finish_non_exhaustive()
    }
}

/// Slack can't be spoken to with these settings.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SetupError {
    /// Not an address.
    #[error(
        "slack.api_url is no address: {0}. Write e.g. `https://slack.com/api`, or leave it out."
    )]
    NotAnAddress(String),
    /// Tokens would travel in the clear.
    #[error(
        "slack.api_url may be plain `http://` on loopback only: {0} is another host. Use `https://`."
    )]
    PlainBeyondLoopback(String),
    /// No certificates to trust.
    #[error(
        "the machine's root certificates can't be loaded: {0}. Install them (Debian: ca-certificates)."
    )]
    NoRoots(String),
    /// A time limit or address that the listener could not start with.
    #[error("Socket Mode can't start: {0}")]
    Listener(String),
    /// What people do with the bot would not come over its sockets.
    #[error("it is of Slack app {0}, and the bot token is of another")]
    OtherApp(String),
}

/// A client of slack-morphism with an address and time limits of ours. Its rate control is off: it
/// would pace all channels together, and the wait that Slack asks for is kept by the job.
pub(super) fn hyper_client(api_url: Option<&str>) -> Result<SlackHyperClient, SetupError> {
    let api_url = api_url.map(checked).transpose()?;
    let connector = SlackClientHyperConnector::from(connector(api_url.as_deref())?);
    let connector = match api_url {
        Some(api_url) => connector.with_slack_api_url(&api_url),
        None => connector,
    };
    Ok(SlackHyperClient::new(connector))
}

/// Connections to Slack, or to what stands in its place.
fn connector(api_url: Option<&str>) -> Result<HttpsConnector<HttpConnector>, SetupError> {
    let mut http = HttpConnector::new();
    http.enforce_http(false);
    http.set_connect_timeout(Some(CONNECT_MAX));
    http.set_keepalive(Some(KEEPALIVE));
    http.set_nodelay(true);
    let builder = HttpsConnectorBuilder::new();
    let ring = rustls::crypto::ring::default_provider();
    let builder = if api_url.is_some_and(|url| url.starts_with("http:")) {
        // A server on loopback speaks no TLS, so that a machine without root certificates will do.
        let config = rustls::ClientConfig::builder_with_provider(ring.into())
            .with_safe_default_protocol_versions()
            .map_err(|e| SetupError::NoRoots(e.to_string()))?
            .with_root_certificates(rustls::RootCertStore::empty())
            .with_no_client_auth();
        builder.with_tls_config(config)
    } else {
        builder
            .with_provider_and_native_roots(ring)
            .map_err(|e| SetupError::NoRoots(e.to_string()))?
    };
    Ok(builder
        .https_or_http()
        .enable_http1()
        .enable_http2()
        .wrap_connector(http))
}

/// The address without a slash at its end.
fn checked(api_url: &str) -> Result<String, SetupError> {
    let url = Url::parse(api_url).map_err(|e| SetupError::NotAnAddress(e.to_string()))?;
    let loopback = match url.host() {
        Some(Host::Ipv4(ip)) => ip.is_loopback(),
        Some(Host::Ipv6(ip)) => ip.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => return Err(SetupError::NotAnAddress("it has no host".to_owned())),
    };
    match url.scheme() {
        "https" => {}
        "http" if loopback => {}
        "http" => {
            return Err(SetupError::PlainBeyondLoopback(
                url.host_str().unwrap_or_default().to_owned(),
            ));
        }
        other => {
            return Err(SetupError::NotAnAddress(format!(
                "`{other}` is neither https nor http"
            )));
        }
    }
    Ok(url.as_str().trim_end_matches('/').to_owned())
}

/// A token as slack-morphism wants it.
pub(super) fn token(secret: &SecretString) -> SlackApiToken {
    SlackApiToken::new(SlackApiTokenValue(secret.expose_secret().to_owned()))
}

/// The Web API with the bot's token.
pub(super) struct Api {
    client: SlackHyperClient,
    token: BotToken,
    limit: Duration,
}

impl Api {
    pub(super) fn new(settings: &SlackSettings) -> Result<Self, SetupError> {
        Ok(Self {
            client: hyper_client(settings.api_url.as_deref())?,
            token: settings.bot_token.clone(),
            limit: CALL_MAX,
        })
    }

    /// With another time limit for each call.
    pub(super) fn within(self, limit: Duration) -> Self {
        Self { limit, ..self }
    }

    /// The same server with another token.
    pub(super) fn with_token(&self, of: &SecretString) -> Self {
        Self {
            client: self.client.clone(),
            token: BotToken::of(of),
            limit: self.limit,
        }
    }

    /// Answers an event privately through the address that came with it; whether that worked.
    pub(super) async fn respond(
        &self,
        to: &SlackResponseUrl,
        content: SlackMessageContent,
    ) -> bool {
        let request = SlackApiPostWebhookMessageRequest::new(content).with_replace_original(false);
        let span = traces::platform_call("slack", "response_url");
        let call = self.client.respond_to_event(to, &request);
        let call = tokio::time::timeout(CALL_MAX, call.instrument(span.clone()));
        let well = matches!(call.await, Ok(Ok(_)));
        traces::ended(&span, if well { "done" } else { "not_done" }, well);
        well
    }

    /// Calls a method, within [`CALL_MAX`] unless another limit was set.
    pub(super) async fn call<Answer>(
        &self,
        method: &str,
        arguments: &(impl Serialize + Send + Sync),
    ) -> Result<Answer, Failure>
    where
        Answer: DeserializeOwned + Send,
    {
        let token = self.token.now();
        let session = self.client.open_session(&token);
        let call = session
            .http_session_api
            .http_post::<_, Answer>(method, arguments, None);
        let span = traces::platform_call("slack", method);
        let call = tokio::time::timeout(self.limit, call.instrument(span.clone()));
        let answered = match call.await {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(error)) => Err(Failure::of(method, &error)),
            Err(_) => Err(Failure::timed_out(method, self.limit)),
        };
        let outcome = answered.as_ref().err().map_or("done", Failure::word);
        traces::ended(&span, outcome, answered.is_ok());
        answered
    }
}

/// What a bare call says that slack-morphism does not hand on: the answer with its headers.
pub(super) async fn scopes_of(
    settings: &SlackSettings,
) -> Result<Option<BTreeSet<String>>, Failure> {
    const METHOD: &str = "auth.test";
    let never = |error: String| Failure::never(format!("{METHOD}: {error}"));
    let api_url = settings.api_url.as_deref().map(checked).transpose();
    let api_url = api_url.map_err(|error| never(error.to_string()))?;
    let connector = connector(api_url.as_deref()).map_err(|error| never(error.to_string()))?;
    let client = Client::builder(TokioExecutor::new()).build::<_, Full<Bytes>>(connector);
    let base = api_url.as_deref().unwrap_or(SLACK_API_URL);
    let request = Request::post(format!("{base}/{METHOD}"))
        .header(
            AUTHORIZATION,
            format!("Bearer {}", settings.bot_token.now().token_value.0),
        )
        .body(Full::default())
        // What can't be in a header is not repeated: it may be the token.
        .map_err(|_| never("the token or the address can't be sent".to_owned()))?;
    let answer = client.request(request).await.map_err(|error| {
        if error.is_connect() {
            Failure::unreachable(METHOD)
        } else {
            Failure::broken(METHOD)
        }
    })?;
    Ok(answer
        .headers()
        .get("x-oauth-scopes")
        .and_then(|value| value.to_str().ok())
        .map(|scopes| {
            scopes
                .split(',')
                .map(|scope| scope.trim().to_owned())
                .collect()
        }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_travel_in_the_clear_on_loopback_only() {
        for ok in [
            "https://slack.com/api/",
            "http://127.0.0.1:8911/api/",
            "http://[::1]:1/api",
            "http://localhost/api",
        ] {
            assert_eq!(checked(ok), Ok(ok.trim_end_matches('/').to_owned()));
        }
        for bad in [
            "http://slack.com/api",
            "http://10.0.0.1/api",
            "http://127.0.0.1.example/",
        ] {
            assert!(
                matches!(checked(bad), Err(SetupError::PlainBeyondLoopback(_))),
                "{bad}"
            );
        }
        for bad in ["", "slack.com", "ftp://127.0.0.1/", "data:,x"] {
            assert!(
                matches!(checked(bad), Err(SetupError::NotAnAddress(_))),
                "{bad}"
            );
        }
    }

    #[test]
    fn settings_do_not_show_the_token() {
        let settings = SlackSettings {
            api_url: None,
            bot_token: SecretString::from("xoxb-very-secret").into(),
        };
        assert!(!format!("{settings:?}").contains("very-secret"));
    }
}
