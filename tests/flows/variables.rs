//! Variables of a program that gives access, exchanged while people hold what it gave.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use super::judged;
use super::support::issuer_box::issuer_box;
use super::support::{Setup, World};

/// A target that knows its caller by a token: any of the lines of `right`.
const PROGRAM: &str = r#"#!/bin/sh
set -eu
cat > /dev/null
echo "$JITBOT_OP $TOKEN" >> "$ROOM/calls"
if ! grep -qxF "$TOKEN" "$ROOM/right"; then echo '{"outcome":"retry","message":"401"}'; exit 0; fi
file="$ROOM/access/$JITBOT_GRANT"
case $JITBOT_OP in
  issue) : > "$file"; echo '{"outcome":"ok","message":"You are in."}' ;;
  revoke) rm -f "$file"; echo '{"outcome":"ok"}' ;;
  inspect)
    if [ -e "$file" ]; then presence=present; else presence=absent; fi
    echo "{\"outcome\":\"ok\",\"presence\":\"$presence\"}" ;;
  *) echo '{"outcome":"ok"}' ;;
esac
"#;

struct Target(PathBuf);

impl Target {
    fn knows(&self, tokens: &[&str]) {
        std::fs::write(self.0.join("right"), tokens.join("\n")).unwrap();
    }

    fn has(&self, id: &str) -> bool {
        let grant = format!("g{}", &id[1..]);
        self.0.join("access").join(grant).exists()
    }

    /// The operations that came with this token.
    fn calls_with(&self, token: &str) -> Vec<String> {
        let calls = std::fs::read_to_string(self.0.join("calls")).unwrap_or_default();
        calls
            .lines()
            .filter_map(|line| line.strip_suffix(token))
            .map(|op| op.trim().to_owned())
            .collect()
    }
}

async fn world(room: &Path) -> (World, Target) {
    std::fs::create_dir(room.join("access")).unwrap();
    let program = room.join("target");
    std::fs::write(&program, PROGRAM).unwrap();
    std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
    let at = room.display();
    let lines = format!(
        r#"kind = "command"
program = ["{at}/target"]
environment = {{ ROOM = "{at}", TOKEN = {{ file = "{at}/token" }} }}
settles_within = "0s"
target = "the box""#
    );
    let setup = Setup {
        more_config: issuer_box("box", &lines, "box-admin", r#"group = "admins""#),
        ..Setup::default()
    };
    (World::with(setup).await, Target(room.to_owned()))
}

fn fresh() -> String {
    format!("{:032x}", rand::random::<u128>())
}

#[tokio::test]
async fn a_programs_secret_is_exchanged_while_access_is_held_and_all_of_it_ends() {
    let room = tempfile::tempdir().unwrap();
    let (old, new) = (fresh(), fresh());
    let file = room.path().join("token");
    std::fs::write(&file, &old).unwrap();
    let (mut world, target) = world(room.path()).await;
    target.knows(&[&old]);
    let first = world.has_box("alice", "1h").await;
    let second = world.has_box("bob", "1h").await;
    assert!(target.has(&first) && target.has(&second));

    // 1. The target knows both, and the bot the new one.
    target.knows(&[&old, &new]);
    std::fs::write(&file, &new).unwrap();
    let (same, word) = ("[security]", "# a word\n[security]");
    world.reloads(same, word).await.unwrap();
    let before = target.calls_with(&old).len();
    let third = world.has_box("olga", "1h").await;
    assert!(target.has(&third));
    assert!(target.calls_with(&new).contains(&"issue".to_owned()));
    // 2. It knows the new one alone.
    target.knows(&[&new]);
    world.types("alice", &format!("/jit done {first}")).await;
    assert!(!target.has(&first));
    assert_eq!(world.kinds(&first).await.last().unwrap(), "ended");
    assert_eq!(
        target.calls_with(&old).len(),
        before,
        "no call with the old"
    );

    // In the wrong order it waits until it is right, and nothing is lost.
    let third_one = fresh();
    std::fs::write(&file, &third_one).unwrap();
    world.reloads(same, word).await.unwrap();
    world.types("bob", &format!("/jit done {second}")).await;
    assert!(target.has(&second));
    assert_ne!(world.kinds(&second).await.last().unwrap(), "ended");
    target.knows(&[&third_one]);
    world.pass("10m").await;
    assert!(!target.has(&second));
    assert_eq!(world.kinds(&second).await.last().unwrap(), "ended");

    // What stands there as plain text says where access is: that stays while somebody has it.
    let room_of = format!("ROOM = \"{}\"", room.path().display());
    let why = world.reloads(&room_of, "ROOM = \"/elsewhere\"").await;
    let why = why.unwrap_err().join("\n");
    let grant = format!("g{}", &third[1..]);
    assert!(why.contains("`box`") && why.contains(&grant), "{why}");
    world.pass("61m").await;
    assert!(!target.has(&third));
    judged(&world).await;
}
