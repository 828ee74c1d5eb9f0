//! The machine's sshd on loopback, in a directory of its own, and its client.

use std::fs;
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use ssh_key::PrivateKey;

use super::store::{key, pause, text};

const SSHD: &str = "/usr/sbin/sshd";

pub struct Sshd {
    directory: tempfile::TempDir,
    child: Child,
    port: u16,
    user: String,
}

#[derive(Debug, PartialEq, Eq)]
pub enum Login {
    In(String),
    Refused,
}

impl Sshd {
    /// Starts an sshd that trusts this CA and lets in the principal `deploy`.
    pub fn start(directory: tempfile::TempDir, krl: &Path, ca: &PrivateKey) -> Self {
        assert!(
            Path::new(SSHD).exists(),
            "{SSHD} is missing: install openssh-server, these tests prove nothing without it"
        );
        let at = |name: &str| directory.path().join(name);
        write_key(&at("host"), &key());
        fs::write(at("ca.pub"), ca.public_key().to_openssh().unwrap()).unwrap();
        fs::write(at("principals"), "deploy\n").unwrap();
        if nix::unistd::geteuid().is_root() {
            fs::create_dir_all("/run/sshd").unwrap();
        }
        let port = TcpListener::bind(("127.0.0.1", 0))
            .unwrap()
            .local_addr()
            .unwrap()
            .port();
        // StrictModes looks at every directory above, and temporary ones may be anybody's.
        let config = format!(
            "Port {port}\nListenAddress 127.0.0.1\nHostKey {host}\nPidFile none\nUsePAM no\n\
             StrictModes no\nLogLevel VERBOSE\nPermitRootLogin yes\nPasswordAuthentication no\n\
             KbdInteractiveAuthentication no\nAuthorizedKeysFile none\nTrustedUserCAKeys {ca}\n\
             RevokedKeys {krl}\nAuthorizedPrincipalsFile {principals}\n",
            host = at("host").display(),
            ca = at("ca.pub").display(),
            krl = krl.display(),
            principals = at("principals").display(),
        );
        fs::write(at("sshd_config"), config).unwrap();
        let mut child = Command::new(SSHD)
            .arg("-D")
            .arg("-f")
            .arg(at("sshd_config"))
            .arg("-E")
            .arg(at("log"))
            .stdin(Stdio::null())
            .spawn()
            .unwrap();
        let listens = (0..200).any(|_| {
            pause(Duration::from_millis(50));
            TcpStream::connect(("127.0.0.1", port)).is_ok() || child.try_wait().unwrap().is_some()
        });
        assert!(
            listens && child.try_wait().unwrap().is_none(),
            "sshd did not start: {}",
            fs::read_to_string(at("log")).unwrap_or_default()
        );
        Self {
            directory,
            child,
            port,
            user: nix::unistd::User::from_uid(nix::unistd::geteuid())
                .unwrap()
                .unwrap()
                .name,
        }
    }

    /// From here on it trusts these CAs.
    pub fn trusts(&self, cas: &[&PrivateKey]) {
        let lines: Vec<String> = cas
            .iter()
            .map(|ca| ca.public_key().to_openssh().unwrap())
            .collect();
        fs::write(self.directory.path().join("ca.pub"), lines.join("\n")).unwrap();
    }

    /// Tries to log in from an address.
    pub fn login_from(&self, source: &str, key: &PrivateKey, certificate: &str) -> Login {
        let own = tempfile::tempdir().unwrap();
        write_key(&own.path().join("id"), key);
        fs::write(own.path().join("id-cert.pub"), format!("{certificate}\n")).unwrap();
        let output = Command::new("ssh")
            .args(["-F", "none", "-b", source, "-p", &self.port.to_string()])
            .args(["-i", own.path().join("id").to_str().unwrap()])
            .arg("-o")
            .arg(format!(
                "CertificateFile={}",
                own.path().join("id-cert.pub").display()
            ))
            .args(["-o", "BatchMode=yes", "-o", "IdentitiesOnly=yes"])
            .args(["-o", "IdentityAgent=none", "-o", "LogLevel=ERROR"])
            .args(["-o", "StrictHostKeyChecking=no"])
            .args(["-o", "UserKnownHostsFile=/dev/null"])
            .args(["-o", "ConnectTimeout=10"])
            .arg(format!("{}@127.0.0.1", self.user))
            .args(["echo", "inside"])
            .stdin(Stdio::null())
            .output()
            .expect("ssh is missing: install openssh-client");
        let complaint = String::from_utf8_lossy(&output.stderr);
        if output.status.success() {
            return Login::In(String::from_utf8(output.stdout).unwrap().trim().to_owned());
        }
        assert!(
            complaint.contains("Permission denied"),
            "neither in nor refused: {complaint}\n{}",
            self.log()
        );
        Login::Refused
    }

    pub fn login(&self, key: &PrivateKey, certificate: &str) -> Login {
        self.login_from("127.0.0.1", key, certificate)
    }

    /// Logs in; anything else fails the test.
    #[track_caller]
    pub fn lets_in(&self, key: &PrivateKey, certificate: &str) {
        assert_eq!(
            self.login(key, certificate),
            Login::In("inside".to_owned()),
            "{}",
            self.log()
        );
    }

    /// Tries to log in; must be refused, for this reason in sshd's own words.
    #[track_caller]
    pub fn refuses(&self, key: &PrivateKey, certificate: &str, reason: &str) {
        let before = self.log().len();
        assert_eq!(
            self.login(key, certificate),
            Login::Refused,
            "{}",
            self.log()
        );
        let log = self.log();
        assert!(
            log[before..].contains(reason),
            "refused for another reason than {reason:?}: {}",
            &log[before..]
        );
    }

    pub fn log(&self) -> String {
        fs::read_to_string(self.directory.path().join("log")).unwrap_or_default()
    }
}

impl Drop for Sshd {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A directory, and where in it the list belongs.
pub fn room() -> (tempfile::TempDir, PathBuf) {
    let directory = tempfile::tempdir().unwrap();
    let krl = directory.path().join("jitbot.krl");
    (directory, krl)
}

fn write_key(path: &Path, key: &PrivateKey) {
    fs::write(path, text(key)).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
}
