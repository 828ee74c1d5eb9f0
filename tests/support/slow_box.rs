//! A target that answers a question to give only when it is let, beside the real binary.

use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;

use jitbot::sandbox::people::SeenMessage;

use super::issuer_box::issuer_box;
use super::scene::{Scene, WAIT};
use super::{APPROVALS, id_of, reference};

/// Gives access by a file, once there is `go`. Each call leaves its name in `calls`.
const PROGRAM: &str = r#"#!/bin/sh
set -eu
cd "$ROOM"
cat > /dev/null
echo "$JITBOT_OP" >> calls
case $JITBOT_OP in
  issue)
    while [ ! -e go ]; do sleep 0.05; done
    : > access
    echo '{"outcome":"ok","message":"You are in."}' ;;
  revoke) rm -f access; echo '{"outcome":"ok"}' ;;
  inspect)
    if [ -e access ]; then presence=present; else presence=absent; fi
    echo "{\"outcome\":\"ok\",\"presence\":\"$presence\"}" ;;
  *) echo '{"outcome":"ok"}' ;;
esac
"#;

const LINES: &str = r#"kind = "command"
program = ["@/slow"]
environment = { ROOM = "@" }
accounts = { alice = "a.smith" }
time_limit = "20s"
target = "the slow box""#;

/// Where it is.
pub struct SlowBox {
    room: PathBuf,
}

impl SlowBox {
    /// In a scene whose bot does not run yet.
    pub fn beside(scene: &Scene) -> Self {
        let room = scene.path().join("room");
        std::fs::create_dir(&room).unwrap();
        let program = room.join("slow");
        std::fs::write(&program, PROGRAM).unwrap();
        std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
        let config = scene.path().join("jitbot.toml");
        let mut text = std::fs::read_to_string(&config).unwrap();
        let lines = LINES.replace('@', &room.display().to_string());
        text.push_str(&issuer_box(
            "slow",
            &lines,
            "slow-box",
            r#"group = "admins""#,
        ));
        std::fs::write(&config, text).unwrap();
        Self { room }
    }

    /// From here on it answers.
    pub fn let_go(&self) {
        std::fs::write(self.room.join("go"), "").unwrap();
    }

    pub fn has_access(&self) -> bool {
        self.room.join("access").exists()
    }

    /// How often it was called so.
    pub fn calls(&self, op: &str) -> usize {
        let calls = std::fs::read_to_string(self.room.join("calls")).unwrap_or_default();
        calls.lines().filter(|line| *line == op).count()
    }

    /// Alice asks and Bob approves; the reference.
    pub async fn approved(&self, scene: &Scene, how_long: &str) -> String {
        let (id, card) = self.asked(scene, how_long).await;
        scene.approve(&card).await;
        id
    }

    pub async fn asked(&self, scene: &Scene, how_long: &str) -> (String, SeenMessage) {
        let typed = format!("/jit request slow-box {how_long} deploy is stuck");
        let asked = scene.people.command(id_of("alice"), APPROVALS, &typed);
        let answer = asked.await.unwrap();
        let id = reference(&answer.visible_text).unwrap_or_else(|| panic!("{answer:?}"));
        let card = scene.people.wait_for("U0BOB", APPROVALS, &id, WAIT).await;
        (id, card.unwrap())
    }
}
