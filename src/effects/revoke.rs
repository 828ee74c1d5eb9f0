//! Takes access away, and asks the target whether it is gone.

use super::issue::order;
use super::{Effects, ours};
use crate::domain::grant::Evidence;
use crate::domain::ids::GrantId;
use crate::domain::job::Job;
use crate::domain::outcome::Outcome;
use crate::issuer::{EarlyEnd, IssueError, NativeExpiry, Presence};
use crate::service::RevokeTurn;

impl Effects {
    pub(super) async fn revoke(&self, job: &Job, id: &GrantId) -> Result<Outcome, Outcome> {
        let turn = self
            .service
            .begin_revoke(job.claim(), id)
            .await
            .map_err(|error| ours(&error))?;
        let grant = match turn {
            RevokeTurn::Call(grant) => grant,
            RevokeTurn::NotBefore(at) => return Ok(Outcome::NotBefore(at)),
            RevokeTurn::Nothing => return Ok(Outcome::Done),
        };
        let issuer = self.issuer(&grant.spec.issuer)?;
        let order = order(&grant);
        let handle = grant.handle.as_ref().map(|kept| &kept["handle"]);
        issuer.revoke(&order, handle).await.map_err(still_there)?;
        Ok(match issuer.inspect(&order).await.map_err(still_there)? {
            Presence::Absent(evidence) => Outcome::Gone(evidence),
            Presence::Present => Outcome::Retry {
                said: "the target still shows the access".into(),
                after_s: None,
                pause_lane: false,
            },
            Presence::CannotTell => {
                let can = issuer.capabilities();
                let only_told = can.early_end == EarlyEnd::ToldOnly
                    || (can.early_end == EarlyEnd::Impossible
                        && can.native_expiry != NativeExpiry::Enforced);
                if only_told {
                    Outcome::Gone(Evidence::ToldOnly)
                } else {
                    Outcome::Retry {
                        said: "the target could not be asked yet".into(),
                        after_s: None,
                        pause_lane: false,
                    }
                }
            }
        })
    }
}

fn still_there(error: IssueError) -> Outcome {
    match error {
        IssueError::Retry { said, after_s } => Outcome::Retry {
            said,
            after_s,
            pause_lane: false,
        },
        // Refused for good or unknown: the access may be there, so it is tried again all the same.
        IssueError::Permanent { said } | IssueError::Unknown { said } => Outcome::Retry {
            said,
            after_s: None,
            pause_lane: false,
        },
    }
}
