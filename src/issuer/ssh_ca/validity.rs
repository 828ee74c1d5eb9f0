//! When a certificate is valid, and when it has ended by itself.

use chrono::TimeDelta;

use super::{CLOCK_SKEW_S, permanent};
use crate::clock::Timestamp;
use crate::issuer::{GrantOrder, IssueError};

/// When a certificate is valid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Validity {
    /// First second, since 1970.
    pub after_s: u64,
    /// First second after the last, since 1970.
    pub before_s: u64,
}

/// From a little before now, for hosts whose clocks lag, until the deadline: never later, so a
/// fraction of a second is cut off.
pub(super) fn validity(order: &GrantOrder, now: Timestamp) -> Result<Validity, IssueError> {
    let Some(deadline) = order.native_deadline else {
        return Err(permanent(
            "the grant has no deadline, and nothing is certified for ever".to_owned(),
        ));
    };
    let seconds = |at: Timestamp| u64::try_from(at.timestamp()).unwrap_or_default();
    if deadline.timestamp() <= now.timestamp() {
        return Err(permanent(
            "the grant's deadline has passed; nothing was certified".to_owned(),
        ));
    }
    if order.serial == 0 {
        return Err(permanent(
            "the grant has the serial number 0, which OpenSSH takes for none".to_owned(),
        ));
    }
    Ok(Validity {
        after_s: seconds(now - TimeDelta::seconds(CLOCK_SKEW_S)),
        before_s: seconds(deadline),
    })
}

/// Whether whatever was minted has run out. Where no deadline was ever fixed nothing was minted,
/// since [`validity`] refuses it.
pub(super) fn has_ended_natively(order: &GrantOrder, now: Timestamp) -> bool {
    order.native_deadline.is_none_or(|deadline| deadline <= now)
}
