//! slack-morphism over Socket Mode: commands, presses, forms, the Home tab, lost sockets.

#![expect(
    clippy::disallowed_methods,
    reason = "a bot that is too slow has to be slow in real time"
)]

use std::sync::Arc;
use std::time::Duration;

use jitbot::sandbox::people::{Disconnect, Place, Press, Surface};
use slack_morphism::listener::SlackClientEventsListenerEnvironment;
use slack_morphism::prelude::*;
use tokio::sync::mpsc;

use crate::client::{Client, Connector, bot_token, card, client};
use crate::support::{PATIENCE, Stage};

fn form(callback_id: &str) -> SlackView {
    let input = SlackBlockPlainTextInputElement::new()
        .with_action_id("why".into())
        .with_max_length(50);
    let block = SlackInputBlock::new("Why".into(), input.into()).with_block_id("reason".into());
    SlackView::Modal(
        SlackModalView::new("Deny".into(), vec![block.into()])
            .with_callback_id(callback_id.into())
            .with_submit("Deny".into()),
    )
}

/// A bot that answers by what it is asked and reports every interaction and event.
struct Bot {
    listener: SlackClientSocketModeListener<Connector>,
    interactions: mpsc::UnboundedReceiver<SlackInteractionEvent>,
    events: mpsc::UnboundedReceiver<SlackPushEventCallback>,
}

async fn bot(stage: &Stage, sockets: u32) -> Bot {
    let client = client(stage);
    let (heard, interactions) = mpsc::unbounded_channel();
    let (pushed, events) = mpsc::unbounded_channel();
    let token = bot_token(stage);
    let callbacks = SlackSocketModeListenerCallbacks {
        command_callback: Box::new(
            move |event: SlackCommandEvent, client: Arc<Client>, _state| {
                let token = token.clone();
                async move {
                    match event.text.as_deref().unwrap_or_default() {
                        "slow" => tokio::time::sleep(Duration::from_millis(3_300)).await,
                        "form" => {
                            tokio::spawn(async move {
                                let request =
                                    SlackApiViewsOpenRequest::new(event.trigger_id, form("deny"));
                                client
                                    .open_session(&token)
                                    .views_open(&request)
                                    .await
                                    .map(|_| ())
                            });
                            return Ok(SlackCommandEventResponse::new(SlackMessageContent::new()));
                        }
                        _ => {}
                    }
                    let content = SlackMessageContent::new()
                        .with_text("done".into())
                        .with_blocks(card("*done*"));
                    Ok(SlackCommandEventResponse::new(content)
                        .with_response_type(SlackMessageResponseType::Ephemeral))
                }
            },
        ),
        interaction_callback: Box::new(move |event: SlackInteractionEvent, _client, _state| {
            let answer = match &event {
                SlackInteractionEvent::ViewSubmission(submission) => view_answer(submission),
                _ => SlackInteractionResponse::Empty,
            };
            let told = heard.send(event);
            async move {
                told?;
                Ok(answer)
            }
        }),
        push_events_callback: Box::new(move |event: SlackPushEventCallback, _client, _state| {
            let told = pushed.send(event);
            async move { Ok(told?) }
        }),
        ..SlackSocketModeListenerCallbacks::new()
    };
    let environment = Arc::new(SlackClientEventsListenerEnvironment::new(client));
    let config = SlackClientSocketModeConfig::new()
        .with_max_connections_count(sockets)
        .with_initial_backoff_in_seconds(0);
    let listener = SlackClientSocketModeListener::new(&config, environment, callbacks);
    listener
        .listen_for(&SlackApiToken::new(stage.app_token.clone().into()))
        .await
        .expect("a token");
    listener.start().await;
    until_open(stage, sockets as usize).await;
    Bot {
        listener,
        interactions,
        events,
    }
}

async fn until_open(stage: &Stage, sockets: usize) {
    let open = stage.people.wait_for_sockets(sockets, PATIENCE).await;
    assert_eq!(open.expect("a count"), sockets);
}

