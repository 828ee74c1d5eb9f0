//! The benchmark: whole flows through the real binary, beside a plain bot. `scripts/bench` builds what it
//! needs and runs it; `docs/BENCHMARK.md` says what is measured and how to read it.

#[path = "flows/mod.rs"]
mod flows;

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context as _;
use clap::Parser;

use flows::bots::Bot;
use flows::live::{LivePlan, measure_live};
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
    /// Beside so many live grants instead, jitbot alone (1,000,000, or 10,000 with --quick).
    #[arg(long, value_name = "N")]
    live: Option<Option<usize>>,
    /// So many more whose end is overdue (a tenth of N).
    #[arg(long, requires = "live", value_name = "M")]
    overdue: Option<usize>,
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
        live: None,
    };
    if let Some(live) = args.live {
        let live = live.unwrap_or(if args.quick { 10_000 } else { 1_000_000 });
        let plan = live_plan(&args, plan, live);
        report.live = Some(measure_live(&plan).await?);
        return written(&report, args.json.as_deref());
    }
    for bot in &args.bots {
        let measured = measure(*bot, &plan).await;
        report
            .bots
            .push(measured.with_context(|| format!("{} could not be measured", bot.name()))?);
    }
    written(&report, args.json.as_deref())
}

/// How `--live` is measured: 200 ends a second for ten seconds, then what is overdue beside ten flows a
/// second.
fn live_plan(args: &Args, plan: Plan, live: usize) -> LivePlan {
    let overdue = args.overdue.unwrap_or(live / 10);
    // Fifty a second: far slower than any bot should be.
    let longest = Duration::from_secs(60)
        + Duration::from_millis(20) * u32::try_from(overdue).unwrap_or(u32::MAX);
    let window = Duration::from_secs(if args.quick { 4 } else { 10 });
    LivePlan {
        plan,
        live,
        ending: live.min(if args.quick { 800 } else { 2_000 }),
        window,
        before: Duration::from_secs(if args.quick { 15 } else { 60 }),
        overdue,
        longest,
        rate: 10,
    }
}

fn written(report: &Report, json: Option<&Path>) -> anyhow::Result<()> {
    println!("{}", report.markdown());
    if let Some(file) = json {
        std::fs::write(file, serde_json::to_string_pretty(report)?)
            .with_context(|| format!("{} can't be written", file.display()))?;
    }
    Ok(())
}
