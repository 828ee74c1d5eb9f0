//! What typed text means.

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
    for why in ["\u{200b}", "\u{202e} \u{feff}"] {
        assert_eq!(
            parse(&format!("request staging-ssh 1h {why}")),
            Err(Refusal::ReasonMissing)
        );
    }
}

#[test]
fn a_request_that_is_not_complete_becomes_a_form_that_holds_it() {
    let form = |resource: Option<&str>, end| {
        Ok(Act::Query(Query::RequestForm(Draft {
            resource: resource.map(str::to_owned),
            end,
            reason: None,
        })))
    };
    let hour = Some(WantedEnd::After(3_600));
    for (text, expected) in [
        ("request", form(None, None)),
        ("request ", form(None, None)),
        ("request staging-ssh", form(Some("staging-ssh"), None)),
        ("request staging-ssh  ", form(Some("staging-ssh"), None)),
        ("request staging-ssh 1h", form(Some("staging-ssh"), hour)),
        ("request staging-ssh 1h \n", form(Some("staging-ssh"), hour)),
    ] {
        assert_eq!(parse(text), expected, "{text:?}");
    }
}

#[test]
fn more_time_is_asked_for_with_or_without_a_reason() {
    let id = RequestId::from_bits(77);
    let extended = |end, reason: Option<&str>| {
        Ok(Act::Command(Command::Extend {
            request: id.clone(),
            end,
            reason: reason.map(str::to_owned),
        }))
    };
    let typed = |rest: &str| parse(&format!("extend {id} {rest}"));
    assert_eq!(typed("30m"), extended(WantedEnd::After(1_800), None));
    assert_eq!(
        typed("1h still failing"),
        extended(WantedEnd::After(3_600), Some("still failing"))
    );
    assert_eq!(typed(""), Ok(Act::Query(Query::ExtendForm(id.clone()))));
    assert!(matches!(typed("soon"), Err(Refusal::BadDuration { .. })));
    assert!(matches!(parse("extend"), Err(Refusal::Missing { .. })));
    assert!(matches!(
        parse("extend x 1h"),
        Err(Refusal::BadReference { .. })
    ));
}

#[test]
fn lists_and_questions() {
    for (text, query) in [
        ("list", Query::List(ListOf::Mine)),
        ("list mine", Query::List(ListOf::Mine)),
        ("LIST Waiting", Query::List(ListOf::Waiting)),
        ("list all", Query::List(ListOf::All)),
        ("resources", Query::Resources),
        ("who staging-ssh", Query::Who("staging-ssh".into())),
        (
            "explain staging-ssh 2h",
            Query::Explain {
                resource: "staging-ssh".into(),
                end: WantedEnd::After(7_200),
            },
        ),
        (
            "explain staging-ssh",
            Query::Explain {
                resource: "staging-ssh".into(),
                end: WantedEnd::Default,
            },
        ),
    ] {
        assert_eq!(parse(text), Ok(Act::Query(query)), "{text}");
    }
    for text in [
        "list everything",
        "list all of it",
        "resources x",
        "who",
        "who a b",
        "explain",
    ] {
        assert!(
            matches!(parse(text), Err(Refusal::Missing { .. })),
            "{text}"
        );
    }
    assert!(matches!(
        parse("explain staging-ssh 2h x"),
        Err(Refusal::BadDuration { .. })
    ));
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
            .replace("<duration>", "1h")
            .replace("<resource>", "staging-ssh")
            .replace("<reason>", "why");
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
