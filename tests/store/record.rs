//! The record: in order, chained, verifiable with and without its texts.

use jitbot::domain::audit::{AuditDraft, AuditEntry, AuditKind, Head};
use jitbot::domain::audit_verify::{Broken, Verifier};
use jitbot::store::StoreError;

use crate::world::{World, account, worlds};

async fn append(world: &World, n: i64) -> Result<(), StoreError> {
    world
        .write(move |tx| {
            Box::pin(async move {
                for part in 0..2 {
                    let draft = AuditDraft::new(AuditKind::Refused)
                        .by(&account(1))
                        .fact("n", n)
                        .fact("part", part)
                        .text("because");
                    tx.audit(draft).await?;
                }
                if n % 5 == 4 {
                    return Err(StoreError::Conflict {
                        what: "on purpose".into(),
                    });
                }
                Ok(())
            })
        })
        .await
}

async fn all(world: &World) -> Vec<AuditEntry> {
    let mut reader = world.reader().await;
    let mut entries: Vec<AuditEntry> = Vec::new();
    loop {
        let after = entries.last().map_or(0, |entry| entry.seq);
        let page = reader.audit_after(after, 7).await.unwrap();
        if page.is_empty() {
            return entries;
        }
        assert!(page.len() <= 7);
        entries.extend(page);
    }
}

fn verify(entries: &[AuditEntry], head: Option<Head>) -> Result<Head, Broken> {
    let mut verifier = Verifier::new(head);
    for entry in entries {
        verifier.take(entry)?;
    }
    verifier.finish().map(|verified| verified.head)
}

#[tokio::test]
async fn what_is_appended_by_many_at_once_is_one_chain() {
    for mut world in worlds().await {
        assert_eq!(world.reader().await.head().await, Ok(Head::empty()));
        let appends = (0..50).map(|n| append(&world, n));
        let results = futures_util::future::join_all(appends).await;
        assert_eq!(results.iter().filter(|result| result.is_ok()).count(), 40);
        world.restart().await;
        append(&world, 50).await.unwrap();
        let entries = all(&world).await;
        assert_eq!(entries.len(), 82);
        let head = world.reader().await.head().await.unwrap();
        assert_eq!(verify(&entries, Some(head.clone())), Ok(head));
        assert!(
            entries
                .iter()
                .all(|entry| entry.text.as_ref().is_some_and(|it| it.text == "because")),
            "texts stand beside"
        );
        let salts: std::collections::BTreeSet<_> = entries
            .iter()
            .filter_map(|entry| entry.text.as_ref().map(|text| text.salt.clone()))
            .collect();
        assert_eq!(salts.len(), 82, "a salt was used twice");
        let body: serde_json::Value = serde_json::from_str(&entries[0].body).unwrap();
        assert_eq!(body["at"], crate::world::START_MS);
        assert!(
            !entries[0].body.contains("because"),
            "the text is in the chain"
        );
    }
}

#[tokio::test]
async fn a_transaction_sees_the_head_that_it_moved() {
    for world in worlds().await {
        let heads = world
            .write(|tx| {
                Box::pin(async move {
                    tx.audit(AuditDraft::new(AuditKind::Started)).await?;
                    let first = tx.head().await?;
                    tx.audit(AuditDraft::new(AuditKind::Started)).await?;
                    Ok((first, tx.head().await?))
                })
            })
            .await
            .unwrap();
        assert_eq!((heads.0.count, heads.1.count), (1, 2));
        assert_eq!(world.reader().await.head().await, Ok(heads.1));
    }
}
