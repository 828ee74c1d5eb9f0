//! From facts to what a card shows.

use super::{Effects, ours};
use crate::chat::card::{Card, CardDecision, CardExtension, CardGrant, HowItEnds, Notable};
use crate::domain::decision::Decider;
use crate::domain::ids::RequestId;
use crate::domain::outcome::Outcome;
use crate::issuer::{EarlyEnd, NativeExpiry};
use crate::service::CardFacts;

impl Effects {
    /// The facts of a request, and the card that they make.
    pub(super) async fn card(&self, id: &RequestId) -> Result<(CardFacts, Card), Outcome> {
        let facts = self
            .service
            .card_facts(id)
            .await
            .map_err(|error| ours(&error))?
            .ok_or_else(|| Outcome::Impossible {
                said: format!("there is no request {id}"),
            })?;
        let card = self.describe(&facts);
        Ok((facts, card))
    }

    fn describe(&self, facts: &CardFacts) -> Card {
        let request = &facts.request;
        let approvals = facts.decisions.iter().filter(|d| d.approve).count();
        let given = i64::try_from(approvals).unwrap_or(i64::MAX);
        let mut notable = Vec::new();
        if facts.first_time {
            notable.push(Notable::FirstTime);
        }
        if let Some(until) = facts.holds_same {
            notable.push(Notable::HoldsSame(until));
        }
        let others = facts.holds_others - i64::from(facts.holds_same.is_some());
        if others > 0 {
            notable.push(Notable::HoldsOthers(others));
        }
        let issuer = self.issuers.get(&request.spec.issuer);
        if issuer.is_some_and(|issuer| issuer.capabilities().makes_secret) {
            notable.push(Notable::MakesSecret);
        }
        if let Some(given_at) = request.spec.account.given_at {
            notable.push(Notable::KeyFromChat {
                fingerprint: request.spec.account.id.clone(),
                given_at,
            });
        }
        let beneficiary = (!request.beneficiary.is_same_as(&request.requester))
            .then(|| request.beneficiary.account.clone());
        Card {
            id: request.id.clone(),
            version: request.version,
            requester: request.requester.account.clone(),
            beneficiary,
            resource: request.spec.resource.clone(),
            title: request.spec.title.clone(),
            project: request.spec.project.clone(),
            action: request.spec.action.clone(),
            target: request.spec.target.clone(),
            entitlements: request.spec.entitlements.clone(),
            risk: request.spec.risk,
            duration_s: request.spec.duration_s,
            reason: request.reason.clone(),
            how_it_ends: self.how_it_ends(facts),
            notable,
            state: request.state,
            approvals_missing: (request.approvals_needed - given).max(0),
            approvers: facts.approvers.clone(),
            submitted_at: request.submitted_at,
            pending_until: request.pending_until,
            decisions: facts
                .decisions
                .iter()
                .map(|decision| CardDecision {
                    by: match &decision.decider {
                        Decider::Person { identity, .. } => Some(identity.account.clone()),
                        Decider::Rule => None,
                    },
                    approved: decision.approve,
                    why: decision.why.clone(),
                    at: decision.at,
                })
                .collect(),
            extends: request.extends.as_ref().map(|extension| CardExtension {
                from: extension.from,
                until: request.spec.until.unwrap_or(extension.from),
                state: extension.state,
            }),
            more_time: facts.more_time.clone(),
            more_time_asked: facts.more_time_asked.clone(),
            grant: facts.grant.as_ref().map(|grant| CardGrant {
                id: grant.id.clone(),
                state: grant.state,
                deadline: grant.deadline,
                reason: grant.ending.as_ref().map(|ending| ending.reason),
                by: grant
                    .ending
                    .as_ref()
                    .and_then(|ending| ending.by.as_ref())
                    .map(|by| by.account.clone()),
                why: grant.ending.as_ref().and_then(|ending| ending.why.clone()),
                ended_at: grant.ended_at,
                evidence: grant.evidence,
                stuck_since: grant.stuck_since,
            }),
        }
    }

    fn how_it_ends(&self, facts: &CardFacts) -> HowItEnds {
        match self.issuers.get(&facts.request.spec.issuer) {
            Some(issuer) => {
                let can = issuer.capabilities();
                HowItEnds {
                    enforced_by_target: can.native_expiry == NativeExpiry::Enforced,
                    can_end_early: can.early_end != EarlyEnd::Impossible,
                    // Of an end by itself this is said by `enforced_by_target`.
                    can_be_seen: can.early_end == EarlyEnd::Seen,
                    sessions_outlive: can.sessions_outlive,
                }
            }
            // An issuer that the config no longer has: promise nothing.
            None => HowItEnds {
                enforced_by_target: false,
                can_end_early: false,
                can_be_seen: false,
                sessions_outlive: true,
            },
        }
    }
}
