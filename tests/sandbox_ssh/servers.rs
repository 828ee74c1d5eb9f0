//! Starting, naming and ending the servers.

use std::{
    fs,
    net::TcpListener,
    path::Path,
    process::Command,
    time::{Duration, Instant},
};

use jitbot::sandbox::ssh::{
    Target, TargetConfig, TargetError, TargetKind, best, current_account,
    login::{self, Client, attempt},
};

use crate::world::{GOOD, World, small};

#[tokio::test]
async fn servers_say_what_they_are_and_keep_their_host_key() {
    assert_eq!(
        best(Path::new("/bin/false")),
        TargetKind::OpenSsh,
        "openssh-server is installed"
    );
    assert_eq!(login::best(), Client::OpenSsh);
    for (kind, named) in [
        (TargetKind::OpenSsh, "(OpenSSH_"),
        (small(), "(jitbot_sandbox_"),
    ] {
        let world = World::new();
        let target = Target::start(kind.clone(), world.config()).await.unwrap();
        let said = target.describe();
        assert!(
            said.contains(named) && said.contains(&target.addr().to_string()),
            "{said}"
        );
        assert!(said.contains(&current_account().unwrap()), "{said}");
        assert!(target.alive());
        assert!(Path::new(&format!("/proc/{}", target.pid())).exists());
        let known = fs::read_to_string(target.known_hosts()).unwrap();
        let pid = target.pid();
        let port = target.addr().port();
        drop(target);
        assert!(
            !Path::new(&format!("/proc/{pid}")).exists(),
            "dropping kills"
        );
        let again = TargetConfig {
            port: Some(port),
            ..world.config()
        };
        let target = Target::start(kind, again).await.unwrap();
        assert_eq!(fs::read_to_string(target.known_hosts()).unwrap(), known);
    }
}

#[tokio::test]
async fn a_taken_port_and_a_useless_program_are_named() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    for kind in [TargetKind::OpenSsh, small()] {
        let world = World::new();
        let config = TargetConfig {
            port: Some(port),
            ..world.config()
        };
        let error = Target::start(kind, config).await.unwrap_err();
        assert!(
            matches!(error, TargetError::PortTaken { port: named } if named == port),
            "{error:?}"
        );
    }
    let world = World::new();
    let nowhere = TargetKind::Small {
        program: "/nowhere/jitbot".into(),
    };
    let error = Target::start(nowhere, world.config()).await.unwrap_err();
    assert!(matches!(error, TargetError::Program { .. }), "{error:?}");
    let ends = TargetKind::Small {
        program: "/bin/false".into(),
    };
    let error = Target::start(ends, world.config()).await.unwrap_err();
    assert!(
        matches!(error, TargetError::NotListening { .. }),
        "{error:?}"
    );
    let config = TargetConfig {
        ca_pub: world.path("no-such-ca.pub"),
        ..world.config()
    };
    let error = Target::start(small(), config).await.unwrap_err();
    assert!(error.to_string().contains("no-such-ca.pub"), "{error}");
}

#[tokio::test]
async fn stopping_the_server_ends_its_sessions() {
    let world = World::new();
    let target = Target::start(TargetKind::OpenSsh, world.config())
        .await
        .unwrap();
    let mut login = world.login(&target, Client::OpenSsh, world.mint(&GOOD));
    let told = world.path("told");
    login.command = Some(format!("echo $$ > '{}'; exec sleep 60", told.display()));
    let session = tokio::spawn(attempt(login));
    let started = Instant::now();
    let pid = loop {
        match fs::read_to_string(&told) {
            Ok(pid) if pid.ends_with('\n') => break pid.trim().to_owned(),
            _ => assert!(
                started.elapsed() < Duration::from_secs(10),
                "the session never began"
            ),
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    };
    assert!(Path::new("/proc").join(&pid).exists());
    target.stop().await;
    session.await.unwrap();
    assert!(gone(&pid), "the session outlived its server");
}

/// Names the directory to write a server's process id into.
const OWNER_DIR: &str = "SANDBOX_SSH_OWNER_DIR";

/// The next test runs this one as a process of its own, which then waits to be killed.
#[tokio::test]
async fn two_servers_run_side_by_side() {
    let (first, second) = (World::new(), World::new());
    let openssh = Target::start(TargetKind::OpenSsh, first.config())
        .await
        .unwrap();
    let small = Target::start(small(), second.config()).await.unwrap();
    assert!(openssh.alive() && small.alive());
    assert_ne!(openssh.addr(), small.addr());
    if let Some(dir) = std::env::var_os(OWNER_DIR) {
        let pids = format!("{} {}\n", openssh.pid(), small.pid());
        fs::write(Path::new(&dir).join("pids"), pids).unwrap();
        tokio::time::sleep(Duration::from_secs(60)).await;
    }
}

#[test]
fn servers_die_with_a_killed_owner() {
    let dir = tempfile::tempdir().unwrap();
    let mut owner = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "servers::two_servers_run_side_by_side"])
        .env(OWNER_DIR, dir.path())
        .env("TMPDIR", dir.path())
        .spawn()
        .unwrap();
    let started = Instant::now();
    let pids = loop {
        match fs::read_to_string(dir.path().join("pids")) {
            Ok(pids) if pids.ends_with('\n') => break pids,
            _ => assert!(
                started.elapsed() < Duration::from_secs(20),
                "the owner started nothing"
            ),
        }
        std::thread::sleep(Duration::from_millis(20));
    };
    let pids: Vec<&str> = pids.split_ascii_whitespace().collect();
    assert_eq!(pids.len(), 2);
    assert!(
        pids.iter().all(|pid| !gone(pid)),
        "both run while their owner does"
    );
    owner.kill().unwrap();
    owner.wait().unwrap();
    let killed = Instant::now();
    while !pids.iter().all(|pid| gone(pid)) {
        assert!(
            killed.elapsed() < Duration::from_secs(5),
            "a server outlived its owner"
        );
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Whether the process has ended; one that nobody has collected yet counts as ended.
fn gone(pid: &str) -> bool {
    fs::read_to_string(format!("/proc/{pid}/stat")).map_or(true, |stat| {
        stat.rsplit_once(')')
            .is_some_and(|(_, rest)| rest.starts_with(" Z"))
    })
}
