//! A terminal that plays everybody.

use std::io::BufRead as _;
use std::process::ExitCode;
use std::time::Duration;

use chrono::TimeDelta;
use tokio::sync::mpsc;

use super::stage::Stage;
use crate::domain::duration;
use crate::sandbox::people::{Place, SeenMessage};
use crate::sandbox::ssh::login::{LoginOutcome, command_line};

const CHANNELS: [(&str, &str); 2] = [("approvals", "C0APPROVALS"), ("security", "C0SECURITY")];

/// How often, and how long apart, it is looked for a card, and for what a press was answered.
const CARD_LOOKS: u32 = 20;
const PRESS_LOOKS: u32 = 7;
const CARD_LOOK: Duration = Duration::from_millis(100);

/// How long a form may take to open.
const FORM_OPENS_WITHIN: Duration = Duration::from_secs(3);

const HELP: &str = "\
  alice: /jit request staging-ssh 1h deploy is stuck   somebody types a command
  bob: approve      bob presses Approve on the newest card (or: deny too long)
  alice: messages   what alice reads privately
  approvals         what stands in #approvals (or: security)
  login alice       try the ssh line with the certificate that alice was sent (the SSH server is a
                    staging host: what prod-ssh gives does not open it)
  wait 50m          let engine time pass
  help, quit";

