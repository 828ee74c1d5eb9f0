//! The tokens for Slack, and their exchange while the bot runs.

use std::sync::Arc;

use arc_swap::ArcSwap;
use secrecy::{ExposeSecret as _, SecretString};

use crate::chat::slack::client::BotToken;
use crate::chat::slack::me::Me;
use crate::chat::slack::send::SlackOutbox;
use crate::chat::slack::socket_mode::{Listener, Reopened};
use crate::config::Config;

/// What the bot speaks to Slack with.
pub(super) struct Tokens {
    pub(super) bot: SecretString,
    pub(super) app: SecretString,
}

/// Those in use, seen by all who use them.
pub(super) type InUse = Arc<ArcSwap<Tokens>>;

impl Tokens {
    /// Reads them from where the config says.
    ///
    /// # Errors
    /// What can't be read, one line each.
    pub(super) fn read(config: &Config) -> Result<Self, Vec<String>> {
        let slack = &config.slack;
        let read = |key: &str, source: &crate::config::SecretSource| {
            let problem = |error: &dyn ToString| config.problem(key, error.to_string(), "");
            source.read().map_err(|error| problem(&error).to_string())
        };
        let bot = read("slack.bot_token", &slack.bot_token);
        let app = read("slack.app_token", &slack.app_token);
        match (bot, app) {
            (Ok(bot), Ok(app)) => Ok(Self { bot, app }),
            (bot, app) => Err([bot.err(), app.err()].into_iter().flatten().collect()),
        }
    }
}

/// What is needed for an exchange.
pub(super) struct Exchanger {
    pub(super) in_use: InUse,
    /// What calls of the Web API go out with.
    pub(super) calls: BotToken,
}

/// Other tokens, tried and in use, but not for good yet.
pub(super) struct Trial {
    next: Arc<Tokens>,
    bot: bool,
    reopened: Option<Reopened>,
}

impl Exchanger {
    /// Tries tokens that differ from those in use: calls go out with the bot's from here on, and
    /// sockets are open with the app's beside the others.
    ///
    /// # Errors
    /// What is wrong with them, one line each; those in use stay then.
    pub(super) async fn try_out(
        &self,
        config: &Config,
        outbox: &SlackOutbox,
        listener: &Listener,
        me: &Me,
    ) -> Result<Trial, Vec<String>> {
        let (now, next) = (self.in_use.load_full(), Tokens::read(config)?);
        let bot = next.bot.expose_secret() != now.bot.expose_secret();
        if bot {
            let wrong = |what: String, hint: &str| {
                vec![config.problem("slack.bot_token", what, hint).to_string()]
            };
            match outbox.who_has(&next.bot).await {
                Ok(who) if who.is(me) => {}
                Ok(_) => {
                    return Err(wrong(
                        "is for another bot than the one that runs".to_owned(),
                        "A token of the same app in the same workspace is taken up; another bot needs a restart.",
                    ));
                }
                Err(failure) => return Err(wrong(format!("can't be used: {failure}"), "")),
            }
        }
        let mut reopened = None;
        if next.app.expose_secret() != now.app.expose_secret() {
            let wrong = |what: String| {
                let what = format!("can't be used: {what}");
                vec![config.problem("slack.app_token", what, "").to_string()]
            };
            let taken = outbox.check_app_token(&next.app).await;
            taken.map_err(|failure| wrong(failure.to_string()))?;
            let opened = listener.reopen(&next.app).await;
            reopened = Some(opened.map_err(|error| wrong(error.to_string()))?);
        }
        if bot {
            self.calls.exchange(&next.bot);
        }
        Ok(Trial {
            next: Arc::new(next),
            bot,
            reopened,
        })
    }

    /// They are in use from here on, and the others no more.
    pub(super) async fn settle(&self, trial: Trial, listener: &Listener) {
        self.in_use.store(trial.next);
        if trial.bot {
            tracing::info!("Slack is called with another bot token from here on");
        }
        if let Some(reopened) = trial.reopened {
            listener.settle_on(reopened).await;
            tracing::info!("the sockets to Slack were opened with another app token");
        }
    }

    /// Those that were in use stay.
    pub(super) async fn undo(&self, trial: Trial, listener: &Listener) {
        self.calls.exchange(&self.in_use.load().bot);
        if let Some(reopened) = trial.reopened {
            listener.give_up(reopened).await;
        }
    }
}
