//! Keys and tokens that are exchanged while access is held.

use std::collections::BTreeSet;

use chrono::TimeDelta;
use jitbot::sandbox::people::Change;
use jitbot::sandbox::ssh::keys;

use super::judged;
use super::support::World;
use super::support::scene::WAIT;

/// Open at a time with one token.
const SOCKETS: usize = 4;

impl World {
    async fn given(&self, who: &str, duration: &str) -> String {
        let typed = format!("/jit request staging-ssh {duration} please");
        let id = self.asks(who, &typed).await;
        self.presses("bob", "Approve", &id).await;
        id
    }

    fn refused_by_hosts(&self, id: &str) -> bool {
        let grant = format!("g{}", &id[1..]);
        let krl = std::fs::read(self.krl()).unwrap();
        krl.windows(grant.len())
            .any(|window| window == grant.as_bytes())
    }

    async fn signed_by(&self, who: &str) -> ssh_key::PublicKey {
        let told = self.last_told(who).await;
        let line = told
            .lines()
            .find(|line| line.contains("-cert-v01@openssh.com"))
            .unwrap_or_else(|| panic!("no certificate in: {told}"));
        let line = line.trim_matches(|c: char| c == '`' || c.is_whitespace());
        let certificate = ssh_key::Certificate::from_openssh(line).unwrap();
        certificate.signature_key().clone().into()
    }
}

#[tokio::test]
async fn a_ca_key_is_exchanged_while_access_is_held_and_security_reads_until_when_both_count() {
    let mut world = World::start().await;
    let staying = world.given("alice", "1h").await;
    let ending = world.given("alice", "2h").await;
    let old = world.signed_by("alice").await;

    let folder = world.here.folder.path().to_owned();
    keys::make(&folder.join("ca2"), "CA").unwrap();
    let new = std::fs::read_to_string(folder.join("ca2.pub")).unwrap();
    let new = ssh_key::PublicKey::from_openssh(&new).unwrap();
    let (file, other) = (folder.join("ca\""), folder.join("ca2\""));
    world
        .reloads(file.to_str().unwrap(), other.to_str().unwrap())
        .await
        .unwrap();
    let told = world.security_reads().await;
    assert_eq!(told.len(), 1, "{told:#?}");
    let fingerprint =
        |key: &ssh_key::PublicKey| key.fingerprint(ssh_key::HashAlg::Sha256).to_string();
    for said in [
        "issuer staging-ca",
        &fingerprint(&old),
        &fingerprint(&new),
        "valid until",
    ] {
        assert!(told[0].contains(said), "{said}: {}", told[0]);
    }
    let record = world.record().await;
    let reloaded = record.iter().find(|e| e["kind"] == "reloaded").unwrap();
    let keys = &reloaded["facts"]["exchanged_keys"]["staging-ca"];
    assert_eq!(keys["from"], fingerprint(&old).as_str());
    assert_eq!(keys["to"], fingerprint(&new).as_str());

    // What the key before signed ends early, and only that.
    world.types("alice", &format!("/jit done {ending}")).await;
    assert_eq!(world.kinds(&ending).await.last().unwrap(), "ended");
    assert!(world.refused_by_hosts(&ending) && !world.refused_by_hosts(&staying));
    let fresh = world.given("alice", "3h").await;
    assert_eq!(world.signed_by("alice").await.key_data(), new.key_data());
    // More time for what the key before signed: a certificate of the new key, with the same id.
    let more = world
        .asks("alice", &format!("/jit extend {staying} 30m"))
        .await;
    world.presses("bob", "Approve", &more).await;
    assert!(world.kinds(&more).await.contains(&"extended".to_owned()));
    world
        .types("carol", &format!("/jit revoke {staying} because"))
        .await;
    world
        .types("carol", &format!("/jit revoke {fresh} because"))
        .await;
    let refused: BTreeSet<bool> = [&ending, &staying, &fresh]
        .map(|id| world.refused_by_hosts(id))
        .into();
    assert_eq!(refused, BTreeSet::from([true]));

    // It is told once, also across a start.
    let mut world = world.restart().await;
    world
        .reloads("[security]", "# a word\n[security]")
        .await
        .unwrap();
    let told = world.security_reads().await;
    let exchanged = told.iter().filter(|one| one.contains("CA key")).count();
    assert_eq!(exchanged, 1, "{told:#?}");
    judged(&world).await;
}

#[tokio::test]
async fn a_ca_key_that_came_with_a_start_is_told_too_and_without_certificates_nothing_is_waited_for()
 {
    let world = World::start().await;
    let World { mut here, app } = world;
    app.stop().await;
    let folder = here.folder.path().to_owned();
    keys::make(&folder.join("ca2"), "CA").unwrap();
    let file = folder.join("ca\"").display().to_string();
    assert!(here.config.contains(&file));
    here.config = here
        .config
        .replace(&file, &folder.join("ca2\"").display().to_string());
    let world = here.world().await;
    let told = world.security_reads().await;
    let told = told.last().unwrap();
    assert!(
        told.contains("No certificate of the one before is valid"),
        "{told}"
    );
    judged(&world).await;
}

