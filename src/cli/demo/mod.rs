//! `jitbot demo`: a chat, the bot and an SSH server on this machine, with nothing to install.
//!
//! `--script` plays the whole story by itself; otherwise a terminal plays everybody. The bot, the
//! chat and the SSH server are processes of their own, reached as the real ones would be.

mod playing;
mod stage;
mod story;
mod world;

use std::process::ExitCode;

use clap::Args;

use crate::sandbox::ssh::{self, TargetKind};

/// How to play.
#[derive(Debug, Args)]
pub struct DemoArgs {
    /// Play the whole story without anybody, print what the chat, the SSH server and the database
    /// answered, and exit 0 only if each step held.
    #[arg(long)]
    script: bool,
    /// The small SSH server, even where OpenSSH is installed.
    #[arg(long)]
    small_ssh: bool,
}

/// Runs the demo.
///
/// # Errors
/// When something of it can't be started.
pub async fn run(args: DemoArgs) -> anyhow::Result<ExitCode> {
    let program = std::env::current_exe()?;
    let kind = if args.small_ssh {
        TargetKind::Small { program }
    } else {
        ssh::best(&program)
    };
    let stage = stage::Stage::start(kind).await?;
    // Interrupted or not, what was started ends and its folder goes: private keys lie in it.
    let code = tokio::select! {
        code = async {
            if args.script {
                story::tell(&stage).await
            } else {
                playing::play(&stage).await
            }
        } => code,
        () = super::serve::stop_requested() => Ok(ExitCode::from(130)),
    };
    stage.stop().await;
    code
}
