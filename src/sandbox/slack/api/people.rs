//! `users.*` and `usergroups.*`

use chrono::{DateTime, Offset as _};
use chrono_tz::Tz;
use serde_json::{Value, json};

use super::super::state::State;
use super::super::world::{User, UserGroup};
use super::{Args, Refusal};

pub(in super::super) fn user_json(state: &State, user: &User) -> Value {
    let zone: Tz = user.tz.parse().unwrap_or(Tz::UTC);
    let at = DateTime::from_timestamp(i64::try_from(state.started_s).unwrap_or_default(), 0)
        .unwrap_or_default();
    let offset_s = at.with_timezone(&zone).offset().fix().local_minus_utc();
    let mut profile = json!({
        "title": user.title, "phone": "", "skype": "",
        "real_name": user.real_name,
        "real_name_normalized": user.real_name,
        "display_name": user.name,
        "display_name_normalized": user.name,
        "status_text": "", "status_emoji": "", "status_expiration": 0,
        "avatar_hash": "g0",
        "team": state.team.id,
    });
    if state.manifest.has_scope("users:read.email")
        && let (Some(email), Some(object)) = (&user.email, profile.as_object_mut())
    {
        object.insert("email".to_owned(), json!(email));
    }
    let mut object = json!({
        "id": user.id,
        "team_id": state.team.id,
        "name": user.name,
        "deleted": user.deleted,
        "color": "9f69e7",
        "real_name": user.real_name,
        "tz": user.tz,
        "tz_label": user.tz,
        "tz_offset": offset_s,
        "profile": profile,
        "is_admin": false,
        "is_owner": false,
        "is_primary_owner": false,
        "is_restricted": user.is_restricted,
        "is_ultra_restricted": user.is_ultra_restricted,
        "is_bot": user.is_bot,
        "is_app_user": false,
        "updated": state.started_s,
        "is_email_confirmed": user.email.is_some(),
        "who_can_share_contact_card": "EVERYONE",
    });
    // Slack says it of strangers alone.
    if user.is_stranger {
        object["is_stranger"] = json!(true);
    }
    object
}

/// The app's bot user, which the world does not list among its people.
fn bot(state: &State) -> User {
    User {
        id: state.app.bot_user_id.clone(),
        name: state.app.name.clone(),
        real_name: state.app.name.clone(),
        title: String::new(),
        tz: "Etc/UTC".to_owned(),
        email: None,
        deleted: false,
        is_bot: true,
        is_restricted: false,
        is_ultra_restricted: false,
        is_stranger: false,
    }
}

pub(super) fn info(state: &State, args: &Args) -> Result<Value, Refusal> {
    let id = args.required("user", "user_not_found")?;
    if id == state.app.bot_user_id {
        return Ok(json!({ "user": user_json(state, &bot(state)) }));
    }
    let user = state
        .users
        .get(&id)
        .ok_or_else(|| Refusal::new("user_not_found"))?;
    Ok(json!({ "user": user_json(state, user) }))
}

/// `bots.info`: the app's own bot is the only one.
pub(super) fn bot_info(state: &State, args: &Args) -> Result<Value, Refusal> {
    let id = args.required("bot", "bot_not_found")?;
    let app = &state.app;
    if id != app.bot_id {
        return Err(Refusal::new("bot_not_found"));
    }
    Ok(json!({ "bot": {
        "id": app.bot_id,
        "deleted": false,
        "name": app.name,
        "updated": state.started_s,
        "app_id": app.id,
        "user_id": app.bot_user_id,
        "icons": { "image_36": "", "image_48": "", "image_72": "" },
    } }))
}

pub(super) fn list(state: &State, args: &Args) -> Result<Value, Refusal> {
    let all = state.users.values().map(|user| user_json(state, user));
    let bot = user_json(state, &bot(state));
    super::conversations::page(all.chain([bot]).collect(), args, "members")
}

pub(super) fn groups(state: &State, args: &Args) -> Value {
    let shown = state
        .groups
        .values()
        .filter(|group| args.flag("include_disabled") || !group.disabled);
    let groups: Vec<Value> = shown.map(|group| group_json(state, group, args)).collect();
    json!({ "usergroups": groups })
}

fn group_json(state: &State, group: &UserGroup, args: &Args) -> Value {
    let mut json = json!({
        "id": group.id,
        "team_id": state.team.id,
        "is_usergroup": true,
        "is_subteam": true,
        "name": group.name,
        "description": "",
        "handle": group.handle,
        "is_external": false,
        "date_create": state.started_s,
        "date_update": state.started_s,
        "date_delete": if group.disabled { state.started_s } else { 0 },
        "auto_type": null,
        "auto_provision": false,
        "enterprise_subteam_id": "",
        "created_by": group.users.first().unwrap_or(&state.app.bot_user_id),
        "updated_by": group.users.first().unwrap_or(&state.app.bot_user_id),
        "deleted_by": null,
        "prefs": { "channels": [], "groups": [] },
        "user_count": group.users.len(),
        "channel_count": 0,
    });
    if args.flag("include_users")
        && let Some(object) = json.as_object_mut()
    {
        object.insert("users".to_owned(), json!(group.users));
    }
    json
}

pub(super) fn group_users(state: &State, args: &Args) -> Result<Value, Refusal> {
    let id = args.required("usergroup", "no_such_subteam")?;
    match state.groups.get(&id) {
        Some(group) if !group.disabled || args.flag("include_disabled") => {
            Ok(json!({ "users": group.users }))
        }
        _ => Err(Refusal::new("no_such_subteam")),
    }
}
