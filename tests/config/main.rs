//! What the config refuses, word by word, and what it keeps to itself.

mod command;
mod issuers;
mod people;
mod policy;
mod resources;
mod sections;
mod traces;
mod whole;

use std::collections::BTreeMap;

use jitbot::cli::check::look;
use jitbot::config::{self, Config, HostsWay, IssuerConfig, Problems};
use jitbot::domain::ids::{IssuerName, Place};
use jitbot::domain::spec::Risk;
use jitbot::policy::model::IssuerFacts;

pub const KEY: &str =
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIG3xTfrgORydyD9ldROzGU8MwROORC6xZmCItr0zKpcB";
pub const KEY_2: &str =
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAICLF6XOYD1xLHCsEj8Ovht8p7fd/HSiE1b0rHPhvsnXV";

/// The smallest config that makes sense. Line numbers in the tables below count from here.
pub const BASE: &str = r#"[slack]
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

pub fn env(name: &str) -> Option<String> {
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

pub fn parse(text: &str) -> Result<Config, Problems> {
    config::parse(text, "jitbot.toml", &env)
}

/// The base with one text replaced.
pub fn with(old: &str, new: &str) -> String {
    assert_eq!(
        BASE.matches(old).count(),
        1,
        "{old:?} must stand in BASE once"
    );
    BASE.replace(old, new)
}

pub fn problems(text: &str) -> Vec<String> {
    match parse(text) {
        Ok(_) => Vec::new(),
        Err(problems) => problems.0.iter().map(ToString::to_string).collect(),
    }
}

/// Each row: what is replaced, by what, and the problems that this must give, without the file's name.
pub fn check_table(rows: &[(&str, &str, &[&str])]) {
    for (old, new, expected) in rows {
        let found = problems(&with(old, new));
        let expected: Vec<String> = expected
            .iter()
            .map(|line| format!("jitbot.toml:{line}"))
            .collect();
        assert_eq!(found, expected, "with {new:?}");
    }
}

pub fn ok(text: &str) -> Config {
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
