//! Starts programs on threads that live as long as the process, one for each program.
//!
//! Linux sends the signal asked for before exec when the *thread* that forked ends, and the runtime
//! ends threads when it likes. Starting waits until exec is done, which can take for ever (a program
//! on a file system that does not answer); then it holds up that program alone.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError, mpsc};

use tokio::process::{Child, Command};
use tokio::runtime::Handle;
use tokio::sync::oneshot;

use super::group::Group;

/// A program to start, and who waits for it.
struct Start {
    command: Command,
    runtime: Handle,
    answer: oneshot::Sender<io::Result<(Child, Group)>>,
}

type Inbox = mpsc::Sender<Start>;

/// As many as there are programs in configs of this process.
static SPAWNERS: Mutex<BTreeMap<PathBuf, Inbox>> = Mutex::new(BTreeMap::new());

/// Starts it in a group of its own. Nothing is started any more once this is dropped, except what is
/// being started already, which is killed.
pub(super) async fn spawn(program: &Path, command: Command) -> io::Result<(Child, Group)> {
    let gone = || io::Error::other("the thread that starts programs is gone");
    let (answer, spawned) = oneshot::channel();
    let start = Start {
        command,
        runtime: Handle::current(),
        answer,
    };
    inbox_of(program)?.send(start).map_err(|_| gone())?;
    spawned.await.map_err(|_| gone())?
}

fn inbox_of(program: &Path) -> io::Result<Inbox> {
    // It holds nothing half-done, whoever panicked.
    let mut spawners = SPAWNERS.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(inbox) = spawners.get(program) {
        return Ok(inbox.clone());
    }
    let (inbox, starts) = mpsc::channel();
    std::thread::Builder::new()
        .name("spawner".to_owned())
        .spawn(move || serve(&starts))?;
    spawners.insert(program.to_owned(), inbox.clone());
    Ok(inbox)
}

fn serve(starts: &mpsc::Receiver<Start>) {
    for mut start in starts {
        // Whoever gave up may have ordered the opposite since.
        if start.answer.is_closed() {
            continue;
        }
        let _inside = start.runtime.enter();
        // A child that nobody waits for any more is killed by being dropped.
        let _ = start.answer.send(begin(&mut start.command));
    }
}

/// The guardian comes first: where none can be had, nothing was done.
fn begin(command: &mut Command) -> io::Result<(Child, Group)> {
    let group = Group::guarded()?;
    let child = command.process_group(group.number()).spawn()?;
    Ok((child, group))
}
