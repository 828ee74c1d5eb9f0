//! The one writer: takes what waits, commits it together, and only then answers.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use arc_swap::ArcSwapOption;
use futures_util::FutureExt;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, SqliteConnection};
use tokio::sync::Notify;

use super::claims::{self, Claimed, Look, Moment};
use super::fault::database;
use super::jobs;
use super::last_commit::{is_foreign, is_out_of_step, remembered};
use super::lock;
use super::queues::{Queues, Reply, Waiting, Yield, answer};
use super::rows::instant;
use super::several::told_of_each;
use super::trouble::Trouble;
use super::tx::SqliteTx;
use crate::clock::Clock;
use crate::domain::audit::Head;
use crate::domain::job::Claim;
use crate::domain::timing::Timestamp;
use crate::store::StoreError;
use crate::store::taking::JobTaker;

/// How long a body may take. It waits for nothing but the database, so this is never reached unless
/// something is wrong with it; then it must not hold up everybody for ever.
const BODY_MAX: Duration = Duration::from_secs(10);

/// How long the writer waits for another program's lock once it works: somebody's answer may come behind one group that
/// waits in vain, and both must be over within the 2 s that an answer may take.
pub(super) const LOCK_WAIT_MAX: Duration = Duration::from_millis(700);

// Several statements in one: each question to the database wakes its thread and then ours, which costs
// more than what it asks. One that fails ends the rest.
//
// Each body stands between savepoints. RELEASE comes first at the end, too: where the database has undone
// the transaction by itself it fails, and nothing after it is kept by itself.
const BEGIN: &str = "BEGIN IMMEDIATE; SAVEPOINT body";
const NEXT_BODY: &str = "RELEASE body; SAVEPOINT body";
const UNDO_BODY: &str = "ROLLBACK TO body";
const COMMIT: &str = "RELEASE body; UPDATE meta SET last_now = $1; COMMIT";
const COMMIT_NOTHING: &str = "RELEASE body; COMMIT";

/// Who takes jobs, while somebody does.
pub(super) type Taker = Arc<ArcSwapOption<Arc<dyn JobTaker>>>;

/// The writer's own.
pub(super) struct Writer {
    pub(super) options: SqliteConnectOptions,
    pub(super) conn: SqliteConnection,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) wakeups: Arc<Notify>,
    /// Who takes jobs, if anybody does.
    pub(super) taker: Taker,
    /// The time of the last committed transaction, in milliseconds; readers look at it.
    pub(super) last_now: Arc<AtomicI64>,
    /// The end of the record.
    pub(super) head: Head,
    /// The lane that had the last turn.
    pub(super) turn: String,
    /// When the first job is due that was not due at the last look; none where nobody knows.
    pub(super) next_due: Option<Timestamp>,
    /// The last transaction failed as a whole: what is in memory is read again first.
    pub(super) stale: bool,
    /// Where the record ends if the commit of that transaction came through all the same.
    pub(super) unsure: Option<Head>,
    /// Whether it fails, and what was said of that.
    pub(super) trouble: Trouble,
    /// Let go when the writer ends, and not before.
    pub(super) lock: lock::Held,
}

/// What a group came to before its commit.
struct Group {
    head: Head,
    changed: bool,
    wakes: bool,
    looks: bool,
    /// What was claimed, for whom.
    claimed: Option<ClaimedFor>,
    done: Vec<(Reply, Result<Yield, StoreError>)>,
}

/// Jobs that were claimed for somebody.
struct ClaimedFor {
    taker: Arc<dyn JobTaker>,
    /// Claims that it said to be over.
    over: Vec<Claim>,
    found: Result<Claimed, StoreError>,
}

/// A claim that was asked for, and whether it holds.
type Held = Option<(Claim, bool)>;

impl Writer {
    /// Works until nobody can send any more and everything that waited is done.
    pub(super) async fn run(mut self, mut queues: Queues) {
        while let Some(group) = queues.next_group().await {
            self.commit(group).await;
        }
        if let Err(error) = self.conn.close().await {
            tracing::warn!(error = %database(error), "closing the database failed; what was committed stays");
        }
        drop(self.lock);
    }

