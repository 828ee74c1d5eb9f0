//! Channels that can't be posted to: noticed, told once, watched, and gone around until they are back.
//!
//! That a channel is lost is known by the job that watches it: it is there exactly as long. What was
//! for the channel goes to where somebody reads it, and waits for the channel as well.

use super::apply::apply;
use super::missed::{LOST_AGAIN_S, miss, person, reroute};
use super::{Service, ServiceError};
use crate::domain::decide::{Change, Plan};
use crate::domain::ids::{Place, RequestId, ResourceName};
use crate::domain::job::{Job, JobKind, Settle};
use crate::domain::job_order::JobOrder;
use crate::domain::outcome::{Outcome, PlaceTrouble};
use crate::domain::place_orders::{watch_key, where_key};
use crate::domain::request::{Request, RequestState};
use crate::domain::timing::{Timestamp, seconds};
use crate::policy::Policy;
use crate::store::{StoreError, Tx, Urgency, write};

/// How often the channels are looked at while cards wait for a press, in seconds.
const LOOK_AGAIN_S: i64 = 600;

/// Cards that are moved in one transaction.
const MOVED_MAX: i64 = 1_000;

/// Rank of a card that is made, or made elsewhere.
const RANK_NEW: i64 = 1;

impl Service {
    /// Whether a channel is known to be lost, and if so, whether looking at it shows that.
    ///
    /// # Errors
    /// When the store can't be read.
    pub async fn place_lost(&self, place: &Place) -> Result<Option<bool>, ServiceError> {
        let mut reader = self.store.reader().await?;
        Ok(match reader.open_job(&watch_key(place)).await? {
            Some(JobKind::WatchPlace { shows, .. }) => Some(shows),
            _ => None,
        })
    }

    /// Whether a job with this key still waits or runs.
    ///
    /// # Errors
    /// When the store can't be read.
    pub async fn is_due(&self, key: &str) -> Result<bool, ServiceError> {
        let mut reader = self.store.reader().await?;
        Ok(reader.open_job(key).await?.is_some())
    }

    /// When what waits for a lost channel looks again.
    #[must_use]
    pub fn lost_again_at(&self) -> Timestamp {
        self.now() + seconds(LOST_AGAIN_S)
    }

    /// After a policy came into force: these of its channels were found lost. Requests whose card could
    /// stand nowhere may have a place now.
    ///
    /// # Errors
    /// When the store fails; nothing was kept then.
    pub async fn take_up_places(&self, troubles: Vec<PlaceTrouble>) -> Result<(), ServiceError> {
        let policy = self.policy();
        write(&*self.store, Urgency::Outcome, move |tx| {
            Box::pin(async move {
                for trouble in troubles {
                    let plan = lost(tx, &policy, &trouble).await?;
                    apply(tx, plan).await?;
                }
                let mut plan = Plan::default();
                for request in tx.waiting_at(None, MOVED_MAX).await? {
                    if let Some(place) = well(tx, &policy, &request, None).await? {
                        put(tx, &mut plan, request, &place).await?;
                    }
                }
                apply(tx, plan).await
            })
        })
        .await?;
        Ok(())
    }
}

/// What becomes of a job that has to do with a lost channel; none for every other.
pub(super) async fn record(
    tx: &mut dyn Tx,
    policy: &Policy,
    job: &Job,
    outcome: &Outcome,
) -> Result<Option<(Plan, Settle)>, StoreError> {
    let waits = Settle::Snooze(tx.now() + seconds(LOST_AGAIN_S));
    Ok(Some(match (&job.kind, outcome) {
        (JobKind::WatchPlace { place, .. }, _) if !policy.places().contains(place) => {
            (Plan::default(), Settle::Done)
        }
        (JobKind::WatchPlace { place, .. }, Outcome::PlaceThere) => {
            (back(tx, policy, place).await?, Settle::Done)
        }
        // Whatever else came of it: until it is seen to be back, it is watched.
        (JobKind::WatchPlace { .. }, _) => (Plan::default(), waits),
        (JobKind::LookAtPlaces, outcome) => looked(tx, policy, outcome).await?,
        (JobKind::SyncCard { request }, Outcome::PlaceLost(trouble)) => {
            card(tx, policy, request, trouble).await?
        }
        (message, Outcome::PlaceLost(trouble)) if is_for_a_dropped_channel(policy, message) => {
            tracing::warn!(place = %trouble.place, "a channel that was security's could not be told: {}", trouble.said);
            let error = trouble.said.clone();
            (Plan::default(), Settle::GiveUp { error })
        }
        (JobKind::OnceBack { message }, Outcome::Due) => reroute(tx, policy, message),
        (JobKind::OnceBack { .. }, Outcome::PlaceLost(_)) => (Plan::default(), waits),
        (JobKind::Privately { account, message }, Outcome::Impossible { said }) => {
            let settle = person(tx, policy, account, message, said).await?;
            (Plan::default(), settle)
        }
        (message, Outcome::Due) if message.security_place().is_some() => {
            reroute(tx, policy, message)
        }
        (message, Outcome::PlaceLost(trouble)) if message.security_place().is_some() => {
            missed(tx, policy, job, trouble).await?
        }
        // A copy of a card, to be struck out: when the channel is back.
        (_, Outcome::PlaceLost(trouble)) if policy.places().contains(&trouble.place) => {
            (lost(tx, policy, trouble).await?, waits)
        }
        (_, Outcome::PlaceLost(PlaceTrouble { said, .. })) => (
            Plan::default(),
            Settle::GiveUp {
                error: said.clone(),
            },
        ),
        _ => return Ok(None),
    }))
}

