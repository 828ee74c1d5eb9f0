//! Programs as scripts, and the shipped example behind one that fails on demand.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use async_trait::async_trait;
use jitbot::issuer::GrantOrder;
use jitbot::issuer::conformance::Hand;
use jitbot::issuer::contract::program::Variable;
use jitbot::issuer::contract::{Contracted, Program};
use tempfile::TempDir;

use super::subject::{clock, settings};

pub fn example(name: &str) -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/examples");
    folder.join(name).display().to_string()
}

/// A shell script in place of a program.
pub fn script(text: &str) -> Program {
    Program {
        argv: ["/bin/sh", "-c", text].map(str::to_owned).to_vec(),
        environment: vec![],
        time_limit: Duration::from_secs(2),
    }
}

pub fn issuer(program: Program) -> Contracted<Program> {
    Contracted::new(settings(), program, clock())
}

/// Does once what the file beside it says, else what it is there for.
const FAULTY: &str = r#"
fault=$(cat "$1" 2>/dev/null); rm -f "$1"
case $fault in
  lost) "$2"; kill -9 $$ ;;
  hang) sleep 600 ;;
  throttle) exit 75 ;;
esac
exec "$2"
"#;

/// The shipped example's directory, and a hand in it.
pub struct Directory {
    room: TempDir,
}

impl Directory {
    pub fn new() -> Self {
        let room = tempfile::tempdir().unwrap();
        fs::create_dir(room.path().join("access")).unwrap();
        Self { room }
    }

    fn access(&self) -> PathBuf {
        self.room.path().join("access")
    }

    fn fault(&self) -> PathBuf {
        self.room.path().join("fault")
    }

    pub fn program(&self) -> Program {
        let fault = self.fault().display().to_string();
        let example = example("file-access");
        Program {
            argv: ["/bin/sh", "-c", FAULTY, "sh", &fault, &example]
                .map(str::to_owned)
                .to_vec(),
            environment: vec![(
                "ACCESS_DIR".to_owned(),
                Variable::Plain(self.access().display().to_string()),
            )],
            time_limit: Duration::from_millis(1_500),
        }
    }

    /// Names of the files in it.
    pub fn files(&self) -> Vec<String> {
        let files = fs::read_dir(self.access()).unwrap().flatten();
        let mut names: Vec<String> = files
            .map(|file| file.file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }
}

#[async_trait]
impl Hand for Directory {
    async fn has_access(&self) -> bool {
        fs::read_dir(self.access()).unwrap().flatten().any(|file| {
            fs::read_to_string(file.path()).is_ok_and(|text| text.starts_with("alice "))
        })
    }

    async fn give_before(&self) {
        fs::write(self.access().join("standing"), "alice of old\n").unwrap();
    }

    async fn take_by_hand(&self, order: &GrantOrder) {
        fs::remove_file(self.access().join(order.grant.as_str())).unwrap();
    }

    async fn lose_next_answer(&self) {
        fs::write(self.fault(), "lost").unwrap();
    }

    async fn hang_next_call(&self) {
        fs::write(self.fault(), "hang").unwrap();
    }

    async fn throttle_next_call(&self) {
        fs::write(self.fault(), "throttle").unwrap();
    }
}
