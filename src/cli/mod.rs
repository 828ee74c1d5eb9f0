//! Arguments and subcommands: one file each.

pub mod audit;
pub mod backup;
pub mod check;
pub mod demo;
pub mod erase;
mod file_size_limit;
pub mod init;
pub mod issuer;
pub mod sandbox;
pub mod serve;
mod service_manager;
pub mod signals;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::{Parser, Subcommand};

/// How long threads may take to end once a command is done.
const THREADS_END_WITHIN: Duration = Duration::from_secs(1);

/// Just-in-time access from chat: asked, approved, given for a while, taken away on time, on record.
#[derive(Debug, Parser)]
#[command(name = "jitbot", version, about)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What jitbot can do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run the bot.
    Serve(serve::ServeArgs),
    /// Say everything that is wrong with a config, or missing of what it names; or that it is fine.
    Check(check::CheckArgs),
    /// Write a first config by asking.
    Init(init::InitArgs),
    /// Play it on this machine: a chat, the bot and an SSH server, with nothing to install.
    Demo(demo::DemoArgs),
    /// The record: verify or export it.
    #[command(subcommand)]
    Audit(audit::AuditCommand),
    /// Erase what is personal about an account, on record and without breaking the record.
    Erase(erase::EraseArgs),
    /// Copy the database as it is now, beside a running bot, and check the copy.
    Backup(backup::BackupArgs),
    /// An issuer: does it keep the rules that every issuer must keep?
    #[command(subcommand)]
    Issuer(issuer::IssuerCommand),
    /// A stand-in for Slack on loopback, as a process of its own.
    Sandbox(sandbox::SandboxArgs),
    /// A small SSH server on loopback, for machines without OpenSSH.
    #[command(hide = true)]
    SandboxSsh {
        /// Its settings, as JSON.
        #[arg(long)]
        config: PathBuf,
    },
}

/// Runs a command to its exit code: 0 fine, 1 what was asked for did not hold, 2 it could not be
/// done, 3 (of a check) not everything could be asked.
#[must_use]
pub fn run(cli: Cli) -> ExitCode {
    // A second provider that some library brings must not make the choice ambiguous. It fails only
    // where one was chosen already.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let runtime = match tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
    {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("jitbot can't start its threads: {error}");
            return ExitCode::from(2);
        }
    };
    let code = runtime.block_on(async move {
        let result = match cli.command {
            Command::Serve(args) => serve::run(args).await,
            Command::Check(args) => check::run(args).await,
            Command::Init(args) => init::run(args).await,
            Command::Demo(args) => demo::run(args).await,
            Command::Audit(command) => audit::run(command).await,
            Command::Erase(args) => erase::run(args).await,
            Command::Backup(args) => backup::run(args).await,
            Command::Issuer(command) => issuer::run(command).await,
            Command::Sandbox(args) => sandbox::run(args).await,
            Command::SandboxSsh { config } => sandbox::run_ssh(&config).await,
        };
        match result {
            Ok(code) => code,
            Err(error) => {
                eprintln!("jitbot: {error:#}");
                ExitCode::from(2)
            }
        }
    });
    // What blocks a thread must not keep a process that has nothing left to do.
    runtime.shutdown_timeout(THREADS_END_WITHIN);
    code
}
