//! `jitbot issuer check NAME`: does this issuer keep the rules that every issuer must keep?

use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Subcommand};

use crate::app::issuer_bench::{self, Wanted};
use crate::config;
use crate::domain::duration;
use crate::issuer::conformance::{Finding, Rule, judge};

/// What to do with an issuer.
#[derive(Debug, Subcommand)]
pub enum IssuerCommand {
    /// Give access to a test account and take it away again, in every order that can happen, and say
    /// which rules hold.
    Check(IssuerCheckArgs),
}

/// Which issuer, and whom to give what.
#[derive(Debug, Args)]
pub struct IssuerCheckArgs {
    /// Its NAME in `[issuer.NAME]`.
    name: String,
    /// The config.
    #[arg(long, default_value = "jitbot.toml")]
    config: PathBuf,
    /// An account on the target that is there for tests.
    #[arg(long)]
    account: Option<String>,
    /// A person of the config, in place of an account.
    #[arg(long)]
    person: Option<String>,
    /// A resource of the config whose `grant` is given. Not needed where only one names the issuer.
    #[arg(long)]
    resource: Option<String>,
    /// What is given, as a JSON object, in place of a resource.
    #[arg(long)]
    parameters: Option<String>,
    /// The deadline of what is given, from now.
    #[arg(long = "for", default_value = "10m")]
    lasts: String,
    /// Do it. Without this, it is only said what would be done.
    #[arg(long)]
    yes: bool,
}

/// Runs it. The exit code is 0 where no rule is broken and nothing was left behind.
///
/// # Errors
/// When it can't be done: the config is wrong, or something is missing.
pub async fn run(command: IssuerCommand) -> anyhow::Result<ExitCode> {
    let IssuerCommand::Check(args) = command;
    let config = config::load(&args.config)?;
    let Some(lasts_s) = duration::parse(&args.lasts) else {
        anyhow::bail!("--for {} is no duration; write it like 10m", args.lasts);
    };
    let wanted = Wanted {
        account: args.account,
        person: args.person,
        resource: args.resource,
        parameters: args.parameters,
        lasts_s,
    };
    let set = issuer_bench::set(&config, &args.name, &wanted).await?;
    let mut out = std::io::stdout();
    for line in &set.plan {
        writeln!(out, "{line}.")?;
    }
    if !args.yes {
        writeln!(out, "Nothing was done. Say --yes to do it.")?;
        return Ok(ExitCode::from(2));
    }
    writeln!(out)?;
    let findings = judge(&set.bench, |rule, finding| {
        // A reader that went away is no reason to leave a target half-way.
        let _ = writeln!(std::io::stdout(), "{}", line(rule, finding));
    })
    .await;
    let left = set.bench.left_there();
    for grant in &left {
        writeln!(out, "LEFT ON THE TARGET: {grant}")?;
    }
    let count = |is: fn(&Finding) -> bool| findings.iter().filter(|(_, f)| is(f)).count();
    let broken = count(|finding| matches!(finding, Finding::Broken(_)));
    writeln!(
        out,
        "\n{} held, {broken} broken, {} not judged",
        count(|finding| matches!(finding, Finding::Held)),
        count(|finding| matches!(finding, Finding::NotJudged(_))),
    )?;
    Ok(ExitCode::from(u8::from(broken > 0 || !left.is_empty())))
}

fn line(rule: &Rule, finding: &Finding) -> String {
    match finding {
        Finding::Held => format!("held        {}: {}", rule.name, rule.says),
        Finding::Broken(seen) => format!("BROKEN      {}: {}. Seen: {seen}", rule.name, rule.says),
        Finding::NotJudged(why) => format!("not judged  {}: {why}", rule.name),
    }
}
