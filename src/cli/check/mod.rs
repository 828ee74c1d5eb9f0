//! `jitbot check FILE`: is this config right, and does what it names exist?
//!
//! Asks Slack and looks at issuers and the database, all problems at once; changes nothing anywhere.

pub mod findings;
mod slack;

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, ValueEnum};

use self::findings::{Area, Findings, counted};
use crate::app::inspection::{self, AskedSlack, Database};
use crate::app::offline_problems;
use crate::config::{self, Config, Env, manifest};

/// What to check, and how to say it.
#[derive(Debug, Args)]
pub struct CheckArgs {
    /// The config.
    #[arg(default_value = "jitbot.toml")]
    file: PathBuf,
    /// Ask nobody outside this machine: only what the file and this machine show.
    #[arg(long)]
    offline: bool,
    /// Exit 1 for warnings as well.
    #[arg(long)]
    strict: bool,
    /// How to say it.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

/// How findings are said.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people.
    Text,
    /// For programs: one JSON object.
    Json,
}

/// Checks a file and prints what was found. The exit code is 0 for a right config, 1 for a wrong one,
/// 3 where nothing is wrong but not everything could be asked.
///
/// # Errors
/// When the shipped manifest can't be read.
pub async fn run(args: CheckArgs) -> anyhow::Result<ExitCode> {
    let env = |name: &str| std::env::var(name).ok();
    let findings = look(&args.file, &env, args.offline).await?;
    let code = findings.code(args.strict);
    // A reader that went away is no reason to call a config wrong, or right.
    let _ = match (args.format, code) {
        (Format::Json, _) => {
            let mut out = std::io::stdout().lock();
            writeln!(out, "{}", findings.json(args.strict))
        }
        (Format::Text, 0) => writeln!(std::io::stdout().lock(), "{}", findings.text()),
        (Format::Text, _) => writeln!(std::io::stderr().lock(), "{}", findings.text()),
    };
    Ok(ExitCode::from(code))
}

/// Looks at everything.
///
/// # Errors
/// When the shipped manifest can't be read.
pub async fn look(path: &Path, env: Env<'_>, offline: bool) -> anyhow::Result<Findings> {
    let mut findings = Findings::new(offline);
    let config = match config::load_with(path, env) {
        Ok(config) => config,
        Err(problems) => {
            for problem in problems.0 {
                findings.problem(Area::Config, problem);
            }
            return Ok(findings);
        }
    };
    findings.policy = Some(config.policy_hash().0);
    for warning in &config.warnings {
        findings.warning(Area::Config, warning.clone());
    }
    findings.right = counts(&config);
    if offline {
        for problem in offline_problems(&config) {
            findings.problem(Area::Issuers, config.problem("issuer", problem, ""));
        }
        return Ok(findings);
    }
    if let Some(problem) = inspection::look_at_heartbeat(&config) {
        findings.problem(Area::Config, problem);
    }
    if let Some(problem) = inspection::look_at_traces(&config) {
        findings.problem(Area::Config, problem);
    }
    let scopes = manifest::slack_scopes().map_err(anyhow::Error::msg)?;
    let (asked, (problems, bound)) = tokio::join!(
        inspection::ask_slack(&config),
        inspection::look_at_issuers(&config)
    );
    slack::judge(&config, &asked, &scopes, &mut findings);
    for problem in problems {
        findings.problem(Area::Issuers, problem);
    }
    match inspection::look_at_database(&config, bound.as_ref()).await {
        Database::NotThere => {}
        Database::Older => {
            let what = "is of an older form, which the next start brings to the one of this program; what its grants need of this config is not looked at";
            findings.warning(
                Area::Store,
                config.problem("store.url", what, "Make a backup first."),
            );
        }
        Database::Unusable(what) => {
            findings.problem(Area::Store, config.problem("store.url", what, ""));
        }
        Database::There(left) => {
            for orphan in left {
                let what = orphan.to_string();
                let key = format!("issuer.{}", orphan.issuer);
                findings.problem(Area::Store, config.problem(&key, what, ""));
            }
        }
    }
    if let AskedSlack::Said(survey) = &asked {
        let identity = &survey.identity;
        findings.right = format!(
            "{}; Slack says that it is there ({}, {}, as @{})",
            findings.right, identity.team, identity.team_id, identity.user
        );
    }
    Ok(findings)
}

fn counts(config: &Config) -> String {
    format!(
        "{}, {}, {}, {}; policy {}",
        counted(config.resources.len(), "resource"),
        counted(config.issuers.len(), "issuer"),
        counted(config.groups.len(), "group"),
        if config.people.len() == 1 {
            "1 person".to_owned()
        } else {
            format!("{} people", config.people.len())
        },
        config.policy_hash().short(),
    )
}
