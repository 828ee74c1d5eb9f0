//! A world for stories: the sandbox's Slack, the bot over its real adapter, store and issuer, a clock
//! that the story moves, and a worker that it steps.

#![allow(dead_code, reason = "each test program uses its own part of the world")]

mod changing;
pub mod collector;
mod forms;
pub mod issuer_box;
pub mod office;
pub mod scene;
mod seen;
pub mod slow_box;
pub mod watching;

use std::path::PathBuf;
use std::sync::Arc;

use chrono::TimeDelta;
use jitbot::app::App;
use jitbot::clock::{ManualClock, machine_now};
use jitbot::config::{self, Config, Problems};
use jitbot::domain::duration;
use jitbot::sandbox::people::People;
use jitbot::sandbox::slack::{Manifest, Running, Server, World as Workspace};
use jitbot::sandbox::ssh::keys;
use tempfile::TempDir;

pub const APPROVALS: &str = "C0APPROVALS";
pub const SECURITY: &str = "C0SECURITY";
pub const ELSEWHERE: &str = "C0ELSEWHERE";

/// Who is who. Erin is in no group.
pub const PEOPLE: [(&str, &str); 6] = [
    ("alice", "U0ALICE"),
    ("bob", "U0BOB"),
    ("dana", "U0DANA"),
    ("carol", "U0CAROL"),
    ("olga", "U0OLGA"),
    ("erin", "U0ERIN"),
];

pub fn id_of(name: &str) -> &'static str {
    PEOPLE
        .iter()
        .find(|(n, _)| *n == name)
        .map(|(_, id)| *id)
        .unwrap_or_else(|| panic!("nobody is called {name}"))
}

/// Today at noon in Berlin, so that no story meets the digest of nine o'clock by the time of day at
/// which it is run.
fn noon() -> jitbot::clock::Timestamp {
    use chrono::TimeZone as _;
    let today = machine_now().with_timezone(&chrono_tz::Europe::Berlin);
    let noon = today.date_naive().and_hms_opt(12, 0, 0).unwrap();
    chrono_tz::Europe::Berlin
        .from_local_datetime(&noon)
        .unwrap()
        .to_utc()
}

/// The sandbox, its folder and the bot's settings: what outlives a restart of the bot.
pub struct Site {
    pub folder: TempDir,
    pub sandbox: Running,
    pub people: People,
    pub clock: Arc<ManualClock>,
    pub tokens: (String, String),
    pub config: String,
}

/// A running world.
pub struct World {
    pub here: Site,
    pub app: App,
}

/// How a world differs from the usual one.
#[derive(Default)]
pub struct Setup {
    /// Added to the end of the config.
    pub more_config: String,
    /// Instead of the line `krl = { path = … }`.
    pub krl: Option<String>,
    /// Scopes that the app does not have.
    pub without_scope: Option<&'static str>,
    /// Whether the channels are private.
    pub private_channels: bool,
    /// Whether engineering, sre and oncall are Slack's user groups.
    pub usergroups: bool,
    /// So many people more, whose ids are U0P0, U0P1 and so on.
    pub more_people: usize,
    /// Whether people may give their keys in chat.
    pub keys_in_chat: bool,
}

pub fn workspace() -> Workspace {
    let everybody: Vec<&str> = PEOPLE.iter().map(|(_, id)| *id).collect();
    let mut workspace = Workspace::new("T0SHOP").pace(1000, 1000.0);
    for (name, id) in PEOPLE {
        workspace = workspace.user(id, name);
    }
    workspace
        .user_group("S0ENG", "engineering", &["U0ALICE", "U0BOB", "U0OLGA"])
        .user_group("S0SRE", "sre-team", &["U0BOB", "U0DANA"])
        .user_group("S0ONCALL", "oncall", &["U0OLGA"])
        .user_group("S0NEW", "newcomers", &["U0ERIN"])
        .channel(APPROVALS, "approvals", &everybody)
        .channel(SECURITY, "security", &["U0CAROL"])
        .channel(ELSEWHERE, "elsewhere", &everybody)
}

