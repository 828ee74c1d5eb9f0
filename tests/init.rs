//! `jitbot init`, the real binary with its answers piped: what it asks, what it writes, and when it
//! writes nothing.

#[path = "support/mod.rs"]
mod support;

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use jitbot::sandbox::slack::World;
use support::office::Office;
use support::{APPROVALS, SECURITY};
use tokio::io::AsyncWriteExt as _;
use tokio::process::Command;

struct Told {
    code: Option<i32>,
    said: String,
}

/// Runs it with these answers, one a line.
async fn init(file: &Path, args: &[&str], env: &[(&str, &str)], answers: &str) -> Told {
    let mut child = Command::new(env!("CARGO_BIN_EXE_jitbot"))
        .arg("init")
        .arg(file)
        .args(args)
        .env_remove("SLACK_BOT_TOKEN")
        .env_remove("SLACK_APP_TOKEN")
        .envs(env.iter().copied())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    // It may stop before it has read all.
    let _ = stdin.write_all(answers.as_bytes()).await;
    drop(stdin);
    let output = tokio::time::timeout(Duration::from_secs(30), child.wait_with_output())
        .await
        .unwrap()
        .unwrap();
    let said = [output.stdout, output.stderr].map(|text| String::from_utf8(text).unwrap());
    Told {
        code: output.status.code(),
        said: said.concat(),
    }
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap();
    entries.map(|entry| entry.unwrap().path()).collect()
}

const BLIND: &str =
    "\n\nT0SHOP\ncarol=U0CAROL\n\n\n\nstaging\n\n\nalice=U0ALICE\nbob=U0BOB\n\n\n\nnone\n";

/// Answers without Slack, with a key and a list in this folder.
fn blind(folder: &Path) -> String {
    let path = |name: &str| folder.join(name).display().to_string();
    format!(
        "{BLIND}{}\nyes\n{}\n\n",
        path("keys/ca"),
        path("jitbot.krl")
    )
}

#[tokio::test]
async fn with_slack_at_hand_names_become_ids_and_the_result_is_right() {
    let others = |world: &mut World| {
        let made = World::new("T0SHOP")
            .user("U0MALLORY", "mallory")
            .user("U0GUEST", "guesty");
        for mut one in made.users {
            one.real_name = "Carla Smith".into();
            one.is_restricted = one.name == "guesty";
            world.users.push(one);
        }
    };
    let office = Office::with(others, |manifest| manifest).await;
    office.people.remove_bot(APPROVALS).await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("jitbot.toml");
    let path = |name: &str| folder.path().join(name).display().to_string();
    let api = office
        .config
        .lines()
        .find(|line| line.starts_with("api_url"))
        .unwrap();
    let api = api.split('"').nth(1).unwrap().to_owned();
    let env = [
        ("SLACK_BOT_TOKEN", office.tokens.0.as_str()),
        ("SLACK_APP_TOKEN", office.tokens.1.as_str()),
        ("SLACK_API_URL", api.as_str()),
    ];
    let key = jitbot::sandbox::ssh::keys::load_or_make(&folder.path().join("id_alice"), "alice");
    let key = key.unwrap().public_line;
    let answers = [
        "",        // bot token: SLACK_BOT_TOKEN
        "",        // app token
        "carl",    // who is security: nobody
        "Carla",   // a full name is no handle
        "mallory", // who set it
        "no",      // not the one that was meant
        "guesty",  // may not act
        "Carol",
        "",        // yes, her
        "securty", // no such channel
        "#security",
        "25:00", // no time
        "8:30",
        "Berlin", // no zone
        "Europe/Berlin",
        "Prod Hosts", // no name
        "prod",
        "",         // deploy
        "terrible", // no risk
        "high",
        "alice, U0OLGA",
        "yes",
        "olga", // could not approve what she asks for
        "olga bob",
        "yes",
        "",  // #approvals
        "1", // no duration
        "30m",
        "20m", // less than the default
        "2h",
        "none at all", // no key
        key.as_str(),
        "none", // olga's key later
        "ca",   // not absolute
        &path("keys/prod-ca"),
        "", // make it
        &path("jitbot.krl"),
        &path("jitbot.db"),
    ]
    .join("\n");
    let told = init(&file, &[], &env, &answers).await;
    assert_eq!(told.code, Some(0), "{}", told.said);
    for said in [
        "Slack: Shop (T0SHOP), 3 channels, 7 people.",
        "Nobody there has the handle \"carl\". Did you mean carol?",
        "Nobody there has the handle \"Carla\". Did you mean mallory = U0MALLORY (Carla Smith)?",
        "  mallory = U0MALLORY (Carla Smith)\n",
        "Nobody there has the handle \"guesty\".",
        "  carol = U0CAROL (",
        "  alice = U0ALICE (",
        "There is no such channel that the bot can see. Did you mean security?",
        "A time like 09:00, please.",
        "That is no time zone",
        "Lower-case letters",
        "One of low, medium, high, critical.",
        "Then nobody could approve what olga asks for: name one more.",
        "That is no duration",
        "That is less than 30m.",
        "That is no public key",
        "An absolute path, please",
        "Type `/invite @jitbot` in #approvals.",
        "Add ssh_keys of olga.",
        "jitbot check ",
        "jitbot serve --config ",
    ] {
        assert_eq!(told.said.matches(said).count(), 1, "{said}: {}", told.said);
    }
    let text = std::fs::read_to_string(&file).unwrap();
    for line in [
        &format!("channels = [\"slack:{SECURITY}\"]                   # #security"),
        "cron = \"30 8 * * *\", time_zone = \"Europe/Berlin\"",
        "[resource.prod-ssh]",
        "accounts  = [\"slack:T0SHOP/U0OLGA\"]",
        "# /jit request prod-ssh 30m why it is needed",
        "risk     = \"high\"",
    ] {
        assert!(text.contains(line), "{line}: {text}");
    }
    assert!(!text.contains(&office.tokens.0) && !told.said.contains(&office.tokens.0));
    let mode = |name: &str| {
        let meta = std::fs::metadata(folder.path().join(name)).unwrap();
        meta.permissions().mode() & 0o777
    };
    assert_eq!(
        (mode("jitbot.toml"), mode("keys/prod-ca"), mode("keys")),
        (0o600, 0o600, 0o700)
    );

    // It passes the check, up to what it said itself that is still to be done.
    let check = async || {
        let output = Command::new(env!("CARGO_BIN_EXE_jitbot"))
            .arg("check")
            .arg(&file)
            .envs(env)
            .output()
            .await
            .unwrap();
        let said = [output.stdout, output.stderr].map(|text| String::from_utf8(text).unwrap());
        (output.status.code(), said.concat())
    };
    let (code, said) = check().await;
    assert_eq!(code, Some(1), "{said}");
    assert_eq!(said.matches("problem: ").count(), 1, "{said}");
    assert!(said.contains("has no bot in it"), "{said}");
    let invite = jitbot::sandbox::people::Change::AddBot(APPROVALS.to_owned());
    office.people.change(invite).await.unwrap();
    let (code, said) = check().await;
    assert_eq!(code, Some(0), "{said}");
    assert_eq!(said.matches("warning: ").count(), 1, "{said}");
    assert!(
        said.contains("no SSH key is known of person:olga"),
        "{said}"
    );
    // Nothing was changed at Slack by asking.
    let calls = office.people.calls().await.unwrap();
    assert!(calls.iter().all(|call| !call.method.starts_with("chat.")));
}

