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
mod tests;
