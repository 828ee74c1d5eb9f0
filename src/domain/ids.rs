//! Names of things. Each is a type of its own, so that one can't be passed for another.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Why a text is not a valid name of its kind.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not {what}")]
pub struct InvalidName {
    /// What was expected, with its article.
    pub what: &'static str,
    /// The text, cut to 80 characters.
    pub text: String,
}

impl InvalidName {
    fn new(what: &'static str, text: &str) -> Self {
        Self {
            what,
            text: text.chars().take(80).collect(),
        }
    }
}

macro_rules! text_name {
    ($(#[$doc:meta])* $name:ident, $what:literal, $valid:expr) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// Checks the text.
            ///
            /// # Errors
            /// [`InvalidName`] when the text is not of this kind.
            pub fn new(text: impl Into<String>) -> Result<Self, InvalidName> {
                let text = text.into();
                let valid: fn(&str) -> bool = $valid;
                if valid(&text) {
                    Ok(Self(text))
                } else {
                    Err(InvalidName::new($what, &text))
                }
            }

            /// The name as text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl TryFrom<String> for $name {
            type Error = InvalidName;
            fn try_from(text: String) -> Result<Self, InvalidName> {
                Self::new(text)
            }
        }

        impl From<$name> for String {
            fn from(name: $name) -> String {
                name.0
            }
        }
    };
}

/// The longest name that a config may give to something, in bytes.
pub const NAME_MAX_BYTES: usize = 64;

fn is_config_name(text: &str) -> bool {
    !text.is_empty()
        && text.len() <= NAME_MAX_BYTES
        && text
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-' || b == b'_')
        && text.as_bytes()[0].is_ascii_alphanumeric()
}

fn is_reference(prefix: u8, text: &str) -> bool {
    text.len() == 1 + REFERENCE_LEN
        && text.as_bytes()[0] == prefix
        && text
            .bytes()
            .skip(1)
            .all(|b| REFERENCE_ALPHABET.contains(&b))
}

/// Letters and digits of a reference: no `i`, `l`, `o`, `u`, so that it can be read aloud and spells nothing.
pub const REFERENCE_ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

/// Random characters of a reference: 50 bits.
pub const REFERENCE_LEN: usize = 10;

text_name!(
    /// A request's reference, `r` and ten characters. The grant that it becomes has the same ten characters.
    RequestId, "a request id", |t| is_reference(b'r', t)
);
text_name!(
    /// A grant's reference, `g` and ten characters; also the key id of what an issuer mints for it.
    GrantId, "a grant id", |t| is_reference(b'g', t)
);
text_name!(
    /// The config's name of a resource.
    ResourceName, "a resource name (lower-case letters, digits, `-`, `_`)", is_config_name
);
text_name!(
    /// The config's name of an issuer instance.
    IssuerName, "an issuer name (lower-case letters, digits, `-`, `_`)", is_config_name
);
text_name!(
    /// The config's name of a group.
    GroupName, "a group name (lower-case letters, digits, `-`, `_`)", is_config_name
);
text_name!(
    /// The config's name of a person.
    PersonName, "a person's name (lower-case letters, digits, `-`, `_`)", is_config_name
);
text_name!(
    /// A platform account: `slack:TEAM/USER` or `discord:GUILD/USER`.
    AccountId, "an account (slack:TEAM/USER)", is_account
);
text_name!(
    /// Where something is posted: `slack:TEAM/CHANNEL`. Direct messages go to an [`AccountId`] instead.
    Place, "a place (slack:TEAM/CHANNEL)", is_account
);

text_name!(
    /// A group of a platform, by the id that it keeps when it is renamed: `slack:TEAM/GROUP`.
    DirectoryGroupId, "a platform's group (slack:TEAM/GROUP)", is_account
);

fn is_account(text: &str) -> bool {
    let Some((platform, rest)) = text.split_once(':') else {
        return false;
    };
    let Some((community, member)) = rest.split_once('/') else {
        return false;
    };
    let id = |part: &str| {
        !part.is_empty() && part.len() <= 32 && part.bytes().all(|b| b.is_ascii_alphanumeric())
    };
    matches!(platform, "slack" | "discord") && id(community) && id(member)
}

macro_rules! platform_parts {
    ($name:ident) => {
        impl $name {
            /// `slack` or `discord`.
            #[must_use]
            pub fn platform(&self) -> &str {
                self.0.split_once(':').map_or("", |(platform, _)| platform)
            }

            /// The workspace or guild.
            #[must_use]
            pub fn community(&self) -> &str {
                self.parts().0
            }

            /// The user or channel within the workspace or guild.
            #[must_use]
            pub fn member(&self) -> &str {
                self.parts().1
            }

            fn parts(&self) -> (&str, &str) {
                self.0
                    .split_once(':')
                    .and_then(|(_, rest)| rest.split_once('/'))
                    .unwrap_or(("", ""))
            }
        }
    };
}
platform_parts!(AccountId);
platform_parts!(Place);
platform_parts!(DirectoryGroupId);

impl RequestId {
    /// The reference with the given 50 random bits.
    #[must_use]
    pub fn from_bits(bits: u64) -> Self {
        Self(format!("r{}", reference(bits)))
    }

    /// The grant that this request becomes when it is approved.
    #[must_use]
    pub fn grant(&self) -> GrantId {
        GrantId(format!("g{}", &self.0[1..]))
    }
}

impl GrantId {
    /// The request that became this grant.
    #[must_use]
    pub fn request(&self) -> RequestId {
        RequestId(format!("r{}", &self.0[1..]))
    }
}

fn reference(bits: u64) -> String {
    (0..REFERENCE_LEN)
        .map(|i| char::from(REFERENCE_ALPHABET[((bits >> (5 * i)) & 31) as usize]))
        .collect()
}

/// A reference as a person types it: either letter is taken, case is ignored, so is a leading `#`.
///
/// # Errors
/// [`InvalidName`] when the text can't be a reference.
pub fn parse_reference(text: &str) -> Result<RequestId, InvalidName> {
    let lower = text.trim().trim_start_matches('#').to_ascii_lowercase();
    GrantId::new(lower.clone())
        .map(|grant| grant.request())
        .or_else(|_| RequestId::new(lower))
        .map_err(|_| InvalidName::new("a reference", text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reference_is_read_back_in_either_form() {
        let id = RequestId::from_bits(0x3_1234_5678_9abc);
        assert_eq!(parse_reference(id.as_str()), Ok(id.clone()));
        assert_eq!(parse_reference(id.grant().as_str()), Ok(id.clone()));
        assert_eq!(
            parse_reference(&format!(" #{} ", id.as_str().to_uppercase())),
            Ok(id)
        );
    }

    #[test]
    fn what_is_no_name_is_refused() {
        for text in [
            "",
            "r",
            "r123",
            "x0123456789",
            "r012345678i",
            "r0123456789x",
            "r0123456789\0",
        ] {
            assert!(parse_reference(text).is_err(), "{text:?}");
        }
        for text in ["", "Staging", "-x", "a b", "ä", &"x".repeat(65)] {
            assert!(ResourceName::new(text).is_err(), "{text:?}");
        }
        for text in [
            "slack:T1",
            "slack:/U1",
            "irc:T1/U1",
            "slack:T1/U 1",
            "slack:T1/U1/x",
        ] {
            assert!(AccountId::new(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn an_account_has_three_parts() {
        let account = AccountId::new("slack:T1/U2").unwrap();
        assert_eq!(
            (account.platform(), account.community(), account.member()),
            ("slack", "T1", "U2")
        );
    }
}
