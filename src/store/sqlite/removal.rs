//! What is removed for good, beside the writer and inside its transactions.

use async_trait::async_trait;

use super::tx::SqliteTx;
use super::view::View;
use super::{erasing, removing};
use crate::domain::erasure::PersonalRows;
use crate::domain::ids::AccountId;
use crate::domain::segment::{OldSegment, Segment};
use crate::domain::timing::Timestamp;
use crate::store::StoreError;
use crate::store::removal::{RemovalReads, Removing};

macro_rules! removal_reads {
    ($reader:ty) => {
        #[async_trait]
        impl RemovalReads for $reader {
            async fn removed_segments(&mut self) -> Result<Vec<Segment>, StoreError> {
                removing::segments(self.conn().await?).await
            }

            async fn oldest_segment(
                &mut self,
                until: Timestamp,
                machine_now: Timestamp,
                entries_max: i64,
            ) -> Result<Option<OldSegment>, StoreError> {
                removing::oldest(self.conn().await?, until, machine_now, entries_max).await
            }

            async fn texts_of(&mut self, account: &AccountId) -> Result<Vec<i64>, StoreError> {
                erasing::texts_of(self.conn().await?, account).await
            }

            async fn personal_rows(
                &mut self,
                account: &AccountId,
            ) -> Result<PersonalRows, StoreError> {
                erasing::personal_rows(self.conn().await?, account).await
            }
        }
    };
}

removal_reads!(View);
removal_reads!(SqliteTx<'_>);

#[async_trait]
impl Removing for SqliteTx<'_> {
    async fn remove_segment(
        &mut self,
        segment: &Segment,
        until: Timestamp,
    ) -> Result<(), StoreError> {
        let result = removing::remove(self.begin().await?, segment, until).await;
        self.end(result)
    }

    async fn erase_texts(&mut self, entries: &[i64]) -> Result<(), StoreError> {
        let result = erasing::erase_texts(self.begin().await?, entries).await;
        self.end(result)
    }

    async fn erase_rows(&mut self, account: &AccountId) -> Result<PersonalRows, StoreError> {
        let result = erasing::erase_rows(self.begin().await?, account).await;
        self.end(result)
    }
}
