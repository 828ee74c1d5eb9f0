//! A marker in every secret that a config can name, lives of access in which everything goes wrong that
//! could repeat one, and then a search of everything that was written, shown or told.

#[path = "support/mod.rs"]
mod support;

#[path = "secrets/planted.rs"]
mod planted;

#[path = "secrets/sources.rs"]
mod sources;

use std::path::Path;

use jitbot::sandbox::people::Disconnect;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use planted::Planted;
use support::collector::Does;
use support::scene::{Scene, WAIT};
use support::{APPROVALS, PEOPLE, id_of, reference, watching};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::process::Command;

#[tokio::test]
async fn no_secret_is_written_anywhere_and_what_is_for_one_reaches_nobody_else() {
    lives_without_a_trace_of_secrets("human").await;
}

#[tokio::test]
async fn no_secret_is_in_a_log_of_json_either_and_each_line_is_an_event() {
    let log = lives_without_a_trace_of_secrets("json").await;
    let mut recorded = 0;
    for line in log.lines() {
        let event: serde_json::Value =
            serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
        assert!(
            event["timestamp"].is_string() && event["level"].is_string(),
            "{line}"
        );
        recorded += usize::from(event["message"] == "recorded" && event["record.head"].is_string());
    }
    assert!(recorded > 3, "the head leaves the database with the log");
}

/// What is for one person alone: a text that it holds, and whose private messages hold it, once. It
/// stands in no log either.
const FOR_ONE: &[(&str, &str)] = &[
    ("-cert-v01@openssh.com", "alice"),
    (planted::DELIVERED, "alice"),
];

/// Lives of access, logged as finely as can be; the log.
async fn lives_without_a_trace_of_secrets(log_format: &str) -> String {
    let at = watching::free();
    let scene = Scene::with(&watching::served_at(at)).await;
    let planted = Planted::in_a(&scene).await;
    let mut command = scene.command();
    command
        .args(["--log-format", log_format])
        .env("RUST_LOG", "trace");
    for (name, value) in &planted.environment {
        command.env(name, value);
    }
    let mut bot = scene.ready(command).await;
    scene.a_life().await;
    tokio::join!(
        a_life_that_goes_wrong(&scene, "leaky-box", async || true),
        a_life_that_goes_wrong(&scene, "echo-box", async || planted.was_told_to_end()),
    );
    // A host that shows its token, and one that shows another's.
    let (status, answer) = ask_as_a_host(at, &planted.host_token).await;
    assert_eq!(status, 200, "{answer}");
    let (status, said) = ask_as_a_host(at, &planted.wrong_token).await;
    assert!((400..500).contains(&status), "{said}");
    // Sockets that end and are opened again are logged too.
    let cut = scene.people.disconnect_sockets(Disconnect::Abrupt);
    cut.await.unwrap();
    scene.people.wait_for_sockets(1, WAIT).await.unwrap();
    // What is read again, with a secret that changed and one that can't be used.
    let pid = i32::try_from(bot.id().unwrap()).unwrap();
    for heartbeat in ["http://192.0.2.1/heart-marker-7f", "heart-marker-7f"] {
        let refused = scene.log().matches("config not taken up").count();
        std::fs::write(&planted.heartbeat, heartbeat).unwrap();
        kill(Pid::from_raw(pid), Signal::SIGHUP).unwrap();
        let said = async || scene.log().matches("config not taken up").count() > refused;
        scene.until("a refusal", said).await;
    }
    let beat = async || planted.beats() > 0;
    scene.until("a heartbeat", beat).await;
    let (status, _, numbers) = watching::get(at, "/metrics").await;
    assert_eq!(status, 200);
    assert!(numbers.contains("jitbot_grants_given_total"), "{numbers}");
    std::fs::write(scene.path().join("metrics"), numbers).unwrap();
    std::fs::write(scene.path().join("answers"), format!("{answer}\n{said}")).unwrap();
    let traced = traces(&scene, &planted).await;
    bot.kill().await.unwrap();
    // Read before another start puts the database in order.
    let mut files = files_below(scene.path(), &planted.kept_in);
    let refused = the_bot_tokens_are_refused(&scene, &planted).await;
    files.push(("what refused tokens brought".to_owned(), refused));
    for (text, _) in FOR_ONE {
        assert!(!holds(&traced, text), "{text} in the traces");
    }
    files.push(("traces".to_owned(), traced));
    for needed in [
        "log",
        "metrics",
        "answers",
        "traces",
        "jitbot.db",
        "jitbot.db-wal",
    ] {
        assert!(
            files
                .iter()
                .any(|(name, bytes)| name == needed && !bytes.is_empty()),
            "{needed} is there and says something"
        );
    }
    let mut markers = planted.markers(&scene);
    let delivered = (
        "what a target made".to_owned(),
        planted::DELIVERED.to_owned(),
    );
    markers.push(delivered);
    for (key, marker) in &markers {
        // The program that makes it.
        let files = files.iter().filter(|(name, _)| name != "room/leaky");
        for (name, bytes) in files {
            assert!(!holds(bytes, marker), "{key} stands in {name}");
        }
    }
    nobody_reads_what_is_not_theirs(&scene, &planted).await;
    let log = scene.log();
    for (text, _) in FOR_ONE {
        assert!(!log.contains(text), "{text} in the log");
    }
    log
}

