//! `jitbot backup`: a copy made beside a bot that writes all the time, brought back, and started.

#[path = "support/mod.rs"]
mod support;

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Output;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};

use sqlx::Executor as _;
use support::scene::{Scene, WAIT};
use support::{APPROVALS, SECURITY, id_of};
use tokio::process::{Child, Command};

fn jitbot(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_jitbot"));
    command.args(args).kill_on_drop(true);
    command
}

async fn run(args: &[&str]) -> Output {
    let output = jitbot(args).output();
    tokio::time::timeout(WAIT, output).await.unwrap().unwrap()
}

fn said(output: &Output) -> String {
    let all = [output.stdout.as_slice(), &output.stderr].concat();
    String::from_utf8(all).unwrap()
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

async fn backup(scene: &Scene, to: &Path) -> Output {
    run(&["backup", "--db", text(&scene.database), text(to)]).await
}

fn head(output: &Output) -> String {
    assert!(output.status.success(), "{}", said(output));
    said(output).split_whitespace().last().unwrap().to_owned()
}

async fn verified(db: &Path, head: &str) -> Output {
    run(&["audit", "verify", "--db", text(db), "--head", head]).await
}

async fn has_alive(scene: &Scene, id: &str) -> bool {
    let typed = format!("/jit status {id}");
    let asked = scene.people.command(id_of("alice"), APPROVALS, &typed);
    asked.await.unwrap().visible_text.contains(id)
}

/// What stands in a folder beside these names.
fn others(folder: &Path, known: &[&str]) -> Vec<String> {
    let names = std::fs::read_dir(folder).unwrap();
    let names = names.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names
        .filter(|name| !known.contains(&name.as_str()))
        .collect()
}

#[tokio::test]
async fn a_copy_made_under_load_is_whole_and_the_bot_goes_on_from_it() {
    let scene = Scene::set().await;
    let mut bot = scene.serve().await;
    let (id, card) = scene.ask().await;
    scene.approve(&card).await;
    scene.until_recorded("issued").await;

    // People keep asking while it is copied; each refusal is an entry.
    let going = Arc::new(AtomicBool::new(true));
    let asked = Arc::new(AtomicI64::new(0));
    let (people, goes, count) = (scene.people.clone(), going.clone(), asked.clone());
    let load = tokio::spawn(async move {
        while goes.load(Ordering::Relaxed) {
            let typed = "/jit request staging-ssh 900h too long";
            let one = || people.command(id_of("alice"), APPROVALS, typed);
            let (a, b, c, d) = tokio::join!(one(), one(), one(), one());
            for answer in [a, b, c, d] {
                assert!(answer.unwrap().acked);
                count.fetch_add(1, Ordering::Relaxed);
            }
        }
    });
    let busy = async || asked.load(Ordering::Relaxed) > 20;
    scene.until("load", busy).await;
    let before = asked.load(Ordering::Relaxed);
    let folder = tempfile::tempdir().unwrap();
    let copy = folder.path().join("copy.db");
    let head = head(&backup(&scene, &copy).await);
    let during = asked.load(Ordering::Relaxed) - before;
    let more = async || asked.load(Ordering::Relaxed) > before + during + 8;
    scene.until("the load going on", more).await;
    going.store(false, Ordering::Relaxed);
    load.await.unwrap();
    assert!(during > 0, "nothing was written while it was copied");

    let mode = std::fs::metadata(&copy).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    assert_eq!(others(folder.path(), &["copy.db"]), Vec::<String>::new());
    let original = verified(&scene.database, &head).await;
    assert!(original.status.success(), "{}", said(&original));
    let copied = verified(&copy, &head).await;
    assert!(copied.status.success(), "{}", said(&copied));
    assert!(
        said(&copied).ends_with(&format!("{head}\n")),
        "its very end"
    );

    // Never over something else.
    let bytes = std::fs::read(&copy).unwrap();
    let again = backup(&scene, &copy).await;
    assert_eq!(again.status.code(), Some(2), "{}", said(&again));
    assert!(
        said(&again).contains("is there already"),
        "{}",
        said(&again)
    );
    assert_eq!(std::fs::read(&copy).unwrap(), bytes);

    bring_back(&scene, &mut bot, &copy).await;
    let _bot = scene.serve().await;
    let restored = verified(&scene.database, &head).await;
    assert!(restored.status.success(), "{}", said(&restored));
    assert!(has_alive(&scene, &id).await);
    scene.done(&id).await;
    scene.over().await;
    assert!(scene.revoked(&id));
}

/// What docs/OPERATING.md tells an operator to do about what the copy does not know.
#[tokio::test]
async fn what_ended_after_the_copy_is_let_in_again_until_it_is_revoked_by_hand() {
    let scene = Scene::set().await;
    let mut bot = scene.serve().await;
    let (id, card) = scene.ask().await;
    scene.approve(&card).await;
    scene.until_recorded("issued").await;
    let folder = tempfile::tempdir().unwrap();
    let copy = folder.path().join("copy.db");
    head(&backup(&scene, &copy).await);
    scene.done(&id).await;
    scene.over().await;
    assert!(scene.revoked(&id));

    bring_back(&scene, &mut bot, &copy).await;
    let _bot = scene.serve().await;
    // The gap that is documented: whoever closes it takes this line, and the page's, out.
    scene
        .until("the new list", async || !scene.revoked(&id))
        .await;
    let typed = format!("/jit revoke {id} restored from a backup");
    let revoke = scene.people.command(id_of("carol"), SECURITY, &typed);
    assert!(revoke.await.unwrap().acked);
    scene.until("the end", async || scene.revoked(&id)).await;
}

/// As docs/OPERATING.md says.
async fn bring_back(scene: &Scene, bot: &mut Child, copy: &Path) {
    bot.kill().await.unwrap();
    for name in ["jitbot.db", "jitbot.db-wal", "jitbot.db-shm"] {
        let file = scene.path().join(name);
        if file.exists() {
            std::fs::rename(&file, scene.path().join(format!("{name}.aside"))).unwrap();
        }
    }
    std::fs::copy(copy, &scene.database).unwrap();
}

#[tokio::test]
async fn what_is_not_whole_is_not_kept_under_the_name() {
    let scene = Scene::set().await;
    let mut bot = scene.serve().await;
    scene.ask().await;
    bot.kill().await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let copy = folder.path().join("copy.db");

    // Another's database, and none.
    let nothing = folder.path().join("nothing.db");
    let none = run(&["backup", "--db", text(&nothing), text(&copy)]).await;
    assert_eq!(none.status.code(), Some(2), "{}", said(&none));
    assert!(
        said(&none).contains("there is no database"),
        "{}",
        said(&none)
    );
    let nowhere = folder.path().join("not-there/copy.db");
    let lost = backup(&scene, &nowhere).await;
    assert_eq!(lost.status.code(), Some(2), "{}", said(&lost));
    assert!(said(&lost).contains("can't be written"), "{}", said(&lost));

    // A record that was changed.
    let mut conn = scene.beside().await;
    for change in [
        "DROP TRIGGER audit_is_not_edited",
        "UPDATE audit SET body = replace(body, 'U0ALICE', 'U0EVE') WHERE seq = 2",
    ] {
        conn.execute(change).await.unwrap();
    }
    drop(conn);
    let broken = backup(&scene, &copy).await;
    assert_eq!(broken.status.code(), Some(1), "{}", said(&broken));
    assert!(
        said(&broken).contains("entry 2 does not fit"),
        "{}",
        said(&broken)
    );
    assert_eq!(others(folder.path(), &[]), Vec::<String>::new());
}

#[tokio::test]
async fn one_that_is_killed_leaves_nothing_under_the_name() {
    let scene = Scene::set().await;
    let mut bot = scene.serve().await;
    bot.kill().await.unwrap();
    // Large enough to be met in the middle.
    let mut conn = scene.beside().await;
    conn.execute(
        "CREATE TABLE ballast (id INTEGER PRIMARY KEY, filling BLOB) STRICT;
         WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3000)
         INSERT INTO ballast (filling) SELECT randomblob(65536) FROM n",
    )
    .await
    .unwrap();
    let folder = tempfile::tempdir().unwrap();
    let copy = folder.path().join("copy.db");
    let args = ["backup", "--db", text(&scene.database), text(&copy)];
    let mut killed = jitbot(&args).spawn().unwrap();
    let begun = async || {
        let parts = std::fs::read_dir(folder.path()).unwrap();
        parts.flatten().any(|room| {
            let files = std::fs::read_dir(room.path()).unwrap();
            files
                .flatten()
                .any(|file| file.metadata().is_ok_and(|it| it.len() > 1_000_000))
        })
    };
    scene.until("half a copy", begun).await;
    killed.kill().await.unwrap();
    assert!(!copy.exists());
    let left = others(folder.path(), &[]);
    assert!(left.iter().all(|name| name.ends_with(".part")), "{left:?}");
    assert_eq!(left.len(), 1, "it was killed in the middle");
    // The next one is not in its way.
    let again = run(&args).await;
    assert!(again.status.success(), "{}", said(&again));
}
