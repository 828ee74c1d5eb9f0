//! What a card says, before anybody approves, of how the access ends.

use jitbot::chat::card::HowItEnds;
use jitbot::issuer::{Capabilities, EarlyEnd, NativeExpiry};

use super::world::World;

async fn card_says(can: Capabilities) -> HowItEnds {
    let world = World::over(can).await;
    let id = world.asks("alice", "orders").await;
    let cards = world.board.cards(&id);
    assert_eq!(cards.len(), 1, "nothing but the first drawing");
    cards[0].how_it_ends
}

#[tokio::test]
async fn a_card_promises_exactly_what_the_target_can_do() {
    use {EarlyEnd as E, NativeExpiry as N};
    for native_expiry in [N::None, N::Advisory, N::Enforced] {
        for (early_end, can_end_early, can_be_seen) in [
            (E::Impossible, false, false),
            (E::ToldOnly, true, false),
            (E::Seen, true, true),
        ] {
            for sessions_outlive in [false, true] {
                let can = Capabilities {
                    native_expiry,
                    early_end,
                    sessions_outlive,
                    settles_within_s: 0,
                    makes_secret: false,
                };
                let expected = HowItEnds {
                    enforced_by_target: native_expiry == N::Enforced,
                    can_end_early,
                    can_be_seen,
                    sessions_outlive,
                };
                assert_eq!(card_says(can.clone()).await, expected, "{can:?}");
            }
        }
    }
}
