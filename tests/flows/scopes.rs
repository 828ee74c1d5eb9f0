//! The manifest asks for exactly the scopes that a whole life of a request needs.

use super::support::{APPROVALS, Setup, Site, World, reference};
use jitbot::config;
use jitbot::sandbox::people::FaultKind;

/// What Slack said to a bot without this scope; nothing if it missed nothing.
async fn misses(scope: Option<&'static str>, private: bool) -> Option<String> {
    let site = Site::with(&Setup {
        without_scope: scope,
        private_channels: private,
        usergroups: true,
        ..Setup::default()
    })
    .await;
    let app = match site.try_bot().await {
        Ok(app) => app,
        Err(error) => return Some(format!("{error:#}")),
    };
    let world = World { here: site, app };
    world.settle().await;
    let asked = world
        .here
        .people
        .command("U0ALICE", APPROVALS, "/jit request staging-ssh 1h please")
        .await
        .unwrap();
    if !asked.acked {
        return Some("the command did not arrive".to_owned());
    }
    // An answer that was lost: the bot looks whether its card stands.
    world
        .here
        .people
        .fault("chat.postMessage", 1, FaultKind::DropAfterEffect)
        .await
        .unwrap();
    world.settle().await;
    world.pass("5s").await;
    if let Some(id) = reference(&asked.visible_text)
        && world.cards(&id).await.len() == 1
    {
        world.presses("bob", "Approve", &id).await;
        world.pass("1h").await;
    }
    let wait = world.next_digest();
    world.pass(&wait).await;
    world.pass("5s").await;
    let log = serde_json::to_string(&world.here.people.log().await.unwrap()).unwrap();
    log.find("missing_scope").map(|at| {
        let from = log.floor_char_boundary(at.saturating_sub(200));
        let to = log.ceil_char_boundary((at + 200).min(log.len()));
        log[from..to].to_owned()
    })
}

#[tokio::test]
async fn with_the_manifests_scopes_nothing_is_missing() {
    for private in [false, true] {
        assert_eq!(misses(None, private).await, None, "private: {private}");
    }
}

#[tokio::test]
async fn without_any_one_of_them_something_is_missing() {
    let scopes: Vec<&'static str> = config::SLACK_MANIFEST
        .lines()
        .skip_while(|line| !line.contains("bot:"))
        .skip(1)
        .map_while(|line| line.trim().strip_prefix("- "))
        .filter_map(|line| line.split_whitespace().next())
        .collect();
    assert!(scopes.contains(&"chat:write"), "{scopes:?}");
    for scope in scopes.into_iter().filter(|scope| *scope != "commands") {
        let needed =
            misses(Some(scope), false).await.is_some() || misses(Some(scope), true).await.is_some();
        assert!(needed, "nothing needs {scope}");
    }
}
