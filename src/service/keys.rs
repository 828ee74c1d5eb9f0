//! Public keys that people give in chat.

use super::verdict::{Acting, Verdict};
use crate::domain::answer::{Answer, KeyAnswer, KeyChange};
use crate::domain::decide::Plan;
use crate::domain::decide::keys::{Owner, change, drop_of_who_left};
use crate::domain::ids::AccountId;
use crate::domain::person::Identity;
use crate::domain::public_key::PublicKey;
use crate::domain::refusal::Refusal;
use crate::domain::timing::Timestamp;
use crate::policy::Policy;
use crate::policy::evaluate::is_security;
use crate::policy::keys::{configured, given, may_give, may_give_this};
use crate::store::{StoreError, Tx};

/// The key of whoever acts is this one from now on.
pub(super) async fn give(
    tx: &mut dyn Tx,
    acting: &Acting,
    typed: &str,
) -> Result<Verdict, StoreError> {
    let now = tx.now();
    let (policy, identity) = (&acting.policy, &acting.identity);
    let key = match PublicKey::parse(typed) {
        Ok(key) => key,
        Err(why) => return Ok(Verdict::refused(Refusal::BadKey { why }, None)),
    };
    if given(policy, identity).is_some_and(|(_, current, _)| *current == key) {
        return Ok(unchanged(policy, identity, now));
    }
    // Whoever is not there any more keeps nobody from their key.
    let owners = tx.key_owners(&key).await?;
    let status = tx.known(&owners).await?.accounts;
    let (left, there): (Vec<AccountId>, Vec<AccountId>) = owners
        .into_iter()
        .partition(|account| status.get(account).is_some_and(|one| one.status.has_left()));
    let owners: Vec<Identity> = there.iter().map(|one| policy.identify(one)).collect();
    if let Err(refusal) = may_give_this(policy, identity, &key, &owners, now) {
        return Ok(Verdict::refused(refusal, None));
    }
    let mut plan = changed(policy, identity, &identity.account, Some(&key), now);
    plan.changes.splice(0..0, drop_of_who_left(&left, now));
    let answer = KeyAnswer {
        done: Some(KeyChange::Given),
        of: None,
        fingerprint: Some(key.fingerprint().to_owned()),
        given_at: Some(now),
        taken_in_chat: true,
    };
    Ok(Verdict::Done(plan, Answer::Key(answer)))
}

/// The key of whoever acts is forgotten; or, for security, that of somebody else.
pub(super) async fn forget(
    tx: &mut dyn Tx,
    acting: &Acting,
    of: Option<&str>,
) -> Result<Verdict, StoreError> {
    let now = tx.now();
    let by = &acting.identity.account;
    let Some(typed) = of else {
        return Ok(forgotten(&acting.policy, &acting.identity, by, now));
    };
    if !is_security(&acting.policy, &acting.identity, now) {
        return Ok(Verdict::refused(Refusal::OnlySecurity, None));
    }
    // An id of the same workspace, or a whole account.
    let own = format!("{}:{}/{typed}", by.platform(), by.community());
    let Ok(account) = AccountId::new(typed).or_else(|_| AccountId::new(own)) else {
        return Ok(Verdict::refused(Refusal::NobodyLikeThat, None));
    };
    let identity = acting.policy.identify(&account);
    let accounts = acting.policy.accounts_of(&identity);
    let policy = acting.policy.knowing(tx.known(&accounts).await?);
    Ok(forgotten(&policy, &identity, by, now))
}

fn forgotten(policy: &Policy, identity: &Identity, by: &AccountId, now: Timestamp) -> Verdict {
    if given(policy, identity).is_none() {
        return unchanged(policy, identity, now);
    }
    let own = identity.account == *by;
    let answer = KeyAnswer {
        done: Some(KeyChange::Forgotten),
        of: (!own).then(|| identity.account.clone()),
        fingerprint: None,
        given_at: None,
        taken_in_chat: own,
    };
    let plan = changed(policy, identity, by, None, now);
    Verdict::Done(plan, Answer::Key(answer))
}

/// Which key of this person is known.
pub(super) fn known(policy: &Policy, identity: &Identity, now: Timestamp) -> KeyAnswer {
    let configured = configured(policy, identity);
    let given = match configured {
        Some(_) => None,
        None => given(policy, identity),
    };
    KeyAnswer {
        done: None,
        of: None,
        fingerprint: configured
            .or(given.map(|(_, key, _)| key))
            .map(|key| key.fingerprint().to_owned()),
        given_at: given.map(|(_, _, at)| at),
        // What is not known yet may turn out well.
        taken_in_chat: may_give(policy, identity, now)
            .map_or_else(|refusal| refusal.lacks_facts(), |()| true),
    }
}

fn unchanged(policy: &Policy, identity: &Identity, now: Timestamp) -> Verdict {
    let answer = KeyAnswer {
        done: Some(KeyChange::Unchanged),
        ..known(policy, identity, now)
    };
    Verdict::Done(Plan::default(), Answer::Key(answer))
}

fn changed(
    policy: &Policy,
    identity: &Identity,
    by: &AccountId,
    after: Option<&PublicKey>,
    now: Timestamp,
) -> Plan {
    let accounts = policy.accounts_of(identity);
    let had: Vec<(&AccountId, &PublicKey)> = accounts
        .iter()
        .filter_map(|one| Some((one, policy.known.keys.get(one)?.key.as_ref()?)))
        .collect();
    let owner = Owner {
        accounts: &accounts,
        had: &had,
        security: &policy.security.channels,
    };
    change(owner, by, after, &policy.hash, now)
}
