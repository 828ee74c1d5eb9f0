//! Each number, with its name and what it means.

use std::sync::atomic::AtomicU64;

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::{Registry, Unit};

/// Upper bounds in seconds: a person waits.
const ANSWER_S: [f64; 9] = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.0];
/// A target is called.
const CALL_S: [f64; 9] = [0.01, 0.05, 0.1, 0.5, 1.0, 2.5, 5.0, 15.0, 45.0];
/// Access outlives its deadline.
const LAG_S: [f64; 10] = [
    0.25, 0.5, 1.0, 2.5, 5.0, 15.0, 60.0, 300.0, 1_800.0, 7_200.0,
];
/// People decide.
const DECISION_S: [f64; 9] = [
    1.0, 10.0, 60.0, 300.0, 900.0, 1_800.0, 3_600.0, 14_400.0, 86_400.0,
];

/// Labels whose values stand in the program.
pub(super) type Fixed<const N: usize> = [(&'static str, &'static str); N];

/// Labels with values from the database, which are few: platforms, reasons of refusals.
pub(super) type Few<const N: usize> = [(&'static str, String); N];

pub(super) type Histograms<S> = Family<S, Histogram, fn() -> Histogram>;

pub(super) struct Numbers {
    pub(super) requests: Counter,
    pub(super) refusals: Family<Few<1>, Counter>,
    pub(super) decisions: Family<Fixed<2>, Counter>,
    pub(super) decision_times: Histograms<Fixed<1>>,
    pub(super) given: Counter,
    pub(super) not_given: Counter,
    pub(super) ended: Family<Few<1>, Counter>,
    pub(super) revocation_lag: Histogram,
    pub(super) issues: Histogram,
    pub(super) revokes: Histogram,
    pub(super) answers: Histograms<Fixed<1>>,
    pub(super) unanswered: Family<Fixed<1>, Counter>,
    pub(super) chat_errors: Family<Fixed<2>, Counter>,
    pub(super) reloads: Family<Fixed<1>, Counter>,
    pub(super) heartbeats: Family<Fixed<1>, Counter>,
    pub(super) live: Gauge,
    pub(super) stuck: Gauge,
    pub(super) pending: Gauge,
    pub(super) ready: Gauge,
    pub(super) jobs_waiting: Family<Fixed<1>, Gauge>,
    pub(super) oldest_job: Family<Fixed<1>, Gauge<f64, AtomicU64>>,
    pub(super) fact_age: Family<Few<2>, Gauge<f64, AtomicU64>>,
}

impl Numbers {
    pub(super) fn registered(to: &mut Registry) -> Self {
        let numbers = Self {
            requests: Counter::default(),
            refusals: Family::default(),
            decisions: Family::default(),
            decision_times: Family::new_with_constructor(|| Histogram::new(DECISION_S)),
            given: Counter::default(),
            not_given: Counter::default(),
            ended: Family::default(),
            revocation_lag: Histogram::new(LAG_S),
            issues: Histogram::new(CALL_S),
            revokes: Histogram::new(CALL_S),
            answers: Family::new_with_constructor(|| Histogram::new(ANSWER_S)),
            unanswered: Family::default(),
            chat_errors: Family::default(),
            reloads: Family::default(),
            heartbeats: Family::default(),
            live: Gauge::default(),
            stuck: Gauge::default(),
            pending: Gauge::default(),
            ready: Gauge::default(),
            jobs_waiting: Family::default(),
            oldest_job: Family::default(),
            fact_age: Family::default(),
        };
        numbers.register_counts(to);
        numbers.register_times(to);
        numbers.register_standing(to);
        let build = Info::new([("version", env!("CARGO_PKG_VERSION"))]);
        to.register("build", "Which jitbot this is", build);
        numbers
    }

    fn register_counts(&self, to: &mut Registry) {
        to.register(
            "requests",
            "Requests that stood, those for more time included",
            self.requests.clone(),
        );
        to.register(
            "refusals",
            "What somebody tried and was refused, by why",
            self.refusals.clone(),
        );
        to.register(
            "decisions",
            "Decisions on requests, by who decided; each of several approvals counts",
            self.decisions.clone(),
        );
        to.register(
            "grants_given",
            "Grants that a target said are there",
            self.given.clone(),
        );
        to.register(
            "grants_not_given",
            "Approved requests that could not be given",
            self.not_given.clone(),
        );
        to.register(
            "grants_ended",
            "Grants that are over, by the evidence for it",
            self.ended.clone(),
        );
        to.register(
            "unanswered",
            "What people did that was not answered in time or at all",
            self.unanswered.clone(),
        );
        to.register(
            "chat_errors",
            "Calls to a chat platform that failed, by what came of them",
            self.chat_errors.clone(),
        );
        to.register(
            "config_reloads",
            "Configs that were read again, by what came of it",
            self.reloads.clone(),
        );
        to.register(
            "heartbeats",
            "Heartbeats that were due, by what came of them",
            self.heartbeats.clone(),
        );
    }

    fn register_times(&self, to: &mut Registry) {
        let mut timed = |name: &'static str, help: &'static str, one: Timed| match one {
            Timed::One(one) => to.register_with_unit(name, help, Unit::Seconds, one),
            Timed::Many(many) => to.register_with_unit(name, help, Unit::Seconds, many),
        };
        timed(
            "decision_time",
            "From the submission of a request to the decision that settled it",
            Timed::Many(self.decision_times.clone()),
        );
        timed(
            "revocation_lag",
            "From the moment that a grant had to end to the evidence that it is over",
            Timed::One(self.revocation_lag.clone()),
        );
        timed(
            "issue_duration",
            "Calls to a target that give access, whatever came of them",
            Timed::One(self.issues.clone()),
        );
        timed(
            "revoke_duration",
            "Calls to a target that take access away and look whether it is gone",
            Timed::One(self.revokes.clone()),
        );
        timed(
            "answer_duration",
            "From the event of a platform to the answer handed over, what it did durable",
            Timed::Many(self.answers.clone()),
        );
    }

    fn register_standing(&self, to: &mut Registry) {
        to.register("grants_live", "Grants that are not over", self.live.clone());
        to.register(
            "grants_stuck",
            "Grants whose revocation keeps failing",
            self.stuck.clone(),
        );
        to.register(
            "requests_pending",
            "Requests that wait for people",
            self.pending.clone(),
        );
        to.register(
            "ready",
            "1 where /readyz says that the bot is ready, otherwise 0",
            self.ready.clone(),
        );
        to.register(
            "jobs_waiting",
            "Jobs that are due and that nobody is at, by kind of lane",
            self.jobs_waiting.clone(),
        );
        to.register_with_unit(
            "oldest_job_age",
            "How long the job is due that waits the longest, by kind of lane",
            Unit::Seconds,
            self.oldest_job.clone(),
        );
        to.register_with_unit(
            "fact_age",
            "How long ago a source last told facts about people",
            Unit::Seconds,
            self.fact_age.clone(),
        );
    }
}

/// A duration without labels, or with one.
enum Timed {
    One(Histogram),
    Many(Histograms<Fixed<1>>),
}
