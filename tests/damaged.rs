//! A database file that is damaged, under the real binary: it says so and ends, or goes on without a
//! promise that it can't keep. Nothing is acknowledged that was not kept.

#[path = "support/mod.rs"]
mod support;

use std::os::unix::fs::FileExt as _;
use std::process::Stdio;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use sqlx::Row as _;
use support::scene::{Scene, WAIT};
use support::{APPROVALS, id_of};
use tokio::process::{Child, Command};

const DAMAGED: &str =
    "the file is damaged; stop jitbot, keep the file, and go back to the last backup";

async fn stop(bot: &mut Child) {
    let pid = Pid::from_raw(bot.id().unwrap().cast_signed());
    kill(pid, Signal::SIGTERM).unwrap();
    assert!(bot.wait().await.unwrap().success());
}

/// A scene after somebody got access and the bot was stopped.
async fn after_a_life() -> Scene {
    let scene = Scene::set().await;
    let mut bot = scene.serve().await;
    let (_, card) = scene.ask().await;
    scene.approve(&card).await;
    scene.until_recorded("issued").await;
    stop(&mut bot).await;
    scene
}

/// Overwrites a part of the file.
fn damage(scene: &Scene, at: u64, with: &[u8]) {
    let file = std::fs::OpenOptions::new()
        .write(true)
        .open(&scene.database)
        .unwrap();
    file.write_all_at(with, at).unwrap();
}

/// Where the first page of a table begins.
async fn page_of(scene: &Scene, table: &str) -> u64 {
    let found = scene
        .sql(&format!(
            "SELECT (rootpage - 1) * (SELECT page_size FROM pragma_page_size) AS at
             FROM sqlite_master WHERE name = '{table}'"
        ))
        .await;
    u64::try_from(found[0].get::<i64, _>("at")).unwrap()
}

/// The bot does not start; nobody is answered.
async fn refuses_to_start(scene: &Scene) {
    let before = scene.log().len();
    let mut bot = scene.command().spawn().unwrap();
    let ended = tokio::time::timeout(WAIT, bot.wait()).await.unwrap();
    let said = scene.log().split_off(before);
    assert_eq!(ended.unwrap().code(), Some(2), "{said}");
    let words = said.lines().find(|line| line.starts_with("jitbot: "));
    let words = words.unwrap_or_else(|| panic!("{said}"));
    let file = scene.database.display().to_string();
    assert!(words.contains(DAMAGED), "{said}");
    assert_eq!(words.matches(&file).count(), 1, "{said}");
    assert!(!said.contains("panicked"), "{said}");
    let typed = "/jit request staging-ssh 1h please";
    let answer = scene.people.command(id_of("alice"), APPROVALS, typed).await;
    assert!(!answer.unwrap().acked);
}

async fn check_finds_it(scene: &Scene, words: &str) {
    let said = Command::new(env!("CARGO_BIN_EXE_jitbot"))
        .arg("check")
        .arg(scene.path().join("jitbot.toml"))
        .env("SLACK_BOT_TOKEN", &scene.tokens.0)
        .env("SLACK_APP_TOKEN", &scene.tokens.1)
        .stdin(Stdio::null())
        .output()
        .await
        .unwrap();
    let text = String::from_utf8(said.stderr).unwrap();
    assert_eq!(said.status.code(), Some(1), "{text}");
    assert!(text.contains("store.url") && text.contains(words), "{text}");
}

#[tokio::test]
async fn without_its_header_it_is_no_database_and_nothing_begins() {
    let scene = after_a_life().await;
    damage(&scene, 0, &[0x5a; 100]);
    refuses_to_start(&scene).await;
    check_finds_it(&scene, "is no database of jitbot").await;
}

#[tokio::test]
async fn with_a_broken_page_that_the_start_reads_nothing_begins() {
    for table in ["meta", "audit", "grants"] {
        let scene = after_a_life().await;
        let at = page_of(&scene, table).await;
        damage(&scene, at, &[0xff; 64]);
        refuses_to_start(&scene).await;
        check_finds_it(&scene, DAMAGED).await;
    }
}

#[tokio::test]
async fn with_a_broken_page_that_an_answer_needs_nothing_is_acknowledged() {
    let scene = after_a_life().await;
    let at = page_of(&scene, "answers").await;
    damage(&scene, at, &[0xff; 64]);
    let before = scene.kinds().await.len();
    let mut bot = scene.serve().await;
    let typed = "/jit request staging-ssh 1h please";
    let answer = scene.people.command(id_of("alice"), APPROVALS, typed).await;
    assert!(!answer.unwrap().acked);
    let told = scene
        .people
        .wait_for(id_of("alice"), APPROVALS, "That was not recorded", WAIT)
        .await;
    assert!(told.unwrap().ephemeral);
    assert!(scene.log().contains(DAMAGED), "{}", scene.log());
    stop(&mut bot).await;
    let requested = scene.kinds().await.split_off(before);
    assert!(
        !requested.contains(&"requested".to_owned()),
        "{requested:?}"
    );
}
