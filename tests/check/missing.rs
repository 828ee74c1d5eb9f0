//! Everything that can be missing, each with its sentence, its line and its severity.

use std::collections::BTreeSet;
use std::sync::Arc;

use jitbot::clock::SystemClock;
use jitbot::sandbox::people::Change;
use jitbot::sandbox::slack::World;
use jitbot::store::Store as _;
use jitbot::store::sqlite::SqliteStore;
use sqlx::ConnectOptions as _;
use sqlx::sqlite::SqliteConnectOptions;

use super::support::office::Office;
use super::support::scene::Scene;
use super::support::{APPROVALS, SECURITY};

#[tokio::test]
async fn what_is_right_is_said_to_be_and_asking_changes_nothing_anywhere() {
    let office = Office::open().await;
    let before = files(&office);
    let said = office.check(&["--strict"]).await;
    assert_eq!(said.code, 0, "{}", said.text);
    let last = said.text.lines().last().unwrap();
    assert!(
        last.starts_with("ok: 2 resources, 1 issuer, 4 groups, 5 people; policy ")
            && last.ends_with("Slack says that it is there (Shop, T0SHOP, as @jitbot)"),
        "{last}"
    );
    assert_eq!(said.text.lines().count(), 1, "{}", said.text);

    // What the bot may ask without changing anything. A socket's address is made and never opened.
    let asks = [
        "auth.test",
        "apps.connections.open",
        "bots.info",
        "conversations.list",
        "users.info",
        "usergroups.list",
        "usergroups.users.list",
    ];
    let log = office.people.log().await.unwrap();
    let called: BTreeSet<&str> = log.calls.iter().map(|call| call.method.as_str()).collect();
    assert!(called.len() >= 4, "{called:?}");
    for method in called {
        assert!(asks.contains(&method), "{method}");
    }
    assert!(log.envelopes.is_empty() && office.people.sockets().await.unwrap() == 0);
    let mut after = files(&office);
    assert!(after.remove("jitbot.toml"));
    assert_eq!(after, before);
}

fn files(office: &Office) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for folder in [
        office.folder.path().to_owned(),
        office.folder.path().join("target"),
    ] {
        for entry in std::fs::read_dir(&folder).unwrap() {
            let name = entry.unwrap().file_name();
            found.insert(name.to_string_lossy().into_owned());
        }
    }
    found
}

#[tokio::test]
async fn tokens() {
    let mut office = Office::open().await;
    let right = office.tokens.clone();
    office.tokens.0 = "xoxb-of-nobody".into();
    let said = office.check(&[]).await;
    assert_eq!(said.code, 1);
    let line = office.line("bot_token");
    said.has(&format!(
        "  problem: jitbot.toml:{line}: slack.bot_token: Slack does not take this token: auth.test: invalid_auth. Install the app, and copy the Bot User OAuth Token (xoxb-…) from its page, OAuth & Permissions."
    ));
    office.tokens = (right.0.clone(), "xapp-of-nobody".into());
    let said = office.check(&[]).await;
    assert_eq!(said.code, 1);
    said.has("slack.app_token: Slack opens no socket with this token: apps.connections.open: invalid_auth. Make one (xapp-…)");
    assert!(!said.text.contains("xapp-of-nobody"));

    // Another workspace's, with everybody's id unknown there: said once.
    office.tokens = right;
    office.replace("slack:T0SHOP/", "slack:T0OTHER/");
    let said = office.check(&[]).await;
    assert_eq!(said.code, 1);
    said.has("slack.bot_token: this token belongs to workspace slack:T0SHOP (Shop), but the config's accounts are of slack:T0OTHER. Use that workspace's token, or correct the accounts.");
    assert_eq!(said.text.matches("problem: ").count(), 1, "{}", said.text);

    let file = office.folder.path().join("token");
    office.replace(
        "bot_token = { env = \"SLACK_BOT_TOKEN\" }",
        &format!("bot_token = {{ file = \"{}\" }}", file.display()),
    );
    let said = office.check(&[]).await;
    assert_eq!(said.code, 1);
    said.has("problem: jitbot.toml:3: slack.bot_token: the secret file token can't be read");
}

