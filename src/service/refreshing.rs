//! Facts about people and groups: which are due, and what becomes of those that came.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::{Service, ServiceError};
use crate::domain::audit::{AuditDraft, AuditKind};
use crate::domain::decide::{Plan, retrying};
use crate::domain::directory::{
    Belief, DirectoryGroup, FetchTrouble, Fetched, GroupNews, GroupTrouble, KnownAccount,
    SeenAccount, SeenGroup, believe,
};
use crate::domain::ids::{AccountId, DirectoryGroupId};
use crate::domain::job::{Job, Settle};
use crate::domain::job_order::JobOrder;
use crate::domain::outcome::Outcome;
use crate::domain::request::RequestState;
use crate::domain::timing::{Timestamp, seconds};
use crate::policy::Policy;
use crate::store::{Reads, StoreError, Tx};

/// An account of which somebody needed to know is looked after for so long, in seconds.
const WANTED_FOR_S: i64 = 86_400;

/// Requests that are looked at again when facts came, at most; the rest by their own time limit.
const CHECKING_MAX: i64 = 1_000;

/// What to ask a platform now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DueFacts {
    /// Nothing yet.
    NotBefore(Timestamp),
    /// These, the most wanted first.
    Ask {
        /// Groups.
        groups: Vec<DirectoryGroupId>,
        /// Accounts.
        accounts: Vec<AccountId>,
        /// When the next fact is due after these.
        next: Timestamp,
    },
}

impl Service {
    /// What to ask a platform now.
    ///
    /// # Errors
    /// When the store can't be read.
    pub async fn facts_due(&self, platform: &str) -> Result<DueFacts, ServiceError> {
        let policy = self.policy();
        let now = self.now();
        let mut reader = self.store.reader().await?;
        let health = reader.directory_health(platform).await?;
        if let Some(at) = health.wait_until.filter(|at| *at > now) {
            return Ok(DueFacts::NotBefore(at));
        }
        Ok(due(&mut *reader, &policy, platform, now).await?)
    }
}

async fn due(
    reads: &mut dyn Reads,
    policy: &Policy,
    platform: &str,
    now: Timestamp,
) -> Result<DueFacts, StoreError> {
    let every = seconds(policy.refresh_every_s());
    let mut next = now + every;
    let mut is_due = |fetched: Option<Timestamp>| match fetched {
        Some(at) if at + every > now => {
            next = next.min(at + every);
            false
        }
        Some(_) | None => true,
    };
    let known = reads.known(&[]).await?.groups;
    let groups = policy
        .sources(platform)
        .into_iter()
        .filter(|id| is_due(known.get(id).map(|group| group.as_of)))
        .collect();
    let rows = reads.directory_accounts().await?;
    let mut wanted = policy.named_accounts(platform);
    wanted.extend(reads.holders().await?);
    let lately = |at: Timestamp| at > now - seconds(WANTED_FOR_S);
    wanted.extend(
        rows.iter()
            .filter(|(_, (_, wanted_at))| lately(*wanted_at))
            .map(|(account, _)| account.clone()),
    );
    let mut accounts: Vec<AccountId> = wanted
        .into_iter()
        .filter(|account| account.platform() == platform)
        .filter(|account| is_due(rows.get(account).and_then(|(fetched, _)| *fetched)))
        .collect();
    // Somebody may wait for what was wanted after it was last asked for; then the oldest.
    accounts.sort_by_key(|account| {
        let (fetched, wanted) = rows
            .get(account)
            .map_or((None, None), |(fetched, wanted)| (*fetched, Some(*wanted)));
        (wanted <= fetched, fetched)
    });
    Ok(DueFacts::Ask {
        groups,
        accounts,
        next,
    })
}

/// Keeps what came, and sees to what follows from it.
pub(super) async fn record(
    tx: &mut dyn Tx,
    policy: &Arc<Policy>,
    platform: &str,
    job: &Job,
    outcome: Outcome,
) -> Result<(Plan, Settle), StoreError> {
    let now = tx.now();
    let mut plan = Plan::default();
    let (fetched, trouble, again_at) = match outcome {
        Outcome::NotBefore(at) => return Ok((plan, Settle::Snooze(at))),
        Outcome::Facts {
            fetched,
            trouble,
            again_at,
        } => (fetched, trouble, again_at),
        Outcome::Retry { said, after_s, .. } => {
            (Vec::new(), Some(FetchTrouble { said, after_s }), now)
        }
        other => {
            let said = match other {
                Outcome::Impossible { said } => said,
                other => format!("no facts came ({other:?})"),
            };
            let after_s = None;
            (Vec::new(), Some(FetchTrouble { said, after_s }), now)
        }
    };
    let came = !fetched.is_empty();
    let mut gone = BTreeSet::new();
    for (fact, as_of) in fetched {
        match fact {
            Fetched::Group(id, seen) => {
                let left = keep_group(tx, &mut plan, policy, &id, seen, as_of).await?;
                gone.extend(left);
            }
            Fetched::Account(account, shown) => {
                if keep_account(tx, &account, shown, as_of).await? {
                    gone.insert(account);
                }
            }
        }
    }
    // Somebody may have been let in through another account of theirs.
    let looked_at: BTreeSet<AccountId> = gone
        .iter()
        .flat_map(|account| policy.accounts_of(&policy.identify(account)))
        .collect();
    for account in looked_at {
        plan.job(JobOrder::check_holder(&account, now));
    }
    if came {
        for waiting in tx.requests_in(RequestState::Checking, CHECKING_MAX).await? {
            plan.job(JobOrder::decide_checked(&waiting.id, now));
        }
    }
    keep_health(tx, &mut plan, policy, platform, trouble.as_ref()).await?;
    if let Some(trouble) = trouble {
        tracing::warn!(
            platform,
            "the directory was not asked in full: {}",
            trouble.said
        );
        let settle = Settle::Again {
            at: retrying::retry_at(job, trouble.after_s, now),
            error: retrying::cut(&trouble.said),
        };
        return Ok((plan, settle));
    }
    // A platform that told nothing is not asked again at once, whatever is due.
    let again_at = if came || again_at > now {
        again_at
    } else {
        now + seconds(policy.refresh_every_s())
    };
    plan.job(JobOrder::refresh_facts(platform, again_at));
    Ok((plan, Settle::Done))
}

