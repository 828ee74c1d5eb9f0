//! Hosts that get the list through a program, which may lie, die, hang or chatter.

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use jitbot::domain::grant::Evidence;
use jitbot::issuer::ssh_ca::Hosts;
use jitbot::issuer::ssh_ca::push::Push;
use jitbot::issuer::{EarlyEnd, GrantOrder, Issuer as _, Presence};

use super::sshd::{Sshd, room};
use super::store::{Bench, said};

/// Puts the list where the host's sshd reads it, and answers what stands there then.
const HONEST: &str = r#"
krl="$1.$2"
cat > "$krl.new" && mv "$krl.new" "$krl" || exit 75
printf '{"digest":"%s"}\n' "$(sha256sum < "$krl" | cut -d ' ' -f 1)"
"#;

/// Hosts whose program is a script. Its `$1.$2` is the host's file, its `$2` the host.
struct Fleet {
    script: PathBuf,
    _room: tempfile::TempDir,
    bench: Bench,
}

impl Fleet {
    fn new(script: &str, read_back: bool) -> Self {
        let (room, krl) = room();
        let path = room.path().join("push.sh");
        fs::write(&path, script).unwrap();
        let bench = Bench::new(Hosts::Push(Push {
            // The shell reads the script, so that changing it never meets one that is being run.
            program: ["/bin/sh", path.to_str().unwrap(), krl.to_str().unwrap()]
                .map(str::to_owned)
                .to_vec(),
            hosts: vec!["web-1".to_owned(), "web-2".to_owned()],
            timeout: Duration::from_millis(1_500),
            read_back,
        }));
        Self {
            script: path,
            _room: room,
            bench,
        }
    }

    fn behaves(&self, script: &str) {
        fs::write(&self.script, script).unwrap();
    }

    /// Ends a grant; it must be tried again, and must not be taken for ended.
    async fn fails(&self, order: &GrantOrder, script: &str) -> String {
        self.behaves(script);
        let revoked = said(self.bench.end(order).await.unwrap_err());
        let inspected = said(self.bench.issuer.inspect(order).await.unwrap_err());
        assert_eq!(revoked, inspected);
        revoked
    }
}

#[tokio::test]
async fn ended_only_when_every_host_has_read_it_back() {
    let fleet = Fleet::new("exit 75", true);
    let order = fleet.bench.hour().await;
    assert_eq!(fleet.bench.issuer.capabilities().early_end, EarlyEnd::Seen);
    assert_eq!(
        fleet.bench.issuer.inspect(&order).await,
        Ok(Presence::Present)
    );
    let lying = r#"cat > /dev/null; printf '{"digest":"%064d"}\n' 7"#;
    for (script, reason) in [
        (lying, "has another list"),
        ("cat > /dev/null; kill -9 $$", "signal 9"),
        ("echo no route >&2; exit 75", "called again: no route"),
        ("exit 3", "status 3"),
        ("sleep 600", "longer than 1.5 s"),
        ("yes", "far more than an answer"),
        ("cat > /dev/null; echo fine", "one line of JSON"),
        ("cat > /dev/null; echo '{}'", "neither digest nor told"),
        (
            "cat > /dev/null; echo '{\"told\":true}'",
            "read_back = false",
        ),
        // One host of two is not enough.
        (
            &format!("if [ \"$2\" = web-2 ]; then echo down >&2; exit 75; fi\n{HONEST}"),
            "1 of 2 hosts may not refuse what has ended: web-2 (the program asks to be called again: down)",
        ),
    ] {
        let said = fleet.fails(&order, script).await;
        assert!(said.contains(reason), "{script}: {said}");
        assert!(said.contains("web-2"), "{script}: {said}");
    }
    fleet.behaves(HONEST);
    fleet.bench.issuer.revoke(&order, None).await.unwrap();
    assert_eq!(
        fleet.bench.issuer.inspect(&order).await,
        Ok(Presence::Absent(Evidence::SeenGone))
    );
    // What a host has is asked each time, not remembered.
    fleet.behaves(lying);
    assert!(fleet.bench.issuer.inspect(&order).await.is_err());
}

