//! Who and what exists in the sandbox's workspace at the start: written by a test, or read from a file.

use std::collections::BTreeSet;
use std::fmt;

use serde::{Deserialize, Serialize};

/// A workspace with one app installed. Small defaults: a test names only what it is about.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct World {
    /// The workspace.
    pub team: Team,
    /// The app and its bot user.
    #[serde(default)]
    pub app: App,
    /// People and other bots (the app's own bot user comes from `app`).
    #[serde(default)]
    pub users: Vec<User>,
    /// Public and private channels; direct messages come into being when needed.
    #[serde(default)]
    pub channels: Vec<Channel>,
    /// User groups.
    #[serde(default)]
    pub usergroups: Vec<UserGroup>,
    /// Pace of `chat.postMessage`.
    #[serde(default)]
    pub pace: Pace,
}

/// The workspace itself.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Team {
    /// `T…`
    pub id: String,
    /// Name.
    pub name: String,
    /// First part of `DOMAIN.slack.com`.
    pub domain: String,
}

/// The installed app. The tokens are made when the world is built, unless the caller gives some.
#[derive(Clone, Serialize, Deserialize)]
#[serde(default)]
pub struct App {
    /// `A…`
    pub id: String,
    /// Name of the bot user, if the manifest names none.
    pub name: String,
    /// `U…` of the bot user.
    pub bot_user_id: String,
    /// `B…`
    pub bot_id: String,
    /// `xoxb-…`, for the Web API.
    pub bot_token: String,
    /// `xapp-…`, for Socket Mode.
    pub app_token: String,
}

impl Default for App {
    fn default() -> Self {
        App {
            id: "A0SANDBOX".into(),
            name: "bot".into(),
            bot_user_id: "U0BOTUSER".into(),
            bot_id: "B0BOT".into(),
            bot_token: format!("xoxb-{}", random_hex()),
            app_token: format!("xapp-1-A0SANDBOX-{}", random_hex()),
        }
    }
}

impl fmt::Debug for App {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("App")
            .field("id", &self.id)
            .field("name", &self.name)
            .field("bot_user_id", &self.bot_user_id)
            .field("bot_id", &self.bot_id)
            .finish_non_exhaustive()
    }
}

/// A person, or another app's bot.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct User {
    /// `U…`
    pub id: String,
    /// Handle, without `@`.
    pub name: String,
    /// Full name.
    #[serde(default)]
    pub real_name: String,
    /// What they do, as their profile says.
    #[serde(default)]
    pub title: String,
    /// Of the IANA list.
    #[serde(default = "utc")]
    pub tz: String,
    /// Given only to apps with `users:read.email`.
    #[serde(default)]
    pub email: Option<String>,
    /// Deactivated.
    #[serde(default)]
    pub deleted: bool,
    /// A bot.
    #[serde(default)]
    pub is_bot: bool,
    /// A guest in several channels.
    #[serde(default)]
    pub is_restricted: bool,
    /// A guest in one channel.
    #[serde(default)]
    pub is_ultra_restricted: bool,
    /// From another workspace, met in a shared channel.
    #[serde(default)]
    pub is_stranger: bool,
}

fn utc() -> String {
    "Etc/UTC".into()
}

/// A channel.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Channel {
    /// `C…`
    pub id: String,
    /// Name, without `#`.
    pub name: String,
    /// Private channels exist only for their members.
    #[serde(default)]
    pub private: bool,
    /// Archived.
    #[serde(default)]
    pub archived: bool,
    /// User ids, without the app's bot.
    #[serde(default)]
    pub members: BTreeSet<String>,
    /// Whether the app's bot is a member.
    #[serde(default = "yes")]
    pub bot_in: bool,
}

fn yes() -> bool {
    true
}

/// A user group.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct UserGroup {
    /// `S…`
    pub id: String,
    /// Handle, without `@`.
    pub handle: String,
    /// Name.
    #[serde(default)]
    pub name: String,
    /// User ids.
    #[serde(default)]
    pub users: BTreeSet<String>,
    /// Switched off.
    #[serde(default)]
    pub disabled: bool,
}

/// How fast one channel takes messages (Slack: about one a second, short bursts).
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(default)]
pub struct Pace {
    /// Messages that one channel takes at once.
    pub burst: u32,
    /// Messages a second that one channel takes over time.
    pub per_second: f64,
}

impl Default for Pace {
    fn default() -> Self {
        Pace {
            burst: 6,
            per_second: 1.0,
        }
    }
}

/// A world that contradicts itself.
#[derive(Debug, thiserror::Error)]
#[error("the world contradicts itself: {}; nothing was started", .0.join("; "))]
pub struct WorldError(pub Vec<String>);

