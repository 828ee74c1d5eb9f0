//! What Slack refuses of `conversations.*`, `users.*` and `usergroups.*`.

use serde_json::json;

use crate::rows::check;
use crate::support::Stage;

#[tokio::test]
async fn conversations_users_and_groups() {
    let stage = Stage::start().await;
    let ts = stage.post("C0APPROVE", "hi").await;
    let channel = |id: &str| json!({ "channel": id });
    for method in [
        "conversations.info",
        "conversations.members",
        "conversations.history",
    ] {
        check(
            &stage,
            method,
            vec![
                ("one", channel("C0APPROVE"), None),
                ("private with the bot", channel("C0SECRET"), None),
                (
                    "private without the bot",
                    channel("C0HIDDEN"),
                    Some("channel_not_found"),
                ),
                ("nowhere", channel("C0NOWHERE"), Some("channel_not_found")),
            ],
        )
        .await;
    }
    check(
        &stage,
        "conversations.history",
        vec![
            ("without the bot", channel("C0OUT"), Some("not_in_channel")),
            (
                "a bad cursor",
                json!({ "channel": "C0APPROVE", "cursor": "zz" }),
                Some("invalid_cursor"),
            ),
        ],
    )
    .await;
    check(
        &stage,
        "conversations.replies",
        vec![
            ("one", json!({ "channel": "C0APPROVE", "ts": ts }), None),
            (
                "none",
                json!({ "channel": "C0APPROVE", "ts": "1.000001" }),
                Some("thread_not_found"),
            ),
            (
                "hidden",
                json!({ "channel": "C0HIDDEN", "ts": ts }),
                Some("channel_not_found"),
            ),
        ],
    )
    .await;
    check(
        &stage,
        "conversations.open",
        vec![
            ("one", json!({ "users": "U0ALICE" }), None),
            ("nobody", json!({}), Some("users_list_not_supplied")),
            (
                "a stranger",
                json!({ "users": "U0NOBODY" }),
                Some("user_not_found"),
            ),
            (
                "somebody deactivated",
                json!({ "users": "U0GONE" }),
                Some("user_disabled"),
            ),
            (
                "a bot",
                json!({ "users": "U0ROBOT" }),
                Some("cannot_dm_bot"),
            ),
            (
                "itself",
                json!({ "users": "U0BOTUSER" }),
                Some("cannot_dm_bot"),
            ),
            (
                "several, without the scope",
                json!({ "users": "U0ALICE,U0BOB" }),
                Some("missing_scope"),
            ),
            (
                "a channel that is none",
                channel("C0APPROVE"),
                Some("channel_not_found"),
            ),
        ],
    )
    .await;
    for method in ["conversations.list", "users.conversations"] {
        check(
            &stage,
            method,
            vec![
                (
                    "all that is allowed",
                    json!({ "types": "public_channel,private_channel,im" }),
                    None,
                ),
                (
                    "without the scope",
                    json!({ "types": "mpim" }),
                    Some("missing_scope"),
                ),
                (
                    "an unknown type",
                    json!({ "types": "channel" }),
                    Some("invalid_types"),
                ),
                ("too many", json!({ "limit": 1001 }), Some("invalid_limit")),
            ],
        )
        .await;
    }
    check(
        &stage,
        "users.conversations",
        vec![(
            "a stranger",
            json!({ "user": "U0NOBODY" }),
            Some("user_not_found"),
        )],
    )
    .await;
    check(&stage, "users.list", vec![("all", json!({}), None)]).await;
    check(
        &stage,
        "users.info",
        vec![
            ("a person", json!({ "user": "U0ALICE" }), None),
            ("the bot", json!({ "user": "U0BOTUSER" }), None),
            (
                "a stranger",
                json!({ "user": "U0NOBODY" }),
                Some("user_not_found"),
            ),
        ],
    )
    .await;
    check(
        &stage,
        "usergroups.list",
        vec![("all", json!({ "include_users": true }), None)],
    )
    .await;
    check(
        &stage,
        "usergroups.users.list",
        vec![
            ("one", json!({ "usergroup": "S0SRE" }), None),
            (
                "none",
                json!({ "usergroup": "S0NONE" }),
                Some("no_such_subteam"),
            ),
        ],
    )
    .await;
}
