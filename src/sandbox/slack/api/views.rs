//! `views.*`: modals on a person's stack, and Home tabs.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::super::check::{self, Surface, VIEW_BYTES_MAX, VIEW_STACK_MAX};
use super::super::state::{State, View};
use super::super::workspace::{Workspace, text_of};
use super::{Args, Refusal};

/// How long a trigger can open a view (page of `views.open`).
const TRIGGER_LIFE_MS: u64 = 3_000;

/// The view object of the Web API and of payloads.
pub(in super::super) fn view_json(state: &State, view: &View) -> Value {
    let stack = state
        .modals
        .get(&view.user)
        .map(Vec::as_slice)
        .unwrap_or_default();
    let position = stack.iter().position(|one| one.id == view.id);
    let root = position
        .and_then(|_| stack.first())
        .map_or(view.id.as_str(), |root| root.id.as_str());
    let previous = position
        .and_then(|position| position.checked_sub(1))
        .map(|before| stack[before].id.as_str());
    let mut object = Map::new();
    let mut put = |key: &str, value: Value| object.insert(key.to_owned(), value);
    put("id", json!(view.id));
    put("team_id", json!(state.team.id));
    put("app_id", json!(state.app.id));
    put("app_installed_team_id", json!(state.team.id));
    put("bot_id", json!(state.app.bot_id));
    put("hash", json!(view.hash));
    put("root_view_id", json!(root));
    put("previous_view_id", json!(previous));
    put("state", json!({ "values": view.state }));
    for key in ["type", "blocks"] {
        put(key, view.body[key].clone());
    }
    for key in ["private_metadata", "callback_id", "external_id"] {
        put(key, json!(text_of(&view.body, &format!("/{key}"))));
    }
    put(
        "clear_on_close",
        json!(
            view.body
                .get("clear_on_close")
                .and_then(Value::as_bool)
                .unwrap_or(false)
        ),
    );
    put(
        "notify_on_close",
        json!(
            view.body
                .get("notify_on_close")
                .and_then(Value::as_bool)
                .unwrap_or(false)
        ),
    );
    for key in ["submit", "close"] {
        put(key, view.body.get(key).cloned().unwrap_or(Value::Null));
    }
    if let Some(title) = view.body.get("title") {
        put("title", title.clone());
    }
    Value::Object(object)
}

/// A view that Slack would take, with its blocks completed.
pub(in super::super) fn checked_view(body: &Value, surface: Surface) -> Result<Value, Refusal> {
    if body.to_string().len() > VIEW_BYTES_MAX {
        return Err(Refusal::new("view_too_large"));
    }
    let problems = check::view(body, surface);
    if !problems.is_empty() {
        return Err(Refusal::schema("invalid_arguments", &problems));
    }
    let mut body = body.clone();
    let blocks = check::kept(
        body.get("blocks")
            .and_then(Value::as_array)
            .map(Vec::as_slice)
            .unwrap_or_default(),
    );
    body["blocks"] = Value::Array(blocks);
    Ok(body)
}

fn given_view(args: &Args, surface: Surface) -> Result<Value, Refusal> {
    let problem = |what: &str| {
        Refusal::schema(
            "invalid_arguments",
            &[format!("{what} [json-pointer:/view]")],
        )
    };
    match args.json("view") {
        Ok(Some(view)) => checked_view(&view, surface),
        Ok(None) => Err(problem("missing required field: view")),
        Err(_) => Err(problem("must provide an object")),
    }
}

pub(in super::super) fn new_view(
    workspace: &Workspace,
    state: &mut State,
    user: &str,
    body: Value,
) -> View {
    let id = format!("V{:010}", state.next_seq());
    View {
        id,
        user: user.to_owned(),
        hash: new_hash(workspace),
        body,
        errors: BTreeMap::new(),
        state: json!({}),
    }
}

fn new_hash(workspace: &Workspace) -> String {
    format!(
        "{}.{}",
        workspace.clock.now_s(),
        &super::super::world::random_hex()[..8]
    )
}

/// Uses a trigger up: three seconds, once.
fn use_trigger(workspace: &Workspace, state: &mut State, args: &Args) -> Result<String, Refusal> {
    let id = args.required("trigger_id", "invalid_trigger_id")?;
    let now_ms = workspace.clock.now_ms();
    let Some(trigger) = state.triggers.get_mut(&id) else {
        return Err(Refusal::new("invalid_trigger_id"));
    };
    if now_ms.saturating_sub(trigger.at_ms) > TRIGGER_LIFE_MS {
        return Err(Refusal::new("expired_trigger_id"));
    }
    if trigger.used {
        return Err(Refusal::new("exchanged_trigger_id"));
    }
    trigger.used = true;
    Ok(trigger.user.clone())
}

fn refuse_double_external_id(
    state: &State,
    body: &Value,
    except: Option<&str>,
) -> Result<(), Refusal> {
    let external = text_of(body, "/external_id");
    let mut all = state.modals.values().flatten().chain(state.homes.values());
    if !external.is_empty()
        && all.any(|view| {
            text_of(&view.body, "/external_id") == external && Some(view.id.as_str()) != except
        })
    {
        return Err(Refusal::new("duplicate_external_id"));
    }
    Ok(())
}

