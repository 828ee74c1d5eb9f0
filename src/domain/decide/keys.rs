//! Public keys that people give in chat.

use super::{Change, Plan};
use crate::domain::audit::{AuditDraft, AuditKind};
use crate::domain::directory::GivenKey;
use crate::domain::ids::{AccountId, Place};
use crate::domain::job_order::JobOrder;
use crate::domain::spec::ContentHash;
use crate::domain::timing::Timestamp;

/// Who is told of a change: whoever has got hold of an account can't change its key unseen.
#[derive(Debug, Clone, Copy)]
pub struct Told<'a> {
    /// All accounts of the person.
    pub accounts: &'a [AccountId],
    /// Channels of security.
    pub security: &'a [Place],
}

/// The account's key from now on; none forgets it.
#[must_use]
pub fn change(
    account: &AccountId,
    before: Option<&GivenKey>,
    after: Option<GivenKey>,
    told: Told<'_>,
    policy: &ContentHash,
    now: Timestamp,
) -> Plan {
    let fingerprint = |given: &GivenKey| given.key.fingerprint().to_owned();
    let mut draft = AuditDraft::new(match after {
        Some(_) => AuditKind::KeyGiven,
        None => AuditKind::KeyForgotten,
    })
    .by(account)
    .under(policy, Vec::new());
    if let Some(before) = before {
        draft = draft.fact("before", fingerprint(before));
    }
    if let Some(after) = &after {
        draft = draft.fact("key", fingerprint(after));
    }
    let mut plan = Plan::default();
    plan.record(draft);
    let now_known = after.as_ref().map(fingerprint);
    for to in told.accounts {
        plan.job(JobOrder::notify_key(to, account, now_known.as_deref(), now));
    }
    for place in told.security {
        plan.job(JobOrder::tell_key(
            place,
            account,
            now_known.as_deref(),
            now,
        ));
    }
    plan.push(Change::Key(account.clone(), after));
    plan
}
