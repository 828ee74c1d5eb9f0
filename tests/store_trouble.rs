//! A database that takes no writes under the real binary: a full disk, a file that may not grow, another
//! program's lock, rights that were taken away. Nothing is acknowledged that is not durable, whoever
//! looks is told why, and it goes on without a restart.

#[path = "support/mod.rs"]
mod support;

use std::fs::{Permissions, set_permissions};
use std::io::Write as _;
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use sqlx::Executor as _;
use support::scene::{Scene, WAIT};
use support::slow_box::SlowBox;
use support::watching::{free, get, served_at};
use support::{APPROVALS, id_of};
use tokio::process::{Child, Command};

/// A bot whose target answers, and what watches it.
struct Trouble {
    scene: Scene,
    target: SlowBox,
    at: SocketAddr,
    bot: Child,
}

impl Trouble {
    /// Starts the bot by this program with its arguments, which end where the bot's command begins.
    async fn under(program: &str, args: &[&str]) -> Self {
        let at = free();
        let scene = Scene::with(&served_at(at)).await;
        let target = SlowBox::beside(&scene);
        let disk = scene.path().join("disk");
        std::fs::create_dir(&disk).unwrap();
        let config = scene.path().join("jitbot.toml");
        let text = std::fs::read_to_string(&config).unwrap();
        let inside = disk.join("jitbot.db").display().to_string();
        let text = text.replace(&scene.database.display().to_string(), &inside);
        std::fs::write(&config, text).unwrap();
        let command = within(&scene, program, args);
        let bot = scene.ready(command).await;
        let mut trouble = Self {
            scene,
            target,
            at,
            bot,
        };
        // Where the bot has a file system of its own it is seen through the process.
        trouble.scene.database = if args.contains(&"--mount") {
            trouble.seen(Path::new(&inside))
        } else {
            inside.into()
        };
        let holds = async || get(at, "/readyz").await.0 == 200;
        trouble.scene.until("readiness", holds).await;
        trouble
    }

    /// A path of the bot's, as it is seen from here.
    fn seen(&self, path: &Path) -> PathBuf {
        let root = PathBuf::from(format!("/proc/{}/root", self.bot.id().unwrap()));
        root.join(path.strip_prefix("/").unwrap())
    }

    /// What somebody does meanwhile: not acknowledged, said to them alone, recorded nowhere.
    async fn a_command_is_refused_in_words(&self) {
        let before = self.scene.kinds().await;
        let typed = "/jit request staging-ssh 1h the site is down";
        let answer = self.scene.people.command(id_of("alice"), APPROVALS, typed);
        let answer = answer.await.unwrap();
        assert!(!answer.acked, "{answer:?}");
        let told =
            self.scene
                .people
                .wait_for(id_of("alice"), APPROVALS, "That was not recorded", WAIT);
        let told = told.await.unwrap();
        assert!(told.ephemeral, "{told:?}");
        assert!(told.visible_text.contains("try again"), "{told:?}");
        let people = &self.scene.people;
        let others = people.messages(id_of("bob"), APPROVALS).await.unwrap();
        assert!(
            others
                .iter()
                .all(|m| !m.visible_text.contains("the site is down")),
            "{others:?}"
        );
        assert_eq!(self.scene.kinds().await, before);
    }

    async fn says_why_it_is_not_ready(&self, needle: &str) {
        let said = std::cell::RefCell::new(String::new());
        let holds = async || {
            // No more often than is allowed.
            pass(Duration::from_millis(250)).await;
            let (status, _, text) = get(self.at, "/readyz").await;
            said.replace(text.clone());
            status == 503 && text.contains(needle)
        };
        let looked = tokio::time::timeout(WAIT / 2, self.scene.until(needle, holds)).await;
        assert!(looked.is_ok(), "{needle}: {}", said.borrow());
        assert_eq!(
            get(self.at, "/healthz").await.0,
            200,
            "it need not be killed"
        );
    }

