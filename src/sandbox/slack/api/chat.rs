//! `chat.*`

use serde_json::{Value, json};

use super::super::state::{Kind, State};
use super::super::workspace::{Post, Workspace, record_mentions};
use super::content::{ContentRules, Given, read_content};
use super::{Args, Refusal};

/// Where the app may post: `C…`, `D…`, a channel's name, or a user id for the direct messages with them.
fn target(state: &mut State, args: &Args) -> Result<String, Refusal> {
    let given = args.required("channel", "channel_not_found")?;
    let person = state
        .users
        .get(&given)
        .map(|user| (user.id.clone(), user.deleted, user.is_bot));
    if let Some((id, deleted, is_bot)) = person {
        // Not seen on real Slack: what posting to a deactivated person's id answers.
        return if deleted || is_bot {
            Err(Refusal::new("channel_not_found"))
        } else {
            Ok(state.direct_id(&id))
        };
    }
    state
        .channel_id(&given)
        .ok_or_else(|| Refusal::new("channel_not_found"))
}

fn may_post(state: &State, channel: &str) -> Result<(), Refusal> {
    let Some(conversation) = state.conversations.get(channel) else {
        return Err(Refusal::new("channel_not_found"));
    };
    let member = conversation.bot_in;
    match conversation.kind {
        Kind::Private if !member => return Err(Refusal::new("channel_not_found")),
        Kind::Public if !member && !state.manifest.has_scope("chat:write.public") => {
            return Err(Refusal::new("not_in_channel"));
        }
        Kind::Direct if !state.manifest.features.app_home.messages_tab_enabled => {
            return Err(Refusal::new("messages_tab_disabled"));
        }
        _ => {}
    }
    if conversation.archived {
        return Err(Refusal::new("is_archived"));
    }
    Ok(())
}

/// The first message of the thread that `thread_ts` names.
fn thread(state: &State, channel: &str, args: &Args) -> Result<Option<String>, Refusal> {
    let Some(ts) = args.text("thread_ts").filter(|ts| !ts.is_empty()) else {
        return Ok(None);
    };
    let parent = state
        .conversations
        .get(channel)
        .and_then(|conversation| conversation.messages.get(&ts));
    match parent {
        Some(parent) if parent.ephemeral_to.is_none() => {
            Ok(Some(parent.thread_ts.clone().unwrap_or(ts)))
        }
        _ => Err(Refusal::new("thread_not_found")),
    }
}

fn links_names(args: &Args) -> bool {
    args.flag("link_names") || args.text("parse").as_deref() == Some("full")
}

pub(super) fn post_message(
    workspace: &Workspace,
    state: &mut State,
    args: &Args,
) -> Result<Value, Refusal> {
    let channel = target(state, args)?;
    may_post(state, &channel)?;
    let thread_ts = thread(state, &channel, args)?;
    let given = read_content(args, ContentRules::Post)?;
    let (pace, now_ms) = (state.pace, workspace.clock.now_ms());
    if let Some(conversation) = state.conversations.get_mut(&channel) {
        conversation
            .bucket
            .take(pace, now_ms)
            .map_err(Refusal::rate_limited)?;
    }
    let truncated = given.truncated;
    let post = Post {
        method: "chat.postMessage",
        content: given.into_content(),
        reply_broadcast: thread_ts.is_some() && args.flag("reply_broadcast"),
        thread_ts,
        link_names: links_names(args),
        ..Post::default()
    };
    let ts = workspace.post(state, &channel, post);
    let mut answer =
        json!({ "channel": channel, "ts": ts, "message": message_json(state, &channel, &ts) });
    if truncated && let Some(object) = answer.as_object_mut() {
        let message = "[WARN] Your message was truncated but still posted. The `text` field accepts up to 40,000 characters.";
        object.insert("warning".to_owned(), json!("message_truncated"));
        object.insert(
            "response_metadata".to_owned(),
            json!({ "messages": [message], "warnings": ["message_truncated"] }),
        );
    }
    Ok(answer)
}

fn message_json(state: &State, channel: &str, ts: &str) -> Value {
    let message = state
        .conversations
        .get(channel)
        .and_then(|conversation| conversation.messages.get(ts));
    message.map_or(Value::Null, |message| {
        message.to_json(&state.author(), &[], true)
    })
}

pub(super) fn post_ephemeral(
    workspace: &Workspace,
    state: &mut State,
    args: &Args,
) -> Result<Value, Refusal> {
    let channel = target(state, args)?;
    let user = args.required("user", "user_not_found")?;
    if !state.users.contains_key(&user) {
        return Err(Refusal::new("user_not_found"));
    }
    may_post(state, &channel)?;
    let inside = |state: &State| {
        let deleted = state.users.get(&user).is_none_or(|user| user.deleted);
        !deleted
            && state
                .conversations
                .get(&channel)
                .is_some_and(|one| one.members.contains(&user))
    };
    if !inside(state) {
        return Err(Refusal::new("user_not_in_channel"));
    }
    let thread_ts = thread(state, &channel, args)?;
    let given = read_content(args, ContentRules::Post)?;
    let post = Post {
        method: "chat.postEphemeral",
        content: given.into_content(),
        thread_ts,
        ephemeral_to: Some(user),
        link_names: links_names(args),
        ..Post::default()
    };
    let ts = workspace.post(state, &channel, post);
    Ok(json!({ "message_ts": ts }))
}

