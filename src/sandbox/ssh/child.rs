//! Server processes that die with us.
//!
//! A server left behind by a killed demo would go on letting people in. Three things prevent it: [`Child::stop`] for the
//! orderly end, kill on drop for every other way out of a scope, and the kernel's parent-death signal for `kill -9`.
//!
//! The kernel sends that signal when the *thread* that started the child ends, not the process. A child started on a
//! thread of a pool or of one test would die when that thread retires. So one thread starts all of them, and it never ends.

use std::{
    fs, io,
    os::unix::process::CommandExt,
    process::{Child as Process, Command},
    sync::{Mutex, MutexGuard, OnceLock, PoisonError, mpsc},
    thread,
    time::{Duration, Instant},
};

use nix::{
    sys::{
        prctl,
        signal::{Signal, kill},
    },
    unistd::{Pid, getpid, getppid},
};

/// How long a server may take to end after it was asked to, before it is killed.
const ENDS_WITHIN: Duration = Duration::from_secs(3);
/// How often an ending server is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(10);

type Job = (Command, mpsc::Sender<io::Result<Process>>);

/// A server process of ours.
#[derive(Debug)]
pub(super) struct Child {
    pid: u32,
    process: Mutex<Process>,
}

impl Child {
    /// Starts `command` as a child that is killed when this process ends, however it ends.
    pub(super) fn spawn(mut command: Command) -> io::Result<Self> {
        die_with_parent(&mut command);
        // A Ctrl-C in the terminal is for the program that owns the server: it ends the server in its own order.
        command.process_group(0);
        let (answer, answered) = mpsc::channel();
        let gone = || io::Error::other("the thread that starts server processes has ended");
        starter()?.send((command, answer)).map_err(|_| gone())?;
        let process = answered.recv().map_err(|_| gone())??;
        Ok(Self {
            pid: process.id(),
            process: Mutex::new(process),
        })
    }

    /// The process id of the server itself (not of its sessions).
    pub(super) fn pid(&self) -> u32 {
        self.pid
    }

    /// Whether the server process is still running.
    pub(super) fn alive(&self) -> bool {
        matches!(self.lock().try_wait(), Ok(None))
    }

    /// Asks the server to end, and kills it if it has not within three seconds. Its open sessions are ended too.
    pub(super) async fn stop(&self) {
        if !self.alive() {
            return;
        }
        self.end_sessions();
        // An error here means that it is gone already: it is ours, so permission cannot be what is lacking.
        let _ = kill(pid_of(self.pid), Signal::SIGTERM);
        let asked = Instant::now();
        while self.alive() && asked.elapsed() < ENDS_WITHIN {
            tokio::time::sleep(LOOK_EVERY).await;
        }
        self.kill();
    }

    /// Kills what is still running of the server and collects its exit status.
    fn kill(&self) {
        let mut process = self.lock();
        if matches!(process.try_wait(), Ok(None)) {
            let _ = process.kill();
            let _ = process.wait();
        }
    }

    /// Kills the processes below the server while it still runs: afterwards nothing shows any more that they were its own.
    fn end_sessions(&self) {
        for pid in self.sessions() {
            let _ = kill(pid_of(pid), Signal::SIGKILL);
        }
    }

    /// The processes below the server: sshd serves each connection in processes of its own that outlive it.
    fn sessions(&self) -> Vec<u32> {
        let parents: Vec<(u32, u32)> = fs::read_dir("/proc")
            .into_iter()
            .flatten()
            .flatten()
            .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
            .filter_map(|pid| Some((pid, parent_of(pid)?)))
            .collect();
        let mut found = vec![self.pid];
        let mut next = 0;
        while let Some(&parent) = found.get(next) {
            found.extend(
                parents
                    .iter()
                    .filter(|(_, its)| *its == parent)
                    .map(|(pid, _)| pid),
            );
            next += 1;
        }
        found.split_off(1)
    }

    fn lock(&self) -> MutexGuard<'_, Process> {
        // A panic while the lock was held leaves the handle of a process in no half-changed state.
        self.process.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        if self.alive() {
            self.end_sessions();
            self.kill();
        }
    }
}

/// Lets the kernel kill the child of `command` as soon as the thread that starts it ends.
#[expect(
    unsafe_code,
    reason = "between fork and exec only async-signal-safe calls are allowed: prctl, getppid and kill are"
)]
pub(super) fn die_with_parent(command: &mut Command) {
    let parent = getpid();
    let before_exec = move || {
        prctl::set_pdeathsig(Signal::SIGKILL)?;
        // The parent may have died before the signal was asked for; then nobody would ever send it.
        if getppid() == parent {
            Ok(())
        } else {
            Err(io::ErrorKind::BrokenPipe.into())
        }
    };
    // SAFETY: the closure makes system calls only; it neither allocates nor takes a lock nor touches memory of others.
    unsafe {
        command.pre_exec(before_exec);
    }
}

fn starter() -> io::Result<mpsc::Sender<Job>> {
    static STARTER: OnceLock<Mutex<mpsc::Sender<Job>>> = OnceLock::new();
    if STARTER.get().is_none() {
        let (jobs, todo) = mpsc::channel::<Job>();
        thread::Builder::new()
            .name("ssh-servers".into())
            .spawn(move || {
                for (mut command, answer) in todo {
                    // Whoever asked may have gone; the child then dies with the handle that nobody took.
                    if let Err(mpsc::SendError(Ok(mut unwanted))) = answer.send(command.spawn()) {
                        let _ = unwanted.kill();
                        let _ = unwanted.wait();
                    }
                }
            })?;
        // Two callers may race here: the loser's thread ends at once, because its sender is dropped, with no child started.
        let _ = STARTER.set(Mutex::new(jobs));
    }
    STARTER
        .get()
        .map(|jobs| jobs.lock().unwrap_or_else(PoisonError::into_inner).clone())
        .ok_or_else(|| io::Error::other("no thread starts server processes"))
}

fn parent_of(pid: u32) -> Option<u32> {
    // The second field is the program's name in brackets and may itself hold brackets and blanks: count from the last one.
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let (_, fields) = stat.rsplit_once(')')?;
    fields.split_ascii_whitespace().nth(1)?.parse().ok()
}

fn pid_of(pid: u32) -> Pid {
    Pid::from_raw(pid.cast_signed())
}
