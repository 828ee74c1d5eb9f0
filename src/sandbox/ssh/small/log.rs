//! The small server's log: one line an event, behind the time of the machine's clock.

use std::{
    fs::{File, OpenOptions},
    io::{self, Write},
    path::Path,
    sync::Arc,
};

use chrono::{SecondsFormat, Utc};
use tracing_subscriber::{EnvFilter, fmt::format::Writer, fmt::time::FormatTime};

/// An open log; clones write to the same file.
#[derive(Clone, Debug)]
pub(super) struct Log(Arc<File>);

impl Log {
    /// Opens (and appends to) the log, and sends there what the SSH library has to say as well: it refuses a certificate
    /// that is out of its time, or whose signature is wrong, before it asks us, and says so only to the logger.
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        let file = Arc::new(OpenOptions::new().create(true).append(true).open(path)?);
        tracing_subscriber::fmt()
            .with_env_filter(EnvFilter::new("off,russh=warn"))
            .with_writer(Arc::clone(&file))
            .with_ansi(false)
            .with_timer(Now)
            .try_init()
            .map_err(io::Error::other)?;
        Ok(Self(file))
    }

    /// Adds a line. Control characters within are written as escapes: what clients send cannot forge a line.
    pub(super) fn line(&self, text: &str) {
        // One write per line keeps lines of several connections whole. A full disk must not end the server.
        let _ = (&*self.0).write_all(format!("{} {}\n", now(), printable(text)).as_bytes());
    }
}

/// `text` with its control characters as escapes.
fn printable(text: &str) -> String {
    let mut printable = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_control() {
            printable.extend(c.escape_default())
        } else {
            printable.push(c)
        }
    }
    printable
}

struct Now;

impl FormatTime for Now {
    fn format_time(&self, w: &mut Writer<'_>) -> std::fmt::Result {
        w.write_str(&now())
    }
}

fn now() -> String {
    Utc::now().to_rfc3339_opts(SecondsFormat::Millis, true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_cannot_forge_a_line() {
        assert_eq!(
            printable("für \"x\"\n2026 accepted\u{1b}[2J"),
            "für \"x\"\\n2026 accepted\\u{1b}[2J"
        );
    }
}
