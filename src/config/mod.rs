//! The config: typed, checked as a whole, with every problem at once.
//!
//! Reading is pure: the text, the file's name and the environment are arguments. `docs/CONFIG.md`
//! lists every key.

pub mod heartbeat;
pub mod issuer;
pub mod manifest;
pub mod problem;
pub mod schedule;
pub mod secret;
pub mod traces;

mod cross;
mod grant;
mod groups;
mod humans;
mod named;
mod people;
mod policy;
mod reach;
mod reader;
mod resource;
mod sections;
mod ssh_grant;
mod subject;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use toml::de::DeTable;

pub use groups::{DirectoryConfig, GroupConfig};
pub use heartbeat::HeartbeatConfig;
pub use issuer::{
    CommandConfig, ContractConfig, HostsWay, IssuerConfig, SshCaConfig, WebhookConfig,
};
pub use policy::Entitlements;
pub use problem::{Problem, Problems};
pub use reach::{Approvers, Beyond};
pub use reader::Env;
pub use resource::ResourceConfig;
pub use schedule::Schedule;
pub use secret::{SecretError, SecretSource};
pub use sections::{HttpConfig, LimitsConfig, SecurityConfig, SlackConfig, StoreConfig};
pub use traces::TracesConfig;

use crate::domain::ids::{AccountId, GroupName, IssuerName, PersonName, ResourceName};
use crate::issuer::PersonFacts;
use crate::policy::model::Person;
use reader::{Source, Table};
use subject::Names;

/// The commented config that ships with the program.
pub const SAMPLE: &str = include_str!("../../manifests/jitbot.toml");

/// The Slack app's manifest that ships with the program.
pub const SLACK_MANIFEST: &str = include_str!("../../manifests/slack.yaml");

/// A config is written by hand: a larger file is something else.
const FILE_MAX_BYTES: u64 = 4 * 1024 * 1024;

const SECTIONS: &[&str] = &[
    "slack",
    "store",
    "security",
    "http",
    "heartbeat",
    "traces",
    "limits",
    "directory",
    "group",
    "person",
    "issuer",
    "resource",
];
const SECTIONS_LATER: &[(&str, &str)] =
    &[("discord", "Discord comes later; serve Slack with [slack].")];

/// Everything that the file says, checked.
#[derive(Debug, Clone)]
pub struct Config {
    /// Slack.
    pub slack: SlackConfig,
    /// The database.
    pub store: StoreConfig,
    /// Security.
    pub security: SecurityConfig,
    /// The HTTP server, if one is wanted.
    pub http: Option<HttpConfig>,
    /// Whom to tell that the bot works, if anybody.
    pub heartbeat: Option<HeartbeatConfig>,
    /// Where traces go.
    pub traces: Option<TracesConfig>,
    /// Limits.
    pub limits: LimitsConfig,
    /// How fresh facts must be.
    pub directory: DirectoryConfig,
    /// Groups, as written.
    pub groups: BTreeMap<GroupName, GroupConfig>,
    /// People.
    pub people: BTreeMap<PersonName, Person>,
    /// Issuers.
    pub issuers: BTreeMap<IssuerName, IssuerConfig>,
    /// Resources.
    pub resources: BTreeMap<ResourceName, ResourceConfig>,
    /// What is allowed, but hardly meant.
    pub warnings: Vec<Problem>,
    file: String,
    lines: BTreeMap<String, usize>,
}

impl Config {
    /// Names of all places that must be resolved, e.g. `slack:#approvals`.
    #[must_use]
    pub fn place_names(&self) -> Vec<String> {
        let names: BTreeSet<&String> = self
            .security
            .channels
            .iter()
            .chain(self.resources.values().flat_map(|r| &r.channels))
            .chain(&self.slack.fallback_channel)
            .collect();
        names.into_iter().cloned().collect()
    }

    /// Handles and ids of all Slack user groups that must be resolved.
    #[must_use]
    pub fn usergroup_names(&self) -> Vec<String> {
        let groups = self.groups.values();
        let names: BTreeSet<&String> = groups
            .filter_map(|group| group.slack_usergroup.as_ref())
            .collect();
        names.into_iter().cloned().collect()
    }

    /// People, as issuers need to know them.
    #[must_use]
    pub fn persons(&self) -> Vec<PersonFacts> {
        let facts = |(name, person): (&PersonName, &Person)| PersonFacts {
            name: name.clone(),
            accounts: person.accounts.clone(),
            ssh_keys: person.ssh_keys.clone(),
        };
        self.people.iter().map(facts).collect()
    }

