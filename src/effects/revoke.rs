//! Takes access away, and asks the target whether it is gone.

use super::issue::order;
use super::{Effects, ours};
use crate::clock::Stopwatch;
use crate::domain::grant::Evidence;
use crate::domain::ids::GrantId;
use crate::domain::job::{HANDLER_MAX_S, Job};
use crate::domain::outcome::Outcome;
use crate::domain::timing::seconds;
use crate::issuer::{EarlyEnd, IssueError, NativeExpiry, Presence};
use crate::metrics::TargetCall;
use crate::service::RevokeTurn;

/// How long a call may have gone on after it began, in seconds.
const CALL_MAX_S: i64 = HANDLER_MAX_S as i64;

impl Effects {
    pub(super) async fn revoke(&self, job: &Job, id: &GrantId) -> Result<Outcome, Outcome> {
        // Whoever has it or not: it opens nothing any more.
        self.secrets.take(id);
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
        let now = self.service.now();
        let can = issuer.capabilities();
        // What nobody can end early ends by itself: asking again and again would only look like trouble.
        if can.early_end == EarlyEnd::Impossible
            && can.native_expiry == NativeExpiry::Enforced
            && let Some(deadline) = grant.deadline.filter(|deadline| *deadline > now)
        {
            return Ok(Outcome::NotBefore(deadline));
        }
        let handle = grant.handle.as_ref().map(|kept| &kept["handle"]);
        let took = Stopwatch::start();
        let seen = match issuer.revoke(&order, handle).await {
            Ok(()) => issuer.inspect(&order).await,
            Err(error) => Err(error),
        };
        self.metrics.called(TargetCall::Revoke, took.elapsed());
        Ok(match seen.map_err(still_there)? {
            // A call whose outcome is unknown may still take effect, and this absence is none then.
            Presence::Absent(evidence @ (Evidence::SeenGone | Evidence::ToldOnly)) => {
                let settled = grant
                    .unsettled_since
                    .filter(|_| can.settles_within_s > 0)
                    .map(|began| began + seconds(CALL_MAX_S + can.settles_within_s));
                match settled.filter(|settled| *settled > now) {
                    Some(settled) => Outcome::NotBefore(settled),
                    None => Outcome::Gone(evidence),
                }
            }
            Presence::Absent(evidence) => Outcome::Gone(evidence),
            Presence::Present => Outcome::Retry {
                said: "the target still shows the access".into(),
                after_s: None,
                pause_lane: false,
            },
            Presence::CannotTell => {
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
    let (said, after_s) = match error {
        IssueError::Retry { said, after_s } => (said, after_s),
        // Refused for good or unknown: the access may be there, so it is tried again all the same.
        IssueError::Permanent { said } | IssueError::Unknown { said } => (said, None),
    };
    Outcome::Retry {
        said,
        after_s,
        pause_lane: false,
    }
}