#[tokio::test]
async fn scopes() {
    let office = Office::with(
        |_| {},
        |manifest| {
            let without =
                |line: &&str| !line.contains("- chat:write") && !line.contains("- groups:read");
            manifest
                .lines()
                .filter(without)
                .collect::<Vec<_>>()
                .join("\n")
        },
    )
    .await;
    let said = office.check(&[]).await;
    assert_eq!(said.code, 1);
    said.has("slack.bot_token: the app may not do all that jitbot needs; it lacks chat:write, groups:read. Add that at the app's page");
    assert_eq!(said.text.matches("problem: ").count(), 1, "{}", said.text);
}

#[tokio::test]
async fn channels() {
    let mut office = Office::open().await;
    office.people.archive(SECURITY).await.unwrap();
    office.people.remove_bot(APPROVALS).await.unwrap();
    let api_url = office
        .config
        .lines()
        .find(|line| line.starts_with("api_url"));
    let api_url = api_url.unwrap().to_owned();
    office.replace(
        &api_url,
        &format!("{api_url}\nfallback_channel = \"slack:#lobby\""),
    );
    office.replace(
        "channels = [\"slack:#approvals\"]\npending_for = \"1h\"\nremind = [\"10m\"]\n\n[resource.prod-ssh]",
        "channels = [\"slack:#approval\"]\npending_for = \"1h\"\nremind = [\"10m\"]\n\n[resource.prod-ssh]",
    );
    let said = office.check(&[]).await;
    assert_eq!(said.code, 1);
    let line = office.line("channels = [\"slack:#security\"]");
    said.has(&format!(
        "problem: jitbot.toml:{line}: security.channels[0]: the channel `slack:#security` is archived. Unarchive it or name another."
    ));
    said.has("resource.prod-ssh.channels[0]: the channel `slack:#approvals` has no bot in it. Type `/invite @jitbot` there.");
    let line = office.line("channels = [\"slack:#approval\"]");
    said.has(&format!(
        "problem: jitbot.toml:{line}: resource.staging-ssh.channels[0]: the channel `slack:#approval` matches no channel that the bot can see. Check its spelling; into a private channel the bot must be invited first."
    ));
    said.has("slack.fallback_channel: the channel `slack:#lobby` matches no channel that the bot can see.");
    said.has("4 problems, 0 warnings");
}

#[tokio::test]
async fn people() {
    let mut office = Office::with(
        |world| {
            for user in &mut world.users {
                user.is_restricted = user.id == "U0BOB";
                user.is_stranger = user.id == "U0OLGA";
            }
        },
        |manifest| manifest,
    )
    .await;
    office.replace("slack:T0SHOP/U0ALICE", "slack:T0SHOP/U0ALICIA");
    office.replace(
        "[group.oncall]\nmembers = [\"person:olga\"]",
        "[group.oncall]\nmembers = [\"person:olga\", \"slack:T0SHOP/U0BOTUSER\"]",
    );
    office.people.deactivate("U0CAROL").await.unwrap();
    let said = office.check(&[]).await;
    assert_eq!(said.code, 1);
    let line = office.line("U0ALICIA");
    said.has(&format!(
        "problem: jitbot.toml:{line}: person.alice.accounts[0]: slack:T0SHOP/U0ALICIA is nobody in this workspace. Copy the member ID from the person's profile, or take the account out."
    ));
    said.has("person.carol.accounts[0]: slack:T0SHOP/U0CAROL (carol) is deactivated. Take the account out, and name somebody in their place.");
    said.has("person.bob.accounts[0]: slack:T0SHOP/U0BOB (bob) is a guest, and guests may neither ask nor decide. Make them a full member, or name somebody else.");
    said.has("person.olga.accounts[0]: slack:T0SHOP/U0OLGA (olga) is of another workspace, and may neither ask nor decide here. Name their account in this workspace, if they have one.");
    said.has("group.oncall.members[1]: slack:T0SHOP/U0BOTUSER (jitbot) is a bot, which presses no button. Name a person.");
    said.has("problem: jitbot.toml:11: security.people: nobody of security can act. Name somebody who is active: they are told when an access can't be taken away.");
}

