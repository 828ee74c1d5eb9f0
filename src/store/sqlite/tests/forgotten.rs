//! What was forgotten is gone from SQLite's files, and policies go that nothing was decided under.

use super::*;
use crate::domain::ids::AccountId;
use crate::store::Tx;

/// A text that stands nowhere else.
const MARKER: &str = "the goat in the server room";

fn holds(path: &Path, marker: &str) -> Vec<String> {
    let folder = path.parent().unwrap();
    let files = std::fs::read_dir(folder).unwrap();
    files
        .map(|file| file.unwrap().path())
        .filter(|file| {
            let bytes = std::fs::read(file).unwrap();
            bytes.windows(marker.len()).any(|w| w == marker.as_bytes())
        })
        .map(|file| file.display().to_string())
        .collect()
}

/// Everything until now is removed, as if it were old.
async fn remove_all(tx: &mut dyn Tx) -> Result<(), StoreError> {
    let head = tx.head().await?;
    tx.insert_digest(tx.now(), 0, &head).await?;
    tx.audit(AuditDraft::new(AuditKind::DigestMade)).await?;
    let (now, machine_now) = (tx.now(), tx.machine_now());
    let old = tx.oldest_segment(now, machine_now, 100_000).await?.unwrap();
    assert_eq!(old.needed_by, None);
    let segment = old.removed(None, tx.head().await?.count + 1);
    tx.remove_segment(&segment, now).await?;
    tx.audit(segment.told(serde_json::Map::new())).await
}

#[tokio::test]
async fn a_removed_text_is_overwritten() {
    let open = fresh().await;
    for _ in 0..300 {
        append(&open.store, MARKER).await.unwrap();
    }
    write(&open.store, Urgency::Outcome, |tx| Box::pin(remove_all(tx)))
        .await
        .unwrap();
    open.store.close().await;
    assert_eq!(holds(&open.path, MARKER), Vec::<String>::new());
    let bytes = std::fs::metadata(&open.path).unwrap().len();
    assert!(bytes > 100_000, "the room is still there: {bytes}");
}

#[tokio::test]
async fn what_was_deleted_before_that_is_gone_when_the_file_was_written_anew() {
    let open = fresh().await;
    open.store.close().await;
    // As a version did that did not overwrite what it deleted, or a shell.
    let mut shell = beside(&open.path).await;
    let marked = AssertSqlSafe(format!(
        "PRAGMA secure_delete = OFF; INSERT INTO answers VALUES ('x', '{MARKER}', 1); DELETE FROM answers;"
    ));
    shell.execute(marked).await.unwrap();
    assert_ne!(holds(&open.path, MARKER), Vec::<String>::new());
    let path = open.path.to_str().unwrap();
    let now = clock().now();
    // Its log can't be emptied while the shell reads what was.
    shell
        .execute("BEGIN; SELECT count(*) FROM answers;")
        .await
        .unwrap();
    let said = SqliteStore::rewrite(path, "erase", now).await.unwrap_err();
    assert!(
        said.to_string().contains("lock") || said.to_string().contains("reads it"),
        "{said}"
    );
    shell.execute("COMMIT").await.unwrap();
    SqliteStore::rewrite(path, "erase", now).await.unwrap();
    assert_eq!(
        holds(&open.path, MARKER),
        Vec::<String>::new(),
        "beside another's connection"
    );
    let held = lock::take(&open.path, "serve", now).unwrap();
    let refused = SqliteStore::rewrite(path, "erase", now).await;
    assert!(
        matches!(refused, Err(StoreError::Held { .. })),
        "{refused:?}"
    );
    drop(held);
}

#[tokio::test]
async fn a_policy_goes_once_nothing_that_is_there_was_decided_under_it() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("jitbot.db");
    let clock = clock();
    let store = SqliteStore::open(path.to_str().unwrap(), clock.clone())
        .await
        .unwrap();
    for text in ["first", "second", "third", "fourth"] {
        write(&store, Urgency::Outcome, move |tx| {
            Box::pin(async move {
                tx.keep_policy(&ContentHash::of(text.as_bytes()), text)
                    .await?;
                tx.audit(AuditDraft::new(AuditKind::Started)).await
            })
        })
        .await
        .unwrap();
        clock.advance(chrono::TimeDelta::seconds(10));
    }
    // The first came back into force.
    write(&store, Urgency::Outcome, |tx| {
        Box::pin(async move {
            tx.keep_policy(&ContentHash::of(b"first"), "first").await?;
            tx.audit(AuditDraft::new(AuditKind::Started)).await?;
            remove_all(tx).await
        })
    })
    .await
    .unwrap();
    let mut shell = beside(&path).await;
    let left: Vec<String> = sqlx::query_scalar("SELECT text FROM policies ORDER BY text")
        .fetch_all(&mut shell)
        .await
        .unwrap();
    // The last removed entry was made under the first; the one before it was in force until then.
    assert_eq!(left, ["first", "fourth"]);
}

#[tokio::test]
async fn answers_and_messages_of_an_account_are_erased_and_others_messages_stay() {
    let open = fresh().await;
    let mut shell = beside(&open.path).await;
    shell
        .execute(
            r#"INSERT INTO answers VALUES ('x', '{"answer":"help"}', 1);
            INSERT INTO directory_accounts (account, wanted_at) VALUES ('slack:T1/U1', 1), ('slack:T1/U2', 1);
            INSERT INTO jobs (kind, key, lane, rank, run_at, state, ripe, attempt, failures, ordered_at, last_error)
            VALUES ('{"job":"answer_press","account":"slack:T1/U1"}', 'a', 'x', 0, 1, 'waiting', 0, 0, 0, 1, NULL),
                ('{"job":"answer_press","account":"slack:T1/U2"}', 'b', 'x', 0, 1, 'waiting', 0, 0, 0, 1, NULL),
                ('{"job":"sync_home","account":"slack:T1/U1"}', 'c', 'x', 0, 1, 'waiting', 0, 0, 0, 1, NULL),
                ('{"job":"privately","message":{"of":"slack:T1/U1"}}', 'd', 'x', 0, 1, 'given_up', 0, 0, 0, 1, 'x'),
                ('{"job":"privately","message":{"of":"slack:T1/U2"}}', 'e', 'x', 0, 1, 'given_up', 0, 0, 0, 1, 'x');"#,
        )
        .await
        .unwrap();
    let of = AccountId::new("slack:T1/U1").unwrap();
    let would = open.store.reader().await.unwrap().personal_rows(&of).await;
    let erased = write(&open.store, Urgency::Answer, move |tx| {
        Box::pin(async move { tx.erase_rows(&of).await })
    })
    .await
    .unwrap();
    assert_eq!(would, Ok(erased), "what is said before is what is done");
    assert_eq!((erased.answers, erased.known, erased.messages), (1, 1, 2));
    let left: Vec<String> = sqlx::query_scalar("SELECT key FROM jobs ORDER BY key")
        .fetch_all(&mut shell)
        .await
        .unwrap();
    assert_eq!(left, ["b", "c", "e"]);
}
