//! Instants and lengths of time, and the rules that compute one from the other.

use chrono::{DateTime, TimeDelta, Utc};

/// An instant, in whole milliseconds.
pub type Timestamp = DateTime<Utc>;

/// The longest duration that anything may have: 366 days, in seconds.
pub const DURATION_MAX_S: i64 = 366 * 24 * 3600;

/// Seconds as a length of time; lengths beyond [`DURATION_MAX_S`] are cut to it.
#[must_use]
pub fn seconds(s: i64) -> TimeDelta {
    TimeDelta::seconds(s.clamp(-DURATION_MAX_S, DURATION_MAX_S))
}

/// The latest moment that an access approved now can ever end.
#[must_use]
pub fn end_by(planned_start: Timestamp, activation_s: i64, duration_s: i64) -> Timestamp {
    planned_start + seconds(activation_s) + seconds(duration_s)
}

/// The deadline that the first issue intent sets: a full duration from now, never past `end_by`.
#[must_use]
pub fn deadline(now: Timestamp, duration_s: i64, end_by: Timestamp) -> Timestamp {
    (now + seconds(duration_s)).min(end_by)
}

/// When to remind before a deadline; none where that moment has passed already.
#[must_use]
pub fn reminders(now: Timestamp, deadline: Timestamp, before_s: &[i64]) -> Vec<(i64, Timestamp)> {
    before_s
        .iter()
        .map(|&s| (s, deadline - seconds(s)))
        .filter(|&(_, at)| at > now)
        .collect()
}

/// The wait before attempt `attempt + 1`, after `attempt` failures: doubled from `base_ms` up to
/// `cap_ms`, then shortened by up to a quarter, so that failures that began together part.
///
/// The shortening is taken from `seed`, not from chance: the same job computes the same wait.
#[must_use]
pub fn backoff(attempt: u32, base_ms: i64, cap_ms: i64, seed: u64) -> TimeDelta {
    let doubled = base_ms.saturating_mul(1_i64 << attempt.saturating_sub(1).min(30));
    let capped = doubled.clamp(base_ms, cap_ms.max(base_ms));
    let mixed = (seed ^ u64::from(attempt)).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 40;
    let shorten = capped / 4 * i64::try_from(mixed % 1000).unwrap_or(0) / 1000;
    TimeDelta::milliseconds(capped - shorten)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(s: i64) -> Timestamp {
        DateTime::from_timestamp(s, 0).unwrap()
    }

    #[test]
    fn a_deadline_is_a_full_duration_from_the_start_but_never_past_the_end() {
        let end = end_by(at(0), 600, 3600);
        assert_eq!(end, at(4200));
        assert_eq!(deadline(at(0), 3600, end), at(3600));
        assert_eq!(deadline(at(599), 3600, end), at(4199));
        assert_eq!(deadline(at(2000), 3600, end), at(4200));
    }

    #[test]
    fn a_reminder_that_would_be_in_the_past_is_left_out() {
        assert_eq!(
            reminders(at(0), at(600), &[60, 600, 900]),
            vec![(60, at(540))]
        );
    }

    #[test]
    fn waits_double_to_a_cap_and_part() {
        for attempt in 1..200 {
            let wait = backoff(attempt, 1000, 60_000, 7).num_milliseconds();
            let full = (1000_i64 << (attempt - 1).min(20)).min(60_000);
            assert!(
                wait <= full && wait >= full * 3 / 4,
                "attempt {attempt}: {wait}"
            );
        }
        assert_ne!(backoff(9, 1000, 60_000, 1), backoff(9, 1000, 60_000, 2));
    }
}
