//! `jitbot init`: a first config, by asking.

mod answers;
mod asking;
mod draft;
mod talk;
mod workspace;

use std::io::{BufRead, Write};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, bail};
use clap::Args;
use secrecy::SecretString;
use ssh_key::rand_core::OsRng;
use ssh_key::{Algorithm, LineEnding, PrivateKey};

use self::asking::Asker;
use self::draft::{Whence, draft};
use self::talk::Agreed;
use self::workspace::Workspace;
use crate::chat::slack::client::SlackSettings;
use crate::config::{self, SLACK_MANIFEST};

/// Where the config goes.
#[derive(Debug, Args)]
pub struct InitArgs {
    /// The config to write.
    #[arg(default_value = "jitbot.toml")]
    file: PathBuf,
    /// Write over a file that is there.
    #[arg(long)]
    force: bool,
    /// Print the manifest of the Slack app, and nothing else.
    #[arg(long)]
    print_slack_manifest: bool,
}

/// Asks, and writes when everything was answered. Until then nothing is written anywhere.
///
/// # Errors
/// When a file is there already, the answers end too soon, or a file can't be written.
pub async fn run(args: InitArgs) -> anyhow::Result<ExitCode> {
    if args.print_slack_manifest {
        // A reader that went away has read enough.
        let _ = write!(std::io::stdout().lock(), "{SLACK_MANIFEST}");
        return Ok(ExitCode::SUCCESS);
    }
    if args.file.exists() && !args.force {
        bail!(
            "{} is there already, and stays as it is. Name another file, or write over it with --force.",
            args.file.display()
        );
    }
    let answers = std::io::BufReader::new(std::io::stdin());
    let mut asker = Asker::new(answers, std::io::stdout());
    asker.say(WELCOME)?;
    let tokens = talk::tokens(&mut asker)?;
    let api_url = std::env::var("SLACK_API_URL")
        .ok()
        .filter(|url| !url.trim().is_empty());
    let workspace = match listing(&tokens.bot, api_url.clone()).await {
        Ok(listing) => {
            asker.say(&format!(
                "\nSlack: {} ({}), {} channels, {} people.",
                listing.identity.team,
                listing.identity.team_id,
                listing.channels.len(),
                listing.people.len()
            ))?;
            Workspace::Listed(Box::new(listing))
        }
        Err(why) => {
            asker.say(&format!(
                "\nSlack can't be asked for names ({why}), so people are named with their ids."
            ))?;
            talk::team(&mut asker)?
        }
    };
    let agreed = talk::rest(&mut asker, tokens, &workspace, api_url.is_some())?;
    let text = draft(&agreed.answers);
    refuse_wrong(&text, &args.file)?;
    // From here on it is written: the key first, since the config without it would be wrong.
    if agreed.make_key {
        make_key(Path::new(&agreed.answers.ca_key))?;
    }
    write_config(&args.file, &text, args.force)?;
    next_steps(&mut asker, &args.file, &agreed)?;
    Ok(ExitCode::SUCCESS)
}

const WELCOME: &str =
    "This asks for what a first config needs. Press Enter to take what stands in [brackets].
Nothing is written before the last answer; Ctrl-C leaves everything as it is.

If there is no Slack app yet: jitbot init --print-slack-manifest";

async fn listing(
    token: &Whence,
    api_url: Option<String>,
) -> Result<crate::chat::slack::survey::Listing, String> {
    let bot_token = match token {
        Whence::Env(name) => std::env::var(name).map_err(|_| format!("{name} is not set"))?,
        Whence::File(path) => {
            std::fs::read_to_string(path).map_err(|error| format!("{path}: {error}"))?
        }
    };
    let settings = SlackSettings {
        api_url,
        bot_token: SecretString::from(bot_token.trim().to_owned()).into(),
    };
    crate::app::inspection::listing(&settings)
        .await
        .map_err(|failure| failure.to_string())
}

