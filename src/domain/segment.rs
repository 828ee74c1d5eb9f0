//! Segments of the record that are no longer there: what is kept of each is its head.
//!
//! The rows of removed segments form a chain of their own. Each has a seal over itself and the seal
//! before it, and the entry that tells of its removal holds that seal; so the newest such entry, which
//! is never removed before another follows, vouches for every head that was ever kept.

use chrono::TimeDelta;
use serde_json::{Map, Value};

use super::audit::{AuditDraft, AuditKind, Head};
use super::ids::RequestId;
use super::spec::ContentHash;
use super::timing::Timestamp;

/// The shortest time for which the record may be kept. A removal of anything younger is none of ours,
/// whatever the config says.
pub const KEEP_MIN: TimeDelta = TimeDelta::days(30);

/// The most entries that are removed at once: every answer waits for it. What a digest covers beyond
/// that is several segments.
pub const ENTRIES_MAX: i64 = 1_000;

/// What is kept of a removed segment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Segment {
    /// Its first entry.
    pub from: i64,
    /// Its last entry, and that one's hash.
    pub to: Head,
    /// The hash that its first entry names before it.
    pub prev: ContentHash,
    /// When its first entry was made.
    pub first_at: Timestamp,
    /// When its last entry was made.
    pub last_at: Timestamp,
    /// The entry that tells of its removal.
    pub entry: i64,
    /// Binds it to the segments before it.
    pub seal: ContentHash,
}

/// The oldest segment that is there, as far as it is old enough.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OldSegment {
    /// Its first entry.
    pub from: i64,
    /// Its last entry, and that one's hash.
    pub to: Head,
    /// The hash that its first entry names before it.
    pub prev: ContentHash,
    /// When its first entry was made.
    pub first_at: Timestamp,
    /// When its last entry was made.
    pub last_at: Timestamp,
    /// What it must stay for.
    pub needed_by: Option<NeededBy>,
}

/// What a segment must stay for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NeededBy {
    /// A request that is open, or whose access is not over, or either is not over for long enough.
    Request(RequestId),
    /// A job that waits is about something in it.
    Job(
        /// The job's key.
        String,
    ),
}

impl std::fmt::Display for NeededBy {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Request(id) => write!(f, "request {id} is not over for long enough"),
            Self::Job(key) => write!(f, "the job {key} waits"),
        }
    }
}

impl OldSegment {
    /// The segment as it is kept after `before`, once entry `entry` tells of it.
    #[must_use]
    pub fn removed(self, before: Option<&Segment>, entry: i64) -> Segment {
        let mut segment = Segment {
            from: self.from,
            to: self.to,
            prev: self.prev,
            first_at: self.first_at,
            last_at: self.last_at,
            entry,
            seal: ContentHash::of(b""),
        };
        segment.seal = segment.sealed(before);
        segment
    }
}

impl Segment {
    /// The seal that it must have after `before`.
    #[must_use]
    pub fn sealed(&self, before: Option<&Self>) -> ContentHash {
        let text = format!(
            "{}\n{}\n{}\n{}\n{}\n{}\n{}\n{}",
            before.map_or("", |before| before.seal.0.as_str()),
            self.from,
            self.to.count,
            self.prev,
            self.to.hash,
            self.first_at.timestamp_millis(),
            self.last_at.timestamp_millis(),
            self.entry,
        );
        ContentHash::of(text.as_bytes())
    }

    /// What the entry about its removal says.
    #[must_use]
    pub fn facts(&self) -> Map<String, Value> {
        [
            ("from", Value::from(self.from)),
            ("head", self.to.to_string().into()),
            ("first_at", self.first_at.timestamp_millis().into()),
            ("last_at", self.last_at.timestamp_millis().into()),
            ("seal", self.seal.0.as_str().into()),
        ]
        .into_iter()
        .map(|(key, value)| (key.to_owned(), value))
        .collect()
    }

    /// The entry about its removal. `handed_on` is what the config that was taken up last said beside its
    /// policy, if nothing that is still there says it anew.
    #[must_use]
    pub fn told(&self, handed_on: Map<String, Value>) -> AuditDraft {
        let mut draft = AuditDraft::new(AuditKind::SegmentRemoved);
        draft.facts = self.facts();
        draft.facts.extend(handed_on);
        draft
    }

    /// Whether an entry's facts are about exactly this removal.
    #[must_use]
    pub fn is_told_by(&self, facts: &Value) -> bool {
        self.facts()
            .iter()
            .all(|(key, value)| facts.get(key) == Some(value))
    }
}
