//! Slack's user groups as groups: facts that are fresh decide, others are waited for.

use jitbot::sandbox::people::{Change, FaultKind};

use super::judged;
use super::support::{Setup, World, id_of, reference};

/// Engineering, sre and oncall are user groups.
async fn world() -> World {
    World::with(Setup::with_usergroups()).await
}

#[tokio::test]
async fn who_is_in_the_user_groups_asks_and_approves() {
    let world = world().await;
    let id = world
        .asks("alice", "/jit request staging-ssh 1h please")
        .await;
    world.presses("dana", "Approve", &id).await;
    assert_eq!(
        world.kinds(&id).await,
        ["requested", "approved", "issue_intended", "issued"]
    );
    let record = world.record().await;
    assert_eq!(
        record[0]["facts"]["groups"]["engineering"],
        "slack:T0SHOP/S0ENG"
    );
    let approved = record.iter().find(|e| e["kind"] == "approved").unwrap();
    assert_eq!(approved["facts"]["group"], "sre");
    assert!(approved["facts"]["group_as_of"].is_i64(), "{approved}");
    let answer = world
        .types("erin", "/jit request staging-ssh 1h please")
        .await;
    assert!(answer.contains("engineering"), "says who may: {answer}");
    let olga = world
        .types("olga", "/jit request staging-ssh 30m pager")
        .await;
    assert!(olga.contains("by a rule"), "{olga}");
    judged(&world).await;
}

#[tokio::test]
async fn facts_are_kept_fresh_without_anybody_asking() {
    let world = world().await;
    for _ in 0..4 {
        world.pass("6m").await;
        let before = world.calls_of("users.info").await;
        let answer = world
            .only_types("alice", "/jit request staging-ssh 1h please")
            .await;
        assert!(answer.contains("waits for a member of sre"), "{answer}");
        assert_eq!(
            world.calls_of("users.info").await,
            before,
            "nobody is asked while a command is answered"
        );
        let id = reference(&answer).unwrap();
        world.types("alice", &format!("/jit withdraw {id}")).await;
    }
}

#[tokio::test]
async fn a_request_waits_for_facts_that_are_too_old_and_is_then_decided() {
    let world = world().await;
    let id = world
        .asks_unknown("alice", "/jit request staging-ssh 1h please")
        .await;
    assert_eq!(world.kinds(&id).await, ["requested"]);
    assert!(
        world.cards(&id).await.is_empty(),
        "no card before it stands"
    );
    let again = world
        .only_types("alice", "/jit request staging-ssh 1h please")
        .await;
    assert!(again.contains(&id) && again.contains("already"), "{again}");

    world.settle().await;
    assert_eq!(world.kinds(&id).await, ["requested", "checked"]);
    let told = world.last_told("alice").await;
    assert!(told.contains("Waiting") && told.contains("sre"), "{told}");
    world.presses("bob", "Approve", &id).await;
    assert_eq!(world.kinds(&id).await.last().unwrap(), "issued");
    judged(&world).await;
}

#[tokio::test]
async fn a_rule_decides_once_the_facts_are_there() {
    let world = world().await;
    let id = world
        .asks_unknown("olga", "/jit request staging-ssh 30m pager")
        .await;
    world.settle().await;
    assert_eq!(
        world.kinds(&id).await,
        [
            "requested",
            "checked",
            "approved",
            "issue_intended",
            "issued"
        ]
    );
    assert!(world.cards(&id).await.is_empty(), "nobody is shown it");
    let pinged = world.here.people.pinged().await.unwrap();
    assert!(pinged.is_empty(), "{pinged:?}");
}

