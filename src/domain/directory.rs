//! The directory: what a platform told us of people and their groups, each fact with the time at which
//! it was asked for; and whether a change of a group is believed.

use std::collections::{BTreeMap, BTreeSet};

use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

use super::ids::{AccountId, DirectoryGroupId};
use super::public_key::PublicKey;
use super::timing::{Timestamp, seconds};

/// What a platform says an account is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AccountStatus {
    /// A full member.
    Member,
    /// A guest, who sees only what they were let into.
    Guest,
    /// Somebody of another workspace, met in a shared channel.
    External,
    /// A bot.
    Bot,
    /// Deactivated.
    Deactivated,
    /// The platform does not know the account.
    NotFound,
}

impl AccountStatus {
    /// Every status.
    pub const ALL: [Self; 6] = [
        Self::Member,
        Self::Guest,
        Self::External,
        Self::Bot,
        Self::Deactivated,
        Self::NotFound,
    ];

    /// The word for it in the database and the record.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Member => "member",
            Self::Guest => "guest",
            Self::External => "external",
            Self::Bot => "bot",
            Self::Deactivated => "deactivated",
            Self::NotFound => "not_found",
        }
    }

    /// The status with this word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == word)
    }

    /// Whether such an account may ask and decide.
    #[must_use]
    pub const fn may_act(self) -> bool {
        matches!(self, Self::Member)
    }

    /// Whether somebody who was let in is not any more. That an account is not found says nothing: a
    /// platform that lost sight of it must not end what it gave.
    #[must_use]
    pub const fn has_left(self) -> bool {
        match self {
            Self::Guest | Self::External | Self::Bot | Self::Deactivated => true,
            Self::Member | Self::NotFound => false,
        }
    }
}

/// What a platform shows of an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SeenAccount {
    /// What it is.
    pub status: AccountStatus,
    /// The zone that its person set there, where the platform tells it.
    pub time_zone: Option<Tz>,
}

/// An account as it is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KnownAccount {
    /// What it is.
    pub status: AccountStatus,
    /// The zone that its person set on the platform, where it tells.
    pub time_zone: Option<Tz>,
    /// As of when.
    pub as_of: Timestamp,
}

/// A platform's group as it is known, as far as it concerns the accounts that were looked up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownGroup {
    /// As of when.
    pub as_of: Timestamp,
    /// The platform said since then what is not believed yet.
    pub in_doubt: bool,
    /// Which of the accounts are in it.
    pub members: BTreeSet<AccountId>,
}

/// What is known of the public key that an account gave in chat.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyRow {
    /// The key; none once it is forgotten.
    pub key: Option<PublicKey>,
    /// When it was given, or forgotten.
    pub changed_at: Timestamp,
}

/// What is known of some accounts. Of others nothing is known, not even that they are in no group.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Known {
    /// The accounts that were looked up.
    pub about: BTreeSet<AccountId>,
    /// Those of which the platform was asked.
    pub accounts: BTreeMap<AccountId, KnownAccount>,
    /// The groups of which the platform was asked.
    pub groups: BTreeMap<DirectoryGroupId, KnownGroup>,
    /// Public keys that they gave in chat, or gave once.
    pub keys: BTreeMap<AccountId, KeyRow>,
}

/// Something about a group that security was told of and that is not over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GroupTrouble {
    /// It lost so many people since then that a second look must confirm it.
    Doubted(Timestamp),
    /// It was emptied or deleted, and that was confirmed then.
    Emptied(Timestamp),
}

/// A platform's group with everybody in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DirectoryGroup {
    /// Its id, which is pinned: a group that takes its name later is another one.
    pub id: DirectoryGroupId,
    /// The name under which the config found it.
    pub name: String,
    /// As of when it is known; while it is in doubt, when it was last looked at.
    pub as_of: Timestamp,
    /// What is wrong with it, if something is.
    pub trouble: Option<GroupTrouble>,
    /// Who is in it.
    pub members: BTreeSet<AccountId>,
}

/// What a platform shows of a group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SeenGroup {
    /// These are in it.
    Members(BTreeSet<AccountId>),
    /// It is disabled, or not there at all.
    Gone,
}

/// One fact that a platform told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fetched {
    /// Of a group.
    Group(DirectoryGroupId, SeenGroup),
    /// Of an account.
    Account(AccountId, SeenAccount),
}

