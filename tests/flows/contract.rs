//! Access that a program of the operator's gives: the shipped example, from the command to the end.

use std::path::PathBuf;

use super::support::{Setup, World};

const ASKS: &str = "/jit request box-admin 1h deploy is stuck";

/// A world with an issuer of the kind `command`; its directory is beside the bot's files.
async fn world(program: &str, more: &str) -> (World, PathBuf, tempfile::TempDir) {
    let room = tempfile::tempdir().unwrap();
    let access = room.path().join("access");
    std::fs::create_dir(&access).unwrap();
    let setup = Setup {
        more_config: format!(
            r#"
[issuer.box]
kind = "command"
program = [{program}]
environment = {{ ACCESS_DIR = "{}" }}
accounts = {{ alice = "a.smith" }}
time_limit = "5s"
target = "the box"
{more}

[resource.box-admin]
title = "Admin on the box"
project = "shop"
action = "admin"
risk = "low"
issuer = "box"
grant = {{ group = ["admins", "operators"] }}
duration = {{ default = "1h", max = "8h" }}
request = ["group:engineering"]
approve = [{{ from = ["group:sre"] }}]
channels = ["slack:#approvals"]
"#,
            access.display()
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