    async fn commit(&mut self, waiting: Vec<Waiting>) {
        let begun = self.begin(waiting.first().and_then(|one| one.claim)).await;
        let (at, mut held) = match begun {
            Ok(begun) => begun,
            Err(error) => {
                self.failed(&error);
                for one in waiting {
                    answer(one.answer, Err(error.clone()));
                }
                return;
            }
        };
        let mut group = Group {
            head: self.head.clone(),
            changed: false,
            wakes: false,
            looks: false,
            claimed: None,
            done: Vec::with_capacity(waiting.len()),
        };
        let mut broken = None;
        for one in waiting {
            match &broken {
                None => {
                    if let Err(error) = self.run_one(one, held.take(), &mut group, at).await {
                        broken = Some(error);
                    }
                }
                Some(error) => group.done.push((one.answer, Err(StoreError::clone(error)))),
            }
        }
        if broken.is_none() && (group.wakes || group.looks) {
            broken = self.claim(&mut group, at).await.err();
        }
        let committed = match broken {
            Some(error) => Err(error),
            None => self.end(group.changed, at).await,
        };
        match committed {
            Ok(()) => self.tell(group, at),
            Err(error) => {
                self.unsure = Some(group.head);
                self.failed(&error);
                if let Some(ClaimedFor { taker, over, .. }) = group.claimed {
                    taker.not_kept(over, &error);
                }
                // Nothing of the group was kept: who succeeded did not.
                for (to, result) in group.done {
                    answer(to, result.and(Err(error.clone())));
                }
            }
        }
    }

    /// Takes the lock and reads the clock, in this order.
    async fn begin(&mut self, claim: Option<Claim>) -> Result<(Moment, Held), StoreError> {
        if self.stale {
            self.reopen().await?;
        }
        let held = self.open(BEGIN, claim).await?;
        let last = self.last_now.load(Ordering::Acquire);
        let now = self.clock.now().timestamp_millis().max(last);
        let at = Moment {
            now: instant(now, "the clock")?,
            machine_now: self.clock.machine_now(),
            jump: self.clock.jump(),
        };
        Ok((at, held))
    }

    /// Opens what a body changes, and says whether the claim holds that it asks for first.
    async fn open(
        &mut self,
        opens: &'static str,
        claim: Option<Claim>,
    ) -> Result<Held, StoreError> {
        let Some(claim) = claim else {
            execute(&mut self.conn, opens).await?;
            return Ok(None);
        };
        let query = sqlx::query(AssertSqlSafe(format!("{opens}; {}", jobs::CLAIMED)))
            .bind(claim.job)
            .bind(claim.attempt);
        let told = told_of_each(&mut self.conn, query).await?;
        let row = told.last().and_then(|asked| asked.rows.first());
        let holds = row.map(jobs::is_held).transpose()?.unwrap_or(false);
        Ok(Some((claim, holds)))
    }

    /// Runs one body between savepoints. An error is one of the whole transaction.
    async fn run_one(
        &mut self,
        one: Waiting,
        held: Held,
        group: &mut Group,
        at: Moment,
    ) -> Result<(), StoreError> {
        let Waiting {
            body,
            claim,
            answer,
        } = one;
        let opened = match group.done.is_empty() {
            true => Ok(held),
            false => self.open(NEXT_BODY, claim).await,
        };
        let held = match opened {
            Ok(held) => held,
            Err(error) => {
                group.done.push((answer, Err(error.clone())));
                return Err(error);
            }
        };
        let mut tx = SqliteTx::new(&mut self.conn, &mut self.turn, at, group.head.clone(), held);
        let guarded = AssertUnwindSafe(async {
            let value = body(&mut tx).await?;
            tx.flush().await?;
            Ok(value)
        })
        .catch_unwind();
        let result = match tokio::time::timeout(BODY_MAX, guarded).await {
            Ok(Ok(result)) => result,
            Ok(Err(_panic)) => Err(StoreError::Database(
                "the change panicked; nothing of it was kept".into(),
            )),
            Err(_elapsed) => Err(StoreError::Database(format!(
                "the change was not done after {} s; nothing of it was kept",
                BODY_MAX.as_secs()
            ))),
        };
        let (head, changed) = (tx.head.clone(), tx.changed);
        let (wakes, looks) = (tx.wakes, tx.looks);
        let result = match tx.broken.take() {
            Some(error) => result.and(Err(error)),
            None => result,
        };
        let ended = match result.is_ok() {
            true => Ok(()),
            false => execute(&mut self.conn, UNDO_BODY).await,
        };
        if result.is_ok() {
            group.head = head;
            group.changed |= changed;
            group.wakes |= wakes;
            group.looks |= looks;
        }
        if result.as_ref().is_err_and(is_out_of_step) {
            self.stale = true;
        }
        group.done.push((answer, result));
        ended
    }