#[tokio::test]
async fn approvers_who_are_too_few_when_some_can_not_act() {
    let mut office = Office::open().await;
    for leaver in ["U0DANA", "U0ERIN"] {
        office.people.deactivate(leaver).await.unwrap();
    }
    let said = office.check(&[]).await;
    assert_eq!(said.code, 1);
    said.has("1 problem, 3 warnings");
    said.has("resource.prod-ssh.approve[0].from: nothing can be approved: 2 people must approve, and 1 of those named can. Name people who are active.");
    said.has("resource.staging-ssh.approve[0].from: of those who can act, too few others can approve what is asked for by person:bob. Nobody approves what they asked for: name more people.");

    // Where one is enough and nobody who asks approves, a leaver is a warning: exit 0, or 1 if strict.
    office.replace("count = 2", "count = 1");
    let engineering = "members = [\"person:alice\", \"person:bob\", \"person:olga\"]";
    office.replace(engineering, "members = [\"person:alice\", \"person:olga\"]");
    let said = office.check(&[]).await;
    assert_eq!(said.code, 0, "{}", said.text);
    assert!(said.text.ends_with("; 2 warnings\n"), "{}", said.text);
    assert_eq!(office.check(&["--strict"]).await.code, 1);
}

#[tokio::test]
async fn user_groups() {
    let mut office = Office::with(
        |world| {
            *world = std::mem::replace(world, World::new("T0SHOP"))
                .user_group("S0OPS", "ops", &["U0BOB", "U0DANA", "U0ERIN"])
                .user_group("S0OLD", "old", &[])
                .user_group("S0NONE", "none", &[]);
            let old = world.usergroups.iter_mut().find(|one| one.id == "S0OLD");
            old.unwrap().disabled = true;
        },
        |manifest| manifest,
    )
    .await;
    let two = "members = [\"person:bob\", \"person:dana\", \"slack:T0SHOP/U0ERIN\"]";
    office.replace(two, "slack_usergroup = \"ops\"");
    let said = office.check(&["--strict"]).await;
    assert_eq!(said.code, 0, "{}", said.text);

    // Two of it approve, and one of them asks.
    let users = ["U0BOB", "U0DANA"].map(str::to_owned).to_vec();
    let group = "S0OPS".to_owned();
    let fewer = Change::GroupMembers { group, users };
    office.people.change(fewer).await.unwrap();
    let said = office.check(&[]).await;
    assert_eq!(said.code, 0, "{}", said.text);
    said.has("resource.prod-ssh.approve[0].from: of those who can act, too few others can approve what is asked for by person:bob.");

    office.replace("slack_usergroup = \"ops\"", "slack_usergroup = \"opps\"");
    let said = office.check(&[]).await;
    assert_eq!(said.code, 1);
    let line = office.line("slack_usergroup");
    said.has(&format!(
        "problem: jitbot.toml:{line}: group.sre.slack_usergroup: the user group `opps` matches no user group. Check its handle in Slack, without the `@`."
    ));
    said.has("resource.prod-ssh.approve[0].from: nothing can be approved: 2 people must approve, and 0 of those named can.");
    office.replace("\"opps\"", "\"old\"");
    office
        .check(&[])
        .await
        .has("the user group `old` is disabled. Enable the user group in Slack or name another.");
    office.replace("\"old\"", "\"none\"");
    let said = office.check(&[]).await;
    said.has("warning: jitbot.toml");
    said.has("group.sre.slack_usergroup: the user group `none` has nobody in it. Whatever names this group means nobody by it.");
    // Offline nothing is known of it.
    assert_eq!(office.check(&["--offline", "--strict"]).await.code, 0);
}

