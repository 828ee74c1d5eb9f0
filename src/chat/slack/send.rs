//! Out to Slack: cards, letters, private answers.

use std::collections::HashMap;
use std::time::Duration;

use async_trait::async_trait;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio::sync::{Mutex, OnceCell};

use super::client::{Api, SetupError, SlackSettings};
use super::failure::{Failure, Kind};
use super::history::History;
use super::me::{self, Me};
use super::render::{self, CARD_EVENT, COPY_EVENT, Drawn, Names};
use crate::chat::card::{Card, Letter};
use crate::chat::port::{Outbox, PostError};
use crate::chat::{text::Message, wording};
use crate::domain::answer::Home;
use crate::domain::command::MessageRef;
use crate::domain::ids::{AccountId, Place, RequestId};

/// Messages that are looked through for a lost card, newest first.
const HISTORY_MAX: u32 = 100;
/// Names and conversations that are remembered; beyond, they are asked for again.
pub(super) const REMEMBERED_MAX: usize = 10_000;

/// Posts to Slack.
pub struct SlackOutbox {
    pub(super) api: Api,
    me: OnceCell<Me>,
    conversations: Mutex<HashMap<AccountId, String>>,
    pub(super) names: Mutex<Names>,
    /// How long each part of a look at many people may take.
    pub(super) patience: Duration,
}

#[derive(Deserialize)]
struct Posted {
    channel: String,
    ts: String,
}

#[derive(Deserialize)]
pub(super) struct Done {}

impl SlackOutbox {
    /// A connection with these settings. Nothing is called yet: Slack may be away when we start.
    ///
    /// # Errors
    /// [`SetupError`] when the settings can't work.
    pub fn connect(settings: &SlackSettings) -> Result<Self, SetupError> {
        Ok(Self {
            api: Api::new(settings)?,
            me: OnceCell::new(),
            conversations: Mutex::default(),
            names: Mutex::default(),
            patience: super::accounts::PATIENCE,
        })
    }

    /// Who we are; asked once.
    ///
    /// # Errors
    /// [`Failure`] when Slack does not say.
    pub async fn whoami(&self) -> Result<&Me, Failure> {
        self.me.get_or_try_init(|| me::ask(&self.api)).await
    }

    /// Who another bot token is for.
    ///
    /// # Errors
    /// [`Failure`] when Slack does not take it, or does not say.
    pub async fn who_has(&self, bot_token: &SecretString) -> Result<Me, Failure> {
        me::ask(&self.api.with_token(bot_token)).await
    }

    /// Asks whether sockets can be opened with this token. Without this a wrong one would show only as
    /// silence.
    ///
    /// # Errors
    /// [`Failure`] when Slack does not take it, or can't be asked.
    pub async fn check_app_token(&self, app_token: &SecretString) -> Result<(), Failure> {
        #[derive(Deserialize)]
        struct Opened {}
        let Opened {} = self
            .api
            .with_token(app_token)
            .call("apps.connections.open", &json!({}))
            .await?;
        Ok(())
    }

    async fn draw_card(&self, card: &Card) -> Drawn {
        // Everybody but a requester who is mentioned is named quietly, so these are the names needed.
        let mut people = vec![card.requester.clone()];
        people.extend(card.beneficiary.clone());
        people.extend(card.decisions.iter().filter_map(|one| one.by.clone()));
        people.extend(card.grant.as_ref().and_then(|grant| grant.by.clone()));
        render::card(card, &self.names_of(people).await)
    }

    async fn draw(&self, message: &Message) -> Drawn {
        let names = self.names_of(message.quiet_people()).await;
        render::message(message, render::Readers::Many(&names))
    }

    async fn post(
        &self,
        channel: &str,
        drawn: &Drawn,
        metadata: Option<Value>,
        thread: Option<&str>,
    ) -> Result<Posted, Failure> {
        self.api
            .call(
                "chat.postMessage",
                &Post {
                    channel,
                    user: None,
                    ts: None,
                    thread_ts: thread,
                    text: &drawn.text,
                    blocks: &drawn.blocks,
                    metadata,
                    parse: "none",
                    link_names: false,
                    unfurl_links: Some(false),
                    unfurl_media: Some(false),
                },
            )
            .await
    }

