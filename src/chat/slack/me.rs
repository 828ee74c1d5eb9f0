//! The bot's own identity.

use serde::Deserialize;
use serde_json::json;

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
    Ok(Me {
        team_id: one.team_id,
        bot_user_id: one.user_id,
        bot_id: one.bot_id,
    })
}
