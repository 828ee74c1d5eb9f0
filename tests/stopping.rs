//! The real binary is told to stop while a target is being called: what came of the call is recorded
//! once, nothing is given twice, and the next start goes on at once.

#[path = "support/mod.rs"]
mod support;

use std::os::unix::process::ExitStatusExt as _;
use std::process::ExitStatus;
use std::time::Duration;

use jitbot::clock::Stopwatch;
use jitbot::sandbox::people::FaultKind;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use support::scene::{Scene, WAIT};
use support::slow_box::SlowBox;
use support::watching::{free, get, served_at};
use support::{APPROVALS, id_of};
use tokio::process::Child;

/// Much less than a lease: who waited for one would be found out.
const AT_ONCE: Duration = Duration::from_secs(20);

fn tell(bot: &Child, signal: Signal) {
    let pid = i32::try_from(bot.id().unwrap()).unwrap();
    kill(Pid::from_raw(pid), signal).unwrap();
}

async fn ended(bot: &mut Child) -> ExitStatus {
    let ended = tokio::time::timeout(WAIT, bot.wait()).await;
    ended.expect("it ends").unwrap()
}

async fn times(scene: &Scene, kind: &str) -> usize {
    let kinds = scene.kinds().await;
    kinds.iter().filter(|one| *one == kind).count()
}

/// A bot in the middle of a call that gives access.
async fn called() -> (Scene, SlowBox, Child) {
    let scene = Scene::set().await;
    let target = SlowBox::beside(&scene);
    let bot = scene.serve().await;
    target.approved(&scene, "1h").await;
    scene
        .until("the call", async || target.calls("issue") == 1)
        .await;
    (scene, target, bot)
}

#[tokio::test]
async fn what_came_of_a_call_in_flight_is_recorded_and_nothing_new_is_taken() {
    let at = free();
    let scene = Scene::with(&served_at(at)).await;
    let target = SlowBox::beside(&scene);
    let mut bot = scene.serve().await;
    let id = target.approved(&scene, "1h").await;
    scene
        .until("the call", async || target.calls("issue") == 1)
        .await;

    tell(&bot, Signal::SIGTERM);
    let no_socket = async || scene.people.sockets().await.unwrap() == 0;
    scene.until("the goodbye to Slack", no_socket).await;
    let late = scene.people.command(id_of("alice"), APPROVALS, "/jit list");
    let late = late.await.unwrap();
    assert!(!late.acked, "nothing is taken while it stops: {late:?}");
    let (status, _, said) = get(at, "/readyz").await;
    assert_eq!(status, 503, "{said}");
    assert!(said.contains("told to stop"), "{said}");
    assert_eq!(get(at, "/healthz").await.0, 200, "nobody need kill it");
    assert!(bot.try_wait().unwrap().is_none(), "the call is waited for");
    assert_eq!(times(&scene, "issued").await, 0);

    target.let_go();
    let status = ended(&mut bot).await;
    assert_eq!(status.code(), Some(0), "{status:?}");
    assert!(
        !scene.path().join("jitbot.db-wal").exists(),
        "the database was closed in good order"
    );
    assert_eq!(times(&scene, "issued").await, 1);
    assert!(target.has_access());
    let log = scene.log();
    assert!(
        log.contains("stopping: finishing what is in flight"),
        "{log}"
    );
    assert!(!log.contains("ERROR"), "{log}");

    let _bot = scene.serve().await;
    let ready = async || scene.told_alice("You are in.").await == 1;
    scene.until("the message", ready).await;
    scene.done(&id).await;
    scene.until_recorded("ended").await;
    assert!(!target.has_access());
    assert_eq!(target.calls("issue"), 1, "nothing was given twice");
    assert_eq!(times(&scene, "issued").await, 1);
}

#[tokio::test]
async fn a_second_signal_ends_it_at_once_and_the_next_start_goes_on_at_once() {
    let (scene, target, mut bot) = called().await;
    tell(&bot, Signal::SIGINT);
    let no_socket = async || scene.people.sockets().await.unwrap() == 0;
    scene.until("the goodbye to Slack", no_socket).await;
    tell(&bot, Signal::SIGTERM);
    let status = ended(&mut bot).await;
    assert_eq!(status.code(), Some(1), "{status:?}");
    assert_eq!(status.signal(), None);

    target.let_go();
    let begun = Stopwatch::start();
    let _bot = scene.serve().await;
    let ready = async || scene.told_alice("You are in.").await == 1;
    scene.until("the message", ready).await;
    assert!(begun.elapsed() < AT_ONCE, "{:?}", begun.elapsed());
    assert_eq!(times(&scene, "issued").await, 1);
}

/// What can't be recorded when it stops is handed back, so that nobody waits for a lease.
#[tokio::test]
async fn jobs_that_could_not_be_recorded_are_handed_back() {
    let (scene, target, mut bot) = called().await;
    scene.refuse_to_record("active").await;
    target.let_go();
    scene
        .until("the access", async || target.has_access())
        .await;
    tell(&bot, Signal::SIGTERM);
    assert_eq!(ended(&mut bot).await.code(), Some(0));
    let running = "SELECT key FROM jobs WHERE state = 'running'";
    assert_eq!(scene.sql(running).await.len(), 0);
    scene.record_again().await;
    let _bot = scene.serve().await;
    let ready = async || scene.told_alice("You are in.").await == 1;
    scene.until("the message", ready).await;
    assert_eq!(times(&scene, "issued").await, 1);
}

#[tokio::test]
async fn a_stop_before_it_is_ready_ends_it_in_good_order() {
    let scene = Scene::set().await;
    let slow = FaultKind::Delay(15_000);
    scene.people.fault("auth.test", 1, slow).await.unwrap();
    let mut bot = scene.command().spawn().unwrap();
    let database = scene.path().join("jitbot.db");
    scene.until("a start", async || database.exists()).await;
    let begun = Stopwatch::start();
    tell(&bot, Signal::SIGTERM);
    assert_eq!(ended(&mut bot).await.code(), Some(0));
    assert!(begun.elapsed() < Duration::from_secs(5));
}