    async fn redraw(
        &self,
        on: &MessageRef,
        drawn: &Drawn,
        metadata: Option<Value>,
    ) -> Result<(), PostError> {
        self.api
            .call(
                "chat.update",
                &Post {
                    channel: on.place.member(),
                    user: None,
                    ts: Some(&on.message),
                    thread_ts: None,
                    text: &drawn.text,
                    blocks: &drawn.blocks,
                    metadata,
                    parse: "none",
                    link_names: false,
                    unfurl_links: None,
                    unfurl_media: None,
                },
            )
            .await
            .map(|Done {}| ())
            .map_err(Failure::repeatable)
    }

    /// The conversation with a person.
    async fn conversation(&self, account: &AccountId) -> Result<String, PostError> {
        #[derive(Deserialize)]
        struct Opened {
            channel: Channel,
        }
        #[derive(Deserialize)]
        struct Channel {
            id: String,
        }
        if let Some(id) = self.conversations.lock().await.get(account) {
            return Ok(id.clone());
        }
        // Opening is the same however often it is done.
        let opened: Opened = self
            .api
            .call("conversations.open", &json!({"users": account.member()}))
            .await
            .map_err(Failure::repeatable)?;
        let mut remembered = self.conversations.lock().await;
        if remembered.len() >= REMEMBERED_MAX {
            remembered.clear();
        }
        remembered.insert(account.clone(), opened.channel.id.clone());
        Ok(opened.channel.id)
    }
}

/// What is posted, changed or shown to one person. Nothing in it is parsed for names or links.
#[derive(Serialize)]
struct Post<'a> {
    channel: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    user: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ts: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    thread_ts: Option<&'a str>,
    text: &'a str,
    blocks: &'a [Value],
    #[serde(skip_serializing_if = "Option::is_none")]
    metadata: Option<Value>,
    parse: &'static str,
    link_names: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    unfurl_links: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    unfurl_media: Option<bool>,
}

