//! The real binary beside the sandbox: a story that needs a process of its own.

use std::fs::{File, OpenOptions};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use super::{APPROVALS, Setup, config_text, id_of, reference, workspace};
use jitbot::config;
use jitbot::sandbox::people::{People, Place, SeenMessage};
use jitbot::sandbox::slack::{Manifest, Running, Server};
use jitbot::sandbox::ssh::keys;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions as _, Row as _, SqliteConnection};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};

pub const WAIT: Duration = Duration::from_secs(20);

async fn other_program_on(database: &Path) -> SqliteConnection {
    SqliteConnectOptions::new()
        .filename(database)
        .busy_timeout(Duration::from_secs(10))
        .connect()
        .await
        .unwrap()
}

/// The sandbox, its people, and a folder with everything of the bot.
pub struct Scene {
    pub folder: TempDir,
    pub people: People,
    pub tokens: (String, String),
    /// Where the bot's database is seen from here.
    pub database: PathBuf,
    _sandbox: Running,
}

impl Scene {
    pub async fn set() -> Self {
        Self::with(&Setup::default()).await
    }

    pub async fn with(setup: &Setup) -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("target")).unwrap();
        let workspace = workspace();
        let tokens = (
            workspace.app.bot_token.clone(),
            workspace.app.app_token.clone(),
        );
        let manifest = Manifest::from_yaml(config::SLACK_MANIFEST).unwrap();
        let sandbox = Server::start(workspace, manifest, ([127, 0, 0, 1], 0).into())
            .await
            .unwrap();
        keys::make(&folder.path().join("ca"), "CA").unwrap();
        let base = format!("http://{}", sandbox.addr);
        let text = config_text(folder.path(), &format!("{base}/api"), setup);
        std::fs::write(folder.path().join("jitbot.toml"), text).unwrap();
        Self {
            people: People::new(&base),
            database: folder.path().join("jitbot.db"),
            folder,
            tokens,
            _sandbox: sandbox,
        }
    }

    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// `jitbot serve` on this scene's config.
    pub fn command(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_jitbot"));
        command
            .arg("serve")
            .arg("--config")
            .arg(self.path().join("jitbot.toml"))
            .env("SLACK_BOT_TOKEN", &self.tokens.0)
            .env("SLACK_APP_TOKEN", &self.tokens.1)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(self.log_file())
            .kill_on_drop(true);
        command
    }

    pub fn log_file(&self) -> File {
        let path = self.path().join("log");
        let open = OpenOptions::new().create(true).append(true).open(path);
        open.unwrap()
    }

    /// What all bots of this scene logged, as far as they were left to it.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.path().join("log")).unwrap()
    }

    pub async fn serve(&self) -> Child {
        self.ready(self.command()).await
    }

    /// Starts it and waits until it takes commands.
    pub async fn ready(&self, mut command: Command) -> Child {
        let mut child = command.spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let line = tokio::time::timeout(WAIT, lines.next_line())
            .await
            .unwrap()
            .unwrap();
        let line = line.unwrap_or_default();
        assert!(line.contains("ready"), "{line}{}", self.log());
        self.people.wait_for_sockets(1, WAIT).await.unwrap();
        child
    }

    /// Another program on the bot's database.
    pub async fn beside(&self) -> SqliteConnection {
        other_program_on(&self.database).await
    }

    pub async fn sql(&self, text: &str) -> Vec<sqlx::sqlite::SqliteRow> {
        let mut connection;
        let copy;
        if self.database.starts_with("/proc") {
            // SQLite follows that link to a path that is another's here: it reads a copy.
            copy = tempfile::tempdir().unwrap();
            for name in ["jitbot.db", "jitbot.db-wal"] {
                std::fs::copy(self.database.with_file_name(name), copy.path().join(name)).unwrap();
            }
            connection = other_program_on(&copy.path().join("jitbot.db")).await;
        } else {
            connection = self.beside().await;
        }
        sqlx::query(sqlx::AssertSqlSafe(text.to_owned()))
            .fetch_all(&mut connection)
            .await
            .unwrap()
    }

    /// From here on no grant can be recorded as being in this state.
    pub async fn refuse_to_record(&self, state: &str) {
        self.sql(&format!(
            "CREATE TRIGGER staged BEFORE UPDATE OF state ON grants WHEN NEW.state = '{state}' AND OLD.state <> '{state}'
             BEGIN SELECT RAISE(ABORT, 'staged'); END"
        ))
        .await;
    }

    pub async fn record_again(&self) {
        self.sql("DROP TRIGGER staged").await;
    }

    pub async fn kinds(&self) -> Vec<String> {
        self.sql("SELECT body FROM audit ORDER BY seq")
            .await
            .into_iter()
            .map(|row| {
                let body: serde_json::Value =
                    serde_json::from_str(row.get::<&str, _>("body")).unwrap();
                body["kind"].as_str().unwrap().to_owned()
            })
            .collect()
    }

    #[expect(
        clippy::disallowed_methods,
        reason = "it waits for another process, in real time"
    )]
    pub async fn until(&self, what: &str, holds: impl AsyncFn() -> bool) {
        let started = Instant::now();
        while !holds().await {
            assert!(
                started.elapsed() < WAIT,
                "{what} did not happen; record: {:?}; jobs: {:?}",
                self.kinds().await,
                self.troubled_jobs().await
            );
            tokio::time::sleep(Duration::from_millis(25)).await;
        }
    }

    async fn troubled_jobs(&self) -> Vec<(String, String)> {
        let all = "SELECT key, last_error FROM jobs WHERE last_error IS NOT NULL";
        let rows = self.sql(all).await;
        rows.iter()
            .map(|row| (row.get("key"), row.get("last_error")))
            .collect()
    }

    pub async fn until_recorded(&self, kind: &str) {
        let holds = async || self.kinds().await.iter().any(|k| k == kind);
        self.until(kind, holds).await;
    }

    pub async fn ask(&self) -> (String, SeenMessage) {
        let typed = "/jit request staging-ssh 1h deploy is stuck";
        let answer = self
            .people
            .command(id_of("alice"), APPROVALS, typed)
            .await
            .unwrap();
        let id = reference(&answer.visible_text).unwrap();
        let card = self
            .people
            .wait_for("U0BOB", APPROVALS, &id, WAIT)
            .await
            .unwrap();
        (id, card)
    }

    pub async fn approve(&self, card: &SeenMessage) {
        let button = card
            .buttons
            .iter()
            .find(|b| b.text.contains("Approve"))
            .unwrap();
        let press = self
            .people
            .press(id_of("bob"), APPROVALS, &card.ts, &button.action_id)
            .await
            .unwrap();
        assert!(press.acked);
    }

    pub async fn told_alice(&self, needle: &str) -> usize {
        self.people
            .messages(id_of("alice"), Place::Direct)
            .await
            .unwrap()
            .iter()
            .filter(|message| message.visible_text.contains(needle))
            .count()
    }

    pub async fn grant(&self) -> (String, Option<i64>, Option<i64>) {
        let rows = self.sql("SELECT state, deadline, end_by FROM grants").await;
        assert_eq!(rows.len(), 1, "one grant");
        (
            rows[0].get("state"),
            rows[0].get("deadline"),
            rows[0].get("end_by"),
        )
    }

    pub fn revoked(&self, id: &str) -> bool {
        let grant = format!("g{}", &id[1..]);
        let krl = std::fs::read(self.path().join("target/jitbot.krl")).unwrap_or_default();
        krl.windows(grant.len())
            .any(|window| window == grant.as_bytes())
    }

    /// Everything that must hold at the end of every scene, once the access has been ended.
    pub async fn nothing_is_lost_doubled_or_left(&self, id: &str) {
        let kinds = self.kinds().await;
        for once in ["requested", "approved", "issued", "end_ordered", "ended"] {
            let times = kinds.iter().filter(|k| *k == once).count();
            assert_eq!(times, 1, "{once} in {kinds:?}");
        }
        assert!(self.revoked(id));
        assert_eq!(self.told_alice("-cert-v01@openssh.com").await, 1);
        assert_eq!(self.told_alice("is over").await, 1);
        let cards = self.people.messages("U0BOB", APPROVALS).await.unwrap();
        let cards = cards
            .iter()
            .filter(|m| !m.ephemeral && m.visible_text.contains(id))
            .count();
        assert_eq!(cards, 1, "one card");
        let verified = Command::new(env!("CARGO_BIN_EXE_jitbot"))
            .args(["audit", "verify", "--db"])
            .arg(self.path().join("jitbot.db"))
            .output()
            .await
            .unwrap();
        assert!(verified.status.success(), "{verified:?}");
        let left = self
            .sql("SELECT key FROM jobs WHERE key NOT IN ('digest-due', 'publish:staging-ca', 'look-at-places', 'refresh:slack') AND key NOT LIKE 'remind:%'")
            .await;
        let left: Vec<String> = left.iter().map(|row| row.get("key")).collect();
        assert!(left.is_empty(), "{left:?}");
    }

    pub async fn done(&self, id: &str) {
        let typed = format!("/jit done {id}");
        let answer = self
            .people
            .command(id_of("alice"), APPROVALS, &typed)
            .await
            .unwrap();
        assert!(answer.acked);
    }

    /// Asked, approved, given, given back, over.
    pub async fn a_life(&self) -> String {
        let (id, card) = self.ask().await;
        self.approve(&card).await;
        let ready = async || self.told_alice("-cert-v01@openssh.com").await > 0;
        self.until("ready", ready).await;
        self.done(&id).await;
        self.over().await;
        id
    }

    pub async fn over(&self) {
        self.until("the last message", async || {
            self.told_alice("is over").await > 0
        })
        .await;
        let idle = async || {
            let running = "SELECT key FROM jobs WHERE key NOT IN ('digest-due', 'publish:staging-ca', 'look-at-places', 'refresh:slack') AND key NOT LIKE 'remind:%'";
            self.sql(running).await.is_empty()
        };
        self.until("quiet", idle).await;
    }
}
