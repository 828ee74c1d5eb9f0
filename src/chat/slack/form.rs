//! Forms as Slack's modals, and what a filled-in one means. Pure; holds Slack's limits for any input.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use slack_morphism::blocks::{SlackView, SlackViewStateValue};
use slack_morphism::events::SlackInteractionViewSubmissionEvent;

use super::canvas::{Canvas, Readers};
use crate::chat::form::{Field, Form, field_of};
use crate::chat::parse::{REASON_MAX_CHARS, end_or_default, typed_reason};
use crate::chat::text::{cut, shown};
use crate::chat::wording::{self, FieldWords, Suggestion};
use crate::domain::command::{Act, Command, Inbound, MessageRef, Press, Via, WantedEnd};
use crate::domain::ids::{AccountId, InvalidName, Place, RequestId};
use crate::domain::refusal::Refusal;

/// `callback_id` of every form of ours.
pub const FORM: &str = "jitbot_form";
/// `action_id` of the one element of each input.
const ELEMENT: &str = "value";
/// Characters of an option's text and description (composition-objects/option-object).
const OPTION_MAX: usize = 75;
/// Options of a select (block-elements/select-menu-element).
const OPTIONS_MAX: usize = 100;
/// Characters of a hint that we send; Slack allows 2,000.
const HINT_MAX: usize = 300;
/// Characters of a duration.
const DURATION_MAX: usize = 40;
/// Characters of the name of a resource.
const RESOURCE_MAX: usize = 80;
/// Characters of an error beside a field.
const ERROR_MAX: usize = 300;

/// What a form carries, so that nothing needs to be remembered while it is filled in. Slack hands it
/// back as it was; whatever it says is checked like anything that is typed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "f", rename_all = "snake_case", deny_unknown_fields)]
enum Carried {
    Request {
        place: Place,
    },
    Extend {
        place: Place,
        request: RequestId,
    },
    Deny {
        place: Place,
        request: RequestId,
        version: i64,
        card: MessageRef,
    },
}

const fn block_id(field: Field) -> &'static str {
    match field {
        Field::Resource => "jitbot_resource",
        Field::Duration => "jitbot_duration",
        Field::Reason => "jitbot_reason",
    }
}

/// The modal of a form that is opened at this place.
#[must_use]
pub fn view(form: &Form, place: &Place) -> Value {
    let words = wording::form(form);
    let carried = match form {
        Form::Request(_) => Carried::Request {
            place: place.clone(),
        },
        Form::Extend(asked) => Carried::Extend {
            place: place.clone(),
            request: asked.summary.id.clone(),
        },
        Form::Deny(_, press) => Carried::Deny {
            place: place.clone(),
            request: press.request.clone(),
            version: press.version,
            card: press.on.clone(),
        },
    };
    let mut canvas = Canvas::new(Readers::One);
    if let Some(lead) = &words.lead {
        canvas.line(lead);
    }
    let mut blocks = canvas.into_blocks();
    blocks.extend(words.fields.iter().map(input));
    let plain = |text: &str| json!({"type": "plain_text", "text": text, "emoji": false});
    json!({
        "type": "modal",
        "callback_id": FORM,
        "private_metadata": serde_json::to_string(&carried).unwrap_or_default(),
        "title": plain(words.title),
        "submit": plain(words.submit),
        "close": plain(words.close),
        "blocks": blocks,
    })
}

fn input(words: &FieldWords) -> Value {
    let mut block = json!({
        "type": "input",
        "block_id": block_id(words.field),
        "optional": words.optional,
        "label": {"type": "plain_text", "text": words.label, "emoji": false},
        "element": element(words),
    });
    if !words.hint.is_empty() {
        block["hint"] = json!({
            "type": "plain_text", "text": cut(&words.hint, HINT_MAX), "emoji": false,
        });
    }
    block
}

fn element(words: &FieldWords) -> Value {
    if (1..=OPTIONS_MAX).contains(&words.choices.len()) {
        let options: Vec<Value> = words.choices.iter().map(option).collect();
        let chosen = words
            .choices
            .iter()
            .position(|choice| choice.value == words.filled_in);
        let mut select = json!({
            "type": "static_select",
            "action_id": ELEMENT,
            "options": options,
            "focus_on_load": chosen.is_none(),
        });
        if let Some(chosen) = chosen {
            select["initial_option"] = options[chosen].clone();
        }
        return select;
    }
    let max = match words.field {
        Field::Resource => RESOURCE_MAX,
        Field::Duration => DURATION_MAX,
        Field::Reason => REASON_MAX_CHARS,
    };
    let mut typed = json!({
        "type": "plain_text_input",
        "action_id": ELEMENT,
        "multiline": words.field == Field::Reason,
        "max_length": max,
    });
    let filled_in = cut(&words.filled_in, max);
    if !filled_in.is_empty() {
        typed["initial_value"] = filled_in.into();
    }
    typed
}

fn option(choice: &Suggestion) -> Value {
    let plain = |text: &str| {
        let text = cut(&shown(text).replace('\n', " "), OPTION_MAX);
        json!({"type": "plain_text", "text": text, "emoji": false})
    };
    json!({
        "text": plain(&choice.label),
        "value": choice.value,
        "description": plain(&choice.about),
    })
}