    /// The workspaces whose accounts are named, e.g. `slack:T1`.
    #[must_use]
    pub fn communities(&self) -> BTreeSet<String> {
        let community =
            |account: &AccountId| format!("{}:{}", account.platform(), account.community());
        self.all_accounts().iter().map(community).collect()
    }

    /// Whether every platform is a stand-in on this machine.
    #[must_use]
    pub fn is_rehearsal(&self) -> bool {
        self.slack
            .api_url
            .as_deref()
            .and_then(|url| url::Url::parse(url).ok())
            .is_some_and(|url| match url.host() {
                Some(url::Host::Ipv4(address)) => address.is_loopback(),
                Some(url::Host::Ipv6(address)) => address.is_loopback(),
                Some(url::Host::Domain(_)) | None => false,
            })
    }

    /// Everything secret that is read, with its key.
    #[must_use]
    pub fn secrets(&self) -> Vec<(String, &SecretSource)> {
        let mut secrets = vec![
            ("slack.bot_token".to_owned(), &self.slack.bot_token),
            ("slack.app_token".to_owned(), &self.slack.app_token),
        ];
        if let Some(heartbeat) = &self.heartbeat {
            secrets.push(("heartbeat.url".to_owned(), &heartbeat.url));
        }
        secrets.extend(self.traces.iter().flat_map(TracesConfig::secrets));
        for (name, issuer) in &self.issuers {
            let keyed = |(key, secret)| (format!("issuer.{name}.{key}"), secret);
            secrets.extend(issuer.secrets().into_iter().map(keyed));
        }
        secrets
    }
}

/// Reads and checks a config file, with the process's environment. Files of secrets are looked at,
/// not read: what is wrong with them is a warning here, and an error where the secret is needed.
///
/// # Errors
/// All [`Problems`] at once.
pub fn load(path: &Path) -> Result<Config, Problems> {
    load_with(path, &|name| std::env::var(name).ok())
}

/// Like [`load`], with another environment.
///
/// # Errors
/// All [`Problems`] at once.
pub fn load_with(path: &Path, env: Env<'_>) -> Result<Config, Problems> {
    let file = path.display().to_string();
    let whole = |what: String, hint: &str| {
        Problems(vec![Problem {
            file: file.clone(),
            line: 0,
            key: String::new(),
            what,
            hint: hint.to_owned(),
        }])
    };
    let size = std::fs::metadata(path).map(|meta| meta.len());
    if let Ok(size @ FILE_MAX_BYTES..) = size {
        return Err(whole(
            format!("{size} bytes are too many for a config"),
            "Check the path.",
        ));
    }
    let text = std::fs::read_to_string(path).map_err(|e| {
        whole(
            format!("the config can't be read: {e}"),
            "Check the path and who may read it.",
        )
    })?;
    let mut config = parse(&text, &file, env)?;
    let warnings: Vec<Problem> = config
        .secrets()
        .into_iter()
        .filter_map(|(key, secret)| {
            let (what, hint) = secret.looks_wrong()?;
            Some(config.problem(&key, what, hint))
        })
        .collect();
    config.warnings.extend(warnings);
    Ok(config)
}

/// Reads and checks a config. Pure: looks at nothing but its arguments.
///
/// # Errors
/// All [`Problems`] at once; where the text is no TOML, only those of its syntax.
pub fn parse(text: &str, file: &str, env: Env<'_>) -> Result<Config, Problems> {
    let source = Source::new(file, text, env);
    let (document, errors) = DeTable::parse_recoverable(text);
    if !errors.is_empty() {
        let mut last = (0, String::new());
        for error in errors {
            let line = error.span().map_or(0, |span| source.line_of(span.start));
            // One slip makes the parser stumble several times: in its line, or again over every key
            // of a table that it did not want.
            if line == 0 || line != last.0 && error.message() != last.1 {
                let what = format!("not TOML: {}", error.message());
                source.problem(line, "", what, syntax_hint(text, line));
            }
            last = (line, error.message().to_owned());
        }
        return Err(Problems(source.finish().0));
    }
    let root = Table::root(&source, document.get_ref());
    let read = read(&root, file);
    if let Some(config) = &read {
        cross::check(config, &source);
    }
    let (mut problems, warnings, lines) = source.finish();
    if read.is_none() && problems.is_empty() {
        // Whatever is left out was said; if that was ever forgotten, it must not look like no problem.
        problems.push(Problem {
            file: file.to_owned(),
            line: 0,
            key: String::new(),
            what: "something in it can't be used".to_owned(),
            hint: "This message is a mistake of jitbot's own; please report it with the file."
                .to_owned(),
        });
    }
    match read {
        Some(mut config) if problems.is_empty() => {
            config.warnings = warnings;
            config.lines = lines;
            Ok(config)
        }
        _ => Err(Problems(problems)),
    }
}

