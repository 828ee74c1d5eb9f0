//! Time that goes on evenly, whatever happens to the machine's clock.
//!
//! Deadlines are lengths of time, so a clock that is set back must not lengthen an access, and none
//! that was wrong for a moment may stop time afterwards.

use chrono::TimeDelta;

use super::timing::Timestamp;

/// The clocks part when the machine's moves by more than this against elapsed time.
const PARTED_BY: TimeDelta = TimeDelta::seconds(60);

/// So long after the last jump the machine's clock counts as set. Time servers need a few minutes.
const CALM_AFTER: TimeDelta = TimeDelta::minutes(10);

/// The machine's clock was set anew.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Jump {
    /// When, by the engine's time; names the jump.
    pub at: Timestamp,
    /// By how much; negative when it was set back.
    pub by: TimeDelta,
}

/// The engine's time, made of the machine's and of elapsed time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Steady {
    machine: Timestamp,
    now: Timestamp,
    jump: Option<Jump>,
    calm: TimeDelta,
}

impl Steady {
    /// Begins at the machine's time.
    #[must_use]
    pub const fn at(machine: Timestamp) -> Self {
        Self {
            machine,
            now: machine,
            jump: None,
            calm: TimeDelta::zero(),
        }
    }

    /// So much time has passed by the clock that nobody can set, and the machine's now says this.
    ///
    /// A jump ahead is followed, so that nothing outlives a deadline while a machine slept. A jump
    /// back is not: time goes on from where it was, as fast as it passes.
    pub fn go_on(&mut self, machine: Timestamp, elapsed: TimeDelta) {
        let by = machine - (self.machine + elapsed);
        self.calm += elapsed;
        if by.abs() > PARTED_BY {
            self.jump = Some(Jump { at: self.now, by });
            self.calm = TimeDelta::zero();
        } else if self.calm > CALM_AFTER {
            self.jump = None;
        }
        let gone_on = self.now + elapsed;
        self.now = if gone_on - machine > PARTED_BY {
            gone_on
        } else {
            self.now.max(machine)
        };
        self.machine = machine;
    }

    /// The engine's time. Never goes back.
    #[must_use]
    pub const fn now(&self) -> Timestamp {
        self.now
    }

    /// The last jump, while it is not long ago.
    #[must_use]
    pub const fn jump(&self) -> Option<Jump> {
        self.jump
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(s: i64) -> Timestamp {
        Timestamp::from_timestamp(1_800_000_000 + s, 0).unwrap()
    }

    /// Goes through (elapsed, machine), in seconds, and says the engine's time and the jump each time.
    fn through(steps: &[(i64, i64)]) -> Vec<(i64, Option<i64>)> {
        let mut steady = Steady::at(at(0));
        let say = |steady: &Steady| {
            let jump = steady.jump().map(|jump| jump.by.num_seconds());
            ((steady.now() - at(0)).num_seconds(), jump)
        };
        steps
            .iter()
            .map(|(elapsed, machine)| {
                steady.go_on(at(*machine), TimeDelta::seconds(*elapsed));
                say(&steady)
            })
            .collect()
    }

    #[test]
    fn ordinary_time_is_the_machines() {
        assert_eq!(
            through(&[(1, 1), (10, 12), (10, 20), (600, 620)]),
            [(1, None), (12, None), (20, None), (620, None)]
        );
    }

    #[test]
    fn a_clock_that_was_ahead_for_a_moment_does_not_stop_time() {
        let day = 86_400;
        assert_eq!(
            through(&[(1, day), (1, 2), (60, 62), (500, 562), (100, 662)]),
            [
                (day, Some(day - 1)),
                (day + 1, Some(1 - day)),
                (day + 61, Some(1 - day)),
                (day + 561, Some(1 - day)),
                (day + 661, None),
            ]
        );
    }

    #[test]
    fn a_clock_that_is_set_back_lengthens_nothing() {
        assert_eq!(
            through(&[(100, 100), (1, -3_500), (59, -3_441)]),
            [(100, None), (101, Some(-3_601)), (160, Some(-3_601))]
        );
        // A little is waited out.
        assert_eq!(through(&[(100, 100), (1, 70)]), [(100, None), (100, None)]);
    }

    #[test]
    fn a_machine_that_slept_catches_up_at_once() {
        assert_eq!(through(&[(1, 28_800)]), [(28_800, Some(28_799))]);
    }
}
