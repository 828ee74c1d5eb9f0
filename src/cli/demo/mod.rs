//! `jitbot demo`: a chat, the bot and an SSH server on this machine, with nothing to install.
//!
//! A page in the browser and a terminal play everybody, side by side; `--script` plays the whole story
//! by itself. The bot, the chat and the SSH server are processes of their own, reached as the real ones
//! would be.

mod access;
mod browser;
mod cast;
mod console;
mod playing;
mod plot;
mod stage;
mod stand_in;
mod story;
mod time;
mod world;

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use clap::Args;

use crate::sandbox::ssh::{self, TargetKind};

/// How to play.
#[derive(Debug, Args)]
pub struct DemoArgs {
    /// Play the whole story without anybody, print what the chat, the SSH server and the database
    /// answered, and exit 0 only if each step held.
    #[arg(long, conflicts_with_all = ["config", "page_only"])]
    script: bool,
    /// The small SSH server, even where OpenSSH is installed.
    #[arg(long)]
    small_ssh: bool,
    /// Rehearse this config instead of the sample: its people and channels, with made-up people where
    /// only the real chat knows them. Nothing outside this machine is reached.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Read no terminal: the page is enough. It goes on until it is interrupted.
    #[arg(long)]
    page_only: bool,
    /// Open no browser.
    #[arg(long)]
    no_browser: bool,
}

/// Runs the demo.
///
/// # Errors
/// When something of it can't be started.
pub async fn run(args: DemoArgs) -> anyhow::Result<ExitCode> {
    let program = std::env::current_exe()?;
    let source = match &args.config {
        None => world::Source::sample(),
        Some(file) => world::Source::file(file),
    };
    let source = match source {
        Ok(source) => source,
        Err(problems) => {
            eprintln!("{problems}\nThis config can't be rehearsed as it is. Nothing was started.");
            return Ok(ExitCode::from(1));
        }
    };
    for warning in &source.config.warnings {
        println!("warning: {warning}");
    }
    let kind = if args.small_ssh {
        TargetKind::Small { program }
    } else {
        ssh::best(&program)
    };
    let desk = console::Desk::open().await?;
    let stage = Arc::new(stage::Stage::start(kind, source, Some(desk.address())).await?);
    let console = desk.serve(Arc::clone(&stage));
    if !args.script {
        println!("Page: {}", stage.page);
        if !args.no_browser {
            browser::open(&stage.page);
        }
    }
    // Interrupted or not, what was started ends and its folder goes: private keys lie in it.
    let code = tokio::select! {
        code = async {
            if args.script {
                story::tell(&stage).await
            } else if args.page_only {
                println!("Play it on the page; Ctrl+C ends it and leaves nothing behind.");
                std::future::pending().await
            } else {
                playing::play(&stage).await
            }
        } => code,
        () = super::signals::stop_requested() => Ok(ExitCode::from(if args.page_only { 0 } else { 130 })),
    };
    console.stop().await;
    stage.stop().await;
    code
}
