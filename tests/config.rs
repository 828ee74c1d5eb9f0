//! What the config refuses, word by word, and what it keeps to itself.

use std::collections::BTreeMap;

use jitbot::cli::check::{Report, report};
use jitbot::config::{self, Config, HostsWay, IssuerConfig, Problems};
use jitbot::domain::ids::{IssuerName, Place};
use jitbot::domain::spec::Risk;
use jitbot::policy::model::IssuerFacts;

const KEY: &str =
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIG3xTfrgORydyD9ldROzGU8MwROORC6xZmCItr0zKpcB";
const KEY_2: &str =
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAICLF6XOYD1xLHCsEj8Ovht8p7fd/HSiE1b0rHPhvsnXV";

/// The smallest config that makes sense. Line numbers in the tables below count from here.
const BASE: &str = r#"[slack]
bot_token = { env = "BOT" }
app_token = { env = "APP" }

[store]
url = "sqlite://jitbot.db"

[security]
people = ["group:security"]
channels = ["slack:#security"]
digest = { cron = "0 9 * * *", time_zone = "Europe/Berlin" }

[group.engineering]
members = ["person:alice"]
[group.sre]
members = ["slack:T1/U2"]
[group.security]
members = ["slack:T1/U3"]

[person.alice]
accounts = ["slack:T1/U1"]
ssh_keys = ["ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIG3xTfrgORydyD9ldROzGU8MwROORC6xZmCItr0zKpcB alice@laptop"]

[issuer.ca]
kind = "ssh-ca"
ca_key = { file = "/etc/jitbot/ca" }
krl = { path = "/etc/ssh/jitbot.krl" }

[resource.box]
title = "Shell on the box"
project = "shop"
action = "shell"
risk = "low"
issuer = "ca"
grant = { principals = ["deploy"] }
duration = { default = "1h", max = "8h" }
request = ["group:engineering"]
approve = [{ from = ["group:sre"], count = 1 }]
channels = ["slack:#approvals"]
"#;

fn env(name: &str) -> Option<String> {
    match name {
        "BOT" | "SLACK_BOT_TOKEN" => Some("xoxb-secret-of-the-bot".into()),
        "APP" | "SLACK_APP_TOKEN" => Some("xapp-secret-of-the-app".into()),
        "TOKEN_1" => Some("secret-of-the-first-host".into()),
        "TOKEN_2" => Some("secret-of-the-second-host".into()),
        "SHORT" => Some("secret".into()),
        "EMPTY" => Some(" ".into()),
        "API" => Some("http://127.0.0.1:8911/api".into()),
        _ => None,
    }
}

fn parse(text: &str) -> Result<Config, Problems> {
    config::parse(text, "jitbot.toml", &env)
}

/// The base with one text replaced.
fn with(old: &str, new: &str) -> String {
    assert_eq!(
        BASE.matches(old).count(),
        1,
        "{old:?} must stand in BASE once"
    );
    BASE.replace(old, new)
}

fn problems(text: &str) -> Vec<String> {
    match parse(text) {
        Ok(_) => Vec::new(),
        Err(problems) => problems.0.iter().map(ToString::to_string).collect(),
    }
}

/// Each row: what is replaced, by what, and the problems that this must give, without the file's name.
fn check_table(rows: &[(&str, &str, &[&str])]) {
    for (old, new, expected) in rows {
        let found = problems(&with(old, new));
        let expected: Vec<String> = expected
            .iter()
            .map(|line| format!("jitbot.toml:{line}"))
            .collect();
        assert_eq!(found, expected, "with {new:?}");
    }
}

fn ok(text: &str) -> Config {
    parse(text).unwrap_or_else(|problems| panic!("{problems}"))
}

#[test]
fn the_base_and_the_sample_are_right() {
    assert_eq!(ok(BASE).resources.len(), 1);
    let sample =
        config::parse(config::SAMPLE, "jitbot.toml", &env).unwrap_or_else(|p| panic!("{p}"));
    assert_eq!(sample.warnings, []);
    let resources: Vec<(&str, Risk)> = sample
        .resources
        .iter()
        .map(|(name, r)| (name.as_str(), r.risk))
        .collect();
    assert_eq!(
        resources,
        [("prod-ssh", Risk::High), ("staging-ssh", Risk::Low)]
    );
    assert_eq!(sample.slack.api_url, None);
    assert_eq!(
        sample.place_names(),
        ["slack:#approvals", "slack:#security"]
    );
    assert_eq!(
        sample.communities().into_iter().collect::<Vec<_>>(),
        ["slack:T0SHOP"]
    );
    assert_eq!(sample.persons().len(), 4);
}

