//! The real binary as a process among others: who holds the database, what is written where, what
//! the record says to whoever asks.

#[path = "support/mod.rs"]
mod support;

use std::path::Path;
use std::process::{Output, Stdio};

use support::Setup;
use support::scene::{Scene, WAIT};
use tokio::process::Command;

async fn audit(scene: &Scene, args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_jitbot"))
        .arg("audit")
        .arg(args[0])
        .arg("--db")
        .arg(scene.path().join("jitbot.db"))
        .args(&args[1..])
        .output()
        .await
        .unwrap()
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[tokio::test]
async fn a_second_process_exits_and_says_who_holds_the_database() {
    let scene = Scene::set().await;
    let first = scene.serve().await;
    let mut second = scene.command();
    second.stdout(Stdio::piped()).stderr(Stdio::piped());
    let second = tokio::time::timeout(WAIT, second.output())
        .await
        .unwrap()
        .unwrap();
    assert!(!second.status.success());
    let said = String::from_utf8_lossy(&second.stderr).into_owned();
    let holder = format!("process {}", first.id().unwrap());
    assert!(said.contains(&holder), "{said}");
}

#[tokio::test]
async fn the_record_is_exported_and_every_change_to_it_is_found() {
    let scene = Scene::set().await;
    let mut bot = scene.serve().await;
    let id = scene.a_life().await;
    let exported = audit(&scene, &["export"]).await;
    assert!(exported.status.success(), "beside the running bot");
    bot.kill().await.unwrap();

    let exported = said(&audit(&scene, &["export"]).await);
    let entries: Vec<serde_json::Value> = exported
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let about = entries.iter().filter(|e| e["entry"]["request"] == id);
    assert_eq!(about.count(), 6, "{exported}");
    for (i, entry) in entries.iter().enumerate() {
        assert_eq!(entry["seq"], i + 1);
        let body: serde_json::Value =
            serde_json::from_str(entry["body"].as_str().unwrap()).unwrap();
        assert_eq!(body, entry["entry"]);
    }
    let asked = &entries[1];
    assert_eq!(asked["text"], "deploy is stuck");
    assert!(!asked["body"].to_string().contains("deploy is stuck"));

    // From a moment on: whole days and instants.
    let at = chrono::DateTime::from_timestamp_millis(entries[3]["entry"]["at"].as_i64().unwrap());
    let at = at.unwrap().to_rfc3339();
    let later = said(&audit(&scene, &["export", "--since", &at]).await);
    let first: serde_json::Value = serde_json::from_str(later.lines().next().unwrap()).unwrap();
    assert!(first["entry"]["at"].as_i64() >= entries[3]["entry"]["at"].as_i64());
    assert!(later.lines().count() < entries.len() && later.lines().count() >= 1);
    let all = said(&audit(&scene, &["export", "--since", "2026-01-01"]).await);
    assert_eq!(all, exported);
    let none = audit(&scene, &["export", "--since", "2999-01-01"]).await;
    assert!(none.status.success() && none.stdout.is_empty());
    let wrong = audit(&scene, &["export", "--since", "yesterday"]).await;
    assert!(!wrong.status.success() && wrong.stdout.is_empty());

    let alone = said(&audit(&scene, &["verify"]).await);
    assert!(
        alone.starts_with("consistent in itself, not compared"),
        "{alone}"
    );
    let head = alone.split_whitespace().last().unwrap().to_owned();
    let right = audit(&scene, &["verify", "--head", &head]).await;
    assert!(right.status.success() && said(&right).starts_with("verified"));
    let nothing = format!("0:{}", "0".repeat(64));
    let empty = audit(&scene, &["verify", "--head", &nothing]).await;
    assert!(!empty.status.success(), "a head of nothing fits everything");

    // What the database itself forbids, somebody with the file can do all the same.
    for change in [
        "UPDATE audit SET body = replace(body, 'U0BOB', 'U0EVE') WHERE seq = 3",
        "UPDATE audit_texts SET text = 'nothing to see' WHERE seq = 2",
        "DELETE FROM audit WHERE seq = 4",
        "DELETE FROM audit WHERE seq = (SELECT max(seq) FROM audit)",
    ] {
        let changed = tampered(&scene, change).await;
        let output = Command::new(env!("CARGO_BIN_EXE_jitbot"))
            .args(["audit", "verify", "--db"])
            .arg(changed.path().join("jitbot.db"))
            .args(["--head", &head])
            .output()
            .await
            .unwrap();
        assert_eq!(output.status.code(), Some(1), "{change}: {output:?}");
        assert!(said(&output).starts_with("broken"), "{change}");
    }
}

/// A copy of the database, with a change that its own triggers would refuse.
async fn tampered(scene: &Scene, change: &str) -> tempfile::TempDir {
    let copy = tempfile::tempdir().unwrap();
    let file = copy.path().join("jitbot.db");
    scene
        .sql(&format!("VACUUM INTO '{}'", file.display()))
        .await;
    let triggers = sql(
        &file,
        "SELECT name FROM sqlite_master WHERE type = 'trigger'",
    )
    .await;
    for trigger in triggers {
        sql(&file, &format!("DROP TRIGGER {trigger}")).await;
    }
    sql(&file, change).await;
    copy
}

async fn sql(file: &Path, text: &str) -> Vec<String> {
    use sqlx::{ConnectOptions as _, Row as _};
    let mut connection = sqlx::sqlite::SqliteConnectOptions::new()
        .filename(file)
        .foreign_keys(false)
        .connect()
        .await
        .unwrap();
    sqlx::query(sqlx::AssertSqlSafe(text.to_owned()))
        .fetch_all(&mut connection)
        .await
        .unwrap()
        .iter()
        .map(|row| row.try_get(0).unwrap_or_default())
        .collect()
}

#[tokio::test]
async fn a_program_hands_the_list_to_hosts_as_the_config_says() {
    let folder = tempfile::tempdir().unwrap();
    let program = folder.path().join("push-krl");
    let hosts = folder.path().join("hosts");
    std::fs::create_dir(&hosts).unwrap();
    // The host is the last argument; the list comes in, the digest of what stands there goes
    // out.
    let text = format!(
        "#!/bin/sh\nset -eu\ncat > '{0}'/\"$1\"\nprintf '{{\"digest\":\"%s\"}}' \"$(sha256sum '{0}'/\"$1\" | cut -d' ' -f1)\"\n",
        hosts.display()
    );
    std::fs::write(&program, text).unwrap();
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
    let scene = Scene::with(&Setup {
        krl: Some(format!(
            "krl = {{ push = {{ program = [\"{}\"], hosts = [\"web1\", \"web2\"] }} }}",
            program.display()
        )),
        ..Setup::default()
    })
    .await;
    let _bot = scene.serve().await;
    let id = scene.a_life().await;
    let grant = format!("g{}", &id[1..]);
    for host in ["web1", "web2"] {
        let list = std::fs::read(hosts.join(host)).unwrap();
        assert!(list.windows(11).any(|w| w == grant.as_bytes()), "{host}");
    }
    let exported = said(&audit(&scene, &["export"]).await);
    assert!(exported.contains("seen_gone"), "{exported}");
}
