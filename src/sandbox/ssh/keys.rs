//! Ed25519 key pairs made at run time and written as OpenSSH writes them: for people, for hosts and for the demo's authority.

use std::{
    fs::{self, OpenOptions},
    io::{self, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

use ssh_key::{Algorithm, LineEnding, PrivateKey, PublicKey, rand_core::OsRng};

/// Where a key pair lies and what its public half is.
#[derive(Clone, Debug)]
pub struct KeyPair {
    /// The private key, readable by its owner alone (0600), without a passphrase.
    pub private: PathBuf,
    /// The public key: the private key's path with `.pub` behind it, as `ssh-keygen` names it.
    pub public: PathBuf,
    /// The public key as one line, `ssh-ed25519 AAAA… comment`, without a line break.
    pub public_line: String,
}

/// Why there is no key pair.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// A file could not be read or written; nothing that was there before has been changed.
    #[error("the key file {} could not be {done}", path.display())]
    File {
        /// What was tried: "read" or "written".
        done: &'static str,
        /// The file.
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    /// The key itself could not be made, read or written down.
    #[error("the key for {} is unusable", path.display())]
    Key {
        /// The file that holds it or would have held it.
        path: PathBuf,
        #[source]
        source: ssh_key::Error,
    },
}

/// Makes a new Ed25519 key pair in `private` and `private` + `.pub`, with `comment` behind the public key.
///
/// # Errors
/// [`KeyError::File`] if either file cannot be written; a private key that is already there is kept and is an error,
/// because certificates may have been made for it.
pub fn make(private: &Path, comment: &str) -> Result<KeyPair, KeyError> {
    let unusable = |source| KeyError::Key {
        path: private.to_owned(),
        source,
    };
    let mut key = PrivateKey::random(&mut OsRng, Algorithm::Ed25519).map_err(unusable)?;
    key.set_comment(comment);
    let text = key.to_openssh(LineEnding::LF).map_err(unusable)?;
    let unwritten = |path: &Path| {
        let path = path.to_owned();
        move |source| KeyError::File {
            done: "written",
            path,
            source,
        }
    };
    OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(private)
        .and_then(|mut file| file.write_all(text.as_bytes()))
        .map_err(unwritten(private))?;
    let pair = describe(private, key.public_key())?;
    fs::write(&pair.public, format!("{}\n", pair.public_line)).map_err(unwritten(&pair.public))?;
    Ok(pair)
}

/// The key pair in `private`, made now if there is none: a host keeps its key when its server is started again.
///
/// # Errors
/// [`KeyError::Key`] if the file is there and holds no usable private key; else as [`make`].
pub fn load_or_make(private: &Path, comment: &str) -> Result<KeyPair, KeyError> {
    match fs::read(private) {
        Ok(text) => {
            let key = PrivateKey::from_openssh(text).map_err(|source| KeyError::Key {
                path: private.to_owned(),
                source,
            })?;
            describe(private, key.public_key())
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => make(private, comment),
        Err(source) => Err(KeyError::File {
            done: "read",
            path: private.to_owned(),
            source,
        }),
    }
}

fn describe(private: &Path, key: &PublicKey) -> Result<KeyPair, KeyError> {
    let mut public = private.as_os_str().to_owned();
    public.push(".pub");
    let public_line = key.to_openssh().map_err(|source| KeyError::Key {
        path: private.to_owned(),
        source,
    })?;
    Ok(KeyPair {
        private: private.to_owned(),
        public: public.into(),
        public_line,
    })
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_pair_is_written_private_and_reads_back() {
        let dir = tempfile::tempdir().unwrap();
        let pair = make(&dir.path().join("alice"), "alice@laptop").unwrap();
        assert_eq!(
            fs::metadata(&pair.private).unwrap().permissions().mode() & 0o777,
            0o600
        );
        assert_eq!(pair.public, dir.path().join("alice.pub"));
        let written = PublicKey::from_openssh(&fs::read_to_string(&pair.public).unwrap()).unwrap();
        let private = PrivateKey::read_openssh_file(&pair.private).unwrap();
        assert_eq!(written.key_data(), private.public_key().key_data());
        assert!(pair.public_line.starts_with("ssh-ed25519 AAAA"));
        assert!(pair.public_line.ends_with(" alice@laptop"));
    }

    #[test]
    fn a_key_that_is_there_is_kept() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("host");
        let first = load_or_make(&path, "host").unwrap();
        assert!(matches!(
            make(&path, "host"),
            Err(KeyError::File {
                done: "written",
                ..
            })
        ));
        assert_eq!(
            load_or_make(&path, "host").unwrap().public_line,
            first.public_line
        );
    }

    #[test]
    fn a_file_that_is_no_key_is_an_error_and_is_kept() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("host");
        fs::write(&path, "not a key").unwrap();
        assert!(matches!(
            load_or_make(&path, "host"),
            Err(KeyError::Key { .. })
        ));
        assert_eq!(fs::read_to_string(&path).unwrap(), "not a key");
    }
}
