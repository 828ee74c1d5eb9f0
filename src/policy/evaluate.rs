//! What the rules say: of a submission, of a vote, of an access that is about to be given.
//!
//! Default deny. Whatever can't be known is a refusal with its own name.

use super::cap::ByRule;
use super::length::wanted_duration;
use super::membership::{Membership, membership};
use super::model::{AutoApproval, Policy, Resource};
use crate::domain::command::WantedEnd;
use crate::domain::ids::{GroupName, ResourceName};
use crate::domain::person::Identity;
use crate::domain::refusal::Refusal;
use crate::domain::request::Request;
use crate::domain::spec::Spec;
use crate::domain::timing::Timestamp;

/// The shortest access that can be given, in seconds.
pub const DURATION_MIN_S: i64 = 1;

/// What a submission may become.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Allowed {
    /// What would be approved.
    pub spec: Spec,
    /// The rule that let the person ask.
    pub asked_under: String,
    /// The rule that approves it without people, if one does.
    pub approved_under: Option<ByRule>,
    /// How many people must approve otherwise.
    pub approvals_needed: i64,
}

/// Why somebody counts as one of the subjects of a rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// Through which group; none when named in person.
    pub group: Option<GroupName>,
    /// As of when the group was known; none where the config lists it.
    pub as_of: Option<Timestamp>,
    /// The rule, e.g. `resource.staging-ssh.approve[0]`.
    pub rule: String,
}

/// Whether the person may ask for the resource, and under which rule.
///
/// # Errors
/// `MayNotAsk`, or `FactsTooOld` where that can't be known.
pub fn may_ask(
    policy: &Policy,
    resource: &Resource,
    identity: &Identity,
    now: Timestamp,
) -> Result<String, Refusal> {
    let fresh = resource.facts_fresh_for_s;
    let refused = || Refusal::MayNotAsk {
        resource: resource.name.clone(),
        who: resource.request.clone(),
    };
    match membership(policy, &resource.never, identity, fresh, now) {
        Membership::Yes(..) => return Err(refused()),
        Membership::NotKnownFreshly(group, as_of) => {
            return Err(Refusal::FactsTooOld { group, as_of });
        }
        Membership::No => {}
    }
    match membership(policy, &resource.request, identity, fresh, now) {
        Membership::Yes(..) => Ok(format!("resource.{}.request", resource.name)),
        Membership::NotKnownFreshly(group, as_of) => Err(Refusal::FactsTooOld { group, as_of }),
        Membership::No => Err(refused()),
    }
}

/// Resources that this person may ask for, by name.
#[must_use]
pub fn askable(policy: &Policy, identity: &Identity, now: Timestamp) -> Vec<ResourceName> {
    policy
        .resources
        .values()
        .filter(|resource| may_ask(policy, resource, identity, now).is_ok())
        .map(|resource| resource.name.clone())
        .collect()
}

/// What the rules say of a wish.
///
/// # Errors
/// The refusal that the person is told.
pub fn submission(
    policy: &Policy,
    identity: &Identity,
    typed: &str,
    end: WantedEnd,
    now: Timestamp,
) -> Result<Allowed, Refusal> {
    let resource = find(policy, identity, typed, now)?;
    let asked_under = may_ask(policy, resource, identity, now)?;
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
    let approved_under = auto_approval(policy, resource, identity, duration_s, now);
    Ok(Allowed {
        spec,
        asked_under,
        approved_under,
        approvals_needed: resource.approve.count,
    })
}

/// For how long at most a rule would approve this for this person, in seconds.
#[must_use]
pub fn by_rule_up_to(
    policy: &Policy,
    resource: &Resource,
    identity: &Identity,
    now: Timestamp,
) -> Option<i64> {
    resource
        .auto_approve
        .iter()
        .filter(|rule| {
            let who = membership(
                policy,
                &rule.from,
                identity,
                resource.facts_fresh_for_s,
                now,
            );
            matches!(who, Membership::Yes(..))
        })
        .map(|rule| rule.max_s.min(resource.max_s))
        .max()
}

/// The resource of this name, with the nearest one that this person may ask for where there is none.
///
/// # Errors
/// `UnknownResource`.
pub fn find<'p>(
    policy: &'p Policy,
    identity: &Identity,
    typed: &str,
    now: Timestamp,
) -> Result<&'p Resource, Refusal> {
    ResourceName::new(typed)
        .ok()
        .and_then(|name| policy.resources.get(&name))
        .ok_or_else(|| Refusal::UnknownResource {
            typed: typed.chars().take(80).collect(),
            suggestion: nearest(typed, askable(policy, identity, now)),
        })
}

fn nearest(typed: &str, names: Vec<ResourceName>) -> Option<ResourceName> {
    let typed: String = typed.chars().take(80).collect::<String>().to_lowercase();
    names
        .into_iter()
        .map(|name| (strsim::jaro_winkler(&typed, name.as_str()), name))
        .filter(|(score, _)| *score > 0.75)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, name)| name)
}

