//! A grant in each of its states against its turn to be given, and against what a target said.

use jitbot::domain::decide::giving::{self, Turn};
use jitbot::domain::grant::{Grant, GrantState};
use jitbot::domain::refusal::Refusal;
use jitbot::domain::request::Request;
use jitbot::domain::timing::Timestamp;

use crate::case::{at, policy};
use crate::lines::{grants, of_grant, of_settle, told};
use crate::states::issue_job;

fn turn(request: &Request, grant: &Grant, allowed: Result<(), Refusal>, now: Timestamp) -> String {
    // The machine's clock is five seconds ahead of ours.
    let machine = now + chrono::TimeDelta::seconds(5);
    let turn = giving::begin_issue(request, grant, allowed, &policy(), &[600], now, machine);
    told(turn.map(|turn| match turn {
        Turn::Nothing => vec!["nothing".into()],
        Turn::End(plan) => [vec!["end".into()], of_grant(&plan, grant)].concat(),
        Turn::Call(plan, called) => {
            let kept = plan.changes.iter().any(|change| {
                matches!(change, jitbot::domain::decide::Change::Grant(kept, _) if *kept == called)
            });
            assert!(kept, "what is called is not what is kept");
            [vec!["call".into()], of_grant(&plan, grant)].concat()
        }
    }))
}

#[test]
fn its_turn_to_be_given() {
    grants(
        &[
            (
                "scheduled",
                "call
                 grant scheduled > issuing: deadline +3700, native +3705, unsettled_since +100
                 job revoke:g +3700 moves
                 no job remind:g:600
                 job remind:g:600 +3100 moves
                 record issue_intended by us: deadline +3700, spec h",
            ),
            (
                "issuing unknown",
                "call
                 grant STATE > issuing: unsettled_since +100
                 record issue_intended by us: deadline +3620, spec h",
            ),
            ("active revoking stuck ended failed cancelled", "nothing"),
        ],
        |request, grant| turn(request, grant, Ok(()), at(100)),
    );
}

#[test]
fn its_turn_to_be_given_when_it_is_not_allowed_any_more() {
    grants(
        &[
            (
                "scheduled",
                "end
                 grant scheduled > cancelled: ended_at +100, ending refused_at_activation by us +100
                 record end_ordered by us: of U1, reason refused_at_activation, resource staging-ssh
                 record grant_cancelled by us: reason refused_at_activation
                 no job revoke:g
                 job ended:g +100
                 job card:r +100
                 record refused by us: of U1, refusal spec_changed, resource staging-ssh, tried activate",
            ),
            (
                "issuing unknown",
                "end
                 grant STATE > revoking: ending refused_at_activation by us +100
                 record end_ordered by us: of U1, reason refused_at_activation, resource staging-ssh
                 job card:r +100
                 job revoke:g +100 moves
                 record refused by us: of U1, refusal spec_changed, resource staging-ssh, tried activate",
            ),
            ("active revoking stuck ended failed cancelled", "nothing"),
        ],
        |request, grant| turn(request, grant, Err(Refusal::SpecChanged), at(100)),
    );
}

#[test]
fn its_turn_to_be_given_when_it_is_too_late() {
    grants(
        &[
            (
                "scheduled",
                "end
                 grant scheduled > cancelled: ended_at +3620, ending not_activated by us +3620
                 record end_ordered by us: of U1, reason not_activated, resource staging-ssh
                 record grant_cancelled by us: reason not_activated
                 no job revoke:g
                 job ended:g +3620
                 job card:r +3620",
            ),
            (
                "issuing unknown",
                "end
                 grant STATE > revoking: ending not_activated by us +3620
                 record end_ordered by us: of U1, reason not_activated, resource staging-ssh
                 job card:r +3620
                 job revoke:g +3620 moves",
            ),
            ("active revoking stuck ended failed cancelled", "nothing"),
        ],
        |request, grant| turn(request, grant, Ok(()), at(3_620)),
    );
}

