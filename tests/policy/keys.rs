//! Public keys that people give in chat: who may, whose counts, and what no rule does for them.

use chrono::TimeDelta;
use jitbot::domain::command::WantedEnd;
use jitbot::domain::directory::{AccountStatus, KeyRow, KnownAccount};
use jitbot::domain::person::Identity;
use jitbot::domain::public_key::PublicKey;
use jitbot::domain::refusal::Refusal;
use jitbot::domain::spec::NEW_KEY_S;
use jitbot::policy::Policy;
use jitbot::policy::evaluate::{by_rule_up_to, submission};
use jitbot::policy::keys::{may_give, may_give_this};
use jitbot::policy::model::AutoApproval;

use crate::house::{account, house_with, issuer_name, now, person, resource_name, subjects};

fn new_key() -> PublicKey {
    let key =
        ssh_key::PrivateKey::random(&mut ssh_key::rand_core::OsRng, ssh_key::Algorithm::Ed25519);
    PublicKey::parse(&key.unwrap().public_key().to_openssh().unwrap()).unwrap()
}

/// The house, whose issuer takes keys from chat; U5, who is in eng, has none and is no person.
fn open_house() -> Policy {
    let mut house = house_with(|resource| {
        resource.auto_approve = vec![AutoApproval {
            from: subjects("group:eng"),
            max_s: 3_600,
            cool_down_s: 3_600,
        }];
    });
    house
        .issuers
        .get_mut(&issuer_name("ca"))
        .unwrap()
        .keys_in_chat = true;
    house
}

fn gave(policy: &mut Policy, who: &str, key: &PublicKey, age_s: i64) {
    let row = KeyRow {
        key: Some(key.clone()),
        changed_at: now() - TimeDelta::seconds(age_s),
    };
    policy.known.keys.insert(account(who), row);
}

fn who(policy: &Policy, name: &str) -> Identity {
    policy.identify(&account(name))
}

#[test]
fn whose_key_counts() {
    let (own, other) = (new_key(), new_key());
    let mut house = open_house();
    let asks = |house: &Policy, name: &str| {
        submission(
            house,
            &who(house, name),
            "staging-ssh",
            WantedEnd::After(600),
            now(),
        )
        .map(|allowed| allowed.spec.account.id)
    };
    let missing = || Refusal::KeyMissing {
        issuer: issuer_name("ca"),
    };
    assert_eq!(asks(&house, "U5"), Err(missing()));
    gave(&mut house, "U9", &other, 100);
    assert_eq!(asks(&house, "U5"), Err(missing()), "another's is not mine");
    gave(&mut house, "U5", &own, 100);
    assert_eq!(asks(&house, "U5"), Ok(own.fingerprint().to_owned()));
    // Whom the config names an account for has that one, whatever was said in chat.
    gave(&mut house, "U1", &other, 100);
    assert_eq!(asks(&house, "U1"), Ok("SHA256:alice".to_owned()));
    house
        .issuers
        .get_mut(&issuer_name("ca"))
        .unwrap()
        .keys_in_chat = false;
    assert!(matches!(asks(&house, "U5"), Err(Refusal::NoAccount { .. })));
}

#[test]
fn a_person_has_one_key_whichever_account_gave_it() {
    let (old, new) = (new_key(), new_key());
    let mut house = open_house();
    house
        .issuers
        .get_mut(&issuer_name("ca"))
        .unwrap()
        .accounts
        .clear();
    gave(&mut house, "U1", &old, NEW_KEY_S);
    gave(&mut house, "D1", &new, 400);
    let end = WantedEnd::After(600);
    for account in ["U1", "D1"] {
        let identity = who(&house, account);
        let allowed = submission(&house, &identity, "staging-ssh", end, now()).unwrap();
        assert_eq!(allowed.spec.account.id, new.fingerprint(), "{account}");
        assert_eq!(allowed.approved_under, None, "it is new on both");
        // Forgetting it does not make room for the next at once.
        let row = house
            .known
            .keys
            .get_mut(&crate::house::account("D1"))
            .unwrap();
        row.changed_at = now() - TimeDelta::seconds(10);
        let again = may_give_this(&house, &identity, &new_key(), &[], now());
        assert!(
            matches!(again, Err(Refusal::KeyTooSoon { .. })),
            "{account}"
        );
    }
    let row = house.known.keys.get_mut(&account("D1")).unwrap();
    row.key = None;
    let again = may_give_this(&house, &who(&house, "U1"), &old, &[], now());
    assert!(matches!(again, Err(Refusal::KeyTooSoon { .. })));
    // What the config has come to name for somebody else is nobody else's.
    house.people.get_mut(&person("bob")).unwrap().ssh_keys = vec![old];
    let asked = submission(&house, &who(&house, "U1"), "staging-ssh", end, now());
    assert_eq!(asked, Err(Refusal::KeyOfAnother));
}

