//! Both SSH servers of the sandbox under both clients, through one table: what OpenSSH refuses, the small server refuses.
//!
//! The certificates are made with the ssh-key crate and the revocation lists with `ssh-keygen -k`. OpenSSH must be
//! installed (Debian: openssh-server, openssh-client); where it is not, these tests fail.

use std::{
    fs,
    net::{IpAddr, Ipv4Addr, TcpListener},
    path::{Path, PathBuf},
    process::Command,
    time::{Duration, Instant, SystemTime},
};

use jitbot::sandbox::ssh::{
    Target, TargetConfig, TargetError, TargetKind, best, current_account,
    keys::{self, KeyPair},
    login::{self, Client, Login, LoginOutcome, attempt},
};
use ssh_key::{
    PrivateKey,
    certificate::{Builder, CertType},
    rand_core::OsRng,
};
use tempfile::TempDir;

const SERIAL: u64 = 41;
const KEY_ID: &str = "grant-41";
const ASKED: &str = "echo asked-$((40 + 2))";
const FORCED: &str = "echo forced-$((1 + 1))";

fn small() -> TargetKind {
    TargetKind::Small {
        program: env!("CARGO_BIN_EXE_jitbot").into(),
    }
}

/// A directory with an authority, a person's key and an empty revocation list.
struct World {
    dir: TempDir,
    ca: KeyPair,
    other_ca: KeyPair,
    alice: KeyPair,
}

impl World {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let make = |name: &str| keys::make(&dir.path().join(name), name).unwrap();
        let (ca, other_ca, alice) = (make("ca"), make("other-ca"), make("alice"));
        let world = Self {
            dir,
            ca,
            other_ca,
            alice,
        };
        world.publish(&List::Revoking(""));
        world
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn config(&self) -> TargetConfig {
        TargetConfig {
            dir: self.path("server"),
            ca_pub: self.ca.public.clone(),
            krl: self.path("revoked.krl"),
            port: None,
            principals: vec!["deploy".into(), "admin".into()],
        }
    }

    fn mint(&self, certificate: &Certificate) -> PathBuf {
        let now = SystemTime::UNIX_EPOCH.elapsed().unwrap().as_secs();
        let at = |offset: i64| now.checked_add_signed(offset).unwrap();
        let key = PrivateKey::read_openssh_file(&self.alice.private).unwrap();
        let (from, until) = certificate.valid;
        let mut builder = Builder::new_with_random_nonce(
            &mut OsRng,
            key.public_key().key_data().clone(),
            at(from),
            at(until),
        )
        .unwrap();
        builder.serial(SERIAL).unwrap();
        builder.key_id(KEY_ID).unwrap();
        builder.cert_type(CertType::User).unwrap();
        for principal in certificate.principals {
            builder.valid_principal(*principal).unwrap();
        }
        for (name, value) in certificate.options {
            builder.critical_option(*name, *value).unwrap();
        }
        let signer = if certificate.by_other {
            &self.other_ca
        } else {
            &self.ca
        };
        let signer = PrivateKey::read_openssh_file(&signer.private).unwrap();
        // Not `alice-cert.pub`: `ssh` would find that by itself and hide a mistake in how it is named.
        let path = self.path("presented.pub");
        fs::write(&path, builder.sign(&signer).unwrap().to_openssh().unwrap()).unwrap();
        path
    }

    fn publish(&self, list: &List) {
        let path = self.path("revoked.krl");
        match list {
            List::Revoking(spec) => self.write_krl(spec),
            List::RevokingKeyOf(how) => {
                self.write_krl(&format!("{how}: {}", self.alice.public_line))
            }
            List::CutOff(spec) => {
                self.write_krl(spec);
                let whole = fs::read(&path).unwrap();
                fs::write(&path, &whole[..whole.len() - 3]).unwrap();
            }
            List::Text(text) => fs::write(&path, text).unwrap(),
            List::Missing => {
                if path.exists() {
                    fs::remove_file(&path).unwrap();
                }
            }
        }
    }

    fn write_krl(&self, spec: &str) {
        let file = self.path("spec");
        fs::write(&file, format!("{spec}\n")).unwrap();
        let output = Command::new("ssh-keygen")
            .args(["-q", "-k", "-f"])
            .arg(self.path("revoked.krl"))
            .arg("-s")
            .arg(&self.ca.public)
            .arg(&file)
            .output()
            .expect("ssh-keygen runs (Debian: openssh-client)");
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
    }

    fn login(&self, target: &Target, client: Client, certificate: PathBuf) -> Login {
        Login {
            user: target.account().into(),
            addr: target.addr(),
            key: self.alice.private.clone(),
            certificate,
            known_hosts: target.known_hosts().into(),
            command: Some(ASKED.into()),
            source: None,
            client,
        }
    }
}