#[tokio::test]
async fn requests_that_wait_are_decided_in_the_order_of_their_submission() {
    let world = world().await;
    let mut asked = vec![
        world
            .asks_unknown("olga", "/jit request staging-ssh 2h pager")
            .await,
    ];
    for hours in 3..8 {
        let who = if hours % 2 == 0 { "bob" } else { "alice" };
        let typed = format!("/jit request staging-ssh {hours}h please");
        asked.push(reference(&world.only_types(who, &typed).await).unwrap());
    }
    world.settle().await;
    let decided: Vec<String> = world
        .record()
        .await
        .into_iter()
        .filter(|entry| entry["kind"] == "checked")
        .map(|entry| entry["request"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(decided, asked);
}

#[tokio::test]
async fn who_left_the_user_group_while_nobody_looked_is_refused_and_told() {
    let world = world().await;
    world.slack_lists("engineering", &["bob", "olga"]).await;
    let id = world
        .asks_unknown("alice", "/jit request staging-ssh 1h please")
        .await;
    world.settle().await;
    assert_eq!(world.kinds(&id).await, ["requested", "refused"]);
    assert_eq!(world.last_refusal().await, "may_not_ask");
    let told = world.last_told("alice").await;
    assert!(
        told.contains("Refused") && told.contains("engineering"),
        "{told}"
    );
    assert!(world.cards(&id).await.is_empty());
    judged(&world).await;
}

#[tokio::test]
async fn a_vote_by_facts_that_are_too_old_does_not_count_and_can_be_cast_again() {
    let world = world().await;
    let id = world
        .asks("alice", "/jit request staging-ssh 1h please")
        .await;
    world.nobody_works_for(11);
    world.presses("bob", "Approve", &id).await;
    let whispers = world.whispers("bob").await;
    let said = whispers.last().unwrap();
    assert!(said.contains("nothing was decided"), "{said}");
    assert_eq!(world.kinds(&id).await, ["requested", "refused"]);
    // It was looked up at once.
    world.presses("bob", "Approve", &id).await;
    assert_eq!(world.kinds(&id).await.last().unwrap(), "issued");
}

#[tokio::test]
async fn who_left_the_approvers_while_nobody_looked_approves_nothing() {
    let world = world().await;
    let id = world
        .asks("alice", "/jit request staging-ssh 1h please")
        .await;
    world.slack_lists("sre-team", &["dana"]).await;
    world.nobody_works_for(11);
    for _ in 0..2 {
        world.presses("bob", "Approve", &id).await;
    }
    assert_eq!(world.kinds(&id).await, ["requested", "refused", "refused"]);
    assert_eq!(world.last_refusal().await, "not_an_approver");
}

#[tokio::test]
async fn what_takes_access_away_waits_for_no_directory() {
    let world = world().await;
    let mut ids = Vec::new();
    for hours in 1..=4 {
        let typed = format!("/jit request staging-ssh {hours}h please");
        ids.push(world.asks("alice", &typed).await);
    }
    for id in &ids[..2] {
        world.presses("bob", "Approve", id).await;
    }
    world
        .slack_fails("usergroups.list", 1_000, FaultKind::Status(500))
        .await;
    world
        .slack_fails("users.info", 1_000, FaultKind::Status(500))
        .await;
    world.pass("25m").await;
    world
        .types("bob", &format!("/jit revoke {} not now", ids[0]))
        .await;
    world.types("alice", &format!("/jit done {}", ids[1])).await;
    world.denies("bob", &ids[2], "not now").await;
    world
        .types("alice", &format!("/jit withdraw {}", ids[3]))
        .await;
    for (id, end) in ids.iter().zip(["ended", "ended", "denied", "withdrawn"]) {
        assert_eq!(world.kinds(id).await.last().unwrap(), end);
    }
}

#[tokio::test]
async fn guests_and_bots_and_deactivated_people_neither_ask_nor_decide() {
    let world = world().await;
    let id = world
        .asks("alice", "/jit request staging-ssh 1h please")
        .await;
    for who in ["bob", "olga"] {
        let change = Change::Guest {
            user: id_of(who).to_owned(),
            guest: true,
        };
        world.here.people.change(change).await.unwrap();
    }
    world.pass("6m").await;
    let answer = world
        .types("olga", "/jit request staging-ssh 30m pager")
        .await;
    assert!(answer.contains("a guest"), "{answer}");
    world.presses("bob", "Approve", &id).await;
    world.presses("bob", "Deny", &id).await;
    assert_eq!(world.kinds(&id).await, ["requested", "refused", "refused"]);
    assert_eq!(world.last_refusal().await, "may_not_act");
    let revoke = world.types("bob", &format!("/jit revoke {id} no")).await;
    assert!(
        !revoke.contains("please"),
        "a guest is shown nothing: {revoke}"
    );
    judged(&world).await;
}

#[tokio::test]
async fn who_waits_for_facts_is_counted_like_everybody_else() {
    let world = world().await;
    world.slack_lists("engineering", &["bob", "olga"]).await;
    let id = world
        .asks_unknown("alice", "/jit request staging-ssh 1h please")
        .await;
    world.settle().await;
    assert_eq!(world.kinds(&id).await, ["requested", "refused"]);
    let record = world.record().await;
    let entry = |kind: &str| record.iter().find(|e| e["kind"] == kind).unwrap();
    assert_eq!(entry("requested")["facts"]["first_time"], true);
    let refused = &entry("refused")["facts"];
    assert_eq!(refused["resource"], "staging-ssh", "{refused}");
    assert_eq!(refused["of"], "slack:T0SHOP/U0ALICE", "{refused}");
}