/// Plays until `quit` or the end of the input.
pub async fn play(stage: &Stage) -> anyhow::Result<ExitCode> {
    let people: Vec<String> = stage
        .config
        .persons()
        .iter()
        .map(|person| person.name.to_string())
        .collect();
    println!("\nYou play everybody: {}.\n{HELP}\n", people.join(", "));
    let mut lines = typed_lines();
    let mut ahead = TimeDelta::zero();
    while let Some(line) = lines.recv().await {
        let line = line.trim();
        if line == "quit" || line == "exit" {
            break;
        }
        if let Err(error) = turn(stage, line, &mut ahead).await {
            println!("  {error:#}");
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// What is typed, line by line. A thread of its own waits for it, since a terminal can't be polled.
fn typed_lines() -> mpsc::Receiver<String> {
    let (send, lines) = mpsc::channel(16);
    std::thread::spawn(move || {
        let mut stdin = std::io::stdin().lock();
        let mut line = Vec::new();
        // Bytes that are no text arrive as a chat would show them.
        while stdin
            .read_until(b'\n', &mut line)
            .is_ok_and(|read| read > 0)
        {
            let text = String::from_utf8_lossy(&line).into_owned();
            if send.blocking_send(text).is_err() {
                break;
            }
            line.clear();
        }
    });
    lines
}

async fn turn(stage: &Stage, line: &str, ahead: &mut TimeDelta) -> anyhow::Result<()> {
    if let Some((person, act)) = line.split_once(':')
        && !line.starts_with('/')
    {
        return person_acts(stage, person.trim(), act.trim()).await;
    }
    let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
    match word {
        "" => {}
        "wait" => match duration::parse(rest.trim()) {
            Some(seconds) => {
                let until = *ahead + TimeDelta::seconds(seconds);
                stage.let_pass(*ahead, until).await?;
                *ahead = until;
                println!(
                    "  engine time is now {}",
                    stage.engine_now().format("%F %T UTC")
                );
            }
            None => println!("  write it like: wait 50m"),
        },
        "login" => login(stage, rest.trim()).await,
        "help" => println!("{HELP}"),
        channel => match CHANNELS.iter().find(|(name, _)| *name == channel) {
            Some((_, id)) => {
                let reader = stage.user("carol")?;
                let mut messages = stage.people.messages(&reader, *id).await?;
                messages.retain(|message| !message.ephemeral);
                show(&messages);
            }
            None => println!("  `{line}` is nothing that can be played. Try: help"),
        },
    }
    Ok(())
}

async fn person_acts(stage: &Stage, person: &str, act: &str) -> anyhow::Result<()> {
    let user = stage.user(person)?;
    match act {
        "messages" => {
            let messages = stage.people.direct_messages(&user).await?;
            if let Some(message) = messages
                .iter()
                .rev()
                .find(|m| m.visible_text.contains("-cert-v01@openssh.com"))
            {
                stage.keep_certificate(person, &message.visible_text)?;
            }
            show(&messages);
        }
        act if act == "approve" || act == "deny" || act.starts_with("deny ") => {
            let label = if act == "approve" { "Approve" } else { "Deny" };
            let Some((ts, action)) = newest_button(stage, &user, label).await? else {
                println!("  no card in #approvals has a button {label}");
                return Ok(());
            };
            let before = alone(stage, &user).await?.len();
            stage
                .people
                .press(&user, CHANNELS[0].1, &ts, &action)
                .await?;
            if let Some(why) = act.strip_prefix("deny") {
                return say_why(stage, &user, why.trim()).await;
            }
            // A press that is refused is answered to that person alone.
            for _ in 0..PRESS_LOOKS {
                let told = alone(stage, &user).await?;
                if told.len() > before {
                    show(&told[before..]);
                    return Ok(());
                }
                wait_a_little().await;
            }
            println!("  pressed; see: approvals, alice: messages");
        }
        typed => {
            let answer = stage
                .people
                .command(&user, Place::from(CHANNELS[0].1), typed)
                .await?;
            println!("  {}", answer.visible_text.replace('\n', "\n  "));
        }
    }
    Ok(())
}

/// Fills in the form that a press on Deny opens.
async fn say_why(stage: &Stage, user: &str, why: &str) -> anyhow::Result<()> {
    let opened = stage
        .people
        .wait_for_view(user, "Why not?", FORM_OPENS_WITHIN)
        .await;
    if opened.is_err() {
        show(&alone(stage, user).await?);
        return Ok(());
    }
    let why = if why.is_empty() { "not now" } else { why };
    let answer = stage
        .people
        .submit_view(user, &[("jitbot_reason", why)])
        .await?;
    for said in answer.errors.values() {
        println!("  {said}");
    }
    if answer.errors.is_empty() {
        println!("  denied, because: {why}; see: approvals, alice: messages");
    }
    Ok(())
}

/// What this person alone sees in the channel with the cards.
async fn alone(stage: &Stage, user: &str) -> anyhow::Result<Vec<SeenMessage>> {
    let mut messages = stage.people.messages(user, CHANNELS[0].1).await?;
    messages.retain(|message| message.ephemeral);
    Ok(messages)
}

#[expect(
    clippy::disallowed_methods,
    reason = "it waits for what it sees as a person would"
)]
async fn wait_a_little() {
    tokio::time::sleep(CARD_LOOK).await;
}

/// Where the newest card stands that has this button, and the button. A card may be on its way.
async fn newest_button(
    stage: &Stage,
    user: &str,
    label: &str,
) -> anyhow::Result<Option<(String, String)>> {
    for _ in 0..CARD_LOOKS {
        let messages = stage.people.messages(user, CHANNELS[0].1).await?;
        let newest = messages.iter().rev().find_map(|message| {
            let button = message.buttons.iter().find(|b| b.text.contains(label))?;
            Some((message.ts.clone(), button.action_id.clone()))
        });
        if newest.is_some() {
            return Ok(newest);
        }
        wait_a_little().await;
    }
    Ok(None)
}

fn show(messages: &[SeenMessage]) {
    for message in messages {
        let only = if message.ephemeral { "(only you) " } else { "" };
        println!("  ─ {only}{}", message.visible_text.replace('\n', "\n    "));
        let buttons: Vec<&str> = message.buttons.iter().map(|b| b.text.as_str()).collect();
        if !buttons.is_empty() {
            println!("    [{}]", buttons.join("] ["));
        }
    }
    if messages.is_empty() {
        println!("  nothing yet");
    }
}

async fn login(stage: &Stage, person: &str) {
    if let Err(error) = stage.user(person) {
        println!("  {error}");
        return;
    }
    println!("  {}", command_line(&stage.login(person)));
    match stage.try_login(person).await {
        LoginOutcome::Accepted { stdout } => println!("  works now: {}", stdout.trim()),
        LoginOutcome::Refused { said } => println!("  refused: {}", said.trim()),
        LoginOutcome::Unreachable { said } => println!("  can't be reached: {}", said.trim()),
    }
}