/// Who may have lost something by it.
async fn keep_group(
    tx: &mut dyn Tx,
    plan: &mut Plan,
    policy: &Policy,
    id: &DirectoryGroupId,
    seen: SeenGroup,
    as_of: Timestamp,
) -> Result<BTreeSet<AccountId>, StoreError> {
    let before = tx.directory_group(id).await?;
    if before.as_ref().is_some_and(|before| before.as_of > as_of) {
        return Ok(BTreeSet::new());
    }
    let name = policy.directories.names.get(id);
    let name = name.map_or_else(|| id.to_string(), Clone::clone);
    let belief = believe(id, &name, before.as_ref(), seen, as_of);
    let (group, left, news) = match belief {
        Belief::Believed { group, left } => {
            let news = before
                .as_ref()
                .and_then(|before| news(before, &group, &left));
            (group, left, news)
        }
        Belief::Doubted {
            group,
            first,
            would_leave,
        } => {
            let news = match group.trouble {
                Some(GroupTrouble::Doubted(since)) if first => Some(GroupNews::Doubted {
                    missing: would_leave,
                    of: group.members.len(),
                    confirmed_at: since + seconds(crate::domain::directory::CONFIRM_AFTER_S),
                }),
                _ => None,
            };
            (group, BTreeSet::new(), news)
        }
    };
    tx.keep_group(&group).await?;
    if let Some(news) = news {
        plan.record(
            AuditDraft::new(AuditKind::GroupTrouble)
                .fact("group", id.as_str())
                .fact("news", news.code()),
        );
        for place in &policy.security.channels {
            plan.job(JobOrder::tell_group(&name, news.clone(), place, tx.now()));
        }
    }
    if before.is_none() {
        // Nobody knew who was in it: any holder may never have been.
        return tx.holders().await;
    }
    Ok(left)
}

fn news(
    before: &DirectoryGroup,
    after: &DirectoryGroup,
    left: &BTreeSet<AccountId>,
) -> Option<GroupNews> {
    match (before.trouble, after.trouble) {
        (Some(GroupTrouble::Doubted(_)), Some(GroupTrouble::Emptied(_))) => {
            Some(GroupNews::Confirmed { left: left.len() })
        }
        (Some(GroupTrouble::Doubted(_)), None) if left.len() * 2 > before.members.len() => {
            Some(GroupNews::Confirmed { left: left.len() })
        }
        (Some(_), None) => Some(GroupNews::Healed {
            members: after.members.len(),
        }),
        _ => None,
    }
}

/// Whether the account is one whose holder has left, and was not known as such.
async fn keep_account(
    tx: &mut dyn Tx,
    account: &AccountId,
    shown: SeenAccount,
    as_of: Timestamp,
) -> Result<bool, StoreError> {
    let SeenAccount { status, time_zone } = shown;
    let known = tx.known(std::slice::from_ref(account)).await?;
    let before = known.accounts.get(account);
    if before.is_some_and(|before| before.as_of > as_of) {
        return Ok(false);
    }
    let known = KnownAccount {
        status,
        time_zone,
        as_of,
    };
    tx.keep_account(account, known).await?;
    Ok(status.has_left() && before.is_none_or(|before| before.status != status))
}

/// Security is told once when nothing new can be known for so long that nothing new is given, and once
/// when that is over.
async fn keep_health(
    tx: &mut dyn Tx,
    plan: &mut Plan,
    policy: &Policy,
    platform: &str,
    trouble: Option<&FetchTrouble>,
) -> Result<(), StoreError> {
    let now = tx.now();
    let before = tx.directory_health(platform).await?;
    let mut after = before.clone();
    match trouble {
        None => {
            if before.told {
                for place in &policy.security.channels {
                    plan.job(JobOrder::tell_directory_answers(platform, place, now));
                }
            }
            after = crate::domain::directory::DirectoryHealth::default();
        }
        Some(trouble) => {
            let since = before.failing_since.unwrap_or(now);
            after.failing_since = Some(since);
            after.wait_until = trouble
                .after_s
                .map(|after_s| now + seconds(after_s.clamp(0, 300)));
            if !before.told && now - since >= seconds(policy.directories.fresh_for_s) {
                after.told = true;
                for place in &policy.security.channels {
                    let said = retrying::cut(&trouble.said);
                    plan.job(JobOrder::tell_directory_fails(platform, &said, place, now));
                }
            }
        }
    }
    if after != before {
        tx.keep_directory_health(platform, &after).await?;
    }
    Ok(())
}
