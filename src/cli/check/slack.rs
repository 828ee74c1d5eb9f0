//! What Slack's answers mean for a config. Pure: from answers to findings.

use std::collections::BTreeSet;

use super::findings::{Area, Findings};
use crate::app::inspection::AskedSlack;
use crate::chat::slack::channels::{Channel, resolve};
use crate::chat::slack::failure::Failure;
use crate::chat::slack::survey::Survey;
use crate::chat::slack::usergroups::resolve as resolve_usergroup;
use crate::config::{Beyond, Config};
use crate::domain::directory::AccountStatus;
use crate::domain::ids::AccountId;

const BOT_TOKEN: &str = "slack.bot_token";
const APP_TOKEN: &str = "slack.app_token";

/// Says everything that is missing at Slack. `wanted` are the scopes that the app needs.
pub fn judge(
    config: &Config,
    asked: &AskedSlack,
    wanted: &BTreeSet<String>,
    findings: &mut Findings,
) {
    match asked {
        AskedSlack::NoToken(problems) => {
            for problem in problems {
                findings.problem(Area::Slack, problem.clone());
            }
        }
        AskedSlack::Refused(failure) if failure.is_silence() => {
            let at = match &config.slack.api_url {
                Some(url) => format!(" at {url}"),
                None => String::new(),
            };
            findings.not_asked(
                Area::Slack,
                format!(
                    "{failure}{at}. Nothing that needs Slack was checked. Try again, or check the rest with --offline."
                ),
            );
        }
        AskedSlack::Refused(failure) => findings.problem(
            Area::Slack,
            config.problem(
                BOT_TOKEN,
                format!("Slack does not take this token: {failure}"),
                "Install the app, and copy the Bot User OAuth Token (xoxb-…) from its page, OAuth & Permissions.",
            ),
        ),
        AskedSlack::Said(survey) => said(config, survey, wanted, findings),
    }
}

fn said(config: &Config, survey: &Survey, wanted: &BTreeSet<String>, findings: &mut Findings) {
    app_token(config, survey, findings);
    apps(config, survey, findings);
    scopes(config, survey, wanted, findings);
    let ours = format!("slack:{}", survey.identity.team_id);
    let named = config.communities();
    if !named.is_empty() && !named.contains(&ours) {
        let named: Vec<String> = named.into_iter().collect();
        findings.problem(
            Area::Slack,
            config.problem(
                BOT_TOKEN,
                format!(
                    "this token belongs to workspace {ours} ({}), but the config's accounts are of {}",
                    survey.identity.team,
                    named.join(", ")
                ),
                "Use that workspace's token, or correct the accounts.",
            ),
        );
        // Their ids mean nothing here.
        return;
    }
    places(config, survey, findings);
    let mut beyond = Beyond::default();
    people(config, survey, &mut beyond, findings);
    usergroups(config, survey, &mut beyond, findings);
    reach(config, &beyond, findings);
}

fn app_token(config: &Config, survey: &Survey, findings: &mut Findings) {
    match &survey.app_token {
        Ok(()) => {}
        Err(failure) if failure.is_silence() => silent(failure, findings),
        Err(failure) => findings.problem(
            Area::Slack,
            config.problem(
                APP_TOKEN,
                format!("Slack opens no socket with this token: {failure}"),
                "Make one (xapp-…) at the app's page, Basic Information, App-Level Tokens, with the scope connections:write, and switch Socket Mode on.",
            ),
        ),
    }
}

/// With tokens of two apps nothing that people do would come to the bot.
fn apps(config: &Config, survey: &Survey, findings: &mut Findings) {
    let apps = &survey.apps;
    match (&apps.of_bot, &apps.of_app_token) {
        (Some(Ok(bot)), Some(app)) if bot != app => findings.problem(
            Area::Slack,
            config.problem(
                APP_TOKEN,
                format!("this token is of Slack app {app}, and the bot token of {bot}"),
                "Take both from the page of one app.",
            ),
        ),
        (Some(Err(failure)), _) => silent(failure, findings),
        _ => {}
    }
}

fn scopes(config: &Config, survey: &Survey, wanted: &BTreeSet<String>, findings: &mut Findings) {
    let has = match &survey.scopes {
        Ok(Some(has)) => has,
        Ok(None) => {
            findings.warning(
                Area::Slack,
                config.problem(
                    BOT_TOKEN,
                    "Slack does not say what this token may do",
                    "Something between here and Slack may take its headers off; compare the app's scopes with manifests/slack.yaml yourself.",
                ),
            );
            return;
        }
        Err(failure) => return silent(failure, findings),
    };
    let missing: Vec<&str> = wanted.difference(has).map(String::as_str).collect();
    if !missing.is_empty() {
        findings.problem(
            Area::Slack,
            config.problem(
                BOT_TOKEN,
                format!("the app may not do all that jitbot needs; it lacks {}", missing.join(", ")),
                "Add that at the app's page, OAuth & Permissions, as manifests/slack.yaml has it, and install the app again.",
            ),
        );
    }
}

/// Slack said nothing to a question. What it refused for want of a scope is told with the scopes.
fn silent(failure: &Failure, findings: &mut Findings) {
    if failure.is_silence() {
        let why = format!("{failure}. What depends on it was not checked. Try again.");
        findings.not_asked(Area::Slack, why);
    }
}

