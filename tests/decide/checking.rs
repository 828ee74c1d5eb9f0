//! Requests that wait for facts, and what ends because somebody left, in each state.

use jitbot::domain::decide::cancelling::{self, Cancelled};
use jitbot::domain::decide::checking;
use jitbot::domain::departure::Departure;
use jitbot::domain::directory::AccountStatus;
use jitbot::domain::ids::AccountId;
use jitbot::domain::refusal::Refusal;
use jitbot::domain::request::{Request, RequestState};

use crate::case::{at, policy, request};
use crate::lines::{grants, of_grant, of_request, reads, requests, told};

#[test]
fn waits_for_facts() {
    let asked = Request {
        pending_until: at(120),
        card_place: None,
        ..request(RequestState::Checking)
    };
    let about = vec![
        AccountId::new("slack:T1/U1").unwrap(),
        AccountId::new("slack:T1/U7").unwrap(),
    ];
    let plan = checking::wait_for_facts(asked, about, &policy(), true, at(0));
    // No card, and nothing that runs out but the wait itself.
    reads(
        &of_request(&plan),
        "new request checking
         record requested by U1: action shell, duration_s 3600, first_time true, project shop, resource staging-ssh, risk low, spec h, waits_for_facts true
         job check:r +120
         want U1 U7
         job refresh:slack +0",
    );
}

#[test]
fn stands_once_the_facts_came() {
    requests(
        &[
            (
                "checking",
                "request checking > pending open
                 job expire:r +1800
                 job card:r +100
                 job decided:r +100",
            ),
            (
                "pending approved denied refused withdrawn expired cancelled",
                "NeedsPeople can't happen to something that is STATE",
            ),
        ],
        |asked| {
            let next = request(RequestState::Checking);
            let plan = checking::wait_for_people(asked, next, at(100));
            told(plan.map(|plan| of_request(&plan)))
        },
    );
}

#[test]
fn is_refused_when_the_facts_say_no_or_do_not_come() {
    requests(
        &[
            (
                "checking",
                "request checking > refused +120
                 no job expire:r
                 job card:r +120
                 record refused by U1: of U1, refusal directory_unreachable, resource staging-ssh, tried request
                 job refused:r +120",
            ),
            (
                "pending approved denied refused withdrawn expired cancelled",
                "Refuse can't happen to something that is STATE",
            ),
        ],
        |asked| {
            let refusal = Refusal::DirectoryUnreachable;
            let plan = checking::refuse(asked, refusal, &policy(), at(120));
            told(plan.map(|plan| of_request(&plan)))
        },
    );
}

#[test]
fn is_cancelled_when_who_asked_left() {
    requests(
        &[
            (
                "checking pending",
                "request STATE > cancelled +100
                 no job expire:r
                 job card:r +100
                 record cancelled by us: left not_among_those, of U1, resource staging-ssh
                 job decided:r +100",
            ),
            (
                "approved denied refused withdrawn expired cancelled",
                "Cancel can't happen to something that is STATE",
            ),
        ],
        |asked| {
            let why = Cancelled::Left(Departure::NotAmongThose);
            let plan = cancelling::cancel(asked, why, &policy(), at(100));
            told(plan.map(|plan| of_request(&plan)))
        },
    );
}

#[test]
fn what_is_held_ends_when_its_people_left() {
    let why = Departure::Account(AccountStatus::Deactivated);
    grants(
        &[
            (
                "issuing active unknown",
                "grant STATE > revoking: ending left by us +100
                 record end_ordered by us: left deactivated, of U1, reason left, resource staging-ssh
                 job card:r +100
                 job revoke:g +100 moves",
            ),
            (
                "scheduled",
                "grant scheduled > cancelled: ended_at +100, ending left by us +100
                 record end_ordered by us: left deactivated, of U1, reason left, resource staging-ssh
                 record grant_cancelled by us: reason left
                 no job revoke:g
                 job ended:g +100
                 job card:r +100",
            ),
            (
                "revoking stuck ended failed cancelled",
                "End can't happen to something that is STATE",
            ),
        ],
        |request, grant| {
            let plan = checking::leave(request, grant, why, &policy(), at(100));
            told(plan.map(|plan| of_grant(&plan, grant)))
        },
    );
    let grant = crate::states::grant(jitbot::domain::grant::GrantState::Active);
    let asked = request(RequestState::Approved);
    let plan = checking::leave(&asked, &grant, why, &policy(), at(100)).unwrap();
    let said = format!("{plan:?}");
    assert!(said.contains("\"left\": String(\"deactivated\")"), "{said}");
}

#[test]
fn is_cancelled_when_the_access_that_it_extends_is_ended() {
    requests(
        &[
            (
                "checking pending",
                "request STATE > cancelled +100
                 no job expire:r
                 job card:r +100
                 record cancelled by us: of U1, resource staging-ssh, why access_ended",
            ),
            (
                "approved denied refused withdrawn expired cancelled",
                "Cancel can't happen to something that is STATE",
            ),
        ],
        |asked| {
            let why = Cancelled::AccessEnded;
            let plan = cancelling::cancel(asked, why, &policy(), at(100));
            told(plan.map(|plan| of_request(&plan)))
        },
    );
}
