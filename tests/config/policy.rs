//! The rules that a config becomes, and their hash.

use std::collections::BTreeSet;

use jitbot::domain::ids::{AccountId, GroupName};

use crate::*;

fn facts() -> BTreeMap<IssuerName, IssuerFacts> {
    let facts = IssuerFacts {
        retired: false,
        can_end_early: true,
        keys_in_chat: false,
        bound_to: BTreeSet::new(),
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
    let policy = config.policy(&places(), &BTreeMap::new(), &facts(), &|issuer, grant| {
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
        .flat_map(|g| &g.listed)
        .map(|a| a.as_str())
        .collect();
    assert_eq!(members, ["slack:T1/U1", "slack:T1/U3", "slack:T1/U2"]);
    assert!(policy.groups.values().all(|group| group.source.is_none()));
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
        .policy(&places, &BTreeMap::new(), &BTreeMap::new(), &|_, _| {
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
        (
            "sqlite://jitbot.db\"",
            "sqlite://jitbot.db\"\nkeep = \"30d\"",
        ),
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
fn the_fallback_is_looked_up_like_every_channel_and_changes_the_hash_only_where_it_is_set() {
    let plain = parse(BASE).unwrap();
    let with = parse(&BASE.replace(
        "[store]",
        "fallback_channel = \"slack:#elsewhere\"\n[store]",
    ))
    .unwrap();
    assert!(!plain.policy_text().contains("fallback_channel"));
    assert_ne!(plain.policy_hash(), with.policy_hash());
    assert_eq!(
        with.place_names(),
        ["slack:#approvals", "slack:#elsewhere", "slack:#security"]
    );
    let all = |issuer: &IssuerName, _: &serde_json::Map<_, _>| Ok(vec![issuer.to_string()]);
    let unknown = with
        .policy(&places(), &BTreeMap::new(), &facts(), &all)
        .unwrap_err();
    assert_eq!(
        unknown.to_string(),
        "jitbot.toml:5: slack.fallback_channel: the channel slack:#elsewhere was not found. Check its name, and invite the bot into it."
    );
    let mut found = places();
    let elsewhere = Place::new("slack:T1/C3").unwrap();
    found.insert("slack:#elsewhere".to_owned(), elsewhere.clone());
    let policy = with
        .policy(&found, &BTreeMap::new(), &facts(), &all)
        .unwrap();
    let resource = policy.resources.keys().next().unwrap();
    let cards: Vec<&str> = policy
        .card_places(resource)
        .into_iter()
        .map(Place::as_str)
        .collect();
    assert_eq!(cards, ["slack:T1/C1", "slack:T1/C3"]);
    assert_eq!(policy.places().len(), 3);
    let security: Vec<String> = policy
        .one_of_each_person(policy.security_accounts(&BTreeMap::from([(
            GroupName::new("security").unwrap(),
            BTreeSet::from([AccountId::new("slack:T1/U3").unwrap()]),
        )])))
        .iter()
        .map(ToString::to_string)
        .collect();
    assert_eq!(security, ["slack:T1/U3"]);
}
