//! Tells the target a later end: the intent is committed first, then the target is called.

use super::issue::{answered, not_done, order};
use super::{Effects, ours};
use crate::domain::ids::RequestId;
use crate::domain::job::Job;
use crate::domain::outcome::Outcome;
use crate::issuer::GrantOrder;
use crate::service::ExtendTurn;

impl Effects {
    pub(super) async fn extend(&self, job: &Job, id: &RequestId) -> Result<Outcome, Outcome> {
        let turn = self
            .service
            .begin_extend(job.claim(), id)
            .await
            .map_err(|error| ours(&error))?;
        let (grant, until) = match turn {
            ExtendTurn::Call(grant, until) => (grant, until),
            ExtendTurn::NotBefore(at) => return Ok(Outcome::NotBefore(at)),
            ExtendTurn::Nothing => return Ok(Outcome::Done),
        };
        let issuer = self.issuer(&grant.spec.issuer)?;
        let handle = grant.handle.as_ref().map(|kept| &kept["handle"]);
        let order = GrantOrder {
            native_deadline: Some(until),
            ..order(&grant)
        };
        Ok(match issuer.extend(&order, handle).await {
            Ok(issued) => {
                let (handle, secret) = answered(&self.secrets, &grant.id, issued);
                Outcome::Extended { handle, secret }
            }
            Err(error) => not_done(error, |said| Outcome::NotExtended { said }),
        })
    }
}