impl World {
    /// An empty workspace.
    pub fn new(team_id: &str) -> World {
        World {
            team: Team {
                id: team_id.into(),
                name: "Shop".into(),
                domain: "shop".into(),
            },
            app: App::default(),
            users: Vec::new(),
            channels: Vec::new(),
            usergroups: Vec::new(),
            pace: Pace::default(),
        }
    }

    /// Adds a person.
    pub fn user(mut self, id: &str, name: &str) -> World {
        self.users.push(User {
            id: id.into(),
            name: name.into(),
            real_name: capitalised(name),
            title: String::new(),
            tz: utc(),
            email: Some(format!("{name}@example.com")),
            deleted: false,
            is_bot: false,
            is_restricted: false,
            is_ultra_restricted: false,
            is_stranger: false,
        });
        self
    }

    /// Adds a person and lets the caller change them (`deleted`, `is_bot`, guest flags, zone).
    pub fn user_with(self, id: &str, name: &str, change: impl FnOnce(&mut User)) -> World {
        let mut world = self.user(id, name);
        if let Some(user) = world.users.last_mut() {
            change(user);
        }
        world
    }

    /// Adds a public channel with the bot in it.
    pub fn channel(mut self, id: &str, name: &str, members: &[&str]) -> World {
        self.channels.push(Channel {
            id: id.into(),
            name: name.into(),
            private: false,
            archived: false,
            members: members.iter().map(ToString::to_string).collect(),
            bot_in: true,
        });
        self
    }

    /// Adds a channel and lets the caller change it (`private`, `archived`, `bot_in`).
    pub fn channel_with(
        self,
        id: &str,
        name: &str,
        members: &[&str],
        change: impl FnOnce(&mut Channel),
    ) -> World {
        let mut world = self.channel(id, name, members);
        if let Some(channel) = world.channels.last_mut() {
            change(channel);
        }
        world
    }

    /// Adds a user group.
    pub fn user_group(mut self, id: &str, handle: &str, users: &[&str]) -> World {
        self.usergroups.push(UserGroup {
            id: id.into(),
            handle: handle.into(),
            name: capitalised(handle),
            users: users.iter().map(ToString::to_string).collect(),
            disabled: false,
        });
        self
    }

    /// Sets how fast one channel takes messages.
    pub fn pace(mut self, burst: u32, per_second: f64) -> World {
        self.pace = Pace { burst, per_second };
        self
    }

    /// Refuses ids used twice and members who do not exist.
    pub fn check(&self) -> Result<(), WorldError> {
        let mut problems = Vec::new();
        let mut seen = BTreeSet::new();
        let ids = std::iter::once(&self.app.bot_user_id)
            .chain(self.users.iter().map(|user| &user.id))
            .chain(self.channels.iter().map(|channel| &channel.id))
            .chain(self.usergroups.iter().map(|group| &group.id));
        for id in ids {
            if !seen.insert(id.as_str()) {
                problems.push(format!("the id {id} is used twice"));
            }
        }
        let people: BTreeSet<&str> = self.users.iter().map(|user| user.id.as_str()).collect();
        let places = (self
            .channels
            .iter()
            .map(|channel| (&channel.id, &channel.members)))
        .chain(
            self.usergroups
                .iter()
                .map(|group| (&group.id, &group.users)),
        );
        for (place, members) in places {
            for member in members {
                if !people.contains(member.as_str()) {
                    problems.push(format!(
                        "{place} has the member {member}, whom nobody knows"
                    ));
                }
            }
        }
        if self.pace.burst == 0 || self.pace.per_second <= 0.0 {
            problems.push("the pace must let something through".into());
        }
        if problems.is_empty() {
            Ok(())
        } else {
            Err(WorldError(problems))
        }
    }
}

fn capitalised(name: &str) -> String {
    let mut chars = name.chars();
    chars.next().map_or_else(String::new, |first| {
        first.to_uppercase().chain(chars).collect()
    })
}

/// 128 random bits.
pub(super) fn random_hex() -> String {
    hex::encode(rand::random::<[u8; 16]>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_world_survives_its_file_and_hides_its_tokens_from_logs() {
        let world = World::new("T0SHOP").user("U0ALICE", "alice").channel(
            "C0APPROVE",
            "approvals",
            &["U0ALICE"],
        );
        let text = serde_json::to_string(&world).expect("a world is plain data");
        let again: World = serde_json::from_str(&text).expect("and reads back");
        assert_eq!(again.app.bot_token, world.app.bot_token);
        assert!(!format!("{world:?}").contains("xoxb-"));
        assert!(again.check().is_ok());
    }

    #[test]
    fn a_world_with_strangers_is_refused() {
        let world = World::new("T0SHOP")
            .channel("C0", "a", &["U0NOBODY"])
            .channel("C0", "b", &[]);
        let WorldError(problems) = world.check().expect_err("contradictory");
        assert_eq!(problems.len(), 2, "{problems:?}");
    }
}
