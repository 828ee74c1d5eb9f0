//! How many of our sockets are open, as far as is heard of them, and what is said of their trouble.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use slack_morphism::errors::SlackClientError;
use slack_morphism::hyper_tokio::SlackHyperClient;
use slack_morphism::listener::{HttpStatusCode, SlackClientEventsUserState};

use super::listen::{BoxError, NotAcknowledged};

/// Counts sockets. A socket that Slack closes in good order goes unheard until the next one greets;
/// whoever must know it asks besides whether Slack would open one.
#[derive(Debug)]
pub struct Sockets {
    open: AtomicU32,
    most: u32,
}

impl Sockets {
    /// None is open yet; there are so many at most.
    #[must_use]
    pub const fn at_most(most: u32) -> Self {
        Self {
            open: AtomicU32::new(0),
            most,
        }
    }

    /// One greeted.
    pub(super) fn opened(&self) {
        self.change(|open| (open + 1).min(self.most));
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
        self.open.load(Ordering::Acquire) > 0
    }

    fn change(&self, to: impl Fn(u32) -> u32) {
        let _ = self
            .open
            .fetch_update(Ordering::AcqRel, Ordering::Acquire, |open| Some(to(open)));
    }
}

/// Says what went wrong and that nothing may be acknowledged. What slack-morphism can't read it
/// acknowledges by itself, because it would not become readable.
pub(super) fn on_error(
    error: BoxError,
    _: Arc<SlackHyperClient>,
    state: SlackClientEventsUserState,
) -> HttpStatusCode {
    // Never the error's own text where it repeats what was received: that holds what people typed,
    // and addresses that are as good as a token.
    if let Some(ours) = error.downcast_ref::<NotAcknowledged>() {
        tracing::error!(reason = %ours, "an event from Slack was not acknowledged");
    } else {
        let what = match error.downcast_ref::<SlackClientError>() {
            Some(SlackClientError::ProtocolError(protocol)) => {
                format!(
                    "an event that can't be read ({:?})",
                    protocol.json_error.classify()
                )
            }
            Some(SlackClientError::SocketModeProtocolError(_)) => {
                if let Ok(state) = state.try_read()
                    && let Some(sockets) = state.get_user_state::<Arc<Sockets>>()
                {
                    sockets.broke();
                }
                "a broken socket".to_owned()
            }
            Some(_) => "a failed call".to_owned(),
            None => "an error without a name".to_owned(),
        };
        tracing::error!(what, "trouble with Slack's socket; it goes on");
    }
    HttpStatusCode::BAD_REQUEST
}