#[test]
fn chat_store_and_security() {
    let secret = "Write { env = \"NAME\" } or { file = \"/path\" }: what stands in the file ends up in copies, backups and version control.";
    check_table(&[
        (
            "{ env = \"BOT\" }",
            "\"xoxb-secret\"",
            &[&format!(
                "2: slack.bot_token: is a secret in the file itself. {secret}"
            )],
        ),
        (
            "{ env = \"BOT\" }",
            "12345",
            &["2: slack.bot_token: is an integer, not a table."],
        ),
        (
            "{ env = \"BOT\" }",
            "{ env = \"BOT\", file = \"/x\" }",
            &[&format!(
                "2: slack.bot_token: names not exactly one source. {secret}"
            )],
        ),
        (
            "{ env = \"BOT\" }",
            "{ enw = \"BOT\" }",
            &[
                "2: slack.bot_token.enw: is no key that is known here. Did you mean `env`?",
                &format!("2: slack.bot_token: names not exactly one source. {secret}"),
            ],
        ),
        (
            "{ env = \"BOT\" }",
            "{ env = \"NOBODY\" }",
            &[
                "2: slack.bot_token.env: the environment variable NOBODY is not set, or empty. Set it for the process, e.g. in its service unit.",
            ],
        ),
        (
            "{ env = \"BOT\" }",
            "{ env = \"EMPTY\" }",
            &[
                "2: slack.bot_token.env: the environment variable EMPTY is not set, or empty. Set it for the process, e.g. in its service unit.",
            ],
        ),
        (
            "{ env = \"BOT\" }",
            "{ env = \"xoxb-secret\" }",
            &[
                "2: slack.bot_token.env: is not the name of an environment variable. Write the name, not the value: upper-case letters, digits and `_`, like SLACK_BOT_TOKEN.",
            ],
        ),
        (
            "{ env = \"BOT\" }",
            "{ env = \"APP\" }",
            &[
                "2: slack.bot_token: holds a token that begins with xapp-. The bot_token begins with xoxb-; the two seem to be swapped.",
            ],
        ),
        (
            "{ env = \"BOT\" }",
            "{ file = \"token\" }",
            &[
                "2: slack.bot_token.file: is not an absolute path. Start it with `/`, so that it does not depend on where the process is started.",
            ],
        ),
        (
            "bot_token = { env = \"BOT\" }\n",
            "",
            &[&format!("1: slack.bot_token: is missing. {secret}")],
        ),
        (
            "[store]",
            "api_url = \"http://slack.example.org/api/\"\n[store]",
            &[
                "5: slack.api_url: would send tokens in clear text over a network. Use https://; http:// is for this machine's own addresses only.",
            ],
        ),
        (
            "[store]",
            "api_url = \"https://me:secret@slack.example.org/api/\"\n[store]",
            &[
                "5: slack.api_url: holds more than scheme, host, port and path. Write it like https://slack.example.org/api/.",
            ],
        ),
        (
            "[store]",
            "api_url = \"slack\"\n[store]",
            &["5: slack.api_url: is not an address. Write it like https://slack.example.org/api/."],
        ),
        (
            "sqlite://jitbot.db",
            "postgres://me:secret@db/jitbot",
            &[
                "6: store.url: is a PostgreSQL database, which is not served yet. Write it like sqlite:///var/lib/jitbot/jitbot.db.",
            ],
        ),
        (
            "sqlite://jitbot.db",
            "jitbot.db",
            &[
                "6: store.url: is not the address of a database. Write it like sqlite:///var/lib/jitbot/jitbot.db.",
            ],
        ),
        (
            "sqlite://jitbot.db",
            "sqlite://:memory:",
            &[
                "6: store.url: is not the path of a file alone. Write it like sqlite:///var/lib/jitbot/jitbot.db. What SQLite needs beside that is set already.",
            ],
        ),
        (
            "[\"group:security\"]",
            "[\"group:securty\"]",
            &["9: security.people[0]: there is no group \"securty\". Did you mean `security`?"],
        ),
        (
            "[\"group:security\"]",
            "[\"security\"]",
            &["9: security.people[0]: \"security\" names nobody. Write group:security."],
        ),
        (
            "[\"group:security\"]",
            "[]",
            &[
                "9: security.people: nobody is security. Name somebody, or put people into the group: they are told when an access can't be taken away.",
            ],
        ),
        (
            "slack:#security",
            "#security",
            &[
                "10: security.channels[0]: \"#security\" is not a channel. Write it like [\"slack:#approvals\"] or [\"slack:C0123456\"].",
            ],
        ),
        (
            "slack:#security",
            "slack:#Security",
            &[
                "10: security.channels[0]: \"slack:#Security\" is not a channel. Write it like [\"slack:#approvals\"] or [\"slack:C0123456\"].",
            ],
        ),
        (
            "slack:#security",
            "discord:1/2",
            &[
                "10: security.channels[0]: \"discord:1/2\" is on a platform that is not served yet. Discord comes later. Write it like [\"slack:#approvals\"] or [\"slack:C0123456\"].",
            ],
        ),
        (
            "0 9 * * *",
            "0 9 1 * 1",
            &[
                "11: security.digest.cron: \"0 9 1 * 1\" is not a schedule: it limits both the day of month and the day of week, which crons read in different ways. Put `*` in one of the two.",
            ],
        ),
        (
            "0 9 * * *",
            "0 0 9 * * *",
            &[
                "11: security.digest.cron: \"0 0 9 * * *\" is not a schedule: it has 6 fields instead of 5. Write minute, hour, day of month, month and day of week, like `0 9 * * *` for nine in the morning.",
            ],
        ),
        (
            "Europe/Berlin",
            "Europe/Berln",
            &[
                "11: security.digest.time_zone: \"Europe/Berln\" is not a time zone. Did you mean `Europe/Berlin`?",
            ],
        ),
        (
            "[group.engineering]",
            "[http]\nlisten = \"8910\"\n[group.engineering]",
            &[
                "14: http.listen: \"8910\" is not an address with a port. Write it like \"127.0.0.1:8910\".",
            ],
        ),
        (
            "[group.engineering]",
            "[limits]\nmax_open_per_person = 0\n[group.engineering]",
            &["14: limits.max_open_per_person: 0 is out of range. It may be 1 to 1000."],
        ),
        (
            "[group.engineering]",
            "[discord]\n[group.engineering]",
            &["13: discord: is not served yet. Discord comes later; serve Slack with [slack]."],
        ),
        (
            "[group.engineering]",
            "[limit]\n[group.engineering]",
            &["13: limit: is no key that is known here. Did you mean `limits`?"],
        ),
    ]);
}

