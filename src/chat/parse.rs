//! From what stands after `/jit` to an act. Pure: the same text always means the same.

use chrono::NaiveTime;

use super::text::{cut, is_visible};
use super::verb::Verb;
use crate::domain::command::{Act, Command, Query, WantedEnd};
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
    if text.chars().any(|c| c.is_control() && !is_blank(c)) {
        return Err(Refusal::ControlCharacters);
    }
    let text: String = text
        .chars()
        .map(|c| if is_blank(c) { ' ' } else { c })
        .collect();
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
        Verb::Request => Act::Command(request(rest)?),
        Verb::List => {
            nothing_more(verb, rest)?;
            Act::Query(Query::ListMine)
        }
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
        // Whoever asks for help gets it, whatever else they typed.
        Verb::Help => Act::Query(Query::Help),
    })
}

fn request(rest: &str) -> Result<Command, Refusal> {
    let (resource, rest) = split_word(rest);
    if resource.is_empty() || rest.trim().is_empty() {
        return Err(Verb::Request.missing());
    }
    let (end, rest) = wanted_end(rest)?;
    Ok(Command::Submit {
        resource: cut(resource, ECHO_MAX),
        end,
        reason: reason(rest)?,
    })
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

const fn is_blank(c: char) -> bool {
    matches!(c, '\n' | '\r' | '\t')
}

fn split_word(text: &str) -> (&str, &str) {
    let text = text.trim_start();
    text.split_once(char::is_whitespace).unwrap_or((text, ""))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn submitted(text: &str) -> (String, WantedEnd, String) {
        match parse(text) {
            Ok(Act::Command(Command::Submit {
                resource,
                end,
                reason,
            })) => (resource, end, reason),
            other => panic!("{text:?}: {other:?}"),
        }
    }

    #[test]
    fn a_request_has_a_resource_a_duration_and_a_reason() {
        let until = |h, m| WantedEnd::Until(NaiveTime::from_hms_opt(h, m, 0).unwrap());
        for (typed, end, reason) in [
            ("45m x", WantedEnd::After(2_700), "x"),
            (
                "1h deploy is stuck",
                WantedEnd::After(3_600),
                "deploy is stuck",
            ),
            ("1h30m x", WantedEnd::After(5_400), "x"),
            ("1h 30m x", WantedEnd::After(5_400), "x"),
            (
                "1h 2h is too short",
                WantedEnd::After(3_600),
                "2h is too short",
            ),
            ("2D x", WantedEnd::After(172_800), "x"),
            ("until 18:00 x", until(18, 0), "x"),
            ("UNTIL 9:05 a\tb\nc", until(9, 5), "a b c"),
            (
                "1h <!channel> *x* `y`",
                WantedEnd::After(3_600),
                "<!channel> *x* `y`",
            ),
            ("1h a  b", WantedEnd::After(3_600), "a  b"),
        ] {
            assert_eq!(
                submitted(&format!("  request  staging-ssh {typed} ")),
                ("staging-ssh".into(), end, reason.into()),
                "{typed}"
            );
        }
    }

    #[test]
    fn a_bad_request_says_what_is_allowed() {
        for typed in ["0", "-1h", "abc", "999d", "1", "h", "1.5h", "0s"] {
            assert_eq!(
                parse(&format!("request staging-ssh {typed} why")),
                Err(Refusal::BadDuration {
                    typed: typed.into()
                })
            );
        }
        for typed in ["", "25:00", "18", "18:60", "6pm", "+1:00", "18:0"] {
            assert_eq!(
                parse(&format!("request staging-ssh until {typed}")),
                Err(Refusal::BadTimeOfDay {
                    typed: typed.into()
                })
            );
        }
        for text in [
            "request",
            "request ",
            "request staging-ssh",
            "request staging-ssh  ",
        ] {
            assert_eq!(
                parse(text),
                Err(Refusal::Missing {
                    usage: Verb::Request.usage().into()
                })
            );
        }
        for why in ["", "  ", "\n", "\u{200b}", "\u{202e} \u{feff}"] {
            assert_eq!(
                parse(&format!("request staging-ssh 1h {why}")),
                Err(Refusal::ReasonMissing)
            );
        }
    }

    #[test]
    fn a_reason_has_a_thousand_characters_at_most() {
        let text = |n: usize| format!("request staging-ssh 1h {}", "ü".repeat(n));
        assert_eq!(submitted(&text(1_000)).2.chars().count(), 1_000);
        assert_eq!(
            parse(&text(3_000)),
            Err(Refusal::ReasonTooLong {
                chars: 3_000,
                max: 1_000
            })
        );
    }

    #[test]
    fn control_characters_are_refused_and_other_scripts_are_not() {
        for c in ['\0', '\u{1b}', '\u{7f}', '\u{85}', '\u{9b}'] {
            assert_eq!(
                parse(&format!("request staging-ssh 1h a{c}b")),
                Err(Refusal::ControlCharacters)
            );
        }
        assert_eq!(submitted("request staging-ssh 1h שלום").2, "שלום");
    }

    #[test]
    fn the_other_commands_take_a_reference_in_either_form() {
        let id = RequestId::from_bits(77);
        for typed in [
            id.to_string(),
            id.grant().to_string(),
            format!("#{}", id.as_str().to_uppercase()),
        ] {
            assert_eq!(
                parse(&format!("status {typed}")),
                Ok(Act::Query(Query::Status(id.clone())))
            );
            assert_eq!(
                parse(&format!("DONE {typed} ")),
                Ok(Act::Command(Command::Done(id.clone())))
            );
            assert_eq!(
                parse(&format!("withdraw {typed}")),
                Ok(Act::Command(Command::Withdraw(id.clone())))
            );
            assert_eq!(
                parse(&format!("revoke {typed} left the team")),
                Ok(Act::Command(Command::Revoke {
                    request: id.clone(),
                    reason: "left the team".into()
                }))
            );
        }
        assert_eq!(parse(&format!("revoke {id}")), Err(Refusal::ReasonMissing));
        for verb in ["status", "done", "withdraw", "revoke"] {
            assert!(
                matches!(parse(verb), Err(Refusal::Missing { .. })),
                "{verb}"
            );
            assert!(
                matches!(
                    parse(&format!("{verb} r123 x")),
                    Err(Refusal::BadReference { .. })
                ),
                "{verb}"
            );
        }
        assert!(matches!(
            parse(&format!("done {id} {id}")),
            Err(Refusal::BadReference { .. })
        ));
        assert_eq!(parse("list"), Ok(Act::Query(Query::ListMine)));
        assert!(matches!(parse("list all"), Err(Refusal::Missing { .. })));
        for text in ["", "  ", "help", "help me"] {
            assert_eq!(parse(text), Ok(Act::Query(Query::Help)));
        }
    }

    #[test]
    fn a_typo_gets_the_nearest_command() {
        for (typed, nearest) in [
            ("reqest", Some("request")),
            ("rvoke", Some("revoke")),
            ("lst", Some("list")),
            ("donee", Some("done")),
            ("xyzzy", None),
            ("a", None),
        ] {
            assert_eq!(
                parse(&format!("{typed} x")),
                Err(Refusal::UnknownCommand {
                    typed: typed.into(),
                    suggestion: nearest.map(str::to_owned)
                })
            );
        }
    }

    #[test]
    fn every_command_can_be_typed_as_its_usage_says() {
        let id = RequestId::from_bits(1);
        for verb in Verb::ALL {
            let typed = verb
                .usage()
                .replace("<id>", id.as_str())
                .replace("<duration>", "1h");
            let act = parse(typed.strip_prefix("/jit ").unwrap()).unwrap();
            assert_eq!(Verb::of(&act), Some(verb));
        }
    }

    proptest! {
        #[test]
        fn nothing_that_is_typed_panics(text in any::<String>()) {
            let _ = parse(&text);
        }

        #[test]
        fn a_reason_stays_what_was_typed(why in "[^\\pC\\pZ]([^\\pC]{0,300}[^\\pC\\pZ])?") {
            prop_assume!(is_visible(&why));
            let typed = format!("request staging-ssh until 18:00 {why}");
            let act = parse(&typed);
            let as_typed = matches!(&act, Ok(Act::Command(Command::Submit { reason, .. })) if *reason == why);
            prop_assert!(as_typed, "{:?}", act);
        }
    }
}
