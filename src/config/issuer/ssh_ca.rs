//! The kind `ssh-ca`.

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::{label_of_target, read_program, read_yes};
use crate::config::problem::quoted;
use crate::config::reader::{Item, Table};
use crate::config::secret::{self, SecretSource, absolute_path};

pub(in crate::config) const SSH_CA_KEYS: &[&str] =
    &["kind", "ca_key", "keys_in_chat", "krl", "retired", "target"];
pub(in crate::config) const KRL_KEYS: &[&str] = &["path", "push", "fetch"];
pub(in crate::config) const PUSH_KEYS: &[&str] = &["program", "hosts", "read_back", "timeout"];
pub(in crate::config) const FETCH_KEYS: &[&str] = &["hosts"];
pub(in crate::config) const FETCH_HOST_KEYS: &[&str] = &["token", "former_token"];

/// A host's token is compared with what anybody may send: shorter ones could be tried out.
const TOKEN_MIN_CHARS: usize = 24;
const PUSH_TIMEOUT_DEFAULT_S: i64 = 5;
/// A call to an issuer is shorter than its job's lease.
const PUSH_TIMEOUT_MAX_S: i64 = 8;

/// Settings of an `ssh-ca` issuer.
#[derive(Debug, Clone)]
pub struct SshCaConfig {
    /// The CA's private key, in OpenSSH's form.
    pub ca_key: SecretSource,
    /// How hosts learn what was ended early.
    pub hosts: HostsWay,
    /// Where, in words for people; the issuer's name where none is given.
    pub target: String,
    /// People without a key in the config may give theirs in chat.
    pub keys_in_chat: bool,
    /// Only takes away any more.
    pub retired: bool,
}

/// How hosts get the list of what was ended early (the KRL).
#[derive(Debug, Clone)]
pub enum HostsWay {
    /// They don't: access can't be ended early.
    None,
    /// A file that sshd reads.
    Path(PathBuf),
    /// A program that is run once per host.
    Push {
        /// The program's absolute path and its arguments; the host's name is added.
        program: Vec<String>,
        /// The hosts.
        hosts: Vec<String>,
        /// Whether the program reads back on the host what it wrote.
        read_back: bool,
        /// Seconds that one run may take.
        timeout_s: i64,
    },
    /// They fetch it from the bot and report what they have, each with a token of its own.
    Fetch {
        /// Tokens by host.
        hosts: BTreeMap<String, FetchTokens>,
    },
}

/// What a host shows that it is it.
#[derive(Debug, Clone)]
pub struct FetchTokens {
    /// Its token.
    pub token: SecretSource,
    /// Counts as well, while `token` replaces it.
    pub former: Option<SecretSource>,
}

impl FetchTokens {
    fn all(&self) -> impl Iterator<Item = &SecretSource> {
        std::iter::once(&self.token).chain(&self.former)
    }
}

impl SshCaConfig {
    pub(super) fn secrets(&self) -> Vec<(String, &SecretSource)> {
        let mut secrets = vec![("ca_key".to_owned(), &self.ca_key)];
        if let HostsWay::Fetch { hosts } = &self.hosts {
            for (host, tokens) in hosts {
                let key = format!("krl.fetch.hosts.{host}");
                secrets.push((format!("{key}.token"), &tokens.token));
                let former = tokens.former.iter();
                secrets.extend(former.map(|secret| (format!("{key}.former_token"), secret)));
            }
        }
        secrets
    }
}

pub(super) fn read(table: &Table<'_>, name: &str) -> Option<SshCaConfig> {
    let ca_key = table
        .need("ca_key", secret::SECRET_HINT)
        .and_then(|item| secret::read(&item));
    let hosts = match table.get("krl") {
        Some(item) => hosts_way(&item),
        None => Some(HostsWay::None),
    };
    let (keys_in_chat, retired) = (read_yes(table, "keys_in_chat"), read_yes(table, "retired"));
    let target = label_of_target(table, name);
    Some(SshCaConfig {
        ca_key: ca_key?,
        hosts: hosts?,
        target: target?,
        keys_in_chat: keys_in_chat?,
        retired: retired?,
    })
}

fn hosts_way(item: &Item<'_>) -> Option<HostsWay> {
    let table = item.table(KRL_KEYS, &[])?;
    match (table.get("path"), table.get("push"), table.get("fetch")) {
        (Some(path), None, None) => absolute_path(&path).map(HostsWay::Path),
        (None, Some(push), None) => read_push(&push),
        (None, None, Some(fetch)) => read_fetch(&fetch),
        _ => {
            item.problem(
                "names not exactly one way",
                "Write one of path, push and fetch, or leave krl out: then access can't be ended early.",
            );
            None
        }
    }
}

