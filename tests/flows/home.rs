//! The Home tab, sending again, the card's thread, and the lists.

use jitbot::sandbox::people::{Press, SeenView, Surface};

use super::judged;
use super::support::{Setup, World, id_of};

impl World {
    async fn opens_home(&self, who: &str, needle: &str) -> SeenView {
        assert!(self.here.people.open_home(id_of(who)).await.unwrap());
        self.form(who, needle).await
    }

    async fn presses_at_home(&self, who: &str, home: &SeenView, label: &str) {
        let button = home
            .buttons
            .iter()
            .find(|button| button.text.contains(label))
            .unwrap_or_else(|| panic!("no {label} in {}", home.visible_text));
        let press = Press {
            user: id_of(who).to_owned(),
            surface: Surface::Home,
            action_id: button.action_id.clone(),
            block_id: Some(button.block_id.clone()),
            option: None,
        };
        let answer = self.here.people.press_on(press).await.unwrap();
        assert!(answer.acked, "{answer:?}");
        self.settle().await;
    }
}

#[tokio::test]
async fn home_shows_what_is_mine_and_what_waits_for_me() {
    let world = World::start().await;
    let home = world.opens_home("alice", "You hold no access").await;
    for part in ["What you may ask for", "staging-ssh", "prod-ssh"] {
        assert!(home.visible_text.contains(part), "{}", home.visible_text);
    }
    world
        .presses_at_home("alice", &home, "Ask for access")
        .await;
    world.form("alice", "For how long").await;
    world
        .sends(
            "alice",
            &[
                ("jitbot_resource", "staging-ssh"),
                ("jitbot_reason", "deploy"),
            ],
        )
        .await;
    // Answered in the conversation with her, for there was no channel.
    let told = world.last_told("alice").await;
    let id = super::support::reference(&told).unwrap();
    assert!(told.contains("It waits for"), "{told}");

    let his = world.opens_home("bob", "What waits for you").await;
    assert!(
        his.visible_text.contains(&id) && his.visible_text.contains("alice"),
        "{}",
        his.visible_text
    );
    world.presses("bob", "Approve", &id).await;

    let home = world.opens_home("alice", "Send again").await;
    assert!(home.visible_text.contains(&id), "{}", home.visible_text);
    let before = world.told("alice").await.len();
    world.presses_at_home("alice", &home, "Send again").await;
    let told = world.told("alice").await;
    assert_eq!(told.len(), before + 1, "{told:#?}");
    assert!(told[before].contains("-cert-v01@openssh.com"), "{told:#?}");

    world.presses_at_home("alice", &home, "I'm done").await;
    let status = world.types("alice", &format!("/jit status {id}")).await;
    assert!(status.contains("Ended."), "{status}");
    // Drawn anew after the press.
    world.form("alice", "You hold no access").await;
    judged(&world).await;
}

#[tokio::test]
async fn the_thread_of_a_card_tells_what_happened_and_pings_nobody() {
    let world = World::start().await;
    let id = world
        .asks("alice", "/jit request prod-ssh 30m hotfix")
        .await;
    world.presses("bob", "Approve", &id).await;
    let told = world.thread(&id).await.join("\n");
    assert!(told.contains("Approved by bob; more are needed"), "{told}");
    world.presses("dana", "Approve", &id).await;
    world
        .types("carol", &format!("/jit revoke {id} not now"))
        .await;
    let told = world.thread(&id).await.join("\n");
    for part in [
        "Approved by dana",
        "Given, until",
        "it was revoked by carol",
        "Over.",
    ] {
        assert_eq!(told.matches(part).count(), 1, "{part}: {told}");
    }
    let pinged = world.here.people.pinged().await.unwrap();
    let in_threads: Vec<_> = pinged
        .iter()
        .filter(|ping| told.contains(&ping.ts))
        .collect();
    assert!(in_threads.is_empty(), "{in_threads:?}");
    judged(&world).await;
}