pub fn config_text(folder: &std::path::Path, api_url: &str, setup: &Setup) -> String {
    let path = |name: &str| folder.join(name).display().to_string();
    let krl = match &setup.krl {
        None => format!("krl = {{ path = \"{}\" }}", path("target/jitbot.krl")),
        Some(line) => line.clone(),
    };
    let group = |people: &[&str], usergroup: &str| {
        if setup.usergroups {
            return format!("slack_usergroup = \"{usergroup}\"");
        }
        let names: Vec<String> = people.iter().map(|n| format!("\"person:{n}\"")).collect();
        format!("members = [{}]", names.join(", "))
    };
    let key = |name: &str| {
        let file = folder.join(format!("id_{name}"));
        keys::load_or_make(&file, name).unwrap().public_line
    };
    format!(
        r##"
[slack]
bot_token = {{ env = "SLACK_BOT_TOKEN" }}
app_token = {{ env = "SLACK_APP_TOKEN" }}
api_url = "{api_url}"

[store]
url = "sqlite://{db}"

[security]
people = ["group:security"]
channels = ["slack:#security"]
digest = {{ cron = "0 9 * * *", time_zone = "Europe/Berlin" }}

[group.engineering]
{engineering}
[group.sre]
{sre}
[group.oncall]
{oncall}
[group.security]
members = ["person:carol"]

[person.alice]
accounts = ["slack:T0SHOP/U0ALICE"]
ssh_keys = ["{alice}"]
time_zone = "Europe/Berlin"
[person.bob]
accounts = ["slack:T0SHOP/U0BOB"]
ssh_keys = ["{bob}"]
[person.olga]
accounts = ["slack:T0SHOP/U0OLGA"]
ssh_keys = ["{olga}"]
[person.dana]
accounts = ["slack:T0SHOP/U0DANA"]
[person.carol]
accounts = ["slack:T0SHOP/U0CAROL"]

[issuer.staging-ca]
kind = "ssh-ca"
ca_key = {{ file = "{ca}" }}
keys_in_chat = {keys_in_chat}
{krl}

[resource.staging-ssh]
title = "Shell on the staging hosts"
project = "shop-staging"
action = "shell"
risk = "low"
issuer = "staging-ca"
grant = {{ principals = ["deploy"] }}
duration = {{ default = "1h", max = "8h" }}
request = ["group:engineering"]
approve = [{{ from = ["group:sre"], count = 1 }}]
auto_approve = [{{ from = ["group:oncall"], max = "1h" }}]
channels = ["slack:#approvals"]
pending_for = "1h"
remind = ["10m"]

[resource.prod-ssh]
title = "Shell on the production hosts"
project = "shop-prod"
action = "shell"
risk = "high"
issuer = "staging-ca"
grant = {{ principals = ["prod"] }}
duration = {{ default = "30m", max = "1h" }}
request = ["group:engineering"]
approve = [{{ from = ["group:sre"], count = 2 }}]
channels = ["slack:#approvals"]
pending_for = "1h"
remind = ["10m"]
{more}
"##,
        db = path("jitbot.db"),
        ca = path("ca"),
        keys_in_chat = setup.keys_in_chat,
        engineering = group(&["alice", "bob", "olga"], "engineering"),
        sre = group(&["bob", "dana"], "S0SRE"),
        oncall = group(&["olga"], "@oncall"),
        alice = key("alice"),
        bob = key("bob"),
        olga = key("olga"),
        more = setup.more_config,
    )
}

impl World {
    pub async fn start() -> Self {
        Self::with(Setup::default()).await
    }

    pub async fn with(setup: Setup) -> Self {
        Site::with(&setup).await.world().await
    }
}

impl Site {
    /// Everything but the bot.
    pub async fn with(setup: &Setup) -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("target")).unwrap();
        let mut manifest = config::SLACK_MANIFEST.to_owned();
        if let Some(scope) = setup.without_scope {
            let line = format!("- {scope} ");
            assert!(manifest.contains(&line), "the manifest asks for no {scope}");
            manifest = manifest
                .lines()
                .filter(|one| !one.contains(&line))
                .map(|one| format!("{one}\n"))
                .collect();
        }
        let manifest = Manifest::from_yaml(&manifest).unwrap();
        let mut workspace = workspace();
        for n in 0..setup.more_people {
            workspace = workspace.user(&format!("U0P{n}"), &format!("person{n}"));
        }
        for channel in &mut workspace.channels {
            channel.private = setup.private_channels;
        }
        let tokens = (
            workspace.app.bot_token.clone(),
            workspace.app.app_token.clone(),
        );
        let sandbox = Server::start(workspace, manifest, ([127, 0, 0, 1], 0).into())
            .await
            .unwrap();
        let base = format!("http://{}", sandbox.addr);
        keys::make(&folder.path().join("ca"), "CA").unwrap();
        let config = config_text(folder.path(), &format!("{base}/api"), setup);
        Self {
            people: People::new(&base),
            clock: Arc::new(ManualClock::at(noon())),
            folder,
            sandbox,
            tokens,
            config,
        }
    }

    /// The bot starts.
    pub async fn world(self) -> World {
        let app = self.bot().await;
        let world = World { here: self, app };
        world.settle().await;
        world
    }
}