#[test]
fn the_last_moment_to_be_given() {
    use jitbot::domain::grant::GrantState as S;
    let request = crate::case::request(jitbot::domain::request::RequestState::Approved);
    // Until the allowance is over; once it was begun, a retry may go on until the deadline.
    let rows = [
        (S::Scheduled, 600, "call"),
        (S::Scheduled, 601, "end"),
        (S::Issuing, 3_619, "call"),
        (S::Issuing, 3_620, "end"),
        (S::Unknown, 3_619, "call"),
        (S::Unknown, 3_620, "end"),
    ];
    for (state, s, expected) in rows {
        let said = turn(&request, &crate::states::grant(state), Ok(()), at(s));
        assert_eq!(said.lines().next(), Some(expected), "{state:?} at {s}");
    }
}

#[test]
fn the_target_gives_access() {
    grants(
        &[
            (
                "issuing unknown",
                "grant STATE > active: unsettled_since none, active_at +100, handle \"second\"
                 job ready:g +100
                 job card:r +100
                 record issued by us: deadline +3620, state active",
            ),
            // Its end was ordered while the call was in flight, or it was told before: what finds it
            // is kept, and the end stands.
            (
                "active revoking stuck",
                "grant STATE > STATE: handle \"second\"
                 record issued by us: deadline +3620, state STATE",
            ),
            // No call is in flight for these; nothing becomes active by it.
            (
                "scheduled cancelled",
                "grant STATE > STATE: handle \"second\"
                 record issued by us: deadline null, state STATE",
            ),
            ("ended failed", "stands in late_issue.rs"),
        ],
        |request, grant| {
            let plan = giving::issued(request, grant, "second".into(), false, at(100));
            if matches!(grant.state, GrantState::Ended | GrantState::Failed) {
                return "stands in late_issue.rs".into();
            }
            told(plan.map(|plan| of_grant(&plan, grant)))
        },
    );
}

#[test]
fn the_target_gives_nothing_and_shows_nothing() {
    grants(
        &[
            (
                "issuing unknown",
                "grant STATE > failed: unsettled_since none, ended_at +100
                 record issue_failed by us: of U1, resource staging-ssh, said no such principal
                 no job revoke:g
                 job ended:g +100
                 job card:r +100",
            ),
            ("scheduled active revoking stuck ended failed cancelled", ""),
        ],
        |request, grant| {
            let plan = giving::not_issued(request, grant, "no such principal", at(100));
            told(plan.map(|plan| of_grant(&plan, grant)))
        },
    );
}

#[test]
fn the_target_gives_nothing_but_may_have_left_something() {
    grants(
        &[
            (
                "issuing unknown",
                "grant STATE > revoking: ending issue_failed by us +100
                 record end_ordered by us: of U1, reason issue_failed, resource staging-ssh
                 job card:r +100
                 job revoke:g +100 moves
                 record issue_troubled by us: outcome refused, said half done",
            ),
            ("scheduled active revoking stuck ended failed cancelled", ""),
        ],
        |request, grant| {
            let plan = giving::partly_issued(request, grant, "half done", at(100));
            told(plan.map(|plan| of_grant(&plan, grant)))
        },
    );
}

fn troubled(grant: &Grant, failures: i64, unknown: bool) -> String {
    let job = issue_job(failures);
    let answer = giving::issue_troubled(grant, &job, "time\u{0}out", unknown, None, at(100));
    told(answer.map(|(plan, settle)| [of_grant(&plan, grant), vec![of_settle(&settle)]].concat()))
}

#[test]
fn the_call_failed() {
    let states = "scheduled issuing active unknown revoking stuck ended failed cancelled";
    let first = "record issue_troubled by us: outcome failed, said timeout
                 again: timeout";
    grants(&[(states, first)], |_, grant| troubled(grant, 0, false));
    // The record says it once; the job counts.
    grants(&[(states, "again: timeout")], |_, grant| {
        troubled(grant, 1, false)
    });
}

#[test]
fn nobody_knows_what_came_of_the_call() {
    let others = "scheduled active unknown revoking stuck ended failed cancelled";
    let changed = "grant issuing > unknown
                   record issue_troubled by us: outcome unknown, said timeout
                   again: timeout";
    let first = "record issue_troubled by us: outcome unknown, said timeout
                 again: timeout";
    grants(&[("issuing", changed), (others, first)], |_, grant| {
        troubled(grant, 0, true)
    });
    // A state that changes is recorded, also after failures that were not.
    grants(
        &[("issuing", changed), (others, "again: timeout")],
        |_, grant| troubled(grant, 3, true),
    );
}
