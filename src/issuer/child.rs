//! Runs a program that an operator named: without a shell, without our environment, in a process
//! group of its own, for a bounded time, with bounded output; it dies with us.
//!
//! What the program started itself goes with its group when the call ends, however it ends, and when
//! we die. What left the group (`setsid`) is beyond reach.

mod group;
mod spawner;

use std::ffi::OsString;
use std::io;
use std::os::unix::process::ExitStatusExt as _;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use secrecy::SecretString;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::process::{Child, Command};

use super::redaction::redacted;

/// What a program finds in its environment, beside what its order adds.
const ENVIRONMENT: [(&str, &str); 2] = [
    (
        "PATH",
        "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    ),
    ("LANG", "C"),
];

/// How much of what a program says on stderr is kept, in bytes.
const STDERR_KEPT: usize = 16_384;

/// How long its pipes may stay open after it ended, because a child of its own holds them.
const PIPES_AFTER_END: Duration = Duration::from_millis(300);

/// One run of a program.
#[derive(Clone)]
pub struct Order {
    /// The program, by its path.
    pub program: PathBuf,
    /// Its arguments, passed as they are.
    pub arguments: Vec<OsString>,
    /// Variables to add to its otherwise nearly empty environment.
    pub environment: Vec<(OsString, OsString)>,
    /// What it reads on stdin. A program that doesn't read it is no error.
    pub stdin: bytes::Bytes,
    /// How long it may take.
    pub time_limit: Duration,
    /// How much it may write to stdout, in bytes.
    pub stdout_max: usize,
    /// Secrets that are taken out of its complaint.
    pub unsaid: Vec<SecretString>,
}

/// Without what may be secret: the environment, and what it is told.
impl std::fmt::Debug for Order {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Order")
            .field("program", &self.program)
            .field("time_limit", &self.time_limit)
            .finish_non_exhaustive()
    }
}

/// How a run ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ended {
    /// It exited by itself.
    Exited {
        /// Its exit status.
        status: i32,
        /// What it wrote to stdout.
        stdout: Vec<u8>,
        /// The first visible line that it wrote to stderr, cut short; empty where there was none.
        complaint: String,
    },
    /// A signal ended it.
    Signalled(i32),
    /// It took longer than its time limit, and was killed.
    TookTooLong,
    /// It wrote more than allowed, and was killed.
    SaidTooMuch,
}

/// Why a run ended in nothing that can be told.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// It did not start: nothing was done.
    #[error("{program} could not be started: {source}")]
    NotStarted {
        /// The program.
        program: String,
        /// Why.
        source: io::Error,
    },
    /// It ran, and its end could not be seen.
    #[error("the end of {program} could not be seen: {source}")]
    Lost {
        /// The program.
        program: String,
        /// Why.
        source: io::Error,
    },
}

/// Runs a program to its end. Dropping the future kills it and its group.
///
/// # Errors
/// [`RunError`]; how the program itself failed is an [`Ended`].
pub async fn run(order: Order) -> Result<Ended, RunError> {
    let program = || order.program.display().to_string();
    let whole = async {
        // The group is dropped at the end, and whoever is left in it is killed.
        let (mut child, _group) = match spawner::spawn(&order.program, command(&order)).await {
            Ok(started) => started,
            Err(source) => {
                let program = program();
                return Err(RunError::NotStarted { program, source });
            }
        };
        attend(&mut child, &order).await.map_err(|source| {
            let program = program();
            RunError::Lost { program, source }
        })
    };
    match tokio::time::timeout(order.time_limit, whole).await {
        // One whose start hangs may have begun all the same.
        Err(_) => Ok(Ended::TookTooLong),
        Ok(ended) => ended,
    }
}

