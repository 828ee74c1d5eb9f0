//! What an attempt says, and how long it may take to say it.

use std::{
    fs,
    net::TcpListener,
    process::Command,
    sync::Arc,
    time::{Duration, Instant},
};

use jitbot::sandbox::ssh::{
    Target, TargetKind, keys,
    login::{self, Client, Login, LoginOutcome, attempt},
};
use russh::server;

use crate::{
    table::{Want, output_wanted},
    world::{Certificate, GOOD, World, small},
};

#[tokio::test]
async fn a_certificate_ends_by_the_machines_clock_alone() {
    tokio::join!(ends_by_itself(TargetKind::OpenSsh), ends_by_itself(small()));
}

async fn ends_by_itself(kind: TargetKind) {
    let world = World::new();
    let target = Target::start(kind, world.config()).await.unwrap();
    let certificate = world.mint(&Certificate {
        valid: (-60, 8),
        ..GOOD
    });
    let minted = Instant::now();
    let login = world.login(&target, login::best(), certificate);
    let first = attempt(login.clone()).await;
    assert!(matches!(first, LoginOutcome::Accepted { .. }), "{first:?}");
    tokio::time::sleep(Duration::from_secs(9).saturating_sub(minted.elapsed())).await;
    let second = attempt(login).await;
    assert!(matches!(second, LoginOutcome::Refused { .. }), "{second:?}");
}

#[tokio::test]
async fn a_shell_without_a_command_and_the_pasted_line_work() {
    for kind in [TargetKind::OpenSsh, small()] {
        let world = World::new();
        let target = Target::start(kind, world.config()).await.unwrap();
        let certificate = world.mint(&GOOD);
        let mut login = world.login(&target, Client::OpenSsh, certificate);
        let line = login::command_line(&login);
        let output = Command::new("sh").arg("-c").arg(&line).output().unwrap();
        assert!(
            output.status.success(),
            "{line}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        let (present, _) = output_wanted(&target, &Want::Asked).unwrap();
        let stdout = String::from_utf8(output.stdout).unwrap();
        assert!(present.iter().all(|text| stdout.contains(text)), "{stdout}");
        login.command = None;
        for client in [Client::OpenSsh, Client::Russh] {
            let outcome = attempt(Login {
                client,
                ..login.clone()
            })
            .await;
            assert!(
                matches!(outcome, LoginOutcome::Accepted { .. }),
                "{client:?}: {outcome:?}"
            );
        }
    }
}

#[tokio::test]
async fn a_failing_command_is_a_login_all_the_same() {
    let world = World::new();
    let target = Target::start(TargetKind::OpenSsh, world.config())
        .await
        .unwrap();
    let certificate = world.mint(&GOOD);
    for client in [Client::OpenSsh, Client::Russh] {
        let mut login = world.login(&target, client, certificate.clone());
        login.command = Some("echo Permission denied >&2; echo seen; exit 255".into());
        let outcome = attempt(login).await;
        assert_eq!(
            outcome,
            LoginOutcome::Accepted {
                stdout: "seen\n".into()
            },
            "{client:?}"
        );
    }
}

#[tokio::test]
async fn a_server_that_is_gone_or_another_is_unreachable_and_not_a_refusal() {
    for kind in [TargetKind::OpenSsh, small()] {
        let world = World::new();
        let target = Target::start(kind, world.config()).await.unwrap();
        let certificate = world.mint(&GOOD);
        let stranger = world.path("strange_hosts");
        let addr = target.addr();
        let known = format!(
            "[{}]:{} {}\n",
            addr.ip(),
            addr.port(),
            world.other_ca.public_line
        );
        fs::write(&stranger, known).unwrap();
        for client in [Client::OpenSsh, Client::Russh] {
            let mut login = world.login(&target, client, certificate.clone());
            login.known_hosts = stranger.clone();
            let outcome = attempt(login).await;
            assert!(
                matches!(outcome, LoginOutcome::Unreachable { .. }),
                "{client:?}: {outcome:?}"
            );
        }
        target.stop().await;
        for client in [Client::OpenSsh, Client::Russh] {
            let outcome = attempt(world.login(&target, client, certificate.clone())).await;
            assert!(
                matches!(outcome, LoginOutcome::Unreachable { .. }),
                "{client:?}: {outcome:?}"
            );
        }
    }
}

#[tokio::test]
async fn a_server_that_never_answers_costs_bounded_time() {
    let world = World::new();
    let target = Target::start(small(), world.config()).await.unwrap();
    // Connections are taken by the kernel and never answered.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    for client in [Client::OpenSsh, Client::Russh] {
        let mut login = world.login(&target, client, world.mint(&GOOD));
        login.addr = silent.local_addr().unwrap();
        let started = Instant::now();
        let outcome = attempt(login).await;
        assert!(
            matches!(outcome, LoginOutcome::Unreachable { .. }),
            "{client:?}: {outcome:?}"
        );
        assert!(started.elapsed() < login::ANSWERS_WITHIN + Duration::from_secs(5));
    }
}

/// A server that hangs up when it should judge.
struct HangsUp;

impl server::Server for HangsUp {
    type Handler = Self;

    fn new_client(&mut self, _peer: Option<std::net::SocketAddr>) -> Self {
        Self
    }
}

impl server::Handler for HangsUp {
    type Error = russh::Error;

    async fn auth_openssh_certificate(
        &mut self,
        _user: &str,
        _certificate: &russh::keys::Certificate,
    ) -> Result<server::Auth, Self::Error> {
        Err(russh::Error::Disconnect)
    }
}

#[tokio::test]
async fn a_server_that_hangs_up_has_refused_nobody() {
    let world = World::new();
    let host = keys::make(&world.path("host"), "host").unwrap();
    let config = Arc::new(server::Config {
        keys: vec![russh::keys::load_secret_key(&host.private, None).unwrap()],
        ..server::Config::default()
    });
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    let server = tokio::spawn(async move {
        server::Server::run_on_socket(&mut HangsUp, config, &listener).await
    });
    let known_hosts = world.path("known_hosts");
    fs::write(
        &known_hosts,
        format!("[{}]:{} {}\n", addr.ip(), addr.port(), host.public_line),
    )
    .unwrap();
    let certificate = world.mint(&GOOD);
    for client in [Client::OpenSsh, Client::Russh] {
        let outcome = attempt(Login {
            user: "alice".into(),
            addr,
            key: world.alice.private.clone(),
            certificate: certificate.clone(),
            known_hosts: known_hosts.clone(),
            command: None,
            source: None,
            client,
        })
        .await;
        assert!(
            matches!(outcome, LoginOutcome::Unreachable { .. }),
            "{client:?}: {outcome:?}"
        );
    }
    server.abort();
}

#[tokio::test]
async fn unusable_files_of_ours_are_no_refusal_either() {
    let world = World::new();
    let target = Target::start(small(), world.config()).await.unwrap();
    let mut login = world.login(&target, Client::Russh, world.path("no-such-certificate"));
    let outcome = attempt(login.clone()).await;
    assert!(
        matches!(&outcome, LoginOutcome::Unreachable { said } if said.contains("no-such-certificate")),
        "{outcome:?}"
    );
    login.key = world.path("no-such-key");
    let outcome = attempt(login).await;
    assert!(
        matches!(&outcome, LoginOutcome::Unreachable { said } if said.contains("no-such-key")),
        "{outcome:?}"
    );
}
