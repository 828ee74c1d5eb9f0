//! `jitbot serve`: runs the bot until it is told to stop.

use std::io::IsTerminal as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context as _, bail};
use clap::{Args, ValueEnum};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, Layer as _};

use super::signals::Stops;
use super::{file_size_limit, service_manager};
use crate::app::App;
use crate::clock::{Clock, RehearsalClock, SystemClock};
use crate::config::{self, Config};
use crate::traces::{self, Export};

/// What the bot needs.
#[derive(Debug, Args)]
pub struct ServeArgs {
    /// The config.
    #[arg(long, default_value = "jitbot.toml")]
    config: PathBuf,
    /// How the log is written to stderr: `human`, or `json` with one line an event.
    #[arg(long, value_enum, default_value_t = LogFormat::Human)]
    log_format: LogFormat,
    /// Follow a clock that is set ahead by the milliseconds in this file. Only for rehearsals: refused
    /// unless every platform is a sandbox on this machine.
    #[arg(long, hide = true)]
    rehearsal_clock: Option<PathBuf>,
}

/// How the log is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum LogFormat {
    /// For people.
    Human,
    /// For programs: one JSON object a line.
    Json,
}

/// Runs until SIGTERM or SIGINT, then finishes what is in flight; a second one ends it at once. SIGHUP
/// has the config read again.
///
/// # Errors
/// What keeps it from starting: the config, the database, the platform, an issuer.
pub async fn run(args: ServeArgs) -> anyhow::Result<ExitCode> {
    // Before anything else: from here on these signals end nobody.
    let mut hangups = signal(SignalKind::hangup()).context("SIGHUP can't be listened for")?;
    let mut stops = Stops::listen()?;
    file_size_limit::survive();
    let config = match config::load(&args.config) {
        Ok(config) => config,
        Err(problems) => {
            eprintln!("{problems}");
            return Ok(ExitCode::from(1));
        }
    };
    let traces = config.traces.as_ref().map(Export::of).transpose()?;
    begin_log(args.log_format, traces.as_ref());
    let ended = serve(&args, &config, &mut hangups, &mut stops).await;
    // A second signal ended it at once: nothing is waited for then.
    if let (Some(traces), Ok(ExitCode::SUCCESS)) = (traces, &ended) {
        tokio::select! {
            () = traces.stop() => {}
            () = stops.next() => {}
        }
    }
    ended
}

async fn serve(
    args: &ServeArgs,
    config: &Config,
    hangups: &mut Signal,
    stops: &mut Stops,
) -> anyhow::Result<ExitCode> {
    for warning in &config.warnings {
        tracing::warn!("{warning}");
    }
    let clock: Arc<dyn Clock> = match &args.rehearsal_clock {
        None => Arc::new(SystemClock::new()),
        Some(file) => {
            if !config.is_rehearsal() {
                bail!(
                    "--rehearsal-clock moves time, so it is only for a sandbox: slack.api_url must be on 127.0.0.1"
                );
            }
            Arc::new(RehearsalClock::following(file.clone()))
        }
    };
    let mut app = tokio::select! {
        app = App::build(config, clock) => app?,
        () = stops.next() => {
            tracing::info!("stopped before it was ready");
            return Ok(ExitCode::SUCCESS);
        }
    };
    app.start_working();
    service_manager::tell_ready();
    tokio::select! {
        () = work(&app, &args.config, hangups) => {}
        () = service_manager::keep_watchdog_quiet(async || app.works().await) => {}
        () = stops.next() => {}
    }
    service_manager::tell_stopping();
    tracing::info!("stopping: finishing what is in flight; a second signal ends it at once");
    tokio::select! {
        () = app.stop() => {
            tracing::info!("stopped");
            Ok(ExitCode::SUCCESS)
        }
        () = stops.next() => {
            tracing::warn!("ended at once: what was in flight is taken up again at the next start");
            Ok(ExitCode::from(1))
        }
    }
}

/// Says that it is ready as soon as it is, then takes each config up that it is told of.
async fn work(app: &App, config: &Path, hangups: &mut Signal) {
    app.wait_for_people().await;
    // One line on stdout, so that whoever started it knows that it takes commands now.
    println!(
        "{}",
        serde_json::json!({ "ready": true, "head": app.head() })
    );
    // Hangups that come while a file is being taken up are one more: the last file wins.
    while hangups.recv().await.is_some() {
        tracing::info!("reading the config again");
        // What came of it is logged, and told to security.
        let _ = app.reload(config::load(config)).await;
    }
    std::future::pending::<()>().await;
}

/// From here on there is a log, and traces where they are asked for.
fn begin_log(format: LogFormat, traces: Option<&Export>) {
    let log = tracing_subscriber::fmt::layer().with_writer(std::io::stderr);
    let log = match format {
        LogFormat::Human => log.with_ansi(std::io::stderr().is_terminal()).boxed(),
        LogFormat::Json => log.json().flatten_event(true).boxed(),
    };
    let registry = tracing_subscriber::registry();
    match traces {
        // One filter for all costs less than one for each that listens.
        None => registry.with(log).with(what_is_logged()).init(),
        Some(traces) => {
            let log = log.with_filter(what_is_logged()).boxed();
            registry.with(vec![log, traces.layer()]).init();
        }
    }
}

/// `RUST_LOG`, or `info`. The SDK is never heard: it logs the address that it connects to, which holds
/// Slack's ticket. What it reports to us is logged without. Spans of traces are for traces alone.
fn what_is_logged() -> EnvFilter {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    let spans = format!("{}=off", traces::TARGET);
    [
        "slack_morphism=off",
        "tokio_tungstenite=off",
        "tungstenite=off",
        &spans,
    ]
    .into_iter()
    .filter_map(|directive| directive.parse().ok())
    .fold(filter, EnvFilter::add_directive)
}