/// Why a platform did not tell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FetchTrouble {
    /// What happened, without secrets.
    pub said: String,
    /// Seconds to wait at least.
    pub after_s: Option<i64>,
}

/// How asking a platform goes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DirectoryHealth {
    /// Since when it fails, while it does.
    pub failing_since: Option<Timestamp>,
    /// Whether security was told.
    pub told: bool,
    /// Not to be asked before.
    pub wait_until: Option<Timestamp>,
}

/// What security is told of a group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GroupNews {
    /// It lost so many of its people that a second look must confirm it.
    Doubted {
        /// How many are missing.
        missing: usize,
        /// Of how many.
        of: usize,
        /// When it is believed if it is still so.
        confirmed_at: Timestamp,
    },
    /// The second look showed the same.
    Confirmed {
        /// How many have left.
        left: usize,
    },
    /// Its name in the config has come to mean another group in chat; this one goes on counting.
    NameMoved {
        /// This one.
        held: DirectoryGroupId,
        /// The other one.
        now: DirectoryGroupId,
    },
    /// It is as it was, or has people again.
    Healed {
        /// How many people it has.
        members: usize,
    },
}

impl GroupNews {
    /// The word for it in the record.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Doubted { .. } => "doubted",
            Self::Confirmed { .. } => "confirmed",
            Self::NameMoved { .. } => "name_moved",
            Self::Healed { .. } => "healed",
        }
    }
}

/// So many people leaving a group at once is an everyday change, however small the group is.
pub const LEAVING_AT_ONCE: usize = 4;

/// How long a change that would cut many must still be seen before it is believed, in seconds.
pub const CONFIRM_AFTER_S: i64 = 600;

/// What to make of a look at a group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Belief {
    /// It is as it was seen. These are in it no longer.
    Believed {
        /// The group as it is known from now on.
        group: DirectoryGroup,
        /// Who is no longer in it.
        left: BTreeSet<AccountId>,
    },
    /// It is held to be as it was, and nothing new is given by it.
    Doubted {
        /// The group as it goes on being known.
        group: DirectoryGroup,
        /// Whether the doubt is new.
        first: bool,
        /// How many would be cut.
        would_leave: usize,
    },
}

/// Whether a look at a group is believed. One that shows the group gone, empty, or without more than
/// half of its people (and more than [`LEAVING_AT_ONCE`]) is believed only if it is still so after
/// [`CONFIRM_AFTER_S`].
#[must_use]
pub fn believe(
    id: &DirectoryGroupId,
    name: &str,
    before: Option<&DirectoryGroup>,
    seen: SeenGroup,
    as_of: Timestamp,
) -> Belief {
    let (members, gone) = match seen {
        SeenGroup::Members(members) => (members, false),
        SeenGroup::Gone => (BTreeSet::new(), true),
    };
    let was = before.map(|group| &group.members);
    let left: BTreeSet<AccountId> = was
        .into_iter()
        .flat_map(|was| was.difference(&members).cloned())
        .collect();
    let had = was.map_or(0, BTreeSet::len);
    let emptied = had > 0 && (gone || members.is_empty());
    let cut = left.len() > LEAVING_AT_ONCE && left.len() * 2 > had;
    if let Some(before) = before.filter(|_| emptied || cut) {
        let since = match before.trouble {
            Some(GroupTrouble::Doubted(since)) => since,
            Some(GroupTrouble::Emptied(_)) | None => as_of,
        };
        if as_of < since + seconds(CONFIRM_AFTER_S) {
            return Belief::Doubted {
                first: !matches!(before.trouble, Some(GroupTrouble::Doubted(_))),
                group: DirectoryGroup {
                    as_of,
                    trouble: Some(GroupTrouble::Doubted(since)),
                    ..before.clone()
                },
                would_leave: left.len(),
            };
        }
    }
    let trouble = match before.and_then(|group| group.trouble) {
        _ if emptied => Some(GroupTrouble::Emptied(as_of)),
        // It stays empty, and was told of already.
        Some(GroupTrouble::Emptied(since)) if members.is_empty() => {
            Some(GroupTrouble::Emptied(since))
        }
        _ => None,
    };
    Belief::Believed {
        group: DirectoryGroup {
            id: id.clone(),
            name: name.to_owned(),
            as_of,
            trouble,
            members,
        },
        left,
    }
}
