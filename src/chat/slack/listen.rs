//! In from Slack over Socket Mode.
//!
//! slack-morphism acknowledges when a callback returns, reads nothing else on that connection
//! meanwhile, and loses the connection's reader to a panic. So each event is worked on in a task of its
//! own, the callback waits for it for [`ANSWER_MAX`] at most, and an error, a panic or a time-out
//! acknowledges nothing: the person sees Slack's own error and can try again without harm. No network
//! call is made while a callback waits.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use secrecy::SecretString;
use serde_json::Value;
use slack_morphism::api::SlackApiPostWebhookMessageRequest;
use slack_morphism::blocks::SlackBlock;
use slack_morphism::errors::SlackClientError;
use slack_morphism::events::{
    SlackCommandEvent, SlackCommandEventResponse, SlackInteractionBlockActionsEvent,
    SlackInteractionEvent, SlackInteractionResponse,
};
use slack_morphism::hyper_tokio::{SlackClientHyperHttpsConnector, SlackHyperClient};
use slack_morphism::listener::{
    HttpStatusCode, SlackClientEventsListenerEnvironment, SlackClientEventsUserState,
};
use slack_morphism::{
    SlackClientSocketModeConfig, SlackClientSocketModeListener, SlackMessageContent,
    SlackMessageResponseType, SlackResponseUrl, SlackSocketModeListenerCallbacks,
};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::client::{self, CALL_MAX, SetupError, SlackSettings};
use super::me::Me;
use super::press::pressed;
use super::render::{self, Drawn};
use super::typed::as_typed;
use crate::chat::parse::parse;
use crate::chat::port::Inbox;
use crate::domain::answer::Answer;
use crate::domain::command::Inbound;
use crate::domain::ids::{AccountId, InvalidName, Place};
use crate::domain::refusal::Refusal;

/// How long a callback waits for the commit. Slack's limit is 3 s from the moment that the person
/// acted, network both ways included.
pub const ANSWER_MAX: Duration = Duration::from_secs(2);
/// Events that may be worked on at once; more are not acknowledged.
const IN_FLIGHT_MAX: u32 = 1_024;
/// Sockets: with one there would be a gap whenever Slack refreshes it.
const SOCKETS: u32 = 2;
/// Seconds between attempts to connect; two sockets stay far below Slack's 50 a minute.
const RECONNECT_S: u64 = 5;
/// Seconds between pings.
const PING_S: u64 = 5;
/// Pings without an answer after which a socket counts as dead.
const PINGS_LOST_MAX: u64 = 3;
/// Time that the last acknowledgements have to leave when we stop.
const LAST_ACKS: Duration = Duration::from_millis(100);

type BoxError = Box<dyn std::error::Error + Send + Sync>;
type Client = SlackHyperClient;

/// Why nothing was acknowledged.
#[derive(Debug, thiserror::Error)]
enum NotAcknowledged {
    #[error("the commit took longer than {} s", ANSWER_MAX.as_secs())]
    TooSlow,
    #[error("the work panicked")]
    Panicked,
    #[error("{0}")]
    Unanswered(String),
    #[error("we are stopping, or too much is in flight")]
    Busy,
    #[error("an event that names nobody: {0}")]
    Nameless(#[from] InvalidName),
}

/// Listens until it is shut down.
pub struct Listener {
    sockets: SlackClientSocketModeListener<SlackClientHyperHttpsConnector>,
    shared: Arc<Shared>,
}

struct Shared {
    inbox: Arc<dyn Inbox>,
    me: Me,
    in_flight: Arc<Semaphore>,
}

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
    let shared = Arc::new(Shared {
        inbox,
        me,
        in_flight: Arc::new(Semaphore::new(IN_FLIGHT_MAX as usize)),
    });
    let environment =
        Arc::new(SlackClientEventsListenerEnvironment::new(client).with_error_handler(on_error));
    let config = SlackClientSocketModeConfig::new()
        .with_max_connections_count(SOCKETS)
        .with_initial_backoff_in_seconds(1)
        .with_reconnect_timeout_in_seconds(RECONNECT_S)
        .with_ping_interval_in_seconds(PING_S)
        .with_ping_failure_threshold_times(PINGS_LOST_MAX);
    let sockets = SlackClientSocketModeListener::new(&config, environment, callbacks(&shared));
    sockets
        .listen_for(&client::token(app_token))
        .await
        .map_err(|_| SetupError::Listener("the app token was not taken".to_owned()))?;
    sockets.start().await;
    Ok(Listener { sockets, shared })
}

