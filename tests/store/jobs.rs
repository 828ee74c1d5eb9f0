//! Jobs: enqueued once per key, settled by the claim that holds, again when asked again.

use jitbot::domain::ids::RequestId;
use jitbot::domain::job::{Claim, JobKind, LEASE_S, Lane, Settle};
use jitbot::domain::job_order::{JobOrder, OnDuplicate};
use jitbot::store::StoreError;

use crate::world::{World, at, grant, order, request, worlds};

fn again(s: i64) -> Settle {
    Settle::Again {
        at: at(s),
        error: "no".into(),
    }
}

fn give_up() -> Settle {
    Settle::GiveUp {
        error: "never".into(),
    }
}

fn states(jobs: &[(String, String)]) -> Vec<(&str, &str)> {
    jobs.iter()
        .map(|(key, state)| (key.as_str(), state.as_str()))
        .collect()
}

async fn error(world: &World, key: &str) -> Option<String> {
    world.reader().await.job_error(key).await.unwrap()
}

#[tokio::test]
async fn a_claimed_job_says_what_was_ordered() {
    for world in worlds().await {
        let grant = grant(&request(1));
        let ordered = JobOrder::issue(&grant.id, &grant.spec, at(0));
        world.enqueue(vec![ordered.clone()]).await;
        let job = world.claim(5).await.remove(0);
        assert_eq!(job.kind, ordered.kind);
        assert_eq!(job.lane, ordered.lane);
        assert_eq!((job.attempt, job.failures), (1, 0));
        assert_eq!(job.lease_until, at(LEASE_S));
        assert_eq!(
            states(&world.jobs().await),
            [(ordered.key.as_str(), "running")]
        );
        assert_eq!(world.claim(5).await, [], "claimed twice");
        assert!(world.settle(job.claim(), Settle::Done).await);
        assert_eq!(world.jobs().await, []);
        assert!(
            !world.settle(job.claim(), Settle::Done).await,
            "settled twice"
        );
    }
}

#[tokio::test]
async fn a_key_that_is_taken_is_kept_moved_or_moved_earlier() {
    use OnDuplicate::{Keep, Move, MoveEarlier};
    for (mode, to_s, due_s) in [
        (Keep, 10, 100),
        (Keep, 200, 100),
        (Move, 10, 10),
        (Move, 200, 200),
        (MoveEarlier, 10, 10),
        (MoveEarlier, 200, 100),
    ] {
        for world in worlds().await {
            let first = JobOrder {
                run_at: at(100),
                ..order("a", "engine")
            };
            let second = JobOrder {
                run_at: at(to_s),
                on_duplicate: mode,
                ..order("a", "engine")
            };
            world.enqueue(vec![first, second]).await;
            assert_eq!(world.jobs().await.len(), 1, "{mode:?}");
            assert_eq!(
                world.next_due().await,
                Some(at(due_s)),
                "{mode:?} to {to_s}"
            );
            world.clock.advance(due_s - 1);
            assert_eq!(world.claim(5).await, [], "{mode:?} to {to_s}: too early");
            world.clock.advance(1);
            assert_eq!(world.claim(5).await.len(), 1, "{mode:?} to {to_s}");
        }
    }
}

#[tokio::test]
async fn a_key_that_is_asked_for_while_it_runs_runs_again_afterwards() {
    use OnDuplicate::{Keep, Move, MoveEarlier};
    for (mode, asked_s, settle, then_s) in [
        (Keep, 50, Settle::Done, None),
        (Move, 50, Settle::Done, Some(50)),
        (MoveEarlier, 50, Settle::Done, Some(50)),
        (Move, 50, give_up(), Some(50)),
        (Move, 50, Settle::Snooze(at(80)), Some(50)),
        (Move, 50, Settle::Snooze(at(20)), Some(20)),
        (Move, 5, again(20), Some(20)),
    ] {
        for world in worlds().await {
            world.enqueue(vec![order("a", "engine")]).await;
            let job = world.claim(1).await.remove(0);
            let asked = JobOrder {
                run_at: at(asked_s),
                on_duplicate: mode,
                ..order("a", "engine")
            };
            world.enqueue(vec![asked]).await;
            let what = format!("{mode:?} {settle:?}");
            assert_eq!(states(&world.jobs().await), [("a", "running")], "{what}");
            assert!(world.settle(job.claim(), settle.clone()).await, "{what}");
            assert_eq!(world.next_due().await, then_s.map(at), "{what}");
            world.clock.advance(100);
            let next = world.claim(1).await;
            assert_eq!(next.len(), usize::from(then_s.is_some()), "{what}");
            if let Some(next) = next.first() {
                assert_eq!(next.attempt, 2, "{what}");
                assert!(world.settle(next.claim(), Settle::Done).await);
                assert_eq!(world.jobs().await, [], "{what}: a third run");
            }
        }
    }
}