#[tokio::test]
async fn without_slack_ids_are_typed_and_the_result_passes_the_offline_check() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("jitbot.toml");
    let told = init(&file, &[], &[], &blind(folder.path())).await;
    assert_eq!(told.code, Some(0), "{}", told.said);
    assert!(
        told.said
            .contains("Slack can't be asked for names (SLACK_BOT_TOKEN is not set)")
    );
    let output = Command::new(env!("CARGO_BIN_EXE_jitbot"))
        .args(["check", "--offline"])
        .arg(&file)
        .env("SLACK_BOT_TOKEN", "to-come")
        .env("SLACK_APP_TOKEN", "to-come")
        .output()
        .await
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    let sample: Vec<&str> = jitbot::config::SAMPLE
        .lines()
        .filter(|line| line.starts_with('['))
        .collect();
    let text = std::fs::read_to_string(&file).unwrap();
    for section in ["[slack]", "[store]", "[security]"] {
        assert!(
            sample.contains(&section) && text.contains(section),
            "{section}"
        );
    }

    // What stands there stays, unless it is said otherwise.
    std::fs::write(&file, "mine").unwrap();
    let told = init(&file, &[], &[], &blind(folder.path())).await;
    assert_eq!(told.code, Some(2));
    assert!(
        told.said.contains("is there already, and stays as it is"),
        "{}",
        told.said
    );
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "mine");
    let key = std::fs::read(folder.path().join("keys/ca")).unwrap();
    let again = blind(folder.path()).replace("\nyes\n", "\n");
    let told = init(&file, &["--force"], &[], &again).await;
    assert_eq!(told.code, Some(0), "{}", told.said);
    assert_eq!(std::fs::read_to_string(&file).unwrap(), text);
    let kept = std::fs::read(folder.path().join("keys/ca")).unwrap();
    assert_eq!(kept, key, "a key that is there is never made anew");
}

#[tokio::test]
async fn answers_that_end_too_soon_leave_nothing_and_a_secret_that_is_typed_is_not_repeated() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("jitbot.toml");
    let all = blind(folder.path());
    let lines = all.lines().count();
    // Wherever it stops, also one answer before the end.
    for stop in [0, 1, 5, lines - 2, lines - 1] {
        let some: String = all
            .lines()
            .take(stop)
            .map(|line| format!("{line}\n"))
            .collect();
        let told = init(&file, &[], &[], &some).await;
        assert_eq!(told.code, Some(2), "after {stop}: {}", told.said);
        assert!(told.said.contains("the answers ended; nothing was written"));
        assert!(files(folder.path()).is_empty(), "after {stop}");
    }
    let secret = "xoxb-typed-by-mistake\nxoxb typed\n";
    let told = init(&file, &[], &[], &format!("{secret}{all}")).await;
    assert_eq!(told.code, Some(0), "{}", told.said);
    assert!(
        told.said.contains("That is the token itself"),
        "{}",
        told.said
    );
    let text = std::fs::read_to_string(&file).unwrap();
    for written in [&told.said, &text] {
        assert!(!written.contains("typed"), "{written}");
    }
}

#[tokio::test]
async fn it_prints_the_apps_manifest() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("jitbot.toml");
    let told = init(&file, &["--print-slack-manifest"], &[], "").await;
    assert_eq!(
        (told.code, told.said.as_str()),
        (Some(0), jitbot::config::SLACK_MANIFEST)
    );
    assert!(!file.exists());
}
