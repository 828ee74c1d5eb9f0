//! The numbers that Prometheus reads. The only place that names its library.
//!
//! What was decided, given and ended is counted from the record (`tally`): an entry is counted once it
//! is durable, and nothing on the way there is slowed. What leaves no entry is counted where it
//! happens. No label holds an id, a name of somebody or a text that was typed: all of its values are
//! known when the process starts.

mod numbers;
mod tally;

use std::time::Duration;

use prometheus_client::encoding::prometheus_text;
use prometheus_client::registry::Registry;

use self::numbers::Numbers;
use crate::domain::standing::{LANE_KINDS, Standing};
use crate::domain::timing::Timestamp;

pub use tally::Counted;

/// What a response with these numbers is.
pub const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// Which call to a target took its time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TargetCall {
    /// Giving access.
    Issue,
    /// Taking it away, and asking whether it is gone.
    Revoke,
}

/// Why a chat platform did not do what it was asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChatError {
    /// It wants to be left alone for a while.
    RateLimited,
    /// It was not done; it is tried again.
    Retry,
    /// Nobody knows whether it was done.
    Unknown,
    /// The channel can't be posted to.
    NoPlace,
    /// It never can be done.
    Permanent,
}

impl ChatError {
    const ALL: [Self; 5] = [
        Self::RateLimited,
        Self::Retry,
        Self::Unknown,
        Self::NoPlace,
        Self::Permanent,
    ];

    const fn as_str(self) -> &'static str {
        match self {
            Self::RateLimited => "rate_limited",
            Self::Retry => "retry",
            Self::Unknown => "unknown",
            Self::NoPlace => "no_place",
            Self::Permanent => "permanent",
        }
    }
}

/// What became of a beat that was due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Beat {
    /// Whoever watches took it.
    Taken,
    /// It was sent, or could not be, and nobody took it.
    NotTaken,
    /// It was not sent, since the bot does not work.
    Withheld,
}

impl Beat {
    const ALL: [Self; 3] = [Self::Taken, Self::NotTaken, Self::Withheld];

    const fn as_str(self) -> &'static str {
        match self {
            Self::Taken => "taken",
            Self::NotTaken => "not_taken",
            Self::Withheld => "withheld",
        }
    }
}

/// The numbers of one process.
pub struct Metrics {
    registry: Registry,
    numbers: Numbers,
}

impl Default for Metrics {
    fn default() -> Self {
        let mut registry = Registry::with_prefix("jitbot");
        let numbers = Numbers::registered(&mut registry);
        // A counter that appears with its first event is one whose first event no alert sees.
        for outcome in ["taken_up", "refused"] {
            drop(numbers.reloads.get_or_create(&[("outcome", outcome)]));
        }
        for beat in Beat::ALL {
            let of = [("outcome", beat.as_str())];
            drop(numbers.heartbeats.get_or_create(&of));
        }
        for (by, decision) in [
            ("person", "approved"),
            ("person", "denied"),
            ("rule", "approved"),
        ] {
            let of = [("by", by), ("decision", decision)];
            drop(numbers.decisions.get_or_create(&of));
        }
        Self { registry, numbers }
    }
}

impl Metrics {
    /// This platform is served: what is counted of it begins at zero.
    pub fn serves(&self, platform: &'static str) {
        let numbers = &self.numbers;
        drop(numbers.unanswered.get_or_create(&[("platform", platform)]));
        for error in ChatError::ALL {
            let of = [("platform", platform), ("kind", error.as_str())];
            drop(numbers.chat_errors.get_or_create(&of));
        }
    }

    /// Something that somebody did was answered after this long, or not at all.
    pub fn answered(&self, platform: &'static str, took: Duration, well: bool) {
        let of = [("platform", platform)];
        if well {
            let answers = self.numbers.answers.get_or_create(&of);
            answers.observe(took.as_secs_f64());
        } else {
            self.numbers.unanswered.get_or_create(&of).inc();
        }
    }

    /// A call to a target took so long.
    pub fn called(&self, call: TargetCall, took: Duration) {
        let durations = match call {
            TargetCall::Issue => &self.numbers.issues,
            TargetCall::Revoke => &self.numbers.revokes,
        };
        durations.observe(took.as_secs_f64());
    }

    /// A chat platform did not do what it was asked.
    pub fn chat_failed(&self, platform: &'static str, error: ChatError) {
        let of = [("platform", platform), ("kind", error.as_str())];
        self.numbers.chat_errors.get_or_create(&of).inc();
    }

    /// A config was read again, and taken up or not.
    pub fn reloaded(&self, taken_up: bool) {
        let outcome = if taken_up { "taken_up" } else { "refused" };
        self.numbers
            .reloads
            .get_or_create(&[("outcome", outcome)])
            .inc();
    }

    /// A beat was due.
    pub fn beat(&self, beat: Beat) {
        let of = [("outcome", beat.as_str())];
        self.numbers.heartbeats.get_or_create(&of).inc();
    }

    /// Counts an entry of the record.
    pub fn counted(&self, entry: &Counted) {
        self.numbers.count(entry);
    }

    /// Shows what goes on now.
    pub fn show(&self, standing: &Standing, now: Timestamp) {
        let numbers = &self.numbers;
        numbers.live.set(standing.live);
        numbers.stuck.set(standing.stuck);
        numbers.pending.set(standing.pending);
        for kind in LANE_KINDS {
            let waits = standing.waiting.iter().find(|w| w.lane_kind == kind);
            let of = [("lane", kind)];
            let count = waits.map_or(0, |waits| waits.count);
            numbers.jobs_waiting.get_or_create(&of).set(count);
            let age_s = waits.map_or(0.0, |waits| seconds(now, waits.oldest_due));
            numbers.oldest_job.get_or_create(&of).set(age_s);
        }
        for facts in &standing.facts {
            let of = [
                ("source", facts.source.clone()),
                ("facts", facts.of.as_str().to_owned()),
            ];
            let age_s = seconds(now, facts.last);
            numbers.fact_age.get_or_create(&of).set(age_s);
        }
    }

    /// Shows whether a check of readiness holds.
    pub fn show_ready(&self, ready: bool) {
        self.numbers.ready.set(i64::from(ready));
    }

    /// All of it as Prometheus reads it.
    ///
    /// # Errors
    /// Never in practice: text is written into memory.
    pub fn text(&self) -> Result<String, std::fmt::Error> {
        let mut text = String::new();
        prometheus_text::encode(&mut text, &self.registry)?;
        Ok(text)
    }
}

fn seconds(now: Timestamp, then: Timestamp) -> f64 {
    (now - then).to_std().unwrap_or_default().as_secs_f64()
}
