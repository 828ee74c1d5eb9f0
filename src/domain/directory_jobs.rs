//! Enqueuing what has to do with the directory, and with people who leave.

use super::departure::Departure;
use super::directory::GroupNews;
use super::ids::{AccountId, GrantId, Place, RequestId};
use super::job::{JobKind, Lane};
use super::job_order::{JobOrder, OnDuplicate};
use super::refusal::Refusal;
use super::timing::Timestamp;

impl JobOrder {
    /// Ask a platform for what is due, not later than this. There is one such job for a platform.
    #[must_use]
    pub fn refresh_facts(platform: &str, at: Timestamp) -> Self {
        Self {
            kind: JobKind::RefreshFacts {
                platform: platform.to_owned(),
            },
            key: format!("refresh:{platform}"),
            lane: Lane::directory(platform),
            serial_key: None,
            rank: 0,
            run_at: at,
            on_duplicate: OnDuplicate::MoveEarlier,
        }
    }

    /// Decide a request that waits for facts, not later than this.
    #[must_use]
    pub fn decide_checked(request: &RequestId, at: Timestamp) -> Self {
        Self {
            on_duplicate: OnDuplicate::MoveEarlier,
            ..Self::engine(
                JobKind::DecideChecked {
                    request: request.clone(),
                },
                format!("check:{request}"),
                at,
            )
        }
    }

    /// Look whether this account may still have what it has.
    #[must_use]
    pub fn check_holder(account: &AccountId, now: Timestamp) -> Self {
        Self {
            on_duplicate: OnDuplicate::MoveEarlier,
            ..Self::engine(
                JobKind::CheckHolder {
                    account: account.clone(),
                },
                format!("holder:{account}"),
                now,
            )
        }
    }

    /// Tell the requester why it was refused after all.
    #[must_use]
    pub fn notify_refused(
        request: &RequestId,
        to: &AccountId,
        refusal: Refusal,
        now: Timestamp,
    ) -> Self {
        Self::chat(
            JobKind::NotifyRefused {
                request: request.clone(),
                refusal: Box::new(refusal),
            },
            format!("refused:{request}"),
            to.as_str(),
            0,
            now,
        )
    }

    /// Tell a channel of security whose access ends.
    #[must_use]
    pub fn tell_left(
        account: &AccountId,
        why: Departure,
        grants: Vec<GrantId>,
        place: &Place,
        now: Timestamp,
    ) -> Self {
        Self::chat(
            JobKind::TellLeft {
                place: place.clone(),
                account: account.clone(),
                why,
                grants,
            },
            format!("left:{account}:{}:{place}", now.timestamp_millis()),
            place.as_str(),
            0,
            now,
        )
    }

    /// Tell a channel of security of a group.
    #[must_use]
    pub fn tell_group(group: &str, news: GroupNews, place: &Place, now: Timestamp) -> Self {
        Self::chat(
            JobKind::TellGroup {
                place: place.clone(),
                group: group.to_owned(),
                news,
            },
            format!("group:{group}:{}:{place}", now.timestamp_millis()),
            place.as_str(),
            0,
            now,
        )
    }

    /// Tell a channel of security that a directory can't be asked.
    #[must_use]
    pub fn tell_directory_fails(platform: &str, said: &str, place: &Place, now: Timestamp) -> Self {
        Self::chat(
            JobKind::TellDirectoryFails {
                place: place.clone(),
                platform: platform.to_owned(),
                said: said.chars().take(300).collect(),
            },
            format!("directory-fails:{platform}:{place}"),
            place.as_str(),
            0,
            now,
        )
    }

    /// Tell a channel of security that it can be asked again.
    #[must_use]
    pub fn tell_directory_answers(platform: &str, place: &Place, now: Timestamp) -> Self {
        Self::chat(
            JobKind::TellDirectoryAnswers {
                place: place.clone(),
                platform: platform.to_owned(),
            },
            format!("directory-answers:{platform}:{place}"),
            place.as_str(),
            0,
            now,
        )
    }
}
