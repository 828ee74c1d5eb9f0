//! Which token and which scope a method needs (each method's reference page).

use super::super::manifest::Manifest;
use super::super::state::Kind;
use super::Refusal;

/// Scope that a bot token needs for a method.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Need {
    /// Any valid bot token.
    Nothing,
    /// This scope.
    Scope(&'static str),
    /// `channels:X`, `groups:X`, `im:X` or `mpim:X`, by the kind of the conversation.
    ByKind(&'static str),
    /// An app-level token with `connections:write`.
    AppToken,
}

/// What a method needs; `None`: Slack does not know it, or the sandbox does not.
pub(super) fn need(method: &str) -> Option<Need> {
    Some(match method {
        "apps.connections.open" => Need::AppToken,
        "auth.test" | "chat.getPermalink" | "views.open" | "views.push" | "views.update"
        | "views.publish" => Need::Nothing,
        "chat.postMessage" | "chat.update" | "chat.delete" | "chat.postEphemeral" => {
            Need::Scope("chat:write")
        }
        "conversations.open" => Need::ByKind("write"),
        "conversations.info"
        | "conversations.list"
        | "conversations.members"
        | "users.conversations" => Need::ByKind("read"),
        "conversations.history" | "conversations.replies" => Need::ByKind("history"),
        "bots.info" | "users.info" | "users.list" => Need::Scope("users:read"),
        "usergroups.list" | "usergroups.users.list" => Need::Scope("usergroups:read"),
        _ => return None,
    })
}

/// Refuses a bot token without the scope.
pub(super) fn check(manifest: &Manifest, need: Need) -> Result<(), Refusal> {
    match need {
        Need::Nothing | Need::AppToken => Ok(()),
        Need::Scope(scope) if manifest.has_scope(scope) => Ok(()),
        Need::Scope(scope) => Err(missing(manifest, scope)),
        Need::ByKind(verb) => {
            let all: Vec<String> = ["channels", "groups", "mpim", "im"]
                .iter()
                .map(|kind| format!("{kind}:{verb}"))
                .collect();
            if all.iter().any(|scope| manifest.has_scope(scope)) {
                Ok(())
            } else {
                Err(missing(manifest, &all.join(",")))
            }
        }
    }
}

/// Refuses a bot token without the scope for this kind of conversation.
pub(super) fn check_kind(manifest: &Manifest, kind: Kind, verb: &str) -> Result<(), Refusal> {
    let area = match kind {
        Kind::Public => "channels",
        Kind::Private => "groups",
        Kind::Direct => "im",
        Kind::GroupDirect => "mpim",
    };
    let scope = format!("{area}:{verb}");
    if manifest.has_scope(&scope) {
        Ok(())
    } else {
        Err(missing(manifest, &scope))
    }
}

fn missing(manifest: &Manifest, needed: &str) -> Refusal {
    let provided: Vec<&str> = manifest
        .oauth_config
        .scopes
        .bot
        .iter()
        .map(String::as_str)
        .collect();
    Refusal::new("missing_scope")
        .with("needed", needed)
        .with("provided", provided.join(","))
}
