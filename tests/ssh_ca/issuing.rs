//! Certificates that sshd accepts, and when it stops.

use chrono::TimeDelta;
use jitbot::clock::Clock as _;
use jitbot::domain::grant::Evidence;
use jitbot::domain::ids::IssuerName;
use jitbot::issuer::ssh_ca::{Hosts, Settings, SetupError, SshCa};
use jitbot::issuer::{EarlyEnd, IssueError, Issuer as _, NativeExpiry, Presence};
use secrecy::SecretString;
use serde_json::json;

use super::sshd::{Login, Sshd, room};
use super::store::{Bench, Ended, Shifted, pause, text};

const REVOKED: &str = "revoked by file";
const EXPIRED: &str = "expired";

async fn bench() -> (Bench, Sshd) {
    let (directory, krl) = room();
    let bench = Bench::new(Hosts::Path(krl.clone()));
    bench.issuer.publish().await.unwrap();
    let sshd = Sshd::start(directory, &krl, &bench.ca);
    (bench, sshd)
}

#[tokio::test]
async fn it_ends_by_itself_though_nothing_of_ours_runs() {
    let (bench, sshd) = bench().await;
    let order = bench.grant(json!({"principals": ["deploy"]}), 5).await;
    let certificate = bench.certificate(&order).await;
    let (person, clock) = (bench.person.clone(), bench.clock.clone());
    drop(bench);
    sshd.lets_in(&person, &certificate);
    let left = order.native_deadline.unwrap() - clock.machine_now();
    pause(left.to_std().unwrap_or_default());
    sshd.refuses(&person, &certificate, EXPIRED);
}

#[tokio::test]
async fn an_early_end_is_seen_and_cuts_nobody_else() {
    let (bench, sshd) = bench().await;
    let (ending, staying) = (bench.hour().await, bench.hour().await);
    let certificate = bench.certificate(&ending).await;
    let other = bench.certificate(&staying).await;
    sshd.lets_in(&bench.person, &certificate);
    assert_eq!(bench.issuer.inspect(&ending).await, Ok(Presence::Present));

    bench.end(&ending).await.unwrap();
    sshd.refuses(&bench.person, &certificate, REVOKED);
    sshd.lets_in(&bench.person, &other);
    assert_eq!(
        bench.issuer.inspect(&ending).await,
        Ok(Presence::Absent(Evidence::SeenGone))
    );
    assert_eq!(bench.issuer.inspect(&staying).await, Ok(Presence::Present));
    // Again, and in the other order of overlap.
    bench.issuer.revoke(&ending, None).await.unwrap();
    bench.end(&staying).await.unwrap();
    sshd.refuses(&bench.person, &other, REVOKED);
    sshd.refuses(&bench.person, &certificate, REVOKED);
}

#[tokio::test]
async fn a_p256_ca_is_trusted_as_well() {
    let (directory, krl) = room();
    let kind = ssh_key::Algorithm::Ecdsa {
        curve: ssh_key::EcdsaCurve::NistP256,
    };
    let ca = ssh_key::PrivateKey::random(&mut ssh_key::rand_core::OsRng, kind).unwrap();
    let bench = Bench::with_ca(ca, Hosts::Path(krl.clone()));
    bench.issuer.publish().await.unwrap();
    let sshd = Sshd::start(directory, &krl, &bench.ca);
    assert_eq!(
        ssh_key::PublicKey::from_openssh(&bench.issuer.ca_public_line())
            .unwrap()
            .key_data(),
        bench.ca.public_key().key_data()
    );
    let order = bench.hour().await;
    let certificate = bench.certificate(&order).await;
    sshd.lets_in(&bench.person, &certificate);
    bench.end(&order).await.unwrap();
    sshd.refuses(&bench.person, &certificate, REVOKED);
    assert_eq!(
        bench.issuer.inspect(&order).await,
        Ok(Presence::Absent(Evidence::SeenGone))
    );
}

#[tokio::test]
async fn a_certificate_whose_mint_was_never_recorded_is_refused_too() {
    let (bench, sshd) = bench().await;
    let order = bench.hour().await;
    let (lost, recorded) = (
        bench.certificate(&order).await,
        bench.certificate(&order).await,
    );
    assert_ne!(lost, recorded);
    sshd.lets_in(&bench.person, &lost);
    bench.end(&order).await.unwrap();
    let minted_late = bench.certificate(&order).await;
    for certificate in [&lost, &recorded, &minted_late] {
        sshd.refuses(&bench.person, certificate, REVOKED);
    }
}

#[tokio::test]
async fn a_grant_is_ended_by_its_id_alone_also_before_it_was_given() {
    let (bench, sshd) = bench().await;
    let order = bench.hour().await;
    // Neither given yet nor on the store's list: what is asked for is done all the same.
    bench.issuer.revoke(&order, None).await.unwrap();
    assert_eq!(
        bench.issuer.inspect(&order).await,
        Ok(Presence::Absent(Evidence::SeenGone))
    );
    let given_late = bench.certificate(&order).await;
    sshd.refuses(&bench.person, &given_late, REVOKED);
}

#[tokio::test]
async fn another_principal_and_another_key_stay_out() {
    let (bench, sshd) = bench().await;
    let order = bench
        .grant(json!({"principals": ["backup", "web"]}), 3_600)
        .await;
    let certificate = bench.certificate(&order).await;
    sshd.refuses(
        &bench.person,
        &certificate,
        "does not contain an authorized principal",
    );
    let several = bench
        .grant(json!({"principals": ["backup", "deploy"]}), 3_600)
        .await;
    let certificate = bench.certificate(&several).await;
    sshd.lets_in(&bench.person, &certificate);
    let thief = super::store::key();
    assert_eq!(sshd.login(&thief, &certificate), Login::Refused);
}

