//! What a test starts from: an authority, a person's key, a revocation list.

use std::{fs, path::PathBuf, process::Command, time::SystemTime};

use jitbot::sandbox::ssh::{
    Target, TargetConfig, TargetKind,
    keys::{self, KeyPair},
    login::{Client, Login},
};
use ssh_key::{
    PrivateKey,
    certificate::{Builder, CertType},
    rand_core::OsRng,
};
use tempfile::TempDir;

pub const SERIAL: u64 = 41;
pub const KEY_ID: &str = "grant-41";
pub const ASKED: &str = "echo asked-$((40 + 2))";
pub const FORCED: &str = "echo forced-$((1 + 1))";

pub fn small() -> TargetKind {
    TargetKind::Small {
        program: env!("CARGO_BIN_EXE_jitbot").into(),
    }
}

/// A directory with an authority, a person's key and an empty revocation list.
pub struct World {
    pub dir: TempDir,
    pub ca: KeyPair,
    pub other_ca: KeyPair,
    pub alice: KeyPair,
}

impl World {
    pub fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let make = |name: &str| keys::make(&dir.path().join(name), name).unwrap();
        let (ca, other_ca, alice) = (make("ca"), make("other-ca"), make("alice"));
        let world = Self {
            dir,
            ca,
            other_ca,
            alice,
        };
        world.publish(&List::Revoking(""));
        world
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    pub fn config(&self) -> TargetConfig {
        TargetConfig {
            dir: self.path("server"),
            ca_pub: self.ca.public.clone(),
            krl: self.path("revoked.krl"),
            port: None,
            principals: vec!["deploy".into(), "admin".into()],
        }
    }

    pub fn mint(&self, certificate: &Certificate) -> PathBuf {
        let now = SystemTime::UNIX_EPOCH.elapsed().unwrap().as_secs();
        let at = |offset: i64| now.checked_add_signed(offset).unwrap();
        let key = PrivateKey::read_openssh_file(&self.alice.private).unwrap();
        let (from, until) = certificate.valid;
        let mut builder = Builder::new_with_random_nonce(
            &mut OsRng,
            key.public_key().key_data().clone(),
            at(from),
            at(until),
        )
        .unwrap();
        builder.serial(SERIAL).unwrap();
        builder.key_id(KEY_ID).unwrap();
        builder.cert_type(CertType::User).unwrap();
        for principal in certificate.principals {
            builder.valid_principal(*principal).unwrap();
        }
        for (name, value) in certificate.options {
            builder.critical_option(*name, *value).unwrap();
        }
        let signer = if certificate.by_other {
            &self.other_ca
        } else {
            &self.ca
        };
        let signer = PrivateKey::read_openssh_file(&signer.private).unwrap();
        // Not `alice-cert.pub`: `ssh` would find that by itself and hide a mistake in how it is named.
        let path = self.path("presented.pub");
        fs::write(&path, builder.sign(&signer).unwrap().to_openssh().unwrap()).unwrap();
        path
    }

    pub fn publish(&self, list: &List) {
        let path = self.path("revoked.krl");
        match list {
            List::Revoking(spec) => self.write_krl(spec),
            List::RevokingKeyOf(how) => {
                self.write_krl(&format!("{how}: {}", self.alice.public_line))
            }
            List::CutOff(spec) => {
                self.write_krl(spec);
                let whole = fs::read(&path).unwrap();
                fs::write(&path, &whole[..whole.len() - 3]).unwrap();
            }
            List::Text(text) => fs::write(&path, text).unwrap(),
            List::Missing => {
                if path.exists() {
                    fs::remove_file(&path).unwrap();
                }
            }
        }
    }

    fn write_krl(&self, spec: &str) {
        let file = self.path("spec");
        fs::write(&file, format!("{spec}\n")).unwrap();
        let output = Command::new("ssh-keygen")
            .args(["-q", "-k", "-f"])
            .arg(self.path("revoked.krl"))
            .arg("-s")
            .arg(&self.ca.public)
            .arg(&file)
            .output()
            .expect("ssh-keygen runs (Debian: openssh-client)");
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
    }

    pub fn login(&self, target: &Target, client: Client, certificate: PathBuf) -> Login {
        Login {
            user: target.account().into(),
            addr: target.addr(),
            key: self.alice.private.clone(),
            certificate,
            known_hosts: target.known_hosts().into(),
            command: Some(ASKED.into()),
            source: None,
            client,
        }
    }
}

#[derive(Clone)]
pub struct Certificate {
    pub principals: &'static [&'static str],
    /// Seconds from now.
    pub valid: (i64, i64),
    pub options: &'static [(&'static str, &'static str)],
    pub by_other: bool,
}

pub const GOOD: Certificate = Certificate {
    principals: &["deploy"],
    valid: (-60, 600),
    options: &[],
    by_other: false,
};

#[derive(Clone)]
pub enum List {
    /// What `ssh-keygen -k` makes of this.
    Revoking(&'static str),
    /// What it makes of `how: ` and the person's public key.
    RevokingKeyOf(&'static str),
    /// The same without its last three bytes.
    CutOff(&'static str),
    Text(&'static str),
    Missing,
}
