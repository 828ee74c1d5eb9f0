//! Whole or not at all, durable before it is told, in time.

use std::sync::Arc;
use std::time::Duration;

use jitbot::domain::audit::{AuditDraft, AuditKind};
use jitbot::domain::ids::RequestId;
use jitbot::store::{StoreError, Urgency, write};

use crate::world::{at, order, request, worlds};

#[tokio::test]
async fn what_was_answered_is_seen_by_a_reader_at_once() {
    for world in worlds().await {
        for n in 0..20 {
            world
                .write(move |tx| Box::pin(async move { tx.insert_request(&request(n)).await }))
                .await
                .unwrap();
            let seen = world
                .reader()
                .await
                .request(&RequestId::from_bits(n))
                .await
                .unwrap();
            assert_eq!(seen, Some(request(n)), "{}", world.backend);
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bodies_that_wait_together_are_all_kept_and_a_failing_one_alone_is_not() {
    for world in worlds().await {
        let store = Arc::clone(&world.store);
        let writes = (0..200_u64).map(|n| {
            let store = Arc::clone(&store);
            tokio::spawn(async move {
                let urgency = if n % 3 == 0 {
                    Urgency::Outcome
                } else {
                    Urgency::Answer
                };
                write(&*store, urgency, move |tx| {
                    Box::pin(async move {
                        tx.insert_request(&request(n)).await?;
                        tx.audit(AuditDraft::new(AuditKind::Requested).fact("n", n))
                            .await?;
                        tx.enqueue(&order(&format!("job:{n}"), "engine")).await?;
                        match n % 10 {
                            3 => Err(StoreError::Conflict {
                                what: "on purpose".into(),
                            }),
                            7 => panic!("on purpose"),
                            _ => Ok(n),
                        }
                    })
                })
                .await
            })
        });
        let writes: Vec<_> = writes.collect();
        let mut kept = 0;
        for (n, write) in writes.into_iter().enumerate() {
            let result = write.await.unwrap();
            let id = RequestId::from_bits(n as u64);
            let seen = world.reader().await.request(&id).await.unwrap().is_some();
            match n % 10 {
                3 => assert_eq!(
                    result,
                    Err(StoreError::Conflict {
                        what: "on purpose".into()
                    })
                ),
                7 => assert!(matches!(result, Err(StoreError::Database(_))), "{result:?}"),
                _ => {
                    assert_eq!(result, Ok(n as u64));
                    kept += 1;
                }
            }
            assert_eq!(seen, result.is_ok(), "request {n}");
        }
        assert_eq!(kept, 160);
        assert_eq!(world.jobs().await.len(), kept);
        assert_eq!(
            world.reader().await.head().await.unwrap().count,
            kept as i64
        );
    }
}

#[tokio::test]
async fn a_reader_sees_one_moment() {
    for world in worlds().await {
        let mut reader = world.reader().await;
        assert_eq!(
            reader.request(&RequestId::from_bits(1)).await.unwrap(),
            None
        );
        world
            .write(|tx| Box::pin(async move { tx.insert_request(&request(1)).await }))
            .await
            .unwrap();
        assert_eq!(
            reader.request(&RequestId::from_bits(1)).await.unwrap(),
            None
        );
        drop(reader);
        assert!(
            world
                .reader()
                .await
                .request(&RequestId::from_bits(1))
                .await
                .unwrap()
                .is_some()
        );
    }
}

#[tokio::test]
async fn a_body_reads_what_it_wrote() {
    for world in worlds().await {
        let seen = world
            .write(|tx| {
                Box::pin(async move {
                    tx.insert_request(&request(1)).await?;
                    tx.request(&RequestId::from_bits(1)).await
                })
            })
            .await
            .unwrap();
        assert_eq!(seen, Some(request(1)));
    }
}

#[tokio::test]
async fn time_never_goes_back_even_over_a_restart() {
    for mut world in worlds().await {
        let write_now = |n: u64| {
            world.write(move |tx| {
                Box::pin(async move {
                    tx.insert_request(&request(n)).await?;
                    Ok(tx.now())
                })
            })
        };
        assert_eq!(write_now(1).await, Ok(at(0)));
        world.clock.advance(100);
        assert_eq!(write_now(2).await, Ok(at(100)));
        world.clock.advance(-50);
        assert_eq!(write_now(3).await, Ok(at(100)));
        assert_eq!(world.store.now(), at(100), "a reader's time");
        world.restart().await;
        assert_eq!(world.store.now(), at(100), "after a restart");
        let again = world.write(|tx| Box::pin(async move { Ok((tx.now(), tx.machine_now())) }));
        assert_eq!(again.await, Ok((at(100), at(50))));
        world.clock.advance(60);
        assert_eq!(world.store.now(), at(110));
    }
}

#[tokio::test]
async fn everything_that_waits_is_done_before_a_close_and_nothing_after() {
    for world in worlds().await {
        let waiting: Vec<_> = (0..100_u64)
            .map(|n| {
                world.write(move |tx| Box::pin(async move { tx.insert_request(&request(n)).await }))
            })
            .collect();
        let (results, ()) =
            futures_util::future::join(futures_util::future::join_all(waiting), async {
                tokio::task::yield_now().await;
                world.store.close().await;
            })
            .await;
        assert!(results.iter().all(Result::is_ok), "{results:?}");
        let late =
            world.write(|tx| Box::pin(async move { tx.insert_request(&request(500)).await }));
        assert_eq!(late.await, Err(StoreError::Closed));
        assert!(matches!(
            world.store.reader().await.err(),
            Some(StoreError::Closed)
        ));
        let store = world.open_again().await.unwrap();
        for n in 0..100 {
            let mut reader = store.reader().await.unwrap();
            assert!(
                reader
                    .request(&RequestId::from_bits(n))
                    .await
                    .unwrap()
                    .is_some(),
                "{n}"
            );
        }
    }
}

#[tokio::test]
async fn a_second_opener_is_told_who_holds_it() {
    for world in worlds().await {
        let Err(error) = world.open_again().await else {
            panic!("two at once on {}", world.backend);
        };
        assert!(matches!(error, StoreError::Held { .. }), "{error}");
        let pid = format!("process {}", std::process::id());
        assert!(error.to_string().contains(&pid), "{error}");
        world.store.close().await;
        world.open_again().await.unwrap();
    }
}

#[tokio::test]
async fn enqueueing_and_settling_wake_whoever_registered_before_looking() {
    for world in worlds().await {
        let wakeups = world.store.wakeups();
        let woken = wakeups.notified();
        tokio::pin!(woken);
        woken.as_mut().enable();
        world.enqueue(vec![order("a", "engine")]).await;
        tokio::time::timeout(Duration::from_secs(5), woken)
            .await
            .unwrap();

        let quiet = wakeups.notified();
        tokio::pin!(quiet);
        quiet.as_mut().enable();
        world
            .write(|tx| Box::pin(async move { tx.insert_request(&request(1)).await }))
            .await
            .unwrap();
        assert!(
            futures_util::FutureExt::now_or_never(quiet.as_mut()).is_none(),
            "woken by what is no work"
        );
        let job = world.claim(1).await.remove(0);
        world
            .settle(job.claim(), jitbot::domain::job::Settle::Done)
            .await;
        tokio::time::timeout(Duration::from_secs(5), quiet)
            .await
            .unwrap();
    }
}