/// What to do about a line that is no TOML.
fn syntax_hint(text: &str, line: usize) -> &'static str {
    let line = line.checked_sub(1).and_then(|n| text.lines().nth(n));
    let is_curly = |c: char| matches!(c, '“' | '”' | '„' | '‟' | '‘' | '’' | '‚' | '‛' | '«' | '»');
    if line.is_some_and(|line| line.contains(is_curly)) {
        "It holds curly quotes, like “ or ”, as word processors and chats make them: write plain \" instead."
    } else {
        "See https://toml.io for how it is written."
    }
}

/// Reads every section before it gives up, so that all problems are said at once. What a section
/// with problems should have held is left out; then the whole is no [`Config`] either.
fn read(root: &Table<'_>, file: &str) -> Option<Config> {
    root.only(SECTIONS, SECTIONS_LATER);
    let names_of = |kind: &str| -> BTreeSet<String> {
        let names = people::names(root, kind);
        names.into_iter().map(str::to_owned).collect()
    };
    let names = Names {
        groups: names_of("group"),
        people: names_of("person"),
        issuers: names_of("issuer"),
    };
    let slack = sections::slack(root);
    let store = sections::store(root);
    let security = sections::security(root, &names);
    let http = sections::http(root);
    let heartbeat = heartbeat::read(root);
    let traces = traces::read(root);
    let limits = sections::limits(root);
    let directory = groups::directory(root);
    let groups = groups::groups(root, &names);
    let people = people::people(root);
    let issuers = issuer::issuers(root);
    let resources = resource::resources(root, &names, &issuers);
    if groups.len() < names.groups.len()
        || people.len() < names.people.len()
        || issuers.len() < names.issuers.len()
    {
        return None;
    }
    Some(Config {
        slack: slack?,
        store: store?,
        security: security?,
        http: http?,
        heartbeat: heartbeat?,
        traces: traces?,
        limits: limits?,
        directory: directory?,
        groups,
        people,
        issuers,
        resources,
        warnings: Vec::new(),
        file: file.to_owned(),
        lines: BTreeMap::new(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every key that is read, with the constant that lists it, stands in the documentation.
    #[test]
    fn the_documentation_names_every_key() {
        let doc = include_str!("../../docs/CONFIG.md");
        let lists: [(&str, &[&str]); 23] = [
            ("[slack]", sections::SLACK_KEYS),
            ("[store]", sections::STORE_KEYS),
            ("[security]", sections::SECURITY_KEYS),
            ("digest", sections::DIGEST_KEYS),
            ("[http]", sections::HTTP_KEYS),
            ("[heartbeat]", heartbeat::HEARTBEAT_KEYS),
            ("[traces]", traces::TRACES_KEYS),
            ("[limits]", sections::LIMITS_KEYS),
            ("[directory]", groups::DIRECTORY_KEYS),
            ("[group]", groups::GROUP_KEYS),
            ("[person]", people::PERSON_KEYS),
            ("[issuer]", issuer::ssh_ca::SSH_CA_KEYS),
            ("command", issuer::COMMAND_KEYS),
            ("webhook", issuer::WEBHOOK_KEYS),
            ("command and webhook", issuer::CONTRACT_KEYS),
            ("krl", issuer::ssh_ca::KRL_KEYS),
            ("push", issuer::ssh_ca::PUSH_KEYS),
            ("fetch", issuer::ssh_ca::FETCH_KEYS),
            ("fetch.hosts", issuer::ssh_ca::FETCH_HOST_KEYS),
            ("[resource]", resource::RESOURCE_KEYS),
            ("duration", resource::DURATION_KEYS),
            ("approve", resource::APPROVE_KEYS),
            ("auto_approve", resource::AUTO_APPROVE_KEYS),
        ];
        for (section, keys) in lists {
            for key in keys {
                let in_table = doc.lines().any(|line| {
                    let cell = line.split('|').nth(1).unwrap_or_default();
                    cell.split(['`', '.', '[', ']', ' ', ','])
                        .any(|word| word == *key)
                });
                assert!(in_table, "docs/CONFIG.md lacks a row for {section} {key}");
            }
        }
        for section in SECTIONS {
            let heading = format!("## `[{section}");
            assert!(doc.contains(&heading), "docs/CONFIG.md lacks {heading}");
        }
        for key in ssh_grant::SSH_GRANT_KEYS {
            assert!(doc.contains(&format!("`grant.{key}`")), "{key}");
        }
    }
}
