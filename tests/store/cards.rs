//! Where cards belong, and where they stand.

use jitbot::domain::command::MessageRef;
use jitbot::domain::ids::RequestId;
use jitbot::domain::request::{Request, RequestState};

use crate::world::{at, place, request, worlds};

#[tokio::test]
async fn requests_that_wait_are_found_by_where_their_card_belongs_and_a_card_can_be_forgotten() {
    for world in worlds().await {
        let there = place();
        let mut samples: Vec<_> = (1..=4).map(request).collect();
        for (n, sample) in samples.iter_mut().enumerate() {
            sample.submitted_at = at(100 - 10 * i64::try_from(n).unwrap());
            sample.card_place = (n != 2).then(|| there.clone());
        }
        samples[3].state = RequestState::Denied;
        samples[3].decided_at = Some(at(200));
        let on = MessageRef {
            place: there.clone(),
            message: "1.1".into(),
        };
        let (sent, card) = (samples.clone(), on.clone());
        world
            .write(move |tx| {
                Box::pin(async move {
                    for sample in &sent {
                        tx.insert_request(sample).await?;
                    }
                    tx.record_card(&sent[0].id, &card).await
                })
            })
            .await
            .unwrap();
        let mut reader = world.reader().await;
        let ids = |found: Vec<Request>| -> Vec<RequestId> {
            found.into_iter().map(|one| one.id).collect()
        };
        let id = |n: usize| samples[n].id.clone();
        let found = reader.waiting_at(Some(&there), 10).await.unwrap();
        assert_eq!(ids(found), [id(1), id(0)], "open ones, oldest first");
        let found = reader.waiting_at(Some(&there), 1).await.unwrap();
        assert_eq!(ids(found), [id(1)]);
        let found = reader.waiting_at(None, 10).await.unwrap();
        assert_eq!(ids(found), [id(2)]);
        let longest = reader.longest_waiting().await.unwrap();
        assert_eq!(longest.map(|one| one.id), Some(id(2)), "not the denied one");
        assert_eq!(reader.card(&id(0)).await.unwrap(), Some(on.clone()));
        drop(reader);
        let (first, moved) = (
            id(0),
            MessageRef {
                message: "2.2".into(),
                ..on
            },
        );
        let new = moved.clone();
        world
            .write(move |tx| {
                Box::pin(async move {
                    tx.forget_card(&first).await?;
                    tx.record_card(&first, &new).await
                })
            })
            .await
            .unwrap();
        let mut reader = world.reader().await;
        assert_eq!(reader.card(&id(0)).await.unwrap(), Some(moved));
    }
}