/// The app's own message that a call names, by channel id.
fn own_message(state: &State, args: &Args, foreign: &str) -> Result<(String, String), Refusal> {
    let channel = args.required("channel", "channel_not_found")?;
    let ts = args.required("ts", "message_not_found")?;
    let Some(conversation) = state.conversations.get(&channel) else {
        return Err(Refusal::new("channel_not_found"));
    };
    if !conversation.bot_in {
        let error = if conversation.kind == Kind::Private {
            "channel_not_found"
        } else {
            "not_in_channel"
        };
        return Err(Refusal::new(error));
    }
    match conversation.messages.get(&ts) {
        // Ephemeral messages cannot be reached by these methods.
        None => Err(Refusal::new("message_not_found")),
        Some(message) if message.ephemeral_to.is_some() => Err(Refusal::new("message_not_found")),
        Some(message) if !message.by_app => Err(Refusal::new(foreign)),
        Some(_) => Ok((channel, ts)),
    }
}

pub(super) fn update(
    workspace: &Workspace,
    state: &mut State,
    args: &Args,
) -> Result<Value, Refusal> {
    let (channel, ts) = own_message(state, args, "cant_update_message")?;
    if state
        .conversations
        .get(&channel)
        .is_some_and(|conversation| conversation.archived)
    {
        return Err(Refusal::new("is_inactive"));
    }
    let given = read_content(args, ContentRules::Update)?;
    let edit_ts = workspace.new_ts(state);
    let mut content = None;
    if let Some(message) = state
        .conversations
        .get_mut(&channel)
        .and_then(|one| one.messages.get_mut(&ts))
    {
        apply_update(message, given, edit_ts);
        content = Some(message.content.clone());
    }
    if let Some(content) = content {
        record_mentions(
            state,
            &channel,
            &ts,
            "chat.update",
            &content,
            links_names(args),
            false,
        );
    }
    if let Some(conversation) = state.conversations.get(&channel) {
        conversation.tell();
    }
    let mut message = message_json(state, &channel, &ts);
    if let Some(object) = message.as_object_mut() {
        // It stands beside the message, not in it.
        object.remove("ts");
    }
    Ok(json!({ "channel": channel, "ts": ts, "text": message["text"], "message": message }))
}

/// Text without blocks takes the blocks away; what is not given at all stays (page of `chat.update`).
pub(super) fn apply_update(
    message: &mut super::super::message::Message,
    given: Given,
    edit_ts: String,
) {
    let content = &mut message.content;
    let by_text_alone = given.text.is_some() && given.blocks.as_ref().is_none_or(Vec::is_empty);
    if let Some(text) = given.text {
        content.text = text;
    }
    match given.blocks {
        Some(blocks) => content.blocks = blocks,
        None if by_text_alone => content.blocks.clear(),
        None => {}
    }
    if let Some(attachments) = given.attachments {
        content.attachments = attachments;
    }
    if let Some(metadata) = given.metadata {
        content.metadata = metadata
            .as_object()
            .is_some_and(|object| !object.is_empty())
            .then_some(metadata);
    }
    message.updates += 1;
    if by_text_alone {
        message.edited_ts = Some(edit_ts);
    }
}

pub(super) fn delete(state: &mut State, args: &Args) -> Result<Value, Refusal> {
    let (channel, ts) = own_message(state, args, "cant_delete_message")?;
    if let Some(conversation) = state.conversations.get_mut(&channel) {
        conversation.messages.remove(&ts);
        conversation.tell();
    }
    Ok(json!({ "channel": channel, "ts": ts }))
}

pub(super) fn get_permalink(state: &State, args: &Args) -> Result<Value, Refusal> {
    let channel = args.required("channel", "channel_not_found")?;
    let ts = args.required("message_ts", "message_not_found")?;
    let Some(conversation) = state.conversations.get(&channel) else {
        return Err(Refusal::new("channel_not_found"));
    };
    if conversation.kind == Kind::Private && !conversation.bot_in {
        return Err(Refusal::new("channel_not_found"));
    }
    let Some(message) = conversation
        .messages
        .get(&ts)
        .filter(|message| message.ephemeral_to.is_none())
    else {
        return Err(Refusal::new("message_not_found"));
    };
    let mut permalink = format!(
        "https://{}.slack.com/archives/{channel}/p{}",
        state.team.domain,
        ts.replace('.', "")
    );
    if let Some(thread_ts) = &message.thread_ts {
        permalink.push_str(&format!("?thread_ts={thread_ts}&cid={channel}"));
    }
    Ok(json!({ "channel": channel, "permalink": permalink }))
}
