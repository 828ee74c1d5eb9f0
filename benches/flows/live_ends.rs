//! How grants ended that were there before the bot started, as numbers. Pure.

use serde::Serialize;

use super::tally::{Spread, spread};

/// Moments that are closer together than this count as one: as many ends are in flight together as the lane
/// takes, and they are confirmed in whichever order the target answers.
const TOLERANCE_US: i64 = 1_000_000;

/// One grant: both moments in microseconds from one beginning.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Due {
    /// When it must have ended.
    pub deadline_us: i64,
    /// When the target confirmed that it had.
    pub ended_us: Option<i64>,
}

/// What came of them.
#[derive(Debug, Clone, Serialize)]
pub struct Ends {
    /// How many were due.
    pub due: usize,
    /// Of those, how many ends the target confirmed.
    pub ended: usize,
    /// Ended more than a second before their deadline.
    pub early: usize,
    /// Confirmed more than a second after one whose deadline was more than a second later.
    pub out_of_order: usize,
    /// Deadline until the target confirmed the end; what did not end counts as the whole wait.
    pub lag: Option<Spread>,
    /// Seconds from the beginning until the last of those ends that came.
    pub took_s: f64,
    /// Ends a second over that time.
    pub per_s: f64,
}

impl Ends {
    /// Counts. The beginning is where moments count from, `wait_us` how long an end was waited for after
    /// its deadline.
    #[must_use]
    pub fn of(due: &[Due], wait_us: i64) -> Self {
        let mut ends: Vec<(i64, i64)> = due
            .iter()
            .filter_map(|one| Some((one.ended_us?, one.deadline_us)))
            .collect();
        ends.sort_unstable();
        let late = |one: &Due| one.ended_us.map(|ended_us| ended_us - one.deadline_us);
        let lag = due.iter().map(|one| late(one).unwrap_or(wait_us)).collect();
        let early = due.iter().filter_map(late);
        let last_us = ends.last().map_or(0, |(ended_us, _)| *ended_us).max(0);
        #[expect(clippy::cast_precision_loss, reason = "some minutes, some thousands")]
        let (count, took_s) = (ends.len() as f64, last_us as f64 / 1e6);
        Self {
            due: due.len(),
            ended: ends.len(),
            early: early.filter(|lag_us| *lag_us < -TOLERANCE_US).count(),
            out_of_order: out_of_order(&ends),
            lag: spread(lag),
            took_s,
            per_s: if took_s > 0.0 { count / took_s } else { 0.0 },
        }
    }

    /// Those that were due and whose end nobody confirmed.
    #[must_use]
    pub const fn forgotten(&self) -> usize {
        self.due - self.ended
    }
}

/// Of ends and their deadlines, in the order of the ends: how many came too late for their place.
fn out_of_order(ends: &[(i64, i64)]) -> usize {
    let mut before = ends.iter().peekable();
    let mut latest = i64::MIN;
    let mut count = 0;
    for (ended_us, deadline_us) in ends {
        while let Some((_, deadline_us)) = before.next_if(|(at, _)| ended_us - at > TOLERANCE_US) {
            latest = latest.max(*deadline_us);
        }
        if latest.saturating_sub(*deadline_us) > TOLERANCE_US {
            count += 1;
        }
    }
    count
}
