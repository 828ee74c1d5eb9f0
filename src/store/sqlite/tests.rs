//! What is SQLite's alone: how it is opened, what fails under it, which indexes serve the claims.

use std::os::unix::fs::PermissionsExt;
use std::sync::Arc;

use chrono::DateTime;
use sqlx::{AssertSqlSafe, Executor, SqliteConnection};

use super::*;
use crate::clock::ManualClock;
use crate::domain::audit::{AuditDraft, AuditKind, Head};
use crate::domain::ids::RequestId;
use crate::domain::spec::ContentHash;
use crate::store::{Tx, write};

mod failing;
mod forgotten;
mod plans;
mod taking;

struct Open {
    store: SqliteStore,
    path: PathBuf,
    _dir: tempfile::TempDir,
}

fn clock() -> Arc<ManualClock> {
    let start = DateTime::from_timestamp(1_800_000_000, 0).unwrap();
    Arc::new(ManualClock::at(start))
}

async fn fresh() -> Open {
    fresh_at(clock()).await
}

async fn fresh_at(clock: Arc<ManualClock>) -> Open {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("jitbot.db");
    let store = SqliteStore::open(path.to_str().unwrap(), clock)
        .await
        .unwrap();
    Open {
        store,
        path,
        _dir: dir,
    }
}

/// Another program on the same file.
async fn beside(path: &Path) -> SqliteConnection {
    options(path).connect().await.unwrap()
}

async fn append(store: &SqliteStore, text: &'static str) -> Result<(), StoreError> {
    write(store, Urgency::Answer, move |tx| {
        Box::pin(async move { tx.audit(started(text)).await })
    })
    .await
}

fn started(text: &str) -> AuditDraft {
    AuditDraft::new(AuditKind::Started).text(text)
}

/// How often others committed something, as a connection beside them counts it.
async fn commits_seen(conn: &mut SqliteConnection) -> i64 {
    sqlx::query_scalar("SELECT data_version FROM pragma_data_version")
        .fetch_one(conn)
        .await
        .unwrap()
}

async fn count(store: &SqliteStore) -> i64 {
    store.reader().await.unwrap().head().await.unwrap().count
}

#[tokio::test]
async fn a_commit_is_an_fsync_of_a_log_and_foreign_keys_hold() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("x.db");
    let writing = writing(&path);
    std::fs::write(&path, b"").unwrap();
    let mut conn = writing.connect().await.unwrap();
    for (pragma, value) in [
        ("journal_mode", "wal"),
        ("synchronous", "2"),
        ("foreign_keys", "1"),
    ] {
        let text: String = sqlx::query_scalar(AssertSqlSafe(format!(
            "SELECT CAST({pragma} AS TEXT) FROM pragma_{pragma}"
        )))
        .fetch_one(&mut conn)
        .await
        .unwrap();
        assert_eq!(text, value, "{pragma}");
    }
}

#[tokio::test]
async fn a_new_database_is_its_owners_alone_with_all_that_lies_beside_it() {
    let open = fresh().await;
    append(&open.store, "x").await.unwrap();
    for suffix in ["", "-wal", "-shm"] {
        let file = format!("{}{suffix}", open.path.display());
        let mode = std::fs::metadata(&file).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{file}");
    }
    // One that somebody opened to others is closed at the next start.
    open.store.close().await;
    let for_all = std::os::unix::fs::PermissionsExt::from_mode(0o644);
    std::fs::set_permissions(&open.path, for_all).unwrap();
    let store = SqliteStore::open(open.path.to_str().unwrap(), clock())
        .await
        .unwrap();
    let mode = std::fs::metadata(&open.path).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    store.close().await;
}

#[tokio::test]
async fn one_file_has_one_lock_by_whatever_name() {
    let open = fresh().await;
    let link = open.path.with_file_name("link.db");
    std::os::unix::fs::symlink(&open.path, &link).unwrap();
    for name in [
        link.display().to_string(),
        format!("sqlite://{}", open.path.display()),
        format!("sqlite:{}", open.path.display()),
    ] {
        let error = SqliteStore::open(&name, clock()).await.err();
        assert!(
            matches!(error, Some(StoreError::Held { .. })),
            "{name}: {error:?}"
        );
    }
    open.store.close().await;
    SqliteStore::open(link.to_str().unwrap(), clock())
        .await
        .unwrap();
}

