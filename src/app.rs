//! Builds everything and shuts it down in order. The only place that names concrete adapters,
//! stores and issuers.

mod condition;
mod guard;
mod heartbeat;
mod issuers;
mod people;
mod places;
mod reload;
mod tokens;

pub mod inspection;
pub mod issuer_bench;

pub use issuers::offline_problems;
pub use reload::Refused;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::{Context as _, anyhow};
use arc_swap::ArcSwap;
use async_trait::async_trait;
use tokio::sync::{Mutex, watch};
use tokio::task::JoinHandle;

use self::condition::Condition;
use self::heartbeat::{Heartbeat, Rhythm};
use self::issuers::BuiltIssuers;
use self::reload::{Fixed, Reloads};
use self::tokens::{Exchanger, Tokens};
use crate::chat::port::{Inbox, Outbox, Unanswered};
use crate::chat::slack::client::{BotToken, SlackSettings};
use crate::chat::slack::me::Me;
use crate::chat::slack::send::SlackOutbox;
use crate::chat::slack::socket_mode::{Listener, listen};
use crate::clock::Clock;
use crate::config::Config;
use crate::domain::answer::Answer;
use crate::domain::command::Inbound;
use crate::domain::outcome::PlaceTrouble;
use crate::effects::Effects;
use crate::http;
use crate::http::Probes as _;
use crate::issuer::Registry;
use crate::metrics::Metrics;
use crate::policy::Policy;
use crate::service::{DigestSchedule, InForce, Service};
use crate::store::sqlite::SqliteStore;
use crate::store::{Store, StoreError};
use crate::worker::Worker;

/// What the worker's stop may take, where even giving up on what is in flight hangs: a little longer
/// than it takes by itself.
const STOP_WITHIN: Duration = Duration::from_secs(58);

/// A running bot.
pub struct App {
    service: Arc<Service>,
    store: Arc<dyn Store>,
    worker: Arc<Worker>,
    listener: Listener,
    http: Option<http::Running>,
    working: Option<(watch::Sender<bool>, JoinHandle<()>)>,
    head: String,
    reloads: Reloads,
    metrics: Arc<Metrics>,
    /// A stop was asked for.
    stopping: Arc<AtomicBool>,
    heartbeat: Heartbeat,
    condition: Arc<Condition>,
}

struct Front {
    service: Arc<Service>,
    metrics: Arc<Metrics>,
}

#[async_trait]
impl Inbox for Front {
    async fn handle(&self, inbound: Inbound) -> Result<Answer, Unanswered> {
        self.service
            .handle(inbound)
            .await
            .map_err(|error| Unanswered(error.to_string()))
    }

    fn answered(&self, platform: &'static str, took: Duration, well: bool) {
        self.metrics.answered(platform, took, well);
    }
}

impl App {
    /// Builds everything but lets no job run yet.
    ///
    /// # Errors
    /// What keeps it from starting, in words for the operator.
    pub async fn build(config: &Config, clock: Arc<dyn Clock>) -> anyhow::Result<Self> {
        // The lock comes first: a second process must not even connect.
        let file = config.store.path.display().to_string();
        let named = |error: anyhow::Error| {
            let said = format!("{error:#}");
            match error.downcast_ref::<StoreError>() {
                Some(StoreError::Database(why)) if !why.contains(&file) => {
                    anyhow!("{file}: {said}")
                }
                _ => error,
            }
        };
        let open = SqliteStore::open(&file, clock.clone()).await;
        let store: Arc<dyn Store> = Arc::new(open.map_err(|error| named(error.into()))?);
        let built = Self::build_over(store.clone(), config, clock)
            .await
            .map_err(named);
        if built.is_err() {
            // The lock goes with it, before whoever asked tries again.
            store.close().await;
        }
        built
    }

