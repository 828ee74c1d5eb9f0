//! The day, for security: first what needs somebody, then the numbers, then who did what.

mod gone;
mod lines;
pub(super) mod tries;

use std::collections::BTreeMap;

use self::gone::gone;
use self::lines::{about, somebody};
use self::tries::{is_slip, tried};
use super::super::card::{Digest, Waiting};
use super::super::text::{Message, Part, Text, cut};
use crate::domain::duration;
use crate::domain::grant::EndingReason;
use crate::domain::ids::{AccountId, ResourceName};
use crate::domain::tally::{Access, ApprovedBy, EarlyEnd, Overrun, Tally};

/// Lines that one list shows.
const LINES_MAX: usize = 8;

/// Characters that one list may take. Nine lists, the numbers and the head together stay below what a
/// message may hold, so that the head is never what is cut.
const LIST_MAX: usize = 940;

/// Characters of what somebody wrote why.
const WHY_MAX: usize = 60;

/// The words of a digest. Also an empty day is told: silence would look like a broken bot.
pub(super) fn digest(day: &Digest) -> Message {
    // Named one by one, so that a new number does not compile before it is told.
    let Digest {
        from,
        to,
        tally,
        active_now,
        pending_now,
        longest_waiting,
        stuck_count,
        stuck_now: _,
        head: (entries, hash),
    } = day;
    let mut message = Message::titled("📋 Access digest");
    let time = Text::of("From ").moment(*from).plain(" to ").moment(*to);
    let now = now_line(*active_now, *pending_now, longest_waiting.as_ref());
    if tally.is_empty() && *stuck_count == 0 {
        message = message
            .with(Part::Line(time.plain(": nothing happened.")))
            .with(Part::Line(now.plain(" ✅ Nothing is stuck.")));
    } else {
        message = message.with(Part::Line(time.plain(":")));
        message.parts.extend(what_needs_somebody(day));
        let mut numbers = numbers(tally, now);
        numbers.extend(gone(tally));
        message = message.with(Part::List(numbers));
        message.parts.extend(who_did_what(tally));
    }
    message.with(Part::Aside(Text::of("To check the record later: ").code(
        format!("jitbot audit verify --db <database> --head {entries}:{hash}"),
    )))
}

fn now_line(active: i64, pending: i64, longest: Option<&Waiting>) -> Text {
    let line = Text::default()
        .strong("Now")
        .plain(format!(": {active} live, {pending} waiting for a decision"));
    let line = match longest {
        Some(waiting) => line
            .plain(", the longest for ")
            .plain(rounded(waiting.for_s))
            .plain(": ")
            .code(waiting.request.as_str())
            .plain(", ")
            .strong(waiting.resource.as_str())
            .plain(" of ")
            .quietly(&waiting.of),
        None => line,
    };
    line.plain(".")
}

/// What is stuck, what ended late, what nobody could see end.
fn what_needs_somebody(day: &Digest) -> Vec<Part> {
    let Tally {
        overruns,
        seen_late,
        longest_overrun,
        told_only,
        ..
    } = &day.tally;
    let mut parts = Vec::new();
    if day.stuck_count > 0 {
        let lines = day
            .stuck_now
            .iter()
            .map(|(grant, resource, of, since)| {
                Text::default()
                    .code(grant.as_str())
                    .plain(" on ")
                    .strong(resource.as_str())
                    .plain(" of ")
                    .quietly(of)
                    .plain(" since ")
                    .moment(*since)
            })
            .collect();
        let stuck = usize::try_from(day.stuck_count).unwrap_or(usize::MAX);
        parts.push(Part::Line(
            Text::default().strong(format!("⚠️ {} can't be taken away:", day.stuck_count)),
        ));
        parts.push(Part::List(fitted(lines, stuck)));
    }
    if *overruns > 0 {
        parts.push(Part::Line(overrun_line(
            *overruns,
            *seen_late,
            longest_overrun.as_ref(),
        )));
    }
    if *told_only > 0 {
        parts.push(Part::Line(
            Text::default()
                .strong(format!("⚠️ {told_only} only told to the target"))
                .plain(", which can't be asked whether they are gone."),
        ));
    }
    if parts.is_empty() {
        parts.push(Part::Line(Text::of(
            "✅ Nothing is stuck, and nothing ended late.",
        )));
    } else if day.stuck_count == 0 {
        parts.push(Part::Line(Text::of("✅ Nothing is stuck.")));
    }
    parts
}

fn overrun_line(overruns: i64, seen_late: i64, longest: Option<&Overrun>) -> Text {
    let line = Text::default().strong(format!("⚠️ {overruns} seen to be over later than due"));
    let line = match longest {
        Some(longest) => about(
            line.plain(format!(", by {} s at most: ", longest.late_s))
                .code(longest.grant.as_str())
                .plain(", "),
            &longest.about,
        ),
        None => line,
    };
    if seen_late == 0 {
        line.plain(".")
    } else {
        line.plain(format!(
            ". Of {seen_late} only the evidence was late: the target itself had ended them in time."
        ))
    }
}

