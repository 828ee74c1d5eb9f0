//! What jobs do outside: one file a job. While the bot runs, the only caller of chat and
//! issuers.
//!
//! An effect loads what is true now through `service`, calls outside, and returns an [`Outcome`];
//! `service` records it. Nothing here opens a transaction or decides anything.

mod answer_press;
mod counted;
mod describe;
mod digest;
mod extend;
mod history;
mod home;
mod issue;
mod letters;
mod places;
mod publish;
mod refresh_facts;
mod renew;
mod revoke;
mod secrets_in_hand;
mod security;
mod strike_copy;
mod sync_card;

pub mod ended_grants;

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;

use self::secrets_in_hand::SecretsInHand;
use crate::chat::port::{Outbox, PostError};
use crate::directory::DirectorySource;
use crate::domain::ids::{AccountId, IssuerName, Place};
use crate::domain::job::{Job, JobKind};
use crate::domain::outcome::{Outcome, PlaceTrouble};
use crate::issuer::{Issuer, Registry};
use crate::metrics::Metrics;
use crate::service::Service;
use crate::worker::Handler;

/// Everything that effects reach.
#[derive(Clone)]
pub struct Effects {
    service: Arc<Service>,
    /// By platform, e.g. `slack`.
    outboxes: BTreeMap<&'static str, Arc<dyn Outbox>>,
    /// By platform too.
    directories: BTreeMap<&'static str, Arc<dyn DirectorySource>>,
    /// Whom messages to channels of security are told instead.
    privately: Option<AccountId>,
    issuers: Arc<Registry>,
    metrics: Arc<Metrics>,
    secrets: SecretsInHand,
}

impl Effects {
    /// Over this service, these platforms and these issuers.
    #[must_use]
    pub fn new(
        service: Arc<Service>,
        outboxes: Vec<Arc<dyn Outbox>>,
        issuers: Arc<Registry>,
    ) -> Self {
        Self {
            service,
            outboxes: outboxes
                .into_iter()
                .map(|outbox| (outbox.platform(), outbox))
                .collect(),
            issuers,
            directories: BTreeMap::new(),
            privately: None,
            metrics: Arc::default(),
            secrets: SecretsInHand::default(),
        }
    }

    /// With what is counted.
    #[must_use]
    pub fn counting(mut self, metrics: Arc<Metrics>) -> Self {
        for outbox in self.outboxes.values_mut() {
            metrics.serves(outbox.platform());
            *outbox = Arc::new(counted::Counted {
                outbox: outbox.clone(),
                metrics: metrics.clone(),
            });
        }
        self.metrics = metrics;
        self
    }

    /// With these directories.
    #[must_use]
    pub fn with_directories(mut self, sources: Vec<Arc<dyn DirectorySource>>) -> Self {
        self.directories = sources
            .into_iter()
            .map(|source| (source.platform(), source))
            .collect();
        self
    }

    /// How many secrets were made and are still to be sent.
    #[must_use]
    pub fn secrets_in_hand(&self) -> usize {
        self.secrets.count()
    }

    fn outbox(&self, platform: &str) -> Result<&Arc<dyn Outbox>, Outcome> {
        self.outboxes
            .get(platform)
            .ok_or_else(|| Outcome::Impossible {
                said: format!("the config has no {platform}"),
            })
    }

    fn issuer(&self, name: &IssuerName) -> Result<Arc<dyn Issuer>, Outcome> {
        // Retried, not given up: the issuer may come back with the next config.
        self.issuers.get(name).ok_or_else(|| Outcome::Retry {
            said: format!("the config has no issuer `{name}`; put it back, marked `retired`"),
            after_s: None,
            pause_lane: false,
        })
    }
}

