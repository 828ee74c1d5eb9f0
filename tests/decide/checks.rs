//! What must hold after every step of a walk.

use chrono::TimeDelta;
use jitbot::domain::decide::{Change, Plan};
use jitbot::domain::grant::{Grant, GrantState};
use jitbot::domain::job::JobKind;
use jitbot::domain::request::RequestState;
use jitbot::domain::timing::Timestamp;

use crate::steps::Step;
use crate::walk::{Call, World};

/// The longest that a failed call waits for its next attempt, in seconds: what a target may ask for.
const RETRY_MAX_S: i64 = 300;

/// The agreed ways from one state of a grant to another.
const WAYS: &[(&str, &str)] = &[
    ("scheduled", "issuing cancelled"),
    ("issuing", "issuing active unknown revoking failed"),
    ("unknown", "issuing active revoking failed"),
    ("active", "revoking"),
    ("revoking", "revoking stuck ended"),
    ("stuck", "stuck ended"),
];

/// The same for a request.
const REQUEST_WAYS: &[(&str, &str)] = &[("pending", "approved denied withdrawn expired cancelled")];

fn is_way(ways: &[(&str, &str)], from: &str, to: &str) -> bool {
    ways.iter()
        .any(|(start, ends)| *start == from && ends.split(' ').any(|end| end == to))
}

/// Whether more than the count of failures changes of a request or grant.
fn changes_something(plan: &Plan, before: Option<&Grant>) -> bool {
    plan.changes.iter().any(|change| match change {
        Change::NewRequest(_) | Change::Request(..) | Change::NewGrant(_) => true,
        Change::Grant(after, _) => {
            let mut after = (**after).clone();
            after.revoke_failures = before.map_or(0, |grant| grant.revoke_failures);
            Some(&after) != before
        }
        _ => false,
    })
}

/// Whether the plan has the job that ends access, due at this moment.
fn ends_at(plan: &Plan, at: Timestamp) -> bool {
    plan.changes.iter().any(|change| match change {
        Change::Job(order) => matches!(order.kind, JobKind::Revoke { .. }) && order.run_at == at,
        _ => false,
    })
}

impl World {
    /// Everything.
    pub fn check(&self) {
        let approved = self.request.state == RequestState::Approved;
        assert_eq!(
            self.grant.is_some(),
            approved,
            "a grant without its approval"
        );
        assert_eq!(
            self.request.decided_at.is_some(),
            !self.request.state.is_open()
        );
        let Some(grant) = &self.grant else {
            let runs_out = self.jobs.values().any(|waiting| {
                matches!(waiting.order.kind, JobKind::ExpireRequest { .. })
                    && waiting.order.run_at == self.request.pending_until
            });
            assert!(
                runs_out || !self.request.state.is_open(),
                "it waits for ever"
            );
            return;
        };
        assert_eq!(grant.id.request(), self.request.id);
        self.check_times(grant);
        self.check_fields(grant);
        self.check_jobs(grant);
    }

    /// No deadline moves after the first intent, and none is past what was approved.
    fn check_times(&self, grant: &Grant) {
        let approved = self.history.iter().find_map(|(_, _, plan)| {
            plan.changes.iter().find_map(|change| match change {
                Change::NewGrant(grant) => Some(&**grant),
                _ => None,
            })
        });
        let approved = approved.expect("a grant begins with an approval");
        assert_eq!(grant.end_by, approved.end_by, "`end_by` moved");
        assert_eq!(
            (&grant.spec, grant.approved_at),
            (&approved.spec, approved.approved_at)
        );
        let (deadline, native) = self.fixed.unwrap_or_default();
        assert_eq!(grant.deadline, deadline, "the deadline moved");
        assert_eq!(grant.native_deadline, native, "the native deadline moved");
        assert!(
            grant
                .deadline
                .is_none_or(|deadline| deadline <= grant.end_by)
        );
        assert!(grant.spec.until.is_none_or(|until| grant.end_by <= until));
    }

