//! What Slack says of what a config names. Only asks: nothing is changed by it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures_util::{StreamExt as _, stream};
use secrecy::SecretString;
use serde::Deserialize;
use serde_json::json;

use super::accounts::{Info, User};
use super::app_id;
use super::channels::{BOTH, Channel, listed};
use super::client::{Api, SetupError, SlackSettings, scopes_of};
use super::failure::Failure;
use super::usergroups::{self, UserGroup};
use crate::domain::directory::AccountStatus;

/// Time limit of one call: people wait for the answer.
const CALL_LIMIT: Duration = Duration::from_secs(4);
/// What tells which channels there are.
const LIST: &str = "conversations.list";
/// Pages of people that are listed at most: Slack allows some twenty a minute.
const MEMBER_PAGES_MAX: usize = 20;
/// People who are asked for at once.
const AT_ONCE: usize = 8;

/// A person as Slack knows them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Known {
    /// What their account is.
    pub status: AccountStatus,
    /// Their handle.
    pub name: Option<String>,
}

/// Who the bot token is for.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Identity {
    /// The workspace's id.
    pub team_id: String,
    /// Its name.
    #[serde(default)]
    pub team: String,
    /// The bot's name.
    #[serde(default)]
    pub user: String,
    /// The bot, as its messages name it.
    #[serde(default)]
    pub bot_id: Option<String>,
}

/// Of which apps the tokens are.
#[derive(Debug)]
pub struct Apps {
    /// The bot token's; none where it is no bot's.
    pub of_bot: Option<Result<String, Failure>>,
    /// The one that the app token names; none where it names none.
    pub of_app_token: Option<String>,
}

/// What Slack says to the one who holds the tokens.
#[derive(Debug)]
pub struct Survey {
    /// Who the bot token is for.
    pub identity: Identity,
    /// What it may do; none where Slack does not say.
    pub scopes: Result<Option<BTreeSet<String>>, Failure>,
    /// Whether a socket can be opened with the app token.
    pub app_token: Result<(), Failure>,
    /// Of which apps the tokens are.
    pub apps: Apps,
    /// Public channels, and private ones that the bot is in.
    pub channels: [Result<Vec<Channel>, Failure>; 2],
    /// User groups with who is in them; none where none was asked for.
    pub usergroups: Option<Result<Vec<UserGroup>, Failure>>,
    /// People by their ids.
    pub people: BTreeMap<String, Result<Known, Failure>>,
}

/// Asks Slack who we are, what we may do, and what there is of these people (by their ids), and of user
/// groups if they matter. Everything at once after the first answer: a Slack that is slow is told within two time limits.
///
/// # Errors
/// [`Failure`] when Slack does not say who the bot token is for; then nothing else is asked.
pub async fn survey(
    settings: &SlackSettings,
    app_token: &SecretString,
    people: &BTreeSet<String>,
    with_usergroups: bool,
) -> Result<Survey, Failure> {
    let unusable = |error: SetupError| Failure::never(error.to_string());
    let api = Api::new(settings).map_err(unusable)?.within(CALL_LIMIT);
    let identity: Identity = api.call("auth.test", &json!({})).await?;
    let usergroups = async {
        match with_usergroups {
            true => Some(usergroups::all(&api, true).await),
            false => None,
        }
    };
    let of_app_token = app_id::written_in(app_token);
    let of_bot = async {
        match &identity.bot_id {
            Some(bot) => Some(app_id::of_bot(&api, bot).await),
            None => None,
        }
    };
    let (scopes, app_token, of_bot, public, private, usergroups, people) = tokio::join!(
        within_limit(scopes_of(settings)),
        opens_sockets(&api, app_token),
        of_bot,
        listed(&api, LIST, "public_channel", false),
        listed(&api, LIST, "private_channel", false),
        usergroups,
        known(&api, &identity.team_id, people),
    );
    Ok(Survey {
        identity,
        scopes,
        app_token,
        apps: Apps {
            of_bot,
            of_app_token,
        },
        channels: [public, private],
        usergroups,
        people,
    })
}

async fn within_limit<T>(call: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    tokio::time::timeout(CALL_LIMIT, call)
        .await
        .unwrap_or_else(|_| Err(Failure::timed_out("auth.test", CALL_LIMIT)))
}

