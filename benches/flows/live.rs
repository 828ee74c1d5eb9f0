//! Many live grants: the bot is started beside a database that is full of them, some of which end while it
//! is looked at; then it is stopped, gets many more whose end is overdue, and is started again while people
//! go on asking.
#![expect(
    clippy::disallowed_methods,
    reason = "it measures processes, in real time"
)]

use std::collections::HashSet;
use std::ops::Range;
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use chrono::TimeDelta;
use jitbot::clock::{Timestamp, machine_now};
use jitbot::domain::ids::{GrantId, IssuerName};
use jitbot::store::Store as _;
use jitbot::store::sqlite::SqliteStore;
use serde::Serialize;

use super::bots::Bot;
use super::live_cards::post;
use super::live_ends::{Due, Ends};
use super::live_fill::{ISSUER, Wanted, fill, grant};
use super::process::Memory;
use super::tally::Step;
use super::trial::{Plan, Stage};

/// How long the bot may take until it is ready beside so much.
const READY_MAX: Duration = Duration::from_secs(300);

/// Deadlines of grants that do not end while it is measured: from so long after it was filled in on, spread
/// evenly over so many hours.
const FAR: (TimeDelta, i64) = (TimeDelta::hours(3), 8);

/// How long ago the first of the overdue should have ended.
const OVERDUE_SINCE: TimeDelta = TimeDelta::minutes(10);

/// How much there is.
#[derive(Debug, Clone)]
pub struct LivePlan {
    /// How a bot is measured at all; a step is how long flows begin beside what is overdue.
    pub plan: Plan,
    /// Live grants.
    pub live: usize,
    /// Of those, so many end in the measured window.
    pub ending: usize,
    /// How long the window is: their deadlines are spread evenly over it.
    pub window: Duration,
    /// From the moment when everything is filled in until the window begins: the bot starts meanwhile, and
    /// stands idle.
    pub before: Duration,
    /// Grants on top of those, overdue at the second start.
    pub overdue: usize,
    /// How long is waited for their ends; those that are left then count as forgotten.
    pub longest: Duration,
    /// Flows a second beside them.
    pub rate: u32,
}

/// What came of it.
#[derive(Debug, Clone, Serialize)]
pub struct LiveMeasured {
    /// Live grants.
    pub live: usize,
    /// Seconds that filling them in took.
    pub filled_s: f64,
    /// The database then, in MiB.
    pub database_mib: f64,
    /// From the start until it said `200` on `/readyz`.
    pub readyz_ms: f64,
    /// By how much it was ready too late for the beginning of the window.
    pub too_late_ms: f64,
    /// Before the window.
    pub idle: Memory,
    /// CPU time that a second of standing idle takes.
    pub idle_cpu_ms_per_s: f64,
    /// Seconds of the window.
    pub window_s: f64,
    /// Those whose deadline was in the window; counted from its beginning.
    pub window: Ends,
    /// Seconds that filling in the overdue took, with their cards.
    pub overdue_filled_s: f64,
    /// From the second start until it said `200`, with the overdue.
    pub overdue_readyz_ms: f64,
    /// Those that were overdue; counted from the start.
    pub overdue: Ends,
    /// What was asked meanwhile.
    pub flows: Step,
    /// Live grants whose deadline was not to come yet, and whose access was taken away.
    pub too_soon: usize,
    /// What the bot's own books say at the end.
    pub books: Books,
    /// The most memory that either start needed, in MiB.
    pub peak_mib: f64,
    /// What `jitbot audit verify` says at the end.
    pub record: String,
}

/// What the bot's books say of what was filled in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Books {
    /// Grants whose deadline was not to come yet.
    pub not_due: usize,
    /// Those of them that are live.
    pub live: usize,
    /// Grants that were due and are not over.
    pub not_over: usize,
}

/// Where moments on the target's clock stand beside deadlines.
struct Beginning {
    wall: Timestamp,
    steady: Instant,
}

impl Beginning {
    fn at(wall: Timestamp) -> Self {
        let (now, steady) = (machine_now(), Instant::now());
        let ahead = wall - now;
        let steady = match ahead.to_std() {
            Ok(ahead) => steady + ahead,
            Err(_) => steady - (-ahead).to_std().unwrap_or_default(),
        };
        Self { wall, steady }
    }

