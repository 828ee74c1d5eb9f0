//! What people ask: read, answered, nothing changed.

use super::queries::{accounts_of, more_time, summary, summary_of};
use super::verdict::Acting;
use super::{Service, ServiceError};
use crate::domain::answer::{
    Answer, DecisionLine, EndLine, Explained, ExtendForm, Home, List, Offer, RequestForm, Status,
    Who,
};
use crate::domain::command::{Draft, ListOf, Query, WantedEnd};
use crate::domain::decision::Decider;
use crate::domain::grant::{Grant, GrantState};
use crate::domain::ids::{AccountId, RequestId, ResourceName};
use crate::domain::person::Identity;
use crate::domain::refusal::Refusal;
use crate::domain::request::Request;
use crate::domain::timing::{Timestamp, seconds};
use crate::policy::model::Resource;
use crate::policy::{Policy, cap, evaluate};
use crate::store::{Reads, StoreError};

/// Lines of each part of a list.
const LIST_MAX: usize = 20;

/// Open requests that are looked through for those that one person can decide.
const LOOKED_THROUGH: i64 = 1_000;

/// One person who asks, and the moment.
struct Asker<'a> {
    policy: &'a Policy,
    identity: &'a Identity,
    now: Timestamp,
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
        let asker = Asker {
            policy: &acting.policy,
            identity: &acting.identity,
            now: self.store.now(),
        };
        let mut reader = self.store.reader().await?;
        let reader = &mut *reader;
        Ok(match query {
            Query::Help => Answer::Help(evaluate::askable(asker.policy, asker.identity, asker.now)),
            Query::Key => Answer::Key(super::keys::known(asker.policy, asker.identity, asker.now)),
            Query::Home => Answer::Home(Box::new(asker.home(reader).await?)),
            Query::Resources => Answer::Resources(asker.offers()),
            Query::List(of) => match asker.list(reader, of).await? {
                Some(list) => Answer::List(list),
                None => Answer::Refused(Refusal::OnlySecurity),
            },
            Query::Status(id) => match asker.visible(reader, &id).await? {
                None => Answer::Refused(Refusal::NotFound { reference: id }),
                Some(request) => {
                    Answer::Status(Box::new(status(reader, asker.policy, request).await?))
                }
            },
            Query::Who(typed) => asker.who(reader, &typed).await?,
            Query::Explain { resource, end } => asker.explain(&resource, end),
            Query::RequestForm(draft) => asker.request_form(draft),
            Query::ExtendForm(id) => asker.extend_form(reader, id).await?,
        })
    }
}

impl Service {
    /// Everything that is one person's now; none for a stranger.
    ///
    /// # Errors
    /// When the store can't be read.
    pub async fn home(&self, account: &AccountId) -> Result<Option<Home>, ServiceError> {
        let policy = self.policy();
        let community = format!("{}:{}", account.platform(), account.community());
        if !policy.communities.contains(&community) {
            return Ok(None);
        }
        let identity = policy.identify(account);
        let mut reader = self.store.reader().await?;
        let about = policy.accounts_of(&identity);
        let policy = policy.knowing(reader.known(&about).await?);
        let asker = Asker {
            policy: &policy,
            identity: &identity,
            now: self.store.now(),
        };
        Ok(Some(asker.home(&mut *reader).await?))
    }
}

