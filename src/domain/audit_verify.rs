//! Checking a record: the first entry that does not fit, a rewritten chain, a tail that was cut off, a
//! beginning that was not removed on record, a text that nobody erased on record.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::audit::{AuditEntry, Head, chain};
use super::segment::{KEEP_MIN, Segment};
use super::timing::Timestamp;

/// What is wrong with a record.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Broken {
    /// An entry does not fit the one before it, or its own body.
    #[error("entry {seq} does not fit: {what}")]
    Entry {
        /// The first that does not fit.
        seq: i64,
        /// Why.
        what: &'static str,
    },
    /// What is kept of a removed segment does not fit.
    #[error("the removed entries {from} to {to} do not fit: {what}")]
    Segment {
        /// Its first entry.
        from: i64,
        /// Its last.
        to: i64,
        /// Why.
        what: &'static str,
    },
    /// A text beside an entry is not there, and no entry says that it was erased.
    #[error("the text beside entry {seq} is gone, and nobody erased it on record")]
    TextGone {
        /// The first such entry.
        seq: i64,
    },
    /// The record is shorter than the head that was kept.
    #[error("entries {from} to {to} are missing: the record was cut off", from = .have + 1, to = .want)]
    CutOff {
        /// Entries that are there.
        have: i64,
        /// Entries that the head counts.
        want: i64,
    },
    /// The record is consistent in itself but not the one that the head belongs to.
    #[error("entry {seq} is not the one that the head names: the record was rewritten")]
    Rewritten {
        /// The entry that the head names.
        seq: i64,
    },
    /// The head names an entry inside a segment that was removed: it can't be compared.
    #[error(
        "entry {seq} can't be compared: it was removed with entries {from} to {to}, of which the last one's head is kept. Compare a head that counts {}{to}, or one of an entry that is still there",
        before(.from)
    )]
    HeadRemoved {
        /// The entry that the head names.
        seq: i64,
        /// The first entry of its segment.
        from: i64,
        /// The last.
        to: i64,
    },
}

fn before(from: &i64) -> String {
    match from - 1 {
        0 => String::new(),
        before => format!("{before} or "),
    }
}

/// A record in which everything fits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified {
    /// Its end.
    pub head: Head,
    /// What was removed from its beginning.
    pub removed: Option<RemovedEntries>,
    /// When the first entry that is there was made.
    pub begins: Option<Timestamp>,
    /// Texts beside entries that are there which were erased, and by how many erasures.
    pub erased: (usize, usize),
}

/// Entries that are no longer there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RemovedEntries {
    /// How many.
    pub count: i64,
    /// When the first was made.
    pub first_at: Timestamp,
    /// When the last was made.
    pub last_at: Timestamp,
}

impl RemovedEntries {
    /// What these segments were.
    #[must_use]
    pub fn of(segments: &[Segment]) -> Option<Self> {
        let (first, last) = segments.first().zip(segments.last())?;
        Some(Self {
            count: last.to.count,
            first_at: first.first_at,
            last_at: last.last_at,
        })
    }
}

/// Checks entries one after the other.
#[derive(Debug)]
pub struct Verifier {
    at: Head,
    expected: Option<Head>,
    removed: Option<RemovedEntries>,
    /// Entries before this one are no longer there.
    begin: i64,
    /// When the entry of that number was made.
    begins: Option<Timestamp>,
    /// By the entry that must tell of it: a removed segment that none has told of yet.
    untold: BTreeMap<i64, Segment>,
    /// Entries whose text is not there, and of which none has said yet that it was erased.
    gone: BTreeSet<i64>,
    erased: (usize, usize),
    /// The head can't be compared: the segment that it lies in was removed.
    out_of_reach: Option<Broken>,
}

impl Verifier {
    /// Starts before the first entry of all; compares with a head that was kept elsewhere, if there is
    /// one.
    #[must_use]
    pub fn new(expected: Option<Head>) -> Self {
        Self {
            at: Head::empty(),
            expected,
            removed: None,
            begin: 1,
            begins: None,
            untold: BTreeMap::new(),
            gone: BTreeSet::new(),
            erased: (0, 0),
            out_of_reach: None,
        }
    }

    /// Starts after these removed segments, oldest first.
    ///
    /// # Errors
    /// [`Broken`] for the first segment that does not fit the one before it, or the head.
    pub fn after(segments: &[Segment], expected: Option<Head>) -> Result<Self, Broken> {
        let mut verifier = Self::new(expected);
        let mut last: Option<&Segment> = None;
        for segment in segments {
            let wrong = |what| {
                Err(Broken::Segment {
                    from: segment.from,
                    to: segment.to.count,
                    what,
                })
            };
            if segment.from != verifier.at.count + 1 || segment.to.count < segment.from {
                return wrong("they do not follow the ones removed before");
            }
            if segment.prev != verifier.at.hash {
                return wrong("they name another entry before them");
            }
            if segment.seal != segment.sealed(last) || segment.entry <= segment.to.count {
                return wrong("what is kept of them was changed");
            }
            let earliest = last.map_or(segment.first_at, |last| last.last_at);
            if segment.first_at < earliest || segment.last_at < segment.first_at {
                return wrong("their moments do not follow those of the ones removed before");
            }
            if let Some(expected) = &verifier.expected {
                let within = (segment.from..segment.to.count).contains(&expected.count);
                if within {
                    verifier.out_of_reach = Some(Broken::HeadRemoved {
                        seq: expected.count,
                        from: segment.from,
                        to: segment.to.count,
                    });
                }
                if expected.count == segment.to.count && expected.hash != segment.to.hash {
                    return Err(Broken::Rewritten {
                        seq: expected.count,
                    });
                }
            }
            verifier.untold.insert(segment.entry, segment.clone());
            verifier.at = segment.to.clone();
            last = Some(segment);
        }
        verifier.begin = verifier.at.count + 1;
        // Who told of these was removed since: the seal of the newest vouches for them.
        verifier.untold = verifier.untold.split_off(&verifier.begin);
        verifier.removed = RemovedEntries::of(segments);
        Ok(verifier)
    }

