//! What was tried and refused, in few words.

use super::super::super::text::Text;
use super::lines::about;
use crate::domain::tally::{Access, Try};

pub(super) fn tried(one: &Try) -> Text {
    let Try {
        by,
        tried,
        refusal,
        about: access,
    } = one;
    let line = match by {
        Some(who) => Text::default()
            .quietly(who)
            .plain(": ")
            .plain(verb_of(tried)),
        None => Text::of(verb_of(tried)),
    };
    let line = if *access == Access::default() {
        line.plain(if tried == "request" { " something" } else { "" })
    } else {
        about(line.plain(" "), access)
    };
    line.plain(" (").plain(why_not(refusal)).plain(")")
}

/// Codes of refusals that are everyday: a word mistyped, a moment missed. One that is not named here is
/// not.
pub(in super::super) const SLIPS: [&str; 33] = [
    "unknown_command",
    "missing",
    "bad_duration",
    "bad_time_of_day",
    "reason_missing",
    "reason_too_long",
    "control_characters",
    "bad_reference",
    "unknown_resource",
    "too_long",
    "too_long_in_all",
    "too_short",
    "not_in_the_future",
    "no_account",
    "key_missing",
    "bad_key",
    "key_in_config",
    "key_too_soon",
    "zone_not_known",
    "too_many_open",
    "too_many_live",
    "facts_too_old",
    "account_not_known",
    "directory_unreachable",
    "no_longer_open",
    "nothing_to_end",
    "cannot_end_early",
    "nothing_to_extend",
    "not_later",
    "no_form",
    "not_the_card",
    "stale_card",
    "spec_changed",
];

pub(super) fn is_slip(code: &str) -> bool {
    SLIPS.contains(&code)
}

fn verb_of(tried: &str) -> String {
    match tried {
        "request" => "asked for".to_owned(),
        "activate" => "about to be given:".to_owned(),
        "extend" => "more time for".to_owned(),
        "done" => "tried to give back".to_owned(),
        "send_again" => "how to use, again:".to_owned(),
        "give_key" => "gave a public key".to_owned(),
        "forget_key" => "had their public key forgotten".to_owned(),
        other => format!("tried to {other}"),
    }
}

/// A refusal in few words; what stands nowhere here is told by its code.
fn why_not(code: &str) -> String {
    match code {
        "may_not_ask" => "may not ask for it",
        "unknown_resource" => "there is no such resource",
        "own_request" => "it was their own request",
        "not_an_approver" => "not an approver of it",
        "not_yours" => "not theirs",
        "not_found" => "none of theirs, or not there",
        "forged_button" => "not a button of jitbot's",
        "foreign_community" => "from another workspace",
        "no_longer_open" => "decided already",
        "nothing_to_end" => "nothing to end",
        "not_the_card" => "pressed on a copy of the card",
        "stale_card" => "the card had changed",
        "spec_changed" => "the config says something else by now",
        "no_longer_allowed" => "no longer allowed",
        other => return other.replace('_', " "),
    }
    .to_owned()
}
