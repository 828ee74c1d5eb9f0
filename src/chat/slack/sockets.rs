//! How many of our sockets are open, as far as is heard of them.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::watch;

/// Counts sockets. A socket that Slack closes in good order goes unheard until the next one greets;
/// whoever must know it asks besides whether Slack would open one.
#[derive(Debug)]
pub struct Sockets {
    open: watch::Sender<u32>,
    most: u32,
    /// The app that the bot is of, where Slack says it.
    app: Option<String>,
    /// The other app whose sockets these are.
    other_app: Mutex<Option<String>>,
}

impl Sockets {
    /// None is open yet; there are so many at most.
    #[must_use]
    pub fn at_most(most: u32, app: Option<String>) -> Self {
        Self {
            open: watch::Sender::new(0),
            most,
            app,
            other_app: Mutex::default(),
        }
    }

    /// One greeted, as a socket of this app.
    pub(super) fn greeted(&self, app: &str) {
        match self.app.as_deref() {
            Some(ours) if ours != app => {
                *self.other() = Some(app.to_owned());
                tracing::error!(
                    "the app token is of Slack app {app}, and the bot token of {ours}: nothing that people do with the bot comes here. Make an app token (xapp-…) at the page of app {ours}, write it into slack.app_token, and reload"
                );
            }
            _ => tracing::info!("listening to Slack"),
        }
        self.change(|open| (open + 1).min(self.most));
    }

    /// The app whose sockets these are, where the bot is of another: nothing that people do with the
    /// bot comes over them.
    #[must_use]
    pub fn other_app(&self) -> Option<String> {
        self.other().clone()
    }

    fn other(&self) -> std::sync::MutexGuard<'_, Option<String>> {
        self.other_app
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// One broke.
    pub(super) fn broke(&self) {
        self.change(|open| open.saturating_sub(1));
    }

    /// Something came, so one at least is open.
    pub(super) fn heard(&self) {
        self.change(|open| open.max(1));
    }

    /// Whether any is open.
    #[must_use]
    pub fn any(&self) -> bool {
        *self.open.borrow() > 0
    }

    /// Waits until all are open, so long at most; whether any is.
    pub(super) async fn wait(&self, limit: Duration) -> bool {
        let mut seen = self.open.subscribe();
        let all = seen.wait_for(|open| *open >= self.most);
        let _ = tokio::time::timeout(limit, all).await;
        self.any()
    }

    fn change(&self, to: impl Fn(u32) -> u32) {
        self.open.send_modify(|open| *open = to(*open));
    }
}
