//! slack-morphism against the Web API: what the bot's own client reads and sends.

use std::sync::Arc;
use std::time::Duration;

use hyper_util::client::legacy::connect::HttpConnector;
use slack_morphism::prelude::*;

use crate::support::Stage;

pub type Connector = SlackClientHyperConnector<HttpConnector>;
pub type Client = SlackClient<Connector>;

pub fn client(stage: &Stage) -> Arc<Client> {
    let connector = SlackClientHyperConnector::with_connector(HttpConnector::new());
    Arc::new(SlackClient::new(
        connector.with_slack_api_url(&stage.running.api_url()),
    ))
}

pub fn bot_token(stage: &Stage) -> SlackApiToken {
    SlackApiToken::new(stage.bot_token.clone().into())
}

pub fn card(state: &str) -> Vec<SlackBlock> {
    let button = SlackBlockButtonElement::new("Approve".into())
        .with_action_id("approve".into())
        .with_value("r1".into())
        .with_style(SlackBlockButtonStyle::Primary);
    vec![
        SlackSectionBlock::new()
            .with_text(SlackBlockText::MarkDown(state.into()))
            .into(),
        SlackActionsBlock::new(vec![button.into()]).into(),
    ]
}

#[tokio::test]
async fn posts_updates_and_reads() {
    let stage = Stage::start().await;
    let (client, token) = (client(&stage), bot_token(&stage));
    let session = client.open_session(&token);
    let me = session.auth_test().await.expect("auth.test");
    assert_eq!(me.user.as_deref(), Some("testbot"), "named by the manifest");
    assert_eq!(
        (me.user_id.to_string(), me.bot_id),
        ("U0BOTUSER".to_owned(), Some("B0BOT".into()))
    );

    let payload = [("id".to_owned(), "r1".to_owned())].into();
    let metadata = SlackMessageMetadata::new("card".into()).with_event_payload(payload);
    let content = SlackMessageContent::new()
        .with_text("asks".into())
        .with_blocks(card("*asks*"))
        .with_metadata(metadata);
    let posted = session
        .chat_post_message(&SlackApiChatPostMessageRequest::new(
            "C0APPROVE".into(),
            content.clone(),
        ))
        .await
        .expect("chat.postMessage");
    assert_eq!(
        posted.message.content.blocks.as_ref().map(Vec::len),
        Some(2)
    );
    assert_eq!(posted.message.sender.bot_id, Some("B0BOT".into()));

    let history = session
        .conversations_history(
            &SlackApiConversationsHistoryRequest::new()
                .with_channel("C0APPROVE".into())
                .with_include_all_metadata(true),
        )
        .await
        .expect("conversations.history");
    assert_eq!(history.messages[0].content.metadata, content.metadata);

    let changed = SlackMessageContent::new().with_text("approved".into());
    let updated = session
        .chat_update(&SlackApiChatUpdateRequest::new(
            "C0APPROVE".into(),
            changed,
            posted.ts.clone(),
        ))
        .await
        .expect("chat.update");
    assert_eq!(
        (updated.ts, updated.message.content.blocks),
        (posted.ts.clone(), None)
    );

    let link = session
        .chat_get_permalink(&SlackApiChatGetPermalinkRequest::new(
            "C0APPROVE".into(),
            posted.ts.clone(),
        ))
        .await
        .expect("chat.getPermalink");
    assert!(
        link.permalink
            .as_str()
            .starts_with("https://shop.slack.com/archives/C0APPROVE/p")
    );

    let psst = SlackMessageContent::new().with_text("psst".into());
    session
        .chat_post_ephemeral(&SlackApiChatPostEphemeralRequest::new(
            "C0APPROVE".into(),
            "U0ALICE".into(),
            psst,
        ))
        .await
        .expect("chat.postEphemeral");

    let direct = session
        .conversations_open(
            &SlackApiConversationsOpenRequest::new().with_users(vec!["U0ALICE".into()]),
        )
        .await
        .expect("conversations.open");
    assert_eq!(direct.channel.id, "D0ALICE".into());
    session
        .chat_delete(&SlackApiChatDeleteRequest::new(
            "C0APPROVE".into(),
            posted.ts,
        ))
        .await
        .expect("chat.delete");
}

