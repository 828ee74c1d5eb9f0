//! From what stands after `/jit` to an act. Pure: the same text always means the same.

use chrono::NaiveTime;

use super::text::{cut, is_visible};
use super::verb::Verb;
use crate::domain::command::{Act, Command, Draft, ListOf, Query, WantedEnd};
use crate::domain::duration;
use crate::domain::ids::{RequestId, parse_reference};
use crate::domain::refusal::Refusal;

/// Characters that a reason may have.
pub const REASON_MAX_CHARS: usize = 1_000;

/// Characters of a wrong word that its refusal repeats.
const ECHO_MAX: usize = 80;

/// Reads what was typed after `/jit`. Nothing at all asks for help.
///
/// # Errors
/// The [`Refusal`] that says what is allowed instead.
pub fn parse(text: &str) -> Result<Act, Refusal> {
    let text = without_control(text)?;
    let (word, rest) = split_word(&text);
    if word.is_empty() {
        return Ok(Act::Query(Query::Help));
    }
    let lower = word.to_lowercase();
    let Some(verb) = Verb::ALL.into_iter().find(|verb| verb.word() == lower) else {
        return Err(Refusal::UnknownCommand {
            typed: cut(word, ECHO_MAX),
            suggestion: nearest(&lower).map(str::to_owned),
        });
    };
    Ok(match verb {
        Verb::Request => request(rest)?,
        Verb::Resources => {
            nothing_more(verb, rest)?;
            Act::Query(Query::Resources)
        }
        Verb::List | Verb::ListWaiting | Verb::ListAll => {
            Act::Query(Query::List(which_list(rest)?))
        }
        Verb::Who => {
            let (resource, more) = split_word(rest);
            if resource.is_empty() {
                return Err(verb.missing());
            }
            nothing_more(verb, more)?;
            Act::Query(Query::Who(cut(resource, ECHO_MAX)))
        }
        Verb::Explain => {
            let (resource, rest) = split_word(rest);
            if resource.is_empty() {
                return Err(verb.missing());
            }
            Act::Query(Query::Explain {
                resource: cut(resource, ECHO_MAX),
                end: end_or_default(rest)?,
            })
        }
        Verb::Extend => extend(rest)?,
        Verb::Status => Act::Query(Query::Status(only_reference(verb, rest)?)),
        Verb::Done => Act::Command(Command::Done(only_reference(verb, rest)?)),
        Verb::Withdraw => Act::Command(Command::Withdraw(only_reference(verb, rest)?)),
        Verb::Revoke => {
            let (id, why) = split_word(rest);
            if id.is_empty() {
                return Err(verb.missing());
            }
            Act::Command(Command::Revoke {
                request: reference(id)?,
                reason: reason(why)?,
            })
        }
        Verb::Key => key(rest),
        // Whoever asks for help gets it, whatever else they typed.
        Verb::Help => Act::Query(Query::Help),
    })
}

/// What is complete is asked; what is not becomes a form that holds it.
fn request(rest: &str) -> Result<Act, Refusal> {
    let form = |draft| Ok(Act::Query(Query::RequestForm(draft)));
    let (resource, rest) = split_word(rest);
    if resource.is_empty() {
        return form(Draft::default());
    }
    let resource = cut(resource, ECHO_MAX);
    if rest.trim().is_empty() {
        return form(Draft {
            resource: Some(resource),
            ..Draft::default()
        });
    }
    let (end, rest) = wanted_end(rest)?;
    if rest.trim().is_empty() {
        return form(Draft {
            resource: Some(resource),
            end: Some(end),
            reason: None,
        });
    }
    Ok(Act::Command(Command::Submit {
        resource,
        end,
        reason: reason(rest)?,
    }))
}

fn extend(rest: &str) -> Result<Act, Refusal> {
    let (id, rest) = split_word(rest);
    if id.is_empty() {
        return Err(Verb::Extend.missing());
    }
    let request = reference(id)?;
    if rest.trim().is_empty() {
        return Ok(Act::Query(Query::ExtendForm(request)));
    }
    let (end, rest) = wanted_end(rest)?;
    let reason = match rest.trim() {
        "" => None,
        why => Some(reason(why)?),
    };
    Ok(Act::Command(Command::Extend {
        request,
        end,
        reason,
    }))
}

fn key(rest: &str) -> Act {
    let (word, more) = split_word(rest);
    match (word, more.trim()) {
        ("", _) => Act::Query(Query::Key),
        ("forget", "") => Act::Command(Command::ForgetKey(None)),
        ("forget", who) => {
            // As chat writes a mention: `<@U1|name>`.
            let who = who.trim_start_matches(['<', '@']).trim_end_matches('>');
            let who = who.split('|').next().unwrap_or_default();
            Act::Command(Command::ForgetKey(Some(cut(who, ECHO_MAX))))
        }
        _ => Act::Command(Command::GiveKey(rest.trim().to_owned())),
    }
}

