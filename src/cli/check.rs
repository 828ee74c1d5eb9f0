//! `jitbot check FILE`: is this config right? Offline: nothing outside this machine is asked.

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::Path;
use std::process::ExitCode;

use crate::app;
use crate::config::{self, Env};

/// What the check says: on stdout where the config is right, else on stderr.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Report {
    /// It can be served; warnings stand before the last line.
    Right(String),
    /// It can't; one line a problem.
    Wrong(String),
}

/// Checks a file and prints the report; the exit code is 0 for a right config, else 1.
#[must_use]
pub fn run(path: &Path, env: Env<'_>) -> ExitCode {
    // A reader that went away is no reason to call a config wrong, or right.
    match report(path, env) {
        Report::Right(text) => {
            let _ = writeln!(std::io::stdout().lock(), "{text}");
            ExitCode::SUCCESS
        }
        Report::Wrong(text) => {
            let _ = writeln!(std::io::stderr().lock(), "{text}");
            ExitCode::FAILURE
        }
    }
}

/// Checks a file.
#[must_use]
pub fn report(path: &Path, env: Env<'_>) -> Report {
    let config = match config::load_with(path, env) {
        Ok(config) => config,
        Err(problems) => {
            let count = problems.0.len();
            return Report::Wrong(format!("{problems}\n{}", counted(count, "problem")));
        }
    };
    let problems = app::offline_problems(&config);
    if !problems.is_empty() {
        let shown = path.display();
        let lines: Vec<String> = problems
            .iter()
            .map(|problem| format!("{shown}: {problem}"))
            .collect();
        return Report::Wrong(format!(
            "{}\n{}",
            lines.join("\n"),
            counted(problems.len(), "problem")
        ));
    }
    let mut text = String::new();
    for warning in &config.warnings {
        let _ = writeln!(text, "warning: {warning}");
    }
    let _ = write!(
        text,
        "ok: {}, {}, {}, {}; policy {}",
        counted(config.resources.len(), "resource"),
        counted(config.issuers.len(), "issuer"),
        counted(config.groups.len(), "group"),
        if config.people.len() == 1 {
            "1 person".to_owned()
        } else {
            format!("{} people", config.people.len())
        },
        config.policy_hash().short(),
    );
    Report::Right(text)
}

fn counted(count: usize, noun: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {noun}{plural}")
}
