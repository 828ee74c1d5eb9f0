//! Checking a record: the first entry that does not fit, a rewritten chain, a tail that was cut off.

use super::audit::{AuditEntry, Head, chain};

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
}

/// Checks entries one after the other.
#[derive(Debug)]
pub struct Verifier {
    at: Head,
    expected: Option<Head>,
}

impl Verifier {
    /// Starts before the first entry; compares with a head that was kept elsewhere, if there is one.
    #[must_use]
    pub fn new(expected: Option<Head>) -> Self {
        Self {
            at: Head::empty(),
            expected,
        }
    }

    /// Takes the next entry.
    ///
    /// # Errors
    /// [`Broken`] for the first entry that does not fit.
    pub fn take(&mut self, entry: &AuditEntry) -> Result<(), Broken> {
        let wrong = |what| {
            Err(Broken::Entry {
                seq: self.at.count + 1,
                what,
            })
        };
        if entry.seq != self.at.count + 1 {
            return wrong("its number is not the next one");
        }
        if entry.prev != self.at.hash {
            return wrong("it names another entry before it");
        }
        if entry.hash != chain(&entry.prev, &entry.body) {
            return wrong("its body was changed");
        }
        let Ok(body) = serde_json::from_str::<serde_json::Value>(&entry.body) else {
            return wrong("its body can't be read");
        };
        if body["seq"] != entry.seq {
            return wrong("its body has another number");
        }
        if let Some(text) = &entry.text
            && body["text_hash"] != text.hash().0
        {
            return wrong("the text beside it was changed");
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

    /// After the last entry: the head.
    ///
    /// # Errors
    /// [`Broken::CutOff`] when entries are missing at the end.
    pub fn finish(self) -> Result<Head, Broken> {
        match self.expected {
            Some(expected) if expected.count > self.at.count => Err(Broken::CutOff {
                have: self.at.count,
                want: expected.count,
            }),
            _ => Ok(self.at),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::audit::{AuditDraft, AuditKind, append};
    use chrono::DateTime;

    fn record(n: i64) -> Vec<AuditEntry> {
        let mut head = Head::empty();
        (0..n)
            .map(|i| {
                let draft = AuditDraft::new(AuditKind::Refused)
                    .fact("n", i)
                    .text("because");
                let at = DateTime::from_timestamp(i, 0).unwrap();
                let entry = append(&head, draft, [i as u8; 16], at);
                head = Head {
                    count: entry.seq,
                    hash: entry.hash.clone(),
                };
                entry
            })
            .collect()
    }

    fn verify(entries: &[AuditEntry], head: Option<Head>) -> Result<Head, Broken> {
        let mut verifier = Verifier::new(head);
        for entry in entries {
            verifier.take(entry)?;
        }
        verifier.finish()
    }

    fn head_of(entries: &[AuditEntry]) -> Head {
        verify(entries, None).unwrap()
    }

    #[test]
    fn an_untouched_record_verifies_and_its_head_reads_back() {
        let entries = record(5);
        let head = head_of(&entries);
        assert_eq!(head.to_string().parse(), Ok(head.clone()));
        assert_eq!(verify(&entries, Some(head.clone())), Ok(head));
    }

    #[test]
    fn text_can_be_erased_but_not_changed() {
        let mut entries = record(3);
        let head = head_of(&entries);
        entries[1].text = None;
        assert_eq!(verify(&entries, Some(head)).map(|h| h.count), Ok(3));
        entries[2].text.as_mut().unwrap().text = "another reason".into();
        assert!(matches!(
            verify(&entries, None),
            Err(Broken::Entry { seq: 3, .. })
        ));
    }

    #[test]
    fn the_first_entry_that_does_not_fit_is_named() {
        let mut entries = record(5);
        entries[2].body = entries[2].body.replace("\"n\":2", "\"n\":7");
        assert!(matches!(
            verify(&entries, None),
            Err(Broken::Entry { seq: 3, .. })
        ));
        let mut entries = record(5);
        entries.remove(1);
        assert!(matches!(
            verify(&entries, None),
            Err(Broken::Entry { seq: 2, .. })
        ));
    }

    #[test]
    fn a_head_shows_a_cut_tail_and_a_rewritten_record() {
        let entries = record(5);
        let head = head_of(&entries);
        assert_eq!(
            verify(&entries[..3], Some(head.clone())),
            Err(Broken::CutOff { have: 3, want: 5 })
        );
        assert!(
            verify(&entries[..3], None).is_ok(),
            "nothing to compare with"
        );
        let mut other = Head::empty();
        let rewritten: Vec<AuditEntry> = (0..5)
            .map(|i| {
                let entry = append(
                    &other,
                    AuditDraft::new(AuditKind::Refused).fact("n", i * 2),
                    [0; 16],
                    DateTime::from_timestamp(i, 0).unwrap(),
                );
                other = Head {
                    count: entry.seq,
                    hash: entry.hash.clone(),
                };
                entry
            })
            .collect();
        assert_eq!(
            verify(&rewritten, Some(head)),
            Err(Broken::Rewritten { seq: 5 })
        );
    }
}
