//! One bot through all of it: started, idle, then one rate after the other.
#![expect(
    clippy::disallowed_methods,
    reason = "it measures processes, in real time"
)]

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail, ensure};
use jitbot::sandbox::people::People;
use serde::Serialize;
use tokio::process::Command;

use super::bots::{Bot, Prepared, Surroundings};
use super::play::{Patience, Scene};
use super::process::{Memory, Running, get};
use super::tally::{Failure, Step};
use super::target::Target;
use super::workspace::world;

/// How long a bot may take until it is ready.
const READY_MAX: Duration = Duration::from_secs(60);

/// What is done with each bot.
#[derive(Debug, Clone)]
pub struct Plan {
    /// jitbot's binary; the sandbox is one of its commands.
    pub jitbot: PathBuf,
    /// Where folders with databases are made.
    pub folder: PathBuf,
    /// Flows a second, one step after the other.
    pub rates: Vec<u32>,
    /// For how long flows begin in each step.
    pub step: Duration,
    /// How long a bot stands idle before its memory is looked at.
    pub idle: Duration,
    /// How patient people are.
    pub patience: Patience,
    /// Accounts whose access the target never takes away: for tests of the benchmark itself.
    pub keeps: Vec<String>,
    /// In which step the bot is stopped for how long, in its middle: for tests of the benchmark itself.
    pub freeze: Option<Duration>,
}

/// What came of one bot.
#[derive(Debug, Clone, Serialize)]
pub struct Measured {
    /// Which.
    pub bot: Bot,
    /// From its start until it said `200` on `/readyz`, if it has one.
    pub readyz_ms: Option<f64>,
    /// From its start until a command could reach it: its first socket was open.
    pub listening_ms: f64,
    /// After it stood idle.
    pub idle: Memory,
    /// CPU time that a second of standing idle takes.
    pub idle_cpu_ms_per_s: f64,
    /// After all steps.
    pub end: Memory,
    /// The database at the end, with what is beside it, in MiB.
    pub database_mib: f64,
    /// Calls on the target that nobody asked for.
    pub strangers: u64,
    /// Each rate.
    pub steps: Vec<Step>,
}

/// A bot beside its sandbox.
pub struct Stage {
    /// Everybody else.
    pub scene: Arc<Scene>,
    /// The bot.
    pub bot: Running,
    /// See [`Measured`].
    pub readyz_ms: Option<f64>,
    /// See [`Measured`].
    pub listening_ms: f64,
    /// The bot's database.
    pub database: PathBuf,
    /// `http://127.0.0.1:PORT` of the sandbox.
    pub sandbox: String,
    /// What the bot shows to the sandbox.
    pub bot_token: String,
    command: Command,
    probes: Option<SocketAddr>,
    _sandbox: Running,
    folder: tempfile::TempDir,
}

impl Stage {
    /// Starts sandbox, target and bot.
    ///
    /// # Errors
    /// What could not be started.
    pub async fn set(bot: Bot, plan: &Plan) -> anyhow::Result<Self> {
        let folder = tempfile::Builder::new()
            .prefix(bot.name())
            .tempdir_in(&plan.folder)?;
        let made_up = |kind: &str| format!("{kind}-{:032x}", rand::random::<u128>());
        let tokens = (made_up("xoxb"), made_up("xapp"));
        let (sandbox, base_url) = start_sandbox(plan, folder.path(), &tokens).await?;
        let target = Target::start(&plan.keeps).await?;
        let Prepared {
            mut command,
            database,
            probes,
        } = bot.prepare(&Surroundings {
            folder: folder.path(),
            sandbox: &base_url,
            target: target.address,
            probes: free_port()?,
            tokens: (&tokens.0, &tokens.1),
            jitbot: &plan.jitbot,
        })?;
        let log = folder.path().join("log");
        let mut running = Running::start(&mut command, &log)?;
        let ready = ready(&mut running, &base_url, probes, READY_MAX).await;
        let (readyz_ms, listening_ms) = ready.with_context(|| said(bot, &log))?;
        Ok(Self {
            scene: Arc::new(Scene {
                bot,
                people: People::new(&base_url),
                target,
                patience: plan.patience,
            }),
            bot: running,
            readyz_ms,
            listening_ms,
            database,
            sandbox: base_url,
            bot_token: tokens.0,
            command,
            probes,
            _sandbox: sandbox,
            folder,
        })
    }

    /// Stops the bot; everybody else stays, and it can be started again.
    ///
    /// # Errors
    /// That it did not stop in good order, with what it said.
    pub async fn stop(&mut self) -> anyhow::Result<()> {
        let status = self.bot.stop().await?;
        let said = std::fs::read_to_string(self.folder.path().join("log")).unwrap_or_default();
        ensure!(
            status.success(),
            "the bot ended with {status}:\n{}",
            tail(&said)
        );
        Ok(())
    }

    /// Starts the bot that was stopped, and waits until it is ready.
    ///
    /// # Errors
    /// That it does not get ready in this time.
    pub async fn start_again(&mut self, within: Duration) -> anyhow::Result<()> {
        let log = self.folder.path().join("log");
        self.bot = Running::start(&mut self.command, &log)?;
        let ready = ready(&mut self.bot, &self.sandbox, self.probes, within).await;
        (self.readyz_ms, self.listening_ms) = ready.with_context(|| said(self.scene.bot, &log))?;
        Ok(())
    }

