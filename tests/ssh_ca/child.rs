//! Programs that are run: bounded in time and output, and never left behind.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use jitbot::issuer::child::{Ended, Order, RunError, run};

use super::store::pause;

fn shell(script: &str) -> Order {
    Order {
        program: PathBuf::from("/bin/sh"),
        arguments: vec!["-c".into(), script.into()],
        environment: vec![],
        stdin: bytes::Bytes::new(),
        time_limit: Duration::from_secs(10),
        stdout_max: 1_000,
        unsaid: vec![],
    }
}

async fn said_of(order: Order) -> String {
    match run(order).await.unwrap() {
        Ended::Exited {
            status: 0, stdout, ..
        } => String::from_utf8(stdout).unwrap(),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn it_reads_answers_and_fails() {
    let mut order = shell("cat; echo oops >&2; exit 75");
    order.stdin = bytes::Bytes::from(vec![b'x'; 900]);
    assert_eq!(
        run(order).await.unwrap(),
        Ended::Exited {
            status: 75,
            stdout: vec![b'x'; 900],
            complaint: "oops".to_owned()
        }
    );
    assert_eq!(run(shell("kill -9 $$")).await.unwrap(), Ended::Signalled(9));
    let mut missing = shell("");
    missing.program = PathBuf::from("/nonexistent/program");
    assert!(matches!(
        run(missing).await,
        Err(RunError::NotStarted { .. })
    ));
}

#[tokio::test]
async fn a_program_that_reads_nothing_is_no_error() {
    let mut order = shell("exec 0<&-; echo done");
    order.stdin = bytes::Bytes::from(vec![b'x'; 1_000_000]);
    assert_eq!(said_of(order).await, "done\n");
}

#[tokio::test]
async fn it_sees_nothing_of_our_environment() {
    assert!(std::env::var_os("HOME").is_some() || std::env::var_os("USER").is_some());
    let mut order = shell("env");
    order.environment = vec![("JITBOT_HOST".into(), "web-1".into())];
    let said = said_of(order).await;
    let mut names: Vec<&str> = said
        .lines()
        .filter_map(|line| line.split_once('=').map(|(name, _)| name))
        .filter(|name| !["PWD", "_", "SHLVL", "OLDPWD"].contains(name))
        .collect();
    names.sort_unstable();
    assert_eq!(names, ["JITBOT_HOST", "LANG", "PATH"]);
}

#[tokio::test]
async fn a_hanging_program_is_killed_with_its_children() {
    let pids = tempfile::NamedTempFile::new().unwrap();
    let mut order = shell(&format!(
        "sleep 600 & echo $! > {}; wait",
        pids.path().display()
    ));
    order.time_limit = Duration::from_millis(700);
    assert_eq!(run(order).await.unwrap(), Ended::TookTooLong);
    let pid = fs::read_to_string(pids.path()).unwrap();
    assert!(!pid.trim().is_empty());
    assert!(soon(|| !runs(&pid)), "{pid} lives on");
}

#[tokio::test]
async fn a_flood_is_stopped_and_a_flood_of_complaints_is_dropped() {
    assert_eq!(run(shell("yes")).await.unwrap(), Ended::SaidTooMuch);
    let complaints = shell("head -c 3000000 /dev/zero | tr '\\0' x >&2; echo fine");
    let Ended::Exited {
        stdout, complaint, ..
    } = run(complaints).await.unwrap()
    else {
        panic!("it ended otherwise")
    };
    assert_eq!((stdout.as_slice(), complaint.len()), (&b"fine\n"[..], 200));
}

#[tokio::test]
async fn a_child_that_holds_the_pipe_does_not_hold_us() {
    let Ended::Exited { stdout, .. } = run(shell("sleep 600 & echo $!")).await.unwrap() else {
        panic!("it ended otherwise")
    };
    let pid = String::from_utf8(stdout).unwrap();
    assert!(soon(|| !runs(&pid)), "{pid} lives on");
}

#[tokio::test]
async fn a_call_given_up_leaves_nothing_behind() {
    let pids = tempfile::NamedTempFile::new().unwrap();
    let order = shell(&format!("echo $$ > {}; sleep 600", pids.path().display()));
    let given_up = tokio::time::timeout(Duration::from_millis(700), run(order)).await;
    assert!(given_up.is_err());
    let pid = fs::read_to_string(pids.path()).unwrap();
    assert!(!pid.trim().is_empty());
    assert!(soon(|| !runs(&pid)), "{pid} lives on");
}

const PARENT: &str = "JITBOT_TEST_PARENT_OF";

/// The test runs itself once more as the parent that is killed.
#[test]
fn a_program_dies_with_us() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    if let Some(pid_file) = std::env::var_os(PARENT) {
        let order = Order {
            program: "/bin/sh".into(),
            arguments: vec![
                "-c".into(),
                // Of two children one is in the background and holds no pipe.
                "sleep 600 > /dev/null 2>&1 < /dev/null & echo $$ $! > \"$1.new\"
                 mv \"$1.new\" \"$1\"; sleep 600"
                    .into(),
                "sh".into(),
                pid_file,
            ],
            environment: vec![],
            stdin: bytes::Bytes::new(),
            time_limit: Duration::from_secs(600),
            stdout_max: 100,
            unsaid: vec![],
        };
        let ended = runtime.block_on(run(order));
        panic!("the parent was not killed: {ended:?}");
    }
    let room = tempfile::tempdir().unwrap();
    let pid_file = room.path().join("pid");
    let mut parent = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "child::a_program_dies_with_us"])
        .env(PARENT, &pid_file)
        .spawn()
        .unwrap();
    assert!(soon(|| pid_file.exists()), "the program did not start");
    let pids = fs::read_to_string(&pid_file).unwrap();
    let pids: Vec<&str> = pids.split_whitespace().collect();
    assert_eq!(pids.len(), 2);
    assert!(pids.iter().all(|pid| runs(pid)));
    parent.kill().unwrap();
    parent.wait().unwrap();
    for pid in pids {
        assert!(soon(|| !runs(pid)), "{pid} lives on");
    }
}

