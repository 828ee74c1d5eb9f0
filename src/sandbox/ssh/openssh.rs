//! The machine's own OpenSSH server, with a configuration, a host key and a log of its own.

use std::{
    fmt::Write as _,
    fs, io,
    os::unix::fs::DirBuilderExt,
    path::{Path, PathBuf},
    process::Command,
};

use super::place::{Paths, TargetConfig, TargetError};

/// Where Debian and its relatives install the server. sshd insists on being started by an absolute path.
pub(super) const SSHD: &str = "/usr/sbin/sshd";
/// The directory that an sshd started by root locks itself into before anybody has logged in.
const PRIVILEGE_SEPARATION: &str = "/run/sshd";
/// Settings that not every release knows: each is left out where sshd calls it a bad option.
const IF_KNOWN: [(&str, &str); 2] = [
    // From 9.8 on, an address that was refused often is shut out for a while. Everybody here is
    // 127.0.0.1, and being refused is what is shown.
    ("PerSourcePenalties", "no"),
    // From 8.5 on. That an authority is not trusted would otherwise be told in a flood of debugging
    // lines or not at all.
    ("LogVerbose", "auth2-pubkey.c:user_cert_trusted_ca():*"),
];

/// Whether the machine's OpenSSH server is installed.
pub(super) fn installed() -> bool {
    Path::new(SSHD).is_file()
}

/// Writes everything that sshd reads and checks it; gives the command that runs the server in the foreground.
pub(super) fn prepare(
    config: &TargetConfig,
    paths: &Paths,
    account: &str,
    port: u16,
) -> Result<Command, TargetError> {
    if !installed() {
        return Err(TargetError::NotInstalled { path: SSHD.into() });
    }
    let root = nix::unistd::Uid::effective().is_root();
    if root && !Path::new(PRIVILEGE_SEPARATION).is_dir() {
        fs::DirBuilder::new()
            .recursive(true)
            .mode(0o755)
            .create(PRIVILEGE_SEPARATION)
            .map_err(|source| TargetError::file("made", PRIVILEGE_SEPARATION, source))?;
    }
    let principals = config.dir.join("principals");
    write(&principals, &principal_lines(&config.principals)?)?;

    // Without PAM, sshd refuses an account whose password is locked even to a certificate; where root's is (Debian's
    // default with sudo), PAM decides instead. A server that is not root's can neither read the passwords nor ask PAM.
    let pam = root && locked(&read_if_there("/etc/shadow")?, account);
    let text = configuration(config, paths, &principals, account, port, pam)?;
    let file = config.dir.join("sshd_config");
    let with = |settings: &[(&str, &str)]| {
        let optional: String = settings
            .iter()
            .map(|(name, to)| format!("{name} {to}\n"))
            .collect();
        write(&file, &format!("{text}{optional}"))
    };
    with(&IF_KNOWN)?;
    if let Err(said) = check(&file)? {
        let known: Vec<_> = IF_KNOWN
            .into_iter()
            .filter(|(name, _)| !said.contains(name))
            .collect();
        with(&known)?;
        check(&file)?.map_err(|said| TargetError::Configuration {
            file: file.clone(),
            said,
        })?;
    }
    let mut command = Command::new(SSHD);
    command
        .arg("-D")
        .arg("-f")
        .arg(&file)
        .arg("-E")
        .arg(&paths.log);
    Ok(command)
}

fn configuration(
    config: &TargetConfig,
    paths: &Paths,
    principals: &Path,
    account: &str,
    port: u16,
    pam: bool,
) -> Result<String, TargetError> {
    let host_key = quoted("host key", &paths.host_key)?;
    let ca = quoted("certificate authority's public key", &config.ca_pub)?;
    let krl = quoted("revocation list", &config.krl)?;
    // This is the one path here in which sshd expands % (as in %u).
    let principals = quoted("principals file", principals)?.replace('%', "%%");
    let pam = if pam { "yes" } else { "no" };
    let account = quoted("account", Path::new(account))?;
    let mut text = String::new();
    let written = write!(
        text,
        "\
# An SSH server for demonstrations: on loopback, for one account, opened by certificates alone.
ListenAddress 127.0.0.1:{port}
HostKey {host_key}
PidFile none
LogLevel VERBOSE
LoginGraceTime 20
MaxStartups 100

AllowUsers {account}
PermitRootLogin prohibit-password
AuthenticationMethods publickey
PubkeyAuthentication yes
PasswordAuthentication no
KbdInteractiveAuthentication no
HostbasedAuthentication no
UsePAM {pam}

AuthorizedKeysFile none
TrustedUserCAKeys {ca}
RevokedKeys {krl}
AuthorizedPrincipalsFile {principals}
# The principals file lies in a directory that only its owner can write, but that one may lie below /tmp, which everybody
# can: sshd looks at every directory above the file and would refuse everybody.
StrictModes no

DisableForwarding yes
PermitUserRC no
PermitUserEnvironment no
PrintMotd no
PrintLastLog no
UseDNS no
"
    );
    written.map_err(|_| TargetError::Configuration {
        file: config.dir.join("sshd_config"),
        said: "it could not be written down".into(),
    })?;
    Ok(text)
}

