//! SQLite: one file, one process, one writer.
//!
//! WAL with `synchronous=FULL`: a commit is an fsync. Readers have connections of their own and see
//! the last commit. Differences from what PostgreSQL would do are told beside the queries.

pub mod backup;
mod changes;
mod claims;
mod directory;
mod erasing;
mod extensions;
mod fault;
mod file;
mod forms;
mod grants;
mod jobs;
mod kept;
mod keys;
mod lanes;
mod last_commit;
mod lock;
mod queues;
mod readers;
mod record;
mod removal;
mod removing;
mod requests;
mod rewriting;
mod rows;
mod several;
mod standing;
mod surroundings;
mod trouble;
mod tx;
mod view;
mod writer;

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use sqlx::migrate::{MigrateError, Migrator};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};
use sqlx::{ConnectOptions, Connection as _, SqliteConnection};
use tokio::sync::{Notify, mpsc, oneshot};
use tokio::task::JoinHandle;

use self::fault::database;
use self::file::{make_private, resolve, there};
use self::last_commit::remembered;
pub use self::lock::Held;
use self::queues::{Queues, Waiting, Yield};
use self::readers::Readers;
use self::trouble::Trouble;
use self::writer::{Taker, Writer};
use super::taking::JobTaker;
use super::{Reads, Store, StoreError, Urgency, WriteBody};
use crate::clock::Clock;
use crate::domain::job::Claim;
use crate::domain::timing::Timestamp;

/// The migrations, in order. One that has landed is never edited.
pub static MIGRATIONS: Migrator = sqlx::migrate!("./migrations/sqlite");

/// How long to wait for a lock that another program (a backup, a shell) holds for a moment.
const LOCK_WAIT_MAX: Duration = Duration::from_secs(5);

/// Statements that a connection keeps prepared: more than there are, since preparing one anew costs more
/// than running it.
const STATEMENTS_KEPT: usize = 300;

/// How long readers have to end when it is closed.
const CLOSE_MAX: Duration = Duration::from_secs(5);

/// A database in a file.
pub struct SqliteStore {
    readers: Readers,
    writer: Mutex<Option<WriterHandle>>,
    /// None when opened for reading alone.
    clock: Option<Arc<dyn Clock>>,
    last_now: Arc<AtomicI64>,
    wakeups: Arc<Notify>,
    taker: Taker,
}

struct WriterHandle {
    answers: mpsc::UnboundedSender<Waiting>,
    outcomes: mpsc::UnboundedSender<Waiting>,
    task: JoinHandle<()>,
}

impl SqliteStore {
    /// Opens the database (`sqlite://jitbot.db`, or a path), making it if it is not there, brings it
    /// to this version, and holds it alone until it is closed or dropped.
    ///
    /// # Errors
    /// [`StoreError::Held`] when another process holds it; [`StoreError::Database`] when it can't be
    /// opened, made or brought to this version.
    pub async fn open(path_or_url: &str, clock: Arc<dyn Clock>) -> Result<Self, StoreError> {
        Self::open_as("serve", path_or_url, clock).await
    }

