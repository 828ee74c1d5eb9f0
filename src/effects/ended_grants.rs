//! What an issuer that writes whole lists reads of other grants, from the store.

use std::sync::{Arc, OnceLock};

use async_trait::async_trait;

use crate::domain::grant::Grant;
use crate::domain::ids::IssuerName;
use crate::domain::timing::Timestamp;
use crate::issuer::{EndedGrants, GrantOrder, IssueError};
use crate::service::Service;

/// The ended grants of one issuer instance. Issuers are built before the service that knows the
/// policy which needs them, so the service is handed in afterwards.
pub struct EndedGrantsOf {
    issuer: IssuerName,
    service: OnceLock<Arc<Service>>,
}

impl EndedGrantsOf {
    /// Of this instance.
    #[must_use]
    pub fn new(issuer: IssuerName) -> Self {
        Self {
            issuer,
            service: OnceLock::new(),
        }
    }

    /// From here on they are read through this service.
    pub fn read_through(&self, service: Arc<Service>) {
        // A second call changes nothing: there is one service in a process.
        let _ = self.service.set(service);
    }
}

#[async_trait]
impl EndedGrants for EndedGrantsOf {
    async fn ended_before_their_native_deadline(
        &self,
        machine_now: Timestamp,
    ) -> Result<Vec<GrantOrder>, IssueError> {
        let retry = |said: String| IssueError::Retry {
            said,
            after_s: None,
        };
        let service = self
            .service
            .get()
            .ok_or_else(|| retry("jitbot is still starting".into()))?;
        let grants = service
            .ended_before_native_deadline(&self.issuer, machine_now)
            .await
            .map_err(|error| retry(error.to_string()))?;
        Ok(orders(&grants))
    }
}

/// What an issuer is told of each.
#[must_use]
pub fn orders(grants: &[Grant]) -> Vec<GrantOrder> {
    grants.iter().map(super::issue::order).collect()
}
