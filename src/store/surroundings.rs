//! What a card or a letter shows beside its request, read in one look.

use async_trait::async_trait;

use crate::domain::command::MessageRef;
use crate::domain::decision::Decision;
use crate::domain::grant::Grant;
use crate::domain::ids::AccountId;
use crate::domain::job::JobKind;
use crate::domain::request::Request;
use crate::domain::timing::Timestamp;
use crate::store::StoreError;

/// What stands around a request.
#[derive(Debug, Clone)]
pub struct Surroundings {
    /// The grant that it is about.
    pub grant: Option<Grant>,
    /// Decisions on it, oldest first.
    pub decisions: Vec<Decision>,
    /// Where its card stands, once it was posted.
    pub card: Option<MessageRef>,
    /// The job that watches the channel of its card, if that was found lost.
    pub card_watch: Option<JobKind>,
    /// Requests that these accounts ever made for its resource, beside itself.
    pub earlier: i64,
    /// Grants of these accounts that are not over, beside the one that it is about.
    pub other_live: i64,
    /// Grants that share a holding with it, and go on or ended after the moment; those that never gave
    /// anything are left out. Oldest first.
    pub on_holdings: Vec<Grant>,
    /// Open requests to extend the grant that it is about, oldest first.
    pub open_extensions: Vec<Request>,
    /// Requests for more time of that grant that were given, oldest first.
    pub given_extensions: Vec<Request>,
}

/// Reads what stands around a request.
#[async_trait]
pub trait Surrounded: Send {
    /// What stands around this request, whose beneficiary has these accounts.
    async fn surroundings(
        &mut self,
        request: &Request,
        accounts: &[AccountId],
        ended_after: Timestamp,
    ) -> Result<Surroundings, StoreError>;
}
