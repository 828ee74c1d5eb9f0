//! What people type: slash commands and messages.

use axum::Json;
use axum::extract::State as AxumState;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::super::api::{Args, ContentRules, read_content};
use super::super::delivery::{Delivery, Outgoing, deliver};
use super::super::message::Content;
use super::super::payloads::{self, Slash};
use super::super::response_url;
use super::super::state::{Kind, State};
use super::super::wire::{CommandAnswer, Place, TypedCommand};
use super::super::workspace::{Post, Shared};
use super::super::world::User;
use super::{StageError, Staged, active, cannot, emit, writable_id};

pub(super) async fn command(
    AxumState(workspace): AxumState<Shared>,
    Json(typed): Json<TypedCommand>,
) -> Staged<CommandAnswer> {
    let (user, channel, trigger_id, response_url, payload) = {
        let mut state = workspace.lock();
        let state = &mut *state;
        let user = active(state, &typed.user)?;
        let channel = writable_id(state, &user, &typed.place)?;
        let line = typed.typed.trim();
        let (name, text) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
        if !name.starts_with('/') {
            return cannot(format!("{name:?} is no slash command"));
        }
        let known = state
            .manifest
            .command(name)
            .filter(|_| state.manifest.has_scope("commands"));
        let Some(should_escape) = known.map(|command| command.should_escape) else {
            return Ok(Json(CommandAnswer {
                visible_text: format!("{name} is not a valid command."),
                failed: Some("not_a_command".to_owned()),
                ..CommandAnswer::default()
            }));
        };
        let text = escaped(state, text.trim(), should_escape);
        let trigger_id = state.new_trigger(&user.id, workspace.clock.now_ms());
        let response_url =
            response_url::make(&workspace, state, "commands", &channel, &user.id, None);
        let Some(conversation) = state.conversations.get(&channel) else {
            return cannot(format!("there is no channel {channel}"));
        };
        let slash = Slash {
            user: &user,
            channel: conversation,
            command: name,
            text: &text,
            response_url: &response_url,
            trigger_id: &trigger_id,
        };
        let payload = payloads::slash_command(state, &slash);
        (user, channel, trigger_id, response_url, payload)
    };
    let outgoing = Outgoing {
        kind: "slash_commands",
        accepts_response_payload: true,
        payload,
        retry_attempt: None,
    };
    let delivery = deliver(&workspace, outgoing, false).await;
    let mut answer = CommandAnswer {
        delivered: !matches!(delivery, Delivery::NoSocket),
        trigger_id: Some(trigger_id),
        response_url: Some(response_url),
        ..CommandAnswer::default()
    };
    match delivery {
        Delivery::NoSocket => answer.failed = Some("dispatch_failed".to_owned()),
        Delivery::Unacked => answer.failed = Some("operation_timeout".to_owned()),
        Delivery::Acked { after_us, payload } => {
            answer.acked = true;
            answer.ack_ms = Some(after_us / 1000);
            answer.ack_us = Some(after_us);
            if let Some(payload) = payload {
                show(&workspace, &user, &channel, payload, &mut answer);
            }
        }
    }
    if let Some(failed) = &answer.failed {
        let name = typed.typed.split_whitespace().next().unwrap_or_default();
        answer.visible_text = format!("{name} failed with the error \"{failed}\"");
    }
    Ok(Json(answer))
}

/// Shows the payload of an acknowledgement; an empty one shows nothing.
fn show(
    workspace: &Shared,
    user: &User,
    channel: &str,
    payload: Value,
    answer: &mut CommandAnswer,
) {
    let Value::Object(object) = payload else {
        answer.failed = Some("invalid_command_response".to_owned());
        return;
    };
    let response_type = object
        .get("response_type")
        .and_then(Value::as_str)
        .unwrap_or("ephemeral")
        .to_owned();
    let args = Args::from_object(object);
    let content = match read_content(&args, ContentRules::Response) {
        Ok(given) => given.into_content(),
        Err(refusal) if refusal.error == "no_text" => return,
        Err(refusal) => {
            answer.failed = Some(refusal.error);
            return;
        }
    };
    let mut state = workspace.lock();
    answer.text = Some(content.text.clone()).filter(|text| !text.is_empty());
    answer.blocks = Some(content.blocks.clone()).filter(|blocks| !blocks.is_empty());
    let post = Post {
        method: "acknowledgement",
        content,
        ephemeral_to: (response_type != "in_channel").then(|| user.id.clone()),
        ..Post::default()
    };
    let ts = workspace.post(&mut state, channel, post);
    answer.visible_text = super::look::seen(&state, user, channel, &ts)
        .map_or_else(String::new, |seen| seen.visible_text);
    answer.ts = Some(ts);
    answer.response_type = Some(response_type);
}

/// Slack's escaping of typed text: the three characters always, people, channels and links if asked for.
pub(super) fn escaped(state: &State, text: &str, with_references: bool) -> String {
    let plain = text
        .replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;");
    if !with_references {
        return plain;
    }
    let mut out = String::with_capacity(plain.len());
    let mut rest = plain.as_str();
    let mut at_start = true;
    while let Some(first) = rest.chars().next() {
        let word_end = rest.find(char::is_whitespace).unwrap_or(rest.len());
        let reference = if at_start {
            reference(state, &rest[..word_end])
        } else {
            None
        };
        if let Some((taken, written)) = reference {
            out.push_str(&written);
            rest = &rest[taken..];
            at_start = false;
        } else {
            out.push(first);
            at_start = first.is_whitespace() || matches!(first, '(' | ',' | '"');
            rest = &rest[first.len_utf8()..];
        }
    }
    out
}