/// What somebody filled in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Submitted {
    /// An act.
    Act(Box<Inbound>, &'static [Field]),
    /// Fields that can't be read, each with why.
    Errors(Vec<(Field, Refusal)>),
    /// Not a form of ours.
    NotOurs,
}

/// What a filled-in form means.
///
/// # Errors
/// [`InvalidName`] when the event names nobody.
pub fn submitted(event: &SlackInteractionViewSubmissionEvent) -> Result<Submitted, InvalidName> {
    let SlackView::Modal(modal) = &event.view.view else {
        return Ok(Submitted::NotOurs);
    };
    let carried = modal
        .private_metadata
        .as_deref()
        .filter(|_| modal.callback_id.as_ref().is_some_and(|id| id.0 == FORM))
        .and_then(|text| serde_json::from_str::<Carried>(text).ok());
    let Some(carried) = carried else {
        return Ok(Submitted::NotOurs);
    };
    let filled = Filled(event);
    let (place, act, fields) = match carried {
        Carried::Request { place } => {
            let act = filled.request();
            (
                place,
                act,
                &[Field::Resource, Field::Duration, Field::Reason][..],
            )
        }
        Carried::Extend { place, request } => {
            let act = filled.extend(request);
            (place, act, &[Field::Duration, Field::Reason][..])
        }
        Carried::Deny {
            place,
            request,
            version,
            card,
        } => {
            let press = Press {
                request,
                version,
                on: card,
            };
            (place, filled.deny(press), &[Field::Reason][..])
        }
    };
    let act = match act {
        Ok(act) => act,
        Err(errors) => return Ok(Submitted::Errors(errors)),
    };
    let team = &event.team.id.0;
    let home = event.user.team_id.as_ref().map_or(team, |team| &team.0);
    let inbound = Inbound {
        // A form that was refused stays open under the same id; only what was done is kept under it.
        once: format!("slack:view:{}", event.view.state_params.id.0),
        actor: AccountId::new(format!("slack:{home}/{}", event.user.id.0))?,
        place,
        via: Via::Form,
        act: Act::Command(act),
    };
    Ok(Submitted::Act(Box::new(inbound), fields))
}

type Read<T> = Result<T, Vec<(Field, Refusal)>>;

/// The fields of a form that was sent.
struct Filled<'e>(&'e SlackInteractionViewSubmissionEvent);

impl Filled<'_> {
    fn value(&self, field: Field) -> &str {
        let held: Option<&SlackViewStateValue> = self
            .0
            .view
            .state_params
            .state
            .as_ref()
            .and_then(|state| state.values.get(&block_id(field).into()))
            .and_then(|elements| elements.get(&ELEMENT.into()));
        let chosen = held.and_then(|held| held.selected_option.as_ref());
        match (chosen, held.and_then(|held| held.value.as_ref())) {
            (Some(chosen), _) => &chosen.value,
            (None, Some(typed)) => typed,
            (None, None) => "",
        }
    }

    fn end(&self) -> Result<WantedEnd, (Field, Refusal)> {
        end_or_default(self.value(Field::Duration)).map_err(|why| (Field::Duration, why))
    }

    fn reason(&self) -> Result<String, (Field, Refusal)> {
        typed_reason(self.value(Field::Reason)).map_err(|why| (Field::Reason, why))
    }

    fn request(&self) -> Read<Command> {
        let (end, reason) = both(self.end(), self.reason())?;
        Ok(Command::Submit {
            resource: cut(self.value(Field::Resource).trim(), RESOURCE_MAX),
            end,
            reason,
        })
    }

    fn extend(&self, request: RequestId) -> Read<Command> {
        let reason = match self.value(Field::Reason).trim() {
            "" => Ok(None),
            _ => self.reason().map(Some),
        };
        let (end, reason) = both(self.end(), reason)?;
        Ok(Command::Extend {
            request,
            end,
            reason,
        })
    }

    fn deny(&self, press: Press) -> Read<Command> {
        let why = self.reason().map_err(|error| vec![error])?;
        Ok(Command::Deny {
            press,
            why: Some(why),
        })
    }
}

/// Both, or everything that is wrong at once.
fn both<A, B>(a: Result<A, (Field, Refusal)>, b: Result<B, (Field, Refusal)>) -> Read<(A, B)> {
    match (a, b) {
        (Ok(a), Ok(b)) => Ok((a, b)),
        (a, b) => Err(a.err().into_iter().chain(b.err()).collect()),
    }
}

/// What stands beside the fields of a form that is not taken, by block.
#[must_use]
pub fn errors(refused: &[(Field, Refusal)]) -> HashMap<String, String> {
    refused
        .iter()
        .map(|(field, refusal)| {
            let said = cut(&wording::beside_field(refusal).flat(), ERROR_MAX);
            (block_id(*field).to_owned(), said)
        })
        .collect()
}

/// Where a form shows why what it asked for was refused.
#[must_use]
pub fn beside(refusal: &Refusal, fields: &[Field]) -> Vec<(Field, Refusal)> {
    field_of(refusal, fields)
        .map(|field| (field, refusal.clone()))
        .into_iter()
        .collect()
}