    fn due(&self, deadline: Timestamp, ended: Option<Instant>) -> Due {
        let us = |it: Duration| i64::try_from(it.as_micros()).unwrap_or(i64::MAX);
        let since = |it: Instant| {
            let late = it.saturating_duration_since(self.steady);
            let early = self.steady.saturating_duration_since(it);
            us(late) - us(early)
        };
        Due {
            deadline_us: (deadline - self.wall).num_milliseconds() * 1_000,
            ended_us: ended.map(since),
        }
    }
}

/// Of `count` moments that are spread evenly over a time, the one with this number.
fn spread_over(time: TimeDelta, count: usize, nth: usize) -> TimeDelta {
    let of = |n: usize| i64::try_from(n).unwrap_or(i64::MAX);
    // Milliseconds of hours times millions stay far below 2^63.
    TimeDelta::milliseconds(time.num_milliseconds() * of(nth) / of(count.max(1)))
}

/// Takes jitbot through it.
///
/// # Errors
/// What could not be filled in or started, that the bot died, or that its record does not verify.
pub async fn measure_live(of: &LivePlan) -> anyhow::Result<LiveMeasured> {
    ensure!(of.ending <= of.live, "more are to end than there are");
    // It runs once before: what it keeps of its config and of people is in the database then, as it would be.
    let mut stage = Stage::set(Bot::Jitbot, &of.plan).await?;
    tokio::time::sleep(of.plan.idle).await;
    stage.stop().await?;

    let far = 0..of.live - of.ending;
    let ending = far.end..of.live;
    let overdue = of.live..of.live + of.overdue;
    stage.scene.target.hold(of.live + of.overdue);
    let begun = Instant::now();
    fill_far(&stage, far.clone()).await?;
    let cards = post(&stage.sandbox, &stage.bot_token, ending.clone()).await?;
    let window = TimeDelta::from_std(of.window)?;
    let window_at = machine_now() + TimeDelta::from_std(of.before)?;
    let in_window = |nth: usize| window_at + spread_over(window, of.ending, nth);
    fill_in(&stage, ending.clone(), &cards, in_window).await?;
    let filled_s = begun.elapsed().as_secs_f64();
    let database_mib = stage.database_mib();
    eprintln!("{} live grants are filled in, in {filled_s:.0} s", of.live);

    stage.start_again(READY_MAX).await?;
    let beginning = Beginning::at(window_at);
    let too_late = Instant::now().saturating_duration_since(beginning.steady);
    let readyz_ms = stage.readyz_ms.context("it has no /readyz")?;
    let (idle, idle_cpu_ms_per_s) = stand_idle(&stage, beginning.steady).await?;
    let until = beginning.steady + of.window + of.plan.patience.wait;
    gone(&stage, &ending, until).await;
    let window = ends(
        &stage,
        &beginning,
        &ending,
        in_window,
        of.plan.patience.wait,
    )?;
    eprintln!("{} of {} ended in the window", window.ended, window.due);
    let peak_mib = stage.bot.memory()?.peak_mib;
    stage.stop().await?;

    let begun = Instant::now();
    let cards = post(&stage.sandbox, &stage.bot_token, overdue.clone()).await?;
    let now = machine_now();
    let was_due = |nth: usize| now - OVERDUE_SINCE + spread_over(OVERDUE_SINCE, of.overdue, nth);
    fill_in(&stage, overdue.clone(), &cards, was_due).await?;
    let overdue_filled_s = begun.elapsed().as_secs_f64();

    let beginning = Beginning::at(machine_now());
    stage.start_again(READY_MAX).await?;
    let until = beginning.steady + of.longest;
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a rate times some seconds"
    )]
    let count = (f64::from(of.rate) * of.plan.step.as_secs_f64()).ceil() as usize;
    let (flows, ()) = tokio::join!(
        stage.step(0, of.rate, count, None),
        gone(&stage, &overdue, until)
    );
    let flows = flows?;
    let worked_off = ends(&stage, &beginning, &overdue, was_due, of.longest)?;
    eprintln!(
        "{} of {} overdue ones ended, {} of {} flows",
        worked_off.ended, worked_off.due, flows.done, flows.asked
    );
    let peak_mib = peak_mib.max(stage.bot.memory()?.peak_mib);
    stage.stop().await?;
    Ok(LiveMeasured {
        live: of.live,
        filled_s,
        database_mib,
        readyz_ms,
        too_late_ms: too_late.as_secs_f64() * 1000.0,
        idle,
        idle_cpu_ms_per_s,
        window_s: of.window.as_secs_f64(),
        window,
        overdue_filled_s,
        overdue_readyz_ms: stage.readyz_ms.context("it has no /readyz")?,
        overdue: worked_off,
        flows,
        too_soon: stage.scene.target.held()[far.clone()]
            .iter()
            .flatten()
            .count(),
        books: books(&stage, &far, &(ending.start..overdue.end)).await?,
        peak_mib,
        record: record(of, &stage).await?,
    })
}

