//! What is removed for good: whole segments of the record once they are old (retention), and what is
//! personal about an account when the operator says so (erasure).

use async_trait::async_trait;

use super::StoreError;
use crate::domain::erasure::PersonalRows;
use crate::domain::ids::AccountId;
use crate::domain::segment::{OldSegment, Segment};
use crate::domain::timing::Timestamp;

/// What was removed, and what there is to remove.
#[async_trait]
pub trait RemovalReads: Send {
    /// What is kept of removed segments, oldest first.
    async fn removed_segments(&mut self) -> Result<Vec<Segment>, StoreError>;
    /// The oldest segment, if a digest made at or before `until` covers it: up to that digest's end,
    /// but at most so many entries. It is needed by what it tells of and is not over since `until`, by
    /// what a target may accept after `machine_now`, and by jobs that wait.
    async fn oldest_segment(
        &mut self,
        until: Timestamp,
        machine_now: Timestamp,
        entries_max: i64,
    ) -> Result<Option<OldSegment>, StoreError>;
    /// Entries with a text beside them that is by this account, or about it or its requests; rising.
    async fn texts_of(&mut self, account: &AccountId) -> Result<Vec<i64>, StoreError>;
    /// What else is personal about this account.
    async fn personal_rows(&mut self, account: &AccountId) -> Result<PersonalRows, StoreError>;
}

/// Removes.
#[async_trait]
pub trait Removing: RemovalReads {
    /// Keeps the segment's head and removes its entries with their texts; and with them the requests
    /// that no entry tells of any more, their grants and what hangs on them, the digests that it
    /// covers, policies that were out of force before its end, and what was given up before `until`.
    async fn remove_segment(
        &mut self,
        segment: &Segment,
        until: Timestamp,
    ) -> Result<(), StoreError>;
    /// Erases the texts beside these entries; each must be there.
    async fn erase_texts(&mut self, entries: &[i64]) -> Result<(), StoreError>;
    /// Erases what else is personal about this account, and says how much that was.
    async fn erase_rows(&mut self, account: &AccountId) -> Result<PersonalRows, StoreError>;
}
