//! Public SSH keys, by which a target knows people.

use std::ops::RangeInclusive;

use serde::{Deserialize, Serialize};
use ssh_key::EcdsaCurve;
use ssh_key::public::KeyData;

/// The smallest and largest RSA key, in bits. Below, sshd may refuse it; above, its certificate is too
/// long for a chat message.
pub const RSA_BITS: RangeInclusive<usize> = 2_048..=4_096;

/// Characters of the longest line that is looked at: an RSA key of 4,096 bits has some 730, and a
/// comment.
const LINE_MAX_CHARS: usize = 2_000;

/// A public key that a certificate can be made for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct PublicKey {
    line: String,
    fingerprint: String,
}

/// Why a text is no such key. Never repeats it: it may be a private key in the wrong place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(rename_all = "snake_case")]
pub enum BadKey {
    /// It is a private key.
    #[error("is a private key")]
    Private,
    /// It is something else.
    #[error("is not a public key in OpenSSH's form")]
    Unreadable,
    /// An RSA key of so many bits.
    #[error("is an RSA key of {0} bits")]
    RsaBits(usize),
    /// A kind that no certificate is made for.
    #[error("is a key of the kind {0}")]
    Kind(String),
}

impl PublicKey {
    /// Reads the line of a `.pub` file; its comment is dropped.
    ///
    /// # Errors
    /// [`BadKey`].
    pub fn parse(text: &str) -> Result<Self, BadKey> {
        if text.contains("PRIVATE KEY") {
            return Err(BadKey::Private);
        }
        let text = text.trim();
        if text.chars().any(char::is_control) || text.chars().count() > LINE_MAX_CHARS {
            return Err(BadKey::Unreadable);
        }
        let mut key = ssh_key::PublicKey::from_openssh(text).map_err(|_| BadKey::Unreadable)?;
        match key.key_data() {
            KeyData::Ed25519(_) | KeyData::SkEd25519(_) | KeyData::SkEcdsaSha2NistP256(_) => {}
            KeyData::Ecdsa(key) => match key.curve() {
                EcdsaCurve::NistP256 | EcdsaCurve::NistP384 | EcdsaCurve::NistP521 => {}
            },
            KeyData::Rsa(key) => {
                let bits = key.n.as_positive_bytes().map_or(0, |bytes| {
                    let zeros = bytes.first().map_or(0, |byte| byte.leading_zeros());
                    bytes.len() * 8 - zeros as usize
                });
                if !RSA_BITS.contains(&bits) {
                    return Err(BadKey::RsaBits(bits));
                }
            }
            other => return Err(BadKey::Kind(other.algorithm().as_str().to_owned())),
        }
        key.set_comment("");
        let line = key.to_openssh().map_err(|_| BadKey::Unreadable)?;
        Ok(Self {
            line: line.trim().to_owned(),
            fingerprint: key.fingerprint(ssh_key::HashAlg::Sha256).to_string(),
        })
    }

    /// The line of a `.pub` file, without a comment.
    #[must_use]
    pub fn line(&self) -> &str {
        &self.line
    }

    /// `SHA256:…`, as `ssh-keygen -l` shows it.
    #[must_use]
    pub fn fingerprint(&self) -> &str {
        &self.fingerprint
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn random(algorithm: ssh_key::Algorithm) -> ssh_key::PrivateKey {
        ssh_key::PrivateKey::random(&mut ssh_key::rand_core::OsRng, algorithm).unwrap()
    }

    #[test]
    fn a_line_of_a_pub_file_is_a_key_whatever_its_comment_says() {
        let mut key = random(ssh_key::Algorithm::Ed25519).public_key().clone();
        let bare = PublicKey::parse(&key.to_openssh().unwrap()).unwrap();
        for comment in ["mia@laptop", "PUBLIC, and <mailto:mia@example.com|mia>"] {
            key.set_comment(comment);
            let line = format!("  {} ", key.to_openssh().unwrap());
            assert_eq!(PublicKey::parse(&line).unwrap(), bare);
        }
        assert!(bare.fingerprint().starts_with("SHA256:"));
        assert!(!bare.line().ends_with(' '));
        assert_eq!(PublicKey::parse(bare.line()).unwrap(), bare);
    }

    #[test]
    fn what_is_no_public_key_is_refused_and_not_repeated() {
        let private = random(ssh_key::Algorithm::Ed25519);
        let private = private.to_openssh(ssh_key::LineEnding::LF).unwrap();
        // As a command carries it: in one line.
        let in_one_line = private.replace('\n', " ");
        let key = random(ssh_key::Algorithm::Ed25519).public_key().clone();
        let key = key.to_openssh().unwrap();
        for (text, why) in [
            (private.as_str(), BadKey::Private),
            (&in_one_line, BadKey::Private),
            ("", BadKey::Unreadable),
            ("ssh-ed25519 AAAA", BadKey::Unreadable),
            (&format!("command=\"sh\" {key}"), BadKey::Unreadable),
            (&format!("{key}\n{key}"), BadKey::Unreadable),
            (&format!("{key} {}", "x".repeat(2_000)), BadKey::Unreadable),
        ] {
            let refused = PublicKey::parse(text).unwrap_err();
            assert_eq!(refused, why);
            assert!(text.len() < 20 || !refused.to_string().contains(text));
        }
    }

    #[test]
    fn rsa_keys_are_neither_too_short_for_sshd_nor_too_long_for_a_message() {
        use ssh_key::Mpint;
        use ssh_key::public::RsaPublicKey;
        let rsa = |bits: usize| {
            let mut n = vec![0xFF_u8; bits / 8];
            n[bits / 8 - 1] = 1;
            let key = RsaPublicKey {
                e: Mpint::from_positive_bytes(&[1, 0, 1]).unwrap(),
                n: Mpint::from_positive_bytes(&n).unwrap(),
            };
            let line = ssh_key::PublicKey::new(KeyData::Rsa(key), "").to_openssh();
            PublicKey::parse(&line.unwrap()).map(|_| ())
        };
        for (bits, judged) in [
            (1_024, Err(BadKey::RsaBits(1_024))),
            (2_048, Ok(())),
            (4_096, Ok(())),
            (8_192, Err(BadKey::RsaBits(8_192))),
        ] {
            assert_eq!(rsa(bits), judged);
        }
    }
}
