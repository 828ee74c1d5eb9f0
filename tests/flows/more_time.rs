//! More time for access that is held.

use super::judged;
use super::support::{Setup, World, reference};
use jitbot::sandbox::people::FaultKind;

/// Alice holds staging-ssh for an hour.
async fn held(world: &World) -> String {
    let id = world
        .asks("alice", "/jit request staging-ssh 1h deploy is stuck")
        .await;
    world.presses("bob", "Approve", &id).await;
    id
}

/// The newest card that asks for more time.
async fn extension(world: &World, id: &str) -> String {
    let told = world.whispers("alice").await;
    let asked = told.last().unwrap();
    let more = reference(asked).unwrap();
    assert_ne!(more, id, "{asked}");
    more
}

fn certificates(told: &[String]) -> usize {
    told.iter()
        .filter(|one| one.contains("-cert-v01@openssh.com"))
        .count()
}

#[tokio::test]
async fn asked_on_the_reminder_approved_by_people_and_given() {
    let world = World::start().await;
    let id = held(&world).await;
    world.pass("51m").await;
    let reminder = world.told_with("alice", "Extend").await;
    world.presses_on("alice", &reminder, "Extend").await;
    let form = world.form("alice", "Ask for more time").await;
    assert!(form.visible_text.contains(&id), "{}", form.visible_text);
    world
        .sends(
            "alice",
            &[
                ("jitbot_duration", "30m"),
                ("jitbot_reason", "still failing"),
            ],
        )
        .await;

    let told = world.told("alice").await;
    let asked = told.last().unwrap();
    assert!(asked.contains("30m more"), "{asked}");
    let more = reference(asked).unwrap();
    let card = world.card(&more).await;
    for part in ["30m more", "1h 30m in all", "still failing"] {
        assert!(
            card.visible_text.contains(part),
            "{part}: {}",
            card.visible_text
        );
    }
    world.presses("dana", "Approve", &more).await;
    let told = world.told("alice").await;
    assert_eq!(certificates(&told), 2, "{told:#?}");
    assert!(
        told.last().unwrap().contains("goes on working"),
        "{told:#?}"
    );
    assert_eq!(
        world.kinds(&more).await,
        ["requested", "approved", "extend_intended", "extended"]
    );

    // Whoever looks at what was asked for first sees it there too.
    let status = world.types("bob", &format!("/jit status {id}")).await;
    let thread = world.thread(&id).await.join("\n");
    for told in [status, world.card(&id).await.visible_text, thread] {
        let of_it = told.split("More time").nth(1).unwrap_or_default();
        assert!(of_it.contains(&more), "{told}");
    }

    // Past the old end it is still there, and another reminder comes before the new one.
    world.pass("30m").await;
    let status = world.types("alice", &format!("/jit status {id}")).await;
    assert!(status.contains("Live until"), "{status}");
    let reminders = world
        .told("alice")
        .await
        .iter()
        .filter(|one| one.contains("Ends soon"))
        .count();
    assert_eq!(reminders, 2);
    world.pass("10m").await;
    let status = world.types("alice", &format!("/jit status {id}")).await;
    assert!(status.contains("Ended."), "{status}");
    assert_eq!(
        world.kinds(&id).await,
        [
            "requested",
            "approved",
            "issue_intended",
            "issued",
            "end_ordered",
            "ended"
        ]
    );
    judged(&world).await;
}

#[tokio::test]
async fn what_is_not_approved_leaves_the_end_as_it_was() {
    let world = World::start().await;
    let id = held(&world).await;
    world.types("alice", &format!("/jit extend {id} 1h")).await;
    let denied = world.asks("alice", &format!("/jit extend {id} 2h")).await;
    world.denies("dana", &denied, "enough").await;
    world.pass("61m").await;
    let status = world.types("alice", &format!("/jit status {id}")).await;
    assert!(status.contains("Ended."), "{status}");
    // The one that nobody decided ran out with the access.
    let mine = world.types("alice", "/jit list").await;
    assert!(mine.contains("no open requests"), "{mine}");
}

#[tokio::test]
async fn nobody_approves_more_time_for_themselves_and_nobody_else_asks_for_it() {
    let world = World::start().await;
    let id = world.asks("bob", "/jit request staging-ssh 1h mine").await;
    world.presses("dana", "Approve", &id).await;
    for other in ["dana", "carol", "alice"] {
        let said = world.types(other, &format!("/jit extend {id} 1h")).await;
        assert!(
            said.contains("Only who") || said.contains("nothing with"),
            "{other}: {said}"
        );
    }
    let more = world.asks("bob", &format!("/jit extend {id} 1h")).await;
    world.presses("bob", "Approve", &more).await;
    assert_eq!(world.kinds(&more).await, ["requested", "refused"]);
}

