//! What came of a job: state, record and the settling of the job in one transaction.

use std::sync::Arc;

use async_trait::async_trait;

use super::apply::{apply, conflict};
use super::{InForce, Service};
use crate::domain::decide::extending::{self, Parties};
use crate::domain::decide::{Change, Plan, ending, giving, requesting, retrying};
use crate::domain::grant::GrantState;
use crate::domain::ids::{GrantId, IssuerName, RequestId};
use crate::domain::job::{CHAT_ATTEMPTS_MAX, CHAT_BACKOFF_MS, Job, JobKind, Settle};
use crate::domain::job_order::JobOrder;
use crate::domain::outcome::Outcome;
use crate::domain::request::RequestState;
use crate::domain::timing::{Timestamp, backoff, seconds};
use crate::policy::Policy;
use crate::store::{StoreError, Tx, write_for};
use crate::worker::Recorder;

/// How often a target is given again what makes it refuse access that ended early, in seconds.
const PUBLISH_AGAIN_S: i64 = 300;

/// How long a message to security waits that the platform refused for good, in seconds.
const UNTOLD_AGAIN_S: i64 = 900;

#[async_trait]
impl Recorder for Service {
    async fn record(&self, job: &Job, outcome: Outcome) -> Result<(), String> {
        let in_force = self.in_force.clone();
        let job = job.clone();
        write_for(&*self.store, job.claim(), move |tx| {
            Box::pin(async move {
                let InForce {
                    policy,
                    schedule,
                    keep,
                } = InForce::clone(&in_force.load());
                if !tx.holds(job.claim()).await? {
                    // A stale worker. But access that it gave after an end was seen is known to
                    // nobody else.
                    return late(tx, &policy, &job, outcome).await;
                }
                let after = super::places::posted(tx, &policy, &job, &outcome).await?;
                let of_place = super::places::record(tx, &policy, &job, &outcome).await?;
                let done = match of_place {
                    None => super::renewing::handed_over(tx, &job.kind, &outcome).await?,
                    of_place => of_place,
                };
                let (plan, settle) = match (&job.kind, done) {
                    (_, Some(done)) => done,
                    (JobKind::Issue { grant }, None) => issue(tx, grant, &job, outcome).await?,
                    (JobKind::Extend { request }, None) => {
                        extend(tx, &policy, request, &job, outcome).await?
                    }
                    (JobKind::RenewSecret { grant, account }, None) => {
                        super::renewing::renewed(tx, grant, account, &job, outcome).await?
                    }
                    (JobKind::Revoke { grant }, None) => {
                        revoke(tx, &policy, grant, &job, outcome).await?
                    }
                    (JobKind::ExpireRequest { request }, None) => expire(tx, request).await?,
                    (JobKind::RefreshFacts { platform }, None) => {
                        super::refreshing::record(tx, &policy, platform, &job, outcome).await?
                    }
                    (JobKind::DecideChecked { request }, None) => {
                        super::checking::decide(tx, &policy, request).await?
                    }
                    (JobKind::CheckHolder { account }, None) => {
                        let plan = super::leaving::check_holder(tx, &policy, account).await?;
                        (plan, Settle::Done)
                    }
                    (JobKind::SyncCard { request }, None) => {
                        card(tx, &policy, request, &job, outcome).await?
                    }
                    (JobKind::DigestDue, None) => {
                        super::digest::make(tx, &policy, &schedule, job.run_at).await?
                    }
                    (JobKind::RemoveOld, None) => {
                        let settle = super::retention::remove(tx, &policy, keep).await?;
                        (Plan::default(), settle)
                    }
                    (JobKind::Publish { issuer }, None) => {
                        let settle = message(&policy, &job, outcome, tx.now());
                        (Plan::default(), look_again(tx, issuer, settle).await?)
                    }
                    (JobKind::History { request }, None) => (
                        Plan::default(),
                        written(tx, &policy, request, &job, outcome).await?,
                    ),
                    (_, None) => (Plan::default(), message(&policy, &job, outcome, tx.now())),
                };
                apply(tx, plan).await?;
                apply(tx, after).await?;
                tx.settle(job.claim(), &settle).await?;
                Ok(())
            })
        })
        .await
        .map_err(|error: StoreError| error.to_string())
    }
}

/// An outcome that came when somebody else had the job, or nobody needed it.
async fn late(
    tx: &mut dyn Tx,
    policy: &Arc<Policy>,
    job: &Job,
    outcome: Outcome,
) -> Result<(), StoreError> {
    let about = match (&job.kind, &outcome) {
        (JobKind::Issue { grant } | JobKind::RenewSecret { grant, .. }, Outcome::Issued { .. }) => {
            grant.clone()
        }
        (JobKind::Extend { request }, Outcome::Extended { .. }) => {
            match tx.request(request).await? {
                Some(request) => request.about_grant(),
                None => return Ok(()),
            }
        }
        _ => return Ok(()),
    };
    let over = tx
        .grant(&about)
        .await?
        .is_some_and(|grant| matches!(grant.state, GrantState::Ended | GrantState::Failed));
    if !over {
        return Ok(());
    }
    let (plan, _) = match &job.kind {
        JobKind::Extend { request } => extend(tx, policy, request, job, outcome).await?,
        JobKind::RenewSecret { grant, account } => {
            super::renewing::renewed(tx, grant, account, job, outcome).await?
        }
        _ => issue(tx, &about, job, outcome).await?,
    };
    apply(tx, plan).await
}

