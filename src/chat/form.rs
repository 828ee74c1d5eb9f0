//! Forms, before any platform draws them.

use crate::domain::answer::{Answer, ExtendForm, RequestForm, Summary};
use crate::domain::command::{Act, Command, Press};
use crate::domain::refusal::Refusal;

/// A form that somebody is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Form {
    /// To ask for access.
    Request(Box<RequestForm>),
    /// To ask for more time.
    Extend(Box<ExtendForm>),
    /// To say why something is denied.
    Deny(Box<Summary>, Press),
}

impl Form {
    /// The form that an answer to this act asks for, if it does.
    #[must_use]
    pub fn asked_for(answer: &Answer, act: &Act) -> Option<Self> {
        match (answer, act) {
            (Answer::RequestForm(form), _) => Some(Self::Request(form.clone())),
            (Answer::ExtendForm(form), _) => Some(Self::Extend(form.clone())),
            (Answer::WhyDeny(summary), Act::Command(Command::Deny { press, .. })) => {
                Some(Self::Deny(Box::new(summary.clone()), press.clone()))
            }
            _ => None,
        }
    }

    /// The fields in order.
    #[must_use]
    pub const fn fields(&self) -> &'static [Field] {
        match self {
            Self::Request(_) => &[Field::Resource, Field::Duration, Field::Reason],
            Self::Extend(_) => &[Field::Duration, Field::Reason],
            Self::Deny(..) => &[Field::Reason],
        }
    }
}

/// A field of a form.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Field {
    /// Which resource.
    Resource,
    /// How long.
    Duration,
    /// Why.
    Reason,
}

/// The field that a refusal is shown beside: the one whose text it is about, otherwise the first.
#[must_use]
pub fn field_of(refusal: &Refusal, fields: &[Field]) -> Option<Field> {
    let about = match refusal {
        Refusal::BadDuration { .. }
        | Refusal::BadTimeOfDay { .. }
        | Refusal::TooLong { .. }
        | Refusal::TooLongInAll { .. }
        | Refusal::TooShort { .. }
        | Refusal::NotInTheFuture
        | Refusal::ZoneNotKnown
        | Refusal::NotLater { .. } => Field::Duration,
        Refusal::ReasonMissing | Refusal::ReasonTooLong { .. } | Refusal::ControlCharacters => {
            Field::Reason
        }
        _ => Field::Resource,
    };
    fields
        .iter()
        .copied()
        .find(|field| *field == about)
        .or_else(|| fields.first().copied())
}
