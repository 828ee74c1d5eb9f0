//! Withdraw, done and revoke: they wait for nothing.

use super::apply::conflict;
use super::queries::summary_of;
use super::verdict::{Acting, Verdict, visible};
use crate::domain::answer::Answer;
use crate::domain::audit::{AuditDraft, AuditKind};
use crate::domain::decide::{Plan, ending, requesting};
use crate::domain::grant::{EndingReason, Grant, GrantState};
use crate::domain::ids::RequestId;
use crate::domain::job_order::JobOrder;
use crate::domain::refusal::Refusal;
use crate::domain::request::Request;
use crate::domain::timing::seconds;
use crate::policy::evaluate;
use crate::store::{StoreError, Tx};

/// How often somebody is told again how an access is used, at most, in seconds.
const SENT_AGAIN_EVERY_S: i64 = 30;

/// Takes a request back.
pub(super) async fn withdraw(
    tx: &mut dyn Tx,
    acting: &Acting,
    id: &RequestId,
) -> Result<Verdict, StoreError> {
    let request = match visible(tx, acting, id).await? {
        Ok(request) => request,
        Err(refused) => return Ok(refused),
    };
    if !acting.identity.is_same_as(&request.requester)
        && !acting.identity.is_same_as(&request.beneficiary)
    {
        return Ok(Verdict::refused(Refusal::NotYours, Some(id)));
    }
    if !request.state.is_open() {
        let refusal = Refusal::NoLongerOpen {
            reference: id.clone(),
            state: request.state,
        };
        return Ok(Verdict::refused(refusal, Some(id)));
    }
    let plan = requesting::withdraw(&request, &acting.identity, tx.now()).map_err(conflict)?;
    let told = summary_of(&acting.policy, &request, None);
    Ok(Verdict::Done(plan, Answer::Withdrawn(told)))
}

/// Gives access back early.
pub(super) async fn done(
    tx: &mut dyn Tx,
    acting: &Acting,
    id: &RequestId,
) -> Result<Verdict, StoreError> {
    let request = match visible(tx, acting, id).await? {
        Ok(request) => request,
        Err(refused) => return Ok(refused),
    };
    if !acting.identity.is_same_as(&request.beneficiary) {
        return Ok(Verdict::refused(Refusal::NotYours, Some(id)));
    }
    end(tx, acting, &request, EndingReason::Done, None).await
}

/// Takes access away early.
pub(super) async fn revoke(
    tx: &mut dyn Tx,
    acting: &Acting,
    id: &RequestId,
    why: &str,
) -> Result<Verdict, StoreError> {
    let request = match visible(tx, acting, id).await? {
        Ok(request) => request,
        Err(refused) => return Ok(refused),
    };
    let now = tx.now();
    let allowed = evaluate::may_revoke(&acting.policy, &request, &acting.identity, now);
    match allowed {
        Err(refusal) => Ok(Verdict::refused(refusal, Some(id))),
        Ok(rule) => {
            end(
                tx,
                acting,
                &request,
                EndingReason::Revoked,
                Some((rule, why)),
            )
            .await
        }
    }
}

/// Tells the beneficiary again how live access is used.
pub(super) async fn send_again(
    tx: &mut dyn Tx,
    acting: &Acting,
    id: &RequestId,
) -> Result<Verdict, StoreError> {
    let request = match visible(tx, acting, id).await? {
        Ok(request) => request,
        Err(refused) => return Ok(refused),
    };
    if !acting.identity.is_same_as(&request.beneficiary) {
        return Ok(Verdict::refused(Refusal::NotYours, Some(id)));
    }
    let grant = tx.grant(&request.about_grant()).await?;
    let state = grant.as_ref().map(|grant| grant.state);
    let Some(grant) = grant.filter(|grant| grant.state == GrantState::Active) else {
        let refusal = Refusal::NothingToEnd {
            reference: id.clone(),
            state,
        };
        return Ok(Verdict::refused(refusal, Some(id)));
    };
    let summary = summary_of(&acting.policy, &request, Some(&grant));
    let (actor, now) = (&acting.inbound.actor, tx.now());
    // A secret is not kept, so it can't be sent again: the target makes another.
    let (told, order) = if grant.delivery.is_some() {
        (
            Answer::MakingAnew(summary),
            JobOrder::renew_secret(&grant.id, &grant.spec, actor, now),
        )
    } else {
        (
            Answer::SendingAgain(summary),
            JobOrder::send_again(&grant.id, actor, now),
        )
    };
    let base = grant.id.request();
    let last = tx.last_entry(&base, AuditKind::SentAgain).await?;
    let just_now = last.is_some_and(|at| tx.now() < at + seconds(SENT_AGAIN_EVERY_S));
    // A letter that is under way tells of the secret that it holds, not of one made meanwhile.
    let first = JobOrder::notify_ready(&grant.id, actor, now).key;
    let again = JobOrder::send_again(&grant.id, actor, now).key;
    let mut on_its_way = just_now;
    for key in [&order.key, &first, &again] {
        on_its_way = on_its_way || tx.open_job(key).await?.is_some();
    }
    if on_its_way {
        // It is on its way, or was just told.
        return Ok(Verdict::Done(Plan::default(), told));
    }
    let mut plan = Plan::default();
    // To the account that asks: the person may have several, and reads this one.
    plan.job(order);
    plan.record(
        AuditDraft::new(AuditKind::SentAgain)
            .by(&acting.inbound.actor)
            .grant(&grant.id),
    );
    Ok(Verdict::Done(plan, told))
}

async fn end(
    tx: &mut dyn Tx,
    acting: &Acting,
    request: &Request,
    reason: EndingReason,
    revoked: Option<(String, &str)>,
) -> Result<Verdict, StoreError> {
    let now = tx.now();
    let id = &request.id;
    let grant = tx.grant(&request.about_grant()).await?;
    let state = grant.as_ref().map(|grant| grant.state);
    let Some(grant) = grant.filter(|grant| !grant.state.is_over()) else {
        let refusal = Refusal::NothingToEnd {
            reference: id.clone(),
            state,
        };
        return Ok(Verdict::refused(refusal, Some(id)));
    };
    // An extension's id stands for the access that it extends, whose card shows the end.
    let base = match &request.extends {
        Some(extension) => tx.request(&extension.grant.request()).await?,
        None => None,
    };
    let request = base.as_ref().unwrap_or(request);
    let told = |grant: &Grant| Answer::Ending(summary_of(&acting.policy, request, Some(grant)));
    if matches!(grant.state, GrantState::Revoking | GrantState::Stuck) {
        return Ok(Verdict::Done(Plan::default(), told(&grant)));
    }
    let can_end_early = acting
        .policy
        .issuers
        .get(&grant.spec.issuer)
        .is_none_or(|issuer| issuer.can_end_early);
    if !can_end_early && grant.state != GrantState::Scheduled {
        let refusal = Refusal::CannotEndEarly {
            ends_at: grant.due_end(),
        };
        return Ok(Verdict::refused(refusal, Some(id)));
    }
    let mut plan =
        ending::order(request, &grant, reason, Some(&acting.identity), now).map_err(conflict)?;
    if let Some((rule, why)) = revoked {
        plan.annotate(&acting.policy.hash, rule, why);
    }
    let pointless = super::extending::cancel_open(tx, &grant, &acting.policy.hash, now).await?;
    plan.changes.extend(pointless.changes);
    Ok(Verdict::Done(plan, told(&grant)))
}
