//! `conversations.*` but for the messages, and `users.conversations`.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::super::state::{Conversation, Kind, State};
use super::scopes::check_kind;
use super::{Args, Refusal};

/// Group direct messages hold the bot and at most eight people.
const GROUP_DIRECT_MAX: usize = 8;
const PAGE_MAX: usize = 1000;

/// A conversation that the app can see: private ones only from inside.
pub(super) fn visible<'s>(state: &'s State, args: &Args) -> Result<&'s Conversation, Refusal> {
    let id = args.required("channel", "channel_not_found")?;
    match state.conversations.get(&id) {
        Some(one) if one.bot_in || one.kind == Kind::Public => Ok(one),
        _ => Err(Refusal::new("channel_not_found")),
    }
}

/// What all methods tell of a conversation; each adds what only it tells (by the published response types).
fn conversation_json(state: &State, one: &Conversation) -> Value {
    let updated_ms = one.created_s * 1000;
    if one.kind == Kind::Direct {
        return json!({
            "id": one.id,
            "created": one.created_s,
            "updated": updated_ms,
            "is_archived": one.archived,
            "is_im": true,
            "is_org_shared": false,
            "context_team_id": state.team.id,
            "user": one.members.first(),
        });
    }
    json!({
        "id": one.id,
        "name": one.name,
        "name_normalized": one.name,
        "is_channel": one.kind == Kind::Public,
        "is_group": one.kind == Kind::Private,
        "is_im": false,
        "is_mpim": one.kind == Kind::GroupDirect,
        "is_private": one.kind != Kind::Public,
        "created": one.created_s,
        "updated": updated_ms,
        "creator": one.members.first().unwrap_or(&state.app.bot_user_id),
        "is_archived": one.archived,
        "is_general": false,
        "unlinked": 0,
        "is_shared": false,
        "is_org_shared": false,
        "is_ext_shared": false,
        "is_pending_ext_shared": false,
        "pending_shared": [],
        "shared_team_ids": [state.team.id],
        "context_team_id": state.team.id,
        "parent_conversation": null,
        "is_member": one.bot_in,
        "topic": { "value": "", "creator": "", "last_set": 0 },
        "purpose": { "value": "", "creator": "", "last_set": 0 },
        "previous_names": [],
    })
}

pub(super) fn open(state: &mut State, args: &Args) -> Result<Value, Refusal> {
    if let Some(channel) = args.text("channel").filter(|channel| !channel.is_empty()) {
        let known = state.conversations.get(&channel);
        let Some(one) = known.filter(|one| matches!(one.kind, Kind::Direct | Kind::GroupDirect))
        else {
            return Err(Refusal::new("channel_not_found"));
        };
        check_kind(&state.manifest, one.kind, "write")?;
        return Ok(opened(state, &channel, true, args));
    }
    let users: BTreeSet<String> = args.words("users").into_iter().collect();
    let Some(first) = users.first().cloned() else {
        return Err(Refusal::new("users_list_not_supplied"));
    };
    for id in &users {
        match state.users.get(id) {
            _ if *id == state.app.bot_user_id => return Err(Refusal::new("cannot_dm_bot")),
            None => return Err(Refusal::new("user_not_found")),
            Some(user) if user.deleted => return Err(Refusal::new("user_disabled")),
            Some(user) if user.is_bot => return Err(Refusal::new("cannot_dm_bot")),
            Some(_) => {}
        }
    }
    if users.len() == 1 {
        check_kind(&state.manifest, Kind::Direct, "write")?;
        let before = state.conversations.len();
        let id = state.direct_id(&first);
        let already = state.conversations.len() == before;
        return Ok(opened(state, &id, already, args));
    }
    check_kind(&state.manifest, Kind::GroupDirect, "write")?;
    if users.len() > GROUP_DIRECT_MAX {
        return Err(Refusal::new("too_many_users"));
    }
    let same = |one: &&Conversation| one.kind == Kind::GroupDirect && one.members == users;
    if let Some(id) = state
        .conversations
        .values()
        .find(same)
        .map(|one| one.id.clone())
    {
        return Ok(opened(state, &id, true, args));
    }
    let id = format!("G{:010}", state.next_seq());
    let id = state.open_conversation(id, Kind::GroupDirect, users);
    Ok(opened(state, &id, false, args))
}

fn opened(state: &State, id: &str, already: bool, args: &Args) -> Value {
    let full = state
        .conversations
        .get(id)
        .filter(|_| args.flag("return_im"));
    let channel = full.map_or_else(
        || json!({ "id": id }),
        |one| {
            let mut channel = conversation_json(state, one);
            channel["is_open"] = json!(true);
            channel["priority"] = json!(0);
            channel
        },
    );
    let mut answer = json!({ "channel": channel });
    if already && let Some(object) = answer.as_object_mut() {
        object.insert("already_open".to_owned(), json!(true));
        object.insert("no_op".to_owned(), json!(true));
    }
    answer
}