    /// The same for another command than the one that runs the bot.
    ///
    /// # Errors
    /// As [`SqliteStore::open`].
    pub async fn open_as(
        who: &str,
        path_or_url: &str,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, StoreError> {
        let path = resolve(path_or_url)?;
        let options = writing(&path);
        Self::open_with(who, path, options, clock).await
    }

    /// With these options for the writer.
    async fn open_with(
        who: &str,
        path: PathBuf,
        options: SqliteConnectOptions,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, StoreError> {
        let lock = lock::take(&path, who, clock.machine_now())?;
        make_private(&path)?;
        let mut conn = options
            .connect()
            .await
            .map_err(|error| opening(&path, error))?;
        migrate(&mut conn, &path).await?;
        introduce(&mut conn, clock.now()).await?;
        let options = options.busy_timeout(writer::LOCK_WAIT_MAX);
        wait_less(&mut conn, writer::LOCK_WAIT_MAX).await?;
        let (last_now, head) = remembered(&mut conn).await?;
        let last_now = Arc::new(AtomicI64::new(last_now.timestamp_millis()));
        let wakeups = Arc::new(Notify::new());
        let taker = Taker::default();
        let (answers, answers_rx) = mpsc::unbounded_channel();
        let (outcomes, outcomes_rx) = mpsc::unbounded_channel();
        let writer = Writer {
            options,
            conn,
            clock: clock.clone(),
            wakeups: wakeups.clone(),
            taker: taker.clone(),
            last_now: last_now.clone(),
            head,
            turn: String::new(),
            next_due: None,
            stale: false,
            unsure: None,
            trouble: Trouble::default(),
            lock,
        };
        let queues = Queues {
            answers: answers_rx,
            outcomes: outcomes_rx,
        };
        Ok(Self {
            readers: Readers::new(reading(&path)),
            writer: Mutex::new(Some(WriterHandle {
                answers,
                outcomes,
                task: tokio::spawn(writer.run(queues)),
            })),
            clock: Some(clock),
            last_now,
            wakeups,
            taker,
        })
    }

    /// Keeps every bot off a database that is there, for as long as what is returned is kept. `who` is
    /// the command that does.
    ///
    /// # Errors
    /// [`StoreError::Held`] when a bot runs on it; [`StoreError::Database`] when there is none.
    pub fn hold(path_or_url: &str, who: &str, since: Timestamp) -> Result<Held, StoreError> {
        let path = there(path_or_url)?;
        lock::take(&path, who, since)
    }

    /// Opens a database that is there for reading alone, beside a process that may hold it. Its time
    /// is that of the last transaction when it was opened; writes are refused.
    ///
    /// # Errors
    /// [`StoreError::Database`] when there is none, or it is not one of this version.
    pub async fn open_read_only(path_or_url: &str) -> Result<Self, StoreError> {
        let path = there(path_or_url)?;
        let mut conn = reading(&path)
            .connect()
            .await
            .map_err(|error| opening(&path, error))?;
        let (version, ours) = forms::versions(&mut conn, &path).await?;
        if version != ours {
            return Err(StoreError::Database(format!(
                "{} is of version {}, this jitbot reads version {}: use the jitbot that serves it",
                path.display(),
                version,
                ours
            )));
        }
        let (last_now, _) = remembered(&mut conn).await?;
        conn.close().await.map_err(database)?;
        Ok(Self {
            readers: Readers::new(reading(&path)),
            writer: Mutex::new(None),
            clock: None,
            last_now: Arc::new(AtomicI64::new(last_now.timestamp_millis())),
            wakeups: Arc::new(Notify::new()),
            taker: Taker::default(),
        })
    }

    fn taken(&self) -> std::sync::MutexGuard<'_, Option<WriterHandle>> {
        // Nothing panics while it is held; were it so, the handle would be whole all the same.
        self.writer.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Store for SqliteStore {
    async fn reader(&self) -> Result<Box<dyn Reads + '_>, StoreError> {
        Ok(Box::new(self.readers.view().await?))
    }

    async fn write_boxed(
        &self,
        urgency: Urgency,
        claim: Option<Claim>,
        body: WriteBody<Yield>,
    ) -> Result<Yield, StoreError> {
        let (answer, answered) = oneshot::channel();
        {
            let writer = self.taken();
            let Some(writer) = writer.as_ref() else {
                return Err(StoreError::Closed);
            };
            let queue = match urgency {
                Urgency::Answer => &writer.answers,
                Urgency::Outcome => &writer.outcomes,
            };
            queue
                .send(Waiting {
                    body,
                    claim,
                    answer,
                })
                .map_err(|_| StoreError::Closed)?;
        }
        answered.await.map_err(|_| StoreError::Closed)?
    }

    fn now(&self) -> Timestamp {
        let last = self.last_now.load(Ordering::Acquire);
        let now = self
            .clock
            .as_ref()
            .map_or(last, |clock| clock.now().timestamp_millis().max(last));
        Timestamp::from_timestamp_millis(now).unwrap_or(Timestamp::UNIX_EPOCH)
    }

    fn wakeups(&self) -> Arc<Notify> {
        self.wakeups.clone()
    }

    fn hand_jobs_to(&self, taker: Option<Arc<dyn JobTaker>>) {
        self.taker.store(taker.map(Arc::new));
    }

    async fn close(&self) {
        let writer = self.taken().take();
        // A view that somebody forgot must not keep what was committed from being put in order.
        let _ = tokio::time::timeout(CLOSE_MAX, self.readers.close()).await;
        if let Some(WriterHandle {
            answers,
            outcomes,
            task,
        }) = writer
        {
            drop((answers, outcomes));
            if let Err(error) = task.await {
                tracing::error!(error = %error, "the writer ended by itself; what was committed stays");
            }
        }
    }
}

fn options(path: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(path)
        .foreign_keys(true)
        .statement_cache_capacity(STATEMENTS_KEPT)
        .busy_timeout(LOCK_WAIT_MAX)
}

/// The writer's: a commit is an fsync, and what is deleted is overwritten.
fn writing(path: &Path) -> SqliteConnectOptions {
    options(path)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .pragma("secure_delete", "ON")
}

/// A reader's.
fn reading(path: &Path) -> SqliteConnectOptions {
    options(path).read_only(true)
}

/// From here on it waits no longer than this for another's lock.
async fn wait_less(conn: &mut SqliteConnection, most: Duration) -> Result<(), StoreError> {
    let pragma = format!("PRAGMA busy_timeout = {}", most.as_millis());
    sqlx::query(sqlx::AssertSqlSafe(pragma))
        .execute(conn)
        .await
        .map(|_| ())
        .map_err(database)
}

fn opening(path: &Path, error: sqlx::Error) -> StoreError {
    let why = match database(error) {
        StoreError::Database(why) => why,
        other => other.to_string(),
    };
    StoreError::Database(format!("{} can't be opened: {why}", path.display()))
}

async fn migrate(conn: &mut SqliteConnection, path: &Path) -> Result<(), StoreError> {
    let said = |what: String| StoreError::Database(format!("{}: {what}", path.display()));
    match MIGRATIONS.run(conn).await {
        Ok(()) => Ok(()),
        Err(MigrateError::VersionMissing(version)) => Err(said(format!(
            "a newer jitbot has used it (version {version}); use that one, or a copy from before"
        ))),
        Err(MigrateError::VersionMismatch(version)) => Err(said(format!(
            "it was made by another build's migration {version}, which differs from this one's"
        ))),
        Err(other) => Err(said(format!(
            "it could not be brought to this version: {other}"
        ))),
    }
}

/// Gives a new database its name.
async fn introduce(conn: &mut SqliteConnection, now: Timestamp) -> Result<(), StoreError> {
    let instance = hex::encode(rand::random::<[u8; 16]>());
    sqlx::query(
        "INSERT INTO meta (one, instance, created_at, last_now) VALUES (1, $1, $2, $2)
        ON CONFLICT (one) DO NOTHING",
    )
    .bind(instance)
    .bind(now.timestamp_millis())
    .execute(conn)
    .await
    .map_err(database)?;
    Ok(())
}

#[cfg(test)]
mod tests;
