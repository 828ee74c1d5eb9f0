//! How long: from what was asked for to seconds, and to the moment that was named.

use chrono::{NaiveDate, NaiveTime, TimeDelta, TimeZone};

use super::model::{Policy, Resource};
use crate::domain::command::WantedEnd;
use crate::domain::person::Identity;
use crate::domain::refusal::Refusal;
use crate::domain::timing::Timestamp;

/// Seconds of what was asked for, and the moment where one was named.
pub(super) fn wanted_duration(
    policy: &Policy,
    resource: &Resource,
    identity: &Identity,
    end: WantedEnd,
    now: Timestamp,
) -> Result<(i64, Option<Timestamp>), Refusal> {
    match end {
        WantedEnd::Default => Ok((resource.default_s, None)),
        WantedEnd::After(s) => Ok((s, None)),
        WantedEnd::Until(time) => {
            let zone = zone_of(policy, resource, identity);
            let until = next_time_of_day(zone, time, now).ok_or(Refusal::NotInTheFuture)?;
            Ok(((until - now).num_seconds(), Some(until)))
        }
    }
}

/// The zone in which this person means a time of day.
pub(super) fn zone_of(policy: &Policy, resource: &Resource, identity: &Identity) -> chrono_tz::Tz {
    identity
        .person
        .as_ref()
        .and_then(|person| policy.people.get(person))
        .and_then(|person| person.time_zone)
        .or(resource.time_zone)
        .unwrap_or(chrono_tz::UTC)
}

/// The next instant at which clocks in `zone` show `time`; a time that spring skips has none that
/// day, one that autumn doubles is the first of both that has not passed.
pub(super) fn next_time_of_day(
    zone: chrono_tz::Tz,
    time: NaiveTime,
    now: Timestamp,
) -> Option<Timestamp> {
    let today = now.with_timezone(&zone).date_naive();
    let shown = |day: NaiveDate| {
        let moments = zone.from_local_datetime(&day.and_time(time));
        [moments.earliest(), moments.latest()]
    };
    // Tomorrow may skip it, and the day after does not.
    today
        .iter_days()
        .take(3)
        .flat_map(shown)
        .flatten()
        .map(|moment| moment.to_utc())
        .find(|moment| *moment > now)
}

/// Seconds, rounded up.
pub(super) fn whole_seconds(length: TimeDelta) -> i64 {
    (length.num_milliseconds() + 999).div_euclid(1_000)
}
