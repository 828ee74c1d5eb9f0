//! The app's manifest, as far as it decides what the app may do and what reaches it.
//!
//! Source of the limits: Slack's app manifest reference.

use std::collections::BTreeSet;

use serde::Deserialize;

const NAME_CHARS_MAX: usize = 35;
const DESCRIPTION_CHARS_MAX: usize = 140;
const LONG_DESCRIPTION_CHARS: std::ops::RangeInclusive<usize> = 174..=4000;
const COMMANDS_MAX: usize = 50;
const COMMAND_CHARS_MAX: usize = 32;
const COMMAND_DESCRIPTION_CHARS_MAX: usize = 2000;
const USAGE_HINT_CHARS_MAX: usize = 1000;
const BOT_SCOPES_MAX: usize = 255;
const BOT_EVENTS_MAX: usize = 100;
const DISPLAY_NAME_CHARS_MAX: usize = 80;

/// What of an app manifest the sandbox judges by; other keys are kept out of it.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct Manifest {
    /// Name and descriptions.
    #[serde(default)]
    pub display_information: DisplayInformation,
    /// Commands, bot user, app home.
    #[serde(default)]
    pub features: Features,
    /// Scopes.
    #[serde(default)]
    pub oauth_config: OauthConfig,
    /// Interactivity, events, Socket Mode.
    #[serde(default)]
    pub settings: Settings,
}

/// `display_information`.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct DisplayInformation {
    /// The app's name.
    #[serde(default)]
    pub name: String,
    /// One line about the app.
    pub description: Option<String>,
    /// The long text about the app.
    pub long_description: Option<String>,
}

/// `features`.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct Features {
    /// Home and messages tab.
    #[serde(default)]
    pub app_home: AppHome,
    /// The bot user.
    pub bot_user: Option<BotUser>,
    /// Slash commands; a command that is not listed never reaches the app.
    #[serde(default)]
    pub slash_commands: Vec<SlashCommand>,
}

/// `features.app_home`.
#[derive(Debug, Clone, Deserialize)]
#[serde(default)]
pub struct AppHome {
    /// Whether there is a Home tab.
    pub home_tab_enabled: bool,
    /// Whether people and the app can exchange direct messages.
    pub messages_tab_enabled: bool,
    /// Whether people can only read there.
    pub messages_tab_read_only_enabled: bool,
}

impl Default for AppHome {
    fn default() -> Self {
        AppHome {
            home_tab_enabled: false,
            messages_tab_enabled: true,
            messages_tab_read_only_enabled: false,
        }
    }
}

/// `features.bot_user`.
#[derive(Debug, Clone, Deserialize)]
pub struct BotUser {
    /// Name that people see.
    pub display_name: String,
}

/// One of `features.slash_commands`.
#[derive(Debug, Clone, Deserialize)]
pub struct SlashCommand {
    /// With the leading slash.
    pub command: String,
    /// Shown while typing.
    #[serde(default)]
    pub description: String,
    /// Shown while typing.
    pub usage_hint: Option<String>,
    /// Whether users, channels and links are sent in Slack's escaped form.
    #[serde(default)]
    pub should_escape: bool,
}

/// `oauth_config`.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct OauthConfig {
    /// Scopes by token.
    #[serde(default)]
    pub scopes: Scopes,
}

/// `oauth_config.scopes`.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct Scopes {
    /// Scopes of the bot token.
    #[serde(default)]
    pub bot: BTreeSet<String>,
}

/// `settings`.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct Settings {
    /// Whether Socket Mode is on.
    #[serde(default)]
    pub socket_mode_enabled: bool,
    /// Whether presses and submissions reach the app.
    #[serde(default)]
    pub interactivity: Interactivity,
    /// Which events reach the app.
    #[serde(default)]
    pub event_subscriptions: EventSubscriptions,
}

/// `settings.interactivity`.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct Interactivity {
    /// The switch.
    #[serde(default)]
    pub is_enabled: bool,
}

/// `settings.event_subscriptions`.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct EventSubscriptions {
    /// Event types as in the manifest (`app_home_opened`, `message.im`).
    #[serde(default)]
    pub bot_events: BTreeSet<String>,
}

/// A manifest that Slack would not take.
#[derive(Debug, thiserror::Error)]
pub enum ManifestError {
    /// Not YAML, or a key has the wrong type.
    #[error("the manifest cannot be read: {0}; nothing was started: correct the file")]
    Unreadable(String),
    /// Read, but over a limit or inconsistent.
    #[error("Slack would refuse the manifest: {}; nothing was started: correct the file", .0.join("; "))]
    Refused(Vec<String>),
}

impl Manifest {
    /// Reads YAML (JSON is YAML) and refuses what Slack's manifest page refuses.
    pub fn from_yaml(text: &str) -> Result<Manifest, ManifestError> {
        let manifest: Manifest = serde_saphyr::from_str(text)
            .map_err(|error| ManifestError::Unreadable(error.to_string()))?;
        let problems = manifest.problems();
        if problems.is_empty() {
            Ok(manifest)
        } else {
            Err(ManifestError::Refused(problems))
        }
    }