async fn extend(
    tx: &mut dyn Tx,
    policy: &Arc<Policy>,
    id: &RequestId,
    job: &Job,
    outcome: Outcome,
) -> Result<(Plan, Settle), StoreError> {
    let now = tx.now();
    let Some((asking, base, grant)) = super::extending::parties(tx, id).await? else {
        return Ok((Plan::default(), Settle::Done));
    };
    let of = Parties {
        asking: &asking,
        base: &base,
        grant: &grant,
    };
    Ok(match outcome {
        Outcome::Extended { handle, secret } => (
            extending::extended(of, handle, secret, now).map_err(conflict)?,
            Settle::Done,
        ),
        Outcome::NotExtended { said } | Outcome::Impossible { said } => {
            let remind_s = policy
                .resources
                .get(&grant.spec.resource)
                .map(|resource| resource.remind_s.clone())
                .unwrap_or_default();
            let plan = extending::refused(of, &said, &remind_s, now).map_err(conflict)?;
            (plan, Settle::Done)
        }
        Outcome::Retry { said, after_s, .. } => extending::troubled(of, job, &said, after_s, now),
        Outcome::IssueUnknown { said } => extending::troubled(of, job, &said, None, now),
        Outcome::NotBefore(at) => (Plan::default(), Settle::Snooze(at)),
        _ => (Plan::default(), Settle::Done),
    })
}

/// While there is access that ended earlier than its target would end it by itself, what makes the
/// target refuse it is looked after: others write there too, and hosts are built anew.
async fn look_again(
    tx: &mut dyn Tx,
    issuer: &IssuerName,
    settle: Settle,
) -> Result<Settle, StoreError> {
    if settle != Settle::Done {
        return Ok(settle);
    }
    let ended = tx
        .ended_before_native_deadline(issuer, tx.machine_now())
        .await?;
    Ok(if ended.is_empty() {
        Settle::Done
    } else {
        Settle::Snooze(tx.now() + seconds(PUBLISH_AGAIN_S))
    })
}

async fn issue(
    tx: &mut dyn Tx,
    id: &GrantId,
    job: &Job,
    outcome: Outcome,
) -> Result<(Plan, Settle), StoreError> {
    let now = tx.now();
    let Some((grant, request)) = tx.grant_and_request(id).await? else {
        return Ok((Plan::default(), Settle::Done));
    };
    let done = |plan| Ok((plan, Settle::Done));
    match outcome {
        Outcome::Issued { handle, secret } => {
            done(giving::issued(&request, &grant, handle, secret, now).map_err(conflict)?)
        }
        Outcome::NotIssued { said } => {
            done(giving::not_issued(&request, &grant, &said, now).map_err(conflict)?)
        }
        Outcome::PartlyIssued { said } | Outcome::Impossible { said } => {
            done(giving::partly_issued(&request, &grant, &said, now).map_err(conflict)?)
        }
        Outcome::IssueUnknown { said } => {
            giving::issue_troubled(&grant, job, &said, true, None, now).map_err(conflict)
        }
        Outcome::Retry { said, after_s, .. } => {
            giving::issue_troubled(&grant, job, &said, false, after_s, now).map_err(conflict)
        }
        Outcome::NotBefore(at) => Ok((Plan::default(), Settle::Snooze(at))),
        Outcome::Done
        | Outcome::Extended { .. }
        | Outcome::NotExtended { .. }
        | Outcome::Gone(_)
        | Outcome::SecretSent { .. }
        | Outcome::SecretMayBeLost { .. }
        | Outcome::HistoryWritten { .. }
        | Outcome::CardPosted(_)
        | Outcome::PostedTo(_)
        | Outcome::PlaceLost(_)
        | Outcome::PlaceThere
        | Outcome::PlacesLost(_)
        | Outcome::Facts { .. }
        | Outcome::Due => done(Plan::default()),
    }
}

