//! A program's process group, and the guardian within it.
//!
//! A process can ask to be killed when its parent dies, but its own children can't be asked that of.
//! So a second process, a fork of ours that does nothing but wait for our death, leads a group that
//! the program is started in, and kills it then. Until we have waited for it the group's number belongs
//! to nobody else, so the group can be killed after the program was waited for, too.

use std::io;
use std::os::fd::{AsRawFd as _, OwnedFd, RawFd};

use nix::fcntl::OFlag;
use nix::libc;
use nix::sys::signal::{Signal, kill, killpg};
use nix::sys::wait::waitpid;
use nix::unistd::{ForkResult, Pid, fork, getpgrp, pipe2, setpgid};

/// The process group of a program. Whoever is in it is killed when this is dropped.
#[derive(Debug)]
pub(super) struct Group {
    /// It leads the group, so its number is the group's.
    guardian: Pid,
    /// Nobody else holds this end, so that it closes when we die.
    _alive: OwnedFd,
}

impl Group {
    /// A group with its guardian alone. Where it can't be made, nobody is left.
    #[expect(
        unsafe_code,
        reason = "a guardian without a program of its own is a fork that never executes one"
    )]
    pub(super) fn guarded() -> io::Result<Self> {
        let ours = getpgrp();
        let (ends_with_us, alive) = pipe2(OFlag::O_CLOEXEC)?;
        // SAFETY: what runs in the fork allocates nothing, takes no lock and never returns.
        let guardian = match unsafe { fork() }? {
            ForkResult::Child => guard(ends_with_us.as_raw_fd(), ours.as_raw()),
            ForkResult::Parent { child } => child,
        };
        let group = Self {
            guardian,
            _alive: alive,
        };
        // Dropping it ends the guardian.
        setpgid(guardian, guardian)?;
        Ok(group)
    }

    /// Its number.
    pub(super) const fn number(&self) -> i32 {
        self.guardian.as_raw()
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        // No such group: it could not be made.
        let _ = killpg(self.guardian, Signal::SIGKILL);
        let _ = kill(self.guardian, Signal::SIGKILL);
        // It can't refuse that signal, so this does not last.
        let _ = waitpid(self.guardian, None);
    }
}

/// Waits until the pipe's other end closes, and kills the group then. Of all that was open when it
/// was forked it keeps the pipe alone: files of ours are locked, and pipes are waited on.
#[expect(
    unsafe_code,
    reason = "only system calls may be made in a fork of threads"
)]
fn guard(ends_with_us: RawFd, ours: libc::pid_t) -> ! {
    // SAFETY: system calls alone, each of which POSIX or Linux allows between fork and exec; the
    // memory that they read or write is on this stack.
    unsafe {
        let mut all: libc::sigset_t = std::mem::zeroed();
        libc::sigfillset(&raw mut all);
        libc::sigprocmask(libc::SIG_SETMASK, &raw const all, std::ptr::null_mut());
        libc::dup2(ends_with_us, 0);
        close_from(1);
        let mut byte = 0_u8;
        loop {
            let read = libc::read(0, (&raw mut byte).cast(), 1);
            if read == 0 || (read < 0 && nix::errno::Errno::last_raw() != libc::EINTR) {
                break;
            }
        }
        // Where we died before it was given a group, it is in ours.
        if libc::getpgrp() != ours {
            libc::kill(0, libc::SIGKILL);
        }
        libc::_exit(0);
    }
}

/// Closes every file from this one on.
#[expect(
    unsafe_code,
    reason = "only system calls may be made in a fork of threads"
)]
unsafe fn close_from(first: libc::c_int) {
    // SAFETY: as in `guard`.
    unsafe {
        #[cfg(target_os = "linux")]
        if libc::syscall(libc::SYS_close_range, first, libc::c_uint::MAX, 0) == 0 {
            return;
        }
        for file in first..4_096 {
            libc::close(file);
        }
    }
}