fn numbers(tally: &Tally, now: Text) -> Vec<Text> {
    let Tally {
        requested,
        approved_by_people,
        approved_by_rule,
        denied,
        refused,
        expired,
        withdrawn,
        issued,
        failed,
        cancelled,
        ended,
        given_back,
        revoked,
        left,
        cancelled_requests,
        pointless,
        extended,
        not_extended,
        // Said above, where they need somebody.
        told_only: _,
        overruns: _,
        seen_late: _,
        longest_overrun: _,
        // Said below, by whom.
        asked: _,
        first_time: _,
        approvals: _,
        denials: _,
        undecided: _,
        tries: _,
        early: _,
        // Said after these.
        removed: _,
        erased: _,
    } = tally;
    let line = |label: &str, rest: String| Text::default().strong(label).plain(rest);
    vec![
        now,
        line(
            "Decisions",
            format!(
                ": {approved_by_people} approved by people, {approved_by_rule} approved by a rule, {denied} denied, {expired} ran out."
            ),
        ),
        line(
            "Requests",
            with_rare(
                format!(": {requested} made, {withdrawn} withdrawn, {refused} tries refused"),
                &[
                    (*cancelled_requests, "cancelled because who asked left"),
                    (*pointless, "cancelled because the access had ended"),
                ],
            ),
        ),
        line(
            "Access",
            with_rare(
                format!(
                    ": {issued} given, {failed} could not be given, {cancelled} cancelled before, {ended} ended, {given_back} given back early, {revoked} revoked"
                ),
                &[
                    (*extended, "given more time"),
                    (*not_extended, "could not be given more time"),
                    (*left, "ended because their holder left"),
                ],
            ),
        ),
    ]
}

/// A line of numbers, with those that are seldom anything but zero only where they are.
fn with_rare(line: String, rare: &[(i64, &str)]) -> String {
    let told = rare.iter().filter(|(number, _)| *number > 0);
    let rest: String = told
        .map(|(number, words)| format!(", {number} {words}"))
        .collect();
    format!("{line}{rest}.")
}

fn who_did_what(tally: &Tally) -> Vec<Part> {
    let approvals = times(&tally.approvals, |(by, access)| {
        let line = match by {
            ApprovedBy::Person(who) => Text::default().quietly(who),
            ApprovedBy::Rule(rule) => Text::of("Rule ").code(rule),
        };
        about(line.plain(": "), access)
    });
    let denials = times(&tally.denials, |(by, access)| {
        about(somebody(by.as_ref()).plain(": "), access)
    });
    let undecided = times(&tally.undecided, |access| about(Text::default(), access));
    // What somebody may not do is not to be hidden behind anybody's slips.
    let (slips, tries) = tally
        .tries
        .iter()
        .map(|(one, n)| (one.clone(), *n))
        .partition(|(one, _)| is_slip(&one.refusal));
    let (slips, tries) = (times(&slips, tried), times(&tries, tried));
    let asked = times(&tally.asked, wanted);
    let first: Vec<Text> = tally.first_time.keys().map(wanted).collect();
    let early: Vec<Text> = tally.early.iter().map(ended_early).collect();
    let early_in_all =
        usize::try_from(tally.given_back + tally.revoked).unwrap_or(tally.early.len());
    let mut parts = Vec::new();
    for (title, lines, in_all) in [
        ("Approved by", approvals, None),
        ("Denied by", denials, None),
        ("Nobody decided", undecided, None),
        ("Ended early by", early, Some(early_in_all)),
        ("Tried what they may not", tries, None),
        ("Mistyped, or came too late", slips, None),
        ("Asked", asked, None),
        ("Asked for the first time", first, None),
    ] {
        if !lines.is_empty() {
            let in_all = in_all.unwrap_or(lines.len());
            parts.push(Part::Section(title));
            parts.push(Part::List(fitted(lines, in_all)));
        }
    }
    parts
}

fn wanted((who, what): &(AccountId, ResourceName)) -> Text {
    Text::default()
        .quietly(who)
        .plain(": ")
        .strong(what.as_str())
}

fn ended_early(end: &EarlyEnd) -> Text {
    let verb = match end.reason {
        EndingReason::Revoked => " revoked ",
        _ => " gave back ",
    };
    let own = end.by.is_some() && end.by == end.about.of;
    let access = Access {
        of: end.about.of.clone().filter(|_| !own),
        resource: end.about.resource.clone(),
    };
    let line = about(somebody(end.by.as_ref()).plain(verb), &access);
    match &end.why {
        Some(why) => {
            let first_words = cut(&why.replace('\n', " "), WHY_MAX);
            line.plain(" (“").plain(first_words).plain("”)")
        }
        None => line,
    }
}

/// What happened, most often first, with how often.
fn times<K: Ord>(counted: &BTreeMap<K, i64>, words: impl Fn(&K) -> Text) -> Vec<Text> {
    let mut sorted: Vec<(&K, i64)> = counted.iter().map(|(key, n)| (key, *n)).collect();
    sorted.sort_by_key(|(_, n)| std::cmp::Reverse(*n));
    sorted
        .into_iter()
        .map(|(key, n)| match n {
            1 => words(key),
            n => words(key).plain(format!(" × {n}")),
        })
        .collect()
}

/// The first lines of a list, as many as it may have, and how many more there are.
fn fitted(lines: Vec<Text>, in_all: usize) -> Vec<Text> {
    let mut left = LIST_MAX;
    let mut shown: Vec<Text> = lines
        .into_iter()
        .take(LINES_MAX)
        .take_while(|line| {
            let width = line.width_max();
            let fits = width <= left;
            left -= width.min(left);
            fits
        })
        .collect();
    let more = in_all.saturating_sub(shown.len());
    if more > 0 {
        shown.push(Text::of(format!("and {more} more")));
    }
    shown
}

/// A length of time without its smaller parts: `2d 3h`, `3h 5m`, `50s`.
fn rounded(seconds: i64) -> String {
    let unit_s = match seconds {
        86_400.. => 3_600,
        3_600.. => 60,
        _ => 1,
    };
    duration::format(seconds - seconds % unit_s)
}

#[cfg(test)]
mod tests;
