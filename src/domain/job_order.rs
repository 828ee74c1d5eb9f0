//! Enqueuing: each kind of job with its key, its lane and its place in the lane.

mod letters;

use super::command::MessageRef;
use super::ids::{AccountId, GrantId, IssuerName, Place, RequestId};
use super::job::{JobKind, Lane};
use super::policy_news::PolicyNews;
use super::record_news::RecordNews;
use super::spec::Spec;
use super::steady::Jump;
use super::timing::Timestamp;

/// What to do when a job with the same key is waiting already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnDuplicate {
    /// Leave it; drop the new one.
    Keep,
    /// Move it to the new moment. If it is running, it runs again afterwards.
    Move,
    /// Move it to the new moment if that is earlier. If it is running, it runs again afterwards.
    MoveEarlier,
}

/// A job to be enqueued with the change that makes it necessary.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobOrder {
    /// What.
    pub kind: JobKind,
    /// Unique among jobs that are not finished.
    pub key: String,
    /// Where it waits.
    pub lane: Lane,
    /// Jobs with the same value never run at the same time; for issuers, the account on the target.
    pub serial_key: Option<String>,
    /// Lower first within a lane: private answers, new cards, final cards, history.
    pub rank: i64,
    /// Not before.
    pub run_at: Timestamp,
    /// When its key is taken.
    pub on_duplicate: OnDuplicate,
}

fn holding_key(spec: &Spec) -> String {
    format!("{}|{}", spec.issuer, spec.account.id)
}

impl JobOrder {
    pub(super) fn engine(kind: JobKind, key: String, run_at: Timestamp) -> Self {
        Self {
            kind,
            key,
            lane: Lane::engine(),
            serial_key: None,
            rank: 0,
            run_at,
            on_duplicate: OnDuplicate::Keep,
        }
    }

    pub(super) fn chat(
        kind: JobKind,
        key: String,
        whereto: &str,
        rank: i64,
        run_at: Timestamp,
    ) -> Self {
        Self {
            kind,
            key,
            lane: Lane::chat(whereto),
            serial_key: None,
            rank,
            run_at,
            on_duplicate: OnDuplicate::Keep,
        }
    }

    /// Give access now.
    #[must_use]
    pub fn issue(grant: &GrantId, spec: &Spec, now: Timestamp) -> Self {
        Self {
            kind: JobKind::Issue {
                grant: grant.clone(),
            },
            key: format!("issue:{grant}"),
            lane: Lane::issuer(&spec.issuer),
            serial_key: Some(holding_key(spec)),
            rank: 1,
            run_at: now,
            on_duplicate: OnDuplicate::Keep,
        }
    }

    /// Take access away at the given moment; moves the job that is there.
    #[must_use]
    pub fn revoke(grant: &GrantId, spec: &Spec, at: Timestamp) -> Self {
        Self {
            kind: JobKind::Revoke {
                grant: grant.clone(),
            },
            key: format!("revoke:{grant}"),
            lane: Lane::issuer(&spec.issuer),
            serial_key: Some(holding_key(spec)),
            rank: 0,
            run_at: at,
            on_duplicate: OnDuplicate::Move,
        }
    }

    /// Tell the target the later end of an approved extension.
    #[must_use]
    pub fn extend(request: &RequestId, spec: &Spec, now: Timestamp) -> Self {
        Self {
            kind: JobKind::Extend {
                request: request.clone(),
            },
            key: format!("extend:{request}"),
            lane: Lane::issuer(&spec.issuer),
            serial_key: Some(holding_key(spec)),
            rank: 1,
            run_at: now,
            on_duplicate: OnDuplicate::Keep,
        }
    }

    /// Have the target make a grant's secret anew. One at a time.
    #[must_use]
    pub fn renew_secret(grant: &GrantId, spec: &Spec, to: &AccountId, now: Timestamp) -> Self {
        Self {
            kind: JobKind::RenewSecret {
                grant: grant.clone(),
                account: to.clone(),
            },
            key: format!("renew:{grant}"),
            lane: Lane::issuer(&spec.issuer),
            serial_key: Some(holding_key(spec)),
            rank: 1,
            run_at: now,
            on_duplicate: OnDuplicate::Keep,
        }
    }

    /// Let a request run out.
    #[must_use]
    pub fn expire(request: &RequestId, at: Timestamp) -> Self {
        Self::engine(
            JobKind::ExpireRequest {
                request: request.clone(),
            },
            format!("expire:{request}"),
            at,
        )
    }

    /// Draw the card at this place.
    #[must_use]
    pub fn sync_card(request: &RequestId, place: &Place, rank: i64, now: Timestamp) -> Self {
        Self {
            on_duplicate: OnDuplicate::MoveEarlier,
            ..Self::chat(
                JobKind::SyncCard {
                    request: request.clone(),
                },
                format!("card:{request}"),
                place.as_str(),
                rank,
                now,
            )
        }
    }

    /// Write what happened into the card's thread. After everything else that waits for the place.
    #[must_use]
    pub fn history(request: &RequestId, place: &Place, now: Timestamp) -> Self {
        Self {
            on_duplicate: OnDuplicate::MoveEarlier,
            ..Self::chat(
                JobKind::History {
                    request: request.clone(),
                },
                format!("history:{request}"),
                place.as_str(),
                4,
                now,
            )
        }
    }

