//! What security is told of the record itself: that less of it is kept, or that it does not fit together.

use serde::{Deserialize, Serialize};

use super::timing::Timestamp;

/// Something about the record that security must know.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RecordNews {
    /// It is kept for less time from here on.
    KeptShorter {
        /// For how many days it was kept; none where for ever.
        was_days: Option<i64>,
        /// For how many days it is kept now.
        days: i64,
        /// Before this moment nothing is removed.
        not_before: Timestamp,
    },
    /// What is old can't be removed, since something of it is not as it was made.
    DoesNotFit {
        /// What.
        said: String,
    },
}

impl RecordNews {
    /// The news, if the config that was taken up last kept the record for longer than this one: `was_days`
    /// and `days` are none where for ever.
    #[must_use]
    pub fn if_shorter(
        was_days: Option<i64>,
        days: Option<i64>,
        not_before: Timestamp,
    ) -> Option<Self> {
        let days = days?;
        was_days
            .is_none_or(|was_days| days < was_days)
            .then_some(Self::KeptShorter {
                was_days,
                days,
                not_before,
            })
    }

    /// Its word.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::KeptShorter { .. } => "kept_shorter",
            Self::DoesNotFit { .. } => "does_not_fit",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::RecordNews;

    #[test]
    fn only_less_than_before_is_news() {
        let is_news = |was_days, days| {
            RecordNews::if_shorter(was_days, days, chrono::DateTime::UNIX_EPOCH).is_some()
        };
        for (was_days, days) in [(None, Some(30)), (Some(31), Some(30))] {
            assert!(is_news(was_days, days), "{was_days:?} {days:?}");
        }
        for (was_days, days) in [
            (None, None),
            (Some(30), None),
            (Some(30), Some(30)),
            (Some(30), Some(31)),
        ] {
            assert!(!is_news(was_days, days), "{was_days:?} {days:?}");
        }
    }
}
