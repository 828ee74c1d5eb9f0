//! What the rules say of more time for access that is held.

use super::cap;
use super::evaluate::{Allowed, auto_approval, may_ask};
use super::model::Policy;
use super::wanted::{next_time_of_day, spec_for, whole_seconds, zone_of};
use crate::domain::command::WantedEnd;
use crate::domain::grant::Grant;
use crate::domain::person::Identity;
use crate::domain::refusal::Refusal;
use crate::domain::spec::Spec;
use crate::domain::timing::{Timestamp, seconds};

/// What the rules say of more time for access that is held. The length counts from the start of the
/// access, so that extensions can't add up to more than could be asked for at once.
///
/// # Errors
/// The refusal that the person is told; `SpecChanged` where today's config would give something else
/// than what is held.
pub fn extension(
    policy: &Policy,
    identity: &Identity,
    grant: &Grant,
    end: WantedEnd,
    now: Timestamp,
) -> Result<Allowed, Refusal> {
    let resource = policy
        .resources
        .get(&grant.spec.resource)
        .ok_or(Refusal::NoLongerAllowed)?;
    let asked_under = may_ask(policy, resource, identity, now)?;
    let (began, ends) = cap::stretch(grant);
    let until = match end {
        WantedEnd::Default => ends + seconds(resource.default_s),
        WantedEnd::After(s) => ends + seconds(s),
        WantedEnd::Until(time) => {
            let zone = zone_of(policy, resource, identity)?;
            next_time_of_day(zone, time, now).ok_or(Refusal::NotInTheFuture)?
        }
    };
    if until <= ends {
        return Err(Refusal::NotLater { ends_at: ends });
    }
    let duration_s = whole_seconds(until - began);
    if duration_s > resource.max_s {
        return Err(Refusal::TooLongInAll {
            asked_s: duration_s,
            max_s: resource.max_s,
            latest: began + seconds(resource.max_s),
        });
    }
    let spec = spec_for(policy, resource, identity, duration_s, Some(until))?;
    let held = Spec {
        duration_s,
        until: Some(until),
        ..grant.spec.clone()
    };
    if spec != held {
        return Err(Refusal::SpecChanged);
    }
    let approved_under = auto_approval(policy, resource, identity, &spec, now)?;
    Ok(Allowed {
        spec,
        asked_under,
        approved_under,
        approvals_needed: resource.approve.count,
    })
}
