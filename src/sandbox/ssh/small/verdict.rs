//! May this certificate log in? The rules of sshd for user certificates, as one function without clock or files.
//!
//! That the certificate is whole and that the client holds its key has been proved before this is asked: russh checks both
//! signatures. The order is sshd's: revocation, authority, principals, kind and time, options.

use std::{fmt, net::IpAddr};

use russh::keys::{
    Certificate, HashAlg, PublicKey,
    ssh_key::{self, certificate::CertType},
};

use super::{
    krl::{Krl, Presented},
    source_address,
};

/// The server's side of the question.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rules<'a> {
    /// The one account that can log in.
    pub(super) account: &'a str,
    /// The keys of the trusted authorities.
    pub(super) authorities: &'a [PublicKey],
    /// One of these must be in the certificate.
    pub(super) principals: &'a [String],
    /// The revocation list as it is now.
    pub(super) krl: &'a Krl,
}

/// The client's side of the question.
#[derive(Clone, Copy, Debug)]
pub(super) struct Attempt<'a> {
    /// The account that it wants.
    pub(super) account: &'a str,
    /// Where it comes from.
    pub(super) peer: IpAddr,
    /// What it shows.
    pub(super) certificate: &'a Certificate,
    /// When, in seconds since 1970 by the machine's clock.
    pub(super) unix_now: u64,
}

/// What an accepted certificate allows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Accepted {
    /// The certificate's key id.
    pub(super) key_id: String,
    /// The principals that the certificate names.
    pub(super) principals: Vec<String>,
    /// What runs whatever the client asks for.
    pub(super) force_command: Option<String>,
    /// Whether a terminal may be had.
    pub(super) pty: bool,
}

/// Why a login is refused; displayed, it is the reason in the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Refused(pub(super) String);

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Judges a login.
pub(super) fn judge(rules: &Rules<'_>, attempt: &Attempt<'_>) -> Result<Accepted, Refused> {
    let certificate = attempt.certificate;
    if attempt.account != rules.account {
        return refuse(format!("there is no account {:?} here", attempt.account));
    }
    if let Some(reason) = revoked(rules.krl, certificate)? {
        return refuse(reason);
    }
    let authority = certificate.signature_key();
    if !rules
        .authorities
        .iter()
        .any(|trusted| trusted.key_data() == authority)
    {
        let print = authority.fingerprint(HashAlg::Sha256);
        return refuse(format!(
            "the certificate's authority {print} is not trusted here"
        ));
    }
    // No principals at all would mean "everybody's" to a reader that is not told which account; sshd refuses that too.
    if !certificate
        .valid_principals()
        .iter()
        .any(|one| rules.principals.contains(one))
    {
        let has = certificate.valid_principals();
        return refuse(format!(
            "none of the certificate's principals {has:?} may log in here"
        ));
    }
    if certificate.cert_type() != CertType::User {
        return refuse("the certificate is not a user's");
    }
    if attempt.unix_now < certificate.valid_after() {
        return refuse("the certificate is not yet valid");
    }
    if attempt.unix_now >= certificate.valid_before() {
        return refuse("the certificate has expired");
    }
    let mut force_command = None;
    for (name, value) in certificate.critical_options().iter() {
        match name.as_str() {
            "force-command" => force_command = Some(value.clone()),
            "source-address" => match source_address::contains(value, attempt.peer) {
                Ok(true) => {}
                Ok(false) => {
                    return refuse(format!(
                        "the certificate may not be used from {} but from {value:?}",
                        attempt.peer
                    ));
                }
                Err(reason) => return refuse(reason),
            },
            unknown => {
                return refuse(format!(
                    "the certificate's critical option {unknown:?} is unknown"
                ));
            }
        }
    }
    Ok(Accepted {
        key_id: certificate.key_id().to_owned(),
        principals: certificate.valid_principals().to_vec(),
        force_command,
        pty: certificate.extensions().contains_key("permit-pty"),
    })
}

fn revoked(krl: &Krl, certificate: &Certificate) -> Result<Option<String>, Refused> {
    let key = wire(certificate.public_key())?;
    let authority = wire(certificate.signature_key())?;
    Ok(krl.revokes(&Presented {
        key: &key,
        authority: &authority,
        serial: certificate.serial(),
        key_id: certificate.key_id(),
    }))
}

fn wire(key: &ssh_key::public::KeyData) -> Result<Vec<u8>, Refused> {
    PublicKey::from(key.clone()).to_bytes().map_err(|error| {
        Refused(format!(
            "a key of the certificate cannot be compared: {error}"
        ))
    })
}

fn refuse<T>(reason: impl Into<String>) -> Result<T, Refused> {
    Err(Refused(reason.into()))
}

#[cfg(test)]
mod tests {
    // The certificates are made by another release of the library than the one that reads them here.
    use ::ssh_key::{Algorithm, PrivateKey, certificate as cert, rand_core::OsRng};

    use super::*;

    const NOW: u64 = 2_000_000_000;

    struct World {
        ca: PrivateKey,
        account: &'static str,
        peer: IpAddr,
        krl: Krl,
    }

