//! The list as a file: large, lost, somebody else's, unwritable.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;

use chrono::TimeDelta;
use jitbot::clock::machine_now;
use jitbot::domain::grant::Evidence;
use jitbot::issuer::ssh_ca::Hosts;
use jitbot::issuer::ssh_ca::file::{FileError, KrlFile, Standing};
use jitbot::issuer::ssh_ca::krl;
use jitbot::issuer::ssh_ca::list::List;
use jitbot::issuer::{Issuer as _, Presence};

use super::sshd::{Login, Sshd, room};
use super::store::{Bench, grant_id, key, said};

/// What OpenSSH's own reader says of a list: its text, or a failure.
fn as_openssh_reads(krl: &Path) -> String {
    let output = Command::new("ssh-keygen")
        .args(["-Q", "-l", "-f"])
        .arg(krl)
        .output()
        .expect("ssh-keygen is missing: install openssh-client");
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

#[tokio::test]
async fn ten_thousand_ended_grants_are_refused_and_the_others_let_in() {
    let (directory, krl) = room();
    let bench = Bench::new(Hosts::Path(krl.clone()));
    let mut orders = Vec::new();
    let first = bench.hour().await;
    for number in 1..=10_000 {
        let mut order = first.clone();
        (order.grant, order.serial) = (grant_id(number * 7), number);
        orders.push(order);
    }
    for order in &orders {
        bench.ended.add(order);
    }
    bench.issuer.publish().await.unwrap();

    let text = as_openssh_reads(&krl);
    let listed = text.lines().filter(|l| l.starts_with("id: ")).count();
    assert_eq!(listed, 10_000);
    for order in &orders {
        assert!(text.contains(order.grant.as_str()), "{}", order.grant);
    }
    assert!(text.contains("# Wildcard CA"), "whichever CA signed");
    assert!(text.contains("jitbot staging-ca"));

    let sshd = Sshd::start(directory, &krl, &bench.ca);
    for order in [&orders[0], &orders[4_999], &orders[9_999]] {
        let certificate = bench.certificate(order).await;
        sshd.refuses(&bench.person, &certificate, "revoked by file");
        assert_eq!(
            bench.issuer.inspect(order).await,
            Ok(Presence::Absent(Evidence::SeenGone))
        );
    }
    let mut living = first.clone();
    living.grant = grant_id(3);
    sshd.lets_in(&bench.person, &bench.certificate(&living).await);
}

#[tokio::test]
async fn entries_leave_the_list_when_no_clock_needs_them_and_versions_only_grow() {
    let (_directory, krl) = room();
    let bench = Bench::new(Hosts::Path(krl.clone()));
    let (short, long) = (
        bench
            .grant(serde_json::json!({"principals": ["deploy"]}), 600)
            .await,
        bench.hour().await,
    );
    bench.end(&short).await.unwrap();
    bench.end(&long).await.unwrap();
    let reading = || krl::read(&fs::read(&krl).unwrap()).unwrap();
    let (both, both_version) = (reading().key_ids.len(), reading().version);
    assert_eq!(both, 2);

    // Hosts' clocks may lag: the entry outlives the deadline a little.
    bench.clock.by(TimeDelta::seconds(630));
    bench.issuer.publish().await.unwrap();
    assert_eq!(reading().key_ids.len(), 2);
    bench.clock.by(TimeDelta::seconds(40));
    bench.issuer.publish().await.unwrap();
    assert_eq!(reading().key_ids.len(), 1);
    let later = reading().version;
    assert!(later > both_version);
    assert_eq!(
        reading().generated_s,
        u64::try_from((machine_now() + TimeDelta::seconds(670)).timestamp()).unwrap()
    );

    // A process that starts with a clock that went back still writes a higher version.
    let ended = bench.hour().await;
    let restarted = Bench::with_ca(bench.ca.clone(), Hosts::Path(krl.clone()));
    restarted.clock.by(TimeDelta::days(-2));
    let mut again = ended.clone();
    again.native_deadline = Some(machine_now());
    restarted.end(&again).await.unwrap();
    assert!(reading().version > later);
}

#[tokio::test]
async fn without_the_file_nobody_gets_in_and_publishing_brings_it_back() {
    let (directory, krl) = room();
    let bench = Bench::new(Hosts::Path(krl.clone()));
    let sshd = Sshd::start(directory, &krl, &bench.ca);
    let (ended, living) = (bench.hour().await, bench.hour().await);
    let certificate = bench.certificate(&living).await;
    assert_eq!(sshd.login(&bench.person, &certificate), Login::Refused);
    bench.issuer.publish().await.unwrap();
    sshd.lets_in(&bench.person, &certificate);
    let mode = fs::metadata(&krl).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o644);

    bench.end(&ended).await.unwrap();
    fs::remove_file(&krl).unwrap();
    assert!(said(bench.issuer.inspect(&ended).await.unwrap_err()).contains("gone"));
    bench.issuer.revoke(&ended, None).await.unwrap();
    sshd.lets_in(&bench.person, &certificate);
    sshd.refuses(
        &bench.person,
        &bench.certificate(&ended).await,
        "revoked by file",
    );
    // An empty file, as some set-ups leave it, is no list of anybody's.
    fs::write(&krl, b"").unwrap();
    bench.issuer.publish().await.unwrap();
    sshd.lets_in(&bench.person, &certificate);
}

