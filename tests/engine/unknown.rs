//! Calls whose outcome nobody knows: an answer that says so, a handler that panics, one that hangs.

use std::sync::{Arc, Mutex};

use jitbot::chat::card::Letter;
use jitbot::domain::grant::{EndingReason, Evidence, GrantState};
use jitbot::domain::ids::RequestId;
use jitbot::domain::job::{HANDLER_MAX_S, LEASE_S};
use jitbot::domain::timing::seconds;
use jitbot::issuer::Capabilities;
use jitbot::worker::Limits;

use super::house::{self, ACTIVATION_S, LASTS_S};
use super::target::{Does, What};
use super::world::{PLAIN, World};

fn told_ready(world: &World) -> usize {
    let letters = world.board.letters(house::account("alice").as_str());
    let ready = |letter: &&Letter| matches!(letter, Letter::Ready { .. });
    letters.iter().filter(ready).count()
}

/// Given in the end by the same order, and ended at the deadline that the first intent set.
async fn is_given_by_the_same_order_and_ends_on_time(world: &World, id: &RequestId, lost: usize) {
    let first = world.grant(id).await;
    assert_eq!(first.state, GrantState::Unknown);
    assert_eq!(first.deadline, Some(world.now() + seconds(LASTS_S)));
    assert_eq!(told_ready(world), 0);

    world.pass(60).await;
    let given = world.grant(id).await;
    assert_eq!(given.state, GrantState::Active);
    assert_eq!(given.deadline, first.deadline, "a retry moved the end");
    assert_eq!(given.native_deadline, first.native_deadline);
    assert_eq!(told_ready(world), 1);
    let orders = world.target.calls(What::Issue);
    assert_eq!(orders.len(), lost + 1);
    assert!(orders.iter().all(|order| *order == orders[0]), "{orders:?}");
    assert_eq!(orders[0].grant, id.grant());
    assert_eq!(orders[0].native_deadline, first.native_deadline);
    assert_eq!(world.target.live(), [id.grant()]);

    world.pass(LASTS_S - 61).await;
    assert_eq!(world.target.live(), [id.grant()], "ended before its end");
    world.pass(1).await;
    let ended = world.grant(id).await;
    assert_eq!(ended.state, GrantState::Ended);
    assert_eq!(ended.ended_at, first.deadline);
    assert_eq!(ended.evidence, Some(Evidence::SeenGone));
    assert_eq!(ended.ending.unwrap().reason, EndingReason::Deadline);
    world.is_over_for_good().await;
}

#[tokio::test]
async fn an_unknown_outcome_is_tried_again_by_the_same_order_until_it_is_given() {
    for script in [
        &[Does::UnknownAfter][..],
        &[Does::UnknownBefore],
        &[Does::UnknownAfter, Does::UnknownBefore, Does::UnknownAfter],
    ] {
        let world = World::start().await;
        world.target.issues(script);
        let id = world.gives("alice", "orders").await;
        is_given_by_the_same_order_and_ends_on_time(&world, &id, script.len()).await;
    }
}

#[tokio::test]
async fn a_handler_that_panics_while_it_gives_access_leaves_an_unknown_outcome() {
    for lost in [Does::PanicsBefore, Does::PanicsAfter] {
        let world = World::start().await;
        world.target.issues(&[lost]);
        let id = world.gives("alice", "orders").await;
        is_given_by_the_same_order_and_ends_on_time(&world, &id, 1).await;
    }
}

/// What was logged.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl std::io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn a_handler_that_panics_is_in_the_log_and_its_job_and_the_others_go_on() {
    let log = Log::default();
    let subscriber = tracing_subscriber::fmt()
        .with_ansi(false)
        .with_writer({
            let log = log.clone();
            move || log.clone()
        })
        .finish();
    let _until_the_end = tracing::subscriber::set_default(subscriber);
    let world = World::start().await;
    let first = world.gives("alice", "orders").await;
    let second = world.gives("erin", "stock").await;
    world.target.revokes(&[Does::PanicsBefore]);
    world.done("alice", &first).await;
    world.settle().await;
    assert_eq!(world.state(&first).await, GrantState::Revoking);
    world.done("erin", &second).await;
    world.settle().await;
    assert_eq!(world.state(&second).await, GrantState::Ended);
    world.pass(60).await;
    assert_eq!(world.state(&first).await, GrantState::Ended);

    let log = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    let mut lines = log.lines().filter(|line| line.contains("panicked"));
    let line = lines.next().unwrap_or_default();
    assert!(
        line.contains("ERROR") && line.contains("a handler panicked"),
        "{log}"
    );
    assert!(line.contains("lane=issuer"), "{line}");
    assert_eq!(lines.next(), None);
}