    impl World {
        fn new() -> Self {
            let ca = PrivateKey::random(&mut OsRng, Algorithm::Ed25519).unwrap();
            Self {
                ca,
                account: "alice",
                peer: "127.0.0.1".parse().unwrap(),
                krl: Krl::default(),
            }
        }

        fn judge(
            &self,
            change: impl FnOnce(&mut cert::Builder),
            unix_now: u64,
        ) -> Result<Accepted, Refused> {
            self.judge_signed_by(&self.ca, change, unix_now)
        }

        fn judge_signed_by(
            &self,
            signer: &PrivateKey,
            change: impl FnOnce(&mut cert::Builder),
            unix_now: u64,
        ) -> Result<Accepted, Refused> {
            let key = PrivateKey::random(&mut OsRng, Algorithm::Ed25519).unwrap();
            let key = key.public_key().key_data().clone();
            let mut builder =
                cert::Builder::new_with_random_nonce(&mut OsRng, key, NOW - 60, NOW + 60).unwrap();
            builder.serial(7).unwrap();
            builder.key_id("grant-7").unwrap();
            change(&mut builder);
            let text = builder.sign(signer).unwrap().to_openssh().unwrap();
            let certificate = Certificate::from_openssh(&text).unwrap();
            let authority = self.ca.public_key().to_openssh().unwrap();
            let rules = Rules {
                account: "alice",
                authorities: &[PublicKey::from_openssh(&authority).unwrap()],
                principals: &["deploy".into(), "admin".into()],
                krl: &self.krl,
            };
            judge(
                &rules,
                &Attempt {
                    account: self.account,
                    peer: self.peer,
                    certificate: &certificate,
                    unix_now,
                },
            )
        }
    }

    fn deploy(builder: &mut cert::Builder) {
        builder.valid_principal("deploy").unwrap();
    }

    #[test]
    fn a_good_certificate_is_accepted_with_what_it_allows() {
        let accepted = World::new().judge(
            |builder| {
                deploy(builder);
                builder.valid_principal("other").unwrap();
                builder.critical_option("force-command", "uptime").unwrap();
                builder
                    .critical_option("source-address", "10.0.0.0/8,127.0.0.1")
                    .unwrap();
                builder.extension("permit-pty", "").unwrap();
                builder.extension("nobody-knows@example.com", "").unwrap();
            },
            NOW,
        );
        assert_eq!(
            accepted,
            Ok(Accepted {
                key_id: "grant-7".into(),
                principals: vec!["deploy".into(), "other".into()],
                force_command: Some("uptime".into()),
                pty: true,
            })
        );
    }

    #[test]
    fn the_first_second_is_valid_and_the_last_is_not() {
        let world = World::new();
        assert!(world.judge(deploy, NOW - 60).is_ok());
        assert!(
            world
                .judge(deploy, NOW - 61)
                .unwrap_err()
                .0
                .contains("not yet valid")
        );
        assert!(world.judge(deploy, NOW + 59).is_ok());
        assert!(
            world
                .judge(deploy, NOW + 60)
                .unwrap_err()
                .0
                .contains("expired")
        );
    }

    #[test]
    fn each_rule_refuses_with_its_own_reason() {
        let mut world = World::new();
        let why = |verdict: Result<Accepted, Refused>| verdict.unwrap_err().0;
        let other = PrivateKey::random(&mut OsRng, Algorithm::Ed25519).unwrap();
        assert!(why(world.judge_signed_by(&other, deploy, NOW)).contains("not trusted"));
        let nobody = |builder: &mut cert::Builder| {
            builder.valid_principal("nobody").unwrap();
        };
        assert!(why(world.judge(nobody, NOW)).contains("principals [\"nobody\"]"));
        let everybody = |builder: &mut cert::Builder| {
            builder.all_principals_valid().unwrap();
        };
        assert!(why(world.judge(everybody, NOW)).contains("principals []"));
        let host = |builder: &mut cert::Builder| {
            deploy(builder);
            builder.cert_type(cert::CertType::Host).unwrap();
        };
        assert!(why(world.judge(host, NOW)).contains("not a user's"));
        let option = |name: &'static str, value: &'static str| {
            move |builder: &mut cert::Builder| {
                deploy(builder);
                builder.critical_option(name, value).unwrap();
            }
        };
        let elsewhere = option("source-address", "127.0.0.2,10.0.0.0/8");
        assert!(why(world.judge(elsewhere, NOW)).contains("not be used from 127.0.0.1"));
        assert!(why(world.judge(option("source-address", "home"), NOW)).contains("no network"));
        let unknown = option("never-heard-of@example.com", "");
        assert!(
            why(world.judge(unknown, NOW)).contains("\"never-heard-of@example.com\" is unknown")
        );
        world.account = "bob";
        assert!(why(world.judge(deploy, NOW)).contains("no account \"bob\""));
    }

    #[test]
    fn a_revoked_authority_is_refused() {
        let mut world = World::new();
        let line = world.ca.public_key().to_openssh().unwrap();
        world.krl = Krl::parse(line.as_bytes()).unwrap();
        assert!(
            world
                .judge(deploy, NOW)
                .unwrap_err()
                .0
                .contains("authority's key is revoked")
        );
    }
}
