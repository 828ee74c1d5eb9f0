//! The CA's key, and the certificates that it signs.

use secrecy::{ExposeSecret, SecretString};
use ssh_key::certificate::{Builder, CertType};
use ssh_key::rand_core::OsRng;
use ssh_key::{Algorithm, Certificate, EcdsaCurve, HashAlg, PrivateKey, PublicKey};

use super::parameters::Parameters;
use crate::domain::ids::GrantId;

/// The longest certificate line, in characters: it must fit into a chat message with its words.
pub const CERTIFICATE_MAX_CHARS: usize = 2_700;

/// Why a CA key can't be used. Says nothing of the key itself.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CaKeyError {
    /// Not a private key.
    #[error(
        "the CA key is not an OpenSSH private key; make one with `ssh-keygen -t ed25519 -f ca -N ''`"
    )]
    NotAKey,
    /// It needs a passphrase.
    #[error(
        "the CA key is locked with a passphrase that nobody can type for a service; store it \
         unlocked where only jitbot can read it (`ssh-keygen -p -f ca`)"
    )]
    Locked,
    /// A kind that is not used for signing here.
    #[error(
        "the CA key is of type {0}; use Ed25519 (or ECDSA P-256), which sshd trusts as well: \
         `ssh-keygen -t ed25519 -f ca -N ''`"
    )]
    Kind(String),
}

/// Why no certificate could be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MintError {
    /// The signature failed.
    #[error("the certificate could not be made: {0}")]
    Crypto(String),
    /// It would not fit into a message.
    #[error(
        "the certificate would have {0} characters, more than the {CERTIFICATE_MAX_CHARS} that fit \
         into a message; shorten the resource's principals, force_command or source_address"
    )]
    TooLong(usize),
}

/// The certification authority.
pub struct Ca {
    key: PrivateKey,
}

impl std::fmt::Debug for Ca {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Ca")
            .field("fingerprint", &self.fingerprint())
            .finish_non_exhaustive()
    }
}

/// What one certificate says beside what its resource allows.
#[derive(Debug)]
pub struct Minting<'a> {
    /// The key id.
    pub grant: &'a GrantId,
    /// The serial number.
    pub serial: u64,
    /// First second of validity, since 1970.
    pub valid_after_s: u64,
    /// First second without validity, since 1970.
    pub valid_before_s: u64,
    /// What it allows.
    pub parameters: &'a Parameters,
}

impl Ca {
    /// Takes the text of an OpenSSH private key.
    ///
    /// # Errors
    /// [`CaKeyError`], with what to do.
    pub fn from_openssh(text: &SecretString) -> Result<Self, CaKeyError> {
        let key = PrivateKey::from_openssh(text.expose_secret().trim())
            .map_err(|_| CaKeyError::NotAKey)?;
        if key.is_encrypted() {
            return Err(CaKeyError::Locked);
        }
        match key.algorithm() {
            Algorithm::Ed25519
            | Algorithm::Ecdsa {
                curve: EcdsaCurve::NistP256,
            } => {}
            other => return Err(CaKeyError::Kind(other.to_string())),
        }
        Ok(Self { key })
    }