    /// Plays one step; what came of it.
    ///
    /// # Errors
    /// That the bot is gone.
    pub async fn step(
        &self,
        first: usize,
        rate: u32,
        count: usize,
        freeze: Option<Duration>,
    ) -> anyhow::Result<Step> {
        let before = self.bot.cpu_ms()?;
        let playing = self.scene.play(first, rate, count);
        let freezing = async {
            if let Some(freeze) = freeze {
                let middle = Duration::from_secs(1) * u32::try_from(count)? / rate / 2;
                tokio::time::sleep(middle).await;
                self.bot.signal(nix::sys::signal::Signal::SIGSTOP)?;
                tokio::time::sleep(freeze).await;
                self.bot.signal(nix::sys::signal::Signal::SIGCONT)?;
            }
            anyhow::Ok(())
        };
        let (flows, frozen) = tokio::join!(playing, freezing);
        frozen?;
        let cpu_ms = self.bot.cpu_ms()? - before;
        let wait_us = u64::try_from(self.scene.patience.wait.as_micros())?;
        Ok(Step::of(rate, &flows, cpu_ms, wait_us))
    }

    /// The database and what is beside it, in MiB.
    #[must_use]
    pub fn database_mib(&self) -> f64 {
        let name = self.database.display().to_string();
        let size =
            |suffix: &str| std::fs::metadata(format!("{name}{suffix}")).map_or(0, |m| m.len());
        #[expect(
            clippy::cast_precision_loss,
            reason = "files are smaller than 2^52 bytes"
        )]
        let bytes = ["", "-wal", "-shm"].map(size).iter().sum::<u64>() as f64;
        bytes / 1024.0 / 1024.0
    }
}

/// Takes a bot through the plan.
///
/// # Errors
/// What could not be started, or that the bot died.
pub async fn measure(bot: Bot, plan: &Plan) -> anyhow::Result<Measured> {
    let mut stage = Stage::set(bot, plan).await?;
    tokio::time::sleep(plan.idle / 2).await;
    let cpu = stage.bot.cpu_ms()?;
    tokio::time::sleep(plan.idle / 2).await;
    let idle_cpu_ms_per_s = (stage.bot.cpu_ms()? - cpu) / (plan.idle / 2).as_secs_f64();
    let idle = stage.bot.memory()?;
    let mut steps = Vec::new();
    let mut first = 0;
    for rate in &plan.rates {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a rate times some seconds"
        )]
        let count = (f64::from(*rate) * plan.step.as_secs_f64()).ceil() as usize;
        let step = stage.step(first, *rate, count, plan.freeze).await?;
        eprintln!(
            "{}: {} of {} flows at {rate}/s",
            bot.name(),
            step.done,
            step.asked
        );
        first += count;
        let swamped = step
            .failures
            .get(&Failure::NotAnswered)
            .is_some_and(|n| *n * 2 > count);
        steps.push(step);
        if swamped {
            eprintln!(
                "{}: more than half was not answered; no higher rate is tried",
                bot.name()
            );
            break;
        }
    }
    let measured = Measured {
        bot,
        readyz_ms: stage.readyz_ms,
        listening_ms: stage.listening_ms,
        idle,
        idle_cpu_ms_per_s,
        end: stage.bot.memory()?,
        database_mib: stage.database_mib(),
        strangers: stage.scene.target.strangers(),
        steps,
    };
    stage.stop().await?;
    Ok(measured)
}

async fn start_sandbox(
    plan: &Plan,
    folder: &Path,
    tokens: &(String, String),
) -> anyhow::Result<(Running, String)> {
    let (manifest, file) = (folder.join("slack.yaml"), folder.join("world.json"));
    std::fs::write(&manifest, jitbot::config::SLACK_MANIFEST)?;
    std::fs::write(&file, world(&tokens.0, &tokens.1).to_string())?;
    let mut command = Command::new(&plan.jitbot);
    command
        .arg("sandbox")
        .arg("--manifest")
        .arg(manifest)
        .arg("--world")
        .arg(file);
    let (sandbox, line) = Running::start_and_hear(command).await?;
    let said: serde_json::Value =
        serde_json::from_str(&line).with_context(|| format!("the sandbox said {line:?}"))?;
    let base_url = said["base_url"]
        .as_str()
        .context("the sandbox says no address")?;
    Ok((sandbox, base_url.to_owned()))
}

async fn ready(
    running: &mut Running,
    base_url: &str,
    probes: Option<SocketAddr>,
    within: Duration,
) -> anyhow::Result<(Option<f64>, f64)> {
    let sandbox: SocketAddr = base_url.trim_start_matches("http://").parse()?;
    let ms = |started: Instant| started.elapsed().as_secs_f64() * 1000.0;
    let (mut readyz, mut listening) = (None, None);
    loop {
        if readyz.is_none()
            && let Some(probes) = probes
            && get(probes, "/readyz")
                .await
                .is_some_and(|(status, _)| status == 200)
        {
            readyz = Some(ms(running.started));
        }
        if listening.is_none()
            && get(sandbox, "/sandbox/sockets")
                .await
                .is_some_and(|(_, body)| body.trim().parse::<usize>().is_ok_and(|n| n > 0))
        {
            listening = Some(ms(running.started));
        }
        if let (Some(listening), true) = (listening, readyz.is_some() || probes.is_none()) {
            return Ok((readyz, listening));
        }
        if let Some(status) = running.ended()? {
            bail!("it ended by itself: {status}");
        }
        ensure!(
            running.started.elapsed() < within,
            "it was not ready within {} s",
            within.as_secs()
        );
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

fn free_port() -> anyhow::Result<SocketAddr> {
    Ok(std::net::TcpListener::bind(("127.0.0.1", 0))?.local_addr()?)
}

fn said(bot: Bot, log: &Path) -> String {
    let said = std::fs::read_to_string(log).unwrap_or_default();
    format!("{} said:\n{}", bot.name(), tail(&said))
}

fn tail(text: &str) -> String {
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(20)..].join("\n")
}
