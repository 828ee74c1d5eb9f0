//! Public keys that people give in chat.

use super::{Change, Plan};
use crate::domain::audit::{AuditDraft, AuditKind};
use crate::domain::directory::KeyRow;
use crate::domain::ids::{AccountId, Place};
use crate::domain::job_order::JobOrder;
use crate::domain::public_key::PublicKey;
use crate::domain::spec::ContentHash;
use crate::domain::timing::Timestamp;

/// Whose key changes, and who is told: whoever has got hold of an account can't change it unseen.
#[derive(Debug, Clone, Copy)]
pub struct Owner<'a> {
    /// All accounts of the person. The key belongs to the first; the others have none of their own.
    pub accounts: &'a [AccountId],
    /// Which of them had a key, and which.
    pub had: &'a [(&'a AccountId, &'a PublicKey)],
    /// Channels of security.
    pub security: &'a [Place],
}

/// The person's key from now on; none forgets it. `by` is who changes it.
#[must_use]
pub fn change(
    owner: Owner<'_>,
    by: &AccountId,
    after: Option<&PublicKey>,
    policy: &ContentHash,
    now: Timestamp,
) -> Plan {
    let mut plan = Plan::default();
    let Some(first) = owner.accounts.first() else {
        return plan;
    };
    let mut draft = AuditDraft::new(match after {
        Some(_) => AuditKind::KeyGiven,
        None => AuditKind::KeyForgotten,
    })
    .by(by)
    .under(policy, Vec::new())
    .fact("of", first.as_str());
    let before: Vec<&str> = owner.had.iter().map(|(_, key)| key.fingerprint()).collect();
    if !before.is_empty() {
        draft = draft.fact("before", before);
    }
    if let Some(after) = after {
        draft = draft.fact("key", after.fingerprint());
    }
    plan.record(draft);
    let fingerprint = after.map(PublicKey::fingerprint);
    for to in owner.accounts {
        plan.job(JobOrder::notify_key(to, by, fingerprint, now));
    }
    for place in owner.security {
        plan.job(JobOrder::tell_key(place, first, by, fingerprint, now));
    }
    for (account, _) in owner.had {
        plan.push(Change::Key((*account).clone(), row(None, now)));
    }
    if let Some(after) = after {
        plan.push(Change::Key(first.clone(), row(Some(after), now)));
    }
    plan
}

/// Who has left has no key any more: another may give the same.
#[must_use]
pub fn drop_of_who_left(accounts: &[AccountId], now: Timestamp) -> Vec<Change> {
    accounts
        .iter()
        .map(|account| Change::Key(account.clone(), row(None, now)))
        .collect()
}

fn row(key: Option<&PublicKey>, changed_at: Timestamp) -> KeyRow {
    KeyRow {
        key: key.cloned(),
        changed_at,
    }
}
