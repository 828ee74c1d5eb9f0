//! What Slack's answers mean for a config. Pure: from answers to findings.

use std::collections::BTreeSet;

use super::findings::{Area, Findings};
use crate::app::inspection::AskedSlack;
use crate::chat::slack::directory::{Channel, resolve};
use crate::chat::slack::failure::Failure;
use crate::chat::slack::survey::{Survey, User};
use crate::config::Config;
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
    scopes(config, survey, wanted, findings);
    let ours = format!("slack:{}", survey.identity.team_id);
    let named = config.communities();
    if !named.contains(&ours) {
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
    people(config, survey, findings);
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

/// Why somebody can't press a button; whether Slack knows nobody of that id.
fn cannot_act(known: Option<&User>, team: &str) -> Option<(&'static str, &'static str)> {
    let Some(user) = known else {
        return Some((
            "is nobody in this workspace",
            "Copy the member ID from the person's profile, or take the account out.",
        ));
    };
    let of_another_team = user.team_id.as_deref().is_some_and(|of| of != team);
    if user.deleted {
        Some((
            "is deactivated",
            "Take the account out, and name somebody in their place.",
        ))
    } else if user.is_bot {
        Some(("is a bot, which presses no button", "Name a person."))
    } else if user.is_stranger || of_another_team {
        Some((
            "is of another workspace",
            "Name their account in this workspace, if they have one.",
        ))
    } else {
        None
    }
}

fn people(config: &Config, survey: &Survey, findings: &mut Findings) {
    let mut away: BTreeSet<AccountId> = BTreeSet::new();
    let named = config.accounts_named();
    for (account, key) in &named {
        let known = match survey.users.get(account.member()) {
            Some(Ok(known)) => known.as_ref(),
            Some(Err(failure)) => {
                silent(failure, findings);
                continue;
            }
            None => continue,
        };
        let who = match known.and_then(|user| user.name.as_deref()) {
            Some(name) => format!("{account} ({name})"),
            None => account.to_string(),
        };
        match (cannot_act(known, &survey.identity.team_id), known) {
            (Some((what, hint)), None) => {
                away.insert(account.clone());
                findings.problem(
                    Area::Slack,
                    config.problem(key, format!("{who} {what}"), hint),
                );
            }
            (Some((what, hint)), Some(_)) => {
                away.insert(account.clone());
                findings.warning(
                    Area::Slack,
                    config.problem(key, format!("{who} {what}"), hint),
                );
            }
            (None, Some(user)) if user.is_restricted || user.is_ultra_restricted => {
                findings.warning(
                    Area::Slack,
                    config.problem(
                        key,
                        format!("{who} is a guest in this workspace"),
                        "Guests count as everybody else where they are named: is that meant?",
                    ),
                );
            }
            (None, _) => {}
        }
    }
    reach(config, &away, findings);
}

/// What those who can't act leave of each rule.
fn reach(config: &Config, away: &BTreeSet<AccountId>, findings: &mut Findings) {
    if !config.has_security(away) {
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
        let (Some(with), Some(without)) = (
            config.approvers(name, &BTreeSet::new()),
            config.approvers(name, away),
        ) else {
            continue;
        };
        if without == with {
            continue;
        }
        let key = format!("resource.{name}.approve[0].from");
        if without.there < without.needed {
            let people = match without.needed {
                1 => "1 person".to_owned(),
                more => format!("{more} people"),
            };
            let what = format!(
                "nothing can be approved: {people} must approve, and {} of those named can",
                without.there
            );
            findings.problem(
                Area::Slack,
                config.problem(&key, what, "Name people who are active."),
            );
        } else if without.alone != with.alone {
            let what = format!(
                "with those who can't act, too few others can approve what is asked for by {}",
                without.alone.join(", ")
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
