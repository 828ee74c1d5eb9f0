//! Taking up a config: at the start, and while jitbot runs.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use arc_swap::ArcSwap;

use super::orphans::{Orphan, orphans};
use super::{InForce, Service, ServiceError, retention};
use crate::domain::audit::{AuditDraft, AuditKind, Head};
use crate::domain::binding::{self, KeyExchange};
use crate::domain::directory::GroupNews;
use crate::domain::ids::{AccountId, DirectoryGroupId, Place};
use crate::domain::job_order::JobOrder;
use crate::domain::policy_news::PolicyNews;
use crate::domain::spec::ContentHash;
use crate::policy::{Policy, changes};
use crate::store::{Reads, StoreError, Tx, Urgency, write};

/// Characters of the problems that are kept beside the record.
const KEPT_MAX_CHARS: usize = 4_000;

/// The last refusal that security was told of.
pub(super) type LastRefusal = Mutex<Option<ContentHash>>;

/// Why a config was not taken up while jitbot ran. What held before holds.
#[derive(Debug, thiserror::Error)]
pub enum NotTakenUp {
    /// Grants would lose what takes them away.
    #[error("{} issuers would leave grants behind", .0.len())]
    Orphans(Vec<Orphan>),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What is exchanged together with the policy. Called again it exchanges back.
pub type Also = Box<dyn Fn() + Send + Sync>;

/// Exchanges what is in force. It is done within the transaction that records it, after everything
/// that can fail but the commit, so that each transaction afterwards is decided by what the record
/// says.
struct Exchange {
    in_force: Arc<ArcSwap<InForce>>,
    other: Mutex<Arc<InForce>>,
    also: Also,
    done: AtomicBool,
}

impl Exchange {
    fn exchange(&self) {
        let mut other = self.other.lock().unwrap_or_else(PoisonError::into_inner);
        *other = self.in_force.swap(other.clone());
        (self.also)();
        self.done.fetch_xor(true, Ordering::AcqRel);
    }

    /// The commit failed: what was before holds.
    fn undo(&self) {
        if self.done.load(Ordering::Acquire) {
            self.exchange();
        }
    }
}

/// Names of user groups, with the other group that each has come to mean.
type Moved = BTreeMap<String, DirectoryGroupId>;

/// What is read before a config is taken up, outside the transaction: it may be much, and every answer
/// waits for that.
struct Before {
    holders: BTreeSet<AccountId>,
    /// What the entry about the last config says of names that had come to mean another group.
    moved: Moved,
    /// All that it says; none where there was no config before.
    config: Option<retention::Former>,
}

/// `moved` is what is known of it without the record.
async fn before(reads: &mut dyn Reads, moved: Option<Moved>) -> Result<Before, StoreError> {
    let holders = reads.holders().await?;
    let config = reads.last_taken_up().await?.map(|entry| {
        let mut body: serde_json::Value = serde_json::from_str(&entry.body).unwrap_or_default();
        retention::Former {
            facts: body["facts"].take(),
            at: entry.at(),
        }
    });
    let moved = moved.unwrap_or_else(|| {
        let told = config.as_ref().map(|config| config.facts["moved"].clone());
        serde_json::from_value(told.unwrap_or_default()).unwrap_or_default()
    });
    Ok(Before {
        holders,
        moved,
        config,
    })
}

impl Service {
    /// Records the start under this policy, and when the next digest is due.
    ///
    /// # Errors
    /// When the store fails; nothing was kept then.
    pub async fn start(&self) -> Result<Head, ServiceError> {
        let in_force = InForce::clone(&self.in_force.load());
        let before = before(&mut *self.store.reader().await?, None).await?;
        let head = write(&*self.store, Urgency::Outcome, move |tx| {
            Box::pin(async move {
                take_up(tx, &in_force, AuditKind::Started, &[], before).await?;
                tx.head().await
            })
        })
        .await?;
        Ok(head)
    }

