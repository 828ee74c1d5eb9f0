//! Who acts: an account on a platform, and the person that the config says it belongs to.

use serde::{Deserialize, Serialize};

use super::ids::{AccountId, GroupName, PersonName};

/// An account and, where the config links it, its person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    /// The acting account.
    pub account: AccountId,
    /// The person that the config names for it.
    pub person: Option<PersonName>,
}

impl Identity {
    /// Whether both are one human being, as far as is known: the same account, or accounts that
    /// the config links to the same person.
    #[must_use]
    pub fn is_same_as(&self, other: &Self) -> bool {
        self.account == other.account || (self.person.is_some() && self.person == other.person)
    }
}

/// Somebody whom a rule names.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Subject {
    /// Everybody in a group: `group:sre`.
    Group(GroupName),
    /// One person, with all their accounts: `person:alice`.
    Person(PersonName),
    /// One account: `slack:T1/U1`.
    Account(AccountId),
}

#[cfg(test)]
mod tests {
    use super::*;

    fn identity(account: &str, person: Option<&str>) -> Identity {
        Identity {
            account: AccountId::new(account).unwrap(),
            person: person.map(|p| PersonName::new(p).unwrap()),
        }
    }

    #[test]
    fn linked_accounts_are_one_person_and_unknown_ones_are_not() {
        let slack = identity("slack:T1/U1", Some("alice"));
        assert!(slack.is_same_as(&identity("discord:1/2", Some("alice"))));
        assert!(slack.is_same_as(&identity("slack:T1/U1", None)));
        assert!(!slack.is_same_as(&identity("slack:T1/U2", Some("bob"))));
        assert!(!identity("slack:T1/U1", None).is_same_as(&identity("slack:T1/U2", None)));
    }
}
