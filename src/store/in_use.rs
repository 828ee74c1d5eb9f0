//! An issuer with grants that are not over, or that a target may still accept.

use std::collections::BTreeSet;

use crate::domain::timing::Timestamp;

/// What is kept of an issuer in use.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct InUse {
    /// What it is bound to, as far as that was kept.
    pub bound_to: BTreeSet<String>,
    /// The latest moment at which a target may accept something that it gave; none where no target
    /// was told of any.
    pub accepted_until: Option<Timestamp>,
}
