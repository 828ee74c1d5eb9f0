//! `jitbot erase` and what `jitbot audit` says of what is no longer there: the real binary.

#[path = "support/mod.rs"]
mod support;

use std::path::Path;
use std::process::Output;
use std::sync::Arc;

use jitbot::clock::{ManualClock, machine_now};
use jitbot::domain::audit::{AuditDraft, AuditKind, Head};
use jitbot::domain::segment::{ENTRIES_MAX, KEEP_MIN};
use jitbot::store::sqlite::SqliteStore;
use jitbot::store::{Store, StoreError, Tx, Urgency, write};
use sqlx::ConnectOptions as _;
use support::scene::Scene;
use support::{APPROVALS, id_of};
use tokio::process::Command;

const ALICE: &str = "slack:T0SHOP/U0ALICE";

/// What was typed about Alice's access; the scene's reason is the first.
const MARKERS: [&str; 2] = ["deploy is stuck", "the goat ate the cable"];

async fn jitbot(args: &[&str], db: &Path) -> Output {
    Command::new(env!("CARGO_BIN_EXE_jitbot"))
        .args(args)
        .arg("--db")
        .arg(db)
        .output()
        .await
        .unwrap()
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn complained(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// Which of the database's files hold which marker.
fn found(db: &Path) -> Vec<String> {
    let name = db.file_name().unwrap().to_str().unwrap();
    let files = std::fs::read_dir(db.parent().unwrap()).unwrap();
    let mut found = Vec::new();
    for file in files.map(|file| file.unwrap().path()) {
        let of_database = file.file_name().unwrap().to_str().unwrap();
        if !of_database.starts_with(name) {
            continue;
        }
        let bytes = std::fs::read(&file).unwrap();
        for marker in MARKERS {
            if bytes.windows(marker.len()).any(|w| w == marker.as_bytes()) {
                found.push(format!("{of_database}: {marker}"));
            }
        }
    }
    found
}

/// A copy of a database, without what it forbids, and changed.
async fn changed(db: &Path, changes: &str) -> tempfile::TempDir {
    let copy = tempfile::tempdir().unwrap();
    let file = copy.path().join("jitbot.db");
    let into = format!("VACUUM INTO '{}'", file.display());
    let mut original = sqlx::sqlite::SqliteConnectOptions::new()
        .filename(db)
        .connect()
        .await
        .unwrap();
    sqlx::raw_sql(sqlx::AssertSqlSafe(into))
        .execute(&mut original)
        .await
        .unwrap();
    let mut shell = sqlx::sqlite::SqliteConnectOptions::new()
        .filename(&file)
        .foreign_keys(false)
        .connect()
        .await
        .unwrap();
    let triggers: Vec<String> =
        sqlx::query_scalar("SELECT name FROM sqlite_schema WHERE type = 'trigger'")
            .fetch_all(&mut shell)
            .await
            .unwrap();
    let drops: String = triggers
        .iter()
        .map(|it| format!("DROP TRIGGER {it};"))
        .collect();
    sqlx::raw_sql(sqlx::AssertSqlSafe(format!("{drops}{changes}")))
        .execute(&mut shell)
        .await
        .unwrap();
    sqlx::Connection::close(shell).await.unwrap();
    copy
}

/// Each change is found, and told in these words.
async fn each_is_found(db: &Path, changes: &[(&str, &str)]) {
    for (change, words) in changes {
        let copy = changed(db, change).await;
        let output = jitbot(&["audit", "verify"], &copy.path().join("jitbot.db")).await;
        assert_eq!(output.status.code(), Some(1), "{change}: {output:?}");
        let said = said(&output);
        assert!(
            said.starts_with("broken: ") && said.contains(words),
            "{change}: {said}"
        );
    }
}

async fn head(db: &Path) -> String {
    let said = said(&jitbot(&["audit", "verify"], db).await);
    let first = said.lines().next().unwrap().to_owned();
    first.split_whitespace().last().unwrap().to_owned()
}

#[tokio::test]
async fn what_is_personal_about_an_account_is_gone_from_the_files_and_the_record_holds() {
    let scene = Scene::set().await;
    let db = scene.path().join("jitbot.db");
    let mut bot = scene.serve().await;
    let (id, card) = scene.ask().await;
    scene.approve(&card).await;
    scene.until_recorded("issued").await;
    let live = jitbot(&["erase", ALICE], &db).await;
    assert_eq!(live.status.code(), Some(1), "{live:?}");
    assert!(said(&live).contains(&id), "{}", said(&live));
    let revoke = format!("/jit revoke {id} {}", MARKERS[1]);
    let carol = scene.people.command(id_of("carol"), APPROVALS, &revoke);
    assert!(carol.await.unwrap().acked);
    scene.over().await;
    assert_ne!(found(&db), Vec::<String>::new());

    // Beside the bot it is said what would go, and nothing is done.
    let would = jitbot(&["erase", ALICE], &db).await;
    assert_eq!(would.status.code(), Some(0), "{would:?}");
    let plan = said(&would);
    for part in [
        "2 texts beside the record",
        "1 reasons of requests",
        "Nothing was done",
    ] {
        assert!(plan.contains(part), "{part}: {plan}");
    }
    let beside = jitbot(&["erase", ALICE, "--yes"], &db).await;
    assert_eq!(beside.status.code(), Some(2));
    let refused = complained(&beside);
    let holder = format!("process {}", bot.id().unwrap());
    for part in ["nothing was erased", &holder, "stop"] {
        assert!(refused.contains(part), "{part}: {refused}");
    }
    bot.kill().await.unwrap();
    let before = head(&db).await;
    assert_ne!(found(&db), Vec::<String>::new());

    let erased = jitbot(&["erase", ALICE, "--yes"], &db).await;
    assert!(erased.status.success(), "{erased:?}");
    assert_eq!(found(&db), Vec::<String>::new());
    let verified = jitbot(&["audit", "verify", "--head", &before], &db).await;
    let verified = said(&verified);
    assert!(verified.starts_with("verified"), "{verified}");
    assert!(
        verified.contains("2 texts beside them were erased"),
        "{verified}"
    );
    assert!(
        said(&erased).contains(&head(&db).await),
        "{}",
        said(&erased)
    );
    let exported = said(&jitbot(&["audit", "export"], &db).await);
    let entry: serde_json::Value = serde_json::from_str(exported.lines().last().unwrap()).unwrap();
    let entry = &entry["entry"];
    assert_eq!(
        (&entry["kind"], &entry["facts"]["of"]),
        (&"erased".into(), &ALICE.into())
    );
    assert_eq!(
        (&entry["facts"]["texts"], &entry["facts"]["by"]),
        (&2.into(), &"operator".into())
    );

    let again = jitbot(&["erase", ALICE, "--yes"], &db).await;
    assert!(
        again.status.success() && said(&again).contains("nothing"),
        "{again:?}"
    );
    assert_eq!(head(&db).await, head(&db).await);
    each_is_found(
        &db,
        &[
            (
                "DELETE FROM audit WHERE seq = (SELECT max(seq) FROM audit)",
                "nobody erased it on record",
            ),
            (
                "UPDATE audit SET body = replace(body, '\"texts\":2', '\"texts\":1') WHERE seq = (SELECT max(seq) FROM audit)",
                "its body was changed",
            ),
        ],
    )
    .await;
    // The bot goes on, and so does she.
    let _bot = scene.serve().await;
    let (again, _) = scene.ask().await;
    assert_ne!(again, id);
}

#[tokio::test]
async fn a_text_that_nobody_erased_on_record_is_missed() {
    let scene = Scene::set().await;
    let db = scene.path().join("jitbot.db");
    let mut bot = scene.serve().await;
    let (id, _) = scene.ask().await;
    let withdraw = format!("/jit withdraw {id}");
    let alice = scene.people.command(id_of("alice"), APPROVALS, &withdraw);
    assert!(alice.await.unwrap().acked);
    bot.kill().await.unwrap();
    let changes = [(
        "DELETE FROM audit_texts",
        "is gone, and nobody erased it on record",
    )];
    each_is_found(&db, &changes).await;
    let wrong = jitbot(&["erase", "alice", "--yes"], &db).await;
    assert_eq!(wrong.status.code(), Some(2));
    assert!(
        complained(&wrong).contains("slack:T0123456/U0123456"),
        "{wrong:?}"
    );
    let nowhere = jitbot(&["erase", ALICE, "--yes"], &scene.path().join("no.db")).await;
    assert_eq!(nowhere.status.code(), Some(2), "{nowhere:?}");
    assert!(!scene.path().join("no.db").exists());
}

async fn remove(tx: &mut dyn Tx) -> Result<(), StoreError> {
    let (now, machine_now) = (tx.now(), tx.machine_now());
    let old = tx.oldest_segment(now, machine_now, ENTRIES_MAX).await?;
    let before = tx.removed_segments().await?;
    let segment = old
        .unwrap()
        .removed(before.last(), tx.head().await?.count + 1);
    tx.remove_segment(&segment, now).await?;
    tx.audit(segment.told(serde_json::Map::new())).await
}

/// A database whose record had two segments removed, 1 to 3 and 4 to 6; heads of each, of the second
/// entry and of the end.
async fn twice_removed(db: &Path) -> [Head; 4] {
    let clock = Arc::new(ManualClock::at(machine_now()));
    let store = SqliteStore::open(db.to_str().unwrap(), clock.clone())
        .await
        .unwrap();
    let mut heads = Vec::new();
    for _ in 0..2 {
        let told = write(&store, Urgency::Answer, |tx| {
            Box::pin(async move {
                tx.audit(AuditDraft::new(AuditKind::Refused).text("words"))
                    .await?;
                let early = tx.head().await?;
                if early.count == 1 {
                    tx.audit(AuditDraft::new(AuditKind::Refused)).await?;
                    tx.audit(AuditDraft::new(AuditKind::Refused)).await?;
                }
                let head = tx.head().await?;
                let from = tx.last_digest().await?.map_or(0, |mark| mark.to.count);
                tx.insert_digest(tx.now(), from, &head).await?;
                tx.audit(AuditDraft::new(AuditKind::DigestMade)).await?;
                Ok([early, head])
            })
        });
        heads.extend(told.await.unwrap());
        clock.advance(KEEP_MIN);
        write(&store, Urgency::Answer, |tx| Box::pin(remove(tx)))
            .await
            .unwrap();
    }
    let end = store.reader().await.unwrap().head().await.unwrap();
    store.close().await;
    [heads[0].clone(), heads[1].clone(), heads[3].clone(), end]
}

#[tokio::test]
async fn the_record_says_what_is_no_longer_there_and_what_can_still_be_compared() {
    let folder = tempfile::tempdir().unwrap();
    let db = folder.path().join("jitbot.db");
    let [inside, first, second, end] = twice_removed(&db).await;
    assert_eq!((first.count, second.count, end.count), (3, 6, 8));
    let verified = said(&jitbot(&["audit", "verify"], &db).await);
    assert!(verified.contains("2 entries; head 8:"), "{verified}");
    assert!(verified.contains("entries 1 to 6"), "{verified}");
    assert!(
        verified.contains("the first entry that is there is of "),
        "{verified}"
    );
    for head in [&first, &second, &end] {
        let compared = jitbot(&["audit", "verify", "--head", &head.to_string()], &db).await;
        assert!(compared.status.success(), "{head}: {compared:?}");
        let other = format!("{}:{}", head.count, "0".repeat(64));
        let compared = jitbot(&["audit", "verify", "--head", &other], &db).await;
        assert_eq!(compared.status.code(), Some(1));
        assert!(said(&compared).contains("rewritten"), "{compared:?}");
    }
    let compared = jitbot(&["audit", "verify", "--head", &inside.to_string()], &db).await;
    assert_eq!(compared.status.code(), Some(1));
    let words = "entry 1 can't be compared: it was removed with entries 1 to 3";
    assert!(said(&compared).contains(words), "{compared:?}");

    let exported = jitbot(&["audit", "export"], &db).await;
    assert_eq!(said(&exported).lines().count(), 2);
    assert!(
        complained(&exported).contains("entries 1 to 6"),
        "{exported:?}"
    );
    let since = jitbot(&["audit", "export", "--since", "2999-01-01"], &db).await;
    assert!(
        since.stderr.is_empty(),
        "nothing of that time is missing: {since:?}"
    );

    each_is_found(
        &db,
        &[
            ("DELETE FROM audit WHERE seq = 7", "its number is not the next one"),
            ("DELETE FROM audit_segments", "its number is not the next one"),
            ("DELETE FROM audit_segments WHERE from_seq = 1", "do not follow"),
            ("DELETE FROM audit_segments WHERE from_seq = 4", "its number is not the next one"),
            ("UPDATE audit_segments SET last_at = last_at + 1 WHERE from_seq = 1", "was changed"),
            ("UPDATE audit_segments SET hash = prev WHERE from_seq = 1", "was changed"),
            (
                "INSERT INTO audit_segments SELECT 7, 7, prev, hash, 1, 1, 9, hash FROM audit WHERE seq = 7;
                DELETE FROM audit WHERE seq = 7",
                "was changed",
            ),
            ("DELETE FROM audit WHERE seq = 8", "no entry of the record tells of their removal"),
        ],
    )
    .await;
}
