//! Every rule for a certificate, through one table.

use std::net::{IpAddr, Ipv4Addr};

use jitbot::sandbox::ssh::{
    Target, TargetKind,
    login::{Client, LoginOutcome, attempt},
};

use crate::world::{ASKED, Certificate, FORCED, GOOD, KEY_ID, List, World, small};

pub enum Want {
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
                Want::Refused("not allowed because", "no account \"nobody\""),
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
pub fn output_wanted(target: &Target, want: &Want) -> Option<(Vec<String>, &'static str)> {
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
            (LoginOutcome::Refused { said }, Want::Refused(openssh, small), _) => {
                let reason = if *target.kind() == TargetKind::OpenSsh {
                    openssh
                } else {
                    small
                };
                // The machine's ssh names the ways in that are left: keys, and above all no password.
                let ways =
                    client == Client::Russh || said.contains("Permission denied (publickey).");
                ways && log.contains(reason)
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
