//! Enqueuing what is done about channels that can't be posted to.

use super::ids::{AccountId, Place, RequestId};
use super::job::{JobKind, Lane};
use super::job_order::{JobOrder, OnDuplicate};
use super::spec::ContentHash;
use super::timing::Timestamp;

/// What the keys of jobs that watch a channel begin with; the channel follows.
pub const WATCH: &str = "watch:";

/// The key of the job that waits for a channel; while it is there, the channel is known to be lost.
#[must_use]
pub fn watch_key(place: &Place) -> String {
    format!("{WATCH}{place}")
}

/// The key of the job that draws a card.
#[must_use]
pub fn card_key(request: &RequestId) -> String {
    format!("card:{request}")
}

/// The key of the job that tells a requester where their card stands.
#[must_use]
pub fn where_key(request: &RequestId) -> String {
    format!("where:{request}")
}

/// The key of the job that keeps a message for its channel until that is back.
#[must_use]
pub fn once_back_key(message: &JobKind) -> String {
    format!("once-back:{}", fingerprint(message))
}

fn fingerprint(message: &JobKind) -> String {
    ContentHash::of(serde_json::json!(message).to_string().as_bytes()).0
}

impl JobOrder {
    /// Watch a channel that can't be posted to.
    #[must_use]
    pub fn watch_place(place: &Place, said: &str, shows: bool, at: Timestamp) -> Self {
        Self {
            lane: Lane::look(place.as_str()),
            ..Self::engine(
                JobKind::WatchPlace {
                    place: place.clone(),
                    said: said.to_owned(),
                    shows,
                },
                watch_key(place),
                at,
            )
        }
    }

    /// Look at the channels; there is one such job at a time.
    #[must_use]
    pub fn look_at_places(at: Timestamp) -> Self {
        Self {
            lane: Lane::look("all"),
            ..Self::engine(JobKind::LookAtPlaces, "look-at-places".into(), at)
        }
    }

    /// Tell a channel of security of another that is lost.
    #[must_use]
    pub fn tell_place_lost(lost: &Place, said: &str, place: &Place, now: Timestamp) -> Self {
        Self::chat(
            JobKind::TellPlaceLost {
                lost: lost.clone(),
                place: place.clone(),
                said: said.to_owned(),
            },
            format!("lost:{lost}:{}:{place}", now.timestamp_millis()),
            place.as_str(),
            0,
            now,
        )
    }

    /// Tell a channel of security of one that is back.
    #[must_use]
    pub fn tell_place_back(back: &Place, place: &Place, now: Timestamp) -> Self {
        Self::chat(
            JobKind::TellPlaceBack {
                back: back.clone(),
                place: place.clone(),
            },
            format!("back:{back}:{}:{place}", now.timestamp_millis()),
            place.as_str(),
            0,
            now,
        )
    }

    /// A message to security that reached no channel, to one of its people.
    #[must_use]
    pub fn privately(message: &JobKind, account: &AccountId, now: Timestamp) -> Self {
        Self::chat(
            JobKind::Privately {
                account: account.clone(),
                message: Box::new(message.clone()),
            },
            format!("privately:{}:{account}", fingerprint(message)),
            account.as_str(),
            0,
            now,
        )
    }

    /// A message to its channel, once that is back.
    #[must_use]
    pub fn once_back(message: &JobKind, place: &Place, at: Timestamp) -> Self {
        Self::chat(
            JobKind::OnceBack {
                message: Box::new(message.clone()),
            },
            once_back_key(message),
            place.as_str(),
            3,
            at,
        )
    }

    /// A message for a channel that the config no longer names, to one that it names now.
    #[must_use]
    pub fn rerouted(message: &JobKind, place: &Place, now: Timestamp) -> Self {
        let message = message.to_place(place);
        let key = format!("rerouted:{}", fingerprint(&message));
        Self::chat(message, key, place.as_str(), 3, now)
    }

    /// Tell the requester where their request is seen; moves the one that waits.
    #[must_use]
    pub fn notify_where(request: &RequestId, to: &AccountId, now: Timestamp) -> Self {
        Self {
            on_duplicate: OnDuplicate::Move,
            ..Self::chat(
                JobKind::NotifyWhere {
                    request: request.clone(),
                },
                where_key(request),
                to.as_str(),
                1,
                now,
            )
        }
    }
}