fn places(config: &Config, survey: &Survey, findings: &mut Findings) {
    let mut channels: Vec<Channel> = Vec::new();
    let mut unknown = false;
    for listed in &survey.channels {
        match listed {
            Ok(some) => channels.extend(some.iter().cloned()),
            Err(failure) => {
                unknown = true;
                silent(failure, findings);
            }
        }
    }
    for (key, name) in config.places_named() {
        let Err(bad) = resolve(&name, &survey.identity.team_id, &channels) else {
            continue;
        };
        let (what, hint) = bad.said.split_once(". ").unwrap_or((&bad.said, ""));
        // Where not all were listed, it may be among the others.
        if unknown && what.contains("matches no channel") {
            continue;
        }
        let what = format!("the channel {}", what.trim_end_matches('.'));
        findings.problem(Area::Slack, config.problem(&key, what, hint));
    }
}

/// Why an account can't act, and what to do.
fn cannot_act(status: AccountStatus) -> Option<(&'static str, &'static str)> {
    match status {
        AccountStatus::Member => None,
        AccountStatus::NotFound => Some((
            "is nobody in this workspace",
            "Copy the member ID from the person's profile, or take the account out.",
        )),
        AccountStatus::Deactivated => Some((
            "is deactivated",
            "Take the account out, and name somebody in their place.",
        )),
        AccountStatus::Bot => Some(("is a bot, which presses no button", "Name a person.")),
        AccountStatus::Guest => Some((
            "is a guest, and guests may neither ask nor decide",
            "Make them a full member, or name somebody else.",
        )),
        AccountStatus::External => Some((
            "is of another workspace, and may neither ask nor decide here",
            "Name their account in this workspace, if they have one.",
        )),
    }
}

fn people(config: &Config, survey: &Survey, beyond: &mut Beyond, findings: &mut Findings) {
    for (account, key) in &config.accounts_named() {
        let known = match survey.people.get(account.member()) {
            Some(Ok(known)) => known,
            Some(Err(failure)) => {
                silent(failure, findings);
                continue;
            }
            None => continue,
        };
        let Some((what, hint)) = cannot_act(known.status) else {
            continue;
        };
        beyond.away.insert(account.clone());
        let who = match &known.name {
            Some(name) => format!("{account} ({name})"),
            None => account.to_string(),
        };
        let problem = config.problem(key, format!("{who} {what}"), hint);
        if known.status == AccountStatus::NotFound {
            findings.problem(Area::Slack, problem);
        } else {
            findings.warning(Area::Slack, problem);
        }
    }
}

fn usergroups(config: &Config, survey: &Survey, beyond: &mut Beyond, findings: &mut Findings) {
    let listed = match &survey.usergroups {
        None => return,
        Some(Err(failure)) => return silent(failure, findings),
        Some(Ok(listed)) => listed,
    };
    let team = &survey.identity.team_id;
    for (group, handle) in config.usergroups_named() {
        let key = format!("group.{group}.slack_usergroup");
        let id = match resolve_usergroup(&handle, team, listed) {
            Ok(id) => id,
            Err(bad) => {
                let (what, hint) = bad.0.split_once(". ").unwrap_or((&bad.0, ""));
                let what = format!("the user group {}", what.trim_end_matches('.'));
                findings.problem(Area::Slack, config.problem(&key, what, hint));
                // What it gives is nothing, whatever else is known.
                beyond.members.insert(group, BTreeSet::new());
                continue;
            }
        };
        let found = listed.iter().find(|one| one.id == id.member());
        let Some(users) = found.and_then(|one| one.users.as_ref()) else {
            continue;
        };
        if users.is_empty() {
            findings.warning(
                Area::Slack,
                config.problem(
                    &key,
                    format!("the user group `{handle}` has nobody in it"),
                    "Whatever names this group means nobody by it.",
                ),
            );
        }
        let members = users
            .iter()
            .filter_map(|user| AccountId::new(format!("slack:{team}/{user}")).ok());
        beyond.members.insert(group, members.collect());
    }
}

/// What those who can't act, and those of user groups, leave of each rule.
fn reach(config: &Config, beyond: &Beyond, findings: &mut Findings) {
    if !config.has_security(beyond) {
        findings.problem(
            Area::Slack,
            config.problem(
                "security.people",
                "nobody of security can act",
                "Name somebody who is active: they are told when an access can't be taken away.",
            ),
        );
    }
    for name in config.resources.keys() {
        let Some(now) = config.approvers(name, beyond) else {
            continue;
        };
        // What the file alone shows was said with the file.
        if config.approvers(name, &Beyond::default()).as_ref() == Some(&now) {
            continue;
        }
        let key = format!("resource.{name}.approve[0].from");
        if now.there < now.needed {
            let people = match now.needed {
                1 => "1 person".to_owned(),
                more => format!("{more} people"),
            };
            let what = format!(
                "nothing can be approved: {people} must approve, and {} of those named can",
                now.there
            );
            findings.problem(
                Area::Slack,
                config.problem(&key, what, "Name people who are active."),
            );
        } else if !now.alone.is_empty() {
            let what = format!(
                "of those who can act, too few others can approve what is asked for by {}",
                now.alone.join(", ")
            );
            findings.warning(
                Area::Slack,
                config.problem(
                    &key,
                    what,
                    "Nobody approves what they asked for: name more people.",
                ),
            );
        }
    }
}
