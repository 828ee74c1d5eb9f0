//! The sections that stand once: chat, store, HTTP, security, limits.

use std::net::SocketAddr;
use std::path::PathBuf;

use chrono::TimeDelta;
use secrecy::ExposeSecret;
use url::Url;

use super::problem::quoted;
use super::reader::{Item, Table};
use super::schedule::Schedule;
use super::secret::{self, SecretSource};
use super::subject::{self, Names};
use crate::domain::segment::KEEP_MIN;
use crate::policy::model::Subject;

pub(super) const SLACK_KEYS: &[&str] = &["bot_token", "app_token", "api_url", "fallback_channel"];
pub(super) const STORE_KEYS: &[&str] = &["url", "keep"];
pub(super) const SECURITY_KEYS: &[&str] = &["people", "channels", "digest"];
pub(super) const DIGEST_KEYS: &[&str] = &["cron", "time_zone"];
pub(super) const HTTP_KEYS: &[&str] = &["listen"];
pub(super) const LIMITS_KEYS: &[&str] = &["max_open_per_person"];

/// How places are named, as a hint.
pub(super) const PLACE_HINT: &str = "Write it like [\"slack:#approvals\"] or [\"slack:C0123456\"].";

/// For how many days the record may be kept.
const KEEP_DAYS: std::ops::RangeInclusive<i64> = KEEP_MIN.num_days()..=36_500;
const KEEP_HINT: &str = "Write it like \"730d\".";
const STORE_HINT: &str = "Write it like sqlite:///var/lib/jitbot/jitbot.db.";
const API_URL_HINT: &str = "Write it like https://slack.example.org/api/.";
const MAX_OPEN_DEFAULT: i64 = 10;

/// `[slack]`.
#[derive(Debug, Clone)]
pub struct SlackConfig {
    /// The bot's token, `xoxb-…`.
    pub bot_token: SecretSource,
    /// The app-level token for Socket Mode, `xapp-…`.
    pub app_token: SecretSource,
    /// Where the Web API is, with a `/` at its end; Slack's own where none is given.
    pub api_url: Option<String>,
    /// Name of the place where cards go whose own channels can't be posted to.
    pub fallback_channel: Option<String>,
}

/// `[store]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoreConfig {
    /// The SQLite file.
    pub path: PathBuf,
    /// How long the record is kept; for ever where none is set.
    pub keep: Option<TimeDelta>,
}

/// `[security]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecurityConfig {
    /// Who is security.
    pub people: Vec<Subject>,
    /// Names of the places where they read.
    pub channels: Vec<String>,
    /// When the digest is sent.
    pub digest: Schedule,
}

/// `[http]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HttpConfig {
    /// Address and port.
    pub listen: SocketAddr,
}

/// `[limits]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LimitsConfig {
    /// Open requests that one person may have.
    pub max_open_per_person: i64,
}

pub(super) fn slack(root: &Table<'_>) -> Option<SlackConfig> {
    let table = root
        .need("slack", "Write [slack] with bot_token and app_token.")?
        .table(SLACK_KEYS, &[])?;
    // Both tokens look alike and are easily swapped; Slack's answer to that explains nothing.
    let token = |key: &str, others_prefix: &str, own: &str| {
        let item = table.need(key, secret::SECRET_HINT)?;
        let token = secret::read(&item)?;
        if let SecretSource::Env { value, .. } = &token
            && value.expose_secret().starts_with(others_prefix)
        {
            item.problem(
                format!("holds a token that begins with {others_prefix}"),
                format!("The {key} begins with {own}; the two seem to be swapped."),
            );
            return None;
        }
        Some(token)
    };
    let bot_token = token("bot_token", "xapp-", "xoxb-");
    let app_token = token("app_token", "xoxb-", "xapp-");
    let api_url = match table.get("api_url") {
        Some(item) => read_api_url(&item),
        None => Some(None),
    };
    let fallback_channel = match table.get("fallback_channel") {
        Some(item) => place(&item).map(Some),
        None => Some(None),
    };
    Some(SlackConfig {
        bot_token: bot_token?,
        app_token: app_token?,
        api_url: api_url?,
        fallback_channel: fallback_channel?,
    })
}

