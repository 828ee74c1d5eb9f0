//! Messages to one person.

use super::{JobOrder, OnDuplicate};
use crate::domain::answer::Answer;
use crate::domain::command::MessageRef;
use crate::domain::ids::{AccountId, GrantId, Place, RequestId};
use crate::domain::job::JobKind;
use crate::domain::timing::Timestamp;

impl JobOrder {
    /// Tell the requester of the decision.
    #[must_use]
    pub fn notify_decided(request: &RequestId, to: &AccountId, now: Timestamp) -> Self {
        Self::chat(
            JobKind::NotifyDecided {
                request: request.clone(),
            },
            format!("decided:{request}"),
            to.as_str(),
            0,
            now,
        )
    }

    /// Tell the beneficiary that it works.
    #[must_use]
    pub fn notify_ready(grant: &GrantId, to: &AccountId, now: Timestamp) -> Self {
        Self::chat(
            JobKind::NotifyReady {
                grant: grant.clone(),
            },
            format!("ready:{grant}"),
            to.as_str(),
            1,
            now,
        )
    }

    /// Tell the beneficiary again how it is used. One at a time.
    #[must_use]
    pub fn send_again(grant: &GrantId, to: &AccountId, now: Timestamp) -> Self {
        Self::chat(
            JobKind::SendAgain {
                grant: grant.clone(),
                account: to.clone(),
            },
            format!("again:{grant}"),
            to.as_str(),
            0,
            now,
        )
    }

    /// Tell the beneficiary that the target makes no other secret.
    #[must_use]
    pub fn notify_not_renewed(grant: &GrantId, to: &AccountId, now: Timestamp) -> Self {
        Self::chat(
            JobKind::NotifyNotRenewed {
                grant: grant.clone(),
                account: to.clone(),
            },
            format!("notrenewed:{grant}"),
            to.as_str(),
            0,
            now,
        )
    }

    /// Tell the beneficiary that it works for longer.
    #[must_use]
    pub fn notify_extended(request: &RequestId, to: &AccountId, now: Timestamp) -> Self {
        Self::chat(
            JobKind::NotifyExtended {
                request: request.clone(),
            },
            format!("extended:{request}"),
            to.as_str(),
            1,
            now,
        )
    }

    /// Tell the beneficiary that the later end is not given.
    #[must_use]
    pub fn notify_not_extended(request: &RequestId, to: &AccountId, now: Timestamp) -> Self {
        Self::chat(
            JobKind::NotifyNotExtended {
                request: request.clone(),
            },
            format!("notextended:{request}"),
            to.as_str(),
            1,
            now,
        )
    }

    /// Tell somebody on one of their accounts that their public key changed.
    #[must_use]
    pub fn notify_key(
        to: &AccountId,
        by: &AccountId,
        fingerprint: Option<&str>,
        now: Timestamp,
    ) -> Self {
        Self::chat(
            JobKind::NotifyKey {
                account: to.clone(),
                by: by.clone(),
                fingerprint: fingerprint.map(str::to_owned),
            },
            format!("yourkey:{by}:{}:{to}", now.timestamp_millis()),
            to.as_str(),
            0,
            now,
        )
    }

    /// Draw a reminder anew.
    #[must_use]
    pub fn sync_reminder(grant: &GrantId, on: &MessageRef, now: Timestamp) -> Self {
        Self {
            on_duplicate: OnDuplicate::MoveEarlier,
            ..Self::chat(
                JobKind::SyncReminder {
                    grant: grant.clone(),
                    on: on.clone(),
                },
                format!("reminder:{grant}:{}:{}", on.place, on.message),
                on.place.as_str(),
                3,
                now,
            )
        }
    }

    /// Draw somebody's Home tab.
    #[must_use]
    pub fn sync_home(account: &AccountId, now: Timestamp) -> Self {
        Self {
            on_duplicate: OnDuplicate::MoveEarlier,
            ..Self::chat(
                JobKind::SyncHome {
                    account: account.clone(),
                },
                format!("home:{account}"),
                account.as_str(),
                4,
                now,
            )
        }
    }

    /// Remind the beneficiary; moves with the deadline.
    #[must_use]
    pub fn remind(grant: &GrantId, to: &AccountId, before_s: i64, at: Timestamp) -> Self {
        Self {
            on_duplicate: OnDuplicate::Move,
            ..Self::chat(
                JobKind::Remind {
                    grant: grant.clone(),
                    before_s,
                },
                format!("remind:{grant}:{before_s}"),
                to.as_str(),
                2,
                at,
            )
        }
    }

    /// Tell the beneficiary that it is over.
    #[must_use]
    pub fn notify_ended(grant: &GrantId, to: &AccountId, now: Timestamp) -> Self {
        Self::chat(
            JobKind::NotifyEnded {
                grant: grant.clone(),
            },
            format!("ended:{grant}:{}", now.timestamp_millis()),
            to.as_str(),
            3,
            now,
        )
    }

    /// Tell somebody what came of their press; `once` is the key of the press.
    #[must_use]
    pub fn answer_press(
        once: &str,
        place: &Place,
        account: &AccountId,
        answer: Answer,
        now: Timestamp,
    ) -> Self {
        Self::chat(
            JobKind::AnswerPress {
                place: place.clone(),
                account: account.clone(),
                answer: Box::new(answer),
            },
            format!("answer:{once}"),
            account.as_str(),
            0,
            now,
        )
    }
}
