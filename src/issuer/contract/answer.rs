//! What is answered, read by hand: a library's own words about JSON repeat what they stumbled over,
//! and that may be a secret.

use secrecy::SecretString;
use serde_json::{Map, Value};

use super::question::Op;
use super::said::{one_line, with, word, words};
use super::unknown;
use crate::domain::delivery::IssuedSecret;
use crate::domain::grant::Evidence;
use crate::domain::ids::GrantId;
use crate::domain::timing::Timestamp;
use crate::issuer::redaction::holds;
use crate::issuer::{IssueError, Observed, Presence};

/// The longest answer, in bytes; the longest page of a list is another.
pub const ANSWER_MAX_BYTES: usize = 64 * 1024;
/// The longest page of a list, in bytes.
pub const LIST_MAX_BYTES: usize = 1024 * 1024;
/// The longest handle, in bytes of JSON: it is kept with the grant.
const HANDLE_MAX_BYTES: usize = 4 * 1024;
/// The longest sentence for the beneficiary, in characters.
const MESSAGE_MAX_CHARS: usize = 600;
/// The longest document for the beneficiary, in bytes: it has to fit into a message.
const DOCUMENT_MAX_BYTES: usize = 2_700;
/// The longest secret, in bytes, for the same reason; an Ed25519 key in OpenSSH's form has some 400.
const SECRET_MAX_BYTES: usize = 2_700;
/// The shortest one, in bytes: a shorter one is guessed, and can't be looked for in what is kept.
const SECRET_MIN_BYTES: usize = 8;
/// The longest wait that an answer may ask for, in seconds.
pub const AFTER_MAX_S: i64 = 3_600;

/// How much may be answered to it, in bytes.
#[must_use]
pub const fn max_bytes(op: Op) -> usize {
    match op {
        Op::List => LIST_MAX_BYTES,
        _ => ANSWER_MAX_BYTES,
    }
}

/// An answer whose outcome is `ok`.
pub struct Answer {
    fields: Map<String, Value>,
    secret: Option<IssuedSecret>,
}

impl std::fmt::Debug for Answer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Answer").finish_non_exhaustive()
    }
}

/// What giving access yielded.
#[derive(Debug)]
pub struct Given {
    /// What finds it again.
    pub handle: Value,
    /// How it is used.
    pub message: String,
    /// A document for the beneficiary.
    pub document: Option<String>,
    /// A secret for the beneficiary.
    pub secret: Option<IssuedSecret>,
}

/// The keys that an answer may hold, beside those that every answer may.
const fn keys(op: Op) -> &'static [&'static str] {
    match op {
        Op::Issue | Op::Extend => &["handle", "document", "secret"],
        Op::Inspect => &["presence"],
        Op::List => &["items", "next"],
        Op::Revoke | Op::Check => &[],
    }
}

const KEYS_OF_ALL: [&str; 3] = ["outcome", "message", "after_s"];

/// Reads an answer. `secrets` are those that whoever answers was given: they are not repeated.
///
/// # Errors
/// What it says where it is not `ok`, and `Unknown` where it is no answer.
pub fn read(op: Op, bytes: &[u8], secrets: &[&SecretString]) -> Result<Answer, IssueError> {
    let op_word = op.as_str();
    let not = |what: &str| Err(unknown(format!("the answer to {op_word} {what}")));
    let Ok(text) = std::str::from_utf8(bytes) else {
        return not("is not UTF-8");
    };
    if text.trim().is_empty() {
        return not("is empty");
    }
    let mut fields = match serde_json::from_str::<Value>(text) {
        Ok(Value::Object(fields)) => fields,
        Ok(_) => return not("is JSON, but not an object"),
        Err(error) if error.is_eof() => return not("breaks off: it is half a JSON document"),
        Err(_) => return not("is not one JSON object"),
    };
    let strange = fields
        .keys()
        .find(|key| !KEYS_OF_ALL.contains(&key.as_str()) && !keys(op).contains(&key.as_str()));
    if let Some(key) = strange {
        let key = word(key, secrets);
        return not(&format!("holds {key:?}, which the contract does not know"));
    }
    let message = match fields.get("message") {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(message)) => message.clone(),
        Some(_) => return not("has a message that is no text"),
    };
    let after_s = match fields.get("after_s") {
        None | Some(Value::Null) => None,
        Some(after) => match after.as_i64() {
            Some(after) if after >= 0 => Some(after.min(AFTER_MAX_S)),
            _ => return not("has an after_s that is no whole number of seconds"),
        },
    };
    let secret = match fields.remove("secret") {
        None | Some(Value::Null) => None,
        Some(Value::String(secret)) => Some(IssuedSecret::new(secret)),
        Some(_) => return not("has a secret that is no text"),
    };
    // Whatever it says, what it hands out is not repeated either.
    let mut unsaid = secrets.to_vec();
    unsaid.extend(secret.as_ref().map(IssuedSecret::as_secret));
    let said = |what: &str| with(what, &words(&message, &unsaid));
    match fields.get("outcome").and_then(Value::as_str) {
        Some("ok") => {}
        Some("retry") => {
            return Err(IssueError::Retry {
                said: said("the target asks to be called again"),
                after_s,
            });
        }
        Some("permanent") => {
            return Err(IssueError::Permanent {
                said: said("the target refuses for good"),
            });
        }
        Some("unknown") => {
            return Err(unknown(said("the target does not know what came of it")));
        }
        Some(other) => {
            let other = word(other, &unsaid);
            return not(&format!(
                "has the outcome {other:?}, which is none of ok, retry, permanent and unknown"
            ));
        }
        None => return not("names no outcome"),
    }
    // It would be kept, shown to people or sent back.
    if fields.values().any(|value| holds(value, secrets)) {
        return not("repeats a secret that the config gives; it was thrown away");
    }
    if let Some(secret) = &secret {
        if holds(&Value::from(secret.reveal()), secrets) {
            return not("hands out a secret that the config gives; it was thrown away");
        }
        if fields
            .values()
            .any(|value| holds(value, &[secret.as_secret()]))
        {
            return not("repeats its secret where it would be kept; it was thrown away");
        }
    }
    Ok(Answer { fields, secret })
}

