//! A workspace, a folder and a config that are right, until a test changes them.

use std::process::{Output, Stdio};
use std::time::Duration;

use jitbot::config;
use jitbot::sandbox::people::People;
use jitbot::sandbox::slack::{Manifest, Running, Server, World};
use jitbot::sandbox::ssh::keys;
use tempfile::TempDir;
use tokio::process::Command;

use super::{Setup, config_text, workspace};

pub struct Office {
    pub folder: TempDir,
    pub people: People,
    pub tokens: (String, String),
    pub config: String,
    _sandbox: Running,
}

/// What a check said.
#[derive(Debug)]
pub struct Said {
    pub code: i32,
    pub text: String,
}

impl Said {
    /// Exactly one line says this.
    pub fn has(&self, line: &str) {
        let times = self.text.lines().filter(|one| one.contains(line)).count();
        assert_eq!(times, 1, "{line:?} in:\n{}", self.text);
    }
}

impl Office {
    pub async fn open() -> Self {
        Self::with(|_| {}, |manifest| manifest).await
    }

    /// With another workspace or other rights of the app.
    pub async fn with(
        change: impl FnOnce(&mut World),
        manifest: impl FnOnce(String) -> String,
    ) -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("target")).unwrap();
        let mut world = workspace();
        change(&mut world);
        let tokens = (world.app.bot_token.clone(), world.app.app_token.clone());
        let manifest = manifest(config::SLACK_MANIFEST.to_owned());
        let manifest = Manifest::from_yaml(&manifest).unwrap();
        let sandbox = Server::start(world, manifest, ([127, 0, 0, 1], 0).into())
            .await
            .unwrap();
        keys::make(&folder.path().join("ca"), "CA").unwrap();
        let base = format!("http://{}", sandbox.addr);
        let config = config_text(folder.path(), &format!("{base}/api"), &Setup::default());
        // One approver more, so that there is nothing to be warned of.
        let two = "[\"person:bob\", \"person:dana\"]";
        let three = "[\"person:bob\", \"person:dana\", \"slack:T0SHOP/U0ERIN\"]";
        let config = config.replace(two, three);
        Self {
            folder,
            people: People::new(&base),
            tokens,
            config,
            _sandbox: sandbox,
        }
    }

    pub fn replace(&mut self, old: &str, new: &str) {
        assert!(self.config.contains(old), "{old:?} is not in the config");
        self.config = self.config.replace(old, new);
    }

    /// The number of the line that holds this.
    pub fn line(&self, what: &str) -> usize {
        let found = self.config.lines().position(|line| line.contains(what));
        found.unwrap_or_else(|| panic!("{what:?} is not in the config")) + 1
    }

    pub async fn check(&self, args: &[&str]) -> Said {
        let file = self.folder.path().join("jitbot.toml");
        std::fs::write(&file, &self.config).unwrap();
        let output = Command::new(env!("CARGO_BIN_EXE_jitbot"))
            .arg("check")
            .arg(&file)
            .args(args)
            .env("SLACK_BOT_TOKEN", &self.tokens.0)
            .env("SLACK_APP_TOKEN", &self.tokens.1)
            .stdin(Stdio::null())
            .kill_on_drop(true)
            .output();
        let output: Output = tokio::time::timeout(Duration::from_secs(30), output)
            .await
            .unwrap()
            .unwrap();
        let mut text = String::from_utf8(output.stdout).unwrap();
        text += &String::from_utf8(output.stderr).unwrap();
        Said {
            code: output.status.code().unwrap(),
            text: text.replace(&format!("{}/", self.folder.path().display()), ""),
        }
    }
}
