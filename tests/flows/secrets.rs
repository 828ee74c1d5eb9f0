//! Secrets that a target makes: sent to who asked, privately and once, and kept nowhere.

use std::collections::BTreeSet;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use jitbot::sandbox::people::FaultKind;

use super::support::issuer_box::issuer_box;
use super::support::{Setup, World};

const ASKS: &str = "/jit request box-root 1h deploy is stuck";

/// Makes a password anew each time that it is told to give access; a later end keeps it.
const PROGRAM: &str = r#"#!/bin/sh
set -eu
file="$ACCESS_DIR/$JITBOT_GRANT"
case $JITBOT_OP in
  issue)
    echo "$JITBOT_KEY" >> "$ACCESS_DIR/../keys"
    secret="pw-$(od -An -N9 -tx1 /dev/urandom | tr -d ' \n')"
    printf '%s' "$secret" > "$file"
    printf '{"outcome":"ok","message":"Log in as root.","secret":"%s"}' "$secret" ;;
  extend) echo '{"outcome":"ok","message":"Log in as root."}' ;;
  revoke) rm -f "$file"; echo '{"outcome":"ok"}' ;;
  inspect)
    if [ -e "$file" ]; then echo '{"outcome":"ok","presence":"present"}'
    else echo '{"outcome":"ok","presence":"absent"}'; fi ;;
  *) echo '{"outcome":"ok"}' ;;
esac
"#;

struct Box {
    world: World,
    room: tempfile::TempDir,
}