#[async_trait]
impl Handler for Effects {
    async fn run(&self, job: &Job) -> Outcome {
        if let Some(outcome) = self.not_for_there(&job.kind) {
            return outcome;
        }
        let outcome = match &job.kind {
            JobKind::Issue { grant } => self.issue(job, grant).await,
            JobKind::Extend { request } => self.extend(job, request).await,
            JobKind::Revoke { grant } => self.revoke(job, grant).await,
            JobKind::ExpireRequest { .. }
            | JobKind::DigestDue
            | JobKind::RemoveOld
            | JobKind::DecideChecked { .. }
            | JobKind::CheckHolder { .. } => Ok(Outcome::Due),
            JobKind::RefreshFacts { platform } => self.refresh_facts(platform).await,
            JobKind::NotifyRefused { request, refusal } => {
                self.notify_refused(request, refusal).await
            }
            JobKind::TellLeft {
                place,
                account,
                why,
                grants,
            } => self.tell_left(place, account, *why, grants).await,
            JobKind::TellGroup { place, group, news } => self.tell_group(place, group, news).await,
            JobKind::TellDirectoryFails {
                place,
                platform,
                said,
            } => self.tell_directory_fails(place, platform, said).await,
            JobKind::TellDirectoryAnswers { place, platform } => {
                self.tell_directory_answers(place, platform).await
            }
            JobKind::Publish { issuer } => self.publish(issuer).await,
            JobKind::SyncCard { request } => self.sync_card(job, request).await,
            JobKind::StrikeCopy { request, copy } => self.strike_copy(request, copy).await,
            JobKind::NotifyDecided { request } => self.notify_decided(request).await,
            JobKind::NotifyReady { grant } => self.notify_ready(grant).await,
            JobKind::SendAgain { grant, account } => self.send_again(grant, account).await,
            JobKind::RenewSecret { grant, .. } => self.renew_secret(job, grant).await,
            JobKind::NotifyNotRenewed { grant, account } => {
                self.notify_not_renewed(grant, account).await
            }
            JobKind::SyncReminder { grant, on } => self.sync_reminder(grant, on).await,
            JobKind::NotifyExtended { request } => self.notify_extended(request).await,
            JobKind::NotifyNotExtended { request } => self.notify_not_extended(request).await,
            JobKind::Remind { grant, .. } => self.remind(grant).await,
            JobKind::NotifyEnded { grant } => self.notify_ended(grant).await,
            JobKind::SyncHome { account } => self.sync_home(account).await,
            JobKind::History { request } => self.history(request).await,
            JobKind::AnswerPress {
                place,
                account,
                answer,
            } => self.answer_press(place, account, answer).await,
            JobKind::TellStuck { grant, place } => self.tell_stuck(grant, place).await,
            JobKind::TellClock { place, by_ms } => self.tell_clock(place, *by_ms).await,
            JobKind::TellPolicy { place, news } => self.tell_policy(place, news).await,
            JobKind::TellRecord { place, news } => self.tell_record(place, news).await,
            JobKind::TellKey {
                place,
                of,
                by,
                fingerprint,
            } => {
                self.tell_key(place, of, by.as_ref(), fingerprint.as_ref())
                    .await
            }
            JobKind::NotifyKey {
                account,
                by,
                fingerprint,
            } => self.notify_key(account, by, fingerprint.as_ref()).await,
            JobKind::TellHealed { grant, place } => self.tell_healed(grant, place).await,
            JobKind::TellCardLost {
                request,
                place,
                said,
            } => self.tell_card_lost(request, place, said).await,
            JobKind::TellPlaceLost { lost, place, said } => {
                self.tell_place_lost(lost, place, said).await
            }
            JobKind::TellPlaceBack { back, place } => self.tell_place_back(back, place).await,
            JobKind::Privately { account, message } => self.privately(job, account, message).await,
            JobKind::OnceBack { message } => self.once_back(job, message).await,
            JobKind::WatchPlace { place, shows, .. } => self.watch_place(place, *shows).await,
            JobKind::LookAtPlaces => self.look_at_places().await,
            JobKind::NotifyWhere { request } => self.notify_where(request).await,
            JobKind::Digest { digest, place } => self.digest(*digest, place).await,
        };
        outcome.unwrap_or_else(|outcome| outcome)
    }
}

/// A failure of ours or of the store's, as an outcome: tried again.
fn ours(error: &impl std::fmt::Display) -> Outcome {
    Outcome::Retry {
        said: error.to_string(),
        after_s: None,
        pause_lane: false,
    }
}

/// A platform's failure, as an outcome.
fn post_failed(error: PostError) -> Outcome {
    match error {
        PostError::RateLimited { after_s } => Outcome::Retry {
            said: format!("rate limited for {after_s} s"),
            after_s: Some(after_s),
            pause_lane: true,
        },
        // Where nobody knows whether it was posted: cards look for it first; a letter told twice is
        // better than one never told.
        PostError::Retry { said } | PostError::Unknown { said } => Outcome::Retry {
            said,
            after_s: None,
            pause_lane: false,
        },
        PostError::NoPlace { said, .. } | PostError::Permanent { said } => {
            Outcome::Impossible { said }
        }
    }
}

/// A platform's failure to post to this channel, as an outcome.
fn post_failed_at(place: &Place) -> impl Fn(PostError) -> Outcome {
    move |error| match error {
        PostError::NoPlace { said, shows } => Outcome::PlaceLost(PlaceTrouble {
            place: place.clone(),
            said,
            shows,
        }),
        other => post_failed(other),
    }
}
