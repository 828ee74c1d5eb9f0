//! In from Slack: what people do, handed to the inbox and acknowledged.
//!
//! slack-morphism acknowledges when a callback returns, reads nothing else on that connection
//! meanwhile, and loses the connection's reader to a panic. So each event is worked on in a task of its
//! own, the callback waits for it for [`ANSWER_MAX`] at most, and an error, a panic or a time-out
//! acknowledges nothing: the person sees Slack's own error, is told privately to try again, and can do
//! so without harm. No network call is made while a callback waits.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use slack_morphism::blocks::{SlackViewSubmissionErrorsResponse, SlackViewSubmissionResponse};
use slack_morphism::events::{
    SlackCommandEvent, SlackCommandEventResponse, SlackEventCallbackBody,
    SlackInteractionBlockActionsEvent, SlackInteractionEvent, SlackInteractionResponse,
    SlackInteractionViewSubmissionEvent, SlackPushEventCallback,
};
use slack_morphism::hyper_tokio::{SlackClientHyperHttpsConnector, SlackHyperClient};
use slack_morphism::listener::SlackClientEventsUserState;
use slack_morphism::{SlackMessageContent, SlackSocketModeListenerCallbacks};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tracing::Instrument as _;

use super::client::Api;
use super::form::{self, Submitted};
use super::me::Me;
use super::press::pressed;
use super::render;
use super::respond::{Opening, open, publish, reply, say, unanswered};
use super::sockets::Sockets;
use super::typed::as_typed;
use super::unacknowledged::{BoxError, NotAcknowledged};
use crate::chat::form::{Field, Form};
use crate::chat::parse::parse;
use crate::chat::port::Inbox;
use crate::clock::Stopwatch;
use crate::domain::answer::Answer;
use crate::domain::command::{Act, Inbound, Query, Via};
use crate::domain::ids::{AccountId, Place};
use crate::domain::refusal::Refusal;
use crate::traces;

/// How long a callback waits for the commit. Slack's limit is 3 s from the moment that the person
/// acted, network both ways included.
pub const ANSWER_MAX: Duration = Duration::from_secs(2);
/// Events that may be worked on at once; more are not acknowledged.
const IN_FLIGHT_MAX: u32 = 1_024;

type Client = SlackHyperClient;

/// What the callbacks of some sockets know.
pub(super) struct Shared {
    inbox: Arc<dyn Inbox>,
    api: Arc<Api>,
    me: Me,
    in_flight: Arc<Semaphore>,
    begun: AtomicU64,
    sockets: Arc<Sockets>,
}

impl Shared {
    pub(super) fn new(inbox: Arc<dyn Inbox>, api: Arc<Api>, me: Me, sockets_max: u32) -> Self {
        let sockets = Sockets::at_most(sockets_max, me.app_id.clone());
        Self {
            inbox,
            api,
            me,
            in_flight: Arc::new(Semaphore::new(IN_FLIGHT_MAX as usize)),
            begun: AtomicU64::new(0),
            sockets: Arc::new(sockets),
        }
    }

    /// The same for other sockets.
    pub(super) fn afresh(&self, sockets_max: u32) -> Self {
        Self::new(
            self.inbox.clone(),
            self.api.clone(),
            self.me.clone(),
            sockets_max,
        )
    }

    pub(super) fn sockets(&self) -> &Arc<Sockets> {
        &self.sockets
    }

    /// Lets nothing more begin, and waits for [`ANSWER_MAX`] at most until what is in flight is
    /// answered; whether it was.
    pub(super) async fn drain(&self) -> bool {
        let all = Arc::clone(&self.in_flight).acquire_many_owned(IN_FLIGHT_MAX);
        let drained = tokio::time::timeout(ANSWER_MAX, all).await;
        self.in_flight.close();
        drained.is_ok()
    }

    /// How many events have begun, if none of them is being worked on.
    pub(super) fn idle_after(&self) -> Option<u64> {
        let begun = self.begun.load(Ordering::Acquire);
        (self.in_flight.available_permits() == IN_FLIGHT_MAX as usize).then_some(begun)
    }
}

