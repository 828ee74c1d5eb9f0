//! What came of an attempt at a job. `service` turns it into the next state.

use super::command::MessageRef;
use super::directory::{FetchTrouble, Fetched};
use super::grant::Evidence;
use super::ids::{AccountId, GrantId, Place};

/// A channel that can't be posted to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlaceTrouble {
    /// Which.
    pub place: Place,
    /// What the platform said.
    pub said: String,
    /// Whether looking at the channel shows it; otherwise only a post that succeeds shows its end.
    pub shows: bool,
}

/// What a handler reports.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    /// There was nothing (more) to do, or what was to be done is done and needs no record.
    Done,
    /// The target gives access.
    Issued {
        /// What finds it again, and what the beneficiary is told; never secret.
        handle: serde_json::Value,
        /// Whether it made a secret, which is to be handed over.
        secret: bool,
    },
    /// The target holds the later end.
    Extended {
        /// What finds it again, and what the beneficiary is told; never secret.
        handle: serde_json::Value,
        /// Whether it made a secret, which is to be handed over.
        secret: bool,
    },
    /// The target refused the later end, for good.
    NotExtended {
        /// What it said.
        said: String,
    },
    /// The target did not give access, for good, and was seen to show none.
    NotIssued {
        /// What it said.
        said: String,
    },
    /// The target did not give access for good, but something may have been left there.
    PartlyIssued {
        /// What it said.
        said: String,
    },
    /// Nobody knows whether access is there.
    IssueUnknown {
        /// What happened.
        said: String,
    },
    /// The platform took the message that holds a secret.
    SecretSent {
        /// Of which grant.
        grant: GrantId,
        /// To whom.
        to: AccountId,
    },
    /// Nobody knows whether a secret was handed over, or it was lost before.
    SecretMayBeLost {
        /// Of which grant.
        grant: GrantId,
        /// What happened, without secrets.
        said: String,
    },
    /// Access is gone.
    Gone(Evidence),
    /// What happened stands in the card's thread, up to this entry of the record.
    HistoryWritten {
        /// The entry's number.
        upto: i64,
    },
    /// A card stands here.
    CardPosted(MessageRef),
    /// It failed; trying again may help.
    Retry {
        /// What happened, without secrets.
        said: String,
        /// Seconds to wait at least.
        after_s: Option<i64>,
        /// The whole lane must wait so long (a rate limit).
        pause_lane: bool,
    },
    /// A message stands in this channel.
    PostedTo(Place),
    /// The channel that it is for can't be posted to.
    PlaceLost(PlaceTrouble),
    /// The channel can be posted to.
    PlaceThere,
    /// These of the channels that were looked at can't be posted to.
    PlacesLost(Vec<PlaceTrouble>),
    /// It can never succeed.
    Impossible {
        /// What happened, without secrets.
        said: String,
    },
    /// What a platform told of people and groups, and what went wrong after that.
    Facts {
        /// Each with the time at which it was asked for.
        fetched: Vec<(Fetched, super::timing::Timestamp)>,
        /// Why the rest was not told.
        trouble: Option<FetchTrouble>,
        /// When there is more to ask.
        again_at: super::timing::Timestamp,
    },
    /// A timer came due.
    Due,
    /// It is not time yet; not a failure.
    NotBefore(super::timing::Timestamp),
}
