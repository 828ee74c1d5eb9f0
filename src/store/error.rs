//! Why the store did not do what it was asked.

/// Why the store did not do what it was asked. Nothing of the transaction was kept.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// The database refused or failed.
    #[error("the database failed: {0}")]
    Database(String),
    /// A row says something that can't be.
    #[error("the database holds {what} that can't be read: {why}")]
    Inconsistent {
        /// Which row.
        what: String,
        /// What is wrong with it.
        why: String,
    },
    /// A row was not in the state that the change began from.
    #[error("{what} changed meanwhile")]
    Conflict {
        /// Which row.
        what: String,
    },
    /// Another process holds the database.
    #[error("{path} is in use by {holder}: stop that process first, or name another database")]
    Held {
        /// The database's file.
        path: String,
        /// Who holds it, as it wrote itself down.
        holder: String,
    },
    /// The writer has stopped.
    #[error("the store is shutting down; nothing was kept")]
    Closed,
}
