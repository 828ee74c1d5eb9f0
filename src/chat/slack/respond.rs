//! What somebody is answered at once: with the acknowledgement, or beside it where nothing hangs on it.

use std::sync::Arc;

use serde::Deserialize;
use serde_json::{Value, json};
use slack_morphism::blocks::SlackBlock;
use slack_morphism::events::SlackCommandEventResponse;
use slack_morphism::{SlackMessageContent, SlackMessageResponseType, SlackResponseUrl};
use tracing::Instrument as _;

use super::client::Api;
use super::failure::Failure;
use super::render::{self, Drawn};
use super::unacknowledged::{BoxError, NotAcknowledged};
use crate::chat::verb::Verb;
use crate::domain::answer::{Answer, Home};
use crate::domain::command::Act;
use crate::domain::refusal::Refusal;
use crate::traces;

/// What a form is opened with: each is good for a short while only.
pub(super) struct Opening {
    /// Good for 3 s and one form (reference/methods/views.open).
    pub(super) trigger: String,
    /// Where the person is told should it not open.
    pub(super) response_url: Option<SlackResponseUrl>,
}

/// Opens a form beside the acknowledgement: it changes nothing, and its trigger does not live long
/// enough for a job.
pub(super) fn open(api: &Arc<Api>, view: Value, act: &Act, with: Opening) {
    #[derive(Deserialize)]
    struct Opened {}
    let api = api.clone();
    let usage = match Verb::of(act) {
        Some(verb) => verb.usage(),
        // Only a button denies.
        None => Verb::ListWaiting.usage(),
    };
    let call = async move {
        let arguments = json!({"trigger_id": with.trigger, "view": view});
        let opened: Result<Opened, Failure> = api.call("views.open", &arguments).await;
        if let Err(failure) = opened {
            tracing::warn!(%failure, "a form could not be opened");
            let usage = usage.to_owned();
            say(&api, with.response_url, Refusal::NoForm { usage });
        }
    };
    tokio::spawn(call.instrument(traces::beside()));
}

/// Draws the Home tab that somebody has just opened. It changes nothing, and opening it again draws it
/// again.
pub(super) fn publish(api: &Arc<Api>, user: String, home: &Home) {
    #[derive(Deserialize)]
    struct Published {}
    let api = api.clone();
    let arguments = json!({"user_id": user, "view": render::home(home)});
    let call = async move {
        let published: Result<Published, Failure> = api.call("views.publish", &arguments).await;
        if let Err(failure) = published {
            tracing::warn!(%failure, "a Home tab could not be drawn");
        }
    };
    tokio::spawn(call.instrument(traces::beside()));
}

/// Tells the person of a press why nothing was done, as well as it can be: nothing hangs on it, so it
/// goes out beside the acknowledgement and is not repeated.
pub(super) fn say(api: &Arc<Api>, response_url: Option<SlackResponseUrl>, refusal: Refusal) {
    beside(api, response_url, render::answer(&Answer::Refused(refusal)));
}

/// Tells the person of what was not acknowledged whether to try it again. Slack's own error names no
/// reason; where it shows none, this is all that they see.
pub(super) fn unanswered<T>(
    api: &Arc<Api>,
    response_url: Option<SlackResponseUrl>,
    done: Result<T, BoxError>,
) -> Result<T, BoxError> {
    if let Err(error) = &done
        && let Some(why) = error.downcast_ref::<NotAcknowledged>()
        && let Some(nothing_was_kept) = why.nothing_was_kept()
    {
        beside(api, response_url, render::unanswered(nothing_was_kept));
    }
    done
}

fn beside(api: &Arc<Api>, response_url: Option<SlackResponseUrl>, drawn: Drawn) {
    let Some(response_url) = response_url else {
        return;
    };
    let api = api.clone();
    let call = async move {
        if !api.respond(&response_url, content(drawn)).await {
            tracing::info!("somebody could not be told why nothing was done");
        }
    };
    tokio::spawn(call.instrument(traces::beside()));
}

/// The private answer to a command, as its acknowledgement carries it.
pub(super) fn reply(drawn: Drawn) -> SlackCommandEventResponse {
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