pub(super) fn callbacks(
    shared: &Arc<Shared>,
) -> SlackSocketModeListenerCallbacks<SlackClientHyperHttpsConnector> {
    let (for_commands, for_presses, for_events) = (shared.clone(), shared.clone(), shared.clone());
    let callbacks = SlackSocketModeListenerCallbacks {
        hello_callback: Box::new(|_, _: Arc<Client>, _: SlackClientEventsUserState| async {}),
        command_callback: Box::new(
            move |event: SlackCommandEvent, _: Arc<Client>, _: SlackClientEventsUserState| {
                let shared = for_commands.clone();
                async move {
                    let whereto = Some(event.response_url.clone());
                    let done = in_time(&shared, command(shared.clone(), event)).await;
                    unanswered(&shared.api, whereto, done)
                }
            },
        ),
        interaction_callback: Box::new(
            move |event: SlackInteractionEvent, _: Arc<Client>, _: SlackClientEventsUserState| {
                let shared = for_presses.clone();
                async move {
                    match event {
                        SlackInteractionEvent::BlockActions(event) => {
                            let whereto = event.response_url.clone();
                            let done = in_time(&shared, press(shared.clone(), event)).await;
                            unanswered(&shared.api, whereto, done)?;
                        }
                        SlackInteractionEvent::ViewSubmission(event) => {
                            return in_time(&shared, filled_in(shared.clone(), event)).await;
                        }
                        // We make no shortcuts: acknowledged, so that nobody sees an error for
                        // something that another version of the app made.
                        _ => tracing::warn!("an interaction of a kind that we don't make"),
                    }
                    Ok(SlackInteractionResponse::Empty)
                }
            },
        ),
        push_events_callback: Box::new(
            move |event: SlackPushEventCallback, _: Arc<Client>, _: SlackClientEventsUserState| {
                let shared = for_events.clone();
                async move { in_time(&shared, happened(shared.clone(), event)).await }
            },
        ),
    };
    callbacks.with_hello_events(|hello, _, state| async move {
        if let Some(sockets) = state.read().await.get_user_state::<Arc<Sockets>>() {
            sockets.greeted(&hello.connection_info.app_id.0);
        }
    })
}

/// Runs the work in a task of its own and waits for it, within [`ANSWER_MAX`]. Work that takes longer
/// goes on: what it commits stands, and a repetition is answered with it.
async fn in_time<T: Send + 'static>(
    shared: &Shared,
    work: impl Future<Output = Result<T, NotAcknowledged>> + Send + 'static,
) -> Result<T, BoxError> {
    let took = Stopwatch::start();
    shared.sockets.heard();
    let done = within(shared, work).await;
    shared.inbox.answered("slack", took.elapsed(), done.is_ok());
    done
}

async fn within<T: Send + 'static>(
    shared: &Shared,
    work: impl Future<Output = Result<T, NotAcknowledged>> + Send + 'static,
) -> Result<T, BoxError> {
    shared.begun.fetch_add(1, Ordering::AcqRel);
    let permit: OwnedSemaphorePermit = Arc::clone(&shared.in_flight)
        .try_acquire_owned()
        .map_err(|_| NotAcknowledged::Busy)?;
    let traced = async move {
        let _permit = permit;
        work.await
    };
    let span = traces::event("slack");
    let task = tokio::spawn(traced.instrument(span.clone()));
    match tokio::time::timeout(ANSWER_MAX, task).await {
        Ok(Ok(done)) => Ok(done?),
        Ok(Err(_)) => {
            traces::ended(&span, "panicked", false);
            Err(NotAcknowledged::Panicked.into())
        }
        Err(_) => Err(NotAcknowledged::TooSlow(ANSWER_MAX).into()),
    }
}

async fn command(
    shared: Arc<Shared>,
    event: SlackCommandEvent,
) -> Result<SlackCommandEventResponse, NotAcknowledged> {
    let team = event.team_id.0.as_str();
    let actor = AccountId::new(format!("slack:{team}/{}", event.user_id.0))?;
    let place = Place::new(format!("slack:{team}/{}", event.channel_id.0))?;
    if team != shared.me.team_id {
        tracing::warn!(actor = %actor, "a command from another workspace was refused");
        let refused = Answer::Refused(Refusal::ForeignCommunity);
        return Ok(reply(render::answer(&refused)));
    }
    let text = as_typed(event.text.as_deref().unwrap_or_default());
    let answer = match parse(&text) {
        Ok(act) => {
            let inbound = Inbound {
                once: format!("slack:trigger:{}", event.trigger_id.0),
                actor,
                place: place.clone(),
                via: Via::Typed,
                act: act.clone(),
            };
            let answer = handle(&shared, inbound).await?;
            if let Some(form) = Form::asked_for(&answer, &act) {
                let with = Opening {
                    trigger: event.trigger_id.0,
                    response_url: Some(event.response_url),
                };
                open(&shared.api, form::view(&form, &place), &act, with);
                // Nothing to read: the form opens.
                return Ok(SlackCommandEventResponse::new(SlackMessageContent::new()));
            }
            answer
        }
        Err(refusal) => {
            tracing::info!(actor = %actor, refusal = refusal.code(), "a command was refused as typed");
            let refused = Answer::Refused(refusal);
            traces::answered(None, &refused);
            refused
        }
    };
    Ok(reply(render::answer(&answer)))
}

