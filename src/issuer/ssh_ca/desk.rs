//! Where hosts fetch the list, and report which one they have put in place.
//!
//! Each host has a token of its own. A report counts only for the host whose token came with it,
//! and only if it names the list that is handed out now. Reports live in memory: hosts repeat them.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};
use subtle::{Choice, ConditionallySelectable, ConstantTimeEq};

use super::list::List;
use super::push::{check_host_name, is_digest};
use crate::clock::Timestamp;
use crate::domain::ids::GrantId;
use crate::domain::spec::ContentHash;

/// The shortest token of a host, in characters.
pub const TOKEN_MIN_CHARS: usize = 24;

/// What a host said that it has, under its own token.
#[derive(Debug, Clone)]
pub struct Report {
    /// The list.
    list: Arc<List>,
    /// When it said so.
    at: Timestamp,
}

impl Report {
    /// SHA-256 of the list that it has.
    #[must_use]
    pub fn digest(&self) -> &ContentHash {
        &self.list.digest
    }

    /// The version of the list that it has.
    #[must_use]
    pub fn version(&self) -> u64 {
        self.list.version
    }

    /// When it said so last.
    #[must_use]
    pub fn at(&self) -> Timestamp {
        self.at
    }
}

/// Why a report was not taken. Nothing was changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotTaken {
    /// It speaks for another host than the one whose token came with it.
    #[error("the report speaks for another host than its token")]
    AnotherHost,
    /// It names another list than the one that is handed out now.
    #[error("the report names another list than the present one; fetch it again")]
    AnotherList,
}

#[derive(Debug, Default)]
struct Board {
    current: Option<Arc<List>>,
    reports: BTreeMap<String, Report>,
}

/// Hands the list out, and knows who has which.
pub struct Desk {
    hosts: Vec<String>,
    /// SHA-256 of each token that opens, with the place in `hosts` of the host whose it is.
    tokens: Vec<([u8; 32], u64)>,
    board: Arc<Mutex<Board>>,
}

impl std::fmt::Debug for Desk {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Desk")
            .field("hosts", &self.hosts)
            .finish_non_exhaustive()
    }
}

/// A host whose token was shown. Only [`Desk::host_of`] makes one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownHost(String);

impl Desk {
    /// A desk for these hosts and their tokens, and the former ones of some of them.
    ///
    /// # Errors
    /// What is wrong with a name or a token, without the token.
    pub fn new(
        hosts: &BTreeMap<String, SecretString>,
        former: &BTreeMap<String, SecretString>,
    ) -> Result<Self, String> {
        if hosts.is_empty() {
            return Err("fetch.hosts names no host".to_owned());
        }
        let mut desk = Self {
            hosts: vec![],
            tokens: vec![],
            board: Arc::default(),
        };
        for (place, (host, token)) in (0_u64..).zip(hosts) {
            check_host_name(host)?;
            desk.hosts.push(host.clone());
            for token in std::iter::once(token).chain(former.get(host)) {
                desk.add(host, place, token)?;
            }
        }
        Ok(desk)
    }

    fn add(&mut self, host: &str, place: u64, token: &SecretString) -> Result<(), String> {
        let token = token.expose_secret();
        if token.len() < TOKEN_MIN_CHARS || !token.bytes().all(|b| b.is_ascii_graphic()) {
            return Err(format!(
                "the token of host {host} must be {TOKEN_MIN_CHARS} visible ASCII characters or \
                 more; make one with `openssl rand -hex 32`"
            ));
        }
        let digest = Self::digest(token);
        match self.tokens.iter().find(|(known, _)| *known == digest) {
            // Two files that were not told apart yet: the host has one token.
            Some((_, whose)) if *whose == place => {}
            Some(_) => {
                return Err(format!(
                    "host {host} has the token of another host; each needs its own"
                ));
            }
            None => self.tokens.push((digest, place)),
        }
        Ok(())
    }

    /// A desk for this one's hosts and tokens that goes on with the list and the reports of another.
    #[must_use]
    pub(super) fn sharing(&self, before: &Self) -> Self {
        Self {
            hosts: self.hosts.clone(),
            tokens: self.tokens.clone(),
            board: before.board.clone(),
        }
    }

    /// Whose token this is. Takes the same time for every token: all are compared, as digests of
    /// equal length.
    #[must_use]
    pub fn host_of(&self, token: &str) -> Option<KnownHost> {
        let shown = Self::digest(token);
        let mut found = 0_u64;
        for (known, place) in &self.tokens {
            let same: Choice = known.ct_eq(&shown);
            found = u64::conditional_select(&found, &(place + 1), same);
        }
        let index = usize::try_from(found.checked_sub(1)?).ok()?;
        self.hosts.get(index).cloned().map(KnownHost)
    }

    /// The list that is handed out now; none before the first was made.
    #[must_use]
    pub fn current(&self) -> Option<Arc<List>> {
        self.board().current.clone()
    }

    /// Hands out this list from now on.
    pub(super) fn offer(&self, list: Arc<List>) {
        let mut board = self.board();
        board.current = Some(list);
        // A host that was left out and comes back may be another machine.
        board.reports.retain(|host, _| self.hosts.contains(host));
    }

    /// Takes a host's word for which list it has.
    ///
    /// # Errors
    /// [`NotTaken`]; nothing was changed.
    pub fn report(
        &self,
        by: &KnownHost,
        host: &str,
        digest: &str,
        at: Timestamp,
    ) -> Result<(), NotTaken> {
        if by.0 != host {
            return Err(NotTaken::AnotherHost);
        }
        let mut board = self.board();
        let list = match &board.current {
            Some(current) if is_digest(digest, current) => current.clone(),
            _ => return Err(NotTaken::AnotherList),
        };
        board.reports.insert(by.0.clone(), Report { list, at });
        Ok(())
    }

    /// The hosts that fetch.
    pub fn hosts(&self) -> impl Iterator<Item = &str> {
        self.hosts.iter().map(String::as_str)
    }

    /// The hosts that have not reported a list that refuses this grant.
    #[must_use]
    pub fn hosts_without(&self, grant: &GrantId) -> Vec<String> {
        let board = self.board();
        self.hosts
            .iter()
            .filter(|host| {
                !board
                    .reports
                    .get(*host)
                    .is_some_and(|report| report.list.refuses(grant))
            })
            .cloned()
            .collect()
    }

    /// The last report of each host.
    #[must_use]
    pub fn reports(&self) -> BTreeMap<String, Report> {
        self.board().reports.clone()
    }

    fn digest(token: &str) -> [u8; 32] {
        Sha256::digest(token.as_bytes()).into()
    }

    fn board(&self) -> MutexGuard<'_, Board> {
        self.board.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