/// The first reason is refused, the second accepted.
fn view_answer(submission: &SlackInteractionViewSubmissionEvent) -> SlackInteractionResponse {
    let values = submission
        .view
        .state_params
        .state
        .as_ref()
        .map(|state| &state.values);
    let why = values.and_then(|values| {
        values
            .get(&"reason".into())?
            .get(&"why".into())?
            .value
            .clone()
    });
    if why.as_deref() == Some("because") {
        let errors = [("reason".to_owned(), "Say more.".to_owned())].into();
        return SlackViewSubmissionResponse::Errors(SlackViewSubmissionErrorsResponse::new(errors))
            .into();
    }
    SlackViewSubmissionResponse::Clear(SlackViewSubmissionClearResponse::new()).into()
}

async fn next<T>(inbox: &mut mpsc::UnboundedReceiver<T>) -> T {
    tokio::time::timeout(PATIENCE, inbox.recv())
        .await
        .expect("within patience")
        .expect("the bot is there")
}

#[tokio::test]
async fn a_command_is_answered_and_a_slow_one_fails() {
    let stage = Stage::start().await;
    let bot = bot(&stage, 1).await;
    let answer = stage
        .people
        .command("alice", "approvals", "/jit help")
        .await
        .expect("typed");
    assert!(answer.acked, "{answer:?}");
    assert_eq!(
        (answer.text.as_deref(), answer.visible_text.as_str()),
        (Some("done"), "*done*\nApprove")
    );
    let slow = stage
        .people
        .command("alice", "approvals", "/jit slow")
        .await
        .expect("typed");
    assert_eq!(
        (slow.acked, slow.failed.as_deref()),
        (false, Some("operation_timeout"))
    );
    bot.listener.shutdown().await;
}

#[tokio::test]
async fn a_press_carries_the_message_and_its_response_address_works() {
    let stage = Stage::start().await;
    let mut bot = bot(&stage, 2).await;
    let (client, token) = (client(&stage), bot_token(&stage));
    let session = client.open_session(&token);
    let content = SlackMessageContent::new()
        .with_text("asks".into())
        .with_blocks(card("*asks*"));
    let request = SlackApiChatPostMessageRequest::new("C0APPROVE".into(), content);
    let ts = session
        .chat_post_message(&request)
        .await
        .expect("posted")
        .ts
        .to_string();
    let press = stage
        .people
        .press("bob", "approvals", &ts, "approve")
        .await
        .expect("it is there");
    assert!(press.acked, "{press:?}");
    let SlackInteractionEvent::BlockActions(event) = next(&mut bot.interactions).await else {
        panic!("a press was due");
    };
    let action = &event.actions.as_ref().expect("actions")[0];
    assert_eq!(
        (
            action.action_id.to_string().as_str(),
            action.value.as_deref()
        ),
        ("approve", Some("r1"))
    );
    assert!(action.action_ts.is_some() && action.block_id.is_some());
    assert_eq!(
        event.user.as_ref().map(|user| user.id.to_string()),
        Some("U0BOB".to_owned())
    );
    assert_eq!(
        event.channel.as_ref().map(|channel| channel.id.to_string()),
        Some("C0APPROVE".to_owned())
    );
    assert_eq!(
        event
            .message
            .as_ref()
            .map(|message| message.origin.ts.to_string()),
        Some(ts.clone())
    );
    assert!(event.message.as_ref().is_some_and(|message| {
        message
            .content
            .blocks
            .as_ref()
            .is_some_and(|b| b.len() == 2)
    }));
    assert!(matches!(
        event.container,
        SlackInteractionActionContainer::Message(_)
    ));

    let answer = SlackApiPostWebhookMessageRequest::new(
        SlackMessageContent::new().with_text("taken".into()),
    )
    .with_replace_original(true);
    let url = event.response_url.expect("an address");
    client
        .respond_to_event(&url, &answer)
        .await
        .expect("it takes the answer");
    let seen = stage
        .people
        .messages("alice", "approvals")
        .await
        .expect("she sees");
    assert_eq!(seen[0].visible_text, "taken");
    assert!(seen[0].buttons.is_empty());
    bot.listener.shutdown().await;
}

