//! An issuer under test, and how it is called.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use chrono::TimeDelta;
use serde_json::{Map, Value};

use super::{Books, Halt, Hand};
use crate::clock::Clock;
use crate::domain::ids::{IssuerName, RequestId, ResourceName};
use crate::domain::job::HANDLER_MAX_S;
use crate::domain::spec::{Risk, Spec, TargetAccount};
use crate::issuer::{EarlyEnd, GrantOrder, IssueError, Issued, Issuer, Presence};

/// How often a call that asks to be tried again is tried.
const TRIES: usize = 5;
/// The longest wait between two of them, whatever the target asks for.
const WAIT_MAX: Duration = Duration::from_secs(10);

/// What is given on a bench.
#[derive(Debug, Clone)]
pub struct Subject {
    /// The issuer's name.
    pub issuer: IssuerName,
    /// To whom, on the target.
    pub account: TargetAccount,
    /// What.
    pub parameters: Map<String, Value>,
    /// For how long, in seconds.
    pub lasts_s: i64,
}

/// An issuer under test.
pub struct Bench {
    issuer: Arc<dyn Issuer>,
    subject: Subject,
    clock: Arc<dyn Clock>,
    books: Option<Arc<dyn Books>>,
    hand: Option<Arc<dyn Hand>>,
    /// What was given and may be there yet.
    given: Mutex<Vec<GrantOrder>>,
    left: Mutex<Vec<String>>,
}

impl Bench {
    /// Puts an issuer on it. Calls nobody.
    pub fn new(issuer: Arc<dyn Issuer>, subject: Subject, clock: Arc<dyn Clock>) -> Self {
        Self {
            issuer,
            subject,
            clock,
            books: None,
            hand: None,
            given: Mutex::default(),
            left: Mutex::default(),
        }
    }

    /// With books that the issuer reads.
    #[must_use]
    pub fn with_books(mut self, books: Arc<dyn Books>) -> Self {
        self.books = Some(books);
        self
    }

    /// With a hand at the target.
    #[must_use]
    pub fn with_hand(mut self, hand: Arc<dyn Hand>) -> Self {
        self.hand = Some(hand);
        self
    }

    /// What may be on the target yet: it could not be taken away.
    #[must_use]
    pub fn left_there(&self) -> Vec<String> {
        lock(&self.left).clone()
    }

    pub(super) fn issuer(&self) -> &dyn Issuer {
        &*self.issuer
    }

    pub(super) fn hand(&self) -> Result<&dyn Hand, Halt> {
        self.hand.as_deref().ok_or_else(|| {
            Halt::NotJudged("it needs a hand at the target, which only tests have".to_owned())
        })
    }

    /// What can't be ended early is not judged by ends.
    pub(super) fn ends_early(&self) -> Result<(), Halt> {
        if self.issuer.capabilities().early_end == EarlyEnd::Impossible {
            return Err(Halt::NotJudged("it can't end access early".to_owned()));
        }
        Ok(())
    }

    /// A grant that the engine has never heard of.
    pub(super) fn order(&self) -> Result<GrantOrder, Halt> {
        let entitlements = self
            .issuer
            .entitlements(&self.subject.parameters)
            .map_err(|why| Halt::Broken(format!("the parameters can't be used: {why}")))?;
        let resource = ResourceName::new("conformance-check")
            .map_err(|error| Halt::Broken(error.to_string()))?;
        let bits = rand::random::<u64>();
        let order = GrantOrder {
            grant: RequestId::from_bits(bits).grant(),
            serial: (bits >> 33) + 1,
            spec: Spec {
                resource,
                title: "jitbot issuer check".to_owned(),
                project: "jitbot".to_owned(),
                action: "check".to_owned(),
                risk: Risk::Low,
                issuer: self.subject.issuer.clone(),
                target: self.subject.issuer.to_string(),
                account: self.subject.account.clone(),
                entitlements,
                parameters: self.subject.parameters.clone(),
                duration_s: self.subject.lasts_s,
                until: None,
            },
            native_deadline: Some(
                self.clock.machine_now() + TimeDelta::seconds(self.subject.lasts_s),
            ),
            renewal: None,
        };
        lock(&self.given).push(order.clone());
        Ok(order)
    }

    /// The same grant with a later end.
    pub(super) fn longer(&self, order: &GrantOrder) -> GrantOrder {
        let more = TimeDelta::seconds(self.subject.lasts_s);
        GrantOrder {
            native_deadline: order.native_deadline.map(|deadline| deadline + more),
            ..order.clone()
        }
    }

    /// Gives access; it must be given.
    pub(super) async fn give(&self, order: &GrantOrder) -> Result<Issued, Halt> {
        self.tried(|| self.issuer.issue(order))
            .await
            .map_err(|error| broken("issue", &error))
    }