    /// Claims what whoever takes jobs wants of them, in this transaction. Where that fails the rest of the
    /// group is kept all the same; an error is one of the whole transaction.
    async fn claim(&mut self, group: &mut Group, at: Moment) -> Result<(), StoreError> {
        let Some(taker) = self.taker.load_full() else {
            self.next_due = None;
            return Ok(());
        };
        let taker: Arc<dyn JobTaker> = Arc::clone(&*taker);
        let wanted = taker.wanted();
        let look = Look {
            wanted: &wanted,
            ripens: self.next_due.is_none_or(|due| due <= at.now),
            expired: group.looks,
            before: Some(NEXT_BODY),
            at,
        };
        let found = claims::claim_due(&mut self.conn, look, &mut self.turn).await;
        let ended = match &found {
            Ok(claimed) => {
                group.changed |= claimed.changed;
                self.next_due = Some(claimed.next_due.unwrap_or(Timestamp::MAX_UTC));
                Ok(())
            }
            Err(_) => {
                self.next_due = None;
                execute(&mut self.conn, UNDO_BODY).await
            }
        };
        group.claimed = Some(ClaimedFor {
            taker,
            over: wanted.over,
            found,
        });
        ended
    }

    async fn end(&mut self, changed: bool, at: Moment) -> Result<(), StoreError> {
        // Where nothing changed this writes nothing.
        if !changed {
            return execute(&mut self.conn, COMMIT_NOTHING).await;
        }
        sqlx::query(COMMIT)
            .bind(at.now.timestamp_millis())
            .execute(&mut self.conn)
            .await
            .map(|_| ())
            .map_err(database)
    }

    /// After the commit: answers, then the rest may know.
    fn tell(&mut self, group: Group, at: Moment) {
        self.last_now
            .fetch_max(at.now.timestamp_millis(), Ordering::AcqRel);
        let recorded = group.head != self.head;
        self.head = group.head;
        // What changes nothing is committed on a full disk too.
        if group.changed
            && let Some((lasted_s, failed)) = self.trouble.over()
        {
            tracing::warn!(lasted_s, failed, "the database takes writes again");
        }
        for (to, result) in group.done {
            answer(to, result);
        }
        if let Some(ClaimedFor { taker, over, found }) = group.claimed {
            match found {
                Ok(claimed) => taker.take(claimed.jobs, claimed.next_due),
                Err(error) => taker.not_kept(over, &error),
            }
        }
        if recorded {
            tracing::info!(record.head = %self.head, "recorded");
        }
        if group.wakes {
            self.wakeups.notify_waiters();
        }
    }

    fn failed(&mut self, error: &StoreError) {
        self.stale = true;
        self.next_due = None;
        if self.trouble.failed(&error.to_string()) {
            let database = self.options.get_filename();
            tracing::error!(
                database = %database.display(),
                error = %error,
                "nothing can be kept, so nothing is acknowledged; jitbot tries again all the time and goes on by itself"
            );
        } else {
            tracing::debug!(error = %error, "a transaction failed; nothing of it was kept");
        }
    }

    /// A new connection: whatever the old one was in the middle of is undone. What memory holds is
    /// read again, since after a failed commit only the database knows.
    async fn reopen(&mut self) -> Result<(), StoreError> {
        // Refused where no transaction is open, which is as good.
        let _ = execute(&mut self.conn, "ROLLBACK").await;
        let fresh = self.options.connect().await.map_err(database)?;
        let old = std::mem::replace(&mut self.conn, fresh);
        let _ = old.close_hard().await;
        let (last_now, head) = remembered(&mut self.conn).await?;
        self.last_now
            .fetch_max(last_now.timestamp_millis(), Ordering::AcqRel);
        if is_foreign(&head, &self.head, self.unsure.as_ref()) {
            tracing::error!(
                told = %self.head,
                found = %head,
                "another program wrote to the record: it does not end where jitbot left it. jitbot goes on after what it found. \
                Keep a copy of the database, and compare it with a head that was told: jitbot audit verify --head"
            );
        }
        self.head = head;
        self.unsure = None;
        self.stale = false;
        Ok(())
    }
}

async fn execute(conn: &mut SqliteConnection, sql: &'static str) -> Result<(), StoreError> {
    sqlx::query(sql)
        .execute(conn)
        .await
        .map(|_| ())
        .map_err(database)
}
