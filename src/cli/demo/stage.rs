//! Everything that a demo runs: the chat, the bot, the SSH server, and the keys of its people.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context as _, anyhow, bail};
use chrono::TimeDelta;
use serde_json::Value;
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, ChildStdout, Command};

use super::world::{self, DemoConfig, Paths};
use crate::clock::machine_now;
use crate::config;
use crate::domain::timing::Timestamp;
use crate::sandbox::people::People;
use crate::sandbox::ssh::login::{self, Login, LoginOutcome};
use crate::sandbox::ssh::{Target, TargetConfig, TargetKind, keys};
use crate::store::Store as _;
use crate::store::sqlite::SqliteStore;

/// Longest that a part may take to start.
const STARTS_WITHIN: Duration = Duration::from_secs(30);

/// Moments at which something was due that one wait goes through.
const STEPS_MAX: usize = 500;

/// How often, and how long apart, it is looked whether what was due has happened.
const LOOKS: u32 = 60;
const LOOK: Duration = Duration::from_millis(50);

/// What the SSH server of the demo is a host of.
const SHOWN: &str = "staging-ssh";

/// The running demo.
pub struct Stage {
    /// Plays everybody.
    pub people: People,
    /// The SSH server.
    pub target: Target,
    /// The config that the bot runs.
    pub config: config::Config,
    /// Where everything lies.
    pub paths: Paths,
    bot: Child,
    chat: Child,
    _folder: TempDir,
}

