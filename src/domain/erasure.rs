//! Erasing what is personal about an account: what goes, and what the record says of it.

use super::audit::{AuditDraft, AuditKind};
use super::ids::AccountId;

/// The most texts that one entry of the record tells of.
pub const TEXTS_MAX: usize = 1_000;

/// What goes beside the texts of the record.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PersonalRows {
    /// Reasons that stand with requests.
    pub reasons: i64,
    /// Words with which somebody denied or took away access.
    pub whys: i64,
    /// Public keys that were given in chat.
    pub keys: i64,
    /// What a platform told of the account: whether it is there, its zone, its groups.
    pub known: i64,
    /// Answers that are kept so that a repeated event gets the same.
    pub answers: i64,
    /// Messages that wait or were given up.
    pub messages: i64,
}

impl PersonalRows {
    /// With these too.
    #[must_use]
    pub const fn and(&self, more: &Self) -> Self {
        Self {
            reasons: self.reasons + more.reasons,
            whys: self.whys + more.whys,
            keys: self.keys + more.keys,
            known: self.known + more.known,
            answers: self.answers + more.answers,
            messages: self.messages + more.messages,
        }
    }

    /// Each with its word.
    #[must_use]
    pub const fn each(&self) -> [(&'static str, i64); 6] {
        [
            ("reasons", self.reasons),
            ("whys", self.whys),
            ("keys", self.keys),
            ("known", self.known),
            ("answers", self.answers),
            ("messages", self.messages),
        ]
    }
}

/// Numbers in rising order as ranges, both ends included.
#[must_use]
pub fn ranges(numbers: &[i64]) -> Vec<(i64, i64)> {
    let mut ranges: Vec<(i64, i64)> = Vec::new();
    for &number in numbers {
        match ranges.last_mut() {
            Some((_, to)) if *to + 1 == number => *to = number,
            _ => ranges.push((number, number)),
        }
    }
    ranges
}

/// The entry about an erasure: whose, which entries lost their text, and how many rows went beside it;
/// never what stood there. The operator does it at the machine, so it has no actor.
#[must_use]
pub fn told(of: &AccountId, texts: &[i64], rows: &PersonalRows) -> AuditDraft {
    let ranges = ranges(texts).into_iter();
    let entries: Vec<serde_json::Value> = ranges.map(|(from, to)| [from, to].into()).collect();
    let mut draft = AuditDraft::new(AuditKind::Erased)
        .fact("by", "operator")
        .fact("of", of.as_str())
        .fact("texts", texts.len())
        .fact("entries", entries);
    for (word, count) in rows.each() {
        if count > 0 {
            draft = draft.fact(word, count);
        }
    }
    draft
}

#[cfg(test)]
mod tests {
    use super::ranges;

    #[test]
    fn numbers_become_the_fewest_ranges() {
        assert_eq!(ranges(&[]), []);
        assert_eq!(ranges(&[1]), [(1, 1)]);
        assert_eq!(ranges(&[1, 2, 4, 6, 7, 8]), [(1, 2), (4, 4), (6, 8)]);
    }
}