#[test]
fn groups_people_and_issuers() {
    let rsa_hint = "Use Ed25519, ECDSA, RSA from 2048 bits, or a key on a security key (sk-…).";
    check_table(&[
        (
            "[group.engineering]\nmembers = [\"person:alice\"]",
            "[group.engineering]\nslack_usergroup = \"engineering\"",
            &[
                "14: group.engineering.slack_usergroup: is not served yet. It comes later; list the people as members = [\"person:NAME\", \"slack:TEAM/USER\"].",
            ],
        ),
        (
            "[group.engineering]\nmembers",
            "[group.engineering]\nmember",
            &[
                "13: group.engineering.members: is missing. List them like members = [\"person:alice\"].",
                "14: group.engineering.member: is no key that is known here. Did you mean `members`?",
            ],
        ),
        (
            "[\"person:alice\"]",
            "[\"person:alcie\"]",
            &[
                "14: group.engineering.members[0]: there is no person \"alcie\". Did you mean `alice`?",
            ],
        ),
        (
            "[\"person:alice\"]",
            "[\"group:sre\"]",
            &[
                "14: group.engineering.members: names a group inside a group. List the people of that group, or name both groups where the rule stands.",
            ],
        ),
        (
            "[\"person:alice\"]",
            "[\"person:alice\", \"person:alice\"]",
            &["14: group.engineering.members[1]: is named twice. Leave one out."],
        ),
        (
            "[\"person:alice\"]",
            "[]",
            &[
                "37: resource.box.request: nobody may ask for this. Name somebody who is not in never, or put people into the group.",
            ],
        ),
        (
            "[\"slack:T1/U2\"]",
            "[]",
            &[
                "38: resource.box.approve[0].from: nobody can approve this. Name somebody, or put people into the group.",
            ],
        ),
        (
            "[\"slack:T1/U2\"]",
            "[\"slack:T1\"]",
            &[
                "16: group.sre.members[0]: \"slack:T1\" is not an account. Write slack:TEAM/USER with the ids that Slack shows, like slack:T0123456/U0456789.",
            ],
        ),
        (
            "[\"slack:T1/U2\"]",
            "[\"slack:shop/bob\"]",
            &[
                "16: group.sre.members[0]: \"slack:shop/bob\" is not a Slack user's account. A team's id begins with T or E, a user's with U or W.",
            ],
        ),
        (
            "[\"slack:T1/U2\"]",
            "[\"discord:1/2\"]",
            &[
                "16: group.sre.members[0]: \"discord:1/2\" is on a platform that is not served yet. Discord comes later; name accounts on Slack.",
            ],
        ),
        (
            "[person.alice]",
            "[person.bob]\naccounts = [\"slack:T1/U1\"]\n[person.alice]",
            &[
                "21: person.bob.accounts[0]: slack:T1/U1 belongs to \"alice\" already. An account belongs to one person, or somebody could approve what they asked for.",
            ],
        ),
        (
            "[person.alice]",
            &format!(
                "[person.bob]\naccounts = [\"slack:T1/U2\"]\nssh_keys = [\"{KEY} other\"]\n[person.alice]"
            ),
            &[
                "22: person.bob.ssh_keys[0]: this key belongs to \"alice\" already. Each person has keys of their own: a target knows people by them.",
            ],
        ),
        (
            "[person.alice]",
            "[person.Bob]\naccounts = [\"slack:T1/U2\"]\n[person.alice]",
            &[
                "20: person.Bob: `Bob` is not a person's name (lower-case letters, digits, `-`, `_`).",
            ],
        ),
        (
            "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIG3xTfrgORydyD9ldROzGU8MwROORC6xZmCItr0zKpcB alice@laptop",
            "-----BEGIN OPENSSH PRIVATE KEY----- secret",
            &[
                "22: person.alice.ssh_keys[0]: is a private key. Write the line of the .pub file, and make a new key: this one was seen.",
            ],
        ),
        (
            "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIG3xTfrgORydyD9ldROzGU8MwROORC6xZmCItr0zKpcB alice@laptop",
            "secret",
            &[
                "22: person.alice.ssh_keys[0]: is not a public key in OpenSSH's form. Write the line of the .pub file, like \"ssh-ed25519 AAAA… alice@laptop\".",
            ],
        ),
        (
            "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIG3xTfrgORydyD9ldROzGU8MwROORC6xZmCItr0zKpcB alice@laptop",
            RSA_1024,
            &[&format!(
                "22: person.alice.ssh_keys[0]: is an RSA key of only 1024 bits. {rsa_hint}"
            )],
        ),
        (
            "kind = \"ssh-ca\"",
            "kind = \"ssh\"",
            &["25: issuer.ca.kind: there is no kind of issuer \"ssh\". Did you mean `ssh-ca`?"],
        ),
        (
            "kind = \"ssh-ca\"",
            "kind = \"refusing\"",
            &["25: issuer.ca.kind: there is no kind of issuer \"refusing\". There is: ssh-ca."],
        ),
        (
            "kind = \"ssh-ca\"\n",
            "",
            &["24: issuer.ca.kind: is missing. There is: ssh-ca."],
        ),
        (
            "kind = \"ssh-ca\"",
            "kind = \"ssh-ca\"\nretired = true",
            &[
                "35: resource.box.issuer: the issuer \"ca\" is retired and gives nothing any more. Name another issuer, or remove this resource; what it gave is still taken away.",
            ],
        ),
        (
            "{ path = \"/etc/ssh/jitbot.krl\" }",
            "{ path = \"jitbot.krl\" }",
            &[
                "27: issuer.ca.krl.path: is not an absolute path. Start it with `/`, so that it does not depend on where the process is started.",
            ],
        ),
        (
            "{ path = \"/etc/ssh/jitbot.krl\" }",
            "{}",
            &[
                "27: issuer.ca.krl: names not exactly one way. Write one of path, push and fetch, or leave krl out: then access can't be ended early.",
            ],
        ),
        (
            "{ path = \"/etc/ssh/jitbot.krl\" }",
            "{ push = { program = [\"push\"], hosts = [\"web1\", \"-oProxyCommand=x\"], timeout = \"1m\" } }",
            &[
                "27: issuer.ca.krl.push.program: does not begin with the absolute path of a program. Write it like [\"/usr/local/bin/push-krl\"]; no shell stands between.",
                "27: issuer.ca.krl.push.hosts[1]: \"-oProxyCommand=x\" is not a host's name. Use letters, digits, `.`, `-` and `_`, and begin with a letter or digit.",
                "27: issuer.ca.krl.push.timeout: is too long. The most is 15s; a run that fails is repeated.",
            ],
        ),
        (
            "{ path = \"/etc/ssh/jitbot.krl\" }",
            "{ fetch = { hosts = { web1 = { token = { env = \"TOKEN_1\" } } } } }",
            &[
                "27: issuer.ca.krl.fetch: hosts are to fetch from the bot, which serves no HTTP. Add [http] with listen = \"127.0.0.1:8910\".",
            ],
        ),
        (
            "{ path = \"/etc/ssh/jitbot.krl\" }",
            "{ fetch = { hosts = { web1 = { token = { env = \"SHORT\" } }, web2 = { token = { env = \"TOKEN_1\" } }, web3 = { token = { env = \"TOKEN_1\" } } } } }",
            &[
                "27: issuer.ca.krl.fetch.hosts.web1.token: the token is shorter than 16 characters. Make one with `openssl rand -hex 32`.",
                "27: issuer.ca.krl.fetch.hosts.web3: has the token of \"web2\". Give each host a token of its own, or one could report for the other.",
            ],
        ),
    ]);
}

