//! The config read again while the bot runs: all of it is taken up, or nothing.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, PoisonError};

use arc_swap::ArcSwap;
use tokio::sync::Mutex;

use super::heartbeat::Rhythm;
use super::issuers::BuiltIssuers;
use super::tokens::Exchanger;
use super::{App, policy_of, schedule_of};
use crate::chat::slack::me::Me;
use crate::chat::slack::send::SlackOutbox;
use crate::clock::Clock;
use crate::config::{Config, Problems, TracesConfig};
use crate::http::routes::Desks;
use crate::issuer::Registry;
use crate::service::{InForce, NotTakenUp};

/// What a reload needs of what was built at the start.
pub(super) struct Reloads {
    pub(super) outbox: Arc<SlackOutbox>,
    pub(super) me: Me,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) registry: Arc<Registry>,
    pub(super) desks: Arc<ArcSwap<Desks>>,
    pub(super) fixed: Fixed,
    pub(super) tokens: Exchanger,
    /// Held for a whole reload: one at a time.
    pub(super) built: Mutex<BuiltIssuers>,
}

/// What can't change while the bot runs.
pub(super) struct Fixed {
    api_url: Option<String>,
    store: PathBuf,
    listen: Option<SocketAddr>,
    traces: Option<serde_json::Value>,
}

impl Fixed {
    pub(super) fn of(config: &Config) -> Self {
        Self {
            api_url: config.slack.api_url.clone(),
            store: config.store.path.clone(),
            listen: config.http.as_ref().map(|http| http.listen),
            traces: config.traces.as_ref().map(TracesConfig::as_written),
        }
    }

    /// What this config says otherwise, one line each.
    fn problems(&self, config: &Config) -> Vec<String> {
        let differs = |key: &str| {
            let hint = "It needs a restart; nothing else of this file was taken up either.";
            let problem = config.problem(key, "can't change while jitbot runs", hint);
            problem.to_string()
        };
        let mut problems = Vec::new();
        let listen = config.http.as_ref().map(|http| http.listen);
        let traces = config.traces.as_ref().map(TracesConfig::as_written);
        for (key, same) in [
            ("slack.api_url", config.slack.api_url == self.api_url),
            ("store.url", config.store.path == self.store),
            ("http.listen", listen == self.listen),
            ("traces", traces == self.traces),
        ] {
            if !same {
                problems.push(differs(key));
            }
        }
        problems
    }
}

/// Why a config was not taken up: one line a problem. What held before holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused(pub Vec<String>);

impl App {
    /// Takes a config up that was read again: all of it or nothing, in one step. A refusal is logged,
    /// recorded and told to security. Returns the end of the record.
    ///
    /// # Errors
    /// [`Refused`]; nothing changed then.
    pub async fn reload(&self, read: Result<Config, Problems>) -> Result<String, Refused> {
        let mut built = self.reloads.built.lock().await;
        let taken_up = match read {
            Ok(config) => self.take_up(&config, &mut built).await,
            Err(problems) => Err(problems.0.iter().map(ToString::to_string).collect()),
        };
        self.metrics.reloaded(taken_up.is_ok());
        match taken_up {
            Ok(head) => {
                tracing::info!(audit.head = %head, "the config was read again and is in force");
                Ok(head)
            }
            Err(problems) => {
                for problem in &problems {
                    tracing::error!("config not taken up: {problem}");
                }
                tracing::error!(
                    problems = problems.len(),
                    "the config was read again and can't be used; nothing changed"
                );
                if let Err(error) = self.service.reload_refused(&problems).await {
                    tracing::error!("security was not told of it: {error}");
                }
                Err(Refused(problems))
            }
        }
    }

    async fn take_up(
        &self,
        config: &Config,
        built: &mut BuiltIssuers,
    ) -> Result<String, Vec<String>> {
        let reloads = &self.reloads;
        let fixed = reloads.fixed.problems(config);
        if !fixed.is_empty() {
            return Err(fixed);
        }
        let (tokens, listener) = (&reloads.tokens, &self.listener);
        let trial = tokens
            .try_out(config, &reloads.outbox, listener, &reloads.me)
            .await?;
        let taken_up = self.take_up_all_else(config, built).await;
        match &taken_up {
            Ok(_) => tokens.settle(trial, listener).await,
            Err(_) => tokens.undo(trial, listener).await,
        }
        taken_up
    }

    async fn take_up_all_else(
        &self,
        config: &Config,
        built: &mut BuiltIssuers,
    ) -> Result<String, Vec<String>> {
        let reloads = &self.reloads;
        let rhythm = Rhythm::of(config).map_err(lines)?;
        let next = BuiltIssuers::build(config, built, &reloads.clock).map_err(lines)?;
        let (policy, lost) = policy_of(config, &next, &reloads.outbox, &reloads.me, &*self.store)
            .await
            .map_err(lines)?;
        let before = self.service.policy();
        let known = before.places();
        let new: Vec<String> = lost
            .iter()
            .filter(|trouble| !known.contains(&trouble.place))
            .map(|trouble| trouble.said.clone())
            .collect();
        if !new.is_empty() {
            return Err(new);
        }
        next.read_through(&self.service);
        let in_force = InForce {
            policy: Arc::new(policy),
            schedule: schedule_of(config),
            keep: config.store.keep,
        };
        let (registry, desks) = (reloads.registry.clone(), reloads.desks.clone());
        let other = std::sync::Mutex::new((Arc::new(next.instances()), Arc::new(next.desks())));
        let also = move || {
            let mut other = other.lock().unwrap_or_else(PoisonError::into_inner);
            *other = (
                registry.exchange(other.0.clone()),
                desks.swap(other.1.clone()),
            );
        };
        let head = self
            .service
            .reload(in_force, Box::new(also))
            .await
            .map_err(|error| match error {
                NotTakenUp::Orphans(left) => left.iter().map(ToString::to_string).collect(),
                NotTakenUp::Store(error) => vec![error.to_string()],
            })?;
        if let Err(error) = self.service.take_up_places(lost).await {
            // It is seen again with the next message there.
            tracing::error!("channels that can't be posted to were not looked after: {error}");
        }
        self.heartbeat.take_up(rhythm);
        for warning in &config.warnings {
            tracing::warn!("{warning}");
        }
        *built = next;
        Ok(head.to_string())
    }
}

fn lines(error: anyhow::Error) -> Vec<String> {
    format!("{error:#}").lines().map(str::to_owned).collect()
}