/// A post that succeeded: a channel that was lost is back.
pub(super) async fn posted(
    tx: &mut dyn Tx,
    policy: &Policy,
    job: &Job,
    outcome: &Outcome,
) -> Result<Plan, StoreError> {
    let mut plan = Plan::default();
    if let (JobKind::SyncCard { request }, Outcome::CardPosted(_)) = (&job.kind, outcome)
        && tx.open_job(&where_key(request)).await?.is_some()
        && let Some(one) = tx.request(request).await?
    {
        let requester = &one.requester.account;
        plan.job(JobOrder::notify_where(request, requester, tx.now()));
    }
    let (Outcome::PostedTo(place)
    | Outcome::CardPosted(crate::domain::command::MessageRef { place, .. })) = outcome
    else {
        return Ok(plan);
    };
    if matches!(outcome, Outcome::CardPosted(_)) {
        // From now on somebody must be able to press it.
        plan.job(JobOrder::look_at_places(tx.now() + seconds(LOOK_AGAIN_S)));
    }
    let key = watch_key(place);
    if tx.open_job(&key).await?.is_some() {
        plan.changes.extend(back(tx, policy, place).await?.changes);
        plan.changes.push(Change::NoJob(key));
    }
    Ok(plan)
}

/// The first place of a resource's cards that is not known to be lost; the first one where all are.
pub(super) async fn card_place(
    tx: &mut dyn Tx,
    policy: &Policy,
    resource: &ResourceName,
) -> Result<Option<Place>, StoreError> {
    let places = policy.card_places(resource);
    for place in &places {
        // Where only a post can show that it is back, one is tried.
        let lost = tx.open_job(&watch_key(place)).await?;
        if !matches!(lost, Some(JobKind::WatchPlace { shows: true, .. })) {
            return Ok(Some((*place).clone()));
        }
    }
    Ok(places.first().map(|place| (*place).clone()))
}

/// The first place of a request's card that is not known to be lost, nor is this one.
async fn well(
    tx: &mut dyn Tx,
    policy: &Policy,
    request: &Request,
    lost: Option<&Place>,
) -> Result<Option<Place>, StoreError> {
    for place in policy.card_places(&request.spec.resource) {
        if Some(place) != lost && tx.open_job(&watch_key(place)).await?.is_none() {
            return Ok(Some(place.clone()));
        }
    }
    Ok(None)
}

/// Whether it tells a channel that the policy dropped of just that: if it can't be told, nothing is
/// missed. Every other message goes to those that the policy names.
pub(super) fn is_for_a_dropped_channel(policy: &Policy, message: &JobKind) -> bool {
    match message {
        JobKind::TellPolicy { place, .. } => !policy.security.channels.contains(place),
        JobKind::OnceBack { message } => is_for_a_dropped_channel(policy, message),
        _ => false,
    }
}

/// A channel is lost. If that is news, it is watched and told, and the cards there are looked after.
async fn lost(
    tx: &mut dyn Tx,
    policy: &Policy,
    trouble: &PlaceTrouble,
) -> Result<Plan, StoreError> {
    let PlaceTrouble { place, said, shows } = trouble;
    let mut plan = Plan::default();
    let known = tx.open_job(&watch_key(place)).await?.is_some();
    if known || !policy.places().contains(place) {
        return Ok(plan);
    }
    tracing::warn!(place = %place, "nothing can be posted to a channel: {said}");
    let now = tx.now();
    let again = now + seconds(LOST_AGAIN_S);
    plan.job(JobOrder::watch_place(place, said, *shows, again));
    for channel in policy.security.channels.iter().filter(|c| *c != place) {
        plan.job(JobOrder::tell_place_lost(place, said, channel, now));
    }
    if policy.security.channels.contains(place) {
        let message = JobKind::TellPlaceLost {
            lost: place.clone(),
            place: place.clone(),
            said: said.clone(),
        };
        let missed = miss(tx, policy, &message, place).await?;
        plan.changes.extend(missed.changes);
    }
    for request in tx.waiting_at(Some(place), MOVED_MAX).await? {
        plan.job(JobOrder::sync_card(&request.id, place, RANK_NEW, now));
    }
    Ok(plan)
}