fn which_list(rest: &str) -> Result<ListOf, Refusal> {
    let (word, more) = split_word(rest);
    nothing_more(Verb::List, more)?;
    match word.to_lowercase().as_str() {
        "" | "mine" => Ok(ListOf::Mine),
        "waiting" => Ok(ListOf::Waiting),
        "all" => Ok(ListOf::All),
        _ => Err(Refusal::Missing {
            usage: "/jit list [waiting|all]".to_owned(),
        }),
    }
}

/// What a form's field for the duration holds: nothing means the resource's own.
///
/// # Errors
/// The [`Refusal`] that says what is allowed instead.
pub fn end_or_default(text: &str) -> Result<WantedEnd, Refusal> {
    let text = text.trim();
    if text.is_empty() {
        return Ok(WantedEnd::Default);
    }
    let (end, rest) = wanted_end(text)?;
    if rest.trim().is_empty() {
        Ok(end)
    } else {
        Err(Refusal::BadDuration {
            typed: cut(text, ECHO_MAX),
        })
    }
}

/// A reason as a form's field holds it.
///
/// # Errors
/// The [`Refusal`] that says what is allowed instead.
pub fn typed_reason(text: &str) -> Result<String, Refusal> {
    reason(&without_control(text)?)
}

/// The duration must be there: what stands in its place and isn't one may be a slip, and a guess could
/// give more than was meant.
fn wanted_end(text: &str) -> Result<(WantedEnd, &str), Refusal> {
    let (word, rest) = split_word(text);
    if word.eq_ignore_ascii_case("until") {
        let (clock, rest) = split_word(rest);
        let time = time_of_day(clock).ok_or_else(|| Refusal::BadTimeOfDay {
            typed: cut(clock, ECHO_MAX),
        })?;
        return Ok((WantedEnd::Until(time), rest));
    }
    let lower = word.to_ascii_lowercase();
    let Some(seconds) = duration::parse(&lower) else {
        return Err(Refusal::BadDuration {
            typed: cut(word, ECHO_MAX),
        });
    };
    // `1h 30m` is how lengths are shown, so it can be typed as it was read.
    let (second, after) = split_word(rest);
    let joined = duration::parse(&format!("{lower}{}", second.to_ascii_lowercase()));
    Ok(match joined {
        Some(both) if !second.is_empty() => (WantedEnd::After(both), after),
        _ => (WantedEnd::After(seconds), rest),
    })
}

fn time_of_day(text: &str) -> Option<NaiveTime> {
    let (hour, minute) = text.split_once(':')?;
    let number = |part: &str, least: usize| {
        let digits = part.len() >= least
            && part.len() <= 2
            && part.bytes().all(|byte| byte.is_ascii_digit());
        digits.then(|| part.parse::<u32>().ok()).flatten()
    };
    NaiveTime::from_hms_opt(number(hour, 1)?, number(minute, 2)?, 0)
}

fn reason(text: &str) -> Result<String, Refusal> {
    let text = text.trim();
    if !is_visible(text) {
        return Err(Refusal::ReasonMissing);
    }
    let chars = text.chars().count();
    if chars > REASON_MAX_CHARS {
        return Err(Refusal::ReasonTooLong {
            chars,
            max: REASON_MAX_CHARS,
        });
    }
    Ok(text.to_owned())
}

fn only_reference(verb: Verb, text: &str) -> Result<RequestId, Refusal> {
    let text = text.trim();
    if text.is_empty() {
        return Err(verb.missing());
    }
    // Several at once are refused: one of them would be done and the others forgotten.
    reference(text)
}

fn reference(text: &str) -> Result<RequestId, Refusal> {
    // As our messages show it, so that it can be copied with its marks.
    parse_reference(text.trim_matches(['`', '"', '\'', '“', '”'])).map_err(|_| {
        Refusal::BadReference {
            typed: cut(text, ECHO_MAX),
        }
    })
}

fn nothing_more(verb: Verb, text: &str) -> Result<(), Refusal> {
    if text.trim().is_empty() {
        Ok(())
    } else {
        Err(verb.missing())
    }
}

fn nearest(word: &str) -> Option<&'static str> {
    // Long words are compared by their beginning only: the distance costs their length.
    let word: String = word.chars().take(ECHO_MAX).collect();
    Verb::ALL
        .into_iter()
        .map(|verb| (strsim::osa_distance(&word, verb.word()), verb.word()))
        .filter(|&(distance, known)| distance * 2 < known.len())
        .min_by_key(|&(distance, _)| distance)
        .map(|(_, known)| known)
}

/// The text with every line feed and tab as a blank.
fn without_control(text: &str) -> Result<String, Refusal> {
    if text.chars().any(|c| c.is_control() && !is_blank(c)) {
        return Err(Refusal::ControlCharacters);
    }
    Ok(text
        .chars()
        .map(|c| if is_blank(c) { ' ' } else { c })
        .collect())
}

const fn is_blank(c: char) -> bool {
    matches!(c, '\n' | '\r' | '\t')
}

fn split_word(text: &str) -> (&str, &str) {
    let text = text.trim_start();
    text.split_once(char::is_whitespace).unwrap_or((text, ""))
}

#[cfg(test)]
mod tests;
