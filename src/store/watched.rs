//! What who watches over the process is told of the store.

use async_trait::async_trait;

use super::StoreError;
use crate::domain::standing::Standing;
use crate::domain::timing::Timestamp;

/// Reads sums rather than rows.
#[async_trait]
pub trait Watched: Send {
    /// What goes on at this moment.
    async fn standing(&mut self, now: Timestamp) -> Result<Standing, StoreError>;
}
