//! A target and its issuer: access that is there or not, and a script of how the next calls go.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use futures_util::stream::{self, BoxStream};
use jitbot::clock::{Clock, Timestamp};
use jitbot::domain::delivery::IssuedSecret;
use jitbot::domain::grant::Evidence;
use jitbot::domain::ids::GrantId;
use jitbot::domain::spec::TargetAccount;
use jitbot::issuer::{
    Capabilities, EarlyEnd, GrantOrder, IssueError, Issued, Issuer, NativeExpiry, Observed,
    PersonFacts, Presence,
};
use tokio::sync::Semaphore;

/// How one call to give or take away goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Does {
    Succeeds,
    /// Says that it was done, and changes nothing.
    Lies,
    Retries,
    /// Wants so many seconds of peace.
    RetriesAfter(i64),
    Refuses,
    /// Changes the target all the same.
    RefusesAfter,
    UnknownBefore,
    UnknownAfter,
    PanicsBefore,
    PanicsAfter,
    HangsBefore,
    HangsAfter,
    /// Waits until the test calls [`Target::go_on`], then succeeds.
    Stalls,
}

/// How the target answers when it is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sees {
    /// What is true, as far as its capabilities go.
    Truth,
    CannotTell,
    Fails,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum What {
    Issue,
    Extend,
    Revoke,
    Inspect,
}

#[derive(Debug)]
struct Script {
    /// Access that is there, and the deadline that the target was given for it.
    live: BTreeMap<GrantId, Timestamp>,
    calls: Vec<(What, GrantOrder)>,
    issue: VecDeque<Does>,
    extend: VecDeque<Does>,
    revoke: VecDeque<Does>,
    /// When the script is at its end.
    issue_then: Does,
    revoke_then: Does,
    sees: Sees,
}

pub struct Target {
    can: Capabilities,
    clock: Arc<dyn Clock>,
    script: Mutex<Script>,
    gate: Semaphore,
}

impl Target {
    pub fn new(can: Capabilities, clock: Arc<dyn Clock>) -> Self {
        let script = Script {
            live: BTreeMap::new(),
            calls: Vec::new(),
            issue: VecDeque::new(),
            extend: VecDeque::new(),
            revoke: VecDeque::new(),
            issue_then: Does::Succeeds,
            revoke_then: Does::Succeeds,
            sees: Sees::Truth,
        };
        Self {
            can,
            clock,
            script: Mutex::new(script),
            gate: Semaphore::new(0),
        }
    }

