//! One request's life, walked at random: functions of the core in any order, jobs as the store keeps
//! them, a target that answers as it likes, processes that die in the middle of a call, and a clock
//! that the machine's parts from. After each step everything is checked that must hold (`checks`).

use std::collections::BTreeMap;

use chrono::TimeDelta;
use jitbot::domain::decide::requesting::{self, ActivationTiming};
use jitbot::domain::decide::{Change, Plan, ending, giving};
use jitbot::domain::decision::Decider;
use jitbot::domain::grant::{Grant, GrantState};
use jitbot::domain::job::{Job, Settle};
use jitbot::domain::job_order::{JobOrder, OnDuplicate};
use jitbot::domain::refusal::Refusal;
use jitbot::domain::request::{Request, RequestState};
use jitbot::domain::timing::Timestamp;

use crate::case::{ACTIVATION_S, at, identity, policy, request, security};
use crate::steps::Step;

/// Reminders of the walk's resource: one that always stands, one that never can.
pub const REMIND_S: [i64; 2] = [60, 5_000];

/// A call that was made and not heard of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Call {
    Issue,
    Revoke,
}

/// A job that waits, and the failures so far.
#[derive(Debug)]
pub struct Waiting {
    pub order: JobOrder,
    pub failures: i64,
}

/// Everything that is kept, and what is true at the target.
#[derive(Debug)]
pub struct World {
    pub now: Timestamp,
    drift: TimeDelta,
    pub request: Request,
    pub grant: Option<Grant>,
    pub jobs: BTreeMap<String, Waiting>,
    pub in_flight: Option<Call>,
    /// The target may hold access: it was called, and was not seen empty since.
    pub maybe_there: bool,
    /// What changed, step by step.
    pub history: Vec<(Timestamp, Step, Plan)>,
    /// Deadline and native deadline as the first intent fixed them.
    pub fixed: Option<(Option<Timestamp>, Option<Timestamp>)>,
}

impl World {
    /// A request that was just made.
    pub fn new(until_s: Option<i64>) -> Self {
        let mut request = request(RequestState::Pending);
        request.spec.until = until_s.map(at);
        request.spec_hash = request.spec.hash();
        let mut world = Self {
            now: at(0),
            drift: TimeDelta::zero(),
            request: request.clone(),
            grant: None,
            jobs: BTreeMap::new(),
            in_flight: None,
            maybe_there: false,
            history: Vec::new(),
            fixed: None,
        };
        let plan = requesting::receive(request, &policy(), "rule".into(), false, at(0));
        world.keep(Step::Wait(0), plan);
        world
    }

    fn key(&self, call: Call) -> String {
        match call {
            Call::Issue => format!("issue:{}", self.request.id.grant()),
            Call::Revoke => format!("revoke:{}", self.request.id.grant()),
        }
    }

    /// The job, where it is due and no call for the same account is in flight.
    fn claim(&self, call: Call) -> Option<Job> {
        let waiting = self.jobs.get(&self.key(call))?;
        (self.in_flight.is_none() && waiting.order.run_at <= self.now)
            .then(|| self.claimed(waiting))
    }

    /// The job whose call is in flight.
    fn running(&self, call: Call) -> Option<Job> {
        let waiting = self.jobs.get(&self.key(call))?;
        (self.in_flight == Some(call)).then(|| self.claimed(waiting))
    }

    fn claimed(&self, waiting: &Waiting) -> Job {
        Job {
            id: 41,
            kind: waiting.order.kind.clone(),
            lane: waiting.order.lane.clone(),
            attempt: waiting.failures + 1,
            failures: waiting.failures,
            run_at: self.now,
            lease_until: self.now + TimeDelta::seconds(60),
        }
    }

    fn settle(&mut self, call: Call, settle: &Settle) {
        let key = self.key(call);
        self.in_flight = None;
        match settle {
            Settle::Done => {
                self.jobs.remove(&key);
            }
            Settle::Again { at, .. } => {
                if let Some(waiting) = self.jobs.get_mut(&key) {
                    waiting.order.run_at = *at;
                    waiting.failures += 1;
                }
            }
            Settle::Snooze(at) => {
                if let Some(waiting) = self.jobs.get_mut(&key) {
                    waiting.order.run_at = *at;
                }
            }
            Settle::GiveUp { error } => panic!("a call to a target was given up: {error}"),
        }
    }

