//! Arguments → command → exit code.

use std::{path::PathBuf, process::ExitCode};

use clap::{Parser, Subcommand};
use jitbot::sandbox::ssh::small::{self, SmallConfig};

#[derive(Parser)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Runs the sandbox's small SSH server in the foreground.
    #[command(hide = true)]
    SandboxSsh {
        /// Its configuration, as the sandbox writes it.
        #[arg(long)]
        config: PathBuf,
    },
}

#[tokio::main]
async fn main() -> ExitCode {
    match run(Arguments::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("jitbot: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn run(arguments: Arguments) -> anyhow::Result<()> {
    match arguments.command {
        Command::SandboxSsh { config } => Ok(small::run(SmallConfig::read(&config)?).await?),
    }
}
