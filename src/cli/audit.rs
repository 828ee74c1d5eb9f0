//! `jitbot audit`: verify or export the record, beside a running bot or without one.

use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context as _, anyhow};
use chrono::{DateTime, NaiveDate};
use clap::Subcommand;

use crate::domain::audit::{AuditEntry, Head};
use crate::domain::audit_verify::{Broken, RemovedEntries, Verified};
use crate::domain::timing::Timestamp;
use crate::store::Store as _;
use crate::store::sqlite::SqliteStore;
use crate::store::verify::verified;

const PAGE: i64 = 1000;

/// What to do with the record.
#[derive(Debug, Subcommand)]
pub enum AuditCommand {
    /// Check every entry against the one before, and the whole against a head that was kept elsewhere.
    Verify {
        /// The database.
        #[arg(long, default_value = "jitbot.db")]
        db: PathBuf,
        /// A head from a digest or log, N:HASH. Without it, a record that was rewritten as a whole,
        /// or cut off at its end, can't be told from a true one.
        #[arg(long)]
        head: Option<Head>,
    },
    /// Print entries as JSON lines.
    Export {
        /// The database.
        #[arg(long, default_value = "jitbot.db")]
        db: PathBuf,
        /// From this moment on: 2026-11-24 or 2026-11-24T09:00:00Z.
        #[arg(long)]
        since: Option<String>,
    },
}

/// Runs it.
///
/// # Errors
/// When the database can't be read, or the moment is none.
pub async fn run(command: AuditCommand) -> anyhow::Result<ExitCode> {
    match command {
        AuditCommand::Verify { db, head } => verify(&db, head).await,
        AuditCommand::Export { db, since } => export(&db, since.as_deref()).await,
    }
}

async fn verify(db: &std::path::Path, expected: Option<Head>) -> anyhow::Result<ExitCode> {
    let store = SqliteStore::open_read_only(&db.display().to_string()).await?;
    let mut reader = store.reader().await?;
    let compared = expected.is_some();
    match verified(&mut *reader, expected).await? {
        Err(broken) => Ok(say_broken(&broken)),
        Ok(verified) => {
            for line in lines(&verified, compared) {
                println!("{line}");
            }
            Ok(ExitCode::SUCCESS)
        }
    }
}

fn say_broken(broken: &Broken) -> ExitCode {
    println!("broken: {broken}");
    ExitCode::from(1)
}

fn lines(verified: &Verified, compared: bool) -> Vec<String> {
    let Verified {
        head,
        removed,
        begins,
        erased: (texts, erasures),
    } = verified;
    let there = head.count - removed.map_or(0, |removed| removed.count);
    let mut lines = vec![if compared {
        format!("verified: {there} entries fit, and fit the head given; head {head}")
    } else {
        format!("consistent in itself, not compared: {there} entries; head {head}")
    }];
    if let Some(removed) = removed {
        lines.push(no_longer_there(removed));
        // A gap before it is nobody's retention: what is there begins where the removed ends.
        if let Some(begins) = begins {
            lines.push(format!(
                "the first entry that is there is of {}",
                begins.format("%Y-%m-%d %H:%M UTC")
            ));
        }
    }
    if *erasures > 0 {
        lines.push(format!(
            "{texts} texts beside them were erased on record, in {erasures} steps"
        ));
    }
    lines
}

fn no_longer_there(removed: &RemovedEntries) -> String {
    format!(
        "entries 1 to {}, of {} to {}, are no longer there: they were removed on record, and the heads of their segments are kept",
        removed.count,
        removed.first_at.format("%Y-%m-%d %H:%M UTC"),
        removed.last_at.format("%Y-%m-%d %H:%M UTC"),
    )
}

async fn export(db: &std::path::Path, since: Option<&str>) -> anyhow::Result<ExitCode> {
    let since_ms = since
        .map(moment)
        .transpose()?
        .map(|at| at.timestamp_millis());
    let store = SqliteStore::open_read_only(&db.display().to_string()).await?;
    let mut reader = store.reader().await?;
    if let Some(removed) = RemovedEntries::of(&reader.removed_segments().await?)
        && since_ms.is_none_or(|since| removed.last_at.timestamp_millis() >= since)
    {
        eprintln!("jitbot: {}", no_longer_there(&removed));
    }
    let mut out = std::io::stdout().lock();
    let mut after = 0;
    loop {
        let page = reader.audit_after(after, PAGE).await?;
        let Some(last) = page.last() else { break };
        after = last.seq;
        for entry in &page {
            let line = line(entry)?;
            if since_ms.is_none_or(|since| line["entry"]["at"].as_i64() >= Some(since)) {
                writeln!(out, "{line}").context("the output was closed")?;
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// `body` is the exact text that was hashed; `entry` the same, parsed.
fn line(entry: &AuditEntry) -> anyhow::Result<serde_json::Value> {
    let parsed: serde_json::Value = serde_json::from_str(&entry.body)
        .with_context(|| format!("entry {} can't be read", entry.seq))?;
    Ok(serde_json::json!({
        "seq": entry.seq,
        "entry": parsed,
        "text": entry.text.as_ref().map(|t| &t.text),
        "salt": entry.text.as_ref().map(|t| &t.salt),
        "body": entry.body,
        "prev": entry.prev,
        "hash": entry.hash,
    }))
}

fn moment(text: &str) -> anyhow::Result<Timestamp> {
    if let Ok(at) = DateTime::parse_from_rfc3339(text) {
        return Ok(at.to_utc());
    }
    NaiveDate::parse_from_str(text, "%Y-%m-%d")
        .ok()
        .and_then(|day| day.and_hms_opt(0, 0, 0))
        .map(|start| start.and_utc())
        .ok_or_else(|| anyhow!("`{text}` is no moment: write 2026-11-24 or 2026-11-24T09:00:00Z"))
}
