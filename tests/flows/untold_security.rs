//! Channels of security that can't be posted to: what must be told reaches its people privately, and
//! the channel once it is back.

use super::judged;
use super::odd_places::{BACK, LOST, with_fallback};
use super::support::{APPROVALS, ELSEWHERE, SECURITY, Setup, Site, World, id_of};
use chrono::TimeDelta;
use jitbot::clock::{Clock as _, Jump};
use jitbot::sandbox::people::{Change, FaultKind};

#[tokio::test]
async fn what_security_must_know_reaches_its_people_and_the_channel_once_it_is_back() {
    let world = World::start().await;
    let id = world
        .asks("alice", "/jit request staging-ssh 1h please")
        .await;
    world.presses("bob", "Approve", &id).await;
    world.changes(Change::Archive(SECURITY.into())).await;
    let folder = world.krl().parent().unwrap().to_owned();
    let away = folder.with_extension("away");
    std::fs::rename(&folder, &away).unwrap();
    world.types("alice", &format!("/jit done {id}")).await;
    for _ in 0..60 {
        world.pass("1m").await;
    }
    assert_eq!(
        world
            .times_told("carol", "Access can't be taken away")
            .await,
        1,
        "{:#?}",
        world.told("carol").await
    );
    assert_eq!(world.times_told("carol", LOST).await, 1);
    let next_nine = world.next_digest();
    world.pass(&next_nine).await;
    assert_eq!(world.times_told("carol", "Access digest").await, 1);
    world.here.clock.set_jump(Some(Jump {
        at: world.here.clock.now(),
        by: TimeDelta::hours(-24),
    }));
    let held = world
        .asks("alice", "/jit request staging-ssh 2h please")
        .await;
    world.presses("bob", "Approve", &held).await;
    assert_eq!(world.times_told("carol", "set back by 1d").await, 1);
    world.here.clock.set_jump(None);
    world.pass("2h").await;
    let told = world.told("carol").await;
    assert_eq!(told.len(), 4, "nothing twice: {told:#?}");
    assert!(world.security_reads().await.is_empty());

    world.changes(Change::Unarchive(SECURITY.into())).await;
    world.pass("6m").await;
    world.pass("6m").await;
    let read = world.security_reads().await;
    for words in [
        BACK,
        "Access can't be taken away",
        "Access digest",
        "set back by 1d",
    ] {
        assert_eq!(
            world.security_reads_with(words).await,
            1,
            "{words}: {read:#?}"
        );
    }
    assert_eq!(read.len(), 4, "{read:#?}");
    std::fs::rename(&away, &folder).unwrap();
    world.pass("2m").await;
    assert_eq!(world.kinds(&id).await.last().unwrap(), "ended");
    let healed = world.security_reads().await;
    assert!(
        healed.last().unwrap().contains("gone after all"),
        "{healed:#?}"
    );
    assert_eq!(world.told("carol").await.len(), 4);
    judged(&world).await;
}

#[tokio::test]
async fn nothing_is_lost_while_neither_the_channel_nor_a_person_can_be_told() {
    let world = World::start().await;
    world.changes(Change::Archive(SECURITY.into())).await;
    world.changes(Change::Deactivate("carol".into())).await;
    let next_nine = world.next_digest();
    world.pass(&next_nine).await;
    for _ in 0..10 {
        world.pass("1h").await;
    }
    world.changes(Change::Reactivate("carol".into())).await;
    world.pass("61m").await;
    assert_eq!(
        world.times_told("carol", "Access digest").await,
        1,
        "{:#?}",
        world.told("carol").await
    );
    assert_eq!(world.times_told("carol", LOST).await, 1);
    judged(&world).await;
}

#[tokio::test]
async fn a_second_channel_of_security_is_enough() {
    let mut site = Site::with(&Setup::default()).await;
    site.config = site.config.replace(
        "channels = [\"slack:#security\"]",
        "channels = [\"slack:#security\", \"slack:#elsewhere\"]",
    );
    let world = site.world().await;
    world.changes(Change::Archive(SECURITY.into())).await;
    let next_nine = world.next_digest();
    world.pass(&next_nine).await;
    let elsewhere = world.cards_in(ELSEWHERE, "").await;
    let said: Vec<&str> = elsewhere.iter().map(|m| m.visible_text.as_str()).collect();
    assert_eq!(said.len(), 2, "{said:#?}");
    assert!(said.iter().any(|text| text.contains("Access digest")));
    assert!(said.iter().any(|text| text.contains(LOST)));
    assert!(world.told("carol").await.is_empty());

    // Both at once: then each person is told.
    world.changes(Change::Archive(ELSEWHERE.into())).await;
    world.pass("24h").await;
    assert_eq!(world.times_told("carol", "Access digest").await, 1);
    world.pass("3h").await;
    assert_eq!(world.times_told("carol", LOST).await, 1);
}

