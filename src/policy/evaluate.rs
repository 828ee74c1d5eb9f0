//! What the rules say: of a submission, of a vote, of an access that is about to be given.
//!
//! Default deny. Whatever can't be known is a refusal with its own name.

use super::cap::ByRule;
use super::membership::{Membership, Trust, may_act, membership};
use super::model::{AutoApproval, Policy, Resource};
use super::wanted::{account_on, same_spec, wanted};
use crate::domain::command::WantedEnd;
use crate::domain::ids::{GroupName, ResourceName};
use crate::domain::person::Identity;
use crate::domain::refusal::Refusal;
use crate::domain::request::Request;
use crate::domain::spec::Spec;
use crate::domain::timing::Timestamp;

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
/// `MayNotAct`, `MayNotAsk`, or what says that it can't be known ([`Refusal::lacks_facts`]).
pub fn may_ask(
    policy: &Policy,
    resource: &Resource,
    identity: &Identity,
    now: Timestamp,
) -> Result<String, Refusal> {
    let fresh = Trust::Fresh(resource.facts_fresh_for_s);
    asks(policy, resource, identity, fresh, now)
}

fn asks(
    policy: &Policy,
    resource: &Resource,
    identity: &Identity,
    trust: Trust,
    now: Timestamp,
) -> Result<String, Refusal> {
    // Who is certainly not among those who may is told so, whatever is not known of their account.
    let acts = may_act(policy, identity, trust, now);
    if let Err(refusal) = &acts
        && !refusal.lacks_facts()
    {
        return Err(refusal.clone());
    }
    let refused = || Refusal::MayNotAsk {
        resource: resource.name.clone(),
        who: resource.request.clone(),
    };
    match membership(policy, &resource.never, identity, trust, now) {
        Membership::Yes(..) => return Err(refused()),
        Membership::NotKnownFreshly(group, as_of) => {
            return Err(Refusal::FactsTooOld { group, as_of });
        }
        Membership::No => {}
    }
    match membership(policy, &resource.request, identity, trust, now) {
        Membership::Yes(..) => acts.map(|()| format!("resource.{}.request", resource.name)),
        Membership::NotKnownFreshly(group, as_of) => Err(Refusal::FactsTooOld { group, as_of }),
        Membership::No => Err(refused()),
    }
}

/// Resources that this person may ask for, by name: for reading, so by what was last known.
#[must_use]
pub fn askable(policy: &Policy, identity: &Identity, now: Timestamp) -> Vec<ResourceName> {
    policy
        .resources
        .values()
        .filter(|resource| asks(policy, resource, identity, Trust::LastKnown, now).is_ok())
        .map(|resource| resource.name.clone())
        .collect()
}

/// What the rules say of a wish.
///
/// # Errors
/// The refusal that the person is told, unless it [lacks facts](Refusal::lacks_facts): then
/// [`wish`] says what waits for them.
pub fn submission(
    policy: &Policy,
    identity: &Identity,
    typed: &str,
    end: WantedEnd,
    now: Timestamp,
) -> Result<Allowed, Refusal> {
    let resource = find(policy, identity, typed, now)?;
    let asked_under = may_ask(policy, resource, identity, now)?;
    let (spec, approvals_needed) = wanted(policy, resource, identity, end, now)?;
    let approved_under = auto_approval(policy, resource, identity, &spec, now)?;
    Ok(Allowed {
        spec,
        asked_under,
        approved_under,
        approvals_needed,
    })
}

/// What was asked for and how many people would have to approve it, whoever asked.
///
/// # Errors
/// The refusal that the person is told.
pub fn wish(
    policy: &Policy,
    identity: &Identity,
    typed: &str,
    end: WantedEnd,
    now: Timestamp,
) -> Result<(Spec, i64), Refusal> {
    let resource = find(policy, identity, typed, now)?;
    wanted(policy, resource, identity, end, now)
}

/// What the rules say of a wish that waited for facts: it is still the same one.
///
/// # Errors
/// `SpecChanged`, `NoLongerAllowed`, or what [`submission`] would say.
pub fn checked(policy: &Policy, request: &Request, now: Timestamp) -> Result<Allowed, Refusal> {
    let resource = find_again(policy, request)?;
    let requester = policy.identify(&request.requester.account);
    let asked_under = may_ask(policy, resource, &requester, now)?;
    same_spec(policy, resource, request)?;
    Ok(Allowed {
        spec: request.spec.clone(),
        asked_under,
        approved_under: auto_approval(policy, resource, &requester, &request.spec, now)?,
        approvals_needed: resource.approve.count.max(request.approvals_needed),
    })
}

/// Whether it is known who this person is on the resource's target.
#[must_use]
pub fn has_account(policy: &Policy, resource: &Resource, identity: &Identity) -> bool {
    account_on(policy, resource, identity).is_ok()
}

