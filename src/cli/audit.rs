//! `jitbot audit`: verify or export the record, beside a running bot or without one.

use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context as _, anyhow};
use chrono::{DateTime, NaiveDate};
use clap::Subcommand;

use crate::domain::audit::{AuditEntry, Head};
use crate::domain::audit_verify::Verifier;
use crate::domain::timing::Timestamp;
use crate::store::Store as _;
use crate::store::sqlite::SqliteStore;

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
    let mut verifier = Verifier::new(expected);
    let mut after = 0;
    loop {
        let page = reader.audit_after(after, PAGE).await?;
        let Some(last) = page.last() else { break };
        after = last.seq;
        for entry in &page {
            if let Err(broken) = verifier.take(entry) {
                println!("broken: {broken}");
                return Ok(ExitCode::from(1));
            }
        }
    }
    match verifier.finish() {
        Err(broken) => {
            println!("broken: {broken}");
            Ok(ExitCode::from(1))
        }
        Ok(head) if compared => {
            println!(
                "verified: {} entries fit, and fit the head given; head {head}",
                head.count
            );
            Ok(ExitCode::SUCCESS)
        }
        Ok(head) => {
            println!(
                "consistent in itself, not compared: {} entries; head {head}",
                head.count
            );
            Ok(ExitCode::SUCCESS)
        }
    }
}

async fn export(db: &std::path::Path, since: Option<&str>) -> anyhow::Result<ExitCode> {
    let since_ms = since
        .map(moment)
        .transpose()?
        .map(|at| at.timestamp_millis());
    let store = SqliteStore::open_read_only(&db.display().to_string()).await?;
    let mut reader = store.reader().await?;
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