#[tokio::test]
async fn a_ca_key_that_still_counts_is_given_to_no_other_issuer() {
    let mut world = World::start().await;
    world.given("alice", "1h").await;
    let held = world.given("alice", "2h").await;
    let folder = world.here.folder.path().to_owned();
    for name in ["ca2", "ca3"] {
        keys::make(&folder.join(name), "CA").unwrap();
    }
    let file = |name: &str| folder.join(format!("{name}\"")).display().to_string();
    let second = |key: &str| {
        let krl = folder.join("target/second.krl").display().to_string();
        let key = file(key);
        format!(
            "[issuer.second-ca]\nkind = \"ssh-ca\"\nca_key = {{ file = \"{key} }}\nkrl = {{ path = \"{krl}\" }}\n[security]"
        )
    };
    let refused = |why: Vec<String>| {
        let why = why.join("\n");
        for said in ["`staging-ca`", "`second-ca`", &format!("g{}", &held[1..])] {
            assert!(why.contains(said), "{said}: {why}");
        }
        assert!(why.contains("a key of its own"), "{why}");
    };

    // In one step with the exchange, one step later, and after yet another exchange.
    let base = world.here.config.clone();
    world.here.config = base.replace(&file("ca"), &file("ca2"));
    let why = world.reloads("[security]", &second("ca")).await;
    refused(why.unwrap_err());
    world.here.config = base.clone();
    world.reloads(&file("ca"), &file("ca2")).await.unwrap();
    let why = world.reloads("[security]", &second("ca")).await;
    refused(why.unwrap_err());
    world.reloads(&file("ca2"), &file("ca3")).await.unwrap();
    for key in ["ca", "ca2"] {
        let why = world.reloads("[security]", &second(key)).await;
        refused(why.unwrap_err());
    }
    // At a start as well.
    let World { mut here, app } = world;
    app.stop().await;
    let right = here.config.clone();
    here.config = right.replace("[security]", &second("ca"));
    let Err(why) = here.try_bot().await else {
        panic!("it started with a key that still counts for another issuer");
    };
    refused(vec![format!("{why:#}")]);
    here.config = right;
    let mut world = here.world().await;

    // Until nothing that it signed may be accepted.
    world.here.clock.advance_both(TimeDelta::minutes(119));
    world.settle().await;
    let why = world.reloads("[security]", &second("ca")).await;
    refused(why.unwrap_err());
    world.here.clock.advance_both(TimeDelta::minutes(2));
    world.settle().await;
    world.reloads("[security]", &second("ca")).await.unwrap();
    judged(&world).await;
}

fn fresh(prefix: &str) -> String {
    format!("{prefix}{:032x}", rand::random::<u128>())
}

#[tokio::test]
async fn tokens_that_are_refused_change_nothing_and_the_sockets_stay() {
    let mut world = World::start().await;
    let people = world.here.people.clone();
    people.wait_for_sockets(SOCKETS, WAIT).await.unwrap();
    let right = world.here.tokens.clone();
    let (same, word) = ("[security]", "# a word\n[security]");
    for (tokens, said) in [
        (
            (fresh("xoxb-"), right.1.clone()),
            "slack.bot_token: can't be used: auth.test: invalid_auth",
        ),
        (
            (right.0.clone(), fresh("xapp-")),
            "slack.app_token: can't be used: apps.connections.open: invalid_auth",
        ),
    ] {
        world.here.tokens = tokens;
        let why = world.reloads(same, word).await.unwrap_err();
        assert!(why.len() == 1 && why[0].contains(said), "{why:?}");
    }

    // Good ones beside another mistake are not taken up either.
    let next = (fresh("xoxb-"), fresh("xapp-"));
    people
        .change(Change::IssueToken(next.1.clone()))
        .await
        .unwrap();
    world.here.tokens = (right.0, next.1);
    let why = world.reloads("slack:#approvals", "slack:#approval").await;
    assert!(why.unwrap_err().join("\n").contains("#approval"));
    assert_eq!(people.sockets().await.unwrap(), SOCKETS);
    world
        .asks("alice", "/jit request staging-ssh 1h please")
        .await;

    // The same tokens with a right file.
    people
        .change(Change::IssueToken(next.0.clone()))
        .await
        .unwrap();
    world.here.tokens.0 = next.0;
    world.reloads(same, word).await.unwrap();
    assert_eq!(people.sockets().await.unwrap(), SOCKETS);
    let id = world
        .asks("alice", "/jit request staging-ssh 2h please")
        .await;
    world.presses("bob", "Approve", &id).await;
    assert!(world.kinds(&id).await.contains(&"issued".to_owned()));
    judged(&world).await;
}

#[tokio::test]
async fn an_app_token_of_another_app_is_not_taken_up() {
    let mut world = World::start().await;
    let people = world.here.people.clone();
    people.wait_for_sockets(SOCKETS, WAIT).await.unwrap();
    let (right, other) = (world.here.tokens.1.clone(), fresh("xapp-"));
    people
        .change(Change::IssueTokenOfOtherApp {
            token: other.clone(),
            app_id: "A0OTHER".to_owned(),
        })
        .await
        .unwrap();
    world.here.tokens.1 = other;
    let (same, word) = ("[security]", "# a word\n[security]");
    let why = world.reloads(same, word).await.unwrap_err();
    assert_eq!(
        why,
        [
            "jitbot.toml:4: slack.app_token: can't be used: it is of Slack app A0OTHER, and the bot token is of another."
        ]
    );
    assert_eq!(people.sockets().await.unwrap(), SOCKETS);
    world
        .asks("alice", "/jit request staging-ssh 1h please")
        .await;
    world.here.tokens.1 = right;
    world.reloads(same, word).await.unwrap();
    judged(&world).await;
}