    /// Fields that stand together, and what may be at the target.
    fn check_fields(&self, grant: &Grant) {
        use GrantState as S;
        let state = grant.state;
        let called = !matches!(state, S::Scheduled | S::Cancelled);
        assert_eq!(grant.deadline.is_some(), called, "{state:?}");
        assert_eq!(grant.native_deadline.is_some(), called, "{state:?}");
        let ending = matches!(state, S::Revoking | S::Stuck | S::Ended | S::Cancelled);
        assert_eq!(grant.ending.is_some(), ending, "{state:?}");
        assert_eq!(grant.ended_at.is_some(), state.is_over(), "{state:?}");
        assert_eq!(grant.evidence.is_some(), state == S::Ended, "{state:?}");
        assert_eq!(grant.stuck_since.is_some(), state == S::Stuck, "{state:?}");
        assert!(grant.active_at.is_some() || state != S::Active);
        assert!(
            !(self.maybe_there && state.is_over()),
            "{state:?}, but nobody saw it gone"
        );
    }

    /// What is not over has a job that ends it, and what is to be given one that gives it.
    fn check_jobs(&self, grant: &Grant) {
        use GrantState as S;
        let of = |kind: &JobKind| {
            let mut found = self
                .jobs
                .values()
                .filter(|waiting| waiting.order.kind == *kind);
            (found.next(), found.next().is_some())
        };
        let id = grant.id.clone();
        let (end, doubled) = of(&JobKind::Revoke { grant: id.clone() });
        assert!(!doubled);
        let end_at = end.map(|waiting| waiting.order.run_at);
        if grant.state.is_over() {
            assert_eq!(end_at, None, "{:?} is still to be ended", grant.state);
            assert_ne!(self.in_flight, Some(Call::Revoke));
        } else if grant.ending.is_none() {
            assert_eq!(
                end_at,
                Some(grant.due_end()),
                "its end is not where it is due"
            );
        } else {
            let latest = self.now + TimeDelta::seconds(RETRY_MAX_S);
            assert!(
                end_at.is_some_and(|at| at <= latest),
                "its end waits: {end_at:?}"
            );
        }
        if matches!(grant.state, S::Scheduled | S::Issuing | S::Unknown) {
            let (give, _) = of(&JobKind::Issue { grant: id });
            assert!(give.is_some(), "{:?}, and nobody gives it", grant.state);
        }
        for waiting in self.jobs.values() {
            if let JobKind::Remind { before_s, .. } = waiting.order.kind {
                let before = TimeDelta::seconds(before_s);
                let end = grant.deadline.unwrap_or(grant.end_by);
                assert_eq!(
                    waiting.order.run_at,
                    end - before,
                    "a reminder of {before_s} s"
                );
            }
        }
    }

    /// States go only where they may, each change is recorded, and security is told once.
    pub fn check_history(&self) {
        let (mut grant, mut request) = (None::<Grant>, None::<RequestState>);
        let (mut stuck, mut healed) = (0, 0);
        for (at, cause, plan) in &self.history {
            let recorded = plan.changes.iter().any(|c| matches!(c, Change::Record(_)));
            let changed = changes_something(plan, grant.as_ref());
            assert!(recorded || !changed, "unrecorded at {at}: {cause:?}");
            for change in &plan.changes {
                match change {
                    Change::NewRequest(new) => request = Some(new.state),
                    Change::Request(after, was) => {
                        assert_eq!(request, Some(*was));
                        let (from, to) = (was.as_str(), after.state.as_str());
                        assert!(is_way(REQUEST_WAYS, from, to), "{from} > {to}");
                        request = Some(after.state);
                    }
                    Change::NewGrant(new) => {
                        assert_eq!(new.state, GrantState::Scheduled);
                        grant = Some((**new).clone());
                    }
                    Change::Grant(after, was) => {
                        let (from, to) = (was.as_str(), after.state.as_str());
                        assert!(is_way(WAYS, from, to), "{from} > {to}");
                        let begins = after.state == GrantState::Revoking && after.state != *was;
                        // A turn of the job that ends it calls at once and needs no other.
                        if begins && !matches!(cause, Step::Revoke) {
                            assert!(ends_at(plan, *at), "{cause:?} at {at} orders no end");
                        }
                        grant = Some((**after).clone());
                    }
                    Change::Job(order) => match order.kind {
                        JobKind::TellStuck { .. } => stuck += 1,
                        JobKind::TellHealed { .. } => healed += 1,
                        _ => {}
                    },
                    Change::Decision(_)
                    | Change::Card(..)
                    | Change::Want(_)
                    | Change::Key(..)
                    | Change::Record(_)
                    | Change::NoJob(_) => {}
                }
            }
        }
        assert!(
            stuck <= 1 && healed <= stuck,
            "told {stuck} times, healed {healed}"
        );
    }
}
