//! Has a target make the secret of live access anew: the intent is committed first.

use super::issue::{answered, not_done, order};
use super::{Effects, ours};
use crate::domain::ids::GrantId;
use crate::domain::job::Job;
use crate::domain::outcome::Outcome;
use crate::issuer::GrantOrder;
use crate::service::RenewTurn;

impl Effects {
    pub(super) async fn renew_secret(&self, job: &Job, id: &GrantId) -> Result<Outcome, Outcome> {
        let turn = self
            .service
            .begin_renew(job.claim(), id)
            .await
            .map_err(|error| ours(&error))?;
        let (grant, until) = match turn {
            RenewTurn::Call(grant, until) => (grant, until),
            RenewTurn::NotBefore(at) => return Ok(Outcome::NotBefore(at)),
            RenewTurn::Nothing => return Ok(Outcome::Done),
        };
        let issuer = self.issuer(&grant.spec.issuer)?;
        let order = GrantOrder {
            native_deadline: Some(until),
            renewal: Some(job.id),
            ..order(&grant)
        };
        Ok(match issuer.issue(&order).await {
            Ok(issued) => {
                let (handle, secret) = answered(&self.secrets, id, issued);
                Outcome::Issued { handle, secret }
            }
            Err(error) => not_done(error, |said| Outcome::NotIssued { said }),
        })
    }
}