/// A guardian holds no file of ours open, and is gone with the call.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_guardian_holds_nothing_and_leaves_nothing() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let order = shell("sleep 1");
    let looking = tokio::spawn(run(order));
    let ours = std::process::id();
    let shown = file.path().to_owned();
    let mut guardians = 0;
    for _ in 0..40 {
        pause(Duration::from_millis(20));
        for child in children_of(ours) {
            let files = Path::new("/proc").join(&child).join("fd");
            let Ok(files) = fs::read_dir(files) else {
                continue;
            };
            let open: Vec<PathBuf> = files
                .flatten()
                .filter_map(|file| fs::read_link(file.path()).ok())
                .collect();
            if open.len() == 1 {
                guardians += 1;
            }
            assert!(!open.contains(&shown), "{child} holds {open:?}");
        }
    }
    assert!(guardians > 0, "no guardian was seen");
    assert!(matches!(
        looking.await.unwrap(),
        Ok(Ended::Exited { status: 0, .. })
    ));
    assert!(
        soon(|| children_of(ours).is_empty()),
        "{:?}",
        children_of(ours)
    );
}

/// What went on in the background ends with the call, whether or not it holds a pipe.
#[tokio::test]
async fn what_a_program_leaves_behind_is_ended() {
    let order = shell("sleep 600 > /dev/null 2>&1 < /dev/null & echo $!");
    let pid = said_of(order).await;
    assert!(soon(|| !runs(&pid)), "{pid} lives on");
}

/// One that leaves its group at once is ended all the same.
#[tokio::test]
async fn a_program_that_leaves_its_group_is_ended() {
    let pids = tempfile::NamedTempFile::new().unwrap();
    let mut order = shell("");
    order.program = PathBuf::from("/usr/bin/setsid");
    let text = format!("echo $$ > {}; exec sleep 600", pids.path().display());
    order.arguments = ["/bin/sh", "-c", &text].map(Into::into).to_vec();
    order.time_limit = Duration::from_millis(700);
    assert_eq!(run(order).await.unwrap(), Ended::TookTooLong);
    let pid = fs::read_to_string(pids.path()).unwrap();
    assert!(soon(|| !runs(&pid)), "{pid} lives on");
}

/// Holds a file so that whoever opens it waits, until its own stdin closes.
const HOLDS: &str = "
import fcntl, os, signal, sys
signal.signal(signal.SIGIO, signal.SIG_IGN)
fcntl.fcntl(os.open(sys.argv[1], os.O_RDWR), fcntl.F_SETLEASE, fcntl.F_WRLCK)
print('held', flush=True)
sys.stdin.read()
";

/// As on a file system that does not answer: exec waits for the file.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_start_that_hangs_holds_up_nobody_else_and_begins_nothing_later() {
    let room = tempfile::tempdir().unwrap();
    let program = room.path().join("program");
    let ran = room.path().join("ran");
    fs::write(
        &program,
        format!("#!/bin/sh\necho $1 >> {}\n", ran.display()),
    )
    .unwrap();
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    let mut holder = std::process::Command::new("python3")
        .args(["-c", HOLDS])
        .arg(&program)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut held = String::new();
    let mut said = BufReader::new(holder.stdout.take().unwrap());
    said.read_line(&mut held).unwrap();
    assert_eq!(held, "held\n");
    let of = |word: &str| {
        let mut order = shell("");
        order.program = program.clone();
        order.arguments = vec![word.into()];
        order.time_limit = Duration::from_millis(500);
        order
    };
    let hanging = async {
        for word in ["first", "second", "third"] {
            assert_eq!(run(of(word)).await.unwrap(), Ended::TookTooLong);
        }
    };
    let other = async { assert_eq!(said_of(shell("echo fine")).await, "fine\n") };
    tokio::join!(hanging, other);
    // The first has had its time; whoever stood behind it was given up, and is never begun.
    pause(Duration::from_millis(1_700));
    let ours = children_of(std::process::id());
    assert_eq!(ours, [holder.id().to_string()]);
    drop(holder.stdin.take());
    holder.wait().unwrap();
    pause(Duration::from_millis(300));
    assert!(!ran.exists(), "{:?}", fs::read_to_string(&ran));
    // It is well again with the file.
    let mut last = of("last");
    last.time_limit = Duration::from_secs(10);
    run(last).await.unwrap();
    assert_eq!(fs::read_to_string(&ran).unwrap(), "last\n");
}

/// Processes whose parent is this one, by what the kernel says of each of its threads.
fn children_of(pid: u32) -> Vec<String> {
    let tasks = fs::read_dir(format!("/proc/{pid}/task")).unwrap();
    tasks
        .flatten()
        .filter_map(|task| fs::read_to_string(task.path().join("children")).ok())
        .flat_map(|children| {
            let children = children.split_whitespace();
            children.map(str::to_owned).collect::<Vec<_>>()
        })
        .collect()
}

fn soon(mut holds: impl FnMut() -> bool) -> bool {
    (0..400).any(|_| {
        pause(Duration::from_millis(25));
        holds()
    })
}

/// Whether a process runs: a zombie has ended.
fn runs(pid: &str) -> bool {
    fs::read_to_string(Path::new("/proc").join(pid.trim()).join("stat")).is_ok_and(|stat| {
        !stat
            .rsplit(')')
            .next()
            .is_some_and(|rest| rest.trim_start().starts_with('Z'))
    })
}