impl Listener {
    /// Takes nothing new, lets what is in flight be answered, then closes the sockets.
    pub async fn shutdown(self) {
        let all = Arc::clone(&self.shared.in_flight).acquire_many_owned(IN_FLIGHT_MAX);
        let drained = tokio::time::timeout(ANSWER_MAX, all).await;
        self.shared.in_flight.close();
        if drained.is_err() {
            tracing::warn!(
                "stopping while events are still being worked on; they were not acknowledged"
            );
        }
        // Acknowledgements are written by another task once a callback has returned.
        let _ = tokio::time::timeout(LAST_ACKS, std::future::pending::<()>()).await;
        self.sockets.shutdown().await;
    }
}

fn callbacks(
    shared: &Arc<Shared>,
) -> SlackSocketModeListenerCallbacks<SlackClientHyperHttpsConnector> {
    let (for_commands, for_presses) = (shared.clone(), shared.clone());
    SlackSocketModeListenerCallbacks {
        hello_callback: Box::new(move |_, _: Arc<Client>, _: SlackClientEventsUserState| {
            tracing::info!("listening to Slack");
            async {}
        }),
        command_callback: Box::new(
            move |event: SlackCommandEvent, _: Arc<Client>, _: SlackClientEventsUserState| {
                let shared = for_commands.clone();
                async move {
                    let drawn = in_time(&shared, command(shared.clone(), event)).await?;
                    Ok(reply(drawn))
                }
            },
        ),
        interaction_callback: Box::new(
            move |event: SlackInteractionEvent,
                  client: Arc<Client>,
                  _: SlackClientEventsUserState| {
                let shared = for_presses.clone();
                async move {
                    match event {
                        SlackInteractionEvent::BlockActions(event) => {
                            in_time(&shared, press(shared.clone(), event, client)).await?;
                        }
                        // We make no forms or shortcuts: acknowledged, so that nobody sees an error
                        // for something that another version of the app made.
                        _ => tracing::warn!("an interaction of a kind that we don't make"),
                    }
                    Ok(SlackInteractionResponse::Empty)
                }
            },
        ),
        push_events_callback: Box::new(|_, _: Arc<Client>, _: SlackClientEventsUserState| async {
            Ok(())
        }),
    }
}

/// Runs the work in a task of its own and waits for it, within [`ANSWER_MAX`]. Work that takes longer
/// goes on: what it commits stands, and a repetition is answered with it.
async fn in_time<T: Send + 'static>(
    shared: &Shared,
    work: impl Future<Output = Result<T, NotAcknowledged>> + Send + 'static,
) -> Result<T, BoxError> {
    let permit: OwnedSemaphorePermit = Arc::clone(&shared.in_flight)
        .try_acquire_owned()
        .map_err(|_| NotAcknowledged::Busy)?;
    let task = tokio::spawn(async move {
        let _permit = permit;
        work.await
    });
    match tokio::time::timeout(ANSWER_MAX, task).await {
        Ok(Ok(done)) => Ok(done?),
        Ok(Err(_)) => Err(NotAcknowledged::Panicked.into()),
        Err(_) => Err(NotAcknowledged::TooSlow.into()),
    }
}

