//! A request in each of its states against each event.

use jitbot::domain::command::MessageRef;
use jitbot::domain::decide::requesting::{self, ActivationTiming};
use jitbot::domain::decide::{Change, Plan};
use jitbot::domain::decision::Decider;
use jitbot::domain::ids::{GroupName, Place};
use jitbot::domain::refusal::Refusal;
use jitbot::domain::request::RequestState;

use crate::case::{ACTIVATION_S, at, identity, policy, request};
use crate::lines::{of_request, reads, requests, told};

const TIMING: ActivationTiming<'_> = ActivationTiming {
    activation_s: ACTIVATION_S,
    remind_s: &[600, 60],
};

fn bob() -> Decider {
    Decider::Person {
        identity: identity("U2", "bob"),
        group: Some(GroupName::new("sre").unwrap()),
        group_as_of: Some(at(40)),
    }
}

#[test]
fn received() {
    let open = "
        new request STATE
        record requested by U1: action shell, duration_s 3600, first_time true, project shop, resource staging-ssh, risk low, spec h
        job expire:r +1800
        job card:r +0";
    // A request that is closed when it arrives is only kept.
    let closed = "
        new request STATE
        record requested by U1: action shell, duration_s 3600, first_time true, project shop, resource staging-ssh, risk low, spec h";
    requests(
        &[
            ("checking pending", open),
            (
                "approved denied refused withdrawn expired cancelled",
                closed,
            ),
        ],
        |request| {
            let plan = requesting::receive(request.clone(), &policy(), "rule".into(), true, at(0));
            of_request(&plan).join("\n")
        },
    );
}

#[test]
fn approved_by_a_person() {
    let approved = "
        request STATE > approved +100
        decision approve by U2 under rule
        new grant scheduled activate_by +700 end_by +4300
        record approved by U2: decider person, end_by +4300, group sre, group_as_of +40, of U1, resource staging-ssh, spec h
        no job expire:r
        job revoke:g +4300 moves
        job remind:g:600 +3700 moves
        job remind:g:60 +4240 moves
        job issue:g +100
        job decided:r +105
        job card:r +100";
    requests(
        &[
            ("checking pending", approved),
            (
                "approved denied refused withdrawn expired cancelled",
                "Approve can't happen to something that is STATE",
            ),
        ],
        |request| {
            let plan =
                requesting::approve(request, bob(), "rule".into(), &policy(), TIMING, at(100));
            told(plan.map(|plan| of_request(&plan)))
        },
    );
}

#[test]
fn approved_by_a_rule_without_a_card() {
    let mut unseen = request(RequestState::Pending);
    unseen.card_place = None;
    let rule = Decider::Rule;
    let plan = requesting::approve(&unseen, rule, "auto[0]".into(), &policy(), TIMING, at(0));
    reads(
        &of_request(&plan.unwrap()),
        "request pending > approved +0
         decision approve by a rule under auto[0]
         new grant scheduled activate_by +600 end_by +4200
         record approved by us: decider rule, end_by +4200, of U1, resource staging-ssh, spec h
         no job expire:r
         job revoke:g +4200 moves
         job remind:g:600 +3600 moves
         job remind:g:60 +4140 moves
         job issue:g +0
         job decided:r +5",
    );
}

#[test]
fn approved_by_one_of_several() {
    let request = request(RequestState::Pending);
    let plan = requesting::approve_partly(&request, bob(), "rule".into(), &policy(), at(100));
    // Nothing of the request changes: it still waits, and still runs out.
    reads(
        &of_request(&plan),
        "decision approve by U2 under rule
         record approved by U2: decider person, enough false, group sre, group_as_of +40, of U1, resource staging-ssh, spec h
         job card:r +100",
    );
}

