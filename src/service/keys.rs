//! Public keys that people give in chat.

use super::verdict::{Acting, Verdict};
use crate::domain::answer::{Answer, KeyAnswer, KeyChange};
use crate::domain::decide::{Plan, keys};
use crate::domain::directory::GivenKey;
use crate::domain::ids::AccountId;
use crate::domain::person::Identity;
use crate::domain::public_key::PublicKey;
use crate::domain::refusal::Refusal;
use crate::domain::timing::Timestamp;
use crate::policy::Policy;
use crate::policy::keys::{configured, may_give, may_give_this};
use crate::store::{StoreError, Tx};

/// The key of whoever acts is this one from now on.
pub(super) async fn give(
    tx: &mut dyn Tx,
    acting: &Acting,
    typed: &str,
) -> Result<Verdict, StoreError> {
    let now = tx.now();
    let key = match PublicKey::parse(typed) {
        Ok(key) => key,
        Err(why) => return Ok(Verdict::refused(Refusal::BadKey { why }, None)),
    };
    let before = given(acting);
    if before
        .is_some_and(|(account, given)| *account == acting.identity.account && given.key == key)
    {
        return Ok(unchanged(acting, now));
    }
    let owners: Vec<Identity> = tx
        .key_owners(&key)
        .await?
        .iter()
        .map(|account| acting.policy.identify(account))
        .collect();
    let may = may_give_this(&acting.policy, &acting.identity, &key, &owners, now);
    if let Err(refusal) = may {
        return Ok(Verdict::refused(refusal, None));
    }
    let after = GivenKey { key, given_at: now };
    let answer = KeyAnswer {
        done: Some(KeyChange::Given),
        fingerprint: Some(after.key.fingerprint().to_owned()),
        given_at: Some(now),
        taken_in_chat: true,
    };
    let plan = change(acting, &acting.identity.account, Some(after), now);
    Ok(Verdict::Done(plan, Answer::Key(answer)))
}

/// The key that counts for whoever acts is forgotten, on whichever of their accounts it was given.
pub(super) fn forget(acting: &Acting, now: Timestamp) -> Verdict {
    let Some((account, _)) = given(acting) else {
        return unchanged(acting, now);
    };
    let plan = change(acting, account, None, now);
    let answer = KeyAnswer {
        done: Some(KeyChange::Forgotten),
        fingerprint: None,
        given_at: None,
        taken_in_chat: true,
    };
    Verdict::Done(plan, Answer::Key(answer))
}

/// Which key of this person is known.
pub(super) fn known(policy: &Policy, identity: &Identity, now: Timestamp) -> KeyAnswer {
    let configured = configured(policy, identity);
    let given = match configured {
        Some(_) => None,
        None => policy
            .accounts_of(identity)
            .iter()
            .find_map(|account| policy.known.keys.get(account)),
    };
    KeyAnswer {
        done: None,
        fingerprint: configured
            .or(given.map(|given| &given.key))
            .map(|key| key.fingerprint().to_owned()),
        given_at: given.map(|given| given.given_at),
        // What is not known yet may turn out well.
        taken_in_chat: may_give(policy, identity, now)
            .map_or_else(|refusal| refusal.lacks_facts(), |()| true),
    }
}

fn given(acting: &Acting) -> Option<(&AccountId, &GivenKey)> {
    let keys = &acting.policy.known.keys;
    let own = keys.get_key_value(&acting.identity.account);
    own.or_else(|| keys.first_key_value())
}

fn unchanged(acting: &Acting, now: Timestamp) -> Verdict {
    let answer = KeyAnswer {
        done: Some(KeyChange::Unchanged),
        ..known(&acting.policy, &acting.identity, now)
    };
    Verdict::Done(Plan::default(), Answer::Key(answer))
}

fn change(acting: &Acting, account: &AccountId, after: Option<GivenKey>, now: Timestamp) -> Plan {
    let policy = &acting.policy;
    let told = keys::Told {
        accounts: &policy.accounts_of(&acting.identity),
        security: &policy.security.channels,
    };
    let before = policy.known.keys.get(account);
    keys::change(account, before, after, told, &policy.hash, now)
}
