//! People who leave: what they hold ends within the directory's freshness, and nobody else's does.

use jitbot::sandbox::people::{Change, FaultKind};

use super::judged;
use super::support::{APPROVALS, Setup, World, id_of};

/// Engineering, sre and oncall are user groups.
async fn world() -> World {
    World::with(Setup::with_usergroups()).await
}

impl World {
    /// Asked, and approved by dana.
    async fn holds(&self, who: &str, hours: u32) -> String {
        let typed = format!("/jit request staging-ssh {hours}h please");
        let id = self.asks(who, &typed).await;
        self.presses("dana", "Approve", &id).await;
        assert_eq!(self.kinds(&id).await.last().unwrap(), "issued");
        id
    }

    async fn last_kind(&self, id: &str) -> String {
        self.kinds(id).await.pop().unwrap()
    }

    /// Why its end was ordered, as the record has it.
    async fn left_why(&self, id: &str) -> String {
        let record = self.record().await;
        let ordered = record
            .iter()
            .find(|e| e["kind"] == "end_ordered" && e["request"] == id);
        let ordered = ordered.unwrap_or_else(|| panic!("{id} was not ended"));
        assert_eq!(ordered["facts"]["reason"], "left");
        ordered["facts"]["left"].as_str().unwrap().to_owned()
    }

    async fn guest(&self, who: &str, guest: bool) {
        let user = id_of(who).to_owned();
        let change = Change::Guest { user, guest };
        self.here.people.change(change).await.unwrap();
    }
}

#[tokio::test]
async fn who_leaves_the_group_that_let_them_ask_loses_what_they_hold_and_asked_for() {
    let world = world().await;
    let live = world.holds("alice", 4).await;
    let open = world.asks("alice", "/jit request prod-ssh 1h hotfix").await;
    let others = world.holds("bob", 3).await;
    world.slack_lists("engineering", &["bob", "olga"]).await;
    world.pass("5m").await;

    assert_eq!(world.last_kind(&live).await, "ended");
    assert_eq!(world.left_why(&live).await, "not_among_those");
    assert_eq!(world.last_kind(&open).await, "cancelled");
    assert!(world.card(&open).await.buttons.is_empty());
    assert_eq!(world.last_kind(&others).await, "issued", "nobody else's");
    let told = world.told("alice").await.join("\n");
    assert!(told.contains("left, or may no longer ask"), "{told}");
    assert!(told.contains("was cancelled"), "{told}");
    let security = world.security_reads().await;
    assert_eq!(security.len(), 1, "{security:#?}");
    assert!(
        security[0].contains("somebody left") && security[0].contains(&live),
        "{}",
        security[0]
    );
    // Nothing more follows, and who comes back asks anew.
    world
        .slack_lists("engineering", &["alice", "bob", "olga"])
        .await;
    world.pass("6m").await;
    assert_eq!(world.security_reads().await.len(), 1);
    world.holds("alice", 2).await;
    judged(&world).await;
}

#[tokio::test]
async fn who_is_deactivated_or_made_a_guest_loses_what_they_hold() {
    // Also where the config lists them.
    for usergroups in [true, false] {
        let world = World::with(Setup {
            usergroups,
            ..Setup::default()
        })
        .await;
        let deactivated = world.holds("alice", 4).await;
        let guest = world.holds("bob", 4).await;
        world.here.people.deactivate("U0ALICE").await.unwrap();
        world.guest("bob", true).await;
        world.pass("5m").await;
        for (id, why) in [(&deactivated, "deactivated"), (&guest, "guest")] {
            assert_eq!(world.last_kind(id).await, "ended");
            assert_eq!(world.left_why(id).await, why);
        }
        let security = world.security_reads().await;
        assert_eq!(security.len(), 2, "{security:#?}");
    }
}

#[tokio::test]
async fn a_directory_that_can_not_be_asked_or_knows_nobody_ends_nothing() {
    for (method, kind) in [
        ("usergroups.list", FaultKind::Status(503)),
        ("users.info", FaultKind::Status(503)),
        ("users.info", FaultKind::SlackError("user_not_found".into())),
    ] {
        let world = world().await;
        let id = world.holds("alice", 8).await;
        world.slack_fails(method, 10_000, kind.clone()).await;
        for _ in 0..12 {
            world.pass("30m").await;
        }
        assert_eq!(world.last_kind(&id).await, "issued", "{method}: {kind:?}");
        // Its deadline ends it all the same.
        world.pass("2h").await;
        assert_eq!(world.last_kind(&id).await, "ended");
    }
}

#[tokio::test]
async fn a_user_group_that_vanishes_is_doubted_before_anybody_loses_anything() {
    let world = world().await;
    let id = world.holds("alice", 4).await;
    let disable = Change::DisableGroup("engineering".into());
    world.here.people.change(disable).await.unwrap();
    world.pass("5m").await;
    assert_eq!(
        world.last_kind(&id).await,
        "issued",
        "not at the first look"
    );
    let told = world.security_reads().await;
    assert_eq!(told.len(), 1, "{told:#?}");
    assert!(
        told[0].contains("3 of 3 people are gone from engineering"),
        "{}",
        told[0]
    );

    // Nothing new is given by it meanwhile.
    let answer = world
        .types("bob", "/jit request staging-ssh 1h please")
        .await;
    assert!(answer.contains("being checked"), "{answer}");

    // Put right, it is as before, told once.
    let enable = Change::EnableGroup("engineering".into());
    world.here.people.change(enable).await.unwrap();
    world.pass("5m").await;
    world.pass("5m").await;
    assert_eq!(world.last_kind(&id).await, "issued");
    let told = world.security_reads().await;
    assert_eq!(told.len(), 2, "{told:#?}");
    assert!(told[1].contains("its people again"), "{}", told[1]);
    world.holds("bob", 1).await;
    judged(&world).await;
}

