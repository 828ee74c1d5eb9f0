//! The bot's own identity.

use serde::Deserialize;
use serde_json::json;

use super::app_id;
use super::client::Api;
use super::failure::Failure;

/// Who we are to Slack.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Me {
    /// The workspace.
    pub team_id: String,
    /// The bot's user.
    pub bot_user_id: String,
    /// The bot, as its messages name it.
    pub bot_id: Option<String>,
    /// The app that it is the bot of; none where Slack does not say.
    pub app_id: Option<String>,
}

impl Me {
    /// Whether this is the same bot in the same workspace.
    #[must_use]
    pub fn is(&self, other: &Self) -> bool {
        self.team_id == other.team_id && self.bot_user_id == other.bot_user_id
    }
}

/// Asks who the token is for that calls go out with.
pub(super) async fn ask(api: &Api) -> Result<Me, Failure> {
    #[derive(Deserialize)]
    struct Identity {
        team_id: String,
        user_id: String,
        bot_id: Option<String>,
    }
    let one: Identity = api.call("auth.test", &json!({})).await?;
    let app_id = match &one.bot_id {
        None => None,
        Some(bot) => match app_id::of_bot(api, bot).await {
            Ok(app) => Some(app),
            Err(failure) => {
                tracing::warn!(
                    "Slack does not say which app the bot token is of ({failure}), so an app token of another app would not be noticed"
                );
                None
            }
        },
    };
    Ok(Me {
        team_id: one.team_id,
        bot_user_id: one.user_id,
        bot_id: one.bot_id,
        app_id,
    })
}