impl World {
    /// A world whose issuer has no way to the hosts.
    pub async fn without_hosts() -> Self {
        Self::with(Setup {
            krl: Some(String::new()),
            ..Setup::default()
        })
        .await
    }

    /// The bot ends in good order and starts again on the same database.
    pub async fn restart(self) -> Self {
        let Self { here, app } = self;
        app.stop().await;
        let app = here.bot().await;
        let world = Self { here, app };
        world.settle().await;
        world
    }

    /// Lets every job that is due run.
    pub async fn settle(&self) -> usize {
        self.app.worker().run_until_idle().await.unwrap()
    }

    /// Time passes, then what is due happens.
    pub async fn pass(&self, time: &str) {
        let seconds = duration::parse(time).unwrap_or_else(|| panic!("{time} is no duration"));
        self.here.clock.advance(TimeDelta::seconds(seconds));
        self.settle().await;
    }

    /// Types a command in #approvals; what the person alone is answered.
    pub async fn types(&self, who: &str, typed: &str) -> String {
        let answer = self
            .here
            .people
            .command(id_of(who), APPROVALS, typed)
            .await
            .unwrap();
        assert!(answer.acked, "{who}: {typed}: not acknowledged: {answer:?}");
        assert_ne!(
            answer.response_type.as_deref(),
            Some("in_channel"),
            "others saw the answer to {typed}"
        );
        self.settle().await;
        answer.visible_text
    }

    /// Asks and returns the reference.
    pub async fn asks(&self, who: &str, typed: &str) -> String {
        let answer = self.types(who, typed).await;
        reference(&answer).unwrap_or_else(|| panic!("{typed}: no reference in: {answer}"))
    }

    /// Presses a button of the card of this request.
    pub async fn presses(&self, who: &str, label: &str, request: &str) {
        let card = self.card(request).await;
        let button = card
            .buttons
            .iter()
            .find(|button| button.text.contains(label))
            .unwrap_or_else(|| panic!("no button {label} on: {}", card.visible_text));
        let answer = self
            .here
            .people
            .press(id_of(who), APPROVALS, &card.ts, &button.action_id)
            .await
            .unwrap();
        assert!(answer.acked, "{who} pressed {label}: {answer:?}");
        self.settle().await;
    }

    /// The file that sshd would read.
    pub fn krl(&self) -> PathBuf {
        self.here.folder.path().join("target/jitbot.krl")
    }
}

impl Site {
    pub async fn bot(&self) -> App {
        self.try_bot()
            .await
            .unwrap_or_else(|error| panic!("{error:#}"))
    }
}

/// The first request reference in a text.
pub fn reference(text: &str) -> Option<String> {
    text.split(|c: char| !c.is_ascii_alphanumeric())
        .find(|word| jitbot::domain::ids::RequestId::new(*word).is_ok())
        .map(str::to_owned)
}

impl Site {
    /// The config as it stands now.
    pub fn read(&self) -> Result<Config, Problems> {
        let (bot, app) = self.tokens.clone();
        let env = move |name: &str| match name {
            "SLACK_BOT_TOKEN" => Some(bot.clone()),
            "SLACK_APP_TOKEN" => Some(app.clone()),
            _ => None,
        };
        config::parse(&self.config, "jitbot.toml", &env)
    }

    /// Tries to start a bot.
    pub async fn try_bot(&self) -> anyhow::Result<App> {
        let config = self.read().unwrap_or_else(|problems| panic!("{problems}"));
        App::build(&config, self.clock.clone()).await
    }
}
