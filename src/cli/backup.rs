//! `jitbot backup`: a copy of the database, beside a running bot or without one.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;

use crate::store::sqlite::backup::{NoBackup, backup};

/// What to copy, and whereto.
#[derive(Debug, Args)]
pub struct BackupArgs {
    /// The database.
    #[arg(long, default_value = "jitbot.db")]
    db: PathBuf,
    /// A file that is not there yet.
    to: PathBuf,
}

/// Copies it, checks the copy, and prints where its record ends.
///
/// # Errors
/// When there is no copy: nothing stands under its name then.
pub async fn run(args: BackupArgs) -> anyhow::Result<ExitCode> {
    match backup(&args.db.display().to_string(), &args.to).await {
        Ok(head) => {
            println!("{} is whole; head {head}", args.to.display());
            Ok(ExitCode::SUCCESS)
        }
        Err(error @ NoBackup::NotWhole(_)) => {
            eprintln!("jitbot: {error}");
            Ok(ExitCode::from(1))
        }
        Err(error) => Err(error.into()),
    }
}
