//! Who is in which user group, and who people are: what Slack is asked, and what its answers mean.

use std::time::Duration;

use jitbot::directory::DirectorySource;
use jitbot::domain::directory::{AccountStatus, SeenAccount, SeenGroup};
use jitbot::domain::ids::{AccountId, DirectoryGroupId};
use serde_json::{Value, json};

use crate::double::{Double, HANGS};

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

fn info(user: Value) -> Value {
    json!({"ok": true, "user": user})
}

/// A page of the list of all.
fn page(range: std::ops::Range<u32>, cursor: &str) -> Value {
    let members: Vec<Value> = range
        .map(|n| json!({"id": format!("U{n}"), "team_id": "T1", "is_restricted": n == 27}))
        .collect();
    json!({"ok": true, "members": members, "response_metadata": {"next_cursor": cursor}})
}

/// The first twenty are asked for alone.
fn stage_the_first(double: &Double) {
    for n in 0..20 {
        let user = json!({"id": format!("U{n}"), "team_id": "T1", "is_bot": n == 7});
        double.stage("users.info", 200, None, info(user));
    }
}

fn fifty() -> Vec<AccountId> {
    (0..50).map(|n| account(&format!("U{n}"))).collect()
}

#[tokio::test]
async fn the_first_are_asked_for_alone_and_the_others_are_found_in_the_list_of_all() {
    let double = Double::start().await;
    stage_the_first(&double);
    double.stage("users.list", 200, None, page(0..35, "more"));
    double.stage("users.list", 200, None, page(35..49, ""));
    let people = fifty();
    let (seen, trouble) = double.outbox().accounts(&people).await;
    assert_eq!(trouble, None);
    let told: Vec<&AccountId> = seen.iter().map(|(account, _)| account).collect();
    // Whom the list does not show counts as nothing yet: they are among the first of the next attempt.
    assert_eq!(told, people[..49].iter().collect::<Vec<_>>());
    for (one, shown) in &seen {
        let expected = match one.member() {
            "U27" => AccountStatus::Guest,
            "U7" => AccountStatus::Bot,
            _ => AccountStatus::Member,
        };
        assert_eq!(shown.status, expected, "{one}");
    }
    let calls = double.calls("users.list");
    let cursors: Vec<&Value> = calls.iter().map(|call| &call["cursor"]).collect();
    assert_eq!(cursors, ["", "more"]);
}

#[tokio::test]
async fn a_list_of_all_that_breaks_off_or_takes_too_long_loses_nobody_who_was_seen() {
    let limited = json!({"ok": false, "error": "ratelimited"});
    for (status, retry_after, body) in [
        (500, None, json!({})),
        (HANGS, None, json!({})),
        (429, Some("9"), limited),
    ] {
        let double = Double::start().await;
        let outbox = double.outbox().patient_for(Duration::from_millis(700));
        stage_the_first(&double);
        double.stage("users.list", 200, None, page(20..35, "more"));
        double.stage("users.list", status, retry_after, body);
        let (seen, trouble) = outbox.accounts(&fifty()).await;
        assert_eq!(seen.len(), 35, "{status}");
        // The next attempt gets on without a list; only where Slack wants us to wait it waits.
        let waits = trouble.map(|trouble| trouble.after_s);
        assert_eq!(waits, retry_after.map(|_| Some(9)), "{status}");
    }
}

#[tokio::test]
async fn one_by_one_takes_no_longer_than_an_attempt_may() {
    let double = Double::start().await;
    let outbox = double.outbox().patient_for(Duration::from_millis(700));
    let user = info(json!({"id": "U0", "team_id": "T1"}));
    double.stage("users.info", 200, None, user);
    double.stage("users.info", HANGS, None, json!({}));
    let (seen, trouble) = outbox.accounts(&fifty()).await;
    assert_eq!(seen.len(), 1);
    assert!(trouble.unwrap().said.contains("users.info"));
    assert!(double.calls("users.list").is_empty());
}