const RSA_1024: &str = "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAAAgQC8vlAI9pY7wFw5kTXTyx+7R+YRHG/BjPUh1DQjWuwsE89s4mFWwxC4XpwFz5GhvXc8394PbZ77UB+V80CyiiyNLCStz1X2s0uNlS7QnHmc4eFrCsp4Tn3qApiu05vX+Y8ZuF8tO2hR7uiGhovXmtF6Z/gcOACoyActYAS/WTCpbw==";

#[test]
fn resources() {
    let duration = "Write it like 45m, 8h or 2d. The most is 366d.";
    check_table(&[
        (
            "max = \"8h\"",
            "max = \"8x\"",
            &[&format!(
                "36: resource.box.duration.max: \"8x\" is not a duration. {duration}"
            )],
        ),
        (
            "max = \"8h\"",
            "max = 8",
            &[
                "36: resource.box.duration.max: is a number without a unit. Write it like 45m, 8h or 2d.",
            ],
        ),
        (
            "max = \"8h\"",
            "max = \"367d\"",
            &[&format!(
                "36: resource.box.duration.max: \"367d\" is not a duration. {duration}"
            )],
        ),
        (
            "max = \"8h\"",
            "max = \"30m\"",
            &[
                "36: resource.box.duration.default: is longer than max, 30m. Shorten it, or raise max.",
            ],
        ),
        (
            "max = \"8h\"",
            "maximum = \"8h\"",
            &[
                "36: resource.box.duration.maximum: is no key that is known here. There is: default, max.",
                "36: resource.box.duration.max: is missing. Write it like 45m, 8h or 2d.",
            ],
        ),
        (
            "risk = \"low\"",
            "risk = \"none\"",
            &[
                "33: resource.box.risk: \"none\" is not a risk. Write low, medium, high or critical.",
            ],
        ),
        (
            "risk = \"low\"",
            "risk = \"high\"\nauto_approve = [{ from = [\"group:sre\"], max = \"1h\" }]",
            &[
                "34: resource.box.auto_approve: approves without people what is of high risk. Leave it out: only low and medium risk may be approved by a rule.",
            ],
        ),
        (
            "risk = \"low\"",
            "risk = \"low\"\nauto_approve = [{ from = [\"group:sre\"], max = \"9h\" }, { from = [\"group:all\"], max = \"1h\" }]",
            &[
                "34: resource.box.auto_approve[0].max: is longer than the resource's own max, 8h. Shorten it.",
                "34: resource.box.auto_approve[1].from[0]: there is no group \"all\". There is: engineering, security, sre.",
            ],
        ),
        (
            "issuer = \"ca\"",
            "issuer = \"ac\"",
            &["34: resource.box.issuer: there is no issuer \"ac\". Did you mean `ca`?"],
        ),
        (
            "[\"deploy\"]",
            "[]",
            &[
                "35: resource.box.grant.principals: names 0 principals. Name 1 to 16: a certificate without any would fit every account.",
            ],
        ),
        (
            "[\"deploy\"]",
            "[\"de ploy\"]",
            &[
                "35: resource.box.grant.principals[0]: \"de ploy\" is not a principal. Use 1 to 64 visible ASCII characters, no comma and no blank.",
            ],
        ),
        (
            "[\"deploy\"]",
            "[\"deploy\"], source_address = [\"10.0.0.1/8\", \"10.0.0.0/33\", \"::1\", \"0.0.0.0/0\"]",
            &[
                "35: resource.box.grant.source_address[0]: \"10.0.0.1/8\" has bits set beyond its prefix. Write the network's first address, like 10.0.0.0/8.",
                "35: resource.box.grant.source_address[1]: \"10.0.0.0/33\" is not an address or network. Write it like 10.0.0.0/8, 192.0.2.7 or 2001:db8::/32.",
            ],
        ),
        (
            "[\"deploy\"]",
            "[\"deploy\"], extensions = [\"permit-tty\"]",
            &[
                "35: resource.box.grant.extensions[0]: there is no extension \"permit-tty\". Did you mean `permit-pty`?",
            ],
        ),
        (
            "[\"deploy\"]",
            "[\"deploy\"], sudo = true",
            &[
                "35: resource.box.grant.sudo: is no key that is known here. There is: principals, force_command, source_address, extensions.",
            ],
        ),
        (
            "request = [\"group:engineering\"]",
            "request = [\"group:engineering\"]\nnever = [\"person:alice\"]",
            &[
                "37: resource.box.request: nobody may ask for this. Name somebody who is not in never, or put people into the group.",
            ],
        ),
        (
            "count = 1",
            "count = 6",
            &["38: resource.box.approve[0].count: 6 is out of range. It may be 1 to 5."],
        ),
        (
            "count = 1",
            "count = 2",
            &[
                "38: resource.box.approve[0].count: 2 people must approve, and there are only 1. Lower count, or name more people.",
            ],
        ),
        (
            "approve = [{ from = [\"group:sre\"], count = 1 }]",
            "approve = []",
            &[
                "38: resource.box.approve: is empty. Write one stage, like [{ from = [\"group:sre\"], count = 1 }].",
            ],
        ),
        (
            "approve = [{ from = [\"group:sre\"], count = 1 }]",
            "approve = [{ from = [\"group:sre\"] }, { from = [\"group:security\"] }]",
            &[
                "38: resource.box.approve: has 2 stages. One is served today, several come later; put everybody into one stage's from.",
            ],
        ),
        (
            "title = \"Shell on the box\"",
            "title = \"a\\u0000b\"",
            &["30: resource.box.title: holds control characters. Write it in one line."],
        ),
        (
            "title = \"Shell on the box\"",
            "title = \" \"",
            &["30: resource.box.title: is empty."],
        ),
        (
            "title = \"Shell on the box\"\n",
            "",
            &["29: resource.box.title: is missing. Say in a few words what it is, for people."],
        ),
        (
            "channels = [\"slack:#approvals\"]",
            "channels = [\"slack:#approvals\"]\nremind = [\"8h\", \"10m\"]",
            &[
                "40: resource.box.remind[0]: is not shorter than duration.max, 8h. It is the time before the end: shorten it, or nobody is ever reminded.",
            ],
        ),
        (
            "channels = [\"slack:#approvals\"]",
            "channels = [\"slack:#approvals\"]\npending_for = \"-1h\"\nactivation = \"0\"\nfacts_fresh_for = \"abc\"\ntime_zone = \"Mars\"",
            &[
                &format!("40: resource.box.pending_for: \"-1h\" is not a duration. {duration}"),
                &format!("41: resource.box.activation: \"0\" is not a duration. {duration}"),
                &format!("42: resource.box.facts_fresh_for: \"abc\" is not a duration. {duration}"),
                "43: resource.box.time_zone: \"Mars\" is not a time zone.",
            ],
        ),
        (
            "[resource.box]",
            "[resource.\"the box\"]",
            &[
                "29: resource.\"the box\": `the box` is not a resource name (lower-case letters, digits, `-`, `_`).",
            ],
        ),
    ]);
}

