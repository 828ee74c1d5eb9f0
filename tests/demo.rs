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
