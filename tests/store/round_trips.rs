//! What is saved is what is read; what began from another state is a conflict.

use jitbot::domain::audit::Head;
use jitbot::domain::command::MessageRef;
use jitbot::domain::decision::{Decider, Decision};
use jitbot::domain::grant::{Grant, GrantState};
use jitbot::domain::ids::{GroupName, RequestId};
use jitbot::domain::request::RequestState;
use jitbot::domain::spec::ContentHash;
use jitbot::store::StoreError;

use crate::world::{
    World, account, active, at, grant, grant_id, person, place, request, spec, worlds,
};

pub fn conflict<T: std::fmt::Debug>(result: Result<T, StoreError>, what: &str) {
    match result {
        Err(StoreError::Conflict { what: said }) => assert!(said.contains(what), "{said}"),
        other => panic!("{other:?}"),
    }
}

/// Saves a request and its grant as they are.
pub async fn keep(world: &World, n: u64, change: impl FnOnce(Grant) -> Grant) -> Grant {
    let mut approved = request(n);
    approved.state = RequestState::Approved;
    approved.decided_at = Some(at(10));
    let mut grant = change(grant(&approved));
    let sent = grant.clone();
    grant.serial = world
        .write(move |tx| {
            Box::pin(async move {
                tx.insert_request(&approved).await?;
                tx.insert_grant(&sent).await
            })
        })
        .await
        .unwrap();
    grant
}

#[tokio::test]
async fn a_request_in_every_state() {
    for world in worlds().await {
        for (n, state) in RequestState::ALL.into_iter().enumerate() {
            let mut sample = request(n as u64);
            sample.state = state;
            sample.decided_at = (!state.is_open()).then(|| at(5));
            if n % 2 == 1 {
                sample.requester.person = None;
                sample.beneficiary = person(7);
                sample.reason = None;
                sample.card_place = None;
            }
            let sent = sample.clone();
            world
                .write(move |tx| Box::pin(async move { tx.insert_request(&sent).await }))
                .await
                .unwrap();
            let read = world.reader().await.request(&sample.id).await.unwrap();
            assert_eq!(read, Some(sample), "{}", state.as_str());
            let counted = world.reader().await.count_requests_in(state).await;
            assert_eq!(counted, Ok(1), "{}", state.as_str());
        }
    }
}

#[tokio::test]
async fn a_request_changes_only_from_the_state_that_was_seen() {
    for world in worlds().await {
        let mut sample = request(1);
        let sent = sample.clone();
        world
            .write(move |tx| Box::pin(async move { tx.insert_request(&sent).await }))
            .await
            .unwrap();
        let again = request(1);
        conflict(
            world
                .write(move |tx| Box::pin(async move { tx.insert_request(&again).await }))
                .await,
            sample.id.as_str(),
        );

        sample.state = RequestState::Denied;
        sample.decided_at = Some(at(9));
        sample.version = 2;
        sample.reason = None;
        let denied = sample.clone();
        let save = |request: jitbot::domain::request::Request, was| {
            world.write(move |tx| Box::pin(async move { tx.save_request(&request, was).await }))
        };
        save(denied.clone(), RequestState::Pending).await.unwrap();
        let read = world.reader().await.request(&sample.id).await.unwrap();
        assert_eq!(read, Some(denied.clone()));
        // The second of two who both saw it pending.
        conflict(save(denied.clone(), RequestState::Pending).await, "request");
        // What was asked for never changes.
        let mut other = denied.clone();
        other.spec = spec("other-ca", "SHA256:abc");
        other.spec_hash = other.spec.hash();
        conflict(save(other, RequestState::Denied).await, "request");
        let read = world.reader().await.request(&sample.id).await.unwrap();
        assert_eq!(read, Some(denied));
    }
}

#[tokio::test]
async fn a_spec_that_its_hash_does_not_name_is_not_kept() {
    for world in worlds().await {
        let mut sample = request(1);
        sample.spec.duration_s += 1;
        let result = world
            .write(move |tx| Box::pin(async move { tx.insert_request(&sample).await }))
            .await;
        assert!(
            matches!(result, Err(StoreError::Inconsistent { .. })),
            "{result:?}"
        );
    }
}

