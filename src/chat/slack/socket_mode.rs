//! The sockets to Slack: opened, opened anew with another token, closed.

use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use secrecy::SecretString;
use slack_morphism::hyper_tokio::{SlackClientHyperHttpsConnector, SlackHyperClient};
use slack_morphism::listener::SlackClientEventsListenerEnvironment;
use slack_morphism::{SlackClientSocketModeConfig, SlackClientSocketModeListener};
use tokio::sync::Mutex;

use super::client::{self, Api, SetupError, SlackSettings};
use super::listen::{ANSWER_MAX, Shared, callbacks};
use super::me::Me;
use super::sockets::Sockets;
use super::unacknowledged::on_error;
use crate::chat::port::Inbox;

/// Sockets: with one there would be a gap whenever Slack refreshes it, and what comes over one is taken one
/// after the other, each after the answer before it is on the disk. Twice as many are open while tokens are
/// exchanged, and Slack takes ten.
const SOCKETS: u32 = 4;
/// Seconds between attempts to connect; so few sockets stay far below Slack's 50 a minute.
const RECONNECT_S: u64 = 5;
/// Seconds between pings.
const PING_S: u64 = 5;
/// Pings without an answer after which a socket counts as dead.
const PINGS_LOST_MAX: u64 = 3;
/// Time that the last acknowledgements have to leave when we stop.
const LAST_ACKS: Duration = Duration::from_millis(100);
/// How long sockets with a new token may take to open.
const OPEN_MAX: Duration = Duration::from_secs(10);
/// How long nothing may have come before sockets are closed whose successors are open.
const QUIET: Duration = Duration::from_millis(25);

/// Listens until it is shut down.
pub struct Listener {
    client: Arc<SlackHyperClient>,
    open: Mutex<Open>,
    counted: Arc<ArcSwap<Sockets>>,
}

/// Sockets that were opened with one token.
struct Open {
    sockets: SlackClientSocketModeListener<SlackClientHyperHttpsConnector>,
    shared: Arc<Shared>,
}

/// Sockets with another token, open beside those that are in use.
pub struct Reopened(Open);

/// Opens the sockets and hands what people do to the inbox. Returns at once; Slack being away is
/// retried for ever.
///
/// # Errors
/// [`SetupError`] when the settings can't work.
pub async fn listen(
    settings: &SlackSettings,
    app_token: &SecretString,
    inbox: Arc<dyn Inbox>,
    me: Me,
) -> Result<Listener, SetupError> {
    let client = Arc::new(client::hyper_client(settings.api_url.as_deref())?);
    let api = Arc::new(Api::new(settings)?);
    let shared = Shared::new(inbox, api, me, SOCKETS);
    let open = Open::with(&client, app_token, shared).await?;
    Ok(Listener {
        client,
        counted: Arc::new(ArcSwap::new(open.shared.sockets().clone())),
        open: Mutex::new(open),
    })
}

impl Listener {
    /// What is known of the sockets that are in use.
    #[must_use]
    pub fn sockets(&self) -> Arc<ArcSwap<Sockets>> {
        self.counted.clone()
    }

    /// Opens sockets with another token beside those in use, and waits until they are open. What comes
    /// over either is taken.
    ///
    /// # Errors
    /// [`SetupError`] when none opened within ten seconds; those in use stay as they are.
    pub async fn reopen(&self, app_token: &SecretString) -> Result<Reopened, SetupError> {
        let shared = self.open.lock().await.shared.clone();
        let shared = shared.afresh(SOCKETS);
        let next = Open::with(&self.client, app_token, shared).await?;
        let opened = next.shared.sockets().wait(OPEN_MAX).await;
        let other_app = next.shared.sockets().other_app();
        if opened && other_app.is_none() {
            return Ok(Reopened(next));
        }
        next.sockets.shutdown().await;
        if let Some(app) = other_app {
            return Err(SetupError::OtherApp(app));
        }
        Err(SetupError::Listener(format!(
            "no socket opened with it within {} s",
            OPEN_MAX.as_secs()
        )))
    }

    /// From here on these are the sockets. Those before are closed at a moment at which nothing is
    /// under way on them.
    pub async fn settle_on(&self, Reopened(next): Reopened) {
        let mut open = self.open.lock().await;
        self.counted.store(next.shared.sockets().clone());
        let former = std::mem::replace(&mut *open, next);
        drop(open);
        former.close_when_quiet().await;
    }

    /// These are not used after all.
    pub async fn give_up(&self, Reopened(next): Reopened) {
        next.close_when_quiet().await;
    }

    /// Takes nothing new, lets what is in flight be answered, then closes the sockets.
    pub async fn shutdown(self) {
        let open = self.open.into_inner();
        if !open.shared.drain().await {
            tracing::warn!(
                "stopping while events are still being worked on; they were not acknowledged"
            );
        }
        // Acknowledgements are written by another task once a callback has returned.
        pass(LAST_ACKS).await;
        open.sockets.shutdown().await;
    }
}

impl Open {
    async fn with(
        client: &Arc<SlackHyperClient>,
        app_token: &SecretString,
        shared: Shared,
    ) -> Result<Self, SetupError> {
        let shared = Arc::new(shared);
        let environment = SlackClientEventsListenerEnvironment::new(client.clone())
            .with_error_handler(on_error)
            .with_user_state(shared.sockets().clone());
        let config = SlackClientSocketModeConfig::new()
            .with_max_connections_count(SOCKETS)
            .with_initial_backoff_in_seconds(1)
            .with_reconnect_timeout_in_seconds(RECONNECT_S)
            .with_ping_interval_in_seconds(PING_S)
            .with_ping_failure_threshold_times(PINGS_LOST_MAX);
        let environment = Arc::new(environment);
        let sockets = SlackClientSocketModeListener::new(&config, environment, callbacks(&shared));
        sockets
            .listen_for(&client::token(app_token))
            .await
            .map_err(|_| SetupError::Listener("the app token was not taken".to_owned()))?;
        sockets.start().await;
        Ok(Self { sockets, shared })
    }

    /// Slack goes on sending to a socket until it is closed, and what is under way then is lost with
    /// its acknowledgement. So a moment is waited for in which nothing is.
    async fn close_when_quiet(self) {
        let quiet = async {
            loop {
                let before = self.shared.idle_after();
                pass(QUIET).await;
                if before.is_some() && self.shared.idle_after() == before {
                    return;
                }
            }
        };
        if tokio::time::timeout(ANSWER_MAX, quiet).await.is_err() {
            tracing::warn!(
                "sockets were closed while events came over them; who sees an error repeats it"
            );
        }
        self.sockets.shutdown().await;
    }
}

async fn pass(time: Duration) {
    let _ = tokio::time::timeout(time, std::future::pending::<()>()).await;
}