    /// Carries a plan out as the store does.
    fn keep(&mut self, step: Step, plan: Plan) {
        for change in &plan.changes {
            match change {
                Change::Request(request, was) => {
                    assert_eq!(self.request.state, *was, "saved over another state");
                    self.request = (**request).clone();
                }
                Change::NewGrant(grant) => {
                    assert!(self.grant.is_none(), "a second grant");
                    self.grant = Some((**grant).clone());
                }
                Change::Grant(grant, was) => {
                    let state = self.grant.as_ref().map(|grant| grant.state);
                    assert_eq!(state, Some(*was), "saved over another state");
                    self.grant = Some((**grant).clone());
                }
                Change::Job(order) => self.enqueue(order),
                Change::NoJob(key) => {
                    self.jobs.remove(key);
                }
                Change::NewRequest(_)
                | Change::Decision(_)
                | Change::Card(..)
                | Change::Want(_)
                | Change::Key(..)
                | Change::Record(_) => {}
            }
        }
        self.history.push((self.now, step, plan));
    }

    fn enqueue(&mut self, order: &JobOrder) {
        let new = || Waiting {
            order: order.clone(),
            failures: 0,
        };
        let Some(waiting) = self.jobs.get_mut(&order.key) else {
            self.jobs.insert(order.key.clone(), new());
            return;
        };
        match order.on_duplicate {
            OnDuplicate::Keep => {}
            OnDuplicate::Move => *waiting = new(),
            OnDuplicate::MoveEarlier => {
                waiting.order.run_at = waiting.order.run_at.min(order.run_at);
            }
        }
    }

    /// Takes a step, then checks all that must hold.
    pub fn take(&mut self, step: Step) {
        let kept = self.history.len();
        self.taken(step);
        self.check();
        if self.history.len() > kept {
            self.check_history();
        }
    }

    fn taken(&mut self, step: Step) {
        let (now, request, grant) = (self.now, self.request.clone(), self.grant.clone());
        let open = match step {
            Step::Wait(ms) => {
                self.now += TimeDelta::milliseconds(ms);
                return;
            }
            Step::UntilDue => {
                let due = self.jobs.iter().filter(|(key, _)| {
                    ["issue:", "revoke:", "expire:"]
                        .iter()
                        .any(|kind| key.starts_with(kind))
                });
                if let Some(next) = due.map(|(_, waiting)| waiting.order.run_at).min() {
                    self.now = self.now.max(next);
                }
                return;
            }
            Step::Drift(ms) => {
                self.drift = TimeDelta::milliseconds(ms);
                return;
            }
            Step::Crash => {
                self.in_flight = None;
                return;
            }
            Step::Refuse => {
                let mallory = identity("U9", "mallory");
                let (refusal, hash) = (Refusal::OwnRequest, policy());
                let plan = requesting::refuse(&refusal, &mallory, None, &hash, "approve", None);
                Ok(plan)
            }
            Step::Approve { by_rule } => {
                let timing = ActivationTiming {
                    activation_s: ACTIVATION_S,
                    remind_s: &REMIND_S,
                };
                let decider = if by_rule { Decider::Rule } else { bob() };
                requesting::approve(&request, decider, "rule".into(), &policy(), timing, now)
            }
            Step::ApprovePartly if request.state.is_open() => {
                let rule = "rule".to_owned();
                Ok(requesting::approve_partly(
                    &request,
                    bob(),
                    rule,
                    &policy(),
                    now,
                ))
            }
            Step::Deny => requesting::deny(&request, bob(), "rule".into(), None, &policy(), now),
            Step::Withdraw => requesting::withdraw(&request, &request.requester, now),
            Step::RunOut if now >= request.pending_until => requesting::expire(&request, now),
            Step::ApprovePartly | Step::RunOut => return,
            _ => match grant {
                Some(grant) => return self.grants(step, &request, &grant),
                None => return,
            },
        };
        // A state that has no answer to the event: nothing is kept.
        if let Ok(plan) = open {
            self.keep(step, plan);
        }
    }