#[tokio::test]
async fn one_person_decides_once_on_a_request_on_whatever_account() {
    for world in worlds().await {
        let sample = request(1);
        let decision = |decider: Decider, approve: bool| Decision {
            request: RequestId::from_bits(1),
            approve,
            decider,
            spec_hash: request(1).spec_hash,
            policy_hash: ContentHash::of(b"policy"),
            rules: vec!["resource.staging-ssh.approve[0]".into(), "x".into()],
            why: (!approve).then(|| "not today".to_owned()),
            at: at(3),
        };
        let by = |account_n: u32, person_n: Option<u32>| {
            let mut identity = person(person_n.unwrap_or(1));
            identity.account = account(account_n);
            if person_n.is_none() {
                identity.person = None;
            }
            Decider::Person {
                identity,
                group: Some(GroupName::new("sre").unwrap()),
                group_as_of: Some(at(1)),
            }
        };
        world
            .write(move |tx| Box::pin(async move { tx.insert_request(&sample).await }))
            .await
            .unwrap();
        let insert = |decision: Decision| {
            world.write(move |tx| Box::pin(async move { tx.insert_decision(&decision).await }))
        };
        let first = decision(by(2, Some(2)), true);
        let second = decision(by(3, None), false);
        let ruled = decision(Decider::Rule, true);
        for kept in [&first, &second, &ruled] {
            insert(kept.clone()).await.unwrap();
        }
        for (why, repeated) in [
            ("same account", decision(by(2, None), false)),
            ("same account, linked since", decision(by(3, Some(3)), true)),
            ("same person", decision(by(9, Some(2)), true)),
            ("the rule", decision(Decider::Rule, false)),
        ] {
            let result = insert(repeated).await;
            assert!(
                matches!(result, Err(StoreError::Conflict { .. })),
                "{why}: {result:?}"
            );
        }
        let read = world
            .reader()
            .await
            .decisions(&RequestId::from_bits(1))
            .await;
        assert_eq!(read, Ok(vec![first, second, ruled]), "oldest first");
    }
}

#[tokio::test]
async fn requests_are_found_by_who_and_what() {
    for world in worlds().await {
        let mut requests = Vec::new();
        for n in 0..6_u64 {
            let mut sample = request(n);
            sample.submitted_at = at(n as i64);
            requests.push(sample);
        }
        // 0 open; 1 for another; 2 by another for me; 3 denied; 4 approved, live; 5 approved, over.
        requests[1].requester = person(2);
        requests[1].beneficiary = person(2);
        requests[2].requester = person(2);
        requests[3].state = RequestState::Denied;
        requests[3].decided_at = Some(at(100));
        for n in [4, 5] {
            requests[n].state = RequestState::Approved;
            requests[n].decided_at = Some(at(100 + n as i64));
        }
        let mut over = grant(&requests[5]);
        over.state = GrantState::Failed;
        over.deadline = Some(at(200));
        over.native_deadline = Some(at(200));
        over.ended_at = Some(at(300));
        let live = active(grant(&requests[4]));
        let sent = requests.clone();
        world
            .write(move |tx| {
                Box::pin(async move {
                    for request in &sent {
                        tx.insert_request(request).await?;
                    }
                    tx.insert_grant(&live).await?;
                    tx.insert_grant(&over).await?;
                    Ok(())
                })
            })
            .await
            .unwrap();
        let me = [account(1)];
        let resource = requests[0].spec.resource.clone();
        let pick = |wanted: &[usize]| -> Result<_, StoreError> {
            Ok(wanted
                .iter()
                .map(|n| requests[*n].clone())
                .collect::<Vec<_>>())
        };
        let mut reader = world.reader().await;
        assert_eq!(reader.live_requests_of(&me, 10).await, pick(&[4, 2, 0]));
        assert_eq!(reader.live_requests_of(&me, 2).await, pick(&[4, 2]));
        assert_eq!(reader.live_requests_of(&[], 10).await, pick(&[]));
        let both = [account(1), account(2)];
        assert_eq!(
            reader.live_requests_of(&both, 10).await,
            pick(&[4, 2, 1, 0])
        );
        let similar = reader.similar_requests(&me, &resource, at(105)).await;
        assert_eq!(similar, pick(&[5, 2, 0]));
        let other = jitbot::domain::ids::ResourceName::new("other").unwrap();
        assert_eq!(reader.similar_requests(&me, &other, at(0)).await, pick(&[]));
        assert_eq!(reader.count_open(&me).await, Ok(2));
        let earlier = reader.count_earlier(&me, &resource, &requests[5].id).await;
        assert_eq!(earlier, Ok(3), "0, 3 and 4; 2 was made by another");
    }
}