#[tokio::test]
async fn a_handler_that_hangs_while_it_gives_access_leaves_an_unknown_outcome() {
    for lost in [Does::HangsBefore, Does::HangsAfter] {
        let world = World::impatient().await;
        world.target.issues(&[lost]);
        let id = world.gives("alice", "orders").await;
        is_given_by_the_same_order_and_ends_on_time(&world, &id, 1).await;
    }
}

#[test]
fn a_handler_ends_before_somebody_else_may_have_its_job() {
    let lease_s = u64::try_from(LEASE_S).unwrap();
    let handler = Limits::default().handler;
    assert_eq!(handler.as_secs(), HANDLER_MAX_S);
    assert!(handler.as_secs() < lease_s, "two calls could be in flight");
}

#[tokio::test]
async fn what_stays_unknown_is_taken_away_at_its_deadline_and_not_given_afterwards() {
    for always in [Does::UnknownAfter, Does::UnknownBefore, Does::PanicsAfter] {
        let world = World::start().await;
        world.target.issues_always(always);
        let id = world.gives("alice", "orders").await;
        let deadline = world.grant(&id).await.deadline;
        world.pass(ACTIVATION_S + 60).await;
        assert_eq!(world.state(&id).await, GrantState::Unknown, "{always:?}");
        world.pass(LASTS_S).await;

        let ended = world.grant(&id).await;
        assert_eq!(ended.state, GrantState::Ended, "{always:?}");
        assert_eq!(ended.ended_at, deadline);
        assert_eq!(ended.evidence, Some(Evidence::SeenGone));
        world.is_over_for_good().await;
        let tried = world.target.calls(What::Issue).len();
        world.pass(3 * LASTS_S).await;
        assert_eq!(world.target.calls(What::Issue).len(), tried);
        assert_eq!(told_ready(&world), 0);
    }
}

#[tokio::test]
async fn what_is_unknown_can_be_given_back_at_once_and_is_not_given_afterwards() {
    let world = World::start().await;
    world.target.issues(&[Does::UnknownAfter]);
    let id = world.gives("alice", "orders").await;
    world.done("alice", &id).await;
    world.settle().await;
    assert_eq!(world.state(&id).await, GrantState::Ended);
    world.pass(3 * LASTS_S).await;
    assert_eq!(world.target.calls(What::Issue).len(), 1);
    world.is_over_for_good().await;
}

#[tokio::test]
async fn what_was_approved_while_nobody_worked_is_not_given_too_late() {
    let world = World::start().await;
    let id = world.asks("alice", "orders").await;
    world.approves(&id).await;
    world.stand_still(ACTIVATION_S + 1);
    world.settle().await;
    let grant = world.grant(&id).await;
    assert_eq!(grant.state, GrantState::Cancelled);
    assert_eq!(grant.ending.unwrap().reason, EndingReason::NotActivated);
    assert_eq!(world.target.calls(What::Issue), []);
    world.is_over_for_good().await;
}

#[tokio::test]
async fn after_an_unknown_outcome_absence_counts_only_once_the_target_has_settled() {
    let world = World::over(Capabilities {
        settles_within_s: 30,
        makes_secret: false,
        ..PLAIN
    })
    .await;
    world.target.issues(&[Does::UnknownBefore]);
    let id = world.gives("alice", "orders").await;
    world.done("alice", &id).await;
    world.settle().await;
    let state = world.state(&id).await;
    world.pass(10).await;
    world.target.lands(&id.grant());
    world.pass(3 * LASTS_S).await;
    assert_eq!(world.state(&id).await, GrantState::Ended);
    assert_eq!(state, GrantState::Revoking, "absence was believed too soon");
    world.is_over_for_good().await;
}
