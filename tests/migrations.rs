//! Migrations: from nothing, twice, with sample rows; and each wrong row is refused by name.

use std::collections::BTreeMap;
use std::path::Path;

use jitbot::store::sqlite::MIGRATIONS;
use sha2::{Digest, Sha256};
use sqlx::migrate::{Migration, Migrator};
use sqlx::{AssertSqlSafe, Connection, Executor, SqliteConnection};

/// By version: a row in each table that it brought, every column filled. Later migrations must carry
/// them over.
const SAMPLES: [&str; 6] = [
    include_str!("migrations/samples_1.sql"),
    include_str!("migrations/samples_2.sql"),
    include_str!("migrations/samples_3.sql"),
    include_str!("migrations/samples_4.sql"),
    include_str!("migrations/samples_5.sql"),
    include_str!("migrations/samples_6.sql"),
];

async fn empty() -> SqliteConnection {
    SqliteConnection::connect("sqlite::memory:").await.unwrap()
}

async fn with_samples() -> SqliteConnection {
    let mut conn = empty().await;
    MIGRATIONS.run(&mut conn).await.unwrap();
    for samples in SAMPLES {
        conn.execute(samples).await.unwrap();
    }
    conn
}

/// A database as this version left it, with rows in use.
async fn at_version(version: usize) -> SqliteConnection {
    let mut conn = empty().await;
    let ours = |it: &&Migration| it.version <= version as i64;
    let first: Vec<Migration> = MIGRATIONS.iter().filter(ours).cloned().collect();
    let migrator = Migrator {
        migrations: first.into(),
        ..Migrator::DEFAULT
    };
    migrator.run(&mut conn).await.unwrap();
    for samples in &SAMPLES[..version] {
        conn.execute(*samples).await.unwrap();
    }
    conn
}

/// Every value of a table's first columns, as text, row by row.
async fn rows(conn: &mut SqliteConnection, table: &str, columns: &[String]) -> Vec<String> {
    let parts: Vec<String> = columns.iter().map(|c| format!("quote({c})")).collect();
    let sql = format!(
        "SELECT {} FROM {table} ORDER BY 1",
        parts.join(" || ', ' || ")
    );
    sqlx::query_scalar(AssertSqlSafe(sql))
        .fetch_all(conn)
        .await
        .unwrap()
}

async fn columns(conn: &mut SqliteConnection, table: &str) -> Vec<String> {
    sqlx::query_scalar("SELECT name FROM pragma_table_info($1) ORDER BY cid")
        .bind(table)
        .fetch_all(conn)
        .await
        .unwrap()
}

async fn schema(conn: &mut SqliteConnection) -> Vec<String> {
    // A table that was made anew has its name in quotes.
    sqlx::query_scalar(
        "SELECT replace(sql, '\"', '') FROM sqlite_schema WHERE sql IS NOT NULL
        AND name NOT LIKE '_sqlx_%' ORDER BY type, name",
    )
    .fetch_all(conn)
    .await
    .unwrap()
}

#[tokio::test]
async fn each_upgrade_carries_every_row_over_and_ends_at_the_same_tables() {
    let mut fresh = empty().await;
    MIGRATIONS.run(&mut fresh).await.unwrap();
    let wanted = schema(&mut fresh).await;
    for version in 1..=SAMPLES.len() {
        let mut conn = at_version(version).await;
        let mut before = Vec::new();
        for table in tables(&mut conn).await {
            let columns = columns(&mut conn, &table).await;
            let rows = rows(&mut conn, &table, &columns).await;
            assert!(!rows.is_empty(), "no sample row in {table}");
            before.push((table, columns, rows));
        }
        MIGRATIONS.run(&mut conn).await.unwrap();
        for (table, columns, was) in before {
            assert_eq!(rows(&mut conn, &table, &columns).await, was, "{table}");
        }
        assert_eq!(schema(&mut conn).await, wanted, "from version {version}");
        let broken: Vec<String> =
            sqlx::query_scalar("SELECT \"table\" FROM pragma_foreign_key_check")
                .fetch_all(&mut conn)
                .await
                .unwrap();
        assert_eq!(broken, Vec::<String>::new());
    }
}

