//! `jitbot demo --script` against both SSH servers, and what makes it fail.

use std::process::Stdio;
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};

const WAIT: Duration = Duration::from_secs(120);

fn demo(small: bool) -> Child {
    let mut command = Command::new(env!("CARGO_BIN_EXE_jitbot"));
    command.args(["demo", "--script"]);
    if small {
        command.arg("--small-ssh");
    }
    command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap()
}

const STEPS: [&str; 11] = [
    "asked",
    "card",
    "self-approval",
    "approved",
    "ready",
    "logged in",
    "reminded",
    "ended",
    "login refused",
    "digest",
    "audit verified",
];

async fn whole_story(small: bool, server: &str) {
    let output = tokio::time::timeout(WAIT, demo(small).wait_with_output())
        .await
        .unwrap()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(
        output.status.success(),
        "{said}\n{}",
        String::from_utf8_lossy(&output.stderr)
    );
    assert!(
        said.lines().next().unwrap().contains(server),
        "the first line says which: {said}"
    );
    let mut rest = said.as_str();
    for step in STEPS {
        let at = rest
            .find(&format!("\n{step}"))
            .unwrap_or_else(|| panic!("no step {step} in order in:\n{said}"));
        rest = &rest[at + 1..];
    }
    assert!(said.contains("seen_gone"), "says how it ended: {said}");
}

#[tokio::test]
async fn the_whole_story_with_the_machines_openssh() {
    whole_story(false, "OpenSSH").await;
}

#[tokio::test]
async fn the_whole_story_with_the_small_server() {
    whole_story(true, "small").await;
}

/// Kills the process of the line that begins so, once the story has come to a step.
async fn killed_at(line_start: &str, step: &str) {
    let mut child = demo(false);
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut victim = None;
    let mut said = String::new();
    let read = async {
        while let Some(line) = lines.next_line().await.unwrap() {
            said += &line;
            said += "\n";
            if line.contains(line_start) && victim.is_none() {
                let pid = line
                    .rsplit("(process ")
                    .next()
                    .unwrap()
                    .trim_end_matches(')');
                victim = Some(Pid::from_raw(pid.parse().unwrap()));
            }
            if line.starts_with(step) {
                kill(victim.expect("named before the story"), Signal::SIGKILL).unwrap();
            }
        }
        child.wait().await.unwrap()
    };
    let status = tokio::time::timeout(WAIT, read).await.unwrap();
    assert!(!status.success(), "{said}");
    assert!(said.contains("NOT HELD"), "{said}");
}

#[tokio::test]
async fn without_its_ssh_server_the_story_fails() {
    killed_at("OpenSSH", "card").await;
}

#[tokio::test]
async fn without_its_bot_the_story_fails() {
    killed_at("Bot:", "logged in").await;
}

/// A terminal at which everybody is played.
struct Terminal {
    child: Child,
    stdin: tokio::process::ChildStdin,
    lines: tokio::io::Lines<BufReader<tokio::process::ChildStdout>>,
    said: String,
}

impl Terminal {
    fn open() -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_jitbot"))
            .arg("demo")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        Self {
            stdin: child.stdin.take().unwrap(),
            lines: BufReader::new(child.stdout.take().unwrap()).lines(),
            child,
            said: String::new(),
        }
    }

    async fn types(&mut self, line: &str) {
        use tokio::io::AsyncWriteExt as _;
        let line = format!("{line}\n");
        self.stdin.write_all(line.as_bytes()).await.unwrap();
    }

    /// Reads on until a line has one of these; which it was.
    async fn reads(&mut self, any: &[&str]) -> String {
        let read = async {
            loop {
                let line = self.lines.next_line().await.unwrap();
                let line =
                    line.unwrap_or_else(|| panic!("it ended before {any:?}:\n{}", self.said));
                self.said += &line;
                self.said += "\n";
                if any.iter().any(|part| line.contains(part)) {
                    return line;
                }
            }
        };
        match tokio::time::timeout(WAIT, read).await {
            Ok(line) => line,
            Err(_) => panic!("no {any:?} in:\n{}", self.said),
        }
    }

    /// Looks at private messages until one says this: the bot works beside us.
    async fn is_told(&mut self, who: &str, what: &str) {
        for _ in 0..20_000 {
            self.types(&format!("{who}: messages")).await;
            self.types("mark").await;
            if self.reads(&[what, "`mark`"]).await.contains(what) {
                self.reads(&["`mark`"]).await;
                return;
            }
        }
        panic!("{who} is never told {what}:\n{}", self.said);
    }
}

#[tokio::test]
async fn a_terminal_is_enough_to_play_it() {
    let mut terminal = Terminal::open();
    let replaced = terminal.reads(&["replaced in it:"]).await;
    for key in ["slack.api_url", "store.url", "issuer.staging-ca.ca_key"] {
        assert!(replaced.contains(key), "{replaced}");
    }
    assert!(
        !replaced.contains("group"),
        "groups stay as shipped: {replaced}"
    );
    terminal
        .types("alice: /jit request staging-ssh 1h deploy is stuck")
        .await;
    terminal.reads(&["Asked: staging-ssh for 1h"]).await;
    terminal.types("alice: approve").await;
    terminal.types("bob: approve").await;
    terminal.is_told("alice", "-cert-v01@openssh.com").await;
    terminal.types("login alice").await;
    let line = terminal.reads(&["ssh -F none"]).await;
    terminal.reads(&["works now: it works"]).await;

    // The very line that was printed works by itself, and no longer after the end.
    let shell = async || {
        let output = Command::new("sh").args(["-c", line.trim()]).output();
        output.await.unwrap()
    };
    let inside = shell().await;
    assert!(inside.status.success(), "{inside:?}");
    terminal.types("wait 1h").await;
    terminal.is_told("alice", "is over").await;
    terminal.types("login alice").await;
    terminal.reads(&["refused: "]).await;
    let outside = shell().await;
    let stderr = String::from_utf8_lossy(&outside.stderr).into_owned();
    assert!(stderr.contains("Permission denied"), "{stderr}");
    terminal.types("quit").await;
    let status = tokio::time::timeout(WAIT, terminal.child.wait());
    assert!(status.await.unwrap().unwrap().success());
}
