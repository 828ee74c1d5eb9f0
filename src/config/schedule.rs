//! When something comes round: five-field Unix cron in a time zone.
//!
//! The fields are read here, because the `cron` crate counts the days of the week from Sunday = 1,
//! wants seconds first and demands both days where Unix takes either; it gets plain lists, and
//! searches the calendar. It is asked in local time without a zone, so that what a change of the
//! clocks means is decided here: a time that is skipped runs at the next minute that exists, one
//! that comes twice runs the first time only.

use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, LocalResult, NaiveDateTime, TimeDelta, TimeZone, Timelike, Utc};
use chrono_tz::Tz;

use crate::domain::timing::Timestamp;

/// The longest stretch that a zone ever skipped is a day; twice that, in minutes.
const SKIPPED_MAX_MIN: i64 = 2 * 24 * 60;

/// More candidates than a doubled day has minutes.
const CANDIDATES_MAX: usize = 2 * 24 * 60;

const MONTHS: [&str; 12] = [
    "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec",
];
const DAYS: [&str; 7] = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];

/// Why an expression is no schedule.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what}")]
pub struct BadSchedule {
    /// What is wrong with it.
    pub what: String,
    /// What to write instead.
    pub hint: String,
}

impl BadSchedule {
    fn new(what: impl Into<String>, hint: impl Into<String>) -> Self {
        Self {
            what: what.into(),
            hint: hint.into(),
        }
    }
}

struct Field {
    name: &'static str,
    from: u32,
    to: u32,
    names: &'static [&'static str],
}

const FIELDS: [Field; 5] = [
    Field {
        name: "minute",
        from: 0,
        to: 59,
        names: &[],
    },
    Field {
        name: "hour",
        from: 0,
        to: 23,
        names: &[],
    },
    Field {
        name: "day of month",
        from: 1,
        to: 31,
        names: &[],
    },
    Field {
        name: "month",
        from: 1,
        to: 12,
        names: &MONTHS,
    },
    Field {
        name: "day of week",
        from: 0,
        to: 7,
        names: &DAYS,
    },
];

/// A schedule in a time zone.
#[derive(Debug, Clone)]
pub struct Schedule {
    text: String,
    zone: Tz,
    calendar: cron::Schedule,
}

impl PartialEq for Schedule {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text && self.zone == other.zone
    }
}

impl Eq for Schedule {}

impl fmt::Display for Schedule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.text, self.zone.name())
    }
}

impl Schedule {
    /// Reads `minute hour day-of-month month day-of-week` as crontab(5) describes it: numbers, `*`,
    /// ranges, lists, steps, English names of months and days in three letters; 0 and 7 are Sunday.
    ///
    /// # Errors
    /// [`BadSchedule`] for everything else, for an expression that limits both days, and for one
    /// that never comes, like the 30th of February.
    pub fn parse(text: &str, zone: Tz) -> Result<Self, BadSchedule> {
        let fields: Vec<&str> = text.split_ascii_whitespace().collect();
        let [minute, hour, day, month, weekday] = fields[..] else {
            return Err(BadSchedule::new(
                format!("it has {} fields instead of 5", fields.len()),
                "Write minute, hour, day of month, month and day of week, like `0 9 * * *` for nine in the morning.",
            ));
        };
        let mut lists = Vec::with_capacity(5);
        for (field, text) in FIELDS.iter().zip([minute, hour, day, month, weekday]) {
            lists.push(read_field(field, text)?);
        }
        if day != "*" && weekday != "*" {
            return Err(BadSchedule::new(
                "it limits both the day of month and the day of week, which crons read in different ways",
                "Put `*` in one of the two.",
            ));
        }
        let numbers = |list: &[u32]| {
            let texts: Vec<String> = list.iter().map(u32::to_string).collect();
            texts.join(",")
        };
        let weekdays = if weekday == "*" {
            "*".to_owned()
        } else {
            let mut days: Vec<u32> = lists[4].iter().map(|day| day % 7).collect();
            days.sort_unstable();
            days.dedup();
            let names: Vec<&str> = days.iter().map(|&day| DAYS[day as usize]).collect();
            names.join(",")
        };
        let expression = format!(
            "0 {} {} {} {} {weekdays}",
            numbers(&lists[0]),
            numbers(&lists[1]),
            numbers(&lists[2]),
            numbers(&lists[3]),
        );
        let calendar = cron::Schedule::from_str(&expression)
            .map_err(|e| BadSchedule::new(format!("it can't be used: {e}"), ""))?;
        let schedule = Self {
            text: fields.join(" "),
            zone,
            calendar,
        };
        // From a leap year on: what is not found from there comes never.
        if schedule
            .next_after(DateTime::from_timestamp(1_704_067_200, 0).unwrap_or_default())
            .is_none()
        {
            return Err(BadSchedule::new(
                "no such day ever comes",
                "Choose a day that the month has.",
            ));
        }
        Ok(schedule)
    }

