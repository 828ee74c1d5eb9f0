//! `jitbot issuer check`, as an operator runs it.

use std::path::PathBuf;
use std::process::Command;

use super::issuer_box::issuer_box;
use super::script::example;

const CONFIG: &str = r#"[slack]
bot_token = { env = "BOT" }
app_token = { env = "APP" }
[store]
url = "sqlite://@ROOM@/jitbot.db"
[security]
people = ["slack:T1/U3"]
channels = ["slack:#security"]
digest = { cron = "0 9 * * *", time_zone = "Europe/Berlin" }
[person.alice]
accounts = ["slack:T1/U1"]
[group.engineering]
members = ["person:alice"]
[group.sre]
members = ["slack:T1/U2"]
"#;

struct Operator {
    room: tempfile::TempDir,
}

impl Operator {
    fn with(program: &str) -> Self {
        let room = tempfile::tempdir().unwrap();
        let at = room.path().display();
        let lines = format!(
            r#"kind = "command"
program = [{program}]
environment = {{ ACCESS_DIR = "{at}" }}
time_limit = "5s"
settles_within = "1s""#
        );
        let config = CONFIG.replace("@ROOM@", &at.to_string())
            + &issuer_box("box", &lines, "box-admin", r#"group = "admins""#);
        std::fs::write(room.path().join("jitbot.toml"), config).unwrap();
        Self { room }
    }

    fn config(&self) -> PathBuf {
        self.room.path().join("jitbot.toml")
    }

    /// What it says and its exit code.
    fn checks(&self, arguments: &[&str]) -> (String, i32) {
        let done = Command::new(env!("CARGO_BIN_EXE_jitbot"))
            .args(["issuer", "check", "--config"])
            .arg(self.config())
            .args(arguments)
            .env("BOT", "xoxb-of-a-test")
            .env("APP", "xapp-of-a-test")
            .output()
            .unwrap();
        let said = [done.stdout, done.stderr].concat();
        (
            String::from_utf8(said).unwrap(),
            done.status.code().unwrap(),
        )
    }

    fn files(&self) -> usize {
        std::fs::read_dir(self.room.path()).unwrap().count()
    }
}

#[test]
fn it_says_what_it_would_do_and_does_it_when_told_to() {
    let operator = Operator::with(&format!("{:?}", example("file-access")));
    let (said, code) = operator.checks(&["box", "--account", "test-account"]);
    assert_eq!(code, 2, "{said}");
    assert!(
        said.contains("Account test-account, parameters {\"group\":\"admins\"}.\n"),
        "{said}"
    );
    assert!(
        said.ends_with("Nothing was done. Say --yes to do it.\n"),
        "{said}"
    );
    assert_eq!(operator.files(), 1, "something was done");

    let (said, code) = operator.checks(&["box", "--person", "alice", "--yes"]);
    assert_eq!(code, 0, "{said}");
    assert!(
        said.contains("held        double_revoke: taking it away twice is taking it away once\n"),
        "{said}"
    );
    assert!(
        said.contains("not judged  there_before: it needs a hand at the target"),
        "{said}"
    );
    assert!(
        said.ends_with("\n14 held, 0 broken, 6 not judged\n"),
        "{said}"
    );
    assert_eq!(operator.files(), 1, "something was left");
}

#[test]
fn a_wrong_issuer_is_told_so() {
    let says = r#""/bin/sh", "-c", "echo '{\"outcome\":\"ok\",\"presence\":\"present\"}'""#;
    let operator = Operator::with(says);
    let (said, code) = operator.checks(&["box", "--account", "alice", "--yes"]);
    assert_eq!(code, 1, "{said}");
    assert!(
        said.contains("BROKEN      check: `check` says that the job can be done. Seen: the answer to check holds \"presence\", which the contract does not know\n"),
        "{said}"
    );
    assert!(said.contains("LEFT ON THE TARGET: g"), "{said}");
}

#[test]
fn what_is_missing_is_said() {
    let operator = Operator::with(r#""/bin/false""#);
    for (arguments, expected) in [
        (
            &["bax", "--account", "a"][..],
            "no issuer `bax`; there is: box",
        ),
        (&["box"], "--account NAME, or --person NAME"),
        (
            &["box", "--account", "a", "--resource", "x"],
            "no resource `x` is given by `box`",
        ),
        (
            &["box", "--account", "a", "--parameters", "[1]"],
            "--parameters is no JSON object",
        ),
        (&["box", "--person", "zoe"], "no person `zoe`"),
        (
            &["box", "--account", "a", "--for", "soon"],
            "--for soon is no duration",
        ),
    ] {
        let (said, code) = operator.checks(arguments);
        assert_eq!(code, 2, "{arguments:?}: {said}");
        assert!(said.contains(expected), "{arguments:?}: {said}");
    }
}