pub(super) fn open(
    workspace: &Workspace,
    state: &mut State,
    args: &Args,
) -> Result<Value, Refusal> {
    let body = given_view(args, Surface::Modal)?;
    refuse_double_external_id(state, &body, None)?;
    let user = use_trigger(workspace, state, args)?;
    let view = new_view(workspace, state, &user, body);
    // Not seen on real Slack: what becomes of a modal that was open already.
    state.modals.insert(user.clone(), vec![view]);
    workspace.tell();
    Ok(json!({ "view": top(state, &user) }))
}

fn top(state: &State, user: &str) -> Value {
    let view = state.modals.get(user).and_then(|stack| stack.last());
    view.map_or(Value::Null, |view| view_json(state, view))
}

pub(super) fn push(
    workspace: &Workspace,
    state: &mut State,
    args: &Args,
) -> Result<Value, Refusal> {
    let body = given_view(args, Surface::Modal)?;
    refuse_double_external_id(state, &body, None)?;
    let user = use_trigger(workspace, state, args)?;
    push_on(workspace, state, &user, body)?;
    Ok(json!({ "view": top(state, &user) }))
}

/// Puts a view on a person's stack; also the way of `response_action: push`.
pub(in super::super) fn push_on(
    workspace: &Workspace,
    state: &mut State,
    user: &str,
    body: Value,
) -> Result<(), Refusal> {
    let depth = state.modals.get(user).map_or(0, Vec::len);
    if depth == 0 {
        return Err(Refusal::new("not_found"));
    }
    if depth >= VIEW_STACK_MAX {
        return Err(Refusal::new("push_limit_reached"));
    }
    let view = new_view(workspace, state, user, body);
    state.modals.entry(user.to_owned()).or_default().push(view);
    workspace.tell();
    Ok(())
}

pub(super) fn update(
    workspace: &Workspace,
    state: &mut State,
    args: &Args,
) -> Result<Value, Refusal> {
    let (id, external) = (args.text("view_id"), args.text("external_id"));
    if id.is_none() && external.is_none() {
        let problem = "missing required field: view_id or external_id [json-pointer:/]";
        return Err(Refusal::schema("invalid_arguments", &[problem.to_owned()]));
    }
    let named = |view: &View| match (&id, &external) {
        (Some(id), _) => view.id == *id,
        (None, Some(external)) => text_of(&view.body, "/external_id") == external,
        (None, None) => false,
    };
    let Some(found) = state
        .modals
        .values()
        .flatten()
        .chain(state.homes.values())
        .find(|view| named(view))
    else {
        return Err(Refusal::new("not_found"));
    };
    let (id, user) = (found.id.clone(), found.user.clone());
    if args.text("hash").is_some_and(|hash| hash != found.hash) {
        return Err(Refusal::new("hash_conflict"));
    }
    let surface = if text_of(&found.body, "/type") == "home" {
        Surface::Home
    } else {
        Surface::Modal
    };
    let body = given_view(args, surface)?;
    refuse_double_external_id(state, &body, Some(&id))?;
    replace(workspace, state, &user, &id, body);
    let view = state
        .modals
        .values()
        .flatten()
        .chain(state.homes.values())
        .find(|view| view.id == id);
    Ok(json!({ "view": view.map_or(Value::Null, |view| view_json(state, view)) }))
}

/// Gives a view a new body. What the person entered stays where block_id and action_id stay.
pub(in super::super) fn replace(
    workspace: &Workspace,
    state: &mut State,
    user: &str,
    id: &str,
    body: Value,
) {
    let hash = new_hash(workspace);
    let stack = state.modals.get_mut(user).into_iter().flatten();
    if let Some(view) = stack
        .chain(state.homes.values_mut())
        .find(|view| view.id == id)
    {
        view.body = body;
        view.hash = hash;
        view.errors.clear();
    }
    workspace.tell();
}

pub(super) fn publish(
    workspace: &Workspace,
    state: &mut State,
    args: &Args,
) -> Result<Value, Refusal> {
    if !state.manifest.features.app_home.home_tab_enabled {
        return Err(Refusal::new("not_enabled"));
    }
    let user = args.required("user_id", "user_not_found")?;
    if state.users.get(&user).is_none_or(|user| user.deleted) {
        return Err(Refusal::new("user_not_found"));
    }
    let body = given_view(args, Surface::Home)?;
    let before = state
        .homes
        .get(&user)
        .map(|view| (view.id.clone(), view.hash.clone()));
    if let (Some(hash), Some((_, kept))) = (args.text("hash"), &before)
        && hash != *kept
    {
        return Err(Refusal::new("hash_conflict"));
    }
    refuse_double_external_id(state, &body, before.as_ref().map(|(id, _)| id.as_str()))?;
    match before {
        Some((id, _)) => replace(workspace, state, &user, &id, body),
        None => {
            let view = new_view(workspace, state, &user, body);
            state.homes.insert(user.clone(), view);
        }
    }
    workspace.tell();
    Ok(json!({ "view": state.homes.get(&user).map_or(Value::Null, |view| view_json(state, view)) }))
}
