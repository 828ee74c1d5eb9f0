//! `jitbot sandbox` and `jitbot sandbox-ssh`: the stand-ins, as processes of their own.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context as _;
use clap::Args;

use crate::sandbox::slack::{Manifest, Server, World};
use crate::sandbox::ssh::small::{self, SmallConfig};

/// What the sandbox needs.
#[derive(Debug, Args)]
pub struct SandboxArgs {
    /// The app's manifest, by which its rights are judged.
    #[arg(long)]
    manifest: PathBuf,
    /// Team, people, channels and tokens, as JSON.
    #[arg(long)]
    world: PathBuf,
    /// Where to listen; loopback only.
    #[arg(long, default_value = "127.0.0.1:0")]
    listen: SocketAddr,
    /// A service on loopback whose console the page shows, under /console/ of the page's own address.
    #[arg(long, hide = true)]
    console: Option<SocketAddr>,
}

/// Runs until it is stopped. Its first line says where, as JSON.
///
/// # Errors
/// When a file can't be read or the address is taken.
pub async fn run(args: SandboxArgs) -> anyhow::Result<ExitCode> {
    let read = |path: &Path| {
        std::fs::read_to_string(path).with_context(|| format!("can't read {}", path.display()))
    };
    let manifest = Manifest::from_yaml(&read(&args.manifest)?)?;
    let world: World = serde_json::from_str(&read(&args.world)?)
        .with_context(|| format!("{} is no world", args.world.display()))?;
    let running = Server::start_with_console(world, manifest, args.listen, args.console).await?;
    println!(
        "{}",
        serde_json::json!({ "base_url": format!("http://{}", running.addr) })
    );
    super::signals::stop_requested().await;
    drop(running);
    Ok(ExitCode::SUCCESS)
}

/// Runs the small SSH server until it is stopped.
///
/// # Errors
/// When its settings can't be read or the address is taken.
pub async fn run_ssh(config: &Path) -> anyhow::Result<ExitCode> {
    small::run(SmallConfig::read(config)?).await?;
    Ok(ExitCode::SUCCESS)
}
