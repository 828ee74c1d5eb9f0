//! The whole record, read in order and checked.

use super::{Reads, StoreError};
use crate::domain::audit::Head;
use crate::domain::audit_verify::{Broken, Verified, Verifier};

/// Entries that are read at once.
const PAGE: i64 = 1_000;

/// Checks the whole record, and compares it with a head that was kept elsewhere if there is one. Returns
/// what it is, or the first thing that is wrong with it.
///
/// # Errors
/// When the database can't be read.
pub async fn verified(
    reader: &mut dyn Reads,
    expected: Option<Head>,
) -> Result<Result<Verified, Broken>, StoreError> {
    let segments = reader.removed_segments().await?;
    let begun = Verifier::after(&segments, expected);
    let mut after = segments.last().map_or(0, |segment| segment.to.count);
    // What comes from before the first entry that should be there is one that does not fit.
    if let Some(first) = reader.audit_after(0, 1).await?.first() {
        after = after.min(first.seq - 1);
    }
    let mut verifier = match begun {
        Ok(verifier) => verifier,
        Err(broken) => return Ok(Err(broken)),
    };
    loop {
        let page = reader.audit_after(after, PAGE).await?;
        let Some(last) = page.last() else {
            return Ok(verifier.finish());
        };
        after = last.seq;
        for entry in &page {
            if let Err(broken) = verifier.take(entry) {
                return Ok(Err(broken));
            }
        }
    }
}