async fn revoke(
    tx: &mut dyn Tx,
    policy: &Arc<Policy>,
    id: &GrantId,
    job: &Job,
    outcome: Outcome,
) -> Result<(Plan, Settle), StoreError> {
    let now = tx.now();
    let security = &policy.security.channels;
    let Some((grant, request)) = tx.grant_and_request(id).await? else {
        return Ok((Plan::default(), Settle::Done));
    };
    match outcome {
        Outcome::Gone(evidence)
            if matches!(grant.state, GrantState::Revoking | GrantState::Stuck) =>
        {
            let mut plan =
                ending::gone(&request, &grant, evidence, security, now).map_err(conflict)?;
            if grant
                .native_deadline
                .is_some_and(|end| end > tx.machine_now())
            {
                // A target may lose what makes it refuse.
                let at = now + seconds(PUBLISH_AGAIN_S);
                plan.job(JobOrder::publish_again(&grant.spec.issuer, at));
            }
            Ok((plan, Settle::Done))
        }
        Outcome::NotBefore(at) => Ok((Plan::default(), Settle::Snooze(at))),
        _ if grant.state.is_over() => Ok((Plan::default(), Settle::Done)),
        // Whatever else happened, access may still be there: it is tried again, without limit.
        other => {
            let (said, after_s) = match other {
                Outcome::Retry { said, after_s, .. } => (said, after_s),
                Outcome::Impossible { said } | Outcome::IssueUnknown { said } => (said, None),
                other => (format!("no end was seen ({other:?})"), None),
            };
            if !matches!(grant.state, GrantState::Revoking | GrantState::Stuck) {
                let at = retrying::retry_at(job, after_s, now);
                return Ok((Plan::default(), Settle::Again { at, error: said }));
            }
            ending::not_gone(&request, &grant, job, &said, after_s, security, now).map_err(conflict)
        }
    }
}

async fn expire(tx: &mut dyn Tx, id: &RequestId) -> Result<(Plan, Settle), StoreError> {
    let now = tx.now();
    match tx.request(id).await? {
        Some(request) if request.state == RequestState::Pending => {
            if now < request.pending_until {
                return Ok((Plan::default(), Settle::Snooze(request.pending_until)));
            }
            let plan = requesting::expire(&request, now).map_err(conflict)?;
            Ok((plan, Settle::Done))
        }
        _ => Ok((Plan::default(), Settle::Done)),
    }
}

async fn card(
    tx: &mut dyn Tx,
    policy: &Arc<Policy>,
    id: &RequestId,
    job: &Job,
    outcome: Outcome,
) -> Result<(Plan, Settle), StoreError> {
    let now = tx.now();
    let mut plan = Plan::default();
    if let Outcome::CardPosted(on) = &outcome {
        let known = tx.card(id).await?;
        requesting::card_seen(&mut plan, id, known.as_ref(), on, now);
        return Ok((plan, Settle::Done));
    }
    if outcome == Outcome::Done
        && let Some(on) = tx.card(id).await?
    {
        plan.job(JobOrder::history(id, &on.place, now));
    }
    let settle = message(policy, job, outcome, now);
    if let Settle::GiveUp { error } = &settle
        && tx
            .request(id)
            .await?
            .is_some_and(|request| request.state.is_open())
    {
        for place in &policy.security.channels {
            plan.changes
                .push(Change::Job(JobOrder::tell_card_lost(id, place, error, now)));
        }
    }
    Ok((plan, settle))
}

/// A thread was written on; at once again while there is more than one message tells.
async fn written(
    tx: &mut dyn Tx,
    policy: &Policy,
    request: &RequestId,
    job: &Job,
    outcome: Outcome,
) -> Result<Settle, StoreError> {
    if let Outcome::HistoryWritten { upto } = outcome {
        tx.record_history(request, upto).await?;
        if !tx.unwritten_entries(request, upto, 1).await?.is_empty() {
            return Ok(Settle::Snooze(tx.now()));
        }
    }
    Ok(message(policy, job, outcome, tx.now()))
}

/// What becomes of a message. Those to security about what is stuck, and the day's, are never given
/// up for failures that may pass.
fn message(policy: &Policy, job: &Job, outcome: Outcome, now: Timestamp) -> Settle {
    let for_security = !super::places::is_for_a_dropped_channel(policy, &job.kind)
        && (job.kind.security_place().is_some()
            || matches!(
                job.kind,
                JobKind::Privately { .. } | JobKind::OnceBack { .. } | JobKind::Publish { .. }
            ));
    match outcome {
        Outcome::Retry { said, after_s, .. } => {
            if job.failures + 1 >= CHAT_ATTEMPTS_MAX && !for_security {
                return Settle::GiveUp {
                    error: retrying::cut(&said),
                };
            }
            let attempt = u32::try_from(job.failures + 1).unwrap_or(u32::MAX);
            let (base, cap) = CHAT_BACKOFF_MS;
            let wait = backoff(attempt, base, cap, job.id.unsigned_abs());
            Settle::Again {
                at: now + wait.max(seconds(after_s.unwrap_or(0).clamp(0, 3600))),
                error: retrying::cut(&said),
            }
        }
        // What security must know waits until somebody mends the way there.
        Outcome::Impossible { said } if for_security => {
            tracing::error!(job = ?job.kind, "security could not be told: {said}");
            Settle::Again {
                at: now + seconds(UNTOLD_AGAIN_S),
                error: retrying::cut(&said),
            }
        }
        Outcome::Impossible { said } => Settle::GiveUp {
            error: retrying::cut(&said),
        },
        Outcome::NotBefore(at) => Settle::Snooze(at),
        _ => Settle::Done,
    }
}