/// For how long at most a rule would approve this for this person, in seconds.
#[must_use]
pub fn by_rule_up_to(
    policy: &Policy,
    resource: &Resource,
    identity: &Identity,
    now: Timestamp,
) -> Option<i64> {
    let is_new = account_on(policy, resource, identity).is_ok_and(|account| account.is_new(now));
    resource
        .auto_approve
        .iter()
        .filter(|_| !is_new)
        .filter(|rule| {
            let who = membership(policy, &rule.from, identity, Trust::LastKnown, now);
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

/// The first rule that approves it without people; none does for a key that is new. One whose group is not known freshly is not passed
/// over: a later rule, or people, might decide otherwise than it would have.
pub(super) fn auto_approval(
    policy: &Policy,
    resource: &Resource,
    identity: &Identity,
    spec: &Spec,
    now: Timestamp,
) -> Result<Option<ByRule>, Refusal> {
    if spec.account.is_new(now) {
        return Ok(None);
    }
    let fresh = Trust::Fresh(resource.facts_fresh_for_s);
    let fits = |(_, rule): &(usize, &AutoApproval)| spec.duration_s <= rule.max_s;
    for (i, rule) in resource.auto_approve.iter().enumerate().filter(fits) {
        match membership(policy, &rule.from, identity, fresh, now) {
            Membership::Yes(..) => {
                let name = format!("resource.{}.auto_approve[{i}]", resource.name);
                return Ok(Some(ByRule::of(name, rule)));
            }
            Membership::No => {}
            Membership::NotKnownFreshly(group, as_of) => {
                return Err(Refusal::FactsTooOld { group, as_of });
            }
        }
    }
    Ok(None)
}

/// Whether this person may approve this request, and why.
///
/// # Errors
/// `OwnRequest`, `MayNotAct`, `NotAnApprover`, `NoLongerAllowed` when the resource is gone, or what
/// says that it can't be known ([`Refusal::lacks_facts`]).
pub fn may_decide(
    policy: &Policy,
    request: &Request,
    identity: &Identity,
    now: Timestamp,
) -> Result<Standing, Refusal> {
    // Who asked is told so whether or not anything else is known.
    let fresh = policy.resources.get(&request.spec.resource);
    let fresh = fresh.map_or(0, |resource| resource.facts_fresh_for_s);
    decides(policy, request, identity, Trust::Fresh(fresh), now)
}

/// Whether this person may deny this request, and why: by what was last known, for a denial gives
/// nothing.
///
/// # Errors
/// As [`may_decide`].
pub fn may_deny(
    policy: &Policy,
    request: &Request,
    identity: &Identity,
    now: Timestamp,
) -> Result<Standing, Refusal> {
    decides(policy, request, identity, Trust::LastKnown, now)
}

fn decides(
    policy: &Policy,
    request: &Request,
    identity: &Identity,
    trust: Trust,
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
    let resource = find_again(policy, request)?;
    let acts = may_act(policy, identity, trust, now);
    if let Err(refusal) = &acts
        && !refusal.lacks_facts()
    {
        return Err(refusal.clone());
    }
    let from = &resource.approve.from;
    match membership(policy, from, identity, trust, now) {
        Membership::Yes(group, as_of) => acts.map(|()| Standing {
            group,
            as_of,
            rule: format!("resource.{}.approve[0]", resource.name),
        }),
        Membership::NotKnownFreshly(group, as_of) => Err(Refusal::FactsTooOld { group, as_of }),
        Membership::No => Err(Refusal::NotAnApprover { who: from.to_vec() }),
    }
}

/// Whether this person could decide requests for this resource, were they not their own: for reading,
/// so by what was last known.
#[must_use]
pub fn is_approver(
    policy: &Policy,
    resource: &Resource,
    identity: &Identity,
    now: Timestamp,
) -> bool {
    let trust = Trust::LastKnown;
    may_act(policy, identity, trust, now).is_ok()
        && matches!(
            membership(policy, &resource.approve.from, identity, trust, now),
            Membership::Yes(..)
        )
}

/// Whether this person is security, as far as taking access away and reading go: by what was last
/// known. Nothing is given by it.
#[must_use]
pub fn is_security(policy: &Policy, identity: &Identity, now: Timestamp) -> bool {
    let trust = Trust::LastKnown;
    may_act(policy, identity, trust, now).is_ok()
        && matches!(
            membership(policy, &policy.security.people, identity, trust, now),
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
    may_deny(policy, request, identity, now)
        .map(|standing| standing.rule)
        .map_err(|_| Refusal::MayNotRevoke)
}

/// Whether this person may know of the request.
#[must_use]
pub fn may_see(policy: &Policy, request: &Request, identity: &Identity, now: Timestamp) -> bool {
    identity.is_same_as(&request.requester)
        || identity.is_same_as(&request.beneficiary)
        || is_security(policy, identity, now)
        || may_deny(policy, request, identity, now).is_ok()
}

/// Whether what was approved may be given now: the requester may still ask, and today's config
/// still yields the same spec.
///
/// # Errors
/// `NoLongerAllowed`, `SpecChanged`, or the refusal that asking would get.
pub fn may_activate(policy: &Policy, request: &Request, now: Timestamp) -> Result<(), Refusal> {
    let resource = find_again(policy, request)?;
    // The person is looked up again: an account that was unlinked meanwhile is somebody else.
    let requester = policy.identify(&request.requester.account);
    may_ask(policy, resource, &requester, now)?;
    if !request.beneficiary.is_same_as(&request.requester) {
        let fresh = Trust::Fresh(resource.facts_fresh_for_s);
        may_act(policy, &request.beneficiary, fresh, now)?;
    }
    same_spec(policy, resource, request)
}

fn find_again<'p>(policy: &'p Policy, request: &Request) -> Result<&'p Resource, Refusal> {
    policy
        .resources
        .get(&request.spec.resource)
        .ok_or(Refusal::NoLongerAllowed)
}