impl Stage {
    /// Starts everything and says what runs.
    pub async fn start(kind: TargetKind) -> anyhow::Result<Self> {
        let folder = tempfile::Builder::new().prefix("jitbot-demo-").tempdir()?;
        let paths = Paths::below(folder.path());
        let env = |name: &str| match name {
            "SLACK_BOT_TOKEN" => Some("xoxb-checked-later".to_owned()),
            "SLACK_APP_TOKEN" => Some("xapp-checked-later".to_owned()),
            _ => None,
        };
        let sample = config::parse(config::SAMPLE, "the sample", &env)?;
        // One CA for each issuer; the one SSH server of the demo trusts the host's of SHOWN alone.
        let shown = sample
            .resources
            .iter()
            .find(|(name, _)| name.as_str() == SHOWN)
            .map(|(_, resource)| resource.issuer.to_string())
            .with_context(|| format!("the sample has no {SHOWN}"))?;
        let mut ca_public = None;
        for issuer in sample.issuers.keys() {
            let pair = keys::make(&paths.ca(issuer.as_str()), "jitbot demo CA")?;
            if issuer.as_str() == shown {
                ca_public = Some(pair.public);
            }
        }
        let ca_public = ca_public.with_context(|| format!("the sample has no issuer {shown}"))?;
        let workspace = world::workspace(&sample)?;
        let tokens = workspace.app.clone();
        std::fs::write(paths.file("world.json"), serde_json::to_string(&workspace)?)?;
        std::fs::write(paths.file("slack.yaml"), config::SLACK_MANIFEST)?;

        let program = std::env::current_exe()?;
        let mut chat = Command::new(&program)
            .arg("sandbox")
            .arg("--manifest")
            .arg(paths.file("slack.yaml"))
            .arg("--world")
            .arg(paths.file("world.json"))
            .stdout(Stdio::piped())
            .stdin(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .context("the chat did not start")?;
        let said = first_line(&mut chat, "the chat").await?;
        let base_url = said["base_url"]
            .as_str()
            .context("the chat did not say where it listens")?
            .to_owned();

        let mut made = Vec::new();
        for person in sample.persons() {
            let pair = keys::make(
                &paths.file(&format!("id_{}", person.name)),
                person.name.as_str(),
            )?;
            made.push((person.name.to_string(), pair.public_line));
        }
        let demo = world::demo_config(
            config::SAMPLE,
            &paths,
            &format!("{base_url}/api"),
            &|name| {
                made.iter()
                    .find(|(n, _)| n == name)
                    .map(|(_, key)| key.clone())
            },
        )?;
        std::fs::write(paths.file("jitbot.toml"), &demo.text)?;
        set_clock(&paths, TimeDelta::zero())?;
        let config = config::parse(&demo.text, "the demo's config", &env)?;

        let mut bot = Command::new(&program)
            .arg("serve")
            .arg("--config")
            .arg(paths.file("jitbot.toml"))
            .arg("--rehearsal-clock")
            .arg(paths.file("clock"))
            .env("SLACK_BOT_TOKEN", &tokens.bot_token)
            .env("SLACK_APP_TOKEN", &tokens.app_token)
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
        let krl = paths.krl(&shown);
        wait_for_file(&krl).await?;
        let target = Target::start(
            kind,
            TargetConfig {
                dir: paths.file("ssh"),
                ca_pub: ca_public,
                krl,
                port: None,
                principals: demo.principals.clone(),
            },
        )
        .await?;
        announce(&target, &base_url, &demo, &bot, &chat, &paths);
        Ok(Self {
            people: People::new(&base_url),
            target,
            config,
            paths,
            bot,
            chat,
            _folder: folder,
        })
    }

    /// Sets the engine's clock ahead by so much of the machine's.
    pub fn set_clock_ahead(&self, by: TimeDelta) -> anyhow::Result<()> {
        set_clock(&self.paths, by)
    }

    /// Lets the engine's time pass, from one moment that something is due to the next, so that all
    /// happens when it should.
    #[expect(
        clippy::disallowed_methods,
        reason = "it waits for another process to do what is due"
    )]
    pub async fn let_pass(&self, mut ahead: TimeDelta, until: TimeDelta) -> anyhow::Result<()> {
        let database = self.paths.database().display().to_string();
        for _ in 0..STEPS_MAX {
            let store = SqliteStore::open_read_only(&database).await?;
            let due = store.reader().await?.next_due().await?;
            let next = due.map(|due| due - machine_now()).filter(|d| *d < until);
            let Some(next) = next else { break };
            ahead = ahead.max(next + TimeDelta::milliseconds(1));
            self.set_clock_ahead(ahead)?;
            let mut done = false;
            for _ in 0..LOOKS {
                tokio::time::sleep(LOOK).await;
                let mut reader = store.reader().await?;
                let jobs = reader.open_jobs().await?;
                done = reader.next_due().await? != due
                    && jobs.iter().all(|(_, state)| state != "running");
                if done {
                    break;
                }
            }
            if !done {
                break;
            }
        }
        self.set_clock_ahead(until)
    }

    /// The engine's time.
    pub fn engine_now(&self) -> Timestamp {
        let ahead = std::fs::read_to_string(self.paths.file("clock"))
            .ok()
            .and_then(|text| text.trim().parse().ok())
            .unwrap_or(0);
        machine_now() + TimeDelta::milliseconds(ahead)
    }

    /// The login of a person with the certificate that they were sent.
    pub fn login(&self, person: &str) -> Login {
        Login {
            user: self.target.account().to_owned(),
            addr: self.target.addr(),
            key: self.paths.file(&format!("id_{person}")),
            certificate: self.paths.file(&format!("{person}-cert.pub")),
            known_hosts: self.target.known_hosts().to_owned(),
            command: Some("echo it works".into()),
            source: None,
            client: login::best(),
        }
    }

    /// Tries it.
    pub async fn try_login(&self, person: &str) -> LoginOutcome {
        login::attempt(self.login(person)).await
    }

    /// Keeps the certificate that stands in a message to a person.
    pub fn keep_certificate(&self, person: &str, message: &str) -> anyhow::Result<()> {
        let certificate = message
            .split_whitespace()
            .skip_while(|word| !word.contains("-cert-v01@openssh.com"))
            .take(2)
            .collect::<Vec<_>>()
            .join(" ");
        if certificate.is_empty() {
            bail!("the message holds no certificate:\n{message}");
        }
        std::fs::write(
            self.paths.file(&format!("{person}-cert.pub")),
            certificate + "\n",
        )?;
        Ok(())
    }

    /// The Slack id of a person of the config.
    pub fn user(&self, person: &str) -> anyhow::Result<String> {
        self.config
            .persons()
            .into_iter()
            .find(|p| p.name.as_str() == person)
            .and_then(|p| p.accounts.into_iter().find(|a| a.platform() == "slack"))
            .map(|account| account.member().to_owned())
            .ok_or_else(|| anyhow!("the config names nobody called {person}"))
    }

    /// Stops the bot first, so that what it has in flight can finish.
    pub async fn stop(mut self) {
        if let Some(pid) = self.bot.id().and_then(|pid| i32::try_from(pid).ok()) {
            let pid = nix::unistd::Pid::from_raw(pid);
            // It may be gone already; then there is nothing to stop.
            let _ = nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGTERM);
            let _ = tokio::time::timeout(Duration::from_secs(5), self.bot.wait()).await;
        }
        // Whatever is left ends here; errors mean that it is gone.
        let _ = self.bot.start_kill();
        let _ = self.chat.start_kill();
        self.target.stop().await;
    }
}

fn announce(
    target: &Target,
    base_url: &str,
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
        "Config: the shipped sample; replaced in it: {}",
        demo.replaced.join(", ")
    );
}

fn set_clock(paths: &Paths, ahead: TimeDelta) -> anyhow::Result<()> {
    let beside = paths.file("clock.new");
    std::fs::write(&beside, ahead.num_milliseconds().to_string())?;
    std::fs::rename(beside, paths.file("clock"))?;
    Ok(())
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
