//! What people and effects may know.

use super::verdict::Acting;
use super::{Service, ServiceError};
use crate::domain::answer::{Answer, DecisionLine, EndLine, Status, Summary};
use crate::domain::audit::AuditEntry;
use crate::domain::command::{MessageRef, Query};
use crate::domain::decision::{Decider, Decision};
use crate::domain::grant::Grant;
use crate::domain::ids::{AccountId, GrantId, IssuerName, RequestId};
use crate::domain::person::{Identity, Subject};
use crate::domain::refusal::Refusal;
use crate::domain::request::Request;
use crate::domain::tally::Tally;
use crate::domain::timing::Timestamp;
use crate::policy::{Policy, evaluate};
use crate::store::{DigestMark, Reads, StoreError};

/// Lines that a list shows at most.
const LIST_MAX: i64 = 20;

/// Everything that a card, or a letter about a request, shows.
#[derive(Debug, Clone)]
pub struct CardFacts {
    /// The request.
    pub request: Request,
    /// Its grant.
    pub grant: Option<Grant>,
    /// Decisions, oldest first.
    pub decisions: Vec<Decision>,
    /// Where the card stands.
    pub card: Option<MessageRef>,
    /// Groups that may decide.
    pub approvers: Vec<Subject>,
    /// This person never asked for this before.
    pub first_time: bool,
    /// Other accesses of this person that are live.
    pub holds_others: i64,
}

/// Everything about a digest that is not counted from the record.
#[derive(Debug, Clone)]
pub struct DigestFacts {
    /// What it covers.
    pub mark: DigestMark,
    /// When the first entry that it covers was made.
    pub from: Timestamp,
    /// The entries that it covers, counted.
    pub tally: Tally,
    /// Live grants now.
    pub active_now: i64,
    /// Requests waiting now.
    pub pending_now: i64,
    /// The request that has been waiting the longest.
    pub longest_waiting: Option<Request>,
    /// How many grants are stuck now.
    pub stuck_count: i64,
    /// The first of them.
    pub stuck_now: Vec<Grant>,
}

/// The accounts of a person.
pub(super) fn accounts_of(policy: &Policy, identity: &Identity) -> Vec<AccountId> {
    let linked = identity
        .person
        .as_ref()
        .and_then(|name| policy.people.get(name))
        .map(|person| person.accounts.clone())
        .unwrap_or_default();
    let mut accounts = vec![identity.account.clone()];
    accounts.extend(linked.into_iter().filter(|a| *a != identity.account));
    accounts
}

pub(super) fn approvers_of(policy: &Policy, request: &Request) -> Vec<Subject> {
    policy
        .resources
        .get(&request.spec.resource)
        .map(|resource| resource.approve.from.clone())
        .unwrap_or_default()
}

pub(super) fn summary_of(policy: &Policy, request: &Request, grant: Option<&Grant>) -> Summary {
    Summary {
        id: request.id.clone(),
        resource: request.spec.resource.clone(),
        title: request.spec.title.clone(),
        state: request.state,
        grant: grant.map(|grant| grant.state),
        duration_s: request.spec.duration_s,
        pending_until: request.pending_until,
        deadline: grant.and_then(|grant| grant.deadline),
        card_place: request.card_place.clone(),
        approvers: approvers_of(policy, request),
    }
}

pub(super) async fn summary(
    reads: &mut dyn Reads,
    policy: &Policy,
    request: &Request,
) -> Result<Summary, StoreError> {
    let grant = reads.grant(&request.id.grant()).await?;
    Ok(summary_of(policy, request, grant.as_ref()))
}

impl Service {
    pub(super) async fn answer(
        &self,
        acting: &Acting,
        query: Query,
    ) -> Result<Answer, ServiceError> {
        let actor = &acting.inbound.actor;
        let community = format!("{}:{}", actor.platform(), actor.community());
        if !acting.policy.communities.contains(&community) {
            return Ok(Answer::Refused(Refusal::ForeignCommunity));
        }
        let policy = &acting.policy;
        let mut reader = self.store.reader().await?;
        let now = self.store.now();
        Ok(match query {
            Query::Help => Answer::Help(evaluate::askable(policy, &acting.identity, now)),
            Query::ListMine => {
                let accounts = accounts_of(policy, &acting.identity);
                let mut lines = Vec::new();
                for request in reader.live_requests_of(&accounts, LIST_MAX).await? {
                    lines.push(summary(&mut *reader, policy, &request).await?);
                }
                Answer::List(lines)
            }
            Query::Status(id) => {
                let request = reader
                    .request(&id)
                    .await?
                    .filter(|r| evaluate::may_see(policy, r, &acting.identity, now));
                match request {
                    None => Answer::Refused(Refusal::NotFound { reference: id }),
                    Some(request) => {
                        Answer::Status(Box::new(status(&mut *reader, policy, request).await?))
                    }
                }
            }
        })
    }

