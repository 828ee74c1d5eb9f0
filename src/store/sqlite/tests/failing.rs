//! Commits that fail, disks that are full, rows that can't be read: what is answered and what goes on.

use super::*;

/// A check that only the commit makes, and that a marked policy fails.
pub(super) const FAILS_LATE: &str = "CREATE TABLE owner (id INTEGER PRIMARY KEY) STRICT;
    CREATE TABLE owned (id INTEGER REFERENCES owner (id) DEFERRABLE INITIALLY DEFERRED) STRICT;
    CREATE TRIGGER fails_late AFTER INSERT ON policies WHEN NEW.text = 'late'
    BEGIN INSERT INTO owned VALUES (1); END;";

#[tokio::test]
async fn a_commit_that_fails_answers_everybody_and_keeps_nothing() {
    let open = fresh().await;
    let mut shell = beside(&open.path).await;
    shell.execute(FAILS_LATE).await.unwrap();
    append(&open.store, "before").await.unwrap();
    let late = write(&open.store, Urgency::Answer, |tx| {
        Box::pin(async move { tx.keep_policy(&ContentHash::of(b"late"), "late").await })
    });
    // On one thread all of these wait before the writer takes any of them.
    let (one, late, two) =
        tokio::join!(append(&open.store, "one"), late, append(&open.store, "two"));
    for result in [one, late, two] {
        assert!(matches!(result, Err(StoreError::Database(_))), "{result:?}");
    }
    assert_eq!(count(&open.store).await, 1);
    append(&open.store, "after").await.unwrap();
    assert_eq!(
        count(&open.store).await,
        2,
        "the writer goes on from the old head"
    );
}

#[tokio::test]
async fn what_a_body_writes_after_the_database_undid_its_transaction_is_not_kept() {
    let open = fresh().await;
    // As a full disk does, this ends the transaction itself: what followed would be kept by itself.
    beside(&open.path)
        .await
        .execute(
            "CREATE TRIGGER undoes_all AFTER INSERT ON policies WHEN NEW.text = 'undo'
            BEGIN SELECT RAISE(ROLLBACK, 'undone'); END",
        )
        .await
        .unwrap();
    let stubborn = write(&open.store, Urgency::Answer, |tx| {
        Box::pin(async move {
            let undone = tx.keep_policy(&ContentHash::of(b"undo"), "undo").await;
            assert!(undone.is_err());
            // It does not look at the error, and goes on.
            let _ = tx.audit(started("stubborn")).await;
            Ok(())
        })
    });
    let (first, stubborn) = tokio::join!(append(&open.store, "first"), stubborn);
    assert!(matches!(first, Err(StoreError::Database(_))), "{first:?}");
    assert!(
        matches!(stubborn, Err(StoreError::Database(_))),
        "{stubborn:?}"
    );
    assert_eq!(count(&open.store).await, 0);
    append(&open.store, "after").await.unwrap();
    assert_eq!(count(&open.store).await, 1);
}

/// What is logged meanwhile.
#[derive(Clone, Default)]
struct Logged(Arc<std::sync::Mutex<Vec<u8>>>);

