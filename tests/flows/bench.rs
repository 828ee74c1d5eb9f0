//! The conformance kit beside a bot's database: what ended early stays ended.

use std::sync::Arc;

use jitbot::app::issuer_bench::{Wanted, set};
use jitbot::clock::ManualClock;
use jitbot::issuer::conformance::judge;

use super::support::{Setup, Site, World};

#[tokio::test]
async fn a_bench_brings_nothing_back_that_was_taken_away() {
    let mut site = Site::with(&Setup::default()).await;
    // The bench is a command of its own: its time is the machine's.
    site.clock = Arc::new(ManualClock::at(jitbot::clock::machine_now()));
    let world = site.world().await;
    let id = world
        .asks("alice", "/jit request staging-ssh 1h please")
        .await;
    world.presses("bob", "Approve", &id).await;
    world.types("alice", &format!("/jit done {id}")).await;
    let grant = format!("g{}", &id[1..]);
    let is_revoked = |world: &World| {
        let krl = std::fs::read(world.krl()).unwrap();
        krl.windows(grant.len()).any(|w| w == grant.as_bytes())
    };
    assert!(is_revoked(&world));
    let config = world.here.read().unwrap();
    let wanted = Wanted {
        resource: Some("staging-ssh".to_owned()),
        lasts_s: 600,
        ..Wanted::default()
    };
    let refused = async || {
        let refused = set(&config, "staging-ca", &wanted).await;
        format!("{:#}", refused.err().expect("it is refused"))
    };

    let said = refused().await;
    assert!(said.contains("jitbot serve, process "), "{said}");
    let World { here, app } = world;
    app.stop().await;

    let bench = set(&config, "staging-ca", &wanted).await.unwrap();
    let no_bot = here.try_bot().await.err().expect("the bench holds it");
    assert!(
        format!("{no_bot:#}").contains("jitbot issuer check, process "),
        "{no_bot:#}"
    );
    judge(&bench.bench, |_, _| {}).await;
    drop(bench);
    let world = World {
        app: here.bot().await,
        here,
    };
    assert!(is_revoked(&world), "it came back");
    let World { here, app } = world;
    app.stop().await;

    // Without a database nobody knows what ended early.
    std::fs::remove_file(here.folder.path().join("jitbot.db")).unwrap();
    let said = refused().await;
    assert!(said.contains("there is no database at "), "{said}");
}
