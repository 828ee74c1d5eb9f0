//! Lanes that must wait as a whole, because a platform or a target said so.

use std::collections::HashMap;

use crate::domain::job::Lane;
use crate::domain::timing::{Timestamp, seconds};

/// The shortest and the longest pause, in seconds: a target may slow us down, not stop us.
const PAUSE_S: (i64, i64) = (1, 300);

/// Which lanes wait, and until when.
#[derive(Debug, Default)]
pub(super) struct Pauses {
    until: HashMap<Lane, Timestamp>,
}

impl Pauses {
    /// Pauses a lane; a longer pause that holds already stays.
    pub(super) fn pause(&mut self, lane: &Lane, after_s: Option<i64>, now: Timestamp) {
        let wait_s = after_s.unwrap_or(0).clamp(PAUSE_S.0, PAUSE_S.1);
        let until = now + seconds(wait_s);
        let held = self.until.entry(lane.clone()).or_insert(until);
        *held = until.max(*held);
    }

    /// The lanes that wait now; others are forgotten.
    pub(super) fn now(&mut self, now: Timestamp) -> Vec<Lane> {
        self.until.retain(|_, until| *until > now);
        self.until.keys().cloned().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lane_waits_as_long_as_was_said_within_bounds() {
        let at = |s| Timestamp::from_timestamp(s, 0).unwrap();
        let lane = Lane::engine();
        for (after_s, waits_s) in [(None, 1), (Some(-5), 1), (Some(30), 30), (Some(9_999), 300)] {
            let mut pauses = Pauses::default();
            pauses.pause(&lane, after_s, at(0));
            assert_eq!(
                pauses.now(at(waits_s - 1)),
                std::slice::from_ref(&lane),
                "{after_s:?}"
            );
            assert_eq!(pauses.now(at(waits_s)), [], "{after_s:?}");
        }
        let mut pauses = Pauses::default();
        pauses.pause(&lane, Some(30), at(0));
        pauses.pause(&lane, Some(2), at(0));
        assert_eq!(
            pauses.now(at(29)),
            [lane],
            "a shorter pause ended a longer one"
        );
    }
}
