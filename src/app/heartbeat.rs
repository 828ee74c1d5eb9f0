//! Tells whoever watches that the bot works, so that a dead one is noticed: a beat goes out while the
//! worker's loop turns and the database takes writes, and only then.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, anyhow};
use arc_swap::ArcSwapOption;
use tokio::sync::Notify;
use tokio::task::JoinHandle;

use super::condition::Condition;
use crate::config::{Config, heartbeat};
use crate::http::Probes as _;
use crate::metrics::{Beat, Metrics};
use crate::web_call::{self, Destination, NoReply, trust};

/// How long a beat may take.
const BEAT_MAX: Duration = Duration::from_secs(10);

/// When the first beat is due: by then the loop turns.
const FIRST_AFTER: Duration = Duration::from_secs(1);

/// What of an answer is read: nothing is done with it.
const ANSWER_MAX_BYTES: usize = 64 * 1024;

/// Where beats go, and how often.
pub(super) struct Rhythm {
    to: Destination,
    every: Duration,
}

impl Rhythm {
    /// As the config says; none where it wants none.
    pub(super) fn of(config: &Config) -> anyhow::Result<Option<Self>> {
        let Some(wanted) = &config.heartbeat else {
            return Ok(None);
        };
        let secret = wanted.url.read().context("heartbeat.url")?;
        let url = heartbeat::address(&secret, wanted.allow_private)
            .map_err(|why| anyhow!("heartbeat.url {why}"))?;
        let tls = match url.scheme() {
            "https" => Some(Arc::new(trust::tls(None).map_err(anyhow::Error::msg)?)),
            _ => None,
        };
        let every_s = u64::try_from(wanted.every_s).unwrap_or(u64::MAX);
        Ok(Some(Self {
            to: Destination {
                url,
                allow_private: wanted.allow_private,
                tls,
            },
            every: Duration::from_secs(every_s),
        }))
    }

    /// One beat; why it was not taken. The address is a secret, its host too.
    async fn send(&self) -> Result<(), String> {
        let call = web_call::get(&self.to, ANSWER_MAX_BYTES);
        let why = match tokio::time::timeout(BEAT_MAX, call).await {
            Ok(Ok(reply)) if (200..300).contains(&reply.status) => return Ok(()),
            Ok(Ok(reply)) => format!("it was answered with status {}", reply.status),
            // What they say names the host, or where it is.
            Ok(Err(NoReply::NotSent(_))) => {
                "it can't be reached, or its certificate is none".to_owned()
            }
            Ok(Err(NoReply::Lost(_))) => "the connection ended without an answer".to_owned(),
            Err(_) => format!("no answer within {} s", BEAT_MAX.as_secs()),
        };
        Err(why)
    }
}

/// Sends beats until it is dropped.
pub(super) struct Heartbeat {
    rhythm: Arc<ArcSwapOption<Rhythm>>,
    changed: Arc<Notify>,
    beating: JoinHandle<()>,
}

impl Heartbeat {
    /// Begins.
    pub(super) fn start(
        rhythm: Option<Rhythm>,
        condition: Arc<Condition>,
        metrics: Arc<Metrics>,
    ) -> Self {
        let rhythm = Arc::new(ArcSwapOption::from_pointee(rhythm));
        let changed = Arc::new(Notify::new());
        let heart = Heart {
            rhythm: rhythm.clone(),
            changed: changed.clone(),
            condition,
            metrics,
            complained: None,
        };
        Self {
            rhythm,
            changed,
            beating: tokio::spawn(heart.run()),
        }
    }

    /// Goes on like this, at once.
    pub(super) fn take_up(&self, rhythm: Option<Rhythm>) {
        self.rhythm.store(rhythm.map(Arc::new));
        self.changed.notify_one();
    }
}

impl Drop for Heartbeat {
    fn drop(&mut self) {
        self.beating.abort();
    }
}

struct Heart {
    rhythm: Arc<ArcSwapOption<Rhythm>>,
    changed: Arc<Notify>,
    condition: Arc<Condition>,
    metrics: Arc<Metrics>,
    /// Why the last beat was missed, so that what repeats is logged once.
    complained: Option<String>,
}

impl Heart {
    async fn run(mut self) {
        let _ = tokio::time::timeout(FIRST_AFTER, self.changed.notified()).await;
        loop {
            match self.rhythm.load_full() {
                None => self.changed.notified().await,
                Some(rhythm) => {
                    self.beat(&rhythm).await;
                    // Running out is the next beat.
                    let _ = tokio::time::timeout(rhythm.every, self.changed.notified()).await;
                }
            }
        }
    }

    async fn beat(&mut self, rhythm: &Rhythm) {
        let (health, store) = tokio::join!(self.condition.health(), self.condition.store());
        let (beat, missed) = match health.and(store) {
            Err(why) => (Beat::Withheld, Some(format!("none is sent: {why}"))),
            Ok(()) => match rhythm.send().await {
                Ok(()) => (Beat::Taken, None),
                Err(why) => (Beat::NotTaken, Some(format!("it was not taken: {why}"))),
            },
        };
        self.metrics.beat(beat);
        if self.complained == missed {
            return;
        }
        match &missed {
            Some(why) => tracing::warn!("the heartbeat is missed; {why}"),
            None => tracing::info!("the heartbeat is heard again"),
        }
        self.complained = missed;
    }
}
