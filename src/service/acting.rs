//! One act of one person: answered once, committed before it is answered.

use super::apply::apply;
use super::verdict::{Acting, Verdict};
use super::{Service, ServiceError};
use crate::domain::answer::Answer;
use crate::domain::audit::AuditKind;
use crate::domain::command::{Act, Command, Inbound};
use crate::domain::decide::{Plan, requesting};
use crate::domain::ids::RequestId;
use crate::domain::job_order::JobOrder;
use crate::domain::refusal::Refusal;
use crate::store::{StoreError, Tx, Urgency, write};

impl Service {
    /// Commits what follows from the act and says what came of it.
    ///
    /// # Errors
    /// When the store failed: nothing was kept, and the act can be repeated without harm.
    pub async fn handle(&self, inbound: Inbound) -> Result<Answer, ServiceError> {
        let policy = self.policy();
        let identity = policy.identify(&inbound.actor);
        let acting = Acting {
            policy,
            identity,
            inbound,
            bits: (self.chance)(),
        };
        match acting.inbound.act.clone() {
            Act::Query(query) => self.answer(&acting, query).await,
            Act::Command(command) => Ok(write(&*self.store, Urgency::Answer, move |tx| {
                Box::pin(async move { act(tx, &acting, command).await })
            })
            .await?),
        }
    }
}

async fn act(tx: &mut dyn Tx, acting: &Acting, command: Command) -> Result<Answer, StoreError> {
    let once = &acting.inbound.once;
    if let Some(kept) = tx.answered(once).await? {
        return serde_json::from_str(&kept).map_err(|error| StoreError::Inconsistent {
            what: format!("the answer to {once}"),
            why: error.to_string(),
        });
    }
    let (tried, typed, pressed) = describe(&command);
    let verdict = decide(tx, acting, command).await?;
    let answer = match verdict {
        Verdict::Done(plan, answer) => {
            apply(tx, plan).await?;
            answer
        }
        Verdict::Refused {
            refusal,
            about,
            also,
        } => {
            let mut plan = requesting::refuse(
                &refusal,
                &acting.identity,
                about.as_ref(),
                &acting.policy.hash,
                tried,
                typed.as_deref(),
            );
            name_access(tx, acting, about.as_ref(), &mut plan).await?;
            apply(tx, plan).await?;
            apply(tx, also).await?;
            let answer = Answer::Refused(refusal);
            if pressed {
                // A press is acknowledged without words; what came of it is told by a job.
                let order = JobOrder::answer_press(
                    once,
                    &acting.inbound.place,
                    &acting.inbound.actor,
                    answer.clone(),
                    tx.now(),
                );
                tx.enqueue(&order).await?;
            }
            answer
        }
    };
    let kept = serde_json::to_string(&answer).map_err(|error| StoreError::Inconsistent {
        what: format!("the answer to {once}"),
        why: error.to_string(),
    })?;
    tx.keep_answer(once, &kept).await?;
    Ok(answer)
}

/// Names the access that a refused act was about, where there is one. Never what was typed: it may hold
/// a secret.
async fn name_access(
    tx: &mut dyn Tx,
    acting: &Acting,
    about: Option<&RequestId>,
    plan: &mut Plan,
) -> Result<(), StoreError> {
    if let Some(id) = about
        && let Some(request) = tx.request(id).await?
    {
        let of = request.beneficiary.account.as_str();
        plan.note(AuditKind::Refused, "of", of);
        plan.note(
            AuditKind::Refused,
            "resource",
            request.spec.resource.as_str(),
        );
    } else if let Act::Command(Command::Submit { resource, .. }) = &acting.inbound.act
        && let Some(name) = acting
            .policy
            .resources
            .keys()
            .find(|name| name.as_str() == resource)
    {
        plan.note(AuditKind::Refused, "resource", name.as_str());
    }
    Ok(())
}

/// For the record: what was tried, the personal text in it, and whether it was a press.
fn describe(command: &Command) -> (&'static str, Option<String>, bool) {
    match command {
        Command::Submit {
            resource, reason, ..
        } => ("request", Some(format!("{resource}: {reason}")), false),
        Command::Approve(_) => ("approve", None, true),
        Command::Deny(_) => ("deny", None, true),
        Command::Withdraw(_) => ("withdraw", None, false),
        Command::Done(_) => ("done", None, false),
        Command::Revoke { reason, .. } => ("revoke", Some(reason.clone()), false),
    }
}

async fn decide(tx: &mut dyn Tx, acting: &Acting, command: Command) -> Result<Verdict, StoreError> {
    let actor = &acting.inbound.actor;
    let community = format!("{}:{}", actor.platform(), actor.community());
    if !acting.policy.communities.contains(&community) {
        return Ok(Verdict::refused(Refusal::ForeignCommunity, None));
    }
    match command {
        Command::Submit {
            resource,
            end,
            reason,
        } => super::submitting::submit(tx, acting, &resource, end, reason).await,
        Command::Approve(press) => super::deciding::press(tx, acting, &press, true).await,
        Command::Deny(press) => super::deciding::press(tx, acting, &press, false).await,
        Command::Withdraw(id) => super::ending::withdraw(tx, acting, &id).await,
        Command::Done(id) => super::ending::done(tx, acting, &id).await,
        Command::Revoke { request, reason } => {
            super::ending::revoke(tx, acting, &request, &reason).await
        }
    }
}
