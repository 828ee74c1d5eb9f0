//! A config in which every kind of secret stands, each with a marker, and targets that repeat them.

use std::collections::BTreeMap;
use std::fs::Permissions;
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use jitbot::config;
use jitbot::sandbox::ssh::keys;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use super::support::collector::{Collector, Does};
use super::support::issuer_box::box_resource;
use super::support::scene::Scene;

pub const WRONG_BOT_TOKEN: &str = "xoxb-wrong-marker-7f";
pub const WRONG_APP_TOKEN: &str = "xapp-wrong-marker-7f";
/// What the program makes for who asked.
pub const DELIVERED: &str = "delivered-marker-7f";
const LEAKY: &str = "leaky-marker-7f";
/// The one that the collector gives back.
const COLLECTED: &str = "collector-marker-7f";
const HEART: &str = "heart-marker-7f";
/// Each is the base64 of 32 bytes of text.
const HOOK: &str = "whsec_aG9vay1tYXJrZXItN2Ytb2YtYS10ZXN0LXRoYXQtbG8=";
const HOOK_BYTES: &str = "hook-marker-7f-of-a-test-that-lo";
const FORMER: &str = "whsec_Zm9ybWVyLW1hcmtlci03Zi1vZi1hLXRlc3QtdGhhdC0=";
const FORMER_BYTES: &str = "former-marker-7f-of-a-test-that-";
const HOST_FORMER: &str = "former-host-marker-7f-of-a-test";
const HOST: &str = "host-marker-7f-of-a-test-that-looks";

/// Repeats its secret in every way that a program has, then does what it is there for.
const PROGRAM: &str = r#"#!/bin/sh
cat > /dev/null
calls=$ROOM/calls-$JITBOT_OP
echo x >> "$calls"
case $JITBOT_OP-$(grep -c . "$calls") in
  issue-1) echo "no $TOKEN" >&2; exit 75 ;;
  issue-2)
    echo "bad $TOKEN" >&2
    echo "{\"outcome\":\"ok\",\"message\":\"use $TOKEN\",\"handle\":\"$TOKEN\"}" ;;
  issue-*) : > "$ROOM/access"; echo '{"outcome":"ok","message":"You are in.","secret":"delivered-marker-7f"}' ;;
  revoke-1) echo "{\"outcome\":\"retry\",\"after_s\":1,\"message\":\"$TOKEN\"}" ;;
  revoke-*) rm -f "$ROOM/access"; echo '{"outcome":"ok"}' ;;
  inspect-1) echo "$TOKEN"; echo "bad $TOKEN" >&2; exit 1 ;;
  inspect-*)
    if [ -e "$ROOM/access" ]; then presence=present; else presence=absent; fi
    echo "{\"outcome\":\"ok\",\"presence\":\"$presence\"}" ;;
  *) echo '{"outcome":"ok"}' ;;
esac
"#;

const CONFIG: &str = r#"
[heartbeat]
url = { file = "@/heartbeat" }
every = "1s"
allow_private = true

[issuer.leaky]
kind = "command"
program = ["@/room/leaky"]
environment = { ROOM = "@/room", TOKEN = { env = "LEAKY_TOKEN" } }
makes_secret = true
accounts = { alice = "a.smith" }
settles_within = "1s"

[issuer.echo]
kind = "webhook"
url = "http://ECHO/access"
secret = { env = "HOOK_SECRET" }
former_secret = { file = "@/former" }
allow_private = true
accounts = { alice = "a.smith" }
settles_within = "1s"

[issuer.fetched-ca]
kind = "ssh-ca"
ca_key = { file = "@/fetched-ca" }
krl = { fetch = { hosts = { web1 = { token = { env = "HOST_TOKEN" }, former_token = { env = "HOST_FORMER" } } } } }
"#;

/// What was planted.
pub struct Planted {
    pub environment: Vec<(&'static str, &'static str)>,
    pub host_token: String,
    pub wrong_token: String,
    pub heartbeat: PathBuf,
    /// Files that secrets are kept in, from the scene's folder.
    pub kept_in: Vec<String>,
    /// Keys of the config, each with what must be found nowhere.
    by_key: BTreeMap<String, Vec<String>>,
    beats: Arc<AtomicUsize>,
    revokes: Arc<AtomicUsize>,
    pub collector: Collector,
}

