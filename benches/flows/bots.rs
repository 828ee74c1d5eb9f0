//! The bots that are measured: how each is set up and started, and what it says.

use std::fmt::Write as _;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use base64::Engine as _;
use serde::Serialize;
use serde_json::json;
use tokio::process::Command;

use super::workspace::{APPROVERS, CHIEF, MANY, TEAM, approver, person, resource};

/// Which bot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, clap::ValueEnum)]
#[serde(rename_all = "snake_case")]
pub enum Bot {
    /// This one.
    Jitbot,
    /// `benches/peers/bolt`.
    Bolt,
}

/// Where a bot finds everybody else.
#[derive(Debug)]
pub struct Surroundings<'a> {
    /// The bot's own folder: settings and database.
    pub folder: &'a Path,
    /// `http://127.0.0.1:PORT` of the sandbox.
    pub sandbox: &'a str,
    /// The target's address.
    pub target: SocketAddr,
    /// Where the bot may serve its probes.
    pub probes: SocketAddr,
    /// The bot token and the app token.
    pub tokens: (&'a str, &'a str),
    /// jitbot's binary.
    pub jitbot: &'a Path,
}

/// A bot that can be started.
pub struct Prepared {
    /// What starts it.
    pub command: Command,
    /// Its database.
    pub database: PathBuf,
    /// Where it says that it is ready, if it does.
    pub probes: Option<SocketAddr>,
}

impl Bot {
    /// Its name in reports.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Jitbot => "jitbot",
            Self::Bolt => "plain Bolt bot",
        }
    }

    /// Writes its settings.
    ///
    /// # Errors
    /// That they can't be written, or what the bot needs is not installed.
    pub fn prepare(self, at: &Surroundings<'_>) -> anyhow::Result<Prepared> {
        let (mut command, database, probes) = match self {
            Self::Jitbot => jitbot(at)?,
            Self::Bolt => bolt(at)?,
        };
        command
            .current_dir(at.folder)
            .env_remove("RUST_LOG")
            .env("SLACK_BOT_TOKEN", at.tokens.0)
            .env("SLACK_APP_TOKEN", at.tokens.1);
        Ok(Prepared {
            command,
            database,
            probes,
        })
    }

    /// The reference in its answer to a request.
    #[must_use]
    pub fn reference(self, answer: &str) -> Option<String> {
        match self {
            Self::Jitbot => answer
                .split(|c: char| !c.is_ascii_alphanumeric())
                .find(|word| word.len() == 11 && word.starts_with('r'))
                .map(str::to_owned),
            Self::Bolt => {
                let number = answer.split_once("(#")?.1.split_once(')')?.0;
                Some(number.to_owned())
            }
        }
    }

    /// What its message about the end holds, and no other of its messages.
    #[must_use]
    pub fn over(self, reference: &str) -> String {
        match self {
            Self::Jitbot => format!("{reference}) is over."),
            Self::Bolt => format!("(#{reference}) has ended."),
        }
    }
}

fn jitbot(at: &Surroundings<'_>) -> anyhow::Result<(Command, PathBuf, Option<SocketAddr>)> {
    let database = at.folder.join("jitbot.db");
    let mut text = format!(
        r##"
[slack]
bot_token = {{ env = "SLACK_BOT_TOKEN" }}
app_token = {{ env = "SLACK_APP_TOKEN" }}
api_url = "{sandbox}/api"
[store]
url = "sqlite://{database}"
[http]
listen = "{probes}"
[security]
people = ["person:chief"]
channels = ["slack:#security"]
digest = {{ cron = "0 9 * * *", time_zone = "Europe/Berlin" }}
[person.chief]
accounts = ["slack:{TEAM}/{CHIEF}"]
[issuer.target]
kind = "webhook"
url = "http://{target}/contract"
secret = {{ env = "TARGET_SECRET" }}
allow_private = true
"##,
        sandbox = at.sandbox,
        database = database.display(),
        probes = at.probes,
        target = at.target,
    );
    let group = |name: &str, people: Vec<(String, String)>| {
        let names: Vec<String> = people
            .iter()
            .map(|p| format!("\"person:{}\"", p.1))
            .collect();
        let mut text = format!("[group.{name}]\nmembers = [{}]\n", names.join(", "));
        for (user, name) in people {
            writeln!(
                text,
                "[person.{name}]\naccounts = [\"slack:{TEAM}/{user}\"]"
            )?;
        }
        Ok::<String, std::fmt::Error>(text)
    };
    text += &group("engineers", (0..MANY).map(person).collect())?;
    let approvers = (0..APPROVERS).map(|n| (approver(n), format!("a{n:03}")));
    text += &group("approvers", approvers.collect())?;
    for n in 0..MANY {
        let (name, channel) = resource(n);
        write!(
            text,
            r##"
[resource.{name}]
title = "Resource {n}"
project = "shop"
action = "login"
risk = "medium"
issuer = "target"
grant = {{ role = "{name}" }}
duration = {{ default = "1h", max = "8h" }}
request = ["group:engineers"]
approve = [{{ from = ["group:approvers"], count = 1 }}]
channels = ["slack:{channel}"]
"##
        )?;
    }
    let config = at.folder.join("jitbot.toml");
    std::fs::write(&config, text)?;
    let secret = base64::engine::general_purpose::STANDARD.encode(rand::random::<[u8; 32]>());
    let mut command = Command::new(at.jitbot);
    command
        .arg("serve")
        .arg("--config")
        .arg(config)
        .env("TARGET_SECRET", format!("whsec_{secret}"));
    Ok((command, database, Some(at.probes)))
}

fn bolt(at: &Surroundings<'_>) -> anyhow::Result<(Command, PathBuf, Option<SocketAddr>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/peers/bolt");
    let native = "node_modules/better-sqlite3/build/Release/better_sqlite3.node";
    if !folder.join(native).is_file() {
        bail!(
            "what it needs is not installed: run scripts/npm-native benches/peers/bolt better-sqlite3"
        );
    }
    let database = at.folder.join("bolt.db");
    let people: serde_json::Map<String, serde_json::Value> = (0..MANY)
        .map(person)
        .map(|(user, account)| (user, json!(account)))
        .collect();
    let resources: serde_json::Map<String, serde_json::Value> = (0..MANY)
        .map(resource)
        .map(|(name, channel)| (name, json!({ "channel": channel, "maxSeconds": 8 * 3600 })))
        .collect();
    let settings = json!({
        "apiUrl": format!("{}/api/", at.sandbox),
        "database": database,
        "targetUrl": format!("http://{}", at.target),
        "approvers": (0..APPROVERS).map(approver).collect::<Vec<_>>(),
        "people": people,
        "resources": resources,
    });
    let config = at.folder.join("bolt.json");
    std::fs::write(&config, settings.to_string()).context("no settings can be written")?;
    let mut command = Command::new("node");
    command.arg(folder.join("access-bot.mjs")).arg(config);
    // As it would be run for real; express and others look at it.
    command.env("NODE_ENV", "production");
    Ok((command, database, None))
}
