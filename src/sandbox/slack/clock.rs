//! The sandbox's own clock: the machine's, plus what `advance` added. Trigger ids, response addresses,
//! message timestamps and redelivery go by it; the three seconds of a command or press go by real time.

#![expect(
    clippy::disallowed_methods,
    reason = "the sandbox plays the world outside, whose clock is its own: this is it"
)]

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use tokio::sync::watch;

pub(super) struct Clock {
    started: Instant,
    started_epoch: Duration,
    advanced_ms: watch::Sender<u64>,
}

impl Clock {
    pub(super) fn new() -> Clock {
        Clock {
            started: Instant::now(),
            // A machine set before 1970 only makes the timestamps small.
            started_epoch: SystemTime::now()
                .duration_since(UNIX_EPOCH)
                .unwrap_or_default(),
            advanced_ms: watch::Sender::new(0),
        }
    }

    /// Microseconds since 1970.
    pub(super) fn now_us(&self) -> u64 {
        let real = self.started_epoch + self.started.elapsed();
        let real_us = u64::try_from(real.as_micros()).unwrap_or(u64::MAX);
        real_us.saturating_add(self.advanced_ms.borrow().saturating_mul(1000))
    }

    /// Milliseconds since 1970.
    pub(super) fn now_ms(&self) -> u64 {
        self.now_us() / 1000
    }

    /// Seconds since 1970.
    pub(super) fn now_s(&self) -> u64 {
        self.now_us() / 1_000_000
    }

    pub(super) fn advance(&self, by_ms: u64) {
        self.advanced_ms
            .send_modify(|advanced| *advanced = advanced.saturating_add(by_ms));
    }

    /// Returns when this clock (not the machine's) has gone on by `wait_ms`.
    pub(super) async fn wait(&self, wait_ms: u64) {
        let mut moved = self.advanced_ms.subscribe();
        let until_ms = self.now_ms().saturating_add(wait_ms);
        loop {
            let left_ms = until_ms.saturating_sub(self.now_ms());
            if left_ms == 0 {
                return;
            }
            tokio::select! {
                () = real_wait(left_ms) => {}
                // An error would mean that the clock is gone, and it is borrowed here.
                _ = moved.changed() => {}
            }
        }
    }
}

/// Waits in real time.
pub(super) async fn real_wait(wait_ms: u64) {
    tokio::time::sleep(Duration::from_millis(wait_ms)).await;
}

/// Comes round again and again in real time, however busy its owner is between.
pub(super) struct Ticker(tokio::time::Interval);

impl Ticker {
    pub(super) fn every(period_ms: u64) -> Ticker {
        let period = Duration::from_millis(period_ms);
        Ticker(tokio::time::interval_at(
            tokio::time::Instant::now() + period,
            period,
        ))
    }

    pub(super) async fn tick(&mut self) {
        self.0.tick().await;
    }
}

/// Measures real time.
pub(super) struct Stopwatch(Instant);

impl Stopwatch {
    pub(super) fn start() -> Stopwatch {
        Stopwatch(Instant::now())
    }

    pub(super) fn elapsed_ms(&self) -> u64 {
        self.elapsed_us() / 1000
    }

    pub(super) fn elapsed_us(&self) -> u64 {
        u64::try_from(self.0.elapsed().as_micros()).unwrap_or(u64::MAX)
    }
}
