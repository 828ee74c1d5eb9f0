//! Which Slack app a token is of. With tokens of two apps the bot would post cards as the one, and hear
//! only what people do with the other.

use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use serde_json::json;

use super::client::Api;
use super::failure::Failure;

/// The app whose bot this is. Slack says it to whoever may read of people.
pub(super) async fn of_bot(api: &Api, bot_id: &str) -> Result<String, Failure> {
    #[derive(Deserialize)]
    struct Info {
        bot: Bot,
    }
    #[derive(Deserialize)]
    struct Bot {
        app_id: String,
    }
    let info: Info = api.call("bots.info", &json!({"bot": bot_id})).await?;
    Ok(info.bot.app_id)
}

/// The app that an app token names in its text. Slack promises nothing of that text, so none is named
/// where it looks otherwise; for certain it is known from a socket's greeting.
pub(super) fn written_in(app_token: &SecretString) -> Option<String> {
    let mut parts = app_token.expose_secret().strip_prefix("xapp-")?.split('-');
    let (_version, app, rest) = (parts.next()?, parts.next()?, parts.next()?);
    let is_id = app.starts_with('A')
        && (8..=16).contains(&app.len())
        && app
            .chars()
            .all(|c| c.is_ascii_uppercase() || c.is_ascii_digit());
    (is_id && !rest.is_empty()).then(|| app.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_app_is_read_only_where_the_token_looks_as_tokens_do() {
        for (token, app) in [
            ("xapp-1-A0SANDBOX-12-ab", Some("A0SANDBOX")),
            ("xapp-1-A0SANDBOX", None),
            ("xapp-1-a0sandbox-12", None),
            ("xapp-0a1b2c", None),
            ("xapp-1-AB-12", None),
            ("xoxb-1-A0SANDBOX-12", None),
        ] {
            let token = SecretString::from(token.to_owned());
            assert_eq!(written_in(&token).as_deref(), app);
        }
    }
}
