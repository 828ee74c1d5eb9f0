//! What the kinds `command` and `webhook` refuse.

use jitbot::config::IssuerConfig;
use jitbot::domain::ids::IssuerName;
use jitbot::issuer::{EarlyEnd, NativeExpiry};

use crate::*;

const CA: &str = "kind = \"ssh-ca\"\nca_key = { file = \"/etc/jitbot/ca\" }\nkrl = { path = \"/etc/ssh/jitbot.krl\" }\n";
const GRANT: &str = "grant = { principals = [\"deploy\"] }";

/// The base with another issuer, on lines 25 and on, and another grant.
fn base(issuer: &str, grant: &str) -> String {
    with(CA, &format!("{issuer}\n")).replace(GRANT, grant)
}

fn found(issuer: &str) -> Vec<String> {
    problems(&base(issuer, "grant = { group = \"admins\" }"))
        .iter()
        .map(|problem| problem.replace("jitbot.toml:", ""))
        .collect()
}

#[test]
fn a_command_says_everything_that_is_wrong_at_once() {
    assert_eq!(
        found("kind = \"command\""),
        ["24: issuer.ca.program: is missing. Write it like [\"/usr/local/bin/give-access\"]."]
    );
    assert_eq!(
        found(
            "kind = \"command\"\nprogram = [\"give\"]\nenvironment = { JITBOT_OP = \"x\", \"A-B\" = \"x\", T = { env = \"NOBODY\" } }\ntime_limit = \"1m\"\nnative_expiry = \"always\"\nearly_end = \"impossible\"\nsessions = true\nurl = \"https://x.example\""
        ),
        [
            "26: issuer.ca.program: does not begin with the absolute path of a program. Write it like [\"/usr/local/bin/give-access\"]; no shell stands between.",
            "27: issuer.ca.environment.A-B: is not the name of a variable. Use letters, digits and `_`, and begin with no digit.",
            "27: issuer.ca.environment.JITBOT_OP: is a variable that the program is given with each question. Choose a name that does not begin with JITBOT_.",
            "27: issuer.ca.environment.T.env: the environment variable NOBODY is not set, or empty. Set it for the process, e.g. in its service unit.",
            "28: issuer.ca.time_limit: is too long. The most is 20s: a call that takes longer is given up, and its outcome is unknown.",
            "29: issuer.ca.native_expiry: \"always\" is not one of them. There is: none, advisory, enforced.",
            "31: issuer.ca.sessions: is no key that is known here. Did you mean `sessions_outlive`?",
            "32: issuer.ca.url: is no key that is known here.",
        ]
    );
    assert_eq!(
        found("kind = \"command\"\nprogram = [\"/bin/x\"]\nearly_end = \"impossible\""),
        [
            "27: issuer.ca.early_end: leaves access that neither the target nor jitbot would end. Write native_expiry = \"enforced\" if the target ends it at the deadline by itself; otherwise let it be taken away."
        ]
    );
    assert_eq!(
        found("kind = \"command\"\nprogram = [\"/bin/x\"]\naccount = \"listed\""),
        [
            "27: issuer.ca.account: names accounts that are listed, and none is. Write accounts = { alice = \"a.smith\" }."
        ]
    );
    assert_eq!(
        found("kind = \"command\"\nprogram = [\"/bin/x\"]\naccounts = { alise = \"a\" }"),
        ["27: issuer.ca.accounts.alise: there is no person `alise`. Did you mean `alice`?"]
    );
}

