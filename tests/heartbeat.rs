//! Whoever waits for the bot's heartbeat: it comes while the bot works, not when it doesn't, and its
//! address is told to nobody.

#[path = "support/mod.rs"]
mod support;

use std::net::SocketAddr;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use support::scene::Scene;
use support::watching::{free, get, served_at};
use support::{Setup, Site};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::process::Command;

const MARKER: &str = "marker-of-a-test";

/// What waits for beats; the lines that it was asked with.
struct Watch {
    address: SocketAddr,
    asked: Arc<Mutex<Vec<String>>>,
    status: Arc<Mutex<&'static str>>,
}

impl Watch {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let watch = Self {
            address: listener.local_addr().unwrap(),
            asked: Arc::default(),
            status: Arc::new(Mutex::new("200 OK")),
        };
        let (asked, status) = (watch.asked.clone(), watch.status.clone());
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let mut head = vec![0; 4_096];
                let read = stream.read(&mut head).await.unwrap();
                let head = String::from_utf8_lossy(&head[..read]).into_owned();
                let line = head.lines().next().unwrap_or_default().to_owned();
                asked.lock().unwrap().push(line);
                let status = *status.lock().unwrap();
                let answer = format!("HTTP/1.1 {status}\r\ncontent-length: 2\r\n\r\nOK");
                stream.write_all(answer.as_bytes()).await.unwrap();
            }
        });
        watch
    }

    fn beats(&self) -> usize {
        self.asked
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .len()
    }

    fn answers(&self, status: &'static str) {
        *self.status.lock().unwrap() = status;
    }

    /// Keeps its address in a file, and tells the config of it.
    fn config(&self, folder: &Path, path: &str) -> String {
        let file = folder.join("heartbeat");
        self.keep(folder, path);
        format!(
            "[heartbeat]\nurl = {{ file = \"{}\" }}\nevery = \"1s\"\nallow_private = true\n",
            file.display()
        )
    }

    fn keep(&self, folder: &Path, path: &str) {
        use std::os::unix::fs::PermissionsExt as _;
        let file = folder.join("heartbeat");
        std::fs::write(&file, format!("http://{}/{path}\n", self.address)).unwrap();
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).unwrap();
    }
}

/// A scene with a heartbeat and numbers.
async fn scene(watch: &Watch, at: SocketAddr) -> Scene {
    let scene = Scene::with(&served_at(at)).await;
    let config = scene.path().join("jitbot.toml");
    let mut text = std::fs::read_to_string(&config).unwrap();
    text.push_str(&watch.config(scene.path(), MARKER));
    std::fs::write(config, text).unwrap();
    scene
}

#[expect(clippy::disallowed_methods, reason = "nothing comes, in real time")]
async fn none_comes(watch: &Watch) {
    // One may be on its way.
    tokio::time::sleep(Duration::from_millis(500)).await;
    let before = watch.beats();
    tokio::time::sleep(Duration::from_secs(3)).await;
    assert_eq!(watch.beats(), before);
}

async fn more_come(scene: &Scene, watch: &Watch) {
    let before = watch.beats();
    scene
        .until("a beat", async || watch.beats() > before + 1)
        .await;
}

#[tokio::test]
async fn it_stops_while_nothing_can_be_kept_and_comes_back() {
    let (watch, at) = (Watch::start().await, free());
    let scene = scene(&watch, at).await;
    let bot = scene.serve().await;
    more_come(&scene, &watch).await;
    let expected = format!("GET /{MARKER} HTTP/1.1");
    assert!(
        watch
            .asked
            .lock()
            .unwrap()
            .iter()
            .all(|line| *line == expected)
    );

    scene
        .sql(
            "CREATE TRIGGER staged BEFORE UPDATE ON meta
             BEGIN SELECT RAISE(ABORT, 'staged'); END",
        )
        .await;
    scene
        .until("a word", async || scene.log().contains("none is sent"))
        .await;
    none_comes(&watch).await;
    scene.record_again().await;
    more_come(&scene, &watch).await;

    // Nobody takes it for a while.
    watch.answers("404 Not Found");
    let refused = async || scene.log().contains("answered with status 404");
    scene.until("a word", refused).await;
    more_come(&scene, &watch).await;
    watch.answers("200 OK");
    let heard = async || scene.log().matches("is heard again").count() == 2;
    scene.until("a word", heard).await;

    // Another address holds at once.
    watch.keep(scene.path(), "another-marker-of-a-test");
    let pid = i32::try_from(bot.id().unwrap()).unwrap();
    kill(Pid::from_raw(pid), Signal::SIGHUP).unwrap();
    let moved = async || {
        let asked = watch.asked.lock().unwrap();
        asked.iter().any(|line| line.contains("another-marker"))
    };
    scene.until("the other address", moved).await;

    let log = scene.log();
    assert_eq!(log.matches("is missed").count(), 2, "once each:\n{log}");
    assert!(!log.contains(MARKER), "{log}");
    let (_, _, numbers) = get(at, "/metrics").await;
    for outcome in ["taken", "not_taken", "withheld"] {
        let series = format!("jitbot_heartbeats_total{{outcome=\"{outcome}\"}}");
        assert!(numbers.contains(&series), "{series}:\n{numbers}");
    }
    assert!(!numbers.contains(MARKER));
    let check = Command::new(env!("CARGO_BIN_EXE_jitbot"))
        .arg("check")
        .arg(scene.path().join("jitbot.toml"))
        .env("SLACK_BOT_TOKEN", &scene.tokens.0)
        .env("SLACK_APP_TOKEN", &scene.tokens.1)
        .output()
        .await
        .unwrap();
    let before = watch.beats();
    let said = format!("{check:?}");
    assert!(check.status.success() && !said.contains(MARKER), "{said}");
    assert!(watch.beats() <= before + 1, "a check is no sign of life");

    // An address that may not be used is refused without being repeated, and changes nothing.
    std::fs::write(
        scene.path().join("heartbeat"),
        format!("http://192.0.2.1/{MARKER}"),
    )
    .unwrap();
    kill(Pid::from_raw(pid), Signal::SIGHUP).unwrap();
    let refused = async || scene.log().contains("heartbeat.url is not https://");
    scene.until("a refusal", refused).await;
    assert!(!scene.log().contains(MARKER));
    more_come(&scene, &watch).await;
}

#[tokio::test]
async fn it_waits_for_the_loop() {
    let watch = Watch::start().await;
    let folder = tempfile::tempdir().unwrap();
    let setup = Setup {
        more_config: watch.config(folder.path(), MARKER),
        ..Setup::default()
    };
    let site = Site::with(&setup).await;
    // Built, and nobody works.
    let mut world = site.world().await;
    none_comes(&watch).await;
    assert_eq!(watch.beats(), 0);
    world.app.start_working();
    for _ in 0..100 {
        if watch.beats() > 1 {
            break;
        }
        wait_a_little().await;
    }
    assert!(watch.beats() > 1);
    world.app.stop().await;
    none_comes(&watch).await;
}

#[expect(
    clippy::disallowed_methods,
    reason = "it waits for beats, in real time"
)]
async fn wait_a_little() {
    tokio::time::sleep(Duration::from_millis(100)).await;
}