    fn grants(&mut self, step: Step, request: &Request, grant: &Grant) {
        let now = self.now;
        match step {
            Step::Issue { allowed } if self.claim(Call::Issue).is_some() => {
                self.begin_issue(step, request, grant, allowed);
            }
            Step::Issued if self.running(Call::Issue).is_some() => {
                let plan = giving::issued(request, grant, "handle".into(), false, now).unwrap();
                self.keep(step, plan);
                self.settle(Call::Issue, &Settle::Done);
            }
            Step::NotIssued if self.running(Call::Issue).is_some() => {
                let plan = giving::not_issued(request, grant, "no", now).unwrap();
                self.maybe_there &= plan.changes.is_empty();
                self.keep(step, plan);
                self.settle(Call::Issue, &Settle::Done);
            }
            Step::PartlyIssued if self.running(Call::Issue).is_some() => {
                let plan = giving::partly_issued(request, grant, "half", now).unwrap();
                self.keep(step, plan);
                self.settle(Call::Issue, &Settle::Done);
            }
            Step::Troubled { unknown, after_s } => {
                if let Some(job) = self.running(Call::Issue) {
                    let (plan, settle) =
                        giving::issue_troubled(grant, &job, "timeout", unknown, after_s, now)
                            .unwrap();
                    self.keep(step, plan);
                    self.settle(Call::Issue, &settle);
                }
            }
            Step::End(reason) => {
                let by = identity("U1", "alice");
                if let Ok(plan) = ending::order(request, grant, reason, Some(&by), now) {
                    self.keep(step, plan);
                }
            }
            Step::Revoke if self.claim(Call::Revoke).is_some() => {
                self.begin_revoke(step, request, grant);
            }
            Step::Gone(evidence) if self.running(Call::Revoke).is_some() => {
                let plan = ending::gone(request, grant, evidence, &security(), now).unwrap();
                self.maybe_there = false;
                self.keep(step, plan);
                self.settle(Call::Revoke, &Settle::Done);
            }
            Step::NotGone { after_s } => {
                if let Some(job) = self.running(Call::Revoke) {
                    let security = security();
                    let (plan, settle) =
                        ending::not_gone(request, grant, &job, "no", after_s, &security, now)
                            .unwrap();
                    self.keep(step, plan);
                    self.settle(Call::Revoke, &settle);
                }
            }
            _ => {}
        }
    }

    fn begin_issue(&mut self, step: Step, request: &Request, grant: &Grant, allowed: bool) {
        let allowed = if allowed {
            Ok(())
        } else {
            Err(Refusal::SpecChanged)
        };
        let (now, machine) = (self.now, self.now + self.drift);
        let turn = giving::begin_issue(request, grant, allowed, &policy(), &REMIND_S, now, machine);
        match turn.unwrap() {
            giving::Turn::Call(plan, called) => {
                assert!(!grant.state.is_over(), "something over is called for");
                assert_eq!(called.state, GrantState::Issuing);
                let fixed = (called.deadline, called.native_deadline);
                self.fixed.get_or_insert(fixed);
                self.keep(step, plan);
                assert_eq!(
                    self.grant.as_ref(),
                    Some(&*called),
                    "called for what is not kept"
                );
                self.in_flight = Some(Call::Issue);
                self.maybe_there = true;
            }
            giving::Turn::End(plan) => {
                self.keep(step, plan);
                self.settle(Call::Issue, &Settle::Done);
            }
            giving::Turn::Nothing => self.settle(Call::Issue, &Settle::Done),
        }
    }

    fn begin_revoke(&mut self, step: Step, request: &Request, grant: &Grant) {
        match ending::begin_revoke(request, grant, self.now).unwrap() {
            ending::Turn::Call(plan, called) => {
                assert!(!grant.state.is_over(), "something over is called for");
                self.keep(step, plan);
                assert_eq!(
                    self.grant.as_ref(),
                    Some(&*called),
                    "called for what is not kept"
                );
                self.in_flight = Some(Call::Revoke);
            }
            ending::Turn::Cancel(plan) => self.keep(step, plan),
            ending::Turn::NotBefore(at) => self.settle(Call::Revoke, &Settle::Snooze(at)),
            ending::Turn::Nothing => self.settle(Call::Revoke, &Settle::Done),
        }
    }
}

fn bob() -> Decider {
    Decider::Person {
        identity: identity("U2", "bob"),
        group: None,
        group_as_of: None,
    }
}