    /// Puts this in force in the place of what is, together with `also`: in one step, and recorded.
    /// Work that was ordered before goes on as it was approved.
    ///
    /// # Errors
    /// [`NotTakenUp`]; nothing changed then.
    pub async fn reload(&self, next: InForce, also: Also) -> Result<Head, NotTakenUp> {
        let moved = self.policy().directories.moved.clone();
        let found = before(&mut *self.store.reader().await?, moved).await?;
        let exchange = Arc::new(Exchange {
            in_force: self.in_force.clone(),
            other: Mutex::new(Arc::new(next.clone())),
            also,
            done: AtomicBool::new(false),
        });
        let within = exchange.clone();
        let recorded = write(&*self.store, Urgency::Outcome, move |tx| {
            Box::pin(async move {
                let machine_now = tx.machine_now();
                let left = orphans(tx, &next.policy.bound_to(), machine_now).await?;
                if !left.is_empty() {
                    return Ok(Err(left));
                }
                // Whoever read of changes until now reads of this one too, also when it takes their
                // channel away.
                let before = within.in_force.load().policy.security.channels.clone();
                take_up(tx, &next, AuditKind::Reloaded, &before, found).await?;
                let head = tx.head().await?;
                within.exchange();
                Ok(Ok(head))
            })
        })
        .await;
        match recorded {
            Ok(Ok(head)) => {
                *self.told_of() = None;
                Ok(head)
            }
            Ok(Err(left)) => Err(NotTakenUp::Orphans(left)),
            Err(error) => {
                exchange.undo();
                Err(error.into())
            }
        }
    }

    /// Records that a config was not taken up, and tells security, unless it was the last that they
    /// were told.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn reload_refused(&self, problems: &[String]) -> Result<(), ServiceError> {
        let text = problems.join("\n");
        let refusal = ContentHash::of(text.as_bytes());
        let tell = self.told_of().as_ref() != Some(&refusal);
        let news = PolicyNews::refused(problems);
        let count = problems.len();
        let in_force = self.in_force.clone();
        write(&*self.store, Urgency::Outcome, move |tx| {
            Box::pin(async move {
                let policy = in_force.load().policy.clone();
                let kept: String = text.chars().take(KEPT_MAX_CHARS).collect();
                tx.audit(
                    AuditDraft::new(AuditKind::ReloadRefused)
                        .under(&policy.hash, Vec::new())
                        .fact("problems", count)
                        .text(&kept),
                )
                .await?;
                if tell {
                    for place in &policy.security.channels {
                        tx.enqueue(&JobOrder::tell_policy(&news, place, tx.now()))
                            .await?;
                    }
                }
                Ok(())
            })
        })
        .await?;
        *self.told_of() = Some(refusal);
        Ok(())
    }