    /// `SHA256:…` of the public key.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        self.key.fingerprint(HashAlg::Sha256).to_string()
    }

    /// The line for the file that sshd's `TrustedUserCAKeys` names.
    #[must_use]
    pub fn public_line(&self) -> String {
        let mut public = self.key.public_key().clone();
        public.set_comment("");
        public.to_openssh().unwrap_or_default()
    }

    /// Signs a certificate; the same grant may be signed for again.
    ///
    /// # Errors
    /// [`MintError`] when it can't be made or is too long.
    pub fn mint(&self, subject: &PublicKey, what: &Minting<'_>) -> Result<String, MintError> {
        let line = self
            .sign(subject, what)
            .and_then(|certificate| certificate.to_openssh())
            .map_err(|e| MintError::Crypto(e.to_string()))?;
        if line.len() > CERTIFICATE_MAX_CHARS {
            return Err(MintError::TooLong(line.len()));
        }
        Ok(line)
    }

    /// A certificate with this key id that opens nothing, to ask `ssh-keygen -Q` about: its
    /// validity ended in 1970, which that question doesn't look at.
    ///
    /// # Errors
    /// [`MintError`] when it can't be made.
    pub fn question(&self, grant: &GrantId, serial: u64) -> Result<String, MintError> {
        let nobody = Parameters {
            principals: vec!["nobody-at-all".to_owned()],
            force_command: Some("false".to_owned()),
            source_address: vec![],
            extensions: vec![],
        };
        let mut subject = self.key.public_key().clone();
        subject.set_comment("");
        self.mint(
            &subject,
            &Minting {
                grant,
                serial,
                valid_after_s: 1,
                valid_before_s: 2,
                parameters: &nobody,
            },
        )
    }

    fn sign(&self, subject: &PublicKey, what: &Minting<'_>) -> ssh_key::Result<Certificate> {
        let mut builder = Builder::new_with_random_nonce(
            &mut OsRng,
            subject.key_data().clone(),
            what.valid_after_s,
            what.valid_before_s,
        )?;
        builder.serial(what.serial)?;
        builder.key_id(what.grant.as_str())?;
        builder.cert_type(CertType::User)?;
        builder.comment(what.grant.as_str())?;
        for principal in &what.parameters.principals {
            builder.valid_principal(principal)?;
        }
        if let Some(command) = &what.parameters.force_command {
            builder.critical_option("force-command", command)?;
        }
        if !what.parameters.source_address.is_empty() {
            builder.critical_option("source-address", what.parameters.source_address.join(","))?;
        }
        for extension in &what.parameters.extensions {
            builder.extension(extension, "")?;
        }
        builder.sign(&self.key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::public_key::RSA_BITS;

    fn ca(algorithm: Algorithm) -> (Ca, PrivateKey) {
        let key = PrivateKey::random(&mut OsRng, algorithm).unwrap();
        let text = key.to_openssh(ssh_key::LineEnding::LF).unwrap();
        (
            Ca::from_openssh(&SecretString::from(text.to_string())).unwrap(),
            key,
        )
    }

    fn person() -> PublicKey {
        let key = PrivateKey::random(&mut OsRng, Algorithm::Ed25519).unwrap();
        key.public_key().clone()
    }

    fn parameters(table: serde_json::Value) -> Parameters {
        Parameters::read(table.as_object().unwrap()).unwrap()
    }

    #[test]
    fn a_certificate_says_what_was_ordered_and_is_signed_by_either_kind_of_ca() {
        let grant = GrantId::new("g0123456789").unwrap();
        let parameters = parameters(serde_json::json!({
            "principals": ["deploy", "web"], "force_command": "uptime",
            "source_address": ["10.0.0.0/8", "127.0.0.1"], "extensions": ["permit-pty", "permit-user-rc"],
        }));
        for algorithm in [
            Algorithm::Ed25519,
            Algorithm::Ecdsa {
                curve: EcdsaCurve::NistP256,
            },
        ] {
            let (ca, key) = ca(algorithm);
            let subject = person();
            let line = ca
                .mint(
                    &subject,
                    &Minting {
                        grant: &grant,
                        serial: 42,
                        valid_after_s: 1_000,
                        valid_before_s: 2_000,
                        parameters: &parameters,
                    },
                )
                .unwrap();
            let read = Certificate::from_openssh(&line).unwrap();
            read.validate_at(1_500, [&key.fingerprint(HashAlg::Sha256)])
                .unwrap();
            assert_eq!(read.key_id(), "g0123456789");
            assert_eq!(read.serial(), 42);
            assert_eq!((read.valid_after(), read.valid_before()), (1_000, 2_000));
            assert_eq!(read.valid_principals(), ["deploy", "web"]);
            assert_eq!(read.cert_type(), CertType::User);
            assert_eq!(read.public_key(), subject.key_data());
            let options: Vec<_> = read.critical_options().iter().collect();
            assert_eq!(options.len(), 2);
            assert_eq!(read.critical_options()["force-command"], "uptime");
            assert_eq!(
                read.critical_options()["source-address"],
                "10.0.0.0/8,127.0.0.1"
            );
            assert_eq!(
                read.extensions().keys().collect::<Vec<_>>(),
                ["permit-pty", "permit-user-rc"]
            );
        }
    }

    #[test]
    fn the_question_opens_nothing() {
        let (ca, _) = ca(Algorithm::Ed25519);
        let grant = GrantId::new("g0123456789").unwrap();
        let read = Certificate::from_openssh(&ca.question(&grant, 9).unwrap()).unwrap();
        assert_eq!(read.key_id(), "g0123456789");
        assert_eq!(read.valid_before(), 2);
    }

    #[test]
    fn a_ca_key_that_can_not_sign_is_refused_with_what_to_do() {
        let refused = |text: &str| Ca::from_openssh(&SecretString::from(text)).unwrap_err();
        assert_eq!(refused("nonsense"), CaKeyError::NotAKey);
        let key = PrivateKey::random(&mut OsRng, Algorithm::Ed25519).unwrap();
        let locked = key.encrypt(&mut OsRng, "a passphrase").unwrap();
        let locked = locked.to_openssh(ssh_key::LineEnding::LF).unwrap();
        assert_eq!(refused(&locked), CaKeyError::Locked);
        let p384 = Algorithm::Ecdsa {
            curve: EcdsaCurve::NistP384,
        };
        assert!(
            CaKeyError::Kind(p384.to_string())
                .to_string()
                .contains("ssh-keygen -t ed25519")
        );
    }

    #[test]
    fn the_longest_parameters_fit_with_the_largest_key() {
        use ssh_key::Mpint;
        use ssh_key::public::{KeyData, RsaPublicKey};
        let mut n = vec![0xFF_u8; *RSA_BITS.end() / 8];
        n[511] = 1;
        let key = RsaPublicKey {
            e: Mpint::from_positive_bytes(&[1, 0, 1]).unwrap(),
            n: Mpint::from_positive_bytes(&n).unwrap(),
        };
        let subject = PublicKey::new(KeyData::Rsa(key), "");
        let parameters = parameters(serde_json::json!({
            "principals": ["deploy"], "force_command": "x".repeat(590),
            "extensions": ["permit-X11-forwarding", "permit-agent-forwarding",
                "permit-port-forwarding", "permit-pty", "permit-user-rc", "no-touch-required"],
        }));
        let (ca, _) = ca(Algorithm::Ecdsa {
            curve: EcdsaCurve::NistP256,
        });
        let line = ca.mint(
            &subject,
            &Minting {
                grant: &GrantId::new("g0123456789").unwrap(),
                serial: u64::MAX,
                valid_after_s: 1_000,
                valid_before_s: 2_000,
                parameters: &parameters,
            },
        );
        assert!(line.unwrap().len() <= CERTIFICATE_MAX_CHARS);
    }
}
