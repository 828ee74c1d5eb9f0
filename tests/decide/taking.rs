//! A grant in each of its states against orders to end it, and against what a target said of its end.

use jitbot::domain::decide::ending::{self, Turn};
use jitbot::domain::grant::{EndingReason, Evidence, Grant, GrantState};
use jitbot::domain::request::Request;
use jitbot::domain::timing::Timestamp;

use crate::case::{at, identity, security};
use crate::lines::{grants, not_before, of_grant, of_settle, told};
use crate::states::revoke_job;

#[test]
fn its_end_is_ordered() {
    grants(
        &[
            (
                "scheduled",
                "grant scheduled > cancelled: ended_at +100, ending done by U1 +100
                 record end_ordered by U1: of U1, reason done, resource staging-ssh
                 record grant_cancelled by us: reason done
                 no job revoke:g
                 job ended:g +100
                 job card:r +100",
            ),
            (
                "issuing active unknown",
                "grant STATE > revoking: ending done by U1 +100
                 record end_ordered by U1: of U1, reason done, resource staging-ssh
                 job card:r +100
                 job revoke:g +100 moves",
            ),
            (
                "revoking stuck ended failed cancelled",
                "End can't happen to something that is STATE",
            ),
        ],
        |request, grant| {
            let alice = identity("U1", "alice");
            let plan = ending::order(request, grant, EndingReason::Done, Some(&alice), at(100));
            told(plan.map(|plan| of_grant(&plan, grant)))
        },
    );
}

fn turn(request: &Request, grant: &Grant, now: Timestamp) -> String {
    told(
        ending::begin_revoke(request, grant, now).map(|turn| match turn {
            Turn::Nothing => vec!["nothing".into()],
            Turn::NotBefore(moment) => vec![not_before(moment)],
            Turn::Cancel(plan) => [vec!["cancel".into()], of_grant(&plan, grant)].concat(),
            Turn::Call(plan, called) => {
                let ends = matches!(called.state, GrantState::Revoking | GrantState::Stuck);
                assert!(ends, "called while {:?}", called.state);
                [vec!["call".into()], of_grant(&plan, grant)].concat()
            }
        }),
    )
}

#[test]
fn its_turn_to_end_before_it_is_due() {
    grants(
        &[
            ("scheduled", "not before +4200"),
            ("issuing active unknown", "not before +3620"),
            // Ordered early: it is due whatever the deadline says.
            ("revoking stuck", "call"),
            ("ended failed cancelled", "nothing"),
        ],
        |request, grant| turn(request, grant, at(100)),
    );
}

#[test]
fn its_turn_to_end_at_its_deadline() {
    grants(
        &[
            ("scheduled", "not before +4200"),
            (
                "issuing active unknown",
                "call
                 grant STATE > revoking: ending deadline by us +3620
                 record end_ordered by us: of U1, reason deadline, resource staging-ssh
                 job card:r +3620",
            ),
            ("revoking stuck", "call"),
            ("ended failed cancelled", "nothing"),
        ],
        |request, grant| turn(request, grant, at(3_620)),
    );
}

#[test]
fn its_turn_to_end_at_the_latest_moment_that_it_can_be() {
    grants(
        &[
            (
                "scheduled",
                "cancel
                 grant scheduled > cancelled: ended_at +4200, ending not_activated by us +4200
                 record end_ordered by us: of U1, reason not_activated, resource staging-ssh
                 record grant_cancelled by us: reason not_activated
                 no job revoke:g
                 job ended:g +4200
                 job card:r +4200",
            ),
            (
                "issuing active unknown",
                "call
                 grant STATE > revoking: ending deadline by us +4200
                 record end_ordered by us: of U1, reason deadline, resource staging-ssh
                 job card:r +4200",
            ),
            ("revoking stuck", "call"),
            ("ended failed cancelled", "nothing"),
        ],
        |request, grant| turn(request, grant, at(4_200)),
    );
}

#[test]
fn it_is_gone() {
    grants(
        &[
            (
                "revoking",
                "grant revoking > ended: ended_at +200, evidence seen_gone
                 record ended by us: evidence seen_gone, failures 0, lag_ms 110000, of U1, reason revoked, resource staging-ssh
                 job ended:g +200
                 job card:r +200",
            ),
            (
                "stuck",
                "grant stuck > ended: stuck_since none, ended_at +200, evidence seen_gone
                 record ended by us: evidence seen_gone, failures 5, lag_ms 110000, of U1, reason revoked, resource staging-ssh
                 job healed:g:slack:T1/SEC +200
                 job ended:g +200
                 job card:r +200",
            ),
            (
                "scheduled issuing active unknown ended failed cancelled",
                "EvidenceOfEnd can't happen to something that is STATE",
            ),
        ],
        |request, grant| {
            let plan = ending::gone(request, grant, Evidence::SeenGone, &security(), at(200));
            told(plan.map(|plan| of_grant(&plan, grant)))
        },
    );
}

fn not_gone(request: &Request, grant: &Grant) -> String {
    let job = revoke_job(grant.revoke_failures);
    let said = "refused\nfor now";
    let answer = ending::not_gone(request, grant, &job, said, None, &security(), at(200));
    told(answer.map(|(plan, settle)| [of_grant(&plan, grant), vec![of_settle(&settle)]].concat()))
}

#[test]
fn it_is_not_gone_yet() {
    grants(
        &[
            (
                "scheduled issuing active unknown revoking ended failed cancelled",
                "grant STATE > STATE: failures 1
                 again: refusedfor now",
            ),
            // Told once: nothing more is said, and it goes on being tried.
            (
                "stuck",
                "grant stuck > stuck: failures 6
                 again: refusedfor now",
            ),
        ],
        not_gone,
    );
}

#[test]
fn it_is_not_gone_for_the_fifth_time() {
    let before = |failures| {
        grants(
            &[
                (
                    "revoking",
                    match failures {
                        3 => {
                            "grant revoking > revoking: failures 4
                             again: refusedfor now"
                        }
                        _ => {
                            "grant revoking > stuck: stuck_since +200, failures 5
                             record stuck by us: failures 5, of U1, resource staging-ssh, said refusedfor now
                             job stuck:g:slack:T1/SEC +200
                             job card:r +200
                             again: refusedfor now"
                        }
                    },
                ),
                (
                    "scheduled issuing active unknown stuck ended failed cancelled",
                    "STATE",
                ),
            ],
            |request, grant| {
                let mut grant = grant.clone();
                grant.revoke_failures = failures;
                if grant.state == GrantState::Revoking {
                    return not_gone(request, &grant);
                }
                // Only what is being taken away can become stuck.
                let job = revoke_job(failures);
                let answer =
                    ending::not_gone(request, &grant, &job, "no", None, &security(), at(200));
                let (plan, _) = answer.unwrap();
                let mut states = plan.changes.iter().filter_map(|change| match change {
                    jitbot::domain::decide::Change::Grant(next, _) => Some(next.state.as_str()),
                    _ => None,
                });
                states.next().unwrap_or("unchanged").into()
            },
        );
    };
    before(3);
    before(4);
}