    /// The same process goes on, and said once what was the matter.
    async fn goes_on(&mut self, needle: &str) {
        let at = self.at;
        let holds = async || get(at, "/readyz").await.0 == 200;
        self.scene.until("readiness", holds).await;
        assert!(self.bot.try_wait().unwrap().is_none(), "without a restart");
        let log = self.scene.log();
        let lines = |what: &str| log.lines().filter(|line| line.contains(what)).count();
        assert_eq!(lines("the database takes writes again"), 1, "{log}");
        let told = log
            .lines()
            .filter(|line| line.contains("nothing can be kept"));
        let told = told.filter_map(|line| line.split_once("error="));
        let mut told: Vec<&str> = told.map(|(_, error)| error).collect();
        assert!(told.iter().any(|line| line.contains(needle)), "{log}");
        told.sort_unstable();
        let times = told.len();
        told.dedup();
        assert_eq!(told.len(), times, "once each: {log}");
        assert!(log.lines().count() < 100, "{log}");
        // What was not recorded can be done again now.
        self.scene.ask().await;
    }
}

/// The bot's command as the argument of another.
fn within(scene: &Scene, program: &str, args: &[&str]) -> Command {
    let bot = scene.command();
    let bot = bot.as_std();
    let mut command = Command::new(program);
    command
        .args(args)
        .arg(bot.get_program())
        .args(bot.get_args());
    for (name, value) in bot.get_envs() {
        if let Some(value) = value {
            command.env(name, value);
        }
    }
    command
        .current_dir(scene.path())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(scene.log_file())
        .kill_on_drop(true);
    command
}

#[expect(
    clippy::disallowed_methods,
    reason = "a lock of another program is held for a while, in real time"
)]
async fn pass(time: Duration) {
    tokio::time::sleep(time).await;
}

/// Takes what room there is on a disk.
fn fill(file: &Path) {
    let mut filler = std::fs::File::create(file).unwrap();
    for size in [65_536, 4_096, 1] {
        while filler.write_all(&vec![b'x'; size]).is_ok() {}
    }
}

/// A file system of 4 MB below `disk`, in a namespace that ends with the bot.
const SMALL_DISK: &[&str] = &[
    "--user",
    "--map-root-user",
    "--mount",
    "sh",
    "-c",
    "mount -t tmpfs -o size=4m,mode=700 jitbot-test disk || exit 9; exec \"$@\"",
    "sh",
];

#[tokio::test]
async fn a_full_disk_refuses_people_and_access_ends_as_soon_as_there_is_room() {
    let mut trouble = Trouble::under("unshare", SMALL_DISK).await;
    trouble.target.let_go();
    trouble.target.approved(&trouble.scene, "8s").await;
    trouble.scene.until_recorded("issued").await;
    assert!(trouble.target.has_access());
    let filler = trouble.scene.database.with_file_name("filler");
    fill(&filler);
    trouble.a_command_is_refused_in_words().await;
    trouble
        .says_why_it_is_not_ready("make room on its disk")
        .await;
    pass(Duration::from_secs(9)).await;
    assert!(trouble.target.has_access(), "no end without a record of it");
    trouble.a_command_is_refused_in_words().await;
    std::fs::remove_file(&filler).unwrap();
    trouble
        .scene
        .until("the end", async || !trouble.target.has_access())
        .await;
    trouble.scene.until_recorded("ended").await;
    trouble.goes_on("database or disk is full").await;
}

#[tokio::test]
async fn a_file_that_may_not_grow_is_no_end_of_the_bot() {
    let mut trouble = Trouble::under("env", &[]).await;
    let wal = std::fs::metadata(trouble.scene.database.with_file_name("jitbot.db-wal"));
    let limit = wal.unwrap().len();
    let pid = trouble.bot.id().unwrap().to_string();
    let limited = async |limit: &str| {
        let set = Command::new("prlimit")
            .args(["--pid", &pid, &format!("--fsize={limit}:")])
            .status();
        assert!(set.await.unwrap().success());
    };
    limited(&limit.to_string()).await;
    trouble.a_command_is_refused_in_words().await;
    trouble
        .says_why_it_is_not_ready("the file system fails")
        .await;
    limited("unlimited").await;
    trouble.goes_on("disk I/O error").await;
}