    /// What a card or letter about this request shows.
    ///
    /// # Errors
    /// When the store can't be read.
    pub async fn card_facts(&self, id: &RequestId) -> Result<Option<CardFacts>, ServiceError> {
        let policy = self.policy();
        let mut reader = self.store.reader().await?;
        let Some(request) = reader.request(id).await? else {
            return Ok(None);
        };
        let accounts = accounts_of(&policy, &request.beneficiary);
        let earlier = reader
            .count_earlier(&accounts, &request.spec.resource, id)
            .await?;
        Ok(Some(CardFacts {
            grant: reader.grant(&id.grant()).await?,
            decisions: reader.decisions(id).await?,
            card: reader.card(id).await?,
            approvers: approvers_of(&policy, &request),
            first_time: earlier == 0,
            holds_others: reader.count_live_grants(&accounts, &id.grant()).await?,
            request,
        }))
    }

    /// What the last attempt to take this access away was told.
    ///
    /// # Errors
    /// When the store can't be read.
    pub async fn last_revoke_error(&self, id: &GrantId) -> Result<Option<String>, ServiceError> {
        let mut reader = self.store.reader().await?;
        Ok(reader.job_error(&format!("revoke:{id}")).await?)
    }

    /// Grants of an issuer whose end was ordered and whose native deadline is after this moment.
    ///
    /// # Errors
    /// When the store can't be read.
    pub async fn ended_before_native_deadline(
        &self,
        issuer: &IssuerName,
        machine_now: Timestamp,
    ) -> Result<Vec<Grant>, ServiceError> {
        let mut reader = self.store.reader().await?;
        Ok(reader
            .ended_before_native_deadline(issuer, machine_now)
            .await?)
    }

    /// What a digest tells.
    ///
    /// # Errors
    /// When the store can't be read.
    pub async fn digest_facts(&self, number: i64) -> Result<Option<DigestFacts>, ServiceError> {
        let mut reader = self.store.reader().await?;
        let Some(mark) = reader.digest(number).await? else {
            return Ok(None);
        };
        // Page by page: a day may have more entries than fit into memory.
        let mut tally = Tally::default();
        let mut from = None;
        let mut after = mark.from_seq;
        while after < mark.to.count {
            let page = reader
                .audit_after(after, (mark.to.count - after).min(1000))
                .await?;
            let Some(last) = page.last() else { break };
            after = last.seq;
            from = from.or_else(|| page.first().and_then(AuditEntry::at));
            page.iter().for_each(|entry| tally.count(entry));
        }
        use crate::domain::grant::GrantState as S;
        Ok(Some(DigestFacts {
            active_now: reader
                .count_grants_in(&[S::Issuing, S::Active, S::Unknown, S::Revoking, S::Stuck])
                .await?,
            pending_now: reader
                .count_requests_in(crate::domain::request::RequestState::Pending)
                .await?,
            longest_waiting: reader.longest_waiting().await?,
            stuck_count: reader.count_grants_in(&[S::Stuck]).await?,
            stuck_now: reader.grants_in(&[S::Stuck], LIST_MAX).await?,
            from: from.unwrap_or(mark.at),
            tally,
            mark,
        }))
    }
}

async fn status(
    reads: &mut dyn Reads,
    policy: &Policy,
    request: Request,
) -> Result<Status, StoreError> {
    let grant = reads.grant(&request.id.grant()).await?;
    let decisions = reads.decisions(&request.id).await?;
    Ok(Status {
        summary: summary_of(policy, &request, grant.as_ref()),
        requester: request.requester.account,
        project: request.spec.project,
        action: request.spec.action,
        risk: request.spec.risk,
        reason: request.reason,
        submitted_at: request.submitted_at,
        decisions: decisions
            .into_iter()
            .map(|decision| DecisionLine {
                approved: decision.approve,
                by: match decision.decider {
                    Decider::Person { identity, .. } => Some(identity.account),
                    Decider::Rule => None,
                },
                rules: decision.rules,
                at: decision.at,
            })
            .collect(),
        end: grant.map(|grant| EndLine {
            grant: grant.id,
            reason: grant.ending.as_ref().map(|ending| ending.reason),
            by: grant
                .ending
                .as_ref()
                .and_then(|ending| ending.by.as_ref())
                .map(|by| by.account.clone()),
            why: grant.ending.and_then(|ending| ending.why),
            ended_at: grant.ended_at,
            evidence: grant.evidence,
            stuck_since: grant.stuck_since,
        }),
    })
}
