//! Which jobs of a lane may run beside those that do.

use crate::domain::job::Lane;

/// What of a lane is in flight.
pub(super) struct InFlight {
    pub(super) lane: String,
    pub(super) runs: usize,
    /// Of those, what stands behind ends of access.
    pub(super) behind: usize,
}

/// A lane with room.
pub(super) struct Open {
    pub(super) lane: String,
    pub(super) room: usize,
    /// Something that stands behind ends of access is in flight.
    pub(super) behind_runs: bool,
    /// What stands behind them is looked for first. A lane whose ends are many keeps its last place for it:
    /// who is given access meanwhile must not wait until all of them are over.
    pub(super) behind_first: bool,
}

impl Open {
    pub(super) fn new(lane: String, in_flight: &[InFlight]) -> Self {
        let at_it = in_flight.iter().find(|other| other.lane == lane);
        let max = Lane(lane.clone()).in_flight_max();
        let room = max.saturating_sub(at_it.map_or(0, |at_it| at_it.runs));
        let behind_runs = at_it.is_some_and(|at_it| at_it.behind > 0);
        Self {
            behind_first: max > 1 && room == 1 && !behind_runs,
            lane,
            room,
            behind_runs,
        }
    }

    /// One of it was claimed.
    pub(super) fn smaller(self) -> Self {
        let behind_runs = self.behind_runs || self.behind_first;
        let room = self.room - 1;
        Self {
            behind_first: room == 1 && !behind_runs,
            lane: self.lane,
            room,
            behind_runs,
        }
    }
}
