//! Tells a channel of security the day.

use super::{Effects, ours};
use crate::chat::card::{Digest, Letter, Waiting};
use crate::domain::ids::Place;
use crate::domain::outcome::Outcome;

impl Effects {
    pub(super) async fn digest(&self, number: i64, place: &Place) -> Result<Outcome, Outcome> {
        let facts = self
            .service
            .digest_facts(number)
            .await
            .map_err(|error| ours(&error))?;
        let Some(facts) = facts else {
            return Ok(Outcome::Impossible {
                said: format!("there is no digest {number}"),
            });
        };
        let digest = Digest {
            from: facts.from,
            to: facts.mark.at,
            tally: facts.tally.clone(),
            active_now: facts.active_now,
            pending_now: facts.pending_now,
            longest_waiting: facts.longest_waiting.map(|request| Waiting {
                for_s: (self.service.now() - request.submitted_at).num_seconds(),
                request: request.id,
                resource: request.spec.resource,
                of: request.beneficiary.account,
            }),
            stuck_count: facts.stuck_count,
            stuck_now: facts
                .stuck_now
                .into_iter()
                .map(|grant| {
                    let since = grant.stuck_since.unwrap_or(grant.end_by);
                    let of = grant.beneficiary.account;
                    (grant.id, grant.spec.resource, of, since)
                })
                .collect(),
            head: (facts.mark.to.count, facts.mark.to.hash.0.clone()),
        };
        tracing::info!(audit.head = %facts.mark.to, "digest {number} goes out");
        self.announce(place, &Letter::Digest(Box::new(digest)))
            .await
    }
}
