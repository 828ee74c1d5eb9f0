//! Channels that are archived, renamed, or without the bot: told once to whoever can act, gone around,
//! and used again when they are back. Nothing stops being due.

use super::judged;
use super::support::{APPROVALS, ELSEWHERE, Setup, Site, World, id_of, reference};
use jitbot::sandbox::people::{Change, FaultKind, SeenMessage};

const FALLBACK: &str = "[slack]\nfallback_channel = \"slack:#elsewhere\"";

/// A world whose cards have somewhere else to go.
pub async fn with_fallback() -> World {
    let mut site = Site::with(&Setup::default()).await;
    site.config = site.config.replace("[slack]", FALLBACK);
    site.world().await
}

impl World {
    pub async fn changes(&self, change: Change) {
        self.here.people.change(change).await.unwrap();
    }

    /// Asks where a command can still be typed; the reference and the answer.
    pub async fn asks_elsewhere(&self, who: &str, typed: &str) -> (String, String) {
        let answer = self
            .here
            .people
            .command(id_of(who), ELSEWHERE, typed)
            .await
            .unwrap();
        assert!(answer.acked, "{typed}: {answer:?}");
        self.settle().await;
        let said = answer.visible_text;
        let id = reference(&said).unwrap_or_else(|| panic!("{typed}: {said}"));
        (id, said)
    }

    pub async fn cards_in(&self, channel: &str, request: &str) -> Vec<SeenMessage> {
        let there = self.here.people.messages("U0BOB", channel).await.unwrap();
        there
            .into_iter()
            .filter(|m| !m.ephemeral && m.visible_text.contains(request))
            .collect()
    }

    pub async fn presses_in(&self, channel: &str, who: &str, label: &str, card: &SeenMessage) {
        let button = card.buttons.iter().find(|b| b.text.contains(label));
        let button = button.unwrap_or_else(|| panic!("no {label} on {}", card.visible_text));
        let press = self
            .here
            .people
            .press(id_of(who), channel, &card.ts, &button.action_id)
            .await
            .unwrap();
        assert!(press.acked, "{press:?}");
        self.settle().await;
    }

    pub async fn times_told(&self, who: &str, words: &str) -> usize {
        let told = self.told(who).await;
        told.iter().filter(|text| text.contains(words)).count()
    }

    pub async fn security_reads_with(&self, words: &str) -> usize {
        let read = self.security_reads().await;
        read.iter().filter(|text| text.contains(words)).count()
    }
}

pub const LOST: &str = "A channel can't be posted to";
pub const BACK: &str = "A channel can be posted to again";

#[tokio::test]
async fn cards_go_to_the_fallback_count_there_and_go_back_when_their_channel_is_back() {
    let world = with_fallback().await;
    world.changes(Change::Archive(APPROVALS.into())).await;
    let (first, _) = world
        .asks_elsewhere("alice", "/jit request staging-ssh 1h one")
        .await;
    let cards = world.cards_in(ELSEWHERE, &first).await;
    assert_eq!(cards.len(), 1, "{cards:#?}");
    assert!(world.cards_in(APPROVALS, &first).await.is_empty());
    let told = world.last_told("alice").await;
    assert!(
        told.contains(&first) && told.contains("#elsewhere"),
        "the requester knows where: {told}"
    );
    let told = world.security_reads().await;
    assert_eq!(told.len(), 1, "{told:#?}");
    for needed in [LOST, "is_archived", "staging-ssh", "#elsewhere", "/invite"] {
        assert!(told[0].contains(needed), "{needed}: {}", told[0]);
    }

    // Known by now: it goes there at once, and the answer says so.
    let (second, said) = world
        .asks_elsewhere("alice", "/jit request staging-ssh 2h two")
        .await;
    assert!(said.contains("#elsewhere"), "{said}");
    assert_eq!(world.cards_in(ELSEWHERE, &second).await.len(), 1);
    assert_eq!(world.times_told("alice", &second).await, 0, "nothing moved");

    world
        .presses_in(ELSEWHERE, "bob", "Approve", &cards[0])
        .await;
    assert_eq!(world.kinds(&first).await.last().unwrap(), "issued");
    for _ in 0..12 {
        world.pass("5m").await;
    }
    assert_eq!(world.security_reads().await.len(), 1, "told once");
    assert_eq!(world.kinds(&first).await.last().unwrap(), "ended");

    world.changes(Change::Unarchive(APPROVALS.into())).await;
    world.pass("6m").await;
    assert_eq!(world.security_reads_with(BACK).await, 1);
    let third = world
        .asks("alice", "/jit request staging-ssh 3h three")
        .await;
    world.presses("bob", "Approve", &third).await;
    assert_eq!(world.kinds(&third).await.last().unwrap(), "issued");

    // And again: each time is told once.
    world.changes(Change::Archive(APPROVALS.into())).await;
    world
        .asks_elsewhere("bob", "/jit request staging-ssh 1h four")
        .await;
    world.pass("30m").await;
    assert_eq!(world.security_reads_with(LOST).await, 2);
    judged(&world).await;
}

