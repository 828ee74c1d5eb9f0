//! A config made playable: its people and channels become a workspace; addresses, paths, keys and what
//! would act on this machine are replaced, and each replacement is named.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use toml::{Table, Value};

use super::cast::{Cast, Unplayable};
use super::stand_in;
use crate::config::{self, Problem, Problems};

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

    /// A person's private key.
    pub fn key(&self, person: &str) -> PathBuf {
        self.file(&format!("id_{person}"))
    }

    /// The database.
    pub fn database(&self) -> PathBuf {
        self.file("jitbot.db")
    }
}

/// The config that is rehearsed, before anything in it is replaced.
pub struct Source {
    /// How people call it.
    pub called: String,
    /// It as a table.
    pub table: Table,
    /// Who plays in it.
    pub cast: Cast,
    /// The same, checked as it stands.
    pub config: config::Config,
}

impl Source {
    /// The sample that ships with the program.
    ///
    /// # Errors
    /// When the sample is not what it should be.
    pub fn sample() -> Result<Self, Problems> {
        Self::read(
            config::SAMPLE.to_owned(),
            "the sample",
            "the shipped sample",
        )
    }

    /// An operator's own.
    ///
    /// # Errors
    /// Everything that keeps it from being rehearsed, each with file, line and key.
    pub fn file(path: &Path) -> Result<Self, Problems> {
        let shown = path.display().to_string();
        let text = std::fs::read_to_string(path).map_err(|error| {
            let what = format!("the config can't be read: {error}");
            Problems(vec![problem(
                &shown,
                0,
                "",
                what,
                "Check the path and who may read it.",
            )])
        })?;
        Self::read(text, &shown, &shown)
    }

    fn read(text: String, file: &str, called: &str) -> Result<Self, Problems> {
        let table: Table = text.parse().unwrap_or_default();
        let cast =
            Cast::of(&table).map_err(|found| (found.at.is_some(), unplayable(&text, file, found)));
        // What has a line of its own is told with it; anything else the config's own check tells first.
        if let Err((true, problems)) = cast {
            return Err(problems);
        }
        let config = config::parse(&text, file, &stand_ins(&table))?;
        let cast = cast.map_err(|(_, problems)| problems)?;
        Ok(Self {
            called: called.to_owned(),
            table,
            cast,
            config,
        })
    }
}

fn problem(file: &str, line: usize, key: &str, what: String, hint: &str) -> Problem {
    Problem {
        file: file.to_owned(),
        line,
        key: key.to_owned(),
        what,
        hint: hint.to_owned(),
    }
}

fn unplayable(text: &str, file: &str, found: Unplayable) -> Problems {
    let line = found
        .at
        .as_ref()
        .and_then(|at| text.lines().position(|line| line.contains(at)));
    let line = line.map_or(0, |before| before + 1);
    Problems(vec![problem(
        file,
        line,
        &found.key,
        found.what,
        &found.hint,
    )])
}

/// An environment in which every variable that the config names holds something of the right form: a
/// rehearsal needs no secret.
fn stand_ins(table: &Table) -> impl Fn(&str) -> Option<String> + use<> {
    let named = |key: &str| {
        let value = table.get("slack").and_then(|slack| slack.get(key));
        value
            .and_then(|value| value.get("env"))
            .and_then(Value::as_str)
            .map(str::to_owned)
    };
    let (bot, app, api) = (named("bot_token"), named("app_token"), named("api_url"));
    let webhooks = stand_in::webhook_variables(table);
    move |name| match Some(name) {
        Some(name) if webhooks.iter().any(|variable| variable == name) => {
            Some(stand_in::webhook_secret(name))
        }
        name if name == bot.as_deref() => Some("xoxb-checked-later".to_owned()),
        name if name == app.as_deref() => Some("xapp-checked-later".to_owned()),
        name if name == api.as_deref() => None,
        _ => Some(format!("rehearsed-value-of-{name}-{}", "0".repeat(24))),
    }
}

/// The environment of the replaced config: its two tokens, as they are checked before there are any.
pub fn tokens_later(name: &str) -> Option<String> {
    match name {
        "SLACK_BOT_TOKEN" => Some("xoxb-checked-later".to_owned()),
        "SLACK_APP_TOKEN" => Some("xapp-checked-later".to_owned()),
        _ => None,
    }
}

/// The config of a demo, and what was replaced in it.
pub struct DemoConfig {
    /// TOML.
    pub text: String,
    /// Keys that were replaced or added, for people.
    pub replaced: Vec<String>,
}

