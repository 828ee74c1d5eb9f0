//! What forms say.

use super::super::form::{Field, Form};
use super::super::text::{Text, cut};
use super::risk;
use super::summaries::what;
use crate::domain::answer::{ExtendForm, Offer, RequestForm};
use crate::domain::command::WantedEnd;
use crate::domain::duration;

/// One choice of a field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Suggestion {
    /// What is handed in.
    pub value: String,
    /// What is shown.
    pub label: String,
    /// More about it.
    pub about: String,
}

/// One field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldWords {
    /// Which.
    pub field: Field,
    /// Its label.
    pub label: &'static str,
    /// What helps to fill it in.
    pub hint: String,
    /// What stands in it at first.
    pub filled_in: String,
    /// It may stay empty.
    pub optional: bool,
    /// What can be chosen; empty where it is typed.
    pub choices: Vec<Suggestion>,
}

/// A form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FormWords {
    /// At most 24 characters, Slack's limit (reference/views/modal-views).
    pub title: &'static str,
    /// On the button that sends it; at most 24 characters.
    pub submit: &'static str,
    /// On the button that closes it; at most 24 characters.
    pub close: &'static str,
    /// What stands above the fields.
    pub lead: Option<Text>,
    /// The fields.
    pub fields: Vec<FieldWords>,
}

/// The words of a form.
#[must_use]
pub fn form(form: &Form) -> FormWords {
    match form {
        Form::Request(asked) => request(asked),
        Form::Extend(asked) => extend(asked),
        Form::Deny(summary, _) => FormWords {
            title: "Deny the request",
            submit: "Deny",
            close: "Cancel",
            lead: Some(match &summary.requester {
                Some(who) => what(Text::default().quietly(who).plain(" asked for "), summary),
                None => what(Text::of("Asked for: "), summary),
            }),
            fields: vec![FieldWords {
                field: Field::Reason,
                label: "Why not?",
                hint: "The requester is told, and it goes on record.".to_owned(),
                filled_in: String::new(),
                optional: false,
                choices: Vec::new(),
            }],
        },
    }
}

fn request(asked: &RequestForm) -> FormWords {
    let chosen = asked
        .offers
        .iter()
        .find(|offer| Some(&offer.resource) == asked.resource.as_ref());
    let duration = match (asked.end, chosen) {
        (None | Some(WantedEnd::Default), Some(offer)) => duration::format(offer.default_s),
        (None | Some(WantedEnd::Default), None) => String::new(),
        (Some(end), _) => typed(end),
    };
    FormWords {
        title: "Ask for access",
        submit: "Ask",
        close: "Cancel",
        lead: asked.offers.is_empty().then(|| {
            Text::of("There is nothing that you may ask for at present.")
        }),
        fields: vec![
            FieldWords {
                field: Field::Resource,
                label: "What",
                hint: String::new(),
                filled_in: asked
                    .resource
                    .as_ref()
                    .map(ToString::to_string)
                    .unwrap_or_default(),
                optional: false,
                choices: asked.offers.iter().map(choice).collect(),
            },
            FieldWords {
                field: Field::Duration,
                label: "For how long",
                hint: "Like 45m, 1h, 1h30m, 2d or until 18:00. Left empty it is the resource's usual time."
                    .to_owned(),
                filled_in: duration,
                optional: true,
                choices: Vec::new(),
            },
            FieldWords {
                field: Field::Reason,
                label: "Why",
                hint: "Approvers read it, and it goes on record.".to_owned(),
                filled_in: asked.reason.clone().unwrap_or_default(),
                optional: false,
                choices: Vec::new(),
            },
        ],
    }
}

fn choice(offer: &Offer) -> Suggestion {
    let decided = match offer.by_rule_up_to_s {
        Some(up_to_s) => format!("at once up to {}", duration::format(up_to_s)),
        None if offer.approvals == 1 => "1 approval".to_owned(),
        None => format!("{} approvals", offer.approvals),
    };
    Suggestion {
        value: offer.resource.to_string(),
        label: format!("{} · {}", offer.resource, offer.title),
        about: format!(
            "{}, up to {}, {decided}",
            risk(offer.risk),
            duration::format(offer.max_s)
        ),
    }
}

fn extend(asked: &ExtendForm) -> FormWords {
    let lead = what(Text::default(), &asked.summary);
    let lead = match asked.summary.deadline {
        Some(at) => lead.plain(" ends ").moment(at).plain("."),
        None => lead.plain("."),
    };
    FormWords {
        title: "Ask for more time",
        submit: "Ask",
        close: "Cancel",
        lead: Some(
            lead.plain(" The latest end that may be asked for is ")
                .moment(asked.latest)
                .plain(". Until it is approved, the end stays as it is."),
        ),
        fields: vec![
            FieldWords {
                field: Field::Duration,
                label: "How much longer",
                hint: "Like 30m or 1h, from its end now on, or until 18:00.".to_owned(),
                filled_in: duration::format(asked.propose_s),
                optional: false,
                choices: Vec::new(),
            },
            FieldWords {
                field: Field::Reason,
                label: "Why",
                hint: "Left empty, the first reason stands.".to_owned(),
                filled_in: String::new(),
                optional: true,
                choices: Vec::new(),
            },
        ],
    }
}

/// How such an end is typed.
fn typed(end: WantedEnd) -> String {
    match end {
        WantedEnd::Default => String::new(),
        WantedEnd::After(s) => cut(&duration::format(s), 40),
        WantedEnd::Until(time) => format!("until {}", time.format("%H:%M")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_end_is_typed_as_the_command_reads_it() {
        use crate::chat::parse::end_or_default;
        use chrono::NaiveTime;
        for end in [
            WantedEnd::Default,
            WantedEnd::After(5_400),
            WantedEnd::After(90_000),
            WantedEnd::Until(NaiveTime::from_hms_opt(9, 5, 0).unwrap()),
        ] {
            assert_eq!(end_or_default(&typed(end)), Ok(end));
        }
    }
}
