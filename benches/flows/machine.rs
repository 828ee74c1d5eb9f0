//! On what it ran.
#![expect(
    clippy::disallowed_methods,
    reason = "it measures a disk, in real time"
)]

use std::io::Write as _;
use std::path::Path;
use std::process::Command;
use std::time::Instant;

use serde::Serialize;

use super::tally::{Spread, spread};

/// How often the disk is asked to sync.
const SYNCS: usize = 200;

/// The machine's shape.
#[derive(Debug, Clone, Serialize)]
pub struct Machine {
    /// Model of the processor.
    pub cpu: String,
    /// Cores that may be used.
    pub cores: usize,
    /// Memory, in GiB.
    pub memory_gib: f64,
    /// Kernel.
    pub kernel: String,
    /// What else ran: the load of the minute before.
    pub load_before: String,
    /// A page appended and `fdatasync`ed, on the disk where the bots keep their databases.
    pub fdatasync: Option<Spread>,
    /// Node.
    pub node: String,
    /// Rust's compiler.
    pub rustc: String,
    /// The repository's commit.
    pub commit: String,
}

impl Machine {
    /// Looks; the folder is where databases will be.
    ///
    /// # Errors
    /// That nothing can be written there.
    pub fn look(folder: &Path) -> anyhow::Result<Self> {
        let read = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
        let field = |text: &str, key: &str| {
            let line = text.lines().find(|line| line.starts_with(key));
            let value = line.and_then(|line| line.split_once(':'));
            value.map_or_else(|| "unknown".to_owned(), |(_, v)| v.trim().to_owned())
        };
        let kib = field(&read("/proc/meminfo"), "MemTotal")
            .trim_end_matches(" kB")
            .parse::<f64>();
        Ok(Self {
            cpu: field(&read("/proc/cpuinfo"), "model name"),
            cores: std::thread::available_parallelism().map_or(0, usize::from),
            memory_gib: kib.unwrap_or(0.0) / 1024.0 / 1024.0,
            kernel: read("/proc/sys/kernel/osrelease").trim().to_owned(),
            load_before: read("/proc/loadavg")
                .split_whitespace()
                .next()
                .unwrap_or_default()
                .to_owned(),
            fdatasync: fdatasync(folder)?,
            node: said("node", &["--version"]),
            rustc: said("rustc", &["--version"]),
            commit: said("git", &["describe", "--always", "--dirty", "--abbrev=12"]),
        })
    }
}

fn said(program: &str, args: &[&str]) -> String {
    let output = Command::new(program).args(args).output();
    match output {
        Ok(output) if output.status.success() => {
            String::from_utf8_lossy(&output.stdout).trim().to_owned()
        }
        _ => "unknown".to_owned(),
    }
}

fn fdatasync(folder: &Path) -> anyhow::Result<Option<Spread>> {
    let path = folder.join("fdatasync");
    let mut file = std::fs::File::create(&path)?;
    let mut took = Vec::with_capacity(SYNCS);
    for _ in 0..SYNCS {
        let begun = Instant::now();
        file.write_all(&[7; 4096])?;
        file.sync_data()?;
        took.push(i64::try_from(begun.elapsed().as_micros())?);
    }
    std::fs::remove_file(path)?;
    Ok(spread(took))
}
