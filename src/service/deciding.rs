//! Approve and deny, pressed on a card.

use super::apply::conflict;
use super::queries::summary_of;
use super::verdict::{Acting, Verdict};
use crate::domain::answer::Answer;
use crate::domain::command::Press;
use crate::domain::decide::Plan;
use crate::domain::decide::requesting::{self, ActivationTiming};
use crate::domain::decision::{Decider, Decision};
use crate::domain::grant::GrantState;
use crate::domain::job_order::JobOrder;
use crate::domain::person::Identity;
use crate::domain::refusal::Refusal;
use crate::domain::request::{Request, RequestState};
use crate::policy::evaluate::{self, Standing};
use crate::store::{StoreError, Tx};

/// What an approver says.
pub(super) enum Vote {
    /// Yes.
    Approve,
    /// No, and why. Without a reason nothing is denied yet.
    Deny(Option<String>),
}

/// One press.
pub(super) async fn press(
    tx: &mut dyn Tx,
    acting: &Acting,
    press: &Press,
    vote: Vote,
) -> Result<Verdict, StoreError> {
    let now = tx.now();
    let policy = &acting.policy;
    let not_found = Refusal::NotFound {
        reference: press.request.clone(),
    };
    let Some(request) = tx.request(&press.request).await? else {
        return Ok(Verdict::refused(not_found, None));
    };
    let id = request.id.clone();
    let mut also = Plan::default();
    let known = tx.card(&id).await?;
    let here = request.card_place.as_ref() == Some(&press.on.place);
    let is_the_card = known.as_ref().map_or(here, |card| *card == press.on);
    if !is_the_card {
        // A button only stands where we put it, now or before a card was put elsewhere: a press from
        // another place was not made with it.
        let places = policy.card_places(&request.spec.resource);
        if !here && !places.contains(&&press.on.place) {
            return Ok(Verdict::refused(Refusal::ForgedButton, Some(&id)));
        }
        also.job(JobOrder::strike_copy(&id, &press.on, now));
        return Ok(Verdict::Refused {
            refusal: Refusal::NotTheCard {
                reference: id.clone(),
            },
            about: Some(id),
            also,
        });
    }
    let refused = |refusal| Ok(Verdict::refused(refusal, Some(&id)));
    let may = match vote {
        Vote::Approve => evaluate::may_decide,
        Vote::Deny(_) => evaluate::may_deny,
    };
    let standing = match may(policy, &request, &acting.identity, now) {
        Ok(standing) => standing,
        Err(refusal) => return refused(refusal),
    };
    if request.state != RequestState::Pending || now >= request.pending_until {
        return refused(Refusal::NoLongerOpen {
            reference: id.clone(),
            state: if request.state.is_open() {
                RequestState::Expired
            } else {
                request.state
            },
        });
    }
    if press.version != request.version {
        return refused(Refusal::StaleCard {
            reference: id.clone(),
        });
    }
    let told = summary_of(policy, &request, None);
    let (plan, answer) = match vote {
        Vote::Approve => {
            if let Some(refusal) = pointless(tx, &request).await? {
                return refused(refusal);
            }
            let Some(resource) = policy.resources.get(&request.spec.resource) else {
                return refused(Refusal::NoLongerAllowed);
            };
            let timing = ActivationTiming {
                activation_s: resource.activation_s,
                remind_s: &resource.remind_s,
            };
            let plan = approval(tx, acting, &request, standing, timing).await?;
            match plan {
                Some(plan) => (Some(plan), Answer::Approved(told)),
                None => (None, Answer::ApprovedAlready(told)),
            }
        }
        Vote::Deny(None) => (None, Answer::WhyDeny(told)),
        Vote::Deny(why) => {
            let rule = standing.rule.clone();
            let decider = person(&acting.identity, standing);
            let plan = requesting::deny(&request, decider, rule, why, &policy.hash, now)
                .map_err(conflict)?;
            (Some(plan), Answer::Denied(told))
        }
    };
    let Some(mut plan) = plan else {
        return Ok(Verdict::Done(Plan::default(), answer));
    };
    requesting::card_seen(&mut plan, &id, known.as_ref(), &press.on, now);
    Ok(Verdict::Done(plan, answer))
}

/// Why nobody needs to decide any more on more time for access that is over.
async fn pointless(tx: &mut dyn Tx, request: &Request) -> Result<Option<Refusal>, StoreError> {
    let Some(extension) = &request.extends else {
        return Ok(None);
    };
    let state = tx.grant(&extension.grant).await?.map(|grant| grant.state);
    Ok(
        (state != Some(GrantState::Active)).then(|| Refusal::NothingToExtend {
            reference: extension.grant.request(),
            state,
        }),
    )
}

/// None when this person's approval counts already.
async fn approval(
    tx: &mut dyn Tx,
    acting: &Acting,
    request: &Request,
    standing: Standing,
    timing: ActivationTiming<'_>,
) -> Result<Option<Plan>, StoreError> {
    let now = tx.now();
    let policy = &acting.policy;
    let rule = standing.rule.clone();
    let earlier = approvals(tx.decisions(&request.id).await?);
    // As they were known when they decided, and as they are known now.
    let again = earlier.iter().any(|e| {
        e.is_same_as(&acting.identity) || acting.identity.is_same_as(&policy.identify(&e.account))
    });
    if again {
        return Ok(None);
    }
    // What today's rules ask for counts, but never less than was asked for when it was submitted.
    let needed = policy
        .resources
        .get(&request.spec.resource)
        .map_or(0, |resource| resource.approve.count)
        .max(request.approvals_needed);
    let decider = person(&acting.identity, standing);
    let given = i64::try_from(earlier.len()).unwrap_or(i64::MAX) + 1;
    if given < needed {
        let plan = requesting::approve_partly(request, decider, rule, &policy.hash, now);
        return Ok(Some(plan));
    }
    if let Some(extension) = &request.extends {
        let plan = super::extending::approve(tx, acting, request, extension, decider, rule).await?;
        return Ok(Some(plan));
    }
    requesting::approve(request, decider, rule, &policy.hash, timing, now)
        .map(Some)
        .map_err(conflict)
}

fn person(identity: &Identity, standing: Standing) -> Decider {
    Decider::Person {
        identity: identity.clone(),
        group: standing.group,
        group_as_of: standing.as_of,
    }
}

fn approvals(decisions: Vec<Decision>) -> Vec<Identity> {
    decisions
        .into_iter()
        .filter(|decision| decision.approve)
        .filter_map(|decision| match decision.decider {
            Decider::Person { identity, .. } => Some(identity),
            Decider::Rule => None,
        })
        .collect()
}
