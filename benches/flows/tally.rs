//! What came of many flows, as numbers. Pure.

use std::collections::BTreeMap;

use serde::Serialize;

/// The longest that Slack waits for an acknowledgement: what was never answered counts as this slow.
pub const UNANSWERED_US: u64 = 3_000_000;

/// Why a flow does not count as done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Failure {
    /// The command was not acknowledged, or without an answer, or with a refusal.
    NotAnswered,
    /// No card with an Approve button was there in time.
    NoCard,
    /// The approver's press was not acknowledged.
    PressNotAnswered,
    /// The target was never asked to give it.
    NotGiven,
    /// The target did not confirm the end in time.
    NotEnded,
    /// Nobody told the requester that it is over.
    NotTold,
    /// Given before the approval, given again after the end, or ended too early.
    Wrong,
    /// The sandbox or the driver itself failed: says nothing of the bot.
    NotPlayed,
}

/// One flow.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Flow {
    /// From the planned moment until the command was typed: how late the driver is.
    pub late_us: u64,
    /// From the envelope until its acknowledgement with the answer.
    pub answer_us: Option<u64>,
    /// From the envelope of the approver's press until its acknowledgement.
    pub press_us: Option<u64>,
    /// From the press until the target was asked to give it.
    pub given_after_us: Option<u64>,
    /// From when it should have ended until the target confirmed the end.
    pub lag_us: Option<i64>,
    /// When the target confirmed the end, from the beginning of the step.
    pub ended_at_us: Option<u64>,
    /// Why it does not count.
    pub failure: Option<Failure>,
}

/// Percentiles of something, in milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Spread {
    /// Half were faster.
    pub p50_ms: f64,
    /// One in a hundred was slower.
    pub p99_ms: f64,
    /// The slowest.
    pub max_ms: f64,
}

/// What came of one step: flows that arrived at one rate.
#[derive(Debug, Clone, Serialize)]
pub struct Step {
    /// Flows that were begun each second.
    pub rate: u32,
    /// Flows begun.
    pub asked: usize,
    /// Flows whose end the target confirmed and of whose end the requester was told.
    pub done: usize,
    /// Ends a second, between the first and the last.
    pub done_per_s: f64,
    /// Failures by kind.
    pub failures: BTreeMap<Failure, usize>,
    /// Command until answer; what was never answered counts as three seconds.
    pub answer: Option<Spread>,
    /// Press until acknowledgement.
    pub press: Option<Spread>,
    /// Press until the target is asked.
    pub given_after: Option<Spread>,
    /// Deadline until the target confirmed the end; what never ended counts as the longest wait.
    pub lag: Option<Spread>,
    /// How late the driver typed.
    pub late: Option<Spread>,
    /// The bot's CPU time over the whole step, for each flow done.
    pub cpu_ms_per_flow: Option<f64>,
}

/// The value that at least `share` of all are not above (nearest rank).
#[must_use]
pub fn percentile(sorted: &[i64], share: f64) -> Option<i64> {
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "there are far fewer than 2^52 flows"
    )]
    let rank = (share * sorted.len() as f64).ceil() as usize;
    sorted.get(rank.saturating_sub(1)).copied()
}

/// Percentiles of microseconds; none where there is nothing.
#[must_use]
pub fn spread(mut us: Vec<i64>) -> Option<Spread> {
    us.sort_unstable();
    #[expect(clippy::cast_precision_loss, reason = "no wait takes 2^52 µs")]
    let ms = |us: i64| us as f64 / 1000.0;
    Some(Spread {
        p50_ms: ms(percentile(&us, 0.50)?),
        p99_ms: ms(percentile(&us, 0.99)?),
        max_ms: ms(*us.last()?),
    })
}

fn signed(us: u64) -> i64 {
    i64::try_from(us).unwrap_or(i64::MAX)
}

impl Step {
    /// Counts. `cpu_ms` is what the bot used from the first arrival to the last end, `wait_us` how long an
    /// end was waited for.
    #[must_use]
    pub fn of(rate: u32, flows: &[Flow], cpu_ms: f64, wait_us: u64) -> Self {
        let done = flows.iter().filter(|flow| flow.failure.is_none()).count();
        let mut failures = BTreeMap::new();
        for failure in flows.iter().filter_map(|flow| flow.failure) {
            *failures.entry(failure).or_default() += 1;
        }
        // What was not played says nothing of the bot; everything else that was asked is judged.
        let asked = || {
            flows
                .iter()
                .filter(|flow| flow.failure != Some(Failure::NotPlayed))
        };
        let answer = asked()
            .map(|flow| signed(flow.answer_us.unwrap_or(UNANSWERED_US)))
            .collect();
        let given = || flows.iter().filter(|flow| flow.given_after_us.is_some());
        let lag = given()
            .map(|flow| flow.lag_us.unwrap_or_else(|| signed(wait_us)))
            .collect();
        let of = |pick: fn(&Flow) -> Option<u64>| {
            spread(flows.iter().filter_map(pick).map(signed).collect())
        };
        let ends = || flows.iter().filter_map(|flow| flow.ended_at_us);
        let span_us = ends().max().zip(ends().min()).map_or(0, |(a, b)| a - b);
        #[expect(clippy::cast_precision_loss, reason = "few flows, short spans")]
        let (count, span_s) = (done as f64, span_us as f64 / 1e6);
        Self {
            rate,
            asked: flows.len(),
            done,
            done_per_s: if span_s > 0.0 { count / span_s } else { 0.0 },
            failures,
            answer: spread(answer),
            press: of(|flow| flow.press_us),
            given_after: of(|flow| flow.given_after_us),
            lag: spread(lag),
            late: of(|flow| Some(flow.late_us)),
            cpu_ms_per_flow: (done > 0).then(|| cpu_ms / count),
        }
    }

    /// All failures together.
    #[must_use]
    pub fn failed(&self) -> usize {
        self.failures.values().sum()
    }
}