#[tokio::test]
async fn openssh_has_the_last_word_on_what_a_list_says() {
    let (_directory, krl) = room();
    let bench = Bench::new(Hosts::Path(krl.clone()));
    let order = bench.hour().await;
    bench.end(&order).await.unwrap();
    assert_eq!(
        bench.issuer.inspect(&order).await,
        Ok(Presence::Absent(Evidence::SeenGone))
    );
    // A second section for a CA key that is none: our reader does not look into keys, OpenSSH's
    // does, and takes nothing from such a list.
    let no_key = |ids: &[&str]| {
        let krl = krl::Krl {
            version: 1,
            generated_s: 1,
            comment: "jitbot x".to_owned(),
            ca_key: b"no key at all".to_vec(),
            key_ids: ids.iter().map(|id| (*id).to_owned()).collect(),
        };
        krl.to_bytes()
    };
    let header = no_key(&[]).len();
    let mut bytes = fs::read(&krl).unwrap();
    bytes.extend_from_slice(&no_key(&["g0000000001"])[header..]);
    fs::write(&krl, &bytes).unwrap();
    let own = krl::read(&bytes).unwrap();
    assert!(own.refuses(
        &bench.ca.public_key().to_bytes().unwrap(),
        order.grant.as_str()
    ));
    let doubt = said(bench.issuer.inspect(&order).await.unwrap_err());
    assert!(doubt.contains("ssh-keygen -Q"), "{doubt}");
    bench.issuer.revoke(&order, None).await.unwrap();
    assert_eq!(
        bench.issuer.inspect(&order).await,
        Ok(Presence::Absent(Evidence::SeenGone))
    );
}

#[tokio::test]
async fn a_list_of_somebody_else_is_never_replaced() {
    let (directory, krl) = room();
    let bench = Bench::new(Hosts::Path(krl.clone()));
    let stolen = directory.path().join("stolen.pub");
    fs::write(&stolen, key().public_key().to_openssh().unwrap()).unwrap();
    let made = Command::new("ssh-keygen")
        .args(["-q", "-k", "-f"])
        .args([&krl, &stolen])
        .status()
        .unwrap();
    assert!(made.success());
    let theirs = fs::read(&krl).unwrap();
    let order = bench.hour().await;
    for refused in [
        bench.issuer.publish().await,
        bench.issuer.check().await,
        bench.end(&order).await,
    ] {
        assert!(said(refused.unwrap_err()).contains("a file of its own"));
    }
    assert_eq!(fs::read(&krl).unwrap(), theirs);
    // Nor a list of plain keys, which sshd reads as well.
    fs::copy(&stolen, &krl).unwrap();
    assert!(bench.issuer.publish().await.is_err());
    assert_eq!(fs::read(&krl).unwrap(), fs::read(&stolen).unwrap());
    fs::remove_file(&krl).unwrap();
    bench.issuer.publish().await.unwrap();
}

