//! A program that answers: `kind = "command"`.

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use secrecy::zeroize::Zeroize as _;
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::json;

use super::answer::{self, Answer};
use super::question::Question;
use super::said::{with, words};
use super::{Wire, unknown};
use crate::issuer::IssueError;
use crate::issuer::child::{self, Ended};

/// The status with which a program asks to be called again (`EX_TEMPFAIL` of sysexits).
pub const STATUS_RETRY: i32 = 75;

/// What a variable of a program's environment holds.
#[derive(Debug, Clone)]
pub enum Variable {
    /// A text.
    Plain(String),
    /// A secret.
    Secret(SecretString),
}

impl PartialEq for Variable {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Plain(text), Self::Plain(other)) => text == other,
            (Self::Secret(secret), Self::Secret(other)) => {
                secret.expose_secret() == other.expose_secret()
            }
            _ => false,
        }
    }
}

/// A program, run once for each question.
#[derive(Debug, Clone, PartialEq)]
pub struct Program {
    /// It by its absolute path, and its arguments.
    pub argv: Vec<String>,
    /// Its environment, beside what [`child`] gives and the question itself.
    pub environment: Vec<(String, Variable)>,
    /// How long one run may take.
    pub time_limit: Duration,
}

impl Program {
    fn path(&self) -> &Path {
        Path::new(self.argv.first().map(String::as_str).unwrap_or_default())
    }

    fn secrets(&self) -> Vec<&SecretString> {
        self.environment
            .iter()
            .filter_map(|(_, variable)| match variable {
                Variable::Secret(secret) => Some(secret),
                Variable::Plain(_) => None,
            })
            .collect()
    }

    fn order(&self, question: &Question) -> child::Order {
        let of_config = self.environment.iter().map(|(name, variable)| {
            let value = match variable {
                Variable::Plain(text) => text.as_str(),
                Variable::Secret(secret) => secret.expose_secret(),
            };
            (name.into(), value.into())
        });
        let of_question = question
            .plain
            .iter()
            .map(|(name, value)| (name.into(), value.into()));
        child::Order {
            program: PathBuf::from(self.path()),
            arguments: self.argv.iter().skip(1).map(Into::into).collect(),
            environment: of_config.chain(of_question).collect(),
            stdin: Bytes::from(question.to_line()),
            time_limit: self.time_limit,
            stdout_max: answer::max_bytes(question.op),
            unsaid: self.secrets().into_iter().cloned().collect(),
        }
    }
}

#[async_trait]
impl Wire for Program {
    fn leads_to(&self) -> String {
        let plain: BTreeMap<&str, &str> = self
            .environment
            .iter()
            .filter_map(|(name, variable)| match variable {
                Variable::Plain(text) => Some((name.as_str(), text.as_str())),
                // A secret may be renewed.
                Variable::Secret(_) => None,
            })
            .collect();
        let whole = json!({"argv": self.argv, "environment": plain});
        format!("program {whole}")
    }

    async fn ask(&self, question: &Question) -> Result<Answer, IssueError> {
        let secrets = self.secrets();
        // What it made is known to nobody yet, so it can't be taken out of a complaint.
        let complained = |complaint: &str| match question.makes_secret {
            true => String::new(),
            false => words(complaint, &secrets),
        };
        let said = |what: String, complaint: &str| unknown(with(&what, &complained(complaint)));
        match child::run(self.order(question)).await {
            Ok(Ended::Exited {
                status: 0,
                mut stdout,
                ..
            }) => {
                let answer = answer::read(question.op, &stdout, &secrets);
                stdout.zeroize();
                answer
            }
            Ok(Ended::Exited {
                status: STATUS_RETRY,
                complaint,
                ..
            }) => Err(IssueError::Retry {
                said: with(
                    "the program asks to be called again",
                    &complained(&complaint),
                ),
                after_s: None,
            }),
            Ok(Ended::Exited {
                status, complaint, ..
            }) => Err(said(
                format!("the program ended with status {status}"),
                &complaint,
            )),
            Ok(Ended::Signalled(signal)) => Err(said(
                format!("the program was ended by signal {signal}"),
                "",
            )),
            Ok(Ended::TookTooLong) => Err(said(
                format!(
                    "the program took longer than {} s and was killed",
                    self.time_limit.as_secs_f32()
                ),
                "",
            )),
            Ok(Ended::SaidTooMuch) => Err(said(
                format!(
                    "the program wrote more than {} bytes and was killed",
                    answer::max_bytes(question.op)
                ),
                "",
            )),
            Err(error @ child::RunError::NotStarted { .. }) => Err(IssueError::Retry {
                said: error.to_string(),
                after_s: None,
            }),
            Err(error @ child::RunError::Lost { .. }) => Err(unknown(error.to_string())),
        }
    }

    fn check(&self) -> Result<(), String> {
        let path = self.path().display();
        match std::fs::metadata(self.path()) {
            Ok(found) if found.is_file() && found.permissions().mode() & 0o6000 != 0 => {
                Err(format!(
                    "{path} is set-uid or set-gid: it runs as somebody else, whom jitbot can't end \
                     when a call is given up. Name a program without that"
                ))
            }
            Ok(found) if found.is_file() && found.permissions().mode() & 0o111 != 0 => Ok(()),
            Ok(_) => Err(format!("{path} can't be executed")),
            Err(error) => Err(format!("{path}: {error}")),
        }
    }
}