    /// Everything in the manifest that is over a limit or inconsistent.
    pub fn problems(&self) -> Vec<String> {
        let mut problems = Vec::new();
        let mut long = |what: &str, text: &str, max: usize| {
            let count = text.chars().count();
            if count > max {
                problems.push(format!("{what} has {count} characters, {max} are allowed"));
            }
        };
        let info = &self.display_information;
        long("display_information.name", &info.name, NAME_CHARS_MAX);
        if let Some(text) = &info.description {
            long(
                "display_information.description",
                text,
                DESCRIPTION_CHARS_MAX,
            );
        }
        if let Some(bot) = &self.features.bot_user {
            long(
                "features.bot_user.display_name",
                &bot.display_name,
                DISPLAY_NAME_CHARS_MAX,
            );
        }
        for command in &self.features.slash_commands {
            let name = &command.command;
            long(&format!("the command {name}"), name, COMMAND_CHARS_MAX);
            long(
                &format!("the description of {name}"),
                &command.description,
                COMMAND_DESCRIPTION_CHARS_MAX,
            );
            if let Some(hint) = &command.usage_hint {
                long(
                    &format!("the usage_hint of {name}"),
                    hint,
                    USAGE_HINT_CHARS_MAX,
                );
            }
        }
        if info.name.is_empty() {
            problems.push("display_information.name is missing".into());
        }
        if let Some(text) = &info.long_description
            && !LONG_DESCRIPTION_CHARS.contains(&text.chars().count())
        {
            problems.push(
                "display_information.long_description must have 174 to 4000 characters".into(),
            );
        }
        self.command_problems(&mut problems);
        self.event_problems(&mut problems);
        if self.oauth_config.scopes.bot.len() > BOT_SCOPES_MAX {
            problems.push(format!("more than {BOT_SCOPES_MAX} bot scopes"));
        }
        problems
    }

    fn command_problems(&self, problems: &mut Vec<String>) {
        let commands = &self.features.slash_commands;
        if commands.len() > COMMANDS_MAX {
            problems.push(format!(
                "{} slash commands, {COMMANDS_MAX} are allowed",
                commands.len()
            ));
        }
        if !commands.is_empty() && !self.has_scope("commands") {
            problems.push("slash commands need the bot scope commands".into());
        }
        for command in commands {
            if !command.command.starts_with('/') || command.command.contains(char::is_whitespace) {
                problems.push(format!(
                    "the command {:?} must begin with a slash and hold no spaces",
                    command.command
                ));
            }
            if command.description.is_empty() {
                problems.push(format!(
                    "the command {} has no description",
                    command.command
                ));
            }
        }
    }

    fn event_problems(&self, problems: &mut Vec<String>) {
        let events = &self.settings.event_subscriptions.bot_events;
        if events.len() > BOT_EVENTS_MAX {
            problems.push(format!(
                "{} bot events, {BOT_EVENTS_MAX} are allowed",
                events.len()
            ));
        }
        for event in events {
            let Some(scopes) = event_scopes(event) else {
                continue;
            };
            if !scopes.iter().any(|scope| self.has_scope(scope)) {
                problems.push(format!(
                    "the event {event} needs one of the scopes {}",
                    scopes.join(", ")
                ));
            }
        }
    }

    /// Whether the bot token holds this scope.
    pub fn has_scope(&self, scope: &str) -> bool {
        self.oauth_config.scopes.bot.contains(scope)
    }

    /// Whether events of this subscription reach the app.
    pub fn subscribes(&self, event: &str) -> bool {
        self.settings.event_subscriptions.bot_events.contains(event)
    }

    /// The command as the manifest lists it.
    pub fn command(&self, name: &str) -> Option<&SlashCommand> {
        self.features
            .slash_commands
            .iter()
            .find(|command| command.command == name)
    }
}

/// Scopes of which one is needed to receive an event (each event's reference page); `None`: none is.
fn event_scopes(event: &str) -> Option<&'static [&'static str]> {
    Some(match event {
        "app_mention" => &["app_mentions:read"],
        "message.channels" => &["channels:history"],
        "message.groups" => &["groups:history"],
        "message.im" => &["im:history"],
        "message.mpim" => &["mpim:history"],
        "member_joined_channel" | "member_left_channel" => &["channels:read", "groups:read"],
        "channel_archive" | "channel_unarchive" | "channel_rename" | "channel_created"
        | "channel_deleted" | "channel_left" => &["channels:read"],
        "group_archive" | "group_unarchive" | "group_rename" | "group_left" => &["groups:read"],
        "user_change" | "team_join" => &["users:read"],
        "subteam_updated" | "subteam_members_changed" | "subteam_created" => &["usergroups:read"],
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_problem_is_told_at_once() {
        let text = "display_information: { name: '123456789012345678901234567890123456' }\n\
                    features: { slash_commands: [ { command: 'jit', description: '' } ] }\n\
                    settings: { event_subscriptions: { bot_events: [ member_joined_channel ] } }\n";
        let Err(ManifestError::Refused(problems)) = Manifest::from_yaml(text) else {
            panic!("such a manifest must be refused");
        };
        assert_eq!(problems.len(), 5, "{problems:?}");
    }

    #[test]
    fn the_messages_tab_is_on_unless_it_is_switched_off() {
        let text = "display_information: { name: bot }\nfeatures: { app_home: { home_tab_enabled: true } }\n";
        let manifest = Manifest::from_yaml(text).expect("a good manifest");
        assert!(
            manifest.features.app_home.messages_tab_enabled
                && manifest.features.app_home.home_tab_enabled
        );
    }

    #[test]
    fn nonsense_is_unreadable() {
        assert!(matches!(
            Manifest::from_yaml("features: [1"),
            Err(ManifestError::Unreadable(_))
        ));
        assert!(matches!(
            Manifest::from_yaml("oauth_config: 3"),
            Err(ManifestError::Unreadable(_))
        ));
    }
}
