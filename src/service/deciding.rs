//! Approve and deny, pressed on a card.

use super::apply::conflict;
use super::queries::summary_of;
use super::verdict::{Acting, Verdict};
use crate::domain::answer::Answer;
use crate::domain::command::Press;
use crate::domain::decide::Plan;
use crate::domain::decide::requesting::{self, ActivationTiming};
use crate::domain::decision::{Decider, Decision};
use crate::domain::job_order::JobOrder;
use crate::domain::person::Identity;
use crate::domain::refusal::Refusal;
use crate::domain::request::{Request, RequestState};
use crate::policy::evaluate::{self, Standing};
use crate::store::{StoreError, Tx};

/// One press.
pub(super) async fn press(
    tx: &mut dyn Tx,
    acting: &Acting,
    press: &Press,
    approve: bool,
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
    let standing = match evaluate::may_decide(policy, &request, &acting.identity, now) {
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
    let plan = if approve {
        let resource = policy.resources.get(&request.spec.resource);
        let Some(resource) = resource else {
            return refused(Refusal::NoLongerAllowed);
        };
        let timing = ActivationTiming {
            activation_s: resource.activation_s,
            remind_s: &resource.remind_s,
        };
        approval(tx, acting, &request, standing, timing).await?
    } else {
        let rule = standing.rule.clone();
        let decider = person(&acting.identity, standing);
        Some(requesting::deny(&request, decider, rule, &policy.hash, now).map_err(conflict)?)
    };
    let Some(mut plan) = plan else {
        let told = summary_of(policy, &request, None);
        return Ok(Verdict::Done(Plan::default(), Answer::Approved(told)));
    };
    requesting::card_seen(&mut plan, &id, known.as_ref(), &press.on, now);
    let told = summary_of(policy, &request, None);
    let answer = if approve {
        Answer::Approved(told)
    } else {
        Answer::Denied(told)
    };
    Ok(Verdict::Done(plan, answer))
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
