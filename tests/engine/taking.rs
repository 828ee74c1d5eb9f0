//! Taking access away is tried again until the target is empty, whatever it says meanwhile.

use jitbot::chat::card::Letter;
use jitbot::domain::grant::{Evidence, GrantState};
use jitbot::domain::ids::RequestId;

use super::house::{self, LASTS_S};
use super::target::{Does, Sees, What};
use super::world::World;

async fn was_seen_gone_after(world: &World, id: &RequestId, failures: i64, what: &str) {
    let grant = world.grant(id).await;
    assert_eq!(grant.state, GrantState::Ended, "{what}");
    assert_eq!(grant.evidence, Some(Evidence::SeenGone), "{what}");
    assert_eq!(grant.revoke_failures, failures, "{what}");
    world.is_over_for_good().await;
}

async fn takes_one_failure(world: World, does: Does) {
    let what = format!("{does:?}");
    let id = world.gives("alice", "orders").await;
    world.target.revokes(&[does]);
    world.done("alice", &id).await;
    world.settle().await;
    let grant = world.grant(&id).await;
    assert_eq!(grant.state, GrantState::Revoking, "{what}");
    assert_eq!((grant.ended_at, grant.evidence), (None, None), "{what}");
    world.pass(60).await;
    assert_eq!(world.target.calls(What::Revoke).len(), 2, "{what}");
    was_seen_gone_after(&world, &id, 1, &what).await;
}

#[tokio::test]
async fn whatever_a_target_says_when_it_is_to_take_away_it_is_told_again() {
    for does in [
        Does::Retries,
        Does::Refuses,
        Does::RefusesAfter,
        Does::UnknownBefore,
        Does::UnknownAfter,
        Does::PanicsBefore,
        Does::PanicsAfter,
    ] {
        takes_one_failure(World::start().await, does).await;
    }
}

#[tokio::test]
async fn a_handler_that_hangs_while_it_takes_away_is_tried_again() {
    for does in [Does::HangsBefore, Does::HangsAfter] {
        takes_one_failure(World::impatient().await, does).await;
    }
}

#[tokio::test]
async fn a_target_that_says_done_and_still_shows_the_access_is_told_again() {
    takes_one_failure(World::start().await, Does::Lies).await;
}

#[tokio::test]
async fn a_target_that_does_not_answer_when_it_is_asked_is_asked_again() {
    let world = World::start().await;
    let id = world.gives("alice", "orders").await;
    world.target.sees(Sees::Fails);
    world.done("alice", &id).await;
    world.settle().await;
    assert_eq!(world.state(&id).await, GrantState::Revoking);
    world.target.sees(Sees::Truth);
    world.pass(60).await;
    was_seen_gone_after(&world, &id, 1, "asked again").await;
}

#[tokio::test]
async fn a_target_that_wants_to_be_left_alone_for_a_day_is_told_again_within_minutes() {
    let world = World::start().await;
    let id = world.gives("alice", "orders").await;
    world.target.revokes(&[Does::RetriesAfter(86_400)]);
    world.done("alice", &id).await;
    world.pass(299).await;
    assert_eq!(world.target.calls(What::Revoke).len(), 1, "not left alone");
    world.pass(1).await;
    was_seen_gone_after(&world, &id, 1, "after its wait").await;
}

#[tokio::test]
async fn taking_away_is_never_given_up_and_security_is_told_once() {
    let world = World::start().await;
    let id = world.gives("alice", "orders").await;
    let cycle = [
        Does::Refuses,
        Does::UnknownBefore,
        Does::Retries,
        Does::PanicsBefore,
    ];
    let script: Vec<Does> = cycle.into_iter().cycle().take(220).collect();
    world.target.revokes(&script);
    let told = || {
        let letters = world.board.letters(house::security().as_str());
        let count = |found: fn(&&Letter) -> bool| letters.iter().filter(found).count();
        let stuck = count(|letter| matches!(letter, Letter::Stuck { .. }));
        let healed = count(|letter| matches!(letter, Letter::Healed(_)));
        (stuck, healed)
    };
    world.done("alice", &id).await;
    world.pass(60).await;
    assert_eq!(told(), (1, 0));
    let mut failures = 0;
    while failures < 200 {
        world.pass(LASTS_S / 4).await;
        let grant = world.grant(&id).await;
        assert_eq!(grant.state, GrantState::Stuck);
        assert!(grant.stuck_since.is_some());
        assert!(
            grant.revoke_failures >= failures + 15,
            "tried too seldom: {} after {failures}",
            grant.revoke_failures
        );
        failures = grant.revoke_failures;
        assert_eq!(told(), (1, 0), "after {failures} failures");
        assert_eq!(world.target.live(), [id.grant()]);
    }
    world.pass(LASTS_S).await;
    was_seen_gone_after(&world, &id, 220, "once it heals").await;
    assert_eq!(world.grant(&id).await.stuck_since, None);
    assert_eq!(told(), (1, 1));
    let record = world.record(&id).await;
    let stuck = record.iter().filter(|kind| *kind == "stuck").count();
    assert_eq!(stuck, 1, "{record:?}");
}