#[test]
fn every_problem_is_said_at_once_in_the_order_of_the_file() {
    let text = "[slack]\nbot_token = \"xoxb-secret\"\n[store]\nurl = 1\n[group.a]\nmembers = [\"person:x\"]\n[resource.r]\ntitle = 5\n";
    let found = problems(text);
    let lines: Vec<&str> = found
        .iter()
        .filter_map(|p| p.splitn(3, ": ").nth(1))
        .collect();
    assert_eq!(
        lines,
        [
            "security",
            "slack.app_token",
            "slack.bot_token",
            "store.url",
            "group.a.members[0]",
            "resource.r.project",
            "resource.r.action",
            "resource.r.risk",
            "resource.r.issuer",
            "resource.r.grant",
            "resource.r.duration",
            "resource.r.request",
            "resource.r.approve",
            "resource.r.channels",
            "resource.r.title",
        ]
    );
}

#[test]
fn what_is_no_toml_is_a_problem_of_the_same_form() {
    let found = problems(&with(
        "url = \"sqlite://jitbot.db\"",
        "url = \"sqlite://jitbot.db",
    ));
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(
        found[0].starts_with("jitbot.toml:6: not TOML: "),
        "{found:?}"
    );
    let found = problems(&with("[group.sre]", "[group.engineering]"));
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(
        found[0].starts_with("jitbot.toml:15: not TOML: duplicate key"),
        "{found:?}"
    );
    // Whatever is read, it is a list of problems and no panic.
    for cut in 0..BASE.len() {
        assert!(parse(&BASE[..cut]).is_err() || cut > 900, "cut at {cut}");
    }
}

