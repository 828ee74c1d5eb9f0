//! Erasing the texts of an account: its own, and no others; and the record holds.

use jitbot::domain::audit::{AuditDraft, AuditKind};
use jitbot::domain::erasure::{self, PersonalRows};
use jitbot::domain::request::Request;
use jitbot::store::StoreError;

use crate::world::{World, account, person, request, worlds};

impl World {
    /// Erases the texts of this account.
    pub async fn erase_texts_of(&self, n: u32) -> usize {
        self.write(move |tx| {
            Box::pin(async move {
                let texts = tx.texts_of(&account(n)).await?;
                tx.erase_texts(&texts).await?;
                let rows = PersonalRows::default();
                tx.audit(erasure::told(&account(n), &texts, &rows)).await?;
                Ok(texts.len())
            })
        })
        .await
        .unwrap()
    }
}

#[tokio::test]
async fn texts_by_and_about_an_account_are_its_own_and_no_others() {
    for world in worlds().await {
        world.insert(&request(1), None).await;
        let of_another = Request {
            requester: person(2),
            beneficiary: person(2),
            ..request(2)
        };
        world.insert(&of_another, None).await;
        let told = |kind| AuditDraft::new(kind).text("some words");
        // Denied by another; denied by person 1; refused to person 1; of access of person 1; of nobody.
        world
            .record(
                told(AuditKind::Denied)
                    .by(&account(2))
                    .request(&request(1).id),
            )
            .await;
        world
            .record(
                told(AuditKind::Denied)
                    .by(&account(1))
                    .request(&of_another.id),
            )
            .await;
        world.record(told(AuditKind::Refused).by(&account(1))).await;
        world
            .record(
                told(AuditKind::Refused)
                    .by(&account(2))
                    .fact("of", account(1).as_str()),
            )
            .await;
        world.record(told(AuditKind::ReloadRefused)).await;
        assert_eq!(
            world.reader().await.texts_of(&account(1)).await,
            Ok(vec![1, 3, 4, 5, 6])
        );
        let head = world.reader().await.head().await.unwrap();
        assert_eq!(world.erase_texts_of(1).await, 5);
        assert_eq!(world.verify(Some(head)).await.unwrap().erased, (5, 1));
        assert_eq!(
            world.reader().await.texts_of(&account(2)).await,
            Ok(vec![2])
        );
        assert_eq!(world.erase_texts_of(1).await, 0);
        world.verify(None).await.unwrap();
    }
}

#[tokio::test]
async fn a_text_that_is_not_there_is_not_erased_on_record() {
    for world in worlds().await {
        world.insert(&request(1), None).await;
        let erased = world.write(|tx| {
            Box::pin(async move {
                tx.erase_texts(&[1, 2]).await?;
                tx.audit(erasure::told(
                    &account(1),
                    &[1, 2],
                    &PersonalRows::default(),
                ))
                .await
            })
        });
        let erased = erased.await;
        assert!(
            matches!(erased, Err(StoreError::Inconsistent { .. })),
            "{erased:?}"
        );
        assert_eq!(
            world.reader().await.texts_of(&account(1)).await,
            Ok(vec![1]),
            "nothing of it was kept"
        );
    }
}
