//! One act of one person: answered once, committed before it is answered.

use super::apply::apply;
use super::deciding::Vote;
use super::verdict::{Acting, Verdict};
use super::{Service, ServiceError};
use crate::domain::answer::Answer;
use crate::domain::audit::AuditKind;
use crate::domain::command::{Act, Command, Inbound, Via};
use crate::domain::decide::{Plan, checking, requesting};
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
        let in_force = self.in_force.clone();
        let bits = (self.chance)();
        let what = inbound.act.clone();
        let acting = move || {
            let policy = in_force.load().policy.clone();
            let identity = policy.identify(&inbound.actor);
            Acting {
                policy,
                identity,
                inbound,
                bits,
            }
        };
        match what {
            Act::Query(query) => {
                let mut reader = self.store.reader().await?;
                let acting = acting().knowing(&mut *reader).await?;
                drop(reader);
                self.answer(&acting, query).await
            }
            Act::Command(command) => Ok(write(&*self.store, Urgency::Answer, move |tx| {
                // The policy is read here and not before, so that none decides after it was changed.
                Box::pin(async move {
                    let acting = acting().knowing(tx).await?;
                    act(tx, &acting, command).await
                })
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
    let (tried, typed) = describe(&command);
    let via = &acting.inbound.via;
    let verdict = decide(tx, acting, command).await?;
    let answer = match verdict {
        Verdict::Done(plan, answer) => {
            apply(tx, plan).await?;
            tell_done(tx, acting, &answer).await?;
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
            if refusal.lacks_facts() {
                let about = acting.policy.accounts_of(&acting.identity);
                checking::ask_again(&mut plan, about, tx.now());
            }
            name_access(tx, acting, about.as_ref(), &mut plan).await?;
            apply(tx, plan).await?;
            apply(tx, also).await?;
            let answer = Answer::Refused(refusal);
            match via {
                // A press is acknowledged without words; what came of it is told by a job.
                Via::Button(_) => tell(tx, acting, answer.clone()).await?,
                // A form stays open for another try, which is not this one.
                Via::Form => return Ok(answer),
                Via::Typed => {}
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

/// Tells who pressed or sent a form what came of it, where nothing else does.
async fn tell_done(tx: &mut dyn Tx, acting: &Acting, answer: &Answer) -> Result<(), StoreError> {
    match &acting.inbound.via {
        Via::Typed => Ok(()),
        Via::Form => tell(tx, acting, answer.clone()).await,
        Via::Button(None) => {
            tx.enqueue(&JobOrder::sync_home(&acting.inbound.actor, tx.now()))
                .await
        }
        Via::Button(on) => match answer {
            // The reminder that carries the button is drawn anew, and says it.
            Answer::Ending(summary) => match on {
                Some(on) => {
                    let order = JobOrder::sync_reminder(&summary.id.grant(), on, tx.now());
                    tx.enqueue(&order).await
                }
                None => Ok(()),
            },
            Answer::Withdrawn(_) | Answer::ApprovedAlready(_) => {
                tell(tx, acting, answer.clone()).await
            }
            // The card says it, a form opens, or the message that was asked for comes.
            _ => Ok(()),
        },
    }
}

async fn tell(tx: &mut dyn Tx, acting: &Acting, answer: Answer) -> Result<(), StoreError> {
    let Inbound {
        once, place, actor, ..
    } = &acting.inbound;
    tx.enqueue(&JobOrder::answer_press(
        once,
        place,
        actor,
        answer,
        tx.now(),
    ))
    .await
}

/// For the record: what was tried, and the personal text in it.
fn describe(command: &Command) -> (&'static str, Option<String>) {
    match command {
        Command::Submit {
            resource, reason, ..
        } => ("request", Some(format!("{resource}: {reason}"))),
        Command::Approve(_) => ("approve", None),
        Command::Deny { why, .. } => ("deny", why.clone()),
        Command::Withdraw(_) => ("withdraw", None),
        Command::Extend { reason, .. } => ("extend", reason.clone()),
        Command::Done(_) => ("done", None),
        Command::Revoke { reason, .. } => ("revoke", Some(reason.clone())),
        Command::SendAgain(_) => ("send_again", None),
        // Never what was typed: it may be a private key.
        Command::GiveKey(_) => ("give_key", None),
        Command::ForgetKey(_) => ("forget_key", None),
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
        Command::Approve(press) => super::deciding::press(tx, acting, &press, Vote::Approve).await,
        Command::Deny { press, why } => {
            super::deciding::press(tx, acting, &press, Vote::Deny(why)).await
        }
        Command::Withdraw(id) => super::ending::withdraw(tx, acting, &id).await,
        Command::Extend {
            request,
            end,
            reason,
        } => super::extending::extend(tx, acting, &request, end, reason).await,
        Command::SendAgain(id) => super::ending::send_again(tx, acting, &id).await,
        Command::GiveKey(typed) => super::keys::give(tx, acting, &typed).await,
        Command::ForgetKey(of) => super::keys::forget(tx, acting, of.as_deref()).await,
        Command::Done(id) => super::ending::done(tx, acting, &id).await,
        Command::Revoke { request, reason } => {
            super::ending::revoke(tx, acting, &request, &reason).await
        }
    }
}
