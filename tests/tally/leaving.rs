//! What no walk leads to, counted from the plans that bring it.

use jitbot::domain::audit::AuditEntry;
use jitbot::domain::decide::cancelling::{self, Cancelled};
use jitbot::domain::decide::{Change, checking, extending};
use jitbot::domain::departure::Departure;
use jitbot::domain::grant::GrantState;
use jitbot::domain::ids::RequestId;
use jitbot::domain::request::{Extension, ExtensionState, Request, RequestState};
use jitbot::domain::tally::Tally;

use crate::{case, entry, states, tally};

#[test]
fn what_leaving_and_more_time_bring_is_counted() {
    let held = states::grant(GrantState::Active);
    let base = case::request(RequestState::Approved);
    let asks = |state: RequestState| Request {
        id: RequestId::from_bits(8),
        extends: Some(Extension {
            grant: held.id.clone(),
            from: held.deadline.unwrap(),
            state: ExtensionState::Waiting,
        }),
        ..case::request(state)
    };
    let (open, approved) = (asks(RequestState::Pending), asks(RequestState::Approved));
    let of = extending::Parties {
        asking: &approved,
        base: &base,
        grant: &held,
    };
    let (policy, now) = (case::policy(), case::at(100));
    let why = Departure::NotAmongThose;
    let plans = [
        checking::leave(&base, &held, why, &policy, now),
        cancelling::cancel(&open, Cancelled::Left(why), &policy, now),
        cancelling::cancel(&open, Cancelled::AccessEnded, &policy, now),
        cancelling::cancel(&open, Cancelled::AccessEnded, &policy, now),
        extending::extended(of, serde_json::Value::Null, false, now),
        extending::refused(of, "no", &[], now),
    ];
    let drafts = plans.into_iter().flat_map(|plan| plan.unwrap().changes);
    let entries: Vec<AuditEntry> = drafts
        .filter_map(|change| match change {
            Change::Record(draft) => Some(entry(draft)),
            _ => None,
        })
        .collect();
    let expected = Tally {
        left: 1,
        cancelled_requests: 1,
        pointless: 2,
        extended: 1,
        not_extended: 1,
        ..Tally::default()
    };
    assert_eq!(tally(&entries), expected);
}
