//! Gives access: the intent is committed first, then the target is called.

use super::secrets_in_hand::SecretsInHand;
use super::{Effects, ours};
use crate::clock::Stopwatch;
use crate::domain::grant::Grant;
use crate::domain::ids::GrantId;
use crate::domain::job::Job;
use crate::domain::outcome::Outcome;
use crate::issuer::{GrantOrder, IssueError, Issued, Issuer, Presence};
use crate::metrics::TargetCall;
use crate::service::IssueTurn;

/// What an issuer is told of a grant.
pub(super) fn order(grant: &Grant) -> GrantOrder {
    GrantOrder {
        grant: grant.id.clone(),
        serial: u64::try_from(grant.serial).unwrap_or_default(),
        spec: grant.spec.clone(),
        native_deadline: grant.native_deadline,
        renewal: None,
    }
}

/// What is recorded of what a target gave, and whether there is a secret: that stays in hand until it is
/// handed over, in place of an older one.
pub(super) fn answered(
    secrets: &SecretsInHand,
    grant: &GrantId,
    issued: Issued,
) -> (serde_json::Value, bool) {
    let handle = serde_json::json!({
        "handle": issued.handle,
        "how_to_use": issued.how_to_use,
        "document": issued.document,
    });
    let has_secret = issued.secret.is_some();
    if let Some(secret) = issued.secret {
        secrets.keep(grant, secret);
    }
    (handle, has_secret)
}

/// A call that gave nothing, as an outcome; `for_good` is what it means that trying again is useless.
pub(super) fn not_done(error: IssueError, for_good: impl FnOnce(String) -> Outcome) -> Outcome {
    match error {
        IssueError::Retry { said, after_s } => Outcome::Retry {
            said,
            after_s,
            pause_lane: false,
        },
        IssueError::Unknown { said } => Outcome::IssueUnknown { said },
        IssueError::Permanent { said } => for_good(said),
    }
}

impl Effects {
    pub(super) async fn issue(&self, job: &Job, id: &GrantId) -> Result<Outcome, Outcome> {
        let turn = self
            .service
            .begin_issue(job.claim(), id)
            .await
            .map_err(|error| ours(&error))?;
        let grant = match turn {
            IssueTurn::Call(grant) => grant,
            IssueTurn::NotBefore(at) => return Ok(Outcome::NotBefore(at)),
            IssueTurn::Nothing => return Ok(Outcome::Done),
        };
        let issuer = self.issuer(&grant.spec.issuer)?;
        let order = order(&grant);
        let took = Stopwatch::start();
        let issued = issuer.issue(&order).await;
        self.metrics.called(TargetCall::Issue, took.elapsed());
        Ok(match issued {
            Ok(issued) => {
                let (handle, secret) = answered(&self.secrets, id, issued);
                Outcome::Issued { handle, secret }
            }
            Err(IssueError::Permanent { said }) => refused(&*issuer, &order, said).await,
            Err(error) => not_done(error, |said| Outcome::PartlyIssued { said }),
        })
    }
}

/// `failed` needs absence seen at the target; otherwise what may be there is taken away.
async fn refused(issuer: &dyn Issuer, order: &GrantOrder, said: String) -> Outcome {
    // Where a target needs time to settle, absence seen now proves nothing.
    let settled = issuer.capabilities().settles_within_s == 0;
    match issuer.inspect(order).await {
        Ok(Presence::Absent(_)) if settled => Outcome::NotIssued { said },
        Ok(Presence::Absent(_)) => Outcome::PartlyIssued { said },
        Ok(Presence::Present | Presence::CannotTell) | Err(_) => Outcome::PartlyIssued { said },
    }
}
