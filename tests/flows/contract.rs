//! Access that a program of the operator's gives: the shipped example, from the command to the end.

use std::path::PathBuf;

use super::support::issuer_box::issuer_box;
use super::support::{Setup, World};

const ASKS: &str = "/jit request box-admin 1h deploy is stuck";

/// A world with an issuer of the kind `command`; its directory is beside the bot's files.
async fn world(program: &str, more: &str) -> (World, PathBuf, tempfile::TempDir) {
    let room = tempfile::tempdir().unwrap();
    let access = room.path().join("access");
    std::fs::create_dir(&access).unwrap();
    let setup = Setup {
        more_config: issuer_box(
            "box",
            &format!(
                r#"kind = "command"
program = [{program}]
environment = {{ ACCESS_DIR = "{}" }}
accounts = {{ alice = "a.smith" }}
time_limit = "5s"
target = "the box"
{more}"#,
                access.display()
            ),
            "box-admin",
            r#"group = ["admins", "operators"]"#,
        ),
        ..Setup::default()
    };
    (World::with(setup).await, access, room)
}

fn example() -> String {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("docs/examples");
    format!("{:?}", folder.join("file-access").display().to_string())
}

fn files(access: &PathBuf) -> Vec<String> {
    let files = std::fs::read_dir(access).unwrap().flatten();
    files
        .map(|file| std::fs::read_to_string(file.path()).unwrap())
        .collect()
}

#[tokio::test]
async fn a_script_of_twenty_lines_gives_access_and_takes_it_away_on_time() {
    let (world, access, _room) = world(&example(), "").await;
    let id = world.asks("alice", ASKS).await;
    let card = world.card(&id).await.visible_text;
    assert!(
        card.contains("admins") && card.contains("operators"),
        "{card}"
    );
    assert_eq!(files(&access), Vec::<String>::new());
    world.presses("bob", "Approve", &id).await;
    let given = files(&access);
    assert_eq!(given.len(), 1);
    assert!(given[0].starts_with("a.smith until "), "{given:?}");
    let told = world.told("alice").await;
    let told = told.join("\n");
    assert!(told.contains("You are in."), "{told}");
    world.pass("61m").await;
    assert_eq!(files(&access), Vec::<String>::new());
    let ended = world.record().await.pop().unwrap();
    assert_eq!(ended["facts"]["evidence"], "seen_gone");
    assert_eq!(ended["facts"]["reason"], "deadline");
}

/// What the card said of its end holds for as long as somebody has access.
#[tokio::test]
async fn how_access_ends_does_not_change_while_somebody_has_it() {
    let (mut world, access, _room) = world(&example(), "").await;
    let id = world.asks("alice", ASKS).await;
    world.presses("bob", "Approve", &id).await;
    let before = "target = \"the box\"\n";
    let after = format!("{before}native_expiry = \"enforced\"\nearly_end = \"impossible\"\n");
    let why = world.reloads(before, &after).await.unwrap_err().join("\n");
    assert!(why.contains("ends none/seen"), "{why}");
    world.pass("61m").await;
    assert_eq!(files(&access), Vec::<String>::new());
    let ended = world.record().await.pop().unwrap();
    assert_eq!(ended["facts"]["evidence"], "seen_gone");
}

/// While somebody has access there, what takes it away leads where it did.
#[tokio::test]
async fn a_program_with_live_grants_is_not_led_elsewhere() {
    let (mut world, access, room) = world(&example(), "").await;
    let elsewhere = room.path().join("elsewhere");
    std::fs::create_dir(&elsewhere).unwrap();
    let (here, there) = (
        access.display().to_string(),
        elsewhere.display().to_string(),
    );
    // While nobody has access it may, and security reads of it.
    world.reloads(&here, &there).await.unwrap();
    let told = world.security_reads().await;
    let told = told.last().unwrap();
    assert!(
        told.contains("issuer.box is different: leads_to."),
        "{told}"
    );
    let id = world.asks("alice", ASKS).await;
    world.presses("bob", "Approve", &id).await;
    assert_eq!((files(&access).len(), files(&elsewhere).len()), (0, 1));

    let why = world.reloads(&there, &here).await.unwrap_err().join("\n");
    let grant = format!("g{}", &id[1..]);
    assert!(why.contains(&grant) && why.contains(&there), "{why}");
    world.types("alice", &format!("/jit done {id}")).await;
    assert_eq!(files(&elsewhere), Vec::<String>::new());
}

#[tokio::test]
async fn two_programs_may_share_a_script_and_not_a_directory() {
    let other = tempfile::tempdir().unwrap();
    let second = |directory: &str| {
        let program = example();
        format!(
            "[issuer.other-box]\nkind = \"command\"\nprogram = [{program}]\nenvironment = {{ ACCESS_DIR = \"{directory}\" }}\n"
        )
    };
    let apart = second(&other.path().display().to_string());
    let (mut world, access, _room) = world(&example(), &apart).await;
    let same = access.display().to_string();
    let other = other.path().display().to_string();
    let why = world.reloads(&other, &same).await.unwrap_err().join("\n");
    assert!(why.contains("`box` and `other-box` share program"), "{why}");
}
