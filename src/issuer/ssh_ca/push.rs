//! Hands the list to each host through a program of the operator's.
//!
//! The program is called as `PROGRAM ARGUMENTS… HOST`, with the list on stdin and its version and
//! digest in `JITBOT_KRL_VERSION` and `JITBOT_KRL_DIGEST`. It puts the list where the host's sshd
//! reads it, reads it back *on the host*, and writes one line of JSON: `{"digest":"<sha256>"}`, or
//! `{"told":true}` where it can't read back. Status 0 means that the answer holds; 75 that it was
//! not done and is worth trying again; anything else that nobody knows. All but 0 is tried again.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use futures_util::StreamExt as _;
use serde::Deserialize;

use super::list::List;
use crate::issuer::child::{self, Ended};

/// The status with which a program asks to be called again (`EX_TEMPFAIL` of sysexits).
pub const STATUS_RETRY: i32 = 75;

/// The longest that a program may be given for one host.
pub const TIME_LIMIT_MAX: Duration = Duration::from_secs(8);

/// How many hosts are served at once.
const AT_ONCE: usize = 16;

/// How long all hosts together may take: an issuer's call has to end within 20 seconds.
const ALL_LIMIT: Duration = Duration::from_secs(14);

/// How a program hands the list to hosts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Push {
    /// The program by its absolute path, and its first arguments.
    pub program: Vec<String>,
    /// The hosts, each given as the last argument of a call of its own.
    pub hosts: Vec<String>,
    /// How long one call may take, at most [`TIME_LIMIT_MAX`].
    pub timeout: Duration,
    /// Whether the program reads the list back on the host. Where it can't, an early end is only
    /// told, never seen.
    pub read_back: bool,
}

/// What became of one host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HostAnswer {
    /// It has the list.
    Has,
    /// It was told, and can't be asked.
    Told,
    /// It has it not, as far as is known, and why.
    Not(String),
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Said {
    #[serde(default)]
    digest: Option<String>,
    #[serde(default)]
    told: bool,
}

impl Push {
    /// Checks what can be checked without calling it.
    ///
    /// # Errors
    /// What is wrong, in words for the operator.
    pub fn check_settings(&self) -> Result<(), String> {
        match self.program.first() {
            Some(program) if Path::new(program).is_absolute() => {}
            _ => return Err("push.program must start with a program's absolute path".to_owned()),
        }
        if self.hosts.is_empty() {
            return Err("push.hosts names no host".to_owned());
        }
        for (i, host) in self.hosts.iter().enumerate() {
            check_host_name(host)?;
            if self.hosts[..i].contains(host) {
                return Err(format!("push.hosts names {host:?} twice"));
            }
        }
        if self.timeout.is_zero() || self.timeout > TIME_LIMIT_MAX {
            return Err(format!(
                "push.timeout must be more than 0 and at most {} seconds",
                TIME_LIMIT_MAX.as_secs()
            ));
        }
        Ok(())
    }

    /// Whether the program is there.
    ///
    /// # Errors
    /// What is missing.
    pub fn check_program(&self) -> Result<(), String> {
        use std::os::unix::fs::PermissionsExt as _;
        let program = self.program.first().map(Path::new).unwrap_or(Path::new(""));
        match std::fs::metadata(program) {
            Ok(found) if found.is_file() && found.permissions().mode() & 0o111 != 0 => Ok(()),
            Ok(_) => Err(format!("{} can't be executed", program.display())),
            Err(e) => Err(format!("{}: {e}", program.display())),
        }
    }

    /// Hands the list to every host, many at once, and says what became of each.
    pub async fn to_all(&self, list: &List) -> BTreeMap<String, HostAnswer> {
        let waiting = HostAnswer::Not("its turn did not come in time".to_owned());
        let answers: Mutex<BTreeMap<String, HostAnswer>> = Mutex::new(
            self.hosts
                .iter()
                .map(|host| (host.clone(), waiting.clone()))
                .collect(),
        );
        let all = futures_util::stream::iter(&self.hosts).for_each_concurrent(AT_ONCE, |host| {
            let answers = &answers;
            async move {
                let answer = self.to_one(host, list).await;
                answers
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .insert(host.clone(), answer);
            }
        });
        // Calls under way when the time is up are killed, and stand as not done.
        let _ = tokio::time::timeout(ALL_LIMIT, all).await;
        answers.into_inner().unwrap_or_else(PoisonError::into_inner)
    }

