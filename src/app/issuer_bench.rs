//! Puts an issuer of the config on the conformance bench, against its real target.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context as _, anyhow, bail};
use async_trait::async_trait;
use serde_json::{Map, Value, json};
use ssh_key::rand_core::OsRng;

use super::issuers::{build_alone, build_ssh_ca};
use crate::clock::{Clock, SystemClock};
use crate::config::Config;
use crate::config::issuer::{HostsWay, IssuerConfig};
use crate::domain::ids::{IssuerName, PersonName, ResourceName};
use crate::domain::public_key::PublicKey;
use crate::domain::spec::TargetAccount;
use crate::domain::timing::Timestamp;
use crate::effects::ended_grants;
use crate::issuer::conformance::{Bench, Books, Subject};
use crate::issuer::{EndedGrants, GrantOrder, IssueError, Issuer, PersonFacts};
use crate::store::sqlite::{Held, SqliteStore};
use crate::store::{Store as _, StoreError};

/// What to give on the bench, as the operator says.
#[derive(Debug, Clone, Default)]
pub struct Wanted {
    /// An account on the target.
    pub account: Option<String>,
    /// A person of the config, whose account it is.
    pub person: Option<String>,
    /// A resource of the config, whose `grant` it is.
    pub resource: Option<String>,
    /// The parameters themselves.
    pub parameters: Option<String>,
    /// For how long, in seconds.
    pub lasts_s: i64,
}

/// A bench, and what it is about to do in words.
pub struct Set {
    /// It.
    pub bench: Bench,
    /// What it will do: one line each.
    pub plan: Vec<String>,
}

/// Sets the bench. Calls nobody.
///
/// # Errors
/// What is wrong or missing, in words for the operator.
pub async fn set(config: &Config, name: &str, wanted: &Wanted) -> anyhow::Result<Set> {
    let Some((name, settings)) = config.issuers.iter().find(|(n, _)| n.as_str() == name) else {
        let names: Vec<&str> = config.issuers.keys().map(IssuerName::as_str).collect();
        bail!(
            "the config has no issuer `{name}`; there is: {}",
            names.join(", ")
        );
    };
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
    let parameters = parameters(config, name, wanted)?;
    let (issuer, books): (Arc<dyn Issuer>, Option<Arc<Ended>>) = match settings {
        IssuerConfig::SshCa(ssh_ca) => {
            if matches!(ssh_ca.hosts, HostsWay::Fetch { .. }) {
                bail!(
                    "hosts of `{name}` fetch their list from the running bot, so nothing that \
                     this command could do reaches them"
                );
            }
            let ended = Arc::new(Ended::of(name, &config.store.path).await.with_context(|| {
                format!(
                    "`{name}` writes whole lists, and one without everything that ended early \
                     would bring it back; nothing was done"
                )
            })?);
            (
                build_ssh_ca(name, ssh_ca, ended.clone(), &clock)?,
                Some(ended),
            )
        }
        IssuerConfig::Command(_) | IssuerConfig::Webhook(_) => {
            (build_alone(name, settings, &clock)?, None)
        }
    };
    let account = account(config, settings, &*issuer, wanted).await?;
    issuer
        .entitlements(&parameters)
        .map_err(|why| anyhow!("the parameters can't be used: {why}"))?;
    let mut plan = vec![
        format!(
            "Issuer `{name}`, of the kind {}: {}",
            settings.kind(),
            settings.target()
        ),
        format!(
            "Account {}, parameters {}",
            account.id,
            Value::Object(parameters.clone())
        ),
        format!(
            "Access is given to this account and taken away again, about 20 times, for {} s each",
            wanted.lasts_s
        ),
    ];
    if books.is_some() {
        plan.push(
            "The list of what ended early is written anew, with what the database says; no bot can \
             start on it meanwhile"
                .to_owned(),
        );
    }
    let subject = Subject {
        issuer: name.clone(),
        account,
        parameters,
        lasts_s: wanted.lasts_s,
    };
    let mut bench = Bench::new(issuer, subject, clock);
    if let Some(books) = books {
        bench = bench.with_books(books);
    }
    Ok(Set { bench, plan })
}

