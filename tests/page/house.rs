//! What the stories run: the real `jitbot demo`, with its page alone.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

/// A demo that runs. It ends with this.
pub struct Demo {
    child: Child,
    /// The page's address.
    pub page: String,
    /// What it said until the page was there.
    pub said: String,
}

/// A demo with the small SSH server.
pub fn demo() -> Demo {
    Demo::start(&["--small-ssh"])
}

impl Demo {
    pub fn start(arguments: &[&str]) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_jitbot"))
            .args(["demo", "--page-only", "--no-browser"])
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut said = String::new();
        let page = loop {
            let line = lines
                .next()
                .unwrap_or_else(|| panic!("it ended before there was a page:\n{said}"))
                .unwrap();
            said += &line;
            said += "\n";
            if let Some(page) = line.strip_prefix("Page: ") {
                break page.to_owned();
            }
        };
        // Whatever it says later must not fill the pipe.
        std::thread::spawn(move || lines.for_each(drop));
        Self { child, page, said }
    }

    /// With a config of the test's own.
    pub fn of(config: &Path) -> Self {
        Self::start(&["--small-ssh", "--config", &config.display().to_string()])
    }

    /// The process that a line of its beginning names.
    fn process(&self, line_start: &str) -> Pid {
        let line = self
            .said
            .lines()
            .find(|line| line.starts_with(line_start))
            .unwrap();
        let number = line
            .rsplit("(process ")
            .next()
            .unwrap()
            .trim_end_matches(')');
        Pid::from_raw(number.parse().unwrap())
    }

    pub fn signal_bot(&self, signal: Signal) {
        kill(self.process("Bot:"), signal).unwrap();
    }
}

impl Drop for Demo {
    #[expect(
        clippy::disallowed_methods,
        reason = "it waits for another process to end"
    )]
    fn drop(&mut self) {
        let pid = Pid::from_raw(i32::try_from(self.child.id()).unwrap());
        // A bot that was stopped can't end by itself; one that is gone needs not.
        let _ = kill(self.process("Bot:"), Signal::SIGCONT);
        let _ = kill(pid, Signal::SIGTERM);
        for _ in 0..200 {
            if self.child.try_wait().is_ok_and(|ended| ended.is_some()) {
                return;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