pub(super) fn spec_for(
    policy: &Policy,
    resource: &Resource,
    identity: &Identity,
    duration_s: i64,
    until: Option<Timestamp>,
) -> Result<Spec, Refusal> {
    let missing = |what: &str| Refusal::NoAccount {
        issuer: resource.issuer.clone(),
        missing: what.to_owned(),
    };
    let issuer = policy
        .issuers
        .get(&resource.issuer)
        .filter(|issuer| !issuer.retired)
        .ok_or(Refusal::NoLongerAllowed)?;
    let person = identity.person.as_ref().ok_or_else(|| {
        missing("the config has no entry for you, so nobody knows your account there")
    })?;
    let account = match issuer.accounts.get(person) {
        Some(Ok(account)) => account.clone(),
        Some(Err(what)) => return Err(missing(what)),
        None => return Err(missing("your account there is not known")),
    };
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

pub(super) fn auto_approval(
    policy: &Policy,
    resource: &Resource,
    identity: &Identity,
    duration_s: i64,
    now: Timestamp,
) -> Option<ByRule> {
    let applies = |rule: &AutoApproval| {
        duration_s <= rule.max_s
            && matches!(
                membership(
                    policy,
                    &rule.from,
                    identity,
                    resource.facts_fresh_for_s,
                    now
                ),
                Membership::Yes(..)
            )
    };
    let i = resource.auto_approve.iter().position(applies)?;
    let rule = format!("resource.{}.auto_approve[{i}]", resource.name);
    Some(ByRule::of(rule, &resource.auto_approve[i]))
}

/// Whether this person may decide this request, and why.
///
/// # Errors
/// `OwnRequest`, `NotAnApprover`, `FactsTooOld`, or `NoLongerAllowed` when the resource is gone.
pub fn may_decide(
    policy: &Policy,
    request: &Request,
    identity: &Identity,
    now: Timestamp,
) -> Result<Standing, Refusal> {
    // As they were known when it was asked, and as they are known now: a person who was renamed or
    // linked anew meanwhile is still the same.
    let own = [&request.requester, &request.beneficiary]
        .into_iter()
        .any(|one| identity.is_same_as(one) || identity.is_same_as(&policy.identify(&one.account)));
    if own {
        return Err(Refusal::OwnRequest);
    }
    let resource = policy
        .resources
        .get(&request.spec.resource)
        .ok_or(Refusal::NoLongerAllowed)?;
    let from = &resource.approve.from;
    match membership(policy, from, identity, resource.facts_fresh_for_s, now) {
        Membership::Yes(group, as_of) => Ok(Standing {
            group,
            as_of,
            rule: format!("resource.{}.approve[0]", resource.name),
        }),
        Membership::NotKnownFreshly(group, as_of) => Err(Refusal::FactsTooOld { group, as_of }),
        Membership::No => Err(Refusal::NotAnApprover { who: from.to_vec() }),
    }
}

/// Whether this person could decide requests for this resource, were they not their own.
#[must_use]
pub fn is_approver(
    policy: &Policy,
    resource: &Resource,
    identity: &Identity,
    now: Timestamp,
) -> bool {
    let (from, fresh) = (&resource.approve.from, resource.facts_fresh_for_s);
    matches!(
        membership(policy, from, identity, fresh, now),
        Membership::Yes(..)
    )
}

/// Whether this person is security.
#[must_use]
pub fn is_security(policy: &Policy, identity: &Identity, now: Timestamp) -> bool {
    // Security's facts hold for ten minutes, as a resource's do unless it says otherwise.
    matches!(
        membership(policy, &policy.security.people, identity, 600, now),
        Membership::Yes(..)
    )
}

/// Whether this person may take the access away early, and under which rule.
///
/// # Errors
/// `MayNotRevoke`.
pub fn may_revoke(
    policy: &Policy,
    request: &Request,
    identity: &Identity,
    now: Timestamp,
) -> Result<String, Refusal> {
    if is_security(policy, identity, now) {
        return Ok("security.people".into());
    }
    may_decide(policy, request, identity, now)
        .map(|standing| standing.rule)
        .map_err(|_| Refusal::MayNotRevoke)
}

/// Whether this person may know of the request.
#[must_use]
pub fn may_see(policy: &Policy, request: &Request, identity: &Identity, now: Timestamp) -> bool {
    identity.is_same_as(&request.requester)
        || identity.is_same_as(&request.beneficiary)
        || is_security(policy, identity, now)
        || may_decide(policy, request, identity, now).is_ok()
}

/// Whether what was approved may be given now: the requester may still ask, and today's config
/// still yields the same spec.
///
/// # Errors
/// `NoLongerAllowed`, `SpecChanged`, or the refusal that asking would get.
pub fn may_activate(policy: &Policy, request: &Request, now: Timestamp) -> Result<(), Refusal> {
    let resource = policy
        .resources
        .get(&request.spec.resource)
        .ok_or(Refusal::NoLongerAllowed)?;
    // The person is looked up again: an account that was unlinked meanwhile is somebody else.
    let requester = policy.identify(&request.requester.account);
    may_ask(policy, resource, &requester, now)?;
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