/// What sshd says against the configuration in `file`, if anything.
fn check(file: &Path) -> Result<Result<(), String>, TargetError> {
    let output = Command::new(SSHD)
        .arg("-t")
        .arg("-f")
        .arg(file)
        .output()
        .map_err(|source| TargetError::Program {
            program: SSHD.into(),
            source,
        })?;
    if output.status.success() {
        Ok(Ok(()))
    } else {
        Ok(Err(String::from_utf8_lossy(&output.stderr)
            .trim()
            .to_owned()))
    }
}

/// Whether `shadow` (the text of /etc/shadow) holds a locked password for `account`: sshd's sign for it is a leading `!`.
fn locked(shadow: &str, account: &str) -> bool {
    shadow
        .lines()
        .filter_map(|line| line.split_once(':'))
        .any(|(name, rest)| name == account && rest.starts_with('!'))
}

/// A value as one argument of the configuration file: in quotes, which cannot be escaped within.
fn quoted(what: &'static str, value: &Path) -> Result<String, TargetError> {
    match value.to_str() {
        Some(text) if !text.contains(|c: char| c == '"' || c == '\\' || c.is_control()) => {
            Ok(format!("\"{text}\""))
        }
        _ => Err(TargetError::Unwritable {
            what,
            value: PathBuf::from(value),
        }),
    }
}

/// The principals file: one a line, with nothing that sshd would take for an option or a comment.
fn principal_lines(principals: &[String]) -> Result<String, TargetError> {
    let mut text = String::new();
    for principal in principals {
        let odd = |c: char| c.is_whitespace() || c.is_control() || c == '"';
        if principal.is_empty() || principal.starts_with('#') || principal.contains(odd) {
            return Err(TargetError::Unwritable {
                what: "principal",
                value: principal.into(),
            });
        }
        text.push_str(principal);
        text.push('\n');
    }
    Ok(text)
}

fn write(path: &Path, text: &str) -> Result<(), TargetError> {
    fs::write(path, text).map_err(|source| TargetError::file("written", path, source))
}

fn read_if_there(path: &str) -> Result<String, TargetError> {
    match fs::read(path) {
        Ok(bytes) => Ok(String::from_utf8_lossy(&bytes).into_owned()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(String::new()),
        Err(source) => Err(TargetError::file("read", path, source)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_locked_account_is_told_from_one_without_a_password() {
        let shadow = "root:!:1:0:9:7:::\ndaemon:*:1:0:9:7:::\nalice:!$6$x$y:1:0:9:7:::\nbob:$6$x$y:1::::::\n";
        assert!(locked(shadow, "root"));
        assert!(locked(shadow, "alice"));
        assert!(!locked(shadow, "daemon"));
        assert!(!locked(shadow, "bob"));
        assert!(!locked(shadow, "nobody"));
    }

    #[test]
    fn a_path_that_the_file_cannot_hold_is_refused() {
        assert_eq!(quoted("x", Path::new("/a b/c")).unwrap(), "\"/a b/c\"");
        assert!(quoted("x", Path::new("/a\"b")).is_err());
        assert!(quoted("x", Path::new("/a\nPermitRootLogin yes")).is_err());
    }
    #[test]
    fn a_principal_that_sshd_would_take_for_something_else_is_refused() {
        assert_eq!(
            principal_lines(&["a-b".into(), "c@d".into()]).unwrap(),
            "a-b\nc@d\n"
        );
        for odd in ["", "#a", "a b", "no-pty deploy", "a\nb", "command=\"x\""] {
            assert!(principal_lines(&[odd.into()]).is_err(), "{odd:?}");
        }
    }
}