#[tokio::test]
async fn a_user_group_that_stays_gone_is_believed_after_a_second_look() {
    let world = world().await;
    let id = world.holds("alice", 4).await;
    let disable = Change::DisableGroup("engineering".into());
    world.here.people.change(disable).await.unwrap();
    world.pass("5m").await;
    // A restart neither forgets the doubt nor refuses to start.
    let world = world.restart().await;
    assert_eq!(world.last_kind(&id).await, "issued");
    world.pass("5m").await;
    world.pass("5m").await;
    assert_eq!(world.last_kind(&id).await, "ended");
    let told = world.security_reads().await;
    assert_eq!(told.len(), 3, "{told:#?}");
    assert!(told[1].contains("has lost its people"), "{}", told[1]);
    assert!(told[2].contains("somebody left"), "{}", told[2]);
    for _ in 0..4 {
        world.pass("10m").await;
    }
    assert_eq!(world.security_reads().await.len(), 3, "told once");
}

#[tokio::test]
async fn who_is_taken_out_of_the_config_loses_what_they_hold_at_the_restart() {
    for (from, to) in [
        (
            r#"members = ["person:alice", "person:bob", "person:olga"]"#,
            r#"members = ["person:bob", "person:olga"]"#,
        ),
        (
            "request = [\"group:engineering\"]",
            "never = [\"person:alice\"]\nrequest = [\"group:engineering\"]",
        ),
    ] {
        let mut world = World::start().await;
        let hers = world.holds("alice", 4).await;
        let his = world.holds("bob", 4).await;
        world.here.config = world.here.config.replace(from, to);
        let world = world.restart().await;
        assert_eq!(world.last_kind(&hers).await, "ended");
        assert_eq!(world.left_why(&hers).await, "not_among_those");
        assert_eq!(world.last_kind(&his).await, "issued");
        // That the rules changed, and who lost what by it.
        assert_eq!(world.security_reads().await.len(), 2);
    }
}

#[tokio::test]
async fn who_is_not_in_the_user_group_that_replaces_a_list_loses_what_they_hold() {
    let mut world = World::start().await;
    let hers = world.holds("alice", 4).await;
    let his = world.holds("bob", 4).await;
    world.slack_lists("engineering", &["bob", "olga"]).await;
    world.here.config = world.here.config.replace(
        r#"members = ["person:alice", "person:bob", "person:olga"]"#,
        r#"slack_usergroup = "engineering""#,
    );
    let World { here, app } = world;
    app.stop().await;
    let world = World {
        app: here.bot().await,
        here,
    };
    // Her things are looked at before anybody knows who is in the user group: that ends nothing.
    world
        .slack_fails("usergroups.list", 1, FaultKind::Drop)
        .await;
    world.settle().await;
    assert_eq!(world.last_kind(&hers).await, "issued");
    world.pass("10s").await;
    assert_eq!(world.last_kind(&hers).await, "ended");
    assert_eq!(world.last_kind(&his).await, "issued");
}

#[tokio::test]
async fn who_leaves_while_the_bot_is_down_loses_it_at_the_start() {
    let world = world().await;
    let id = world.holds("alice", 4).await;
    world.here.people.deactivate("U0ALICE").await.unwrap();
    world.nobody_works_for(30);
    let world = world.restart().await;
    assert_eq!(world.last_kind(&id).await, "ended");
}

/// A request of alice's that bob approved, whose facts are too old when it is about to be given.
async fn approved_by_old_facts() -> (World, String) {
    let world = World::with(Setup {
        more_config: "[directory]\nfresh_for = \"2m\"".into(),
        ..Setup::with_usergroups()
    })
    .await;
    let id = world
        .asks("alice", "/jit request staging-ssh 1h please")
        .await;
    let card = world.card(&id).await;
    let approve = card.button("Approve").unwrap().action_id.clone();
    let people = &world.here.people;
    let press = people.press("bob", APPROVALS, &card.ts, &approve);
    assert!(press.await.unwrap().acked);
    world.nobody_works_for(3);
    (world, id)
}

#[tokio::test]
async fn who_left_between_the_approval_and_the_access_is_given_nothing() {
    let (world, id) = approved_by_old_facts().await;
    world.slack_lists("engineering", &["bob", "olga"]).await;
    world.settle().await;
    world.pass("10s").await;
    let kinds = world.kinds(&id).await;
    assert_eq!(
        kinds,
        ["requested", "approved", "end_ordered", "grant_cancelled"]
    );
    let told = world.told("alice").await.join("\n");
    assert!(!told.contains("-cert-v01"), "{told}");
}

#[tokio::test]
async fn access_waits_for_facts_and_is_given_when_they_come() {
    let (world, id) = approved_by_old_facts().await;
    world
        .slack_fails("usergroups.list", 3, FaultKind::Status(500))
        .await;
    world.settle().await;
    world.pass("5s").await;
    assert_eq!(world.kinds(&id).await, ["requested", "approved"]);
    for _ in 0..5 {
        world.pass("10s").await;
    }
    assert_eq!(world.last_kind(&id).await, "issued");
}

#[tokio::test]
async fn access_whose_facts_never_come_is_given_to_nobody() {
    let (world, id) = approved_by_old_facts().await;
    world
        .slack_fails("usergroups.list", 10_000, FaultKind::Status(500))
        .await;
    for _ in 0..16 {
        world.pass("30s").await;
    }
    let kinds = world.kinds(&id).await;
    assert!(!kinds.contains(&"issue_intended".to_owned()), "{kinds:?}");
    assert!(kinds.contains(&"grant_cancelled".to_owned()), "{kinds:?}");
}