#[test]
fn denied() {
    requests(
        &[
            (
                "pending",
                "request pending > denied +100
                 no job expire:r
                 job card:r +100
                 decision deny by U2 under rule
                 record denied by U2: decider person, group sre, group_as_of +40, of U1, resource staging-ssh, spec h
                 job decided:r +100",
            ),
            (
                "checking approved denied refused withdrawn expired cancelled",
                "Deny can't happen to something that is STATE",
            ),
        ],
        |request| {
            let plan = requesting::deny(request, bob(), "rule".into(), None, &policy(), at(100));
            told(plan.map(|plan| of_request(&plan)))
        },
    );
}

#[test]
fn withdrawn() {
    requests(
        &[
            (
                "checking pending",
                "request STATE > withdrawn +100
                 no job expire:r
                 job card:r +100
                 record withdrawn by U1: of U1, resource staging-ssh",
            ),
            (
                "approved denied refused withdrawn expired cancelled",
                "Withdraw can't happen to something that is STATE",
            ),
        ],
        |request| {
            let plan = requesting::withdraw(request, &identity("U1", "alice"), at(100));
            told(plan.map(|plan| of_request(&plan)))
        },
    );
}

#[test]
fn ran_out() {
    requests(
        &[
            (
                "pending",
                "request pending > expired +1800
                 job card:r +1800
                 record expired by us: of U1, pending_until +1800, resource staging-ssh
                 job decided:r +1800",
            ),
            (
                "checking approved denied refused withdrawn expired cancelled",
                "Expire can't happen to something that is STATE",
            ),
        ],
        |request| {
            let plan = requesting::expire(request, at(1_800));
            told(plan.map(|plan| of_request(&plan)))
        },
    );
}

#[test]
fn what_is_decided_changes_nothing_else_of_the_request() {
    let pending = request(RequestState::Pending);
    let plans = [
        requesting::approve(&pending, bob(), "rule".into(), &policy(), TIMING, at(100)),
        requesting::deny(&pending, bob(), "rule".into(), None, &policy(), at(100)),
        requesting::withdraw(&pending, &identity("U1", "alice"), at(100)),
        requesting::expire(&pending, at(100)),
    ];
    for plan in plans {
        let Change::Request(mut decided, was) = plan.unwrap().changes.remove(0) else {
            panic!("the request is saved first");
        };
        assert_eq!(
            (was, decided.decided_at),
            (RequestState::Pending, Some(at(100)))
        );
        decided.state = RequestState::Pending;
        decided.decided_at = None;
        assert_eq!(*decided, pending);
    }
}

#[test]
fn a_refusal_changes_the_record_alone() {
    let alice = identity("U1", "alice");
    let about = request(RequestState::Pending).id;
    let typed = "ä".repeat(3_000);
    let plan = requesting::refuse(
        &Refusal::OwnRequest,
        &alice,
        Some(&about),
        &policy(),
        "approve",
        Some(&typed),
    );
    let [Change::Record(draft)] = plan.changes.as_slice() else {
        panic!("{plan:?}");
    };
    assert_eq!(draft.actor.as_ref(), Some(&alice.account));
    assert_eq!(draft.request.as_ref(), Some(&about));
    assert_eq!(draft.policy, Some(policy()));
    assert_eq!(
        serde_json::Value::from(draft.facts.clone()),
        serde_json::json!({"tried": "approve", "refusal": "own_request"})
    );
    assert_eq!(
        draft.text.as_ref().map(|text| text.chars().count()),
        Some(1_000)
    );
}

#[test]
fn the_first_message_is_the_card_and_any_other_is_struck_out() {
    let on = |message: &str| MessageRef {
        place: Place::new("slack:T1/C1").unwrap(),
        message: message.into(),
    };
    let rows = [
        (None, "card 1.1"),
        (Some(on("1.1")), ""),
        (Some(on("1.0")), "job strike:slack:T1/C1:1.1 +100"),
    ];
    for (known, expected) in rows {
        let mut plan = Plan::default();
        let id = request(RequestState::Pending).id;
        requesting::card_seen(&mut plan, &id, known.as_ref(), &on("1.1"), at(100));
        reads(&of_request(&plan), expected);
    }
}
