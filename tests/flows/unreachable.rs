//! A directory that can't be asked: what waits, what is refused, and what goes on.

use chrono::TimeDelta;
use jitbot::sandbox::people::{Change, FaultKind};

use super::judged;
use super::support::{Setup, Site, World, reference};

/// Engineering, sre and oncall are user groups.
async fn world() -> World {
    World::with(Setup::with_usergroups()).await
}

#[tokio::test]
async fn facts_that_can_not_be_had_refuse_after_two_minutes_and_not_before() {
    for method in ["usergroups.list", "users.info"] {
        let world = world().await;
        world
            .slack_fails(method, 1_000, FaultKind::Status(503))
            .await;
        let id = world
            .asks_unknown("alice", "/jit request staging-ssh 1h please")
            .await;
        world.settle().await;
        for _ in 0..11 {
            world.pass("10s").await;
        }
        assert_eq!(world.kinds(&id).await, ["requested"], "{method}");
        world.pass("10s").await;
        assert_eq!(world.kinds(&id).await, ["requested", "refused"], "{method}");
        assert_eq!(world.last_refusal().await, "directory_unreachable");
        let told = world.last_told("alice").await;
        assert!(told.contains("could not be found out"), "{told}");

        world.here.people.clear_faults().await.unwrap();
        world.pass("1m").await;
        assert_eq!(world.kinds(&id).await.len(), 2, "it stays refused");
        let again = world
            .asks("alice", "/jit request staging-ssh 1h please")
            .await;
        assert_eq!(world.card(&again).await.buttons.len(), 3);
    }
}

#[tokio::test]
async fn facts_that_come_late_decide_what_still_waits() {
    let world = world().await;
    world
        .slack_fails("usergroups.list", 3, FaultKind::Drop)
        .await;
    let id = world
        .asks_unknown("alice", "/jit request staging-ssh 1h please")
        .await;
    world.settle().await;
    assert_eq!(world.kinds(&id).await, ["requested"]);
    for _ in 0..6 {
        world.pass("10s").await;
    }
    assert_eq!(world.kinds(&id).await, ["requested", "checked"]);
}

#[tokio::test]
async fn slack_is_left_alone_for_as_long_as_it_wants_to_be() {
    let world = world().await;
    let kind = FaultKind::RateLimited { retry_after_s: 60 };
    world.slack_fails("usergroups.list", 1, kind).await;
    world
        .asks_unknown("alice", "/jit request staging-ssh 1h please")
        .await;
    world.settle().await;
    let calls = world.calls_of("usergroups.list").await;
    world.pass("20s").await;
    // Others who ask make it no sooner.
    world
        .types("bob", "/jit request staging-ssh 1h please")
        .await;
    world.pass("20s").await;
    assert_eq!(world.calls_of("usergroups.list").await, calls);
    world.pass("25s").await;
    assert!(world.calls_of("usergroups.list").await > calls);
    assert!(
        world.record().await.iter().any(|e| e["kind"] == "checked"),
        "then it was decided"
    );
}

#[tokio::test]
async fn what_waits_for_facts_is_decided_after_a_restart_and_can_be_taken_back() {
    let world = world().await;
    let stands = world
        .asks_unknown("alice", "/jit request staging-ssh 1h please")
        .await;
    let answer = world
        .only_types("alice", "/jit request staging-ssh 2h please")
        .await;
    let taken_back = reference(&answer).unwrap();
    world
        .only_types("alice", &format!("/jit withdraw {taken_back}"))
        .await;
    let world = world.restart().await;
    assert_eq!(world.kinds(&stands).await, ["requested", "checked"]);
    assert_eq!(world.kinds(&taken_back).await, ["requested", "withdrawn"]);
    // What nobody could decide while the bot was down is refused at once.
    let late = world
        .asks_unknown("bob", "/jit request staging-ssh 1h please")
        .await;
    let here = world.here.clock.clone();
    here.advance(TimeDelta::minutes(3));
    let world = world.restart().await;
    let kinds = world.kinds(&late).await;
    assert_eq!(kinds[0], "requested");
    assert_eq!(kinds.len(), 2, "{kinds:?}");
}

#[tokio::test]
async fn a_user_group_that_can_not_be_used_is_told_at_the_start() {
    let mut site = Site::with(&Setup::with_usergroups()).await;
    let right = site.config.clone();
    site.config = right.replace("\"engineering\"", "\"enginering\"");
    let refused = site.try_bot().await.err().map(|error| format!("{error:#}"));
    let refused = refused.unwrap_or_else(|| "it started".into());
    assert!(
        refused.contains("`enginering` matches no user group"),
        "{refused}"
    );

    site.config = right;
    let disable = Change::DisableGroup("engineering".into());
    site.people.change(disable).await.unwrap();
    let refused = site.try_bot().await.err().map(|error| format!("{error:#}"));
    let refused = refused.unwrap_or_else(|| "it started".into());
    assert!(refused.contains("is disabled"), "{refused}");
}

#[tokio::test]
async fn security_hears_once_that_nothing_can_be_known_and_once_that_it_can() {
    let world = world().await;
    world
        .slack_fails(
            "usergroups.list",
            10_000,
            FaultKind::SlackError("missing_scope".into()),
        )
        .await;
    world.pass("6m").await;
    assert!(world.security_reads().await.is_empty(), "not yet");
    for _ in 0..30 {
        world.pass("1m").await;
    }
    let told = world.security_reads().await;
    assert_eq!(told.len(), 1, "{told:#?}");
    assert!(told[0].contains("missing_scope"), "{}", told[0]);
    world.here.people.clear_faults().await.unwrap();
    world.pass("2m").await;
    world.pass("6m").await;
    let told = world.security_reads().await;
    assert_eq!(told.len(), 2, "{told:#?}");
    assert!(told[1].contains("known again"), "{}", told[1]);
}

#[tokio::test]
async fn everybody_is_known_after_some_rounds_though_there_is_never_a_list_of_all() {
    let many: Vec<String> = (0..90)
        .map(|n| format!("\"slack:T0SHOP/U0P{n}\""))
        .collect();
    let setup = Setup {
        more_people: 90,
        more_config: format!("[group.many]\nmembers = [{}]", many.join(", ")),
        ..Setup::with_usergroups()
    };
    let site = Site::with(&setup).await;
    let fails = FaultKind::Status(500);
    let always = site.people.fault("users.list", 100_000, fails);
    always.await.unwrap();
    let world = site.world().await;
    let known = async || {
        let mut reader = world.app.store().reader().await.unwrap();
        let rows = reader.directory_accounts().await.unwrap();
        let fetched = rows.values().filter(|(fetched, _)| fetched.is_some());
        fetched.count()
    };
    assert_eq!(known().await, 95, "five of the config, and the many");
    // Groups are known as well, so that people can ask.
    world
        .asks("alice", "/jit request staging-ssh 1h please")
        .await;
    judged(&world).await;
}