#[tokio::test]
async fn lists_and_questions_show_what_each_person_may_know() {
    let world = World::start().await;
    let id = world
        .asks("alice", "/jit request staging-ssh 1h deploy")
        .await;
    let waiting = world.types("bob", "/jit list waiting").await;
    assert!(waiting.contains(&id), "{waiting}");
    let none = world.types("alice", "/jit list waiting").await;
    assert!(!none.contains(&id), "her own is not hers to decide: {none}");
    let refused = world.types("bob", "/jit list all").await;
    assert!(refused.contains("Only security"), "{refused}");
    let all = world.types("carol", "/jit list all").await;
    assert!(all.contains(&id), "{all}");

    let offers = world.types("alice", "/jit resources").await;
    assert!(
        offers.contains("staging-ssh") && offers.contains("Up to 8h"),
        "{offers}"
    );
    let offers = world.types("erin", "/jit resources").await;
    assert!(offers.contains("nothing that you may ask for"), "{offers}");

    world.presses("bob", "Approve", &id).await;
    let who = world.types("dana", "/jit who staging-ssh").await;
    assert!(who.contains("Held now") && who.contains("alice"), "{who}");
    let who = world.types("olga", "/jit who staging-ssh").await;
    assert!(who.contains("is for its approvers"), "{who}");
    let who = world.types("erin", "/jit who staging-ssh").await;
    assert!(who.contains("can be asked for by"), "{who}");

    let said = world.types("alice", "/jit explain staging-ssh 2h").await;
    assert!(said.contains("1 approval would be needed"), "{said}");
    let said = world.types("olga", "/jit explain staging-ssh 30m").await;
    assert!(said.contains("auto_approve[0]"), "{said}");
    let said = world.types("alice", "/jit explain staging-ssh 9h").await;
    assert!(said.contains("at most 8h"), "{said}");
    assert_eq!(world.kinds(&id).await.len(), 4, "questions change nothing");
}

#[tokio::test]
async fn a_thread_goes_on_past_what_nobody_reads() {
    let world = World::start().await;
    let id = world
        .asks("alice", "/jit request staging-ssh 1h deploy")
        .await;
    for _ in 0..90 {
        let typed = format!("/jit revoke {id} no");
        world.only_types("erin", &typed).await;
    }
    world.presses("bob", "Approve", &id).await;
    let told = world.thread(&id).await.join("\n");
    assert!(told.contains("Approved by bob"), "{told}");
    world.types("alice", &format!("/jit done {id}")).await;
    let told = world.thread(&id).await.join("\n");
    for part in ["Approved by bob", "Given, until", "Over."] {
        assert_eq!(told.matches(part).count(), 1, "{part}: {told}");
    }
}

#[tokio::test]
async fn home_that_is_drawn_after_a_press_knows_the_user_groups() {
    let world = World::with(Setup::with_usergroups()).await;
    let held = world
        .asks("bob", "/jit request staging-ssh 1h deploy")
        .await;
    world.presses("dana", "Approve", &held).await;
    let waits = world
        .asks("alice", "/jit request staging-ssh 1h deploy")
        .await;
    let home = world.opens_home("bob", "What waits for you").await;
    world.presses_at_home("bob", &home, "I'm done").await;
    let home = world.form("bob", "Being taken away").await;
    for part in [waits.as_str(), "What you may ask for", "prod-ssh"] {
        assert!(home.visible_text.contains(part), "{}", home.visible_text);
    }
}

#[tokio::test]
async fn how_to_use_it_is_sent_again_at_most_twice_a_minute() {
    let world = World::start().await;
    let id = world
        .asks("alice", "/jit request staging-ssh 1h deploy")
        .await;
    world.presses("bob", "Approve", &id).await;
    let before = world.told("alice").await.len();
    let home = world.opens_home("alice", "Send again").await;
    let sent = async || {
        let told = world.told("alice").await.len() - before;
        let kinds = world.kinds(&id).await;
        let recorded = kinds.iter().filter(|kind| *kind == "sent_again").count();
        (told, recorded)
    };
    for _ in 0..5 {
        world.presses_at_home("alice", &home, "Send again").await;
    }
    assert_eq!(sent().await, (1, 1));
    world.pass("31s").await;
    for _ in 0..2 {
        world.presses_at_home("alice", &home, "Send again").await;
    }
    assert_eq!(sent().await, (2, 2));

    // While one could not be sent, no press orders another.
    world.pass("31s").await;
    let fails = jitbot::sandbox::people::FaultKind::Status(500);
    world.slack_fails("chat.postMessage", 3, fails).await;
    world.presses_at_home("alice", &home, "Send again").await;
    world.here.clock.advance(chrono::TimeDelta::seconds(31));
    world.presses_at_home("alice", &home, "Send again").await;
    assert_eq!(sent().await.1, 3);
    judged(&world).await;
}