#[tokio::test]
async fn serials_of_grants_go_on_after_an_upgrade_where_they_stood() {
    let mut conn = at_version(1).await;
    // The newest grants may be gone; what was written into certificates is not given out again.
    conn.execute("UPDATE sqlite_sequence SET seq = 41 WHERE name = 'grants'")
        .await
        .unwrap();
    MIGRATIONS.run(&mut conn).await.unwrap();
    let next: i64 = sqlx::query_scalar("SELECT seq FROM sqlite_sequence WHERE name = 'grants'")
        .fetch_one(&mut conn)
        .await
        .unwrap();
    assert_eq!(next, 41);
}

async fn tables(conn: &mut SqliteConnection) -> Vec<String> {
    sqlx::query_scalar(
        "SELECT name FROM sqlite_schema WHERE type = 'table'
        AND name NOT LIKE 'sqlite_%' AND name NOT LIKE '_sqlx_%' ORDER BY name",
    )
    .fetch_all(conn)
    .await
    .unwrap()
}

#[tokio::test]
async fn from_nothing_twice_and_with_a_row_in_each_table() {
    let mut conn = empty().await;
    MIGRATIONS.run(&mut conn).await.unwrap();
    for samples in SAMPLES {
        conn.execute(samples).await.unwrap();
    }
    MIGRATIONS.run(&mut conn).await.unwrap();
    for table in tables(&mut conn).await {
        let rows: i64 = sqlx::query_scalar(AssertSqlSafe(format!("SELECT count(*) FROM {table}")))
            .fetch_one(&mut conn)
            .await
            .unwrap();
        assert!(rows > 0, "no sample row in {table}");
    }
    let broken: Vec<(String,)> = sqlx::query_as("SELECT \"table\" FROM pragma_foreign_key_check")
        .fetch_all(&mut conn)
        .await
        .unwrap();
    assert_eq!(broken, []);
}

/// The folder's files by name.
fn files() -> BTreeMap<String, Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("migrations/sqlite");
    std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap())
        .map(|entry| {
            let name = entry.file_name().into_string().unwrap();
            (name, std::fs::read(entry.path()).unwrap())
        })
        .collect()
}

#[test]
fn each_file_is_embedded_as_it_is_and_as_its_checksum_says() {
    let mut files = files();
    let checksums = String::from_utf8(files.remove("CHECKSUMS").unwrap()).unwrap();
    let listed: BTreeMap<&str, &str> = checksums
        .lines()
        .map(|line| line.split_once("  ").unwrap())
        .map(|(sum, name)| (name, sum))
        .collect();
    assert_eq!(listed.len(), files.len());
    assert_eq!(
        MIGRATIONS.iter().count(),
        files.len(),
        "build again: a file is not embedded"
    );
    for (migration, (name, bytes)) in MIGRATIONS.iter().zip(&files) {
        assert_eq!(
            listed[name.as_str()],
            hex::encode(Sha256::digest(bytes)),
            "{name}"
        );
        assert_eq!(
            migration.sql.as_str().as_bytes(),
            bytes,
            "{name}: build again"
        );
        assert!(
            name.starts_with(&format!("{:04}_", migration.version)),
            "{name}"
        );
    }
}

