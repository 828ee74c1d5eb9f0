//! A target that refuses: told once, on every digest, ended when it heals.

use super::judged;
use super::support::World;

#[tokio::test]
async fn a_target_that_refuses_for_an_hour_is_told_once_and_ends_when_it_heals() {
    let world = World::start().await;
    let id = world
        .asks("alice", "/jit request staging-ssh 1h please")
        .await;
    world.presses("bob", "Approve", &id).await;
    // The folder that sshd reads from is gone: nothing can be published there.
    let folder = world.krl().parent().unwrap().to_owned();
    let away = folder.with_extension("away");
    std::fs::rename(&folder, &away).unwrap();

    world.types("alice", &format!("/jit done {id}")).await;
    for _ in 0..60 {
        world.pass("1m").await;
    }
    let told: Vec<String> = world
        .security_reads()
        .await
        .into_iter()
        .filter(|text| text.contains(&id))
        .collect();
    assert_eq!(told.len(), 1, "told once: {told:#?}");
    let card = world.card(&id).await.visible_text;
    assert!(card.contains("Can't be taken away"), "{card}");
    let status = world.types("carol", &format!("/jit status {id}")).await;
    assert!(status.contains("Taking it away keeps failing"), "{status}");

    let next_nine = world.next_digest();
    world.pass(&next_nine).await;
    let digest = world.security_reads().await.pop().unwrap();
    let grant = format!("g{}", &id[1..]);
    assert!(digest.contains(&grant), "it stands on the digest: {digest}");

    std::fs::rename(&away, &folder).unwrap();
    world.pass("2m").await;
    assert_eq!(world.kinds(&id).await.last().unwrap(), "ended");
    assert!(world.last_told("alice").await.contains("is over"));
    let healed = world.security_reads().await.pop().unwrap();
    assert!(healed.contains(&id) && healed != digest, "{healed}");
    judged(&world).await;
}