impl std::io::Write for Logged {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl Logged {
    fn has(&self, words: &str) -> bool {
        String::from_utf8_lossy(&self.0.lock().unwrap()).contains(words)
    }
}

#[tokio::test]
async fn a_record_that_somebody_else_wrote_to_is_not_taken_over_in_silence() {
    let logged = Logged::default();
    let into = logged.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_ansi(false)
        .with_writer(move || into.clone())
        .finish();
    let _guard = tracing::subscriber::set_default(subscriber);
    let open = fresh().await;
    append(&open.store, "ours").await.unwrap();
    let mut shell = beside(&open.path).await;
    // A commit that fails by itself is nobody else's.
    shell.execute(FAILS_LATE).await.unwrap();
    let late = write(&open.store, Urgency::Answer, |tx| {
        Box::pin(async move {
            tx.audit(started("lost")).await?;
            tx.keep_policy(&ContentHash::of(b"late"), "late").await
        })
    });
    assert!(late.await.is_err());
    append(&open.store, "ours").await.unwrap();
    let words = "another program wrote to the record";
    assert!(!logged.has(words));
    let told = open.store.reader().await.unwrap().head().await.unwrap();
    let entry = crate::domain::audit::append(&told, started("x"), [1; 16], clock().now());
    sqlx::query("INSERT INTO audit (seq, body, prev, hash) VALUES ($1, $2, $3, $4)")
        .bind(entry.seq)
        .bind(&entry.body)
        .bind(&entry.prev.0)
        .bind(&entry.hash.0)
        .execute(&mut shell)
        .await
        .unwrap();
    assert!(append(&open.store, "does not fit").await.is_err());
    append(&open.store, "goes on").await.unwrap();
    let found = Head {
        count: entry.seq,
        hash: entry.hash,
    };
    for part in [words, &format!("told={told}"), &format!("found={found}")] {
        assert!(logged.has(part), "{part}");
    }
}

#[test]
fn an_end_of_which_nobody_knew_whether_it_was_committed_is_our_own() {
    use super::last_commit::is_foreign;
    let head = |count| Head {
        count,
        hash: ContentHash::of(b"x"),
    };
    assert!(!is_foreign(&head(1), &head(1), None));
    assert!(!is_foreign(&head(2), &head(1), Some(&head(2))));
    assert!(is_foreign(&head(2), &head(1), None));
    assert!(is_foreign(&head(3), &head(1), Some(&head(2))));
}

#[tokio::test]
async fn a_full_disk_is_an_error_and_the_writer_goes_on_when_there_is_room_again() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("jitbot.db");
    let full = writing(&path).pragma("max_page_count", "120");
    let store = SqliteStore::open_with("serve", path.clone(), full, clock())
        .await
        .unwrap();
    let fill = |n: usize| {
        let store = &store;
        let text = "x".repeat(20_000);
        write(store, Urgency::Answer, move |tx: &mut dyn Tx| {
            Box::pin(async move {
                tx.keep_policy(&ContentHash::of(&n.to_le_bytes()), &text)
                    .await
            })
        })
    };
    let mut kept = 0;
    let error = loop {
        match fill(kept).await {
            Ok(()) => kept += 1,
            Err(error) => break error,
        }
        assert!(kept < 200, "it never filled up");
    };
    assert!(error.to_string().contains("full"), "{error}");
    let again = fill(kept).await;
    assert!(again.is_err(), "{again:?}");
    assert_eq!(count(&store).await, 0, "reads go on");
    beside(&path)
        .await
        .execute("DELETE FROM policies")
        .await
        .unwrap();
    fill(kept).await.unwrap();
}

#[tokio::test]
async fn a_row_that_contradicts_itself_is_refused_by_name() {
    let open = fresh().await;
    let id = RequestId::from_bits(5);
    let mut conn = beside(&open.path).await;
    sqlx::query(
        "INSERT INTO requests (id, state, requester_account, requester_person, beneficiary_account,
        beneficiary_person, resource, spec, spec_hash, reason, origin, card_place, approvals_needed,
        version, submitted_at, pending_until, decided_at) VALUES ($1, 'pending', 'slack:T1/U1', NULL, 'slack:T1/U1', NULL, 'x',
        '{}', $2, NULL, 'slack:T1/C1', NULL, 1, 1, 0, 0, NULL)",
    )
    .bind(id.as_str())
    .bind(ContentHash::of(b"another").0)
    .execute(&mut conn)
    .await
    .unwrap();
    let error = open.store.reader().await.unwrap().request(&id).await;
    match error {
        Err(StoreError::Inconsistent { what, why }) => {
            assert_eq!(what, format!("request {id}"));
            assert!(why.contains("hash"), "{why}");
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_job_that_cannot_be_read_holds_up_nobody_and_is_not_forgotten() {
    let open = fresh().await;
    let mut conn = beside(&open.path).await;
    conn.execute(
        "INSERT INTO jobs (kind, key, lane, rank, run_at, state, ripe, attempt, failures, ordered_at)
        VALUES ('{\"job\":\"from_the_future\"}', 'future', 'engine', 0, 0, 'waiting', 0, 0, 0, 0),
        ('{\"job\":\"expire_request\",\"request\":\"r0000000001\"}', 'known', 'engine', 0, 1,
            'waiting', 0, 0, 0, 0)",
    )
    .await
    .unwrap();
    let claimed = write(&open.store, Urgency::Outcome, |tx| {
        Box::pin(async move { tx.claim_due(5, &[]).await })
    })
    .await
    .unwrap();
    assert_eq!(claimed.len(), 1, "the other one in its lane");
    let mut reader = open.store.reader().await.unwrap();
    let error = reader.job_error("future").await.unwrap().unwrap();
    assert!(error.contains("from_the_future"), "{error}");
    let due = reader.next_due().await.unwrap().unwrap();
    assert_eq!((due - clock().now()).num_seconds(), 600);
}
