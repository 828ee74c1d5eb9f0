//! The only place that reads a clock.
//!
//! Everything else is told what time it is. `now` is the engine's time; `machine_now` is the time
//! that other programs on this machine and the targets judge by. They are the same, except in
//! rehearsals and tests, where the engine's can be set or sped up.
#![expect(
    clippy::disallowed_methods,
    reason = "this is the one file that may read the machine's clock"
)]

use std::path::PathBuf;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use chrono::{DateTime, TimeDelta, Utc};

pub use crate::domain::steady::{Jump, Steady};
pub use crate::domain::timing::Timestamp;

/// Source of time.
pub trait Clock: Send + Sync + 'static {
    /// The engine's time, in whole milliseconds.
    fn now(&self) -> Timestamp;

    /// The machine's time, by which targets judge, in whole milliseconds.
    fn machine_now(&self) -> Timestamp;

    /// The machine's clock was set anew a short while ago, so what targets would be told can't be
    /// trusted.
    fn jump(&self) -> Option<Jump> {
        None
    }
}

/// How long something takes, by the clock that nobody can set.
#[derive(Debug, Clone, Copy)]
pub struct Stopwatch(Instant);

impl Stopwatch {
    /// From now on.
    #[must_use]
    pub fn start() -> Self {
        Self(Instant::now())
    }

    /// So far.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        self.0.elapsed()
    }
}

/// The machine's clock, held against the one that nobody can set.
#[derive(Debug)]
pub struct SystemClock(Mutex<(Instant, Steady)>);

impl SystemClock {
    /// Starts at the machine's time.
    #[must_use]
    pub fn new() -> Self {
        Self(Mutex::new((Instant::now(), Steady::at(machine_now()))))
    }

    fn read(&self) -> Steady {
        let mut held = self
            .0
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        // Whole milliseconds only, so that none are lost however often it is asked.
        let elapsed_ms = u64::try_from(held.0.elapsed().as_millis()).unwrap_or(u64::MAX);
        held.0 += Duration::from_millis(elapsed_ms);
        let elapsed = TimeDelta::milliseconds(i64::try_from(elapsed_ms).unwrap_or(i64::MAX));
        held.1.go_on(machine_now(), elapsed);
        held.1
    }
}

impl Default for SystemClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        self.read().now()
    }

    fn machine_now(&self) -> Timestamp {
        machine_now()
    }

    fn jump(&self) -> Option<Jump> {
        self.read().jump()
    }
}

/// The machine's time now, in whole milliseconds: what is stored is what was read.
#[must_use]
pub fn machine_now() -> Timestamp {
    let now = Utc::now();
    DateTime::from_timestamp_millis(now.timestamp_millis()).unwrap_or(now)
}

/// A clock that stands still until it is moved. For tests and simulations.
#[derive(Debug)]
pub struct ManualClock {
    now: Mutex<Timestamp>,
    jump: Mutex<Option<Jump>>,
    /// By how much its machine's clock is ahead of the true one.
    machine_ahead: Mutex<TimeDelta>,
}

impl ManualClock {
    /// Starts at the given instant.
    #[must_use]
    pub fn at(now: Timestamp) -> Self {
        Self {
            now: Mutex::new(now),
            jump: Mutex::new(None),
            machine_ahead: Mutex::new(TimeDelta::zero()),
        }
    }

    /// Moves on together with the machine's clock: what targets would still accept moves on too.
    pub fn advance_both(&self, by: TimeDelta) {
        self.advance(by);
        *self
            .machine_ahead
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner) += by;
    }

    /// From now on the machine's clock counts as set anew, or no longer.
    pub fn set_jump(&self, jump: Option<Jump>) {
        *self
            .jump
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner) = jump;
    }

    /// Moves on, or back with a negative step.
    pub fn advance(&self, by: TimeDelta) {
        let mut now = self
            .now
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        *now += by;
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        *self
            .now
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    fn machine_now(&self) -> Timestamp {
        machine_now()
            + *self
                .machine_ahead
                .lock()
                .unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    fn jump(&self) -> Option<Jump> {
        *self
            .jump
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

/// The machine's clock plus what a file says, in milliseconds. Only for rehearsals against a
/// sandbox, where a person lets an hour pass in a second.
#[derive(Debug)]
pub struct RehearsalClock {
    offset_file: PathBuf,
    last: Mutex<TimeDelta>,
}

impl RehearsalClock {
    /// Follows the file; as long as it can't be read, the last known offset holds.
    #[must_use]
    pub fn following(offset_file: PathBuf) -> Self {
        Self {
            offset_file,
            last: Mutex::new(TimeDelta::zero()),
        }
    }
}

impl Clock for RehearsalClock {
    fn now(&self) -> Timestamp {
        let mut last = self
            .last
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        let read = std::fs::read_to_string(&self.offset_file)
            .ok()
            .and_then(|text| text.trim().parse::<i64>().ok())
            .and_then(TimeDelta::try_milliseconds);
        if let Some(offset) = read {
            *last = offset;
        }
        machine_now() + *last
    }

    fn machine_now(&self) -> Timestamp {
        machine_now()
    }
}
