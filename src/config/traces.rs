//! `[traces]`: where to send what was done and how long it took.

use std::collections::BTreeMap;

use hyper::header::{self, HeaderName};
use serde_json::{Value, json};
use url::Url;

use super::heartbeat;
use super::reader::{Item, Table};
use super::secret::{self, SecretSource};
use crate::web_call::address::{self, BadAddress};

pub(super) const TRACES_KEYS: &[&str] = &[
    "endpoint",
    "headers",
    "sample_ratio",
    "timeout",
    "allow_private",
];

const ENDPOINT_HINT: &str = "Write it like \"https://collector.example:4318\".";
/// The path that OTLP over HTTP has where an address names none.
const PATH: &str = "/v1/traces";
const TIMEOUT_DEFAULT_S: i64 = 10;
const TIMEOUT_S: (i64, i64) = (1, 30);
/// What each request is sent with already.
const TAKEN: &[HeaderName] = &[
    header::CONNECTION,
    header::CONTENT_LENGTH,
    header::CONTENT_TYPE,
    header::HOST,
    header::TRANSFER_ENCODING,
];

/// `[traces]`.
#[derive(Debug, Clone)]
pub struct TracesConfig {
    /// The whole address that traces are sent to.
    pub endpoint: Url,
    /// Headers that each request is sent with.
    pub headers: BTreeMap<String, SecretSource>,
    /// Which part of all traces is sent.
    pub sample_ratio: f64,
    /// Seconds that a request may take.
    pub timeout_s: i64,
    /// Whether it may be in a private network, or on this machine.
    pub allow_private: bool,
}

impl TracesConfig {
    pub(super) fn secrets(&self) -> Vec<(String, &SecretSource)> {
        let keyed = |(name, value)| (format!("traces.headers.{name}"), value);
        self.headers.iter().map(keyed).collect()
    }

    /// Everything that it says, as it is written; never a secret.
    #[must_use]
    pub fn as_written(&self) -> Value {
        let headers: BTreeMap<&String, Value> = self
            .headers
            .iter()
            .map(|(name, value)| (name, value.place()))
            .collect();
        json!({
            "endpoint": self.endpoint.as_str(),
            "headers": headers,
            "sample_ratio": self.sample_ratio,
            "timeout_s": self.timeout_s,
            "allow_private": self.allow_private,
        })
    }
}

/// None are sent where none are asked for; the outer none means that what is asked for is wrong.
pub(super) fn read(root: &Table<'_>) -> Option<Option<TracesConfig>> {
    let Some(item) = root.get("traces") else {
        return Some(None);
    };
    if !cfg!(feature = "otlp") {
        item.problem(
            "can't be served: this jitbot was built without the feature `otlp`",
            "Build it with that feature, or leave the section out.",
        );
        return None;
    }
    let table = item.table(TRACES_KEYS, &[])?;
    let allow_private = match table.get("allow_private") {
        Some(item) => item.boolean(),
        None => Some(false),
    };
    // Where that is no answer the address is judged all the same, for everything else.
    let endpoint = table
        .need("endpoint", ENDPOINT_HINT)
        .and_then(|item| read_endpoint(&item, allow_private.unwrap_or(true)));
    let headers = match table.get("headers") {
        Some(item) => read_headers(&item),
        None => Some(BTreeMap::new()),
    };
    let sample_ratio = match table.get("sample_ratio") {
        Some(item) => item.ratio(),
        None => Some(1.0),
    };
    let timeout_s = match table.get("timeout") {
        Some(item) => read_timeout(&item),
        None => Some(TIMEOUT_DEFAULT_S),
    };
    Some(Some(TracesConfig {
        endpoint: endpoint?,
        headers: headers?,
        sample_ratio: sample_ratio?,
        timeout_s: timeout_s?,
        allow_private: allow_private?,
    }))
}

fn read_endpoint(item: &Item<'_>, allow_private: bool) -> Option<Url> {
    match address::read(item.string()?.trim(), allow_private) {
        Ok(mut url) => {
            if url.path() == "/" {
                url.set_path(PATH);
            }
            Some(url)
        }
        // The address is not repeated: it may hold a password.
        Err(wrong) => {
            let what = match wrong {
                BadAddress::NotAnAddress => "is not an address like https://collector.example:4318",
                other => heartbeat::broken(other),
            };
            item.problem(what, ENDPOINT_HINT);
            None
        }
    }
}

fn read_headers(item: &Item<'_>) -> Option<BTreeMap<String, SecretSource>> {
    let mut headers = Some(BTreeMap::new());
    for (name, item) in item.open()?.entries() {
        let free = is_free(&item, name, headers.as_ref());
        match (free, secret::read(&item), &mut headers) {
            (true, Some(value), Some(headers)) => {
                headers.insert(name.to_lowercase(), value);
            }
            _ => headers = None,
        }
    }
    headers
}

fn is_free(item: &Item<'_>, name: &str, others: Option<&BTreeMap<String, SecretSource>>) -> bool {
    let Ok(header) = HeaderName::try_from(name) else {
        item.problem("is not the name of a header", "Write it like x-api-key.");
        return false;
    };
    if TAKEN.contains(&header) {
        item.problem("is a header that jitbot sets itself", "Leave it out.");
        return false;
    }
    if others.is_some_and(|others| others.contains_key(header.as_str())) {
        item.problem("is named twice", "Leave one out.");
        return false;
    }
    true
}

fn read_timeout(item: &Item<'_>) -> Option<i64> {
    let seconds = item.duration()?;
    let (least, most) = TIMEOUT_S;
    if (least..=most).contains(&seconds) {
        return Some(seconds);
    }
    item.problem("is too short or too long", "From 1s to 30s.");
    None
}
