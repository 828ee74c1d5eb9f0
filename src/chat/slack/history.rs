//! What was posted, as `conversations.history` tells it, and which of it is a card of ours.

use serde::Deserialize;
use serde_json::Value;

use super::me::Me;
use super::render::CARD_EVENT;
use crate::domain::ids::RequestId;

#[derive(Deserialize)]
pub(super) struct History {
    #[serde(default)]
    messages: Vec<Past>,
}

impl History {
    /// The newest message of ours that is this request's card. Slack answers newest first.
    pub(super) fn card_of(self, request: &RequestId, me: &Me) -> Option<String> {
        self.messages
            .into_iter()
            .find(|past| past.is_by(me) && past.is_card_of(request))
            .map(|past| past.ts)
    }
}

#[derive(Deserialize)]
struct Past {
    ts: String,
    bot_id: Option<String>,
    user: Option<String>,
    metadata: Option<Metadata>,
}

#[derive(Deserialize)]
struct Metadata {
    event_type: Option<String>,
    #[serde(default)]
    event_payload: Value,
}

impl Past {
    fn is_by(&self, me: &Me) -> bool {
        let by_bot = me.bot_id.is_some() && self.bot_id == me.bot_id;
        by_bot || self.user.as_deref() == Some(&me.bot_user_id)
    }

    fn is_card_of(&self, request: &RequestId) -> bool {
        self.metadata.as_ref().is_some_and(|metadata| {
            metadata.event_type.as_deref() == Some(CARD_EVENT)
                && metadata.event_payload["request"] == request.as_str()
        })
    }
}