/// Replaces addresses, paths, keys and what would act on this machine.
///
/// # Errors
/// When the result can't be written as TOML.
pub fn demo_config(
    source: &Source,
    paths: &Paths,
    api_url: &str,
    ssh_key_of: &dyn Fn(&str) -> Option<String>,
) -> anyhow::Result<DemoConfig> {
    let mut table = source.table.clone();
    let mut replaced = Vec::new();
    let mut set = |table: &mut Table, section: &str, key: &str, value: Value| {
        if table.insert(key.to_owned(), value.clone()) != Some(value) {
            replaced.push(format!("{section}.{key}"));
        }
    };
    let from_env = |name: &str| Value::from(Table::from_iter([("env".to_owned(), name.into())]));
    section(&mut table, "slack", |slack| {
        set(slack, "slack", "bot_token", from_env("SLACK_BOT_TOKEN"));
        set(slack, "slack", "app_token", from_env("SLACK_APP_TOKEN"));
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
    section(&mut table, "http", |http| {
        set(http, "http", "listen", "127.0.0.1:0".into());
    });
    let path = |path: PathBuf| Value::from(path.display().to_string());
    let beside = |key: &str, value: Value| Value::from(Table::from_iter([(key.to_owned(), value)]));
    let mut replaced_targets = Vec::new();
    // Whoever watches the real bot must not take the rehearsal for it.
    for watched in ["heartbeat", "traces"] {
        if table.remove(watched).is_some() {
            replaced_targets.push(watched.to_owned());
        }
    }
    each(&mut table, "issuer", |name, issuer| {
        let at = format!("issuer.{name}");
        if stand_in::is_contracted(issuer) {
            let folder = paths.file(&format!("access-{name}"));
            let real = stand_in::put_in(issuer, &folder.display().to_string());
            replaced_targets.extend(real.iter().map(|key| format!("{at}.{key}")));
            return;
        }
        set(issuer, &at, "ca_key", beside("file", path(paths.ca(name))));
        // Without a list access can't be ended early, and that is rehearsed as it is.
        if issuer.contains_key("krl") {
            set(issuer, &at, "krl", beside("path", path(paths.krl(name))));
        }
    });
    each(&mut table, "person", |name, person| {
        if let (true, Some(key)) = (person.contains_key("ssh_keys"), ssh_key_of(name)) {
            let keys = Value::Array(vec![key.into()]);
            set(person, &format!("person.{name}"), "ssh_keys", keys);
        }
    });
    let added = source.cast.players.iter().filter(|player| player.made_up);
    let people = table
        .entry("person")
        .or_insert_with(|| Value::from(Table::new()));
    for player in added {
        let (Some(people), Some(key)) = (people.as_table_mut(), ssh_key_of(&player.name)) else {
            continue;
        };
        let account = format!("slack:{}/{}", source.cast.team, player.id);
        let person = Table::from_iter([
            ("accounts".to_owned(), Value::Array(vec![account.into()])),
            ("ssh_keys".to_owned(), Value::Array(vec![key.into()])),
        ]);
        set(people, "person", &player.name, person.into());
    }
    each(&mut table, "resource", |name, resource| {
        let at = format!("resource.{name}.grant");
        let Some(grant) = resource.get_mut("grant").and_then(Value::as_table_mut) else {
            return;
        };
        // It would run here at each login, as whoever runs the demo.
        if grant.contains_key("force_command") {
            set(grant, &at, "force_command", "echo it works".into());
        }
        if grant.contains_key("source_address") {
            let here = Value::Array(vec!["127.0.0.0/8".into()]);
            set(grant, &at, "source_address", here);
        }
    });
    replaced.extend(replaced_targets);
    Ok(DemoConfig {
        text: toml::to_string(&table).context("the demo's config can't be written")?,
        replaced,
    })
}

fn section(table: &mut Table, name: &str, change: impl FnOnce(&mut Table)) {
    if let Some(section) = table.get_mut(name).and_then(Value::as_table_mut) {
        change(section);
    }
}

fn each(table: &mut Table, name: &str, mut change: impl FnMut(&str, &mut Table)) {
    section(table, name, |section| {
        for (name, one) in section.iter_mut() {
            if let Some(one) = one.as_table_mut() {
                change(name, one);
            }
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    const MORE: &str = r#"
[heartbeat]
url = { env = "HEARTBEAT_URL" }
[traces]
endpoint = "https://traces.example.org"
headers = { x-key = { env = "TRACES_KEY" } }
[issuer.box]
kind = "command"
program = ["/usr/local/bin/really"]
environment = { TOKEN = { env = "BOX_TOKEN" } }
[issuer.hall]
kind = "webhook"
url = "https://really.example.org/"
secret = { env = "HALL_SECRET" }
former_secret = { env = "HALL_FORMER" }
early_end = "told_only"
[resource.box-admin]
title = "Admin"
project = "shop"
action = "admin"
risk = "low"
issuer = "box"
grant = { group = "admins" }
duration = { default = "1h", max = "8h" }
request = ["group:engineering"]
approve = [{ from = ["group:sre"] }]
channels = ["slack:#approvals"]
"#;

    /// Nobody is called by a rehearsal; what was put in the place of the real targets is named.
    #[test]
    fn no_program_and_no_receiver_of_a_config_is_called() {
        let text = format!("{}{MORE}", config::SAMPLE);
        let source = Source::read(text, "mine", "mine").expect("it can be rehearsed");
        let folder = Path::new("/nonexistent/demo");
        let paths = Paths::below(folder);
        let demo = demo_config(&source, &paths, "http://127.0.0.1:1/api", &|_| None)
            .expect("it can be written");
        for real in [
            "/usr/local/bin/really",
            "really.example.org",
            "BOX_TOKEN",
            "HALL_SECRET",
            "HEARTBEAT_URL",
            "traces.example.org",
            "TRACES_KEY",
        ] {
            assert!(!demo.text.contains(real), "{real} is left:\n{}", demo.text);
        }
        for key in ["issuer.box.program", "issuer.hall.url", "issuer.hall.kind"] {
            assert!(
                demo.replaced.iter().any(|one| one == key),
                "{:?}",
                demo.replaced
            );
        }
        let config = config::parse(&demo.text, "demo", &tokens_later).expect("it is right");
        let kinds: Vec<&str> = config
            .issuers
            .values()
            .map(|issuer| issuer.kind())
            .collect();
        assert_eq!(
            kinds.iter().filter(|kind| **kind == "command").count(),
            2,
            "{kinds:?}"
        );
    }
}
