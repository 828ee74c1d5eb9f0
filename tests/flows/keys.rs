//! Public keys that people give in chat, where the config says that they may.

use jitbot::sandbox::ssh::keys as key_files;

use super::judged;
use super::support::{Setup, World, id_of, reference};

/// Erin has come to engineering; the config does not know her.
async fn world() -> World {
    world_with(true).await
}

async fn world_with(keys_in_chat: bool) -> World {
    let world = World::with(Setup {
        keys_in_chat,
        ..Setup::with_usergroups()
    })
    .await;
    let engineering = ["alice", "bob", "olga", "erin"];
    world.slack_lists("S0ENG", &engineering).await;
    world.pass("10m").await;
    world
}

/// Gives a key; Slack is asked who it is whose first act that is.
async fn gives(world: &World, who: &str, line: &str) -> String {
    let typed = format!("/jit key {line}");
    let answer = world.types(who, &typed).await;
    if answer.contains("try again in a moment") {
        return world.types(who, &typed).await;
    }
    answer
}

/// The line of a `.pub` file that is made now, and its fingerprint.
fn new_key(world: &World, name: &str) -> (String, String) {
    let made = key_files::make(&world.here.folder.path().join(name), name).unwrap();
    let key = ssh_key::PublicKey::from_openssh(&made.public_line).unwrap();
    (
        made.public_line,
        key.fingerprint(ssh_key::HashAlg::Sha256).to_string(),
    )
}

/// Fingerprints of the keys that she was sent certificates for.
async fn certified(world: &World, who: &str) -> Vec<String> {
    let mut keys = Vec::new();
    for told in world.told(who).await {
        let Some(at) = told.find("ssh-ed25519-cert-v01@openssh.com ") else {
            continue;
        };
        let words: Vec<&str> = told[at..].split_whitespace().take(2).collect();
        let certificate = ssh_key::Certificate::from_openssh(&words.join(" ")).unwrap();
        keys.push(
            certificate
                .public_key()
                .fingerprint(ssh_key::HashAlg::Sha256)
                .to_string(),
        );
    }
    keys
}

#[tokio::test]
async fn who_has_no_key_gives_one_and_gets_access_for_it() {
    let world = world().await;
    let ask = "/jit request staging-ssh 1h please";
    let answer = world.types("erin", ask).await;
    assert!(answer.contains("needs your public SSH key"), "{answer}");
    assert!(answer.contains("/jit key <public key>"), "{answer}");

    let (line, fingerprint) = new_key(&world, "erin");
    let answer = gives(&world, "erin", &line).await;
    assert!(answer.contains(&fingerprint), "{answer}");
    let own = world.told("erin").await.join("\n");
    assert!(own.contains("Your public key changed") && own.contains(&fingerprint));
    let security = world.security_reads().await.join("\n");
    assert!(security.contains(&fingerprint), "{security}");
    assert!(security.contains("erin from now on"), "{security}");
    let record = world.record().await;
    let given = record.iter().find(|e| e["kind"] == "key_given").unwrap();
    assert_eq!(given["facts"]["key"], fingerprint.as_str());
    assert_eq!(given["actor"], "slack:T0SHOP/U0ERIN");

    let id = world.asks("erin", ask).await;
    let card = world.card(&id).await.visible_text;
    assert!(
        card.contains(&fingerprint) && card.contains("given in chat"),
        "who decides sees that the key is not the config's: {card}"
    );
    world.presses("bob", "Approve", &id).await;
    assert_eq!(certified(&world, "erin").await, [fingerprint.as_str()]);
    let shown = world.types("erin", "/jit key").await;
    assert!(shown.contains(&fingerprint) && shown.contains("You gave it here"));
    judged(&world).await;
}

#[tokio::test]
async fn a_key_that_is_changed_after_the_approval_gets_nothing() {
    let world = world().await;
    let (line, _) = new_key(&world, "erin");
    gives(&world, "erin", &line).await;
    let id = world
        .asks("erin", "/jit request staging-ssh 1h please")
        .await;
    world.pass("6m").await;
    // Whoever has got hold of her account brings a key of their own while the card waits.
    let (other, fingerprint) = new_key(&world, "mallory");
    let answer = gives(&world, "erin", &other).await;
    assert!(answer.contains(&fingerprint), "{answer}");
    world.presses("bob", "Approve", &id).await;
    assert!(certified(&world, "erin").await.is_empty());
    assert!(!world.kinds(&id).await.contains(&"issued".to_owned()));
    let told = world.told("erin").await.join("\n");
    assert!(told.contains("or no longer the same"), "{told}");
}