/// Feeds the program, listens to it and waits for its end.
async fn attend(child: &mut Child, order: &Order) -> io::Result<Ended> {
    let (stdin, stdout, stderr) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let mut talk = Box::pin(async {
        let feed = async {
            if let Some(mut pipe) = stdin {
                // A closed pipe means that it has read what it wanted.
                let _ = pipe.write_all(&order.stdin).await;
            }
            Ok(())
        };
        tokio::try_join!(
            feed,
            listen(stdout, &mut out, order.stdout_max, Beyond::Stop),
            listen(stderr, &mut err, STDERR_KEPT, Beyond::Discard),
        )
    });
    let mut talked = false;
    let status = loop {
        tokio::select! {
            said = &mut talk, if !talked => match said {
                Ok(_) => talked = true,
                Err(TooMuch) => return Ok(Ended::SaidTooMuch),
            },
            status = child.wait() => break status?,
        }
    };
    if !talked {
        // Where a child of its own holds a pipe open, what was said until now is what was said.
        if let Ok(Err(TooMuch)) = tokio::time::timeout(PIPES_AFTER_END, &mut talk).await {
            return Ok(Ended::SaidTooMuch);
        }
    }
    drop(talk);
    Ok(match status.code() {
        Some(status) => Ended::Exited {
            status,
            stdout: out,
            complaint: first_line(&err, &order.unsaid),
        },
        None => Ended::Signalled(status.signal().unwrap_or_default()),
    })
}

struct TooMuch;

enum Beyond {
    Stop,
    Discard,
}

/// Reads a pipe until it closes; what could not be read is taken for its end.
async fn listen(
    pipe: Option<impl AsyncRead + Unpin>,
    kept: &mut Vec<u8>,
    max: usize,
    beyond: Beyond,
) -> Result<(), TooMuch> {
    let Some(mut pipe) = pipe else {
        return Ok(());
    };
    let mut buffer = [0_u8; 4_096];
    loop {
        let read = match pipe.read(&mut buffer).await {
            Ok(0) | Err(_) => return Ok(()),
            Ok(read) => read,
        };
        let room = max - kept.len();
        kept.extend_from_slice(&buffer[..read.min(room)]);
        if read > room && matches!(beyond, Beyond::Stop) {
            return Err(TooMuch);
        }
    }
}

fn first_line(bytes: &[u8], unsaid: &[SecretString]) -> String {
    let unsaid: Vec<&SecretString> = unsaid.iter().collect();
    redacted(&String::from_utf8_lossy(bytes), &unsaid)
        .lines()
        .map(str::trim)
        .find(|line| !line.is_empty())
        .unwrap_or_default()
        .chars()
        .filter(|c| !c.is_control())
        .take(200)
        .collect()
}

fn command(order: &Order) -> Command {
    let mut command = Command::new(&order.program);
    command
        .args(&order.arguments)
        .env_clear()
        .envs(ENVIRONMENT)
        .envs(order.environment.iter().map(|(name, value)| (name, value)))
        .current_dir("/")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    die_in_time(&mut command, order.time_limit);
    command
}

/// It is killed when we die, and soon after its time limit also where nobody knows its number: while
/// its start hangs (a program on a file system that does not answer) it must not begin later on.
#[expect(
    unsafe_code,
    reason = "a hook between fork and exec is the only way to ask for these signals"
)]
fn die_in_time(command: &mut Command, time_limit: Duration) {
    #[cfg(target_os = "linux")]
    let parent = nix::unistd::getpid();
    let whole = u32::try_from(time_limit.as_secs()).unwrap_or(u32::MAX);
    // Later than we would end it ourselves. A program may put the alarm off.
    let alarm_s = whole.saturating_add(2);
    // SAFETY: between fork and exec only async-signal-safe calls are allowed. These are system calls
    // and a comparison; nothing allocates, locks or panics.
    unsafe {
        command.pre_exec(move || {
            // An alarm lives through exec; its handler does not, but being ignored does.
            nix::libc::signal(nix::libc::SIGALRM, nix::libc::SIG_DFL);
            nix::libc::alarm(alarm_s);
            #[cfg(target_os = "linux")]
            {
                nix::sys::prctl::set_pdeathsig(nix::sys::signal::Signal::SIGKILL)?;
                // We may have died before the line above: then nobody would send the signal.
                if nix::unistd::getppid() != parent {
                    return Err(nix::errno::Errno::ECANCELED.into());
                }
            }
            Ok(())
        });
    }
}
