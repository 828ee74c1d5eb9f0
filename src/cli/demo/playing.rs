//! A terminal that plays everybody.

use std::io::BufRead as _;
use std::process::ExitCode;
use std::time::Duration;

use chrono::TimeDelta;
use tokio::sync::mpsc;

use super::cast::Room;
use super::stage::Stage;
use crate::domain::duration;
use crate::sandbox::people::{Place, SeenMessage};
use crate::sandbox::ssh::login::{LoginOutcome, command_line};

/// How often, and how long apart, it is looked for a card, and for what a press was answered.
const CARD_LOOKS: u32 = 20;
const PRESS_LOOKS: u32 = 7;
const CARD_LOOK: Duration = Duration::from_millis(100);

/// How long a form may take to open.
const FORM_OPENS_WITHIN: Duration = Duration::from_secs(3);

/// What can be typed, with names of this config.
fn help(stage: &Stage) -> String {
    let asks = stage
        .plot
        .asks
        .as_ref()
        .map_or("SOMEBODY", |one| one.name.as_str());
    let approves = stage
        .plot
        .approves
        .as_ref()
        .map_or("SOMEBODY", |one| one.name.as_str());
    let rooms: Vec<&str> = stage
        .cast
        .rooms
        .iter()
        .map(|room| room.name.as_str())
        .collect();
    let typed = format!(
        "{asks}: /jit request {} {} deploy is stuck",
        stage.plot.resource, stage.plot.duration
    );
    let lines = [
        (typed, "somebody types a command".to_owned()),
        (
            format!("{approves}: approve"),
            format!("{approves} presses Approve on the newest card (or: deny too long)"),
        ),
        (
            format!("{asks}: messages"),
            format!("what {asks} reads privately"),
        ),
        (rooms.join(", "), "what stands in that channel".to_owned()),
        (
            format!("login {asks}"),
            format!(
                "try the ssh line with the certificate that {asks} was sent (the SSH server is one of {}: what other resources give does not open it)",
                stage.here()
            ),
        ),
        ("wait 50m".to_owned(), "let engine time pass".to_owned()),
        ("help, quit".to_owned(), String::new()),
    ];
    let lines = lines.map(|(typed, what)| format!("  {typed:<48}  {what}").trim_end().to_owned());
    lines.join("\n")
}

/// Plays until `quit` or the end of the input.
pub async fn play(stage: &Stage) -> anyhow::Result<ExitCode> {
    let people: Vec<&str> = stage
        .cast
        .players
        .iter()
        .map(|player| player.name.as_str())
        .collect();
    println!(
        "\nYou play everybody: {}.\n{}\n",
        people.join(", "),
        help(stage)
    );
    let mut lines = typed_lines();
    while let Some(line) = lines.recv().await {
        let line = line.trim();
        if line == "quit" || line == "exit" {
            break;
        }
        if let Err(error) = turn(stage, line).await {
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

async fn turn(stage: &Stage, line: &str) -> anyhow::Result<()> {
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
                stage.let_pass(TimeDelta::seconds(seconds)).await?;
                println!(
                    "  engine time is now {}",
                    stage.engine_now().format("%F %T UTC")
                );
            }
            None => println!("  write it like: wait 50m"),
        },
        "login" => login(stage, rest.trim()).await,
        "help" => println!("{}", help(stage)),
        channel => match stage.cast.rooms.iter().find(|room| room.name == channel) {
            Some(room) => {
                let Some(reader) = room.members.first() else {
                    println!("  nobody is in #{channel}");
                    return Ok(());
                };
                let mut messages = stage.people.messages(reader, &room.id).await?;
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
            stage.keep_certificates(person).await?;
            show(&messages);
        }
        act if act == "approve" || act == "deny" || act.starts_with("deny ") => {
            let label = if act == "approve" { "Approve" } else { "Deny" };
            let Some(found) = newest_button(stage, &user, label).await? else {
                println!("  no card that {person} sees has a button {label}");
                return Ok(());
            };
            let (room, ts, action) = (found.room.id.as_str(), &found.ts, &found.action);
            let before = alone(stage, &user, room).await?.len();
            stage.people.press(&user, room, ts, action).await?;
            if let Some(why) = act.strip_prefix("deny") {
                return say_why(stage, &user, room, why.trim()).await;
            }
            // A press that is refused is answered to that person alone.
            for _ in 0..PRESS_LOOKS {
                let told = alone(stage, &user, room).await?;
                if told.len() > before {
                    show(&told[before..]);
                    return Ok(());
                }
                wait_a_little().await;
            }
            println!("  pressed; see: {}, {}", found.room.name, asker(stage));
        }
        typed => {
            let room = rooms_of(stage, &user).next();
            let place = room.map_or(Place::Direct, |room| Place::from(&room.id));
            let answer = stage.people.command(&user, place, typed).await?;
            println!("  {}", answer.visible_text.replace('\n', "\n  "));
        }
    }
    Ok(())
}

/// Fills in the form that a press on Deny opens.
async fn say_why(stage: &Stage, user: &str, room: &str, why: &str) -> anyhow::Result<()> {
    let opened = stage
        .people
        .wait_for_view(user, "Why not?", FORM_OPENS_WITHIN)
        .await;
    if opened.is_err() {
        show(&alone(stage, user, room).await?);
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
        println!("  denied, because: {why}; see: {}", asker(stage));
    }
    Ok(())
}

/// Whose private messages tell how a request goes on.
fn asker(stage: &Stage) -> String {
    let name = stage
        .plot
        .asks
        .as_ref()
        .map_or("whoever asked", |one| one.name.as_str());
    format!("{name}: messages")
}

/// The channels that somebody is in.
fn rooms_of<'s>(stage: &'s Stage, user: &'s str) -> impl Iterator<Item = &'s Room> {
    stage
        .cast
        .rooms
        .iter()
        .filter(move |room| room.members.contains(user))
}

/// What this person alone sees in the channel with the card.
async fn alone(stage: &Stage, user: &str, room: &str) -> anyhow::Result<Vec<SeenMessage>> {
    let mut messages = stage.people.messages(user, room).await?;
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

/// A card, and a button on it.
struct Found<'s> {
    room: &'s Room,
    ts: String,
    action: String,
}

/// The newest card that somebody sees and that has this button. A card may be on its way.
async fn newest_button<'s>(
    stage: &'s Stage,
    user: &'s str,
    label: &str,
) -> anyhow::Result<Option<Found<'s>>> {
    for _ in 0..CARD_LOOKS {
        let mut newest: Option<Found<'s>> = None;
        for room in rooms_of(stage, user) {
            for message in stage.people.messages(user, &room.id).await? {
                let Some(button) = message.buttons.iter().find(|b| b.text.contains(label)) else {
                    continue;
                };
                if newest.as_ref().is_none_or(|found| found.ts < message.ts) {
                    newest = Some(Found {
                        room,
                        ts: message.ts.clone(),
                        action: button.action_id.clone(),
                    });
                }
            }
        }
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
    if let Err(error) = stage.keep_certificates(person).await {
        println!("  {error:#}");
        return;
    }
    println!("  {}", command_line(&stage.login(person)));
    match stage.try_login(person).await {
        LoginOutcome::Accepted { stdout } => println!("  works now: {}", stdout.trim()),
        LoginOutcome::Refused { said } => println!("  refused: {}", said.trim()),
        LoginOutcome::Unreachable { said } => println!("  can't be reached: {}", said.trim()),
    }
}