#[tokio::test]
async fn failures_are_counted_until_it_succeeds_or_moves_and_waiting_is_none() {
    for world in worlds().await {
        world.enqueue(vec![order("a", "engine")]).await;
        let run = async |settle: Settle| {
            let job = world.claim(1).await.remove(0);
            assert!(world.settle(job.claim(), settle).await);
            (job.attempt, job.failures)
        };
        assert_eq!(run(again(0)).await, (1, 0));
        assert_eq!(error(&world, "a").await.as_deref(), Some("no"));
        assert_eq!(run(again(0)).await, (2, 1));
        assert_eq!(run(Settle::Snooze(at(0))).await, (3, 2));
        assert_eq!(run(again(1000)).await, (4, 2));
        let moved = JobOrder {
            on_duplicate: OnDuplicate::Move,
            ..order("a", "engine")
        };
        world.enqueue(vec![moved]).await;
        assert_eq!(run(give_up()).await, (5, 0));
        assert_eq!(states(&world.jobs().await), [("a", "given_up")]);
        assert_eq!(error(&world, "a").await.as_deref(), Some("never"));
        assert_eq!(world.claim(1).await, []);
        // The key is free again.
        world.enqueue(vec![order("a", "engine")]).await;
        assert_eq!(
            states(&world.jobs().await),
            [("a", "given_up"), ("a", "waiting")]
        );
        assert_eq!(
            error(&world, "a").await,
            None,
            "the error of the one before"
        );
        assert_eq!(run(Settle::Done).await, (1, 0));
        assert_eq!(error(&world, "nobody").await, None);
    }
}

#[tokio::test]
async fn what_ends_access_is_never_given_up() {
    for world in worlds().await {
        let grant = grant(&request(1));
        world
            .enqueue(vec![JobOrder::revoke(&grant.id, &grant.spec, at(0))])
            .await;
        let job = world.claim(1).await.remove(0);
        let result = world
            .write(move |tx| Box::pin(async move { tx.settle(job.claim(), &give_up()).await }))
            .await;
        assert!(matches!(result, Err(StoreError::Database(_))), "{result:?}");
        let key = format!("revoke:{}", grant.id);
        assert_eq!(states(&world.jobs().await), [(key.as_str(), "running")]);
        world.clock.advance(LEASE_S);
        assert_eq!(world.claim(1).await.len(), 1, "tried again");
    }
}

#[tokio::test]
async fn a_stale_attempt_changes_nothing() {
    for world in worlds().await {
        world.enqueue(vec![order("a", "engine")]).await;
        let stale = world.claim(1).await.remove(0);
        world.clock.advance(LEASE_S);
        let fresh = world.claim(1).await.remove(0);
        assert_eq!((fresh.id, fresh.attempt), (stale.id, 2));
        let holds =
            |claim: Claim| world.write(move |tx| Box::pin(async move { tx.holds(claim).await }));
        assert_eq!(holds(stale.claim()).await, Ok(false));
        assert_eq!(holds(fresh.claim()).await, Ok(true));
        for settle in [Settle::Done, again(0), Settle::Snooze(at(0)), give_up()] {
            assert!(
                !world.settle(stale.claim(), settle.clone()).await,
                "{settle:?}"
            );
            assert_eq!(
                states(&world.jobs().await),
                [("a", "running")],
                "{settle:?}"
            );
            assert_eq!(
                error(&world, "a").await.as_deref(),
                Some("its claim ran out")
            );
        }
        assert_eq!(holds(fresh.claim()).await, Ok(true));
        assert!(world.settle(fresh.claim(), Settle::Done).await);
        assert_eq!(holds(fresh.claim()).await, Ok(false));
    }
}

#[tokio::test]
async fn a_lease_runs_by_the_machines_time_and_its_end_is_a_failure() {
    for world in worlds().await {
        world.enqueue(vec![order("a", "engine")]).await;
        let job = world.claim(1).await.remove(0);
        // A rehearsal lets a day pass while the call is in flight.
        world.clock.advance_engine(86_400);
        assert_eq!(world.claim(1).await, [], "two calls in flight");
        world.clock.advance(LEASE_S - 1);
        assert_eq!(world.claim(1).await, []);
        world.clock.advance(1);
        let again = world.claim(1).await.remove(0);
        assert_eq!((again.id, again.attempt, again.failures), (job.id, 2, 1));
    }
}