    fn script<T>(&self, change: impl FnOnce(&mut Script) -> T) -> T {
        change(&mut self.script.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// The next calls to give access go so; those after them succeed.
    pub fn issues(&self, script: &[Does]) {
        self.script(|s| s.issue.extend(script));
    }

    /// The next calls to give it for longer go so; those after them succeed.
    pub fn extends(&self, script: &[Does]) {
        self.script(|s| s.extend.extend(script));
    }

    /// The next calls to take access away go so; those after them succeed.
    pub fn revokes(&self, script: &[Does]) {
        self.script(|s| s.revoke.extend(script));
    }

    /// Every call to give access goes so from here on.
    pub fn issues_always(&self, does: Does) {
        self.script(|s| s.issue_then = does);
    }

    /// Every call to take access away goes so from here on.
    pub fn revokes_always(&self, does: Does) {
        self.script(|s| s.revoke_then = does);
    }

    pub fn sees(&self, sees: Sees) {
        self.script(|s| s.sees = sees);
    }

    /// One call that stalls goes on.
    pub fn go_on(&self) {
        self.gate.add_permits(1);
    }

    /// What an earlier call ordered takes effect only now.
    pub fn lands(&self, grant: &GrantId) {
        self.script(|s| {
            let ordered = s.calls.iter().find(|(_, order)| order.grant == *grant);
            let end = ordered.and_then(|(_, order)| order.native_deadline);
            s.live.insert(grant.clone(), end.expect("it was ordered"));
        });
    }

    /// Whose access is there now.
    pub fn live(&self) -> Vec<GrantId> {
        let now = self.clock.machine_now();
        let enforced = self.can.native_expiry == NativeExpiry::Enforced;
        self.script(|s| {
            let live = s.live.iter().filter(|(_, end)| !enforced || now < **end);
            live.map(|(grant, _)| grant.clone()).collect()
        })
    }

    /// What the target was told by the calls of one kind, oldest first.
    pub fn calls(&self, what: What) -> Vec<GrantOrder> {
        self.script(|s| {
            let calls = s.calls.iter().filter(|(made, _)| *made == what);
            calls.map(|(_, order)| order.clone()).collect()
        })
    }

    async fn go(&self, what: What, does: Does, order: &GrantOrder) -> Result<(), IssueError> {
        if does == Does::Stalls {
            self.gate.acquire().await.unwrap().forget();
        }
        let changes = matches!(
            does,
            Does::Succeeds
                | Does::Stalls
                | Does::RefusesAfter
                | Does::UnknownAfter
                | Does::PanicsAfter
                | Does::HangsAfter
        );
        if changes {
            self.script(|s| match what {
                What::Issue | What::Extend => {
                    let end = order.native_deadline.expect("an intent sets the deadline");
                    s.live.insert(order.grant.clone(), end);
                }
                _ => {
                    s.live.remove(&order.grant);
                }
            });
        }
        let said = format!("the script says {does:?}");
        match does {
            Does::Succeeds | Does::Lies | Does::Stalls => Ok(()),
            Does::Retries => Err(IssueError::Retry {
                said,
                after_s: None,
            }),
            Does::RetriesAfter(s) => Err(IssueError::Retry {
                said,
                after_s: Some(s),
            }),
            Does::Refuses | Does::RefusesAfter => Err(IssueError::Permanent { said }),
            Does::UnknownBefore | Does::UnknownAfter => Err(IssueError::Unknown { said }),
            Does::PanicsBefore | Does::PanicsAfter => panic!("{said}"),
            Does::HangsBefore | Does::HangsAfter => std::future::pending().await,
        }
    }
}

#[async_trait]
impl Issuer for Target {
    fn capabilities(&self) -> Capabilities {
        self.can.clone()
    }

    fn bound_to(&self) -> BTreeSet<String> {
        BTreeSet::new()
    }

    async fn resolve(&self, person: &PersonFacts) -> Result<TargetAccount, IssueError> {
        Err(IssueError::Permanent {
            said: format!("{} stands in the policy", person.name),
        })
    }

    fn entitlements(
        &self,
        _parameters: &serde_json::Map<String, serde_json::Value>,
    ) -> Result<Vec<String>, String> {
        Err("they stand in the policy".into())
    }

    async fn issue(&self, order: &GrantOrder) -> Result<Issued, IssueError> {
        let does = self.script(|s| {
            s.calls.push((What::Issue, order.clone()));
            s.issue.pop_front().unwrap_or(s.issue_then)
        });
        self.go(What::Issue, does, order).await?;
        Ok(Issued {
            handle: order.grant.as_str().into(),
            usable: true,
            how_to_use: "read".into(),
            document: None,
            secret: self
                .can
                .makes_secret
                .then(|| IssuedSecret::new("made".into())),
        })
    }

    async fn extend(
        &self,
        order: &GrantOrder,
        _handle: Option<&serde_json::Value>,
    ) -> Result<Issued, IssueError> {
        let does = self.script(|s| {
            s.calls.push((What::Extend, order.clone()));
            s.extend.pop_front().unwrap_or(Does::Succeeds)
        });
        self.go(What::Extend, does, order).await?;
        Ok(Issued {
            handle: order.grant.as_str().into(),
            usable: true,
            how_to_use: "read for longer".into(),
            document: None,
            secret: None,
        })
    }

    async fn revoke(
        &self,
        order: &GrantOrder,
        _handle: Option<&serde_json::Value>,
    ) -> Result<(), IssueError> {
        let does = self.script(|s| {
            s.calls.push((What::Revoke, order.clone()));
            s.revoke.pop_front().unwrap_or(s.revoke_then)
        });
        self.go(What::Revoke, does, order).await
    }

    async fn inspect(&self, order: &GrantOrder) -> Result<Presence, IssueError> {
        let sees = self.script(|s| {
            s.calls.push((What::Inspect, order.clone()));
            s.sees
        });
        let now = self.clock.machine_now();
        let expired = self.can.native_expiry == NativeExpiry::Enforced
            && order.native_deadline.is_some_and(|end| end <= now);
        match sees {
            Sees::Fails => Err(IssueError::Retry {
                said: "the target does not answer".into(),
                after_s: None,
            }),
            Sees::CannotTell => Ok(Presence::CannotTell),
            Sees::Truth if expired => Ok(Presence::Absent(Evidence::ExpiredAtTarget)),
            Sees::Truth if self.can.early_end != EarlyEnd::Seen => Ok(Presence::CannotTell),
            Sees::Truth if self.live().contains(&order.grant) => Ok(Presence::Present),
            Sees::Truth => Ok(Presence::Absent(Evidence::SeenGone)),
        }
    }

    fn list(&self) -> BoxStream<'_, Result<Observed, IssueError>> {
        Box::pin(stream::iter(self.live().into_iter().map(|grant| {
            Ok(Observed {
                grant,
                deadline: None,
            })
        })))
    }

    async fn publish(&self) -> Result<(), IssueError> {
        Ok(())
    }

    async fn check(&self) -> Result<(), IssueError> {
        Ok(())
    }
}
