//! The steps of a walk, and how often each is drawn.

use jitbot::domain::grant::{EndingReason, Evidence};
use proptest::prelude::*;

/// What may happen next. A step that can't happen now changes nothing.
#[derive(Debug, Clone, Copy)]
pub enum Step {
    /// Time goes by, in milliseconds.
    Wait(i64),
    /// Time goes by until a job is due.
    UntilDue,
    /// The machine's clock is set, in milliseconds from ours.
    Drift(i64),
    Approve {
        by_rule: bool,
    },
    ApprovePartly,
    Deny,
    Withdraw,
    RunOut,
    /// Somebody tries what they may not.
    Refuse,
    /// The issue job's turn; today's rules allow it or not.
    Issue {
        allowed: bool,
    },
    Issued,
    NotIssued,
    PartlyIssued,
    Troubled {
        unknown: bool,
        after_s: Option<i64>,
    },
    End(EndingReason),
    /// The revoke job's turn.
    Revoke,
    Gone(Evidence),
    NotGone {
        after_s: Option<i64>,
    },
    /// The process dies; what a call in flight came to is never heard.
    Crash,
}

pub fn any_step() -> impl Strategy<Value = Step> {
    let after_s = || proptest::option::weighted(0.2, -10..1_000_i64);
    let ordered = [EndingReason::Done, EndingReason::Revoked];
    prop_oneof![
        4 => (0..3_000_i64).prop_map(Step::Wait),
        2 => (0..700_000_i64).prop_map(Step::Wait),
        1 => (0..6_000_000_i64).prop_map(Step::Wait),
        12 => Just(Step::UntilDue),
        1 => (-90_000..90_000_i64).prop_map(Step::Drift),
        4 => any::<bool>().prop_map(|by_rule| Step::Approve { by_rule }),
        1 => Just(Step::ApprovePartly),
        1 => prop_oneof![Just(Step::Deny), Just(Step::Withdraw), Just(Step::RunOut)],
        1 => Just(Step::Refuse),
        8 => prop::bool::weighted(0.9).prop_map(|allowed| Step::Issue { allowed }),
        3 => Just(Step::Issued),
        1 => Just(Step::NotIssued),
        1 => Just(Step::PartlyIssued),
        3 => (any::<bool>(), after_s())
            .prop_map(|(unknown, after_s)| Step::Troubled { unknown, after_s }),
        2 => prop::sample::select(ordered.to_vec()).prop_map(Step::End),
        12 => Just(Step::Revoke),
        1 => prop::sample::select(Evidence::ALL.to_vec()).prop_map(Step::Gone),
        12 => after_s().prop_map(|after_s| Step::NotGone { after_s }),
        1 => Just(Step::Crash),
    ]
}