#[tokio::test]
async fn the_first_card_that_is_recorded_stays() {
    for world in worlds().await {
        let on = |message: &str| MessageRef {
            place: place(),
            message: message.into(),
        };
        world
            .write(|tx| Box::pin(async move { tx.insert_request(&request(1)).await }))
            .await
            .unwrap();
        let id = RequestId::from_bits(1);
        assert_eq!(world.reader().await.card(&id).await, Ok(None));
        for message in ["1700.1", "1700.2"] {
            let (id, on) = (id.clone(), on(message));
            world
                .write(move |tx| Box::pin(async move { tx.record_card(&id, &on).await }))
                .await
                .unwrap();
        }
        assert_eq!(world.reader().await.card(&id).await, Ok(Some(on("1700.1"))));
    }
}

#[tokio::test]
async fn an_event_is_answered_once() {
    for world in worlds().await {
        let keep = |answer: &'static str| {
            world.write(move |tx| {
                Box::pin(async move {
                    tx.insert_request(&request(u64::from(answer == "second")))
                        .await?;
                    tx.keep_answer("slack:trigger:1", answer).await
                })
            })
        };
        keep("first").await.unwrap();
        conflict(keep("second").await, "slack:trigger:1");
        let mut reader = world.reader().await;
        assert_eq!(
            reader.answered("slack:trigger:1").await,
            Ok(Some("first".into()))
        );
        assert_eq!(reader.answered("slack:trigger:2").await, Ok(None));
        let second = reader.request(&RequestId::from_bits(1)).await;
        assert_eq!(second, Ok(None), "what came with the second was kept");
        drop(reader);
        for (before, left) in [(at(0), Some("first".to_owned())), (at(1), None)] {
            world
                .write(move |tx| Box::pin(async move { tx.forget_answers(before).await }))
                .await
                .unwrap();
            let answer = world.reader().await.answered("slack:trigger:1").await;
            assert_eq!(answer, Ok(left));
        }
    }
}

#[tokio::test]
async fn a_digest_per_slot_and_a_policy_per_hash() {
    for world in worlds().await {
        let head = |count: i64| Head {
            count,
            hash: ContentHash::of(&count.to_le_bytes()),
        };
        let insert = |slot_s: i64, from: i64, to: Head| {
            world.write(move |tx| {
                Box::pin(async move { tx.insert_digest(at(slot_s), from, &to).await })
            })
        };
        assert_eq!(world.reader().await.last_digest().await, Ok(None));
        assert_eq!(insert(0, 0, head(3)).await, Ok(Some(1)));
        assert_eq!(insert(0, 0, head(4)).await, Ok(None), "one per slot");
        world.clock.advance(86_405);
        assert_eq!(insert(86_400, 3, head(9)).await, Ok(Some(2)));
        let mut reader = world.reader().await;
        let last = reader.last_digest().await.unwrap().unwrap();
        assert_eq!(
            (
                last.number,
                last.slot,
                last.at,
                last.from_seq,
                last.to.clone()
            ),
            (2, at(86_400), at(86_405), 3, head(9))
        );
        assert_eq!(reader.digest(2).await, Ok(Some(last)));
        assert_eq!(reader.digest(3).await, Ok(None));
        drop(reader);
        for _ in 0..2 {
            world
                .write(|tx| {
                    Box::pin(async move { tx.keep_policy(&ContentHash::of(b"p"), "p").await })
                })
                .await
                .unwrap();
        }
    }
}

#[test]
fn the_samples_belong_together() {
    assert_eq!(grant(&request(3)).id, grant_id(3));
}
