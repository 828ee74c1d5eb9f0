//! Builds everything and shuts it down in order. The only place that names concrete adapters,
//! stores and issuers.

mod guard;
mod people;
mod places;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, anyhow, bail};
use async_trait::async_trait;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::chat::port::{Inbox, Outbox, Unanswered};
use crate::chat::slack::client::SlackSettings;
use crate::chat::slack::listen::{Listener, listen};
use crate::chat::slack::send::SlackOutbox;
use crate::clock::{Clock, SystemClock};
use crate::config::Config;
use crate::config::issuer::{HostsWay, IssuerConfig};
use crate::domain::answer::Answer;
use crate::domain::command::Inbound;
use crate::domain::ids::IssuerName;
use crate::effects::Effects;
use crate::effects::ended_grants::EndedGrantsOf;
use crate::http;
use crate::issuer::ssh_ca::desk::Desk;
use crate::issuer::ssh_ca::push::Push;
use crate::issuer::ssh_ca::{self, SshCa};
use crate::issuer::{EarlyEnd, IssueError, Issuer};
use crate::policy::model::IssuerFacts;
use crate::service::Service;
use crate::store::Store;
use crate::store::sqlite::SqliteStore;
use crate::worker::Worker;

/// What is in flight at a stop may take so long to finish; what does not is tried again at the start.
const STOP_WITHIN: Duration = Duration::from_secs(50);

/// A running bot.
pub struct App {
    service: Arc<Service>,
    store: Arc<dyn Store>,
    worker: Arc<Worker>,
    listener: Listener,
    http: Option<http::Running>,
    working: Option<(watch::Sender<bool>, JoinHandle<()>)>,
    head: String,
}

struct Front(Arc<Service>);

#[async_trait]
impl Inbox for Front {
    async fn handle(&self, inbound: Inbound) -> Result<Answer, Unanswered> {
        self.0
            .handle(inbound)
            .await
            .map_err(|error| Unanswered(error.to_string()))
    }
}

impl App {
    /// Starts the bot: everything, then the worker; then it waits a moment until people are known.
    ///
    /// # Errors
    /// What keeps it from starting, in words for the operator.
    pub async fn start(config: &Config, clock: Arc<dyn Clock>) -> anyhow::Result<Self> {
        let mut app = Self::build(config, clock).await?;
        app.start_working();
        people::wait_for_people(&app.service, &*app.store).await;
        Ok(app)
    }

    /// Builds everything but lets no job run: who calls this steps the worker by hand.
    ///
    /// # Errors
    /// What keeps it from starting, in words for the operator.
    pub async fn build(config: &Config, clock: Arc<dyn Clock>) -> anyhow::Result<Self> {
        // The lock comes first: a second process must not even connect.
        let store: Arc<dyn Store> = Arc::new(
            SqliteStore::open(&config.store.path.display().to_string(), clock.clone()).await?,
        );
        let built = Self::build_over(store.clone(), config, clock).await;
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
        let settings = SlackSettings {
            api_url: config.slack.api_url.clone(),
            bot_token: config.slack.bot_token.read()?,
        };
        let app_token = config.slack.app_token.read()?;
        let outbox = SlackOutbox::connect(&settings)?;
        let me = outbox
            .whoami()
            .await
            .map_err(|failure| anyhow!("Slack does not say who the bot token is for: {failure}"))?
            .clone();
        outbox
            .check_app_token(&app_token)
            .await
            .map_err(|failure| anyhow!("no socket can be opened with the app token: {failure}"))?;
        let (places, lost) = places::resolve(&outbox, config).await?;
        places::refuse_lost(&*store, &lost, clock.machine_now()).await?;
        let usergroups = people::resolve(&outbox, config, &*store).await?;

        let built = build_issuers(config, &clock)?;
        let facts = issuer_facts(config, &built).await?;
        let entitlements = |issuer: &IssuerName, parameters: &serde_json::Map<_, _>| match built
            .issuers
            .get(issuer)
        {
            Some(issuer) => issuer.entitlements(parameters),
            None => Err(format!("there is no issuer `{issuer}`")),
        };
        let policy = Arc::new(config.policy(&places, &usergroups, &facts, &entitlements)?);
        guard::refuse_other_team(&policy, &me.team_id)?;
        let bound = policy
            .issuers
            .iter()
            .map(|(name, facts)| (name, &facts.bound_to));
        guard::refuse_shared(bound)?;
        guard::refuse_orphans(&*store, &policy, clock.machine_now()).await?;

        let schedule = config.security.digest.clone();
        let service = Arc::new(Service::new(
            store.clone(),
            policy,
            Arc::new(move |after| schedule.next_after(after)),
            Arc::new(rand::random::<u64>),
        ));
        for ended in built.ended {
            ended.read_through(service.clone());
        }
        let head = service.start().await?.to_string();
        tracing::info!(audit.head = %head, "started");
        service.take_up_places(lost).await?;

        let http = match &config.http {
            Some(settings) => {
                let listen = settings.listen;
                let routes = http::Routes {
                    desks: built.desks,
                    clock: clock.clone(),
                };
                let running = http::Server::start(listen, routes)
                    .await
                    .with_context(|| format!("http.listen = {listen} can't be listened on"))?;
                Some(running)
            }
            None => None,
        };
        let outbox = Arc::new(outbox);
        let outboxes: Vec<Arc<dyn Outbox>> = vec![outbox.clone()];
        let effects =
            Effects::new(service.clone(), outboxes, built.issuers).with_directories(vec![outbox]);
        let worker = Arc::new(Worker::new(
            store.clone(),
            Arc::new(effects),
            service.clone(),
            clock,
        ));
        let front = Arc::new(Front(service.clone()));
        let listener = listen(&settings, &app_token, front, me).await?;
        Ok(Self {
            service,
            store,
            worker,
            listener,
            http,
            working: None,
            head,
        })
    }

