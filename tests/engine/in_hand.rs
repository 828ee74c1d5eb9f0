//! Secrets that were made and are not sent yet.

use jitbot::domain::grant::GrantState;
use jitbot::issuer::Capabilities;

use super::world::{PLAIN, World};

#[tokio::test]
async fn a_secret_that_was_not_sent_is_dropped_as_soon_as_the_access_is_taken_away() {
    let world = World::over(Capabilities {
        makes_secret: true,
        ..PLAIN
    })
    .await;
    world.board.wants_peace(1);
    let id = world.gives("alice", "orders").await;
    assert_eq!(world.state(&id).await, GrantState::Active);
    assert_eq!(world.effects.secrets_in_hand(), 1, "it waits to be sent");
    world.done("alice", &id).await;
    world.settle().await;
    assert_eq!(world.state(&id).await, GrantState::Ended);
    // Its letter is still to come, and would not hold it any more.
    assert_eq!(world.effects.secrets_in_hand(), 0);
    world.pass(600).await;
    let told = format!(
        "{:?}",
        world.board.letters(super::house::account("alice").as_str())
    );
    assert!(!told.contains("IssuedSecret"), "{told}");

    let sent = world.gives("erin", "orders").await;
    assert_eq!(world.state(&sent).await, GrantState::Active);
    assert_eq!(world.effects.secrets_in_hand(), 0, "it was sent");
}