#[test]
fn two_workspaces_are_a_problem() {
    let found = problems(&with("slack:T1/U2", "slack:T2/U2"));
    assert_eq!(
        found,
        [
            "jitbot.toml: accounts of 2 workspaces are named: slack:T1, slack:T2. One bot serves one Slack workspace; correct the team in slack:TEAM/USER."
        ]
    );
}

#[test]
fn what_is_hardly_meant_is_a_warning() {
    let warnings =
        |text: &str| -> Vec<String> { ok(text).warnings.iter().map(ToString::to_string).collect() };
    assert_eq!(warnings(BASE), [] as [String; 0]);
    assert_eq!(
        warnings(&with(
            "[\"person:alice\"]",
            "[\"person:alice\", \"slack:T1/U2\"]"
        )),
        [
            "jitbot.toml:37: resource.box.request: no SSH key is known of slack:T1/U2, who will be refused. Add ssh_keys to [person.NAME] for each.",
            "jitbot.toml:38: resource.box.approve[0].from: too few others can approve what is asked for by slack:T1/U2. Nobody approves what they asked for: name more people.",
        ]
    );
    assert_eq!(
        warnings(&with(
            "[group.engineering]",
            "[http]\nlisten = \"0.0.0.0:8910\"\n[group.engineering]"
        )),
        [
            "jitbot.toml:14: http.listen: is reached from other machines without encryption. Listen on 127.0.0.1 and put a server that speaks TLS in front."
        ]
    );
}

