//! Which instances there are now.

use std::collections::BTreeMap;
use std::sync::Arc;

use arc_swap::ArcSwap;

use super::Issuer;
use crate::domain::ids::IssuerName;

/// Issuer instances by name.
pub type Instances = BTreeMap<IssuerName, Arc<dyn Issuer>>;

/// The instances that calls go to. They are exchanged as a whole, when a config is taken up.
pub struct Registry(ArcSwap<Instances>);

impl Registry {
    /// Of these.
    #[must_use]
    pub fn new(instances: Instances) -> Self {
        Self(ArcSwap::from_pointee(instances))
    }

    /// The instance of this name.
    #[must_use]
    pub fn get(&self, name: &IssuerName) -> Option<Arc<dyn Issuer>> {
        self.0.load().get(name).cloned()
    }

    /// Puts these in the place of those that were there, which it returns. Calls under way end at the
    /// instance that they began at.
    pub fn exchange(&self, instances: Arc<Instances>) -> Arc<Instances> {
        self.0.swap(instances)
    }
}
