//! Everything that a demo runs: the chat, the bot, the SSH server, and the keys of its people.

use std::net::SocketAddr;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context as _, anyhow, bail};
use chrono::TimeDelta;
use serde_json::Value;
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, ChildStdout, Command};
use tokio::sync::Mutex;

use super::cast::Cast;
use super::plot::Plot;
use super::time;
use super::world::{self, DemoConfig, Paths, Source};
use crate::config;
use crate::domain::ids::IssuerName;
use crate::sandbox::people::People;
use crate::sandbox::ssh::{Target, TargetConfig, TargetKind, keys};

/// Longest that a part may take to start.
const STARTS_WITHIN: Duration = Duration::from_secs(30);

/// A list that names nothing, as OpenSSH writes one (PROTOCOL.krl): for hosts that get no list.
const EMPTY_KRL: &[u8; 44] =
    b"SSHKRL\n\0\0\0\0\x01\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0";

/// The running demo.
pub struct Stage {
    /// Plays everybody.
    pub people: People,
    /// The SSH server.
    pub target: Target,
    /// The config that the bot runs.
    pub config: config::Config,
    /// Who and what is played.
    pub cast: Cast,
    /// What to try first.
    pub plot: Plot,
    /// How people call the config, and what was replaced in it.
    pub called: String,
    /// Keys that were replaced or added.
    pub replaced: Vec<String>,
    /// Public keys of the issuers' CAs, each as one line.
    pub authorities: Vec<(IssuerName, String)>,
    /// Where everything lies.
    pub paths: Paths,
    /// Where the page is.
    pub page: String,
    /// Held while time passes.
    pub(super) passing: Mutex<()>,
    bot: Mutex<Child>,
    chat: Mutex<Child>,
    _folder: TempDir,
}

impl Stage {
    /// Starts everything and says what runs. `console` is where the page's console will answer.
    pub async fn start(
        kind: TargetKind,
        source: Source,
        console: Option<SocketAddr>,
    ) -> anyhow::Result<Self> {
        let folder = tempfile::Builder::new().prefix("jitbot-demo-").tempdir()?;
        let paths = Paths::below(folder.path());
        let plot = Plot::of(&source.table, &source.cast).with_context(|| {
            format!(
                "{} can't be rehearsed: no [resource] has an issuer of the kind ssh-ca that is not retired, and the demo plays no other. Nothing was started",
                source.called
            )
        })?;
        // One CA for each issuer; the one SSH server of the demo trusts the plot's alone.
        let mut authorities = Vec::new();
        for issuer in source.config.issuers.keys() {
            let pair = keys::make(&paths.ca(issuer.as_str()), "jitbot demo CA")?;
            authorities.push((issuer.clone(), pair.public_line));
        }
        let ca_public = paths.file(&format!("{}.pub", plot.issuer));
        let workspace = source.cast.world();
        let tokens = workspace.app.clone();
        std::fs::write(paths.file("world.json"), serde_json::to_string(&workspace)?)?;
        std::fs::write(paths.file("slack.yaml"), config::SLACK_MANIFEST)?;
        let (chat, base_url) = start_chat(&paths, console).await?;

        let mut made = Vec::new();
        for player in source.cast.players.iter().filter(|player| player.has_key) {
            let pair = keys::make(&paths.key(&player.name), &player.name)?;
            made.push((player.name.clone(), pair.public_line));
        }
        let key_of = |name: &str| {
            made.iter()
                .find(|(n, _)| n == name)
                .map(|(_, key)| key.clone())
        };
        let demo = world::demo_config(&source, &paths, &format!("{base_url}/api"), &key_of)?;
        std::fs::write(paths.file("jitbot.toml"), &demo.text)?;
        time::set_engine(&paths, TimeDelta::zero())?;
        let config = config::parse(&demo.text, "the demo's config", &world::tokens_later)?;
        let bot = start_bot(&paths, &tokens.bot_token, &tokens.app_token).await?;
        let krl = paths.krl(&plot.issuer);
        if has_list(&source, &plot) {
            wait_for_file(&krl).await?;
        } else {
            std::fs::write(&krl, EMPTY_KRL)?;
        }
        let target = Target::start(
            kind,
            TargetConfig {
                dir: paths.file("ssh"),
                ca_pub: ca_public,
                krl,
                port: None,
                principals: plot.principals.clone(),
            },
        )
        .await?;
        announce(&target, &base_url, &source, &demo, &bot, &chat, &paths);
        Ok(Self {
            people: People::new(&base_url),
            target,
            config,
            cast: source.cast,
            plot,
            called: source.called,
            replaced: demo.replaced,
            authorities,
            paths,
            page: format!("{base_url}/"),
            passing: Mutex::new(()),
            bot: Mutex::new(bot),
            chat: Mutex::new(chat),
            _folder: folder,
        })
    }