    async fn to_one(&self, host: &str, list: &List) -> HostAnswer {
        let (program, arguments) = match self.program.split_first() {
            Some((program, arguments)) => (PathBuf::from(program), arguments),
            None => return HostAnswer::Not("no program is named".to_owned()),
        };
        let ended = child::run(child::Order {
            program,
            arguments: arguments
                .iter()
                .map(Into::into)
                .chain([host.into()])
                .collect(),
            environment: vec![
                ("JITBOT_KRL_VERSION".into(), list.version.to_string().into()),
                ("JITBOT_KRL_DIGEST".into(), list.digest.to_string().into()),
            ],
            stdin: list.bytes.clone(),
            time_limit: self.timeout,
            stdout_max: 4_096,
            unsaid: vec![],
        })
        .await;
        match ended {
            Ok(Ended::Exited {
                status: 0, stdout, ..
            }) => self.judge(&stdout, list),
            Ok(Ended::Exited {
                status: STATUS_RETRY,
                complaint,
                ..
            }) => HostAnswer::Not(with("the program asks to be called again", &complaint)),
            Ok(Ended::Exited {
                status, complaint, ..
            }) => HostAnswer::Not(with(
                &format!("the program ended with status {status}"),
                &complaint,
            )),
            Ok(Ended::Signalled(signal)) => {
                HostAnswer::Not(format!("the program was ended by signal {signal}"))
            }
            Ok(Ended::TookTooLong) => HostAnswer::Not(format!(
                "the program took longer than {} s",
                self.timeout.as_secs_f32()
            )),
            Ok(Ended::SaidTooMuch) => {
                HostAnswer::Not("the program wrote far more than an answer".to_owned())
            }
            Err(e) => HostAnswer::Not(e.to_string()),
        }
    }

    fn judge(&self, stdout: &[u8], list: &List) -> HostAnswer {
        let said: Said = match serde_json::from_slice(stdout.trim_ascii()) {
            Ok(said) => said,
            Err(_) => {
                return HostAnswer::Not(
                    "the program's answer is not one line of JSON like {\"digest\":\"…\"}"
                        .to_owned(),
                );
            }
        };
        match (said.digest, said.told) {
            (Some(digest), false) if is_digest(&digest, list) => HostAnswer::Has,
            (Some(_), false) => {
                HostAnswer::Not("the host has another list than the one it was given".to_owned())
            }
            (None, true) if !self.read_back => HostAnswer::Told,
            (None, true) => HostAnswer::Not(
                "the program can't read back what the host has; if it never can, say so with \
                 read_back = false"
                    .to_owned(),
            ),
            _ => HostAnswer::Not("the program's answer holds neither digest nor told".to_owned()),
        }
    }
}

/// Whether this is the list's digest, as 64 hexadecimal digits, with or without `sha256:`.
#[must_use]
pub fn is_digest(text: &str, list: &List) -> bool {
    let digits = text.strip_prefix("sha256:").unwrap_or(text);
    digits.eq_ignore_ascii_case(&list.digest.0)
}

/// Host names go into a command line and into sentences.
///
/// # Errors
/// What is wrong with it.
pub fn check_host_name(host: &str) -> Result<(), String> {
    let good = !host.is_empty()
        && host.len() <= 253
        && !host.starts_with('-')
        && host
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"._:-".contains(&b));
    if good {
        Ok(())
    } else {
        Err(format!(
            "host {host:?} can't be used: letters, digits, `.`, `_`, `:` and `-`, not starting \
             with `-`"
        ))
    }
}

fn with(what: &str, complaint: &str) -> String {
    if complaint.is_empty() {
        what.to_owned()
    } else {
        format!("{what}: {complaint}")
    }
}