#[tokio::test]
async fn at_start_every_claim_is_free_at_once() {
    for mut world in worlds().await {
        world
            .enqueue(vec![order("a", "engine"), order("b", "chat:x")])
            .await;
        let claimed = world.claim(5).await;
        assert_eq!(claimed.len(), 2);
        world
            .write(|tx| Box::pin(async move { tx.cancel_job("b").await }))
            .await
            .unwrap();
        world.restart().await;
        assert_eq!(world.claim(5).await, []);
        let freed = world
            .write(|tx| Box::pin(async move { tx.release_claims().await }))
            .await;
        assert_eq!(freed, Ok(1));
        let again = world.claim(5).await;
        assert_eq!(again.len(), 1);
        assert_eq!(
            (again[0].attempt, again[0].failures),
            (2, 0),
            "no failure of its own"
        );
        for job in claimed {
            assert!(
                !world.settle(job.claim(), Settle::Done).await,
                "a claim from before"
            );
        }
    }
}

#[tokio::test]
async fn a_cancelled_job_goes_and_a_run_in_flight_keeps_its_place_until_it_is_over() {
    for world in worlds().await {
        let cancel = |key: &'static str| {
            world.write(move |tx| Box::pin(async move { tx.cancel_job(key).await }))
        };
        world.enqueue(vec![order("a", "engine")]).await;
        cancel("a").await.unwrap();
        cancel("never-there").await.unwrap();
        assert_eq!((world.jobs().await, world.next_due().await), (vec![], None));

        for over_by_settling in [true, false] {
            let on_target = |key: &str| JobOrder {
                serial_key: Some("ca|SHA256:abc".into()),
                lane: Lane("issuer:ca".into()),
                ..order(key, "")
            };
            world.enqueue(vec![on_target("issue")]).await;
            let job = world.claim(1).await.remove(0);
            cancel("issue").await.unwrap();
            assert_eq!(world.jobs().await, []);
            world
                .enqueue(vec![on_target("revoke"), on_target("issue")])
                .await;
            assert_eq!(
                world.claim(5).await,
                [],
                "two calls in flight for one account"
            );
            let claim = job.claim();
            let held = world.write(move |tx| Box::pin(async move { tx.holds(claim).await }));
            assert_eq!(held.await, Ok(false));
            if over_by_settling {
                assert!(!world.settle(claim, Settle::Done).await);
            } else {
                world
                    .write(move |tx| Box::pin(async move { tx.let_go(claim).await }))
                    .await
                    .unwrap();
            }
            let next = world.claim(5).await;
            assert_eq!(next.len(), 1);
            world.settle(next[0].claim(), Settle::Done).await;
            let last = world.claim(5).await;
            world.settle(last[0].claim(), Settle::Done).await;
            assert_eq!(world.jobs().await, []);
        }
    }
}

#[tokio::test]
async fn letting_go_of_a_job_that_is_wanted_changes_nothing() {
    for world in worlds().await {
        world.enqueue(vec![order("a", "engine")]).await;
        let job = world.claim(1).await.remove(0);
        let claim = job.claim();
        world
            .write(move |tx| Box::pin(async move { tx.let_go(claim).await }))
            .await
            .unwrap();
        assert_eq!(states(&world.jobs().await), [("a", "running")]);
        assert!(world.settle(claim, Settle::Done).await);
    }
}

#[tokio::test]
async fn every_kind_reads_back() {
    let place = crate::world::place();
    let (request, grant) = (RequestId::from_bits(1), RequestId::from_bits(1).grant());
    let kinds = [
        JobKind::Issue {
            grant: grant.clone(),
        },
        JobKind::Revoke {
            grant: grant.clone(),
        },
        JobKind::Remind {
            grant,
            before_s: 600,
        },
        JobKind::TellCardLost {
            request,
            place: place.clone(),
            said: "channel_not_found — ' \" \n".into(),
        },
        JobKind::WatchPlace {
            place: place.clone(),
            said: "is_archived".into(),
            shows: true,
        },
        JobKind::OnceBack {
            message: Box::new(JobKind::Digest {
                digest: 3,
                place: place.clone(),
            }),
        },
        JobKind::LookAtPlaces,
        JobKind::Digest { digest: 3, place },
    ];
    for world in worlds().await {
        for kind in &kinds {
            world
                .enqueue(vec![JobOrder {
                    kind: kind.clone(),
                    ..order("a", "engine")
                }])
                .await;
            let job = world.claim(1).await.remove(0);
            assert_eq!(job.kind, *kind);
            world.settle(job.claim(), Settle::Done).await;
        }
    }
}
