//! Grants: what is saved is what is read, in every state.

use std::collections::{BTreeMap, BTreeSet};

use jitbot::domain::grant::{Ending, EndingReason, Evidence, Grant, GrantState};
use jitbot::domain::request::RequestState;
use jitbot::domain::spec::Spec;
use jitbot::store::in_use::InUse;

use crate::round_trips::{conflict, keep};
use crate::world::{account, active, at, grant, person, request, worlds};

#[tokio::test]
async fn grants_are_found_by_what_they_hold() {
    for world in worlds().await {
        let mine = keep(&world, 1, active).await;
        let ended = keep(&world, 2, |grant| Grant {
            state: GrantState::Ended,
            ending: Some(Ending {
                reason: EndingReason::Deadline,
                by: None,
                at: at(50),
                why: None,
            }),
            ended_at: Some(at(60)),
            evidence: Some(Evidence::SeenGone),
            ..active(grant)
        })
        .await;
        let found = async |spec: &Spec, after: i64| {
            let mut reader = world.reader().await;
            let found = reader.grants_on_holdings(spec, at(after)).await.unwrap();
            found.into_iter().map(|grant| grant.id).collect::<Vec<_>>()
        };
        assert_eq!(mine.spec.account, ended.spec.account);
        assert_eq!(found(&mine.spec, 59).await, [mine.id.clone(), ended.id]);
        assert_eq!(found(&mine.spec, 60).await, std::slice::from_ref(&mine.id));
        let mut other = mine.spec.clone();
        other.entitlements = vec!["principal:root".into()];
        assert!(found(&other, 0).await.is_empty());
        let mut other = mine.spec.clone();
        other.account.id = "somebody else".into();
        assert!(found(&other, 0).await.is_empty());
    }
}

#[tokio::test]
async fn a_grant_in_every_state() {
    for world in worlds().await {
        let ending = Ending {
            reason: EndingReason::Revoked,
            by: Some(person(4)),
            at: at(100),
            why: None,
        };
        let mut kept = Vec::new();
        for (n, state) in GrantState::ALL.into_iter().enumerate() {
            let ending = ending.clone();
            let sample = keep(&world, n as u64, |grant| {
                let mut grant = match state {
                    GrantState::Scheduled | GrantState::Cancelled => grant,
                    _ => active(grant),
                };
                grant.state = state;
                if matches!(state, GrantState::Issuing | GrantState::Unknown) {
                    grant.active_at = None;
                    grant.handle = None;
                }
                if matches!(
                    state,
                    GrantState::Revoking
                        | GrantState::Stuck
                        | GrantState::Ended
                        | GrantState::Cancelled
                ) {
                    grant.ending = Some(ending);
                    grant.revoke_failures = 6;
                }
                grant.stuck_since = (state == GrantState::Stuck).then(|| at(200));
                grant.ended_at = state.is_over().then(|| at(300));
                grant.evidence = (state == GrantState::Ended).then_some(Evidence::SeenGone);
                grant
            })
            .await;
            let mut reader = world.reader().await;
            assert_eq!(reader.grant(&sample.id).await, Ok(Some(sample.clone())));
            assert_eq!(reader.count_grants_in(&[state]).await, Ok(1));
            kept.push(sample);
        }
        assert!(
            kept.windows(2).all(|two| two[0].serial < two[1].serial) && kept[0].serial >= 1,
            "serials rise from 1"
        );
        let mut reader = world.reader().await;
        let some = [GrantState::Stuck, GrantState::Scheduled, GrantState::Stuck];
        let ids = |grants: Vec<Grant>| grants.into_iter().map(|it| it.id).collect::<Vec<_>>();
        let found = ids(reader.grants_in(&some, 10).await.unwrap());
        assert_eq!(
            found,
            [kept[0].id.clone(), kept[5].id.clone()],
            "oldest first"
        );
        let found = ids(reader.grants_in(&some, 1).await.unwrap());
        assert_eq!(found, [kept[0].id.clone()]);
        assert_eq!(reader.grants_in(&[], 10).await, Ok(vec![]));
        assert_eq!(reader.count_grants_in(&GrantState::ALL).await, Ok(9));
        assert_eq!(reader.count_grants_in(&[]).await, Ok(0));
        // Person 1 holds six that are not over, one of which is excepted.
        let accounts = [account(1), account(2)];
        let live = reader.count_live_grants(&accounts, &kept[0].id).await;
        assert_eq!(live, Ok(5));
        assert_eq!(reader.count_live_grants(&[], &kept[0].id).await, Ok(0));
    }
}