#[test]
fn no_rule_approves_access_for_a_key_that_is_new() {
    for (age_s, by_rule) in [(0, false), (NEW_KEY_S - 1, false), (NEW_KEY_S, true)] {
        let mut house = open_house();
        gave(&mut house, "U5", &new_key(), age_s);
        let erin = who(&house, "U5");
        let allowed = submission(&house, &erin, "staging-ssh", WantedEnd::After(600), now());
        assert_eq!(
            allowed.unwrap().approved_under.is_some(),
            by_rule,
            "{age_s}"
        );
        let staging = &house.resources[&resource_name("staging-ssh")];
        let offered = by_rule_up_to(&house, staging, &erin, now());
        assert_eq!(offered.is_some(), by_rule, "{age_s}");
    }
    // Of those whom the config knows nothing is new.
    let house = open_house();
    let alice = who(&house, "U1");
    let allowed = submission(&house, &alice, "staging-ssh", WantedEnd::After(600), now());
    assert!(allowed.unwrap().approved_under.is_some());
}

#[test]
fn who_may_give_a_key() {
    let mut house = open_house();
    let alices = new_key();
    let people = &mut house.people;
    people.get_mut(&person("alice")).unwrap().ssh_keys = vec![alices.clone()];
    let may = |house: &Policy, name: &str| may_give(house, &who(house, name), now());
    assert_eq!(may(&house, "U5"), Ok(()));
    assert_eq!(may(&house, "U1"), Err(Refusal::KeyInConfig));
    assert_eq!(
        may(&house, "D1"),
        Err(Refusal::KeyInConfig),
        "on any account"
    );
    assert_eq!(
        may(&house, "U9"),
        Err(Refusal::KeysNotTaken),
        "may ask for nothing"
    );

    let this = |house: &Policy, key: &PublicKey, owners: &[&str]| {
        let owners: Vec<Identity> = owners.iter().map(|name| who(house, name)).collect();
        may_give_this(house, &who(house, "U5"), key, &owners, now())
    };
    let key = new_key();
    assert_eq!(this(&house, &key, &[]), Ok(()));
    assert_eq!(this(&house, &key, &["U5"]), Ok(()));
    assert_eq!(this(&house, &key, &["U9"]), Err(Refusal::KeyOfAnother));
    assert_eq!(this(&house, &alices, &[]), Err(Refusal::KeyOfAnother));
    gave(&mut house, "U5", &new_key(), 299);
    let again_at = now() + TimeDelta::seconds(1);
    assert_eq!(
        this(&house, &key, &[]),
        Err(Refusal::KeyTooSoon { again_at })
    );
    gave(&mut house, "U5", &new_key(), 300);
    assert_eq!(this(&house, &key, &[]), Ok(()));

    let not_hers = may_give_this(&house, &who(&house, "U9"), &key, &[], now());
    assert_eq!(not_hers, Err(Refusal::KeysNotTaken), "may ask for nothing");

    house.directories.platforms.insert("slack".into());
    assert!(may(&house, "U5").unwrap_err().lacks_facts());
    let guest = KnownAccount {
        status: AccountStatus::Guest,
        time_zone: None,
        as_of: now(),
    };
    house.known.accounts.insert(account("U5"), guest);
    assert_eq!(may(&house, "U5"), Err(Refusal::KeysNotTaken), "no guest");
    house
        .issuers
        .get_mut(&issuer_name("ca"))
        .unwrap()
        .keys_in_chat = false;
    assert_eq!(may(&house, "U5"), Err(Refusal::KeysNotTaken));
}
