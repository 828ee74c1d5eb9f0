//! A user group whose name in the config has come to mean another one in Slack.

use jitbot::sandbox::people::{Change, FaultKind};

use super::judged;
use super::support::{Setup, World};

const MOVED: &str = "means another user group now";

impl World {
    async fn renames(&self, group: &str, handle: &str) {
        let (group, handle) = (group.to_owned(), handle.to_owned());
        self.changes(Change::RenameGroup { group, handle }).await;
    }

    /// The newcomers call themselves as the engineers did.
    async fn newcomers_take_the_name(&self) {
        self.renames("S0ENG", "engineers").await;
        self.renames("S0NEW", "engineering").await;
    }

    async fn may_ask(&self, who: &str) -> bool {
        let typed = "/jit request staging-ssh 1h please";
        !self.types(who, typed).await.contains("can be asked for by")
    }
}

#[tokio::test]
async fn the_group_that_was_found_first_counts_until_the_config_names_the_other_by_its_id() {
    let world = World::with(Setup::with_usergroups()).await;
    let id = world
        .asks("alice", "/jit request staging-ssh 2h please")
        .await;
    world.presses("bob", "Approve", &id).await;
    world.newcomers_take_the_name().await;
    let mut world = world.restart().await;
    let told = world.security_reads().await;
    assert_eq!(told.len(), 1, "{told:#?}");
    for part in [
        MOVED,
        "S0ENG",
        "S0NEW",
        "engineering",
        "slack_usergroup = \"S0NEW\"",
    ] {
        assert!(told[0].contains(part), "{part}: {}", told[0]);
    }
    assert!(world.may_ask("alice").await);
    assert!(!world.may_ask("erin").await, "nobody let her in");
    assert_eq!(world.kinds(&id).await.last().unwrap(), "issued");
    let record = world.record().await;
    let started = record.iter().rfind(|e| e["kind"] == "started").unwrap();
    assert_eq!(
        started["facts"]["groups"]["engineering"],
        "slack:T0SHOP/S0ENG"
    );
    assert_eq!(
        started["facts"]["moved"]["engineering"],
        "slack:T0SHOP/S0NEW"
    );

    // Told once, whatever is started and read again, also where Slack does not say at a start.
    world
        .reloads("[security]", "# a word\n[security]")
        .await
        .unwrap();
    world = world.restart().await;
    world
        .slack_fails("usergroups.list", 1, FaultKind::Status(500))
        .await;
    world = world.restart().await;
    world = world.restart().await;
    assert_eq!(world.security_reads_with(MOVED).await, 1);
    assert!(!world.may_ask("erin").await);

    // It was over, and is again.
    world.renames("S0NEW", "newcomers").await;
    world.renames("S0ENG", "engineering").await;
    world.reloads("# a word", "# another word").await.unwrap();
    assert_eq!(world.security_reads_with(MOVED).await, 1);
    world.newcomers_take_the_name().await;
    world.reloads("# another word", "# words").await.unwrap();
    assert_eq!(world.security_reads_with(MOVED).await, 2);
    assert_eq!(world.kinds(&id).await.last().unwrap(), "issued");

    world
        .reloads(
            "slack_usergroup = \"engineering\"",
            "slack_usergroup = \"S0NEW\"",
        )
        .await
        .unwrap();
    assert!(world.may_ask("erin").await);
    assert!(!world.may_ask("alice").await);
    assert_eq!(world.kinds(&id).await.last().unwrap(), "ended");
    assert_eq!(world.security_reads_with(MOVED).await, 2);
    judged(&world).await;
}

#[tokio::test]
async fn a_group_that_is_disabled_and_whose_name_another_took_is_doubted_like_any_other() {
    let world = World::with(Setup::with_usergroups()).await;
    let id = world
        .asks("alice", "/jit request staging-ssh 8h please")
        .await;
    world.presses("bob", "Approve", &id).await;
    world.changes(Change::DisableGroup("S0ENG".into())).await;
    world.renames("S0NEW", "engineering").await;
    let world = world.restart().await;
    assert_eq!(world.security_reads_with(MOVED).await, 1);
    world.pass("6m").await;
    assert_eq!(world.security_reads_with("lost its people").await, 1);
    let said = world
        .types("alice", "/jit request staging-ssh 1h more")
        .await;
    assert!(said.contains("being checked"), "nothing new: {said}");
    assert_eq!(world.kinds(&id).await.last().unwrap(), "issued");
    world.pass("5m").await;
    world.pass("6m").await;
    assert_eq!(world.kinds(&id).await.last().unwrap(), "ended");
    for who in ["alice", "erin"] {
        assert!(!world.may_ask(who).await, "{who}");
    }
    judged(&world).await;
}