async fn opens_sockets(api: &Api, app_token: &SecretString) -> Result<(), Failure> {
    #[derive(Deserialize)]
    struct Opened {}
    let Opened {} = api
        .with_token(app_token)
        .call("apps.connections.open", &json!({}))
        .await?;
    Ok(())
}

async fn known(
    api: &Api,
    team: &str,
    people: &BTreeSet<String>,
) -> BTreeMap<String, Result<Known, Failure>> {
    // Once Slack did not answer for one of them, it is not waited for again.
    let silent = &AtomicBool::new(false);
    stream::iter(people)
        .map(|id| async move {
            if silent.load(Ordering::Relaxed) {
                return (id.clone(), Err(Failure::never("users.info: not asked")));
            }
            let known = one(api, team, id).await;
            if known.as_ref().is_err_and(Failure::is_silence) {
                silent.store(true, Ordering::Relaxed);
            }
            (id.clone(), known)
        })
        .buffer_unordered(AT_ONCE)
        .collect()
        .await
}

async fn one(api: &Api, team: &str, id: &str) -> Result<Known, Failure> {
    match api.call::<Info>("users.info", &json!({"user": id})).await {
        Ok(info) => Ok(Known {
            status: info.user.status(team),
            name: info.user.name,
        }),
        Err(failure)
            if failure.is_one_of(&["user_not_found", "users_not_found", "user_not_visible"]) =>
        {
            Ok(Known {
                status: AccountStatus::NotFound,
                name: None,
            })
        }
        Err(failure) => Err(failure),
    }
}

/// What there is to choose from in a workspace.
#[derive(Debug)]
pub struct Listing {
    /// Who the bot token is for.
    pub identity: Identity,
    /// Channels that are not archived.
    pub channels: Vec<Channel>,
    /// People who may act, by their ids: guests, bots and deactivated accounts may not.
    pub people: BTreeMap<String, Member>,
}

/// A person to choose: a full member of the workspace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// `U…`
    pub id: String,
    /// Their handle.
    pub name: String,
    /// Their full name, which they set themselves.
    pub real_name: String,
    /// Their time zone.
    pub zone: Option<chrono_tz::Tz>,
}

/// Asks who we are, and for the channels and people to choose from.
///
/// # Errors
/// [`Failure`] when Slack does not say.
pub async fn listing(settings: &SlackSettings) -> Result<Listing, Failure> {
    let unusable = |error: SetupError| Failure::never(error.to_string());
    let api = Api::new(settings).map_err(unusable)?.within(CALL_LIMIT);
    let identity: Identity = api.call("auth.test", &json!({})).await?;
    let (channels, people) = tokio::try_join!(
        listed(&api, LIST, BOTH, true),
        members(&api, &identity.team_id),
    )?;
    Ok(Listing {
        identity,
        channels,
        people,
    })
}

async fn members(api: &Api, team: &str) -> Result<BTreeMap<String, Member>, Failure> {
    #[derive(Deserialize)]
    struct Listed {
        #[serde(flatten)]
        user: User,
        #[serde(default)]
        real_name: String,
    }
    #[derive(Deserialize)]
    struct Page {
        #[serde(default)]
        members: Vec<Listed>,
        response_metadata: Option<Cursor>,
    }
    #[derive(Deserialize)]
    struct Cursor {
        #[serde(default)]
        next_cursor: String,
    }
    let mut all = BTreeMap::new();
    let mut cursor = String::new();
    for _ in 0..MEMBER_PAGES_MAX {
        let arguments = json!({"limit": 200, "cursor": cursor});
        let page: Page = api.call("users.list", &arguments).await?;
        for Listed { user, real_name } in page.members {
            let seen = user.seen(team);
            if seen.status.may_act() {
                let member = Member {
                    name: user.name.unwrap_or_default(),
                    real_name,
                    zone: seen.time_zone,
                    id: user.id,
                };
                all.insert(member.id.clone(), member);
            }
        }
        cursor = page
            .response_metadata
            .map(|metadata| metadata.next_cursor)
            .unwrap_or_default();
        if cursor.is_empty() {
            break;
        }
    }
    Ok(all)
}