#[tokio::test]
async fn issuers_and_the_database() {
    use std::os::unix::fs::PermissionsExt as _;

    let mut office = Office::open().await;
    let folder = office.folder.path().to_owned();
    let path = |name: &str| folder.join(name).display().to_string();
    let (ca, krl, db) = (path("ca"), path("target/jitbot.krl"), path("jitbot.db"));
    std::fs::set_permissions(&ca, std::fs::Permissions::from_mode(0o640)).unwrap();
    office.replace(&krl, &path("nowhere/jitbot.krl"));
    office.replace(&db, &path("nowhere/jitbot.db"));
    let said = office.check(&[]).await;
    assert_eq!(said.code, 1);
    let line = office.line("ca_key");
    said.has(&format!(
        "warning: jitbot.toml:{line}: issuer.staging-ca.ca_key: the secret file ca can be read by others than its owner. Run `chmod 600` on it."
    ));
    said.has("issuer.staging-ca.krl: nowhere/jitbot.krl: writing into its directory failed");
    said.has("store.url: there is no directory");

    office.replace(&path("nowhere/jitbot.krl"), &krl);
    office.replace(&path("nowhere/jitbot.db"), &db);
    std::fs::write(&krl, b"of somebody else").unwrap();
    let said = office.check(&[]).await;
    said.has("issuer.staging-ca.krl: target/jitbot.krl holds something that is no list of ours");
    std::fs::remove_file(&krl).unwrap();

    office.replace(
        &format!("krl = {{ path = \"{krl}\" }}"),
        &format!(
            "krl = {{ push = {{ program = [\"{}\"], hosts = [\"web1\"] }} }}",
            path("push")
        ),
    );
    let said = office.check(&[]).await;
    assert_eq!(said.code, 1);
    said.has("issuer.staging-ca.krl: ");
    assert!(said.text.contains("push"), "{}", said.text);

    std::fs::write(&ca, b"no key").unwrap();
    let said = office.check(&[]).await;
    said.has(
        "issuer.staging-ca.ca_key: issuer staging-ca: the CA key is not an OpenSSH private key",
    );
    std::fs::remove_file(&ca).unwrap();
    let said = office.check(&[]).await;
    said.has("problem: jitbot.toml");
    said.has("issuer.staging-ca.ca_key: the secret file ca can't be read: No such file or directory (os error 2). Check the path and who may read it.");
    // A file that may be elsewhere is no problem where nothing is asked.
    assert_eq!(office.check(&["--offline"]).await.code, 0);
}

/// As at each upgrade that has a migration: the next start brings it along.
#[tokio::test]
async fn a_database_of_an_older_form_is_a_warning_and_one_of_a_newer_a_problem() {
    let office = Office::open().await;
    let db = office.folder.path().join("jitbot.db");
    let clock = Arc::new(SystemClock::new());
    let made = SqliteStore::open(&db.display().to_string(), clock).await;
    made.unwrap().close().await;
    let mut conn = SqliteConnectOptions::new()
        .filename(&db)
        .connect()
        .await
        .unwrap();
    for (change, code, line) in [
        (
            "DELETE FROM _sqlx_migrations WHERE version > 1",
            0,
            "is of an older form",
        ),
        (
            "UPDATE _sqlx_migrations SET version = 99",
            1,
            "is of version 99",
        ),
    ] {
        sqlx::query(change).execute(&mut conn).await.unwrap();
        let said = office.check(&[]).await;
        assert_eq!(said.code, code, "{}", said.text);
        said.has(line);
    }
}

#[tokio::test]
async fn a_config_that_would_leave_grants_behind_is_found_before_it_is_served() {
    let scene = Scene::set().await;
    let _bot = scene.serve().await;
    let (id, card) = scene.ask().await;
    scene.approve(&card).await;
    scene.until_recorded("issued").await;
    let file = scene.path().join("jitbot.toml");
    let text = std::fs::read_to_string(&file).unwrap();
    let next = scene.path().join("next.toml");
    let said = async |text: &str| {
        std::fs::write(&next, text).unwrap();
        let output = tokio::process::Command::new(env!("CARGO_BIN_EXE_jitbot"))
            .arg("check")
            .arg(&next)
            .env("SLACK_BOT_TOKEN", &scene.tokens.0)
            .env("SLACK_APP_TOKEN", &scene.tokens.1)
            .output()
            .await
            .unwrap();
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        (output.status.code(), text)
    };
    // Beside the bot that serves it.
    assert_eq!(said(&text).await.0, Some(0));
    let (code, why) = said(&text.replace("target/jitbot.krl", "target/other.krl")).await;
    assert_eq!(code, Some(1));
    let grant = format!("g{}", &id[1..]);
    assert!(
        why.contains("Database") && why.contains(&grant) && why.contains("target/jitbot.krl"),
        "{why}"
    );
}
