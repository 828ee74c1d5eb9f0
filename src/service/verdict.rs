//! Who acts, and what an act came to.

use std::sync::Arc;

use crate::domain::answer::Answer;
use crate::domain::command::Inbound;
use crate::domain::decide::Plan;
use crate::domain::ids::RequestId;
use crate::domain::person::Identity;
use crate::domain::refusal::Refusal;
use crate::policy::Policy;

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