#[test]
fn secrets_are_never_printed() {
    let fetch = with(
        "{ path = \"/etc/ssh/jitbot.krl\" }",
        "{ fetch = { hosts = { web1 = { token = { env = \"TOKEN_1\" } }, web2 = { token = { env = \"TOKEN_2\" } } } } }",
    ) + "[http]\nlisten = \"127.0.0.1:8910\"\n";
    let config = ok(&fetch);
    let printed = format!("{config:?} {config:#?} {}", config.policy_text());
    assert!(
        printed.contains("TOKEN_1"),
        "the print shows where a secret comes from"
    );
    assert!(!printed.contains("secret-of"), "{printed}");
    // The tables above put the word into every place where a secret may stand by mistake.
    for (old, new) in [
        ("{ env = \"BOT\" }", "\"xoxb-secret-1\""),
        ("{ env = \"BOT\" }", "{ env = \"xoxb-secret-1\" }"),
        ("{ env = \"BOT\" }", "[\"xoxb-secret-1\"]"),
        ("{ env = \"BOT\" }", "{ env = \"BOT\" } xoxb-secret-1"),
        ("{ env = \"BOT\" }", "xoxb-secret-1"),
        ("{ env = \"BOT\" }", "{ file = \"xoxb-secret-1\" }"),
        (
            "{ file = \"/etc/jitbot/ca\" }",
            "\"-----BEGIN OPENSSH PRIVATE KEY-----\\nsecret-1\"",
        ),
        ("sqlite://jitbot.db", "postgres://me:secret-1@db/jitbot"),
        ("[store]", "api_url = \"https://secret-1@host/\"\n[store]"),
        ("alice@laptop", "\\nsecret-1"),
    ] {
        let Err(problems) = parse(&with(old, new)) else {
            panic!("{new:?} must be refused");
        };
        assert!(
            !format!("{problems} {problems:?}").contains("secret-1"),
            "{problems}"
        );
    }
}

#[test]
fn values_arrive_where_they_belong() {
    let text = with(
        "channels = [\"slack:#approvals\"]",
        "channels = [\"slack:C0APPROVE\", \"slack:#über-uns\"]\nremind = [\"10m\", \"1h\", \"600s\"]\npending_for = \"90s\"\nauto_approve = [{ from = [\"person:alice\"], max = \"1h30m\" }]",
    )
    .replace("[store]", "api_url = { env = \"API\" }\n[store]")
    .replace(
        "{ path = \"/etc/ssh/jitbot.krl\" }",
        "{ push = { program = [\"/bin/push\", \"-v\"], hosts = [\"web1\"], read_back = false } }",
    );
    let config = ok(&text);
    assert_eq!(
        config.slack.api_url.as_deref(),
        Some("http://127.0.0.1:8911/api/")
    );
    let resource = config.resources.values().next().unwrap();
    assert_eq!(resource.remind_s, [3600, 600]);
    assert_eq!(
        (
            resource.pending_for_s,
            resource.activation_s,
            resource.facts_fresh_for_s
        ),
        (90, 600, 600)
    );
    assert_eq!(resource.auto_approve[0].max_s, 5400);
    assert_eq!(resource.target, "ca");
    let Some(IssuerConfig::SshCa(ca)) = config.issuers.values().next() else {
        panic!("an issuer is missing");
    };
    let HostsWay::Push {
        program,
        hosts,
        read_back,
        timeout_s,
    } = &ca.hosts
    else {
        panic!("{:?}", ca.hosts);
    };
    assert_eq!(
        (program.len(), hosts.len(), *read_back, *timeout_s),
        (2, 1, false, 10)
    );
    assert_eq!(
        config.place_names(),
        ["slack:#security", "slack:#über-uns", "slack:C0APPROVE"]
    );
}

fn facts() -> BTreeMap<IssuerName, IssuerFacts> {
    let facts = IssuerFacts {
        retired: false,
        can_end_early: true,
        accounts: BTreeMap::new(),
    };
    BTreeMap::from([(IssuerName::new("ca").unwrap(), facts)])
}

fn places() -> BTreeMap<String, Place> {
    BTreeMap::from([
        (
            "slack:#approvals".to_owned(),
            Place::new("slack:T1/C1").unwrap(),
        ),
        (
            "slack:#security".to_owned(),
            Place::new("slack:T1/C2").unwrap(),
        ),
    ])
}