/// The length and Slack's form of a reference at the start of a word.
fn reference(state: &State, word: &str) -> Option<(usize, String)> {
    if word.starts_with("https://") || word.starts_with("http://") {
        return Some((word.len(), format!("<{word}>")));
    }
    let sign = word
        .chars()
        .next()
        .filter(|sign| matches!(sign, '@' | '#'))?;
    let name_len = word[1..]
        .find(|c: char| !(c.is_alphanumeric() || matches!(c, '.' | '-' | '_')))
        .unwrap_or(word.len() - 1);
    let mut name = &word[1..=name_len];
    while !name.is_empty() {
        let written = match (sign, name) {
            ('@', "here" | "channel" | "everyone") => Some(format!("<!{name}>")),
            ('@', _) => state
                .users
                .values()
                .find(|user| user.name == name)
                .map(|user| format!("<@{}|{name}>", user.id)),
            _ => state
                .conversations
                .values()
                .find(|one| one.kind == Kind::Public && one.name == name)
                .map(|one| format!("<#{}|{name}>", one.id)),
        };
        if let Some(written) = written {
            return Some((1 + name.len(), written));
        }
        // A full stop or dash after the name is not part of it.
        name = name.strip_suffix(['.', '-', '_']).unwrap_or("");
    }
    None
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Said {
    user: String,
    place: Place,
    text: String,
    #[serde(default)]
    thread_ts: Option<String>,
}

/// A person posts a message of their own. Answers its timestamp.
pub(super) async fn say(
    AxumState(workspace): AxumState<Shared>,
    Json(said): Json<Said>,
) -> Staged<String> {
    let mut state = workspace.lock();
    let state = &mut *state;
    let user = active(state, &said.user)?;
    let channel = writable_id(state, &user, &said.place)?;
    if said.place == Place::Direct
        && state
            .manifest
            .features
            .app_home
            .messages_tab_read_only_enabled
    {
        return cannot("the messages tab of the app is read-only");
    }
    let text = escaped(state, &said.text, true);
    let post = Post {
        method: "a person",
        content: Content {
            text: text.clone(),
            ..Content::default()
        },
        author: Some(user.id.clone()),
        thread_ts: said.thread_ts.clone(),
        ..Post::default()
    };
    let ts = workspace.post(state, &channel, post);
    message_events(
        &workspace,
        state,
        &user,
        &channel,
        &ts,
        &text,
        said.thread_ts.as_deref(),
    )?;
    Ok(Json(ts))
}

fn message_events(
    workspace: &Shared,
    state: &mut State,
    user: &User,
    channel: &str,
    ts: &str,
    text: &str,
    thread_ts: Option<&str>,
) -> Result<(), StageError> {
    let Some(conversation) = state.conversations.get(channel) else {
        return Ok(());
    };
    if !conversation.bot_in {
        return Ok(());
    }
    let (subscription, channel_type) = match conversation.kind {
        Kind::Public => ("message.channels", "channel"),
        Kind::Private => ("message.groups", "group"),
        Kind::Direct => ("message.im", "im"),
        Kind::GroupDirect => ("message.mpim", "mpim"),
    };
    let mut event = json!({
        "type": "message", "user": user.id, "text": text, "ts": ts, "event_ts": ts, "channel": channel,
        "channel_type": channel_type, "team": state.team.id,
    });
    if let Some(thread_ts) = thread_ts {
        event["thread_ts"] = json!(thread_ts);
    }
    let mention = text.contains(&format!("<@{}", state.app.bot_user_id));
    emit(workspace, state, subscription, event.clone());
    if mention {
        event["type"] = json!("app_mention");
        emit(workspace, state, "app_mention", event);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::super::manifest::Manifest;
    use super::super::super::world::World;
    use super::*;

    #[test]
    fn typed_text_is_escaped_as_slack_escapes_it() {
        let world = World::new("T0")
            .user("U0BOB", "bob")
            .channel("C0GENERAL", "general", &[]);
        let state = State::new(world, Manifest::default(), 0);
        let cases = [
            (
                "a < b && c > d",
                "a &lt; b &amp;&amp; c &gt; d",
                "a &lt; b &amp;&amp; c &gt; d",
            ),
            (
                "for @bob, please",
                "for @bob, please",
                "for <@U0BOB|bob>, please",
            ),
            ("@bob.", "@bob.", "<@U0BOB|bob>."),
            (
                "mail@bob #general",
                "mail@bob #general",
                "mail@bob <#C0GENERAL|general>",
            ),
            (
                "@nobody <!channel> @channel",
                "@nobody &lt;!channel&gt; @channel",
                "@nobody &lt;!channel&gt; <!channel>",
            ),
            (
                "see https://a.example/?a=1&b",
                "see https://a.example/?a=1&amp;b",
                "see <https://a.example/?a=1&amp;b>",
            ),
        ];
        for (typed, plain, referring) in cases {
            assert_eq!(escaped(&state, typed, false), plain, "{typed}");
            assert_eq!(escaped(&state, typed, true), referring, "{typed}");
        }
    }
}