/// A press is acknowledged when it is committed; what the person is told of it is posted by a job.
async fn press(
    shared: Arc<Shared>,
    event: SlackInteractionBlockActionsEvent,
) -> Result<(), NotAcknowledged> {
    match pressed(&event)? {
        Some(inbound) if event.team.id.0 == shared.me.team_id => {
            let (act, place) = (inbound.act.clone(), inbound.place.clone());
            let answer = handle(&shared, inbound).await?;
            if let Some(form) = Form::asked_for(&answer, &act) {
                let with = Opening {
                    trigger: event.trigger_id.0,
                    response_url: event.response_url,
                };
                open(&shared.api, form::view(&form, &place), &act, with);
            } else if let (Act::Query(_), Answer::Refused(refusal)) = (act, answer) {
                // Only what changes something is told by a job.
                say(&shared.api, event.response_url, refusal);
            }
        }
        Some(inbound) => {
            tracing::warn!(actor = %inbound.actor, "a press in another workspace was refused");
            say(&shared.api, event.response_url, Refusal::ForeignCommunity);
        }
        None => {
            let user = event.user.as_ref().map_or("?", |user| user.id.0.as_str());
            tracing::warn!(team = %event.team.id.0, user, "a press on a button that we did not make");
            say(&shared.api, event.response_url, Refusal::ForgedButton);
        }
    }
    Ok(())
}

/// An event: of those that the app listens for, the Home tab that somebody opened.
async fn happened(
    shared: Arc<Shared>,
    event: SlackPushEventCallback,
) -> Result<(), NotAcknowledged> {
    let user = match &event.event {
        SlackEventCallbackBody::AppHomeOpened(opened) if is_home(opened.tab.as_deref()) => {
            opened.user.0.clone()
        }
        // A Home tab that is drawn already comes with the event, in more detail than the model knows.
        SlackEventCallbackBody::Unknown(raw) if raw["type"] == "app_home_opened" => {
            if !is_home(raw["tab"].as_str()) {
                return Ok(());
            }
            raw["user"].as_str().unwrap_or_default().to_owned()
        }
        _ => return Ok(()),
    };
    let team = event.team_id.0.as_str();
    if team != shared.me.team_id {
        return Ok(());
    }
    let inbound = Inbound {
        once: format!("slack:event:{}", event.event_id.0),
        actor: AccountId::new(format!("slack:{team}/{user}"))?,
        place: Place::new(format!("slack:{team}/{user}"))?,
        via: Via::Typed,
        act: Act::Query(Query::Home),
    };
    if let Answer::Home(home) = handle(&shared, inbound).await? {
        publish(&shared.api, user, &home);
    }
    Ok(())
}

fn is_home(tab: Option<&str>) -> bool {
    tab.is_none_or(|tab| tab == "home")
}

/// What was filled in is taken, or the form stays open and says what is wrong.
async fn filled_in(
    shared: Arc<Shared>,
    event: SlackInteractionViewSubmissionEvent,
) -> Result<SlackInteractionResponse, NotAcknowledged> {
    let refused = |what: &[(Field, Refusal)]| {
        let errors = SlackViewSubmissionErrorsResponse::new(form::errors(what));
        Ok(SlackInteractionResponse::ViewSubmission(
            SlackViewSubmissionResponse::Errors(errors),
        ))
    };
    let (inbound, fields) = match form::submitted(&event)? {
        Submitted::Act(inbound, fields) => (*inbound, fields),
        Submitted::Errors(what) => return refused(&what),
        Submitted::NotOurs => {
            tracing::warn!("a form that we did not make was sent");
            return Ok(SlackInteractionResponse::Empty);
        }
    };
    if event.team.id.0 != shared.me.team_id {
        return refused(&form::beside(&Refusal::ForeignCommunity, fields));
    }
    match handle(&shared, inbound).await? {
        Answer::Refused(why) => refused(&form::beside(&why, fields)),
        _ => Ok(SlackInteractionResponse::Empty),
    }
}

async fn handle(shared: &Shared, inbound: Inbound) -> Result<Answer, NotAcknowledged> {
    let named = traces::acts(&inbound);
    match shared.inbox.handle(inbound).await {
        Ok(answer) => {
            traces::answered(named.as_ref(), &answer);
            Ok(answer)
        }
        Err(unanswered) => {
            traces::unanswered(named.as_ref());
            Err(NotAcknowledged::Unanswered(unanswered.to_string()))
        }
    }
}
