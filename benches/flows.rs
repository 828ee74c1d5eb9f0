//! The benchmark: whole flows through the real binary, beside a plain bot. `scripts/bench` builds what it
//! needs and runs it; `docs/BENCHMARK.md` says what is measured and how to read it.

#[path = "flows/mod.rs"]
mod flows;

use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context as _;
use clap::Parser;

use flows::bots::Bot;
use flows::machine::Machine;
use flows::play::Patience;
use flows::report::Report;
use flows::trial::{Plan, measure};

/// Whole flows through each bot, at fixed rates.
#[derive(Debug, Parser)]
#[command(name = "scripts/bench")]
struct Args {
    /// A short look: two low rates, a few seconds each.
    #[arg(long)]
    quick: bool,
    /// Flows a second, one step after the other.
    #[arg(long, value_delimiter = ',')]
    rates: Option<Vec<u32>>,
    /// Seconds during which flows begin, in each step.
    #[arg(long)]
    seconds: Option<u64>,
    /// Seconds that access is held.
    #[arg(long, default_value_t = 3)]
    hold: u32,
    /// Which bots.
    #[arg(long, value_enum, value_delimiter = ',', default_value = "jitbot,bolt")]
    bots: Vec<Bot>,
    /// Where everything is written as JSON.
    #[arg(long)]
    json: Option<PathBuf>,
    /// Another binary than the one built with the benchmark.
    #[arg(long, default_value = env!("CARGO_BIN_EXE_jitbot"))]
    jitbot: PathBuf,
    /// Cargo says this to every benchmark.
    #[arg(long, hide = true)]
    bench: bool,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let args = Args::parse();
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR"));
    std::fs::create_dir_all(&folder)?;
    let rates = args.rates.clone().unwrap_or_else(|| {
        if args.quick {
            vec![10, 50]
        } else {
            vec![10, 50, 100, 200]
        }
    });
    let seconds = args.seconds.unwrap_or(if args.quick { 4 } else { 30 });
    let plan = Plan {
        jitbot: args.jitbot.clone(),
        folder: folder.clone(),
        rates,
        step: Duration::from_secs(seconds),
        idle: Duration::from_secs(if args.quick { 4 } else { 20 }),
        patience: Patience {
            hold_s: args.hold,
            wait: Duration::from_secs(10),
        },
        keeps: Vec::new(),
        freeze: None,
    };
    let mut report = Report {
        machine: Machine::look(&folder)?,
        hold_s: args.hold,
        step_s: plan.step.as_secs_f64(),
        bots: Vec::new(),
    };
    for bot in &args.bots {
        let measured = measure(*bot, &plan).await;
        report
            .bots
            .push(measured.with_context(|| format!("{} could not be measured", bot.name()))?);
    }
    println!("{}", report.markdown());
    if let Some(file) = &args.json {
        std::fs::write(file, serde_json::to_string_pretty(&report)?)
            .with_context(|| format!("{} can't be written", file.display()))?;
    }
    Ok(())
}