pub(super) fn info(state: &State, args: &Args) -> Result<Value, Refusal> {
    let one = visible(state, args)?;
    check_kind(&state.manifest, one.kind, "read")?;
    let mut channel = conversation_json(state, one);
    if args.flag("include_num_members")
        && let Some(object) = channel.as_object_mut()
    {
        object.insert("num_members".to_owned(), json!(num_members(one)));
    }
    Ok(json!({ "channel": channel }))
}

fn num_members(one: &Conversation) -> usize {
    one.members.len() + usize::from(one.bot_in && one.kind != Kind::Direct)
}

/// A conversation as the listing methods tell it.
fn listed(state: &State, one: &Conversation) -> Value {
    let mut channel = conversation_json(state, one);
    if one.kind == Kind::Direct {
        let user = one.members.first().and_then(|id| state.users.get(id));
        channel["is_user_deleted"] = json!(user.is_some_and(|user| user.deleted));
        channel["priority"] = json!(0);
    }
    channel
}

/// The kinds in `types`, each of which needs its scope.
fn kinds(state: &State, args: &Args) -> Result<Vec<Kind>, Refusal> {
    let mut words = args.words("types");
    if words.is_empty() {
        words.push("public_channel".to_owned());
    }
    let mut kinds = Vec::new();
    for word in words {
        let kind = match word.as_str() {
            "public_channel" => Kind::Public,
            "private_channel" => Kind::Private,
            "im" => Kind::Direct,
            "mpim" => Kind::GroupDirect,
            _ => return Err(Refusal::new("invalid_types")),
        };
        check_kind(&state.manifest, kind, "read")?;
        kinds.push(kind);
    }
    Ok(kinds)
}

pub(super) fn list(state: &State, args: &Args) -> Result<Value, Refusal> {
    let kinds = kinds(state, args)?;
    let without_archived = args.flag("exclude_archived");
    let all = state.conversations.values().filter(|one| {
        kinds.contains(&one.kind)
            && (one.bot_in || one.kind == Kind::Public)
            && !(without_archived && one.archived)
    });
    page(
        all.map(|one| {
            let mut channel = listed(state, one);
            if one.kind != Kind::Direct {
                channel["num_members"] = json!(num_members(one));
            }
            channel
        })
        .collect(),
        args,
        "channels",
    )
}

pub(super) fn of_user(state: &State, args: &Args) -> Result<Value, Refusal> {
    let kinds = kinds(state, args)?;
    let user = args.text("user").filter(|id| *id != state.app.bot_user_id);
    if user
        .as_ref()
        .is_some_and(|id| !state.users.contains_key(id))
    {
        return Err(Refusal::new("user_not_found"));
    }
    let without_archived = args.flag("exclude_archived");
    let all = state.conversations.values().filter(|one| {
        let theirs = user
            .as_ref()
            .map_or(one.bot_in, |id| one.members.contains(id));
        let shown = one.bot_in || one.kind == Kind::Public;
        kinds.contains(&one.kind) && theirs && shown && !(without_archived && one.archived)
    });
    page(
        all.map(|one| {
            let mut channel = listed(state, one);
            if let Some(object) = channel.as_object_mut() {
                object.remove("is_member");
            }
            channel
        })
        .collect(),
        args,
        "channels",
    )
}

pub(super) fn members(state: &State, args: &Args) -> Result<Value, Refusal> {
    let one = visible(state, args)?;
    check_kind(&state.manifest, one.kind, "read")?;
    let bot = one.bot_in.then(|| json!(state.app.bot_user_id));
    page(
        one.members.iter().map(|id| json!(id)).chain(bot).collect(),
        args,
        "members",
    )
}

/// One page of a list, with a cursor to the next.
pub(super) fn page(items: Vec<Value>, args: &Args, key: &str) -> Result<Value, Refusal> {
    let start = match args.text("cursor").filter(|cursor| !cursor.is_empty()) {
        None => 0,
        Some(cursor) => from_cursor(&cursor).ok_or_else(|| Refusal::new("invalid_cursor"))?,
    };
    let limit = match args.number("limit") {
        _ if !args.has("limit") => 100,
        Some(0) => 100,
        Some(limit) if limit <= PAGE_MAX => limit,
        _ => return Err(Refusal::new("invalid_limit")),
    };
    let end = (start + limit).min(items.len());
    let next = if end < items.len() {
        to_cursor(end)
    } else {
        String::new()
    };
    let slice = items.get(start.min(end)..end).unwrap_or_default();
    Ok(json!({ key: slice, "response_metadata": { "next_cursor": next } }))
}

pub(super) fn to_cursor(position: usize) -> String {
    hex::encode(format!("next:{position}"))
}

pub(super) fn from_cursor(cursor: &str) -> Option<usize> {
    let text = String::from_utf8(hex::decode(cursor).ok()?).ok()?;
    text.strip_prefix("next:")?.parse().ok()
}