impl Asker<'_> {
    fn offer(&self, resource: &Resource) -> Offer {
        Offer {
            resource: resource.name.clone(),
            title: resource.title.clone(),
            project: resource.project.clone(),
            action: resource.action.clone(),
            risk: resource.risk,
            default_s: resource.default_s,
            max_s: resource.max_s,
            approvals: resource.approve.count,
            approvers: resource.approve.from.clone(),
            account_missing: !evaluate::has_account(self.policy, resource, self.identity),
            by_rule_up_to_s: evaluate::by_rule_up_to(
                self.policy,
                resource,
                self.identity,
                self.now,
            ),
        }
    }

    fn offers(&self) -> Vec<Offer> {
        evaluate::askable(self.policy, self.identity, self.now)
            .iter()
            .filter_map(|name| self.policy.resources.get(name))
            .map(|resource| self.offer(resource))
            .collect()
    }

    async fn visible(
        &self,
        reads: &mut dyn Reads,
        id: &RequestId,
    ) -> Result<Option<Request>, StoreError> {
        let request = reads.request(id).await?;
        Ok(request.filter(|r| evaluate::may_see(self.policy, r, self.identity, self.now)))
    }

    /// None where it is not for this person.
    async fn list(&self, reads: &mut dyn Reads, of: ListOf) -> Result<Option<List>, StoreError> {
        let limit = i64::try_from(LIST_MAX).unwrap_or(i64::MAX);
        let mut list = List {
            of,
            live: Vec::new(),
            open: Vec::new(),
            more: false,
        };
        match of {
            ListOf::Mine => {
                let accounts = accounts_of(self.policy, self.identity);
                for request in reads.live_requests_of(&accounts, 2 * limit + 1).await? {
                    let line = summary(reads, self.policy, &request).await?;
                    if request.state.is_open() {
                        list.open.push(line);
                    } else {
                        list.live.push(line);
                    }
                }
            }
            ListOf::Waiting => {
                for request in reads.pending_requests(LOOKED_THROUGH).await? {
                    let mine = evaluate::may_decide(self.policy, &request, self.identity, self.now);
                    if mine.is_err() || voted(reads, &request, self.identity).await? {
                        continue;
                    }
                    list.open.push(summary(reads, self.policy, &request).await?);
                    if list.open.len() > LIST_MAX {
                        break;
                    }
                }
            }
            ListOf::All => {
                if !evaluate::is_security(self.policy, self.identity, self.now) {
                    return Ok(None);
                }
                use GrantState as S;
                let live = [
                    S::Stuck,
                    S::Unknown,
                    S::Revoking,
                    S::Issuing,
                    S::Scheduled,
                    S::Active,
                ];
                for grant in reads.grants_in(&live, limit + 1).await? {
                    if let Some(request) = reads.request(&grant.id.request()).await? {
                        list.live
                            .push(summary_of(self.policy, &request, Some(&grant)));
                    }
                }
                for request in reads.pending_requests(limit + 1).await? {
                    list.open.push(summary(reads, self.policy, &request).await?);
                }
            }
        }
        list.live.sort_by_key(|line| line.deadline);
        list.open.sort_by_key(|line| line.pending_until);
        list.more = list.live.len() > LIST_MAX || list.open.len() > LIST_MAX;
        list.live.truncate(LIST_MAX);
        list.open.truncate(LIST_MAX);
        Ok(Some(list))
    }

    async fn home(&self, reads: &mut dyn Reads) -> Result<Home, StoreError> {
        let nothing = |of| List {
            of,
            live: Vec::new(),
            open: Vec::new(),
            more: false,
        };
        Ok(Home {
            mine: self
                .list(reads, ListOf::Mine)
                .await?
                .unwrap_or_else(|| nothing(ListOf::Mine)),
            waiting: self
                .list(reads, ListOf::Waiting)
                .await?
                .unwrap_or_else(|| nothing(ListOf::Waiting)),
            offers: self.offers(),
            at: self.now,
        })
    }

    async fn who(&self, reads: &mut dyn Reads, typed: &str) -> Result<Answer, StoreError> {
        let resource = match evaluate::find(self.policy, self.identity, typed, self.now) {
            Ok(resource) => resource,
            Err(refusal) => return Ok(Answer::Refused(refusal)),
        };
        let decides = evaluate::is_security(self.policy, self.identity, self.now)
            || evaluate::is_approver(self.policy, resource, self.identity, self.now);
        let may_ask = evaluate::may_ask(self.policy, resource, self.identity, self.now);
        if let (false, Err(refusal)) = (decides, may_ask) {
            return Ok(Answer::Refused(refusal));
        }
        let holders = if decides {
            let limit = i64::try_from(LIST_MAX).unwrap_or(i64::MAX);
            let held = reads.live_grants_for(&resource.name, limit).await?;
            Some(
                held.into_iter()
                    .map(|grant| (grant.beneficiary.account, grant.deadline))
                    .collect(),
            )
        } else {
            None
        };
        Ok(Answer::Who(Box::new(Who {
            offer: self.offer(resource),
            requesters: resource.request.clone(),
            holders,
        })))
    }

    fn explain(&self, typed: &str, end: WantedEnd) -> Answer {
        let allowed = match evaluate::submission(self.policy, self.identity, typed, end, self.now) {
            Ok(allowed) => allowed,
            Err(refusal) => return Answer::Refused(refusal),
        };
        let Some(resource) = self.policy.resources.get(&allowed.spec.resource) else {
            return Answer::Refused(Refusal::NoLongerAllowed);
        };
        Answer::Explained(Box::new(Explained {
            offer: self.offer(resource),
            duration_s: allowed.spec.duration_s,
            asked_under: allowed.asked_under,
            approved_under: allowed.approved_under.map(|by| by.rule),
        }))
    }

    fn request_form(&self, draft: Draft) -> Answer {
        // A name that can't be asked for is refused now, with the nearest that can.
        if let Some(typed) = &draft.resource {
            let found = evaluate::find(self.policy, self.identity, typed, self.now)
                .and_then(|it| evaluate::may_ask(self.policy, it, self.identity, self.now));
            if let Err(refusal) = found {
                return Answer::Refused(refusal);
            }
        }
        let offers = self.offers();
        if offers.is_empty() {
            return Answer::Resources(offers);
        }
        Answer::RequestForm(Box::new(RequestForm {
            offers,
            resource: draft.resource.and_then(|it| ResourceName::new(it).ok()),
            end: draft.end,
            reason: draft.reason,
        }))
    }

    async fn extend_form(
        &self,
        reads: &mut dyn Reads,
        id: RequestId,
    ) -> Result<Answer, StoreError> {
        let Some(request) = self.visible(reads, &id).await? else {
            return Ok(Answer::Refused(Refusal::NotFound { reference: id }));
        };
        if !self.identity.is_same_as(&request.beneficiary) {
            return Ok(Answer::Refused(Refusal::NotYours));
        }
        let grant = reads.grant(&request.about_grant()).await?;
        let state = grant.as_ref().map(|grant| grant.state);
        let live = grant.filter(|grant| grant.state == GrantState::Active);
        let resource = self.policy.resources.get(&request.spec.resource);
        let (Some(grant), Some(resource)) = (live, resource) else {
            return Ok(Answer::Refused(Refusal::NothingToExtend {
                reference: id,
                state,
            }));
        };
        Ok(self.more_time(&request, &grant, resource))
    }

    fn more_time(&self, request: &Request, grant: &Grant, resource: &Resource) -> Answer {
        let (began, ends) = cap::stretch(grant);
        let latest = began + seconds(resource.max_s);
        let room_s = (latest - ends).num_seconds();
        if room_s <= 0 {
            return Answer::Refused(Refusal::TooLongInAll {
                asked_s: (ends - began).num_seconds(),
                max_s: resource.max_s,
                latest,
            });
        }
        Answer::ExtendForm(Box::new(ExtendForm {
            summary: summary_of(self.policy, request, Some(grant)),
            propose_s: resource.default_s.min(room_s),
            latest,
        }))
    }
}

/// Whether this person approved it already; one of several approvals that it needs.
async fn voted(
    reads: &mut dyn Reads,
    request: &Request,
    identity: &Identity,
) -> Result<bool, StoreError> {
    Ok(reads
        .decisions(&request.id)
        .await?
        .iter()
        .any(|decision| match &decision.decider {
            Decider::Person { identity: by, .. } => by.is_same_as(identity),
            Decider::Rule => false,
        }))
}

async fn status(
    reads: &mut dyn Reads,
    policy: &Policy,
    request: Request,
) -> Result<Status, StoreError> {
    let grant = reads.grant(&request.about_grant()).await?;
    let decisions = reads.decisions(&request.id).await?;
    Ok(Status {
        more_time: more_time(reads, &request).await?,
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
                why: decision.why,
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
