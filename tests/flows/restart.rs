//! A bot that was down: nothing is forgotten.

use super::support::World;
use chrono::TimeDelta;

#[tokio::test]
async fn a_deadline_that_passed_while_the_bot_was_down_is_kept_at_the_start() {
    let world = World::start().await;
    let id = world
        .asks("alice", "/jit request staging-ssh 1h please")
        .await;
    world.presses("bob", "Approve", &id).await;
    let jitbot_down = world.here.clock.clone();
    jitbot_down.advance(TimeDelta::hours(3));
    let world = world.restart().await;
    assert!(world.last_told("alice").await.contains("is over"));
    let ended = world
        .record()
        .await
        .into_iter()
        .find(|e| e["kind"] == "ended")
        .unwrap();
    assert!(
        ended["facts"]["lag_ms"].as_i64().unwrap() >= 2 * 3600 * 1000,
        "{ended}"
    );
}

#[tokio::test]
async fn a_revocation_list_that_was_lost_stands_again_after_a_start() {
    let world = World::start().await;
    let id = world
        .asks("alice", "/jit request staging-ssh 1h please")
        .await;
    world.presses("bob", "Approve", &id).await;
    world.types("alice", &format!("/jit done {id}")).await;
    let before = std::fs::read(world.krl()).unwrap();
    std::fs::remove_file(world.krl()).unwrap();
    let world = world.restart().await;
    let after = std::fs::read(world.krl()).unwrap();
    let grant = format!("g{}", &id[1..]);
    for krl in [before, after] {
        assert!(krl.windows(grant.len()).any(|w| w == grant.as_bytes()));
    }
}

#[tokio::test]
async fn an_issuer_with_live_grants_can_not_be_taken_out_of_the_config() {
    let mut world = World::start().await;
    let id = world
        .asks("alice", "/jit request staging-ssh 1h please")
        .await;
    world.presses("bob", "Approve", &id).await;
    world.here.config = world.here.config.replace("staging-ca", "other-ca");
    let World { here, app } = world;
    app.stop().await;
    let refused = here.try_bot().await.err().map(|error| format!("{error:#}"));
    assert!(
        refused
            .as_deref()
            .unwrap_or("it started")
            .contains("`staging-ca`"),
        "{refused:?}"
    );
}

#[tokio::test]
async fn a_second_bot_on_the_same_database_is_told_who_holds_it() {
    let world = World::start().await;
    let refused = world
        .here
        .try_bot()
        .await
        .err()
        .map(|error| format!("{error:#}"));
    let refused = refused.unwrap_or_else(|| "it started".into());
    assert!(
        refused.contains(&std::process::id().to_string()),
        "{refused}"
    );
}

#[tokio::test]
async fn an_issuer_with_live_grants_can_not_be_pointed_elsewhere() {
    let mut world = World::start().await;
    let id = world
        .asks("alice", "/jit request staging-ssh 1h please")
        .await;
    world.presses("bob", "Approve", &id).await;
    let right = world.here.config.clone();
    world.here.config = right.replace("target/jitbot.krl", "target/other.krl");
    let World { mut here, app } = world;
    app.stop().await;
    let refused = here.try_bot().await.err().map(|error| format!("{error:#}"));
    let refused = refused.unwrap_or_else(|| "it started".into());
    assert!(
        refused.contains("`staging-ca`") && refused.contains("target/jitbot.krl"),
        "{refused}"
    );

    // Once all is over it may move.
    here.config = right.clone();
    let world = here.world().await;
    world.pass("2h").await;
    assert_eq!(world.kinds(&id).await.last().unwrap(), "ended");
    let World { mut here, app } = world;
    app.stop().await;
    here.config = right.replace("target/jitbot.krl", "target/other.krl");
    assert!(
        here.try_bot().await.is_err(),
        "by the machine's clock the certificate is still valid"
    );
}

#[tokio::test]
async fn a_token_that_opens_no_socket_is_told_at_the_start() {
    let mut site = super::support::Site::with(&super::support::Setup::default()).await;
    let right = site.tokens.1.clone();
    site.tokens.1 = "xapp-of-another-app".into();
    let refused = site.try_bot().await.err().map(|error| format!("{error:#}"));
    let refused = refused.unwrap_or_else(|| "it started".into());
    assert!(refused.contains("app token"), "{refused}");
    assert!(!refused.contains("xapp-"), "{refused}");
    site.tokens.1 = right;
    let world = site.world().await;
    world.types("alice", "/jit list").await;
}