/// (what is done to the samples, the constraint that refuses it)
const WRONG: &[(&str, &str)] = &[
    ("UPDATE requests SET state = 'maybe'", "request_state_known"),
    ("UPDATE requests SET decided_at = NULL WHERE state = 'approved'", "request_decided_has_time"),
    ("UPDATE requests SET decided_at = 5 WHERE state = 'pending'", "request_decided_has_time"),
    ("UPDATE requests SET spec_hash = 'x'", "request_spec_hash_form"),
    ("UPDATE requests SET version = 0", "request_numbers"),
    ("UPDATE requests SET id = 'x' || id WHERE state = 'pending'", "request_id_form"),
    ("UPDATE requests SET submitted_at = 'noon'", "TEXT value in INTEGER column"),
    ("UPDATE requests SET requester_account = NULL", "NOT NULL"),
    ("DELETE FROM requests WHERE state = 'approved'", "FOREIGN KEY"),
    ("UPDATE requests SET extends = 'g0000000002' WHERE state = 'pending'", "request_extends_from_an_end"),
    ("UPDATE requests SET extension_state = 'given' WHERE state = 'pending'", "request_extension_state_known"),
    ("UPDATE requests SET extends = 'g0000000002', extends_from = 6000, extension_state = 'maybe'
        WHERE state = 'pending'", "request_extension_state_known"),
    ("UPDATE requests SET extends = 'g9999999999', extends_from = 6000, extension_state = 'waiting'
        WHERE state = 'pending'", "FOREIGN KEY"),
    ("UPDATE decisions SET approve = 2", "decision_is_yes_or_no"),
    ("UPDATE decisions SET account = NULL WHERE person IS NOT NULL", "decision_of_rule_names_nobody"),
    (
        "INSERT INTO decisions (request, approve, account, spec_hash, policy_hash, rules, at)
        SELECT request, 0, account, spec_hash, policy_hash, rules, at FROM decisions WHERE person IS NOT NULL",
        "decisions.request, decisions.account",
    ),
    (
        "INSERT INTO decisions (request, approve, account, person, spec_hash, policy_hash, rules, at)
        SELECT request, 0, 'slack:T1/U99', person, spec_hash, policy_hash, rules, at FROM decisions WHERE person IS NOT NULL",
        "decisions.request, decisions.person",
    ),
    (
        "INSERT INTO decisions (request, approve, spec_hash, policy_hash, rules, at)
        SELECT request, 0, spec_hash, policy_hash, rules, at FROM decisions WHERE account IS NULL",
        "decisions.request",
    ),
    ("UPDATE grants SET state = 'gone'", "grant_state_known"),
    ("UPDATE grants SET delivery = 'lost' WHERE serial = 1", "grant_delivery_known"),
    ("UPDATE grants SET id = 'g9999999999'", "grant_id_is_its_requests"),
    ("INSERT INTO grants (id, request, state, beneficiary_account, resource, issuer, spec, spec_hash,
        approved_at, activate_by, end_by, revoke_failures)
        SELECT 'gx' || substr(id, 3), request, 'scheduled', beneficiary_account, resource, issuer,
        spec, spec_hash, approved_at, activate_by, end_by, 0 FROM grants WHERE state = 'active'",
        "grant_id_is_its_requests"),
    ("UPDATE grants SET deadline = NULL WHERE state = 'active'", "grant_called_has_deadline"),
    ("UPDATE grants SET state = 'issuing', active_at = NULL, deadline = NULL, native_deadline = NULL WHERE state = 'active'",
        "grant_called_has_deadline"),
    ("UPDATE grants SET native_deadline = NULL WHERE state = 'active'", "grant_both_deadlines"),
    ("UPDATE grants SET deadline = end_by + 1 WHERE state = 'active'", "grant_deadline_not_past_end"),
    ("UPDATE grants SET end_by = approved_at - 1 WHERE state = 'active'", "grant_end_after_approval"),
    ("UPDATE grants SET active_at = NULL WHERE state = 'active'", "grant_active_was_seen"),
    ("UPDATE grants SET ending_reason = 'bored' WHERE state = 'stuck'", "grant_ending_reason_known"),
    ("UPDATE grants SET ending_reason = NULL, ending_at = NULL, ending_account = NULL, ending_person = NULL
        WHERE state = 'stuck'", "grant_ending_ordered"),
    ("UPDATE grants SET state = 'revoking' WHERE state = 'active'", "grant_ending_ordered"),
    ("UPDATE grants SET ending_reason = 'done', ending_at = 5 WHERE state = 'active'", "grant_live_has_no_ending"),
    ("UPDATE grants SET ending_at = NULL WHERE state = 'stuck'", "grant_ending_whole"),
    ("UPDATE grants SET ending_account = NULL WHERE state = 'stuck'", "grant_ending_whole"),
    ("UPDATE grants SET revoke_failures = -1", "grant_failures_counted"),
    ("UPDATE grants SET stuck_since = NULL WHERE state = 'stuck'", "grant_stuck_has_since"),
    ("UPDATE grants SET stuck_since = 5 WHERE state = 'active'", "grant_stuck_has_since"),
    ("UPDATE grants SET ended_at = NULL WHERE state = 'ended'", "grant_over_has_time"),
    ("UPDATE grants SET ended_at = 5 WHERE state = 'active'", "grant_over_has_time"),
    ("UPDATE grants SET evidence = NULL WHERE state = 'ended'", "grant_ended_has_evidence"),
    ("UPDATE grants SET evidence = 'seen_gone' WHERE state = 'stuck'", "grant_ended_has_evidence"),
    ("UPDATE grants SET evidence = 'our_books' WHERE state = 'ended'", "grant_evidence_known"),
    ("UPDATE holdings SET baseline_at = NULL", "holding_baseline_has_time"),
    ("INSERT INTO holdings (issuer, account, entitlement) SELECT issuer, account, entitlement FROM holdings",
        "holdings.issuer, holdings.account, holdings.entitlement"),
    ("DELETE FROM holdings", "FOREIGN KEY"),
    ("UPDATE cards SET request = 'r9999999999'", "FOREIGN KEY"),
    ("UPDATE jobs SET state = 'lost'", "job_state_known"),
    ("UPDATE jobs SET ripe = 1 WHERE state = 'running'", "job_ripe_waits"),
    ("UPDATE jobs SET lease_until = NULL WHERE state = 'running'", "job_claimed_has_lease"),
    ("UPDATE jobs SET lease_until = 5 WHERE state = 'waiting'", "job_claimed_has_lease"),
    ("UPDATE jobs SET again_at = 5 WHERE state = 'waiting'", "job_again_is_running"),
    ("UPDATE jobs SET last_error = NULL WHERE state = 'given_up'", "job_given_up_says_why"),
    ("UPDATE jobs SET state = 'given_up', ripe = 0, last_error = 'x' WHERE key LIKE 'revoke:%'", "job_revoke_never_given_up"),
    ("UPDATE jobs SET failures = -1", "job_numbers"),
    ("UPDATE jobs SET key = 'same' WHERE state IN ('waiting', 'running')", "jobs.key"),
    ("UPDATE jobs SET serial_key = 'same', state = 'running', ripe = 0, lease_until = 5, key = id", "jobs.serial_key"),
    ("INSERT INTO answers SELECT * FROM answers", "answers.once"),
    ("UPDATE audit SET body = body || ' '", "never edited"),
    ("DELETE FROM audit WHERE seq = 2", "never deleted"),
    ("DELETE FROM audit", "never deleted"),
    // Nothing is kept of it, or something else than what is there, or not of the oldest.
    ("DELETE FROM audit WHERE seq IN (1, 2)", "never deleted"),
    ("INSERT INTO audit_segments SELECT 2, 2, prev, hash, 1, 1, 3, hash FROM audit WHERE seq = 1", "only the oldest"),
    ("INSERT INTO audit_segments SELECT 2, 2, prev, prev, 1, 1, 4, hash FROM audit WHERE seq = 2", "only the oldest"),
    ("INSERT INTO audit_segments SELECT 1, 2, prev, hash, 1, 1, 4, hash FROM audit WHERE seq = 1", "only the oldest"),
    ("INSERT INTO audit_segments SELECT 3, 3, prev, hash, 1, 1, 4, hash FROM audit WHERE seq = 2", "only the oldest"),
    ("INSERT INTO audit_segments SELECT 2, 3, prev, hash, 1, 1, 4, hash FROM audit WHERE seq = 2", "only the oldest"),
    ("INSERT INTO audit_segments SELECT 2, 2, prev, hash, 1, 1, 9, hash FROM audit WHERE seq = 2", "only the oldest"),
    ("INSERT INTO audit_segments SELECT 2, 2, prev, hash, 2, 1, 3, hash FROM audit WHERE seq = 2", "segment_moments_in_order"),
    ("INSERT INTO audit_segments SELECT 2, 2, prev, hash, 1, 1, 3, 'x' FROM audit WHERE seq = 2", "segment_hash_forms"),
    ("UPDATE audit_segments SET to_seq = 2", "never edited"),
    ("DELETE FROM audit_segments", "never deleted"),
    ("INSERT OR REPLACE INTO audit (seq, body, prev, hash) SELECT seq, 'x', prev, hash FROM audit WHERE seq = 2",
        "only appended to"),
    ("INSERT INTO audit (seq, body, prev, hash) SELECT seq + 2, body, hash, prev FROM audit WHERE seq = 2",
        "only appended to"),
    ("INSERT INTO audit (seq, body, prev, hash) SELECT 3, body, prev, lower(hex(randomblob(32))) FROM audit WHERE seq = 2",
        "only appended to"),
    ("UPDATE audit_texts SET text = 'another reason'", "never edited"),
    ("INSERT INTO audit_texts VALUES (99, 'salt', 'text')", "FOREIGN KEY"),
    ("UPDATE policies SET hash = 'x'", "policy_hash_form"),
    (
        "UPDATE issuers SET bound_to = '{}'",
        "issuer_bound_is_a_list",
    ),
    ("UPDATE digests SET to_count = from_seq - 1", "digest_covers_forward"),
    ("INSERT INTO digests (slot, at, from_seq, to_count, to_hash) SELECT slot, at, from_seq, to_count, to_hash FROM digests",
        "digests.slot"),
    ("UPDATE digests SET to_hash = 'x'", "digest_hash_form"),
    ("INSERT INTO meta VALUES (2, 'x', 0, 0)", "meta_has_one_row"),
    ("UPDATE directory_groups SET trouble = 'bored'", "directory_group_trouble_known"),
    ("UPDATE directory_groups SET trouble = NULL", "directory_group_trouble_has_since"),
    ("UPDATE directory_accounts SET status = 'friend'", "directory_account_status_known"),
    ("UPDATE directory_accounts SET fetched_at = NULL", "directory_account_status_has_time"),
    ("UPDATE directory_sources SET told = 2", "directory_source_told_yes_or_no"),
    ("UPDATE directory_sources SET failing_since = NULL", "directory_source_told_of_failing"),
    ("INSERT INTO directory_members VALUES ('slack', 'S99', 'slack:T1/U1', 5)", "FOREIGN KEY"),
];

#[tokio::test]
async fn each_wrong_row_is_refused() {
    let mut conn = with_samples().await;
    for (change, constraint) in WRONG {
        let mut tx = conn.begin().await.unwrap();
        match sqlx::query(*change).execute(&mut *tx).await {
            Ok(done) => panic!(
                "{} rows let {constraint} pass: {change}",
                done.rows_affected()
            ),
            Err(error) => {
                let error = error.to_string();
                assert!(error.contains(constraint), "{change}: {error}");
            }
        }
        tx.rollback().await.unwrap();
    }
}

#[tokio::test]
async fn every_named_constraint_has_a_wrong_row() {
    let sql: String = files()
        .into_iter()
        .filter(|(name, _)| name.ends_with(".sql"))
        .map(|(_, bytes)| String::from_utf8(bytes).unwrap())
        .collect();
    let names = sql
        .split("CONSTRAINT ")
        .skip(1)
        .filter(|after| after.split_whitespace().nth(1) == Some("CHECK"))
        .filter_map(|after| after.split_whitespace().next());
    // A table that a later migration makes anew names its constraints again.
    let names: std::collections::BTreeSet<&str> = names.collect();
    let untried: Vec<&str> = names
        .into_iter()
        .filter(|name| !WRONG.iter().any(|(_, constraint)| constraint == name))
        .collect();
    assert_eq!(
        untried,
        [
            "audit_hash_forms",
            "grant_spec_hash_form",
            "segment_covers_forward",
            "segment_told_afterwards",
        ],
        "of the same form as others, or refused by a trigger before"
    );
}

#[tokio::test]
async fn what_a_removed_segment_covers_can_be_deleted() {
    let mut conn = with_samples().await;
    let removed = sqlx::query("DELETE FROM audit WHERE seq = 1")
        .execute(&mut conn)
        .await
        .unwrap();
    assert_eq!(removed.rows_affected(), 1);
}

#[tokio::test]
async fn a_text_beside_the_record_can_be_erased() {
    let mut conn = with_samples().await;
    let erased = sqlx::query("DELETE FROM audit_texts")
        .execute(&mut conn)
        .await
        .unwrap();
    assert_eq!(erased.rows_affected(), 1);
}
