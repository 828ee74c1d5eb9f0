//! A process under test, and what the kernel says of it.
#![expect(
    clippy::disallowed_methods,
    reason = "it measures processes, in real time"
)]

use std::net::SocketAddr;
use std::path::Path;
use std::process::{ExitStatus, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde::Serialize;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::process::{Child, Command};

/// What `/proc` counts in: a hundredth of a second on every Linux (`USER_HZ`).
const MS_PER_TICK: f64 = 10.0;

/// A running process. Killed when it is dropped.
pub struct Running {
    child: Child,
    pid: i32,
    /// When it was started.
    pub started: Instant,
}

/// Memory of a process, in MiB.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Memory {
    /// Resident now (`VmRSS`), files that it maps included.
    pub resident_mib: f64,
    /// Of that what is its own (`RssAnon`).
    pub own_mib: f64,
    /// The most that was ever resident (`VmHWM`).
    pub peak_mib: f64,
}

impl Running {
    /// Starts it; what it says goes to this file.
    ///
    /// # Errors
    /// That it can't be started.
    pub fn start(command: &mut Command, log: &Path) -> anyhow::Result<Self> {
        let file = std::fs::File::create(log)?;
        let started = Instant::now();
        let child = command
            .stdin(Stdio::null())
            .stdout(file.try_clone()?)
            .stderr(file)
            .kill_on_drop(true)
            .spawn()
            .with_context(|| format!("{command:?} can't be started"))?;
        Self::of(child, started)
    }

    /// Starts it and reads its first line.
    ///
    /// # Errors
    /// That it can't be started or says nothing.
    pub async fn start_and_hear(mut command: Command) -> anyhow::Result<(Self, String)> {
        let started = Instant::now();
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .with_context(|| format!("{command:?} can't be started"))?;
        let stdout = child.stdout.take().context("it has no standard output")?;
        let mut line = String::new();
        BufReader::new(stdout).read_line(&mut line).await?;
        Ok((Self::of(child, started)?, line))
    }

    fn of(child: Child, started: Instant) -> anyhow::Result<Self> {
        let pid = child.id().context("it has ended already")?;
        let pid = i32::try_from(pid)?;
        Ok(Self {
            child,
            pid,
            started,
        })
    }

    /// CPU time so far, of its children too.
    ///
    /// # Errors
    /// That it is gone.
    pub fn cpu_ms(&self) -> anyhow::Result<f64> {
        let mut open = vec![self.pid];
        let mut ticks = 0;
        while let Some(pid) = open.pop() {
            let stat = std::fs::read_to_string(format!("/proc/{pid}/stat"))
                .context("the process is gone")?;
            ticks += ticks_in(&stat).context("/proc/PID/stat is not as expected")?;
            open.extend(children(pid));
        }
        #[expect(clippy::cast_precision_loss, reason = "far fewer than 2^52 ticks")]
        Ok(ticks as f64 * MS_PER_TICK)
    }

    /// Memory now, of its children too.
    ///
    /// # Errors
    /// That it is gone.
    pub fn memory(&self) -> anyhow::Result<Memory> {
        let mut memory = Memory {
            resident_mib: 0.0,
            own_mib: 0.0,
            peak_mib: 0.0,
        };
        let mut open = vec![self.pid];
        while let Some(pid) = open.pop() {
            let status = std::fs::read_to_string(format!("/proc/{pid}/status"))
                .context("the process is gone")?;
            memory.resident_mib += mib_in(&status, "VmRSS:");
            memory.own_mib += mib_in(&status, "RssAnon:");
            memory.peak_mib += mib_in(&status, "VmHWM:");
            open.extend(children(pid));
        }
        Ok(memory)
    }

    /// Sends a signal.
    ///
    /// # Errors
    /// That it is gone.
    pub fn signal(&self, signal: Signal) -> anyhow::Result<()> {
        Ok(kill(Pid::from_raw(self.pid), signal)?)
    }

    /// Asks it to stop and waits until it has.
    ///
    /// # Errors
    /// That it does not.
    pub async fn stop(&mut self) -> anyhow::Result<ExitStatus> {
        self.signal(Signal::SIGTERM)?;
        match tokio::time::timeout(Duration::from_secs(60), self.child.wait()).await {
            Ok(status) => Ok(status?),
            Err(_) => bail!("it did not stop within a minute"),
        }
    }

    /// Whether it ended by itself.
    ///
    /// # Errors
    /// That nobody can know.
    pub fn ended(&mut self) -> anyhow::Result<Option<ExitStatus>> {
        Ok(self.child.try_wait()?)
    }
}

/// `utime + stime`, and those of children that are gone.
#[must_use]
pub fn ticks_in(stat: &str) -> Option<u64> {
    // The name may hold spaces and parentheses; it ends with the last one.
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    fields
        .get(11..15)?
        .iter()
        .map(|field| field.parse::<u64>().ok())
        .sum()
}

/// A line of `/proc/PID/status`, in MiB.
#[must_use]
pub fn mib_in(status: &str, key: &str) -> f64 {
    let line = status.lines().find_map(|line| line.strip_prefix(key));
    let kib = line.and_then(|rest| rest.split_whitespace().next());
    kib.and_then(|kib| kib.parse::<f64>().ok()).unwrap_or(0.0) / 1024.0
}

fn children(pid: i32) -> Vec<i32> {
    let Ok(tasks) = std::fs::read_dir(format!("/proc/{pid}/task")) else {
        return Vec::new();
    };
    tasks
        .flatten()
        .filter_map(|task| std::fs::read_to_string(task.path().join("children")).ok())
        .flat_map(|line| {
            line.split_whitespace()
                .filter_map(|child| child.parse().ok())
                .collect::<Vec<i32>>()
        })
        .collect()
}

/// Status and body of a GET; none while nobody answers.
pub async fn get(address: SocketAddr, path: &str) -> Option<(u16, String)> {
    let mut stream = tokio::net::TcpStream::connect(address).await.ok()?;
    let request = format!("GET {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.ok()?;
    let mut text = String::new();
    stream.read_to_string(&mut text).await.ok()?;
    let status = text.split_whitespace().nth(1)?.parse().ok()?;
    let body = text.split_once("\r\n\r\n")?.1.to_owned();
    Some((status, body))
}
