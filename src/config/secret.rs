//! Secrets: never in the file itself, never in a print.

use std::path::PathBuf;

use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};

use super::reader::Item;

/// How a secret is named, as a hint.
pub(super) const SECRET_HINT: &str = "Write { env = \"NAME\" } or { file = \"/path\" }: what stands in the file ends up in copies, backups and version control.";

/// Where a secret comes from. Its debug print shows the place, never the secret.
#[derive(Debug, Clone)]
pub enum SecretSource {
    /// An environment variable, read when the config was.
    Env {
        /// Its name.
        name: String,
        /// Its value.
        value: SecretString,
    },
    /// A file, read by [`SecretSource::read`].
    File {
        /// Its absolute path.
        path: PathBuf,
    },
}

/// A secret that can't be had.
#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    /// The file can't be read.
    #[error("the secret file {path} can't be read: {why}. Check the path and who may read it.")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        why: std::io::Error,
    },
    /// The file holds nothing.
    #[error("the secret file {path} is empty. Write the secret into it.")]
    Empty {
        /// The file.
        path: PathBuf,
    },
}

impl SecretSource {
    /// The secret. Of a file with one line, the line without its end.
    ///
    /// # Errors
    /// [`SecretError`] when the file can't be read or is empty.
    pub fn read(&self) -> Result<SecretString, SecretError> {
        match self {
            Self::Env { value, .. } => Ok(value.clone()),
            Self::File { path } => {
                let text = SecretString::from(std::fs::read_to_string(path).map_err(|why| {
                    SecretError::Unreadable {
                        path: path.clone(),
                        why,
                    }
                })?);
                let trimmed = text.expose_secret().trim_end();
                if trimmed.is_empty() {
                    return Err(SecretError::Empty { path: path.clone() });
                }
                // A private key is a document whose last line end belongs to it.
                Ok(if trimmed.contains('\n') {
                    text
                } else {
                    SecretString::from(trimmed)
                })
            }
        }
    }

    /// Where it comes from, as it is written; never the secret.
    pub(super) fn place(&self) -> Value {
        match self {
            Self::Env { name, .. } => json!({"env": name}),
            Self::File { path } => json!({"file": path}),
        }
    }

    /// What a look at a secret's file shows, and what to do; the file is not read.
    pub(super) fn looks_wrong(&self) -> Option<(String, &'static str)> {
        use std::os::unix::fs::PermissionsExt;
        let Self::File { path } = self else {
            return None;
        };
        let shown = path.display();
        match std::fs::metadata(path) {
            Err(e) => Some((
                format!("the secret file {shown} can't be read: {e}"),
                "Put it there before the bot is started.",
            )),
            Ok(meta) if !meta.is_file() => Some((
                format!("the secret file {shown} is not a file"),
                "Name the file itself.",
            )),
            Ok(meta) if meta.permissions().mode() & 0o077 != 0 => Some((
                format!("the secret file {shown} can be read by others than its owner"),
                "Run `chmod 600` on it.",
            )),
            Ok(_) => None,
        }
    }

    /// Whether both name the same place, or hold the same value as far as that is known.
    pub(super) fn is_same_as(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Env { name, value }, Self::Env { name: n, value: v }) => {
                name == n || value.expose_secret() == v.expose_secret()
            }
            (Self::File { path }, Self::File { path: p }) => path == p,
            _ => false,
        }
    }
}

/// Reads `{ env = "NAME" }` or `{ file = "/path" }`.
pub(super) fn read(item: &Item<'_>) -> Option<SecretSource> {
    if item.is_string() {
        item.problem("is a secret in the file itself", SECRET_HINT);
        return None;
    }
    let table = item.table(&["env", "file"], &[])?;
    match (table.get("env"), table.get("file")) {
        (Some(env), None) => {
            let (name, value) = env_value(&env)?;
            let value = value.filter(|value| !value.trim().is_empty());
            let Some(value) = value else {
                env.problem(
                    format!("the environment variable {name} is not set, or empty"),
                    "Set it for the process, e.g. in its service unit.",
                );
                return None;
            };
            Some(SecretSource::Env {
                name,
                value: SecretString::from(value.trim().to_owned()),
            })
        }
        (None, Some(file)) => Some(SecretSource::File {
            path: absolute_path(&file)?,
        }),
        _ => {
            item.problem("names not exactly one source", SECRET_HINT);
            None
        }
    }
}

/// The name in `env = "NAME"` and the variable's value.
///
/// A name is upper-case, so that a token that was put there by mistake is seen and not repeated.
pub(super) fn env_value(item: &Item<'_>) -> Option<(String, Option<String>)> {
    let name = item.string()?;
    let is_name = name.starts_with(|c: char| c.is_ascii_uppercase() || c == '_')
        && name
            .bytes()
            .all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_');
    if !is_name {
        item.problem(
            "is not the name of an environment variable",
            "Write the name, not the value: upper-case letters, digits and `_`, like SLACK_BOT_TOKEN.",
        );
        return None;
    }
    Some((name.to_owned(), item.source().env(name)))
}

/// An absolute path.
pub(super) fn absolute_path(item: &Item<'_>) -> Option<PathBuf> {
    let path = PathBuf::from(item.string()?);
    if !path.is_absolute() || path.as_os_str().as_encoded_bytes().contains(&0) {
        item.problem(
            "is not an absolute path",
            "Start it with `/`, so that it does not depend on where the process is started.",
        );
        return None;
    }
    Some(path)
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn file_with(text: &str) -> (tempfile::NamedTempFile, SecretSource) {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(text.as_bytes()).unwrap();
        let path = file.path().to_owned();
        (file, SecretSource::File { path })
    }

    #[test]
    fn a_token_loses_its_line_end_and_a_key_keeps_it() {
        let (_file, token) = file_with("xoxb-1\n");
        assert_eq!(token.read().unwrap().expose_secret(), "xoxb-1");
        let (_file, key) = file_with("BEGIN\nEND\n");
        assert_eq!(key.read().unwrap().expose_secret(), "BEGIN\nEND\n");
    }

    #[test]
    fn an_empty_or_missing_file_is_an_error_that_names_it() {
        let (file, empty) = file_with(" \n");
        let said = empty.read().unwrap_err().to_string();
        assert!(said.contains(&file.path().display().to_string()), "{said}");
        let missing = SecretSource::File {
            path: "/nonexistent/ca".into(),
        };
        let said = missing.read().unwrap_err().to_string();
        assert!(
            said.starts_with("the secret file /nonexistent/ca can't be read"),
            "{said}"
        );
    }
}