impl Planted {
    /// In a scene whose bot does not run yet.
    pub async fn in_a(scene: &Scene) -> Self {
        let (beats, revokes) = <(Arc<AtomicUsize>, Arc<AtomicUsize>)>::default();
        let echo = echo(beats.clone(), revokes.clone()).await;
        let folder = scene.path();
        let room = folder.join("room");
        std::fs::create_dir(&room).unwrap();
        let write = |name: &str, text: &str, mode: u32| {
            let path = folder.join(name);
            std::fs::write(&path, text).unwrap();
            std::fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
        };
        write("room/leaky", PROGRAM, 0o755);
        write("heartbeat", &format!("http://{echo}/{HEART}\n"), 0o600);
        write("former", FORMER, 0o600);
        keys::make(&folder.join("fetched-ca"), "CA").unwrap();
        let file = folder.join("jitbot.toml");
        let mut text = std::fs::read_to_string(&file).unwrap();
        let more = CONFIG.replace('@', &folder.display().to_string());
        text.push_str(&more.replace("ECHO", &echo.to_string()));
        let collector = Collector::start(Does::Fails).await;
        text.push_str(&collector.section(""));
        for name in ["leaky", "echo"] {
            let resource = format!("{name}-box");
            text.push_str(&box_resource(name, &resource, r#"group = "admins""#));
        }
        std::fs::write(&file, &text).unwrap();

        let lines =
            |name: &str| lines_of_a_key(&std::fs::read_to_string(folder.join(name)).unwrap());
        let (bot, app) = scene.tokens.clone();
        let by_key = [
            ("slack.bot_token", vec![bot.clone()]),
            ("slack.app_token", vec![app.clone()]),
            ("heartbeat.url", vec![HEART.to_owned()]),
            ("issuer.echo.former_secret", texts(&[FORMER, FORMER_BYTES])),
            ("issuer.echo.secret", texts(&[HOOK, HOOK_BYTES])),
            ("issuer.fetched-ca.ca_key", lines("fetched-ca")),
            (
                "issuer.fetched-ca.krl.fetch.hosts.web1.former_token",
                texts(&[HOST_FORMER]),
            ),
            (
                "issuer.fetched-ca.krl.fetch.hosts.web1.token",
                texts(&[HOST]),
            ),
            ("issuer.leaky.environment.TOKEN", texts(&[LEAKY])),
            ("issuer.staging-ca.ca_key", lines("ca")),
            ("traces.headers.x-key", texts(&[COLLECTED])),
        ];
        let planted = Self {
            environment: vec![
                ("LEAKY_TOKEN", LEAKY),
                ("HOOK_SECRET", HOOK),
                ("HOST_TOKEN", HOST),
                ("HOST_FORMER", HOST_FORMER),
                ("COLLECTOR_KEY", COLLECTED),
            ],
            host_token: HOST.to_owned(),
            wrong_token: "wrong-host-marker-7f-of-a-test".to_owned(),
            heartbeat: folder.join("heartbeat"),
            kept_in: texts(&["heartbeat", "former", "ca", "fetched-ca"]),
            by_key: by_key.map(|(key, texts)| (key.to_owned(), texts)).into(),
            beats,
            revokes,
            collector,
        };
        planted.leaves_no_secret_out(&text, (bot, app));
        planted
    }

    /// Whoever adds a secret to the config plants it here too, or this fails: what the config itself
    /// says is secret, against the keys here and against what its own print shows of its type.
    fn leaves_no_secret_out(&self, text: &str, (bot, app): (String, String)) {
        let mut environment: BTreeMap<&str, String> = self
            .environment
            .iter()
            .map(|(name, value)| (*name, (*value).to_owned()))
            .collect();
        environment.extend([("SLACK_BOT_TOKEN", bot), ("SLACK_APP_TOKEN", app)]);
        let env = |name: &str| environment.get(name).cloned();
        let config = config::parse(text, "jitbot.toml", &env).unwrap_or_else(|it| panic!("{it}"));
        let said: Vec<String> = config.secrets().into_iter().map(|(key, _)| key).collect();
        let mut sorted = said.clone();
        sorted.sort();
        assert_eq!(sorted, self.by_key.keys().cloned().collect::<Vec<_>>());
        let printed = format!("{config:?}");
        let places =
            printed.matches("Env { name:").count() + printed.matches("File { path:").count();
        assert_eq!(
            places,
            said.len(),
            "a secret that Config::secrets leaves out:\n{printed}"
        );
    }

    /// Everything that must be found nowhere, with what it is.
    pub fn markers(&self, scene: &Scene) -> Vec<(String, String)> {
        let mut markers: Vec<(String, String)> = self
            .by_key
            .iter()
            .flat_map(|(key, texts)| texts.iter().map(move |text| (key.clone(), text.clone())))
            .collect();
        let more = [
            ("a refused bot token", WRONG_BOT_TOKEN),
            ("a refused app token", WRONG_APP_TOKEN),
            ("a refused host's token", &self.wrong_token),
            ("the ticket of a socket", "ticket="),
        ];
        markers.extend(more.map(|(what, text)| (what.to_owned(), text.to_owned())));
        assert!(
            markers.iter().all(|(_, text)| text.len() > 5),
            "{}",
            scene.path().display()
        );
        markers
    }

    /// Whether the receiver was told to take access away, and was asked again after its first answer.
    /// (That absence is believed takes longer, since an outcome was unknown.)
    pub fn was_told_to_end(&self) -> bool {
        self.revokes.load(Ordering::Relaxed) > 1
    }

    /// Heartbeats that came.
    pub fn beats(&self) -> usize {
        self.beats.load(Ordering::Relaxed)
    }
}

fn texts(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}

/// The first line of such a file is the same for every key.
fn lines_of_a_key(key: &str) -> Vec<String> {
    let lines = key
        .lines()
        .filter(|line| !line.starts_with("---") && line.len() > 20);
    let lines: Vec<String> = lines.skip(1).map(str::to_owned).collect();
    assert!(lines.len() > 2);
    lines
}

/// A receiver that answers with what it was sent and with its secrets: in the status line, in headers,
/// in a body that is none, in a message. Then it does as if.
async fn echo(beats: Arc<AtomicUsize>, revokes: Arc<AtomicUsize>) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        let (mut issues, mut inspects) = (0, 0);
        while let Ok((mut stream, _)) = listener.accept().await {
            let request = read(&mut stream).await;
            let ok = |body: &str| answer("200 OK", body);
            let says = if request.starts_with("GET ") {
                beats.fetch_add(1, Ordering::Relaxed);
                answer(&format!("500 {HEART}"), &request)
            } else if request.contains(r#""op":"issue""#) {
                issues += 1;
                match issues {
                    1 => answer(&format!("500 {HOOK} {FORMER}"), &request),
                    _ => ok(&format!(
                        r#"{{"outcome":"permanent","message":"{HOOK} {FORMER}"}}"#
                    )),
                }
            } else if request.contains(r#""op":"inspect""#) {
                inspects += 1;
                match inspects {
                    1 => answer("307 Moved", &format!("{HOOK_BYTES} {request}")),
                    _ => ok(r#"{"outcome":"ok","presence":"absent"}"#),
                }
            } else if request.contains(r#""op":"revoke""#) {
                match revokes.fetch_add(1, Ordering::Relaxed) {
                    0 => ok(&format!(
                        r#"{{"outcome":"retry","after_s":1,"message":"{FORMER}"}}"#
                    )),
                    _ => ok(r#"{"outcome":"ok"}"#),
                }
            } else {
                ok(r#"{"outcome":"ok"}"#)
            };
            let _ = stream.write_all(says.as_bytes()).await;
            let _ = stream.shutdown().await;
        }
    });
    address
}

fn answer(status: &str, body: &str) -> String {
    format!(
        "HTTP/1.1 {status}\r\nlocation: http://127.0.0.1:1/{HOOK}\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
}

async fn read(stream: &mut tokio::net::TcpStream) -> String {
    let mut bytes = Vec::new();
    let mut piece = [0; 4_096];
    loop {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let head = head.to_lowercase();
            let length = head.split("content-length: ").nth(1);
            let length = length.and_then(|rest| rest.lines().next()?.parse().ok());
            if body.len() >= length.unwrap_or(0) {
                return text;
            }
        }
        match stream.read(&mut piece).await {
            Ok(read @ 1..) => bytes.extend(&piece[..read]),
            _ => return text,
        }
    }
}