#[tokio::test]
async fn a_grant_changes_only_from_the_state_that_was_seen() {
    for world in worlds().await {
        let scheduled = keep(&world, 1, |grant| grant).await;
        let save = |grant: Grant, was| {
            world.write(move |tx| Box::pin(async move { tx.save_grant(&grant, was).await }))
        };
        let given = active(scheduled.clone());
        save(given.clone(), GrantState::Scheduled).await.unwrap();
        let read = world.reader().await.grant(&given.id).await;
        assert_eq!(read, Ok(Some(given.clone())));
        conflict(save(given.clone(), GrantState::Scheduled).await, "grant");
        let mut other = given.clone();
        other.spec.duration_s = 1;
        other.spec_hash = other.spec.hash();
        conflict(save(other, GrantState::Active).await, "grant");
        // One request never becomes two grants.
        let again = scheduled.clone();
        conflict(
            world
                .write(move |tx| Box::pin(async move { tx.insert_grant(&again).await }))
                .await,
            "grant",
        );
        let read = world.reader().await.grant(&given.id).await;
        assert_eq!(read, Ok(Some(given)));
    }
}

#[tokio::test]
async fn ends_that_were_ordered_before_the_target_ends_by_itself() {
    for world in worlds().await {
        let ending = || {
            Some(Ending {
                reason: EndingReason::Done,
                by: None,
                at: at(50),
                why: None,
            })
        };
        let order = |grant| {
            let mut grant = active(grant);
            grant.state = GrantState::Revoking;
            grant.ending = ending();
            grant
        };
        let revoking = keep(&world, 1, order).await;
        let ended = keep(&world, 2, |grant| {
            let mut grant = order(grant);
            grant.state = GrantState::Ended;
            grant.ended_at = Some(at(60));
            grant.evidence = Some(Evidence::ToldOnly);
            grant
        })
        .await;
        keep(&world, 3, active).await;
        keep(&world, 4, |grant| {
            let mut grant = grant;
            grant.state = GrantState::Cancelled;
            grant.ending = ending();
            grant.ended_at = Some(at(60));
            grant
        })
        .await;
        let mut reader = world.reader().await;
        let issuer = revoking.spec.issuer.clone();
        let before = reader.ended_before_native_deadline(&issuer, at(3620)).await;
        assert_eq!(before, Ok(vec![revoking, ended]));
        let after = reader.ended_before_native_deadline(&issuer, at(3621)).await;
        assert_eq!(after, Ok(vec![]), "the target has ended them by itself");
        let other = jitbot::domain::ids::IssuerName::new("other").unwrap();
        let none = reader.ended_before_native_deadline(&other, at(0)).await;
        assert_eq!(none, Ok(vec![]));
        let in_use = reader.issuers_in_use(at(0)).await.unwrap();
        let used = |bound_to| InUse {
            bound_to,
            accepted_until: Some(at(3621)),
        };
        let unknown = used(BTreeSet::new());
        assert_eq!(in_use, BTreeMap::from([(issuer.clone(), unknown)]));
        drop(reader);
        let bound_to = BTreeSet::from(["ca_key SHA256:1".to_owned(), "host web1".to_owned()]);
        let changes = [
            (BTreeSet::new(), BTreeSet::new()),
            (BTreeSet::new(), bound_to.clone()),
            (bound_to.clone(), bound_to.clone()),
        ];
        for (before, bound_to) in changes {
            let issuer = issuer.clone();
            let was = world
                .write(move |tx| Box::pin(async move { tx.keep_issuer(&issuer, &bound_to).await }))
                .await
                .unwrap();
            assert_eq!(was, before);
        }
        let mut reader = world.reader().await;
        let in_use = reader.issuers_in_use(at(3620)).await.unwrap();
        let known = used(bound_to);
        assert_eq!(in_use, BTreeMap::from([(issuer.clone(), known)]));
    }
}

/// What a card shows is read in one question: each of its answers is the one that is asked for alone.
#[tokio::test]
async fn what_surrounds_a_request_is_what_each_read_says() {
    for world in worlds().await {
        let mut requests: Vec<_> = (1..=3).map(request).collect();
        for (n, one) in requests.iter_mut().enumerate() {
            one.state = RequestState::Approved;
            one.decided_at = Some(at(100 + n as i64));
        }
        let grants: Vec<_> = requests.iter().map(|one| active(grant(one))).collect();
        let (kept, held) = (requests.clone(), grants.clone());
        world
            .write(move |tx| {
                Box::pin(async move {
                    for (request, grant) in kept.iter().zip(&held) {
                        tx.insert_request(request).await?;
                        tx.insert_grant(grant).await?;
                    }
                    Ok(())
                })
            })
            .await
            .unwrap();
        let mut reader = world.reader().await;
        let one = &requests[1];
        assert!(one.spec.entitlements.len() > 1);
        for accounts in [vec![account(1)], (1..=4).map(account).collect()] {
            let around = reader.surroundings(one, &accounts, at(0)).await.unwrap();
            let alone = reader.grants_on_holdings(&one.spec, at(0)).await.unwrap();
            assert_eq!(around.on_holdings, alone);
            assert_eq!(alone.len(), 3, "each shares its holdings with the others");
            let grant = one.about_grant();
            assert_eq!(Ok(around.grant), reader.grant(&grant).await);
            let earlier = reader.count_earlier(&accounts, &one.spec.resource, &one.id);
            assert_eq!(Ok(around.earlier), earlier.await);
            let live = reader.count_live_grants(&accounts, &grant).await;
            assert_eq!(Ok(around.other_live), live);
            assert_eq!(around.other_live, 2);
        }
    }
}
