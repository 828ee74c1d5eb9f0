//! The conversation: what is asked, in which order, and which answers will do.

use std::io::{BufRead, Write};
use std::path::Path;

use super::answers::{
    absolute, host_group, principals_of, public_key, seconds, time_of_day, time_zone, unique,
    whence,
};
use super::asking::{Asker, Question, Stopped};
use super::draft::{Answers, Channel, Person, Whence};
use super::workspace::{Workspace, is_id};

/// The two tokens: where they are found.
pub struct Tokens {
    /// The bot's.
    pub bot: Whence,
    /// The app's.
    pub app: Whence,
}

/// What else was agreed.
pub struct Agreed {
    /// What goes into the file.
    pub answers: Answers,
    /// Whether the CA's key is to be made.
    pub make_key: bool,
    /// Channels that the bot must still be invited to.
    pub invite: Vec<Channel>,
}

fn question<'q>(what: &'q str, why: &'q str, default: impl Into<Option<&'q str>>) -> Question<'q> {
    Question {
        what,
        why,
        default: default.into().map(str::to_owned),
    }
}

/// Asks where the tokens are.
///
/// # Errors
/// [`Stopped`] when no answer comes any more.
pub fn tokens<R: BufRead, W: Write>(asker: &mut Asker<R, W>) -> Result<Tokens, Stopped> {
    let bot = question(
        "Where is the bot's token (xoxb-…)?",
        "The name of an environment variable, or the path of a file. The token itself never stands in the config.",
        "SLACK_BOT_TOKEN",
    );
    let bot = asker.ask(&bot, whence)?;
    let app = question(
        "Where is the app-level token (xapp-…)?",
        "With it jitbot opens a socket to Slack, so no port is open to the internet.",
        "SLACK_APP_TOKEN",
    );
    let app = asker.ask(&app, whence)?;
    Ok(Tokens { bot, app })
}

/// Asks for the workspace's id, where Slack could not be asked.
///
/// # Errors
/// [`Stopped`] when no answer comes any more.
pub fn team<R: BufRead, W: Write>(asker: &mut Asker<R, W>) -> Result<Workspace, Stopped> {
    let team = question(
        "What is the workspace's id?",
        "It stands in the address when Slack is open in a browser: app.slack.com/client/T0123456.",
        None,
    );
    let team = asker.ask(&team, |typed| {
        if is_id(typed, &['T', 'E']) {
            Ok(typed.to_owned())
        } else {
            Err("That is none: it begins with T or E, like T0123456.".to_owned())
        }
    })?;
    Ok(Workspace::Unknown { team })
}

/// Asks for people until these are the ones that are meant: a handle may be another's than it seems.
fn people<R: BufRead, W: Write>(
    asker: &mut Asker<R, W>,
    workspace: &Workspace,
    what: &str,
    fit: impl Fn(&[Person]) -> Result<(), String>,
) -> Result<Vec<Person>, Stopped> {
    loop {
        let who = question(what, workspace.how_to_name(), None);
        let people = asker.ask(&who, |typed| {
            let people = workspace.people(typed)?;
            fit(&people).map(|()| people)
        })?;
        let shown: Vec<String> = people
            .iter()
            .filter_map(|one| workspace.shown(one))
            .collect();
        if shown.is_empty() {
            return Ok(people);
        }
        for line in shown {
            asker.say(&format!("  {line}"))?;
        }
        let why = "Handle, id and full name, as Slack has them.";
        if asker.agree("Are these the ones that you mean?", why, true)? {
            return Ok(people);
        }
    }
}

