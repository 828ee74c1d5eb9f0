//! Logging in with the machine's `ssh`.

use std::{
    env,
    path::Path,
    process::{Output, Stdio},
};

use tokio::process::Command;

use super::{CONNECTS_WITHIN, Login, LoginOutcome};
use crate::sandbox::ssh::child::die_with_parent;

const SSH: &str = "ssh";
/// The exit status of `ssh` when it was not the command there that failed.
const NOT_LOGGED_IN: i32 = 255;

/// Whether `ssh` is in the search path.
pub(super) fn installed() -> bool {
    env::var_os("PATH")
        .is_some_and(|paths| env::split_paths(&paths).any(|dir| dir.join(SSH).is_file()))
}

/// The line to paste into a shell for this attempt, byte for byte what [`super::attempt`] runs with the machine's `ssh`,
/// except that there the client is also told to say on standard error that it is in, and gets no input.
#[must_use]
pub fn command_line(login: &Login) -> String {
    let mut line = SSH.to_owned();
    for argument in arguments(login) {
        line.push(' ');
        line.push_str(&shell_quoted(&argument));
    }
    line
}

pub(super) async fn attempt(login: &Login) -> LoginOutcome {
    let mut command = std::process::Command::new(SSH);
    // "Authenticated to …" on standard error is the one sign that tells a login whose command failed from none.
    command
        .args(["-o", "LogLevel=VERBOSE"])
        .args(arguments(login));
    command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    // Started by a thread of the runtime: should that one retire early, the attempt ends early, which its outcome tells.
    die_with_parent(&mut command);
    match Command::from(command).kill_on_drop(true).output().await {
        Ok(output) => outcome(&output),
        Err(error) => LoginOutcome::Unreachable {
            said: format!("{SSH} could not be run: {error}"),
        },
    }
}

fn outcome(output: &Output) -> LoginOutcome {
    let said = String::from_utf8_lossy(&output.stderr).trim().to_owned();
    if said
        .lines()
        .any(|line| line.starts_with("Authenticated to "))
    {
        return LoginOutcome::Accepted {
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        };
    }
    // sshd hangs up instead of answering once a client has tried too often.
    let refused = ["Permission denied", "Too many authentication failures"];
    if output.status.code() == Some(NOT_LOGGED_IN) && refused.iter().any(|sign| said.contains(sign))
    {
        LoginOutcome::Refused { said }
    } else {
        LoginOutcome::Unreachable { said }
    }
}

fn arguments(login: &Login) -> Vec<String> {
    let mut all: Vec<String> = vec![
        // No settings of the user or the machine: they could add keys, agents, jumps.
        "-F".into(),
        "none".into(),
        "-i".into(),
        expanded(&login.key),
        "-p".into(),
        login.addr.port().to_string(),
    ];
    let timeout = CONNECTS_WITHIN.as_secs();
    for option in [
        format!("CertificateFile={}", setting(&login.certificate)),
        format!("UserKnownHostsFile={}", setting(&login.known_hosts)),
        "GlobalKnownHostsFile=/dev/null".into(),
        "StrictHostKeyChecking=yes".into(),
        "UpdateHostKeys=no".into(),
        "IdentitiesOnly=yes".into(),
        "IdentityAgent=none".into(),
        "PreferredAuthentications=publickey".into(),
        "BatchMode=yes".into(),
        format!("ConnectTimeout={timeout}"),
    ] {
        all.extend(["-o".into(), option]);
    }
    if let Some(source) = login.source {
        all.extend(["-b".into(), source.to_string()]);
    }
    all.extend([
        "-l".into(),
        login.user.clone(),
        "--".into(),
        login.addr.ip().to_string(),
    ]);
    all.extend(login.command.clone());
    all
}

/// A path in which `ssh` finds no `%` to expand.
fn expanded(path: &Path) -> String {
    path.to_string_lossy().replace('%', "%%")
}

/// A path as the value of an option, which `ssh` splits at blanks unless it is in quotes.
fn setting(path: &Path) -> String {
    let path = expanded(path);
    if path.contains(char::is_whitespace) {
        format!("\"{path}\"")
    } else {
        path
    }
}

/// `text` as one word of a POSIX shell.
fn shell_quoted(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./=:@%+,".contains(c);
    if !text.is_empty() && text.chars().all(plain) {
        text.to_owned()
    } else {
        format!("'{}'", text.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sandbox::ssh::login::Client;

    #[test]
    fn the_line_is_one_that_a_shell_takes_apart_again() {
        let login = Login {
            user: "alice".into(),
            addr: "127.0.0.1:2222".parse().unwrap(),
            key: "/tmp/a b/key".into(),
            certificate: "/tmp/a b/100%-cert.pub".into(),
            known_hosts: "/tmp/known_hosts".into(),
            command: Some("echo 'it is' $HOME; id".into()),
            source: Some("127.0.0.2".parse().unwrap()),
            client: Client::OpenSsh,
        };
        let line = command_line(&login);
        assert!(
            line.starts_with("ssh -F none -i '/tmp/a b/key' -p 2222 -o "),
            "{line}"
        );
        assert!(
            line.contains(" -o 'CertificateFile=\"/tmp/a b/100%%-cert.pub\"' "),
            "{line}"
        );
        assert!(
            line.contains(" -b 127.0.0.2 -l alice -- 127.0.0.1 "),
            "{line}"
        );
        let script = format!(
            "{} for a; do printf '%s\\n' \"$a\"; done",
            line.replacen("ssh", "set --", 1) + ";"
        );
        let output = std::process::Command::new("sh")
            .arg("-c")
            .arg(script)
            .output()
            .unwrap();
        let words = String::from_utf8(output.stdout).unwrap();
        // `set --` takes the words as they come, except that nothing is lost or split.
        assert_eq!(words.lines().collect::<Vec<_>>(), arguments(&login));
    }
}
