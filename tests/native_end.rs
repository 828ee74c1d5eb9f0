//! The end that the target itself enforces: a grant of a few seconds, the real clock, the machine's
//! sshd, and the bot dead.

mod support;

use std::time::Duration;

use jitbot::clock::machine_now;
use jitbot::sandbox::people::Place;
use jitbot::sandbox::ssh::login::{self, Login, LoginOutcome};
use jitbot::sandbox::ssh::{Target, TargetConfig, TargetKind};
use support::scene::{Scene, WAIT};
use support::{APPROVALS, id_of, reference};

#[expect(
    clippy::disallowed_methods,
    reason = "sshd judges by real time, so the test lives through it"
)]
#[tokio::test]
async fn access_ends_by_itself_though_the_bot_is_dead() {
    let scene = Scene::set().await;
    let mut bot = scene.serve().await;
    let krl = scene.path().join("target/jitbot.krl");
    scene
        .until("the first revocation list", async || krl.exists())
        .await;
    let target = Target::start(
        TargetKind::OpenSsh,
        TargetConfig {
            dir: scene.path().join("sshd"),
            ca_pub: scene.path().join("ca.pub"),
            krl,
            port: None,
            principals: vec!["deploy".into()],
        },
    )
    .await
    .expect("the machine's sshd");

    let typed = "/jit request staging-ssh 8s a quick look";
    let answer = scene
        .people
        .command(id_of("alice"), APPROVALS, typed)
        .await
        .unwrap();
    let id = reference(&answer.visible_text).unwrap();
    let card = scene
        .people
        .wait_for("U0BOB", APPROVALS, &id, WAIT)
        .await
        .unwrap();
    scene.approve(&card).await;
    let ready = scene
        .people
        .wait_for(id_of("alice"), Place::Direct, "-cert-v01@openssh.com", WAIT)
        .await
        .unwrap();
    let certificate: Vec<&str> = ready
        .visible_text
        .split_whitespace()
        .skip_while(|word| !word.contains("-cert-v01@openssh.com"))
        .take(2)
        .collect();
    let file = scene.path().join("alice-cert.pub");
    std::fs::write(&file, certificate.join(" ") + "\n").unwrap();
    let attempt = async || {
        login::attempt(Login {
            user: target.account().to_owned(),
            addr: target.addr(),
            key: scene.path().join("id_alice"),
            certificate: file.clone(),
            known_hosts: target.known_hosts().to_owned(),
            command: Some("echo inside".into()),
            source: None,
            client: login::best(),
        })
        .await
    };
    let deadline = scene.grant().await.1.expect("a deadline");
    match attempt().await {
        LoginOutcome::Accepted { stdout } => assert!(stdout.contains("inside"), "{stdout}"),
        other => panic!("{other:?}; sshd: {:?}", target.log()),
    }
    bot.kill().await.unwrap();
    assert!(
        machine_now().timestamp_millis() < deadline,
        "the bot died before the end"
    );

    let left = deadline - machine_now().timestamp_millis() + 1_500;
    tokio::time::sleep(Duration::from_millis(u64::try_from(left.max(0)).unwrap())).await;
    match attempt().await {
        LoginOutcome::Refused { .. } => {}
        other => panic!("{other:?}"),
    }
    let log = target.log().unwrap();
    assert!(log.contains("expired"), "sshd's own reason: {log}");
    assert!(!scene.revoked(&id), "no revocation list had a part in it");
    target.stop().await;
}
