//! The words of spans. Pure.

use serde_json::Value;

use crate::domain::answer::{Answer, Summary};
use crate::domain::command::{Act, Command, Query, Via};
use crate::domain::ids::RequestId;
use crate::domain::job::JobKind;
use crate::domain::outcome::Outcome;

pub(super) const fn via(via: &Via) -> &'static str {
    match via {
        Via::Typed => "typed",
        Via::Button(_) => "button",
        Via::Form => "form",
    }
}

pub(super) const fn verb(act: &Act) -> &'static str {
    match act {
        Act::Command(command) => match command {
            Command::Submit { .. } => "request",
            Command::Approve(_) => "approve",
            Command::Deny { .. } => "deny",
            Command::Withdraw(_) => "withdraw",
            Command::Extend { .. } => "extend",
            Command::Done(_) => "done",
            Command::Revoke { .. } => "revoke",
            Command::SendAgain(_) => "send_again",
            Command::GiveKey(_) => "give_key",
            Command::ForgetKey(_) => "forget_key",
        },
        Act::Query(query) => match query {
            Query::List(_) => "list",
            Query::Status(_) => "status",
            Query::Resources => "resources",
            Query::Who(_) => "who",
            Query::Explain { .. } => "explain",
            Query::RequestForm(_) => "request_form",
            Query::ExtendForm(_) => "extend_form",
            Query::Home => "home",
            Query::Key => "key",
            Query::Help => "help",
        },
    }
}

/// The request that an act names.
pub(super) const fn request_of(act: &Act) -> Option<&RequestId> {
    match act {
        Act::Command(command) => match command {
            Command::Approve(press) | Command::Deny { press, .. } => Some(&press.request),
            Command::Withdraw(request)
            | Command::Extend { request, .. }
            | Command::Done(request)
            | Command::Revoke { request, .. }
            | Command::SendAgain(request) => Some(request),
            Command::Submit { .. } | Command::GiveKey(_) | Command::ForgetKey(_) => None,
        },
        Act::Query(Query::Status(request) | Query::ExtendForm(request)) => Some(request),
        Act::Query(_) => None,
    }
}

/// What kind of answer it is, and the request that it is about.
pub(super) fn answer(answer: &Answer) -> (&'static str, Option<&Summary>) {
    match answer {
        Answer::Refused(_) => ("refused", None),
        Answer::Received(it) => ("received", Some(it)),
        Answer::ApprovedByRule(it) => ("approved_by_rule", Some(it)),
        Answer::AlreadyThere(it) => ("already_there", Some(it)),
        Answer::Approved(it) => ("approved", Some(it)),
        Answer::ApprovedAlready(it) => ("approved_already", Some(it)),
        Answer::Denied(it) => ("denied", Some(it)),
        Answer::WhyDeny(it) => ("why_deny", Some(it)),
        Answer::ExtensionReceived(it) => ("extension_received", Some(it)),
        Answer::ExtensionByRule(it) => ("extension_by_rule", Some(it)),
        Answer::SendingAgain(it) => ("sending_again", Some(it)),
        Answer::MakingAnew(it) => ("making_anew", Some(it)),
        Answer::Withdrawn(it) => ("withdrawn", Some(it)),
        Answer::Ending(it) => ("ending", Some(it)),
        Answer::List(_) => ("list", None),
        Answer::Status(_) => ("status", None),
        Answer::Resources(_) => ("resources", None),
        Answer::Who(_) => ("who", None),
        Answer::Explained(_) => ("explained", None),
        Answer::RequestForm(_) => ("request_form", None),
        Answer::ExtendForm(_) => ("extend_form", None),
        Answer::Key(_) => ("key", None),
        Answer::Home(_) => ("home", None),
        Answer::Help(_) => ("help", None),
    }
}

/// What came of an attempt, and whether that is well.
pub(super) const fn outcome(outcome: &Outcome) -> (&'static str, bool) {
    match outcome {
        Outcome::Done => ("done", true),
        Outcome::Issued { .. } => ("issued", true),
        Outcome::Extended { .. } => ("extended", true),
        Outcome::NotExtended { .. } => ("not_extended", false),
        Outcome::NotIssued { .. } => ("not_issued", false),
        Outcome::PartlyIssued { .. } => ("partly_issued", false),
        Outcome::IssueUnknown { .. } => ("issue_unknown", false),
        Outcome::SecretSent { .. } => ("secret_sent", true),
        Outcome::SecretMayBeLost { .. } => ("secret_may_be_lost", false),
        Outcome::Gone(_) => ("gone", true),
        Outcome::HistoryWritten { .. } => ("history_written", true),
        Outcome::CardPosted(_) => ("card_posted", true),
        Outcome::Retry { .. } => ("retry", false),
        Outcome::PostedTo(_) => ("posted", true),
        Outcome::PlaceLost(_) => ("place_lost", false),
        Outcome::PlaceThere => ("place_there", true),
        Outcome::PlacesLost(_) => ("places_lost", false),
        Outcome::Impossible { .. } => ("impossible", false),
        Outcome::Facts { trouble, .. } => ("facts", trouble.is_none()),
        Outcome::Due => ("due", true),
        Outcome::NotBefore(_) => ("not_before", true),
    }
}

/// The kind of a job as it is stored, and the request or the grant that it is for; each with the field
/// of its span. Nothing else of it is read: a job may carry what somebody typed.
pub(super) fn of_job(kind: &JobKind, mut say: impl FnMut(&'static str, &str)) {
    let Ok(stored) = serde_json::to_value(kind) else {
        return;
    };
    // A message that is told in another way is a job within a job.
    let about = match &stored["message"] {
        Value::Object(message) if message.contains_key("job") => &stored["message"],
        _ => &stored,
    };
    for (field, text) in [
        ("jitbot.job.kind", &stored["job"]),
        ("jitbot.request.id", &about["request"]),
        ("jitbot.grant.id", &about["grant"]),
    ] {
        if let Some(text) = text.as_str() {
            say(field, text);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::ids::{AccountId, GrantId, Place};

    fn said(kind: &JobKind) -> Vec<(&'static str, String)> {
        let mut said = Vec::new();
        of_job(kind, |field, text| said.push((field, text.to_owned())));
        said
    }

    #[test]
    fn a_job_says_its_kind_and_whose_it_is_and_nothing_else() {
        let grant = GrantId::new("gqww095bz09".to_owned()).expect("an id");
        let place = Place::new("slack:T1/C1".to_owned()).expect("a place");
        let account = AccountId::new("slack:T1/U1".to_owned()).expect("an account");
        let told = JobKind::TellStuck {
            grant: grant.clone(),
            place,
        };
        let id = ("jitbot.grant.id", grant.to_string());
        let expected = vec![("jitbot.job.kind", "tell_stuck".to_owned()), id.clone()];
        assert_eq!(said(&told), expected);
        let privately = JobKind::Privately {
            account,
            message: Box::new(told),
        };
        assert_eq!(
            said(&privately),
            [("jitbot.job.kind", "privately".to_owned()), id]
        );
        assert_eq!(
            said(&JobKind::DigestDue),
            [("jitbot.job.kind", "digest_due".to_owned())]
        );
    }
}