#[derive(Clone)]
struct Certificate {
    principals: &'static [&'static str],
    /// Seconds from now.
    valid: (i64, i64),
    options: &'static [(&'static str, &'static str)],
    by_other: bool,
}

const GOOD: Certificate = Certificate {
    principals: &["deploy"],
    valid: (-60, 600),
    options: &[],
    by_other: false,
};

#[derive(Clone)]
enum List {
    /// What `ssh-keygen -k` makes of this.
    Revoking(&'static str),
    /// What it makes of `how: ` and the person's public key.
    RevokingKeyOf(&'static str),
    /// The same without its last three bytes.
    CutOff(&'static str),
    Text(&'static str),
    Missing,
}

enum Want {
    /// Let in, and the command that was asked for counts.
    Asked,
    /// Let in, and the certificate's command counts.
    Forced,
    /// Refused, with these words in the log of OpenSSH and of the small server.
    Refused(&'static str, &'static str),
}

struct Case {
    name: &'static str,
    certificate: Certificate,
    list: List,
    user: Option<&'static str>,
    source: Option<IpAddr>,
    want: Want,
}

const LOCAL_2: IpAddr = IpAddr::V4(Ipv4Addr::new(127, 0, 0, 2));

fn cases() -> Vec<Case> {
    let case = |name, certificate, list, want| Case {
        name,
        certificate,
        list,
        user: None,
        source: None,
        want,
    };
    let empty = || List::Revoking("");
    let with = |options| Certificate { options, ..GOOD };
    let revoked = |what| Want::Refused("revoked by file", what);
    let no_list = || Want::Refused("in revoked keys file", "cannot be used");
    vec![
        case("a valid certificate", GOOD, empty(), Want::Asked),
        case(
            "two principals, one of them good",
            Certificate {
                principals: &["other", "admin"],
                ..GOOD
            },
            empty(),
            Want::Asked,
        ),
        case(
            "expired",
            Certificate {
                valid: (-600, -1),
                ..GOOD
            },
            empty(),
            Want::Refused("Certificate invalid: expired", "expired or not yet valid"),
        ),
        case(
            "not yet valid",
            Certificate {
                valid: (300, 600),
                ..GOOD
            },
            empty(),
            Want::Refused(
                "Certificate invalid: not yet valid",
                "expired or not yet valid",
            ),
        ),
        case(
            "wrong authority",
            Certificate {
                by_other: true,
                ..GOOD
            },
            empty(),
            Want::Refused("is not listed in", "is not trusted here"),
        ),
        case(
            "wrong principal",
            Certificate {
                principals: &["nobody", "deploy2"],
                ..GOOD
            },
            empty(),
            Want::Refused(
                "does not contain an authorized principal",
                "principals [\"nobody\", \"deploy2\"]",
            ),
        ),
        Case {
            user: Some("nobody"),
            ..case(
                "wrong account",
                GOOD,
                empty(),
                Want::Refused("not listed in AllowUsers", "no account \"nobody\""),
            )
        },
        case(
            "revoked by serial",
            GOOD,
            List::Revoking("serial: 41"),
            revoked("with serial 41"),
        ),
        case(
            "revoked by a range",
            GOOD,
            List::Revoking("serial: 40-4000"),
            revoked("serial 41"),
        ),
        case(
            "revoked by key id",
            GOOD,
            List::Revoking("id: grant-41"),
            revoked("key id \"grant-41\""),
        ),
        case(
            "others are revoked",
            GOOD,
            List::Revoking("serial: 40\nserial: 42-50\nid: grant-4\nid: grant-411"),
            Want::Asked,
        ),
        case(
            "key revoked",
            GOOD,
            List::RevokingKeyOf("key"),
            revoked("the key is revoked"),
        ),
        case(
            "key's SHA-1 revoked",
            GOOD,
            List::RevokingKeyOf("sha1"),
            revoked("the key is revoked"),
        ),
        case(
            "key's SHA-256 revoked",
            GOOD,
            List::RevokingKeyOf("sha256"),
            revoked("the key is revoked"),
        ),
        case("list missing", GOOD, List::Missing, no_list()),
        case("list is garbage", GOOD, List::Text("garbage\n"), no_list()),
        case(
            "list cut off",
            GOOD,
            List::CutOff("serial: 7\nid: x"),
            no_list(),
        ),
        case("list is an empty file", GOOD, List::Text(""), Want::Asked),
        case(
            "right address",
            with(&[("source-address", "10.0.0.0/8,127.0.0.1")]),
            empty(),
            Want::Asked,
        ),
        Case {
            source: Some(LOCAL_2),
            ..case(
                "right address, chosen",
                with(&[("source-address", "127.0.0.2")]),
                empty(),
                Want::Asked,
            )
        },
        Case {
            source: Some(LOCAL_2),
            ..case(
                "wrong address",
                with(&[("source-address", "127.0.0.1")]),
                empty(),
                Want::Refused(
                    "not from a permitted source address",
                    "not be used from 127.0.0.2",
                ),
            )
        },
        case(
            "an address list that is none",
            with(&[("source-address", "home")]),
            empty(),
            Want::Refused("source-address", "no network"),
        ),
        case(
            "a forced command",
            with(&[("force-command", FORCED)]),
            empty(),
            Want::Forced,
        ),
        case(
            "an unknown critical option",
            with(&[("never-heard-of@example.com", "x")]),
            empty(),
            Want::Refused("is not supported", "is unknown"),
        ),
    ]
}

/// What a login's standard output must hold, and what it must not.
fn output_wanted(target: &Target, want: &Want) -> Option<(Vec<String>, &'static str)> {
    let openssh = *target.kind() == TargetKind::OpenSsh;
    let here = format!(
        "you are in as {}; certificate {KEY_ID}; principals ",
        target.account()
    );
    match want {
        Want::Asked if openssh => Some((vec!["asked-42\n".into()], "forced")),
        Want::Forced if openssh => Some((vec!["forced-2\n".into()], "asked")),
        Want::Asked => Some((
            vec![here, format!("command, not run here: {ASKED}\n")],
            "asked-42",
        )),
        Want::Forced => Some((
            vec![here, format!("forced command, not run here: {FORCED}\n")],
            "asked",
        )),
        Want::Refused(..) => None,
    }
}

async fn the_table_holds(kind: TargetKind, client: Client) {
    let world = World::new();
    let target = Target::start(kind, world.config()).await.unwrap();
    let mut wrong = Vec::new();
    for case in cases() {
        world.publish(&case.list);
        let before = target.log().unwrap().len();
        let mut login = world.login(&target, client, world.mint(&case.certificate));
        login.source = case.source;
        if let Some(user) = case.user {
            login.user = user.into();
        }
        let outcome = attempt(login).await;
        let log = target.log().unwrap().split_off(before);
        let right = match (&outcome, &case.want, output_wanted(&target, &case.want)) {
            (LoginOutcome::Accepted { stdout }, _, Some((present, absent))) => {
                present.iter().all(|text| stdout.contains(text)) && !stdout.contains(absent)
            }
            (LoginOutcome::Refused { .. }, Want::Refused(openssh, small), _) => {
                let reason = if *target.kind() == TargetKind::OpenSsh {
                    openssh
                } else {
                    small
                };
                log.contains(reason)
            }
            _ => false,
        };
        if !right {
            wrong.push(format!("{}: {outcome:?}\n  log: {log}", case.name));
        }
    }
    target.stop().await;
    assert!(!target.alive());
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test]
async fn openssh_server_and_openssh_client() {
    the_table_holds(TargetKind::OpenSsh, Client::OpenSsh).await;
}

#[tokio::test]
async fn openssh_server_and_library_client() {
    the_table_holds(TargetKind::OpenSsh, Client::Russh).await;
}

#[tokio::test]
async fn small_server_and_openssh_client() {
    the_table_holds(small(), Client::OpenSsh).await;
}

#[tokio::test]
async fn small_server_and_library_client() {
    the_table_holds(small(), Client::Russh).await;
}

#[tokio::test]
async fn a_certificate_ends_by_the_machines_clock_alone() {
    for kind in [TargetKind::OpenSsh, small()] {
        let world = World::new();
        let target = Target::start(kind, world.config()).await.unwrap();
        let certificate = world.mint(&Certificate {
            valid: (-60, 4),
            ..GOOD
        });
        let login = world.login(&target, login::best(), certificate);
        let first = attempt(login.clone()).await;
        assert!(matches!(first, LoginOutcome::Accepted { .. }), "{first:?}");
        tokio::time::sleep(Duration::from_secs(5)).await;
        let second = attempt(login).await;
        assert!(matches!(second, LoginOutcome::Refused { .. }), "{second:?}");
    }
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

/// Not a test by itself: the next one runs it as a process of its own and kills that.
#[tokio::test]
#[ignore = "run by servers_die_with_a_killed_owner"]
async fn owner_of_two_servers() {
    let (first, second) = (World::new(), World::new());
    let openssh = Target::start(TargetKind::OpenSsh, first.config())
        .await
        .unwrap();
    let small = Target::start(small(), second.config()).await.unwrap();
    assert!(openssh.alive() && small.alive());
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
        .args(["--ignored", "--exact", "owner_of_two_servers"])
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
