//! The shipped sample config made playable: its people and channels become a workspace, and only
//! addresses, paths and keys are replaced.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use toml::{Table, Value};

use crate::config;
use crate::sandbox::slack::World;

/// Where everything of one demo lies, below its folder.
#[derive(Debug, Clone)]
pub struct Paths {
    folder: PathBuf,
}

impl Paths {
    /// Below this folder.
    pub fn below(folder: &Path) -> Self {
        Self {
            folder: folder.to_owned(),
        }
    }

    /// A file in it.
    pub fn file(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// The revocation list of an issuer's hosts.
    pub fn krl(&self, issuer: &str) -> PathBuf {
        self.file(&format!("{issuer}.krl"))
    }

    /// An issuer's private key.
    pub fn ca(&self, issuer: &str) -> PathBuf {
        self.file(issuer)
    }

    /// The database.
    pub fn database(&self) -> PathBuf {
        self.file("jitbot.db")
    }
}

/// The config of a demo, and what was replaced in it.
pub struct DemoConfig {
    /// TOML.
    pub text: String,
    /// Keys that were replaced, for people.
    pub replaced: Vec<String>,
    /// Principals that some resource grants.
    pub principals: Vec<String>,
}

/// Replaces addresses, paths and keys in the sample.
///
/// # Errors
/// When the sample is not what it should be.
pub fn demo_config(
    sample: &str,
    paths: &Paths,
    api_url: &str,
    ssh_key_of: &dyn Fn(&str) -> Option<String>,
) -> anyhow::Result<DemoConfig> {
    let mut table: Table = sample.parse().context("the sample config can't be read")?;
    let mut replaced = Vec::new();
    let mut set = |table: &mut Table, section: &str, key: &str, value: Value| {
        table.insert(key.to_owned(), value);
        replaced.push(format!("{section}.{key}"));
    };
    section(&mut table, "slack", |slack| {
        set(slack, "slack", "api_url", api_url.into());
    });
    section(&mut table, "store", |store| {
        let url = format!("sqlite://{}", paths.database().display());
        set(store, "store", "url", url.into());
    });
    // A demo goes from one due moment to the next: it need not stop at each look at the directory.
    section(&mut table, "directory", |directory| {
        set(directory, "directory", "fresh_for", "2h".into());
    });
    let path = |path: PathBuf| Value::from(path.display().to_string());
    section(&mut table, "issuer", |issuers| {
        for (name, issuer) in issuers.iter_mut() {
            let Some(issuer) = issuer.as_table_mut() else {
                continue;
            };
            let at = format!("issuer.{name}");
            let key = Table::from_iter([("file".to_owned(), path(paths.ca(name)))]);
            set(issuer, &at, "ca_key", key.into());
            let krl = Table::from_iter([("path".to_owned(), path(paths.krl(name)))]);
            set(issuer, &at, "krl", krl.into());
        }
    });
    section(&mut table, "person", |people| {
        for (name, person) in people.iter_mut() {
            let (Some(person), Some(key)) = (person.as_table_mut(), ssh_key_of(name)) else {
                continue;
            };
            let keys = Value::Array(vec![key.into()]);
            set(person, &format!("person.{name}"), "ssh_keys", keys);
        }
    });
    let mut principals = BTreeSet::new();
    section(&mut table, "resource", |resources| {
        for resource in resources.values() {
            let granted = resource
                .get("grant")
                .and_then(|grant| grant.get("principals"))
                .and_then(Value::as_array);
            principals.extend(
                granted
                    .into_iter()
                    .flatten()
                    .filter_map(Value::as_str)
                    .map(str::to_owned),
            );
        }
    });
    Ok(DemoConfig {
        text: toml::to_string(&table).context("the demo's config can't be written")?,
        replaced,
        principals: principals.into_iter().collect(),
    })
}

fn section(table: &mut Table, name: &str, change: impl FnOnce(&mut Table)) {
    if let Some(section) = table.get_mut(name).and_then(Value::as_table_mut) {
        change(section);
    }
}

/// The people and channels that a config names, as a workspace.
///
/// # Errors
/// When the config names no Slack account.
pub fn workspace(config: &config::Config) -> anyhow::Result<World> {
    let people: Vec<(String, String)> = config
        .persons()
        .into_iter()
        .filter_map(|person| {
            let account = person.accounts.iter().find(|a| a.platform() == "slack")?;
            Some((person.name.to_string(), account.member().to_owned()))
        })
        .collect();
    let team = config
        .persons()
        .iter()
        .flat_map(|person| person.accounts.clone())
        .find(|account| account.platform() == "slack")
        .map(|account| account.community().to_owned())
        .context("the config names no Slack account")?;
    let mut world = World::new(&team);
    let everybody: Vec<&str> = people.iter().map(|(_, id)| id.as_str()).collect();
    for (name, id) in &people {
        world = world.user(id, name);
    }
    for place in config.place_names() {
        let name = place.trim_start_matches("slack:").trim_start_matches('#');
        let id: String = name
            .chars()
            .filter(char::is_ascii_alphanumeric)
            .map(|c| c.to_ascii_uppercase())
            .collect();
        world = world.channel(&format!("C0{id}"), name, &everybody);
    }
    Ok(world)
}
