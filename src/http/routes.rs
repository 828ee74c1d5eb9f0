//! What the server serves.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::clock::Clock;
use crate::domain::ids::IssuerName;
use crate::issuer::ssh_ca::desk::Desk;

/// What the server serves.
#[derive(Clone)]
pub struct Routes {
    /// Where hosts fetch lists, by issuer instance.
    pub desks: BTreeMap<IssuerName, Arc<Desk>>,
    /// Stamps reports and counts requests.
    pub clock: Arc<dyn Clock>,
}

impl std::fmt::Debug for Routes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Routes")
            .field("desks", &self.desks)
            .finish_non_exhaustive()
    }
}