fn parameters(
    config: &Config,
    issuer: &IssuerName,
    wanted: &Wanted,
) -> anyhow::Result<Map<String, Value>> {
    if let Some(text) = &wanted.parameters {
        return match serde_json::from_str(text) {
            Ok(Value::Object(parameters)) => Ok(parameters),
            _ => bail!("--parameters is no JSON object, like {{\"group\":\"test\"}}"),
        };
    }
    let of_issuer = config
        .resources
        .iter()
        .filter(|(_, resource)| resource.issuer == *issuer);
    let named: Vec<&ResourceName> = of_issuer.map(|(name, _)| name).collect();
    let resource = match (&wanted.resource, named.as_slice()) {
        (Some(name), _) => named
            .into_iter()
            .find(|one| one.as_str() == name)
            .with_context(|| format!("no resource `{name}` is given by `{issuer}`"))?,
        (None, [only]) => only,
        (None, []) => bail!("no resource names `{issuer}`; say what to give with --parameters"),
        (None, several) => {
            let names: Vec<&str> = several.iter().map(|name| name.as_str()).collect();
            bail!("say which with --resource: {}", names.join(", "))
        }
    };
    Ok(config.resources[resource].grant.clone())
}

async fn account(
    config: &Config,
    settings: &IssuerConfig,
    issuer: &dyn Issuer,
    wanted: &Wanted,
) -> anyhow::Result<TargetAccount> {
    let needed = "name an account on the target that is there for tests: --account NAME, or --person NAME of the config";
    match (&wanted.account, &wanted.person, settings) {
        (Some(_), Some(_), _) => bail!("--account and --person exclude each other"),
        (None, Some(person), _) => {
            let facts = config
                .persons()
                .into_iter()
                .find(|one| one.name.as_str() == person);
            let facts = facts.with_context(|| format!("the config has no person `{person}`"))?;
            Ok(issuer.resolve(&facts).await?)
        }
        // A key that nobody has, for certificates that nobody keeps.
        (None, None, IssuerConfig::SshCa(_)) => {
            let key = ssh_key::PrivateKey::random(&mut OsRng, ssh_key::Algorithm::Ed25519)?;
            let facts = PersonFacts {
                name: PersonName::new("jitbot-check").context("a name")?,
                accounts: Vec::new(),
                ssh_keys: vec![PublicKey::parse(&key.public_key().to_openssh()?)?],
            };
            Ok(issuer.resolve(&facts).await?)
        }
        (Some(_), None, IssuerConfig::SshCa(_)) => {
            bail!("accounts of an ssh-ca issuer are keys: leave --account out, or use --person")
        }
        (Some(account), None, _) => Ok(TargetAccount {
            id: account.clone(),
            parameters: Map::from_iter([("person".to_owned(), json!("jitbot-check"))]),
            given_at: None,
        }),
        (None, None, _) => bail!(needed),
    }
}

/// Grants that ended early: the database's, and those of the bench. While it is kept no bot writes the
/// same list.
struct Ended {
    issuer: IssuerName,
    database: SqliteStore,
    of_bench: Mutex<Vec<GrantOrder>>,
    _no_bot: Held,
}

impl Ended {
    async fn of(issuer: &IssuerName, database: &Path) -> anyhow::Result<Self> {
        let path = database.display().to_string();
        let no_bot = SqliteStore::hold(&path, "issuer check", crate::clock::machine_now())?;
        Ok(Self {
            issuer: issuer.clone(),
            database: SqliteStore::open_read_only(&path).await?,
            of_bench: Mutex::default(),
            _no_bot: no_bot,
        })
    }

    async fn of_database(&self, machine_now: Timestamp) -> Result<Vec<GrantOrder>, StoreError> {
        let mut reader = self.database.reader().await?;
        let grants = reader
            .ended_before_native_deadline(&self.issuer, machine_now)
            .await?;
        Ok(ended_grants::orders(&grants))
    }
}

impl Books for Ended {
    fn end_is_ordered(&self, order: &GrantOrder) {
        self.of_bench
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(order.clone());
    }
}

#[async_trait]
impl EndedGrants for Ended {
    async fn ended_before_their_native_deadline(
        &self,
        machine_now: Timestamp,
    ) -> Result<Vec<GrantOrder>, IssueError> {
        let of_database = self.of_database(machine_now).await;
        let mut ended = of_database.map_err(|error| IssueError::Retry {
            said: error.to_string(),
            after_s: None,
        })?;
        let of_bench = self.of_bench.lock().unwrap_or_else(PoisonError::into_inner);
        let is_later = |order: &&GrantOrder| {
            let deadline = order.native_deadline;
            deadline.is_some_and(|deadline| deadline > machine_now)
        };
        ended.extend(of_bench.iter().filter(is_later).cloned());
        Ok(ended)
    }
}
