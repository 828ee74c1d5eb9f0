//! From answers to a commented config. Pure.

use std::fmt::Write as _;

/// Where a secret is found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Whence {
    /// In this environment variable.
    Env(String),
    /// In this file.
    File(String),
}

/// A person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    /// The config's name.
    pub name: String,
    /// `U…`
    pub id: String,
    /// IANA time zone, if known.
    pub zone: Option<String>,
    /// A public SSH key, if known.
    pub key: Option<String>,
}

/// A channel: its id or `#name`, and what it is called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Channel {
    /// `C…`, or `#name` where nobody could be asked.
    pub at: String,
    /// Its name, for the comment; none where `at` says it.
    pub name: Option<String>,
}

/// Everything that was asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answers {
    /// The bot's token.
    pub bot_token: Whence,
    /// The app's token.
    pub app_token: Whence,
    /// Whether the address of the Web API comes from the environment.
    pub api_url: bool,
    /// The workspace's id.
    pub team: String,
    /// The database's path.
    pub database: String,
    /// Where security reads.
    pub security_channel: Channel,
    /// Who is security.
    pub security: Vec<String>,
    /// Hour and minute of the digest.
    pub digest: (u32, u32),
    /// Its zone.
    pub zone: String,
    /// Everybody who was named.
    pub people: Vec<Person>,
    /// The group of hosts.
    pub hosts: String,
    /// Who one is there.
    pub principals: Vec<String>,
    /// low, medium, high or critical.
    pub risk: String,
    /// Who may ask.
    pub requesters: Vec<String>,
    /// Who approves.
    pub approvers: Vec<String>,
    /// Where cards are posted.
    pub approvals: Channel,
    /// When no duration is asked for, and the most.
    pub durations: (String, String),
    /// The CA's key.
    pub ca_key: String,
    /// The list that sshd reads; none where access can't be ended early.
    pub krl: Option<String>,
}

/// The config.
#[must_use]
pub fn draft(a: &Answers) -> String {
    let mut text = String::from(HEAD);
    let mut add = |lines: String| {
        let _ = writeln!(text, "{lines}");
    };
    add(format!(
        "[slack]\nbot_token = {}           # xoxb-…\napp_token = {}           # xapp-…, with connections:write",
        whence(&a.bot_token),
        whence(&a.app_token)
    ));
    add(if a.api_url {
        "api_url   = { env = \"SLACK_API_URL\" }             # not set: Slack itself\n".to_owned()
    } else {
        "# api_url = { env = \"SLACK_API_URL\" }             # for a sandbox or a proxy\n"
            .to_owned()
    });
    add(format!(
        "[store]\nurl = {}\n",
        quoted(&format!("sqlite://{}", a.database))
    ));
    let (hour, minute) = a.digest;
    add(format!(
        "# --- Who is told, and reads the record\n\n[security]\npeople   = [\"group:security\"]\nchannels = [{}]{}\ndigest   = {{ cron = \"{minute} {hour} * * *\", time_zone = {} }}\n",
        place(&a.security_channel),
        called(&a.security_channel),
        quoted(&a.zone)
    ));
    add(format!(
        "# --- People and groups\n\n[group.security]\nmembers = {}\n\n[group.{hosts}-users]\nmembers = {}\n\n[group.{hosts}-approvers]\nmembers = {}\n",
        members(&a.security),
        members(&a.requesters),
        members(&a.approvers),
        hosts = a.hosts
    ));
    add("# Which accounts are one person, their public SSH keys, their time zone.".to_owned());
    for person in &a.people {
        add(one(person, &a.team, a.requesters.contains(&person.name)));
    }
    let hosts = &a.hosts;
    let krl = match &a.krl {
        Some(path) => format!(
            "krl    = {{ path = {} }}       # sshd: RevokedKeys; push and fetch: docs/CONFIG.md",
            quoted(path)
        ),
        None => "# krl  = { path = \"/etc/ssh/jitbot.krl\" }          # left out: access can't be ended early".to_owned(),
    };
    add(format!(
        "# --- What gives access\n\n# Signs SSH certificates. Hosts trust the CA's public half (sshd: TrustedUserCAKeys).\n[issuer.{hosts}-ca]\nkind   = \"ssh-ca\"\nca_key = {{ file = {} }}\n{krl}\ntarget = {}\n",
        quoted(&a.ca_key),
        quoted(&format!("the {hosts} hosts"))
    ));
    let principals: Vec<String> = a.principals.iter().map(|one| quoted(one)).collect();
    let (default, max) = &a.durations;
    add(format!(
        "# --- What can be asked for\n\n# /jit request {hosts}-ssh {default} why it is needed\n[resource.{hosts}-ssh]\ntitle    = {}\nproject  = {}\naction   = \"shell\"\nrisk     = {}                               # low, medium, high, critical\nissuer   = \"{hosts}-ca\"\ngrant    = {{ principals = [{}] }}            # who one is there\nduration = {{ default = {}, max = {} }}\nrequest  = [\"group:{hosts}-users\"]\napprove  = [{{ from = [\"group:{hosts}-approvers\"], count = 1 }}]  # never who asked\nchannels = [{}]{}\npending_for = \"1h\"                              # then the request runs out\nremind   = [\"10m\"]                             # before the end",
        quoted(&format!("Shell on the {hosts} hosts")),
        quoted(hosts),
        quoted(&a.risk),
        principals.join(", "),
        quoted(default),
        quoted(max),
        place(&a.approvals),
        called(&a.approvals)
    ));
    text
}

const HEAD: &str = "# A config for jitbot, made by `jitbot init`. `jitbot check FILE` says everything that is wrong with
# it or missing of what it names; docs/CONFIG.md lists every key.

# --- Chat

";

fn whence(whence: &Whence) -> String {
    match whence {
        Whence::Env(name) => format!("{{ env = {} }}", quoted(name)),
        Whence::File(path) => format!("{{ file = {} }}", quoted(path)),
    }
}

fn place(channel: &Channel) -> String {
    quoted(&format!("slack:{}", channel.at))
}

fn called(channel: &Channel) -> String {
    match &channel.name {
        Some(name) => format!("                   # #{name}"),
        None => String::new(),
    }
}

fn members(names: &[String]) -> String {
    let names: Vec<String> = names
        .iter()
        .map(|name| quoted(&format!("person:{name}")))
        .collect();
    format!("[{}]", names.join(", "))
}

fn one(person: &Person, team: &str, asks: bool) -> String {
    let mut text = format!(
        "[person.{}]\naccounts  = [{}]\n",
        person.name,
        quoted(&format!("slack:{team}/{}", person.id))
    );
    if let Some(key) = &person.key {
        let _ = writeln!(text, "ssh_keys  = [{}]", quoted(key));
    } else if asks {
        text += "# ssh_keys = [\"ssh-ed25519 AAAA… name@laptop\"]  # needed before access can be given\n";
    }
    if let Some(zone) = &person.zone {
        let _ = writeln!(text, "time_zone = {}", quoted(zone));
    }
    text
}

/// A TOML string, whatever is in it.
fn quoted(text: &str) -> String {
    // JSON's escapes are TOML's as well; one more character must be escaped there.
    serde_json::Value::from(text)
        .to_string()
        .replace('\u{7f}', "\\u007F")
}