    /// The expression as it was written, with single blanks.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The zone in which it is read.
    #[must_use]
    pub const fn zone(&self) -> Tz {
        self.zone
    }

    /// The first time later than `after`; none after the year 2100.
    #[must_use]
    pub fn next_after(&self, after: Timestamp) -> Option<Timestamp> {
        let local = after.with_timezone(&self.zone).naive_local();
        let whole = local.with_nanosecond(0).unwrap_or(local);
        self.calendar
            .after(&whole.and_utc())
            .take(CANDIDATES_MAX)
            .filter_map(|candidate| self.instant(candidate.naive_utc()))
            .find(|&instant| instant > after)
    }

    /// When the clocks of the zone show this, or the next minute that they show at all.
    fn instant(&self, local: NaiveDateTime) -> Option<Timestamp> {
        (0..=SKIPPED_MAX_MIN).find_map(|minutes| {
            let shown = local.checked_add_signed(TimeDelta::minutes(minutes))?;
            match self.zone.from_local_datetime(&shown) {
                LocalResult::Single(at) | LocalResult::Ambiguous(at, _) => {
                    Some(at.with_timezone(&Utc))
                }
                LocalResult::None => None,
            }
        })
    }
}

fn read_field(field: &Field, text: &str) -> Result<Vec<u32>, BadSchedule> {
    let mut list = Vec::new();
    for part in text.split(',') {
        list.extend(read_part(field, part)?);
    }
    list.sort_unstable();
    list.dedup();
    Ok(list)
}