#[tokio::test]
async fn a_form_is_opened_refused_and_taken() {
    let stage = Stage::start().await;
    let mut bot = bot(&stage, 1).await;
    let answer = stage
        .people
        .command("alice", "approvals", "/jit form")
        .await
        .expect("typed");
    assert!(answer.acked && answer.text.is_none());
    let opened = stage
        .people
        .wait_for_view("alice", "Why", PATIENCE)
        .await
        .expect("the form opens");
    assert_eq!(opened.callback_id, "deny");
    let refused = stage
        .people
        .submit_view("alice", &[("reason", "because")])
        .await
        .expect("she can");
    assert_eq!(
        (refused.action.as_deref(), refused.errors["reason"].as_str()),
        (Some("errors"), "Say more.")
    );
    assert!(
        stage.people.views("alice").await.expect("her views")[0]
            .visible_text
            .contains("Say more.")
    );
    let taken = stage
        .people
        .submit_view("alice", &[("why", "the deploy is stuck")])
        .await
        .expect("she can");
    assert_eq!(taken.action.as_deref(), Some("clear"));
    assert!(
        stage
            .people
            .views("alice")
            .await
            .expect("her views")
            .is_empty()
    );
    for _ in 0..2 {
        let SlackInteractionEvent::ViewSubmission(event) = next(&mut bot.interactions).await else {
            panic!("a submission was due");
        };
        let SlackView::Modal(view) = event.view.view else {
            panic!("a modal was due")
        };
        assert_eq!(view.callback_id, Some("deny".into()));
    }
    bot.listener.shutdown().await;
}

#[tokio::test]
async fn the_home_tab_is_opened_published_and_pressed() {
    let stage = Stage::start().await;
    let mut bot = bot(&stage, 1).await;
    assert!(stage.people.open_home("alice").await.expect("there is one"));
    let SlackEventCallbackBody::AppHomeOpened(opened) = next(&mut bot.events).await.event else {
        panic!("app_home_opened was due");
    };
    assert_eq!(
        (opened.user, opened.tab.as_deref()),
        ("U0ALICE".into(), Some("home"))
    );
    let (client, token) = (client(&stage), bot_token(&stage));
    let view = SlackView::Home(SlackHomeView::new(card("your grants")));
    let request = SlackApiViewsPublishRequest::new("U0ALICE".into(), view);
    client
        .open_session(&token)
        .views_publish(&request)
        .await
        .expect("views.publish");
    let press = Press {
        user: "alice".into(),
        surface: Surface::Home,
        action_id: "approve".into(),
        block_id: None,
        option: None,
    };
    assert!(
        stage
            .people
            .press_on(press)
            .await
            .expect("it is there")
            .acked
    );
    let SlackInteractionEvent::BlockActions(event) = next(&mut bot.interactions).await else {
        panic!("a press was due");
    };
    assert!(matches!(
        event.container,
        SlackInteractionActionContainer::View(_)
    ));
    assert!(matches!(event.view, Some(SlackView::Home(_))));
    stage.people.open_home("alice").await.expect("again");
    assert!(
        matches!(next(&mut bot.events).await.event, SlackEventCallbackBody::AppHomeOpened(event) if event.view.is_some())
    );
    bot.listener.shutdown().await;
}

#[tokio::test]
async fn the_client_comes_back_after_a_refresh_and_after_a_cut() {
    let stage = Stage::start().await;
    let bot = bot(&stage, 2).await;
    for how in [Disconnect::RefreshRequested, Disconnect::Abrupt] {
        assert_eq!(
            stage.people.disconnect_sockets(how).await.expect("ended"),
            2
        );
        until_open(&stage, 2).await;
        let answer = stage
            .people
            .command("alice", Place::Direct, "/jit help")
            .await
            .expect("typed");
        assert!(answer.acked, "{answer:?}");
    }
    bot.listener.shutdown().await;
    until_open(&stage, 0).await;
}
