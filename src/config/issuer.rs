//! Issuers: `[issuer.NAME]`.

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::people::named;
use super::problem::{nearest, quoted};
use super::reader::{Item, Table};
use super::secret::{self, SecretSource, absolute_path};
use crate::domain::ids::IssuerName;

/// Kinds of issuers that exist.
pub(super) const KINDS: &[&str] = &["ssh-ca"];
pub(super) const SSH_CA_KEYS: &[&str] =
    &["kind", "ca_key", "keys_in_chat", "krl", "retired", "target"];
pub(super) const KRL_KEYS: &[&str] = &["path", "push", "fetch"];
pub(super) const PUSH_KEYS: &[&str] = &["program", "hosts", "read_back", "timeout"];
pub(super) const FETCH_KEYS: &[&str] = &["hosts"];
pub(super) const FETCH_HOST_KEYS: &[&str] = &["token"];

/// A host's token is compared with what anybody may send: shorter ones could be tried out.
const TOKEN_MIN_CHARS: usize = 24;
const TARGET_MAX_CHARS: usize = 80;
const PUSH_TIMEOUT_DEFAULT_S: i64 = 5;
/// A call to an issuer is shorter than its job's lease.
const PUSH_TIMEOUT_MAX_S: i64 = 8;

/// An issuer instance.
#[derive(Debug, Clone)]
pub enum IssuerConfig {
    /// Signs SSH certificates.
    SshCa(SshCaConfig),
}

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
        hosts: BTreeMap<String, SecretSource>,
    },
}

impl IssuerConfig {
    /// Whether it only takes away any more.
    #[must_use]
    pub fn is_retired(&self) -> bool {
        let Self::SshCa(ssh_ca) = self;
        ssh_ca.retired
    }

    /// Whether people without a key in the config may give theirs in chat.
    #[must_use]
    pub fn keys_in_chat(&self) -> bool {
        let Self::SshCa(ssh_ca) = self;
        ssh_ca.keys_in_chat
    }

    /// Where, in words for people.
    #[must_use]
    pub fn target(&self) -> &str {
        let Self::SshCa(ssh_ca) = self;
        &ssh_ca.target
    }

    /// The word for its kind in the config.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::SshCa(_) => "ssh-ca",
        }
    }

    /// Whether hosts fetch from the bot's own HTTP server.
    #[must_use]
    pub const fn needs_http(&self) -> bool {
        let Self::SshCa(ssh_ca) = self;
        matches!(ssh_ca.hosts, HostsWay::Fetch { .. })
    }

    /// Everything secret that it reads, by its key.
    pub(super) fn secrets(&self) -> Vec<(String, &SecretSource)> {
        let Self::SshCa(ssh_ca) = self;
        let mut secrets = vec![("ca_key".to_owned(), &ssh_ca.ca_key)];
        if let HostsWay::Fetch { hosts } = &ssh_ca.hosts {
            let keyed = |(host, token)| (format!("krl.fetch.hosts.{host}.token"), token);
            secrets.extend(hosts.iter().map(keyed));
        }
        secrets
    }
}

/// Reads all issuers.
pub(super) fn issuers(root: &Table<'_>) -> BTreeMap<IssuerName, IssuerConfig> {
    let mut issuers = BTreeMap::new();
    for (text, item) in named(root, "issuer") {
        let name = match IssuerName::new(text) {
            Ok(name) => Some(name),
            Err(e) => {
                item.problem(e.to_string(), "");
                None
            }
        };
        let issuer = read(&item, text);
        if let (Some(name), Some(issuer)) = (name, issuer) {
            issuers.insert(name, issuer);
        }
    }
    issuers
}

fn read(item: &Item<'_>, name: &str) -> Option<IssuerConfig> {
    let hint = format!("There is: {}.", KINDS.join(", "));
    let table = item.open()?;
    let kind = table.need("kind", &hint)?;
    let text = kind.string()?;
    match text {
        "ssh-ca" => {
            table.only(SSH_CA_KEYS, &[]);
            ssh_ca(&table, name).map(IssuerConfig::SshCa)
        }
        _ => {
            kind.problem(
                format!("there is no kind of issuer {}", quoted(text)),
                nearest(text, KINDS.iter().copied()),
            );
            None
        }
    }
}

fn ssh_ca(table: &Table<'_>, name: &str) -> Option<SshCaConfig> {
    let ca_key = table
        .need("ca_key", secret::SECRET_HINT)
        .and_then(|item| secret::read(&item));
    let hosts = match table.get("krl") {
        Some(item) => hosts_way(&item),
        None => Some(HostsWay::None),
    };
    let yes = |key| match table.get(key) {
        Some(item) => item.boolean(),
        None => Some(false),
    };
    let (keys_in_chat, retired) = (yes("keys_in_chat"), yes("retired"));
    let target = match table.get("target") {
        Some(item) => item.label(TARGET_MAX_CHARS),
        None => Some(name.to_owned()),
    };
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
        .and_then(|item| read_program(&item));
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

fn read_program(item: &Item<'_>) -> Option<Vec<String>> {
    let words: Vec<Option<&str>> = item.array()?.iter().map(Item::string).collect();
    let words: Vec<&str> = words.into_iter().collect::<Option<_>>()?;
    let absolute = words.first().is_some_and(|first| first.starts_with('/'));
    if !absolute || words.iter().any(|word| word.contains('\0')) {
        item.problem(
            "does not begin with the absolute path of a program",
            "Write it like [\"/usr/local/bin/push-krl\"]; no shell stands between.",
        );
        return None;
    }
    Some(words.into_iter().map(str::to_owned).collect())
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
    let mut hosts: BTreeMap<String, SecretSource> = BTreeMap::new();
    let mut complete = true;
    for (name, item) in entries {
        let host = check_host(&item, name);
        let token = item
            .table(FETCH_HOST_KEYS, &[])
            .and_then(|table| table.need("token", secret::SECRET_HINT))
            .and_then(|item| read_token(&item));
        let (Some(host), Some(token)) = (host, token) else {
            complete = false;
            continue;
        };
        if let Some((other, _)) = hosts.iter().find(|(_, t)| t.is_same_as(&token)) {
            item.problem(
                format!("has the token of {}", quoted(other)),
                "Give each host a token of its own, or one could report for the other.",
            );
            complete = false;
        }
        hosts.insert(host, token);
    }
    complete.then_some(HostsWay::Fetch { hosts })
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