/// What was made of the answers is read as `check` would: if it is wrong, that is our mistake, and
/// nothing is written.
fn refuse_wrong(text: &str, file: &Path) -> anyhow::Result<()> {
    // Tokens may be set only where it will run.
    let env = |name: &str| match name {
        "SLACK_API_URL" => std::env::var(name).ok(),
        _ => Some("set-where-it-runs".to_owned()),
    };
    match config::parse(text, &file.display().to_string(), &env) {
        Ok(_) => Ok(()),
        Err(problems) => bail!(
            "these answers make no config that jitbot takes; nothing was written:\n{problems}"
        ),
    }
}

/// An Ed25519 key for the CA, readable by its owner alone, and its public half beside it.
fn make_key(path: &Path) -> anyhow::Result<()> {
    let shown = path.display();
    let failed = || format!("the CA's key could not be made at {shown}; no config was written");
    if let Some(folder) = path.parent().filter(|folder| !folder.exists()) {
        std::fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(folder)
            .with_context(failed)?;
    }
    let key = PrivateKey::random(&mut OsRng, Algorithm::Ed25519).with_context(failed)?;
    let private = key.to_openssh(LineEnding::LF).with_context(failed)?;
    let public = key.public_key().to_openssh().with_context(failed)?;
    let mut beside = path.as_os_str().to_owned();
    beside.push(".pub");
    for (path, mode, text) in [
        (path.as_os_str(), 0o600, private.as_bytes()),
        (&beside, 0o644, format!("{public}\n").as_bytes()),
    ] {
        std::fs::OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(mode)
            .open(path)
            .and_then(|mut file| {
                file.write_all(text)?;
                file.sync_all()
            })
            .with_context(failed)?;
    }
    Ok(())
}

/// Written beside, then renamed: nobody ever reads half of it. Only its owner may read it.
fn write_config(path: &Path, text: &str, force: bool) -> anyhow::Result<()> {
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let failed = || format!("{} could not be written", path.display());
    let mut beside = tempfile::Builder::new()
        .prefix(".jitbot-init-")
        .tempfile_in(folder)
        .with_context(failed)?;
    beside.write_all(text.as_bytes()).with_context(failed)?;
    beside.as_file().sync_all().with_context(failed)?;
    if force {
        beside.persist(path).with_context(failed)?;
    } else {
        // Somebody may have written it while we asked.
        beside.persist_noclobber(path).with_context(failed)?;
    }
    Ok(())
}

fn next_steps<R: BufRead, W: Write>(
    asker: &mut Asker<R, W>,
    file: &Path,
    agreed: &Agreed,
) -> anyhow::Result<()> {
    let a = &agreed.answers;
    let shown = file.display();
    let mut steps = vec![
        "Make the Slack app, if there is none yet: https://api.slack.com/apps, \"From a manifest\", with what `jitbot init --print-slack-manifest` prints. Install it.".to_owned(),
    ];
    for (what, whence) in [
        ("bot's token", &a.bot_token),
        ("app-level token", &a.app_token),
    ] {
        steps.push(match whence {
            Whence::Env(name) => format!("Put the {what} into {name}."),
            Whence::File(path) => {
                format!("Put the {what} into {path}, readable by jitbot's user alone.")
            }
        });
    }
    for channel in &agreed.invite {
        let name = channel.name.as_deref().unwrap_or(&channel.at);
        steps.push(format!("Type `/invite @jitbot` in #{name}."));
    }
    if !agreed.make_key {
        steps.push(format!(
            "If there is no CA key yet: ssh-keygen -t ed25519 -N '' -f {}",
            a.ca_key
        ));
    }
    steps.push(format!(
        "Let the hosts trust {}.pub: docs/ISSUER-SSH-CA.md has the two lines for sshd.",
        a.ca_key
    ));
    let keyless: Vec<&str> = a
        .people
        .iter()
        .filter(|one| one.key.is_none() && a.requesters.contains(&one.name))
        .map(|one| one.name.as_str())
        .collect();
    if !keyless.is_empty() {
        steps.push(format!("Add ssh_keys of {}.", keyless.join(", ")));
    }
    steps.push(format!("jitbot check {shown}"));
    steps.push(format!("jitbot serve --config {shown}"));
    asker.say(&format!("\n{shown} is written. Next:"))?;
    for (i, step) in (1..).zip(&steps) {
        asker.say(&format!("{i}. {step}"))?;
    }
    Ok(())
}