/// All that the collector received, while it took nothing and after that.
async fn traces(scene: &Scene, planted: &Planted) -> Vec<u8> {
    let collector = &planted.collector;
    assert!(scene.log().contains("traces are not taken"));
    collector.now(Does::Takes);
    let help = async || {
        let help = scene.people.command(id_of("alice"), APPROVALS, "/jit help");
        help.await.unwrap();
        scene.log().contains("traces are taken again")
    };
    scene.until("the collector takes some", help).await;
    let received = collector.received();
    let bodies: Vec<u8> = received.into_iter().flat_map(|(_, body)| body).collect();
    for span in [
        "issuer issue",
        "job issue",
        "slack chat.postMessage",
        "typed done",
    ] {
        assert!(holds(&bodies, span), "{span}");
    }
    bodies
}

fn holds(bytes: &[u8], text: &str) -> bool {
    bytes
        .windows(text.len())
        .any(|window| window == text.as_bytes())
}

/// Asked and approved; its target fails in ways that repeat secrets, and its end is ordered all the same.
async fn a_life_that_goes_wrong(scene: &Scene, resource: &str, told: impl AsyncFn() -> bool) {
    let typed = format!("/jit request {resource} 1h deploy is stuck");
    let asked = scene.people.command(id_of("alice"), APPROVALS, &typed);
    let id = reference(&asked.await.unwrap().visible_text).unwrap();
    let card = scene.people.wait_for("U0BOB", APPROVALS, &id, WAIT);
    scene.approve(&card.await.unwrap()).await;
    let grant = format!("g{}", &id[1..]);
    let state = format!("SELECT state FROM grants WHERE id = '{grant}'");
    let in_state = async |wanted: &[&str]| {
        use sqlx::Row as _;
        let rows = scene.sql(&state).await;
        rows.iter()
            .any(|row| wanted.contains(&row.get::<&str, _>("state")))
    };
    let begun = async || in_state(&["active", "revoking", "ended", "failed"]).await;
    scene.until("an outcome", begun).await;
    if in_state(&["active"]).await {
        let sent = async || scene.told_alice(planted::DELIVERED).await > 0;
        scene.until("what the target made", sent).await;
        scene.done(&id).await;
    }
    let ending = async || in_state(&["revoking", "ended", "failed"]).await && told().await;
    scene.until("an end", ending).await;
}

async fn ask_as_a_host(at: std::net::SocketAddr, token: &str) -> (u16, String) {
    let mut stream = tokio::net::TcpStream::connect(at).await.unwrap();
    let request = format!(
        "GET /krl/fetched-ca HTTP/1.1\r\nHost: jitbot\r\nAuthorization: Bearer {token}\r\nConnection: close\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    let answer = String::from_utf8_lossy(&answer).into_owned();
    let status = answer.split(' ').nth(1).unwrap().parse().unwrap();
    (status, answer)
}

/// What a start and a check say with tokens that Slack does not take.
async fn the_bot_tokens_are_refused(scene: &Scene, planted: &Planted) -> Vec<u8> {
    let mut said = Vec::new();
    for command in [vec!["serve", "--config"], vec!["check"]] {
        let mut jitbot = Command::new(env!("CARGO_BIN_EXE_jitbot"));
        jitbot
            .args(&command)
            .arg(scene.path().join("jitbot.toml"))
            .envs(planted.environment.clone())
            .env("RUST_LOG", "trace")
            .env("SLACK_BOT_TOKEN", planted::WRONG_BOT_TOKEN)
            .env("SLACK_APP_TOKEN", planted::WRONG_APP_TOKEN);
        let output = tokio::time::timeout(WAIT, jitbot.output())
            .await
            .unwrap()
            .unwrap();
        assert!(!output.status.success(), "{output:?}");
        said.extend(output.stdout);
        said.extend(output.stderr);
    }
    assert!(String::from_utf8_lossy(&said).contains("invalid_auth"));
    said
}

/// Every file but those that secrets are kept in.
fn files_below(folder: &Path, kept_in: &[String]) -> Vec<(String, Vec<u8>)> {
    let mut files = Vec::new();
    let mut open = vec![folder.to_owned()];
    while let Some(here) = open.pop() {
        for entry in std::fs::read_dir(here).unwrap() {
            let path = entry.unwrap().path();
            let name = path.strip_prefix(folder).unwrap().display().to_string();
            if path.is_dir() {
                open.push(path);
            } else if !kept_in.contains(&name) {
                files.push((name, std::fs::read(path).unwrap()));
            }
        }
    }
    files
}

/// Everything that the sandbox shows anybody, and everything that the bot sent it.
async fn nobody_reads_what_is_not_theirs(scene: &Scene, planted: &Planted) {
    let mut told = Vec::new();
    for (name, user) in PEOPLE {
        let mut seen = scene.people.direct_messages(user).await.unwrap();
        for channel in [support::APPROVALS, support::SECURITY, support::ELSEWHERE] {
            // Whoever is not in a channel reads nothing there.
            let messages = scene.people.messages(user, channel).await;
            seen.extend(messages.unwrap_or_default());
        }
        for (text, whose) in FOR_ONE {
            let holding = seen
                .iter()
                .filter(|m| m.visible_text.contains(text))
                .count();
            assert_eq!(holding, usize::from(name == *whose), "{text}: {name}");
        }
        told.push(format!("{seen:?} {:?}", scene.people.views(user).await));
    }
    let log = scene.people.log().await.unwrap();
    assert!(log.calls.len() > 10 && log.dropped == 0);
    // Addresses of sockets are handed to the bot; it must not hand them on.
    let sent = log.calls.iter().map(|call| call.request.to_string());
    told.extend(sent);
    for (key, marker) in &planted.markers(scene) {
        for text in &told {
            assert!(!text.contains(marker), "{key} was told: {text}");
        }
    }
}