#[test]
fn a_webhook_is_called_over_tls_and_in_public_unless_that_is_meant() {
    let webhook = |rest: &str| {
        found(&format!(
            "kind = \"webhook\"\nsecret = {{ file = \"/s\" }}\n{rest}"
        ))
    };
    let cases = [
        (
            "url = \"http://access.example.org/\"",
            "27: issuer.ca.url: is not https://. What is asked for and answered would travel in the clear; http:// is for this machine alone.",
        ),
        (
            "url = \"http://10.0.0.1/\"\nallow_private = true",
            "27: issuer.ca.url: is not https://. What is asked for and answered would travel in the clear; http:// is for this machine alone.",
        ),
        (
            "url = \"https://10.0.0.1/\"",
            "27: issuer.ca.url: is an address of a private network, or of this machine. Add allow_private = true if that is meant.",
        ),
        (
            "url = \"http://localhost/\"",
            "27: issuer.ca.url: is plain http://. Add allow_private = true if a receiver on this machine is meant.",
        ),
        (
            "url = \"https://me:pass@access.example.org/\"",
            "27: issuer.ca.url: holds a user, a password or a fragment. Calls are signed; what else is secret does not belong into an address.",
        ),
        (
            "url = \"access\"",
            "27: issuer.ca.url: is not an address. Write it like https://access.example.org/jitbot.",
        ),
        (
            "url = \"ftp://access.example.org/\"",
            "27: issuer.ca.url: is not https://. What is asked for and answered would travel in the clear; http:// is for this machine alone.",
        ),
        (
            "url = \"https://access.example.org/\"\nformer_secret = { file = \"/s\" }",
            "28: issuer.ca.former_secret: is the same as secret. Leave it out once all receivers know the new one.",
        ),
        (
            "url = \"https://access.example.org/\"\nprogram = [\"/bin/x\"]",
            "28: issuer.ca.program: is no key that is known here.",
        ),
    ];
    for (rest, expected) in cases {
        assert_eq!(webhook(rest), [expected], "{rest}");
    }
    for right in [
        "url = \"https://access.example.org/\"",
        "url = \"https://10.0.0.1/\"\nallow_private = true",
        "url = \"http://localhost:9/\"\nallow_private = true",
    ] {
        assert_eq!(webhook(right), Vec::<String>::new(), "{right}");
    }
    // A secret that is at hand is looked at, and not repeated.
    let found =
        found("kind = \"webhook\"\nsecret = { env = \"SHORT\" }\nurl = \"https://a.example/\"");
    assert_eq!(found.len(), 1);
    assert!(
        found[0].starts_with("26: issuer.ca.secret: is no secret of a Standard Webhook"),
        "{found:?}"
    );
}

#[test]
fn a_grant_is_what_its_issuer_takes() {
    let issuer = "kind = \"command\"\nprogram = [\"/bin/x\"]";
    let grant_of = |grant: &str| {
        let config = ok(&base(issuer, grant));
        serde_json::Value::Object(config.resources.into_values().next().unwrap().grant).to_string()
    };
    assert_eq!(
        grant_of("grant = { group = [\"a\", \"b\"], level = 0x10, admin = true }"),
        r#"{"admin":true,"group":["a","b"],"level":16}"#
    );
    assert_eq!(grant_of("grant = {}"), "{}");
    for (grant, expected) in [
        (
            "grant = { group = 1.5 }",
            "34: resource.box.grant.group: is neither text, whole number, true nor false.",
        ),
        (
            "grant = { group = [{ a = 1 }] }",
            "34: resource.box.grant.group[0]: is neither text",
        ),
        (
            "",
            "28: resource.box.grant: is missing. Write what your target is told",
        ),
    ] {
        let found = problems(&base(issuer, grant));
        assert_eq!(found.len(), 1, "{grant}: {found:?}");
        assert!(found[0].contains(expected), "{grant}: {found:?}");
    }
    // The kind counts though the issuer has a problem: one mistake is told once.
    let found = problems(&base("kind = \"command\"", "grant = { group = \"a\" }"));
    assert_eq!(found.len(), 1, "{found:?}");
}

#[test]
fn what_is_declared_is_taken_as_it_is_and_hashed() {
    let command = "kind = \"command\"\nprogram = [\"/bin/x\", \"a\"]\nenvironment = { A = \"b\", T = { env = \"TOKEN_1\" } }\nnative_expiry = \"enforced\"\nearly_end = \"told_only\"\nsessions_outlive = false\nsettles_within = \"30s\"\naccounts = { alice = \"a.smith\" }";
    let config = ok(&base(command, "grant = {}"));
    let Some(IssuerConfig::Command(read)) = config.issuers.get(&IssuerName::new("ca").unwrap())
    else {
        panic!("a command")
    };
    assert_eq!(read.program, ["/bin/x", "a"]);
    let can = &read.contract.capabilities;
    assert_eq!(
        (
            can.native_expiry,
            can.early_end,
            can.sessions_outlive,
            can.settles_within_s
        ),
        (NativeExpiry::Enforced, EarlyEnd::ToldOnly, false, 30)
    );
    assert!(!format!("{config:?}").contains("secret-of-the-first-host"));
    assert!(!config.policy_text().contains("secret-of"));
    // How it ends, and as whom, is part of what decides.
    let others = [
        ("30s", "31s"),
        ("told_only", "seen"),
        ("a.smith", "b.smith"),
        ("accounts = ", "makes_secret = true\naccounts = "),
    ];
    for (old, new) in others {
        let other = ok(&base(&command.replace(old, new), "grant = {}"));
        assert_ne!(other.policy_hash(), config.policy_hash(), "{new}");
    }
    assert!(config.warnings.is_empty(), "{:?}", config.warnings);
    let listed = command
        .replace("accounts = ", "account = \"listed\"\naccounts = ")
        .replace("alice = \"a.smith\"", "zoe = \"z\"");
    let config =
        ok(&(base(&listed, "grant = {}") + "[person.zoe]\naccounts = [\"slack:T1/U9\"]\n"));
    let warned: Vec<String> = config.warnings.iter().map(ToString::to_string).collect();
    assert_eq!(warned.len(), 1, "{warned:?}");
    assert!(
        warned[0].contains("no account there is known of person:alice, who will be refused"),
        "{warned:?}"
    );
}

