//! `[heartbeat]`: whom to tell that the bot works.

use secrecy::{ExposeSecret as _, SecretString};
use url::Url;

use super::reader::{Item, Table};
use super::secret::{self, SecretSource};
use crate::web_call::address::{self, BadAddress};

pub(super) const HEARTBEAT_KEYS: &[&str] = &["url", "every", "allow_private"];

const EVERY_DEFAULT_S: i64 = 60;
const EVERY_S: (i64, i64) = (1, 86_400);

/// `[heartbeat]`.
#[derive(Debug, Clone)]
pub struct HeartbeatConfig {
    /// The address that is asked; whoever knows it can pretend that the bot lives.
    pub url: SecretSource,
    /// Seconds between two beats.
    pub every_s: i64,
    /// Whether it may be in a private network, or on this machine.
    pub allow_private: bool,
}

/// What may be asked. Of what is wrong it is said which rule it breaks, never the address.
///
/// # Errors
/// What is wrong, to follow the name of the key.
pub fn address(secret: &SecretString, allow_private: bool) -> Result<Url, &'static str> {
    address::read(secret.expose_secret(), allow_private).map_err(broken)
}

/// The rule that an address breaks.
pub(super) const fn broken(wrong: BadAddress) -> &'static str {
    match wrong {
        BadAddress::NotAnAddress => "is not an address like https://watch.example/ping/…",
        BadAddress::HoldsMore => "holds a user, a password or a fragment, which are not sent",
        BadAddress::NoHost => "names no host",
        BadAddress::Private => {
            "is an address of a private network, or of this machine: allow_private = true would let it be asked"
        }
        BadAddress::PlainHere | BadAddress::NotHttps => {
            "is not https:// (http:// is for this machine alone, with allow_private = true)"
        }
    }
}

/// None is sent where none is asked for; the outer none means that what is asked for is wrong.
pub(super) fn read(root: &Table<'_>) -> Option<Option<HeartbeatConfig>> {
    let Some(item) = root.get("heartbeat") else {
        return Some(None);
    };
    let table = item.table(HEARTBEAT_KEYS, &[])?;
    let allow_private = match table.get("allow_private") {
        Some(item) => item.boolean(),
        None => Some(false),
    };
    let every_s = match table.get("every") {
        Some(item) => read_every(&item),
        None => Some(EVERY_DEFAULT_S),
    };
    // The address is judged where it is used: a pipeline that checks the file has another in its place.
    let url = table
        .need("url", secret::SECRET_HINT)
        .and_then(|item| secret::read(&item));
    Some(Some(HeartbeatConfig {
        url: url?,
        every_s: every_s?,
        allow_private: allow_private?,
    }))
}

fn read_every(item: &Item<'_>) -> Option<i64> {
    let seconds = item.duration()?;
    let (least, most) = EVERY_S;
    if (least..=most).contains(&seconds) {
        return Some(seconds);
    }
    item.problem("is too short or too long", "From 1s to 1d.");
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_judged_and_never_repeated() {
        let judge = |url: &str, allow| address(&SecretString::from(url), allow);
        for (url, allow) in [
            ("https://hc.example/ping/marker-of-a-test", false),
            ("https://10.0.0.1/marker-of-a-test", true),
            ("http://127.0.0.1:1/marker-of-a-test", true),
            ("http://localhost/marker-of-a-test", true),
        ] {
            assert!(judge(url, allow).is_ok(), "{url}");
        }
        for (url, allow) in [
            ("marker-of-a-test", true),
            ("ftp://hc.example/marker-of-a-test", true),
            ("http://hc.example/marker-of-a-test", true),
            ("http://127.0.0.1/marker-of-a-test", false),
            ("https://10.0.0.1/marker-of-a-test", false),
            ("https://user:marker-of-a-test@hc.example/", true),
            ("https://hc.example/#marker-of-a-test", true),
        ] {
            let why = judge(url, allow).unwrap_err();
            assert!(!why.contains("marker-of-a-test"), "{url}: {why}");
        }
    }
}