async fn fill_far(stage: &Stage, far: Range<usize>) -> anyhow::Result<()> {
    let (after, hours) = FAR;
    let (from, count) = (machine_now() + after, far.len());
    fill(&stage.database, far, |number| Wanted {
        number,
        deadline: from + spread_over(TimeDelta::hours(hours), count, number),
        // Nobody looks at it before its deadline.
        card: format!("1.{number:07}"),
    })
    .await
}

async fn fill_in(
    stage: &Stage,
    numbers: Range<usize>,
    cards: &[String],
    deadline: impl Fn(usize) -> Timestamp,
) -> anyhow::Result<()> {
    let first = numbers.start;
    fill(&stage.database, numbers, |number| Wanted {
        number,
        deadline: deadline(number - first),
        card: cards[number - first].clone(),
    })
    .await
}

/// Waits until all of these are gone, until this moment at most.
async fn gone(stage: &Stage, numbers: &Range<usize>, until: Instant) {
    while Instant::now() < until && !stage.scene.target.are_gone(numbers.clone()) {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// Memory, and CPU time a second, of the time that is left until this moment; the first half of it, in which
/// the bot still comes to rest, is not looked at.
async fn stand_idle(stage: &Stage, until: Instant) -> anyhow::Result<(Memory, f64)> {
    let left = until.saturating_duration_since(Instant::now());
    tokio::time::sleep(left / 2).await;
    let (cpu, begun) = (stage.bot.cpu_ms()?, Instant::now());
    // The first end is due then.
    let rest = until.saturating_duration_since(Instant::now());
    tokio::time::sleep(rest.saturating_sub(Duration::from_millis(50))).await;
    let cpu = stage.bot.cpu_ms()? - cpu;
    let seconds = begun.elapsed().as_secs_f64();
    Ok((stage.bot.memory()?, cpu / seconds.max(0.001)))
}

fn ends(
    stage: &Stage,
    beginning: &Beginning,
    numbers: &Range<usize>,
    deadline: impl Fn(usize) -> Timestamp,
    wait: Duration,
) -> anyhow::Result<Ends> {
    let held = stage.scene.target.held();
    let due: Vec<Due> = held[numbers.clone()]
        .iter()
        .enumerate()
        .map(|(nth, ended)| beginning.due(deadline(nth), *ended))
        .collect();
    Ok(Ends::of(&due, i64::try_from(wait.as_micros())?))
}

/// What stands in the stopped bot's database. What people asked for meanwhile is not counted.
async fn books(stage: &Stage, not_due: &Range<usize>, due: &Range<usize>) -> anyhow::Result<Books> {
    let store = SqliteStore::open_read_only(&stage.database.display().to_string()).await?;
    let in_use = store
        .reader()
        .await?
        .grants_in_use(&IssuerName::new(ISSUER)?, machine_now(), i64::MAX)
        .await?;
    store.close().await;
    let in_use: HashSet<GrantId> = in_use.into_iter().collect();
    let of = |numbers: &Range<usize>| {
        let grants = numbers.clone().map(grant);
        grants.filter(|grant| in_use.contains(grant)).count()
    };
    Ok(Books {
        not_due: not_due.len(),
        live: of(not_due),
        not_over: of(due),
    })
}

/// What the binary says of the record.
async fn record(of: &LivePlan, stage: &Stage) -> anyhow::Result<String> {
    let output = tokio::process::Command::new(&of.plan.jitbot)
        .args(["audit", "verify", "--db"])
        .arg(&stage.database)
        .kill_on_drop(true)
        .output()
        .await?;
    let said = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    ensure!(
        output.status.success(),
        "the record does not verify: {said}{}",
        String::from_utf8_lossy(&output.stderr)
    );
    Ok(said.lines().next().unwrap_or_default().to_owned())
}
