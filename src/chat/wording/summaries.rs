//! A request and its access in one line.

use super::super::text::Text;
use crate::domain::answer::Summary;
use crate::domain::duration;
use crate::domain::grant::GrantState;
use crate::domain::request::RequestState;

/// `staging-ssh for 1h (r…)`, or `staging-ssh for 1h more (r…)`.
pub(super) fn what(text: Text, summary: &Summary) -> Text {
    let text = text.strong(summary.resource.as_str());
    match summary.extends {
        Some((from, until)) => text.plain(format!(
            " for {} more (",
            duration::format((until - from).num_seconds())
        )),
        None => text.plain(format!(" for {} (", duration::format(summary.duration_s))),
    }
    .code(summary.id.as_str())
    .plain(")")
}

/// Where something stands, as a sentence.
pub(super) fn standing(summary: &Summary) -> Text {
    if let (RequestState::Approved, Some((_, until)), true) =
        (summary.state, summary.extends, summary.deadline.is_some())
    {
        return Text::of("Approved: the access may last until ")
            .moment(until)
            .plain(".");
    }
    match (summary.state, summary.grant) {
        (RequestState::Approved, Some(grant)) => match (grant, summary.deadline) {
            (GrantState::Active, Some(deadline)) => {
                Text::of("Live until ").moment(deadline).plain(".")
            }
            (GrantState::Active, None) => Text::of("Live."),
            (GrantState::Scheduled | GrantState::Issuing, _) => {
                Text::of("Approved; it is being given.")
            }
            (GrantState::Unknown, _) => {
                Text::of("Approved; whether the target gave it is being found out.")
            }
            (GrantState::Revoking, _) => Text::of("Being taken away."),
            (GrantState::Stuck, _) => Text::of(
                "⚠️ Taking it away keeps failing; it goes on being tried, and security was told.",
            ),
            (GrantState::Ended, _) => Text::of("Ended."),
            (GrantState::Failed, _) => Text::of("Approved, but it could not be given."),
            (GrantState::Cancelled, _) => Text::of("Cancelled before it was given."),
        },
        (RequestState::Approved, None) => Text::of("Approved."),
        (RequestState::Checking, _) => {
            Text::of("Whether it may be asked for is being checked with the workspace.")
        }
        (RequestState::Pending, _) => Text::of("Waits for a decision until ")
            .moment(summary.pending_until)
            .plain("."),
        (RequestState::Denied, _) => Text::of("Denied."),
        (RequestState::Refused, _) => Text::of("Refused."),
        (RequestState::Withdrawn, _) => Text::of("Withdrawn."),
        (RequestState::Expired, _) => Text::of("Ran out undecided."),
        (RequestState::Cancelled, _) => Text::of("Cancelled."),
    }
}