    fn told_of(&self) -> std::sync::MutexGuard<'_, Option<ContentHash>> {
        self.told_of_refusal
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

/// From here on this is in force: on record, with each issuer's list handed out anew and the next
/// digest ordered. A policy that differs from the last one is told to security, also where it came
/// with a start.
async fn take_up(
    tx: &mut dyn Tx,
    next: &InForce,
    kind: AuditKind,
    also_tell: &[Place],
    before: Before,
) -> Result<(), StoreError> {
    let policy = &next.policy;
    let now = tx.now();
    let last = tx.last_policy().await?;
    tx.keep_policy(&policy.hash, &policy.text).await?;
    let moved = policy.directories.moved.clone();
    let moved = moved.unwrap_or_else(|| before.moved.clone());
    let exchanges = keep_issuers(tx, policy).await?;
    tx.audit(taken_up(kind, next, &moved, &exchanges)).await?;
    tell_moved(tx, policy, &moved, &before.moved).await?;
    let places: BTreeSet<&Place> = policy.security.channels.iter().chain(also_tell).collect();
    if let Some((hash, text)) = last.filter(|(hash, _)| *hash != policy.hash) {
        let differences = changes::between(&text, &policy.text);
        let what: Vec<&str> = differences.iter().map(|one| one.what.as_str()).collect();
        tx.audit(
            AuditDraft::new(AuditKind::PolicyChanged)
                .under(&policy.hash, Vec::new())
                .fact("from", hash.0.as_str())
                .fact("what", what),
        )
        .await?;
        let news = PolicyNews::changed(&hash, &policy.hash, differences);
        for place in &places {
            tx.enqueue(&JobOrder::tell_policy(&news, place, now))
                .await?;
        }
    }
    for exchange in exchanges {
        let news = PolicyNews::KeyExchanged(exchange);
        for place in &places {
            tx.enqueue(&JobOrder::tell_policy(&news, place, now))
                .await?;
        }
    }
    for issuer in policy.issuers.keys() {
        tx.enqueue(&JobOrder::publish(issuer, now)).await?;
    }
    look_after_people(tx, policy, before.holders).await?;
    // A digest that was missed while nobody ran, or that the new schedule puts into the past, is made
    // now, once.
    let after = tx.last_digest().await?.map_or(now, |mark| mark.slot);
    if let Some(slot) = (next.schedule)(after) {
        tx.enqueue(&JobOrder::digest_due(slot)).await?;
    }
    let is_start = kind == AuditKind::Started;
    retention::take_up(tx, next.keep, before.config.as_ref(), is_start, &places).await
}

/// What each issuer is bound to is kept, with the keys before that still count; which of them sign
/// with another key from now on.
async fn keep_issuers(tx: &mut dyn Tx, policy: &Policy) -> Result<Vec<KeyExchange>, StoreError> {
    let machine_now = tx.machine_now();
    let in_use = tx.issuers_in_use(machine_now).await?;
    let mut exchanges = Vec::new();
    for (issuer, facts) in &policy.issuers {
        let accepted = in_use.get(issuer).map_or_else(BTreeSet::new, |one| {
            binding::accepted_keys(&one.bound_to, one.accepted_until, machine_now)
        });
        let kept = binding::to_keep(&facts.bound_to, &accepted);
        let was = tx.keep_issuer(issuer, &kept).await?;
        if let Some((from, to)) = binding::exchanged_keys(&was, &facts.bound_to) {
            let until = in_use.get(issuer).and_then(|one| one.accepted_until);
            exchanges.push(KeyExchange {
                issuer: issuer.clone(),
                from,
                to,
                until: until.filter(|until| *until > machine_now),
            });
        }
    }
    Ok(exchanges)
}

/// A name that has come to mean another group is told to security once: again only when it means yet
/// another, or did not in the meantime.
async fn tell_moved(
    tx: &mut dyn Tx,
    policy: &Policy,
    moved: &Moved,
    told: &Moved,
) -> Result<(), StoreError> {
    for (name, now) in moved
        .iter()
        .filter(|(name, now)| told.get(*name) != Some(*now))
    {
        let mut names = policy.directories.names.iter();
        let Some((held, _)) = names.find(|(_, found)| *found == name) else {
            continue;
        };
        let news = GroupNews::NameMoved {
            held: held.clone(),
            now: now.clone(),
        };
        tx.audit(
            AuditDraft::new(AuditKind::GroupTrouble)
                .fact("group", held.as_str())
                .fact("news", news.code())
                .fact("now", now.as_str()),
        )
        .await?;
        for place in &policy.security.channels {
            tx.enqueue(&JobOrder::tell_group(name, news.clone(), place, tx.now()))
                .await?;
        }
    }
    Ok(())
}

/// The entry, with which group of a platform each name of the config was found to be, and which other
/// one it has come to mean: the hash of the policy is of names. And with the keys that were exchanged, and
/// how long the record is kept: these are no part of the policy.
fn taken_up(
    kind: AuditKind,
    next: &InForce,
    moved: &Moved,
    exchanges: &[KeyExchange],
) -> AuditDraft {
    let policy = &next.policy;
    let mut draft = AuditDraft::new(kind).under(&policy.hash, Vec::new());
    if let Some(keep) = next.keep {
        draft = draft.fact(retention::KEEP_FACT, keep.num_days());
    }
    if !exchanges.is_empty() {
        let keys: serde_json::Map<String, serde_json::Value> = exchanges
            .iter()
            .map(|one| {
                let keys = serde_json::json!({ "from": one.from, "to": one.to });
                (one.issuer.to_string(), keys)
            })
            .collect();
        draft = draft.fact("exchanged_keys", keys);
    }
    if !moved.is_empty() {
        let moved: serde_json::Map<String, serde_json::Value> = moved
            .iter()
            .map(|(name, now)| (name.clone(), now.as_str().into()))
            .collect();
        draft = draft.fact("moved", moved);
    }
    let names = &policy.directories.names;
    if names.is_empty() {
        return draft;
    }
    let groups: serde_json::Map<String, serde_json::Value> = names
        .iter()
        .map(|(id, name)| (name.clone(), id.as_str().into()))
        .collect();
    draft.fact("groups", groups)
}

/// After a policy came into force: the directory is asked, and whoever it leaves out is looked for.
async fn look_after_people(
    tx: &mut dyn Tx,
    policy: &Policy,
    holders: BTreeSet<AccountId>,
) -> Result<(), StoreError> {
    let now = tx.now();
    for platform in &policy.directories.platforms {
        tx.enqueue(&JobOrder::refresh_facts(platform, now)).await?;
    }
    for holder in holders {
        tx.enqueue(&JobOrder::check_holder(&holder, now)).await?;
    }
    Ok(())
}