fn read_push(item: &Item<'_>) -> Option<HostsWay> {
    let table = item.table(PUSH_KEYS, &[])?;
    let program = table
        .need("program", "Write it like [\"/usr/local/bin/push-krl\"].")
        .and_then(|item| read_program(&item, "/usr/local/bin/push-krl"));
    let hosts = table
        .need("hosts", "Write it like [\"web1.example.org\"].")
        .and_then(|item| {
            let items = item.array()?;
            if items.is_empty() {
                item.problem("is empty", "Name at least one host.");
                return None;
            }
            let hosts = items.iter().map(|item| {
                let host = item.string()?;
                check_host(item, host)
            });
            // Collected first, so that every wrong one is said.
            let hosts: Vec<Option<String>> = hosts.collect();
            let hosts: Vec<String> = hosts.into_iter().collect::<Option<_>>()?;
            if let Some(i) = (0..hosts.len()).find(|&i| hosts[..i].contains(&hosts[i])) {
                items[i].problem("is named twice", "Leave one out.");
                return None;
            }
            Some(hosts)
        });
    let read_back = match table.get("read_back") {
        Some(item) => item.boolean(),
        None => Some(true),
    };
    let timeout_s = match table.get("timeout") {
        Some(item) => item.duration().and_then(|seconds| {
            if seconds > PUSH_TIMEOUT_MAX_S {
                item.problem(
                    "is too long",
                    format!("The most is {PUSH_TIMEOUT_MAX_S}s; a run that fails is repeated."),
                );
                return None;
            }
            Some(seconds)
        }),
        None => Some(PUSH_TIMEOUT_DEFAULT_S),
    };
    Some(HostsWay::Push {
        program: program?,
        hosts: hosts?,
        read_back: read_back?,
        timeout_s: timeout_s?,
    })
}

fn read_fetch(item: &Item<'_>) -> Option<HostsWay> {
    let table = item.table(FETCH_KEYS, &[])?;
    let hosts_item = table.need(
        "hosts",
        "Write it like hosts = { web1 = { token = { env = \"WEB1_TOKEN\" } } }.",
    )?;
    let entries = hosts_item.open()?.entries();
    if entries.is_empty() {
        hosts_item.problem("is empty", "Name at least one host.");
        return None;
    }
    let mut hosts: BTreeMap<String, FetchTokens> = BTreeMap::new();
    let mut complete = true;
    for (name, item) in entries {
        let host = check_host(&item, name);
        let tokens = item
            .table(FETCH_HOST_KEYS, &[])
            .and_then(|table| read_tokens(&table));
        let (Some(host), Some(tokens)) = (host, tokens) else {
            complete = false;
            continue;
        };
        let has_one_of = |other: &FetchTokens| {
            let mut pairs = tokens
                .all()
                .flat_map(|one| other.all().map(move |it| (one, it)));
            pairs.any(|(one, it)| one.is_same_as(it))
        };
        if let Some((other, _)) = hosts.iter().find(|(_, other)| has_one_of(other)) {
            item.problem(
                format!("has the token of {}", quoted(other)),
                "Give each host a token of its own, or one could report for the other.",
            );
            complete = false;
        }
        hosts.insert(host, tokens);
    }
    complete.then_some(HostsWay::Fetch { hosts })
}

fn read_tokens(table: &Table<'_>) -> Option<FetchTokens> {
    let token = table
        .need("token", secret::SECRET_HINT)
        .and_then(|item| read_token(&item));
    let Some(item) = table.get("former_token") else {
        return Some(FetchTokens {
            token: token?,
            former: None,
        });
    };
    let (token, former) = (token?, read_token(&item)?);
    if token.is_same_as(&former) {
        item.problem(
            "is the same as token",
            "Leave it out once the host shows the new one.",
        );
        return None;
    }
    Some(FetchTokens {
        token,
        former: Some(former),
    })
}

fn read_token(item: &Item<'_>) -> Option<SecretSource> {
    use secrecy::ExposeSecret;
    let token = secret::read(item)?;
    if let SecretSource::Env { value, .. } = &token
        && value.expose_secret().chars().count() < TOKEN_MIN_CHARS
    {
        item.problem(
            format!("the token is shorter than {TOKEN_MIN_CHARS} characters"),
            "Make one with `openssl rand -hex 32`.",
        );
        return None;
    }
    Some(token)
}

/// A host's name is an argument of programs and a part of addresses: nothing that either could
/// take for something else.
fn check_host(item: &Item<'_>, host: &str) -> Option<String> {
    let valid = host.len() <= 253
        && host.starts_with(|c: char| c.is_ascii_alphanumeric())
        && host
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b".-_".contains(&b));
    if !valid {
        item.problem(
            format!("{} is not a host's name", quoted(host)),
            "Use letters, digits, `.`, `-` and `_`, and begin with a letter or digit.",
        );
        return None;
    }
    Some(host.to_owned())
}
