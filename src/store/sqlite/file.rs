//! The database's file: which one a path or URL names, and whose it is.

use std::fs::{OpenOptions, Permissions};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use crate::store::StoreError;

/// The path of a database that is there.
pub(super) fn there(path_or_url: &str) -> Result<PathBuf, StoreError> {
    let path = resolve(path_or_url)?;
    if path.is_file() {
        return Ok(path);
    }
    Err(StoreError::Database(format!(
        "there is no database at {}",
        path.display()
    )))
}

/// The file that a path or URL names, with its folder's links resolved: one file has one lock.
pub(super) fn resolve(path_or_url: &str) -> Result<PathBuf, StoreError> {
    let path = path_or_url
        .strip_prefix("sqlite://")
        .or_else(|| path_or_url.strip_prefix("sqlite:"))
        .unwrap_or(path_or_url);
    if path.is_empty() || path.contains(['?', '\0']) || path == ":memory:" {
        return Err(StoreError::Database(format!(
            "`{path_or_url}` names no file: write a path, or sqlite://PATH without parameters"
        )));
    }
    let path = Path::new(path);
    if let Ok(real) = path.canonicalize() {
        return Ok(real);
    }
    let folder = match path.parent() {
        Some(folder) if folder != Path::new("") => folder,
        _ => Path::new("."),
    };
    match (folder.canonicalize(), path.file_name()) {
        (Ok(folder), Some(name)) => Ok(folder.join(name)),
        (Err(error), _) => Err(StoreError::Database(format!(
            "the folder of {} can't be used: {error}",
            path.display()
        ))),
        (Ok(_), None) => Err(StoreError::Database(format!(
            "{} names no file",
            path.display()
        ))),
    }
}

/// A new database is its owner's alone; SQLite gives the files beside it the same rights.
pub(super) fn make_private(path: &Path) -> Result<(), StoreError> {
    OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(path)
        .and_then(|file| {
            // One that was there before may be open to others.
            let mode = file.metadata()?.permissions().mode();
            match mode & 0o077 {
                0 => Ok(()),
                _ => file.set_permissions(Permissions::from_mode(mode & 0o700)),
            }
        })
        .map_err(|error| {
            StoreError::Database(format!("{} can't be written: {error}", path.display()))
        })
}
