//! Who is in which user group, and who people are: what Slack is asked, and what its answers mean.

use std::collections::BTreeSet;

use jitbot::directory::DirectorySource;
use jitbot::domain::directory::{AccountStatus, SeenAccount, SeenGroup};
use jitbot::domain::ids::{AccountId, DirectoryGroupId};
use serde_json::{Value, json};

use crate::double::Double;

fn group(id: &str) -> DirectoryGroupId {
    DirectoryGroupId::new(format!("slack:T1/{id}")).unwrap()
}

fn account(id: &str) -> AccountId {
    AccountId::new(format!("slack:T1/{id}")).unwrap()
}

fn members(ids: &[&str]) -> SeenGroup {
    SeenGroup::Members(ids.iter().map(|id| account(id)).collect())
}

#[tokio::test]
async fn one_question_tells_of_all_groups_and_what_it_leaves_out_is_asked_for() {
    let double = Double::start().await;
    let listed = json!({"ok": true, "usergroups": [
        {"id": "S1", "handle": "sre", "date_delete": 0, "user_count": "2", "users": ["U1", "U2"]},
        {"id": "S2", "handle": "old", "date_delete": 1_700_000_000, "users": ["U1"]},
        {"id": "S3", "handle": "many", "date_delete": 0, "user_count": 900},
        {"id": "S4", "handle": "just-gone", "date_delete": 0},
        {"id": "S9", "handle": "not-ours", "date_delete": 0},
    ]});
    double.stage("usergroups.list", 200, None, listed);
    let users = json!({"ok": true, "users": ["U3"]});
    double.stage("usergroups.users.list", 200, None, users);
    let gone = json!({"ok": false, "error": "no_such_subteam"});
    double.stage("usergroups.users.list", 200, None, gone);
    let ids = ["S1", "S2", "S3", "S4", "S5"].map(group);
    let seen = double.outbox().groups(&ids).await.unwrap();
    let expected = [
        members(&["U1", "U2"]),
        SeenGroup::Gone,
        members(&["U3"]),
        SeenGroup::Gone,
        SeenGroup::Gone,
    ];
    assert_eq!(seen, ids.into_iter().zip(expected).collect::<Vec<_>>());
    let asked = double.calls("usergroups.list");
    assert_eq!(asked.len(), 1);
    assert_eq!(asked[0]["include_users"], true);
    assert_eq!(asked[0]["include_disabled"], true);
    let alone = double.calls("usergroups.users.list");
    let alone: Vec<&Value> = alone.iter().map(|call| &call["usergroup"]).collect();
    assert_eq!(alone, ["S3", "S4"]);
}

#[tokio::test]
async fn a_group_of_which_slack_does_not_tell_is_not_gone() {
    let double = Double::start().await;
    double.stage("usergroups.list", 503, None, json!({}));
    let trouble = double.outbox().groups(&[group("S1")]).await.unwrap_err();
    assert_eq!(trouble.after_s, None);
    let limited = json!({"ok": false, "error": "ratelimited"});
    double.stage("usergroups.list", 429, Some("17"), limited);
    let trouble = double.outbox().groups(&[group("S1")]).await.unwrap_err();
    assert_eq!(trouble.after_s, Some(17));
    let listed = json!({"ok": true, "usergroups": [{"id": "S1", "handle": "sre"}]});
    double.stage("usergroups.list", 200, None, listed);
    let refused = json!({"ok": false, "error": "internal_error"});
    double.stage("usergroups.users.list", 200, None, refused);
    let trouble = double.outbox().groups(&[group("S1")]).await.unwrap_err();
    assert!(trouble.said.contains("internal_error"), "{}", trouble.said);
}

#[tokio::test]
async fn a_few_people_are_asked_for_one_by_one_until_slack_has_enough() {
    let double = Double::start().await;
    let info = |user: Value| json!({"ok": true, "user": user});
    let stage = |body: Value| double.stage("users.info", 200, None, body);
    stage(info(
        json!({"id": "U1", "team_id": "T1", "tz": "Asia/Kolkata"}),
    ));
    stage(info(json!({"id": "U2", "deleted": true})));
    stage(json!({"ok": false, "error": "user_not_found"}));
    let limited = json!({"ok": false, "error": "ratelimited"});
    double.stage("users.info", 429, Some("9"), limited);
    let people = ["U1", "U2", "U3", "U4", "U5"].map(account);
    let (seen, trouble) = double.outbox().accounts(&people).await;
    let shown = |id, status, time_zone| (account(id), SeenAccount { status, time_zone });
    assert_eq!(
        seen,
        [
            shown("U1", AccountStatus::Member, Some(chrono_tz::Asia::Kolkata)),
            shown("U2", AccountStatus::Deactivated, None),
            shown("U3", AccountStatus::NotFound, None),
        ]
    );
    assert_eq!(trouble.and_then(|trouble| trouble.after_s), Some(9));
    assert_eq!(double.calls("users.info").len(), 4, "then it is left alone");
}

#[tokio::test]
async fn many_people_are_found_in_the_list_of_all() {
    let double = Double::start().await;
    let people: Vec<AccountId> = (0..30).map(|n| account(&format!("U{n}"))).collect();
    let page = |range: std::ops::Range<u32>, cursor: &str| {
        let members: Vec<Value> = range
            .map(|n| json!({"id": format!("U{n}"), "team_id": "T1", "is_restricted": n == 7}))
            .collect();
        let metadata = json!({"next_cursor": cursor});
        json!({"ok": true, "members": members, "response_metadata": metadata})
    };
    double.stage("users.list", 200, None, page(0..15, "more"));
    double.stage("users.list", 200, None, page(15..29, ""));
    // One whom the list does not show is asked for before it counts as not there.
    let alone = json!({"ok": true, "user": {"id": "U29", "is_bot": true}});
    double.stage("users.info", 200, None, alone);
    let (seen, trouble) = double.outbox().accounts(&people).await;
    assert_eq!(trouble, None);
    let told: BTreeSet<&AccountId> = seen.iter().map(|(account, _)| account).collect();
    assert_eq!(told, people.iter().collect());
    for (one, shown) in &seen {
        let expected = match one.member() {
            "U7" => AccountStatus::Guest,
            "U29" => AccountStatus::Bot,
            _ => AccountStatus::Member,
        };
        assert_eq!(shown.status, expected, "{one}");
    }
    let cursors: Vec<Value> = double
        .calls("users.list")
        .into_iter()
        .map(|c| c["cursor"].clone())
        .collect();
    assert_eq!(cursors, ["", "more"]);

    // A list that breaks off tells of those that it showed.
    double.stage("users.list", 200, None, page(0..15, "more"));
    double.stage("users.list", 500, None, json!({}));
    let (seen, trouble) = double.outbox().accounts(&people).await;
    assert_eq!(seen.len(), 15);
    assert!(trouble.is_some());
}