/// A text, or one from the environment; not set there means that it is not set at all.
fn read_api_url(item: &Item<'_>) -> Option<Option<String>> {
    let text = if item.is_table() {
        let table = item.table(&["env"], &[])?;
        let (_, value) = secret::env_value(&table.need("env", "Write { env = \"NAME\" }.")?)?;
        match value.filter(|value| !value.trim().is_empty()) {
            Some(value) => value,
            None => return Some(None),
        }
    } else {
        item.string()?.to_owned()
    };
    // The address is never repeated: it may hold a password.
    let Some(mut url) = Url::parse(text.trim()).ok().filter(Url::has_host) else {
        item.problem("is not an address", API_URL_HINT);
        return None;
    };
    let loopback = match url.host() {
        Some(url::Host::Ipv4(address)) => address.is_loopback(),
        Some(url::Host::Ipv6(address)) => address.is_loopback(),
        Some(url::Host::Domain(name)) => name == "localhost",
        None => false,
    };
    if !(url.scheme() == "https" || (url.scheme() == "http" && loopback)) {
        item.problem(
            "would send tokens in clear text over a network",
            "Use https://; http:// is for this machine's own addresses only.",
        );
        return None;
    }
    let credentials = !url.username().is_empty() || url.password().is_some();
    if credentials || url.query().is_some() || url.fragment().is_some() {
        item.problem("holds more than scheme, host, port and path", API_URL_HINT);
        return None;
    }
    if !url.path().ends_with('/') {
        let path = format!("{}/", url.path());
        url.set_path(&path);
    }
    Some(Some(url.into()))
}

pub(super) fn store(root: &Table<'_>) -> Option<StoreConfig> {
    let table = root
        .need("store", "Write [store] with url = \"sqlite://jitbot.db\".")?
        .table(STORE_KEYS, &[])?;
    let keep = match table.get("keep") {
        Some(item) => read_keep(&item).map(Some),
        None => Some(None),
    };
    let item = table.need("url", STORE_HINT)?;
    let text = item.string()?;
    // An address of a server is not repeated: it may hold a password.
    let Some(path) = text.strip_prefix("sqlite://") else {
        let later = text.starts_with("postgres:") || text.starts_with("postgresql:");
        item.problem(
            if later {
                "is a PostgreSQL database, which is not served yet"
            } else {
                "is not the address of a database"
            },
            STORE_HINT,
        );
        return None;
    };
    if path.is_empty() || path.contains(['?', '#', '\0']) || path.contains(":memory:") {
        item.problem(
            "is not the path of a file alone",
            format!("{STORE_HINT} What SQLite needs beside that is set already."),
        );
        return None;
    }
    Some(StoreConfig {
        path: PathBuf::from(path),
        keep: keep?,
    })
}

/// Whole days, more than a length of access may have.
fn read_keep(item: &Item<'_>) -> Option<TimeDelta> {
    let text = item.string()?;
    let days = text.strip_suffix('d').filter(|days| {
        let digits = days.bytes().all(|byte| byte.is_ascii_digit());
        digits && !days.starts_with('0')
    });
    let Some(days) = days.and_then(|days| days.parse::<i64>().ok()) else {
        item.problem(
            format!("{} is not a number of days", quoted(text)),
            KEEP_HINT,
        );
        return None;
    };
    if !KEEP_DAYS.contains(&days) {
        item.problem(
            format!("{} is out of range", quoted(text)),
            format!(
                "It may be {}d to {}d; left out, everything is kept for ever.",
                KEEP_DAYS.start(),
                KEEP_DAYS.end()
            ),
        );
        return None;
    }
    Some(TimeDelta::days(days))
}

pub(super) fn security(root: &Table<'_>, names: &Names) -> Option<SecurityConfig> {
    let table = root
        .need(
            "security",
            "Write [security] with people, channels and digest.",
        )?
        .table(SECURITY_KEYS, &[])?;
    let people = table
        .need("people", "Name who is security, like [\"group:security\"].")
        .and_then(|item| subject::read_all(&item, names));
    let channels = table
        .need("channels", PLACE_HINT)
        .and_then(|item| places(&item));
    let digest = table
        .need(
            "digest",
            "Write it like { cron = \"0 9 * * *\", time_zone = \"Europe/Berlin\" }.",
        )
        .and_then(|item| read_digest(&item));
    Some(SecurityConfig {
        people: people?,
        channels: channels?,
        digest: digest?,
    })
}

