//! The bot's own identity.

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
