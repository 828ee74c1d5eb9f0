//! Transactions with whatever type they yield.

use futures_util::future::BoxFuture;

use super::{Store, StoreError, Tx, Urgency, WriteBody};
use crate::domain::job::Claim;

/// Runs a transaction on a store: commits it (fsync), then returns what it yielded.
///
/// # Errors
/// What the body returned, or what the database said; nothing was kept then.
pub async fn write<T, F>(store: &dyn Store, urgency: Urgency, body: F) -> Result<T, StoreError>
where
    T: Send + 'static,
    F: for<'t> FnOnce(&'t mut dyn Tx) -> BoxFuture<'t, Result<T, StoreError>> + Send + 'static,
{
    write_as(store, urgency, None, body).await
}

/// The same for what came of a job, or is about to: [`Tx::holds`] for its claim is read with the beginning.
///
/// # Errors
/// As [`write()`].
pub async fn write_for<T, F>(store: &dyn Store, claim: Claim, body: F) -> Result<T, StoreError>
where
    T: Send + 'static,
    F: for<'t> FnOnce(&'t mut dyn Tx) -> BoxFuture<'t, Result<T, StoreError>> + Send + 'static,
{
    write_as(store, Urgency::Outcome, Some(claim), body).await
}

async fn write_as<T, F>(
    store: &dyn Store,
    urgency: Urgency,
    claim: Option<Claim>,
    body: F,
) -> Result<T, StoreError>
where
    T: Send + 'static,
    F: for<'t> FnOnce(&'t mut dyn Tx) -> BoxFuture<'t, Result<T, StoreError>> + Send + 'static,
{
    let boxed: WriteBody<Box<dyn std::any::Any + Send>> = Box::new(move |tx| {
        Box::pin(async move {
            let value = body(tx).await?;
            Ok(Box::new(value) as Box<dyn std::any::Any + Send>)
        })
    });
    let value = store.write_boxed(urgency, claim, boxed).await?;
    value
        .downcast::<T>()
        .map(|value| *value)
        .map_err(|_| StoreError::Database("a transaction yielded another type".into()))
}