#[async_trait]
impl Outbox for SlackOutbox {
    fn platform(&self) -> &'static str {
        "slack"
    }

    async fn post_card(&self, place: &Place, card: &Card) -> Result<MessageRef, PostError> {
        let drawn = self.draw_card(card).await;
        let metadata = render::metadata(CARD_EVENT, &card.id, card.version);
        let posted = self
            .post(place.member(), &drawn, Some(metadata), None)
            .await
            .map_err(Failure::once)?;
        Ok(MessageRef {
            // Slack may answer with another id than was asked for, e.g. after a channel moved.
            place: Place::new(format!("slack:{}/{}", place.community(), posted.channel))
                .unwrap_or_else(|_| place.clone()),
            message: posted.ts,
        })
    }

    async fn update_card(&self, on: &MessageRef, card: &Card) -> Result<(), PostError> {
        let drawn = self.draw_card(card).await;
        let metadata = render::metadata(CARD_EVENT, &card.id, card.version);
        self.redraw(on, &drawn, Some(metadata)).await
    }

    /// None also where the app may not read what was posted: the card is made again then.
    async fn find_card(
        &self,
        place: &Place,
        request: &RequestId,
    ) -> Result<Option<MessageRef>, PostError> {
        let me = self.whoami().await.map_err(Failure::repeatable)?;
        let arguments = json!({
            "channel": place.member(),
            "include_all_metadata": true,
            "limit": HISTORY_MAX,
        });
        let history: History = match self.api.call("conversations.history", &arguments).await {
            Ok(history) => history,
            Err(failure) if failure.is_one_of(&["missing_scope", "not_in_channel"]) => {
                tracing::warn!(place = %place, %failure, "a lost card can't be looked for");
                return Ok(None);
            }
            Err(failure) => return Err(failure.repeatable()),
        };
        Ok(history.card_of(request, me).map(|message| MessageRef {
            place: place.clone(),
            message,
        }))
    }

    async fn strike_copy(
        &self,
        copy: &MessageRef,
        request: &RequestId,
        real: Option<&MessageRef>,
    ) -> Result<(), PostError> {
        let mut message = wording::copy_of(request);
        if let Some(real) = real.filter(|real| real.place != copy.place) {
            let pointer = crate::chat::text::Text::of("It stands in ").place(&real.place);
            message = message.with(crate::chat::text::Part::Aside(pointer.plain(".")));
        }
        let drawn = render::message(&message, render::Readers::One);
        let metadata = render::metadata(COPY_EVENT, request, 0);
        self.redraw(copy, &drawn, Some(metadata)).await
    }

    async fn tell(&self, account: &AccountId, letter: &Letter) -> Result<(), PostError> {
        let drawn = self.draw(&wording::letter(letter)).await;
        let channel = self.conversation(account).await?;
        match self.post(&channel, &drawn, None, None).await {
            Ok(_) => Ok(()),
            Err(failure) => {
                let never = matches!(failure.kind, Kind::Never | Kind::NoPlace { .. });
                if never {
                    // It may have been the remembered conversation; the next letter opens it anew.
                    self.conversations.lock().await.remove(account);
                }
                Err(match failure.once() {
                    // Of a conversation with a person nobody is to be told as of a channel.
                    PostError::NoPlace { said, .. } => PostError::Permanent { said },
                    other => other,
                })
            }
        }
    }

    async fn update_letter(&self, on: &MessageRef, letter: &Letter) -> Result<(), PostError> {
        let drawn = self.draw(&wording::letter(letter)).await;
        self.redraw(on, &drawn, None).await
    }

    async fn reply(&self, card: &MessageRef, letter: &Letter) -> Result<(), PostError> {
        let drawn = self.draw(&wording::letter(letter)).await;
        self.post(card.place.member(), &drawn, None, Some(&card.message))
            .await
            .map(|_| ())
            .map_err(Failure::once)
    }

    async fn show_home(&self, account: &AccountId, home: &Home) -> Result<(), PostError> {
        let arguments = json!({"user_id": account.member(), "view": render::home(home)});
        self.api
            .call("views.publish", &arguments)
            .await
            .map(|Done {}| ())
            .map_err(Failure::repeatable)
    }

    async fn answer(
        &self,
        place: &Place,
        account: &AccountId,
        letter: &Letter,
    ) -> Result<(), PostError> {
        // From the Home tab there is no channel: the place is the person.
        if place.member() == account.member() {
            return self.tell(account, letter).await;
        }
        let drawn = render::message(&wording::letter(letter), render::Readers::One);
        let answered: Result<Done, Failure> = self
            .api
            .call(
                "chat.postEphemeral",
                &Post {
                    channel: place.member(),
                    user: Some(account.member()),
                    ts: None,
                    thread_ts: None,
                    text: &drawn.text,
                    blocks: &drawn.blocks,
                    metadata: None,
                    parse: "none",
                    link_names: false,
                    unfurl_links: None,
                    unfurl_media: None,
                },
            )
            .await;
        match answered {
            Ok(Done {}) => Ok(()),
            // We are not there, or the person is not: a place where nothing can be shown to them.
            Err(failure)
                if failure.is_one_of(&[
                    "channel_not_found",
                    "not_in_channel",
                    "user_not_in_channel",
                    "is_archived",
                    "restricted_action",
                    "method_not_supported_for_channel_type",
                ]) =>
            {
                self.tell(account, letter).await
            }
            Err(failure) => Err(failure.once()),
        }
    }

    async fn look_at(&self, place: &Place) -> Result<(), PostError> {
        self.look_at_channel(place).await
    }

    async fn lost_of(&self, places: &[Place]) -> Result<Vec<(Place, String)>, PostError> {
        self.lost_channels(places).await
    }

    async fn announce(&self, place: &Place, letter: &Letter) -> Result<(), PostError> {
        let drawn = self.draw(&wording::letter(letter)).await;
        self.post(place.member(), &drawn, None, None)
            .await
            .map(|_| ())
            .map_err(Failure::once)
    }
}