    /// Takes access away as the engine does: on record first. It must be taken away.
    pub(super) async fn take(
        &self,
        order: &GrantOrder,
        given: Option<&Issued>,
    ) -> Result<(), Halt> {
        self.try_to_take(order, given)
            .await
            .map_err(|error| broken("revoke", &error))
    }

    pub(super) async fn try_to_take(
        &self,
        order: &GrantOrder,
        given: Option<&Issued>,
    ) -> Result<(), IssueError> {
        self.end_is_ordered(order);
        let handle = given.map(|issued| &issued.handle);
        self.tried(|| self.issuer.revoke(order, handle)).await
    }

    pub(super) fn end_is_ordered(&self, order: &GrantOrder) {
        if let Some(books) = &self.books {
            books.end_is_ordered(order);
        }
    }

    /// What the target says of it.
    pub(super) async fn look(&self, order: &GrantOrder) -> Result<Presence, Halt> {
        self.tried(|| self.issuer.inspect(order))
            .await
            .map_err(|error| broken("inspect", &error))
    }

    /// It must be there, as far as that can be seen.
    pub(super) async fn is_there(&self, order: &GrantOrder, when: &str) -> Result<(), Halt> {
        match self.look(order).await? {
            Presence::Present => Ok(()),
            Presence::CannotTell => self.may_not_tell(),
            Presence::Absent(_) => Err(Halt::Broken(format!("{when}, it is not there"))),
        }
    }

    /// It must be gone, as far as that can be seen.
    pub(super) async fn is_gone(&self, order: &GrantOrder, when: &str) -> Result<(), Halt> {
        match self.look(order).await? {
            Presence::Absent(_) => Ok(()),
            Presence::CannotTell => self.may_not_tell(),
            Presence::Present => Err(Halt::Broken(format!("{when}, it is still there"))),
        }
    }

    fn may_not_tell(&self) -> Result<(), Halt> {
        match self.issuer.capabilities().early_end {
            EarlyEnd::Seen => Err(Halt::Broken(
                "inspect can't tell, though the issuer says that ends can be seen".to_owned(),
            )),
            EarlyEnd::ToldOnly | EarlyEnd::Impossible => Ok(()),
        }
    }

    /// Waits as long as the issuer says that an unknown outcome may take.
    pub(super) async fn settle(&self) {
        let settles_s = self.issuer.capabilities().settles_within_s;
        pause(Duration::from_secs(u64::try_from(settles_s).unwrap_or(0))).await;
    }

    /// Takes away whatever a rule gave; what can't be is remembered.
    pub(super) async fn take_everything_away(&self) {
        let given = std::mem::take(&mut *lock(&self.given));
        if self.ends_early().is_err() {
            return;
        }
        for order in given {
            let taken = self.try_to_take(&order, None).await;
            let gone = matches!(
                self.look(&order).await,
                Ok(Presence::Absent(_) | Presence::CannotTell)
            );
            if !gone {
                let why = taken.err().map(|error| error.to_string());
                let why = why.unwrap_or_else(|| "the target still shows it".to_owned());
                lock(&self.left).push(format!("{}: {why}", order.grant));
            }
        }
    }

    /// Calls until it is not asked to try again, or has tried often enough.
    async fn tried<T, F>(&self, mut call: impl FnMut() -> F) -> Result<T, IssueError>
    where
        F: Future<Output = Result<T, IssueError>>,
    {
        let mut tries = 0;
        loop {
            tries += 1;
            match self.within_limit(call()).await {
                Err(IssueError::Retry { after_s, .. }) if tries < TRIES => {
                    let after_s = u64::try_from(after_s.unwrap_or(1)).unwrap_or(1);
                    pause(Duration::from_secs(after_s).min(WAIT_MAX)).await;
                }
                other => return other,
            }
        }
    }

    /// As long as a job may take at most.
    pub(super) async fn within_limit<T>(
        &self,
        call: impl Future<Output = Result<T, IssueError>>,
    ) -> Result<T, IssueError> {
        let limit = Duration::from_secs(HANDLER_MAX_S);
        match tokio::time::timeout(limit, call).await {
            Ok(answer) => answer,
            Err(_) => Err(IssueError::Permanent {
                said: format!("it gave no answer within {HANDLER_MAX_S} s"),
            }),
        }
    }
}

fn broken(call: &str, error: &IssueError) -> Halt {
    let how = match error {
        IssueError::Retry { .. } => "again and again asks to be called again",
        IssueError::Permanent { .. } => "fails for good",
        IssueError::Unknown { .. } => "has an unknown outcome",
    };
    Halt::Broken(format!("{call} {how}: {error}"))
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[expect(
    clippy::disallowed_methods,
    reason = "a target that asks for a moment gets it; there is no worker here that could wait"
)]
pub(super) async fn pause(time: Duration) {
    tokio::time::sleep(time).await;
}
