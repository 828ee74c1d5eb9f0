//! Time in a demo: the bot's and the chat's clocks are set ahead together; the machine's stays, and so
//! does the SSH server's.

use std::time::Duration;

use chrono::TimeDelta;

use super::stage::Stage;
use super::world::Paths;
use crate::clock::machine_now;
use crate::domain::job::JobKind;
use crate::domain::timing::Timestamp;
use crate::store::sqlite::SqliteStore;
use crate::store::{Reads, Store as _};

/// Moments at which something was due that one wait goes through.
const STEPS_MAX: usize = 500;

/// How often, and how long apart, it is looked whether what was due has happened: for as long as a
/// call to a target may take, or time would pass over an end that is under way.
const LOOKS: u32 = 500;
const LOOK: Duration = Duration::from_millis(40);

/// Sets the bot's clock ahead by so much of the machine's.
pub fn set_engine(paths: &Paths, ahead: TimeDelta) -> anyhow::Result<()> {
    let beside = paths.file("clock.new");
    std::fs::write(&beside, ahead.num_milliseconds().to_string())?;
    std::fs::rename(beside, paths.file("clock"))?;
    Ok(())
}

/// What happens next that somebody could see, and when.
pub(super) async fn next_event(
    reads: &mut dyn Reads,
) -> anyhow::Result<Option<(JobKind, Timestamp)>> {
    let mut waiting = reads.waiting_jobs().await?;
    waiting.retain(|(kind, _)| !kind.is_upkeep());
    Ok(waiting.into_iter().min_by_key(|(_, at)| *at))
}

impl Stage {
    /// How much the engine's clock is ahead of the machine's.
    pub fn ahead(&self) -> TimeDelta {
        let ahead = std::fs::read_to_string(self.paths.file("clock"));
        let ahead = ahead.ok().and_then(|text| text.trim().parse().ok());
        TimeDelta::milliseconds(ahead.unwrap_or(0))
    }

    /// The engine's time.
    pub fn engine_now(&self) -> Timestamp {
        machine_now() + self.ahead()
    }

    /// Sets the engine's clock ahead by so much of the machine's, and the chat's with it, so that a
    /// message is as old as it looks.
    pub async fn set_clock_ahead(&self, by: TimeDelta) -> anyhow::Result<()> {
        if let Ok(more) = (by - self.ahead()).to_std() {
            self.people.advance_clock(more).await?;
        }
        set_engine(&self.paths, by)
    }

    /// Whether somebody lets time pass right now.
    pub fn time_passes(&self) -> bool {
        self.passing.try_lock().is_err()
    }

    /// Lets the engine's time pass, from one moment that something is due to the next, so that all
    /// happens when it should.
    #[expect(
        clippy::disallowed_methods,
        reason = "it waits for another process to do what is due"
    )]
    pub async fn let_pass(&self, by: TimeDelta) -> anyhow::Result<()> {
        let _one_at_a_time = self.passing.lock().await;
        let mut ahead = self.ahead();
        let until = ahead + by;
        let database = self.paths.database().display().to_string();
        let store = SqliteStore::open_read_only(&database).await?;
        for _ in 0..STEPS_MAX {
            let due = next_event(&mut *store.reader().await?)
                .await?
                .map(|(_, at)| at);
            let next = due.map(|due| due - machine_now()).filter(|d| *d < until);
            let Some(next) = next else { break };
            ahead = ahead.max(next + TimeDelta::milliseconds(1));
            self.set_clock_ahead(ahead).await?;
            let mut done = false;
            for _ in 0..LOOKS {
                tokio::time::sleep(LOOK).await;
                let mut reader = store.reader().await?;
                let jobs = reader.open_jobs().await?;
                done = next_event(&mut *reader).await?.map(|(_, at)| at) != due
                    && jobs.iter().all(|(_, state)| state != "running");
                if done {
                    break;
                }
            }
            if !done {
                break;
            }
        }
        store.close().await;
        self.set_clock_ahead(until).await
    }
}