#[tokio::test]
async fn a_file_that_can_not_be_replaced_stands_as_it_stood() {
    let (directory, krl) = room();
    let bench = Bench::new(Hosts::Path(krl.clone()));
    bench.issuer.publish().await.unwrap();
    let stood = fs::read(&krl).unwrap();
    let order = bench.hour().await;
    // Something in the way that can't be removed like a file.
    let in_the_way = directory.path().join(".jitbot.krl.jitbot-new");
    fs::create_dir(&in_the_way).unwrap();
    fs::write(in_the_way.join("something"), b"").unwrap();
    assert!(said(bench.end(&order).await.unwrap_err()).contains("What stood there stands"));
    assert!(bench.issuer.check().await.is_err());
    assert_eq!(fs::read(&krl).unwrap(), stood);
    assert_eq!(bench.issuer.inspect(&order).await, Ok(Presence::Present));

    fs::remove_dir_all(&in_the_way).unwrap();
    bench.issuer.check().await.unwrap();
    bench.issuer.revoke(&order, None).await.unwrap();
    assert_eq!(
        bench.issuer.inspect(&order).await,
        Ok(Presence::Absent(Evidence::SeenGone))
    );
    let left: Vec<_> = fs::read_dir(directory.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    assert_eq!(left, ["jitbot.krl"], "nothing lies beside it");
}

#[test]
fn a_directory_that_may_not_be_written_leaves_the_old_list() {
    let (directory, krl) = room();
    let list = |version, ids: &[&str]| {
        let ids = ids.iter().map(|id| (*id).to_owned()).collect();
        List::make("jitbot a", ids, version, machine_now()).unwrap()
    };
    let file = KrlFile::new(krl.clone(), "jitbot a".to_owned());
    file.replace(&list(1, &["g0000000001"])).unwrap();
    let stood = fs::read(&krl).unwrap();

    fs::set_permissions(directory.path(), fs::Permissions::from_mode(0o555)).unwrap();
    let second = list(2, &["g0000000001", "g0000000002"]);
    let refused = std::thread::scope(|scope| {
        let attempt = || {
            // Root may write anywhere, so it tries as a user who may not. Of this thread only.
            if nix::unistd::geteuid().is_root() {
                nix::unistd::setfsuid(65_534.into());
            }
            (file.replace(&second), file.check())
        };
        scope.spawn(attempt).join().unwrap()
    });
    for refused in [refused.0, refused.1] {
        assert!(
            matches!(&refused, Err(FileError::Io { source, .. })
                if source.kind() == std::io::ErrorKind::PermissionDenied),
            "{refused:?}"
        );
    }
    assert_eq!(fs::read(&krl).unwrap(), stood);

    fs::set_permissions(directory.path(), fs::Permissions::from_mode(0o755)).unwrap();
    file.replace(&second).unwrap();
    // A call that was overtaken does not bring the old list back.
    assert!(matches!(
        file.replace(&list(1, &["g0000000001"])),
        Err(FileError::Newer {
            standing: 2,
            ours: 1,
            ..
        })
    ));
    assert!(matches!(
        file.standing(),
        Ok(Standing::Ours { version: 2, bytes }) if bytes == second.bytes
    ));
    let another = KrlFile::new(krl, "jitbot b".to_owned());
    assert!(matches!(
        another.replace(&list(3, &[])),
        Err(FileError::SomebodyElses { .. })
    ));
}
