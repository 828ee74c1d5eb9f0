//! Who acts, and what an act came to.

use std::sync::Arc;

use crate::domain::answer::Answer;
use crate::domain::command::Inbound;
use crate::domain::decide::Plan;
use crate::domain::ids::RequestId;
use crate::domain::person::Identity;
use crate::domain::refusal::Refusal;
use crate::domain::request::Request;
use crate::policy::{Policy, evaluate};
use crate::store::{Reads, StoreError, Tx};

/// What an act came to.
pub(super) enum Verdict {
    /// Done: this changes, and this is the answer.
    Done(Plan, Answer),
    /// Not done.
    Refused {
        /// Why.
        refusal: Refusal,
        /// About which request.
        about: Option<RequestId>,
        /// What else changes (a copy of a card that is struck out).
        also: Plan,
    },
}

impl Verdict {
    pub(super) fn refused(refusal: Refusal, about: Option<&RequestId>) -> Self {
        Self::Refused {
            refusal,
            about: about.cloned(),
            also: Plan::default(),
        }
    }
}

/// Who acts, under which policy.
pub(super) struct Acting {
    pub policy: Arc<Policy>,
    pub identity: Identity,
    pub inbound: Inbound,
    /// Fresh chance for a reference.
    pub bits: u64,
}

impl Acting {
    /// Under the same rules, with what is known of who acts.
    pub(super) async fn knowing(self, reads: &mut dyn Reads) -> Result<Self, StoreError> {
        let about = self.policy.accounts_of(&self.identity);
        Ok(Self {
            policy: Arc::new(self.policy.knowing(reads.known(&about).await?)),
            ..self
        })
    }
}

/// The rules, with what is known of who asked and who would receive it.
pub(super) async fn knowing_both(
    reads: &mut dyn Reads,
    policy: &Policy,
    request: &Request,
) -> Result<Policy, StoreError> {
    let mut about = policy.accounts_of(&policy.identify(&request.requester.account));
    about.extend(policy.accounts_of(&policy.identify(&request.beneficiary.account)));
    about.sort();
    about.dedup();
    Ok(policy.knowing(reads.known(&about).await?))
}

/// The request, if this person may know of it.
pub(super) async fn visible(
    tx: &mut dyn Tx,
    acting: &Acting,
    id: &RequestId,
) -> Result<Result<Request, Verdict>, StoreError> {
    let now = tx.now();
    let request = tx.request(id).await?;
    Ok(request
        .filter(|r| evaluate::may_see(&acting.policy, r, &acting.identity, now))
        .ok_or_else(|| {
            // Whoever may not know of it learns nothing from the difference.
            Verdict::refused(
                Refusal::NotFound {
                    reference: id.clone(),
                },
                Some(id),
            )
        }))
}