async fn command(shared: Arc<Shared>, event: SlackCommandEvent) -> Result<Drawn, NotAcknowledged> {
    let team = event.team_id.0.as_str();
    let actor = AccountId::new(format!("slack:{team}/{}", event.user_id.0))?;
    let place = Place::new(format!("slack:{team}/{}", event.channel_id.0))?;
    if team != shared.me.team_id {
        tracing::warn!(actor = %actor, "a command from another workspace was refused");
        return Ok(render::answer(&Answer::Refused(Refusal::ForeignCommunity)));
    }
    let text = as_typed(event.text.as_deref().unwrap_or_default());
    let answer = match parse(&text) {
        Ok(act) => {
            let inbound = Inbound {
                once: format!("slack:trigger:{}", event.trigger_id.0),
                actor,
                place,
                act,
            };
            handle(&shared, inbound).await?
        }
        Err(refusal) => {
            tracing::info!(actor = %actor, refusal = refusal.code(), "a command was refused as typed");
            Answer::Refused(refusal)
        }
    };
    Ok(render::answer(&answer))
}

/// A press is acknowledged when it is committed; what the person is told of it is posted by a job.
async fn press(
    shared: Arc<Shared>,
    event: SlackInteractionBlockActionsEvent,
    client: Arc<Client>,
) -> Result<(), NotAcknowledged> {
    match pressed(&event)? {
        Some(inbound) if event.team.id.0 == shared.me.team_id => {
            handle(&shared, inbound).await?;
        }
        Some(inbound) => {
            tracing::warn!(actor = %inbound.actor, "a press in another workspace was refused");
            say(client, event.response_url, Refusal::ForeignCommunity);
        }
        None => {
            let user = event.user.as_ref().map_or("?", |user| user.id.0.as_str());
            tracing::warn!(team = %event.team.id.0, user, "a press on a button that we did not make");
            say(client, event.response_url, Refusal::ForgedButton);
        }
    }
    Ok(())
}

async fn handle(shared: &Shared, inbound: Inbound) -> Result<Answer, NotAcknowledged> {
    shared
        .inbox
        .handle(inbound)
        .await
        .map_err(|unanswered| NotAcknowledged::Unanswered(unanswered.to_string()))
}

/// Tells the person of a press why nothing was done, as well as it can be: nothing hangs on it, so it
/// goes out beside the acknowledgement and is not repeated.
fn say(client: Arc<Client>, response_url: Option<SlackResponseUrl>, refusal: Refusal) {
    let Some(response_url) = response_url else {
        return;
    };
    let drawn = render::answer(&Answer::Refused(refusal));
    tokio::spawn(async move {
        let request =
            SlackApiPostWebhookMessageRequest::new(content(drawn)).with_replace_original(false);
        let call = client.respond_to_event(&response_url, &request);
        match tokio::time::timeout(CALL_MAX, call).await {
            Ok(Ok(_)) => {}
            Ok(Err(_)) | Err(_) => tracing::info!("a refused press could not be answered"),
        }
    });
}

fn reply(drawn: Drawn) -> SlackCommandEventResponse {
    SlackCommandEventResponse::new(content(drawn))
        .with_response_type(SlackMessageResponseType::Ephemeral)
}

/// Blocks as we drew them: typed by slack-morphism's models they would lose what those don't know.
fn content(drawn: Drawn) -> SlackMessageContent {
    SlackMessageContent::new()
        .with_text(drawn.text)
        .with_blocks(drawn.blocks.into_iter().map(unmodelled).collect())
}

const fn unmodelled(block: Value) -> SlackBlock {
    SlackBlock::Unknown(block)
}

/// Says what went wrong and that nothing may be acknowledged. What slack-morphism can't read it
/// acknowledges by itself, because it would not become readable.
fn on_error(error: BoxError, _: Arc<Client>, _: SlackClientEventsUserState) -> HttpStatusCode {
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
            Some(SlackClientError::SocketModeProtocolError(_)) => "a broken socket".to_owned(),
            Some(_) => "a failed call".to_owned(),
            None => "an error without a name".to_owned(),
        };
        tracing::error!(what, "trouble with Slack's socket; it goes on");
    }
    HttpStatusCode::BAD_REQUEST
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reply_is_private_and_keeps_its_blocks() {
        let drawn = render::answer(&Answer::Help(Vec::new()));
        let sent = serde_json::to_value(reply(drawn.clone())).unwrap();
        assert_eq!(sent["response_type"], "ephemeral");
        assert_eq!(sent["blocks"], Value::from(drawn.blocks));
        assert_eq!(sent["text"], drawn.text);
    }
}
