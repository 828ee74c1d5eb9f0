//! When is a started server ready, and who is it?

use std::{
    fs, io,
    net::SocketAddr,
    path::Path,
    time::{Duration, Instant},
};

use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, BufReader},
    net::TcpStream,
};

use super::TargetError;
use crate::sandbox::ssh::child::Child;

/// How long a server may take from its start until it listens.
pub const LISTENS_WITHIN: Duration = Duration::from_secs(10);
/// How often a starting server's log is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(20);
/// How long a server that listens may take to name itself.
const BANNER_WITHIN: Duration = Duration::from_secs(1);
/// The longest first line of a server that is read, in bytes (RFC 4253, 4.2: 255 with its line break).
const BANNER_MAX: u64 = 255;
/// How many of its last lines in the log a server that does not listen is quoted with.
const QUOTED_LINES: usize = 5;

/// Waits until the log, behind its first `before` bytes, says that the server listens; then reads how it names itself.
///
/// The log is asked first and not the port: another program's server could answer on the port.
pub(super) async fn listening(
    child: &Child,
    addr: SocketAddr,
    log: &Path,
    before: u64,
) -> Result<String, TargetError> {
    let started = Instant::now();
    let said = format!("Server listening on {} port {}", addr.ip(), addr.port());
    loop {
        // Looked at before the log: a server that ends has written its reason by then.
        let alive = child.alive();
        let text = read_log(log, before)?;
        if text.contains("Address already in use") {
            return Err(TargetError::PortTaken { port: addr.port() });
        }
        if text.contains(&said)
            && let Ok(banner) = banner(addr).await
        {
            return Ok(banner);
        }
        if !alive || started.elapsed() > LISTENS_WITHIN {
            let mut last: Vec<&str> = text.lines().rev().take(QUOTED_LINES).collect();
            last.reverse();
            let log = if last.is_empty() {
                "(it is empty)".into()
            } else {
                last.join(" | ")
            };
            return Err(TargetError::NotListening { addr, log });
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

/// The server's first line without its line break and protocol version: `OpenSSH_9.2p1 Debian-2`.
async fn banner(addr: SocketAddr) -> io::Result<String> {
    let read = async {
        let stream = TcpStream::connect(addr).await?;
        let mut line = String::new();
        BufReader::new(stream.take(BANNER_MAX))
            .read_line(&mut line)
            .await?;
        Ok::<_, io::Error>(line)
    };
    let line = tokio::time::timeout(BANNER_WITHIN, read).await??;
    line.trim_end()
        .strip_prefix("SSH-2.0-")
        .map(str::to_owned)
        .ok_or_else(|| io::Error::other("that is no SSH server"))
}

pub(super) fn read_log(path: &Path, from: u64) -> Result<String, TargetError> {
    match fs::read(path) {
        Ok(bytes) => {
            let from = usize::try_from(from).unwrap_or(usize::MAX).min(bytes.len());
            Ok(String::from_utf8_lossy(&bytes[from..]).into_owned())
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(String::new()),
        Err(source) => Err(TargetError::file("read", path, source)),
    }
}
