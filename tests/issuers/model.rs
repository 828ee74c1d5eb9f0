//! A target in memory, with an issuer before it that tells the truth or exactly one lie.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;

use async_trait::async_trait;
use futures_util::StreamExt as _;
use futures_util::stream::BoxStream;
use jitbot::clock::Timestamp;
use jitbot::domain::delivery::IssuedSecret;
use jitbot::domain::grant::Evidence;
use jitbot::domain::ids::GrantId;
use jitbot::domain::spec::TargetAccount;
use jitbot::issuer::conformance::Hand;
use jitbot::issuer::{
    Capabilities, GrantOrder, IssueError, Issued, Issuer, Observed, PersonFacts, Presence,
};
use serde_json::{Map, Value, json};

use super::subject::{capabilities, passes};

/// Named after the rule that it breaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lie {
    None,
    Check,
    GivesAndTakes,
    DoubleIssue,
    DoubleRevoke,
    RevokeBeforeIssue,
    WithoutHandle,
    LateIssue,
    ExtendTwice,
    ExtendAfterRevoke,
    GivenUp,
    List,
    FirstEndsFirst,
    SecondEndsFirst,
    IssueDuringRevoke,
    TakenByHand,
    ThereBefore,
    LostAnswer,
    SlowTarget,
    ThrottlingTarget,
    AnotherSecret,
}

/// What the next call meets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Next {
    Lost,
    Hangs,
    Throttled,
}

#[derive(Default)]
struct State {
    /// Copies and deadline of each, oldest first.
    there: Vec<(GrantId, usize, Option<Timestamp>)>,
    before: bool,
    known: BTreeSet<GrantId>,
    revoked: BTreeSet<GrantId>,
    ended_once: BTreeSet<GrantId>,
    by_hand: BTreeSet<GrantId>,
    answered: BTreeSet<GrantId>,
    extended: BTreeMap<GrantId, Option<Timestamp>>,
    under_way: BTreeSet<GrantId>,
    /// Nothing takes these away any more.
    for_ever: BTreeSet<GrantId>,
    next: Option<Next>,
}

impl State {
    fn has(&self, grant: &GrantId) -> bool {
        self.there.iter().any(|(there, ..)| there == grant) || self.for_ever.contains(grant)
    }
}

pub struct Model {
    lie: Lie,
    state: Mutex<State>,
}

impl Model {
    pub fn new(lie: Lie) -> Self {
        Self {
            lie,
            state: Mutex::default(),
        }
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    fn permanent<T>(&self, said: &str) -> Result<T, IssueError> {
        Err(IssueError::Permanent {
            said: said.to_owned(),
        })
    }

    fn put(&self, order: &GrantOrder) {
        let mut state = self.state();
        state.revoked.remove(&order.grant);
        let found = state.there.iter_mut().find(|(g, ..)| *g == order.grant);
        match found {
            Some((_, copies, _)) if self.lie == Lie::DoubleIssue => *copies += 1,
            Some(_) => {}
            None => state
                .there
                .push((order.grant.clone(), 1, order.native_deadline)),
        }
    }

    fn issued(&self, order: &GrantOrder) -> Issued {
        self.state().answered.insert(order.grant.clone());
        let number = order.renewal.filter(|_| self.lie != Lie::AnotherSecret);
        let secret = format!("secret {} of {}", number.unwrap_or_default(), order.grant);
        Issued {
            handle: json!({"row": order.serial}),
            usable: true,
            how_to_use: String::new(),
            document: None,
            secret: Some(IssuedSecret::new(secret)),
        }
    }
}

/// Marks a call as under way, and what becomes of one that is given up.
struct UnderWay<'m>(&'m Model, GrantId, bool);

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        let mut state = self.0.state();
        state.under_way.remove(&self.1);
        if !self.2 && self.0.lie == Lie::GivenUp {
            state.for_ever.insert(self.1.clone());
        }
    }
}

#[async_trait]
impl Issuer for Model {
    fn capabilities(&self) -> Capabilities {
        Capabilities {
            makes_secret: true,
            ..capabilities()
        }
    }

    fn bound_to(&self) -> BTreeSet<String> {
        BTreeSet::new()
    }

    async fn resolve(&self, _person: &PersonFacts) -> Result<TargetAccount, IssueError> {
        self.permanent("not asked in these tests")
    }

    fn entitlements(&self, _parameters: &Map<String, Value>) -> Result<Vec<String>, String> {
        Ok(vec!["group:admins".to_owned()])
    }