#[tokio::test]
async fn a_card_that_waits_is_put_elsewhere_and_the_old_one_no_longer_counts() {
    let world = with_fallback().await;
    let id = world
        .asks("alice", "/jit request staging-ssh 1h please")
        .await;
    let old = world.card(&id).await;
    world.changes(Change::RemoveBot(APPROVALS.into())).await;
    // Nobody draws it and nobody presses it: the channels are looked at.
    world.pass("11m").await;
    let cards = world.cards_in(ELSEWHERE, &id).await;
    assert_eq!(cards.len(), 1, "{cards:#?}");
    assert_eq!(world.times_told("alice", "#elsewhere").await, 1);
    assert_eq!(world.security_reads_with(LOST).await, 1);

    // In a channel that we left the old message still stands, and Slack still hands us its presses.
    world.presses_in(APPROVALS, "bob", "Approve", &old).await;
    assert_eq!(world.kinds(&id).await, ["requested", "refused"]);
    world.changes(Change::AddBot(APPROVALS.into())).await;
    world.pass("11m").await;
    let struck = world.cards_in(APPROVALS, &id).await;
    assert_eq!(struck.len(), 1, "{struck:#?}");
    assert!(struck[0].buttons.is_empty(), "{struck:#?}");
    assert!(
        struck[0].visible_text.contains("#elsewhere"),
        "it points to the card: {struck:#?}"
    );

    world
        .presses_in(ELSEWHERE, "bob", "Approve", &cards[0])
        .await;
    assert_eq!(world.kinds(&id).await.last().unwrap(), "issued");
    judged(&world).await;
}

#[tokio::test]
async fn without_a_fallback_requester_and_security_know_and_the_card_comes_when_it_can() {
    let world = World::start().await;
    world.changes(Change::RemoveBot(APPROVALS.into())).await;
    let (id, _) = world
        .asks_elsewhere("alice", "/jit request staging-ssh 1h please")
        .await;
    let told = world.last_told("alice").await;
    assert!(
        told.contains("No approver is shown your request") && told.contains(&id),
        "{told}"
    );
    let lost = world
        .security_reads_with("A card could not be posted")
        .await;
    assert_eq!(lost, 1);
    world.pass("20m").await;
    assert_eq!(world.security_reads().await.len(), 2, "each once");

    world.changes(Change::AddBot(APPROVALS.into())).await;
    world.pass("6m").await;
    let told = world.last_told("alice").await;
    assert!(told.contains("#approvals"), "{told}");
    world.presses("bob", "Approve", &id).await;
    assert_eq!(world.kinds(&id).await.last().unwrap(), "issued");
    judged(&world).await;
}

#[tokio::test]
async fn a_channel_that_is_closed_to_us_is_back_with_the_first_post_that_succeeds() {
    let world = with_fallback().await;
    let closed = FaultKind::SlackError("restricted_action".into());
    let people = &world.here.people;
    people.fault("chat.postMessage", 1, closed).await.unwrap();
    let first = world.asks("alice", "/jit request staging-ssh 1h one").await;
    assert_eq!(world.cards_in(ELSEWHERE, &first).await.len(), 1);
    world.pass("30m").await;
    let told = world.security_reads().await;
    assert_eq!(told.len(), 1, "looking shows nothing: {told:#?}");
    let second = world.asks("alice", "/jit request staging-ssh 2h two").await;
    assert_eq!(world.cards_in(APPROVALS, &second).await.len(), 1);
    assert_eq!(world.security_reads_with(BACK).await, 1);
    world.pass("30m").await;
    assert_eq!(world.security_reads().await.len(), 2);
}

#[tokio::test]
async fn a_card_that_stands_in_a_channel_that_we_left_can_be_pressed_where_nothing_else_is_left() {
    let world = World::start().await;
    let id = world
        .asks("alice", "/jit request staging-ssh 1h please")
        .await;
    let card = world.card(&id).await;
    world.changes(Change::RemoveBot(APPROVALS.into())).await;
    world.pass("11m").await;
    assert_eq!(world.times_told("alice", "No approver is shown").await, 1);
    world.presses_in(APPROVALS, "bob", "Approve", &card).await;
    assert_eq!(world.kinds(&id).await.last().unwrap(), "issued");
    world.changes(Change::AddBot(APPROVALS.into())).await;
    world.pass("11m").await;
    let drawn = world.card(&id).await;
    assert!(drawn.buttons.is_empty(), "{}", drawn.visible_text);
}

#[tokio::test]
async fn a_renamed_channel_is_the_same_and_another_with_its_name_is_not() {
    let world = World::start().await;
    let rename = |channel: &str, name: &str| Change::RenameChannel {
        channel: channel.into(),
        name: name.into(),
    };
    world.changes(rename(APPROVALS, "old-approvals")).await;
    world.changes(rename(ELSEWHERE, "approvals")).await;
    let id = world
        .asks("alice", "/jit request staging-ssh 1h please")
        .await;
    assert_eq!(world.cards_in(ELSEWHERE, &id).await.len(), 0);
    world.presses("bob", "Approve", &id).await;
    assert_eq!(world.kinds(&id).await.last().unwrap(), "issued");
    world.pass("2h").await;
    assert_eq!(world.security_reads().await.len(), 0, "nothing is odd");

    // The config says a name: from the next start on it means the channel that has it then.
    let world = world.restart().await;
    let (id, _) = world
        .asks_elsewhere("alice", "/jit request staging-ssh 1h please")
        .await;
    assert_eq!(world.cards_in(ELSEWHERE, &id).await.len(), 1);
}
