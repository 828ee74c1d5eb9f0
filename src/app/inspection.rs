//! What the world says of what a config names: Slack, the issuers, the database. Only asked and looked
//! at; nothing is changed.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::issuers::BuiltIssuers;
use crate::chat::slack::client::SlackSettings;
use crate::chat::slack::failure::Failure;
use crate::chat::slack::survey::{self, Listing, Survey};
use crate::clock::{Clock, SystemClock};
use crate::config::{Config, IssuerConfig, Problem};
use crate::domain::ids::IssuerName;
use crate::service::{Orphan, orphans};
use crate::store::Store as _;
use crate::store::sqlite::SqliteStore;
use crate::traces::Export;

/// What became of asking Slack.
#[derive(Debug)]
pub enum AskedSlack {
    /// It was not asked: these tokens can't be read.
    NoToken(Vec<Problem>),
    /// It did not say who the bot token is for.
    Refused(Failure),
    /// What it said.
    Said(Box<Survey>),
}

/// Asks Slack.
pub async fn ask_slack(config: &Config) -> AskedSlack {
    let mut problems = Vec::new();
    let mut read = |key: &str, source: &crate::config::SecretSource| {
        let secret = source.read();
        if let Err(error) = &secret {
            problems.push(config.problem(key, error.to_string().trim_end_matches('.'), ""));
        }
        secret.ok()
    };
    let bot_token = read("slack.bot_token", &config.slack.bot_token);
    let app_token = read("slack.app_token", &config.slack.app_token);
    let (Some(bot_token), Some(app_token)) = (bot_token, app_token) else {
        return AskedSlack::NoToken(problems);
    };
    let settings = SlackSettings {
        api_url: config.slack.api_url.clone(),
        bot_token: bot_token.into(),
    };
    let accounts = config.accounts_named();
    let people: BTreeSet<String> = accounts
        .keys()
        .map(|account| account.member().to_owned())
        .collect();
    let with_usergroups = !config.usergroups_named().is_empty();
    match survey::survey(&settings, &app_token, &people, with_usergroups).await {
        Ok(said) => AskedSlack::Said(Box::new(said)),
        Err(failure) => AskedSlack::Refused(failure),
    }
}

/// Asks Slack for the channels and people to choose from.
///
/// # Errors
/// [`Failure`] when Slack does not say.
pub async fn listing(settings: &SlackSettings) -> Result<Listing, Failure> {
    survey::listing(settings).await
}

/// What is wrong with where heartbeats go; nobody is told anything.
#[must_use]
pub fn look_at_heartbeat(config: &Config) -> Option<Problem> {
    let wrong = super::heartbeat::Rhythm::of(config).err()?;
    let what = format!("{wrong:#}");
    Some(config.problem("heartbeat.url", what.trim_end_matches('.'), ""))
}

/// What keeps traces from being sent; none is sent.
#[must_use]
pub fn look_at_traces(config: &Config) -> Option<Problem> {
    let wrong = Export::look(config.traces.as_ref()?).err()?;
    let what = format!("{wrong:#}");
    Some(config.problem("traces", what.trim_end_matches('.'), ""))
}

/// What keeps issuers from doing their job here, and what each of them is bound to; the latter only
/// where all could be built.
pub async fn look_at_issuers(
    config: &Config,
) -> (Vec<Problem>, Option<BTreeMap<IssuerName, BTreeSet<String>>>) {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
    let mut problems = Vec::new();
    let (built, unbuilt) = BuiltIssuers::build_each(config, &BuiltIssuers::default(), &clock);
    for (name, error) in &unbuilt {
        let key = format!("issuer.{name}.{}", blame(config, name).0);
        problems.push(config.problem(&key, error.trim_end_matches('.'), ""));
    }
    for (name, issuer) in built.instances() {
        if let Err(error) = issuer.check().await {
            let key = format!("issuer.{name}.{}", blame(config, &name).1);
            let what = error.to_string();
            problems.push(config.problem(&key, what.trim_end_matches('.'), ""));
        }
    }
    let bound: BTreeMap<IssuerName, BTreeSet<String>> = built
        .instances()
        .into_iter()
        .map(|(name, issuer)| (name, issuer.bound_to()))
        .collect();
    if let Err(error) = super::guard::refuse_shared(bound.iter()) {
        problems.push(config.problem("issuer", error.to_string(), ""));
    }
    (problems, unbuilt.is_empty().then_some(bound))
}

/// The keys to name where an issuer can't be built, and where it can't do its job.
fn blame(config: &Config, name: &IssuerName) -> (&'static str, &'static str) {
    config
        .issuers
        .get(name)
        .map_or(("kind", "kind"), IssuerConfig::keys_to_blame)
}

/// What is known of the database.
#[derive(Debug)]
pub enum Database {
    /// There is none yet; it will be made.
    NotThere,
    /// The next start brings it to the form that this program reads.
    Older,
    /// It can't be, or can't be read.
    Unusable(String),
    /// It is there; grants that this config would leave without their issuer.
    There(Vec<Orphan>),
}

/// Looks at the database, and whether it holds grants that need an issuer that this config does not
/// have, bound to what it was bound to.
pub async fn look_at_database(
    config: &Config,
    bound: Option<&BTreeMap<IssuerName, BTreeSet<String>>>,
) -> Database {
    let path = &config.store.path;
    let folder = path
        .parent()
        .filter(|parent| !parent.as_os_str().is_empty());
    if let Some(folder) = folder.filter(|folder| !folder.is_dir()) {
        return Database::Unusable(format!("there is no directory {}", folder.display()));
    }
    if !path.exists() {
        return Database::NotThere;
    }
    let shown = path.display().to_string();
    if matches!(SqliteStore::is_of_an_older_form(&shown).await, Ok(true)) {
        return Database::Older;
    }
    let found = async {
        let store = SqliteStore::open_read_only(&path.display().to_string()).await?;
        let mut reader = store.reader().await?;
        match bound {
            Some(bound) => orphans(&mut *reader, bound, crate::clock::machine_now()).await,
            None => Ok(Vec::new()),
        }
    };
    match found.await {
        Ok(left) => Database::There(left),
        Err(error) => Database::Unusable(error.to_string()),
    }
}