    /// Takes the next entry.
    ///
    /// # Errors
    /// [`Broken`] for the first entry that does not fit.
    pub fn take(&mut self, entry: &AuditEntry) -> Result<(), Broken> {
        let seq = self.at.count + 1;
        let wrong = |what| Err(Broken::Entry { seq, what });
        if entry.seq != seq {
            return wrong("its number is not the next one");
        }
        if entry.prev != self.at.hash {
            return wrong("it names another entry before it");
        }
        if entry.hash != chain(&entry.prev, &entry.body) {
            return wrong("its body was changed");
        }
        let Ok(body) = serde_json::from_str::<Value>(&entry.body) else {
            return wrong("its body can't be read");
        };
        if body["seq"] != entry.seq {
            return wrong("its body has another number");
        }
        let at = body["at"].as_i64();
        let at = at.and_then(chrono::DateTime::from_timestamp_millis);
        if seq == self.begin {
            self.begins = at;
            if self
                .removed
                .is_some_and(|removed| at < Some(removed.last_at))
            {
                return wrong("it is older than what was removed before it");
            }
        }
        match &entry.text {
            Some(text) if body["text_hash"] != text.hash().0 => {
                return wrong("the text beside it was changed");
            }
            None if !body["text_hash"].is_null() => {
                self.gone.insert(seq);
            }
            _ => {}
        }
        let told = match body["kind"].as_str() {
            Some("segment_removed") => self.removal(seq, at, &body["facts"]),
            Some("erased") => self.erasure(&body["facts"]),
            _ => Ok(()),
        };
        if let Err(what) = told {
            return wrong(what);
        }
        self.at = Head {
            count: entry.seq,
            hash: entry.hash.clone(),
        };
        if let Some(expected) = &self.expected
            && expected.count == entry.seq
            && expected.hash != entry.hash
        {
            return Err(Broken::Rewritten { seq: entry.seq });
        }
        Ok(())
    }

    fn removal(
        &mut self,
        seq: i64,
        at: Option<Timestamp>,
        facts: &Value,
    ) -> Result<(), &'static str> {
        match self.untold.remove(&seq) {
            // Whoever writes into the database can make a row, its seal and this entry; but not that
            // what they want to hide was old.
            Some(segment) if at.is_none_or(|at| at - segment.last_at < KEEP_MIN) => {
                Err("it tells that entries were removed that were younger than any record is kept")
            }
            Some(segment) if segment.is_told_by(facts) => Ok(()),
            Some(_) => Err("it tells of another removal than what is kept of it"),
            None => Err("it tells of a removal of which nothing is kept"),
        }
    }

    fn erasure(&mut self, facts: &Value) -> Result<(), &'static str> {
        let ranges: Vec<(i64, i64)> = serde_json::from_value(facts["entries"].clone())
            .map_err(|_| "what it says was erased can't be read")?;
        self.erased.1 += 1;
        for (from, to) in ranges {
            if to > self.at.count {
                return Err("it tells of texts that come after it");
            }
            for seq in from.max(self.begin)..=to {
                if !self.gone.remove(&seq) {
                    return Err("it tells that a text was erased that is there, or never was");
                }
                self.erased.0 += 1;
            }
        }
        Ok(())
    }

    /// After the last entry.
    ///
    /// # Errors
    /// [`Broken`]: entries are missing at the end, nobody tells of a removal or of an erasure, or the
    /// head can't be compared.
    pub fn finish(self) -> Result<Verified, Broken> {
        if let Some(segment) = self.untold.values().next() {
            return Err(Broken::Segment {
                from: segment.from,
                to: segment.to.count,
                what: "no entry of the record tells of their removal",
            });
        }
        if let Some(&seq) = self.gone.first() {
            return Err(Broken::TextGone { seq });
        }
        if let Some(broken) = self.out_of_reach {
            return Err(broken);
        }
        match self.expected {
            Some(expected) if expected.count > self.at.count => Err(Broken::CutOff {
                have: self.at.count,
                want: expected.count,
            }),
            _ => Ok(Verified {
                head: self.at,
                removed: self.removed,
                begins: self.begins,
                erased: self.erased,
            }),
        }
    }
}

#[cfg(test)]
mod tests;