fn read_part(field: &Field, part: &str) -> Result<Vec<u32>, BadSchedule> {
    let bad = |hint: String| {
        let shown: String = part.chars().take(20).collect();
        BadSchedule::new(format!("`{shown}` is no {}", field.name), hint)
    };
    let (range, step) = match part.split_once('/') {
        Some((range, step)) => (range, Some(step)),
        None => (part, None),
    };
    let number = |text: &str| {
        let value = if text.bytes().all(|b| b.is_ascii_digit()) {
            text.parse::<u32>().ok()
        } else {
            let lower = text.to_ascii_lowercase();
            let at = field.names.iter().position(|name| *name == lower);
            at.and_then(|at| u32::try_from(at).ok())
                .map(|at| at + u32::from(field.from == 1))
        };
        value
            .filter(|value| (field.from..=field.to).contains(value))
            .ok_or_else(|| bad(format!("It may be {} to {}.", field.from, field.to)))
    };
    let (first, last) = if range == "*" {
        // 7 is Sunday a second time; counted, `*/2` would mean something else than it says.
        (field.from, if field.to == 7 { 6 } else { field.to })
    } else if let Some((first, last)) = range.split_once('-') {
        (number(first)?, number(last)?)
    } else {
        if step.is_some() {
            return Err(bad(format!(
                "Write a range before the step, like `{}-{}/2`.",
                field.from, field.to
            )));
        }
        let only = number(range)?;
        (only, only)
    };
    if first > last {
        return Err(bad("Write a range from low to high.".to_owned()));
    }
    let step = match step {
        None => 1,
        Some(step) => step
            .bytes()
            .all(|b| b.is_ascii_digit())
            .then(|| step.parse::<usize>().ok())
            .flatten()
            .filter(|&step| step >= 1)
            .ok_or_else(|| bad("A step is a number from 1, like `*/15`.".to_owned()))?,
    };
    Ok((first..=last).step_by(step).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse::<DateTime<chrono::FixedOffset>>()
            .unwrap()
            .with_timezone(&Utc)
    }

    fn times(expression: &str, after: &str, count: usize) -> Vec<String> {
        let schedule = Schedule::parse(expression, chrono_tz::Europe::Berlin).unwrap();
        let mut now = at(after);
        let mut times = Vec::new();
        for _ in 0..count {
            now = schedule.next_after(now).unwrap();
            let local = now.with_timezone(&chrono_tz::Europe::Berlin);
            times.push(local.format("%a %d %b %H:%M%:z").to_string());
        }
        times
    }

    #[test]
    fn ordinary_days_in_berlin() {
        // Tuesday, 24 November 2026.
        let now = "2026-11-24T08:59:59.999+01:00";
        let table: [(&str, &[&str]); 13] = [
            (
                "0 9 * * *",
                &["Tue 24 Nov 09:00+01:00", "Wed 25 Nov 09:00+01:00"],
            ),
            (
                "0 9 * * 1-5",
                &[
                    "Tue 24 Nov 09:00+01:00",
                    "Wed 25 Nov 09:00+01:00",
                    "Thu 26 Nov 09:00+01:00",
                    "Fri 27 Nov 09:00+01:00",
                    "Mon 30 Nov 09:00+01:00",
                ],
            ),
            ("0 9 * * mon-FRI", &["Tue 24 Nov 09:00+01:00"]),
            ("0 9 * * 0", &["Sun 29 Nov 09:00+01:00"]),
            ("0 9 * * 7", &["Sun 29 Nov 09:00+01:00"]),
            ("0 9 * * sun", &["Sun 29 Nov 09:00+01:00"]),
            (
                "0 9 * * 5-7",
                &[
                    "Fri 27 Nov 09:00+01:00",
                    "Sat 28 Nov 09:00+01:00",
                    "Sun 29 Nov 09:00+01:00",
                    "Fri 04 Dec 09:00+01:00",
                ],
            ),
            (
                "0 9 * * */3",
                &[
                    "Wed 25 Nov 09:00+01:00",
                    "Sat 28 Nov 09:00+01:00",
                    "Sun 29 Nov 09:00+01:00",
                ],
            ),
            (
                "*/20 9-10 * * *",
                &[
                    "Tue 24 Nov 09:00+01:00",
                    "Tue 24 Nov 09:20+01:00",
                    "Tue 24 Nov 09:40+01:00",
                    "Tue 24 Nov 10:00+01:00",
                ],
            ),
            (
                "5,10 9 * * *",
                &[
                    "Tue 24 Nov 09:05+01:00",
                    "Tue 24 Nov 09:10+01:00",
                    "Wed 25 Nov 09:05+01:00",
                ],
            ),
            (
                "0 0 31 * *",
                &[
                    "Thu 31 Dec 00:00+01:00",
                    "Sun 31 Jan 00:00+01:00",
                    "Wed 31 Mar 00:00+02:00",
                ],
            ),
            (
                "0  0 1 jan,JUL  *",
                &["Fri 01 Jan 00:00+01:00", "Thu 01 Jul 00:00+02:00"],
            ),
            ("30 8 29 2 *", &["Tue 29 Feb 08:30+01:00"]),
        ];
        for (expression, expected) in table {
            assert_eq!(
                times(expression, now, expected.len()),
                expected,
                "{expression}"
            );
        }
    }

    #[test]
    fn a_time_that_is_due_now_is_not_later_than_now() {
        assert_eq!(
            times("0 9 * * *", "2026-11-24T09:00:00+01:00", 1),
            ["Wed 25 Nov 09:00+01:00"]
        );
        assert_eq!(
            times("0 9 * * *", "2026-11-24T09:00:00.001+01:00", 1),
            ["Wed 25 Nov 09:00+01:00"]
        );
    }

    #[test]
    fn a_time_that_spring_skips_runs_at_the_next_minute_once() {
        // On 29 March 2026 the clocks go from 02:00 to 03:00.
        let now = "2026-03-28T12:00:00+01:00";
        let table: [(&str, &[&str]); 4] = [
            (
                "30 2 * * *",
                &["Sun 29 Mar 03:00+02:00", "Mon 30 Mar 02:30+02:00"],
            ),
            (
                "*/20 2 * * *",
                &["Sun 29 Mar 03:00+02:00", "Mon 30 Mar 02:00+02:00"],
            ),
            (
                "0 2,3 * * *",
                &[
                    "Sun 29 Mar 03:00+02:00",
                    "Mon 30 Mar 02:00+02:00",
                    "Mon 30 Mar 03:00+02:00",
                ],
            ),
            (
                "0 1,4 * * 0",
                &[
                    "Sun 29 Mar 01:00+01:00",
                    "Sun 29 Mar 04:00+02:00",
                    "Sun 05 Apr 01:00+02:00",
                ],
            ),
        ];
        for (expression, expected) in table {
            assert_eq!(
                times(expression, now, expected.len()),
                expected,
                "{expression}"
            );
        }
        assert_eq!(
            times("15 * * * *", "2026-03-29T01:20:00+01:00", 3),
            [
                "Sun 29 Mar 03:00+02:00",
                "Sun 29 Mar 03:15+02:00",
                "Sun 29 Mar 04:15+02:00"
            ]
        );
    }

    #[test]
    fn a_time_that_autumn_doubles_runs_the_first_time_only() {
        // On 25 October 2026 the clocks go from 03:00 back to 02:00.
        let now = "2026-10-24T12:00:00+02:00";
        assert_eq!(
            times("30 2 * * *", now, 2),
            ["Sun 25 Oct 02:30+02:00", "Mon 26 Oct 02:30+01:00"]
        );
        assert_eq!(
            times("0 * * * *", "2026-10-25T01:30:00+02:00", 2),
            ["Sun 25 Oct 02:00+02:00", "Sun 25 Oct 03:00+01:00"]
        );
        // Started between the two: the first has passed, the second does not count.
        assert_eq!(
            times("30 2 * * *", "2026-10-25T02:10:00+01:00", 1),
            ["Mon 26 Oct 02:30+01:00"]
        );
        assert_eq!(
            times("* * * * *", "2026-10-25T02:10:00+01:00", 1),
            ["Sun 25 Oct 03:00+01:00"]
        );
    }

    #[test]
    fn everything_else_is_refused_with_a_hint() {
        for (expression, what) in [
            ("", "it has 0 fields instead of 5"),
            ("0 9 * *", "it has 4 fields instead of 5"),
            ("0 0 9 * * *", "it has 6 fields instead of 5"),
            ("@daily", "it has 1 fields instead of 5"),
            ("60 9 * * *", "`60` is no minute"),
            ("0 24 * * *", "`24` is no hour"),
            ("0 9 0 * *", "`0` is no day of month"),
            ("0 9 32 * *", "`32` is no day of month"),
            ("0 9 * 0 *", "`0` is no month"),
            ("0 9 * 13 *", "`13` is no month"),
            ("0 9 * * 8", "`8` is no day of week"),
            ("0 9 * * funday", "`funday` is no day of week"),
            ("0 9 * * 6-1", "`6-1` is no day of week"),
            ("0 9 L * *", "`L` is no day of month"),
            ("0 9 ? * *", "`?` is no day of month"),
            ("mon 9 * * *", "`mon` is no minute"),
            ("*/0 9 * * *", "`*/0` is no minute"),
            ("*/+5 9 * * *", "`*/+5` is no minute"),
            ("5/10 9 * * *", "`5/10` is no minute"),
            ("1,,2 9 * * *", "`` is no minute"),
            ("-1 9 * * *", "`-1` is no minute"),
            ("+1 9 * * *", "`+1` is no minute"),
            ("0 9 30 2 *", "no such day ever comes"),
            (
                "0 9 1 * 1",
                "it limits both the day of month and the day of week, which crons read in different ways",
            ),
            (
                "0 9 */2 * */2",
                "it limits both the day of month and the day of week, which crons read in different ways",
            ),
        ] {
            let bad = Schedule::parse(expression, chrono_tz::UTC).unwrap_err();
            assert_eq!(bad.what, what, "{expression}");
            assert!(!bad.hint.is_empty(), "{expression}");
        }
    }
}
