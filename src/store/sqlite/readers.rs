//! Connections that read, beside the writer's.
//!
//! sqlx's own pool asks each connection that comes back whether it still answers, in a task of its own;
//! with SQLite, whose connections don't break, that costs more than most reads (docs/decisions/0011).

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::FutureExt as _;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions, Connection, SqliteConnection};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::fault::database;
use super::view::View;
use crate::store::StoreError;

/// Views that can be open at once; further ones wait.
const READERS_MAX: u32 = 4;

/// What may wait for a reader's thread.
const COMMANDS_MAX: usize = 1_000;

/// How long a view waits for another one to end.
const PLACE_WAIT_MAX: Duration = Duration::from_secs(5);

/// Connections of which nobody uses one at this moment.
type Idle = Arc<Mutex<Vec<SqliteConnection>>>;

/// Where views come from.
pub(super) struct Readers {
    options: SqliteConnectOptions,
    idle: Idle,
    places: Arc<Semaphore>,
}

/// A connection that is lent; it goes back when it is dropped.
pub(super) struct Lent {
    /// None only before it is open, and while this is dropped.
    conn: Option<SqliteConnection>,
    idle: Idle,
    _place: OwnedSemaphorePermit,
}

impl Readers {
    pub(super) fn new(options: SqliteConnectOptions) -> Self {
        Self {
            // Room for what views leave behind that were given up while a disk hangs.
            options: options.command_buffer_size(COMMANDS_MAX),
            idle: Idle::default(),
            places: Arc::new(Semaphore::new(READERS_MAX as usize)),
        }
    }

    /// A view of one moment, which begins with its first read.
    pub(super) async fn view(&self) -> Result<View, StoreError> {
        let place = tokio::time::timeout(PLACE_WAIT_MAX, self.places.clone().acquire_owned());
        let place = place
            .await
            .map_err(|_| StoreError::Database("too much is read at once; try again".into()))?
            .map_err(|_| StoreError::Closed)?;
        let mut lent = Lent {
            conn: locked(&self.idle).pop(),
            idle: self.idle.clone(),
            _place: place,
        };
        if lent.conn.is_none() || !lent.tell("BEGIN") {
            lent.conn = Some(self.options.connect().await.map_err(database)?);
            lent.tell("BEGIN");
        }
        Ok(View { at: lent })
    }

    /// Waits for the views that are open, then closes.
    pub(super) async fn close(&self) {
        let all = self.places.acquire_many(READERS_MAX).await;
        self.places.close();
        drop(all);
        let idle = std::mem::take(&mut *locked(&self.idle));
        for conn in idle {
            if let Err(error) = conn.close().await {
                tracing::debug!(error = %database(error), "a reader was not closed in order");
            }
        }
    }
}

impl Lent {
    /// Has this done before whatever is asked next, without waiting for it: its first poll hands it to the
    /// connection's thread, which does everything in order. False where that thread is gone.
    fn tell(&mut self, sql: &'static str) -> bool {
        let told = self
            .conn
            .as_mut()
            .and_then(|conn| sqlx::query(sql).execute(conn).now_or_never());
        !matches!(told, Some(Err(_)))
    }

    pub(super) fn conn(&mut self) -> Result<&mut SqliteConnection, StoreError> {
        self.conn.as_mut().ok_or(StoreError::Closed)
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        let stands = self.tell("ROLLBACK");
        if let Some(conn) = self.conn.take()
            && stands
        {
            locked(&self.idle).push(conn);
        }
    }
}

fn locked(idle: &Idle) -> std::sync::MutexGuard<'_, Vec<SqliteConnection>> {
    // Whole after each statement, whoever panicked.
    idle.lock().unwrap_or_else(PoisonError::into_inner)
}
