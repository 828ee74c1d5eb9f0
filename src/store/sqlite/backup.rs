//! A copy of the database as it is at one moment, made beside a bot that goes on writing.
//!
//! `VACUUM INTO` reads within one view: the bot's writer never waits for it, and what is committed
//! meanwhile is not in the copy. Until it is done the bot's write-ahead log can't be shortened, so it
//! grows by what is written in that time. Pages that are free are left out, and with them what was
//! erased. (The backup interface of SQLite begins anew whenever another process writes; at some hundred
//! commits a second it would not end.)

use std::fs::File;
use std::path::{Path, PathBuf};

use sqlx::{ConnectOptions as _, Connection as _, SqliteConnection};
use tempfile::NamedTempFile;

use super::fault::database;
use super::{SqliteStore, reading, there};
use crate::domain::audit::Head;
use crate::store::verify::verified;
use crate::store::{Store as _, StoreError};

/// Why there is no copy. Nothing stands under its name then.
#[derive(Debug, thiserror::Error)]
pub enum NoBackup {
    /// Something stands there.
    #[error("{} is there already; it was left as it is: name a file that is not there", .0.display())]
    Exists(PathBuf),
    /// The copy could not be written.
    #[error("{} can't be written: {why}; nothing was kept of it", .path.display())]
    Unwritable {
        /// Where it was to be.
        path: PathBuf,
        /// Why not.
        why: std::io::Error,
    },
    /// The database could not be read or copied.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// It was copied, and what was copied is not whole.
    #[error("the database is not whole, so no copy was kept: {0}")]
    NotWhole(String),
}

/// Copies a database to a file that is not there, checks the copy, and returns the end of its record.
///
/// # Errors
/// [`NoBackup`]; nothing stands under the name then.
pub async fn backup(path_or_url: &str, to: &Path) -> Result<Head, NoBackup> {
    let unwritable = |why: std::io::Error| NoBackup::Unwritable {
        path: to.to_owned(),
        why,
    };
    if to.symlink_metadata().is_ok() {
        return Err(NoBackup::Exists(to.to_owned()));
    }
    let (folder, name) = match (to.parent(), to.file_name()) {
        (Some(folder), Some(name)) if folder != Path::new("") => (folder, name),
        (_, Some(name)) => (Path::new("."), name),
        (_, None) => return Err(unwritable(std::io::ErrorKind::InvalidFilename.into())),
    };
    let store = SqliteStore::open_read_only(path_or_url).await?;
    // In a folder of its own, for SQLite writes a journal beside it; its owner's alone from the first
    // byte on; all gone again when anything below fails.
    let room = tempfile::Builder::new()
        .prefix(&format!(".{}.", name.to_string_lossy()))
        .suffix(".part")
        .tempdir_in(folder)
        .map_err(unwritable)?;
    let copy = NamedTempFile::new_in(room.path()).map_err(unwritable)?;
    let mut conn = reading(&there(path_or_url)?)
        .connect()
        .await
        .map_err(database)?;
    copy_into(&mut conn, copy.path()).await?;
    conn.close().await.map_err(database)?;
    store.close().await;
    copy.as_file().sync_all().map_err(unwritable)?;
    let head = checked(copy.path()).await?;
    copy.persist_noclobber(to)
        .map_err(|error| match error.error {
            why if why.kind() == std::io::ErrorKind::AlreadyExists => {
                NoBackup::Exists(to.to_owned())
            }
            why => unwritable(why),
        })?;
    // So that the name outlives a loss of power too.
    File::open(folder)
        .and_then(|folder| folder.sync_all())
        .map_err(unwritable)?;
    Ok(head)
}

async fn copy_into(conn: &mut SqliteConnection, to: &Path) -> Result<(), StoreError> {
    let Some(to) = to.to_str() else {
        return Err(StoreError::Database(format!(
            "{} is not UTF-8, which SQLite needs",
            to.display()
        )));
    };
    sqlx::query("VACUUM INTO $1")
        .bind(to)
        .execute(conn)
        .await
        .map(|_| ())
        .map_err(database)
}

/// Every page, every key and the whole record of a copy.
async fn checked(copy: &Path) -> Result<Head, NoBackup> {
    let store = SqliteStore::open_read_only(&copy.display().to_string()).await?;
    let mut conn = reading(copy).connect().await.map_err(database)?;
    let pages: Vec<String> = sqlx::query_scalar("PRAGMA integrity_check")
        .fetch_all(&mut conn)
        .await
        .map_err(database)?;
    if pages != ["ok"] {
        return Err(NoBackup::NotWhole(pages.join("; ")));
    }
    let keys = sqlx::query("PRAGMA foreign_key_check")
        .fetch_all(&mut conn)
        .await
        .map_err(database)?;
    if !keys.is_empty() {
        let what = format!("{} rows name a row that is not there", keys.len());
        return Err(NoBackup::NotWhole(what));
    }
    conn.close().await.map_err(database)?;
    let mut reader = store.reader().await?;
    let found = verified(&mut *reader, None).await?;
    drop(reader);
    store.close().await;
    found
        .map(|verified| verified.head)
        .map_err(|broken| NoBackup::NotWhole(broken.to_string()))
}