fn read_digest(item: &Item<'_>) -> Option<Schedule> {
    let table = item.table(DIGEST_KEYS, &[])?;
    let zone = table
        .need("time_zone", "Write it like \"Europe/Berlin\".")
        .and_then(|item| item.time_zone());
    let cron = table.need(
        "cron",
        "Write it like \"0 9 * * *\", for nine in the morning.",
    )?;
    let text = cron.string()?;
    // What is wrong with the expression is said even where the zone is wrong too.
    match Schedule::parse(text, zone.unwrap_or(chrono_tz::UTC)) {
        Ok(schedule) => zone.map(|_| schedule),
        Err(bad) => {
            cron.problem(
                format!("{} is not a schedule: {}", quoted(text), bad.what),
                bad.hint,
            );
            None
        }
    }
}

/// HTTP is served only where it is asked for; the outer none means that what is asked for is wrong.
pub(super) fn http(root: &Table<'_>) -> Option<Option<HttpConfig>> {
    let Some(item) = root.get("http") else {
        return Some(None);
    };
    let item = item
        .table(HTTP_KEYS, &[])?
        .need("listen", "Write it like \"127.0.0.1:8910\".")?;
    let text = item.string()?;
    let Ok(listen) = text.parse::<SocketAddr>() else {
        item.problem(
            format!("{} is not an address with a port", quoted(text)),
            "Write it like \"127.0.0.1:8910\".",
        );
        return None;
    };
    if !listen.ip().is_loopback() {
        item.warning(
            "is reached from other machines without encryption",
            "Listen on 127.0.0.1 and put a server that speaks TLS in front.",
        );
    }
    Some(Some(HttpConfig { listen }))
}

pub(super) fn limits(root: &Table<'_>) -> Option<LimitsConfig> {
    let item = match root.get("limits") {
        Some(item) => item.table(LIMITS_KEYS, &[])?.get("max_open_per_person"),
        None => None,
    };
    Some(LimitsConfig {
        max_open_per_person: match item {
            Some(item) => item.integer(1, 1_000)?,
            None => MAX_OPEN_DEFAULT,
        },
    })
}

/// Names of places: `slack:#name` or `slack:C0ID`.
pub(super) fn places(item: &Item<'_>) -> Option<Vec<String>> {
    let items = item.array()?;
    if items.is_empty() {
        item.problem("is empty", PLACE_HINT);
        return None;
    }
    let mut places = Some(Vec::new());
    for item in items {
        let Some(text) = item.string() else {
            places = None;
            continue;
        };
        let repeated = places
            .as_ref()
            .is_some_and(|p: &Vec<String>| p.iter().any(|o| o == text));
        if repeated {
            item.problem("is named twice", "Leave one out.");
            places = None;
        } else if !is_served(&item, text, PLACE_HINT) {
            places = None;
        } else if let Some(places) = &mut places {
            places.push(text.to_owned());
        }
    }
    places
}

/// The name of one place.
fn place(item: &Item<'_>) -> Option<String> {
    let text = item.string()?;
    is_served(
        item,
        text,
        "Write it like \"slack:#approvals-elsewhere\" or \"slack:C0123456\".",
    )
    .then(|| text.to_owned())
}

fn is_served(item: &Item<'_>, text: &str, hint: &str) -> bool {
    if text.starts_with("discord:") {
        item.problem(
            format!("{} is on a platform that is not served yet", quoted(text)),
            format!("Discord comes later. {hint}"),
        );
        return false;
    }
    let served = is_place(text);
    if !served {
        item.problem(format!("{} is not a channel", quoted(text)), hint);
    }
    served
}

fn is_place(text: &str) -> bool {
    let Some(rest) = text.strip_prefix("slack:") else {
        return false;
    };
    match rest.strip_prefix('#') {
        // Slack's rule: no capitals, no blanks, no full stop, at most 80 characters; other scripts are allowed.
        Some(name) => {
            !name.is_empty()
                && name.chars().count() <= 80
                && name
                    .chars()
                    .all(|c| (c.is_alphanumeric() && !c.is_uppercase()) || c == '-' || c == '_')
        }
        None => {
            rest.starts_with(['C', 'G'])
                && (2..=32).contains(&rest.len())
                && rest
                    .bytes()
                    .all(|b| b.is_ascii_uppercase() || b.is_ascii_digit())
        }
    }
}
