//! What effects and answers show.

use super::{Service, ServiceError};
use crate::domain::answer::Summary;
use crate::domain::audit::AuditEntry;
use crate::domain::command::MessageRef;
use crate::domain::decision::Decision;
use crate::domain::grant::Grant;
use crate::domain::happened::Happened;
use crate::domain::ids::{AccountId, GrantId, IssuerName, RequestId};
use crate::domain::job::JobKind;
use crate::domain::person::{Identity, Subject};
use crate::domain::place_orders::watch_key;
use crate::domain::request::Request;
use crate::domain::tally::Tally;
use crate::domain::timing::Timestamp;
use crate::policy::Policy;
use crate::store::{DigestMark, Reads, StoreError};

/// Lines that a list shows at most.
const LIST_MAX: i64 = 20;

/// Entries of the record that one message into a thread tells at most.
const HISTORY_MAX: usize = 40;

/// Entries that are looked through at once for those that a thread tells.
const HISTORY_PAGE: i64 = 200;

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
    /// The channel of the card that stands is lost, and looking at it shows when it is back.
    pub card_waits: bool,
    /// Groups that may decide.
    pub approvers: Vec<Subject>,
    /// This person never asked for this before.
    pub first_time: bool,
    /// Other accesses of this person that are live.
    pub holds_others: i64,
    /// When the last of those ends that is the same as this would be.
    pub holds_same: Option<Timestamp>,
    /// The latest open request for more time of its access, and the end that it asks for.
    pub more_time_asked: Option<(RequestId, Timestamp)>,
    /// More time that its access was given: what asked for it, and until when.
    pub more_time: Vec<(RequestId, Timestamp)>,
}

/// What happened that a card's thread does not say yet.
#[derive(Debug, Clone)]
pub struct Unwritten {
    /// The card.
    pub card: MessageRef,
    /// What is to be written; it may be that nothing is.
    pub happened: Vec<Happened>,
    /// Up to which entry of the record this goes.
    pub upto: i64,
    /// Its channel is lost, and looking at it shows when it is back.
    pub waits: bool,
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
    policy.accounts_of(identity)
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
        requester: Some(request.requester.account.clone()),
        extends: request
            .extends
            .as_ref()
            .and_then(|extension| Some((extension.from, request.spec.until?))),
    }
}

pub(super) async fn summary(
    reads: &mut dyn Reads,
    policy: &Policy,
    request: &Request,
) -> Result<Summary, StoreError> {
    let grant = reads.grant(&request.about_grant()).await?;
    Ok(summary_of(policy, request, grant.as_ref()))
}

/// More time that the access of this request was given; none for one that asked for more time itself.
pub(super) async fn more_time(
    reads: &mut dyn Reads,
    request: &Request,
) -> Result<Vec<(RequestId, Timestamp)>, StoreError> {
    if request.extends.is_some() {
        return Ok(Vec::new());
    }
    let given = reads.given_extensions(&request.about_grant()).await?;
    Ok(given_until(given))
}

fn given_until(extensions: Vec<Request>) -> Vec<(RequestId, Timestamp)> {
    extensions
        .into_iter()
        .filter_map(|more| Some((more.id, more.spec.until?)))
        .collect()
}

/// Whether what is for a channel that is watched by this waits until it is seen to be back.
const fn waits(watch: Option<&JobKind>) -> bool {
    matches!(watch, Some(JobKind::WatchPlace { shows: true, .. }))
}

impl Service {
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
        let around = reader
            .surroundings(&request, &accounts, self.store.now())
            .await?;
        let extends = request.extends.is_some();
        let more_time_asked = around
            .open_extensions
            .into_iter()
            .next_back()
            .filter(|_| !extends)
            .and_then(|open| Some((open.id, open.spec.until?)));
        let own = request.about_grant();
        let holds_same = around
            .on_holdings
            .into_iter()
            .filter(|grant| grant.id != own && !grant.state.is_over())
            .filter_map(|grant| grant.deadline)
            .max();
        Ok(Some(CardFacts {
            card_waits: waits(around.card_watch.as_ref()),
            holds_same,
            more_time_asked,
            more_time: match extends {
                true => Vec::new(),
                false => given_until(around.given_extensions),
            },
            grant: around.grant,
            decisions: around.decisions,
            card: around.card,
            approvers: approvers_of(&policy, &request),
            first_time: around.earlier == 0 && !extends,
            holds_others: around.other_live,
            request,
        }))
    }

    /// Where a request's card stands, what happened that its thread does not say yet, and up to which
    /// entry of the record that goes; none where nothing is on record since. It may be that nothing is
    /// to be written about what is.
    ///
    /// # Errors
    /// When the store can't be read.
    pub async fn unwritten_history(
        &self,
        id: &RequestId,
    ) -> Result<Option<Unwritten>, ServiceError> {
        let mut reader = self.store.reader().await?;
        let Some(card) = reader.card(id).await? else {
            return Ok(None);
        };
        let mut happened = Vec::new();
        let mut upto = None;
        // Past what nobody reads there, however much of it there is.
        while happened.len() < HISTORY_MAX {
            let after = upto.unwrap_or(0);
            let entries = reader.unwritten_entries(id, after, HISTORY_PAGE).await?;
            let was_last = i64::try_from(entries.len()).is_ok_and(|came| came < HISTORY_PAGE);
            for entry in entries {
                if happened.len() < HISTORY_MAX {
                    upto = Some(entry.seq);
                    happened.extend(Happened::read(&entry));
                }
            }
            if was_last {
                break;
            }
        }
        let Some(upto) = upto else { return Ok(None) };
        let watch = reader.open_job(&watch_key(&card.place)).await?;
        Ok(Some(Unwritten {
            card,
            happened,
            upto,
            waits: waits(watch.as_ref()),
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
