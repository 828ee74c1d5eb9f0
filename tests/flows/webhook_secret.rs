//! The secret of a receiver is exchanged while somebody has access there.

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use super::support::issuer_box::issuer_box;
use super::support::{Setup, World};

/// The shipped receiver, which knows these secrets.
struct Receiver(Child);

impl Receiver {
    /// Starts it at this port, or at any for 0; where it is.
    fn start(port: u16, grants: &Path, secrets: &[&str]) -> (Self, u16) {
        let program = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("docs/examples/receiver.py");
        let mut process = Command::new("python3")
            .arg(program)
            .arg(port.to_string())
            .arg(grants)
            .env("JITBOT_WEBHOOK_SECRET", secrets.join(" "))
            .stdout(Stdio::piped())
            .spawn()
            .expect("python3 starts");
        let mut said = String::new();
        let mut lines = BufReader::new(process.stdout.take().unwrap());
        lines.read_line(&mut said).unwrap();
        (Self(process), said.trim().parse().unwrap())
    }

    /// It ends, and its port is free.
    fn stop(self) {
        drop(self);
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A secret that is made here, so that nothing that opens anything stands in a file.
fn fresh() -> String {
    use base64::Engine as _;
    let bytes: [u8; 32] = rand::random();
    let text = base64::engine::general_purpose::STANDARD.encode(bytes);
    format!("whsec_{text}")
}

fn has(grants: &Path, id: &str) -> bool {
    let text = std::fs::read_to_string(grants).unwrap_or_default();
    text.contains(&format!("\"g{}\"", &id[1..]))
}

impl World {
    pub(super) async fn has_box(&self, who: &str, duration: &str) -> String {
        let typed = format!("/jit request box-admin {duration} please");
        let id = self.asks(who, &typed).await;
        self.presses("dana", "Approve", &id).await;
        id
    }
}

#[tokio::test]
async fn a_receivers_secret_is_exchanged_step_by_step_and_access_is_given_and_ended_at_each() {
    let room = tempfile::tempdir().unwrap();
    let grants = room.path().join("grants.json");
    let (old, new) = (fresh(), fresh());
    let (file, former) = (room.path().join("secret"), room.path().join("former"));
    std::fs::write(&file, &old).unwrap();
    let (receiver, port) = Receiver::start(0, &grants, &[&old]);
    let secret = format!("secret = {{ file = \"{}\" }}\n", file.display());
    let mut world = World::with(Setup {
        more_config: issuer_box(
            "box",
            &format!(
                r#"kind = "webhook"
url = "http://127.0.0.1:{port}/"
allow_private = true
settles_within = "1s"
{secret}target = "the box""#
            ),
            "box-admin",
            r#"group = "admins""#,
        ),
        ..Setup::default()
    })
    .await;
    let first = world.has_box("alice", "1h").await;
    let second = world.has_box("bob", "1h").await;
    assert!(has(&grants, &first) && has(&grants, &second));

    // 1. The bot signs with both; the receiver knows the old one alone.
    std::fs::write(&file, &new).unwrap();
    std::fs::write(&former, &old).unwrap();
    let both = format!(
        "{secret}former_secret = {{ file = \"{}\" }}\n",
        former.display()
    );
    world.reloads(&secret, &both).await.unwrap();
    let third = world.has_box("olga", "1h").await;
    assert!(has(&grants, &third));
    world.types("alice", &format!("/jit done {first}")).await;
    assert!(!has(&grants, &first));

    // 2. The receiver knows the new one alone.
    receiver.stop();
    let (receiver, _) = Receiver::start(port, &grants, &[&new]);
    let fourth = world.has_box("alice", "2h").await;
    assert!(has(&grants, &fourth));
    world.types("bob", &format!("/jit done {second}")).await;
    assert!(!has(&grants, &second));

    // 3. The bot signs with the new one alone.
    world.reloads(&both, &secret).await.unwrap();
    for id in [&third, &fourth] {
        world
            .types("carol", &format!("/jit revoke {id} because"))
            .await;
        assert!(!has(&grants, id));
    }
    for id in [&first, &second, &third, &fourth] {
        assert_eq!(world.kinds(id).await.last().unwrap(), "ended");
    }
    let record = world.record().await;
    let ended: Vec<_> = record.iter().filter(|e| e["kind"] == "ended").collect();
    assert!(
        ended.iter().all(|e| e["facts"]["evidence"] == "seen_gone"),
        "{ended:?}"
    );
    receiver.stop();
}