/// Where it leads decides as much as what it can do: security is told, and votes are bound to it.
#[test]
fn where_a_command_or_a_webhook_leads_is_hashed_and_no_secret_is() {
    let command = "kind = \"command\"\nprogram = [\"/bin/x\", \"a\"]\nenvironment = { A = \"b\", T = { env = \"TOKEN_1\" } }";
    let webhook = "kind = \"webhook\"\nurl = \"https://a.example/\"\nsecret = { file = \"/s\" }\nca_file = \"/ca\"";
    for (issuer, changes) in [
        (
            command,
            &[
                ("/bin/x", "/bin/y"),
                ("\"a\"]", "\"b\"]"),
                ("A = \"b\"", "A = \"c\""),
                ("TOKEN_1", "TOKEN_2"),
            ][..],
        ),
        (
            webhook,
            &[
                ("a.example", "b.example"),
                ("\"/s\"", "\"/t\""),
                ("\"/ca\"", "\"/cb\""),
                ("ca_file", "allow_private = true\nca_file"),
                ("ca_file", "former_secret = { file = \"/t\" }\nca_file"),
            ],
        ),
    ] {
        let config = ok(&base(issuer, "grant = {}"));
        for (old, new) in changes {
            let other = ok(&base(&issuer.replace(old, new), "grant = {}"));
            assert_ne!(other.policy_hash(), config.policy_hash(), "{new}");
        }
        assert!(!config.policy_text().contains("secret-of-the"));
    }
    // Its order says nothing.
    let turned = command.replace(
        "A = \"b\", T = { env = \"TOKEN_1\" }",
        "T = { env = \"TOKEN_1\" }, A = \"b\"",
    );
    assert_eq!(
        ok(&base(&turned, "grant = {}")).policy_hash(),
        ok(&base(command, "grant = {}")).policy_hash()
    );
}

/// One account for two people would be access of somebody else.
#[test]
fn nobody_is_somebody_else_there() {
    let zoe = "[person.zoe]\naccounts = [\"slack:T1/U9\"]\n";
    let found = |accounts: &str| {
        let issuer = format!("kind = \"command\"\nprogram = [\"/bin/x\"]\naccounts = {accounts}");
        problems(&(base(&issuer, "grant = {}") + zoe))
    };
    for (accounts, person, other) in [
        ("{ alice = \"a\", zoe = \"a\" }", "zoe", "alice"),
        ("{ alice = \"zoe\" }", "alice", "zoe"),
        ("{ zoe = \"alice\" }", "zoe", "alice"),
    ] {
        let found = found(accounts);
        assert_eq!(found.len(), 1, "{accounts}: {found:?}");
        let expected = format!("issuer.ca.accounts.{person}: `");
        let of = format!("` is the account of `{other}` there too");
        assert!(
            found[0].contains(&expected) && found[0].contains(&of),
            "{accounts}: {found:?}"
        );
    }
    for right in [
        "{ alice = \"zoe\", zoe = \"alice\" }",
        "{ alice = \"a\" }",
        "{ alice = \"alice\" }",
    ] {
        assert_eq!(found(right), Vec::<String>::new(), "{right}");
    }
}

/// A call that was given up may have asked somebody who is still at work.
#[test]
fn absence_is_believed_after_a_minute_unless_said_otherwise() {
    let at_once = "kind = \"command\"\nprogram = [\"/bin/x\"]\nsettles_within = \"0s\"";
    for (issuer, wanted) in [
        ("kind = \"command\"\nprogram = [\"/bin/x\"]", 60),
        (
            "kind = \"webhook\"\nurl = \"https://a.example/\"\nsecret = { file = \"/s\" }",
            60,
        ),
        (at_once, 0),
    ] {
        let config = ok(&base(issuer, "grant = {}"));
        let settles_within_s = match &config.issuers[&IssuerName::new("ca").unwrap()] {
            IssuerConfig::Command(it) => it.contract.capabilities.settles_within_s,
            IssuerConfig::Webhook(it) => it.contract.capabilities.settles_within_s,
            IssuerConfig::SshCa(_) => panic!("another kind"),
        };
        assert_eq!(settles_within_s, wanted, "{issuer}");
    }
}
