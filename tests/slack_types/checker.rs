//! Runs the payload check (`check.mjs`) over recorded Slack traffic.
//!
//! A test that wants it says `#[path = "slack_types/checker.rs"] mod checker;`.

use std::{
    io::Write as _,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

/// The folder that holds the checker and its pinned packages.
pub fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/slack_types")
}

/// Judges a log of the form that the sandbox's `GET /sandbox/log` gives: `calls` and `envelopes`.
///
/// Gives back what the checker printed: on success its last line counts what was judged, on
/// failure it lists each problem with method, JSON path and payload. A log with nothing in it, a
/// missing Node and packages that are not installed are failures.
pub fn judge(log_json: &str) -> Result<String, String> {
    run(
        Command::new("node")
            .arg(folder().join("check.mjs"))
            .arg("-"),
        log_json,
    )
}

/// Runs a Node command from the checker's folder; what it printed, as success or failure.
pub fn run(command: &mut Command, input: &str) -> Result<String, String> {
    if !folder()
        .join("node_modules/@slack/types/package.json")
        .is_file()
    {
        return Err(
            "the packages of tests/slack_types are not installed: run scripts/test --install"
                .to_owned(),
        );
    }
    let mut child = command
        .current_dir(folder())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|error| format!("Node can't be started ({error}): run scripts/test --install"))?;
    let mut stdin = child
        .stdin
        .take()
        .ok_or("the child has no standard input")?;
    let input = input.to_owned();
    let writer = std::thread::spawn(move || stdin.write_all(input.as_bytes()));
    let output = child
        .wait_with_output()
        .map_err(|error| format!("Node's output can't be read: {error}"))?;
    let written = writer.join();
    let said = format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    match (output.status.success(), written) {
        (true, Ok(Ok(()))) => Ok(said),
        (true, written) => Err(format!(
            "the log did not reach the checker whole ({written:?})\n{said}"
        )),
        (false, _) => Err(format!("{}\n{said}", output.status)),
    }
}
