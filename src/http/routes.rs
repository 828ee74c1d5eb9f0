//! What the server serves.

use std::collections::BTreeMap;
use std::sync::Arc;

use arc_swap::ArcSwap;

use super::probes::Probes;
use crate::clock::Clock;
use crate::domain::ids::IssuerName;
use crate::issuer::ssh_ca::desk::Desk;

/// Where hosts fetch lists, by issuer instance.
pub type Desks = BTreeMap<IssuerName, Arc<Desk>>;

/// What the server serves.
#[derive(Clone)]
pub struct Routes {
    /// Where hosts fetch lists now; exchanged when a config is taken up.
    pub desks: Arc<ArcSwap<Desks>>,
    /// Stamps reports and counts requests.
    pub clock: Arc<dyn Clock>,
    /// How the process is.
    pub probes: Arc<dyn Probes>,
}

impl std::fmt::Debug for Routes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Routes")
            .field("desks", &self.desks)
            .finish_non_exhaustive()
    }
}