#[tokio::test]
async fn another_address_stays_out() {
    let (bench, sshd) = bench().await;
    let order = bench
        .grant(
            json!({"principals": ["deploy"], "source_address": ["127.0.0.2/32", "10.0.0.0/8"]}),
            3_600,
        )
        .await;
    let certificate = bench.certificate(&order).await;
    assert_eq!(
        sshd.login_from("127.0.0.2", &bench.person, &certificate),
        Login::In("inside".to_owned())
    );
    sshd.refuses(
        &bench.person,
        &certificate,
        "not from a permitted source address",
    );
}

#[tokio::test]
async fn only_the_forced_command_runs() {
    let (bench, sshd) = bench().await;
    let order = bench
        .grant(
            json!({"principals": ["deploy"], "force_command": "echo forced"}),
            3_600,
        )
        .await;
    let certificate = bench.certificate(&order).await;
    assert_eq!(
        sshd.login(&bench.person, &certificate),
        Login::In("forced".to_owned())
    );
}

#[tokio::test]
async fn nothing_is_certified_without_a_deadline_or_after_it() {
    let (bench, _sshd) = bench().await;
    let good = bench.hour().await;
    let issued = bench.issuer.issue(&good).await.unwrap();
    let deadline = good.native_deadline.unwrap();
    assert_eq!(issued.handle["valid_before"], deadline.timestamp());
    assert_eq!(issued.handle["serial"], good.serial);
    assert!(issued.usable && issued.how_to_use.contains("deploy@HOST"));

    let refused = async |change: &dyn Fn(&mut jitbot::issuer::GrantOrder)| {
        let mut order = good.clone();
        change(&mut order);
        match bench.issuer.issue(&order).await {
            Err(IssueError::Permanent { said }) => said,
            other => panic!("{other:?}"),
        }
    };
    assert!(
        refused(&|o| o.native_deadline = None)
            .await
            .contains("for ever")
    );
    let now = bench.clock.machine_now();
    assert!(
        refused(&|o| o.native_deadline = Some(now))
            .await
            .contains("passed")
    );
    assert!(refused(&|o| o.serial = 0).await.contains("serial"));
    assert!(
        refused(&|o| {
            o.spec.parameters.insert("principals".to_owned(), json!([]));
        })
        .await
        .contains("every account")
    );
}

#[tokio::test]
async fn after_the_deadline_nothing_is_left_to_do() {
    let bench = Bench::new(Hosts::None);
    let order = bench.hour().await;
    assert_eq!(
        bench.issuer.capabilities().native_expiry,
        NativeExpiry::Enforced
    );
    assert_eq!(bench.issuer.capabilities().early_end, EarlyEnd::Impossible);
    assert!(matches!(
        bench.end(&order).await,
        Err(IssueError::Permanent { said }) if said.contains("can't be ended early")
    ));
    assert_eq!(bench.issuer.inspect(&order).await, Ok(Presence::Present));
    bench.clock.by(TimeDelta::seconds(3_600));
    bench.end(&order).await.unwrap();
    assert_eq!(
        bench.issuer.inspect(&order).await,
        Ok(Presence::Absent(Evidence::ExpiredAtTarget))
    );
    // Never minted: nothing to end.
    let mut never = order;
    never.native_deadline = None;
    bench.end(&never).await.unwrap();
}

#[tokio::test]
async fn a_person_without_a_usable_key_is_told_so_before_anybody_approves() {
    let bench = Bench::new(Hosts::None);
    let mut person = bench.person_facts();
    let account = bench.issuer.resolve(&person).await.unwrap();
    assert!(account.id.starts_with("SHA256:"));
    let line = account.parameters["public_key"].as_str().unwrap();
    assert_eq!(line.split(' ').count(), 2, "no comment: {line}");

    person.ssh_keys.clear();
    assert!(matches!(
        bench.issuer.resolve(&person).await,
        Err(IssueError::Permanent { said }) if said.contains("alice")
    ));
}

#[test]
fn an_rsa_ca_is_refused_with_a_sentence() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("ca");
    let made = std::process::Command::new("ssh-keygen")
        .args(["-q", "-t", "rsa", "-b", "2048", "-N", "", "-f"])
        .arg(&path)
        .status()
        .expect("ssh-keygen is missing: install openssh-client");
    assert!(made.success());
    let settings = |key: String, krl: &str| Settings {
        name: IssuerName::new("staging-ca").unwrap(),
        ca_key: SecretString::from(key),
        hosts: Hosts::Path(krl.into()),
        target: String::new(),
    };
    let new = |settings| {
        SshCa::new(
            settings,
            std::sync::Arc::<Ended>::default(),
            std::sync::Arc::<Shifted>::default(),
        )
    };
    let key = std::fs::read_to_string(&path).unwrap();
    let refused = new(settings(key, "/etc/ssh/jitbot.krl")).unwrap_err();
    assert!(matches!(refused, SetupError::CaKey { .. }), "{refused}");
    assert!(refused.to_string().contains("use Ed25519"), "{refused}");
    let relative = new(settings(text(&super::store::key()), "jitbot.krl")).unwrap_err();
    assert!(relative.to_string().contains("absolute"), "{relative}");
}

#[tokio::test]
async fn a_host_whose_clock_lags_a_little_is_let_in_at_once() {
    let (bench, sshd) = bench().await;
    bench.clock.by(TimeDelta::seconds(50));
    let certificate = bench.certificate(&bench.hour().await).await;
    sshd.lets_in(&bench.person, &certificate);
    bench.clock.by(TimeDelta::seconds(60));
    let certificate = bench.certificate(&bench.hour().await).await;
    sshd.refuses(&bench.person, &certificate, "not yet valid");
}