/// What a message can show as it is.
fn can_be_handed_over(secret: &str) -> bool {
    (SECRET_MIN_BYTES..=SECRET_MAX_BYTES).contains(&secret.len())
        && !secret.trim().is_empty()
        && secret
            .chars()
            .all(|c| c.is_ascii_graphic() || c.is_alphanumeric() || c == ' ' || c == '\n')
}

/// Who approved did not know that it makes a secret.
fn undeclared_secret() -> IssueError {
    IssueError::Permanent {
        said: "the answer holds a secret, and the config does not say makes_secret = true; it was thrown \
               away, and the access is taken away again"
            .to_owned(),
    }
}

impl Answer {
    /// What giving access yielded. `makes_secret` is what the config says of whoever answers.
    ///
    /// # Errors
    /// `Unknown` where it can't be read, or holds no secret where there must be one; `Permanent` where it
    /// holds one that nobody was told of when they approved.
    pub fn given(mut self, op: Op, makes_secret: bool) -> Result<Given, IssueError> {
        let secret = self.secret.take();
        match &secret {
            Some(_) if !makes_secret => return Err(undeclared_secret()),
            Some(secret) if !can_be_handed_over(secret.reveal()) => {
                return Err(unknown(format!(
                    "the secret can't be handed over: it is shorter than {SECRET_MIN_BYTES} bytes, \
                     longer than {SECRET_MAX_BYTES}, or holds what a message can't show"
                )));
            }
            None if makes_secret && op == Op::Issue => {
                return Err(unknown(
                    "the answer holds no secret, and the config says that each has one \
                     (makes_secret)"
                        .to_owned(),
                ));
            }
            _ => {}
        }
        let handle = self.fields.remove("handle").unwrap_or_default();
        if handle.to_string().len() > HANDLE_MAX_BYTES {
            return Err(unknown(format!(
                "the handle is longer than {HANDLE_MAX_BYTES} bytes; it is only to find the access \
                 again"
            )));
        }
        let document = match self.fields.remove("document") {
            None | Some(Value::Null) => None,
            Some(Value::String(document)) if document.len() <= DOCUMENT_MAX_BYTES => Some(document),
            Some(Value::String(_)) => {
                return Err(unknown(format!(
                    "the document is longer than {DOCUMENT_MAX_BYTES} bytes and would not fit into \
                     a message"
                )));
            }
            Some(_) => return Err(unknown("the document is no text".to_owned())),
        };
        let message = self
            .fields
            .get("message")
            .and_then(Value::as_str)
            .map(|message| one_line(message, MESSAGE_MAX_CHARS))
            .unwrap_or_default();
        Ok(Given {
            handle,
            message,
            document,
            secret,
        })
    }

    /// Nothing more is to be told.
    ///
    /// # Errors
    /// None today.
    pub fn done(self) -> Result<(), IssueError> {
        Ok(())
    }

    /// Whether access is there.
    ///
    /// # Errors
    /// `Unknown` where it can't be read.
    pub fn presence(self) -> Result<Presence, IssueError> {
        match self.fields.get("presence").and_then(Value::as_str) {
            Some("present") => Ok(Presence::Present),
            Some("absent") => Ok(Presence::Absent(Evidence::SeenGone)),
            Some("cannot_tell") => Ok(Presence::CannotTell),
            Some(word) => Err(unknown(format!(
                "the presence {:?} is none of present, absent and cannot_tell",
                one_line(word, 40)
            ))),
            None => Err(unknown(
                "the answer to inspect names no presence".to_owned(),
            )),
        }
    }

    /// What carries our mark, and the next page.
    ///
    /// # Errors
    /// `Unknown` where it can't be read.
    pub fn listed(self) -> Result<(Vec<Observed>, Option<String>), IssueError> {
        let next = match self.fields.get("next") {
            None | Some(Value::Null) => None,
            Some(Value::String(next)) => Some(next.clone()),
            Some(_) => return Err(unknown("the list's next is no text".to_owned())),
        };
        let Some(items) = self.fields.get("items").and_then(Value::as_array) else {
            return Err(unknown("the answer to list holds no items".to_owned()));
        };
        let observed = items.iter().enumerate().map(|(i, item)| {
            observed(item).map_err(|what| unknown(format!("items[{i}] of the list {what}")))
        });
        Ok((observed.collect::<Result<_, _>>()?, next))
    }
}

fn observed(item: &Value) -> Result<Observed, String> {
    let grant = item
        .get("grant")
        .and_then(Value::as_str)
        .and_then(|grant| GrantId::new(grant).ok())
        .ok_or("names no grant, like g0123456789")?;
    let deadline = match item.get("deadline") {
        None | Some(Value::Null) => None,
        Some(deadline) => Some(moment(deadline).ok_or("has a deadline that is no time")?),
    };
    Ok(Observed { grant, deadline })
}

/// RFC 3339, or seconds since 1970.
fn moment(value: &Value) -> Option<Timestamp> {
    match value {
        Value::Number(unix) => chrono::DateTime::from_timestamp(unix.as_i64()?, 0),
        Value::String(text) => text
            .parse::<i64>()
            .ok()
            .and_then(|unix| chrono::DateTime::from_timestamp(unix, 0))
            .or_else(|| text.parse().ok()),
        _ => None,
    }
}
