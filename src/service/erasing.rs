//! Erasing what is personal about an account, while no bot runs.

use crate::domain::erasure::{self, PersonalRows, TEXTS_MAX};
use crate::domain::ids::{AccountId, RequestId};
use crate::store::{Reads, Store, StoreError, Urgency, write};

/// The most requests that are named where they keep an account from being erased.
const NAMED_MAX: i64 = 100;

/// What an erasure would erase, or did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Personal {
    /// Texts beside the record.
    pub texts: usize,
    /// What else.
    pub rows: PersonalRows,
}

impl Personal {
    /// Whether there is nothing. Answers don't count: they may be to anybody.
    #[must_use]
    pub fn is_nothing(&self) -> bool {
        let without_answers = PersonalRows {
            answers: 0,
            ..self.rows
        };
        self.texts == 0 && without_answers == PersonalRows::default()
    }
}

/// Why nothing was erased.
#[derive(Debug, thiserror::Error)]
pub enum NotErased {
    /// Something of the account is not over.
    #[error("{} requests are not over", .0.len())]
    NotOver(Vec<RequestId>),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What is personal about this account.
///
/// # Errors
/// [`NotErased`] where it could not be erased.
pub async fn personal(reads: &mut dyn Reads, of: &AccountId) -> Result<Personal, NotErased> {
    let live = reads
        .live_requests_of(std::slice::from_ref(of), NAMED_MAX)
        .await?;
    if !live.is_empty() {
        let ids = live.into_iter().map(|request| request.id).collect();
        return Err(NotErased::NotOver(ids));
    }
    Ok(Personal {
        texts: reads.texts_of(of).await?.len(),
        rows: reads.personal_rows(of).await?,
    })
}

/// Erases it, and has the record say so: in one transaction each so many texts, with the entry that
/// tells of them. What was not done when one fails is done by another try.
///
/// # Errors
/// [`NotErased`]; what an entry of the record tells of was erased all the same.
pub async fn erase(store: &dyn Store, of: &AccountId) -> Result<Personal, NotErased> {
    let mut erased = Personal::default();
    loop {
        let of = of.clone();
        let done = write(store, Urgency::Answer, move |tx| {
            Box::pin(async move {
                match personal(tx, &of).await {
                    Ok(left) if left.is_nothing() => return Ok(Ok(left)),
                    Ok(_) => {}
                    Err(NotErased::Store(error)) => return Err(error),
                    Err(not_over) => return Ok(Err(not_over)),
                }
                let mut texts = tx.texts_of(&of).await?;
                texts.truncate(TEXTS_MAX);
                let rows = tx.erase_rows(&of).await?;
                tx.erase_texts(&texts).await?;
                tx.audit(erasure::told(&of, &texts, &rows)).await?;
                Ok(Ok(Personal {
                    texts: texts.len(),
                    rows,
                }))
            })
        })
        .await??;
        if done.is_nothing() {
            return Ok(erased);
        }
        erased.texts += done.texts;
        erased.rows = erased.rows.and(&done.rows);
    }
}