    async fn build_over(
        store: Arc<dyn Store>,
        config: &Config,
        clock: Arc<dyn Clock>,
    ) -> anyhow::Result<Self> {
        let tokens = Tokens::read(config).map_err(|lines| anyhow!(lines.join("\n")))?;
        let calls = BotToken::of(&tokens.bot);
        let settings = SlackSettings {
            api_url: config.slack.api_url.clone(),
            bot_token: calls.clone(),
        };
        let outbox = SlackOutbox::connect(&settings)?;
        let outbox = Arc::new(outbox);
        let me = outbox
            .whoami()
            .await
            .map_err(|failure| anyhow!("Slack does not say who the bot token is for: {failure}"))?
            .clone();
        outbox
            .check_app_token(&tokens.app)
            .await
            .map_err(|failure| anyhow!("no socket can be opened with the app token: {failure}"))?;
        let rhythm = Rhythm::of(config)?;
        let built = BuiltIssuers::build(config, &BuiltIssuers::default(), &clock)?;
        let (policy, lost) = policy_of(config, &built, &outbox, &me, &*store).await?;
        let policy = Arc::new(policy);
        places::refuse_lost(&*store, &lost, clock.machine_now()).await?;
        guard::refuse_orphans(&*store, &policy, clock.machine_now()).await?;

        let service = Arc::new(Service::new(
            store.clone(),
            InForce {
                policy,
                schedule: schedule_of(config),
                keep: config.store.keep,
            },
            Arc::new(rand::random::<u64>),
        ));
        built.read_through(&service);
        let metrics = Arc::new(Metrics::default());
        let before = service.head().await?.count;
        let head = service.start().await?.to_string();
        tracing::info!(audit.head = %head, "started");
        service.take_up_places(lost).await?;

        let desks = Arc::new(ArcSwap::from_pointee(built.desks()));
        let registry = Arc::new(Registry::new(built.instances()));
        let outboxes: Vec<Arc<dyn Outbox>> = vec![outbox.clone()];
        let effects = Effects::new(service.clone(), outboxes, registry.clone())
            .with_directories(vec![outbox.clone()])
            .counting(metrics.clone());
        let worker = Arc::new(Worker::new(
            store.clone(),
            Arc::new(effects),
            service.clone(),
            clock.clone(),
        ));
        let front = Arc::new(Front {
            service: service.clone(),
            metrics: metrics.clone(),
        });
        let listener = listen(&settings, &tokens.app, front, me.clone()).await?;
        let tokens = Arc::new(ArcSwap::from_pointee(tokens));
        let stopping = Arc::new(AtomicBool::new(false));
        let condition = Arc::new(Condition {
            stopping: stopping.clone(),
            service: service.clone(),
            worker: worker.clone(),
            metrics: metrics.clone(),
            outbox: outbox.clone(),
            tokens: tokens.clone(),
            sockets: listener.sockets(),
            counted: Mutex::new(before),
            store_said: Mutex::default(),
            slack_said: Mutex::default(),
            numbers: Mutex::default(),
        });
        let heartbeat = Heartbeat::start(rhythm, condition.clone(), metrics.clone());
        let http = match &config.http {
            Some(settings) => {
                let listen = settings.listen;
                let routes = http::Routes {
                    desks: desks.clone(),
                    clock: clock.clone(),
                    probes: condition.clone(),
                };
                let running = http::Server::start(listen, routes)
                    .await
                    .with_context(|| format!("http.listen = {listen} can't be listened on"))?;
                Some(running)
            }
            None => None,
        };
        let reloads = Reloads {
            outbox,
            me,
            clock,
            registry,
            desks,
            fixed: Fixed::of(config),
            tokens: Exchanger {
                in_use: tokens,
                calls,
            },
            built: Mutex::new(built),
        };
        Ok(Self {
            service,
            store,
            worker,
            listener,
            http,
            working: None,
            head,
            reloads,
            metrics,
            stopping,
            heartbeat,
            condition,
        })
    }

    /// Whether the worker's loop turns: what is due is done.
    pub async fn works(&self) -> bool {
        self.condition.health().await.is_ok()
    }

    /// Lets jobs run by themselves from here on.
    pub fn start_working(&mut self) {
        let (stop, stopped) = watch::channel(false);
        let running = tokio::spawn(self.worker.clone().run(stopped));
        self.working = Some((stop, running));
    }

    /// Waits a moment until people are known.
    pub async fn wait_for_people(&self) {
        people::wait_for_people(&self.service, &*self.store).await;
    }

    /// The end of the record at the start.
    #[must_use]
    pub fn head(&self) -> &str {
        &self.head
    }

    /// The engine's front.
    #[must_use]
    pub fn service(&self) -> &Arc<Service> {
        &self.service
    }

    /// The worker, for who steps it by hand.
    #[must_use]
    pub fn worker(&self) -> &Arc<Worker> {
        &self.worker
    }

    /// The store.
    #[must_use]
    pub fn store(&self) -> &Arc<dyn Store> {
        &self.store
    }

    /// Takes nothing more in, finishes what is in flight, closes the store and lets its lock go. Takes
    /// seventy seconds at most.
    pub async fn stop(self) {
        self.stopping.store(true, Ordering::Release);
        drop(self.heartbeat);
        self.listener.shutdown().await;
        if let Some((stop, running)) = self.working {
            // The worker is gone already if nobody listens.
            let _ = stop.send(true);
            if tokio::time::timeout(STOP_WITHIN, running).await.is_err() {
                tracing::warn!(
                    "the worker did not stop in time; its jobs run again at the next start"
                );
            }
        }
        if let Some(http) = self.http {
            http.stop().await;
        }
        self.store.close().await;
    }
}

/// What decides under this config, with every name resolved and everybody's accounts known; and which
/// of its channels can't be posted to.
async fn policy_of(
    config: &Config,
    built: &BuiltIssuers,
    outbox: &SlackOutbox,
    me: &Me,
    store: &dyn Store,
) -> anyhow::Result<(Policy, Vec<PlaceTrouble>)> {
    let (places, lost) = places::resolve(outbox, config).await?;
    let usergroups = people::resolve(outbox, config, store).await?;
    let facts = built.facts(config).await?;
    let mut policy = config.policy(&places, &usergroups.ids, &facts, &|issuer, parameters| {
        built.entitlements(issuer, parameters)
    })?;
    policy.directories.moved = usergroups.moved;
    guard::refuse_other_team(&policy, &me.team_id)?;
    let bound = policy
        .issuers
        .iter()
        .map(|(name, facts)| (name, &facts.bound_to));
    guard::refuse_shared(bound)?;
    Ok((policy, lost))
}

fn schedule_of(config: &Config) -> DigestSchedule {
    let schedule = config.security.digest.clone();
    Arc::new(move |after| schedule.next_after(after))
}
