//! Claims: never double, never two on one account, lanes in turn, oldest first.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

use jitbot::domain::job::{Job, Lane, Settle};
use jitbot::domain::job_order::JobOrder;
use jitbot::store::{Urgency, write};

use crate::world::{World, at, order, worlds};

/// Claims, one key after the other as they came.
async fn keys(world: &World, jobs: &[Job]) -> Vec<String> {
    let known: BTreeMap<i64, String> = world
        .write(|tx| Box::pin(async move { tx.open_jobs().await }))
        .await
        .unwrap()
        .into_iter()
        .enumerate()
        .map(|(n, (key, _))| (n as i64 + 1, key))
        .collect();
    jobs.iter().map(|job| known[&job.id].clone()).collect()
}

#[tokio::test]
async fn oldest_first_within_a_lane_by_rank_then_due() {
    for world in worlds().await {
        let with = |key: &str, rank: i64, run_s: i64| JobOrder {
            rank,
            run_at: at(run_s),
            ..order(key, "engine")
        };
        world.clock.advance(1000);
        world
            .enqueue(vec![
                with("late-history", 3, 20),
                with("history", 3, 10),
                with("card", 1, 900),
                with("answer-2", 0, 500),
                with("answer-1", 0, 500),
                with("not-yet", 0, 1001),
            ])
            .await;
        let mut order = Vec::new();
        loop {
            let claimed = world.claim(10).await;
            assert!(claimed.len() <= 1, "an engine lane has one in flight");
            let Some(job) = claimed.first() else { break };
            order.push(job.id);
            world.settle(job.claim(), Settle::Snooze(at(5000))).await;
        }
        assert_eq!(order, [4, 5, 3, 2, 1], "by rank, then due, then order");
        assert_eq!(world.next_due().await, Some(at(1001)));
    }
}

#[tokio::test]
async fn each_lane_has_its_cap_and_a_paused_one_gets_nothing() {
    for world in worlds().await {
        let mut orders = Vec::new();
        for n in 0..10 {
            orders.push(order(&format!("i{n}"), "issuer:ca"));
            orders.push(order(&format!("c{n}"), "chat:slack:T1/C1"));
        }
        world.enqueue(orders).await;
        let issuer = Lane("issuer:ca".into());
        let only = world.claim_beside(50, vec![issuer.clone()]).await;
        assert_eq!(only.len(), 1, "{only:?}");
        assert_eq!(only[0].lane.0, "chat:slack:T1/C1");
        let claimed = world.claim(50).await;
        assert_eq!(claimed.len(), issuer.in_flight_max());
        assert!(claimed.iter().all(|job| job.lane == issuer));
        assert_eq!(world.claim(50).await, []);
        world.settle(claimed[0].claim(), Settle::Done).await;
        assert_eq!(world.claim(50).await.len(), 1, "one place was free");
    }
}

#[tokio::test]
async fn lanes_take_turns_however_many_wait_in_one() {
    for world in worlds().await {
        let mut orders = Vec::new();
        for n in 0..300 {
            orders.push(order(&format!("flood{n}"), "issuer:a-flooded"));
        }
        for lane in ["chat:b", "chat:c", "engine", "issuer:d"] {
            // Asked for later than all of the flood.
            orders.push(JobOrder {
                run_at: at(1),
                ..order(&format!("one:{lane}"), lane)
            });
        }
        world.clock.advance(10);
        world.enqueue(orders).await;
        // One at a time: each lane has had its turn after five claims.
        let mut lanes = BTreeSet::new();
        for _ in 0..5 {
            let job = world.claim(1).await.remove(0);
            lanes.insert(job.lane.0.clone());
            world.settle(job.claim(), Settle::Done).await;
        }
        assert_eq!(lanes.len(), 5, "{lanes:?}");
        assert_eq!(world.claim(50).await.len(), 4, "the flooded lane's cap");
    }
}

#[tokio::test]
async fn a_small_claim_goes_on_where_the_last_one_ended() {
    for world in worlds().await {
        let mut orders = Vec::new();
        for lane in 0..10 {
            for n in 0..10 {
                orders.push(order(&format!("{lane}:{n}"), &format!("chat:{lane}")));
            }
        }
        world.enqueue(orders).await;
        let mut turns: BTreeMap<String, usize> = BTreeMap::new();
        for _ in 0..20 {
            let claimed = world.claim(2).await;
            assert_eq!(claimed.len(), 2);
            for job in claimed {
                *turns.entry(job.lane.0.clone()).or_default() += 1;
                world.settle(job.claim(), Settle::Done).await;
            }
        }
        assert!(turns.values().all(|n| *n == 4), "{turns:?}");
    }
}

