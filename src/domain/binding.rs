//! What an issuer is bound to while it has grants, and what of it may be exchanged.

use std::collections::BTreeSet;

use chrono::{DateTime, SecondsFormat, Utc};
use serde::{Deserialize, Serialize};

use super::ids::IssuerName;
use super::timing::Timestamp;

/// How the key begins that an issuer signs with. It may be exchanged for another: what the one before
/// signed is ended early by the grant's id, whoever signed.
pub const SIGNS_WITH: &str = "ca_key ";

/// How the key begins that an issuer signed with before, where it is kept beside what the issuer is
/// bound to. Its fingerprint follows, and until when targets may accept what it signed.
const SIGNED_WITH: &str = "former_ca_key ";

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

/// A key that targets may accept certificates of.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct AcceptedKey {
    /// Its fingerprint.
    pub fingerprint: String,
    /// Until when.
    pub until: Timestamp,
}

/// What an issuer that was bound to the one would lose where it is bound to the other.
#[must_use]
pub fn lost(was: &BTreeSet<String>, now: &BTreeSet<String>) -> Vec<String> {
    let exchanged = key_of(now).is_some();
    was.difference(now)
        .filter(|bound| !bound.starts_with(SIGNED_WITH))
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

/// The keys of which targets may still accept something that this issuer signed. `accepted_until` is
/// the latest moment that anything that it gave is accepted.
#[must_use]
pub fn accepted_keys(
    kept: &BTreeSet<String>,
    accepted_until: Option<Timestamp>,
    machine_now: Timestamp,
) -> BTreeSet<AcceptedKey> {
    let present = key_of(kept).zip(accepted_until).map(|(key, until)| {
        let fingerprint = key.to_owned();
        AcceptedKey { fingerprint, until }
    });
    let mut keys: BTreeSet<AcceptedKey> = kept.iter().filter_map(|one| former(one)).collect();
    keys.extend(present);
    keys.retain(|key| key.until > machine_now);
    keys
}

/// What is kept of an issuer from now on: what it is bound to, and the keys before of which targets
/// may accept something.
#[must_use]
pub fn to_keep(now: &BTreeSet<String>, accepted: &BTreeSet<AcceptedKey>) -> BTreeSet<String> {
    let present = key_of(now);
    let former = accepted
        .iter()
        .filter(|key| Some(key.fingerprint.as_str()) != present)
        .map(|key| {
            let until = key.until.to_rfc3339_opts(SecondsFormat::Millis, true);
            format!("{SIGNED_WITH}{} {until}", key.fingerprint)
        });
    now.iter().cloned().chain(former).collect()
}

/// Whether this is the key that an issuer that is bound to these signs with.
#[must_use]
pub fn signs_with(bound: &BTreeSet<String>, key: &AcceptedKey) -> bool {
    key_of(bound) == Some(key.fingerprint.as_str())
}

fn former(kept: &str) -> Option<AcceptedKey> {
    let (fingerprint, until) = kept.strip_prefix(SIGNED_WITH)?.split_once(' ')?;
    let until = DateTime::parse_from_rfc3339(until).ok()?;
    Some(AcceptedKey {
        fingerprint: fingerprint.to_owned(),
        until: until.with_timezone(&Utc),
    })
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

    #[test]
    fn a_key_before_is_kept_as_long_as_something_that_it_signed_may_be_accepted() {
        let at = |s| DateTime::from_timestamp(s, 0).unwrap();
        let one = bound(&["ca_key SHA256:1", "host web-1"]);
        let two = bound(&["ca_key SHA256:2", "host web-1"]);
        let three = bound(&["ca_key SHA256:3", "host web-1"]);
        let key = |n, s| AcceptedKey {
            fingerprint: format!("SHA256:{n}"),
            until: at(s),
        };
        let first = accepted_keys(&one, Some(at(100)), at(0));
        assert_eq!(first, [key(1, 100)].into());
        let kept = to_keep(&two, &first);
        assert_eq!(kept.len(), 3, "{kept:?}");
        assert!(lost(&kept, &three).is_empty());
        // What it gave since is of the second key, and the first one's end stays what it was.
        let second = accepted_keys(&kept, Some(at(200)), at(50));
        assert_eq!(second, [key(1, 100), key(2, 200)].into());
        assert_eq!(
            accepted_keys(&to_keep(&three, &second), None, at(100)),
            [key(2, 200)].into()
        );
        assert!(signs_with(&two, &key(2, 0)) && !signs_with(&three, &key(2, 0)));
        // Back to the first: it is the present one, and no former one.
        let back = to_keep(&one, &second);
        assert_eq!(
            accepted_keys(&back, Some(at(300)), at(150)),
            [key(1, 300), key(2, 200)].into()
        );
        assert!(accepted_keys(&one, None, at(0)).is_empty());
    }
}
