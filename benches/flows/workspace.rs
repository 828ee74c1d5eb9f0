//! Who and what there is: so many people, resources and channels that nothing stays warm by chance.

use serde_json::{Value, json};

use super::target::Access;

/// People who ask, resources, and channels: so many of each.
pub const MANY: usize = 500;
/// People who approve and never ask.
pub const APPROVERS: usize = 10;
/// The workspace.
pub const TEAM: &str = "T0SHOP";
/// Whom security is.
pub const CHIEF: &str = "U0CHIEF";

/// A person who asks: user id and account on the target.
#[must_use]
pub fn person(n: usize) -> (String, String) {
    (format!("U0P{n:03}"), format!("p{n:03}"))
}

/// The user id of an approver.
#[must_use]
pub fn approver(n: usize) -> String {
    format!("U0A{n:03}")
}

/// A resource: its name and the channel where it is approved.
#[must_use]
pub fn resource(n: usize) -> (String, String) {
    (format!("r{n:03}"), format!("C0R{n:03}"))
}

/// Who asks for what in which flow. No two flows of a run have both in common.
#[derive(Debug, Clone)]
pub struct Part {
    /// User id of who asks.
    pub user: String,
    /// What they would get.
    pub access: Access,
    /// Where it is asked for and decided.
    pub channel: String,
    /// Who decides.
    pub approver: String,
}

/// The part for this flow of a run.
#[must_use]
pub fn part(flow: usize) -> Part {
    let (user, account) = person(flow % MANY);
    let (resource, channel) = resource((flow + flow / MANY) % MANY);
    Part {
        user,
        access: Access { account, resource },
        channel,
        approver: approver(flow % APPROVERS),
    }
}

/// The sandbox's world, with these tokens.
#[must_use]
pub fn world(bot_token: &str, app_token: &str) -> Value {
    let named = |id: &str| json!({ "id": id, "name": id.to_lowercase() });
    let everybody: Vec<String> = (0..MANY)
        .map(|n| person(n).0)
        .chain((0..APPROVERS).map(approver))
        .chain([CHIEF.to_owned()])
        .collect();
    let channels: Vec<Value> = (0..MANY)
        .map(resource)
        .map(|(name, id)| json!({ "id": id, "name": format!("for-{name}"), "members": everybody }))
        .chain([json!({ "id": "C0SECURITY", "name": "security", "members": [CHIEF] })])
        .collect();
    json!({
        "team": { "id": TEAM, "name": "Shop", "domain": "shop" },
        "app": { "bot_token": bot_token, "app_token": app_token },
        "users": everybody.iter().map(|id| named(id)).collect::<Vec<_>>(),
        "channels": channels,
        // Slack takes about one message a second in a channel. 500 channels are enough for the rates here,
        // and what is left is chance: neither bot is to be judged by it.
        "pace": { "burst": 1_000_000, "per_second": 1_000_000.0 },
    })
}
