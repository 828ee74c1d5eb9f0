//! Where facts about people and their groups come from. One source a platform; only `effects` asks
//! it.

use async_trait::async_trait;

use crate::domain::directory::{FetchTrouble, SeenAccount, SeenGroup};
use crate::domain::ids::{AccountId, DirectoryGroupId};

/// A platform that knows people and groups.
#[async_trait]
pub trait DirectorySource: Send + Sync + 'static {
    /// Its name, as in an account: `slack`.
    fn platform(&self) -> &'static str;

    /// What it shows of each of these groups.
    ///
    /// # Errors
    /// [`FetchTrouble`] when it did not tell; then nothing is known of any.
    async fn groups(
        &self,
        ids: &[DirectoryGroupId],
    ) -> Result<Vec<(DirectoryGroupId, SeenGroup)>, FetchTrouble>;

    /// What it says of these accounts, the first ones first: as many as one attempt allows, and what
    /// went wrong after those.
    async fn accounts(
        &self,
        accounts: &[AccountId],
    ) -> (Vec<(AccountId, SeenAccount)>, Option<FetchTrouble>);
}
