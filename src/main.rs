//! Arguments → command → exit code.

use std::process::ExitCode;

use clap::Parser as _;

fn main() -> ExitCode {
    jitbot::cli::run(jitbot::cli::Cli::parse())
}