#[tokio::test]
async fn what_names_no_file_is_refused() {
    for name in [
        "",
        ":memory:",
        "sqlite::memory:",
        "sqlite://x.db?mode=ro",
        "/nowhere/x.db",
    ] {
        let error = SqliteStore::open(name, clock()).await.err();
        assert!(
            matches!(error, Some(StoreError::Database(_))),
            "{name}: {error:?}"
        );
    }
}

#[tokio::test]
async fn a_dropped_store_finishes_what_waits_and_lets_the_lock_go() {
    let open = fresh().await;
    append(&open.store, "x").await.unwrap();
    drop(open.store);
    for _ in 0..1000 {
        match SqliteStore::open(open.path.to_str().unwrap(), clock()).await {
            Ok(store) => {
                assert_eq!(count(&store).await, 1);
                return;
            }
            Err(StoreError::Held { .. }) => tokio::task::yield_now().await,
            Err(other) => panic!("{other}"),
        }
    }
    panic!("the lock was never let go");
}

#[tokio::test]
async fn reading_alone_goes_on_beside_the_holder_and_writes_nothing() {
    let open = fresh().await;
    append(&open.store, "x").await.unwrap();
    let name = open.path.to_str().unwrap();
    let reading = SqliteStore::open_read_only(name).await.unwrap();
    assert_eq!(count(&reading).await, 1);
    assert_eq!(reading.now(), clock().now());
    append(&open.store, "y").await.unwrap();
    assert_eq!(count(&reading).await, 2);
    assert_eq!(append(&reading, "z").await, Err(StoreError::Closed));
    open.store.close().await;
    reading.close().await;
    let alone = SqliteStore::open_read_only(name).await.unwrap();
    assert_eq!(count(&alone).await, 2);
}

#[tokio::test]
async fn reading_alone_refuses_what_is_not_ours() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("other.db");
    let name = path.to_str().unwrap();
    let error = SqliteStore::open_read_only(name).await.err().unwrap();
    assert!(
        error.to_string().contains("there is no database"),
        "{error}"
    );
    assert!(!path.exists(), "it was made");
    let options = options(&path).create_if_missing(true);
    let mut conn = options.connect().await.unwrap();
    conn.execute("CREATE TABLE x (y)").await.unwrap();
    let error = SqliteStore::open_read_only(name).await.err().unwrap();
    assert!(
        error.to_string().contains("no database of jitbot"),
        "{error}"
    );
}

#[tokio::test]
async fn a_database_that_a_newer_version_used_is_refused() {
    let open = fresh().await;
    open.store.close().await;
    let mut conn = beside(&open.path).await;
    conn.execute(
        "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time)
        VALUES (9999, 'later', 1, x'00', 0)",
    )
    .await
    .unwrap();
    drop(conn);
    let name = open.path.to_str().unwrap();
    let error = SqliteStore::open(name, clock()).await.err().unwrap();
    assert!(
        error.to_string().contains("a newer jitbot has used it"),
        "{error}"
    );
    let error = SqliteStore::open_read_only(name).await.err().unwrap();
    assert!(error.to_string().contains("version 9999"), "{error}");
}

#[tokio::test]
async fn an_idle_look_for_jobs_writes_nothing() {
    let open = fresh().await;
    let mut conn = beside(&open.path).await;
    let before = commits_seen(&mut conn).await;
    write(&open.store, Urgency::Outcome, |tx| {
        Box::pin(async move { tx.claim_due(5, &[]).await })
    })
    .await
    .unwrap();
    assert_eq!(
        commits_seen(&mut conn).await,
        before,
        "a look was committed"
    );
    append(&open.store, "x").await.unwrap();
    assert_ne!(
        commits_seen(&mut conn).await,
        before,
        "a change was not seen"
    );
}

#[tokio::test]
async fn the_head_is_the_records_own_after_a_restart() {
    let open = fresh().await;
    append(&open.store, "x").await.unwrap();
    let head = open.store.reader().await.unwrap().head().await.unwrap();
    assert_ne!(head, Head::empty());
    open.store.close().await;
    let store = SqliteStore::open(open.path.to_str().unwrap(), clock())
        .await
        .unwrap();
    append(&store, "y").await.unwrap();
    let entries = store
        .reader()
        .await
        .unwrap()
        .audit_after(1, 10)
        .await
        .unwrap();
    assert_eq!(entries[0].prev, head.hash);
}
