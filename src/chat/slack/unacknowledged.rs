//! Why nothing was acknowledged to Slack, and what is said of it and of trouble with a socket.

use std::sync::Arc;
use std::time::Duration;

use slack_morphism::errors::SlackClientError;
use slack_morphism::hyper_tokio::SlackHyperClient;
use slack_morphism::listener::{HttpStatusCode, SlackClientEventsUserState};

use super::sockets::Sockets;
use crate::domain::ids::InvalidName;

pub(super) type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// Why nothing was acknowledged.
#[derive(Debug, thiserror::Error)]
pub(super) enum NotAcknowledged {
    #[error("the commit took longer than {} s", .0.as_secs())]
    TooSlow(Duration),
    #[error("the work panicked")]
    Panicked,
    #[error("{0}")]
    Unanswered(String),
    #[error("we are stopping, or too much is in flight")]
    Busy,
    #[error("an event that names nobody: {0}")]
    Nameless(#[from] InvalidName),
}

impl NotAcknowledged {
    /// Whether it is known that nothing was kept; none where trying again would not help.
    pub(super) const fn nothing_was_kept(&self) -> Option<bool> {
        match self {
            Self::Unanswered(_) | Self::Busy => Some(true),
            Self::TooSlow(_) | Self::Panicked => Some(false),
            Self::Nameless(_) => None,
        }
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