/// A channel is back: that is told, and the cards that belong there go there.
async fn back(tx: &mut dyn Tx, policy: &Policy, place: &Place) -> Result<Plan, StoreError> {
    let now = tx.now();
    let mut plan = Plan::default();
    for channel in &policy.security.channels {
        plan.job(JobOrder::tell_place_back(place, channel, now));
    }
    for request in tx.waiting_at(Some(place), MOVED_MAX).await? {
        plan.job(JobOrder::sync_card(&request.id, place, RANK_NEW, now));
    }
    for request in tx.waiting_at(None, MOVED_MAX).await? {
        if policy.card_places(&request.spec.resource).contains(&place) {
            put(tx, &mut plan, request, place).await?;
        }
    }
    Ok(plan)
}

/// The card of a request goes to this place, and its requester is told.
async fn put(
    tx: &mut dyn Tx,
    plan: &mut Plan,
    mut request: Request,
    place: &Place,
) -> Result<(), StoreError> {
    let now = tx.now();
    if let Some(old) = tx.card(&request.id).await?
        && old.place != *place
    {
        tx.forget_card(&request.id).await?;
        plan.job(JobOrder::strike_copy(&request.id, &old, now));
    }
    plan.job(JobOrder::sync_card(&request.id, place, RANK_NEW, now));
    let requester = &request.requester.account;
    plan.job(JobOrder::notify_where(&request.id, requester, now));
    let was = request.state;
    request.card_place = Some(place.clone());
    plan.changes.push(Change::Request(Box::new(request), was));
    Ok(())
}

/// A card could not be posted or drawn.
async fn card(
    tx: &mut dyn Tx,
    policy: &Policy,
    id: &RequestId,
    trouble: &PlaceTrouble,
) -> Result<(Plan, Settle), StoreError> {
    let now = tx.now();
    let mut plan = lost(tx, policy, trouble).await?;
    let Some(mut request) = tx.request(id).await? else {
        return Ok((plan, Settle::Done));
    };
    if !request.state.is_open() {
        // Nobody can do anything with it any more: it is drawn when the channel is back.
        let settle = if policy.places().contains(&trouble.place) {
            Settle::Snooze(now + seconds(LOST_AGAIN_S))
        } else {
            Settle::GiveUp {
                error: trouble.said.clone(),
            }
        };
        return Ok((plan, settle));
    }
    if let Some(place) = well(tx, policy, &request, Some(&trouble.place)).await? {
        put(tx, &mut plan, request, &place).await?;
        return Ok((plan, Settle::Done));
    }
    // Nowhere. A card that stands already can still be pressed if its channel can be read, and is drawn
    // anew once the channel is back.
    let settle = match tx.card(id).await? {
        Some(_) => Settle::Snooze(now + seconds(LOST_AGAIN_S)),
        None => Settle::Done,
    };
    if request.card_place.is_none() {
        return Ok((plan, settle));
    }
    for channel in &policy.security.channels {
        plan.job(JobOrder::tell_card_lost(id, channel, &trouble.said, now));
    }
    let requester = &request.requester.account;
    plan.job(JobOrder::notify_where(id, requester, now));
    let was = request.state;
    request.card_place = None;
    plan.changes.push(Change::Request(Box::new(request), was));
    Ok((plan, settle))
}

/// A message to security did not reach its channel.
async fn missed(
    tx: &mut dyn Tx,
    policy: &Policy,
    job: &Job,
    trouble: &PlaceTrouble,
) -> Result<(Plan, Settle), StoreError> {
    let mut plan = lost(tx, policy, trouble).await?;
    let missed = miss(tx, policy, &job.kind, &trouble.place).await?;
    plan.changes.extend(missed.changes);
    Ok((plan, Settle::Done))
}

/// The channels were looked at; again while anything waits for a press.
async fn looked(
    tx: &mut dyn Tx,
    policy: &Policy,
    outcome: &Outcome,
) -> Result<(Plan, Settle), StoreError> {
    let mut plan = Plan::default();
    if let Outcome::PlacesLost(troubles) = outcome {
        for trouble in troubles {
            plan.changes
                .extend(lost(tx, policy, trouble).await?.changes);
        }
    }
    let settle = if tx.count_requests_in(RequestState::Pending).await? > 0 {
        Settle::Snooze(tx.now() + seconds(LOOK_AGAIN_S))
    } else {
        Settle::Done
    };
    Ok((plan, settle))
}