impl Box {
    async fn with(makes_secret: bool) -> Self {
        let room = tempfile::tempdir().unwrap();
        let access = room.path().join("access");
        std::fs::create_dir(&access).unwrap();
        let program = room.path().join("make-password");
        std::fs::write(&program, PROGRAM).unwrap();
        std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
        let lines = format!(
            r#"kind = "command"
program = ["{}"]
environment = {{ ACCESS_DIR = "{}" }}
makes_secret = {makes_secret}
settles_within = "0s""#,
            program.display(),
            access.display(),
        );
        let more_config = issuer_box("box", &lines, "box-root", r#"user = "root""#);
        let setup = Setup {
            more_config,
            ..Setup::default()
        };
        Self {
            world: World::with(setup).await,
            room,
        }
    }

    /// Alice asked, Bob approved.
    async fn given() -> (Self, String) {
        let here = Self::with(true).await;
        let id = here.world.asks("alice", ASKS).await;
        here.world.presses("bob", "Approve", &id).await;
        (here, id)
    }

    /// What works on the box now.
    fn password(&self) -> Option<String> {
        let files = std::fs::read_dir(self.room.path().join("access")).unwrap();
        let mut files = files.flatten().map(|file| file.path());
        files
            .next()
            .map(|file| std::fs::read_to_string(file).unwrap())
    }

    async fn make_another(&self) {
        let message = self.world.told_with("alice", "Make another").await;
        self.world
            .presses_on("alice", &message, "Make another")
            .await;
    }

    /// How many of Alice's messages hold it.
    async fn told(&self, secret: &str) -> usize {
        let told = self.world.told("alice").await;
        told.iter().filter(|text| text.contains(secret)).count()
    }
}

/// Every file below, with what it holds.
fn files_below(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap().flatten() {
        let path = entry.path();
        if path.is_dir() {
            found.extend(files_below(&path));
        } else if path.is_file() {
            found.push((path.clone(), std::fs::read(&path).unwrap()));
        }
    }
    found
}

#[tokio::test]
async fn a_secret_goes_to_who_asked_once_and_is_kept_nowhere() {
    let here = Box::with(true).await;
    let world = &here.world;
    let id = world.asks("alice", ASKS).await;
    let card = world.card(&id).await.visible_text;
    assert!(card.contains("the target makes a secret"), "{card}");
    world.presses("bob", "Approve", &id).await;
    let secret = here.password().unwrap();
    assert_eq!(here.told(&secret).await, 1);
    let told = world.last_told("alice").await;
    assert!(
        told.contains("Log in as root.") && told.contains("keeps no copy"),
        "{told}"
    );
    let kinds = world.kinds(&id).await;
    assert_eq!(kinds.iter().filter(|k| *k == "secret_sent").count(), 1);

    // Nobody else reads it, and what a locked phone shows does not hold it.
    for who in ["bob", "olga", "dana", "carol"] {
        let told = [world.told(who).await, world.whispers(who).await].concat();
        assert!(!told.join("\n").contains(&secret), "{who}: {told:?}");
    }
    let thread = world.thread(&id).await.join("\n");
    assert!(!thread.contains(&secret), "{thread}");
    let message = world.told_with("alice", "Make another").await;
    assert!(!message.text.contains(&secret), "{}", message.text);
    world.pass("61m").await;
    assert_eq!(here.password(), None);
    for (path, holds) in files_below(world.here.folder.path()) {
        let found = holds
            .windows(secret.len())
            .any(|part| part == secret.as_bytes());
        assert!(!found, "{} holds the secret", path.display());
    }
}

#[tokio::test]
async fn another_one_is_made_when_it_is_asked_for() {
    let (here, id) = Box::given().await;
    let first = here.password().unwrap();
    here.make_another().await;
    let second = here.password().unwrap();
    assert_ne!(first, second);
    assert_eq!((here.told(&first).await, here.told(&second).await), (1, 1));
    let told = here.world.last_told("alice").await;
    assert!(told.contains("in place of the one before"), "{told}");
    let kinds = here.world.kinds(&id).await;
    let after = kinds.iter().skip_while(|k| *k != "secret_sent").skip(1);
    let after: Vec<&str> = after
        .map(String::as_str)
        .filter(|kind| kind.contains("renew") || kind.contains("secret"))
        .collect();
    assert_eq!(after, ["renew_intended", "renewed", "secret_sent"]);
    // A target that knows a call by its key is asked for another thing.
    let keys = std::fs::read_to_string(here.room.path().join("keys")).unwrap();
    let keys: BTreeSet<&str> = keys.lines().collect();
    assert_eq!(keys.len(), 2, "{keys:?}");
    // It was given once, and what was made anew ends at the same moment.
    assert_eq!(kinds.iter().filter(|k| *k == "issued").count(), 1);
    here.world.pass("61m").await;
    assert_eq!(here.password(), None);
}

/// Once it is over there is nothing to make one for.
#[tokio::test]
async fn after_the_end_no_other_is_made() {
    let (here, id) = Box::given().await;
    here.world.types("alice", &format!("/jit done {id}")).await;
    assert_eq!(here.password(), None);
    here.make_another().await;
    assert_eq!(here.password(), None);
    let kinds = here.world.kinds(&id).await;
    assert!(!kinds.contains(&"renew_intended".to_owned()), "{kinds:?}");
}

/// The platform took it, and its answer was lost: it is not sent again by itself.
#[tokio::test]
async fn a_secret_that_may_have_arrived_is_not_sent_twice() {
    let (here, id) = Box::given().await;
    here.world
        .slack_fails("chat.postMessage", 1, FaultKind::DropAfterEffect)
        .await;
    here.make_another().await;
    here.world.pass("5m").await;
    let secret = here.password().unwrap();
    assert_eq!(here.told(&secret).await, 1);
    let told = here.world.last_told("alice").await;
    assert!(told.contains("Nobody knows whether"), "{told}");
    let kinds = here.world.kinds(&id).await;
    assert!(
        kinds.contains(&"secret_may_be_lost".to_owned()),
        "{kinds:?}"
    );
    here.make_another().await;
    let third = here.password().unwrap();
    assert_ne!(secret, third);
    assert_eq!(here.told(&third).await, 1);
}

/// What surely did not arrive is sent later, as it was.
#[tokio::test]
async fn a_secret_that_was_not_taken_is_sent_later() {
    let (here, id) = Box::given().await;
    let limited = FaultKind::RateLimited { retry_after_s: 60 };
    here.world.slack_fails("chat.postMessage", 2, limited).await;
    here.make_another().await;
    let secret = here.password().unwrap();
    assert_eq!(here.told(&secret).await, 0);
    // Asked for once more it is the same that is on its way: its letter tells of no other.
    here.world.pass("45s").await;
    assert_eq!(here.told(&secret).await, 0);
    here.make_another().await;
    assert_eq!(here.password().as_ref(), Some(&secret));
    here.world.pass("2m").await;
    here.world.pass("2m").await;
    assert_eq!(here.password().as_ref(), Some(&secret));
    assert_eq!(here.told(&secret).await, 1);
    let kinds = here.world.kinds(&id).await;
    assert!(
        !kinds.contains(&"secret_may_be_lost".to_owned()),
        "{kinds:?}"
    );
}

/// It is in memory only.
#[tokio::test]
async fn a_restart_loses_what_was_not_sent_and_says_so() {
    let (mut here, _) = Box::given().await;
    let limited = FaultKind::RateLimited { retry_after_s: 60 };
    here.world.slack_fails("chat.postMessage", 1, limited).await;
    here.make_another().await;
    let secret = here.password().unwrap();
    here.world = here.world.restart().await;
    here.world.pass("5m").await;
    assert_eq!(here.told(&secret).await, 0);
    let told = here.world.last_told("alice").await;
    assert!(told.contains("Nobody knows whether"), "{told}");
    here.make_another().await;
    let third = here.password().unwrap();
    assert_eq!(here.told(&third).await, 1);
}

/// Who approved was not told of one.
#[tokio::test]
async fn a_secret_that_nobody_was_told_of_is_thrown_away_and_so_is_the_access() {
    let here = Box::with(false).await;
    let id = here.world.asks("alice", ASKS).await;
    here.world.presses("bob", "Approve", &id).await;
    assert_eq!(here.password(), None);
    assert_eq!(here.told("pw-").await, 0);
}

#[tokio::test]
async fn more_time_keeps_the_secret() {
    let (here, id) = Box::given().await;
    let secret = here.password();
    let more = here
        .world
        .asks("alice", &format!("/jit extend {id} 1h"))
        .await;
    here.world.presses("bob", "Approve", &more).await;
    let told = here.world.last_told("alice").await;
    assert!(told.contains("goes on working"), "{told}");
    assert!(told.contains("that you were sent before"), "{told}");
    assert_eq!(here.password(), secret);
}