/// Asks for everything else.
///
/// # Errors
/// [`Stopped`] when no answer comes any more.
pub fn rest<R: BufRead, W: Write>(
    asker: &mut Asker<R, W>,
    tokens: Tokens,
    workspace: &Workspace,
    api_url: bool,
) -> Result<Agreed, Stopped> {
    let channel = |asker: &mut Asker<R, W>, what, why, default: &'static str| {
        asker.ask(&question(what, why, default), |typed| {
            workspace.channel(typed)
        })
    };
    let security = people(
        asker,
        workspace,
        "Who is security? They read the record and may take any access away.",
        |_| Ok(()),
    )?;
    let security_channel = channel(
        asker,
        "In which channel does security read?",
        "What can't be taken away, changes of the policy and the digest go there.",
        "#security",
    )?;
    let digest = question(
        "At which time of day do they get the digest?",
        "Every day, also when nothing happened.",
        "09:00",
    );
    let digest = asker.ask(&digest, time_of_day)?;
    let near = security.iter().find_map(|one| one.zone.clone());
    let zone = Question {
        what: "In which time zone?",
        why: "As the IANA names it.",
        default: Some(near.unwrap_or_else(|| "Etc/UTC".to_owned())),
    };
    let zone = asker.ask(&zone, time_zone)?;

    let hosts = question(
        "Which hosts come first? Name the group.",
        "It names the issuer and what people ask for: staging makes staging-ssh.",
        "staging",
    );
    let hosts = asker.ask(&hosts, host_group)?;
    let principals = question(
        "Who is one there?",
        "The principals of the certificates, as sshd knows them, parted by commas: often a user's name.",
        "deploy",
    );
    let principals = asker.ask(&principals, principals_of)?;
    let risk = question(
        "How risky is that?",
        "low, medium, high or critical. Rules may approve without people for low and medium only.",
        "medium",
    );
    let risk = asker.ask(&risk, |typed| {
        let known = ["low", "medium", "high", "critical"].contains(&typed);
        known
            .then(|| typed.to_owned())
            .ok_or_else(|| "One of low, medium, high, critical.".to_owned())
    })?;
    let requesters = people(asker, workspace, "Who may ask for it?", |_| Ok(()))?;
    let approvers = people(
        asker,
        workspace,
        "Who approves it? Nobody approves what they asked for.",
        |approvers| {
            let alone = |one: &&Person| approvers.iter().all(|other| other.id == one.id);
            match requesters.iter().find(alone) {
                Some(one) => Err(format!(
                    "Then nobody could approve what {} asks for: name one more.",
                    one.name
                )),
                None => Ok(()),
            }
        },
    )?;
    let approvals = channel(
        asker,
        "In which channel are requests shown to them?",
        "Each request is a card with two buttons there.",
        "#approvals",
    )?;
    let default = question(
        "How long, when nobody says?",
        "Like 45m, 1h or 1h30m.",
        "1h",
    );
    let default = asker.ask(&default, seconds)?;
    let max = question("How long at most?", "Longer is refused.", "8h");
    let max = asker.ask(&max, |typed| {
        let (text, s) = seconds(typed)?;
        if s < default.1 {
            return Err(format!("That is less than {}.", default.0));
        }
        if s <= 600 {
            return Err(
                "More than 10m, please: people are reminded ten minutes before the end.".to_owned(),
            );
        }
        Ok(text)
    })?;

    let mut named: Vec<Person> = Vec::new();
    for person in security.iter().chain(&requesters).chain(&approvers) {
        if !named.iter().any(|one| one.id == person.id) {
            named.push(person.clone());
        }
    }
    unique(&mut named);
    for requester in &requesters {
        let Some(person) = named.iter_mut().find(|one| one.id == requester.id) else {
            continue;
        };
        let what = format!("What is {}'s public SSH key?", person.name);
        let key = question(
            &what,
            "The line, or the path of the .pub file. Certificates are made for it; `none` to add it later.",
            "none",
        );
        person.key = asker.ask(&key, public_key)?;
    }

    let key_default = format!("/etc/jitbot/{hosts}-ca");
    let ca_key = question(
        "Where is the CA's private key?",
        "It signs the certificates; whoever has it can log in to these hosts. An absolute path.",
        key_default.as_str(),
    );
    let ca_key = asker.ask(&ca_key, absolute)?;
    let make_key = !Path::new(&ca_key).exists()
        && asker.agree(
            "There is none yet. Shall it be made?",
            "Ed25519, readable by its owner alone, with its public half beside it.",
            true,
        )?;
    let krl_default = format!("/etc/ssh/jitbot-{hosts}.krl");
    let krl = question(
        "Where does sshd read which certificates ended early?",
        "A file on this machine that jitbot writes (RevokedKeys); `none` if jitbot runs elsewhere: push and fetch are in docs/CONFIG.md.",
        krl_default.as_str(),
    );
    let krl = asker.ask(&krl, |typed| match typed {
        "none" => Ok(None),
        path => absolute(path).map(Some),
    })?;
    let database = question(
        "Where is everything kept?",
        "The path of the database; a relative one is from where jitbot is started.",
        "jitbot.db",
    );
    let database = asker.ask(&database, |typed| {
        let wrong = typed.contains(['?', '#', '\0']) || typed.contains(":memory:");
        if wrong {
            return Err("A path of a file alone, please.".to_owned());
        }
        Ok(typed.trim_start_matches("sqlite://").to_owned())
    })?;

    let mut invite: Vec<Channel> = Vec::new();
    for one in [&security_channel, &approvals] {
        if workspace.lacks_bot(one) && !invite.contains(one) {
            invite.push(one.clone());
        }
    }
    let names = |people: &[Person]| -> Vec<String> {
        let name = |person: &Person| named.iter().find(|one| one.id == person.id);
        let found = people.iter().filter_map(name);
        found.map(|one| one.name.clone()).collect()
    };
    Ok(Agreed {
        make_key,
        invite,
        answers: Answers {
            bot_token: tokens.bot,
            app_token: tokens.app,
            api_url,
            team: workspace.team().to_owned(),
            database,
            security_channel,
            security: names(&security),
            digest,
            zone,
            hosts,
            principals,
            risk,
            requesters: names(&requesters),
            approvers: names(&approvers),
            approvals,
            durations: (default.0, max),
            ca_key,
            krl,
            people: named,
        },
    })
}