#[tokio::test]
async fn what_is_held_for_one_key_is_not_extended_for_another() {
    let world = world().await;
    let (line, _) = new_key(&world, "erin");
    gives(&world, "erin", &line).await;
    let id = world
        .asks("erin", "/jit request staging-ssh 1h please")
        .await;
    world.presses("bob", "Approve", &id).await;
    world.pass("6m").await;
    let (other, _) = new_key(&world, "other");
    gives(&world, "erin", &other).await;
    let answer = world
        .types("erin", &format!("/jit extend {id} 30m more"))
        .await;
    assert!(answer.contains("or your key, changed"), "{answer}");
    let status = world.types("erin", &format!("/jit status {id}")).await;
    assert!(
        status.contains("Live until"),
        "what is held stays: {status}"
    );
}

#[tokio::test]
async fn no_rule_approves_access_for_a_key_that_is_new() {
    let world = world().await;
    world.slack_lists("S0ONCALL", &["olga", "erin"]).await;
    world.pass("10m").await;
    let (line, _) = new_key(&world, "erin");
    gives(&world, "erin", &line).await;
    let ask = "/jit request staging-ssh 30m pager";
    let explained = world.types("erin", "/jit explain staging-ssh 30m").await;
    assert!(!explained.contains("by a rule"), "{explained}");
    let waits = world.types("erin", ask).await;
    assert!(waits.contains("waits for a member of sre"), "{waits}");
    let id = reference(&waits).unwrap();
    world.types("erin", &format!("/jit withdraw {id}")).await;

    world.pass("24h").await;
    // A day later Slack is asked again who she is; then the rule decides.
    let answer = world.types("erin", ask).await;
    let id = reference(&answer).unwrap();
    world.settle().await;
    let approved = world.record().await;
    let approved = approved.iter().rfind(|entry| entry["kind"] == "approved");
    assert_eq!(approved.unwrap()["request"], id.as_str());
    assert!(world.cards(&id).await.is_empty(), "nobody was asked");
}

#[tokio::test]
async fn what_is_no_key_of_ones_own_is_refused() {
    let world = world().await;
    let (line, _) = new_key(&world, "erin");
    let file = world.here.folder.path().join("erin");
    let private = std::fs::read_to_string(file).unwrap();
    let answer = gives(&world, "erin", &private).await;
    assert!(answer.contains("That is a private key"), "{answer}");
    let secret = private.lines().nth(2).unwrap();
    assert!(!answer.contains(secret), "it is not repeated");
    let record = serde_json::to_string(&world.record().await).unwrap();
    assert!(!record.contains(secret), "and not kept");
    for entry in std::fs::read_dir(world.here.folder.path()).unwrap() {
        let path = entry.unwrap().path();
        // The database has its newest pages in a file beside it.
        if path.is_file() && path.file_name() != Some("erin".as_ref()) {
            let bytes = std::fs::read(&path).unwrap();
            let there = bytes.windows(secret.len()).any(|w| w == secret.as_bytes());
            assert!(!there, "nor in {}", path.display());
        }
    }

    let bob = key_files::load_or_make(&world.here.folder.path().join("id_bob"), "bob");
    let answer = gives(&world, "erin", &bob.unwrap().public_line).await;
    assert!(answer.contains("Somebody else has this key"), "{answer}");
    let answer = gives(&world, "bob", &line).await;
    assert!(answer.contains("config names your public key"), "{answer}");
    let answer = gives(&world, "dana", &line).await;
    assert!(answer.contains("Nothing that you may ask for"), "{answer}");
    let known = world.types("dana", "/jit key").await;
    assert!(known.contains("No public key of yours"), "{known}");
    let record = world.record().await;
    assert!(record.iter().all(|entry| entry["kind"] != "key_given"));
}

