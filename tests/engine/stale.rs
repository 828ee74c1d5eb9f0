//! A worker whose lease ran out while it stood still: somebody else has its job, and what it does or
//! says afterwards counts for nothing.

use jitbot::domain::grant::{Evidence, GrantState};
use jitbot::domain::job::{Job, JobKind, LEASE_S};
use jitbot::domain::outcome::Outcome;
use jitbot::service::{IssueTurn, RevokeTurn};

use super::house::LASTS_S;
use super::target::{Does, What};
use super::world::World;

/// Claims the job that gives access.
async fn claims_issue(world: &World) -> Job {
    let job = world.claims().await.expect("a job is due");
    assert!(matches!(job.kind, JobKind::Issue { .. }), "{job:?}");
    job
}

/// Claims the job that takes access away.
async fn claims_revoke(world: &World) -> Job {
    let job = world.claims().await.expect("a job is due");
    assert!(matches!(job.kind, JobKind::Revoke { .. }), "{job:?}");
    job
}

fn given(handle: &str) -> Outcome {
    Outcome::Issued {
        handle: serde_json::json!({ "handle": handle }),
        secret: false,
    }
}

fn said() -> String {
    "late".into()
}

#[tokio::test]
async fn what_a_stale_worker_says_of_giving_access_changes_nothing() {
    let world = World::start().await;
    let id = world.asks("alice", "orders").await;
    world.approves(&id).await;
    let stale = claims_issue(&world).await;
    let turn = world.service.begin_issue(stale.claim(), &id.grant()).await;
    assert!(matches!(turn.unwrap(), IssueTurn::Call(_)));
    world.stand_still(LEASE_S);
    world.settle().await;
    let before = (
        world.grant(&id).await,
        world.jobs().await,
        world.recorded().await,
    );
    assert_eq!(before.0.state, GrantState::Active);

    for outcome in [
        given("another"),
        Outcome::NotIssued { said: said() },
        Outcome::PartlyIssued { said: said() },
        Outcome::IssueUnknown { said: said() },
        Outcome::Impossible { said: said() },
        Outcome::Done,
    ] {
        world.records(&stale, outcome.clone()).await;
        let after = (
            world.grant(&id).await,
            world.jobs().await,
            world.recorded().await,
        );
        assert_eq!(after, before, "{outcome:?}");
    }
    world.settle().await;
    assert_eq!(world.target.calls(What::Issue).len(), 1);
}

#[tokio::test]
async fn what_a_stale_worker_says_of_an_end_changes_nothing() {
    let world = World::start().await;
    let id = world.gives("alice", "orders").await;
    world.done("alice", &id).await;
    let stale = claims_revoke(&world).await;
    let turn = world.service.begin_revoke(stale.claim(), &id.grant()).await;
    assert!(matches!(turn.unwrap(), RevokeTurn::Call(_)));
    world.stand_still(LEASE_S);
    let holder = claims_revoke(&world).await;
    let before = (world.grant(&id).await, world.recorded().await);
    for outcome in [
        Outcome::Gone(Evidence::ToldOnly),
        Outcome::Done,
        Outcome::Impossible { said: said() },
    ] {
        world.records(&stale, outcome.clone()).await;
        let after = (world.grant(&id).await, world.recorded().await);
        assert_eq!(after, before, "{outcome:?}");
    }
    assert_eq!(world.target.live(), [id.grant()]);
    let outcome = world.runs(&holder).await;
    world.records(&holder, outcome).await;
    world.settle().await;
    assert_eq!(
        world.grant(&id).await.evidence,
        Some(Evidence::SeenGone),
        "the holder's word counts"
    );
    world.is_over_for_good().await;
}

#[tokio::test]
async fn a_stale_worker_calls_no_target_to_give_access() {
    let world = World::start().await;
    let id = world.asks("alice", "orders").await;
    world.approves(&id).await;
    let stale = claims_issue(&world).await;
    world.stand_still(LEASE_S);
    let holder = claims_issue(&world).await;
    assert_eq!(
        (holder.id, holder.attempt),
        (stale.id, stale.attempt + 1),
        "the same job"
    );

    assert_eq!(world.runs(&stale).await, Outcome::Done);
    assert_eq!(world.state(&id).await, GrantState::Scheduled);
    assert_eq!(world.target.calls(What::Issue), []);
    let turn = world.service.begin_issue(stale.claim(), &id.grant()).await;
    assert_eq!(turn.unwrap(), IssueTurn::Nothing);

    let outcome = world.runs(&holder).await;
    world.records(&holder, outcome).await;
    assert_eq!(world.state(&id).await, GrantState::Active);
    assert_eq!(world.target.calls(What::Issue).len(), 1);
}

#[tokio::test]
async fn a_stale_worker_calls_no_target_to_take_away() {
    let world = World::start().await;
    let id = world.gives("alice", "orders").await;
    world.stand_still(LASTS_S);
    let stale = claims_revoke(&world).await;
    world.stand_still(LEASE_S);
    let holder = claims_revoke(&world).await;

    assert_eq!(world.runs(&stale).await, Outcome::Done);
    assert_eq!(world.state(&id).await, GrantState::Active);
    assert_eq!(world.target.calls(What::Revoke), []);
    let turn = world.service.begin_revoke(stale.claim(), &id.grant()).await;
    assert_eq!(turn.unwrap(), RevokeTurn::Nothing);

    let outcome = world.runs(&holder).await;
    world.records(&holder, outcome).await;
    world.settle().await;
    assert_eq!(world.state(&id).await, GrantState::Ended);
    world.is_over_for_good().await;
}

#[tokio::test]
async fn an_end_waits_for_the_call_that_is_in_flight() {
    let world = World::start().await;
    let id = world.asks("alice", "orders").await;
    world.approves(&id).await;
    let issue = claims_issue(&world).await;
    world.target.issues(&[Does::Stalls]);
    let call = async {
        let outcome = world.runs(&issue).await;
        world.records(&issue, outcome).await;
    };
    let meanwhile = async {
        while world.target.calls(What::Issue).is_empty() {
            tokio::task::yield_now().await;
        }
        world.done("alice", &id).await;
        world.settle().await;
        assert_eq!(world.state(&id).await, GrantState::Revoking);
        assert_eq!(world.target.calls(What::Revoke), [], "two calls at once");
        world.target.go_on();
    };
    tokio::join!(call, meanwhile);
    world.settle().await;
    let grant = world.grant(&id).await;
    assert_eq!(grant.state, GrantState::Ended);
    assert_eq!(grant.evidence, Some(Evidence::SeenGone));
    world.is_over_for_good().await;
}

#[tokio::test]
async fn access_that_lands_after_its_end_was_seen_is_taken_away() {
    let world = World::start().await;
    let id = world.asks("alice", "orders").await;
    world.approves(&id).await;
    let stalled = claims_issue(&world).await;
    world.target.issues(&[Does::Stalls]);
    let call = async {
        let outcome = world.runs(&stalled).await;
        world.records(&stalled, outcome).await;
    };
    let meanwhile = async {
        while world.target.calls(What::Issue).is_empty() {
            tokio::task::yield_now().await;
        }
        world.done("alice", &id).await;
        world.stand_still(LEASE_S);
        world.settle().await;
        assert_eq!(world.state(&id).await, GrantState::Ended);
        world.target.go_on();
    };
    tokio::join!(call, meanwhile);
    assert_eq!(world.target.live(), [id.grant()], "it did not land late");
    world.pass(2 * LASTS_S).await;
    world.is_over_for_good().await;
}
