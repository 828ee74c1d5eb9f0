//! The day in numbers, for security.

use super::super::card::Digest;
use super::super::text::{Message, Part, Text};
use crate::domain::duration;
use crate::domain::tally::Tally;

/// Stuck accesses that one digest names.
const STUCK_MAX: usize = 20;

/// The words of a digest. Also an empty day is told: silence would look like a broken bot.
pub(super) fn digest(day: &Digest) -> Message {
    // Named one by one, so that a new number does not compile before it is told.
    let Digest {
        from,
        to,
        tally,
        active_now,
        pending_now,
        stuck_count,
        stuck_now,
        head: (entries, hash),
    } = day;
    let Tally {
        requested,
        approved_by_people,
        approved_by_rule,
        denied,
        refused,
        expired,
        withdrawn,
        issued,
        ended,
        ended_early,
        told_only,
        failed,
        longest_lag_ms,
    } = tally;
    let numbers = vec![
        Text::of(format!(
            "Requests: {requested} made; {refused} refused (commands and presses that were not allowed)"
        )),
        Text::of(format!(
            "Decisions: {approved_by_people} approved by people, {approved_by_rule} approved by a rule, {denied} denied, {expired} ran out, {withdrawn} withdrawn"
        )),
        Text::of(format!(
            "Access: {issued} given, {failed} could not be given"
        )),
        Text::of(format!(
            "Ends: {ended} ended, {ended_early} of them early, {told_only} only told to the target; longest lag {}",
            lag(*longest_lag_ms)
        )),
        Text::of(format!(
            "Now: {active_now} live, {pending_now} waiting for a decision"
        )),
    ];
    let message = Message::titled("📋 Access digest")
        .with(Part::Line(
            Text::of("From ")
                .moment(*from)
                .plain(" to ")
                .moment(*to)
                .plain(":"),
        ))
        .with(Part::List(numbers));
    let message = if *stuck_count == 0 {
        message.with(Part::Line(Text::of("✅ Nothing is stuck.")))
    } else {
        let mut lines: Vec<Text> = stuck_now
            .iter()
            .take(STUCK_MAX)
            .map(|(grant, resource, since)| {
                Text::default()
                    .code(grant.as_str())
                    .plain(" on ")
                    .strong(resource.as_str())
                    .plain(" since ")
                    .moment(*since)
            })
            .collect();
        let left_out = stuck_count.saturating_sub(i64::try_from(lines.len()).unwrap_or(0));
        if left_out > 0 {
            lines.push(Text::of(format!("and {left_out} more")));
        }
        message
            .with(Part::Line(Text::of(format!(
                "⚠️ {stuck_count} can't be taken away:"
            ))))
            .with(Part::List(lines))
    };
    message.with(Part::Aside(
        Text::of("Record: ")
            .plain(format!("{entries} entries · compare it with "))
            .code(format!(
                "jitbot audit verify --db <database> --head {entries}:{hash}"
            )),
    ))
}

/// Milliseconds in words, short.
fn lag(ms: i64) -> String {
    match ms {
        ..1_000 => format!("{} ms", ms.max(0)),
        1_000..60_000 => format!("{}.{} s", ms / 1_000, ms % 1_000 / 100),
        _ => duration::format(ms / 1_000),
    }
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;

    use super::*;
    use crate::domain::ids::{RequestId, ResourceName};

    #[test]
    fn each_number_is_told() {
        let at = |s| DateTime::from_timestamp(s, 0).unwrap();
        let mut day = Digest {
            from: at(1_800_000_000),
            to: at(1_800_086_400),
            tally: Tally {
                requested: 101,
                approved_by_people: 102,
                approved_by_rule: 103,
                denied: 104,
                refused: 105,
                expired: 106,
                withdrawn: 107,
                issued: 108,
                ended: 109,
                ended_early: 110,
                told_only: 111,
                failed: 112,
                longest_lag_ms: 113,
            },
            active_now: 114,
            pending_now: 115,
            stuck_count: 0,
            stuck_now: Vec::new(),
            head: (116, "abc".into()),
        };
        let said = digest(&day).flat();
        for n in 101..=116 {
            assert!(said.contains(&n.to_string()), "{n}: {said}");
        }
        assert!(
            said.contains("Nothing is stuck") && said.contains("--head 116:abc"),
            "{said}"
        );
        let one = (
            RequestId::from_bits(3).grant(),
            ResourceName::new("db").unwrap(),
            at(1_800_000_100),
        );
        day.stuck_count = 500;
        day.stuck_now = vec![one; 20];
        let said = digest(&day).flat();
        assert!(
            said.contains("500 can't be taken away") && said.contains("and 480 more"),
            "{said}"
        );
    }
}