#[tokio::test]
async fn grants_that_end_together_need_one_round_to_the_hosts() {
    let fleet = Fleet::new(&format!("echo >> \"$1.rounds\"\n{HONEST}"), true);
    let rounds = || {
        let counted = fleet.script.with_file_name("jitbot.krl.rounds");
        fs::read_to_string(counted).map_or(0, |text| text.lines().count())
    };
    let mut orders = Vec::new();
    for _ in 0..20 {
        orders.push(fleet.bench.hour().await);
    }
    orders.iter().for_each(|order| fleet.bench.ended.add(order));
    let ends = orders
        .iter()
        .map(|order| fleet.bench.issuer.revoke(order, None));
    for ended in futures_util::future::join_all(ends).await {
        ended.unwrap();
    }
    assert_eq!(rounds(), 2, "one call for each of two hosts");
    fleet.bench.issuer.publish().await.unwrap();
    assert_eq!(rounds(), 4, "at start every host gets it again");
}

#[tokio::test]
async fn hosts_that_all_hang_do_not_hold_a_call_for_twenty_seconds() {
    let hosts: Vec<String> = (1..=60).map(|i| format!("web-{i:02}")).collect();
    let bench = Bench::new(Hosts::Push(Push {
        program: ["/bin/sh", "-c", "sleep 600", "sh"]
            .map(str::to_owned)
            .to_vec(),
        hosts: hosts.clone(),
        timeout: Duration::from_secs(8),
        read_back: true,
    }));
    let order = bench.hour().await;
    let ended = tokio::time::timeout(Duration::from_secs(20), bench.end(&order)).await;
    let said = said(ended.expect("it took 20 s").unwrap_err());
    assert!(said.contains("60 of 60 hosts"), "{said}");
    assert!(said.contains("web-01 (the program took longer"), "{said}");
    assert!(said.ends_with("and 52 more"), "{said}");
}

#[tokio::test]
async fn a_program_that_can_not_read_back_only_tells() {
    let fleet = Fleet::new("cat > /dev/null; echo '{\"told\":true}'", false);
    let order = fleet.bench.hour().await;
    assert_eq!(
        fleet.bench.issuer.capabilities().early_end,
        EarlyEnd::ToldOnly
    );
    fleet.bench.end(&order).await.unwrap();
    assert_eq!(
        fleet.bench.issuer.inspect(&order).await,
        Ok(Presence::CannotTell)
    );
    fleet.behaves("exit 1");
    assert!(fleet.bench.issuer.inspect(&order).await.is_err());
    assert!(fleet.bench.issuer.revoke(&order, None).await.is_err());
}

#[tokio::test]
async fn a_pushed_list_is_what_sshd_reads() {
    let (directory, krl) = room();
    let script = directory.path().join("push.sh");
    fs::write(&script, HONEST).unwrap();
    let bench = Bench::new(Hosts::Push(Push {
        program: ["/bin/sh", script.to_str().unwrap(), krl.to_str().unwrap()]
            .map(str::to_owned)
            .to_vec(),
        hosts: vec!["web-1".to_owned()],
        timeout: Duration::from_secs(5),
        read_back: true,
    }));
    bench.issuer.check().await.unwrap();
    bench.issuer.publish().await.unwrap();
    let sshd = Sshd::start(directory, &krl.with_extension("krl.web-1"), &bench.ca);
    let order = bench.hour().await;
    let certificate = bench.certificate(&order).await;
    sshd.lets_in(&bench.person, &certificate);
    bench.end(&order).await.unwrap();
    sshd.refuses(&bench.person, &certificate, "revoked by file");
}

#[test]
fn settings_that_could_never_work_are_refused() {
    let good = Push {
        program: vec!["/bin/true".to_owned()],
        hosts: vec!["web-1".to_owned()],
        timeout: Duration::from_secs(5),
        read_back: true,
    };
    assert_eq!(good.check_settings(), Ok(()));
    assert_eq!(good.check_program(), Ok(()));
    let wrong = |change: &dyn Fn(&mut Push)| {
        let mut push = good.clone();
        change(&mut push);
        push.check_settings().unwrap_err()
    };
    assert!(wrong(&|p| p.program = vec!["true".to_owned()]).contains("absolute"));
    assert!(wrong(&|p| p.program.clear()).contains("absolute"));
    assert!(wrong(&|p| p.hosts.clear()).contains("no host"));
    assert!(wrong(&|p| p.hosts = vec!["-oProxyCommand=x".to_owned()]).contains("starting"));
    assert!(wrong(&|p| p.hosts = vec!["a b".to_owned()]).contains("host"));
    assert!(wrong(&|p| p.hosts.push("web-1".to_owned())).contains("twice"));
    assert!(wrong(&|p| p.timeout = Duration::from_secs(60)).contains("timeout"));
    let missing = Push {
        program: vec!["/nonexistent".to_owned()],
        ..good
    };
    assert!(missing.check_program().is_err());
}
