//! The list as a file that sshd on this machine reads.
//!
//! sshd refuses every key while the file that `RevokedKeys` names is missing or damaged, so it is
//! only ever replaced whole. What is there is never replaced by an older list, and what another
//! program wrote there is never replaced at all.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;

use super::krl::{self, KRL_MAX_BYTES, KrlError, Reading};
use super::list::List;
use crate::issuer::child::{self, Ended};

/// Everybody may read it: sshd's workers do, and there is nothing secret in it.
const MODE: u32 = 0o644;

/// How long `ssh-keygen` may take for one question.
const QUESTION_LIMIT: Duration = Duration::from_secs(6);

/// Why the file could not be read or replaced. It stands as it stood.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// The operating system refused.
    #[error("{path}: {doing} failed: {source}. What stood there stands; {hint}")]
    Io {
        /// The file.
        path: PathBuf,
        /// What was tried.
        doing: &'static str,
        /// Why it failed.
        source: io::Error,
        /// What to do.
        hint: &'static str,
    },
    /// Somebody else's.
    #[error(
        "{path} holds {what}, and replacing it would let in again what it refuses. It stands as it \
         stood; give this issuer a file of its own, or move that one away"
    )]
    SomebodyElses {
        /// The file.
        path: PathBuf,
        /// What is there.
        what: String,
    },
    /// A newer list stands there.
    #[error("{path} holds a newer list (version {standing}) than the one at hand ({ours})")]
    Newer {
        /// The file.
        path: PathBuf,
        /// The version there.
        standing: u64,
        /// The version at hand.
        ours: u64,
    },
    /// Damaged.
    #[error(
        "{path} can't be read as a list: {source}; sshd refuses every key until it is replaced"
    )]
    Damaged {
        /// The file.
        path: PathBuf,
        /// Why.
        source: KrlError,
    },
}

/// What stands where the list belongs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    /// Nothing, or an empty file.
    Nothing,
    /// A list of this issuer instance, or one that refuses nothing.
    Ours {
        /// Its version.
        version: u64,
        /// Its bytes.
        bytes: Bytes,
    },
}

/// The file that sshd's `RevokedKeys` names.
#[derive(Debug)]
pub struct KrlFile {
    path: PathBuf,
    comment: String,
    /// Held from looking at the file to its replacement, also by a call that its caller gave up.
    replacing: Mutex<()>,
}

impl KrlFile {
    /// The file at this path, whose lists carry this comment.
    #[must_use]
    pub fn new(path: PathBuf, comment: String) -> Self {
        Self {
            path,
            comment,
            replacing: Mutex::new(()),
        }
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Reads what stands there; `None` where nothing does.
    ///
    /// # Errors
    /// [`FileError::Io`], [`FileError::Damaged`].
    pub fn read(&self) -> Result<Option<Reading>, FileError> {
        let Some(bytes) = self.bytes()? else {
            return Ok(None);
        };
        krl::read(&bytes)
            .map(Some)
            .map_err(|source| FileError::Damaged {
                path: self.path.clone(),
                source,
            })
    }

    /// What stands there, and whether it may be replaced.
    ///
    /// # Errors
    /// [`FileError::SomebodyElses`] when it may not, [`FileError::Io`].
    pub fn standing(&self) -> Result<Standing, FileError> {
        let Some(bytes) = self.bytes()? else {
            return Ok(Standing::Nothing);
        };
        let somebody_elses = |what: String| FileError::SomebodyElses {
            path: self.path.clone(),
            what,
        };
        match krl::read(&bytes) {
            Ok(reading) => {
                let refuses_nothing = reading.key_ids.is_empty() && !reading.refuses_more;
                if reading.comment == self.comment && !reading.refuses_more || refuses_nothing {
                    Ok(Standing::Ours {
                        version: reading.version,
                        bytes,
                    })
                } else {
                    Err(somebody_elses(format!(
                        "a list that jitbot did not write for this issuer (its comment is {:?})",
                        reading.comment.chars().take(80).collect::<String>()
                    )))
                }
            }
            Err(e) => Err(somebody_elses(format!(
                "something that is no list of ours ({e})"
            ))),
        }
    }

    /// Puts the list there: written beside, synced, renamed, and the directory synced.
    ///
    /// # Errors
    /// [`FileError`]; what stood there stands.
    pub fn replace(&self, list: &List) -> Result<(), FileError> {
        let _alone = self
            .replacing
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if let Standing::Ours { version, bytes } = self.standing()? {
            if bytes == list.bytes {
                return Ok(());
            }
            if version >= list.version {
                return Err(FileError::Newer {
                    path: self.path.clone(),
                    standing: version,
                    ours: list.version,
                });
            }
        }
        let beside = self.beside()?;
        let written = self.write_beside(&beside, &list.bytes).and_then(|()| {
            fs::rename(&beside, &self.path)
                .map_err(|e| self.io("renaming the new list into place", e))
        });
        if written.is_err() {
            // Whether it goes or not, the next attempt replaces it.
            let _ = fs::remove_file(&beside);
        }
        written?;
        // The new list is in force from here on; this only makes it outlive a power failure.
        File::open(self.directory())
            .and_then(|directory| directory.sync_all())
            .map_err(|e| self.io("syncing its directory", e))
    }

    /// Whether a list could be written there now. What is tried has no name in the directory, since the
    /// bot that serves it may be writing there.
    ///
    /// # Errors
    /// [`FileError`] that [`KrlFile::replace`] would meet.
    pub fn check(&self) -> Result<(), FileError> {
        self.standing()?;
        if self.beside()?.is_dir() {
            let in_the_way = io::ErrorKind::IsADirectory.into();
            return Err(self.io("removing what an interrupted attempt left", in_the_way));
        }
        tempfile::tempfile_in(self.directory())
            .map(drop)
            .map_err(|e| self.io("writing into its directory", e))
    }

    fn write_beside(&self, beside: &Path, bytes: &[u8]) -> Result<(), FileError> {
        // Left over from a crash; nobody else writes under this name.
        match fs::remove_file(beside) {
            Err(e) if e.kind() != io::ErrorKind::NotFound => {
                return Err(self.io("removing what an interrupted attempt left", e));
            }
            _ => {}
        }
        let written = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(MODE)
            .open(beside)
            .and_then(|mut file| {
                // The umask may have taken bits away that sshd's workers need.
                file.set_permissions(fs::Permissions::from_mode(MODE))?;
                file.write_all(bytes)?;
                file.sync_all()
            });
        written.map_err(|e| self.io("writing the new list beside it", e))
    }

    fn bytes(&self) -> Result<Option<Bytes>, FileError> {
        let file = match File::open(&self.path) {
            Ok(file) => file,
            Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(e) => return Err(self.io("reading it", e)),
        };
        let mut bytes = Vec::new();
        // One byte more than allowed, so that the reader sees that it is too much.
        file.take(KRL_MAX_BYTES as u64 + 1)
            .read_to_end(&mut bytes)
            .map_err(|e| self.io("reading it", e))?;
        Ok((!bytes.is_empty()).then(|| Bytes::from(bytes)))
    }

    fn directory(&self) -> &Path {
        match self.path.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent,
            _ => Path::new("."),
        }
    }

