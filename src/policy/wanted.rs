//! From what somebody typed to the spec that would be approved.

use chrono::{NaiveDate, NaiveTime, TimeDelta, TimeZone};

use super::keys::{given, is_anothers};
use super::model::{Policy, Resource};
use crate::domain::command::WantedEnd;
use crate::domain::person::Identity;
use crate::domain::refusal::Refusal;
use crate::domain::request::Request;
use crate::domain::spec::{Spec, TargetAccount};
use crate::domain::timing::Timestamp;

/// The shortest access that can be given, in seconds.
const DURATION_MIN_S: i64 = 1;

/// What was asked for, and how many people would have to approve it.
pub(super) fn wanted(
    policy: &Policy,
    resource: &Resource,
    identity: &Identity,
    end: WantedEnd,
    now: Timestamp,
) -> Result<(Spec, i64), Refusal> {
    let (duration_s, until) = wanted_duration(policy, resource, identity, end, now)?;
    if duration_s > resource.max_s {
        return Err(Refusal::TooLong {
            asked_s: duration_s,
            max_s: resource.max_s,
        });
    }
    if duration_s < DURATION_MIN_S {
        return Err(Refusal::TooShort {
            min_s: DURATION_MIN_S,
        });
    }
    let spec = spec_for(policy, resource, identity, duration_s, until)?;
    Ok((spec, resource.approve.count))
}

/// Whether today's config still yields what was asked for.
pub(super) fn same_spec(
    policy: &Policy,
    resource: &Resource,
    request: &Request,
) -> Result<(), Refusal> {
    if request.spec.duration_s > resource.max_s {
        return Err(Refusal::TooLong {
            asked_s: request.spec.duration_s,
            max_s: resource.max_s,
        });
    }
    let beneficiary = policy.identify(&request.beneficiary.account);
    let today = spec_for(
        policy,
        resource,
        &beneficiary,
        request.spec.duration_s,
        request.spec.until,
    )?;
    if today.hash() == request.spec_hash {
        Ok(())
    } else {
        Err(Refusal::SpecChanged)
    }
}

/// Seconds from now, and the moment that was named, if one was.
fn wanted_duration(
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
            let zone = zone_of(policy, resource, identity)?;
            let until = next_time_of_day(zone, time, now).ok_or(Refusal::NotInTheFuture)?;
            Ok(((until - now).num_seconds(), Some(until)))
        }
    }
}

/// The zone in which this person means a time of day: as the config says, as they set it in chat, the
/// resource's.
///
/// # Errors
/// `ZoneNotKnown` where chat was not asked yet: a guess could give hours more than was meant.
pub(super) fn zone_of(
    policy: &Policy,
    resource: &Resource,
    identity: &Identity,
) -> Result<chrono_tz::Tz, Refusal> {
    let person = identity.person.as_ref();
    let configured = person
        .and_then(|name| policy.people.get(name))
        .and_then(|person| person.time_zone);
    if let Some(zone) = configured {
        return Ok(zone);
    }
    let account = &identity.account;
    let in_chat = match policy.known.accounts.get(account) {
        Some(known) => known.time_zone,
        None if policy.directories.platforms.contains(account.platform()) => {
            return Err(Refusal::ZoneNotKnown);
        }
        None => None,
    };
    Ok(in_chat.or(resource.time_zone).unwrap_or(chrono_tz::UTC))
}

/// Seconds, rounded up.
pub(super) fn whole_seconds(length: TimeDelta) -> i64 {
    (length.num_milliseconds() + 999).div_euclid(1_000)
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

pub(super) fn spec_for(
    policy: &Policy,
    resource: &Resource,
    identity: &Identity,
    duration_s: i64,
    until: Option<Timestamp>,
) -> Result<Spec, Refusal> {
    let account = account_on(policy, resource, identity)?;
    Ok(Spec {
        resource: resource.name.clone(),
        title: resource.title.clone(),
        project: resource.project.clone(),
        action: resource.action.clone(),
        risk: resource.risk,
        issuer: resource.issuer.clone(),
        target: resource.target.clone(),
        account,
        entitlements: resource.entitlements.clone(),
        parameters: resource.parameters.clone(),
        duration_s,
        until,
    })
}

/// Who this person is on the resource's target: as the config says, or by the key that they gave.
pub(super) fn account_on(
    policy: &Policy,
    resource: &Resource,
    identity: &Identity,
) -> Result<TargetAccount, Refusal> {
    let issuer = policy
        .issuers
        .get(&resource.issuer)
        .filter(|issuer| !issuer.retired)
        .ok_or(Refusal::NoLongerAllowed)?;
    let person = identity.person.as_ref();
    let configured = person.and_then(|name| issuer.accounts.get(name));
    if let Some(Ok(account)) = configured {
        return Ok(account.clone());
    }
    if issuer.keys_in_chat {
        let Some((_, key, given_at)) = given(policy, identity) else {
            return Err(Refusal::KeyMissing {
                issuer: resource.issuer.clone(),
            });
        };
        // The config may have come to name it for somebody else.
        if is_anothers(policy, identity, key) {
            return Err(Refusal::KeyOfAnother);
        }
        return Ok(TargetAccount::of_key(key, Some(given_at)));
    }
    let missing = match (person, configured) {
        (None, _) => "the config has no entry for you",
        (Some(_), Some(Err(what))) => what,
        (Some(_), _) => "your account there is not known",
    };
    Err(Refusal::NoAccount {
        issuer: resource.issuer.clone(),
        missing: missing.to_owned(),
    })
}
