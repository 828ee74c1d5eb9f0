//! A limit on the size of files (`ulimit -f`, systemd's `LimitFSIZE`), which a database can meet as it
//! grows.

use tokio::signal::unix::{SignalKind, signal};

/// From here on a file that may grow no more, by a limit of the process, is a failed write like any
/// other. Without this the first such write would end the process.
pub(super) fn survive() {
    // Where it can't be listened for, what the system does by itself stays.
    if let Ok(mut too_large) = signal(SignalKind::from_raw(nix::libc::SIGXFSZ)) {
        tokio::spawn(async move { while too_large.recv().await.is_some() {} });
    }
}