#[tokio::test]
async fn another_programs_lock_loses_no_outcome_and_holds_up_nobody_for_long() {
    let mut trouble = Trouble::under("env", &[]).await;
    trouble.target.approved(&trouble.scene, "1h").await;
    let called = async || trouble.target.calls("issue") == 1;
    trouble.scene.until("the call", called).await;
    let (_, card) = trouble.target.asked(&trouble.scene, "2h").await;
    let mut other = trouble.scene.beside().await;
    other.execute("BEGIN IMMEDIATE").await.unwrap();
    // The target answers while nothing can be recorded.
    trouble.target.let_go();
    trouble
        .scene
        .until("access", async || trouble.target.has_access())
        .await;
    trouble.a_command_is_refused_in_words().await;
    let approve = card.buttons.iter().find(|b| b.text.contains("Approve"));
    let action = &approve.unwrap().action_id;
    let press = trouble
        .scene
        .people
        .press(id_of("bob"), APPROVALS, &card.ts, action);
    assert!(!press.await.unwrap().acked);
    let people = &trouble.scene.people;
    let told = people.wait_for(id_of("bob"), APPROVALS, "That was not recorded", WAIT);
    assert!(told.await.unwrap().ephemeral);
    trouble
        .says_why_it_is_not_ready("another program holds the database")
        .await;
    pass(Duration::from_secs(6)).await;
    other.execute("COMMIT").await.unwrap();
    trouble.scene.until_recorded("issued").await;
    trouble.goes_on("database is locked").await;
    assert_eq!(trouble.target.calls("issue"), 1, "the outcome was not lost");
    let kinds = trouble.scene.kinds().await;
    assert_eq!(kinds.iter().filter(|kind| *kind == "issued").count(), 1);
}

/// Somebody without root's powers, whoever runs this: they are this test's files, and nothing else.
const POWERLESS: (&str, &[&str]) = ("unshare", &["--user"]);

#[tokio::test]
async fn rights_that_were_taken_away_are_missed_and_found_again() {
    let mut trouble = Trouble::under(POWERLESS.0, POWERLESS.1).await;
    let files = ["jitbot.db", "jitbot.db-wal", "jitbot.db-shm"]
        .map(|name| trouble.scene.path().join("disk").join(name));
    let mode = |mode: u32| {
        for file in &files {
            set_permissions(file, Permissions::from_mode(mode)).unwrap();
        }
    };
    // What is open stays open: it is missed when it is opened the next time, after a failure.
    let mut other = trouble.scene.beside().await;
    other.execute("BEGIN IMMEDIATE").await.unwrap();
    trouble
        .says_why_it_is_not_ready("another program holds the database")
        .await;
    mode(0o400);
    other.execute("COMMIT").await.unwrap();
    trouble
        .says_why_it_is_not_ready("see to their rights")
        .await;
    trouble.a_command_is_refused_in_words().await;
    mode(0o600);
    trouble.goes_on("see to their rights").await;
}

#[tokio::test]
async fn a_folder_that_can_not_be_written_keeps_it_from_starting_and_is_named() {
    let scene = Scene::set().await;
    let folder = scene.path().join("disk");
    std::fs::create_dir(&folder).unwrap();
    let config = scene.path().join("jitbot.toml");
    let text = std::fs::read_to_string(&config).unwrap();
    let inside = folder.join("jitbot.db").display().to_string();
    let text = text.replace(&scene.database.display().to_string(), &inside);
    std::fs::write(&config, text).unwrap();
    set_permissions(&folder, Permissions::from_mode(0o500)).unwrap();
    let mut command = within(&scene, POWERLESS.0, POWERLESS.1);
    let status = tokio::time::timeout(WAIT, command.status()).await.unwrap();
    set_permissions(&folder, Permissions::from_mode(0o700)).unwrap();
    assert_eq!(status.unwrap().code(), Some(2));
    let log = scene.log();
    assert!(
        log.contains(&inside) && log.contains("see to the rights"),
        "{log}"
    );
}