#[tokio::test]
async fn a_key_is_changed_rarely_and_forgotten_when_asked() {
    let world = world().await;
    let (line, _) = new_key(&world, "erin");
    let (next, fingerprint) = new_key(&world, "next");
    gives(&world, "erin", &line).await;
    let told = world.security_reads().await.len();
    // The same again changes nothing and tells nobody.
    let same = gives(&world, "erin", &line).await;
    assert!(same.contains("Your public key is"), "{same}");
    let soon = gives(&world, "erin", &next).await;
    assert!(soon.contains("changed a moment ago"), "{soon}");
    assert_eq!(world.security_reads().await.len(), told);

    world.pass("6m").await;
    let later = gives(&world, "erin", &next).await;
    assert!(later.contains(&fingerprint), "{later}");
    world.pass("1m").await;
    let forgotten = world.types("erin", "/jit key forget").await;
    assert!(forgotten.contains("is forgotten"), "{forgotten}");
    let ask = "/jit request staging-ssh 1h please";
    let answer = world.types("erin", ask).await;
    assert!(answer.contains("needs your public SSH key"), "{answer}");
    // Nor does it make room for the next at once.
    let soon = gives(&world, "erin", &line).await;
    assert!(soon.contains("changed a moment ago"), "{soon}");
    let security = world.security_reads().await;
    assert!(
        security.last().unwrap().contains("forgotten"),
        "{security:#?}"
    );
}

#[tokio::test]
async fn security_has_a_key_forgotten_and_who_left_keeps_nobody_from_theirs() {
    let world = world().await;
    let (line, fingerprint) = new_key(&world, "squatted");
    gives(&world, "erin", &line).await;
    let told = world.security_reads().await.join("\n");
    let typed = format!("/jit key forget {}", id_of("erin"));
    assert!(told.contains(&typed), "{told}");
    let refused = world.types("bob", &typed).await;
    assert!(refused.contains("Only security"), "{refused}");
    let done = world.types("carol", &typed).await;
    assert!(done.contains("Their public key is forgotten"), "{done}");
    let told = world.told("erin").await.join("\n");
    assert!(told.contains("By carol"), "she is told who did it: {told}");
    let known = world.types("erin", "/jit key").await;
    assert!(known.contains("No public key of yours"), "{known}");

    world.pass("6m").await;
    let again = gives(&world, "erin", &line).await;
    assert!(again.contains(&fingerprint), "{again}");
    let all = ["bob", "olga", "dana"];
    world.slack_lists("S0ENG", &all).await;
    let gone = jitbot::sandbox::people::Change::Deactivate(id_of("erin").to_owned());
    world.here.people.change(gone).await.unwrap();
    world.pass("10m").await;
    // Dana, of whom the config names no key, is in engineering by now.
    let hers = gives(&world, "dana", &line).await;
    assert!(hers.contains(&fingerprint), "{hers}");
}

#[tokio::test]
async fn where_the_config_does_not_say_so_no_key_is_taken() {
    let world = world_with(false).await;
    let (line, _) = new_key(&world, "erin");
    let answer = gives(&world, "erin", &line).await;
    assert!(answer.contains("so none was kept"), "{answer}");
    let ask = "/jit request staging-ssh 1h please";
    let answer = world.types("erin", ask).await;
    assert!(answer.contains("no entry for you"), "{answer}");
}

#[tokio::test]
async fn a_time_of_day_is_meant_in_the_zone_that_somebody_set_in_chat() {
    let world = World::with(Setup::with_usergroups()).await;
    // It is noon in Berlin; Bob, of whom the config says nothing, lives ten hours or so to the west.
    let moved = jitbot::sandbox::people::Change::Zone {
        user: id_of("bob").to_owned(),
        zone: "Pacific/Honolulu".to_owned(),
    };
    world.here.people.change(moved).await.unwrap();
    world.pass("10m").await;
    let honolulu =
        jitbot::clock::Clock::now(&*world.here.clock).with_timezone(&chrono_tz::Pacific::Honolulu);
    let in_an_hour = (honolulu + chrono::TimeDelta::hours(1)).format("%H:%M");
    let typed = format!("/jit explain staging-ssh until {in_an_hour}");
    let answer = world.types("bob", &typed).await;
    assert!(!answer.contains("at most"), "{answer}");
    let berlin = world.types("alice", &typed).await;
    assert!(
        berlin.contains("at most 8h"),
        "the config's zone goes first: {berlin}"
    );
}