    /// The Slack id of somebody who can be played.
    pub fn user(&self, person: &str) -> anyhow::Result<String> {
        self.cast
            .player(person)
            .map(|player| player.id.clone())
            .ok_or_else(|| anyhow!("the config names nobody called {person}"))
    }

    /// Stops the bot first, so that what it has in flight can finish.
    pub async fn stop(&self) {
        let mut bot = self.bot.lock().await;
        if let Some(pid) = bot.id().and_then(|pid| i32::try_from(pid).ok()) {
            let pid = nix::unistd::Pid::from_raw(pid);
            // It may be gone already; then there is nothing to stop.
            let _ = nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGTERM);
            let _ = tokio::time::timeout(Duration::from_secs(5), bot.wait()).await;
        }
        // Whatever is left ends here; errors mean that it is gone.
        let _ = bot.start_kill();
        let _ = self.chat.lock().await.start_kill();
        self.target.stop().await;
    }
}

async fn start_chat(paths: &Paths, console: Option<SocketAddr>) -> anyhow::Result<(Child, String)> {
    let mut command = Command::new(std::env::current_exe()?);
    command.arg("sandbox");
    command.arg("--manifest").arg(paths.file("slack.yaml"));
    command.arg("--world").arg(paths.file("world.json"));
    if let Some(console) = console {
        command.arg("--console").arg(console.to_string());
    }
    let mut chat = command
        .stdout(Stdio::piped())
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .context("the chat did not start")?;
    let said = first_line(&mut chat, "the chat").await?;
    let base_url = said["base_url"]
        .as_str()
        .context("the chat did not say where it listens")?;
    Ok((chat, base_url.to_owned()))
}

async fn start_bot(paths: &Paths, bot_token: &str, app_token: &str) -> anyhow::Result<Child> {
    let mut bot = Command::new(std::env::current_exe()?)
        .arg("serve")
        .arg("--config")
        .arg(paths.file("jitbot.toml"))
        .arg("--rehearsal-clock")
        .arg(paths.file("clock"))
        .env("SLACK_BOT_TOKEN", bot_token)
        .env("SLACK_APP_TOKEN", app_token)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(std::fs::File::create(paths.file("bot.log"))?)
        .kill_on_drop(true)
        .spawn()
        .context("the bot did not start")?;
    if let Err(error) = first_line(&mut bot, "the bot").await {
        let log = std::fs::read_to_string(paths.file("bot.log")).unwrap_or_default();
        bail!("{error:#}\n{log}");
    }
    Ok(bot)
}

/// Whether the plot's hosts are told what was ended early.
fn has_list(source: &Source, plot: &Plot) -> bool {
    let issuer = source
        .table
        .get("issuer")
        .and_then(|all| all.get(&plot.issuer));
    issuer.is_some_and(|issuer| issuer.get("krl").is_some())
}

fn announce(
    target: &Target,
    base_url: &str,
    source: &Source,
    demo: &DemoConfig,
    bot: &Child,
    chat: &Child,
    paths: &Paths,
) {
    let pid = |child: &Child| child.id().unwrap_or_default();
    println!("{} (process {})", target.describe(), target.pid());
    println!("Chat: {base_url} (process {})", pid(chat));
    println!(
        "Bot: jitbot serve --config {} (process {})",
        paths.file("jitbot.toml").display(),
        pid(bot)
    );
    println!(
        "Config: {}; replaced in it: {}",
        source.called,
        demo.replaced.join(", ")
    );
    let made_up = source.cast.players.iter().filter(|player| player.made_up);
    let made_up: Vec<&str> = made_up.map(|player| player.name.as_str()).collect();
    if !made_up.is_empty() {
        println!(
            "Made up, for groups whose members only the chat knows: {}",
            made_up.join(", ")
        );
    }
}

async fn first_line(child: &mut Child, who: &str) -> anyhow::Result<Value> {
    let stdout: ChildStdout = child.stdout.take().context("no output to read")?;
    let mut lines = BufReader::new(stdout).lines();
    let line = tokio::time::timeout(STARTS_WITHIN, lines.next_line())
        .await
        .with_context(|| format!("{who} did not start within {STARTS_WITHIN:?}"))??
        .with_context(|| format!("{who} ended before it was ready"))?;
    serde_json::from_str(&line).with_context(|| format!("{who} said {line:?}"))
}

#[expect(clippy::disallowed_methods, reason = "it waits for another process")]
async fn wait_for_file(path: &Path) -> anyhow::Result<()> {
    let waited = tokio::time::timeout(STARTS_WITHIN, async {
        while !path.exists() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    });
    waited
        .await
        .with_context(|| format!("the bot did not publish {}", path.display()))
}
