//! One process per database: an exclusive lock on a file beside it.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Seek, Write};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use crate::domain::timing::Timestamp;
use crate::store::StoreError;

/// Holds the lock until it is dropped; the system lets it go too when the process dies.
#[derive(Debug)]
pub struct Held {
    _file: File,
}

/// The longest note of a holder that is read, in bytes.
const NOTE_MAX_BYTES: u64 = 300;

/// Takes the lock beside `database` and writes down who holds it: `who` is its command.
///
/// # Errors
/// [`StoreError::Held`] with the holder's own words; [`StoreError::Database`] when the file can't be
/// made or locked.
pub(super) fn take(database: &Path, who: &str, since: Timestamp) -> Result<Held, StoreError> {
    let path = beside(database);
    let failed = |doing: &str, error: std::io::Error| {
        StoreError::Database(format!(
            "{doing} {} failed: {error}; see to the rights of its folder, and how that is mounted",
            path.display()
        ))
    };
    // Not truncated on opening: until it is locked, what it says is another's.
    let mut file = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        // Who can plant a link here could have another's file emptied.
        .custom_flags(nix::libc::O_NOFOLLOW)
        .open(&path)
        .map_err(|error| failed("opening", error))?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            return Err(StoreError::Held {
                path: database.display().to_string(),
                holder: holder(&mut file),
            });
        }
        Err(TryLockError::Error(error)) => return Err(failed("locking", error)),
    }
    let note = format!(
        "jitbot {who}, process {}, since {}\n",
        std::process::id(),
        since.format("%Y-%m-%d %H:%M:%S UTC")
    );
    file.set_len(0)
        .and_then(|()| file.rewind())
        .and_then(|()| file.write_all(note.as_bytes()))
        .map_err(|error| failed("writing", error))?;
    Ok(Held { _file: file })
}

fn beside(database: &Path) -> PathBuf {
    let mut name = database.as_os_str().to_owned();
    name.push(".lock");
    PathBuf::from(name)
}

fn holder(file: &mut File) -> String {
    let mut note = Vec::new();
    let read = file.take(NOTE_MAX_BYTES).read_to_end(&mut note);
    let note: String = String::from_utf8_lossy(&note)
        .chars()
        .filter(|c| !c.is_control())
        .collect();
    match read {
        Ok(_) if !note.trim().is_empty() => note.trim().to_owned(),
        _ => "another process".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::DateTime;

    #[test]
    fn a_second_taker_is_told_who_holds_it_until_it_is_let_go() {
        let dir = tempfile::tempdir().unwrap();
        let database = dir.path().join("x.db");
        let since = DateTime::from_timestamp(1_800_000_000, 0).unwrap();
        let first = take(&database, "serve", since).unwrap();
        match take(&database, "serve", since).unwrap_err() {
            StoreError::Held { path, holder } => {
                assert_eq!(path, database.display().to_string());
                assert_eq!(
                    holder,
                    format!(
                        "jitbot serve, process {}, since 2027-01-15 08:00:00 UTC",
                        std::process::id()
                    )
                );
            }
            other => panic!("{other}"),
        }
        drop(first);
        take(&database, "serve", since).unwrap();
    }

    #[test]
    fn a_note_without_sense_is_not_repeated() {
        let dir = tempfile::tempdir().unwrap();
        let database = dir.path().join("x.db");
        std::fs::write(beside(&database), b"\x1b[2J\n\0").unwrap();
        let file = OpenOptions::new()
            .read(true)
            .open(beside(&database))
            .unwrap();
        file.lock().unwrap();
        let error = take(&database, "serve", DateTime::UNIX_EPOCH).unwrap_err();
        assert!(
            matches!(&error, StoreError::Held { holder, .. } if holder == "[2J"),
            "{error}"
        );
    }

    /// Else who may write in the folder could have another's file emptied by whoever opens the database.
    #[test]
    fn a_link_in_its_place_is_not_followed() {
        let dir = tempfile::tempdir().unwrap();
        let database = dir.path().join("x.db");
        let anothers = dir.path().join("anothers");
        std::fs::write(&anothers, "kept").unwrap();
        std::os::unix::fs::symlink(&anothers, beside(&database)).unwrap();
        assert!(take(&database, "erase", DateTime::UNIX_EPOCH).is_err());
        assert_eq!(std::fs::read_to_string(&anothers).unwrap(), "kept");
    }

    #[test]
    fn a_folder_that_is_not_there_is_named() {
        let error = take(
            Path::new("/nonexistent/x.db"),
            "serve",
            DateTime::UNIX_EPOCH,
        )
        .unwrap_err();
        assert!(
            error.to_string().contains("/nonexistent/x.db.lock"),
            "{error}"
        );
    }
}