#[tokio::test]
async fn more_time_ends_where_the_resource_says_that_all_of_it_ends() {
    let world = World::start().await;
    let id = held(&world).await;
    let said = world.types("alice", &format!("/jit extend {id} 8h")).await;
    assert!(
        said.contains("9h in all") && said.contains("at most 8h"),
        "{said}"
    );
    let said = world.types("alice", &format!("/jit extend {id}")).await;
    assert_eq!(said, "", "a form opens");
    world.form("alice", "Ask for more time").await;
    let wrong = world
        .refused_at("alice", &[("jitbot_duration", "7h1m")])
        .await;
    assert!(wrong["jitbot_duration"].contains("in all"), "{wrong:?}");
    world.sends("alice", &[("jitbot_duration", "7h")]).await;
    extension(&world, &id).await;
}

#[tokio::test]
async fn a_rule_gives_more_time_only_up_to_its_cap() {
    let world = World::start().await;
    let id = world
        .asks("olga", "/jit request staging-ssh 30m pager went off")
        .await;
    let said = world.types("olga", &format!("/jit extend {id} 10m")).await;
    assert!(said.contains("by a rule"), "{said}");
    let until = world.types("olga", &format!("/jit status {id}")).await;
    assert!(until.contains("Live until"), "{until}");
    // The rule gives an hour on end; with this it would be more.
    let said = world.types("olga", &format!("/jit extend {id} 30m")).await;
    assert!(said.contains("It waits for"), "people decide: {said}");
}

#[tokio::test]
async fn access_that_is_given_back_takes_its_open_wishes_with_it() {
    let world = World::start().await;
    let id = held(&world).await;
    let more = world.asks("alice", &format!("/jit extend {id} 1h")).await;
    assert!(!world.card(&more).await.buttons.is_empty());
    world.types("alice", &format!("/jit done {id}")).await;
    assert!(world.card(&more).await.buttons.is_empty());
    assert_eq!(world.kinds(&more).await, ["requested", "cancelled"]);
    let next_nine = world.next_digest();
    world.pass(&next_nine).await;
    let digest = world.security_reads().await.pop().unwrap();
    assert!(
        digest.contains("1 cancelled because the access had ended")
            && !digest.contains("who asked left"),
        "{digest}"
    );
    let said = world.types("alice", &format!("/jit extend {id} 1h")).await;
    assert!(said.contains("has ended"), "{said}");
}

#[tokio::test]
async fn the_same_wish_for_more_time_is_one_request() {
    let world = World::start().await;
    let id = held(&world).await;
    let more = world.asks("alice", &format!("/jit extend {id} 1h")).await;
    let again = world.types("alice", &format!("/jit extend {id} 1h")).await;
    assert!(
        again.contains(&more) && again.contains("already"),
        "{again}"
    );
    assert_eq!(world.cards(&more).await.len(), 1);
}

#[tokio::test]
async fn im_done_on_the_reminder_gives_it_back() {
    let world = World::start().await;
    let id = held(&world).await;
    world.pass("51m").await;
    let reminder = world.told_with("alice", "I'm done").await;
    world.presses_on("alice", &reminder, "I'm done").await;
    let status = world.types("alice", &format!("/jit status {id}")).await;
    assert!(status.contains("Ended."), "{status}");
    let messages = world.here.people.direct_messages("U0ALICE").await.unwrap();
    let drawn = messages.iter().find(|one| one.ts == reminder.ts).unwrap();
    assert!(drawn.buttons.is_empty(), "{}", drawn.visible_text);
    assert!(
        drawn.visible_text.contains("given back"),
        "{}",
        drawn.visible_text
    );
    judged(&world).await;
}

#[tokio::test]
async fn what_is_over_waits_for_no_facts_about_its_holder() {
    let world = World::with(Setup::with_usergroups()).await;
    let id = held(&world).await;
    let more = world.asks("alice", &format!("/jit extend {id} 1h")).await;
    world.presses_only("dana", "Approve", &more).await;
    world.only_types("alice", &format!("/jit done {id}")).await;
    world.nobody_works_for(11);
    for method in ["usergroups.list", "users.info"] {
        world
            .slack_fails(method, 1_000, FaultKind::Status(500))
            .await;
    }
    world.settle().await;
    let kinds = world.kinds(&more).await;
    assert_eq!(kinds.last().unwrap(), "not_extended", "{kinds:?}");
    assert_eq!(world.kinds(&id).await.last().unwrap(), "ended");
}