#[tokio::test]
async fn a_start_with_lost_channels_goes_on_where_ends_are_due_and_not_where_nothing_is() {
    let site = Site::with(&Setup::default()).await;
    let archive = |channel: &str| Change::Archive(channel.into());
    site.people.change(archive(SECURITY)).await.unwrap();
    let refused = site.try_bot().await.err().map(|error| format!("{error:#}"));
    let refused = refused.unwrap_or_else(|| "it started".into());
    assert!(
        refused.contains("`slack:#security` is archived"),
        "{refused}"
    );
    let unarchive = Change::Unarchive(SECURITY.into());
    site.people.change(unarchive).await.unwrap();

    let world = site.world().await;
    let id = world
        .asks("alice", "/jit request staging-ssh 1h please")
        .await;
    world.presses("bob", "Approve", &id).await;
    world.changes(archive(SECURITY)).await;
    // Its name is gone with it: nobody can say which channel the config means.
    world
        .changes(Change::RenameChannel {
            channel: APPROVALS.into(),
            name: "gone".into(),
        })
        .await;
    let world = world.restart().await;
    assert_eq!(world.times_told("carol", LOST).await, 2, "both are told");
    let (unseen, _) = world
        .asks_elsewhere("bob", "/jit request staging-ssh 1h please")
        .await;
    assert!(
        world
            .last_told("bob")
            .await
            .contains("No approver is shown")
    );
    world.pass("2h").await;
    assert_eq!(world.kinds(&id).await.last().unwrap(), "ended");
    assert_eq!(world.kinds(&unseen).await.last().unwrap(), "expired");
}

#[tokio::test]
async fn what_waited_for_a_channel_goes_to_the_one_that_the_config_names_now() {
    let mut world = with_fallback().await;
    world.changes(Change::Archive(SECURITY.into())).await;
    world.changes(Change::Archive(APPROVALS.into())).await;
    world.changes(Change::Archive(ELSEWHERE.into())).await;
    let next_nine = world.next_digest();
    world.pass(&next_nine).await;
    assert_eq!(world.times_told("carol", "Access digest").await, 1);
    let unarchive = Change::Unarchive(ELSEWHERE.into());
    world.changes(unarchive).await;
    world.here.config = world
        .here
        .config
        .replace(
            "channels = [\"slack:#security\"]",
            "channels = [\"slack:#elsewhere\"]",
        )
        .replace(
            "channels = [\"slack:#approvals\"]",
            "channels = [\"slack:#elsewhere\"]",
        );
    let world = world.restart().await;
    world.pass("6m").await;
    let there = world.cards_in(ELSEWHERE, "Access digest").await;
    assert_eq!(there.len(), 1, "{there:#?}");
}

#[tokio::test]
async fn who_is_no_full_member_reads_nothing_that_is_for_security() {
    let mut site = Site::with(&Setup::default()).await;
    site.config = site.config.replace(
        "members = [\"person:carol\"]",
        "members = [\"person:carol\", \"person:dana\", \"person:bob\"]",
    );
    let world = site.world().await;
    let guest = |who: &str| Change::Guest {
        user: id_of(who).to_owned(),
        guest: true,
    };
    world.changes(guest("dana")).await;
    world.pass("6m").await;
    world.changes(Change::Archive(SECURITY.into())).await;
    // Nobody can be written to until after bob became a guest as well.
    world
        .slack_fails("conversations.open", 1_000, FaultKind::Status(500))
        .await;
    let next_nine = world.next_digest();
    world.pass(&next_nine).await;
    world.changes(guest("bob")).await;
    world.pass("10m").await;
    world.here.people.clear_faults().await.unwrap();
    world.pass("1h").await;
    assert_eq!(world.times_told("carol", "Access digest").await, 1);
    for who in ["dana", "bob"] {
        let told = world.told(who).await;
        assert!(told.is_empty(), "{who} is a guest: {told:#?}");
    }
    judged(&world).await;
}
