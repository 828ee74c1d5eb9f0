//! What administrators do to user groups.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::super::state::State;
use super::super::workspace::Shared;
use super::changes::user;
use super::{StageError, cannot, emit, event_ts};

fn group(state: &State, name: &str) -> Result<String, StageError> {
    let found = state
        .groups
        .values()
        .find(|one| one.id == name || one.handle == name.trim_start_matches('@'));
    match found {
        Some(group) => Ok(group.id.clone()),
        None => cannot(format!("there is no user group {name}")),
    }
}

pub(super) fn rename(
    workspace: &Shared,
    state: &mut State,
    name: &str,
    handle: &str,
) -> Result<(), StageError> {
    let id = group(state, name)?;
    let handle = handle.trim_start_matches('@').to_owned();
    if let Some(one) = state.groups.get_mut(&id) {
        one.handle.clone_from(&handle);
    }
    let ts = event_ts(workspace, state);
    let event = json!({
        "type": "subteam_updated",
        "subteam": { "id": id, "team_id": state.team.id, "handle": handle },
        "event_ts": ts,
    });
    emit(workspace, state, "subteam_updated", event);
    Ok(())
}

pub(super) fn disable(
    workspace: &Shared,
    state: &mut State,
    name: &str,
    disabled: bool,
) -> Result<(), StageError> {
    let id = group(state, name)?;
    if let Some(one) = state.groups.get_mut(&id) {
        one.disabled = disabled;
    }
    let ts = event_ts(workspace, state);
    let event = json!({
        "type": "subteam_updated",
        "subteam": { "id": id, "team_id": state.team.id, "date_delete": if disabled { workspace.clock.now_s() } else { 0 } },
        "event_ts": ts,
    });
    emit(workspace, state, "subteam_updated", event);
    Ok(())
}

pub(super) fn replace_members(
    workspace: &Shared,
    state: &mut State,
    name: &str,
    users: &[String],
) -> Result<(), StageError> {
    let id = group(state, name)?;
    let users = users
        .iter()
        .map(|name| user(state, name))
        .collect::<Result<BTreeSet<_>, _>>()?;
    let before = state
        .groups
        .get_mut(&id)
        .map(|one| std::mem::replace(&mut one.users, users.clone()))
        .unwrap_or_default();
    let added: Vec<&String> = users.difference(&before).collect();
    let removed: Vec<&String> = before.difference(&users).collect();
    let (ts, now_s) = (event_ts(workspace, state), workspace.clock.now_s());
    let event: Value = json!({
        "type": "subteam_members_changed",
        "subteam_id": id,
        "team_id": state.team.id,
        "date_previous_update": state.started_s,
        "date_update": now_s,
        "added_users": added,
        "added_users_count": added.len(),
        "removed_users": removed,
        "removed_users_count": removed.len(),
        "event_ts": ts,
    });
    emit(workspace, state, "subteam_members_changed", event);
    Ok(())
}
