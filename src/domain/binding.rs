//! What an issuer is bound to while it has grants, and what of it may be exchanged.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::ids::IssuerName;
use super::timing::Timestamp;

/// How the key begins that an issuer signs with. It may be exchanged for another: what the one before
/// signed is ended early by the grant's id, whoever signed.
pub const SIGNS_WITH: &str = "ca_key ";

/// An issuer signs with another key from now on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyExchange {
    /// The issuer.
    pub issuer: IssuerName,
    /// The fingerprint of the key before.
    pub from: String,
    /// The fingerprint of the key now.
    pub to: String,
    /// Until when targets may accept what was signed with the one before; none where nothing is
    /// left of it.
    pub until: Option<Timestamp>,
}

/// What an issuer that was bound to the one would lose where it is bound to the other.
#[must_use]
pub fn lost(was: &BTreeSet<String>, now: &BTreeSet<String>) -> Vec<String> {
    let exchanged = key_of(now).is_some();
    was.difference(now)
        .filter(|bound| !(exchanged && bound.starts_with(SIGNS_WITH)))
        .cloned()
        .collect()
}

/// The fingerprints of the keys before and now, where these differ.
#[must_use]
pub fn exchanged_keys(was: &BTreeSet<String>, now: &BTreeSet<String>) -> Option<(String, String)> {
    let (from, to) = (key_of(was)?, key_of(now)?);
    (from != to).then(|| (from.to_owned(), to.to_owned()))
}

fn key_of(bound: &BTreeSet<String>) -> Option<&str> {
    bound.iter().find_map(|one| one.strip_prefix(SIGNS_WITH))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bound(to: &[&str]) -> BTreeSet<String> {
        to.iter().map(|one| (*one).to_owned()).collect()
    }

    #[test]
    fn a_key_may_be_exchanged_but_not_dropped_and_a_place_neither() {
        let was = bound(&["ca_key SHA256:1", "host web-1", "host web-2"]);
        let all = bound(&["ca_key SHA256:2", "host web-1", "host web-2", "host web-3"]);
        assert!(lost(&was, &all).is_empty());
        assert_eq!(
            lost(&was, &bound(&["ca_key SHA256:2", "host web-2"])),
            ["host web-1"]
        );
        let elsewhere = bound(&["host web-1", "host web-2", "program /usr/bin/x"]);
        assert_eq!(lost(&was, &elsewhere), ["ca_key SHA256:1"]);
    }

    #[test]
    fn an_exchange_names_both_keys() {
        let (one, two) = (bound(&["ca_key SHA256:1"]), bound(&["ca_key SHA256:2"]));
        let names = ("SHA256:1".to_owned(), "SHA256:2".to_owned());
        assert_eq!(exchanged_keys(&one, &two), Some(names));
        assert_eq!(exchanged_keys(&one, &one), None);
        assert_eq!(exchanged_keys(&bound(&[]), &two), None);
        assert_eq!(exchanged_keys(&one, &bound(&[])), None);
    }
}
