//! One list of what ended early, as it is handed out: bytes, digest and what they refuse.

use std::collections::BTreeSet;

use bytes::Bytes;

use super::krl::{self, Krl, KrlError};
use crate::clock::Timestamp;
use crate::domain::ids::{GrantId, IssuerName};
use crate::domain::spec::ContentHash;

/// A list that is handed out to hosts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct List {
    /// Its version number.
    pub version: u64,
    /// SHA-256 of its bytes, in hexadecimal: what `sha256sum` says of the file on a host.
    pub digest: ContentHash,
    /// The list as sshd reads it.
    pub bytes: Bytes,
    key_ids: BTreeSet<String>,
}

/// Why a list was not made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ListError {
    /// What was written could not be read again.
    #[error("the list that was made can't be read again: {0}")]
    Unreadable(#[from] KrlError),
    /// What was written says something else.
    #[error("the list that was made does not say what it should")]
    Different,
}

impl List {
    /// Makes the list that refuses these key ids, whichever CA signed, and reads it again before
    /// anybody gets it: a damaged list locks everybody out.
    ///
    /// # Errors
    /// [`ListError`] when it does not say what it should.
    pub fn make(
        comment: &str,
        key_ids: BTreeSet<String>,
        version: u64,
        made_at: Timestamp,
    ) -> Result<Self, ListError> {
        let bytes = Krl {
            version,
            generated_s: u64::try_from(made_at.timestamp()).unwrap_or_default(),
            comment: comment.to_owned(),
            ca_key: Vec::new(),
            key_ids: key_ids.clone(),
        }
        .to_bytes();
        let reading = krl::read(&bytes)?;
        let same = reading.version == version
            && reading.comment == comment
            && !reading.refuses_more
            && reading.key_ids.len() == key_ids.len()
            && key_ids.iter().all(|id| reading.refuses_of_every_ca(id));
        if !same {
            return Err(ListError::Different);
        }
        Ok(Self {
            version,
            digest: ContentHash::of(&bytes),
            bytes: Bytes::from(bytes),
            key_ids,
        })
    }

    /// Whether it refuses what was minted for this grant.
    #[must_use]
    pub fn refuses(&self, grant: &GrantId) -> bool {
        self.key_ids.contains(grant.as_str())
    }

    /// The key ids that it refuses.
    #[must_use]
    pub fn key_ids(&self) -> &BTreeSet<String> {
        &self.key_ids
    }
}

/// The comment by which an issuer instance knows a list as its own.
#[must_use]
pub fn comment(issuer: &IssuerName) -> String {
    format!("jitbot {issuer}")
}
