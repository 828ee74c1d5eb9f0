//! The real binary, killed with SIGKILL between a step and its record: nothing is lost, doubled or left.
//!
//! The moment is staged in the database: a trigger refuses the one change that would record the step,
//! so that the step is done and its record is not. Then the process is killed, the trigger dropped,
//! and the binary started again on the same database.

#[path = "support/mod.rs"]
mod support;

use std::time::Duration;

use support::scene::Scene;

#[tokio::test]
async fn killed_between_approval_and_issue() {
    let scene = Scene::set().await;
    let mut bot = scene.serve().await;
    let (id, card) = scene.ask().await;
    scene.refuse_to_record("issuing").await;
    scene.approve(&card).await;
    scene.until_recorded("approved").await;
    bot.kill().await.unwrap();
    assert_eq!(scene.grant().await.0, "scheduled");
    assert!(
        scene.grant().await.2.is_some(),
        "its latest end is committed with the approval"
    );

    scene.record_again().await;
    let _bot = scene.serve().await;
    scene
        .until("ready", async || {
            scene.told_alice("-cert-v01@openssh.com").await > 0
        })
        .await;
    scene.done(&id).await;
    scene.over().await;
    scene.nothing_is_lost_doubled_or_left(&id).await;
}

#[expect(
    clippy::disallowed_methods,
    reason = "nothing outside shows that another process minted and could not record"
)]
#[tokio::test]
async fn killed_between_issue_and_its_record() {
    let scene = Scene::set().await;
    let mut bot = scene.serve().await;
    let (id, card) = scene.ask().await;
    scene.refuse_to_record("active").await;
    scene.approve(&card).await;
    scene.until_recorded("issue_intended").await;
    // The certificate is minted at once; its record is refused until the process dies.
    tokio::time::sleep(Duration::from_millis(300)).await;
    bot.kill().await.unwrap();
    let before = scene.grant().await;
    assert_eq!(before.0, "issuing");

    scene.record_again().await;
    let _bot = scene.serve().await;
    scene
        .until("ready", async || {
            scene.told_alice("-cert-v01@openssh.com").await > 0
        })
        .await;
    let after = scene.grant().await;
    assert_eq!(before.1, after.1, "a retry never moves the deadline");
    scene.done(&id).await;
    scene.over().await;
    scene.nothing_is_lost_doubled_or_left(&id).await;
}

#[tokio::test]
async fn killed_between_revoke_and_its_record() {
    let scene = Scene::set().await;
    let mut bot = scene.serve().await;
    let (id, card) = scene.ask().await;
    scene.approve(&card).await;
    scene
        .until("ready", async || {
            scene.told_alice("-cert-v01@openssh.com").await > 0
        })
        .await;
    scene.refuse_to_record("ended").await;
    scene.done(&id).await;
    scene
        .until("the revocation list", async || scene.revoked(&id))
        .await;
    bot.kill().await.unwrap();
    assert_eq!(scene.grant().await.0, "revoking");

    scene.record_again().await;
    let _bot = scene.serve().await;
    scene.over().await;
    scene.nothing_is_lost_doubled_or_left(&id).await;
}