    fn beside(&self) -> Result<PathBuf, FileError> {
        let name = self
            .path
            .file_name()
            .ok_or_else(|| self.io("finding its name", io::ErrorKind::InvalidInput.into()))?;
        let mut beside = std::ffi::OsString::from(".");
        beside.push(name);
        beside.push(".jitbot-new");
        Ok(self.directory().join(beside))
    }

    fn io(&self, doing: &'static str, source: io::Error) -> FileError {
        FileError::Io {
            path: self.path.clone(),
            doing,
            source,
            hint: "let jitbot's user read it and write into its directory",
        }
    }
}

/// Where OpenSSH's own reader of lists is installed on this machine, if it is.
#[must_use]
pub fn find_ssh_keygen() -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .chain(["/usr/bin", "/usr/local/bin", "/bin"].map(PathBuf::from))
        .filter(|directory| directory.is_absolute())
        .map(|directory| directory.join("ssh-keygen"))
        .find(|program| program.is_file())
}

/// Asks OpenSSH's own reader whether the list in the file refuses this certificate.
///
/// # Errors
/// What went wrong, where it did not answer.
pub async fn ask_ssh_keygen(
    program: PathBuf,
    krl: PathBuf,
    certificate: String,
) -> Result<bool, String> {
    let question = tokio::task::spawn_blocking(move || {
        let mut file = tempfile::Builder::new()
            .prefix("jitbot-question-")
            .suffix("-cert.pub")
            .tempfile()?;
        file.write_all(certificate.as_bytes())?;
        file.write_all(b"\n")?;
        Ok::<_, io::Error>(file)
    })
    .await
    .map_err(|e| e.to_string())?
    .map_err(|e| format!("a temporary file could not be written: {e}"))?;
    let ended = child::run(child::Order {
        program,
        arguments: vec![
            "-Q".into(),
            "-f".into(),
            krl.into_os_string(),
            question.path().as_os_str().to_owned(),
        ],
        environment: vec![],
        stdin: Bytes::new(),
        time_limit: QUESTION_LIMIT,
        stdout_max: 4_096,
        unsaid: vec![],
    })
    .await
    .map_err(|e| e.to_string())?;
    match ended {
        Ended::Exited {
            status: 0, stdout, ..
        } if ends_with(&stdout, ": ok") => Ok(false),
        Ended::Exited {
            status: 1, stdout, ..
        } if ends_with(&stdout, ": REVOKED") => Ok(true),
        Ended::Exited {
            status, complaint, ..
        } => Err(format!(
            "ssh-keygen -Q gave no answer (status {status}): {complaint}"
        )),
        other => Err(format!("ssh-keygen -Q gave no answer ({other:?})")),
    }
}

fn ends_with(stdout: &[u8], word: &str) -> bool {
    String::from_utf8_lossy(stdout).trim_end().ends_with(word)
}
