//! How the process is: what its health, its readiness and its numbers are made of.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use arc_swap::ArcSwap;
use async_trait::async_trait;
use tokio::sync::Mutex;

use super::tokens::InUse;
use crate::chat::slack::send::SlackOutbox;
use crate::chat::slack::sockets::Sockets;
use crate::clock::Stopwatch;
use crate::http::Probes;
use crate::metrics::{self, Counted, Metrics};
use crate::service::{Service, ServiceError};
use crate::worker::Worker;

/// The longest that the worker's loop may take for one turn: a database that others hold makes each
/// turn wait some seconds, and that is no reason to end the process.
const TURN_MAX: Duration = Duration::from_secs(60);

/// How long a check may take before it counts as failed.
const CHECK_MAX: Duration = Duration::from_secs(3);

/// How long what the database said is kept.
const STORE_KEPT: Duration = Duration::from_secs(2);

/// How long what Slack said is kept while it is well, and while it is not: it allows 50 such calls a
/// minute, and the sockets make some of them.
const CHAT_KEPT: (Duration, Duration) = (Duration::from_secs(15), Duration::from_secs(5));

/// How long numbers are kept.
const NUMBERS_KEPT: Duration = Duration::from_secs(2);

/// Entries of the record that are read at once, and how often for one answer.
const ENTRIES: (i64, usize) = (500, 40);

/// What a check said, and when.
type Kept<T> = Mutex<Option<(Stopwatch, T)>>;

pub(super) struct Condition {
    /// A stop was asked for.
    pub(super) stopping: Arc<AtomicBool>,
    pub(super) service: Arc<Service>,
    pub(super) worker: Arc<Worker>,
    pub(super) metrics: Arc<Metrics>,
    pub(super) outbox: Arc<SlackOutbox>,
    pub(super) tokens: InUse,
    pub(super) sockets: Arc<ArcSwap<Sockets>>,
    /// The last entry of the record that was counted.
    pub(super) counted: Mutex<i64>,
    pub(super) store_said: Kept<Result<(), String>>,
    pub(super) slack_said: Kept<Result<(), String>>,
    pub(super) numbers: Kept<String>,
}

#[async_trait]
impl Probes for Condition {
    async fn health(&self) -> Result<(), String> {
        turns(self.worker.since_last_turn())
    }

    async fn readiness(&self) -> Result<(), Vec<String>> {
        if self.stopping.load(Ordering::Acquire) {
            self.metrics.show_ready(false);
            return Err(vec![
                "it was told to stop, and finishes what is in flight".to_owned(),
            ]);
        }
        let (health, store, chat) = tokio::join!(self.health(), self.store(), self.chat());
        let wrong: Vec<String> = [health, store, chat]
            .into_iter()
            .filter_map(Result::err)
            .collect();
        self.metrics.show_ready(wrong.is_empty());
        if wrong.is_empty() { Ok(()) } else { Err(wrong) }
    }

    async fn metrics(&self) -> Result<(&'static str, String), String> {
        let mut kept = self.numbers.lock().await;
        if let Some((since, text)) = &*kept
            && since.elapsed() < NUMBERS_KEPT
        {
            return Ok((metrics::CONTENT_TYPE, text.clone()));
        }
        // Shown with the rest.
        let _ = self.readiness().await;
        // A database that can't be read must not hide what is known without it.
        if let Err(error) = self.read_numbers().await {
            tracing::warn!("numbers could not be read from the database: {error}");
        }
        let text = self.metrics.text().map_err(|error| error.to_string())?;
        *kept = Some((Stopwatch::start(), text.clone()));
        Ok((metrics::CONTENT_TYPE, text))
    }
}

impl Condition {
    /// Whether the database can be read and takes a durable write.
    pub(super) async fn store(&self) -> Result<(), String> {
        let mut kept = self.store_said.lock().await;
        if let Some((since, said)) = &*kept
            && since.elapsed() < STORE_KEPT
        {
            return said.clone();
        }
        let check = async {
            let read = self.service.head().await;
            read.map_err(|error| format!("the store can't be read: {error}"))?;
            let written = self.service.try_to_keep().await;
            written.map_err(|error| format!("the store can't be written: {error}"))
        };
        let said = tokio::time::timeout(CHECK_MAX, check)
            .await
            .unwrap_or_else(|_| Err(too_long("the store did not answer")));
        *kept = Some((Stopwatch::start(), said.clone()));
        said
    }

    async fn chat(&self) -> Result<(), String> {
        if let Some(app) = self.sockets.load().other_app() {
            return Err(format!(
                "slack.app_token is of Slack app {app}, and the bot token is of another: nothing that people do with the bot comes here"
            ));
        }
        if !self.sockets.load().any() {
            return Err(
                "the connection to Slack is down; it is tried again all the time".to_owned(),
            );
        }
        let mut kept = self.slack_said.lock().await;
        if let Some((since, said)) = &*kept {
            let lasts = if said.is_ok() {
                CHAT_KEPT.0
            } else {
                CHAT_KEPT.1
            };
            if since.elapsed() < lasts {
                return said.clone();
            }
        }
        let tokens = self.tokens.load_full();
        let check = self.outbox.check_app_token(&tokens.app);
        let said = match tokio::time::timeout(CHECK_MAX, check).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(failure)) => Err(format!("Slack would open no connection: {failure}")),
            Err(_) => Err(too_long("Slack did not answer")),
        };
        *kept = Some((Stopwatch::start(), said.clone()));
        said
    }

    async fn read_numbers(&self) -> Result<(), ServiceError> {
        let mut counted = self.counted.lock().await;
        for _ in 0..ENTRIES.1 {
            let entries = self.service.recorded_after(*counted, ENTRIES.0).await?;
            let Some(last) = entries.last().map(|entry| entry.seq) else {
                break;
            };
            for entry in &entries {
                let Some(mut what) = Counted::read(entry) else {
                    continue;
                };
                if let Counted::Decided {
                    settled: Some((request, at)),
                    after_s,
                    ..
                } = &mut what
                {
                    let submitted = self.service.submitted_at(request).await?;
                    *after_s = submitted
                        .map(|from| (*at - from).to_std().unwrap_or_default().as_secs_f64());
                }
                self.metrics.counted(&what);
                // Entry by entry, so that what fails on the way counts none twice.
                *counted = entry.seq;
            }
            *counted = last;
        }
        let standing = self.service.standing().await?;
        self.metrics.show(&standing, self.service.now());
        Ok(())
    }
}

fn too_long(what: &str) -> String {
    format!("{what} within {} s", CHECK_MAX.as_secs())
}

/// Whether the worker's loop turns, by how long ago it last did.
fn turns(since: Option<Duration>) -> Result<(), String> {
    match since {
        Some(since) if since <= TURN_MAX => Ok(()),
        Some(since) => Err(format!(
            "the worker's loop has not turned for {} s: due work, also what ends access, stands still",
            since.as_secs()
        )),
        None => Err("the worker's loop has not begun to turn yet".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_loop_that_stands_still_for_longer_than_a_database_may_be_held_is_not_health() {
        assert_eq!(turns(Some(TURN_MAX)), Ok(()));
        let why = turns(Some(TURN_MAX + Duration::from_secs(1))).unwrap_err();
        assert!(why.contains("has not turned for 61 s"), "{why}");
        assert!(turns(None).is_err());
    }
}
