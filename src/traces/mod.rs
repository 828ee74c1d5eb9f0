//! What was done and how long it took, as spans of traces. The only place that names the libraries of
//! OpenTelemetry.
//!
//! A trace begins with something that somebody did in chat, or with an attempt at a job; calls to
//! targets and platforms are spans below. No trace outlives a process: what belongs together over
//! restarts carries the same id of a request or a grant. A span holds ids and words of ours, never
//! what somebody typed, what somebody else answered, or who acted.
//!
//! Where no traces are asked for nothing listens to [`TARGET`], and a span costs one look at that.

#[cfg(feature = "otlp")]
mod otlp;
mod words;

#[cfg(not(feature = "otlp"))]
mod without;

use tracing::field::{Empty, display};
use tracing::{Span, info_span};

use crate::domain::answer::Answer;
use crate::domain::command::Inbound;
use crate::domain::ids::{GrantId, IssuerName, RequestId};
use crate::domain::job::Job;
use crate::domain::outcome::Outcome;

#[cfg(feature = "otlp")]
pub use otlp::Export;
#[cfg(not(feature = "otlp"))]
pub use without::Export;

/// What spans of traces are told apart by from all others; no log shows it.
pub const TARGET: &str = "jitbot_spans";

/// Something came in from a platform.
#[must_use]
pub fn event(platform: &'static str) -> Span {
    info_span!(
        target: TARGET,
        parent: None,
        "event",
        otel.name = Empty,
        otel.kind = "server",
        otel.status_code = Empty,
        jitbot.platform = platform,
        jitbot.via = Empty,
        jitbot.verb = Empty,
        jitbot.outcome = Empty,
        jitbot.refusal = Empty,
        jitbot.request.id = Empty,
        jitbot.resource = Empty,
    )
}

/// What came in is this; the request that it names, for its end. Each field of a span is said once.
#[must_use]
pub fn acts(inbound: &Inbound) -> Option<RequestId> {
    let span = Span::current();
    if span.is_disabled() {
        return None;
    }
    let (via, verb) = (words::via(&inbound.via), words::verb(&inbound.act));
    span.record("otel.name", display(format_args!("{via} {verb}")));
    span.record("jitbot.via", via);
    span.record("jitbot.verb", verb);
    words::request_of(&inbound.act).cloned()
}

/// It is answered with this.
pub fn answered(named: Option<&RequestId>, answer: &Answer) {
    let span = Span::current();
    if span.is_disabled() {
        return;
    }
    let (kind, summary) = words::answer(answer);
    span.record("jitbot.outcome", kind);
    if let Answer::Refused(refusal) = answer {
        span.record("jitbot.refusal", refusal.code());
    }
    if let Some(summary) = summary {
        span.record("jitbot.resource", display(&summary.resource));
    }
    if let Some(request) = summary.map(|summary| &summary.id).or(named) {
        span.record("jitbot.request.id", display(request));
    }
}

/// It is not answered.
pub fn unanswered(named: Option<&RequestId>) {
    let span = Span::current();
    ended(&span, "unanswered", false);
    if let Some(request) = named {
        span.record("jitbot.request.id", display(request));
    }
}

/// What goes on after the answer, so that the answer's time ends with the answer.
#[must_use]
pub fn beside() -> Span {
    info_span!(target: TARGET, "beside the answer")
}

/// An attempt at a job.
#[must_use]
pub fn attempt(job: &Job) -> Span {
    let span = info_span!(
        target: TARGET,
        parent: None,
        "job",
        otel.name = Empty,
        otel.kind = "consumer",
        otel.status_code = Empty,
        jitbot.job.kind = Empty,
        jitbot.job.id = job.id,
        jitbot.lane = job.lane.0,
        jitbot.attempt = job.attempt,
        jitbot.outcome = Empty,
        jitbot.request.id = Empty,
        jitbot.grant.id = Empty,
    );
    if !span.is_disabled() {
        words::of_job(&job.kind, |field, text| {
            if field == "jitbot.job.kind" {
                span.record("otel.name", display(format_args!("job {text}")));
            }
            span.record(field, text);
        });
    }
    span
}

/// What came of it.
pub fn came_of(span: &Span, outcome: &Outcome) {
    let (kind, well) = words::outcome(outcome);
    ended(span, kind, well);
}

/// A call to a target.
#[must_use]
pub fn target_call(op: &'static str, issuer: &IssuerName, grant: Option<&GrantId>) -> Span {
    info_span!(
        target: TARGET,
        "issuer",
        otel.name = display(format_args!("issuer {op}")),
        otel.kind = "client",
        otel.status_code = Empty,
        jitbot.issuer = display(issuer),
        jitbot.op = op,
        jitbot.outcome = Empty,
        jitbot.grant.id = grant.map(display),
    )
}

/// A call of a platform's method.
#[must_use]
pub fn platform_call(platform: &'static str, method: &str) -> Span {
    info_span!(
        target: TARGET,
        "platform",
        otel.name = display(format_args!("{platform} {method}")),
        otel.kind = "client",
        otel.status_code = Empty,
        jitbot.platform = platform,
        jitbot.method = method,
        jitbot.outcome = Empty,
    )
}

/// A span ends so.
pub fn ended(span: &Span, outcome: &'static str, well: bool) {
    span.record("jitbot.outcome", outcome);
    if !well {
        span.record("otel.status_code", "ERROR");
    }
}