#[tokio::test]
async fn reads_the_directory() {
    let stage = Stage::start().await;
    let (client, token) = (client(&stage), bot_token(&stage));
    let session = client.open_session(&token);
    let bob = session
        .users_info(&SlackApiUsersInfoRequest::new("U0BOB".into()))
        .await
        .expect("users.info")
        .user;
    assert_eq!(
        (bob.tz.as_deref(), bob.deleted, bob.flags.is_bot),
        (Some("Europe/Berlin"), Some(false), Some(false))
    );
    let all = session
        .users_list(&SlackApiUsersListRequest::new().with_limit(4))
        .await
        .expect("users.list");
    assert_eq!(all.members.len(), 4);
    let cursor = all
        .response_metadata
        .and_then(|metadata| metadata.next_cursor)
        .expect("there are six");
    let rest = session
        .users_list(&SlackApiUsersListRequest::new().with_cursor(cursor))
        .await
        .expect("users.list");
    assert_eq!(rest.members.len(), 2);

    let groups = session
        .usergroups_list(&SlackApiUserGroupsListRequest::new().with_include_users(true))
        .await
        .expect("usergroups.list");
    assert_eq!(groups.usergroups[0].users, Some(vec!["U0BOB".into()]));
    let users = session
        .usergroups_users_list(&SlackApiUserGroupsUsersListRequest::new("S0SRE".into()))
        .await
        .expect("usergroups.users.list");
    assert_eq!(users.users, ["U0BOB".into()]);

    let info = session
        .conversations_info(&SlackApiConversationsInfoRequest::new("C0SECRET".into()))
        .await
        .expect("conversations.info");
    assert_eq!(info.channel.flags.is_private, Some(true));
    let members = session
        .conversations_members(
            &SlackApiConversationsMembersRequest::new().with_channel("C0APPROVE".into()),
        )
        .await
        .expect("conversations.members");
    assert_eq!(members.members.len(), 3, "alice, bob and the bot");
    let list = session
        .conversations_list(&SlackApiConversationsListRequest::new())
        .await
        .expect("conversations.list");
    assert_eq!(list.channels.len(), 3, "public ones, the archived too");
    let mine = session
        .users_conversations(&SlackApiUsersConversationsRequest::new().with_exclude_archived(true))
        .await
        .expect("users.conversations");
    assert_eq!(mine.channels.len(), 1);
}

#[tokio::test]
async fn refusals_and_limits_become_the_clients_errors() {
    let stage = Stage::start().await;
    let (client, token) = (client(&stage), bot_token(&stage));
    let session = client.open_session(&token);
    let content = SlackMessageContent::new()
        .with_text("x".into())
        .with_blocks(card(&"x".repeat(3001)));
    let request = SlackApiChatPostMessageRequest::new("C0APPROVE".into(), content);
    match session.chat_post_message(&request).await {
        Err(slack_morphism::errors::SlackClientError::ApiError(error)) => {
            assert_eq!(error.code, "invalid_blocks")
        }
        other => panic!("a refusal was due: {other:?}"),
    }
    let limited = jitbot::sandbox::people::FaultKind::RateLimited { retry_after_s: 2 };
    stage
        .people
        .fault("chat.postMessage", 1, limited)
        .await
        .expect("staged");
    match session.chat_post_message(&request).await {
        Err(slack_morphism::errors::SlackClientError::RateLimitError(error)) => {
            assert_eq!(error.retry_after, Some(Duration::from_secs(2)));
        }
        other => panic!("a limit was due: {other:?}"),
    }
}