    /// Strike out a copy of a card.
    #[must_use]
    pub fn strike_copy(request: &RequestId, copy: &MessageRef, now: Timestamp) -> Self {
        Self::chat(
            JobKind::StrikeCopy {
                request: request.clone(),
                copy: copy.clone(),
            },
            format!("strike:{}:{}", copy.place, copy.message),
            copy.place.as_str(),
            2,
            now,
        )
    }

    /// Tell a channel of security of a stuck revocation.
    #[must_use]
    pub fn tell_stuck(grant: &GrantId, place: &Place, now: Timestamp) -> Self {
        Self::chat(
            JobKind::TellStuck {
                grant: grant.clone(),
                place: place.clone(),
            },
            format!("stuck:{grant}:{place}"),
            place.as_str(),
            0,
            now,
        )
    }

    /// Tell a channel of security that it is no longer stuck.
    #[must_use]
    pub fn tell_healed(grant: &GrantId, place: &Place, now: Timestamp) -> Self {
        Self::chat(
            JobKind::TellHealed {
                grant: grant.clone(),
                place: place.clone(),
            },
            format!("healed:{grant}:{place}"),
            place.as_str(),
            1,
            now,
        )
    }

    /// Tell a channel of security that the machine's clock was set anew.
    #[must_use]
    pub fn tell_clock(jump: &Jump, place: &Place, now: Timestamp) -> Self {
        Self::chat(
            JobKind::TellClock {
                place: place.clone(),
                by_ms: jump.by.num_milliseconds(),
            },
            format!("clock:{}:{place}", jump.at.timestamp_millis()),
            place.as_str(),
            0,
            now,
        )
    }

    /// Tell a channel of security of a card that could not be posted.
    #[must_use]
    pub fn tell_card_lost(request: &RequestId, place: &Place, said: &str, now: Timestamp) -> Self {
        Self::chat(
            JobKind::TellCardLost {
                request: request.clone(),
                place: place.clone(),
                said: said.chars().take(300).collect(),
            },
            format!("cardlost:{request}:{place}"),
            place.as_str(),
            1,
            now,
        )
    }

    /// Tell a channel of security what became of a config.
    #[must_use]
    pub fn tell_policy(news: &PolicyNews, place: &Place, now: Timestamp) -> Self {
        // One config that is taken up may be several pieces of news.
        let of = match news {
            PolicyNews::KeyExchanged(exchange) => exchange.issuer.as_str(),
            PolicyNews::Changed { .. } | PolicyNews::Refused { .. } => "",
        };
        Self::chat(
            JobKind::TellPolicy {
                place: place.clone(),
                news: news.clone(),
            },
            format!("policy:{}:{of}:{place}", now.timestamp_millis()),
            place.as_str(),
            0,
            now,
        )
    }

    /// Tell a channel of security something about the record itself.
    #[must_use]
    pub fn tell_record(news: &RecordNews, place: &Place, now: Timestamp) -> Self {
        let (of, at) = (news.code(), now.timestamp_millis());
        Self::chat(
            JobKind::TellRecord {
                place: place.clone(),
                news: news.clone(),
            },
            format!("record:{of}:{at}:{place}"),
            place.as_str(),
            0,
            now,
        )
    }

    /// Tell a channel of security that somebody's public key changed.
    #[must_use]
    pub fn tell_key(
        place: &Place,
        of: &AccountId,
        by: &AccountId,
        fingerprint: Option<&str>,
        now: Timestamp,
    ) -> Self {
        Self::chat(
            JobKind::TellKey {
                place: place.clone(),
                of: of.clone(),
                by: (by != of).then(|| by.clone()),
                fingerprint: fingerprint.map(str::to_owned),
            },
            format!("key:{of}:{}:{place}", now.timestamp_millis()),
            place.as_str(),
            0,
            now,
        )
    }

    /// Publish at a start.
    #[must_use]
    pub fn publish(issuer: &IssuerName, now: Timestamp) -> Self {
        Self {
            kind: JobKind::Publish {
                issuer: issuer.clone(),
            },
            key: format!("publish:{issuer}"),
            lane: Lane::issuer(issuer),
            serial_key: None,
            rank: -1,
            run_at: now,
            on_duplicate: OnDuplicate::Move,
        }
    }

    /// Look again whether it stands there, not later than this.
    #[must_use]
    pub fn publish_again(issuer: &IssuerName, at: Timestamp) -> Self {
        Self {
            on_duplicate: OnDuplicate::MoveEarlier,
            ..Self::publish(issuer, at)
        }
    }

    /// Make the digest of this scheduled moment; there is one such job at a time.
    #[must_use]
    pub fn digest_due(slot: Timestamp) -> Self {
        Self {
            on_duplicate: OnDuplicate::Move,
            ..Self::engine(JobKind::DigestDue, "digest-due".into(), slot)
        }
    }

    /// Look what of the record is older than it is kept; `anew` moves a look that is ordered already.
    #[must_use]
    pub fn remove_old(at: Timestamp, anew: bool) -> Self {
        Self {
            on_duplicate: if anew {
                OnDuplicate::Move
            } else {
                OnDuplicate::Keep
            },
            ..Self::engine(JobKind::RemoveOld, Self::REMOVE_OLD_KEY.into(), at)
        }
    }

    /// The key of the job that removes old entries of the record.
    pub const REMOVE_OLD_KEY: &'static str = "remove-old";

    /// Tell a channel of security the day.
    #[must_use]
    pub fn digest(digest: i64, place: &Place, now: Timestamp) -> Self {
        Self::chat(
            JobKind::Digest {
                digest,
                place: place.clone(),
            },
            format!("digest:{digest}:{place}"),
            place.as_str(),
            3,
            now,
        )
    }
}
