//! A request and the states that it goes through.

use serde::{Deserialize, Serialize};

use super::ids::{GrantId, Place, RequestId};
use super::person::Identity;
use super::spec::{ContentHash, Spec};
use super::timing::Timestamp;

/// Where a request stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RequestState {
    /// Facts that decide it are being fetched.
    Checking,
    /// Waits for people.
    Pending,
    /// Became a grant.
    Approved,
    /// An approver said no.
    Denied,
    /// A rule, or a fact that can't be had, said no.
    Refused,
    /// Taken back by who asked.
    Withdrawn,
    /// Nobody decided in time.
    Expired,
    /// Ended by us, e.g. because the requester left.
    Cancelled,
}

/// What can happen to a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RequestEvent {
    /// The facts are there; people must decide.
    NeedsPeople,
    /// Enough approvals, or a rule approved it.
    Approve,
    /// An approver denied it.
    Deny,
    /// A rule refused it.
    Refuse,
    /// The requester or beneficiary took it back.
    Withdraw,
    /// Its time to be decided ran out.
    Expire,
    /// Something else ended it.
    Cancel,
}

/// An event that a state has no answer to.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{event} can't happen to something that is {state}")]
pub struct IllegalTransition {
    /// The state that holds.
    pub state: String,
    /// What was tried.
    pub event: String,
}

impl RequestState {
    /// Every state, in the order of life.
    pub const ALL: [Self; 8] = [
        Self::Checking,
        Self::Pending,
        Self::Approved,
        Self::Denied,
        Self::Refused,
        Self::Withdrawn,
        Self::Expired,
        Self::Cancelled,
    ];

    /// The word for it, in the database and for people.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Checking => "checking",
            Self::Pending => "pending",
            Self::Approved => "approved",
            Self::Denied => "denied",
            Self::Refused => "refused",
            Self::Withdrawn => "withdrawn",
            Self::Expired => "expired",
            Self::Cancelled => "cancelled",
        }
    }

    /// The state with this word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == word)
    }

    /// Whether something can still be decided.
    #[must_use]
    pub const fn is_open(self) -> bool {
        matches!(self, Self::Checking | Self::Pending)
    }

    /// The state after an event.
    ///
    /// # Errors
    /// [`IllegalTransition`] naming both, when the event can't happen in this state.
    pub fn next(self, event: RequestEvent) -> Result<Self, IllegalTransition> {
        use RequestEvent as E;
        Ok(match (self, event) {
            (Self::Checking, E::NeedsPeople) => Self::Pending,
            (Self::Checking | Self::Pending, E::Approve) => Self::Approved,
            (Self::Checking | Self::Pending, E::Withdraw) => Self::Withdrawn,
            (Self::Checking | Self::Pending, E::Cancel) => Self::Cancelled,
            (Self::Checking, E::Refuse) => Self::Refused,
            (Self::Pending, E::Deny) => Self::Denied,
            (Self::Pending, E::Expire) => Self::Expired,
            (state, event) => {
                return Err(IllegalTransition {
                    state: state.as_str().into(),
                    event: format!("{event:?}"),
                });
            }
        })
    }
}

/// What became of the extension that a request asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ExtensionState {
    /// Undecided, or approved and on its way to the target.
    Waiting,
    /// The target holds the later end.
    Given,
    /// Approved, but the target does not hold it: the access was over, or no longer allowed, or the
    /// target refused. The earlier end holds.
    NotGiven,
}

impl ExtensionState {
    /// Every state.
    pub const ALL: [Self; 3] = [Self::Waiting, Self::Given, Self::NotGiven];

    /// The word for it in the database.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Given => "given",
            Self::NotGiven => "not_given",
        }
    }

    /// The state with this word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == word)
    }
}

/// That a request asks for more time for access that is held. The spec is the grant's but for its
/// length, counted from the start of that access, and the moment that it names as its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Extension {
    /// Whose end is to be later.
    pub grant: GrantId,
    /// The end that held when it was asked.
    pub from: Timestamp,
    /// What became of it.
    pub state: ExtensionState,
}

/// A wish for a resource, a duration and a reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// Its reference.
    pub id: RequestId,
    /// Where it stands.
    pub state: RequestState,
    /// Who asked.
    pub requester: Identity,
    /// Who would receive it.
    pub beneficiary: Identity,
    /// What was asked for, as it was then.
    pub spec: Spec,
    /// Hash of `spec`.
    pub spec_hash: ContentHash,
    /// Why, in the requester's words; erased on demand.
    pub reason: Option<String>,
    /// Where it was asked.
    pub origin: Place,
    /// Where the card goes, chosen when it was asked; none when no card is shown.
    pub card_place: Option<Place>,
    /// Approvals that were needed when it was asked.
    pub approvals_needed: i64,
    /// The card's version: a press on an older one counts for nothing. 1 so far: nothing changes a request yet.
    pub version: i64,
    /// When it was asked.
    pub submitted_at: Timestamp,
    /// When it expires if nobody decides.
    pub pending_until: Timestamp,
    /// When it stopped being open.
    pub decided_at: Option<Timestamp>,
    /// Set where it asks for more time instead of for new access.
    pub extends: Option<Extension>,
}

impl Request {
    /// The grant that it is about: the one that it became or would become, or the one that it extends.
    #[must_use]
    pub fn about_grant(&self) -> GrantId {
        match &self.extends {
            Some(extension) => extension.grant.clone(),
            None => self.id.grant(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exactly_the_agreed_transitions_are_legal() {
        use RequestEvent as E;
        use RequestState as S;
        let events = [
            E::NeedsPeople,
            E::Approve,
            E::Deny,
            E::Refuse,
            E::Withdraw,
            E::Expire,
            E::Cancel,
        ];
        let mut legal: Vec<String> = Vec::new();
        for state in S::ALL {
            for event in events {
                if let Ok(next) = state.next(event) {
                    legal.push(format!("{} {event:?} {}", state.as_str(), next.as_str()));
                }
            }
        }
        assert_eq!(
            legal,
            [
                "checking NeedsPeople pending",
                "checking Approve approved",
                "checking Refuse refused",
                "checking Withdraw withdrawn",
                "checking Cancel cancelled",
                "pending Approve approved",
                "pending Deny denied",
                "pending Withdraw withdrawn",
                "pending Expire expired",
                "pending Cancel cancelled",
            ]
        );
    }
}
