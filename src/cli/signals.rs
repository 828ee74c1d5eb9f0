//! Being told to stop.

use anyhow::Context as _;
use tokio::signal::unix::{Signal, SignalKind, signal};

/// SIGTERM and SIGINT. From the moment that they are listened for they end nobody by themselves.
pub struct Stops {
    term: Signal,
    int: Signal,
}

impl Stops {
    /// Listens.
    ///
    /// # Errors
    /// When the system does not let us.
    pub fn listen() -> anyhow::Result<Self> {
        Ok(Self {
            term: signal(SignalKind::terminate()).context("SIGTERM can't be listened for")?,
            int: signal(SignalKind::interrupt()).context("SIGINT can't be listened for")?,
        })
    }

    /// Waits until we are told to stop, once more.
    pub async fn next(&mut self) {
        tokio::select! {
            _ = self.term.recv() => {}
            _ = self.int.recv() => {}
        }
    }
}

/// Waits for SIGTERM or SIGINT.
pub async fn stop_requested() {
    match Stops::listen() {
        Ok(mut stops) => stops.next().await,
        // Without handlers the signals end the process by themselves.
        Err(_) => std::future::pending().await,
    }
}
