//! `scripts/test` on machines that lack something: it lists all that is missing and what brings it,
//! stops, and never runs fewer tests instead. The machine is a folder of stand-ins on the PATH; its
//! cargo is always too old, so that no run of the script can start another.

#![cfg(unix)]

use std::{
    fs,
    os::unix::fs::{PermissionsExt as _, symlink},
    path::Path,
    process::{Command, Output},
};

/// What the script itself is written with; every Debian has these.
const TOOLS: &[&str] = &[
    "awk", "bash", "cat", "dirname", "env", "head", "mktemp", "paste", "rm", "sed", "sort",
];

/// A machine made of stand-ins, as (program, shell code).
struct Machine(tempfile::TempDir);

impl Machine {
    fn with(programs: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        for tool in TOOLS {
            let found = std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default())
                .map(|folder| folder.join(tool))
                .find(|path| path.exists())
                .unwrap_or_else(|| panic!("{tool} is on no machine without it"));
            symlink(found, folder.path().join(tool)).expect("a link can be made");
        }
        let always = [
            ("cargo", "echo 'cargo 1.0.0'"),
            ("rustc", "echo 'rustc 1.999.0 (of the future)'"),
            ("cc", "echo 12"),
            (
                "sshd",
                "echo 'unknown option -- V' >&2; echo 'OpenSSH_9.2p1 Debian, OpenSSL 3' >&2; exit 1",
            ),
            ("id", "echo 1000"),
            ("python3", "echo 'Python 3.11.2'"),
            ("systemd-analyze", "echo 'systemd 252 (252.38-1)'"),
            ("unshare", "echo 'unshare from util-linux 2.38.1'"),
            ("prlimit", "echo 'prlimit from util-linux 2.38.1'"),
        ];
        for (name, code) in always.iter().chain(programs) {
            let path = folder.path().join(name);
            fs::write(&path, format!("#!/bin/sh\n{code}\n")).expect("a program can be written");
            fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("and made one");
        }
        Self(folder)
    }

    fn run(&self, args: &[&str]) -> (Output, String) {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts/test");
        let output = Command::new(script)
            .args(args)
            .env("PATH", self.0.path())
            .current_dir(self.0.path())
            .output()
            .expect("the script can be started from any folder");
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        (output, said)
    }
}

#[track_caller]
fn says(said: &str, sentences: &[&str]) {
    for sentence in sentences {
        assert!(said.contains(sentence), "{sentence:?} is not in:\n{said}");
    }
}

const SSH_OF_OLD: [(&str, &str); 2] = [
    ("ssh", "echo 'OpenSSH_8.4p1, OpenSSL 1' >&2"),
    ("ssh-keygen", "exit 1"),
];

#[test]
fn everything_that_is_missing_is_listed_at_once_and_nothing_is_run() {
    let machine = Machine::with(&[
        SSH_OF_OLD[0],
        SSH_OF_OLD[1],
        ("node", "[ \"$1\" = --version ] && echo v16.3.0"),
        ("chromedriver", "echo 'ChromeDriver 90.0 (of old)'"),
    ]);
    let (output, said) = machine.run(&[]);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(output.stdout.is_empty(), "{output:?}");
    let rust = env!("CARGO_PKG_RUST_VERSION");
    says(
        &said,
        &[
            &format!("cargo {rust} or later: 1.0.0 is too old"),
            "ssh 9 or later: 8.4 is too old; Debian package openssh-client",
            "ssh-keygen 9 or later: 8.4 is too old; Debian package openssh-client",
            "node 18 or later: 16.3.0 is too old; Debian package nodejs",
            "npm 8 or later: missing; Debian package npm",
            "chromium 100 or later: missing; Debian package chromium",
            "chromedriver 100 or later: 90.0 is too old; Debian package chromium-driver",
            "npm ci in tests/slack_types",
            "npm ci in tests/page",
            "scripts/test --install installs what can be",
        ],
    );
    for present in ["rustc", "cc", "sshd"] {
        assert!(
            !said.contains(&format!("  {present} ")),
            "{present} is there:\n{said}"
        );
    }
}

#[test]
fn a_compiler_that_cannot_link_counts_as_missing() {
    let (output, said) = Machine::with(&[("cc", "exit 1")]).run(&[]);
    assert_eq!(output.status.code(), Some(1), "{said}");
    says(&said, &["  cc: missing; Debian package build-essential"]);
}

#[test]
fn without_root_or_sudo_the_command_for_root_is_told() {
    let (output, said) = Machine::with(&[("apt-get", "echo no >&2")]).run(&["--install"]);
    assert_eq!(output.status.code(), Some(1), "{said}");
    says(
        &said,
        &[
            "This step needs root and there is no sudo. As root: apt-get install chromium chromium-driver nodejs npm openssh-client",
        ],
    );
}

#[test]
fn sudo_is_announced_and_used_for_debian_packages_alone() {
    let machine = Machine::with(&[
        SSH_OF_OLD[0],
        SSH_OF_OLD[1],
        ("apt-get", "exit 1"),
        ("sudo", "echo \"$@\" >> \"$(dirname \"$0\")/sudo.log\""),
        (
            "chromium",
            "echo complaint >&2; echo 'Chromium 150.0 built on Debian'",
        ),
        ("chromedriver", "echo 'ChromeDriver 150.0'"),
        // Asks for its versions only; the installed packages stay too old.
        ("node", "echo v18.19.0"),
        (
            "npm",
            "[ \"$1\" = --version ] && echo 9.2.0 || echo \"npm $*\" >&2",
        ),
    ]);
    let (output, said) = machine.run(&["--install"]);
    assert!(
        !output.status.success(),
        "what sudo brought is still too old:\n{said}"
    );
    says(
        &said,
        &[
            "This step needs root, so sudo may ask for your password: apt-get install openssh-client\n",
        ],
    );
    says(
        &said,
        &[
            "What could be installed has been; the rest is for you.",
            "cargo ",
        ],
    );
    let log = fs::read_to_string(machine.0.path().join("sudo.log")).expect("sudo was called");
    let calls: Vec<&str> = log.lines().collect();
    assert_eq!(calls.len(), 2, "{log}");
    assert!(calls[0].ends_with("update"), "{log}");
    assert!(
        calls[1].ends_with("install -y --no-install-recommends openssh-client"),
        "{log}"
    );
}