#[test]
fn a_policy_holds_everything_resolved() {
    let config = ok(BASE);
    let policy = config.policy(&places(), &facts(), &|issuer, grant| {
        Ok(vec![format!(
            "{issuer}:{}",
            grant["principals"][0].as_str().unwrap()
        )])
    });
    let policy = policy.unwrap_or_else(|p| panic!("{p}"));
    let resource = policy.resources.values().next().unwrap();
    assert_eq!(resource.entitlements, ["ca:deploy"]);
    assert_eq!(resource.channels[0].as_str(), "slack:T1/C1");
    assert_eq!(policy.security.channels[0].as_str(), "slack:T1/C2");
    let members: Vec<&str> = policy
        .groups
        .values()
        .flat_map(|g| &g.members)
        .map(|a| a.as_str())
        .collect();
    assert_eq!(members, ["slack:T1/U1", "slack:T1/U3", "slack:T1/U2"]);
    assert!(policy.groups.values().all(|group| group.as_of.is_none()));
    assert_eq!(policy.communities.iter().collect::<Vec<_>>(), ["slack:T1"]);
    assert_eq!(
        (&policy.hash, &policy.text),
        (&config.policy_hash(), &config.policy_text())
    );
}

#[test]
fn what_only_the_outside_shows_is_said_with_its_line() {
    let config = ok(BASE);
    let mut places = places();
    places.remove("slack:#approvals");
    places.insert(
        "slack:#security".to_owned(),
        Place::new("slack:T9/C2").unwrap(),
    );
    let problems = config
        .policy(&places, &BTreeMap::new(), &|_, _| {
            Err("it takes no principals.".to_owned())
        })
        .unwrap_err();
    assert_eq!(
        problems.to_string().lines().collect::<Vec<_>>(),
        [
            "jitbot.toml:10: security.channels[0]: the channel slack:#security is in another workspace than the people. Correct the team in slack:TEAM/USER, or use that workspace's tokens.",
            "jitbot.toml:24: issuer.ca: this issuer was not started. The messages before this one say why.",
            "jitbot.toml:35: resource.box.grant: it takes no principals.",
            "jitbot.toml:39: resource.box.channels[0]: the channel slack:#approvals was not found. Check its name, and invite the bot into it.",
        ]
    );
}

#[test]
fn the_hash_follows_what_decides_and_nothing_else() {
    let hash = |text: &str| ok(text).policy_hash();
    let base = hash(BASE);
    for (old, new) in [
        ("alice@laptop", "alice@other"),
        ("/etc/jitbot/ca", "/etc/jitbot/other"),
        ("/etc/ssh/jitbot.krl", "/etc/ssh/other.krl"),
        ("sqlite://jitbot.db", "sqlite://other.db"),
        ("[store]", "# a comment\n[store]"),
        ("{ env = \"BOT\" }", "{ file = \"/run/bot\" }"),
    ] {
        assert_eq!(hash(&with(old, new)), base, "{new}");
    }
    for (old, new) in [
        ("max = \"8h\"", "max = \"7h\""),
        (
            "count = 1",
            "count = 1 }], auto_approve = [{ from = [\"group:sre\"], max = \"1h\"",
        ),
        ("risk = \"low\"", "risk = \"medium\""),
        ("[\"deploy\"]", "[\"root\"]"),
        ("[\"slack:T1/U2\"]", "[\"slack:T1/U2\", \"slack:T1/U4\"]"),
        ("[\"slack:T1/U3\"]", "[\"slack:T1/U4\"]"),
        ("slack:#approvals", "slack:#other"),
        (KEY, KEY_2),
    ] {
        let new = new.replace("}], auto_approve", "}]\nauto_approve");
        assert_ne!(hash(&with(old, &new)), base, "{new}");
    }
}

#[test]
fn the_command_says_ok_or_everything_that_is_wrong() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("jitbot.toml");
    let shown = file.display().to_string();
    std::fs::write(&file, BASE).unwrap();
    let hash = ok(BASE).policy_hash();
    let Report::Right(text) = report(&file, &env) else {
        panic!("the base is right");
    };
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(
        lines.last(),
        Some(
            &format!(
                "ok: 1 resource, 1 issuer, 3 groups, 1 person; policy {}",
                hash.short()
            )
            .as_str()
        )
    );
    assert!(
        lines[0].starts_with(&format!(
            "warning: {shown}: the secret file /etc/jitbot/ca can't be read: "
        )),
        "{text}"
    );

    std::fs::write(
        &file,
        with("max = \"8h\"", "max = \"8x\"").replace("\"low\"", "\"none\""),
    )
    .unwrap();
    let Report::Wrong(text) = report(&file, &env) else {
        panic!("it is wrong");
    };
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines.len(), 3, "{text}");
    assert!(
        lines[0].starts_with(&format!("{shown}:33: resource.box.risk: ")),
        "{text}"
    );
    assert!(
        lines[1].starts_with(&format!("{shown}:36: resource.box.duration.max: ")),
        "{text}"
    );
    assert_eq!(lines[2], "2 problems, nothing was started");

    let missing = dir.path().join("missing.toml");
    let Report::Wrong(text) = report(&missing, &env) else {
        panic!("there is no such file");
    };
    assert!(
        text.starts_with(&format!(
            "{}: the config can't be read: ",
            missing.display()
        )),
        "{text}"
    );
}
