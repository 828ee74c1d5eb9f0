//! What Slack sends to an app: slash commands, interactions, events. Fields as in Slack's payload reference pages
//! and the published types of Bolt.

use serde_json::{Value, json};

use super::state::{Conversation, Kind, State};
use super::world::User;

/// The old verification token, which every payload still carries; nothing may rely on it.
const VERIFICATION_TOKEN: &str = "sandbox-verification-token";

fn team(state: &State) -> Value {
    json!({ "id": state.team.id, "domain": state.team.domain })
}

fn person(state: &State, user: &User) -> Value {
    json!({ "id": user.id, "username": user.name, "name": user.name, "team_id": state.team.id })
}

/// The name that payloads give a conversation.
fn channel_name(conversation: &Conversation) -> &str {
    match conversation.kind {
        Kind::Public => &conversation.name,
        Kind::Private => "privategroup",
        Kind::Direct => "directmessage",
        Kind::GroupDirect => &conversation.name,
    }
}

pub(super) struct Slash<'a> {
    pub(super) user: &'a User,
    pub(super) channel: &'a Conversation,
    pub(super) command: &'a str,
    pub(super) text: &'a str,
    pub(super) response_url: &'a str,
    pub(super) trigger_id: &'a str,
}

pub(super) fn slash_command(state: &State, slash: &Slash<'_>) -> Value {
    json!({
        "token": VERIFICATION_TOKEN,
        "team_id": state.team.id,
        "team_domain": state.team.domain,
        "channel_id": slash.channel.id,
        "channel_name": channel_name(slash.channel),
        "user_id": slash.user.id,
        "user_name": slash.user.name,
        "command": slash.command,
        "text": slash.text,
        "api_app_id": state.app.id,
        "is_enterprise_install": "false",
        "response_url": slash.response_url,
        "trigger_id": slash.trigger_id,
    })
}

/// A block action without its container.
fn block_actions(state: &State, user: &User, trigger_id: &str, action: Value) -> Value {
    json!({
        "type": "block_actions",
        "user": person(state, user),
        "api_app_id": state.app.id,
        "token": VERIFICATION_TOKEN,
        "trigger_id": trigger_id,
        "team": team(state),
        "enterprise": null,
        "is_enterprise_install": false,
        "actions": [action],
    })
}

pub(super) struct MessageAction<'a> {
    pub(super) user: &'a User,
    pub(super) channel_id: &'a str,
    /// Forged presses may name a channel that does not exist.
    pub(super) channel: Option<&'a Conversation>,
    pub(super) ts: &'a str,
    pub(super) action: Value,
    pub(super) values: Value,
    pub(super) trigger_id: &'a str,
    pub(super) response_url: &'a str,
}

pub(super) fn message_action(state: &State, press: &MessageAction<'_>) -> Value {
    let message = press
        .channel
        .and_then(|channel| channel.messages.get(press.ts));
    let ephemeral = message.is_some_and(|message| message.ephemeral_to.is_some());
    let mut payload = block_actions(state, press.user, press.trigger_id, press.action.clone());
    payload["container"] = json!({
        "type": "message",
        "message_ts": press.ts,
        "channel_id": press.channel_id,
        "is_ephemeral": ephemeral,
    });
    payload["channel"] =
        json!({ "id": press.channel_id, "name": press.channel.map_or("gone", channel_name) });
    payload["state"] = json!({ "values": press.values });
    payload["response_url"] = json!(press.response_url);
    // Slack leaves an ephemeral message out: it keeps no copy.
    if let (Some(message), Some(channel), false) = (message, press.channel, ephemeral) {
        payload["message"] = message.to_json(&state.author(), &channel.thread(&message.ts), true);
        if let Some(thread_ts) = &message.thread_ts {
            payload["container"]["thread_ts"] = json!(thread_ts);
        }
    }
    payload
}

pub(super) fn view_action(
    state: &State,
    user: &User,
    view: Value,
    action: Value,
    trigger_id: &str,
) -> Value {
    let mut payload = block_actions(state, user, trigger_id, action);
    payload["container"] = json!({ "type": "view", "view_id": view["id"] });
    payload["view"] = view;
    payload
}

pub(super) fn view_submission(state: &State, user: &User, view: Value, trigger_id: &str) -> Value {
    json!({
        "type": "view_submission",
        "team": team(state),
        "user": person(state, user),
        "api_app_id": state.app.id,
        "token": VERIFICATION_TOKEN,
        "trigger_id": trigger_id,
        "view": view,
        "response_urls": [],
        "is_enterprise_install": false,
        "enterprise": null,
    })
}

pub(super) fn view_closed(state: &State, user: &User, view: Value, is_cleared: bool) -> Value {
    json!({
        "type": "view_closed",
        "team": team(state),
        "user": person(state, user),
        "api_app_id": state.app.id,
        "token": VERIFICATION_TOKEN,
        "view": view,
        "is_cleared": is_cleared,
        "is_enterprise_install": false,
        "enterprise": null,
    })
}

/// The envelope of the Events API around one event.
pub(super) fn event(state: &mut State, event: Value, now_s: u64) -> Value {
    let event_id = format!("Ev{:010X}", state.next_seq());
    json!({
        "token": VERIFICATION_TOKEN,
        "team_id": state.team.id,
        "context_team_id": state.team.id,
        "context_enterprise_id": null,
        "api_app_id": state.app.id,
        "event": event,
        "type": "event_callback",
        "event_id": event_id,
        "event_time": now_s,
        "authorizations": [{
            "enterprise_id": null,
            "team_id": state.team.id,
            "user_id": state.app.bot_user_id,
            "is_bot": true,
            "is_enterprise_install": false,
        }],
        "is_ext_shared_channel": false,
        "event_context": format!("4-sandbox-{event_id}"),
    })
}

/// The letter that events use for a kind of conversation.
pub(super) fn channel_type(kind: Kind) -> &'static str {
    match kind {
        Kind::Public => "C",
        Kind::Private | Kind::GroupDirect => "G",
        Kind::Direct => "D",
    }
}