    async fn issue(&self, order: &GrantOrder) -> Result<Issued, IssueError> {
        let next = self.state().next.take();
        if next == Some(Next::Throttled) {
            if self.lie == Lie::ThrottlingTarget {
                return self.permanent("too many calls");
            }
            return Err(IssueError::Retry {
                said: "too many calls".to_owned(),
                after_s: Some(0),
            });
        }
        {
            let mut state = self.state();
            state.known.insert(order.grant.clone());
            state.under_way.insert(order.grant.clone());
        }
        let mut under_way = UnderWay(self, order.grant.clone(), false);
        // Long enough to be given up, and to meet a revocation.
        for _ in 0..2 {
            passes(std::time::Duration::from_millis(20)).await;
        }
        if self.lie != Lie::GivesAndTakes {
            self.put(order);
        }
        under_way.2 = true;
        match next {
            Some(Next::Lost) if self.lie == Lie::LostAnswer => self.permanent("no answer came"),
            Some(Next::Hangs) if self.lie == Lie::SlowTarget => Ok(self.issued(order)),
            Some(_) => Err(IssueError::Unknown {
                said: "no answer came".to_owned(),
            }),
            None => Ok(self.issued(order)),
        }
    }

    async fn extend(
        &self,
        order: &GrantOrder,
        _handle: Option<&Value>,
    ) -> Result<Issued, IssueError> {
        if !self.state().has(&order.grant) {
            if self.lie == Lie::ExtendAfterRevoke {
                self.state().for_ever.insert(order.grant.clone());
                return Ok(self.issued(order));
            }
            return self.permanent("there is nothing to extend");
        }
        let before = self
            .state()
            .extended
            .insert(order.grant.clone(), order.native_deadline);
        if self.lie == Lie::ExtendTwice && before == Some(order.native_deadline) {
            return self.permanent("it has that end already");
        }
        Ok(self.issued(order))
    }

    async fn revoke(&self, order: &GrantOrder, handle: Option<&Value>) -> Result<(), IssueError> {
        let grant = &order.grant;
        let mut state = self.state();
        let was_there = state.has(grant);
        match self.lie {
            Lie::DoubleRevoke if state.revoked.contains(grant) && !was_there => {
                return self.permanent("there is no such grant");
            }
            Lie::RevokeBeforeIssue if !state.known.contains(grant) => {
                return self.permanent("there never was such a grant");
            }
            Lie::WithoutHandle if handle.is_none() && state.answered.contains(grant) => {
                return Ok(());
            }
            Lie::LateIssue if state.ended_once.contains(grant) => return Ok(()),
            Lie::IssueDuringRevoke if state.under_way.contains(grant) => {
                state.for_ever.insert(grant.clone());
            }
            Lie::TakenByHand if state.by_hand.contains(grant) => {
                return self.permanent("somebody took it away");
            }
            Lie::ThereBefore => state.before = false,
            _ => {}
        }
        let position = state.there.iter().position(|(there, ..)| there == grant);
        let others = state.there.len() > 1;
        match (self.lie, position) {
            (Lie::FirstEndsFirst, Some(0)) if others => state.there.clear(),
            (Lie::SecondEndsFirst, Some(at)) if others && at > 0 => state.there.clear(),
            (_, Some(at)) => {
                state.there[at].1 -= 1;
                if state.there[at].1 == 0 {
                    state.there.remove(at);
                }
            }
            (_, None) => {}
        }
        if was_there {
            state.revoked.insert(grant.clone());
            state.ended_once.insert(grant.clone());
        }
        Ok(())
    }

    async fn inspect(&self, order: &GrantOrder) -> Result<Presence, IssueError> {
        Ok(if self.state().has(&order.grant) {
            Presence::Present
        } else {
            Presence::Absent(Evidence::SeenGone)
        })
    }

    fn list(&self) -> BoxStream<'_, Result<Observed, IssueError>> {
        let state = self.state();
        let mut there: Vec<_> = state
            .there
            .iter()
            .map(|(grant, _, deadline)| (grant.clone(), *deadline))
            .collect();
        if self.lie == Lie::List {
            there.extend(state.revoked.iter().map(|grant| (grant.clone(), None)));
        }
        let marks = there
            .into_iter()
            .map(|(grant, deadline)| Ok(Observed { grant, deadline }));
        futures_util::stream::iter(marks.collect::<Vec<_>>()).boxed()
    }

    async fn publish(&self) -> Result<(), IssueError> {
        Ok(())
    }

    async fn check(&self) -> Result<(), IssueError> {
        if self.lie == Lie::Check {
            return self.permanent("it can't be reached");
        }
        Ok(())
    }
}

#[async_trait]
impl Hand for Model {
    async fn has_access(&self) -> bool {
        let state = self.state();
        state.before || !state.there.is_empty() || !state.for_ever.is_empty()
    }

    async fn give_before(&self) {
        self.state().before = true;
    }

    async fn take_by_hand(&self, order: &GrantOrder) {
        let mut state = self.state();
        state.there.retain(|(grant, ..)| *grant != order.grant);
        state.by_hand.insert(order.grant.clone());
    }

    async fn lose_next_answer(&self) {
        self.state().next = Some(Next::Lost);
    }

    async fn hang_next_call(&self) {
        self.state().next = Some(Next::Hangs);
    }

    async fn throttle_next_call(&self) {
        self.state().next = Some(Next::Throttled);
    }
}