    /// Lets jobs run by themselves from here on.
    pub fn start_working(&mut self) {
        let (stop, stopped) = watch::channel(false);
        let running = tokio::spawn(self.worker.clone().run(stopped));
        self.working = Some((stop, running));
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

    /// Takes nothing more in, finishes what is in flight, closes the store and lets its lock go.
    pub async fn stop(self) {
        self.listener.shutdown().await;
        if let Some((stop, running)) = self.working {
            // The worker is gone already if nobody listens.
            let _ = stop.send(true);
            if tokio::time::timeout(STOP_WITHIN, running).await.is_err() {
                tracing::warn!(
                    "some jobs did not finish in time; they are tried again at the start"
                );
            }
        }
        if let Some(http) = self.http {
            http.stop().await;
        }
        self.store.close().await;
    }
}

struct BuiltIssuers {
    issuers: BTreeMap<IssuerName, Arc<dyn Issuer>>,
    ended: Vec<Arc<EndedGrantsOf>>,
    desks: BTreeMap<IssuerName, Arc<Desk>>,
}

fn build_issuers(config: &Config, clock: &Arc<dyn Clock>) -> anyhow::Result<BuiltIssuers> {
    let mut built = BuiltIssuers {
        issuers: BTreeMap::new(),
        ended: Vec::new(),
        desks: BTreeMap::new(),
    };
    for (name, settings) in &config.issuers {
        let ended = Arc::new(EndedGrantsOf::new(name.clone()));
        let ca = Arc::new(build_issuer(name, settings, ended.clone(), clock)?);
        if let Some(desk) = ca.desk() {
            built.desks.insert(name.clone(), desk);
        }
        built.issuers.insert(name.clone(), ca);
        built.ended.push(ended);
    }
    Ok(built)
}

fn build_issuer(
    name: &IssuerName,
    settings: &IssuerConfig,
    ended: Arc<EndedGrantsOf>,
    clock: &Arc<dyn Clock>,
) -> anyhow::Result<SshCa> {
    let IssuerConfig::SshCa(settings) = settings;
    let hosts = match &settings.hosts {
        HostsWay::None => ssh_ca::Hosts::None,
        HostsWay::Path(path) => ssh_ca::Hosts::Path(path.clone()),
        HostsWay::Push {
            program,
            hosts,
            read_back,
            timeout_s,
        } => ssh_ca::Hosts::Push(Push {
            program: program.clone(),
            hosts: hosts.clone(),
            read_back: *read_back,
            timeout: Duration::from_secs(u64::try_from(*timeout_s).unwrap_or(10)),
        }),
        HostsWay::Fetch { hosts } => {
            let mut tokens = BTreeMap::new();
            for (host, token) in hosts {
                tokens.insert(host.clone(), token.read()?);
            }
            ssh_ca::Hosts::Fetch { hosts: tokens }
        }
    };
    SshCa::new(
        ssh_ca::Settings {
            name: name.clone(),
            ca_key: settings.ca_key.read()?,
            hosts,
            target: settings.target.clone(),
        },
        ended,
        clock.clone(),
    )
    .map_err(anyhow::Error::msg)
}

/// What would keep a bot with this config from starting, as far as this machine alone can tell. A
/// secret that can't be read here is no problem: it may be readable where the bot runs.
#[must_use]
pub fn offline_problems(config: &Config) -> Vec<String> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
    let mut problems = Vec::new();
    let mut bound = BTreeMap::new();
    for (name, settings) in &config.issuers {
        let IssuerConfig::SshCa(ca) = settings;
        if ca.ca_key.read().is_err() {
            continue;
        }
        let ended = Arc::new(EndedGrantsOf::new(name.clone()));
        match build_issuer(name, settings, ended, &clock) {
            Ok(issuer) => {
                bound.insert(name, issuer.bound_to());
            }
            Err(error) => problems.push(format!("{error:#}")),
        }
    }
    let bound = bound.iter().map(|(name, bound_to)| (*name, bound_to));
    if let Err(error) = guard::refuse_shared(bound) {
        problems.push(error.to_string());
    }
    problems
}

/// Who everybody is on each target, asked before anybody can ask for anything.
async fn issuer_facts(
    config: &Config,
    built: &BuiltIssuers,
) -> anyhow::Result<BTreeMap<IssuerName, IssuerFacts>> {
    let mut facts = BTreeMap::new();
    for (name, settings) in &config.issuers {
        let Some(issuer) = built.issuers.get(name) else {
            continue;
        };
        // It may be well again when it is needed, so that is no reason to stay down.
        if let Err(error) = issuer.check().await {
            tracing::warn!(issuer = %name, "it can't do its job now: {error}");
        }
        let mut accounts = BTreeMap::new();
        for person in config.persons() {
            let account = match issuer.resolve(&person).await {
                Ok(account) => Ok(account),
                Err(IssueError::Permanent { said }) => Err(said),
                Err(error) => bail!("issuer `{name}` can't say who {} is: {error}", person.name),
            };
            accounts.insert(person.name, account);
        }
        facts.insert(
            name.clone(),
            IssuerFacts {
                retired: settings.is_retired(),
                can_end_early: issuer.capabilities().early_end != EarlyEnd::Impossible,
                accounts,
                bound_to: issuer.bound_to(),
            },
        );
    }
    Ok(facts)
}
