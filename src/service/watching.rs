//! What who watches over the process asks for.

use super::{Service, ServiceError};
use crate::domain::audit::{AuditEntry, Head};
use crate::domain::ids::RequestId;
use crate::domain::standing::Standing;
use crate::domain::timing::Timestamp;
use crate::store::{Urgency, write};

impl Service {
    /// What goes on now.
    ///
    /// # Errors
    /// When the database can't be read.
    pub async fn standing(&self) -> Result<Standing, ServiceError> {
        let now = self.now();
        Ok(self.store.reader().await?.standing(now).await?)
    }

    /// The end of the record.
    ///
    /// # Errors
    /// When the database can't be read.
    pub async fn head(&self) -> Result<Head, ServiceError> {
        Ok(self.store.reader().await?.head().await?)
    }

    /// Entries of the record with a number above `after`, in order, at most `limit`.
    ///
    /// # Errors
    /// When the database can't be read.
    pub async fn recorded_after(
        &self,
        after: i64,
        limit: i64,
    ) -> Result<Vec<AuditEntry>, ServiceError> {
        Ok(self.store.reader().await?.audit_after(after, limit).await?)
    }

    /// When a request was submitted.
    ///
    /// # Errors
    /// When the database can't be read.
    pub async fn submitted_at(&self, id: &RequestId) -> Result<Option<Timestamp>, ServiceError> {
        let request = self.store.reader().await?.request(id).await?;
        Ok(request.map(|request| request.submitted_at))
    }

    /// Writes something durably that changes nothing but the time of the last transaction, so that a
    /// full disk or a database that others hold is known before somebody asks for something.
    ///
    /// # Errors
    /// When nothing can be kept.
    pub async fn try_to_keep(&self) -> Result<(), ServiceError> {
        write(&*self.store, Urgency::Outcome, |tx| {
            // No answer is that old.
            Box::pin(async move { tx.forget_answers(Timestamp::UNIX_EPOCH).await })
        })
        .await?;
        Ok(())
    }
}