#[tokio::test]
async fn never_two_of_one_account_not_even_in_one_claim() {
    for world in worlds().await {
        let on = |key: &str, account: &str, lane: &str| JobOrder {
            serial_key: Some(account.into()),
            ..order(key, lane)
        };
        world
            .enqueue(vec![
                on("a1", "a", "issuer:x"),
                on("a2", "a", "issuer:x"),
                on("a3", "a", "issuer:y"),
                on("b1", "b", "issuer:x"),
                order("free", "issuer:x"),
            ])
            .await;
        let first = world.claim(10).await;
        let got = keys(&world, &first).await;
        let got: BTreeSet<&str> = got.iter().map(String::as_str).collect();
        assert_eq!(got, BTreeSet::from(["a1", "b1", "free"]));
        assert_eq!(world.claim(10).await, []);
        let a1 = first.iter().find(|job| job.id == 1).unwrap();
        world.settle(a1.claim(), Settle::Done).await;
        let second = world.claim(10).await;
        assert_eq!(
            second.len(),
            1,
            "one of the two that are left, in whichever lane"
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn eight_claimers_at_once_run_everything_once_and_no_account_twice_at_a_time() {
    for world in worlds().await {
        let orders = (0..400)
            .map(|n| JobOrder {
                serial_key: (n % 4 != 0).then(|| format!("account-{}", n % 7)),
                ..order(&format!("job{n}"), &format!("issuer:{}", n % 3))
            })
            .collect();
        world.enqueue(orders).await;
        let running: Arc<Mutex<BTreeSet<String>>> = Arc::default();
        let ran: Arc<Mutex<Vec<i64>>> = Arc::default();
        let claimers: Vec<_> = (0..8)
            .map(|_| {
                let (store, running, ran) = (
                    Arc::clone(&world.store),
                    Arc::clone(&running),
                    Arc::clone(&ran),
                );
                tokio::spawn(async move {
                    loop {
                        let jobs = write(&*store, Urgency::Outcome, |tx| {
                            Box::pin(async move { tx.claim_due(3, &[]).await })
                        })
                        .await
                        .unwrap();
                        if jobs.is_empty() {
                            if ran.lock().unwrap().len() == 400 {
                                return;
                            }
                            tokio::task::yield_now().await;
                            continue;
                        }
                        for job in &jobs {
                            ran.lock().unwrap().push(job.id);
                            let n = job.id - 1;
                            if n % 4 != 0 {
                                let account = format!("account-{}", n % 7);
                                assert!(running.lock().unwrap().insert(account), "two at a time");
                            }
                        }
                        tokio::task::yield_now().await;
                        for job in jobs {
                            let n = job.id - 1;
                            if n % 4 != 0 {
                                running
                                    .lock()
                                    .unwrap()
                                    .remove(&format!("account-{}", n % 7));
                            }
                            let claim = job.claim();
                            let settled = write(&*store, Urgency::Outcome, move |tx| {
                                Box::pin(async move { tx.settle(claim, &Settle::Done).await })
                            })
                            .await
                            .unwrap();
                            assert!(settled);
                        }
                    }
                })
            })
            .collect();
        for claimer in claimers {
            claimer.await.unwrap();
        }
        let ran = ran.lock().unwrap().clone();
        assert_eq!(ran.len(), 400);
        assert_eq!(
            ran.iter().collect::<BTreeSet<_>>().len(),
            400,
            "claimed twice"
        );
        assert_eq!(world.jobs().await, []);
    }
}

#[tokio::test]
async fn more_come_due_than_one_claim_marks() {
    for world in worlds().await {
        let orders = (0..2_500)
            .map(|n| JobOrder {
                run_at: at(100),
                ..order(&format!("job{n}"), "issuer:x")
            })
            .collect();
        world.enqueue(orders).await;
        assert_eq!(world.claim(10).await, []);
        world.clock.advance(100);
        let mut ran = BTreeSet::new();
        loop {
            let claimed = world.claim(64).await;
            if claimed.is_empty() {
                break;
            }
            let claims: Vec<_> = claimed.iter().map(Job::claim).collect();
            ran.extend(claimed.iter().map(|job| job.id));
            world
                .write(move |tx| {
                    Box::pin(async move {
                        for claim in claims {
                            tx.settle(claim, &Settle::Done).await?;
                        }
                        Ok(())
                    })
                })
                .await
                .unwrap();
        }
        assert_eq!(ran.len(), 2_500);
    }
}

#[tokio::test]
async fn the_last_place_of_a_lane_full_of_ends_is_kept_for_who_is_given_access() {
    for world in worlds().await {
        let with = |key: String, rank: i64| JobOrder {
            rank,
            ..order(&key, "issuer:box")
        };
        let ends = (0..10).map(|n| with(format!("end-{n}"), 0));
        let gifts = (0..3).map(|n| with(format!("gift-{n}"), 1));
        world.enqueue(ends.chain(gifts).collect()).await;
        let mut jobs = world.claim(10).await;
        let first = keys(&world, &jobs).await;
        assert_eq!(first, ["end-0", "end-1", "end-2", "gift-0"]);
        // One that is given access at a time, however many wait.
        world
            .settle(jobs[0].claim(), Settle::Snooze(at(9000)))
            .await;
        assert_eq!(keys(&world, &world.claim(10).await).await, ["end-3"]);
        let gift = jobs.pop().unwrap();
        world.settle(gift.claim(), Settle::Snooze(at(9000))).await;
        assert_eq!(keys(&world, &world.claim(10).await).await, ["gift-1"]);
    }
    for world in worlds().await {
        let ends = (0..10).map(|n| order(&format!("end-{n}"), "issuer:box"));
        world.enqueue(ends.collect()).await;
        assert_eq!(world.claim(10).await.len(), 4, "nobody waits behind them");
    }
}
